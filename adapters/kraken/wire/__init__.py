"""Kraken's messages, one code for the trader's end and the venue's: no socket, no clock, nothing of the framework."""
