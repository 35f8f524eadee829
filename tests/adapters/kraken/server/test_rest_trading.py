"""Orders over REST in their finer points (rest-api, Trading)."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kraken.server.rest.gateway import RestGateway
from framework.protocol import LatencySpec
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec
from tests.adapters.kraken.server.rest_rig import Rest, envelope
from tests.framework.venue.served.served_rig import START

LIMIT = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "100.1", "volume": "0.5"}
MS = 1_000_000


def slow(**options: Any) -> Rest:
    latency = compile_latency(LatencySpec(kind="constant", median_us=5_000.0))
    return Rest(roads={"rest": RoadSpec(command=latency, response=latency)}, **options)


# ------------------------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"price": "9" * 25}, "EOrder:Invalid price"),
        ({"price": "9" * 400}, "EGeneral:Invalid arguments:price"),
        ({"price": "+-5"}, "EGeneral:Invalid arguments:price"),
        ({"price": "5%"}, "EGeneral:Invalid arguments:price"),
        ({"price": "100.1000000000000000000000000000001"}, "EOrder:Tick size check failed"),
        ({"volume": "0.5000000000000000000000000000001"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "\u0663"}, "EGeneral:Invalid arguments:volume"),
        ({"userref": "2147483648"}, "EGeneral:Invalid arguments:userref"),
        ({"expiretm": "999999999999"}, "EGeneral:Invalid arguments:expiretm"),
        ({"close[price]": "101"}, "EGeneral:Invalid arguments:close[ordertype]"),
        ({"ordertype": "settle-position"}, "EOrder:Unknown position"),
        ({"ordertype": "trailing-stop", "price": "+0.15"}, "EOrder:Tick size check failed"),
        ({"ordertype": "trailing-stop", "price": "5"}, "EGeneral:Invalid arguments:price"),
        ({"ordertype": "iceberg", "displayvol": "0.01"}, "EGeneral:Invalid arguments:displayvol"),
        ({"ordertype": "stop-loss", "price": "90", "trigger": "index"}, "EGeneral:Invalid arguments:Index unavailable"),
        ({"timeinforce": "FOK", "ordertype": "market"}, "EGeneral:Invalid arguments"),
        ({"volume": "0.00009"}, "EGeneral:Invalid arguments:volume"),
        ({"reduce_only": "true"}, "EOrder:Reduce only:No position exists"),
    ],
)
def test_what_an_order_may_not_say(change: dict[str, str], error: str) -> None:
    rest = Rest()
    assert rest.error("AddOrder", **{**LIMIT, **change}) == error
    rest.host.venue.check_invariants()


def test_a_cl_ord_id_is_used_by_one_open_order_only() -> None:
    rest = Rest()
    rest.add(cl_ord_id="mine")
    assert rest.error("AddOrder", **LIMIT, cl_ord_id="mine") == "EGeneral:Invalid arguments:cl_ord_id"
    rest.add(account=1, cl_ord_id="mine")


# --------------------------------------------------------------------------------------------------------------- batch


@pytest.mark.parametrize("count", [0, 1, 16])
def test_a_batch_has_two_to_fifteen_orders(count: int) -> None:
    item = {"ordertype": "limit", "type": "buy", "price": "100.0", "volume": "0.01"}
    rest = Rest()
    assert rest.error("AddOrderBatch", is_json=True, pair="XBTUSD", orders=[item] * count) == (
        "EGeneral:Invalid arguments"
    )


def test_a_batch_with_an_order_that_makes_no_sense_is_refused_whole() -> None:
    item = {"ordertype": "limit", "type": "buy", "price": "100.0", "volume": "0.01"}
    rest = Rest()
    orders = [item, {**item, "price": "100.05"}]
    assert rest.error("AddOrderBatch", is_json=True, pair="XBTUSD", orders=orders) == "EOrder:Tick size check failed"
    assert rest.result("OpenOrders")["open"] == {}


def test_a_batch_may_be_written_as_a_form() -> None:
    rest = Rest()
    fields = {}
    for number in range(2):
        for name, value in {"ordertype": "limit", "type": "buy", "price": "100.0", "volume": "0.01"}.items():
            fields[f"orders[{number}][{name}]"] = value
    assert len(rest.result("AddOrderBatch", pair="XBTUSD", **fields)["orders"]) == 2


def test_a_batch_that_is_only_checked_has_no_ids() -> None:
    item = {"ordertype": "limit", "type": "buy", "price": "100.0", "volume": "0.01"}
    rest = Rest()
    result = rest.result("AddOrderBatch", is_json=True, pair="XBTUSD", orders=[item, item], validate=True)
    assert result["orders"] == [{"descr": {"order": "buy 0.01000000 XBTUSD @ limit 100.0"}}] * 2
    assert rest.result("OpenOrders")["open"] == {}


# ---------------------------------------------------------------------------------------------------------------- edit


def test_an_edit_keeps_the_flags_but_post_and_drops_the_old_reference() -> None:
    rest = Rest()
    txid = rest.add(price="99", userref="3", oflags="fciq,post")
    edited = rest.result("EditOrder", txid=txid, pair="XBTUSD", price="98", userref="4")
    assert (edited["newuserref"], edited["olduserref"], edited["orders_cancelled"]) == ("4", "3", 1)
    shown = rest.result("OpenOrders")["open"][edited["txid"]]
    assert (shown["userref"], shown["oflags"], shown["descr"]["price"]) == (4, "fciq", "98.0")
    again = rest.result("EditOrder", txid=edited["txid"], pair="XBTUSD", price="97", oflags="post")
    shown = rest.result("OpenOrders")["open"][again["txid"]]
    assert (shown["userref"], shown["oflags"]) == (0, "post,fciq")


def test_an_edit_that_is_only_checked_tells_what_it_would_make_and_leaves_the_order() -> None:
    rest = Rest()
    txid = rest.add(price="99", volume="0.5")
    result = rest.result("EditOrder", txid=txid, pair="XBTUSD", price="98", volume="0.4", validate="true")
    assert "txid" not in result
    assert (result["price"], result["volume"], result["orders_cancelled"]) == ("98.0", "0.40000000", 0)
    assert list(rest.result("OpenOrders")["open"]) == [txid]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"txid": "OAAAAA-AAAAA-AAAAAA"}, "EOrder:Unknown order"),
        ({"txid": "77"}, "EOrder:Unknown order"),
        ({"txid": "5"}, "EOrder:Invalid order"),
        ({"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ({"oflags": "viqc"}, "EGeneral:Invalid arguments:oflags"),
        ({"deadline": "soon"}, "EGeneral:Invalid arguments:deadline"),
    ],
)
def test_what_an_edit_may_not_say(fields: dict[str, str], error: str) -> None:
    rest = Rest()
    txid = rest.add(price="99", userref="5")
    rest.add(price="98", userref="5")
    assert rest.error("EditOrder", **{"txid": txid, "pair": "XBTUSD", "price": "97", **fields}) == error


def test_an_order_with_a_client_id_is_amended_not_edited() -> None:
    rest = Rest()
    txid = rest.add(price="99", cl_ord_id="mine")
    assert rest.error("EditOrder", txid=txid, pair="XBTUSD", price="98") == "EGeneral:Invalid arguments:edit"
    rest.result("AmendOrder", cl_ord_id="mine", limit_price="98")


# -------------------------------------------------------------------------------------------------------------- cancel


def test_references_that_nobody_has_are_passed_over_in_a_batch_of_cancels() -> None:
    rest = Rest()
    txid = rest.add(price="99", userref="5")
    orders = [5, 77, "OAAAAA-AAAAA-AAAAAA"]
    assert rest.result("CancelOrderBatch", is_json=True, orders=orders) == {"count": 1}
    assert rest.result("QueryOrders", txid=txid)[txid]["status"] == "canceled"


@pytest.mark.parametrize("references", [[], [str(number) for number in range(51)]])
def test_a_batch_of_cancels_names_one_to_fifty_orders(references: list[str]) -> None:
    assert Rest().error("CancelOrderBatch", is_json=True, orders=references) == "EGeneral:Invalid arguments:orders"


@pytest.mark.parametrize(
    ("timeout", "error"),
    [
        ("86400", "EGeneral:Invalid timeout argument:above max"),
        ("-1", "EGeneral:Invalid arguments:timeout"),
        ("x", "EGeneral:Invalid arguments:timeout"),
        ("", "EGeneral:Invalid arguments:timeout"),
    ],
)
def test_the_dead_mans_switch_is_for_less_than_a_day(timeout: str, error: str) -> None:
    assert Rest().error("CancelAllOrdersAfter", timeout=timeout) == error


def test_a_cancel_names_an_order_in_one_way() -> None:
    rest = Rest()
    assert rest.error("CancelOrder") == "EGeneral:Invalid arguments:txid"
    assert rest.error("CancelOrder", txid="1", cl_ord_id="a") == "EGeneral:Invalid arguments:txid"
    assert rest.error("CancelOrder", txid="9" * 5000) == "EGeneral:Invalid arguments:txid"
    assert rest.error("CancelOrder", cl_ord_id="a") == "EOrder:Unknown order"


# ------------------------------------------------------------------------------------------------------- what is where


def test_a_change_finds_an_order_that_was_on_its_way_when_it_was_sent() -> None:
    rest = slow()
    adds = rest.send(rest.request("AddOrder", {**LIMIT, "price": "99", "cl_ord_id": "mine"}))
    rest.host.run_until(START + MS)
    amends = rest.send(rest.request("AmendOrder", {"cl_ord_id": "mine", "limit_price": "98"}))
    cancels = rest.send(rest.request("CancelOrder", {"cl_ord_id": "mine"}))
    rest.host.run_until(START + 20 * MS)
    assert [envelope(each[0])["error"] for each in (adds, amends, cancels)] == [[], [], []]


def test_an_unknown_order_is_told_after_both_ways() -> None:
    rest = slow()
    answers = rest.send(rest.request("CancelOrder", {"txid": "77"}))
    rest.host.run_until(START + 10 * MS - 1)
    assert answers == []
    rest.host.run_until(START + 10 * MS)
    assert envelope(answers[0]) == {"error": ["EOrder:Unknown order"]}


def test_answers_find_their_requests_whatever_came_between() -> None:
    rest = slow()
    sent = [rest.send(rest.request("AddOrder", {**LIMIT, "price": str(90 + number)})) for number in range(8)]
    rest.host.run_until(START + 20 * MS)
    lines = [envelope(answer[0])["result"]["descr"]["order"] for answer in sent]
    assert lines == [f"buy 0.50000000 XBTUSD @ limit {90 + number}.0" for number in range(8)]


def test_nothing_is_left_waiting_once_all_is_answered() -> None:
    rest = Rest()
    rest.add()
    rest.error("AddOrder", **{**LIMIT, "volume": "5000"})
    assert isinstance(rest.gateway, RestGateway)
    assert rest.gateway.waiting_count == 0


def test_a_deadline_is_counted_from_the_sending_and_judged_when_the_request_arrives() -> None:
    """rest-api/add-order, "deadline": 2 to 60 seconds ahead."""
    latency = compile_latency(LatencySpec(kind="constant", median_us=1_500_000.0))
    rest = Rest(roads={"rest": RoadSpec(command=latency)})
    answers = [
        rest.send(rest.request("AddOrder", {**LIMIT, "deadline": f"2027-01-15T08:00:0{second}Z"}))
        for second in ("1", "1.2", "2", "3")
    ]
    rest.host.run_until(START + 4_000 * MS)
    assert [envelope(answer)["error"] for (answer,) in answers] == [
        ["EGeneral:Invalid arguments:deadline"],
        ["EGeneral:Invalid arguments:deadline"],
        [],
        [],
    ]
    far = compile_latency(LatencySpec(kind="constant", median_us=2_500_000.0))
    rest = Rest(roads={"rest": RoadSpec(command=far)})
    late = rest.send(rest.request("AddOrder", {**LIMIT, "deadline": "2027-01-15T08:00:02Z"}))
    rest.host.run_until(START + 4_000 * MS)
    assert envelope(late[0])["error"] == ["EService:Deadline elapsed"]
