"""Deadlines of commands over the wire: rest-api/amend-order, websocket-v2/add_order, fix-api/nos-fix (tag 62)."""

from __future__ import annotations

import pytest

from framework.execution.policy import DeskPolicy
from tests.adapters.kraken.client.stage import BTC, WireDesk
from tests.framework.execution.desk_rig import add_order


@pytest.mark.parametrize(("name", "least_ms"), [("rest", 2_500), ("ws2", 1_000), ("fix", 2_500)])
def test_the_least_deadline_is_one_that_the_venue_still_takes_when_the_command_arrives(
    name: str, least_ms: int
) -> None:
    desk = WireDesk(DeskPolicy(submit=name, amend=name, cancel=(name,), news=name, query="rest", deadline_ms=1))
    before_ns = desk.host.now_ns
    record = desk.desk.submit(add_order("a", BTC, 990))
    assert desk.notes.commands[-1][1].deadline_ns == before_ns + least_ms * 10**6
    desk.run(200)
    assert record.order_id is not None
