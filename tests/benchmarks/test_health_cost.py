"""What watching a run costs it: noting a latency, a market message, a command and its answer, putting down an event;
and, about once a second, reading how it stands.

Figures are of the processor's time, the least of several rounds; what stands there without watching is taken off.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from framework.data.columns import LEVEL
from framework.data.live_rows import MarketRow
from framework.execution.orders import InFlight, RequestKind
from framework.live.health.exposition import exposition
from framework.live.health.histogram import Histogram
from framework.live.health.log import EventLog, Level
from framework.live.health.run_observer import RunObserver
from framework.live.health.status import encode_status
from framework.live.health.tally import Tally
from framework.live.health.watched_desk import WatchedDesk
from framework.messages import AddOrder
from framework.protocol import BUY, OrderType
from tests.framework.live.health.statuses import order, status
from tests.framework.live.health.test_exposition import full
from tests.framework.live.health.test_run_observer import Watched
from tests.framework.live.test_paper import LOTS, live
from tests.simulation.stage import BID, Script

pytestmark = pytest.mark.benchmark

COUNT, ROUNDS = 100_000, 7
ADD = AddOrder(request_id=1, cl_ord_id="1", symbol="BTC/USD", side=BUY, order_type=OrderType.LIMIT, qty_lots=1)


def cost_ns(work: Callable[[int], Any], count: int = COUNT) -> float:
    """Of one call, the least of several rounds. work: does it so many times."""
    rounds = []
    for _ in range(ROUNDS):
        began_ns = time.process_time_ns()
        work(count)
        rounds.append((time.process_time_ns() - began_ns) / count)
    return min(rounds)


def say(what: str, ns: float) -> None:
    print(f"  {what:<55} {ns / 1e3:8.3f} us")


class _Nobody:
    """Hears, keeps and says nothing."""

    name = "ws2"

    def sent(self, *_: object) -> None: ...
    def answered(self, *_: object) -> None: ...
    def book_changed(self, symbol: str, rows: list[MarketRow]) -> None: ...
    def traded(self, symbol: str, rows: list[MarketRow]) -> None: ...
    def quoted(self, *_: object) -> None: ...
    def trades_missed(self, *_: object) -> None: ...
    def market_lost(self, *_: object) -> None: ...


def now_ns() -> int:
    """As the clock of a live run has it."""
    return 1_767_614_400_000_000_000 + time.monotonic_ns()


def test_what_watching_costs_where_it_matters() -> None:
    histogram, nobody, log = Histogram(), _Nobody(), EventLog(waiting_max=10**9)
    times = [(n * 7_919) % 3_000_000 for n in range(COUNT)]

    def note(count: int) -> None:
        for each in times[:count]:
            histogram.note(each)

    def idle(count: int) -> None:
        for _ in times[:count]:
            pass

    say("noting a latency", noted := cost_ns(note) - cost_ns(idle))

    tally = Tally()
    desk = WatchedDesk(nobody, tally, log, is_timed=True)  # type: ignore[arg-type]
    desk.now_ns = now_ns
    market = RunObserver(log, is_timed=True).market(nobody)
    market.now_ns = now_ns  # type: ignore[attr-defined]
    rows = [MarketRow(0, now_ns(), LEVEL, BUY, 1, 1, 0)]

    def messages(listener: Any) -> Callable[[int], None]:
        def work(count: int) -> None:
            for _ in range(count):
                listener.book_changed("BTC/USD", rows)

        return work

    message = cost_ns(messages(market)) - cost_ns(messages(nobody))
    say("a market message", message)

    desk.in_flight = {1: InFlight(RequestKind.ADD, ADD, "ws2", (), 0)}
    tally.stages.in_ns = tally.stages.told_ns = now_ns()

    def commands(watched: Any) -> Callable[[int], None]:
        def work(count: int) -> None:
            for _ in range(count):
                watched.sent("ws2", ADD, 0)

        return work

    def left(count: int) -> None:
        for _ in range(count):
            desk.left(nobody, ADD, 0)  # type: ignore[arg-type]

    def answers(watched: Any) -> Callable[[int], None]:
        def work(count: int) -> None:
            for _ in range(count):
                watched.answered(1, 5_000_000, "accepted", None, None)

        return work

    say("a command, before its bytes leave", cost_ns(commands(desk)) - cost_ns(commands(nobody)))
    say("a command, once its bytes have left", cost_ns(left))
    say("an answer to a command", cost_ns(answers(desk)) - cost_ns(answers(nobody)))

    def put(count: int) -> None:
        log.waiting.clear()
        for _ in range(count):
            log.put(Level.INFO, "order_filled", {"cl_ord_id": "1", "qty": 1})

    log.now_ns = now_ns
    say("an event of the log", cost_ns(put, 2_000))
    assert noted < 1_000
    assert message < 3_000


def test_what_it_costs_to_read_how_a_run_stands() -> None:
    quoting = [(1.0 + n / 100, lambda s, n=n: s.buy(s.btc, LOTS, BID - 10 - n)) for n in range(50)]
    watched = Watched(Script(quoting), level=Level.INFO)
    live(watched.node, 5.0)
    standing = watched.status()
    assert standing.order_count > 20
    read = watched._standing.status
    say(
        f"reading how it stands, {standing.order_count} orders open", cost_ns(lambda n: [read() for _ in range(n)], 200)
    )
    say("as JSON", cost_ns(lambda n: [encode_status(standing) for _ in range(n)], 200))
    told = status(roads=full().roads * 2, orders=tuple(order(str(n)) for n in range(50)), stages=full().stages)
    lines = exposition(told).count("\n")
    say(f"for Prometheus, {lines} lines", cost_ns(lambda n: [exposition(told) for _ in range(n)], 100))
