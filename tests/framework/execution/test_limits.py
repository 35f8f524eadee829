"""Each limit is one pure check: what keeps it passes, a hair beyond does not, and the refusal says by how much."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from framework.backtest.config import load_config
from framework.errors import ConfigError
from framework.execution.limits import (
    check_book_age,
    check_daily_loss,
    check_open_orders,
    check_order_notional,
    check_order_qty,
    check_orders_per_second,
    check_position,
    check_price_band,
)
from framework.protocol import BUY, SELL, InstrumentSpec
from tests.framework.command import write_config

SPEC = InstrumentSpec(symbol="BTC/USD", venue="synthetic", tick_size="0.1", lot_size="0.001")
D = Decimal


def test_a_price_may_be_as_far_from_the_middle_as_the_band_and_no_tick_further() -> None:
    # The middle of 9999 and 10001 is 10000; 1 % of it are 100 ticks.
    assert check_price_band("limit price", 10_100, 20_000, 10_000) is None
    assert check_price_band("limit price", 9_900, 20_000, 10_000) is None
    assert check_price_band("limit price", 10_101, 20_000, 10_000) == (
        "price_band_ppm = 10000: the limit price is 10100 ppm from the market"
    )
    assert check_price_band("limit price", 9_899, 20_000, 10_000) is not None


def test_a_price_cannot_be_judged_without_a_market() -> None:
    assert check_price_band("limit price", 1, None, 500) == (
        "price_band_ppm = 500: the market has no price to compare the limit price with"
    )


def test_an_order_may_be_as_large_as_the_limit_and_no_lot_larger() -> None:
    assert check_order_qty(SPEC, 500, D("0.5")) is None
    assert check_order_qty(SPEC, 501, D("0.5")) == "order_qty_max = 0.5: the order is of 0.501 BTC"


def test_an_order_may_be_worth_as_much_as_the_limit_and_no_cent_more() -> None:
    assert check_order_notional(SPEC, D("1000.00"), D(1000)) is None
    assert check_order_notional(SPEC, D("1000.01"), D(1000)) == (
        "order_notional_max = 1000: the order is worth 1000.01 USD"
    )
    assert check_order_notional(SPEC, None, D(1000)) == (
        "order_notional_max = 1000: the market has no price to tell what the order is worth"
    )


@pytest.mark.parametrize(
    ("side", "qty", "position", "open_lots", "is_kept"),
    [
        (BUY, 10, 0, 0, True),
        (BUY, 11, 0, 0, False),
        (BUY, 5, 0, 5, True),
        (BUY, 6, 0, 5, False),
        (BUY, 5, 6, 0, False),
        (SELL, 10, 0, 0, True),
        (SELL, 11, 0, 0, False),
        (SELL, 16, 6, 0, True),
        (SELL, 17, 6, 0, False),
        (SELL, 5, -6, 0, False),
        (SELL, 25, 20, 0, True),  # of a position that is too large already, an order that makes it smaller
        (BUY, 1, 20, 0, False),
        (SELL, 41, 20, 0, False),
    ],
)
def test_the_position_counts_what_is_held_and_what_open_orders_of_that_side_may_add(
    side: int, qty: int, position: int, open_lots: int, is_kept: bool
) -> None:
    assert (check_position(SPEC, side, qty, position, open_lots, D("0.010")) is None) is is_kept


def test_a_refused_position_is_told_with_what_it_consists_of() -> None:
    assert check_position(SPEC, SELL, 6, -2, 5, D("0.01")) == (
        "position_max = 0.01: the position could become -0.013 BTC (now -0.002, 0.005 open on that side)"
    )


def test_a_book_may_be_as_old_as_the_limit() -> None:
    assert check_book_age(2_000_000_000, 2_000) is None
    assert check_book_age(2_001_000_000, 2_000) == "book_age_max_ms = 2000: the market is 2001 ms old"
    assert check_book_age(None, 2_000) == "book_age_max_ms = 2000: no message of the market has come"


def test_so_many_orders_may_be_open_and_not_one_more() -> None:
    assert check_open_orders(2, 3) is None
    assert check_open_orders(3, 3) == "open_orders_max = 3: 3 are open"


def test_so_many_orders_may_be_sent_in_a_second_and_not_one_more() -> None:
    assert check_orders_per_second(9, 10) is None
    assert check_orders_per_second(10, 10) == "orders_per_second_max = 10: 10 were sent within a second"


def test_so_much_may_be_lost_and_no_cent_more() -> None:
    assert check_daily_loss("USD", D("-3"), D(100)) is None
    assert check_daily_loss("USD", D("100.00"), D(100)) is None
    assert check_daily_loss("USD", D("100.01"), D(100)) == (
        "daily_loss_max = 100: 100.01 USD are lost since midnight UTC"
    )


# ------------------------------------------------------------------------------------------------- in a file


def test_limits_stand_in_the_runs_file_for_all_instruments_or_for_one(tmp_path: Path) -> None:
    config = load_config(
        write_config(
            tmp_path,
            '[limits]\nprice_band_ppm = 5000\nopen_orders_max = 4\n[limits.daily_loss_max]\nUSD = "250"\n'
            '[limits.symbols."ETH/USD"]\norder_qty_max = "2"\n',
        )
    )
    assert config.limits.of("BTC/USD").price_band_ppm == 5_000
    assert config.limits.of("ETH/USD").price_band_ppm is None
    assert config.limits.of("ETH/USD").order_qty_max == "2"
    assert config.limits.daily_loss_max == {"USD": "250"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('order_qty_max = "much"', '[limits] order_qty_max = "much": it must be a decimal of 0 or more, in quotes'),
        ("order_qty_max = 1.5", "[limits] order_qty_max = 1.5: it must be text in quotes"),
        ("open_orders_max = -1", "[limits] open_orders_max = -1: it must be 0 or more"),
        ("price_band_ppm = 0", "[limits] price_band_ppm = 0: it must be 1 or more"),
        ("leverage = 2", "[limits] has no key leverage; it has "),
        (
            '[limits.daily_loss_max]\nUSD = "-5"',
            '[limits.daily_loss_max] USD = "-5": it must be a decimal of 0 or more',
        ),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_with_its_key(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write_config(tmp_path, f"[limits]\n{text}\n"))
    assert complaint in str(caught.value)
