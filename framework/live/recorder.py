"""Writing down a live run: what a trader can know of it, where a simulation's recorder is told by the venue itself."""

from __future__ import annotations

from framework.backtest.recorder import RunRecorder
from framework.messages import (
    AddBatch,
    AddOrder,
    AmendOrder,
    CancelOrder,
    Command,
    CommandAccepted,
    CommandRejected,
    ExecType,
    ExecutionReport,
    Report,
)
from framework.protocol import RejectReason

__all__ = ["LiveRecorder"]

# What the engine does first of what a command asks for, by the command's name.
_DOINGS = {
    ExecType.PENDING_NEW: AddOrder.__name__,
    ExecType.NEW: AddOrder.__name__,
    ExecType.CANCELED: CancelOrder.__name__,
    ExecType.AMENDED: AmendOrder.__name__,
}


# A live run is long: what it has done is packed, and lies on disk.
_ROWS_MAX = 500


class LiveRecorder(RunRecorder):
    """Fills are those that were learned. A command was at the engine when the venue says that it did what is asked for:
    made the order, canceled it, amended it; where it does not say, when it took the request.
    """

    def __init__(self) -> None:
        super().__init__(_ROWS_MAX, is_long=True)
        # Commands whose doing has not been reported, by name and order, with their requests.
        self._awaited: dict[tuple[str, str], int] = {}

    def sent(self, link: str, command: Command, ts_sent_ns: int) -> None:
        """See ``RunRecorder``."""
        super().sent(link, command, ts_sent_ns)
        for each in command.orders if isinstance(command, AddBatch) else (command,):
            cl_ord_id = getattr(each, "cl_ord_id", None)
            if cl_ord_id is not None:
                # Of two cancels of one order the first does it, unless it is refused.
                self._awaited.setdefault((type(each).__name__, cl_ord_id), command.request_id)

    def learned(self, link: str, report: Report, ts_learned_ns: int) -> None:
        """See ``RunRecorder``."""
        if isinstance(report, ExecutionReport) and report.exec_type is ExecType.TRADE:
            self.on_fill(report)
        super().learned(link, report, ts_learned_ns)

    def heard(self, report: Report) -> None:
        """A report has come, whether or not it tells anything new."""
        request_id = getattr(report, "request_id", None)
        if isinstance(report, CommandAccepted | CommandRejected | ExecutionReport) and request_id is not None:
            self.arrived(request_id, report.ts_venue_ns)
        if isinstance(report, CommandRejected):
            for key in [key for key, awaited in self._awaited.items() if awaited == request_id]:
                del self._awaited[key]
        if isinstance(report, ExecutionReport):
            self._note_doing(report)

    def _note_doing(self, report: ExecutionReport) -> None:
        name, cl_ord_id = _DOINGS.get(report.exec_type), report.cl_ord_id
        is_asked = report.exec_type is not ExecType.CANCELED or report.cause is RejectReason.USER_REQUESTED
        if name is not None and is_asked:
            request_id = self._awaited.pop((name, cl_ord_id), None)
            if request_id is not None:
                self.carried_out(request_id, cl_ord_id, report.ts_venue_ns)
        if not report.leaves_lots:
            for other in set(_DOINGS.values()):
                self._awaited.pop((other, cl_ord_id), None)
