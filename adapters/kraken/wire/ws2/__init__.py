"""Messages of WebSocket v2, both ways."""
