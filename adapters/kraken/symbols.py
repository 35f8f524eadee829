"""Names of pairs and assets: what each protocol calls them, both ways.

======================  =======================  ==========================================================
where                   bitcoin against dollar   rule
======================  =======================  ==========================================================
canonical               ``BTC/USD``              ours; the same as WebSocket v2 and FIX
WebSocket v2, FIX       ``BTC/USD``              today's tickers
WebSocket v1            ``XBT/USD``              ``wsname`` of AssetPairs; old tickers XBT and XDG
REST, pair              ``XBTUSD``               ``altname`` of AssetPairs
REST, key of an answer  ``XXBTZUSD``             old assets have a prefix, X (crypto) or Z (fiat)
======================  =======================  ==========================================================

The REST names of a pair do not follow from its canonical name (``XXBTZUSD`` but ``XBTUSDT``), so they come from
Kraken's own list. Source: rest-api/get-tradable-asset-pairs; guides/spot-ws-intro, "XBT/USD pair is missing".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from adapters.kraken.errors import SymbolError

__all__ = [
    "PairNames",
    "SymbolTable",
    "canonical_asset",
    "canonical_symbol",
    "pair_names",
    "rest_asset",
    "ws1_symbol",
]

# WebSocket v1 and REST keep two old tickers; everything newer says BTC and DOGE.
_TODAY = {"XBT": "BTC", "XDG": "DOGE"}
_OLD = {today: old for old, today in _TODAY.items()}

# The assets that REST gives a prefix. It is a closed list: new assets get none, and the prefix cannot be told from a
# ticker's own first letter (ZETA, XTZ).
_PREFIXED = {
    "X": ("ETC", "ETH", "LTC", "MLN", "REP", "XBT", "XDG", "XLM", "XMR", "XRP", "ZEC"),
    "Z": ("AUD", "CAD", "EUR", "GBP", "JPY", "USD"),
}
_WITHOUT_PREFIX = {prefix + asset: asset for prefix, assets in _PREFIXED.items() for asset in assets}


class PairNames(msgspec.Struct, frozen=True, kw_only=True):
    """What one pair is called: ``symbol`` canonical, on WebSocket v2 and FIX; the others where their names say."""

    symbol: str
    ws1: str
    rest: str
    rest_id: str


def canonical_asset(code: str) -> str:
    """The canonical name of an asset as REST or WebSocket v1 write it: ``XXBT`` and ``XBT`` are ``BTC``."""
    plain = _WITHOUT_PREFIX.get(code, code)
    return _TODAY.get(plain, plain)


def canonical_symbol(wsname: str) -> str:
    """The canonical name of a pair that WebSocket v1 and AssetPairs (``wsname``) call ``XBT/CHF``: ``BTC/CHF``.

    Raises SymbolError for a name that is not two assets and a slash.
    """
    base, quote = _split(wsname)
    return f"{_TODAY.get(base, base)}/{_TODAY.get(quote, quote)}"


def ws1_symbol(symbol: str) -> str:
    """The name on WebSocket v1 of a pair with a canonical name: ``BTC/USD`` is ``XBT/USD``.

    Raises SymbolError for a name that is not two assets and a slash.
    """
    base, quote = _split(symbol)
    return f"{_OLD.get(base, base)}/{_OLD.get(quote, quote)}"


def rest_asset(asset: str) -> str:
    """The name of an asset on REST: ``BTC`` is ``XXBT``, ``USD`` is ``ZUSD``, ``USDT`` stays."""
    old = _OLD.get(asset, asset)
    return next((prefix + old for prefix, assets in _PREFIXED.items() if old in assets), old)


def pair_names(symbol: str) -> PairNames:
    """The names of a pair by the rule that Kraken's own list follows for the pairs that it has.

    The REST id is made of the prefixed names where both assets have a prefix, and is the altname otherwise. Raises
    SymbolError for a name that is not two assets and a slash.
    """
    base, quote = _split(symbol)
    altname = f"{_OLD.get(base, base)}{_OLD.get(quote, quote)}"
    ids = rest_asset(base), rest_asset(quote)
    is_old = all(each != _OLD.get(plain, plain) for each, plain in zip(ids, (base, quote), strict=True))
    return PairNames(symbol=symbol, ws1=ws1_symbol(symbol), rest=altname, rest_id="".join(ids) if is_old else altname)


class SymbolTable:
    """The names of known pairs. Any of a pair's names finds it."""

    def __init__(self, pairs: Iterable[PairNames]) -> None:
        """Make a table; raises SymbolError if one name would mean two pairs."""
        self._by_name: dict[str, PairNames] = {}
        for pair in pairs:
            for name in (pair.symbol, pair.ws1, pair.rest, pair.rest_id):
                known = self._by_name.setdefault(name, pair)
                if known != pair:
                    raise SymbolError(f"{name} would mean both {known.symbol} and {pair.symbol}; give each pair once")

    @classmethod
    def from_asset_pairs(cls, result: Mapping[str, Mapping[str, Any]]) -> SymbolTable:
        """A table of the pairs of an AssetPairs answer, without those that have no ``wsname`` (dark pools).

        result: the ``result`` of the answer, by REST id. Raises SymbolError for a row without ``altname``.
        """
        pairs = []
        for rest_id, row in result.items():
            if "altname" not in row:
                raise SymbolError(f"row {rest_id} has no altname; pass the result of an AssetPairs answer")
            if "wsname" in row:
                symbol = canonical_symbol(row["wsname"])
                pairs.append(PairNames(symbol=symbol, ws1=row["wsname"], rest=row["altname"], rest_id=rest_id))
        return cls(pairs)

    def names(self, name: str) -> PairNames:
        """All names of the pair that has this one; raises SymbolError for a name that no known pair has."""
        pair = self._by_name.get(name)
        if pair is None:
            raise SymbolError(f"{name} is no known pair; check the name, or load a newer AssetPairs answer")
        return pair

    def __len__(self) -> int:
        return len(set(self._by_name.values()))


def _split(name: str) -> tuple[str, str]:
    parts = name.split("/")
    if len(parts) != 2 or not all(parts):
        raise SymbolError(f"{name!r} is not a pair; write base and quote with a slash between, like BTC/USD")
    return parts[0], parts[1]
