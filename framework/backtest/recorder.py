"""Writing down a run: what was sent, what arrived, what the venue did, and when each was learned.

The recorder hears three sides: the desk (``Journal``), the venue (``VenueObserver``, the simulation's truth) and the
fault schedule. Fills are the venue's, whether or not the strategy ever learned of them; when it did, is added to them.
Rows are made columns when there are many of them, once nothing about them can change any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from msgspec.structs import replace

from framework.backtest.packed_tables import PackedTables
from framework.backtest.recorder_columns import (
    CommandRow,
    command_columns,
    denied_columns,
    event_columns,
    execution_columns,
    life_columns,
    report_columns,
    rows_table,
    venue_columns,
)
from framework.backtest.results import EVENT_SCHEMA
from framework.execution.events import RoadEvent
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
)
from framework.protocol import RejectReason
from framework.venue.observer import VenueObserver

__all__ = ["RunRecorder"]

# A command with one of these outcomes has been answered; so long after it was sent, nothing more is said of it.
_FINAL = ("accepted", "rejected")
_FINAL_AFTER_NS = 60 * 10**9


class RunRecorder(VenueObserver):
    """Collects the rows of ``events.parquet``.

    fills: the venue's fills in the order in which they happened, those left out that ``finish_fills`` has dealt with.
    fill_count: of all fills.
    """

    def __init__(self, rows_max: int = 50_000, *, is_long: bool = False) -> None:
        """rows_max: so many rows of one kind are kept as objects before they are made columns, and packed.
        is_long: what is packed lies on disk, for a run may last for weeks.
        """
        self._rows_max = self._commands_max = rows_max
        self._row = 0
        self._done = PackedTables(EVENT_SCHEMA, is_on_disk=is_long)
        self._commands: list[CommandRow] = []
        self._by_request: dict[int, tuple[CommandRow, ...]] = {}
        self._reports: list[tuple[int, str, Report, int]] = []
        self.fills: list[tuple[int, ExecutionReport]] = []
        self.fill_count = 0
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
        rows: tuple[CommandRow, ...]
        if kind is AddOrder:
            assert isinstance(command, AddOrder)
            name = "ValidateOrder" if command.is_validate_only else "AddOrder"
            rows = (CommandRow(self._next_row(), link, name, command, ts_sent_ns),)
        elif kind is AddBatch:
            assert isinstance(command, AddBatch)
            rows = tuple(
                CommandRow(self._next_row(), link, "AddOrder", replace(order, request_id=request_id), ts_sent_ns)
                for order in command.orders
            )
        elif kind is CancelBatch:
            assert isinstance(command, CancelBatch)
            single = [CancelOrder(request_id=request_id, cl_ord_id=cl_ord_id) for cl_ord_id in command.cl_ord_ids]
            single += [CancelOrder(request_id=request_id, order_id=order_id) for order_id in command.order_ids]
            rows = tuple(CommandRow(self._next_row(), link, "CancelOrder", cancel, ts_sent_ns) for cancel in single)
        else:
            rows = (CommandRow(self._next_row(), link, kind.__name__, command, ts_sent_ns),)
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
            self._pack(self._reports, report_columns)

    def concluded(self, event: RoadEvent) -> None:
        """The desk concluded or did something on its own."""
        self._events.append((self._next_row(), event))
        self._pack(self._events, event_columns)

    def denied(self, record: OrderRecord, ts_ns: int, reason: str) -> None:
        """The desk refused an order before it was sent."""
        self._denied.append((self._next_row(), record, ts_ns, reason))
        self._pack(self._denied, denied_columns)

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
        self._pack(self._lives, life_columns)

    def on_fill(self, report: ExecutionReport) -> None:
        """The engine filled an order."""
        self.fills.append((self._next_row(), report))
        self.fill_count += 1

    def on_session(self, session_id: str, change: str, now_ns: int) -> None:
        """A line or session changed at the venue."""
        self._note_venue(change, session_id, now_ns, None)

    def on_mode(self, symbol: str | None, mode: str, now_ns: int) -> None:
        """The venue's mode changed."""
        self._note_venue("ModeChanged", None, now_ns, mode if symbol is None else f"{symbol} {mode}")

    # ------------------------------------------------------------------------------------------------- faults

    def fault(self, name: str, link: str | None, ts_ns: int, text: str | None) -> None:
        """The fault schedule did something."""
        self._note_venue(name, link, ts_ns, text)

    def _note_venue(self, name: str, link: str | None, ts_ns: int, text: str | None) -> None:
        self._venue.append((self._next_row(), name, link, ts_ns, text))
        self._pack(self._venue, venue_columns)

    # ------------------------------------------------------------------------------------------------- table

    def table(self, marks: dict[str, list[int | None]]) -> pa.Table:
        """All rows in the order in which they were written, as ``EVENT_SCHEMA``.

        marks: the market's best prices at and after each of ``fills``, by column name, in their order.
        """
        parts = (
            command_columns(self._commands),
            report_columns(self._reports),
            self._fill_columns(self.fills) | marks,
            event_columns(self._events),
            denied_columns(self._denied),
            life_columns(self._lives),
            venue_columns(self._venue),
        )
        tables = [*self._done.tables(), *(rows_table(columns) for columns in parts)]
        return pa.concat_tables(tables).sort_by("row").combine_chunks()

    def finish_fills(self, before_ns: int, marks_of: Callable[[list[ExecutionReport]], dict[str, list[Any]]]) -> None:
        """Where there are many fills, make columns of those before a time, which are not among ``fills`` any more.

        marks_of: the marks of fills, as ``table`` takes them. Nothing may be learned of these fills afterwards.
        """
        if len(self.fills) < self._rows_max:
            return
        final = [fill for fill in self.fills if fill[1].ts_venue_ns < before_ns]
        if not final:
            return
        self.fills = [fill for fill in self.fills if fill[1].ts_venue_ns >= before_ns]
        reports = [report for _, report in final]
        self._done.add(rows_table(self._fill_columns(final) | marks_of(reports)))
        for report in reports:
            self._fill_learned.pop(report.exec_id or "", None)

    def _pack[Row](self, rows: list[Row], columns_of: Callable[[list[Row]], dict[str, list[Any]]]) -> None:
        """Make columns of rows that do not change any more, where there are many of them."""
        if len(rows) >= self._rows_max:
            self._done.add(rows_table(columns_of(rows)))
            rows.clear()

    def _finish_commands(self, before_ns: int) -> None:
        """Make columns of the commands that have been answered and were sent before a time; others may still change."""
        final: list[CommandRow] = []
        left: list[CommandRow] = []
        for row in self._commands:
            (final if row.outcome in _FINAL and row.ts_sent_ns < before_ns else left).append(row)
        self._commands = left
        self._commands_max = max(self._rows_max, 2 * len(left))
        for row in final:
            self._by_request.pop(row.command.request_id, None)
        if final:
            self._done.add(rows_table(command_columns(final)))

    def _fill_columns(self, fills: list[tuple[int, ExecutionReport]]) -> dict[str, list[Any]]:
        reports = [report for _, report in fills]
        learned = [self._fill_learned.get(report.exec_id or "") for report in reports]
        columns = execution_columns(reports)
        columns |= {
            "row": [row for row, _ in fills],
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
