"""Every order in which the messages about one order can come, walked whole, over each kind of road.

A small honest venue has a history: the order is accepted at 10 ms, perhaps filled at 20 ms, and asked to be canceled,
which is answered at 30 ms. What it sends is delivered in every order that the road allows, with a poll's answer that
left
at each possible moment, and with the line dropping at each possible place: what has not been delivered by then is lost.
Then the line comes back, and polls are answered with the truth.

After every message: an order that has ended stays ended, nothing is concluded that the venue did not do, no fill is
told twice, and NautilusTrader's engine, which runs above, has applied every event. At the end: what is known is the
truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from framework.execution.orders import Knowledge
from framework.execution.policy import DeskPolicy
from framework.messages import ExecType, ExecutionReport, OrdersSnapshot, OrderState, OrderStatus, QueryOrders, Report
from framework.protocol import RejectReason
from tests.framework.execution.desk_rig import (
    FIX_ROAD,
    REST_POLLED,
    WS2_ROAD,
    accepted,
    at,
    execution,
    rejected,
    snapshot,
    status,
    trade,
)
from tests.framework.execution.nautilus_rig import NautilusRig


def interleavings(*streams: Sequence[Any]) -> Iterator[list[Any]]:
    """Every merge of the streams that keeps the order within each."""
    if not any(streams):
        yield []
    for index, stream in enumerate(streams):
        if stream:
            rest = [*streams[:index], stream[1:], *streams[index + 1 :]]
            for tail in interleavings(*rest):
                yield [stream[0], *tail]


class History:
    """What the venue did with the order.

    filled_lots: at 20 ms. end: what became of it at 30 ms, None if it is still open. refusal: why the cancel was
    refused.
    """

    def __init__(self, filled_lots: int, end: OrderState | None, refusal: RejectReason | None) -> None:
        self.filled_lots = filled_lots
        self.end = end
        self.refusal = refusal
        self.cl_ord_id = ""

    def news(self, add_id: int | None = None, cancel_id: int | None = None) -> list[Report]:
        """News in the order in which it was made; with requests where the protocol names them."""
        own: dict[str, Any] = {"cl_ord_id": self.cl_ord_id}
        reports: list[Report] = [execution(ExecType.NEW, 10, request_id=add_id, **own), *self._fills()]
        if self.end is OrderState.CANCELED:
            end = execution(ExecType.CANCELED, 30, cum_lots=self.filled_lots, request_id=cancel_id, **own)
            reports.append(end)
        elif cancel_id is not None:
            reports.append(self.cancel_answer(cancel_id))
        return reports

    def _fills(self) -> list[ExecutionReport]:
        if not self.filled_lots:
            return []
        return [trade(20, "T1", self.filled_lots, self.filled_lots, cl_ord_id=self.cl_ord_id)]

    def cancel_answer(self, request_id: int) -> Report:
        """The answer to the cancel."""
        return accepted(request_id, 30, "O1") if self.refusal is None else rejected(request_id, 30, self.refusal)

    def poll(self, query: QueryOrders, ms: float) -> OrdersSnapshot:
        """A poll's answer that leaves at a time."""
        fills = [fill for fill in self._fills() if query.since_ns <= fill.ts_venue_ns <= at(ms)]
        return snapshot(ms, *self._statuses(ms, query.since_ns), request_id=query.request_id, trades=fills)

    def subscription(self, ms: float) -> OrdersSnapshot:
        """What a subscription starts with: open orders only."""
        return snapshot(ms, *(order for order in self._statuses(ms, 0) if order.state <= OrderState.PARTIALLY_FILLED))

    def _statuses(self, ms: float, since_ns: int) -> list[OrderStatus]:
        if ms < 10:
            return []
        cum_lots = self.filled_lots if ms >= 20 else 0
        state = OrderState.PARTIALLY_FILLED if cum_lots else OrderState.NEW
        end_ms = 20 if self.end is OrderState.FILLED else 30
        if self.end is not None and ms >= end_ms:
            if at(end_ms) < since_ns:
                return []
            state = self.end
        return [status(state, cum_lots=cum_lots, cl_ord_id=self.cl_ord_id)]


HISTORIES = {
    "canceled": (0, OrderState.CANCELED, None),
    "filled in part and canceled": (4, OrderState.CANCELED, None),
    "filled before the cancel": (10, OrderState.FILLED, RejectReason.ORDER_NOT_OPEN),
    "filled in part, cancel refused": (4, None, RejectReason.RATE_LIMIT),
}

# Just before and just after each thing that the venue did.
MOMENTS = (5, 15, 25, 35)
DROP = object()


@pytest.fixture(scope="module")
def stage() -> Iterator[NautilusRig]:
    stage = NautilusRig()
    yield stage
    stage.dispose()


