"""``on_book``: called as often as asked for and no more, with the book as delivered."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from adapters.kraken.profile import PROFILE
from framework.errors import ConfigError
from framework.protocol import BUY, SELL
from tests.simulation.stage import ASK, BID, BTC, Script, fixed_latency, level, run, still_market, trade

FAST = fixed_latency(PROFILE, 1.0, feed_ms=5.0)

# At 10 s the quantity at the touch changes, at 20 s its price, at 30 s something behind it, at 40 s a trade happens.
MARKET = still_market(
    [
        level(10.0, BUY, BID, BTC),
        level(20.0, BUY, BID, 0),
        level(30.00001, SELL, ASK + 1, BTC),
        trade(40.00001, SELL, BID - 1, BTC),
    ]
)


class Reader(Script):
    def __init__(self, *modes: str, interval_ms: int = 0, from_s: float = 1.0) -> None:
        super().__init__([])
        self.modes, self.interval_ms, self.from_s = modes, interval_ms, from_s
        self.seen: list[tuple[float, Any]] = []

    def on_start(self) -> None:
        for mode in self.modes:
            self.subscribe_book(self.btc, on=mode, interval_ms=self.interval_ms)

    def on_book(self, book: Any) -> None:
        if self.now_s >= self.from_s:
            self.seen.append((self.now_s, (book.bid_ticks, book.bid_lots, book.ask_ticks, book.last_ticks)))


def _read(*modes: str, **options: Any) -> Reader:
    reader = Reader(*modes, **options)
    run(reader, profile=FAST, market=MARKET)
    return reader


def _seconds(reader: Reader) -> list[float]:
    return [at_s for at_s, _ in reader.seen]


def test_on_touch_calls_for_changes_of_the_best_price_or_quantity() -> None:
    assert _read("touch").seen == [
        (10.005, (1_000, BTC, 1_001, None)),
        (20.005, (999, 5 * BTC, 1_001, None)),
    ]


def test_on_price_calls_for_changes_of_a_best_price_only() -> None:
    assert _seconds(_read("price")) == [20.005]


def test_on_trade_calls_for_trades_only() -> None:
    assert _read("trade").seen == [(40.00501, (999, 5 * BTC, 1_001, 999))]


def test_on_change_calls_for_every_message() -> None:
    """The beat of the still book has a message every 100 ms; with it four messages of the test."""
    seconds = _seconds(_read("change", from_s=35.0))
    assert len(seconds) == 250 + 1
    assert 40.00501 in seconds


def test_on_interval_calls_once_in_the_interval_at_most() -> None:
    seconds = _seconds(_read("interval", interval_ms=5_000, from_s=3.0))
    assert len(seconds) in (11, 12)
    gaps = [round(b - a, 6) for a, b in itertools.pairwise(seconds)]
    assert set(gaps) == {5.0}


def test_a_message_that_several_subscriptions_want_is_told_once() -> None:
    assert _seconds(_read("touch", "price", "touch", "trade")) == [10.005, 20.005, 40.00501]


def test_levels_are_best_first_and_as_many_as_asked_for() -> None:
    seen: list[Any] = []
    script = Script([(15.0, lambda s: seen.extend((s.book(s.btc).levels(BUY, 2), s.book(s.btc).levels(SELL, 9))))])
    run(script, profile=FAST, market=MARKET)
    assert seen == [[(1_000, BTC), (999, 5 * BTC)], [(1_001, 5 * BTC), (1_002, 5 * BTC)]]


def test_own_orders_are_not_in_the_feeds_book() -> None:
    seen: list[Any] = []
    script = Script(
        [
            (5.0, lambda s: s.sell(s.btc, BTC, ASK + 1)),
            (6.0, lambda s: s.buy(s.btc, BTC, BID)),
            (9.0, lambda s: seen.extend((s.book(s.btc).bid_lots, s.book(s.btc).levels(SELL, 2)))),
        ]
    )
    run(script, profile=FAST)
    assert seen == [5 * BTC, [(1_001, 5 * BTC), (1_002, 5 * BTC)]]


@pytest.mark.parametrize(("mode", "interval_ms"), [("whenever", 0), ("interval", 0), ("interval", -1)])
def test_an_unknown_mode_or_a_missing_interval_is_an_error(mode: str, interval_ms: int) -> None:
    with pytest.raises(ConfigError, match="subscribe_book"):
        _read(mode, interval_ms=interval_ms)


def test_two_intervals_for_one_book_are_an_error() -> None:
    class Twice(Script):
        def on_start(self) -> None:
            self.subscribe_book(self.btc, on="interval", interval_ms=100)
            self.subscribe_book(self.btc, on="interval", interval_ms=200)

    with pytest.raises(ConfigError, match="intervals 100 and 200 ms"):
        run(Twice([]), profile=FAST)
