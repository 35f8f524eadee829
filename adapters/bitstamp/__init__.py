"""Bitstamp: importers of its recordings, so that its order by order market can be run under other rules."""

from __future__ import annotations

from adapters.bitstamp.captures import FORMATS
from framework.adapter import Adapter

__all__ = ["ADAPTER"]

ADAPTER = Adapter(name="bitstamp", profile=None, formats=FORMATS)
