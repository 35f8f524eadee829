"""Who may open what on margin, and in which words it is refused (guides/spot-errors)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from framework.messages import AmendOrder, EditOrder, OrderState
from framework.protocol import BUY, SELL, InstrumentSpec, OrderType, RejectReason, TimeInForce
from tests.framework.venue.hand_market import HandMarket
from tests.framework.venue.margin.margin_rig import BTC, MarginRig
from tests.framework.venue.venue_rig import BTC_USD, Rig

D = Decimal
SHORTFALL = "EOrder:Insufficient initial margin"


@pytest.mark.parametrize("leverage", [1, 6, 100])
def test_only_the_leverages_of_the_pair_may_be_asked_for(leverage: int) -> None:
    """rest-api/add-order, leverage: one of leverage_buy or leverage_sell of AssetPairs."""
    assert MarginRig().no_go(BUY, BTC, leverage=leverage) == "EGeneral:Invalid arguments:leverage"


def test_a_pair_without_margin_has_no_leverage() -> None:
    """rest-api/get-tradable-asset-pairs: leverage_buy is empty."""
    spec = InstrumentSpec(symbol="DOGE/USD", venue="synthetic", tick_size="0.1", lot_size="0.0001")
    rig = Rig(HandMarket(2), specs=(BTC_USD, spec))
    refused = rig.refused_add(symbol="DOGE/USD", leverage=2, limit_ticks=1000)
    assert refused == "EGeneral:Invalid arguments:leverage"


def test_quote_quantity_is_not_for_orders_on_margin() -> None:
    """rest-api/add-order, oflags: viqc is not available on margin orders."""
    rig = MarginRig()
    assert rig.no_go(BUY, 0, quote_qty=D(100)) == "EGeneral:Invalid arguments"


def test_a_starter_cannot_open_a_position() -> None:
    """support/4402532394260."""
    assert MarginRig(tier="starter").no_go(BUY, BTC) == "EOrder:Cannot open position"


def test_the_margin_and_the_fees_of_a_position_must_be_free() -> None:
    """support/203053156: no position can be opened at a margin level below 100 %."""
    rig = MarginRig(balances={"USD": "1000", "BTC": "0"})
    assert rig.no_go(BUY, 49 * BTC, 1001) == SHORTFALL
    rig.go(BUY, 48 * BTC)
    level = rig.standing().level_percent
    assert level is not None
    assert 100 <= level < 102


def test_open_orders_on_margin_keep_the_margin_that_they_would_use() -> None:
    rig = MarginRig(balances={"USD": "1000", "BTC": "0"})
    order = rig.go(BUY, 30 * BTC, 990)
    assert rig.no_go(BUY, 30 * BTC, 990) == SHORTFALL
    assert rig.held("USD") == 0  # rest-api/get-extended-balance: holds are of non-margin orders only
    rig.cancel(order)
    rig.go(BUY, 30 * BTC, 990)


def test_an_order_that_closes_needs_no_margin() -> None:
    rig = MarginRig(balances={"USD": "1000", "BTC": "0"})
    rig.go(BUY, 48 * BTC)
    rig.go(SELL, 48 * BTC, 1100)
    assert rig.no_go(SELL, 10 * BTC, 1100) == SHORTFALL  # the first one closes all there is


def test_below_a_margin_level_of_100_percent_nothing_more_is_opened() -> None:
    """guides/spot-errors: insufficient equity or collateral."""
    rig = MarginRig(balances={"USD": "1000", "BTC": "0"})
    rig.go(BUY, 40 * BTC)
    rig.reprice(950)
    assert rig.no_go(BUY, 100, 1000) == "EOrder:Margin level too low"


def test_the_words_for_missing_margin_can_be_those_of_the_list_of_errors() -> None:
    """guides/spot-errors has no other."""
    rig = MarginRig(balances={"USD": "100", "BTC": "0"}, switches={"margin_shortfall": "margin_level"})
    assert rig.no_go(BUY, 10 * BTC) == "EOrder:Margin level too low"


def test_a_position_is_no_larger_than_the_pair_allows() -> None:
    """websocket-v2/instrument, example: 250 long and 200 short."""
    rig = MarginRig(balances={"USD": "1000000", "BTC": "0"})
    rig.go(BUY, 200 * BTC)
    assert rig.no_go(BUY, 51 * BTC) == "EOrder:Margin position size exceeded"
    rig = MarginRig(balances={"USD": "1000000", "BTC": "0"})
    assert rig.no_go(SELL, 201 * BTC) == "EOrder:Margin position size exceeded"


def test_no_more_is_lent_of_a_currency_than_its_allowance() -> None:
    """support/209238787: 20,000,000 USD."""
    rig = MarginRig(balances={"USD": "100000000", "BTC": "0"})
    rig.reprice(900_000, lots=1000 * BTC)
    assert rig.no_go(BUY, 230 * BTC) == "EOrder:Margin allowance exceeded"
    rig.go(BUY, 200 * BTC)
    assert rig.no_go(BUY, 30 * BTC) == "EOrder:Margin allowance exceeded"


def test_collateral_that_positions_rest_on_cannot_be_spent() -> None:
    """support/204585998: what is used as collateral cannot be exchanged while the position is open."""
    rig = MarginRig(balances={"USD": "1000", "BTC": "0"})
    rig.go(BUY, 25 * BTC)
    assert rig.refused_add(side=BUY, qty_lots=5 * BTC, limit_ticks=990) == "EOrder:Insufficient funds"
    rig.add(side=BUY, qty_lots=4 * BTC, limit_ticks=990)
    resting = rig.find(f"c{rig._request_id}")
    assert rig.refused_amend(resting, qty_lots=5 * BTC) == "EOrder:Insufficient funds"


def test_what_is_no_collateral_may_be_sold_with_positions_open() -> None:
    spec = InstrumentSpec(symbol="XRP/USD", venue="synthetic", tick_size="0.1", lot_size="0.0001")
    market = HandMarket(2)
    market.add(BUY, 10, 10**9, inst=1)
    market.add(SELL, 1001, 10**9)
    market.add(BUY, 999, 10**9)
    rig = MarginRig(market, specs=(BTC_USD, spec), balances={"USD": "1000", "BTC": "0", "XRP": "1000"})
    rig.go(BUY, 48 * BTC)
    rig.add(symbol="XRP/USD", side=SELL, qty_lots=1000 * BTC, limit_ticks=10)
    assert rig.total("XRP") == 0


def test_an_amend_of_an_order_on_margin_needs_the_margin_of_what_it_becomes() -> None:
    rig = MarginRig(balances={"USD": "1000", "BTC": "0"})
    order = rig.go(BUY, 40 * BTC, 990)
    command = AmendOrder(request_id=rig.next_id(), order_id=order.order_id, qty_lots=60 * BTC)
    assert rig.refused("rest", command) == SHORTFALL
    rig.amend(order, qty_lots=45 * BTC)


def test_an_edit_keeps_the_leverage_and_takes_over_the_margin() -> None:
    rig = MarginRig(balances={"USD": "1000", "BTC": "0"})
    order = rig.go(BUY, 40 * BTC, 990)
    rig.send("rest", EditOrder(request_id=rig.next_id(), order_id=order.order_id, limit_ticks=991))
    assert rig.rejects() == []
    (new,) = rig.venue.accounts["a"].open_orders.values()
    assert (new.leverage, new.limit_ticks) == (5, 991)


def test_a_stop_on_margin_is_held_against_the_margin_again_when_it_fires() -> None:
    rig = MarginRig(balances={"USD": "1000", "BTC": "0"})
    stop = rig.go(BUY, 24 * BTC, order_type=OrderType.STOP_LOSS, trigger_ticks=1010)
    account, usd = rig.venue.accounts["a"], rig.venue.assets.index["USD"]
    account.bring(usd, -rig.venue.assets.units(usd, D(600)))
    rig.reprice(1010)
    assert (stop.state, stop.end_reason) == (OrderState.CANCELED, RejectReason.INSUFFICIENT_INITIAL_MARGIN)


def test_an_order_that_turns_a_position_around_has_the_margin_that_it_frees() -> None:
    rig = MarginRig(balances={"USD": "1000", "BTC": "0"})
    rig.go(BUY, 40 * BTC)
    assert rig.no_go(BUY, 20 * BTC) == SHORTFALL
    rig.go(SELL, 80 * BTC)
    assert rig.net_lots() == -40 * BTC


# -------------------------------------------------------------------------------------------------------- reduce only


def test_reduce_only_needs_a_position_to_reduce() -> None:
    """guides/spot-errors."""
    rig = MarginRig()
    assert rig.no_go(SELL, BTC, 1000, is_reduce_only=True) == "EOrder:Reduce only:No position exists"
    rig.go(BUY, BTC)
    assert rig.no_go(BUY, BTC, 1000, is_reduce_only=True) == "EOrder:Reduce only:No position exists"


def test_reduce_only_takes_no_more_than_the_position_and_cancels_the_rest() -> None:
    """guides/spot-errors, Position is closed: match as much as possible and cancel back the rest."""
    rig = MarginRig()
    rig.go(BUY, BTC)
    order = rig.go(SELL, 3 * BTC, is_reduce_only=True)
    assert (order.cum_lots, order.state, order.end_reason) == (
        BTC,
        OrderState.CANCELED,
        RejectReason.REDUCE_ONLY_CLOSED,
    )
    assert rig.positions() == []


def test_a_reduce_only_order_in_the_book_is_cut_to_what_there_is_to_reduce() -> None:
    """websocket-v2/executions, restated: the engine amends for maintenance of the position."""
    rig = MarginRig()
    rig.go(BUY, 2 * BTC)
    order = rig.go(SELL, 3 * BTC, 1100, is_reduce_only=True)
    assert order.qty_lots == 2 * BTC
    rig.go(SELL, BTC)
    assert (order.qty_lots, order.is_open) == (BTC, True)
    rig.go(SELL, BTC)
    assert (order.is_open, order.end_reason) == (False, RejectReason.REDUCE_ONLY_CLOSED)


def test_of_several_reduce_only_orders_the_least_aggressive_go_first() -> None:
    """support/203053246."""
    rig = MarginRig()
    rig.go(BUY, 2 * BTC)
    near = rig.go(SELL, BTC, 1050, is_reduce_only=True)
    far = rig.go(SELL, BTC, 1100, is_reduce_only=True)
    rig.go(SELL, BTC)
    assert (near.is_open, far.is_open) == (True, False)


def test_two_orders_filled_at_one_instant_do_not_turn_a_position_around_if_one_may_only_reduce() -> None:
    rig = MarginRig()
    rig.go(BUY, BTC)
    rig.go(SELL, BTC, 1000, is_post_only=True)
    reducing = rig.go(SELL, BTC, 1000, is_reduce_only=True, is_post_only=True)
    rig.hit(BUY, 5 * BTC, 1000)
    assert rig.positions() == []
    assert (reducing.cum_lots, reducing.end_reason) == (0, RejectReason.REDUCE_ONLY_CLOSED)


def test_a_reduce_only_stop_waits_without_a_position_and_ends_when_it_fires_without_one() -> None:
    """guides/spot-errors: new or via trigger; support/7987518770708: triggers are accepted without a position."""
    rig = MarginRig()
    fields = {"order_type": OrderType.STOP_LOSS, "trigger_ticks": 990, "is_reduce_only": True}
    rig.go(BUY, BTC)
    stop = rig.go(SELL, BTC, **fields)
    rig.go(SELL, BTC)
    assert stop.is_open
    rig.reprice(985)
    assert (stop.is_open, stop.end_reason) == (False, RejectReason.REDUCE_ONLY_NO_POSITION)


def test_fill_or_kill_that_may_only_reduce_is_not_cut() -> None:
    rig = MarginRig()
    rig.go(BUY, BTC)
    order = rig.go(SELL, 2 * BTC, 990, is_reduce_only=True, time_in_force=TimeInForce.FOK)
    assert (order.cum_lots, order.end_reason) == (0, RejectReason.FOK_UNFILLED)


def test_a_volume_of_zero_closes_all_that_is_open() -> None:
    """rest-api/add-order-batch, volume."""
    rig = MarginRig()
    rig.go(BUY, BTC)
    rig.reprice(1010)
    rig.go(BUY, 2 * BTC)
    order = rig.go(SELL, 0)
    assert (order.cum_lots, rig.positions()) == (3 * BTC, [])
    assert rig.no_go(SELL, 0) == "EOrder:Unknown position"
