"""Instruments: exact prices and quantities, and refusal of what lies off the grid."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.protocol import InstrumentSpec

BITCOIN = InstrumentSpec(symbol="BTC/USD", venue="toy", tick_size="0.1", lot_size="0.00000001")


def test_base_and_quote_stand_before_and_after_the_slash() -> None:
    assert (BITCOIN.base, BITCOIN.quote) == ("BTC", "USD")


def test_a_price_is_an_exact_number_of_ticks() -> None:
    assert BITCOIN.ticks("45285.2") == 452_852
    assert BITCOIN.price(452_852) == Decimal("45285.2")


def test_a_quantity_is_an_exact_number_of_lots() -> None:
    assert BITCOIN.lots("0.00005") == 5_000
    assert BITCOIN.qty(5_000) == Decimal("0.00005")


def test_a_price_between_two_ticks_is_refused_and_not_rounded() -> None:
    with pytest.raises(ValueError, match=r"price 45285\.25 is not a multiple of 0\.1 of BTC/USD"):
        BITCOIN.ticks("45285.25")


def test_a_quantity_below_a_lot_is_refused_and_not_rounded() -> None:
    with pytest.raises(ValueError, match=r"quantity 0\.000000005 is not a multiple of 0\.00000001 of BTC/USD"):
        BITCOIN.lots("0.000000005")


@given(ticks=st.integers(-(10**12), 10**12))
def test_ticks_of_the_price_of_ticks_are_the_same_ticks(ticks: int) -> None:
    assert BITCOIN.ticks(BITCOIN.price(ticks)) == ticks
