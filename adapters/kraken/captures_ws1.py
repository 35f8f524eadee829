"""Importer of recorded WebSocket v1 traffic: books with their checksums, and trades.

A recording is one or more ``.tsv`` files of ``unix_receive_time<TAB>message`` with the message's text unchanged.

- The book of each pair is kept as Kraken's guide says: all entries of a message are applied, then levels beyond the
  subscribed depth are dropped, then the CRC-32 of the ten best levels a side is compared with ``c``. Dropped levels
  become removals, so that the stored book equals the feed's.
- ``ts_event_ns`` of a message is the newest time of its levels, or that of the message before it if that is newer: the
  book's levels carry their own times, and the stored market has one order. A level that re-enters at the bottom carries
  an old time, so the newest is what dates the message.
- A snapshot does not say when it was made, only when its levels changed last. It is dated by its receipt less the
  shortest delay from level time to receipt in the recording, which keeps a strategy from seeing it too early.
- Trades come by their own channel. They are merged by engine time, before book messages of the same time. A level
  change at the price and microsecond of a trade, on the side that it took from, is flagged EXECUTED: both channels copy
  the engine's time, and in captures they agree to the digit.

Sources: Kraken, "Spot WebSocket v1, book" and "Book checksum (v1)"; "trade".
"""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from adapters.kraken.asset_pairs import VENUE, read_asset_pairs
from adapters.kraken.symbols import canonical_symbol
from adapters.kraken.wire.checksum import printed_checksum
from framework.data.columns import CLEAR, EXECUTED, LAST, LEVEL, SNAPSHOT, TRADE, Market
from framework.data.grid import Grid, finest_step
from framework.data.imports import ImportedMarket, ImportOption, RowBuilder
from framework.errors import ConfigError, DataError
from framework.protocol import BUY, SELL, InstrumentSpec

__all__ = ["WS1_OPTIONS", "import_ws1"]

WS1_OPTIONS = (
    ImportOption(
        "asset_pairs", "AssetPairs.json", "AssetPairs answer beside the recording; grids are inferred without it"
    ),
    ImportOption("on_mismatch", "error", "error: stop at a wrong checksum; count: go on and count it"),
)

_CHECKED_LEVELS = 10
_SECONDS = Grid("0.000000001")


class _Message(msgspec.Struct, frozen=True):
    """One data message: where it stands, when it came, and its parts."""

    place: str
    ts_recv_ns: int
    channel: str
    pair: str
    payloads: tuple[Any, ...]


def import_ws1(source: Path, options: Mapping[str, str]) -> list[ImportedMarket]:
    """Reads a folder of ``.tsv`` recordings, or one such file; options: ``WS1_OPTIONS``.

    Raises DataError naming file, line and remedy; ConfigError for an option value that makes no sense.
    """
    on_mismatch = options["on_mismatch"]
    if on_mismatch not in ("error", "count"):
        raise ConfigError(f"on_mismatch is {on_mismatch!r}; use error or count")
    files = sorted(source.glob("*.tsv")) if source.is_dir() else [source]
    if not files:
        raise DataError(f"{source}: no .tsv file; give the folder or file of a WebSocket v1 recording")
    folder = source if source.is_dir() else source.parent
    pairs_file = folder / options["asset_pairs"]
    specs = read_asset_pairs(pairs_file) if pairs_file.is_file() else {}
    by_pair: dict[str, list[_Message]] = {}
    for file in files:
        for message in _messages(file):
            by_pair.setdefault(message.pair, []).append(message)
    if not by_pair:
        raise DataError(f"{source}: no book or trade message; check that the recording is of WebSocket v1")
    return [
        _PairImport(pair, messages, specs, is_counting=on_mismatch == "count").run(str(source))
        for pair, messages in by_pair.items()
    ]


