"""FIX 4.4, for both ends of a line and for any venue.

``codec``: bytes to messages and back. ``dictionary``, ``fix44``, ``validation``: what a message may hold. ``store``:
what was sent, kept across crashes. ``session``: the state machine of a session, initiator or acceptor. ``acceptor``:
which session a connection belongs to. Nothing here opens a socket or reads a clock, but ``serve``, the shell of the
acceptor that the command ``tidegate fix-acceptor`` runs.
"""
