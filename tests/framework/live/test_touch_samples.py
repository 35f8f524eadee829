"""Best prices of a live run, sampled: what is packed is found again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from framework.backtest.results import TOUCH_SCHEMA
from framework.live.touch_samples import TouchSamples

SECOND_NS = 10**9


def book(bid: int, bid_lots: int = 5, last: int | None = None) -> Any:
    return SimpleNamespace(touch=lambda: (bid, bid_lots, bid + 1, 7), last_ticks=last)


def test_prices_at_any_time_of_a_long_run_are_those_of_the_last_sample_by_then() -> None:
    samples = TouchSamples("BTC/USD")
    for second in range(10_000):
        samples.add(second * SECOND_NS, book(1_000 + second))
    assert samples.at(-1) == (None, None)
    for second in (0, 1, 3_599, 3_600, 7_199, 7_200, 9_998, 9_999):
        assert samples.at(second * SECOND_NS) == (1_000 + second, 1_001 + second)
        assert samples.at(second * SECOND_NS + 1) == (1_000 + second, 1_001 + second)
    assert samples.at(10**15) == (10_999, 11_000)
    table = samples.table()
    assert table.schema == TOUCH_SCHEMA
    assert table.column("ts_ns").to_pylist() == [second * SECOND_NS for second in range(10_000)]
    assert table.column("bid_ticks").to_pylist() == list(range(1_000, 11_000))


def test_an_empty_side_and_a_price_before_the_first_trade_are_no_numbers() -> None:
    samples = TouchSamples("BTC/USD")
    samples.add(1, book(0, 0))
    samples.add(2, book(1_000, last=999))
    assert samples.at(1) == (None, 1)
    rows = samples.table().to_pylist()
    assert (rows[0]["bid_ticks"], rows[0]["bid_lots"], rows[0]["last_ticks"]) == (None, None, None)
    assert (rows[1]["bid_ticks"], rows[1]["bid_lots"], rows[1]["last_ticks"]) == (1_000, 5, 999)
