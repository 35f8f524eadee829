"""Who is told what: turns changes of orders into reports, and puts them on the lines that hear of them.

A session whose protocol pushes to the owner is told of its own orders, with the request that caused the change; a line
that is subscribed to the account is told of all orders of the account; a protocol that pushes nothing is told nothing
and has to ask (guides/general/api-comparison, guides/general/order-lifecycle). Requests that succeed are answered in
the style of their protocol, requests that fail always.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from framework.messages import (
    CommandAccepted,
    CommandRejected,
    ExecType,
    ExecutionReport,
    OrderState,
    OrderStatus,
    Report,
    SessionClosed,
)
from framework.protocol import News, RejectReason, ResponseStyle
from framework.venue.orders import Order
from framework.venue.sessions import Line, Outbound, Session

__all__ = ["Reporter", "order_status"]

_PUSHED_SESSION = News.PUSHED_SESSION
_REPORTS = ResponseStyle.REPORTS


class Reporter:
    """Makes reports and puts them into the outbox.

    outbox: what the venue has to send, in the order in which it made it; whoever runs the venue empties it.
    unheard: told of each report of a session whose line is down, by who keeps such reports himself; else None. Where he
        does, streams only count: nobody asks them for what was sent.
    """

    def __init__(self, errors: Mapping[RejectReason, str]) -> None:
        self.outbox: list[Outbound] = []
        self.unheard: Callable[[Session, Report], None] | None = None
        self._errors = errors

    def text(self, reason: RejectReason) -> str:
        """The venue's own words for a reason."""
        return self._errors[reason]

    # ------------------------------------------------------------------------------------------------- one line

    def send(self, line: Line, report: Report, is_response: bool) -> None:
        """Send on a line; numbered and kept where its session has a stream."""
        session = line.session
        if session is not None and session.stream is not None:
            self._push(session, report, is_response)
        elif line.is_up:
            self.outbox.append(Outbound(line.session_id, report, is_response))

    def close_unheard(self, session: Session, reason: str, now_ns: int) -> None:
        """A session whose line is down has ended; told to who keeps its reports himself."""
        if self.unheard is not None and session.stream is not None and session.stream.is_current:
            self.unheard(session, SessionClosed(ts_venue_ns=now_ns, session_id=session.session_id, reason=reason))

    def _push(self, session: Session, report: Report, is_response: bool) -> None:
        stream = session.stream
        if stream is None:
            line = session.line
            if line is not None and line.is_up:
                self.outbox.append(Outbound(line.session_id, report, is_response))
            return
        stream.count = count = stream.count + 1
        if self.unheard is None:
            stream.reports.append(report)
        if stream.line is not None:
            self.outbox.append(Outbound(stream.line.session_id, report, is_response, count))
        elif self.unheard is not None and stream.is_current:
            self.unheard(session, report)

    def accept(
        self,
        line: Line,
        request_id: int,
        now_ns: int,
        order_ids: tuple[str, ...] = (),
        errors: tuple[str | None, ...] = (),
        count: int | None = None,
        trigger_ns: int | None = None,
        *,
        is_told_by_reports: bool = True,
    ) -> None:
        """Answer a request that was carried out; nothing is sent where the protocol answers by execution reports and
        those tell of it (``is_told_by_reports``).
        """
        if is_told_by_reports and line.profile.response_style is _REPORTS:
            return
        report = CommandAccepted(
            ts_venue_ns=now_ns,
            request_id=request_id,
            order_ids=order_ids,
            errors=errors,
            count=count,
            trigger_ns=trigger_ns,
        )
        self.send(line, report, True)

    def reject(self, line: Line, request_id: int, reason: RejectReason, now_ns: int) -> None:
        """Answer a request that was refused."""
        report = CommandRejected(ts_venue_ns=now_ns, request_id=request_id, error=self._errors[reason], reason=reason)
        self.send(line, report, True)

    # ------------------------------------------------------------------------------------------------- executions

    def order_changed(
        self,
        order: Order,
        exec_type: ExecType,
        now_ns: int,
        request_id: int | None = None,
        cause: RejectReason | None = None,
        requester: Line | None = None,
    ) -> None:
        """Tell of a change of an order that is no fill.

        requester: the line that asked for it; it is told even of an order that its session does not own, where its
        protocol answers by reports.
        """
        session = order.session
        is_owner_told = session.is_heard and session.profile.news is _PUSHED_SESSION
        lines = order.account.news_lines
        is_requester_told = (
            requester is not None and requester.session is not session and requester.profile.response_style is _REPORTS
        )
        if not (is_owner_told or lines or is_requester_told):
            return
        if is_owner_told:
            owner_request = request_id if requester is None or requester.session is session else None
            self._push(session, self._change(order, exec_type, now_ns, owner_request, cause), False)
        if lines:
            report = self._change(order, exec_type, now_ns, None, cause)
            for line in lines:
                self.send(line, report, False)
        if is_requester_told:
            assert requester is not None
            self.send(requester, self._change(order, exec_type, now_ns, request_id, cause), False)

    def order_pending(self, order: Order, now_ns: int) -> None:
        """Tell of an order that is about to go live, where the hearer's protocol reports that as a step of its own."""
        session = order.session
        is_owner_told = session.is_heard and session.profile.news is _PUSHED_SESSION
        is_owner_told = is_owner_told and session.profile.is_pending_new_sent
        lines = [line for line in order.account.news_lines if line.profile.is_pending_new_sent]
        if not (is_owner_told or lines):
            return
        order.state = OrderState.PENDING_NEW
        if is_owner_told:
            self._push(session, self._change(order, ExecType.PENDING_NEW, now_ns, order.request_id, None), False)
        if lines:
            report = self._change(order, ExecType.PENDING_NEW, now_ns, None, None)
            for line in lines:
                self.send(line, report, False)

    def order_filled(
        self,
        order: Order,
        last_ticks: int,
        last_lots: int,
        exec_id: str,
        is_maker: bool,
        fee: Decimal,
        ts_ns: int,
    ) -> ExecutionReport:
        """Tell of a fill; the report is returned for the account's own record."""
        state = order.state
        is_done = state is OrderState.FILLED
        report = ExecutionReport(
            ts_venue_ns=ts_ns,
            exec_type=ExecType.TRADE,
            state=state,
            order_id=order.order_id,
            cl_ord_id=order.cl_ord_id,
            symbol=order.pair.symbol,
            side=order.side,
            order_type=order.order_type,
            qty_lots=order.qty_lots,
            leaves_lots=0 if is_done else order.qty_lots - order.cum_lots,
            cum_lots=order.cum_lots,
            limit_ticks=order.limit_ticks,
            trigger_ticks=order.trigger_ticks,
            display_lots=order.display_lots,
            last_lots=last_lots,
            last_ticks=last_ticks,
            exec_id=exec_id,
            is_maker=is_maker,
            fee=fee,
            fee_asset=order.pair.spec.base if order.is_fee_in_base else order.pair.quote_asset,
        )
        session = order.session
        if session.is_heard and session.profile.news is _PUSHED_SESSION:
            self._push(session, report, False)
        for line in order.account.news_lines:
            self.send(line, report, False)
        return report

    def _change(
        self, order: Order, exec_type: ExecType, now_ns: int, request_id: int | None, cause: RejectReason | None
    ) -> ExecutionReport:
        return ExecutionReport(
            ts_venue_ns=now_ns,
            exec_type=exec_type,
            state=order.state,
            order_id=order.order_id,
            cl_ord_id=order.cl_ord_id,
            symbol=order.pair.symbol,
            side=order.side,
            order_type=order.order_type,
            qty_lots=order.qty_lots,
            leaves_lots=order.leaves_lots,
            cum_lots=order.cum_lots,
            limit_ticks=order.limit_ticks,
            trigger_ticks=order.trigger_ticks,
            display_lots=order.display_lots,
            reason=None if cause is None else self._errors[cause],
            cause=cause,
            request_id=request_id,
        )


def order_status(order: Order, text: str | None) -> OrderStatus:
    """An order as a poll or a snapshot shows it; text: why it was canceled."""
    return OrderStatus(
        state=order.state,
        order_id=order.order_id,
        cl_ord_id=order.cl_ord_id,
        symbol=order.pair.symbol,
        side=order.side,
        order_type=order.order_type,
        qty_lots=order.qty_lots,
        cum_lots=order.cum_lots,
        limit_ticks=order.limit_ticks,
        trigger_ticks=order.trigger_ticks,
        display_lots=order.display_lots,
        reason=text,
    )
