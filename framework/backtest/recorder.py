"""Writing down a run: what was sent, what arrived, what the venue did, and when each was learned.

The recorder hears three sides: the desk (``Journal``), the venue (``VenueObserver``, the simulation's truth) and the
fault schedule. Fills are the venue's, whether or not the strategy ever learned of them; when it did, is added to them.
Rows are made columns when there are many of them, once nothing about them can change any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
from msgspec import structs
from msgspec.structs import replace

from framework.backtest.packed_tables import PackedTables
from framework.backtest.results import EVENT_SCHEMA
from framework.execution.events import OrderReachChanged, RoadEvent, SessionClosed, SessionOpened, SessionResumed
from framework.execution.link import DeskListener
from framework.execution.orders import OrderRecord
from framework.messages import (
    AddBatch,
    AddOrder,
    CancelBatch,
    CancelOrder,
    Command,
    ExecType,
    ExecutionReport,
    PollPart,
    QueryOrders,
    Report,
    VenueStatus,
)
from framework.protocol import OrderType, RejectReason
from framework.venue.observer import VenueObserver

__all__ = ["RunRecorder"]

_SESSION_EVENTS = (SessionOpened, SessionClosed, SessionResumed)
# A command with one of these outcomes has been answered; so long after it was sent, nothing more is said of it.
_FINAL = ("accepted", "rejected")
_FINAL_AFTER_NS = 60 * 10**9

_Columns = dict[str, pa.Array]


class _CommandRow:
    """One command, or one order of a batch as a command of its own; completed as it arrives and is answered."""

    __slots__ = (
        "command",
        "counter",
        "is_queue_kept",
        "link",
        "name",
        "outcome",
        "reject_reason",
        "resolution",
        "row",
        "text",
        "threshold",
        "ts_arrived_ns",
        "ts_learned_ns",
        "ts_sent_ns",
    )

    def __init__(self, row: int, link: str, name: str, command: Command, ts_ns: int) -> None:
        self.row = row
        self.link = link
        self.name = name
        self.command = command
        self.ts_sent_ns = ts_ns
        self.ts_arrived_ns: int | None = None
        self.ts_learned_ns: int | None = None
        self.outcome: str | None = None
        self.resolution: str | None = None
        self.reject_reason: str | None = None
        self.text: str | None = None
        self.is_queue_kept: bool | None = None
        self.counter: int | None = None
        self.threshold: int | None = None


class RunRecorder(VenueObserver):
    """Collects the rows of ``events.parquet``; ``fills`` are the venue's fills in the order in which they happened."""

    def __init__(self, rows_max: int = 50_000, *, is_long: bool = False) -> None:
        """rows_max: so many rows of one kind are kept as objects before they are made columns, and packed.
        is_long: what is packed lies on disk, for a run may last for weeks.
        """
        self._rows_max = self._commands_max = rows_max
        self._row = 0
        self._done = PackedTables(EVENT_SCHEMA, is_on_disk=is_long)
        self._commands: list[_CommandRow] = []
        self._by_request: dict[int, tuple[_CommandRow, ...]] = {}
        self._reports: list[tuple[int, str, Report, int]] = []
        self.fills: list[tuple[int, ExecutionReport]] = []
        self._fill_learned: dict[str, tuple[int, str]] = {}
        self._events: list[tuple[int, RoadEvent]] = []
        self._denied: list[tuple[int, OrderRecord, int, str]] = []
        self._venue: list[tuple[int, str, str | None, int, str | None]] = []
        self._lives: list[tuple[int, str, str, str, int, str | None]] = []
        self._amended: tuple[str, bool] | None = None

    # ------------------------------------------------------------------------------------------------- desk

    def sent(self, link: str, command: Command, ts_sent_ns: int) -> None:
        """A command was put on a link; a batch has a row for each of its orders."""
        if len(self._commands) >= self._commands_max:
            self._finish_commands(ts_sent_ns - _FINAL_AFTER_NS)
        request_id = command.request_id
        kind = type(command)
        rows: tuple[_CommandRow, ...]
        if kind is AddOrder:
            assert isinstance(command, AddOrder)
            name = "ValidateOrder" if command.is_validate_only else "AddOrder"
            rows = (_CommandRow(self._next_row(), link, name, command, ts_sent_ns),)
        elif kind is AddBatch:
            assert isinstance(command, AddBatch)
            rows = tuple(
                _CommandRow(self._next_row(), link, "AddOrder", replace(order, request_id=request_id), ts_sent_ns)
                for order in command.orders
            )
        elif kind is CancelBatch:
            assert isinstance(command, CancelBatch)
            single = [CancelOrder(request_id=request_id, cl_ord_id=cl_ord_id) for cl_ord_id in command.cl_ord_ids]
            single += [CancelOrder(request_id=request_id, order_id=order_id) for order_id in command.order_ids]
            rows = tuple(_CommandRow(self._next_row(), link, "CancelOrder", cancel, ts_sent_ns) for cancel in single)
        else:
            rows = (_CommandRow(self._next_row(), link, kind.__name__, command, ts_sent_ns),)
        self._commands += rows
        self._by_request[request_id] = rows

    def answered(self, request_id: int, ts_learned_ns: int, outcome: str, reason: str | None, text: str | None) -> None:
        """The first answer to a command was learned; what was lost may still be answered later."""
        for row in self._by_request.get(request_id, ()):
            if outcome == "lost":
                row.outcome, row.text = outcome, text
                continue
            row.ts_learned_ns = ts_learned_ns
            row.outcome = outcome
            row.reject_reason = reason if row.reject_reason is None else row.reject_reason
            row.text = text

    def resolved(self, request_id: int, resolution: str) -> None:
        """The fate of a lost command was proved without its answer."""
        for row in self._by_request.get(request_id, ()):
            row.resolution = resolution

    def arrived(self, request_id: int, ts_arrived_ns: int) -> None:
        """The venue has told that it had a command then; the first such word counts.

        An answer that is dated before its command was sent is not dated by the venue.
        """
        for row in self._by_request.get(request_id, ()):
            if row.ts_arrived_ns is None and ts_arrived_ns > row.ts_sent_ns:
                row.ts_arrived_ns = ts_arrived_ns

    def carried_out(self, request_id: int, cl_ord_id: str, ts_arrived_ns: int) -> None:
        """The venue has told that it did then what a command asks of an order; it had the command then, not before."""
        for row in self._by_request.get(request_id, ()):
            if getattr(row.command, "cl_ord_id", None) == cl_ord_id:
                row.ts_arrived_ns = ts_arrived_ns

    def item_refused(self, request_id: int, cl_ord_id: str, text: str) -> None:
        """The answer to a batch of new orders was learned, and it refuses this one of them."""
        for row in self._by_request.get(request_id, ()):
            if getattr(row.command, "cl_ord_id", None) == cl_ord_id:
                row.outcome, row.text = "rejected", text

    def learned(self, link: str, report: Report, ts_learned_ns: int) -> None:
        """A report told something new."""
        if isinstance(report, ExecutionReport) and report.exec_type is ExecType.TRADE:
            assert report.exec_id is not None
            self._fill_learned[report.exec_id] = (ts_learned_ns, link)
        else:
            self._reports.append((self._next_row(), link, report, ts_learned_ns))
            if len(self._reports) >= self._rows_max:
                self._done.add(_table(_arrays(_report_columns(self._reports))))
                self._reports.clear()

    def concluded(self, event: RoadEvent) -> None:
        """The desk concluded or did something on its own."""
        self._events.append((self._next_row(), event))

    def denied(self, record: OrderRecord, ts_ns: int, reason: str) -> None:
        """The desk refused an order before it was sent."""
        self._denied.append((self._next_row(), record, ts_ns, reason))

    def listen(self, listener: DeskListener) -> DeskListener:
        """What the desk tells of orders is not written down: the listener hears the desk itself."""
        return listener

    # ------------------------------------------------------------------------------------------------- venue

    def on_command(
        self, session_id: str, command: Command, now_ns: int, counter: int | None, threshold: int | None
    ) -> None:
        """A command was handled by the engine."""
        if isinstance(command, QueryOrders) and command.part > PollPart.OPEN:
            return  # it arrived with its first question
        for row in self._by_request.get(command.request_id, ()):
            row.ts_arrived_ns = now_ns
            row.counter = counter
            row.threshold = threshold
            if self._amended is not None:
                row.is_queue_kept = self._amended[1]
        self._amended = None

    def on_refused(self, session_id: str, command: Command, now_ns: int, reason: RejectReason) -> None:
        """A command was refused by the engine."""
        for row in self._by_request.get(command.request_id, ()):
            row.ts_arrived_ns = now_ns
            row.reject_reason = str(reason)

    def on_amend(self, cl_ord_id: str, order_id: str, is_queue_kept: bool, now_ns: int) -> None:
        """An amend was carried out; the command that asked for it is handled at this moment."""
        self._amended = (cl_ord_id, is_queue_kept)

    def on_order_rest(self, cl_ord_id: str, order_id: str, slot: int, now_ns: int) -> None:
        """An order has taken its place in the book."""
        self._live("OrderRested", cl_ord_id, order_id, now_ns, None)

    def on_order_end(self, cl_ord_id: str, order_id: str, reason: RejectReason | None, now_ns: int) -> None:
        """An order has ended."""
        text = "filled" if reason is None else str(reason)
        self._live("OrderEnded", cl_ord_id, order_id, now_ns, text)

    def _live(self, name: str, cl_ord_id: str, order_id: str, now_ns: int, text: str | None) -> None:
        self._lives.append((self._next_row(), name, cl_ord_id, order_id, now_ns, text))
        if len(self._lives) >= self._rows_max:
            self._done.add(_table(_arrays(_life_columns(self._lives))))
            self._lives.clear()

    def on_fill(self, report: ExecutionReport) -> None:
        """The engine filled an order."""
        self.fills.append((self._next_row(), report))

    def on_session(self, session_id: str, change: str, now_ns: int) -> None:
        """A line or session changed at the venue."""
        self._venue.append((self._next_row(), change, session_id, now_ns, None))

    def on_mode(self, symbol: str | None, mode: str, now_ns: int) -> None:
        """The venue's mode changed."""
        self._venue.append(
            (self._next_row(), "ModeChanged", None, now_ns, mode if symbol is None else f"{symbol} {mode}")
        )

    # ------------------------------------------------------------------------------------------------- faults

    def fault(self, name: str, link: str | None, ts_ns: int, text: str | None) -> None:
        """The fault schedule did something."""
        self._venue.append((self._next_row(), name, link, ts_ns, text))

    # ------------------------------------------------------------------------------------------------- table

    def table(self, marks: dict[str, list[int | None]]) -> pa.Table:
        """All rows in the order in which they were written, as ``EVENT_SCHEMA``.

        marks: the market's best prices at and after each fill, by column name, in the order of ``fills``.
        """
        parts = (
            _command_columns(self._commands),
            _report_columns(self._reports),
            self._fill_columns() | marks,
            _event_columns(self._events),
            _denied_columns(self._denied),
            _life_columns(self._lives),
            _venue_columns(self._venue),
        )
        tables = [*self._done.tables(), *(_table(_arrays(columns)) for columns in parts)]
        return pa.concat_tables(tables).sort_by("row").combine_chunks()

    def _finish_commands(self, before_ns: int) -> None:
        """Make columns of the commands that have been answered and were sent before a time; others may still change."""
        final: list[_CommandRow] = []
        left: list[_CommandRow] = []
        for row in self._commands:
            (final if row.outcome in _FINAL and row.ts_sent_ns < before_ns else left).append(row)
        self._commands = left
        self._commands_max = max(self._rows_max, 2 * len(left))
        for row in final:
            self._by_request.pop(row.command.request_id, None)
        if final:
            self._done.add(_table(_arrays(_command_columns(final))))

    def _fill_columns(self) -> dict[str, list[Any]]:
        reports = [report for _, report in self.fills]
        learned = [self._fill_learned.get(report.exec_id or "") for report in reports]
        columns = _execution_columns(reports)
        columns |= {
            "row": [row for row, _ in self.fills],
            "kind": ["fill"] * len(reports),
            "name": ["TRADE"] * len(reports),
            "link": [known[1] if known else None for known in learned],
            "ts_learned_ns": [known[0] if known else None for known in learned],
            "price_ticks": [report.last_ticks for report in reports],
            "qty_lots": [report.last_lots for report in reports],
            "exec_id": [report.exec_id for report in reports],
            "is_maker": [report.is_maker for report in reports],
            "fee": [None if report.fee is None else str(report.fee) for report in reports],
            "fee_asset": [report.fee_asset for report in reports],
        }
        return columns

    def _next_row(self) -> int:
        self._row += 1
        return self._row


