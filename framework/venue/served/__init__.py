"""The venue as something to be served: a host that lets it live in time, beside the gateways that speak to clients.

``clock``: the venue's time against the machine's. ``market``: a recorded market without end. ``host``: the venue, its
market and its lines, in the one order in which things happen. ``records``: what accounts may ask of their past.
``tape``: the public trades and candles. ``book``: the public book, client orders in it. No socket, no clock reading and
no exchange's name is in here.
"""
