"""Candles as bars: each told once, when it is over."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model.data import BarType

from framework.data.live_rows import Candle
from framework.errors import ConfigError
from framework.execution.instruments import InstrumentBridge
from framework.nautilus.bars import GRACE_NS, CandleCloser, bar, interval_min
from framework.protocol import InstrumentSpec

MINUTE_NS = 60 * 10**9
SPEC = InstrumentSpec(symbol="BTC/USD", venue="kraken", tick_size="0.1", lot_size="0.00000001")


def candle(minute: int, close_ticks: int = 1_000, count: int = 1) -> Candle:
    return Candle(
        begin_ns=minute * MINUTE_NS,
        end_ns=(minute + 1) * MINUTE_NS,
        open_ticks=1_000,
        high_ticks=max(1_000, close_ticks),
        low_ticks=min(1_000, close_ticks),
        close_ticks=close_ticks,
        volume_lots=count * 10**8,
        trade_count=count,
    )


def test_a_candle_is_over_when_a_later_one_begins() -> None:
    closer = CandleCloser()
    assert closer.add([candle(1)], MINUTE_NS, is_snapshot=True) == []
    assert closer.add([candle(1, 1_005, 2)], MINUTE_NS + 10, is_snapshot=False) == []
    assert closer.add([candle(2)], 2 * MINUTE_NS + 10, is_snapshot=False) == [candle(1, 1_005, 2)]


def test_a_candle_is_over_a_second_after_its_end_though_no_trade_follows() -> None:
    closer = CandleCloser()
    closer.add([candle(1)], MINUTE_NS, is_snapshot=True)
    assert closer.due_ns == 2 * MINUTE_NS + GRACE_NS
    assert closer.due(2 * MINUTE_NS) == []
    assert closer.add([candle(1, 1_002, 2)], 2 * MINUTE_NS + GRACE_NS // 2, is_snapshot=False) == []  # a late trade
    assert closer.due(2 * MINUTE_NS + GRACE_NS) == [candle(1, 1_002, 2)]
    assert closer.due_ns is None
    assert closer.add([candle(1, 1_003, 3)], 2 * MINUTE_NS + 2 * GRACE_NS, is_snapshot=False) == []  # told already


def test_the_past_of_the_first_snapshot_is_not_told_but_that_of_a_gap_is() -> None:
    closer = CandleCloser()
    assert closer.add([candle(1), candle(2), candle(3)], 3 * MINUTE_NS + 5, is_snapshot=True) == []
    after_a_gap = [candle(2), candle(3, 990, 4), candle(4), candle(5)]
    told = closer.add(after_a_gap, 5 * MINUTE_NS + 5, is_snapshot=True)
    assert told == [candle(3, 990, 4), candle(4)]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_every_candle_but_the_past_is_told_once_in_order(steps: list[int]) -> None:
    """However trades and clock go on, and whatever is told twice."""
    closer, minute, told, seen = CandleCloser(), 1, [], []
    for step in steps:
        minute += max(0, step - 1)
        seen.append(minute)
        now_ns = minute * MINUTE_NS + step
        told += closer.add([candle(minute)], now_ns, is_snapshot=False)
        told += closer.add([candle(minute)], now_ns, is_snapshot=False)
        if step == 3:
            told += closer.due((minute + 1) * MINUTE_NS + GRACE_NS)
            minute += 1
    told += closer.due(10**18)
    assert [each.begin_ns // MINUTE_NS for each in told] == sorted(set(seen))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("1-MINUTE", 1), ("15-MINUTE", 15), ("4-HOUR", 240), ("1-DAY", 1_440), ("1-WEEK", 10_080)],
)
def test_bars_by_time_have_so_many_minutes(text: str, minutes: int) -> None:
    assert interval_min(BarType.from_str(f"BTC/USD.KRAKEN-{text}-LAST-EXTERNAL")) == minutes


@pytest.mark.parametrize("text", ["100-TICK-LAST", "1-MINUTE-BID", "10-SECOND-LAST"])
def test_bars_that_no_venue_makes_are_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(ConfigError, match="ask for INTERNAL ones"):
        interval_min(BarType.from_str(f"BTC/USD.KRAKEN-{text}-EXTERNAL"))


def test_a_bar_has_the_candles_exact_prices_and_its_end() -> None:
    bridge = InstrumentBridge(SPEC, "KRAKEN")
    made = bar(BarType.from_str("BTC/USD.KRAKEN-1-MINUTE-LAST-EXTERNAL"), candle(1, 1_005, 2), bridge, 7)
    assert [each.as_decimal() for each in (made.open, made.high, made.low, made.close)] == [
        Decimal(text) for text in ("100.0", "100.5", "100.0", "100.5")
    ]
    assert (made.volume.as_decimal(), made.ts_event, made.ts_init) == (Decimal(2), 2 * MINUTE_NS, 7)