def _arrays(columns: dict[str, list[Any]]) -> _Columns:
    """Columns as Arrow keeps them."""
    return {name: pa.array(values, EVENT_SCHEMA.field(name).type) for name, values in columns.items()}


def _table(columns: _Columns) -> pa.Table:
    size = len(columns["row"])
    arrays = [columns[field.name] if field.name in columns else pa.nulls(size, field.type) for field in EVENT_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=EVENT_SCHEMA)


def _command_columns(rows: list[_CommandRow]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        name: [getattr(row, name) for row in rows]
        for name in (
            "row",
            "name",
            "link",
            "ts_sent_ns",
            "ts_arrived_ns",
            "ts_learned_ns",
            "outcome",
            "resolution",
            "reject_reason",
            "text",
            "is_queue_kept",
            "counter",
        )
    }
    columns["kind"] = ["command"] * len(rows)
    columns["counter_threshold"] = [row.threshold for row in rows]
    columns["request_id"] = [row.command.request_id for row in rows]
    subjects = [row.command for row in rows]
    for column, field in _COMMAND_FIELDS.items():
        columns[column] = [getattr(subject, field, None) for subject in subjects]
    columns["order_type"] = [_type_name(getattr(subject, "order_type", None)) for subject in subjects]
    return columns


_COMMAND_FIELDS = {
    "symbol": "symbol",
    "cl_ord_id": "cl_ord_id",
    "order_id": "order_id",
    "side": "side",
    "price_ticks": "limit_ticks",
    "trigger_ticks": "trigger_ticks",
    "qty_lots": "qty_lots",
}


