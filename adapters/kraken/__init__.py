"""Kraken: its exchange as data, its recordings, and in time its wire."""

from __future__ import annotations

from adapters.kraken.captures import FORMATS
from adapters.kraken.profile import PROFILE
from framework.adapter import Adapter

__all__ = ["ADAPTER"]

ADAPTER = Adapter(name="kraken", profile=PROFILE, formats=FORMATS)
