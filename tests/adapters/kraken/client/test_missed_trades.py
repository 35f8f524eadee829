"""Trades that were missed are asked for over REST, whatever news came after them.

Pages: websocket-v2/executions and fix-api/er-fix (cumulative quantities), rest-api/get-trade-history.
"""

from __future__ import annotations

from adapters.kraken.client.order_memory import OrderMemory
from framework.execution.policy import DeskPolicy
from framework.protocol import BUY, SELL, OrderType
from tests.adapters.kraken.client.stage import BTC, WireDesk
from tests.framework.execution.desk_rig import add_order


def test_a_trade_counts_as_told_only_where_none_before_it_is_missing() -> None:
    memory = OrderMemory()
    known = memory.sent(add_order("1", 10), None)
    memory.told(known, 2, 2)
    memory.told(known, 3, 8)
    assert known.cum_lots == 2
    memory.told(known, 3, 5)
    memory.told(known, 3, 5)
    assert known.cum_lots == 5


def test_an_order_that_has_ended_with_trades_missing_is_live_to_polls() -> None:
    memory = OrderMemory()
    known = memory.found("O1", "1", "BTC/USD", BUY, OrderType.LIMIT)
    memory.told(known, 2, 2)
    memory.over(known, 5)
    assert list(memory.live()) == [known]
    memory.told(known, 3, 5)
    memory.over(known, 5)
    assert list(memory.live()) == []


def test_a_trade_that_was_missed_is_told_by_a_poll_though_a_later_one_and_the_end_were_heard() -> None:
    policy = DeskPolicy(
        submit="ws2",
        amend="ws2",
        cancel=("ws2",),
        news="ws2",
        query="rest",
        answer_timeout_ms=500,
        reconnect_delay_ms=0,
    )
    desk = WireDesk(policy)
    desk.add("1", 10, 1_000, SELL)
    desk.desk.query()
    desk.run(5_000)
    desk.lose_answers("ws2", is_lost=True)
    desk.trade_against(BUY, 1_000, 1)
    desk.lose_answers("ws2", is_lost=False)
    desk.cut("ws2")
    while not desk.links["ws2"].is_up:
        desk.run(1)
    desk.lose_answers("rest", is_lost=True)
    desk.trade_against(BUY, 1_000, 2)
    desk.desk.cancel("1")
    desk.run(100)
    desk.lose_answers("rest", is_lost=False)
    desk.run(60_000)
    assert desk.desk.orders["1"].cum_lots == sum(row[3] for row in desk.heard if row[0] == "filled")
    assert ("canceled", "1") in desk.heard
    assert desk.desk.orders["1"].cum_lots >= 3 * BTC


def test_terms_that_are_older_than_those_known_are_not_taken_over_whichever_road_tells_them() -> None:
    """A poll that left before an amend may be read after its news; WebSocket tells a trade without quantity and price,
    so what it shows would be that of before. FIX tells times to the millisecond, within which the last told is newer.
    """
    known = OrderMemory().found("O1", "1", "BTC/USD", BUY, OrderType.LIMIT)
    assert known.takes_terms(5_000_400_000)
    assert not known.takes_terms(4_999_999_999)
    assert known.takes_terms(5_000_000_000)
    assert known.takes_terms(6_000_000_000)


def test_terms_that_a_poll_shows_are_taken_over_only_where_they_are_of_a_later_millisecond() -> None:
    """What it shows may have been read before the change whose news has come, however it was dated."""
    known = OrderMemory().found("O1", "a", "BTC/USD", BUY, OrderType.LIMIT)
    assert known.takes_terms(5_000_400_000)
    assert not known.takes_terms(5_000_900_000, is_news=False)
    assert known.takes_terms(5_001_000_000, is_news=False)
