"""FIX 4.4: the trading sessions of a served venue."""
