"""Whether this machine, its key and a configuration are fit to trade on Kraken: the command ``tidegate doctor``.

What an answer means is in ``judging``, ``key_judging`` and ``needs``, without a socket; ``probes`` has the sockets.
"""
