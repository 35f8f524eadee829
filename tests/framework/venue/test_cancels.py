"""Cancels and how far they reach. Pages: rest-api/cancel-order, cancel-order-batch, cancel-all-orders,
cancel-all-orders-after; fix-api/ocr-fix, fix-api/omcr-fix; guides/fix-intro."""

from __future__ import annotations

import pytest

from framework.messages import (
    CancelAll,
    CancelAllAfter,
    CancelBatch,
    CancelOrder,
    ExecType,
    Logon,
    MassCancel,
    OrderState,
)
from framework.protocol import SELL, MassCancelScope, OrderType, RejectReason
from framework.venue.orders import Order
from tests.framework.venue.venue_rig import BTC_USD, SECOND, START_NS, SYMBOL, Rig, touch

# ----------------------------------------------------------------------------- one order


def test_a_cancel_ends_the_order_and_says_so() -> None:
    rig = Rig(touch())
    order = rig.add()
    rig.cancel(order, "ws2")
    assert rig.accepted("ws2").count == 1
    (report,) = rig.executions()
    assert (report.exec_type, report.state, report.leaves_lots, report.reason) == (
        ExecType.CANCELED,
        OrderState.CANCELED,
        0,
        "User requested",
    )
    assert rig.market.slots == {}


def test_a_cancel_by_client_id_finds_the_order() -> None:
    rig = Rig(touch())
    order = rig.add()
    rig.send("rest", CancelOrder(request_id=rig.next_id(), cl_ord_id=order.cl_ord_id))
    assert order.state is OrderState.CANCELED


def test_the_venues_id_wins_where_both_are_given() -> None:
    # fix-api/ocr-fix: 37 wins, 41 is ignored.
    rig = Rig(touch())
    first, second = rig.add(), rig.add()
    rig.send("rest", CancelOrder(request_id=rig.next_id(), order_id=first.order_id, cl_ord_id=second.cl_ord_id))
    assert (first.is_open, second.is_open) == (False, True)


def test_a_cancel_of_an_order_that_never_was_is_refused() -> None:
    rig = Rig(touch())
    assert rig.refused("rest", CancelOrder(request_id=9, order_id="O")) == "EOrder:Unknown order"


def test_a_cancel_of_an_ended_order_is_refused() -> None:
    rig = Rig(touch())
    order = rig.add()
    rig.hit(SELL, 100, 1000)
    assert rig.refused_cancel(order) == "EOrder:Invalid order"
    assert order.state is OrderState.FILLED


def test_a_cancel_of_an_ended_order_is_refused_as_unknown_under_the_other_reading() -> None:
    rig = Rig(touch(), switches={"unknown_order_text": "unknown_order"})
    order = rig.add()
    rig.cancel(order)
    assert rig.refused_cancel(order) == "EOrder:Unknown order"


def test_a_cancel_of_a_partly_filled_order_keeps_what_was_filled() -> None:
    rig = Rig(touch())
    order = rig.add()
    rig.hit(SELL, 40, 1000)
    rig.cancel(order)
    assert (order.state, order.cum_lots, order.leaves_lots) == (OrderState.CANCELED, 40, 0)
    assert rig.trades() == [(1000, 40)]


# ----------------------------------------------------------------------------- reach of a single cancel


def _relogged(*, is_reset: bool, switches: dict[str, str] | None = None) -> tuple[Rig, Order]:
    """An order entered over FIX without cancel on disconnect; then the line dropped and the same comp id came back."""
    rig = Rig(touch(), lines=("rest", "ws2"), switches=switches)
    rig.venue.connect("fix", "a", "fix", rig.now_ns, "DESK")
    rig.send("fix", Logon(request_id=rig.next_id(), is_cancel_on_disconnect=False))
    order = rig.add("fix")
    rig.venue.drop_line("fix", rig.now_ns)
    rig.venue.connect("fix again", "a", "fix", rig.now_ns, "DESK")
    rig.send("fix again", Logon(request_id=rig.next_id(), is_reset=is_reset, is_cancel_on_disconnect=False))
    return rig, order


