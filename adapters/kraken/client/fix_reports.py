"""FIX messages of the venue as reports.

A report names the request that caused it by ClOrdID; which request and which order that is, the session's requests and
the memory of the account know. The fee of a report is that of all trades of its order so far, unless it says that it is
of this one. Sources: fix-api/er-fix, bmr-fix, reject-session_level-fix.
"""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal, InvalidOperation

from msgspec import UNSET

from adapters.fix.times import parse_utc_timestamp
from adapters.kraken.client.fix_requests import FixRequest
from adapters.kraken.client.instruments import Instrument
from adapters.kraken.client.link_base import AccountParts
from adapters.kraken.client.order_memory import KnownOrder
from adapters.kraken.errors import reject_reason
from adapters.kraken.wire.codec import Maybe
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.fix import orders, session
from adapters.kraken.words import FIX_TIMES, FIX_TYPES
from framework.messages import AddOrder, AmendOrder, CommandRejected, ExecType, ExecutionReport, MassCancel, OrderState
from framework.protocol import BUY, SELL

__all__ = ["FixReports"]

_EXEC_TYPES = {
    "A": ExecType.PENDING_NEW,
    "0": ExecType.NEW,
    "F": ExecType.TRADE,
    "4": ExecType.CANCELED,
    "C": ExecType.EXPIRED,
    "5": ExecType.AMENDED,
    "D": ExecType.RESTATED,
}
_STATES = {
    "A": OrderState.PENDING_NEW,
    "0": OrderState.NEW,
    "1": OrderState.PARTIALLY_FILLED,
    "2": OrderState.FILLED,
    "4": OrderState.CANCELED,
    "C": OrderState.EXPIRED,
}
_PER_TRADE = "s"
# So many requests are remembered: an answer comes within seconds, and a session lasts a day.
_KEPT_MAX = 2_000


