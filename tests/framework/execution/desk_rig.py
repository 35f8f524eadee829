"""A desk with links that a test plays by hand: what is sent is kept, what comes back is what the test says.

Profiles, rates and tier are Kraken's (an Intermediate account), with edits of orders that carry a client id. Times of
the trader's clock are milliseconds after ``START_NS``; venue times are given in milliseconds after it too. Prices and
quantities are small whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from adapters.kraken.profile import PROFILE
from framework.execution.budget import RateBudget
from framework.execution.desk import ExecutionDesk
from framework.execution.events import RoadEvent
from framework.execution.link import DeskListener
from framework.execution.orders import OrderRecord
from framework.execution.policy import DeskPolicy
from framework.messages import (
    AddOrder,
    Command,
    CommandAccepted,
    CommandRejected,
    ExecType,
    ExecutionReport,
    OrdersSnapshot,
    OrderState,
    OrderStatus,
    Report,
    SessionOpened,
)
from framework.protocol import BUY, News, OrderType, Protocol, ProtocolProfile, RejectReason
from framework.venue.scheduler import Scheduler
from tests.editing import EDITING

MS = 1_000_000
# 2026-01-05 12:00:00 UTC.
START_NS = 1_767_614_400_000 * MS
SYMBOL = "BTC/USD"
REST, WS2, FIX = (EDITING.protocols[label] for label in (Protocol.REST, Protocol.WS2, Protocol.FIX))

# The roads of the profile, as policies.
REST_POLLED = DeskPolicy(submit="rest", amend="rest", cancel=("rest",), news="rest")
WS2_ROAD = DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2", "rest"), news="ws2", query="rest")
FIX_ROAD = DeskPolicy(submit="fix", amend="fix", cancel=("fix", "rest"), news="fix", query="rest")


def at(ms: float) -> int:
    """A time in milliseconds after the start."""
    return START_NS + round(ms * MS)


class FakeLink:
    """A link whose other end is the test."""

    def __init__(self, name: str, profile: ProtocolProfile) -> None:
        self.name = name
        self.profile = profile
        self.is_up = False
        self.session_id = ""
        self.sent: list[Command] = []
        self.opened: list[bool] = []

    def send(self, command: Command) -> None:
        assert self.is_up, f"{command} was sent on {self.name}, which is down"
        self.sent.append(command)

    def open(self, is_reset: bool) -> None:
        self.opened.append(is_reset)

    def close(self) -> None:
        raise AssertionError("a desk closes no link of its own accord")


class Listener(DeskListener):
    """Writes down what it hears: ``heard`` has (what, client id, details ...) in order; ``road`` the road's events."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.road: list[RoadEvent] = []

    def order_submitted(self, record: OrderRecord) -> None:
        self.heard.append(("submitted", record.cl_ord_id))

    def order_denied(self, record: OrderRecord, reason: str) -> None:
        self.heard.append(("denied", record.cl_ord_id, reason))

    def order_accepted(self, record: OrderRecord, ts_venue_ns: int) -> None:
        self.heard.append(("accepted", record.cl_ord_id, record.order_id))

    def order_rejected(self, record: OrderRecord, reason: str, is_post_only: bool, ts_venue_ns: int) -> None:
        self.heard.append(("rejected", record.cl_ord_id, reason))

    def order_updated(self, record: OrderRecord, ts_venue_ns: int) -> None:
        self.heard.append(("updated", record.cl_ord_id, record.qty_lots, record.limit_ticks))

    def order_triggered(self, record: OrderRecord, ts_venue_ns: int) -> None:
        self.heard.append(("triggered", record.cl_ord_id))

    def order_canceled(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        self.heard.append(("canceled", record.cl_ord_id))

    def order_expired(self, record: OrderRecord, ts_venue_ns: int) -> None:
        self.heard.append(("expired", record.cl_ord_id))

    def order_filled(
        self,
        record: OrderRecord,
        exec_id: str,
        last_lots: int,
        last_ticks: int,
        is_maker: bool,
        fee: Decimal,
        fee_asset: str,
        ts_venue_ns: int,
    ) -> None:
        self.heard.append(("filled", record.cl_ord_id, exec_id, last_lots))

    def cancel_rejected(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        self.heard.append(("cancel rejected", record.cl_ord_id, reason))

    def amend_rejected(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        self.heard.append(("amend rejected", record.cl_ord_id, reason))

    def road_event(self, event: RoadEvent) -> None:
        self.road.append(event)


class Notes:
    """A journal that keeps everything."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, Command, int]] = []
        self.answers: list[tuple[int, int, str]] = []
        self.resolutions: list[tuple[int, str]] = []
        self.items: list[tuple[int, str, str]] = []
        self.reports: list[tuple[str, Report, int]] = []
        self.events: list[RoadEvent] = []
        self.denials: list[tuple[str, str]] = []

    def sent(self, link: str, command: Command, ts_sent_ns: int) -> None:
        self.commands.append((link, command, ts_sent_ns))

    def answered(self, request_id: int, ts_learned_ns: int, outcome: str, reason: str | None, text: str | None) -> None:
        self.answers.append((request_id, ts_learned_ns, outcome))

    def resolved(self, request_id: int, resolution: str) -> None:
        self.resolutions.append((request_id, resolution))

    def item_refused(self, request_id: int, cl_ord_id: str, text: str) -> None:
        self.items.append((request_id, cl_ord_id, text))

    def learned(self, link: str, report: Report, ts_learned_ns: int) -> None:
        self.reports.append((link, report, ts_learned_ns))

    def concluded(self, event: RoadEvent) -> None:
        self.events.append(event)

    def denied(self, record: OrderRecord, ts_ns: int, reason: str) -> None:
        self.denials.append((record.cl_ord_id, reason))


def add_order(cl_ord_id: str = "a", qty_lots: int = 10, limit_ticks: int | None = 1_000, **fields: Any) -> AddOrder:
    """A limit buy of 10 lots at 1000 ticks."""
    terms: dict[str, Any] = {
        "request_id": 0,
        "cl_ord_id": cl_ord_id,
        "symbol": SYMBOL,
        "side": BUY,
        "order_type": OrderType.LIMIT,
        "qty_lots": qty_lots,
        "limit_ticks": limit_ticks,
    }
    return AddOrder(**(terms | fields))


class Rig:
    """A desk over played links, started, all links up (sessions "rest#1", "ws2#1", "fix#1").

    policy: its links are there; ``profiles`` adds to them or replaces Kraken's.
    """

    def __init__(
        self,
        policy: DeskPolicy = WS2_ROAD,
        *,
        profiles: Mapping[str, ProtocolProfile] | None = None,
        tier: str = "intermediate",
        listener: DeskListener | None = None,
        is_started: bool = True,
    ) -> None:
        known = {"rest": REST, "ws2": WS2, "fix": FIX} | dict(profiles or {})
        names = [name for name in known if name in policy.link_names() or name in (profiles or {})]
        self.links = {name: FakeLink(name, known[name]) for name in names}
        self.clock = Scheduler(START_NS)
        self.listener = Listener()
        self.notes = Notes()
        hearer = self.listener if listener is None else listener
        self.budget = RateBudget(
            PROFILE.rates, PROFILE.tier(tier), policy.cancel_reserve_points, self.listener.road.append
        )
        self.desk = ExecutionDesk(self.links, policy, self.clock, hearer, self.notes, self.budget)
        if is_started:
            self.desk.start()
            for name in self.links:
                self.up(name)
            self.listener.road.clear()

    # ------------------------------------------------------------------------------------------------- sessions

    def up(self, name: str, session_id: str | None = None, *, is_resumed: bool = False, replayed: int = 0) -> None:
        """A link's session is up."""
        link = self.links[name]
        link.is_up = True
        link.session_id = session_id or f"{name}#1"
        opened = SessionOpened(
            ts_venue_ns=self.clock.now_ns,
            request_id=None,
            session_id=link.session_id,
            is_resumed=is_resumed,
            replayed_count=replayed,
        )
        self.desk.on_report(name, opened)

    def drop(self, name: str, reason: str = "line dropped") -> None:
        """A link's line drops."""
        self.links[name].is_up = False
        self.desk.on_session_closed(name, reason)

    # ------------------------------------------------------------------------------------------------- messages

    def tell(self, name: str, *reports: Report) -> None:
        """Reports come by a link."""
        for report in reports:
            self.desk.on_report(name, report)

    def last(self, name: str) -> Any:
        """The last command that was sent on a link."""
        return self.links[name].sent[-1]

    def sent(self, name: str) -> list[str]:
        """The types of the commands sent on a link."""
        return [type(command).__name__ for command in self.links[name].sent]

    def run(self, until_ms: float) -> None:
        """Let the trader's time pass."""
        while self.clock.next_ns() <= at(until_ms):
            self.clock.run_next()
        self.clock.now_ns = at(until_ms)

    def open_order(self, cl_ord_id: str = "a", order_id: str = "O1", **fields: Any) -> OrderRecord:
        """An order that the venue has accepted, at 1 ms of its time; what was heard of it is forgotten."""
        record = self.desk.submit(add_order(cl_ord_id, **fields))
        link = self.desk.policy.submit
        if self.links[link].profile.news is not News.NONE:
            self.tell(link, execution(ExecType.NEW, 1, cl_ord_id=cl_ord_id, order_id=order_id, like=record))
        self.tell(link, accepted(self.last(link).request_id, 1, order_id))
        self.listener.heard.clear()
        self.listener.road.clear()
        return record

    # ------------------------------------------------------------------------------------------------- heard

    @property
    def heard(self) -> list[tuple[Any, ...]]:
        """What the listener heard of orders."""
        return self.listener.heard

    def road(self, name: str) -> list[Any]:
        """The road's events of one kind."""
        return [event for event in self.listener.road if type(event).__name__ == name]


# ----------------------------------------------------------------------------------------------------- reports


def accepted(request_id: int, ms: float, *order_ids: str, errors: Sequence[str | None] = ()) -> CommandAccepted:
    """The answer to a request that was carried out."""
    return CommandAccepted(ts_venue_ns=at(ms), request_id=request_id, order_ids=order_ids, errors=tuple(errors))


def rejected(request_id: int, ms: float, reason: RejectReason = RejectReason.UNKNOWN_ORDER) -> CommandRejected:
    """The answer to a request that was refused."""
    return CommandRejected(ts_venue_ns=at(ms), request_id=request_id, error=PROFILE.errors[reason], reason=reason)


_STATES = {
    ExecType.NEW: OrderState.NEW,
    ExecType.PENDING_NEW: OrderState.PENDING_NEW,
    ExecType.FILLED: OrderState.FILLED,
    ExecType.CANCELED: OrderState.CANCELED,
    ExecType.EXPIRED: OrderState.EXPIRED,
    ExecType.AMENDED: OrderState.NEW,
    ExecType.RESTATED: OrderState.NEW,
    ExecType.TRIGGERED: OrderState.NEW,
}


def execution(
    exec_type: ExecType,
    ms: float,
    *,
    cl_ord_id: str = "a",
    order_id: str = "O1",
    qty_lots: int = 10,
    cum_lots: int = 0,
    limit_ticks: int | None = 1_000,
    like: OrderRecord | None = None,
    **fields: Any,
) -> ExecutionReport:
    """News of an order that is no fill."""
    if like is not None:
        qty_lots, limit_ticks = like.qty_lots, like.limit_ticks
    state = _STATES[exec_type]
    terms: dict[str, Any] = {
        "ts_venue_ns": at(ms),
        "exec_type": exec_type,
        "state": state,
        "order_id": order_id,
        "cl_ord_id": cl_ord_id,
        "symbol": SYMBOL,
        "side": BUY,
        "order_type": OrderType.LIMIT,
        "qty_lots": qty_lots,
        "leaves_lots": 0 if state > OrderState.PARTIALLY_FILLED else qty_lots - cum_lots,
        "cum_lots": cum_lots,
        "limit_ticks": limit_ticks,
    }
    return ExecutionReport(**(terms | fields))


def trade(
    ms: float,
    exec_id: str,
    last_lots: int,
    cum_lots: int,
    *,
    qty_lots: int = 10,
    last_ticks: int = 1_000,
    **fields: Any,
) -> ExecutionReport:
    """A fill of some lots, after which so many are filled; the order is done when all are."""
    state = OrderState.FILLED if cum_lots == qty_lots else OrderState.PARTIALLY_FILLED
    report = execution(ExecType.NEW, ms, qty_lots=qty_lots, cum_lots=cum_lots, **fields)
    return replace(
        report,
        exec_type=ExecType.TRADE,
        state=fields.get("state", state),
        last_lots=last_lots,
        last_ticks=last_ticks,
        exec_id=exec_id,
        is_maker=True,
        fee=Decimal("0.01"),
        fee_asset="USD",
    )


def status(
    state: OrderState = OrderState.NEW,
    *,
    cl_ord_id: str = "a",
    order_id: str = "O1",
    qty_lots: int = 10,
    cum_lots: int = 0,
    limit_ticks: int | None = 1_000,
    **fields: Any,
) -> OrderStatus:
    """An order in a snapshot."""
    terms: dict[str, Any] = {
        "state": state,
        "order_id": order_id,
        "cl_ord_id": cl_ord_id,
        "symbol": SYMBOL,
        "side": BUY,
        "order_type": OrderType.LIMIT,
        "qty_lots": qty_lots,
        "cum_lots": cum_lots,
        "limit_ticks": limit_ticks,
    }
    return OrderStatus(**(terms | fields))


def snapshot(
    ms: float,
    *orders: OrderStatus,
    request_id: int | None = None,
    trades: Sequence[ExecutionReport] = (),
) -> OrdersSnapshot:
    """The answer to a poll (with its request), or what a subscription starts with (without)."""
    return OrdersSnapshot(ts_venue_ns=at(ms), request_id=request_id, orders=orders, trades=tuple(trades))