def _messages(file: Path) -> Iterator[_Message]:
    """Book and trade messages of one file; status messages and heartbeats are left out."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}; give the folder or file of a WebSocket v1 recording") from None
    except UnicodeDecodeError:
        raise DataError(f"{file}: not a text file; give the folder or file of a WebSocket v1 recording") from None
    for number, line in enumerate(lines, start=1):
        place = f"{file}, line {number}"
        received, tab, text = line.partition("\t")
        try:
            if not tab:
                raise ValueError("no tab")
            message = json.loads(text)
            ts_recv_ns = _SECONDS.count(received)
            if not isinstance(message, list):
                continue
            channel, pair = str(message[-2]), str(message[-1])
            payloads = tuple(message[1:-2])
        except (ValueError, IndexError) as error:
            raise DataError(
                f"{place}: not a receive time, a tab and a JSON message ({error}); "
                "the line is damaged, cut the file before it"
            ) from None
        if channel == "trade" or channel.startswith("book-"):
            yield _Message(place, ts_recv_ns, channel, pair, payloads)


def _texts(messages: list[_Message], index: int) -> Iterator[str]:
    """All prices (index 0) or volumes (index 1) of one pair's messages."""
    for message in messages:
        if message.channel == "trade":
            yield from (trade[index] for trade in message.payloads[0])
        else:
            yield from (
                level[index] for part in message.payloads for side in _SIDE_KEYS for level in part.get(side, ())
            )


_SIDE_KEYS = {"as": SELL, "bs": BUY, "a": SELL, "b": BUY}


class _Side:
    """One side of the feed's book: the digits received, by price, and the prices in rising order."""

    def __init__(self) -> None:
        self.texts: dict[int, tuple[str, str]] = {}
        self.ticks: list[int] = []

    def set(self, price_ticks: int, level: tuple[str, str]) -> None:
        if price_ticks not in self.texts:
            insort(self.ticks, price_ticks)
        self.texts[price_ticks] = level

    def remove(self, price_ticks: int) -> bool:
        if self.texts.pop(price_ticks, None) is None:
            return False
        del self.ticks[bisect_left(self.ticks, price_ticks)]
        return True


