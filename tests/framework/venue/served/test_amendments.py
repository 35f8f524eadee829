"""Orders and their terms over time (rest-api/get-order-amends)."""

from __future__ import annotations

from framework.messages import AmendOrder
from framework.protocol import BUY, LatencySpec
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec
from tests.framework.venue.served.served_rig import SECOND, START, TRADING, Client, host, order


def test_an_order_that_was_never_amended_has_the_terms_that_it_was_entered_with() -> None:
    served = host()
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, 1000, 7, "one"))
    account = served.venue.accounts["a0"]
    (terms,) = served.records.amendments.of(account.order_by_cl_ord_id["one"])
    assert (terms.request_id, terms.ts_ns, terms.qty_lots, terms.remaining_lots, terms.limit_ticks) == (
        None, START, 7, 7, 1000)  # fmt: skip


def test_each_amend_adds_the_terms_from_then_on() -> None:
    served = host()
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, 1000, 7, "one"))
    served.run_until(START + SECOND)
    served.submit(client.line_id, AmendOrder(request_id=91, cl_ord_id="one", qty_lots=5))
    served.run_until(START + 2 * SECOND)
    served.submit(client.line_id, AmendOrder(request_id=92, cl_ord_id="one", limit_ticks=999, is_post_only=True))
    found = served.records.amendments.of(served.venue.accounts["a0"].order_by_cl_ord_id["one"])
    assert [(each.request_id, (each.ts_ns - START) // SECOND, each.qty_lots, each.limit_ticks) for each in found] == [
        (None, 0, 7, 1000), (91, 1, 5, 1000), (92, 2, 5, 999)]  # fmt: skip
    assert [each.is_post_only for each in found] == [False, False, True]


def test_an_amend_that_is_refused_adds_nothing() -> None:
    served = host()
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, 1000, 7, "one"))
    served.submit(client.line_id, AmendOrder(request_id=91, cl_ord_id="one", qty_lots=10**12))
    served.submit(client.line_id, AmendOrder(request_id=92, cl_ord_id="nobody", qty_lots=1))
    assert len(served.records.amendments.of(served.venue.accounts["a0"].order_by_cl_ord_id["one"])) == 1


def test_what_is_not_filled_is_told_as_of_the_amend() -> None:
    served = host(TRADING)
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, 999, 50, "one"))
    served.run_until(START + 2 * SECOND)  # 30 lots of it are filled
    served.submit(client.line_id, AmendOrder(request_id=91, cl_ord_id="one", qty_lots=60))
    found = served.records.amendments.of(served.venue.accounts["a0"].order_by_cl_ord_id["one"])
    assert [each.remaining_lots for each in found] == [50, 30]


def test_an_amend_that_arrives_after_its_line_was_dropped_is_carried_out() -> None:
    latency = compile_latency(LatencySpec(kind="constant", median_us=1_000.0))
    served = host(roads={"rest": RoadSpec(command=latency)})
    client = Client(served, "rest")
    served.submit(client.line_id, order(served, BUY, 1000, 7, "one"))
    served.run_until(START + SECOND)
    served.submit(client.line_id, AmendOrder(request_id=91, cl_ord_id="one", qty_lots=5))
    served.drop_line(client.line_id)
    served.run_until(START + 2 * SECOND)
    assert served.venue.accounts["a0"].order_by_cl_ord_id["one"].qty_lots == 5