def test_a_fix_cancel_reaches_an_order_of_its_session() -> None:
    rig = Rig(touch())
    order = rig.add("fix")
    rig.cancel(order, "fix")
    assert not order.is_open


@pytest.mark.parametrize("origin", ["rest", "ws2"])
def test_a_fix_cancel_does_not_reach_an_order_of_another_protocol(origin: str) -> None:
    rig = Rig(touch())
    order = rig.add(origin)
    assert rig.refused_cancel(order, "fix") == "EOrder:Unknown order"
    assert order.is_open


@pytest.mark.parametrize("road", ["rest", "ws2"])
@pytest.mark.parametrize("origin", ["rest", "ws2", "fix"])
def test_rest_and_websocket_cancels_reach_an_order_of_any_origin(road: str, origin: str) -> None:
    rig = Rig(touch())
    order = rig.add(origin)
    rig.cancel(order, road)
    assert not order.is_open


def test_a_fix_cancel_does_not_reach_an_order_of_another_comp_id() -> None:
    rig = Rig(touch())
    order = rig.add("fix")
    rig.venue.connect("fix2", "a", "fix", rig.now_ns, "OTHER")
    rig.send("fix2", Logon(request_id=rig.next_id()))
    assert rig.refused_cancel(order, "fix2") == "EOrder:Unknown order"


def test_a_resumed_session_reaches_its_orders() -> None:
    rig, order = _relogged(is_reset=False)
    rig.cancel(order, "fix again")
    assert not order.is_open


def test_a_session_that_starts_anew_does_not_reach_the_orders_of_the_one_before() -> None:
    rig, order = _relogged(is_reset=True)
    assert rig.refused_cancel(order, "fix again") == "EOrder:Unknown order"
    assert order.is_open


def test_an_order_out_of_reach_of_its_session_can_still_be_filled_and_canceled_by_other_roads() -> None:
    rig, order = _relogged(is_reset=True)
    rig.hit(SELL, 40, 1000)
    assert order.cum_lots == 40
    rig.cancel(order, "rest")
    assert not order.is_open


def test_a_resumed_session_owns_nothing_where_a_session_is_one_connection() -> None:
    rig, order = _relogged(is_reset=False, switches={"fix_session": "connection"})
    assert rig.refused_cancel(order, "fix again") == "EOrder:Unknown order"


def test_no_cancel_reaches_an_order_of_another_account() -> None:
    rig = Rig(touch())
    order = rig.add()
    rig.venue.connect("other", "b", "rest", rig.now_ns)
    assert rig.refused_cancel(order, "other") == "EOrder:Unknown order"


def test_a_fix_amend_does_not_reach_an_order_of_another_protocol() -> None:
    rig = Rig(touch())
    order = rig.add("rest")
    assert rig.refused_amend(order, "fix", qty_lots=50) == "EOrder:Unknown order"


# ----------------------------------------------------------------------------- batches


def test_a_batch_cancels_by_both_kinds_of_id_and_counts() -> None:
    rig = Rig(touch())
    first, second, third = rig.add(), rig.add(), rig.add()
    rig.send(
        "rest",
        CancelBatch(request_id=rig.next_id(), order_ids=(first.order_id,), cl_ord_ids=(second.cl_ord_id,)),
    )
    assert rig.accepted("rest").count == 2
    assert [order.is_open for order in (first, second, third)] == [False, False, True]


def test_a_batch_skips_what_it_does_not_find_and_counts_an_order_once() -> None:
    rig = Rig(touch())
    order = rig.add()
    ids = (order.order_id, "nothing", order.order_id)
    rig.send("rest", CancelBatch(request_id=rig.next_id(), order_ids=ids))
    assert rig.accepted("rest").count == 1


