"""Live market data against the venue's gateway in virtual time: what is told is the market, and what is missed is told.

Pages: websocket-v2/book, trade, ticker; guides/spot-ws-book-v2.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from adapters.kraken.client import market_data
from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.instruments import Instrument
from adapters.kraken.client.live_book import LiveBook
from adapters.kraken.client.market_data import MarketData
from adapters.kraken.errors import SymbolError
from framework.data.columns import CLEAR, LAST, LEVEL, SNAPSHOT, TRADE
from framework.data.live_rows import MarketRow, Quote
from framework.errors import ConfigError
from framework.execution.policy import DeskPolicy
from framework.protocol import BUY, SELL
from tests.adapters.kraken.client.stage import WireDesk
from tests.simulation.stage import BTC, LEVEL_LOTS, level, trade

REST = DeskPolicy(submit="rest", amend="rest", cancel=("rest",), news="rest")


class Ears:
    """Writes down what is told."""

    def __init__(self) -> None:
        self.rows: list[MarketRow] = []
        self.trades: list[MarketRow] = []
        self.quotes: list[Quote] = []
        self.lost: list[str] = []
        self.missed: list[int] = []

    def book_changed(self, symbol: str, rows: list[MarketRow]) -> None:
        assert rows[-1].flags & LAST
        assert not any(row.flags & LAST for row in rows[:-1])
        self.rows += rows

    def traded(self, symbol: str, rows: list[MarketRow]) -> None:
        self.trades += rows

    def quoted(self, symbol: str, quote: Quote) -> None:
        self.quotes.append(quote)

    def trades_missed(self, symbol: str, count: int, ts_recv_ns: int) -> None:
        self.missed.append(count)

    def market_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        self.lost.append(reason)


class Rig:
    """Market data of a market whose rows a test adds, in seconds after now."""

    def __init__(
        self,
        *rows: Any,
        channels: tuple[str, ...] = ("book", "trade", "ticker"),
        depth: int = 10,
        tamper: Callable[[bytes], bytes | None] | None = None,
    ) -> None:
        """tamper: what becomes of each message of the venue; None for none."""
        self.desk = WireDesk(REST, [(at_s + 1.2, *rest) for at_s, *rest in rows])
        if tamper is not None:
            self.desk.sockets.tamper = tamper
        self.ears = Ears()
        self.market = MarketData(self.desk.parts.instruments, self.desk.clock, self.desk.sockets.connect, BackOff(1))
        self.market.attach(self.ears)
        for channel in channels:
            self.market.subscribe("BTC/USD", channel, depth)
        self.market.open()
        self.run(100)

    def run(self, ms: float) -> None:
        self.desk.run(ms)

    @property
    def sockets(self) -> Any:
        return self.desk.sockets


def test_a_snapshot_begins_with_a_clear_and_tells_the_book_in_ticks_and_lots() -> None:
    rig = Rig(channels=("book",))
    first, *levels = rig.ears.rows
    assert (first.kind, first.flags) == (CLEAR, SNAPSHOT)
    assert all(row.kind == LEVEL and row.flags & SNAPSHOT for row in levels)
    assert (BUY, 1_000, LEVEL_LOTS) in [(row.side, row.price_ticks, row.qty_lots) for row in levels]
    assert rig.market.book("BTC/USD").touch() == (1_000, LEVEL_LOTS, 1_001, LEVEL_LOTS)


def test_updates_keep_the_book_what_the_venue_has() -> None:
    rows = [
        level(0.5, BUY, 1_000, 0),
        level(0.6, SELL, 1_000, BTC),
        level(0.7, SELL, 1_001, 7 * BTC),
        level(0.8, BUY, 997, 3 * BTC),
    ]
    rig = Rig(*rows)
    rig.run(2_000)
    book, venue = rig.market.book("BTC/USD"), rig.desk.host.books["BTC/USD"]
    assert book.touch() == (999, LEVEL_LOTS, 1_000, BTC)
    assert (book.bid_ticks, book.ask_ticks) == (venue.best(BUY)[0], venue.best(SELL)[0])
    assert book.levels(SELL, 2) == [(1_000, BTC), (1_001, 7 * BTC)]
    assert rig.ears.lost == []


def test_trades_are_told_once_with_their_numbers_and_the_aggressors_side() -> None:
    rig = Rig(trade(0.5, SELL, 1_000, BTC), trade(0.6, BUY, 1_001, 2 * BTC))
    rig.run(2_000)
    first, second = rig.ears.trades
    assert (first.kind, first.side, first.price_ticks, first.qty_lots) == (TRADE, SELL, 1_000, BTC)
    assert (second.side, second.price_ticks, second.trade_id) == (BUY, 1_001, first.trade_id + 1)
    book = rig.market.book("BTC/USD")
    assert (book.last_ticks, book.last_lots, book.last_side) == (1_001, 2 * BTC, BUY)


def test_a_ticker_is_told_in_ticks_and_lots() -> None:
    rig = Rig(trade(0.5, SELL, 1_000, BTC))
    rig.run(2_000)
    quote = rig.ears.quotes[-1]
    assert (quote.bid_ticks, quote.ask_ticks) == (1_000, 1_001)


def corrupted(data: bytes) -> bytes:
    """A message of the book whose checksum is another."""
    if b'"channel":"book"' not in data:
        return data
    return re.sub(rb'"checksum":(\d+)', lambda found: b'"checksum":%d' % (int(found[1]) ^ 1), data)


def test_a_book_whose_checksum_does_not_come_out_is_lost_and_asked_for_anew() -> None:
    rig = Rig(level(0.5, SELL, 1_001, 7 * BTC), level(2.5, SELL, 1_001, 8 * BTC), channels=("book",))
    rig.ears.rows.clear()
    is_first = [True]

    def once(data: bytes) -> bytes:
        if b'"channel":"book"' in data and b"update" in data and is_first[0]:
            is_first[0] = False
            return corrupted(data)
        return data

    rig.sockets.tamper = once
    rig.run(5_000)
    assert len(rig.ears.lost) == 1
    assert "checksum" in rig.ears.lost[0]
    assert rig.ears.rows[0].kind == CLEAR
    assert rig.market.book("BTC/USD").levels(SELL, 1) == [(1_001, 8 * BTC)]


def test_a_book_that_cannot_be_left_in_time_is_left_with_its_connection() -> None:
    """The answer to the unsubscription never comes, while heartbeats do."""
    rig = Rig(level(0.5, SELL, 1_001, 7 * BTC), level(2.5, SELL, 1_001, 8 * BTC), channels=("book",))
    are_open = [True, True]

    def lose(data: bytes) -> bytes | None:
        if are_open[0] and b'"channel":"book"' in data and b"update" in data:
            are_open[0] = False
            return corrupted(data)
        if are_open[1] and b'"method":"unsubscribe"' in data:
            are_open[1] = False
            return None
        return data

    rig.sockets.tamper = lose
    rig.run(10_000)
    assert rig.market.book("BTC/USD").bid_ticks is None
    rig.run(15_000)
    assert are_open == [False, False]
    assert len(rig.sockets.streams) == 2
    assert rig.market.book("BTC/USD").levels(SELL, 1) == [(1_001, 8 * BTC)]


def test_a_book_that_does_not_come_in_time_is_asked_for_on_another_connection() -> None:
    """Its snapshot is lost, while heartbeats come."""
    are_lost: list[bytes] = []

    def lose(data: bytes) -> bytes | None:
        if not are_lost and b'"type":"snapshot"' in data:
            are_lost.append(data)
            return None
        return data

    rig = Rig(channels=("book",), tamper=lose)
    rig.run(14_000)
    assert rig.market.book("BTC/USD").bid_ticks is None
    assert len(rig.sockets.streams) == 1
    rig.run(6_000)
    assert rig.market.book("BTC/USD").bid_ticks is not None
    assert len(rig.sockets.streams) == 2


def test_the_line_of_a_book_that_is_refused_stays() -> None:

    def refuse(data: bytes) -> bytes | None:
        if b'"method":"subscribe"' in data:
            return b'{"error":"Currency pair not supported","method":"subscribe","success":false,"symbol":"BTC/USD"}'
        return None if b'"channel":"book"' in data else data

    rig = Rig(channels=("book",), tamper=refuse)
    rig.run(40_000)
    assert rig.ears.lost == ["the subscription was refused: Currency pair not supported"]
    assert len(rig.sockets.streams) == 1


def test_the_book_is_empty_while_it_is_not_known() -> None:
    rig = Rig(channels=("book",))
    rig.sockets.tamper = corrupted
    rig.run(3_000)
    assert rig.ears.lost
    assert rig.market.book("BTC/USD").touch() == (0, 0, 0, 0)
    assert rig.market.book("BTC/USD").bid_ticks is None


def test_a_book_that_never_comes_out_is_asked_for_less_and_less_often() -> None:
    rig = Rig(channels=("book",))
    rig.sockets.tamper = corrupted
    rig.run(30_000)
    early = len(rig.ears.lost)
    rig.run(30_000)
    assert 0 < len(rig.ears.lost) - early < early


def test_a_lost_connection_is_told_and_made_again_with_its_subscriptions() -> None:
    rig = Rig(level(2.0, SELL, 1_001, 7 * BTC))
    rig.sockets.cut()
    assert rig.ears.lost == ["line dropped"]
    assert rig.market.book("BTC/USD").touch() == (0, 0, 0, 0)
    rig.run(4_000)
    assert rig.market.book("BTC/USD").levels(SELL, 1) == [(1_001, 7 * BTC)]
    assert len(rig.sockets.streams) == 2


def test_trades_that_were_made_while_the_connection_was_lost_are_counted() -> None:
    rows = [trade(at_s, SELL, 1_000, BTC) for at_s in (0.3, 0.6, 0.7, 2.0)]
    rig = Rig(*rows)
    rig.run(500)
    rig.sockets.cut()
    rig.sockets.is_refused = True
    rig.run(500)
    rig.sockets.is_refused = False
    rig.run(10_000)
    assert rig.ears.missed == [2]
    assert len(rig.ears.trades) == 2


def test_a_connection_that_falls_silent_is_given_up() -> None:
    rig = Rig(channels=("ticker",))
    rig.sockets.is_lossy = True
    rig.run(11_500)
    rig.sockets.is_lossy = False
    rig.run(5_000)
    assert len(rig.sockets.streams) == 2


def test_levels_that_fall_out_of_the_depth_are_removed() -> None:
    rows = [level(0.5 + number / 100, BUY, 998 - number, BTC) for number in range(12)]
    rig = Rig(*rows, level(1.0, BUY, 1_000, 6 * BTC), channels=("book",))
    rig.run(3_000)
    assert len(rig.market.book("BTC/USD").levels(BUY, 100)) == 10
    kept: dict[int, int] = {}
    for row in rig.ears.rows:
        if row.kind == CLEAR:
            kept.clear()
        elif row.side == BUY and row.qty_lots:
            kept[row.price_ticks] = row.qty_lots
        elif row.side == BUY:
            kept.pop(row.price_ticks, None)
    assert sorted(kept.items(), reverse=True) == rig.market.book("BTC/USD").levels(BUY, 100)
    assert rig.ears.lost == []


def test_what_is_unsubscribed_is_told_no_more() -> None:
    rig = Rig(level(1.0, SELL, 1_001, 7 * BTC), channels=("book",))
    rig.market.unsubscribe("BTC/USD", "book")
    rig.run(100)
    told = len(rig.ears.rows)
    rig.run(3_000)
    assert len(rig.ears.rows) == told


@pytest.mark.parametrize(("symbol", "channel", "depth"), [("BTC/USD", "level3", 10), ("BTC/USD", "book", 7)])
def test_a_channel_or_a_depth_that_there_is_not_is_refused(symbol: str, channel: str, depth: int) -> None:
    rig = Rig(channels=())
    with pytest.raises(ConfigError, match="it must be one of"):
        rig.market.subscribe(symbol, channel, depth)


def test_a_pair_that_there_is_not_is_refused() -> None:
    rig = Rig(channels=())
    with pytest.raises(SymbolError):
        rig.market.subscribe("FOO/USD", "book")


def test_the_code_of_a_book_is_compiled_before_anything_is_subscribed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    class Noted(LiveBook):
        def __init__(self, instrument: Instrument) -> None:
            made.append(instrument.spec.symbol)
            super().__init__(instrument)

    monkeypatch.setattr(market_data, "LiveBook", Noted)
    Rig(channels=())
    assert len(made) == 1
