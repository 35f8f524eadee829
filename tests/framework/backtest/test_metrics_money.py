"""P&L and its parts, markouts and equity, over fills that fit on one hand.

Tick 0.1 USD, lot 0.001 BTC: one tick of one lot is 0.0001 USD.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.backtest.metrics import RunMetrics, run_metrics
from framework.errors import DataError
from tests.framework.backtest.event_log import BUY, SELL, EventLog, S, inputs_of, queue_of, touch_of


def metrics(log: EventLog, touch: object = None, **inputs: object) -> RunMetrics:
    return run_metrics(log.table(), touch or touch_of((0, 999, 1001)), queue_of(), inputs_of(**inputs))


def round_trip() -> EventLog:
    """Buy 10 at 999 (mid 1000), sell 4 at 1012 (mid 1010); the market ends at mid 1020."""
    log = EventLog()
    log.add("a", BUY, 10, 0, 1, 2)
    log.fill("a", BUY, 10, 999, 10 * S, (999, 1001), {1: (1000, 1004), 10: (1009, 1011)}, fee="0.0002", leaves=0)
    log.add("b", SELL, 4, 11 * S, 11 * S + 1, 11 * S + 2)
    log.fill(
        "b",
        SELL,
        4,
        1012,
        20 * S,
        (1009, 1011),
        {1: (1005, 1007), 10: (None, None)},
        fee="0.0003",
        maker=False,
        leaves=0,
    )
    return log


TOUCH = touch_of((0, 999, 1001), (15 * S, 1007, 1009), (100 * S, 1019, 1021))


def test_net_is_cash_and_the_position_at_the_last_mid_less_fees() -> None:
    pnl = metrics(round_trip(), TOUCH).pnl
    # Cash: -9990 + 4048 = -5942 tick-lots; position 6 at 1020: 6120; 178 tick-lots are 0.0178 USD; fees 0.0005.
    assert pnl.net == Decimal("0.0173")
    assert pnl.fees == Decimal("0.0005")
    assert (pnl.fees_maker, pnl.fees_taker) == (Decimal("0.0002"), Decimal("0.0003"))


def test_spread_at_fill_is_the_signed_distance_from_the_mid_of_the_moment() -> None:
    # 10 * (1000 - 999) + (-4) * (1010 - 1012) = 18 tick-lots.
    assert metrics(round_trip(), TOUCH).pnl.spread_at_fill == Decimal("0.0018")


def test_inventory_is_the_position_times_the_moves_of_the_mid() -> None:
    # 10 * (1010 - 1000) + 6 * (1020 - 1010) = 160 tick-lots.
    assert metrics(round_trip(), TOUCH).pnl.inventory == Decimal("0.016")


def test_turnover_is_quantity_times_price() -> None:
    assert metrics(round_trip(), TOUCH).pnl.turnover == Decimal("1.4038")


@given(
    st.lists(
        st.tuples(
            st.sampled_from([BUY, SELL]),
            st.integers(1, 10**12),
            st.integers(1, 10**8),
            st.one_of(st.none(), st.tuples(st.integers(1, 10**8), st.integers(1, 10**8))),
            st.decimals("0", "1000", places=8, allow_nan=False),
        ),
        max_size=12,
    ),
    st.sampled_from([("0.1", "0.00000001"), ("0.00001", "1"), ("5", "0.1")]),
)
def test_net_is_always_spread_plus_inventory_less_fees(fills: list, grid: tuple[str, str]) -> None:
    log = EventLog()
    for index, (side, lots, price, mid, fee) in enumerate(fills):
        log.fill(f"o{index}", side, lots, price, index, mid or (None, 7), fee=str(fee))
    pnl = metrics(log, touch_of((0, 5, 8), (100 * S, 77, 99)), tick=grid[0], lot=grid[1]).pnl
    assert pnl.net == pnl.spread_at_fill + pnl.inventory - pnl.fees
    by_hand = Decimal(0)
    for side, lots, price, _, fee in fills:
        qty = Decimal(grid[1]) * (lots if side == BUY else -lots)
        by_hand += qty * Decimal(grid[0]) * (Decimal(88) - price) - fee
    assert pnl.net == by_hand


def test_a_fill_without_a_mid_stands_at_its_own_price_and_is_counted() -> None:
    log = EventLog()
    log.fill("a", BUY, 10, 990, 10 * S, (None, 1001))
    pnl = metrics(log, TOUCH).pnl
    assert (pnl.spread_at_fill, pnl.inventory, pnl.unmarked_fills) == (0, Decimal("0.03"), 1)


def test_markouts_are_the_signed_move_after_the_fill_and_leave_out_what_lies_past_the_end() -> None:
    one, ten, sixty = metrics(round_trip(), TOUCH).markouts
    # 1 s: 10 * (1002 - 1000) - 4 * (1006 - 1010) = 36. 10 s: 10 * (1010 - 1000) = 100, the other is left out.
    assert (one.value, one.fills, one.fills_left_out) == (Decimal("0.0036"), 2, 0)
    assert one.per_fill == pytest.approx(0.0018)
    assert (ten.value, ten.fills, ten.fills_left_out) == (Decimal("0.01"), 1, 1)
    assert (sixty.value, sixty.fills, sixty.fills_left_out, sixty.per_fill) == (0, 0, 2, None)


def test_a_sample_of_the_market_at_the_instant_of_a_fill_has_the_fill_in_it() -> None:
    log = EventLog()
    log.fill("a", BUY, 10, 999, 100 * S, (999, 1001))
    found = metrics(log, touch_of((0, 999, 1001), (100 * S, 999, 1001)))
    assert found.equity.equity == (0, Decimal("0.001"), Decimal("0.001"))


def test_drawdown_is_the_greatest_fall_from_the_highest_point() -> None:
    log = EventLog()
    log.fill("a", BUY, 10, 1000, 10 * S, (999, 1001))
    touch = touch_of((0, 999, 1001), (20 * S, 1009, 1011), (30 * S, 994, 996), (40 * S, 1000, 1002))
    # Equity: 0, 0 at the fill, 100, -50, 10 tick-lots: the fall is 150.
    assert metrics(log, touch).drawdown_max == Decimal("0.015")


def test_a_run_that_only_loses_falls_from_its_start() -> None:
    log = EventLog()
    log.fill("a", BUY, 10, 1003, 10 * S, (999, 1001))
    assert metrics(log, touch_of((0, 999, 1001), (20 * S, 999, 1001))).drawdown_max == Decimal("0.003")


def test_the_position_is_weighed_by_the_time_for_which_it_was_held() -> None:
    log = EventLog()
    log.fill("a", SELL, 10, 1000, 25 * S, (999, 1001))
    found = metrics(log, touch_of((0, 999, 1001), (100 * S, 999, 1001)))
    # 10 lots at 1000 ticks are 1 USD, for three quarters of the time.
    assert found.position_worth_max == Decimal("1")
    assert found.position_worth_mean == pytest.approx(0.75)


def test_an_empty_side_of_the_book_is_no_sample() -> None:
    log = EventLog()
    log.fill("a", BUY, 10, 1000, 10 * S, (999, 1001))
    touch = touch_of((0, 999, 1001), (20 * S, 1009, 1011), (30 * S, None, 1011))
    assert metrics(log, touch).pnl.net == Decimal("0.01")


def test_without_any_mid_of_the_market_the_last_fills_mid_stands() -> None:
    log = EventLog()
    log.fill("a", BUY, 10, 1000, 10 * S, (1001, 1003))
    assert metrics(log, touch_of((0, None, None))).pnl.net == Decimal("0.002")


def test_a_run_without_fills_has_zeros_and_no_ratios() -> None:
    found = metrics(EventLog(), TOUCH)
    assert (found.pnl.net, found.pnl.fills, found.drawdown_max) == (0, 0, 0)
    assert (found.fill_ratio_qty, found.fill_ratio_orders, found.maker_share) == (None, None, None)


def test_a_fee_in_the_base_asset_is_taken_at_the_fills_price() -> None:
    log = EventLog()
    log.fill("a", BUY, 10, 1000, 10 * S, (999, 1001), fee="0.00001", fee_asset="BTC")
    assert metrics(log, touch_of((0, 999, 1001))).pnl.fees == Decimal("0.001")


def test_a_fee_in_a_third_asset_is_not_taken_for_quote_currency() -> None:
    log = EventLog()
    log.fill("a", BUY, 10, 1000, 10 * S, (999, 1001), fee="5", fee_asset="EUR")
    assert metrics(log, touch_of((0, 999, 1001))).pnl.fees == 0


def test_sums_beyond_64_bits_stay_exact() -> None:
    log = EventLog()
    for index in range(4):
        log.fill("a", BUY, 4 * 10**12, 10**7 + index, index, (10**7, 10**7 + 2))
    pnl = metrics(log, touch_of((0, 10**7, 10**7 + 2)), tick="1", lot="1").pnl
    # Each fill 1, 0, -1, -2 ticks better than the mid of 10_000_001.
    assert pnl.net == Decimal(4 * 10**12 * -2)
    assert pnl.turnover == 4 * 10**12 * (4 * 10**7 + 6)


def test_instruments_in_another_quote_currency_stay_out_of_the_totals() -> None:
    log = EventLog()
    log.fill("a", BUY, 10, 999, 10 * S, (999, 1001))
    log.fill("b", BUY, 10, 990, 10 * S, (999, 1001), symbol="ETH/EUR", fee_asset="EUR")
    found = metrics(log, touch_of((0, 999, 1001)), symbols=("BTC/USD", "ETH/EUR"))
    assert (found.currency, found.pnl.fills, found.pnl.spread_at_fill) == ("USD", 1, Decimal("0.001"))
    assert found.by_symbol["ETH/EUR"].spread_at_fill == Decimal("0.01")


def test_instruments_in_one_quote_currency_add_up_in_the_order_of_time() -> None:
    log = EventLog()
    log.fill("a", BUY, 10, 1000, 10 * S, (999, 1001))
    log.fill("b", SELL, 10, 1000, 20 * S, (999, 1001), symbol="ETH/USD")
    touches = [
        touch_of((0, 999, 1001), (30 * S, 1009, 1011), (50 * S, 1009, 1011)),
        touch_of((0, 999, 1001), (40 * S, 1019, 1021), (50 * S, 1019, 1021), symbol="ETH/USD"),
    ]
    import pyarrow as pa

    found = metrics(log, pa.concat_tables(touches), symbols=("BTC/USD", "ETH/USD"))
    # +100 tick-lots at 30 s, -200 at 40 s.
    assert found.pnl.net == Decimal("-0.01")
    assert found.drawdown_max == Decimal("0.02")
    assert [float(v) for v in found.equity.equity][-1] == -0.01


def test_a_fill_of_an_instrument_that_the_inputs_do_not_name_is_an_error() -> None:
    log = EventLog()
    log.fill("a", BUY, 10, 1000, 10 * S, symbol="ETH/USD")
    with pytest.raises(DataError, match=r"1 of 1 fills are of symbols that run.toml does not list"):
        metrics(log, TOUCH)
