"""Rows of a run's log as columns, by their kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
from msgspec import structs

from framework.backtest.results import EVENT_SCHEMA
from framework.execution.events import OrderReachChanged, RoadEvent, SessionClosed, SessionOpened, SessionResumed
from framework.execution.orders import OrderRecord
from framework.messages import Command, ExecutionReport, Report, VenueStatus
from framework.protocol import OrderType

__all__ = [
    "CommandRow",
    "command_columns",
    "denied_columns",
    "event_columns",
    "execution_columns",
    "life_columns",
    "report_columns",
    "rows_table",
    "venue_columns",
]

_SESSION_EVENTS = (SessionOpened, SessionClosed, SessionResumed)


class CommandRow:
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


def rows_table(columns: dict[str, list[Any]]) -> pa.Table:
    """Rows as a table of ``EVENT_SCHEMA``; what a kind has no column for is null."""
    size = len(columns["row"])
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(size, field.type)
        for field in EVENT_SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=EVENT_SCHEMA)


def command_columns(rows: list[CommandRow]) -> dict[str, list[Any]]:
    """Commands, with their times and outcomes."""
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


def execution_columns(reports: Iterable[ExecutionReport]) -> dict[str, list[Any]]:
    """What execution reports of any kind have in common."""
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


def report_columns(rows: list[tuple[int, str, Report, int]]) -> dict[str, list[Any]]:
    """Reports, each with its row, the link that told it and when it was learned."""
    executions = [row for row in rows if isinstance(row[2], ExecutionReport)]
    others = [row for row in rows if not isinstance(row[2], ExecutionReport)]
    reports = [report for _, _, report, _ in executions if isinstance(report, ExecutionReport)]
    columns = execution_columns(reports)
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


def life_columns(rows: list[tuple[int, str, str, str, int, str | None]]) -> dict[str, list[Any]]:
    """Orders that took their place in the book or ended: row, what, ids, time and how."""
    return {
        "row": [row[0] for row in rows],
        "kind": ["venue"] * len(rows),
        "name": [row[1] for row in rows],
        "cl_ord_id": [row[2] for row in rows],
        "order_id": [row[3] for row in rows],
        "ts_venue_ns": [row[4] for row in rows],
        "text": [row[5] for row in rows],
    }


def venue_columns(rows: list[tuple[int, str, str | None, int, str | None]]) -> dict[str, list[Any]]:
    """What else befell the venue: row, what, session, time and text."""
    return {
        "row": [row[0] for row in rows],
        "kind": ["venue"] * len(rows),
        "name": [row[1] for row in rows],
        "link": [row[2] for row in rows],
        "ts_venue_ns": [row[3] for row in rows],
        "text": [row[4] for row in rows],
    }


def event_columns(rows: list[tuple[int, RoadEvent]]) -> dict[str, list[Any]]:
    """What the desk concluded, by row."""
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


def denied_columns(rows: list[tuple[int, OrderRecord, int, str]]) -> dict[str, list[Any]]:
    """Orders that the desk refused: row, order, time and reason."""
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