class FixReports:
    """Reads reports. waiting: the session's requests by ClOrdID, as long as an answer may name them."""

    def __init__(self, parts: AccountParts) -> None:
        self.waiting: OrderedDict[str, FixRequest] = OrderedDict()
        self._parts = parts
        self._by_seq_num: OrderedDict[int, FixRequest] = OrderedDict()

    def sent(self, request: FixRequest, seq_num: int) -> None:
        """A request has left, as this message of the session."""
        self.waiting[request.cl_ord_id] = request
        self._by_seq_num[seq_num] = request
        for kept in (self.waiting, self._by_seq_num):
            if len(kept) > _KEPT_MAX:
                kept.popitem(last=False)

    def forget(self) -> None:
        """The session's numbers begin anew: nothing of it will be answered any more."""
        self.waiting.clear()
        self._by_seq_num.clear()

    # ------------------------------------------------------------------------------------------------- reports

    def execution(self, message: orders.ExecutionReport, *, is_poss_dup: bool) -> ExecutionReport | None:
        """What an execution report tells; None for the answer to a status request, and for a pair that is not known.

        Raises WireError for a report that lacks what its kind has.
        """
        exec_type = _EXEC_TYPES.get(message.exec_type)
        if exec_type is None or message.symbol not in self._parts.instruments:
            return None
        instrument = self._parts.instruments[message.symbol]
        request = self.waiting.get(message.cl_ord_id)
        known = self._order(message, request)
        self._note_terms(message, known, instrument, exec_type, request)
        cum_lots, qty_lots = instrument.lots(message.cum_qty), instrument.lots(message.order_qty)
        state = _STATES.get(message.ord_status)
        if state is None:  # replaced: it works as before
            state = OrderState.PARTIALLY_FILLED if cum_lots else OrderState.NEW
        is_over = state > OrderState.PARTIALLY_FILLED
        if exec_type is ExecType.RESTATED and message.trigger_price is not UNSET:
            exec_type = ExecType.TRIGGERED
        is_trade = exec_type is ExecType.TRADE
        reason = message.text if exec_type is ExecType.CANCELED and message.text is not UNSET else None
        request_id = None if request is None or is_trade else request.command.request_id
        if request_id is not None and request is not None and not isinstance(request.command, MassCancel):
            self.waiting.pop(message.cl_ord_id, None)
        last_lots = instrument.lots(_given(message.last_qty)) if is_trade else 0
        if is_trade:
            self._parts.memory.told(known, last_lots, cum_lots)
        if is_over:
            self._parts.memory.over(known, cum_lots)
        fee, fee_asset = self._fee(message, known, cum_lots, last_lots) if is_trade else (None, None)
        return ExecutionReport(
            ts_venue_ns=_moment(message.transact_time),
            exec_type=exec_type,
            state=state,
            order_id=message.order_id,
            cl_ord_id=known.cl_ord_id,
            symbol=message.symbol,
            side=known.side,
            order_type=known.order_type,
            qty_lots=qty_lots,
            leaves_lots=0 if is_over else max(0, qty_lots - cum_lots),
            cum_lots=cum_lots,
            limit_ticks=known.limit_ticks,
            trigger_ticks=known.trigger_ticks,
            display_lots=known.display_lots,
            last_lots=last_lots,
            last_ticks=instrument.ticks(_given(message.last_px)) if is_trade else 0,
            exec_id=_given(message.trade_id) if is_trade else None,
            is_maker=None if not is_trade or message.liquidity_ind is UNSET else message.liquidity_ind == "0",
            fee=fee,
            fee_asset=fee_asset,
            reason=reason,
            cause=None if reason is None else reject_reason(reason),
            request_id=request_id,
            is_poss_dup=is_poss_dup,
        )

    def refusal(self, message: session.BusinessMessageReject, ts_ns: int) -> CommandRejected | None:
        """What a business reject tells; None for one of a request that nobody waits for."""
        reference = message.business_reject_ref_id
        request = None if reference is UNSET else self.waiting.pop(reference, None)
        return None if request is None else self._refused(request, message.text, ts_ns)

    def fault(self, seq_num: int | None, text: str, ts_ns: int) -> CommandRejected | None:
        """What a session reject tells: the venue could not read a request of ours."""
        request = None if seq_num is None else self._by_seq_num.get(seq_num)
        if request is None or self.waiting.pop(request.cl_ord_id, None) is None:
            return None
        return self._refused(request, text, ts_ns)

    # ------------------------------------------------------------------------------------------------- within

    def _refused(self, request: FixRequest, text: Maybe[str], ts_ns: int) -> CommandRejected:
        if isinstance(request.command, AddOrder) and request.known is not None:
            self._parts.memory.end(request.known)
        error = "refused without a reason" if text is UNSET else text
        return CommandRejected(
            ts_venue_ns=ts_ns, request_id=request.command.request_id, error=error, reason=reject_reason(error)
        )

    def _order(self, message: orders.ExecutionReport, request: FixRequest | None) -> KnownOrder:
        memory, ids = self._parts.memory, self._parts.ids
        names = [message.cl_ord_id] + ([] if message.orig_cl_ord_id is UNSET else [message.orig_cl_ord_id])
        known = memory.find(message.order_id, None)
        if known is None and request is not None and request.known is not None:
            known = memory.find(message.order_id, request.known.cl_ord_id)
        for name in names:
            known = memory.find(message.order_id, ids.on_desk(name)) if known is None else known
        if known is not None:
            return known
        side = BUY if message.side == "1" else SELL
        kind = FIX_TYPES.get(message.ord_type)
        if kind is None:
            raise WireError("an execution report has an order type that is not known")
        return memory.found(message.order_id, ids.on_desk(names[-1]), message.symbol, side, kind)

    def _note_terms(
        self,
        message: orders.ExecutionReport,
        known: KnownOrder,
        instrument: Instrument,
        exec_type: ExecType,
        request: FixRequest | None,
    ) -> None:
        if known.takes_terms(_moment(message.transact_time)):
            known.qty_lots = instrument.lots(message.order_qty)
            if message.price is not UNSET:
                known.limit_ticks = instrument.ticks(message.price)
            if message.stop_px is not UNSET:
                known.trigger_ticks = instrument.ticks(message.stop_px)
            if message.display_qty is not UNSET:
                known.display_lots = instrument.lots(message.display_qty)
        if message.time_in_force is not UNSET:
            known.time_in_force = FIX_TIMES.get(message.time_in_force, known.time_in_force)
        is_amend = request is not None and isinstance(request.command, AmendOrder)
        if known.fix_id is None or exec_type is ExecType.NEW or (exec_type is ExecType.AMENDED and is_amend):
            known.fix_id = message.cl_ord_id
        if exec_type is ExecType.AMENDED and is_amend and known.cl_ord_id:
            self._parts.ids.note_amended(known.cl_ord_id, message.cl_ord_id)

    def _fee(
        self, message: orders.ExecutionReport, known: KnownOrder, cum_lots: int, last_lots: int
    ) -> tuple[Decimal | None, str | None]:
        """The fee of this trade: what all fees have grown by, unless it is told by itself (18=s). It is not known where
        the trade before was not heard of here.
        """
        fees = [] if message.no_misc_fees is UNSET else message.no_misc_fees
        if not fees or fees[0].misc_fee_amt is UNSET:
            return None, None
        try:
            amount = Decimal(fees[0].misc_fee_amt)
        except InvalidOperation:
            raise WireError("the fee of a trade is not a number") from None
        asset = None if fees[0].misc_fee_curr is UNSET else fees[0].misc_fee_curr
        if message.exec_inst is not UNSET and _PER_TRADE in message.exec_inst.split():
            return amount, asset
        fee = amount - known.fees if known.fees_lots + last_lots == cum_lots else None
        known.fees, known.fees_lots = amount, cum_lots
        return fee, asset


def _given(value: Maybe[str]) -> str:
    if value is UNSET:
        raise WireError("a trade lacks price, quantity or id")
    return value


def _moment(value: Maybe[str]) -> int:
    ts_ns = None if value is UNSET else parse_utc_timestamp(value.encode())
    if ts_ns is None:
        raise WireError("an execution report has no time")
    return ts_ns
