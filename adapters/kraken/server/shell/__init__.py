"""The sockets of a served venue: thin shells that move bytes between clients and the gateways, and let time pass.

``pump``: the venue's clock against the machine's. ``web``: REST and WebSocket over HTTP. ``fix_port``: FIX over TCP.
``control``: what a tester may do to the venue. ``serve``: all of it together. Nothing here knows what a message means.
"""
