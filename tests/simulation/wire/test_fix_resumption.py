"""A live run over FIX that begins after a crash resumes the session: what it missed is replayed, and counted once.

fix-api/logon-fix, tag 141: without a reset the venue sends again what was missed; numbers begin anew at the rollover,
22:00 UTC (guides/fix-intro, Hours of Operation).
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from adapters.fix.codec import Framer, Message, decode
from adapters.fix.settings import LogonRefusedError
from framework.data.columns import TRADE
from framework.live.records import Filled
from framework.protocol import BUY, SELL
from tests.simulation.stage import BID, BTC, Row, level
from tests.simulation.wire.lives import FIRST_S, Leaver, Lives
from tests.simulation.wire.network import MS, SECOND, Connection
from tests.simulation.wire.trader_end import COMP_ID
from tests.simulation.wire.world import World

LOTS = BTC // 100
# 2026-01-05, 22:00 UTC.
_ROLLOVER_NS = 1_767_650_400 * SECOND
# The market goes down while nobody is there, and what was left at 990 is filled in two parts.
DOWN: list[Row] = [level(5.0, BUY, ticks, lots) for ticks, lots in ((BID, 0), (BID - 1, 0), (BID - 50, 0), (980, BTC))]
MISSED: list[Row] = [*DOWN, *((8.0 + 0.001 * part, TRADE, SELL, 990, LOTS // 4) for part in (1, 2))]


def leave(strategy: Any) -> None:
    """A bid that is filled later, and one that is not."""
    strategy.buy(strategy.pair, LOTS, 990)
    strategy.buy(strategy.pair, LOTS, 900)


class Listener:
    """What each end writes over FIX from the second life on."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Message]] = []

    def begin(self, world: World) -> None:
        self.framers: dict[tuple[str, str], Framer] = {}

        def listen(connection: Connection, way: str, data: bytes) -> None:
            if connection.service.name == "fix":
                framer = self.framers.setdefault((connection.name, way), Framer())
                self.messages += [(way, decode(each)) for each in framer.feed(data)]

        world.on_wire.append(listen)

    def logons(self) -> list[bool]:
        """Whether each of ours asks for a reset."""
        return [each.is_set(141) for way, each in self.messages if way == "up" and each.msg_type == b"A"]

    def replayed(self) -> int:
        """Reports that the venue has sent again."""
        return sum(way == "down" and each.msg_type == b"8" and each.is_set(43) for way, each in self.messages)


def lived(between: Any = None, **given: Any) -> tuple[Lives, Listener]:
    listener = Listener()

    def begin(world: World) -> None:
        listener.begin(world)
        if between is not None:
            between(world)

    return Lives(Leaver(leave), Leaver(lambda strategy: None), MISSED, "fix", between=begin, **given), listener


def fills(lives: Lives) -> list[Filled]:
    return [record for record in lives.world.end.records() if isinstance(record, Filled)]


def road_events(lives: Lives) -> list[str]:
    """The road's events of the second life, as they were written down."""
    return [type(event).__name__ for event in lives.world.notes.events]


def test_what_was_missed_is_replayed_and_counted_once() -> None:
    lives, listener = lived()
    assert listener.logons() == [False]
    assert listener.replayed() == 2
    counted = Counter(fill.exec_id for fill in fills(lives))
    assert len(counted) == 2
    assert set(counted.values()) == {1}
    assert sum(fill.lots for fill in fills(lives)) == lives.bought_lots == 2 * (LOTS // 4)


def test_the_fee_of_a_replayed_trade_is_what_all_fees_have_grown_by() -> None:
    """fix-api/er-fix, MiscFeeAmt: of all trades of the order so far; one of them was before the kill."""
    rows = [*DOWN, *((at_s, TRADE, SELL, 990, LOTS // 4) for at_s in (6.0, 8.001, 8.002))]
    lives = Lives(Leaver(leave), Leaver(lambda strategy: None), rows, "fix")
    trades = lives.world.host.venue.accounts["a0"].trades
    assert len(trades) == 3
    assert [Decimal(fill.fee) for fill in fills(lives)] == [trade.fee for trade in trades]


def test_a_change_after_the_kill_keeps_what_was_changed_before_it() -> None:
    """fix-api/ocrr-fix: a replace request states the whole order."""
    orders: list[Any] = []

    def place(strategy: Any) -> None:
        order = strategy.buy(strategy.pair, LOTS, 900)
        at_ns = strategy.clock.timestamp_ns() + 10**9
        strategy.clock.set_time_alert_ns("grow", at_ns, lambda event: strategy.move(order, qty_lots=3 * LOTS))

    def change(strategy: Any) -> None:
        orders.extend(strategy.cache.orders_open(strategy_id=strategy.id))
        strategy.move(orders[0], price_ticks=910)

    lives = Lives(Leaver(place), Leaver(change), road="fix")
    (order,) = lives.open.values()
    assert (order.limit_ticks, order.qty_lots) == (910, 3 * LOTS)


def test_a_session_that_the_venue_has_forgotten_begins_anew() -> None:
    """Its numbers are lower than expected, or it refuses to go on: then nothing is replayed, and the venue is asked."""

    def forget(world: World) -> None:
        world.fix_gateway.members[COMP_ID].session.reset()

    lives, listener = lived(forget)
    assert listener.logons() == [False, True]
    assert listener.replayed() == 0
    assert sum(fill.lots for fill in fills(lives)) == lives.bought_lots == 2 * (LOTS // 4)


def test_a_venue_that_refuses_to_resume_twice_is_asked_for_a_new_session() -> None:
    refused: list[bool] = []

    def refuse(world: World) -> None:
        trader = world.fix_gateway.members[COMP_ID]
        check = trader.check_logon

        def strict(session: Any, message: Message, now_ns: int) -> None:
            if not message.is_set(141):
                refused.append(True)
                raise LogonRefusedError("session cannot be resumed")
            check(session, message, now_ns)

        trader.check_logon = strict

    lives, listener = lived(refuse)
    assert listener.logons() == [False, False, True]
    assert len(refused) == 2
    assert sum(fill.lots for fill in fills(lives)) == lives.bought_lots == 2 * (LOTS // 4)


def test_after_the_rollover_the_session_is_new() -> None:
    """Killed 2 ms before 22:00 UTC, and begun again after it."""
    lives, listener = lived(start_ns=_ROLLOVER_NS - FIRST_S * SECOND - 2 * MS, second_s=60.0)
    assert listener.logons() == [True]
    assert listener.replayed() == 0
    assert sum(fill.lots for fill in fills(lives)) == lives.bought_lots == 2 * (LOTS // 4)


def test_orders_of_the_resumed_session_can_be_canceled_and_changed_over_fix_again() -> None:
    done: list[Any] = []

    def change(strategy: Any) -> None:
        orders = strategy.cache.orders_open(strategy_id=strategy.id)
        for order in orders:
            if order.price > 90:
                strategy.move(order, price_ticks=970)
            else:
                strategy.cancel_order(order)
        done.extend(orders)

    lives = Lives(Leaver(leave), Leaver(change), MISSED, "fix")
    assert len(done) == 2
    assert lives.prices == [(BUY, 970)]
    rest = [command for link, command, _ in lives.world.notes.commands if link == "rest"]
    assert {type(command).__name__ for command in rest} <= {"QueryOrders"}