def _execution_columns(reports: Iterable[ExecutionReport]) -> dict[str, list[Any]]:
    reports = list(reports)
    columns: dict[str, list[Any]] = {
        name: [getattr(report, name) for report in reports]
        for name in (
            "request_id",
            "symbol",
            "cl_ord_id",
            "order_id",
            "side",
            "trigger_ticks",
            "leaves_lots",
            "cum_lots",
            "ts_venue_ns",
        )
    }
    columns["order_type"] = [_type_name(report.order_type) for report in reports]
    columns["text"] = [report.reason for report in reports]
    columns["reject_reason"] = [None if report.cause is None else str(report.cause) for report in reports]
    return columns


def _report_columns(rows: list[tuple[int, str, Report, int]]) -> dict[str, list[Any]]:
    executions = [row for row in rows if isinstance(row[2], ExecutionReport)]
    others = [row for row in rows if not isinstance(row[2], ExecutionReport)]
    reports = [report for _, _, report, _ in executions if isinstance(report, ExecutionReport)]
    columns = _execution_columns(reports)
    columns["price_ticks"] = [report.limit_ticks for report in reports]
    columns["qty_lots"] = [report.qty_lots for report in reports]
    columns["name"] = [report.exec_type.name for report in reports]
    columns["row"] = [row for row, _, _, _ in executions]
    columns["link"] = [link for _, link, _, _ in executions]
    columns["ts_learned_ns"] = [ts_ns for _, _, _, ts_ns in executions]
    for values in columns.values():
        values += [None] * len(others)
    for index, (row, link, report, ts_ns) in enumerate(others, start=len(executions)):
        columns["row"][index] = row
        columns["name"][index] = type(report).__name__
        columns["link"][index] = link
        columns["ts_venue_ns"][index] = report.ts_venue_ns
        columns["ts_learned_ns"][index] = ts_ns
        if isinstance(report, VenueStatus):
            columns["symbol"][index] = report.symbol
            columns["text"][index] = report.mode.name
    columns["kind"] = ["report"] * len(rows)
    return columns