def test_a_batch_of_fifty_passes_and_of_fifty_one_is_refused() -> None:
    rig = Rig(touch())
    ids = tuple(str(number) for number in range(51))
    assert rig.refused("rest", CancelBatch(request_id=1, order_ids=ids)) == "EGeneral:Invalid arguments"
    rig.send("rest", CancelBatch(request_id=2, order_ids=ids[:50]))
    assert rig.accepted("rest").count == 0


def test_a_batch_over_a_protocol_without_it_is_refused() -> None:
    rig = Rig(touch())
    order = rig.add("fix")
    batch = CancelBatch(request_id=rig.next_id(), order_ids=(order.order_id,))
    assert rig.refused("fix", batch) == "EGeneral:Unknown method"


# ----------------------------------------------------------------------------- all


def test_cancel_all_ends_orders_of_every_origin_untriggered_and_scheduled_ones_too() -> None:
    rig = Rig(touch())
    orders = [
        rig.add("rest"),
        rig.add("ws2", order_type=OrderType.STOP_LOSS, trigger_ticks=1100),
        rig.add("fix", start_ns=START_NS + 100 * SECOND),
    ]
    rig.send("rest", CancelAll(request_id=rig.next_id()))
    assert rig.accepted("rest").count == 3
    assert not any(order.is_open for order in orders)
    assert rig.market.watches == {}


def test_cancel_all_leaves_other_accounts_alone() -> None:
    rig = Rig(touch())
    rig.venue.connect("other", "b", "rest", rig.now_ns)
    rig.send("other", rig.order(cl_ord_id="theirs"))
    rig.send("rest", CancelAll(request_id=rig.next_id()))
    assert rig.find("theirs", "b").is_open


# ----------------------------------------------------------------------------- mass cancel


TWO_PAIRS = (BTC_USD, BTC_USD.__class__(symbol="ETH/USD", venue="synthetic", tick_size="0.1", lot_size="0.0001"))


def _four() -> tuple[Rig, dict[str, Order]]:
    """Orders over FIX in two pairs, of an earlier session of the same comp id, and over REST."""
    rig = Rig(specs=TWO_PAIRS, lines=("rest", "ws2"), balances={"USD": "100"})
    rig.venue.connect("fix", "a", "fix", rig.now_ns, "DESK")
    rig.send("fix", Logon(request_id=rig.next_id(), is_cancel_on_disconnect=False))
    orders = {"old": rig.add("fix")}
    rig.venue.drop_line("fix", rig.now_ns)
    rig.venue.connect("fix", "a", "fix", rig.now_ns, "DESK")
    rig.send("fix", Logon(request_id=rig.next_id(), is_reset=True))
    orders["btc"] = rig.add("fix")
    orders["eth"] = rig.add("fix", symbol="ETH/USD")
    orders["rest"] = rig.add("rest")
    return rig, orders


def _left(orders: dict[str, Order]) -> list[str]:
    return [name for name, order in orders.items() if order.is_open]


def test_a_mass_cancel_by_symbol_reaches_orders_of_the_session_in_that_pair() -> None:
    rig, orders = _four()
    rig.send("fix", MassCancel(request_id=rig.next_id(), scope=MassCancelScope.SYMBOL, symbol=SYMBOL))
    assert _left(orders) == ["old", "eth", "rest"]


def test_a_mass_cancel_by_session_reaches_orders_of_the_session() -> None:
    rig, orders = _four()
    rig.send("fix", MassCancel(request_id=rig.next_id(), scope=MassCancelScope.SESSION))
    assert _left(orders) == ["old", "rest"]


def test_a_mass_cancel_of_everything_reaches_the_account() -> None:
    rig, orders = _four()
    command = MassCancel(request_id=rig.next_id(), scope=MassCancelScope.ACCOUNT)
    rig.send("fix", command)
    assert _left(orders) == []
    # fix-api/omcr-fix: one execution report for each canceled order.
    assert sorted(report.order_id for report in rig.executions("fix")) == sorted(o.order_id for o in orders.values())
    assert {report.request_id for report in rig.executions("fix")} == {command.request_id}


