"""Messages of WebSocket v1, both ways."""
