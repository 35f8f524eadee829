"""Commands of the desk: which link carries them, what is refused before it is sent, what a batch is."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from framework.errors import ConfigError, SimulationError
from framework.execution.link import Link
from framework.execution.policy import DeskPolicy
from framework.messages import AddBatch, CancelBatch, Command
from framework.protocol import RejectReason
from tests.framework.execution.desk_rig import (
    FIX,
    FIX_ROAD,
    REST_POLLED,
    WS2_ROAD,
    Rig,
    accepted,
    add_order,
    at,
    rejected,
)


def test_an_order_goes_by_the_link_of_the_policy() -> None:
    rig = Rig()
    rig.desk.submit(add_order())
    assert (rig.sent("ws2"), rig.sent("rest")) == (["AddOrder"], [])


def test_an_order_goes_by_the_link_that_it_names() -> None:
    rig = Rig()
    record = rig.desk.submit(add_order(), via="rest")
    assert (rig.sent("ws2"), rig.sent("rest")) == ([], ["AddOrder"])
    assert (record.owner_link, record.owner_session) == ("rest", "rest#1")


def test_a_link_that_is_not_there_is_a_configuration_error() -> None:
    rig = Rig()
    with pytest.raises(ConfigError, match="no link 'fix'; links: rest, ws2"):
        rig.desk.submit(add_order(), via="fix")


def test_a_policy_that_names_a_link_that_is_not_there_is_a_configuration_error() -> None:
    rig = Rig()
    with pytest.raises(ConfigError, match="routes by link 'fix'"):
        type(rig.desk)(rig.links, FIX_ROAD, rig.clock, rig.listener, rig.notes, rig.budget)


def test_a_policy_that_asks_on_a_link_that_cannot_be_asked_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="'ws2' cannot be asked"):
        Rig(replace(WS2_ROAD, query="ws2"))


def test_a_route_by_mass_cancel_over_a_link_without_one_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="'rest' has no mass cancel"):
        Rig(replace(WS2_ROAD, cancel=("ws2", "rest:mass")))


def test_a_client_id_cannot_be_used_twice() -> None:
    rig = Rig()
    rig.desk.submit(add_order())
    with pytest.raises(SimulationError, match="'a' was used before"):
        rig.desk.submit(add_order())


def test_an_order_is_denied_while_its_link_is_down() -> None:
    rig = Rig()
    rig.drop("ws2")
    rig.heard.clear()
    rig.desk.submit(add_order())
    assert rig.heard == [("denied", "a", "link 'ws2' is down")]
    assert rig.notes.denials == [("a", "link 'ws2' is down")]
    assert rig.desk.open_orders == {}


def test_the_deadline_of_an_order_is_that_of_the_policy() -> None:
    rig = Rig()
    rig.desk.submit(add_order())
    assert rig.last("ws2").deadline_ns == at(5_000)


def test_a_deadline_is_no_shorter_than_the_protocol_allows() -> None:
    rig = Rig(replace(FIX_ROAD, deadline_ms=500))
    rig.desk.submit(add_order())
    assert rig.last("fix").deadline_ns == at(2_000)


def test_without_a_deadline_in_the_policy_none_is_sent() -> None:
    rig = Rig(replace(WS2_ROAD, deadline_ms=None))
    rig.desk.submit(add_order())
    assert rig.last("ws2").deadline_ns is None


# ------------------------------------------------------------------------------------------------- batches


def test_a_batch_of_new_orders_is_one_request_with_one_deadline() -> None:
    rig = Rig()
    rig.desk.submit_batch([add_order("a"), add_order("b")])
    command = rig.last("ws2")
    assert isinstance(command, AddBatch)
    assert [order.cl_ord_id for order in command.orders] == ["a", "b"]
    assert command.deadline_ns == at(5_000)


def test_a_batch_goes_one_by_one_where_the_protocol_has_none() -> None:
    rig = Rig(FIX_ROAD)
    rig.desk.submit_batch([add_order("a"), add_order("b")])
    assert rig.sent("fix") == ["AddOrder", "AddOrder"]


def test_orders_of_two_symbols_are_no_batch() -> None:
    rig = Rig()
    rig.desk.submit_batch([add_order("a"), add_order("b", symbol="ETH/USD")])
    assert rig.sent("ws2") == ["AddOrder", "AddOrder"]


def test_of_a_batch_that_is_accepted_in_part_each_order_has_its_own_fate() -> None:
    rig = Rig()
    rig.desk.submit_batch([add_order("a"), add_order("b"), add_order("c")])
    rig.tell("ws2", accepted(1, 1, "O1", "O2", errors=(None, "EOrder:Insufficient funds", None)))
    assert rig.heard[3:] == [
        ("accepted", "a", "O1"),
        ("rejected", "b", "EOrder:Insufficient funds"),
        ("accepted", "c", "O2"),
    ]


def test_a_batch_that_is_refused_is_refused_for_each_order() -> None:
    rig = Rig()
    rig.desk.submit_batch([add_order("a"), add_order("b")])
    rig.tell("ws2", rejected(1, 1, RejectReason.RATE_LIMIT))
    assert [what[:2] for what in rig.heard[2:]] == [("rejected", "a"), ("rejected", "b")]


def test_a_batch_is_denied_whole_while_its_link_is_down() -> None:
    rig = Rig()
    rig.drop("ws2")
    rig.heard.clear()
    rig.desk.submit_batch([add_order("a"), add_order("b")])
    assert [what[:2] for what in rig.heard] == [("denied", "a"), ("denied", "b")]


def test_several_cancels_are_one_request_where_the_road_has_batches() -> None:
    rig = Rig()
    rig.open_order("a", "O1")
    rig.open_order("b", "O2")
    rig.desk.cancel_batch(["a", "b"])
    assert isinstance(rig.last("ws2"), CancelBatch)
    assert rig.last("ws2").cl_ord_ids == ("a", "b")


def test_several_cancels_go_one_by_one_where_the_road_has_no_batches() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order("a", "O1")
    rig.open_order("b", "O2")
    rig.desk.cancel_batch(["a", "b"])
    assert rig.sent("fix")[2:] == ["CancelOrder", "CancelOrder"]


def test_of_several_cancels_those_of_ended_orders_are_left_out() -> None:
    rig = Rig()
    rig.open_order("a", "O1")
    rig.desk.submit(add_order("b"))
    rig.tell("ws2", rejected(2, 1, RejectReason.INSUFFICIENT_FUNDS))
    rig.desk.cancel_batch(["a", "b"])
    assert (rig.sent("ws2")[-1], rig.last("ws2").cl_ord_id) == ("CancelOrder", "a")


# ------------------------------------------------------------------------------------------------- all orders


def test_cancel_all_is_the_venues_own_request() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.cancel_all()
    assert rig.sent("ws2")[-1] == "CancelAll"


def test_cancel_all_is_a_mass_cancel_of_the_account_where_that_is_its_name() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order()
    rig.desk.cancel_all()
    assert rig.sent("fix")[-1] == "MassCancel"


def test_cancel_all_goes_by_the_next_step_of_the_route_while_the_first_is_down() -> None:
    rig = Rig()
    rig.open_order()
    rig.drop("ws2")
    rig.desk.cancel_all()
    assert rig.sent("rest")[-1] == "CancelAll"


def test_cancel_all_without_a_link_that_is_up_is_refused_for_each_order() -> None:
    rig = Rig()
    rig.open_order()
    rig.drop("ws2")
    rig.drop("rest")
    rig.desk.cancel_all()
    assert rig.heard[-1][:2] == ("cancel rejected", "a")


def test_the_dead_mans_switch_is_armed_on_a_link_that_has_it() -> None:
    rig = Rig(FIX_ROAD)
    rig.desk.cancel_all_after(60)
    assert rig.sent("fix") == []
    assert rig.last("rest").timeout_s == 60


def test_a_refused_dead_mans_switch_is_told() -> None:
    rig = Rig()
    rig.desk.cancel_all_after(10**6, via="ws2")
    rig.tell("ws2", rejected(1, 1, RejectReason.TIMEOUT_ABOVE_MAX))
    (event,) = rig.road("RequestRejected")
    assert (event.command, event.link) == ("CancelAllAfter", "ws2")
    assert event.reason == "EGeneral:Invalid timeout argument:above max"


def test_a_dead_mans_switch_that_cannot_be_sent_is_told() -> None:
    rig = Rig(REST_POLLED)
    rig.drop("rest")
    rig.desk.cancel_all_after(60)
    assert [event.reason for event in rig.road("RequestRejected")] == ["link 'rest' is down"]


def test_a_desk_without_a_link_that_has_a_dead_mans_switch_says_so() -> None:
    rig = Rig(DeskPolicy(submit="fix", amend="fix", cancel=("fix",), news="fix"))
    with pytest.raises(ConfigError, match="no link of this desk has a dead man's switch"):
        rig.desk.cancel_all_after(60)
    assert FIX.capabilities.has_cancel_all_after is False


# ------------------------------------------------------------------------------------------------- nothing to do


def test_a_cancel_of_an_order_that_has_ended_is_not_sent() -> None:
    rig = Rig()
    rig.desk.submit(add_order())
    rig.tell("ws2", rejected(1, 1, RejectReason.INSUFFICIENT_FUNDS))
    rig.desk.cancel("a")
    rig.desk.amend("a", limit_ticks=1_001)
    assert rig.sent("ws2") == ["AddOrder"]
    assert rig.heard[-1][0] == "rejected"


def test_a_refused_cancel_leaves_the_order_alive_and_is_told() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.desk.cancel("a")
    rig.tell("ws2", rejected(2, 2, RejectReason.RATE_LIMIT))
    assert rig.heard == [("cancel rejected", "a", "EOrder:Rate limit exceeded")]
    assert record.is_live


def test_who_listens_to_sends_is_told_of_each_command_once_it_is_on_its_link() -> None:
    rig = Rig()
    told: list[tuple[str, str, int, bool]] = []

    def hear(link: Link, command: Command, asked_ns: int) -> None:
        told.append((link.name, type(command).__name__, asked_ns, rig.links[link.name].sent[-1] is command))

    rig.desk.listen_sends(hear)
    rig.desk.submit(add_order())
    rig.desk.cancel("a", via="rest")
    assert told == [("ws2", "AddOrder", at(0), True), ("rest", "CancelOrder", at(0), True)]
