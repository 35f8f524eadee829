"""The trader's end of Kraken: links that an execution desk trades by, and market data.

Each protocol is a state machine that takes bytes and a time and gives bytes and reports; what carries the bytes is
``shell``. ``links`` makes them all from one configuration.
"""
