"""Routes by configuration: primary and fallback, shared load, news of several roads, and the venue's own counter."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from framework.errors import ConfigError
from framework.execution.policy import DeskPolicy
from framework.execution.routes import Spread, route_steps
from framework.messages import AddOrder, AmendOrder, CancelOrder, QueryOrders, RateCount
from framework.protocol import POINT
from tests.framework.execution.desk_rig import SYMBOL, Rig, accepted, add_order, at, trade

BOTH = DeskPolicy(
    submit="ws2 + fix, then rest",
    amend="ws2 + fix, then rest",
    cancel=("fix", "ws2", "rest"),
    news="ws2 + fix",
    query="rest",
)
PRIMARY = replace(BOTH, submit="fix, then ws2", amend="fix, then ws2")


def sent(rig: Rig, kind: type = AddOrder) -> list[str]:
    """The links by which commands of a kind went, in order."""
    return [link for link, command, _ in rig.notes.commands if isinstance(command, kind)]


def accept(rig: Rig, cl_ord_id: str, order_id: str) -> None:
    """The venue answers a new order."""
    record = rig.desk.orders[cl_ord_id]
    (request_id,) = [
        command.request_id
        for _, command, _ in rig.notes.commands
        if isinstance(command, AddOrder) and command.cl_ord_id == cl_ord_id
    ]
    rig.tell(record.owner_link, accepted(request_id, 1, order_id))


def fill(rig: Rig, order_id: str, exec_id: str, lots: int, cum_lots: int, link: str) -> None:
    """A link tells of a fill."""
    rig.tell(link, trade(2, exec_id, lots, cum_lots, order_id=order_id))


# ------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("fix", (("fix",),)),
        ("fix, then ws2", (("fix",), ("ws2",))),
        ("fix, ws2", (("fix",), ("ws2",))),
        ("ws2 + fix, then rest", (("ws2", "fix"), ("rest",))),
    ],
)
def test_a_route_is_steps_of_links_that_share_them(text: str, steps: Any) -> None:
    assert route_steps("submit", text) == steps


@pytest.mark.parametrize("text", ["", "fix,", "fix + ", "fix ws2", "fix, then fix", "ws2 + ws2"])
def test_a_route_that_is_none_is_refused_by_its_key(text: str) -> None:
    with pytest.raises(ConfigError, match="submit = "):
        replace(BOTH, submit=text)


def test_news_has_no_fallback_for_it_is_merged() -> None:
    with pytest.raises(ConfigError, match="merged"):
        replace(BOTH, news="ws2, then fix")


def test_the_links_of_a_policy_are_those_of_all_its_routes_each_once() -> None:
    assert BOTH.link_names() == ("ws2", "fix", "rest")


# ------------------------------------------------------------------------------------------------- primary and fallback


def test_the_fallback_is_taken_while_the_primary_is_down_and_no_longer() -> None:
    rig = Rig(PRIMARY)
    rig.desk.submit(add_order("a"))
    rig.drop("fix")
    rig.desk.submit(add_order("b"))
    rig.up("fix")
    rig.desk.submit(add_order("c"))
    assert sent(rig) == ["fix", "ws2", "fix"]
    assert rig.desk.orders["b"].owner_link == "ws2"


def test_an_order_whose_fate_is_unknown_is_not_sent_by_the_fallback_but_asked_for() -> None:
    rig = Rig(PRIMARY)
    rig.desk.submit(add_order("a"))
    rig.drop("fix")
    rig.run(30_000)
    assert sent(rig) == ["fix"]
    assert sent(rig, QueryOrders)


def test_with_no_link_of_the_route_up_an_order_is_denied_by_the_name_of_the_first() -> None:
    rig = Rig(PRIMARY)
    rig.drop("fix")
    rig.drop("ws2")
    rig.desk.submit(add_order("a"))
    assert rig.listener.heard[-1] == ("denied", "a", "link 'fix' is down")


def test_via_is_taken_as_it_is_given() -> None:
    rig = Rig(PRIMARY)
    rig.desk.submit(add_order("a"), via="rest")
    assert sent(rig) == ["rest"]


def test_a_change_takes_a_road_that_reaches_the_order() -> None:
    """A FIX session amends its own orders only; that of another road goes by the fallback (fix-api/amend-order)."""
    rig = Rig(PRIMARY)
    rig.desk.submit(add_order("a"), via="ws2")
    rig.desk.submit(add_order("b"))
    accept(rig, "a", "O1")
    accept(rig, "b", "O2")
    for name in ("a", "b"):
        rig.desk.amend(name, qty_lots=5)
    assert sent(rig, AmendOrder) == ["ws2", "fix"]


# ------------------------------------------------------------------------------------------------- sharing the load


def test_round_robin_takes_turns_and_leaves_out_what_is_down() -> None:
    rig = Rig(replace(BOTH, spread=Spread.ROUND_ROBIN))
    for name in "abcd":
        rig.desk.submit(add_order(name))
    rig.drop("ws2")
    rig.desk.submit(add_order("e"))
    rig.drop("fix")
    rig.desk.submit(add_order("f"))
    assert sent(rig) == ["ws2", "fix", "ws2", "fix", "fix", "rest"]


def test_the_least_loaded_has_the_fewest_requests_without_an_answer() -> None:
    rig = Rig(BOTH)
    rig.desk.submit(add_order("a"))
    rig.desk.submit(add_order("b"))
    rig.desk.submit(add_order("c"))  # equal again: the first
    accept(rig, "b", "O2")
    rig.desk.submit(add_order("d"))
    assert sent(rig) == ["ws2", "fix", "ws2", "fix"]


def test_cancels_go_by_reach_whichever_road_an_order_took() -> None:
    rig = Rig(replace(BOTH, spread=Spread.ROUND_ROBIN))
    for number, name in enumerate("ab"):
        rig.desk.submit(add_order(name))
        accept(rig, name, f"O{number}")
    for name in "ab":
        rig.desk.cancel(name)
    assert sent(rig, CancelOrder) == ["ws2", "fix"]


# ------------------------------------------------------------------------------------------------- news


def test_a_fill_that_two_roads_tell_is_had_once_whichever_is_first() -> None:
    rig = Rig(BOTH)
    rig.desk.submit(add_order("a"), via="fix")
    accept(rig, "a", "O1")
    for link in ("ws2", "fix"):
        fill(rig, "O1", "T1", 4, 4, link)
    for link in ("fix", "ws2"):
        fill(rig, "O1", "T2", 6, 10, link)
    assert [heard for heard in rig.listener.heard if heard[0] == "filled"] == [
        ("filled", "a", "T1", 4),
        ("filled", "a", "T2", 6),
    ]


def test_nothing_is_polled_while_one_of_the_roads_tells_of_the_order() -> None:
    rig = Rig(BOTH)
    rig.desk.submit(add_order("a"), via="fix")
    accept(rig, "a", "O1")
    rig.drop("ws2")
    rig.run(20_000)
    before = len(sent(rig, QueryOrders))
    rig.run(60_000)
    assert len(sent(rig, QueryOrders)) == before
    rig.drop("fix")
    rig.run(100_000)
    assert len(sent(rig, QueryOrders)) > before


# ------------------------------------------------------------------------------------------------- one budget


def test_all_roads_spend_one_budget() -> None:
    rig = Rig(replace(BOTH, spread=Spread.ROUND_ROBIN), tier="pro")
    for number in range(6):
        rig.desk.submit(add_order(f"a{number}"))
    assert set(sent(rig)) == {"ws2", "fix"}
    assert rig.budget.used_share(SYMBOL, rig.clock.now_ns) == pytest.approx(6 / 180)


def test_what_the_venue_publishes_raises_the_counter_as_it_has_fallen_since_and_never_lowers_it() -> None:
    """Somebody else trades with the account: 50 points at the venue, of which a second takes 2.34."""
    rig = Rig(BOTH)
    rig.run(1_000)
    now_ns = rig.clock.now_ns
    rig.tell("ws2", RateCount(ts_venue_ns=now_ns - 1_000_000_000, symbol=SYMBOL, points=50 * POINT))
    assert rig.budget.used_share(SYMBOL, now_ns) == pytest.approx((50 - 2.34) / 125)
    rig.tell("fix", RateCount(ts_venue_ns=now_ns, symbol=SYMBOL, points=3 * POINT))
    assert rig.budget.used_share(SYMBOL, now_ns) == pytest.approx((50 - 2.34) / 125)


def test_an_order_is_denied_by_what_the_venue_has_published() -> None:
    rig = Rig(BOTH)
    rig.tell("ws2", RateCount(ts_venue_ns=rig.clock.now_ns, symbol=SYMBOL, points=120 * POINT))
    rig.desk.submit(add_order("a"))
    assert rig.listener.heard[-1][0] == "denied"
    assert "rate budget of BTC/USD" in rig.listener.heard[-1][2]


def test_a_counter_from_ahead_of_our_clock_is_taken_as_of_now() -> None:
    rig = Rig(BOTH)
    rig.tell("ws2", RateCount(ts_venue_ns=at(9_000_000), symbol=SYMBOL, points=10 * POINT))
    assert rig.budget.used_share(SYMBOL, rig.clock.now_ns) == pytest.approx(10 / 125)
