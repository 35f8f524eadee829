"""The book that a strategy sees of a market of trades only: the assumption, and that orders can be placed by it."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from adapters.kraken.profile import PROFILE
from framework.data.columns import COLUMN_TYPES, LAST, TRADE, UNKNOWN_SIDE, Columns, Market
from framework.protocol import BUY, SELL
from tests.simulation.stage import BTC, SPEC, START_NS, Script, fixed_latency, run

FAST = fixed_latency(PROFILE, 1.0)


def _trades(*rows: tuple[float, int, int, int]) -> Market:
    """A market of trades: (seconds, aggressor, price in ticks, lots)."""
    columns = {name: np.zeros(len(rows), dtype) for name, dtype in COLUMN_TYPES.items()}
    for index, (at_s, side, price_ticks, qty_lots) in enumerate(rows):
        columns["ts_event_ns"][index] = columns["ts_recv_ns"][index] = START_NS + round(at_s * 1e9)
        columns["kind"][index], columns["side"][index] = TRADE, side
        columns["price_ticks"][index], columns["qty_lots"][index] = price_ticks, qty_lots
        columns["flags"][index] = LAST
    columns["order_id"] = np.zeros(0, np.int64)
    return Market(spec=replace(SPEC, symbol="BTC/USD"), columns=Columns(**columns), depth="trades", has_trades=True)


class _Watcher(Script):
    """Writes down the touch at every delivery."""

    def on_start(self) -> None:
        super().on_start()
        self.seen: list[tuple[int | None, int, int | None, int]] = []
        self.subscribe_book(self.btc, on="touch")

    def on_book(self, book) -> None:  # type: ignore[no-untyped-def]
        self.seen.append((book.bid_ticks, book.bid_lots, book.ask_ticks, book.ask_lots))


def _seen(*rows: tuple[float, int, int, int]) -> list[tuple[int | None, int, int | None, int]]:
    watcher = _Watcher([])
    run(watcher, market=_trades((0.0, BUY, 990, BTC), *rows, (60.0, BUY, 990, BTC)), profile=FAST)
    return watcher.seen[:-1]


def test_a_sellers_trade_is_the_bid_and_the_ask_is_the_spread_above() -> None:
    assert _seen((10.0, SELL, 1_000, 7))[-1] == (1_000, 7, 1_001, 7)


def test_a_buyers_trade_is_the_ask_and_the_bid_is_the_spread_below() -> None:
    assert _seen((10.0, BUY, 1_000, 7))[-1] == (999, 7, 1_000, 7)


def test_a_trade_of_unknown_side_stands_in_the_middle() -> None:
    assert _seen((10.0, UNKNOWN_SIDE, 1_000, 7))[-1] == (999, 7, 1_001, 7)


def test_the_touch_is_told_at_every_trade_and_at_nothing_else() -> None:
    assert len(_seen((10.0, SELL, 1_000, 7), (11.0, SELL, 1_000, 7))) == 2


def test_an_order_at_the_assumed_bid_is_filled_by_a_trade_through_it() -> None:
    script = Script([(20.0, lambda s: s.orders.update(a=s.buy(s.btc, BTC // 100, 1_000)))])
    rows = ((0.0, BUY, 1_001, BTC), (10.0, SELL, 1_000, BTC), (30.0, SELL, 999, BTC), (60.0, SELL, 999, BTC))
    run(script, market=_trades(*rows), profile=FAST)
    assert script.orders["a"].filled_qty == script.orders["a"].quantity


def test_an_order_at_the_assumed_bid_is_not_filled_by_trades_at_its_price() -> None:
    script = Script([(20.0, lambda s: s.orders.update(a=s.buy(s.btc, BTC // 100, 1_000)))])
    rows = ((0.0, BUY, 1_001, BTC), (10.0, SELL, 1_000, BTC), (30.0, SELL, 1_000, BTC), (60.0, SELL, 1_000, BTC))
    run(script, market=_trades(*rows), profile=FAST)
    assert script.orders["a"].filled_qty == 0
