"""A standstill is proved by the venue's answer to a question that was put when nothing was left; by nothing else."""

from __future__ import annotations

from framework.execution.policy import DeskPolicy
from framework.execution.standstill import Proof, Scope, Standstill
from framework.messages import CancelBatch, CancelOrder, ExecType, QueryOrders
from framework.protocol import RejectReason
from tests.framework.execution.desk_rig import (
    REST_POLLED,
    Rig,
    accepted,
    add_order,
    at,
    execution,
    rejected,
    snapshot,
    status,
)


def _begin(rig: Rig, scope: Scope = Scope.OWN) -> tuple[Standstill, list[Proof]]:
    proofs: list[Proof] = []
    standstill = Standstill(rig.desk, rig.clock, scope, proofs.append)
    standstill.begin("killed by hand")
    return standstill, proofs


def _end(rig: Rig, ms: float, **fields: object) -> None:
    rig.tell("ws2", execution(ExecType.CANCELED, ms, **fields))  # type: ignore[arg-type]


def _answer(rig: Rig, ms: float, *orders: object) -> None:
    rig.tell("rest", snapshot(ms, *orders, request_id=rig.last("rest").request_id))  # type: ignore[arg-type]


def test_new_orders_and_amends_are_denied_from_the_first_moment_on() -> None:
    rig = Rig()
    rig.open_order()
    _begin(rig)
    rig.desk.submit(add_order("b"))
    rig.desk.amend("a", qty_lots=20)
    assert rig.heard == [("denied", "b", "killed by hand"), ("amend rejected", "a", "killed by hand")]
    assert rig.sent("ws2") == ["AddOrder", "CancelOrder"]


def test_nothing_is_proved_before_the_venue_was_asked() -> None:
    rig = Rig()
    rig.open_order()
    standstill, proofs = _begin(rig)
    _end(rig, 5)
    assert standstill.left() == ["a request without an answer, which may make an order"]
    rig.run(30)
    assert rig.sent("rest") == ["QueryOrders"]
    assert proofs == []
    _answer(rig, 31)
    assert proofs == [Proof(ts_venue_ns=at(31), round_count=1)]
    assert standstill.proof is proofs[0]


def test_an_answer_to_a_question_that_was_put_before_the_orders_had_ended_proves_nothing() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.query()
    early = rig.last("rest").request_id
    _, proofs = _begin(rig)
    _end(rig, 5)
    rig.run(30)
    rig.tell("rest", snapshot(30, request_id=early))
    assert proofs == []
    rig.run(600)
    assert rig.last("rest").request_id > early
    _answer(rig, 600)
    assert len(proofs) == 1


def test_an_order_that_is_still_there_after_a_second_is_canceled_by_each_road_that_reaches_it() -> None:
    rig = Rig()
    rig.open_order()
    _begin(rig)
    rig.tell("ws2", rejected(rig.last("ws2").request_id, 3, RejectReason.INTERNAL))
    rig.run(999)
    assert rig.sent("rest") == []
    rig.run(1_010)
    assert rig.sent("ws2") == ["AddOrder", "CancelOrder", "CancelOrder"]
    assert rig.sent("rest") == ["CancelOrder"]


def test_a_cancel_that_is_on_its_way_is_not_sent_twice_in_the_first_round() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.cancel("a")
    _begin(rig)
    assert rig.sent("ws2") == ["AddOrder", "CancelOrder"]


def test_it_goes_on_while_no_link_is_up_and_cancels_when_one_is_again() -> None:
    rig = Rig()
    rig.open_order()
    rig.drop("ws2")
    rig.drop("rest")
    standstill, proofs = _begin(rig)
    rig.run(10_000)
    assert proofs == []
    assert standstill.left() == ["order a (BTC/USD, open)"]
    rig.up("rest")
    rig.run(11_100)
    assert "CancelOrder" in rig.sent("rest")


