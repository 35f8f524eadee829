"""Who has subscribed to a live market is told once for a message, in the message's own call, and of a loss too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from nautilus_trader.model.data import OrderBookDeltas, QuoteTick, TradeTick
from nautilus_trader.model.enums import BookAction

from framework.data.columns import CLEAR, LAST, LEVEL, SNAPSHOT, TRADE
from framework.data.live_rows import MarketRow
from framework.errors import ConfigError
from framework.execution.instruments import InstrumentBridge
from framework.live.clock import LiveClock
from framework.live.feeds import LiveFeeds
from framework.protocol import BUY, SELL
from tests.simulation.stage import SPEC

MS = 1_000_000


class Book:
    """A book that a test writes."""

    spec = SPEC
    ts_event_ns = 5
    last_ticks: int | None = None

    def __init__(self) -> None:
        self.sides: dict[int, dict[int, int]] = {BUY: {}, SELL: {}}

    def levels(self, side: int, count: int) -> list[tuple[int, int]]:
        return sorted(self.sides[side].items(), reverse=side == BUY)[:count]

    def touch(self) -> tuple[int, int, int, int]:
        bid, ask = (self.levels(side, 1) or [(0, 0)] for side in (BUY, SELL))
        return (*bid[0], *ask[0])

    @property
    def bid_ticks(self) -> int | None:
        return self.touch()[0] or None

    @property
    def ask_ticks(self) -> int | None:
        return self.touch()[2] or None


class Stage:
    """Feeds over one book, with a strategy that counts its calls and a data engine that keeps what it is given."""

    def __init__(self) -> None:
        self.engine: list[Any] = []
        self.told = 0
        self.said: list[str] = []
        self.the_book = Book()
        self.bridge = InstrumentBridge(SPEC, "VENUE")
        self.clock = LiveClock(asyncio.get_running_loop())
        self.clock.on_error = self._raise
        market: Any = type("Market", (), {"book": lambda _, symbol: self.the_book})()
        engine: Any = type("Engine", (), {"process": lambda _, data: self.engine.append(data)})()
        self.feeds = LiveFeeds(market, [self.bridge], engine, self.clock, self.said.append)

    def _raise(self, error: Exception) -> None:
        raise error

    def handle_book(self, book: Any) -> None:
        assert book is self.the_book
        self.told += 1

    def subscribe(self, on: str, interval_ms: int = 0) -> None:
        strategy: Any = self
        self.feeds.subscribe_book(strategy, self.bridge.instrument_id, on, interval_ms)

    def snapshot(self, bid: int = 1_000, ask: int = 1_001) -> None:
        self.the_book.sides = {BUY: {bid: 5, bid - 1: 7}, SELL: {ask: 6}}
        rows = [MarketRow(1, 1, CLEAR, 0, 0, 0, SNAPSHOT)]
        rows += [
            MarketRow(1, 1, LEVEL, side, *level, SNAPSHOT)
            for side in (BUY, SELL)
            for level in self.the_book.levels(side, 9)
        ]
        self.feeds.book_changed(SPEC.symbol, rows)

    def level(self, side: int, ticks: int, lots: int) -> None:
        self.the_book.sides[side][ticks] = lots
        if not lots:
            del self.the_book.sides[side][ticks]
        self.feeds.book_changed(SPEC.symbol, [MarketRow(2, 2, LEVEL, side, ticks, lots, LAST)])

    def trade(self, ticks: int, lots: int) -> None:
        self.feeds.traded(SPEC.symbol, [MarketRow(3, 3, TRADE, SELL, ticks, lots, LAST, 42)])


def on_stage(work: Callable[[Stage], Awaitable[None]]) -> None:
    async def run() -> None:
        await work(Stage())

    asyncio.run(run())


@pytest.mark.parametrize(
    ("on", "told"),
    # snapshot; a level behind the best; the quantity at the best; another best price; a trade
    [("change", [1, 2, 3, 4, 4]), ("touch", [1, 1, 2, 3, 3]), ("price", [1, 1, 1, 2, 2]), ("trade", [0, 0, 0, 0, 1])],
)
def test_each_mode_is_told_what_it_asked_for(on: str, told: list[int]) -> None:
    async def work(stage: Stage) -> None:
        stage.subscribe(on)
        counts = []
        for step in (
            stage.snapshot,
            lambda: stage.level(BUY, 990, 3),
            lambda: stage.level(BUY, 1_000, 4),
            lambda: stage.level(BUY, 1_000, 0),
            lambda: stage.trade(1_000, 1),
        ):
            step()
            counts.append(stage.told)
        assert counts == told

    on_stage(work)


def test_several_subscriptions_of_one_strategy_are_one_call() -> None:
    async def work(stage: Stage) -> None:
        stage.subscribe("touch")
        stage.subscribe("change")
        stage.snapshot()
        assert stage.told == 1

    on_stage(work)


def test_an_interval_is_told_at_once_and_then_once_at_its_end() -> None:
    async def work(stage: Stage) -> None:
        stage.subscribe("interval", 50)
        stage.snapshot()
        assert stage.told == 1
        for lots in range(1, 10):
            stage.level(BUY, 999, lots)
        assert stage.told == 1
        await asyncio.sleep(0.12)
        assert stage.told == 2

    on_stage(work)


def test_a_mode_that_there_is_not_and_an_interval_without_a_length_are_refused() -> None:
    async def work(stage: Stage) -> None:
        with pytest.raises(ConfigError, match="must be one of touch"):
            stage.subscribe("always")
        with pytest.raises(ConfigError, match="needs interval_ms above 0"):
            stage.subscribe("interval")

    on_stage(work)


def test_a_market_that_is_lost_is_said_and_told_as_an_empty_book() -> None:
    async def work(stage: Stage) -> None:
        stage.subscribe("touch")
        stage.snapshot()
        assert stage.feeds.is_known
        stage.the_book.sides = {BUY: {}, SELL: {}}
        stage.feeds.market_lost(SPEC.symbol, "a wrong checksum", 4)
        assert stage.told == 2
        assert not stage.feeds.is_known
        assert stage.said == ["BTC/USD: market data lost: a wrong checksum"]

    on_stage(work)


def test_nautilus_gets_quotes_trades_and_deltas_that_make_the_same_book() -> None:
    async def work(stage: Stage) -> None:
        identifier = stage.bridge.instrument_id
        stage.snapshot()
        stage.feeds.subscribe_nautilus(identifier, "quotes")
        stage.feeds.subscribe_nautilus(identifier, "trades")
        stage.feeds.subscribe_deltas(identifier, False)
        stage.level(BUY, 1_000, 9)
        stage.level(BUY, 1_000, 0)
        stage.trade(1_001, 3)
        kinds = [type(data) for data in stage.engine]
        assert kinds == [OrderBookDeltas, QuoteTick, OrderBookDeltas, QuoteTick, TradeTick]
        first, second = stage.engine[0], stage.engine[2]
        assert [delta.action for delta in first.deltas] == [BookAction.CLEAR, *[BookAction.ADD] * 3]
        assert [(delta.action, str(delta.order.price)) for delta in second.deltas] == [(BookAction.DELETE, "100.0")]
        assert stage.engine[4].trade_id.value == "42"
        stage.feeds.unsubscribe_nautilus(identifier, "quotes")
        stage.level(BUY, 999, 1)
        assert type(stage.engine[-1]) is OrderBookDeltas

    on_stage(work)


def test_samples_are_the_best_prices_as_they_were_told_then() -> None:
    async def work(stage: Stage) -> None:
        began_ns = stage.clock.now_ns
        stage.feeds.sample()
        stage.snapshot()
        stage.feeds.sample()
        now_ns = stage.clock.now_ns
        assert stage.feeds.touch_at(SPEC.symbol, began_ns - 1) == (None, None)
        assert stage.feeds.touch_at(SPEC.symbol, now_ns) == (1_000, 1_001)
        assert stage.feeds.touch_table().column("bid_ticks").to_pylist() == [None, 1_000]

    on_stage(work)
