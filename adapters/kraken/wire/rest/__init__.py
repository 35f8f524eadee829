"""Messages of REST, both ways."""
