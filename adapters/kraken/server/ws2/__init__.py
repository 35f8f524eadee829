"""WebSocket v2: the channels and methods of a served venue."""