def test_a_mass_cancel_of_everything_stops_at_the_comp_id_under_the_other_reading() -> None:
    rig = Rig(touch(), switches={"mass_cancel_account_scope": "comp_id"})
    mine, other = rig.add("fix"), rig.add("rest")
    rig.send("fix", MassCancel(request_id=rig.next_id(), scope=MassCancelScope.ACCOUNT))
    assert (mine.is_open, other.is_open) == (False, True)


def test_a_mass_cancel_that_finds_nothing_is_answered() -> None:
    rig = Rig(touch())
    rig.send("fix", MassCancel(request_id=rig.next_id(), scope=MassCancelScope.SESSION))
    assert rig.accepted("fix").count == 0


def test_a_mass_cancel_over_a_protocol_without_it_is_refused() -> None:
    rig = Rig(touch())
    command = MassCancel(request_id=rig.next_id(), scope=MassCancelScope.ACCOUNT)
    assert rig.refused("ws2", command) == "EGeneral:Unknown method"


def test_a_mass_cancel_by_symbol_needs_one() -> None:
    rig = Rig(touch())
    command = MassCancel(request_id=rig.next_id(), scope=MassCancelScope.SYMBOL)
    assert rig.refused("fix", command) == "EGeneral:Invalid arguments"


# ----------------------------------------------------------------------------- dead man's switch


def _arm(rig: Rig, timeout_s: int, line: str = "rest") -> int | None:
    rig.send(line, CancelAllAfter(request_id=rig.next_id(), timeout_s=timeout_s))
    assert not rig.rejects()
    return rig.accepted(line).trigger_ns


def test_the_switch_fires_after_its_time_and_ends_orders_of_every_origin() -> None:
    rig = Rig(touch())
    orders = [rig.add("rest"), rig.add("fix")]
    assert _arm(rig, 60) == START_NS + 60 * SECOND
    rig.at(59.999)
    assert all(order.is_open for order in orders)
    rig.at(60)
    assert [order.end_reason for order in orders] == [RejectReason.CANCEL_AFTER_EXPIRED] * 2
    assert rig.exec_types() == [ExecType.CANCELED] * 2
    assert rig.exec_types("fix") == [ExecType.CANCELED]


def test_a_refreshed_switch_counts_from_the_refresh() -> None:
    rig = Rig(touch())
    order = rig.add()
    _arm(rig, 60)
    _arm(rig.at(30), 60, "ws2")
    assert rig.at(89).find(order.cl_ord_id).is_open
    assert not rig.at(90).find(order.cl_ord_id).is_open


def test_a_disarmed_switch_does_not_fire() -> None:
    rig = Rig(touch())
    order = rig.add()
    _arm(rig, 60)
    assert _arm(rig, 0) is None
    rig.at(1000)
    assert order.is_open


def test_a_fired_switch_is_off() -> None:
    rig = Rig(touch())
    _arm(rig, 60)
    rig.at(60)
    order = rig.add()
    rig.at(1000)
    assert order.is_open
    assert rig.venue.accounts["a"].cancel_after_ns is None


def test_the_switch_of_one_account_leaves_the_other_alone() -> None:
    rig = Rig(touch())
    rig.venue.connect("other", "b", "rest", rig.now_ns)
    rig.send("other", rig.order(cl_ord_id="theirs"))
    _arm(rig, 60)
    rig.at(100)
    assert rig.find("theirs", "b").is_open


def test_a_time_of_a_day_is_above_the_maximum() -> None:
    rig = Rig(touch())
    command = CancelAllAfter(request_id=rig.next_id(), timeout_s=86_400)
    assert rig.refused("rest", command) == "EGeneral:Invalid timeout argument:above max"
    _arm(rig, 86_399)


def test_the_switch_is_not_there_over_fix() -> None:
    rig = Rig(touch())
    command = CancelAllAfter(request_id=rig.next_id(), timeout_s=60)
    assert rig.refused("fix", command) == "EGeneral:Unknown method"