class Case:
    """One order that is sent and asked to be canceled, and the checks."""

    def __init__(self, stage: NautilusRig, policy: DeskPolicy, name: str) -> None:
        self.stage = stage
        self.history = History(*HISTORIES[name])
        self.rig = stage.play(policy)
        self.link = policy.submit
        self.order = stage.strategy.buy(stage.btc, 10, 1_000)
        stage.strategy.cancel_order(self.order)
        self.history.cl_ord_id = self.order.client_order_id.value
        self.record = self.rig.desk.orders[self.history.cl_ord_id]
        self.add_id, self.cancel_id = (command.request_id for command in self.rig.links[self.link].sent)
        self.is_down = False
        self._was_closed = False

    def tell(self, name: str, report: Report) -> None:
        """A report comes, and what must always hold is checked."""
        self.rig.tell(name, report)
        self.check()

    def check(self) -> None:
        order, record = self.order, self.record
        heard = [event for event in self.stage.strategy.heard if hasattr(event, "client_order_id")]
        heard = [event for event in heard if type(event).__name__.startswith("Order")]
        assert len(order.events) == len(heard), [type(event).__name__ for event in heard]
        names = [type(event).__name__ for event in heard]
        assert names.count("OrderFilled") <= 1
        assert names.count("OrderAccepted") <= 1
        assert "OrderRejected" not in names
        assert ("OrderCanceled" in names) <= (self.history.end is OrderState.CANCELED)
        assert record.cum_lots <= record.qty_lots
        assert order.is_closed >= self._was_closed
        assert order.is_closed == (record.knowledge is Knowledge.CLOSED)
        self._was_closed = order.is_closed

    def drop(self) -> None:
        """The line of the orders drops."""
        self.is_down = True
        self.rig.drop(self.link)
        self.check()

    def answer_polls(self, until_ms: float) -> None:
        """Let time pass, every poll answered with the truth as it is by then."""
        link, answered = self.rig.links["rest"], 0
        while self.rig.clock.now_ns < at(until_ms):
            self.rig.run((self.rig.clock.now_ns - at(0)) / 1_000_000 + 500)
            for query in link.sent[answered:]:
                if isinstance(query, QueryOrders) and query.request_id in self.rig.desk.in_flight:
                    self.tell("rest", self.history.poll(query, 40 + until_ms))
            answered = len(link.sent)

    def finish(self) -> None:
        """The truth is known, and nothing is left open."""
        self.answer_polls(30_000)
        history, record, order = self.history, self.record, self.order
        assert record.cum_lots == history.filled_lots
        assert record.knowledge is (Knowledge.OPEN if history.end is None else Knowledge.CLOSED)
        assert order.is_open == (history.end is None)
        assert not order.is_pending_cancel
        assert self.rig.desk.in_flight == {}
        lost, found = (
            [event.command for event in self.stage.strategy.road if type(event).__name__ == name]
            for name in ("OutcomeUnknown", "OutcomeResolved")
        )
        assert sorted(lost) == sorted(found)


@pytest.mark.parametrize("name", HISTORIES)
@pytest.mark.parametrize("moment", MOMENTS)
def test_on_a_pushed_road_answers_news_polls_and_drops_in_any_order_end_in_the_truth(
    stage: NautilusRig, name: str, moment: int
) -> None:
    filled_lots, end, _ = HISTORIES[name]
    news = [("news", index) for index in range(1 + bool(filled_lots) + (end is OrderState.CANCELED))]
    count = 0
    for steps in interleavings(news, ["add answer"], ["cancel answer"], ["poll"], [DROP]):
        case = Case(stage, WS2_ROAD, name)
        case.rig.desk.query()
        query = case.rig.last("rest")
        for step in steps:
            if step is DROP:
                case.drop()
            elif step == "poll":
                case.tell("rest", case.history.poll(query, moment))
            elif case.is_down:
                continue
            elif step == "add answer":
                case.tell("ws2", accepted(case.add_id, 10, "O1"))
            elif step == "cancel answer":
                case.tell("ws2", case.history.cancel_answer(case.cancel_id))
            else:
                case.tell("ws2", case.history.news()[step[1]])
        case.rig.up("ws2", "ws2#2")
        case.tell("ws2", case.history.subscription(40))
        case.finish()
        count += 1
    # 4 single messages among n in order: (n + 4)! / n!.
    assert count == {3: 840, 2: 360}[len(news)]


@pytest.mark.parametrize("name", HISTORIES)
def test_on_a_polled_road_answers_polls_and_drops_in_any_order_end_in_the_truth(stage: NautilusRig, name: str) -> None:
    count = 0
    for first, second in ((a, b) for a in MOMENTS for b in MOMENTS if a <= b):
        for steps in interleavings(["add answer"], ["cancel answer"], [first, second], [DROP]):
            case = Case(stage, REST_POLLED, name)
            for step in steps:
                if step is DROP:
                    case.drop()
                elif case.is_down:
                    continue
                elif step == "add answer":
                    case.tell("rest", accepted(case.add_id, 10, "O1"))
                elif step == "cancel answer":
                    case.tell("rest", case.history.cancel_answer(case.cancel_id))
                else:
                    case.rig.desk.query()
                    case.tell("rest", case.history.poll(case.rig.last("rest"), step))
            case.rig.up("rest", "rest#2")
            case.finish()
            count += 1
    assert count == 10 * 60


