"""What a client may subscribe to on WebSocket v1: the ``subscription`` object to what it means, or to Kraken's refusal.

Documentation lists the refusals; which of them answers which mistake is read from their words. A book or candles
without depth or interval are those of the default, to end a subscription too. A pair is known by its ``wsname`` alone
(``XBT/USD``), though some examples show today's tickers: assumptions.

Sources: websocket-v1 pages of each channel, unsubscribe, subscriptionstatus.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.kraken.server.pairs import ServedPair, ServedPairs
from adapters.kraken.server.refusal import Refusal
from framework.venue.served.tape import CANDLE_MINUTES

__all__ = [
    "ALL_CHANNELS",
    "BOOK_DEPTHS",
    "PUBLIC_CHANNELS",
    "PublicChannel",
    "chosen_flags",
    "echoed",
    "pair_named",
    "pair_names",
    "public_channel",
]

BOOK_DEPTHS = (10, 25, 100, 500, 1000)
ALL_CHANNELS = "*"
"""Stands for all public channels of a pair where a subscription is ended."""

_OPTIONS = {"book": "depth", "ohlc": "interval"}
_WSNAME = re.compile(r"[A-Za-z0-9.]{1,16}/[A-Za-z0-9.]{1,16}")
_PAIRS_MAX = 1_000
_SHOWN_MAX = 64
_FLAGS = {"true": True, "false": False}


class PublicChannel(msgspec.Struct, frozen=True):
    """A public channel without its pair. option: depth of a book, minutes of a candle; 0 for the others."""

    name: str
    option: int = 0

    @property
    def channel_name(self) -> str:
        """As frames name it: ``book-10``, ``trade``."""
        return f"{self.name}-{self.option}" if self.option else self.name

    @property
    def shown(self) -> dict[str, Any]:
        """As the status of a subscription shows it."""
        return {"name": self.name, **({_OPTIONS[self.name]: self.option} if self.option else {})}


PUBLIC_CHANNELS = (
    *(PublicChannel("book", depth) for depth in BOOK_DEPTHS),
    PublicChannel("trade"),
    PublicChannel("spread"),
    PublicChannel("ticker"),
    *(PublicChannel("ohlc", minutes) for minutes in CANDLE_MINUTES),
)
"""All public channels."""

_NAMES = frozenset(channel.name for channel in PUBLIC_CHANNELS)


def public_channel(subscription: Mapping[str, Any]) -> PublicChannel:
    """The public channel that a subscription is of; raises Refusal for what makes no sense."""
    name = subscription.get("name")
    if not isinstance(name, str) or name not in _NAMES:
        raise Refusal("Subscription name invalid")
    option = _OPTIONS.get(name)
    if not subscription.keys() <= {"name", "token", option}:
        raise Refusal("Subscription object unsupported field")
    if option == "depth":
        depth = subscription.get("depth", BOOK_DEPTHS[0])
        if isinstance(depth, bool) or not isinstance(depth, int):
            raise Refusal("Subscription book depth must be an integer")
        if depth not in BOOK_DEPTHS:
            raise Refusal("Subscription depth not supported")
        return PublicChannel(name, depth)
    if option == "interval":
        minutes = subscription.get("interval", CANDLE_MINUTES[0])
        if isinstance(minutes, bool) or not isinstance(minutes, int):
            raise Refusal("Subscription ohlc interval must be an integer")
        if minutes not in CANDLE_MINUTES:
            raise Refusal("Subscription ohlc interval not supported")
        return PublicChannel(name, minutes)
    return PublicChannel(name)


def pair_names(message: Mapping[str, Any]) -> list[str]:
    """The pairs that a message names; raises Refusal for what is no list of names."""
    names = message.get("pair")
    if names is not None and not isinstance(names, list):
        raise Refusal("Pair field must be an array")
    if not names or len(names) > _PAIRS_MAX or not all(isinstance(name, str) for name in names):
        raise Refusal("Pair(s) not found")
    return [name[:_SHOWN_MAX] for name in names]


def pair_named(name: str, pairs: ServedPairs) -> ServedPair:
    """The pair of a ``wsname``; raises Refusal for one that is none."""
    if _WSNAME.fullmatch(name) is None:
        raise Refusal(f"Currency pair not in ISO 4217-A3 format {name[:_SHOWN_MAX]}")
    pair = pairs.find(name)
    if pair is None or pair.names.ws1 != name:
        raise Refusal(f"Currency pair not supported {name}")
    return pair


def chosen_flags(defaults: Mapping[str, bool], subscription: Mapping[str, Any]) -> dict[str, bool]:
    """The flags of a private channel; an example of the pages gives one as text, so both are taken."""
    if not subscription.keys() <= {"name", "token", *defaults}:
        raise Refusal("Subscription object unsupported field")
    chosen = dict(defaults)
    for name in defaults.keys() & subscription.keys():
        value = subscription[name]
        flag = _FLAGS.get(value) if isinstance(value, str) else value
        if not isinstance(flag, bool):
            raise Refusal("Malformed request")
        chosen[name] = flag
    return chosen


def echoed(subscription: Mapping[str, Any]) -> dict[str, Any]:
    """A subscription that is refused as its status shows it: nothing secret, nothing long, nothing of another type."""
    name = subscription.get("name")
    shown: dict[str, Any] = {"name": name[:_SHOWN_MAX]} if isinstance(name, str) else {}
    for option in _OPTIONS.values():
        value = subscription.get(option)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
            shown[option] = value
    return shown
