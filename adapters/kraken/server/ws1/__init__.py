"""WebSocket v1: the channels and events of a served venue."""