def _life_columns(rows: list[tuple[int, str, str, str, int, str | None]]) -> dict[str, list[Any]]:
    return {
        "row": [row[0] for row in rows],
        "kind": ["venue"] * len(rows),
        "name": [row[1] for row in rows],
        "cl_ord_id": [row[2] for row in rows],
        "order_id": [row[3] for row in rows],
        "ts_venue_ns": [row[4] for row in rows],
        "text": [row[5] for row in rows],
    }


def _venue_columns(rows: list[tuple[int, str, str | None, int, str | None]]) -> dict[str, list[Any]]:
    return {
        "row": [row[0] for row in rows],
        "kind": ["venue"] * len(rows),
        "name": [row[1] for row in rows],
        "link": [row[2] for row in rows],
        "ts_venue_ns": [row[3] for row in rows],
        "text": [row[4] for row in rows],
    }


def _event_columns(rows: list[tuple[int, RoadEvent]]) -> dict[str, list[Any]]:
    events = [event for _, event in rows]
    return {
        "row": [row for row, _ in rows],
        "kind": ["session" if isinstance(event, _SESSION_EVENTS) else "desk" for event in events],
        "name": [type(event).__name__ for event in events],
        "link": [getattr(event, "link", None) or getattr(event, "used", None) for event in events],
        "symbol": [getattr(event, "symbol", None) for event in events],
        "cl_ord_id": [getattr(event, "cl_ord_id", None) for event in events],
        "ts_learned_ns": [event.ts_ns for event in events],
        "text": [_event_text(event) for event in events],
        "reach": [",".join(event.reach) if isinstance(event, OrderReachChanged) else None for event in events],
        "cl_ord_ids": [",".join(event.cl_ord_ids) if isinstance(event, _SESSION_EVENTS) else None for event in events],
    }


def _event_text(event: RoadEvent) -> str:
    fields = structs.asdict(event)
    skipped = {"ts_ns", "link", "symbol", "cl_ord_id", "cl_ord_ids", "reach"}
    return "; ".join(f"{name}={value}" for name, value in fields.items() if name not in skipped and value is not None)


def _denied_columns(rows: list[tuple[int, OrderRecord, int, str]]) -> dict[str, list[Any]]:
    records = [record for _, record, _, _ in rows]
    return {
        "row": [row for row, _, _, _ in rows],
        "kind": ["desk"] * len(rows),
        "name": ["OrderDenied"] * len(rows),
        "link": [record.owner_link for record in records],
        "symbol": [record.symbol for record in records],
        "cl_ord_id": [record.cl_ord_id for record in records],
        "side": [record.side for record in records],
        "order_type": [_type_name(record.order_type) for record in records],
        "price_ticks": [record.limit_ticks for record in records],
        "qty_lots": [record.qty_lots for record in records],
        "ts_learned_ns": [ts_ns for _, _, ts_ns, _ in rows],
        "text": [reason for _, _, _, reason in rows],
    }


def _type_name(order_type: OrderType | None) -> str | None:
    return None if order_type is None else order_type.name
