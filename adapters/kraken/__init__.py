"""Kraken: its exchange as data, its recordings, its wire, and a venue that speaks it."""
