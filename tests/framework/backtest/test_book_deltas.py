"""NautilusTrader's book, kept from our deltas, is the delivered book, whatever the market is in and whoever asks."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model.enums import BookType

from adapters.kraken.profile import PROFILE
from framework.data.columns import BEST, CLEAR, LEVEL, TRADE
from framework.data.synthetic import synthetic_l2, synthetic_market
from framework.errors import ConfigError
from framework.protocol import BUY, SELL
from tests.framework.data.markets import make_market
from tests.simulation.stage import Script, fixed_latency, run

DEPTH = 15


class Comparing(Script):
    """Compares the two books twice a second."""

    def __init__(self, book_type: BookType, at_s: float) -> None:
        super().__init__([])
        self.book_type = book_type
        self.at_s = at_s
        self.compared = 0
        self.sizes: list[int] = []

    def on_start(self) -> None:
        first_ns = self.clock.timestamp_ns()
        self.clock.set_time_alert_ns("subscribe", first_ns + int(self.at_s * 1e9), self._subscribe)

    def _subscribe(self, _: object) -> None:
        self.subscribe_order_book_deltas(self.btc, self.book_type)
        self.subscribe_book(self.btc, on="change")

    def on_order_book_deltas(self, deltas: Any) -> None:
        book = self.cache.order_book(self.btc)
        bridge, view = self.bridge(self.btc), self.book(self.btc)
        for side, levels in ((BUY, book.bids()), (SELL, book.asks())):
            theirs = [(bridge.ticks(x.price), round(x.size() / float(bridge.spec.lot_size))) for x in levels[:DEPTH]]
            assert theirs == view.levels(side, DEPTH)
            self.sizes += [len(x.orders()) for x in levels[:DEPTH]]
        self.compared += 1
        book.check_integrity()


@pytest.mark.parametrize("book_type", [BookType.L2_MBP, BookType.L3_MBO])
@pytest.mark.parametrize("at_s", [0.0, 4.0])
@pytest.mark.parametrize("depth", ["L2", "L3"])
def test_the_books_agree_after_every_message(depth: str, book_type: BookType, at_s: float) -> None:
    market = synthetic_market(5, 8)
    script = Comparing(book_type, at_s)
    run(script, profile=PROFILE, market=synthetic_l2(market) if depth == "L2" else market)
    assert script.compared > 100
    is_by_order = depth == "L3" and book_type == BookType.L3_MBO
    assert (max(script.sizes) > 1) == is_by_order


def _hand_made(rows: list[tuple[int, ...]], depth: str) -> list[list[tuple[float, float]]]:
    """Bids of NautilusTrader's book after each message; a row each 10 ms."""
    bids: list[list[tuple[float, float]]] = []

    class Watching(Script):
        def on_start(self) -> None:
            self.subscribe_order_book_deltas(self.btc, BookType.L2_MBP)

        def on_order_book_deltas(self, deltas: Any) -> None:
            book = self.cache.order_book(self.btc)
            bids.append([(float(x.price), x.size()) for x in book.bids()])

    beat = [(*row, 0, 10_000_000 * number) for number, row in enumerate(rows, start=10)]
    run(Watching([]), profile=fixed_latency(PROFILE, 1.0), market=make_market(beat, depth=depth))
    return bids


def test_a_best_price_replaces_the_one_before_on_a_market_of_best_prices() -> None:
    rows = [(BEST, BUY, 1_000, 10**8), (BEST, BUY, 1_001, 10**8), (BEST, BUY, 999, 3 * 10**8), (BEST, BUY, 999, 0)]
    assert _hand_made(rows, "L1")[-3:] == [[(100.1, 1.0)], [(99.9, 3.0)], []]


def test_a_cleared_book_is_empty_until_it_is_restated() -> None:
    rows = [(LEVEL, BUY, 1_000, 10**8), (LEVEL, BUY, 999, 10**8), (CLEAR, 0, 0, 0), (LEVEL, BUY, 998, 10**8)]
    assert _hand_made(rows, "L2")[-3:] == [[(100.0, 1.0), (99.9, 1.0)], [], [(99.8, 1.0)]]


def test_a_market_of_trades_has_no_book_to_subscribe_to() -> None:
    with pytest.raises(ConfigError, match="has no book"):
        _hand_made([(TRADE, BUY, 1_000, 10**8)] * 10, "trades")
