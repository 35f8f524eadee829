"""Fees by volume and their rounding; rates: rest-api/get-tradable-asset-pairs (0.25 % maker, 0.40 % taker at first)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.protocol import BUY, SELL, FeeTier, OrderType
from framework.venue.fees import PPM, FeeMeter, charge, fee_bound
from tests.framework.venue.venue_rig import Rig, book, touch

TIERS = (
    FeeTier(volume_30d=0, maker_ppm=2500, taker_ppm=4000),
    FeeTier(volume_30d=10_000, maker_ppm=2000, taker_ppm=3500),
)


def test_a_fee_of_half_a_quantum_is_rounded_up() -> None:
    assert charge(1_500_000, 1) == 2


def test_a_fee_of_less_than_half_a_quantum_is_rounded_down() -> None:
    assert charge(1_499_999, 1) == 1


def test_a_fee_is_rounded_to_the_quantum_and_not_to_the_unit() -> None:
    # 0.004004 USD in units of 0.000001, kept to 0.00001.
    assert charge(4_004 * PPM, 10) == 4_000


@given(
    st.lists(st.integers(1, 10**12), min_size=1, max_size=20), st.integers(0, 10_000), st.sampled_from([1, 10, 1000])
)
def test_the_fees_of_all_fills_never_exceed_the_bound_of_their_cost(costs: list[int], ppm: int, quantum: int) -> None:
    exact = charged = 0
    for index, cost in enumerate(costs):
        rest = sum(costs[index:])
        already = charge(exact, quantum)
        assert charge(exact + rest * ppm, quantum) - already <= fee_bound(rest, ppm, quantum)
        exact += cost * ppm
        charged = charge(exact, quantum)
    assert charged <= fee_bound(sum(costs), ppm, quantum)


def test_the_next_tier_begins_at_its_volume() -> None:
    meter = FeeMeter(TIERS, Decimal("9999.5"))
    assert (meter.maker_ppm, meter.taker_ppm) == (2500, 4000)
    meter.add(FeeMeter.SCALE // 2)
    assert (meter.maker_ppm, meter.taker_ppm) == (2000, 3500)


def test_volume_below_the_lowest_tier_is_refused() -> None:
    with pytest.raises(ValueError, match="below the lowest fee tier"):
        FeeMeter((FeeTier(volume_30d=100, maker_ppm=1, taker_ppm=2),), Decimal(99))


def test_a_taker_pays_the_taker_fee_on_top_of_the_cost() -> None:
    rig = Rig(touch())
    rig.add(limit_ticks=1001)
    # 0.01 BTC at 100.1: 1.001 USD, and 0.40 % of it is 0.004004, kept to five decimals.
    assert rig.total("USD") == Decimal("10000") - Decimal("1.001") - Decimal("0.00400")
    assert rig.total("BTC") == Decimal("10.01")


def test_a_maker_pays_the_maker_fee() -> None:
    rig = Rig(touch())
    rig.add(side=SELL, limit_ticks=1000)
    rig.hit(BUY, 100, 1000)
    # 0.01 BTC at 100.0: 1 USD less 0.25 %.
    assert rig.total("USD") == Decimal("10000") + 1 - Decimal("0.0025")
    assert rig.total("BTC") == Decimal("9.99")


def test_volume_traded_in_the_run_lowers_the_fee_of_the_next_fill() -> None:
    rig = Rig(book((SELL, 1000, 10_000)), volume="9999")
    rig.add(qty_lots=200, limit_ticks=1000)
    rig.add(qty_lots=200, limit_ticks=1000)
    first, second = rig.venue.accounts["a"].trades
    # 2 USD at 0.40 %, then 2 USD at 0.35 %: the first fill took the volume to 10,001 USD.
    assert (first.fee, second.fee) == (Decimal("0.00800"), Decimal("0.00700"))


def test_volume_of_another_account_does_not_lower_the_fee() -> None:
    rig = Rig(book((SELL, 1000, 10_000)), volume="9999")
    rig.venue.connect("other", "b", "rest", rig.now_ns)
    rig.send("other", rig.order(qty_lots=200, limit_ticks=1000))
    rig.add(qty_lots=200, limit_ticks=1000)
    (trade,) = rig.venue.accounts["a"].trades
    assert trade.fee == Decimal("0.00800")


def test_an_order_filled_in_many_pieces_pays_what_it_would_pay_in_one() -> None:
    rig = Rig(touch())
    rig.add(side=SELL, qty_lots=100, limit_ticks=1000)
    for _ in range(100):
        rig.hit(BUY, 1, 1000)
    fees = [trade.fee for trade in rig.venue.accounts["a"].trades]
    # Each piece costs 0.01 USD, of which 0.25 % is 0.000025: rounded alone it would be 0.00003 each, 0.003 in all.
    assert len(fees) == 100
    assert sum(fee for fee in fees if fee is not None) == Decimal("0.0025")


def test_the_fee_asset_is_the_quote_currency_on_both_sides() -> None:
    rig = Rig(touch())
    rig.add(limit_ticks=1001)
    rig.add(side=SELL, order_type=OrderType.MARKET)
    assert [trade.fee_asset for trade in rig.venue.accounts["a"].trades] == ["USD", "USD"]
