"""FIX 4.4: the market data sessions of a served venue."""
