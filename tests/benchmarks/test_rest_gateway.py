"""What the REST gateway costs by itself: an AddOrder from path and body to the envelope, less what the venue costs.

The same orders go to two venues, through the gateway and straight to the host, in turns; what is printed is the median
of the batches on one core, garbage collection on. Targets: 80 us an order in the gateway; 3,000 orders a second leave
333 us for gateway, venue and HTTP together. Nothing fails for being slow.
"""

from __future__ import annotations

import statistics
import time

import pytest

from adapters.kraken.server.http import HttpResponse
from adapters.kraken.server.orders import add_order
from framework.messages import CancelAll
from tests.adapters.kraken.server.rest_rig import Rest
from tests.framework.venue.served.served_rig import SECOND, Client

pytestmark = pytest.mark.benchmark

BATCHES = 60
BATCH = 100
FIELDS = {
    "pair": "XBTUSD",
    "type": "buy",
    "ordertype": "limit",
    "volume": "0.001",
    "timeinforce": "GTC",
    "oflags": "post",
}


def test_what_an_order_costs_the_gateway() -> None:
    rest, straight = Rest(), Rest()
    client = Client(straight.host, "rest")
    pair = straight.context.pairs.wanted("XBTUSD")
    through_us, venue_us = [], []
    for batch in range(BATCHES):
        fields = [
            {**FIELDS, "price": f"9{number % 10}.{number % 7}", "userref": str(number)} for number in range(BATCH)
        ]
        for side in (rest, straight):
            side.host.run_until(side.host.now_ns + 600 * SECOND)
        requests = [rest.request("AddOrder", each) for each in fields]
        answers: list[HttpResponse] = []
        began = time.perf_counter_ns()
        for request in requests:
            rest.gateway.handle(request, answers.append)
        through_us.append((time.perf_counter_ns() - began) / BATCH / 1e3)
        assert all(answer.body.startswith(b'{"error":[],') for answer in answers)
        commands = [
            add_order(
                each,
                pair,
                straight.host.next_request_id(),
                straight.host.now_ns,
                None,
                None,
                is_validate_only=False,
            )
            for each in fields
        ]
        began = time.perf_counter_ns()
        for command in commands:
            straight.host.submit(client.line_id, command)
        venue_us.append((time.perf_counter_ns() - began) / BATCH / 1e3)
        assert len(straight.host.records.orders_open("a0")) == BATCH, batch
        rest.result("CancelAll")
        straight.host.submit(client.line_id, CancelAll(request_id=straight.host.next_request_id()))
        client.heard.clear()
    through, venue = statistics.median(through_us), statistics.median(venue_us)
    print(
        f"\nREST AddOrder: {through:.0f} us through the gateway, {venue:.0f} us of it the host and the venue: "
        f"{through - venue:.0f} us the gateway's own (target 80)"
    )
