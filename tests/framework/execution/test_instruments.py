"""Ticks and lots in NautilusTrader's types and back, without a rounding anywhere."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model.objects import Price, Quantity

from framework.execution.instruments import InstrumentBridge, currency
from framework.protocol import InstrumentSpec

BTC = InstrumentBridge(
    InstrumentSpec(symbol="BTC/USD", venue="synthetic", tick_size="0.1", lot_size="0.00000001", min_qty_lots=5_000), "K"
)
HALVES = InstrumentBridge(InstrumentSpec(symbol="XMR/BTC", venue="synthetic", tick_size="0.5", lot_size="10"), "K")


def test_an_instrument_is_known_by_symbol_and_venue() -> None:
    assert str(BTC.instrument_id) == "BTC/USD.K"
    assert (BTC.instrument.base_currency.code, BTC.instrument.quote_currency.code) == ("BTC", "USD")


def test_prices_and_quantities_have_the_digits_of_the_grid() -> None:
    assert (str(BTC.price(1_000_005)), str(BTC.qty(5_000))) == ("100000.5", "0.00005000")
    assert (str(BTC.instrument.price_increment), str(BTC.instrument.min_quantity)) == ("0.1", "0.00005000")


def test_a_grid_of_halves_and_of_tens_is_a_grid_too() -> None:
    assert (str(HALVES.price(3)), str(HALVES.qty(3))) == ("1.5", "30")
    assert (HALVES.ticks(Price.from_str("1.5")), HALVES.lots(Quantity.from_str("30"))) == (3, 3)


def test_a_price_off_the_grid_is_an_error_and_not_rounded() -> None:
    with pytest.raises(ValueError, match=r"price 0\.7 is not a multiple of 0\.5 of XMR/BTC"):
        HALVES.ticks(Price.from_str("0.7"))


def test_a_quantity_off_the_grid_is_an_error_and_not_rounded() -> None:
    with pytest.raises(ValueError, match="quantity 25 is not a multiple of 10 of XMR/BTC"):
        HALVES.lots(Quantity.from_str("25"))


@given(ticks=st.integers(1, 10**9), lots=st.integers(1, 10**15))
def test_what_is_converted_comes_back(ticks: int, lots: int) -> None:
    assert (BTC.ticks(BTC.price(ticks)), BTC.lots(BTC.qty(lots))) == (ticks, lots)


def test_fees_below_a_cent_add_up() -> None:
    fee = BTC.money(Decimal("0.0123"), "USD")
    assert (fee + fee).as_decimal() == Decimal("0.0246")
    assert fee.currency.precision == 8


def test_an_amount_of_an_asset_of_neither_side_has_its_own_currency() -> None:
    assert BTC.money(Decimal("1.5"), "KFEE").currency.code == "KFEE"


def test_a_currency_is_the_same_one_each_time() -> None:
    assert currency("USD") == currency("USD") == BTC.quote