@pytest.mark.parametrize("name", HISTORIES)
@pytest.mark.parametrize("is_resumed", [True, False])
def test_on_a_road_of_one_stream_a_drop_anywhere_and_a_replay_or_a_new_session_end_in_the_truth(
    stage: NautilusRig, name: str, is_resumed: bool
) -> None:
    for moment in MOMENTS:
        probe = Case(stage, FIX_ROAD, name)
        size = len(probe.history.news(probe.add_id, probe.cancel_id))
        for steps in interleavings(list(range(size)), ["poll"], [DROP]):
            case = Case(stage, FIX_ROAD, name)
            stream = case.history.news(case.add_id, case.cancel_id)
            case.rig.desk.query()
            query = case.rig.last("rest")
            delivered = 0
            for step in steps:
                if step is DROP:
                    case.drop()
                elif step == "poll":
                    case.tell("rest", case.history.poll(query, moment))
                elif not case.is_down:
                    case.tell("fix", stream[step])
                    delivered += 1
            if is_resumed:
                missed = stream[delivered:]
                case.rig.up("fix", "fix#1", is_resumed=True, replayed=len(missed))
                for report in missed:
                    case.tell("fix", report)
            else:
                case.rig.up("fix", "fix#2")
            case.finish()


# ------------------------------------------------------------------------------------------------- edits


def _edited(ms: float, name: str) -> list[OrderStatus]:
    """The venue's orders at a time: an edit to 1005 at 20 ms, 4 lots of the new order filled at 25 ms."""
    new: dict[str, Any] = {"order_id": "O2", "cl_ord_id": "", "limit_ticks": 1_005}
    if ms < 20:
        return [status(cl_ord_id=name)]
    return [status(OrderState.CANCELED, cl_ord_id=name), status(cum_lots=4 if ms >= 25 else 0, **new)]


@pytest.mark.parametrize("moment", [15, 22, 30])
def test_an_edit_whose_answer_news_poll_and_drop_come_in_any_order_ends_as_one_order_with_its_fill(
    stage: NautilusRig, moment: int
) -> None:
    new: dict[str, Any] = {"order_id": "O2", "cl_ord_id": "", "limit_ticks": 1_005}
    fill = trade(25, "T1", 4, 4, **new)
    for steps in interleavings(["ended", "new", "filled"], ["answer"], ["poll"], [DROP]):
        rig = stage.play(WS2_ROAD)
        order = stage.strategy.buy(stage.btc, 10, 1_000)
        name = order.client_order_id.value
        rig.tell("ws2", accepted(1, 10, "O1"), execution(ExecType.NEW, 10, cl_ord_id=name))
        stage.strategy.move(order, price_ticks=1_005, edit=True)
        rig.desk.query()
        query = rig.last("rest")
        messages: dict[str, Callable[[], Report]] = {
            "ended": lambda name=name: execution(ExecType.CANCELED, 20, cl_ord_id=name),  # type: ignore[misc]
            "new": lambda: execution(ExecType.NEW, 20, **new),
            "filled": lambda: fill,
            "answer": lambda: accepted(2, 20, "O2"),
        }
        is_down = False
        for step in steps:
            if step is DROP:
                is_down = True
                rig.drop("ws2")
            elif step == "poll":
                fills = [fill] if moment >= 25 else []
                rig.tell("rest", snapshot(moment, *_edited(moment, name), request_id=query.request_id, trades=fills))
            elif not is_down:
                rig.tell("ws2", messages[step]())
        rig.up("ws2", "ws2#2")
        rig.tell("ws2", snapshot(40, *(order for order in _edited(40, name) if order.state is not OrderState.CANCELED)))
        for beat in range(1, 12):
            rig.run(2_100 * beat)
            asked = rig.last("rest")
            if isinstance(asked, QueryOrders) and asked.request_id in rig.desk.in_flight:
                ms = 2_100 * beat
                ended = [] if asked.since_ns > at(20) else _edited(ms, name)[:1]
                trades = [] if asked.since_ns > at(25) else [fill]
                rig.tell("rest", snapshot(ms, *ended, _edited(ms, name)[1], request_id=asked.request_id, trades=trades))
        record = rig.desk.orders[name]
        assert (record.order_id, record.cum_lots, record.qty_lots, record.limit_ticks) == ("O2", 4, 10, 1_005), steps
        assert record.knowledge is Knowledge.OPEN
        assert order.status_string() == "PARTIALLY_FILLED"
        assert order.venue_order_id.value == "O2"
        assert rig.desk.in_flight == {}
