"""Commands as FIX messages. Every request has a ClOrdID of its own; an order is named by the venue's id and by the last
ClOrdID that was used for it. Sources: fix-api/nos-fix, ocr-fix, ocrr-fix, omcr-fix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from adapters.fix.times import utc_timestamp
from adapters.kraken.client.instruments import Instrument
from adapters.kraken.client.link_base import AccountParts, UnsendableError
from adapters.kraken.client.order_memory import KnownOrder
from adapters.kraken.client.order_templates import OrderKind, OrderTemplates, order_kind
from adapters.kraken.wire.codec import Maybe
from adapters.kraken.wire.fix import orders as wire
from adapters.kraken.wire.fix.fields import FixMessage, write_tail
from adapters.kraken.words import FIX_STP_WORDS, FIX_TIME_WORDS, FIX_TYPE_WORDS
from framework.messages import AddOrder, AmendOrder, CancelOrder, Command, MassCancel
from framework.protocol import BUY, MassCancelScope, OrderType, RejectReason, StpMode, TriggerReference

__all__ = ["FixRequest", "FixRequests"]

_TRAILING = (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT)
_UNKNOWN = RejectReason.UNKNOWN_ORDER
_NEW_ORDER = wire.NewOrderSingle.msg_type.encode()
# What stands for id, quantity, price, time and deadline, which differ from order to order.
_ID, _QTY, _PRICE, _TIME, _DEADLINE = _MARKS = ("<cl_ord_id>", "<qty>", "<price>", "<now>", "<deadline>")
_SCOPES = {MassCancelScope.SYMBOL: "1", MassCancelScope.SESSION: "6", MassCancelScope.ACCOUNT: "7"}


class FixRequest:
    """A message on its way, and what its answer is about.

    known: its order, of a new one once it has left; None for a mass cancel. msg_type, body: the message, as
    ``fields.write_tail`` has its fields.
    """

    __slots__ = ("body", "cl_ord_id", "command", "known", "msg_type")

    def __init__(
        self, cl_ord_id: str, command: Command, known: KnownOrder | None, msg_type: bytes, body: bytes
    ) -> None:
        self.cl_ord_id = cl_ord_id
        self.command = command
        self.known = known
        self.msg_type = msg_type
        self.body = body

    @classmethod
    def of(cls, cl_ord_id: str, command: Command, known: KnownOrder | None, message: FixMessage) -> FixRequest:
        """One of a message. Raises WireError for a value that FIX cannot carry."""
        return cls(cl_ord_id, command, known, message.msg_type.encode(), write_tail(message))


class FixRequests:
    """Makes messages; each raises UnsendableError for what FIX cannot say, or not yet."""

    def __init__(self, parts: AccountParts) -> None:
        self._parts = parts
        self._makers: dict[type[Command], Callable[[Any], FixRequest]] = {
            AddOrder: self._add,
            AmendOrder: self._amend,
            CancelOrder: self._cancel,
            MassCancel: self._mass_cancel,
        }
        self._templates = OrderTemplates(_MARKS)

    def make(self, command: Command) -> FixRequest:
        """The message of a command."""
        maker = self._makers.get(type(command))
        if maker is None:
            raise UnsendableError(f"FIX has no {type(command).__name__}", RejectReason.NOT_SUPPORTED)
        return maker(command)

    def left(self, request: FixRequest, now_ns: int) -> None:
        """A message has left, not before this time: a new order is remembered."""
        order = request.command
        if isinstance(order, AddOrder):
            sent_ns = self._parts.time.proved_ns(now_ns)
            request.known = known = self._parts.memory.sent(order, order.deadline_ns, sent_ns)
            known.fix_id = request.cl_ord_id

    # ------------------------------------------------------------------------------------------------- orders

    def _add(self, order: AddOrder) -> FixRequest:
        kind = order_kind(order)
        if kind is None:
            _check(order)
        cl_ord_id = self._parts.ids.on_wire(order.cl_ord_id, self._parts.clock.now_ns)
        body = write_tail(self.new_order(order, cl_ord_id)) if kind is None else self._ordinary(order, kind, cl_ord_id)
        return FixRequest(cl_ord_id, order, None, _NEW_ORDER, body)

    def _ordinary(self, order: AddOrder, kind: OrderKind, cl_ord_id: str) -> bytes:
        """What ``new_order`` says of an ordinary order."""
        instrument = self._parts.instruments[order.symbol]
        assert order.limit_ticks is not None
        qty, price = instrument.qty_text(order.qty_lots), instrument.price_text(order.limit_ticks)
        template = self._templates.of(kind, lambda: self._marked(order))
        deadline = _moment(order.deadline_ns)
        if deadline is UNSET:
            return (template % (cl_ord_id, qty, price, self._now())).encode()
        return (template % (cl_ord_id, qty, price, self._now(), deadline)).encode()

    def _marked(self, order: AddOrder) -> str:
        """An ordinary order with marks for what differs."""
        message = self.new_order(order, _ID)
        deadline = message.valid_until_time
        marks: dict[str, Any] = {"order_qty": _QTY, "price": _PRICE, "transact_time": _TIME}
        if deadline is not UNSET:
            marks["valid_until_time"] = _DEADLINE
        return write_tail(replace(message, **marks)).decode()

    def new_order(self, order: AddOrder, cl_ord_id: str) -> wire.NewOrderSingle:
        """The message of a new order that FIX can say. cl_ord_id: its id on the wire."""
        instrument = self._parts.instruments[order.symbol]
        stop = order.trail_offset_ticks if order.order_type in _TRAILING else order.trigger_ticks
        limit = order.limit_ticks if order.limit_offset_ticks is None else order.limit_offset_ticks
        is_quote = order.quote_qty is not None
        # "s": reports tell the fee of each trade, not of all so far.
        flags = (("P", order.is_post_only), ("E", order.is_reduce_only), ("v", is_quote), ("s", True))
        has_stp = order.stp_mode is not StpMode.CANCEL_NEWEST
        return wire.NewOrderSingle(
            cl_ord_id=cl_ord_id,
            exec_inst=" ".join(flag for flag, is_set in flags if is_set),
            order_qty=instrument.qty_text(order.qty_lots) if order.quote_qty is None else f"{order.quote_qty:f}",
            ord_type=FIX_TYPE_WORDS[order.order_type],
            price=_price(limit, instrument),
            side=_side(order.side),
            symbol=order.symbol,
            time_in_force=FIX_TIME_WORDS[order.time_in_force],
            transact_time=self._now(),
            valid_until_time=_moment(order.deadline_ns),
            stop_px=_price(stop, instrument),
            expire_time=_moment(order.expire_ns),
            effective_time=_moment(order.start_ns),
            discretion_inst="1" if order.trigger_reference is TriggerReference.INDEX else UNSET,
            display_qty=UNSET if order.display_lots is None else instrument.qty_text(order.display_lots),
            self_trade_prevention=FIX_STP_WORDS[order.stp_mode] if has_stp else UNSET,
        )

    def _amend(self, command: AmendOrder) -> FixRequest:
        """An amend states the whole order, what does not change included."""
        known = self._known(command.order_id, command.cl_ord_id)
        if known.order_id is None:
            raise UnsendableError("the venue's id of the order is not known yet, and an amend over FIX needs it")
        if command.limit_offset_ticks is not None or command.limit_offset_ppm is not None:
            raise UnsendableError("FIX cannot amend the distance of a trailing limit", _NOT_SUPPORTED)
        instrument = self._parts.instruments[known.symbol]
        is_trailing = known.order_type in _TRAILING
        qty_lots = known.qty_lots if command.qty_lots is None else command.qty_lots
        limit = command.limit_ticks or (None if is_trailing else known.limit_ticks)
        trigger = command.trigger_ticks or (None if is_trailing else known.trigger_ticks)
        display = known.display_lots if command.display_lots is None else command.display_lots
        cl_ord_id = self._parts.ids.new(self._parts.clock.now_ns)
        message = wire.OrderCancelReplaceRequest(
            cl_ord_id=cl_ord_id,
            exec_inst="P" if command.is_post_only else UNSET,
            order_id=known.order_id,
            order_qty=instrument.qty_text(qty_lots),
            ord_type=FIX_TYPE_WORDS[known.order_type],
            orig_cl_ord_id=self._last_id(known),
            price=_price(limit, instrument),
            side=_side(known.side),
            symbol=known.symbol,
            time_in_force=FIX_TIME_WORDS[known.time_in_force],
            transact_time=self._now(),
            valid_until_time=_moment(command.deadline_ns),
            stop_px=_price(trigger, instrument),
            display_qty=UNSET if display is None else instrument.qty_text(display),
        )
        return FixRequest.of(cl_ord_id, command, known, message)

    # ------------------------------------------------------------------------------------------------- cancels

    def _cancel(self, command: CancelOrder) -> FixRequest:
        known = self._known(command.order_id, command.cl_ord_id)
        cl_ord_id = self._parts.ids.new(self._parts.clock.now_ns)
        message = wire.OrderCancelRequest(
            cl_ord_id=cl_ord_id,
            order_id=known.order_id or UNSET,
            orig_cl_ord_id=self._last_id(known),
            side=_side(known.side),
            symbol=known.symbol,
            transact_time=self._now(),
        )
        return FixRequest.of(cl_ord_id, command, known, message)

    def _mass_cancel(self, command: MassCancel) -> FixRequest:
        cl_ord_id = self._parts.ids.new(self._parts.clock.now_ns)
        message = wire.OrderMassCancelRequest(
            cl_ord_id=cl_ord_id,
            symbol=UNSET if command.symbol is None else command.symbol,
            transact_time=self._now(),
            mass_cancel_request_type=_SCOPES[command.scope],
        )
        return FixRequest.of(cl_ord_id, command, None, message)

    # ------------------------------------------------------------------------------------------------- within

    def _known(self, order_id: str | None, cl_ord_id: str | None) -> KnownOrder:
        known = self._parts.memory.find(order_id, cl_ord_id)
        if known is None:
            raise UnsendableError("no link has seen this order; ask for the open orders over REST first", _UNKNOWN)
        return known

    def _last_id(self, known: KnownOrder) -> Any:
        if known.fix_id is not None:
            return known.fix_id
        ids, cl_ord_id = self._parts.ids, known.cl_ord_id
        return (ids.amended(cl_ord_id) or ids.on_wire(cl_ord_id, self._parts.clock.now_ns)) if cl_ord_id else UNSET

    def _now(self) -> str:
        return utc_timestamp(self._parts.clock.now_ns).decode()


_NOT_SUPPORTED = RejectReason.NOT_SUPPORTED


def _check(order: AddOrder) -> None:
    """Raises UnsendableError for an order that FIX cannot say."""
    if order.is_validate_only or order.secondary is not None:
        raise UnsendableError("FIX neither only validates nor takes a conditional close", _NOT_SUPPORTED)
    if order.trail_offset_ppm is not None or order.limit_offset_ppm is not None:
        raise UnsendableError("over FIX a trailing distance is a price; give it in ticks", _NOT_SUPPORTED)
    if order.order_type is OrderType.TRAILING_STOP_LIMIT and order.limit_offset_ticks is None:
        raise UnsendableError("over FIX a trailing limit is its distance from the trigger", _NOT_SUPPORTED)


def _side(side: int) -> str:
    return "1" if side == BUY else "2"


def _price(ticks: int | None, instrument: Instrument) -> Maybe[str]:
    return UNSET if ticks is None else instrument.price_text(ticks)


def _moment(ts_ns: int | None) -> Maybe[str]:
    return UNSET if ts_ns is None else utc_timestamp(ts_ns).decode()
