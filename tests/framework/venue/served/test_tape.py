"""The tape: trades, candles and daily figures."""

from __future__ import annotations

import pytest

from framework.protocol import BUY, SELL
from framework.venue.served.tape import TapeTrade, TradeTape

MINUTE = 60 * 10**9
START = 1_800_000_000 * 10**9  # the beginning of a minute


def tape(*trades: tuple[float, int, int]) -> TradeTape:
    """Trades as (minutes after the start, price, lots)."""
    made = TradeTape()
    for minutes, price, lots in trades:
        made.add(START + round(minutes * MINUTE), price, lots, BUY)
    return made


def test_trades_are_numbered_and_told() -> None:
    made = TradeTape()
    told: list[TapeTrade] = []
    made.listen(told.append)
    made.add(START, 100, 5, SELL, is_market=True)
    made.unlisten(told.append)
    made.add(START, 101, 5, BUY)
    assert told == [TapeTrade(1, START, 100, 5, SELL, True)]
    assert made.last == TapeTrade(2, START, 101, 5, BUY, False)


def test_a_page_begins_after_a_time_and_ends_with_its_count() -> None:
    made = tape((0, 1, 1), (1, 2, 1), (2, 3, 1), (3, 4, 1))
    assert [trade.price_ticks for trade in made.since(START, 2)] == [2, 3]
    assert [trade.price_ticks for trade in made.newest(2)] == [3, 4]
    assert made.since(START + 3 * MINUTE, 9) == []


def test_a_candle_holds_the_trades_of_its_interval() -> None:
    candle = tape((0.1, 10, 1), (0.2, 14, 2), (0.3, 8, 3), (0.9, 11, 4)).candles(1, START)[0]
    assert (candle.ts_ns, candle.open_ticks, candle.high_ticks, candle.low_ticks, candle.close_ticks) == (
        START, 10, 14, 8, 11,
    )  # fmt: skip
    assert (candle.volume_lots, candle.count, candle.cost) == (10, 4, 10 + 28 + 24 + 44)


def test_intervals_without_trades_are_flat_at_the_last_close_up_to_now() -> None:
    candles = tape((0, 10, 1), (3, 12, 1)).candles(1, START + 5 * MINUTE)
    assert [(candle.close_ticks, candle.count) for candle in candles] == [
        (10, 1), (10, 0), (10, 0), (12, 1), (12, 0), (12, 0),
    ]  # fmt: skip


def test_no_more_than_720_candles_are_kept_and_the_running_one_is_the_last() -> None:
    candles = tape((0, 10, 1), (5_000, 12, 1)).candles(1, START + 5_001 * MINUTE)
    assert len(candles) == 720
    assert candles[-1].ts_ns == START + 5_001 * MINUTE


def test_longer_intervals_begin_at_their_own_multiples() -> None:
    made = tape((0, 10, 1), (6, 12, 1))
    assert [candle.ts_ns % (5 * MINUTE) for candle in made.candles(5, START + 6 * MINUTE)] == [0, 0]


def test_figures_count_the_minutes_from_a_time_on() -> None:
    figures = tape((0, 10, 1), (10, 20, 2), (20, 15, 3)).figures(START + 5 * MINUTE)
    assert (figures.open_ticks, figures.high_ticks, figures.low_ticks) == (20, 20, 15)
    assert (figures.volume_lots, figures.count, figures.cost) == (5, 2, 85)


def test_figures_of_a_time_without_trades_are_empty() -> None:
    figures = TradeTape().figures(0)
    assert (figures.open_ticks, figures.volume_lots) == (None, 0)


def test_an_interval_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError):
        TradeTape().candles(2, 0)