class _PairImport:
    """Reads the messages of one pair; ``run`` is its one use."""

    def __init__(
        self, pair: str, messages: list[_Message], specs: Mapping[str, InstrumentSpec], *, is_counting: bool
    ) -> None:
        symbol = canonical_symbol(pair)
        self._messages = messages
        self._is_counting = is_counting
        self._spec = specs.get(symbol) or InstrumentSpec(
            symbol=symbol,
            venue=VENUE,
            tick_size=finest_step(_texts(messages, 0)),
            lot_size=finest_step(_texts(messages, 1)),
        )
        self._ticks = Grid(self._spec.tick_size)
        self._lots = Grid(self._spec.lot_size)
        self._sides = (_Side(), _Side())
        self._has_book = False
        self._rows = RowBuilder()
        # (price_ticks, side taken from, time) of every trade.
        self._executed: set[tuple[int, int, int]] = set()
        self._counts = dict.fromkeys(
            ("checksums_verified", "checksums_failed", "snapshots", "levels_pushed_out", "executed_levels", "trades"), 0
        )

    def run(self, source: str) -> ImportedMarket:
        """The pair's market."""
        for _, _, message, part in sorted(self._dated(), key=lambda item: item[:2]):
            try:
                if message.channel == "trade":
                    self._trade(part)
                elif "as" in message.payloads[0] or "bs" in message.payloads[0]:
                    self._snapshot(message, part)
                else:
                    self._update(message, part)
            except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
                raise DataError(
                    f"{message.place}: {error}; the message is not of WebSocket v1 or not on the pair's grid, "
                    "check the recording and its AssetPairs"
                ) from None
        has_trades = self._counts["trades"] > 0
        depth = "L2" if self._has_book else "trades"
        market = Market(spec=self._spec, columns=self._rows.columns(), depth=depth, has_trades=has_trades)
        return ImportedMarket(market=market, source=source, statistics=dict(self._counts))

    def _dated(self) -> Iterator[tuple[int, int, _Message, Any]]:
        """(engine time, 0 for trades and 1 for books, message, part), times of books never decreasing."""
        newest_of = [self._newest(message) for message in self._messages]
        delays = [
            m.ts_recv_ns - ts for m, ts in zip(self._messages, newest_of, strict=True) if not _is_snapshot(m) and ts
        ]
        shortest = min(delays, default=None)
        book_ts = 0
        for message, newest in zip(self._messages, newest_of, strict=True):
            if message.channel == "trade":
                for trade in message.payloads[0]:
                    ts = self._time(message, trade[2])
                    yield ts, 0, message, (ts, message.ts_recv_ns, trade)
                continue
            if _is_snapshot(message) and shortest is not None:
                newest = max(newest, message.ts_recv_ns - shortest)
            book_ts = max(book_ts, newest)
            yield book_ts, 1, message, book_ts

    def _newest(self, message: _Message) -> int:
        """The newest time of a message's levels or trades, 0 if it has none."""
        try:
            if message.channel == "trade":
                times = [trade[2] for trade in message.payloads[0]]
            else:
                times = [level[2] for part in message.payloads for key in _SIDE_KEYS for level in part.get(key, ())]
        except (IndexError, AttributeError, TypeError) as error:
            raise DataError(
                f"{message.place}: {error}; the message is not of WebSocket v1, check the recording"
            ) from None
        return max((self._time(message, text) for text in times), default=0)

    def _time(self, message: _Message, text: str) -> int:
        try:
            return _SECONDS.count(text)
        except (ValueError, AttributeError):
            raise DataError(f"{message.place}: time {text!r} is not in seconds; cut the recording before it") from None

    def _trade(self, part: tuple[int, int, list[str]]) -> None:
        ts, ts_recv, (price, volume, _, side, *_rest) = part
        price_ticks = self._ticks.count(price)
        aggressor = {"b": BUY, "s": SELL}[side]
        self._rows.add(ts, ts_recv, TRADE, aggressor, price_ticks, self._lots.count(volume), 0, LAST)
        self._executed.add((price_ticks, 1 - aggressor, ts))
        self._counts["trades"] += 1

    def _snapshot(self, message: _Message, ts: int) -> None:
        self._sides = (_Side(), _Side())
        self._has_book = True
        self._counts["snapshots"] += 1
        self._rows.add(ts, message.ts_recv_ns, CLEAR, BUY, 0, 0, 0, SNAPSHOT)
        for part in message.payloads:
            for key in ("as", "bs"):
                for level in part.get(key, ()):
                    self._level(message, ts, _SIDE_KEYS[key], level, SNAPSHOT)
        self._rows.end_message()

    def _update(self, message: _Message, ts: int) -> None:
        if not self._has_book:
            raise DataError(
                f"{message.place}: update of {message.pair} before its snapshot; cut the lines before the snapshot"
            )
        rows_before = len(self._rows)
        checksum = None
        for part in message.payloads:
            for key in ("a", "b"):
                for level in part.get(key, ()):
                    self._level(message, ts, _SIDE_KEYS[key], level, 0)
            checksum = part.get("c", checksum)
        self._push_out(message, ts)
        if len(self._rows) > rows_before:
            self._rows.end_message()
        if checksum is not None:
            self._verify(message, checksum)

    def _level(self, message: _Message, ts: int, side: int, level: list[str], flags: int) -> None:
        price, volume, time = level[:3]
        price_ticks, qty_lots = self._ticks.count(price), self._lots.count(volume)
        book = self._sides[side]
        if qty_lots:
            book.set(price_ticks, (price, volume))
        elif not book.remove(price_ticks):
            return  # a removal of what is not there changes nothing
        if not flags and (price_ticks, side, self._time(message, time)) in self._executed:
            flags = EXECUTED
            self._counts["executed_levels"] += 1
        self._rows.add(ts, message.ts_recv_ns, LEVEL, side, price_ticks, qty_lots, 0, flags)

    def _push_out(self, message: _Message, ts: int) -> None:
        """Removes levels beyond the subscribed depth: the feed sends no zero for them."""
        depth = int(message.channel.removeprefix("book-"))
        for side, worst in ((SELL, -1), (BUY, 0)):
            book = self._sides[side]
            while len(book.ticks) > depth:
                price_ticks = book.ticks[worst]
                book.remove(price_ticks)
                self._rows.add(ts, message.ts_recv_ns, LEVEL, side, price_ticks, 0, 0, 0)
                self._counts["levels_pushed_out"] += 1

    def _verify(self, message: _Message, expected: str) -> None:
        bids, asks = self._sides[BUY], self._sides[SELL]
        found = printed_checksum(
            [asks.texts[ticks] for ticks in asks.ticks[:_CHECKED_LEVELS]],
            [bids.texts[ticks] for ticks in bids.ticks[: -_CHECKED_LEVELS - 1 : -1]],
        )
        if found == int(expected):
            self._counts["checksums_verified"] += 1
            return
        self._counts["checksums_failed"] += 1
        if not self._is_counting:
            raise DataError(
                f"{message.place}: the book of {message.pair} has checksum {found}, the message says {expected}; "
                "a message before it is missing, cut the recording here or import with on_mismatch=count"
            )


def _is_snapshot(message: _Message) -> bool:
    return message.channel != "trade" and any("as" in part or "bs" in part for part in message.payloads)
