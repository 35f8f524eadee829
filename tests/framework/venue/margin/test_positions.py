"""Positions on margin: what opens them, what closes them, what it costs (support/202966956, 206161568, 218741078)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from framework.messages import ExecType, OrderState
from framework.protocol import BUY, SELL, OrderType
from framework.venue.timers import TimerKind
from tests.framework.venue.margin.margin_rig import BTC, MarginRig
from tests.framework.venue.venue_rig import SECOND, START_NS

D = Decimal
FOUR_HOURS = 4 * 3600


def test_a_purchase_on_margin_opens_a_long_and_moves_no_balance_but_the_fees() -> None:
    """support/203325683: balances and positions are two things; 0.40 % of the trade and 0.025 % of the loan."""
    rig = MarginRig()
    rig.go(BUY, BTC)
    (position,) = rig.positions()
    assert (position.side, position.open_lots, position.price_ticks) == (BUY, BTC, 1001)
    assert rig.total("BTC") == 10
    assert rig.total("USD") == 10_000 - D("0.4004") - D("0.02503")
    assert rig.moved() == [("trade", "USD", D(0), D("0.42543"))]


def test_a_sale_on_margin_opens_a_short_and_borrows_the_base_currency() -> None:
    """support/206161568: the fee of the loan is 0.010 % of the BTC that are lent, and is charged in them."""
    rig = MarginRig()
    rig.go(SELL, BTC)
    (position,) = rig.positions()
    assert (position.side, position.open_lots, position.borrowed()[0]) == (SELL, BTC, rig.venue.assets.index["BTC"])
    assert rig.moved() == [("trade", "BTC", D(0), D("0.0001")), ("trade", "USD", D(0), D("0.3996"))]


def test_without_the_currency_that_is_lent_its_fee_is_charged_in_the_quote_currency() -> None:
    rig = MarginRig(balances={"BTC": "0", "USD": "10000"})
    rig.go(SELL, BTC)
    assert rig.moved() == [("trade", "USD", D(0), D("0.3996") + D("0.00999"))]


def test_each_fill_opens_a_position_of_its_own_under_the_id_of_its_trade() -> None:
    """rest-api/get-open-positions; rest-api/get-trade-history: a trade opened a position."""
    rig = MarginRig()
    rig.market.queues[0][SELL][1001][0].lots = BTC
    rig.go(BUY, 3 * BTC)
    trades = [trade.exec_id for trade in rig.venue.accounts["a"].trades]
    assert [position.position_id for position in rig.positions()] == trades
    assert [position.open_lots for position in rig.positions()] == [BTC, 2 * BTC]


def test_an_opposite_order_on_margin_closes_the_oldest_position_first() -> None:
    """support/202966956: first in, first out; the leverage of the closing order need not match."""
    rig = MarginRig()
    rig.go(BUY, BTC)
    rig.reprice(1010)
    rig.go(BUY, BTC)
    rig.moved()
    rig.go(SELL, BTC + BTC // 2, leverage=2)
    (left,) = rig.positions()
    assert (left.price_ticks, left.open_lots) == (1011, BTC // 2)
    profit = (D("100.9") - D("100.1")) + (D("100.9") - D("101.1")) / 2
    assert rig.moved() == [("trade", "USD", profit, D("0.6054"))]


def test_what_a_closing_order_has_beyond_the_position_opens_one_on_the_other_side() -> None:
    """support/202966956."""
    rig = MarginRig()
    rig.go(BUY, BTC)
    rig.go(SELL, 3 * BTC)
    (position,) = rig.positions()
    assert (position.side, position.open_lots) == (SELL, 2 * BTC)
    assert position.fee_units > 0


def test_a_cash_order_leaves_positions_alone() -> None:
    """support/202966956: it has to be a leveraged order to close a position."""
    rig = MarginRig()
    rig.go(BUY, BTC)
    rig.add(side=SELL, qty_lots=BTC, order_type=OrderType.MARKET)
    assert rig.net_lots() == BTC
    assert rig.total("BTC") == 9


def test_a_short_gains_when_the_price_falls() -> None:
    rig = MarginRig()
    rig.go(SELL, BTC)
    rig.reprice(900)
    before = rig.total("USD")
    rig.go(BUY, BTC)
    assert rig.positions() == []
    assert rig.total("USD") == before + (D("99.9") - D("90.1")) - D("0.3604")


def test_a_position_remembers_what_closed_it() -> None:
    """rest-api/get-trade-history: cprice, ccost, cfee, cvol, cmargin, net, trades."""
    rig = MarginRig()
    rig.go(BUY, 2 * BTC)
    (position,) = rig.positions()
    rig.go(SELL, BTC)
    rig.go(SELL, BTC)
    assert not position.is_open
    assert rig.usd(position.closed_cost) == D("199.8")
    assert rig.usd(position.net_units) == D("-0.4")
    assert rig.usd(position.closed_fee) == D("0.7992")
    assert position.closings == [trade.exec_id for trade in rig.venue.accounts["a"].trades[1:]]


# ---------------------------------------------------------------------------------------------------------- rollovers


def test_a_loan_is_charged_again_every_four_hours() -> None:
    """support/206161568: rollover, starting after four hours."""
    rig = MarginRig()
    rig.go(BUY, BTC)
    rig.moved()
    rig.at(FOUR_HOURS - 1)
    assert rig.moved() == []
    rig.at(2 * FOUR_HOURS + 1)
    assert rig.moved() == [("rollover", "USD", D(0), D("0.02503"))] * 2
    (position,) = rig.positions()
    assert position.rollover_ns == START_NS + 3 * FOUR_HOURS * SECOND


@pytest.mark.parametrize(("side", "asset", "fee"), [(SELL, "BTC", "0.0001"), (BUY, "USD", "0.02503")])
def test_a_rollover_is_charged_on_what_is_still_lent(side: int, asset: str, fee: str) -> None:
    rig = MarginRig()
    rig.go(side, 4 * BTC)
    rig.go(1 - side, 3 * BTC)
    rig.moved()
    rig.at(FOUR_HOURS)
    assert rig.moved() == [("rollover", asset, D(0), D(fee))]


def test_a_closed_position_is_not_charged_again() -> None:
    rig = MarginRig()
    rig.go(BUY, BTC)
    rig.go(SELL, BTC)
    rig.moved()
    rig.at(3 * FOUR_HOURS)
    assert rig.moved() == []
    assert (rig.margin().check_ns, rig.margin().rollover_ns) == (None, None)


def test_each_position_is_charged_in_its_own_time_and_all_by_one_timer() -> None:
    rig = MarginRig()
    rig.go(BUY, BTC)
    rig.at(600)
    rig.go(BUY, 2 * BTC)
    rig.at(700)
    for _ in range(20):
        rig.go(BUY, BTC)
        rig.go(SELL, BTC)
    kinds = [kind for _, _, kind, _ in rig.venue.timer_queue]
    assert kinds.count(TimerKind.MARGIN_ROLLOVER) == 1
    rig.moved()
    first, second = (position.opened_ns for position in rig.positions()[:2])
    rig.at(FOUR_HOURS + 800)
    heard = [movement.ts_ns for movement in rig.heard.movements]
    assert heard[:2] == [first + FOUR_HOURS * SECOND, second + FOUR_HOURS * SECOND]


# --------------------------------------------------------------------------------------------------------- settlement


def settle(rig: MarginRig, side: int, lots: int) -> str:
    command = rig.order(side=side, qty_lots=lots, order_type=OrderType.SETTLE_POSITION, limit_ticks=None)
    rig.send("rest", command)
    return rig.rejects()[0].error if rig.rejects() else ""


def test_a_long_is_settled_by_paying_what_it_cost_and_keeping_what_was_bought() -> None:
    """support/218741078: no trade, no fee."""
    rig = MarginRig()
    rig.go(BUY, BTC)
    rig.moved()
    assert settle(rig, SELL, BTC) == ""
    assert rig.positions() == []
    assert rig.moved() == [("settlement", "USD", D("-100.1"), D(0)), ("settlement", "BTC", D(1), D(0))]
    assert rig.total("BTC") == 11


def test_a_short_is_settled_by_giving_back_what_was_lent_and_keeping_the_proceeds() -> None:
    """support/218741078."""
    rig = MarginRig()
    rig.go(SELL, 2 * BTC)
    rig.moved()
    assert settle(rig, BUY, BTC) == ""
    assert rig.net_lots() == -BTC
    assert rig.moved() == [("settlement", "USD", D("99.9"), D(0)), ("settlement", "BTC", D(-1), D(0))]


def test_a_settlement_of_nothing_said_settles_all_and_its_order_is_filled_without_a_trade() -> None:
    """rest-api/add-order-batch, volume: 0 fills the requisite quantity."""
    rig = MarginRig()
    rig.go(BUY, BTC)
    rig.reprice(1010)
    rig.go(BUY, BTC)
    count = len(rig.venue.accounts["a"].trades)
    assert settle(rig, SELL, 0) == ""
    assert rig.positions() == []
    order = rig.venue.accounts["a"].ended[-1]
    assert (order.state, order.cum_lots, len(rig.venue.accounts["a"].trades)) == (OrderState.FILLED, 2 * BTC, count)
    assert rig.exec_types()[-1] is ExecType.FILLED


@pytest.mark.parametrize(("side", "lots"), [(BUY, BTC), (SELL, 2 * BTC)])
def test_what_is_not_open_cannot_be_settled(side: int, lots: int) -> None:
    """guides/spot-errors."""
    rig = MarginRig()
    rig.go(BUY, BTC)
    assert settle(rig, side, lots) == "EOrder:Unknown position"


def test_a_settlement_needs_the_currency_that_was_lent() -> None:
    """support/218741078: a balance of the type used for the loan."""
    rig = MarginRig(balances={"BTC": "10", "USD": "50"})
    rig.go(BUY, BTC)
    assert settle(rig, SELL, BTC) == "EOrder:Insufficient funds"
    assert rig.net_lots() == BTC


@pytest.mark.parametrize("fields", [{"limit_ticks": 1000}, {"is_post_only": True}, {"display_lots": 10}])
def test_a_settlement_has_a_side_and_a_quantity_and_nothing_else(fields: dict[str, object]) -> None:
    rig = MarginRig()
    rig.go(BUY, BTC)
    command = {"side": SELL, "qty_lots": BTC, "order_type": OrderType.SETTLE_POSITION, "limit_ticks": None, **fields}
    assert rig.refused_add(**command) == "EGeneral:Invalid arguments"