def test_a_new_order_of_unknown_fate_stands_in_the_way_of_a_proof() -> None:
    rig = Rig()
    rig.desk.submit(add_order("a"))
    rig.drop("ws2")
    standstill, proofs = _begin(rig)
    rig.run(300)
    if rig.sent("rest") and rig.sent("rest")[-1] == "QueryOrders":
        _answer(rig, 300)
    assert proofs == []
    assert standstill.left() == ["order a (BTC/USD, unknown)"]


def test_of_the_account_all_links_that_can_cancel_everything_at_once() -> None:
    rig = Rig()
    rig.open_order()
    _begin(rig, Scope.ACCOUNT)
    assert rig.sent("ws2") == ["AddOrder", "CancelAll"]
    assert rig.sent("rest") == ["CancelAll"]


def test_orders_that_are_not_the_desks_are_in_the_way_of_the_accounts_proof_only() -> None:
    stranger = status(order_id="OTHER", cl_ord_id="theirs")
    for scope, is_proved in ((Scope.OWN, True), (Scope.ACCOUNT, False)):
        rig = Rig()
        standstill, proofs = _begin(rig, scope)
        rig.run(300)
        _answer(rig, 300, stranger)
        assert bool(proofs) is is_proved
        assert ("order OTHER, which is not this desk's" in standstill.left()) is not is_proved


def test_the_account_is_proved_when_the_strangers_are_gone_too() -> None:
    rig = Rig()
    _, proofs = _begin(rig, Scope.ACCOUNT)
    rig.run(300)
    _answer(rig, 300, status(order_id="OTHER", cl_ord_id="theirs"))
    rig.run(1_100)
    assert rig.sent("ws2")[-1] == "CancelAll"
    rig.tell("ws2", accepted(rig.last("ws2").request_id, 1_101))
    query = next(command for command in reversed(rig.links["rest"].sent) if isinstance(command, QueryOrders))
    rig.tell("rest", snapshot(1_102, request_id=query.request_id))
    assert len(proofs) == 1


# ------------------------------------------------------------------------------------------------- many orders


def _open_many(rig: Rig, count: int, link: str) -> None:
    for number in range(count):
        rig.desk.submit(add_order(f"o{number}"))
        rig.tell(link, accepted(rig.last(link).request_id, 1, f"O{number}"))
    rig.links[link].sent.clear()


def test_many_orders_are_canceled_in_as_few_requests_as_there_can_be() -> None:
    """rest-api/cancel-order-batch: up to 50 in one; guides/spot-ratelimits: let in over the limit, too."""
    rig = Rig(REST_POLLED)
    _open_many(rig, 60, "rest")
    _begin(rig)
    assert rig.sent("rest") == ["CancelBatch", "CancelBatch"]
    first, second = rig.links["rest"].sent
    assert isinstance(first, CancelBatch)
    assert isinstance(second, CancelBatch)
    assert [*first.cl_ord_ids, *second.cl_ord_ids] == [f"o{number}" for number in range(60)]


def test_single_cancels_keep_to_the_pace_at_which_the_counter_falls() -> None:
    """guides/spot-ratelimits: a single cancel of an order that is seconds old costs 8 of 125 points, 2.34 a second."""
    rig = Rig(DeskPolicy(submit="fix", amend="fix", cancel=("fix",), news="fix"))
    _open_many(rig, 60, "fix")
    _begin(rig)
    in_first_round = len(rig.sent("fix"))
    assert 60 + 8 * (in_first_round - 1) <= 125 + 8
    rig.run(4_900)  # one in each of four rounds, and one that 11 points make room for
    assert in_first_round < len(rig.sent("fix")) <= in_first_round + 4 + 2
    named = [command.cl_ord_id for command in rig.links["fix"].sent if isinstance(command, CancelOrder)]
    assert len(set(named)) > in_first_round  # they take turns


def test_orders_are_canceled_one_by_one_now_and_then_should_a_batch_be_refused_for_one_of_them() -> None:
    rig = Rig(REST_POLLED)
    _open_many(rig, 2, "rest")
    _begin(rig)
    rig.run(3_500)
    sent = [name for name in rig.sent("rest") if name.startswith("Cancel")]
    assert sent == ["CancelBatch", "CancelBatch", "CancelOrder", "CancelOrder", "CancelBatch"]
