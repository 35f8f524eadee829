"""Reports as files.

Sources: rest-api/add-export, export-status, retrieve-export, remove-export. What is retrieved is a zip archive, and
only a failure is JSON.
"""

from __future__ import annotations

from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message
from adapters.kraken.wire.rest.envelope import PrivateRequest, Whole

__all__ = [
    "AddExportRequest",
    "ExportId",
    "ExportReport",
    "ExportStatusRequest",
    "RemoveExportRequest",
    "RemoveExportResult",
    "RetrieveExportRequest",
]


class AddExportRequest(PrivateRequest, frozen=True, kw_only=True):
    """report: trades, ledgers. format: CSV, TSV. ``fields``: names with commas between them. Times in seconds."""

    report: str
    description: str
    format: Maybe[str] = UNSET
    fields: Maybe[str] = UNSET
    starttm: Maybe[Whole] = UNSET
    endtm: Maybe[Whole] = UNSET


class ExportStatusRequest(PrivateRequest, frozen=True, kw_only=True):
    """The kind of report that is asked for."""

    report: str


class RetrieveExportRequest(PrivateRequest, frozen=True, kw_only=True):
    """The report to fetch."""

    id: str


class RemoveExportRequest(PrivateRequest, frozen=True, kw_only=True):
    """type: cancel (what is not yet processed), delete."""

    id: str
    type: str


class ExportId(Message, frozen=True):
    """What the report is called from now on."""

    id: str


class ExportReport(Message, frozen=True):
    """A report. status: Queued, Processing, Processed. Times are seconds since 1970, as text."""

    id: str
    descr: Maybe[str] = UNSET
    format: Maybe[str] = UNSET
    report: Maybe[str] = UNSET
    subtype: Maybe[str] = UNSET
    status: Maybe[str] = UNSET
    flags: Maybe[str] = UNSET
    fields: Maybe[str] = UNSET
    createdtm: Maybe[str] = UNSET
    expiretm: Maybe[str] = UNSET
    starttm: Maybe[str] = UNSET
    completedtm: Maybe[str] = UNSET
    datastarttm: Maybe[str] = UNSET
    dataendtm: Maybe[str] = UNSET
    aclass: Maybe[str] = UNSET
    asset: Maybe[str] = UNSET


class RemoveExportResult(Message, frozen=True):
    """Whether it was done, under the name of what was asked."""

    delete: Maybe[bool] = UNSET
    cancel: Maybe[bool] = UNSET
