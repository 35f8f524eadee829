"""A journal for a desk whose user keeps records of his own."""

from __future__ import annotations

from framework.execution.events import RoadEvent
from framework.execution.orders import OrderRecord
from framework.messages import Command, Report

__all__ = ["NoJournal"]


class NoJournal:
    """Writes nothing down; a ``framework.execution.link.Journal``."""

    def sent(self, link: str, command: Command, ts_sent_ns: int) -> None:
        """A command was put on a link."""

    def answered(self, request_id: int, ts_learned_ns: int, outcome: str, reason: str | None, text: str | None) -> None:
        """An answer was learned."""

    def resolved(self, request_id: int, resolution: str) -> None:
        """The fate of a lost command was proved."""

    def item_refused(self, request_id: int, cl_ord_id: str, text: str) -> None:
        """A batch's answer refuses an order."""

    def learned(self, link: str, report: Report, ts_learned_ns: int) -> None:
        """A report told something new."""

    def concluded(self, event: RoadEvent) -> None:
        """The desk concluded something."""

    def denied(self, record: OrderRecord, ts_ns: int, reason: str) -> None:
        """The desk refused an order."""
