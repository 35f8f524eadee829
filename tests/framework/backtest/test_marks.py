"""The market's best prices around fills and over time, as recorded: without own orders, and nothing past the end."""

from __future__ import annotations

from typing import Any

import pytest

from framework.backtest.history import MarketHistory
from framework.backtest.marks import fill_marks, touch_table
from framework.backtest.results import TOUCH_SCHEMA
from framework.messages import ExecType, ExecutionReport, OrderState
from framework.protocol import BUY, SELL, OrderType
from tests.simulation.stage import ASK, BID, BTC, START_NS, level, still_market, trade

NS = 1_000_000_000


def _fill(at_s: float, symbol: str = "BTC/USD") -> ExecutionReport:
    return ExecutionReport(
        ts_venue_ns=START_NS + round(at_s * NS),
        exec_type=ExecType.TRADE,
        state=OrderState.FILLED,
        order_id="o",
        cl_ord_id="c",
        symbol=symbol,
        side=BUY,
        order_type=OrderType.LIMIT,
        qty_lots=1,
        leaves_lots=0,
        cum_lots=1,
    )


def _row(marks: dict[str, list[Any]], index: int, side: str) -> list[Any]:
    return [marks[name][index] for name in (f"{side}_ticks", *(f"{side}_{h}s_ticks" for h in (1, 10, 60)))]


def test_marks_are_just_before_the_fill_and_one_ten_and_sixty_seconds_after() -> None:
    """The bid's best level goes at 10 s, the fill's own instant; 998 is what is left at 15 s; it is back at 30 s."""
    market = still_market(
        [
            level(10.0, BUY, BID, 0),
            level(15.0, BUY, BID - 1, 0),
            level(15.0, BUY, 998, BTC),
            level(30.0, BUY, BID, BTC),
        ],
        duration_s=100.0,
    )
    marks = fill_marks([MarketHistory.of(market)], [_fill(10.0)])
    assert _row(marks, 0, "bid") == [1_000, 999, 998, 1_000]
    assert _row(marks, 0, "ask") == [1_001, 1_001, 1_001, 1_001]


def test_a_horizon_past_the_markets_end_is_none() -> None:
    marks = fill_marks([MarketHistory.of(still_market())], [_fill(55.0)])
    assert _row(marks, 0, "bid") == [1_000, 1_000, None, None]


def test_an_empty_side_is_none() -> None:
    market = still_market([level(10.0, SELL, ASK, 0), level(10.0, SELL, ASK + 1, 0)])
    assert _row(fill_marks([MarketHistory.of(market)], [_fill(20.0)]), 0, "ask") == [None, None, None, None]


def test_marks_stand_with_their_fills_whatever_the_order_of_horizons() -> None:
    market = still_market([level(10.5, BUY, BID, 0)])
    marks = fill_marks([MarketHistory.of(market)], [_fill(10.0), _fill(10.2), _fill(9.0)])
    assert [_row(marks, index, "bid")[:2] for index in range(3)] == [[1_000, 999], [1_000, 999], [1_000, 1_000]]


def test_a_fill_of_another_pair_has_no_marks_of_this_one() -> None:
    marks = fill_marks([MarketHistory.of(still_market())], [_fill(10.0, "ETH/USD")])
    assert _row(marks, 0, "bid") == [None] * 4


@pytest.mark.parametrize(("sample_ms", "count"), [(1_000, 61), (7_000, 10), (60_000, 2), (100_000, 2)])
def test_the_touch_is_sampled_from_the_first_row_to_the_last_with_both_ends(sample_ms: int, count: int) -> None:
    table = touch_table([MarketHistory.of(still_market())], sample_ms)
    assert table.schema.equals(TOUCH_SCHEMA)
    times = [(ts_ns - START_NS) / NS for ts_ns in table.column("ts_ns").to_pylist()]
    assert (len(times), times[0], times[-1]) == (count, 0.0, 60.0)


def test_the_touch_has_prices_quantities_and_the_last_trade() -> None:
    market = still_market([level(10.0, BUY, BID, 2 * BTC), trade(20.0, BUY, ASK, BTC)])
    samples = touch_table([MarketHistory.of(market)], 10_000).to_pylist()
    names = ("bid_ticks", "bid_lots", "ask_ticks", "ask_lots", "last_ticks")
    assert [tuple(row[name] for name in names) for row in samples[1:3]] == [
        (1_000, 2 * BTC, 1_001, 5 * BTC, None),
        (1_000, 2 * BTC, 1_001, 4 * BTC, 1_001),  # the trade has had one, though no row of the level has come
    ]
