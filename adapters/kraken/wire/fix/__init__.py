"""Messages of FIX as structs, both ways; sessions and framing are ``adapters.fix``."""
