"""Reports of trades and ledgers as files (rest-api/add-export and the pages beside it).

A report is of what the venue remembers when it is asked for, and ready at once. Of each account the newest reports are
kept, in memory.
"""

from __future__ import annotations

import csv
import hashlib
import io
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.http import HttpResponse
from adapters.kraken.server.keys import ApiKey
from adapters.kraken.server.refusal import Refusal, invalid
from adapters.kraken.server.rest.order_rows import OrderRows, executions
from adapters.kraken.server.rest.params import Params

__all__ = ["Exports"]

_NS = 10**9
_REPORTS_MAX = 10
_DESCRIPTION_MAX = 256
_SECONDS_MAX = 2**33
_COLUMNS = {
    "trades": ("ordertxid", "time", "ordertype", "price", "cost", "fee", "vol", "margin", "misc", "ledgers"),
    "ledgers": ("refid", "time", "type", "subtype", "aclass", "asset", "amount", "fee", "balance", "wallet"),
}
_FIRST_COLUMNS = {"trades": ("txid", "pair", "type"), "ledgers": ("txid",)}
_SEPARATORS = {"CSV": ",", "TSV": "\t"}
_WALLET = "spot / main"


class _Report(msgspec.Struct, frozen=True):
    report_id: str
    kind: str
    format: str
    description: str
    fields: str
    created_s: int
    start_s: int
    end_s: int
    archive: bytes


class Exports:
    """Answers; each method gives the ``result``, a file, or raises Refusal."""

    def __init__(self, context: ServerContext) -> None:
        self._host = context.host
        self._records = context.host.records
        self._rows = OrderRows(context)
        self._reports: dict[str, dict[str, _Report]] = {}
        self.methods: Mapping[str, Callable[[ApiKey, Params], Any]] = {
            "AddExport": self._add,
            "ExportStatus": self._status,
            "RetrieveExport": self._retrieve,
            "RemoveExport": self._remove,
        }

    def _add(self, key: ApiKey, params: Params) -> Any:
        kind = _kind(params)
        description = params.required("description")[:_DESCRIPTION_MAX]
        form = params.get("format", "CSV").upper()
        if form not in _SEPARATORS:
            raise invalid("format")
        columns = _columns(kind, params)
        now_s = -(-self._host.now_ns // _NS)
        start_s = params.whole("starttm", _month_s(now_s), 0, _SECONDS_MAX)
        end_s = params.whole("endtm", now_s, 0, _SECONDS_MAX)
        rows = self._trades(key) if kind == "trades" else self._ledgers(key)
        chosen = [row for row in rows if start_s <= row["time"] <= end_s]
        report_id = self._new_id(key.account)
        report = _Report(
            report_id,
            kind,
            form,
            description,
            params.get("fields", "all"),
            now_s,
            start_s,
            end_s,
            _archive(f"{kind}.{form.lower()}", columns, chosen, _SEPARATORS[form]),
        )
        reports = self._reports.setdefault(key.account, {})
        reports[report_id] = report
        if len(reports) > _REPORTS_MAX:
            del reports[next(iter(reports))]
        return {"id": report_id}

    def _status(self, key: ApiKey, params: Params) -> Any:
        kind = _kind(params)
        return [
            {
                "id": report.report_id,
                "descr": report.description,
                "format": report.format,
                "report": report.kind,
                "subtype": "all",
                "status": "Processed",
                "flags": "0",
                "fields": report.fields,
                "createdtm": str(report.created_s),
                "expiretm": "0",
                "starttm": str(report.created_s),
                "completedtm": str(report.created_s),
                "datastarttm": str(report.start_s),
                "dataendtm": str(report.end_s),
                "aclass": "currency",
                "asset": "all",
            }
            for report in reversed(self._reports.get(key.account, {}).values())
            if report.kind == kind
        ]

    def _retrieve(self, key: ApiKey, params: Params) -> HttpResponse:
        report = self._report(key, params)
        return HttpResponse(status=200, headers={"Content-Type": "application/octet-stream"}, body=report.archive)

    def _remove(self, key: ApiKey, params: Params) -> Any:
        report = self._report(key, params)
        what = params.required("type")
        if what not in ("cancel", "delete"):
            raise invalid("type")
        if what == "delete":
            del self._reports[key.account][report.report_id]
        return {what: what == "delete"}

    def _report(self, key: ApiKey, params: Params) -> _Report:
        report = self._reports.get(key.account, {}).get(params.required("id"))
        if report is None:
            raise Refusal("EGeneral:Invalid arguments:id")
        return report

    def _new_id(self, account: str) -> str:
        letters = hashlib.sha256(f"{account}/export/{self._host.next_request_id()}".encode()).hexdigest().upper()
        return letters[:8]

    def _trades(self, key: ApiKey) -> Iterable[dict[str, Any]]:
        for execution in executions(self._records.trades(key.account), is_consolidated=True):
            row = self._rows.trade(execution, has_ledgers=True)
            yield {"txid": execution.first.trade_id, **row, "ledgers": ",".join(row["ledgers"])}

    def _ledgers(self, key: ApiKey) -> Iterable[dict[str, Any]]:
        for entry in self._records.ledger(key.account):
            yield {"txid": entry.ledger_id, **self._rows.entry(entry), "wallet": _WALLET}


def _kind(params: Params) -> str:
    kind = params.required("report")
    if kind not in _COLUMNS:
        raise invalid("report")
    return kind


def _columns(kind: str, params: Params) -> list[str]:
    wanted = params.items("fields")
    if not wanted or wanted == ["all"]:
        wanted = list(_COLUMNS[kind])
    if not set(_COLUMNS[kind]).issuperset(wanted):
        raise invalid("fields")
    return [*_FIRST_COLUMNS[kind], *wanted]


def _archive(name: str, columns: list[str], rows: Iterable[Mapping[str, Any]], separator: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_time_text(row["time"]) if column == "time" else row[column] for column in columns])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), text.getvalue(), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _time_text(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


def _month_s(now_s: int) -> int:
    """The first second of the month that a time is in."""
    now = time.gmtime(now_s)
    return now_s - ((now.tm_mday - 1) * 86_400 + now.tm_hour * 3_600 + now.tm_min * 60 + now.tm_sec)
