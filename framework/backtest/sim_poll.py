"""A poll of the account's orders in virtual time: one question after another, each on a path of its own.

Where a protocol charges a poll for changes (``ProtocolProfile.poll_calls_on_change``) these are questions of their own:
first what is open, and only if something has changed what has ended, then what was filled. Each takes its way there and
back, so the answer is as old as the first of them, and as late as the last. A client that polls sees no change until it
compares; what it compares with is what earlier polls have told, and what it has sent itself.
"""

from __future__ import annotations

from msgspec.structs import replace

from framework.messages import (
    AddBatch,
    AddOrder,
    Command,
    CommandAccepted,
    CommandRejected,
    ExecutionReport,
    OrdersSnapshot,
    OrderState,
    OrderStatus,
    PollPart,
    QueryOrders,
    Report,
)

__all__ = ["SimPolls"]


class SimPolls:
    """The polls of one link."""

    def __init__(self) -> None:
        self._polls: dict[int, _Poll] = {}
        # Client ids of new orders without an answer yet, by request.
        self._waiting: dict[int, tuple[int | None, frozenset[str]]] = {}
        # What the newest poll has told of the past, and when it looked.
        self._told_ids: frozenset[str] = frozenset()
        self._told_ns: int | None = None

    def begin(self, command: QueryOrders) -> QueryOrders:
        """The first question of a poll."""
        told_ns = self._told_ns
        is_past_wanted = command.since_ns > 0 and (told_ns is None or command.since_ns < told_ns)
        self._polls[command.request_id] = _Poll(command, is_past_wanted)
        return _part(command, PollPart.OPEN)

    def note_sent(self, command: Command) -> None:
        """A command has left."""
        if isinstance(command, AddOrder) and not command.is_validate_only:
            self._waiting[command.request_id] = (command.deadline_ns, frozenset({command.cl_ord_id}))
        elif isinstance(command, AddBatch) and not command.is_validate_only:
            names = frozenset(order.cl_ord_id for order in command.orders)
            self._waiting[command.request_id] = (command.deadline_ns, names)

    def note_heard(self, report: Report) -> None:
        """A report has come, other than the answer to a poll's question."""
        if isinstance(report, CommandAccepted | CommandRejected) and report.request_id is not None:
            self._waiting.pop(report.request_id, None)
            self._polls.pop(report.request_id, None)

    def answer(self, report: OrdersSnapshot) -> QueryOrders | OrdersSnapshot:
        """A question was answered: the next one, or the whole answer, which is as old as its first part."""
        poll = self._polls.get(-1 if report.request_id is None else report.request_id)
        if poll is None:
            return report
        command = poll.command
        trades: tuple[ExecutionReport, ...] = ()
        if poll.first is None:
            poll.first = report
            if poll.is_past_wanted or self._has_changed(report):
                return _part(command, PollPart.ENDED)
            poll.ended = ()
        elif poll.ended is None:
            poll.ended = report.orders
            return _part(command, PollPart.TRADES)
        else:
            trades = report.trades
        del self._polls[command.request_id]
        # One that has ended since it was seen open has ended.
        now = {status.order_id: status for status in (*_open(poll.first), *poll.ended)}
        ended = frozenset(status.order_id for status in poll.ended)
        self._told_ids = ended | {trade.exec_id or "" for trade in trades} if ended or trades else self._told_ids
        self._told_ns = poll.first.ts_venue_ns
        return OrdersSnapshot(
            ts_venue_ns=poll.first.ts_venue_ns,
            request_id=command.request_id,
            orders=tuple(now.values()),
            trades=tuple(trades),
        )

    def forget(self) -> None:
        """The line is gone, and all questions with it."""
        self._polls.clear()
        self._waiting.clear()

    def _has_changed(self, first: OrdersSnapshot) -> bool:
        """Whether the past has something to tell that has not been told."""
        seen = {status.cl_ord_id for status in first.orders}
        for request_id, (deadline_ns, names) in list(self._waiting.items()):
            if names - seen:
                if deadline_ns is not None and first.ts_venue_ns > deadline_ns:
                    del self._waiting[request_id]  # never arrived, and cannot any more
                return True
        ended = {status.order_id for status in first.orders if status.state > OrderState.PARTIALLY_FILLED}
        return not self._told_ids.issuperset(ended | {trade.exec_id or "" for trade in first.trades})


class _Poll:
    """One poll under way. first: the answer to its first question; ended: orders of the second one's."""

    __slots__ = ("command", "ended", "first", "is_past_wanted")

    def __init__(self, command: QueryOrders, is_past_wanted: bool) -> None:
        self.command = command
        self.is_past_wanted = is_past_wanted
        self.first: OrdersSnapshot | None = None
        self.ended: tuple[OrderStatus, ...] | None = None


def _part(command: QueryOrders, part: PollPart) -> QueryOrders:
    return replace(command, part=part)


def _open(report: OrdersSnapshot) -> list[OrderStatus]:
    return [status for status in report.orders if status.state <= OrderState.PARTIALLY_FILLED]
