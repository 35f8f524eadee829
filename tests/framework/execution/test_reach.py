"""Who can cancel an order now, by which road its cancel goes, and what the strategy is told of both."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from framework.execution.orders import OrderRecord
from framework.execution.policy import DeskPolicy
from framework.execution.reach import links_that_reach, reaches
from framework.messages import ExecType, OrderState
from framework.protocol import CancelReach, RejectReason
from tests.framework.execution.desk_rig import (
    FIX,
    FIX_ROAD,
    REST,
    FakeLink,
    Rig,
    accepted,
    add_order,
    execution,
    rejected,
    snapshot,
    status,
)

FIX_ONLY = DeskPolicy(submit="fix", amend="fix", cancel=("fix",), news="fix", query="rest")


def _link(reach: CancelReach, name: str = "fix", session_id: str = "fix#2", *, is_up: bool = True) -> FakeLink:
    link = FakeLink(name, replace(FIX, single_cancel_reach=reach))
    link.is_up, link.session_id = is_up, session_id
    return link


@pytest.mark.parametrize(
    ("reach", "owner_link", "owner_session", "expected"),
    [
        (CancelReach.ACCOUNT, "rest", "rest#1", True),
        (CancelReach.COMP_ID, "fix", "fix#1", True),
        (CancelReach.COMP_ID, "rest", "rest#1", False),
        (CancelReach.SESSION, "fix", "fix#2", True),
        (CancelReach.SESSION, "fix", "fix#1", False),
        (CancelReach.NONE, "fix", "fix#2", False),
    ],
)
def test_a_single_cancel_reaches_as_far_as_the_profile_says(
    reach: CancelReach, owner_link: str, owner_session: str, expected: bool
) -> None:
    record = OrderRecord(add_order(), owner_link, owner_session, 0)
    assert reaches(_link(reach), record) is expected


def test_a_link_that_is_down_reaches_nothing() -> None:
    record = OrderRecord(add_order(), "fix", "fix#2", 0)
    assert not reaches(_link(CancelReach.ACCOUNT, is_up=False), record)


def test_reach_is_listed_in_the_order_of_the_links() -> None:
    record = OrderRecord(add_order(), "fix", "fix#2", 0)
    links = {"b": _link(CancelReach.ACCOUNT, "b"), "a": _link(CancelReach.SESSION, "a")}
    assert links_that_reach(links, record) == ("b", "a")


def test_a_new_order_is_reached_by_its_own_session_and_by_links_that_reach_the_account() -> None:
    rig = Rig(FIX_ROAD)
    assert rig.desk.submit(add_order("a")).reach == ("rest", "fix")
    assert rig.desk.submit(add_order("b"), via="rest").reach == ("rest",)


# ------------------------------------------------------------------------------------------------- sessions


def test_when_a_line_drops_the_strategy_is_told_that_its_orders_are_out_of_its_reach() -> None:
    rig = Rig(FIX_ROAD)
    record = rig.open_order()
    rig.drop("fix")
    (closed,) = rig.road("SessionClosed")
    assert (closed.session_id, closed.cl_ord_ids) == ("fix#1", ("a",))
    (changed,) = rig.road("OrderReachChanged")
    assert (changed.previous, changed.reach) == (("rest", "fix"), ("rest",))
    assert record.reach == ("rest",)


def test_a_new_session_names_the_orders_that_it_does_not_own_and_does_not_reach_them() -> None:
    rig = Rig(FIX_ROAD)
    record = rig.open_order()
    rig.drop("fix")
    rig.listener.road.clear()
    rig.up("fix", "fix#2")
    (opened,) = rig.road("SessionOpened")
    assert (opened.session_id, opened.cl_ord_ids) == ("fix#2", ("a",))
    assert record.reach == ("rest",)
    assert rig.road("OrderReachChanged") == []


def test_a_resumed_session_names_its_orders_and_reaches_them_again() -> None:
    rig = Rig(FIX_ROAD)
    record = rig.open_order()
    rig.drop("fix")
    rig.listener.road.clear()
    rig.up("fix", "fix#1", is_resumed=True)
    (resumed,) = rig.road("SessionResumed")
    assert resumed.cl_ord_ids == ("a",)
    (changed,) = rig.road("OrderReachChanged")
    assert (changed.previous, changed.reach) == (("rest",), ("rest", "fix"))
    assert record.reach == ("rest", "fix")


def test_orders_that_have_ended_are_not_told_of() -> None:
    rig = Rig(FIX_ROAD)
    rig.desk.submit(add_order())
    rig.tell("fix", rejected(1, 1, RejectReason.INSUFFICIENT_FUNDS))
    rig.drop("fix")
    assert rig.road("OrderReachChanged") == []
    assert rig.road("SessionClosed")[0].cl_ord_ids == ()


def test_a_reconnect_where_cancels_reach_the_account_gives_back_the_reach() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.drop("ws2")
    assert record.reach == ("rest",)
    rig.up("ws2", "ws2#2")
    assert record.reach == ("rest", "ws2")


# ------------------------------------------------------------------------------------------------- roads of cancels


def test_a_cancel_goes_by_the_first_step_of_the_route_that_reaches() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order()
    rig.desk.cancel("a")
    assert rig.sent("fix")[-1] == "CancelOrder"
    assert rig.road("CancelRerouted") == []


def test_a_cancel_out_of_reach_goes_by_the_fallback_and_that_is_told() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order()
    rig.drop("fix")
    rig.up("fix", "fix#2")
    rig.desk.cancel("a")
    assert rig.sent("rest")[-1] == "CancelOrder"
    (event,) = rig.road("CancelRerouted")
    assert (event.asked, event.used, event.reason) == ("fix", "rest", "'fix' does not reach it")
    assert event in rig.notes.events


def test_a_cancel_goes_by_the_fallback_while_the_first_link_is_down() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order()
    rig.drop("fix")
    rig.desk.cancel("a")
    (event,) = rig.road("CancelRerouted")
    assert (event.used, event.reason) == ("rest", "'fix' is down")


def test_a_fallback_by_mass_cancel_takes_the_whole_account() -> None:
    rig = Rig(replace(FIX_ROAD, cancel=("fix", "fix:mass")))
    rig.open_order()
    rig.drop("fix")
    rig.up("fix", "fix#2")
    rig.desk.cancel("a")
    assert rig.sent("fix")[-1] == "MassCancel"
    assert rig.road("CancelRerouted")[0].used == "fix:mass"


def test_a_mass_cancel_carried_out_before_the_order_came_is_told_as_refused_once_a_poll_shows_the_order() -> None:
    rig = Rig(replace(FIX_ROAD, cancel=("fix", "fix:mass")))
    rig.desk.submit(add_order(), via="rest")
    rig.desk.cancel("a")
    assert rig.sent("fix")[-1] == "MassCancel"
    rig.tell("fix", accepted(2, 5))
    rig.tell("rest", accepted(1, 9, "O1"))  # it says nothing of which was first
    assert "cancel rejected" not in [name for name, *_ in rig.heard]
    rig.run(10_000)
    poll = rig.last("rest")
    rig.tell("rest", snapshot(10_001, status(), request_id=poll.request_id))
    assert rig.heard[-1][:2] == ("cancel rejected", "a")
    rig.tell("rest", snapshot(10_002, status(), request_id=poll.request_id))
    assert [name for name, *_ in rig.heard].count("cancel rejected") == 1


def test_a_mass_cancel_of_an_order_that_had_not_answered_takes_it_if_it_was_there() -> None:
    rig = Rig(replace(FIX_ROAD, cancel=("fix", "fix:mass")))
    rig.desk.submit(add_order(), via="rest")
    rig.desk.cancel("a")
    rig.tell("fix", accepted(2, 5), execution(ExecType.CANCELED, 5, state=OrderState.CANCELED))
    rig.tell("rest", accepted(1, 4, "O1"))
    rig.run(10_000)
    assert [name for name, *_ in rig.heard] == ["submitted", "accepted", "canceled"]


def test_without_a_fallback_a_cancel_out_of_reach_is_sent_all_the_same_and_the_order_stays() -> None:
    rig = Rig(FIX_ONLY, profiles={"rest": REST})
    record = rig.open_order()
    rig.drop("fix")
    rig.up("fix", "fix#2")
    rig.desk.cancel("a")
    assert rig.sent("fix")[-1] == "CancelOrder"
    assert rig.road("CancelRerouted") == []
    rig.tell("fix", rejected(rig.last("fix").request_id, 5))
    assert rig.heard == [("cancel rejected", "a", "EOrder:Unknown order")]
    assert record.is_live


def test_a_cancel_with_no_link_of_the_route_up_is_refused_here_and_the_order_stays() -> None:
    rig = Rig(FIX_ONLY, profiles={"rest": REST})
    record = rig.open_order()
    rig.drop("fix")
    rig.desk.cancel("a")
    assert rig.heard == [("cancel rejected", "a", "no link of the cancel route is up")]
    assert record.is_live


def test_a_cancel_goes_by_the_link_that_it_names_whether_or_not_that_reaches() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order()
    rig.drop("fix")
    rig.up("fix", "fix#2")
    rig.desk.cancel("a", via="fix")
    assert rig.sent("fix")[-1] == "CancelOrder"
    assert rig.road("CancelRerouted") == []


def test_a_cancel_by_a_named_link_that_is_down_is_refused_here() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order()
    rig.drop("fix")
    rig.desk.cancel("a", via="fix")
    assert rig.heard == [("cancel rejected", "a", "link 'fix' is down")]


def test_several_cancels_walk_the_route_each_where_the_first_link_reaches_only_some() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order("a", "O1")
    rig.drop("fix")
    rig.up("fix", "fix#2")
    rig.open_order("b", "O2")
    rig.desk.cancel_batch(["a", "b"])
    assert rig.sent("rest")[-1] == "CancelOrder"
    assert rig.sent("fix")[-1] == "CancelOrder"


def test_a_cancel_by_a_named_link_is_not_told_as_rerouted() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order()
    rig.desk.cancel("a", via="rest")
    assert rig.sent("rest") == ["CancelOrder"]
    assert rig.road("CancelRerouted") == []
