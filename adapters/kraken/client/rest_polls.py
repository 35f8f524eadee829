"""A poll of the account's orders over REST: what is open, and, where that may have changed, what ended and was filled.

Questions are asked one after another, the past after the present, so that an order that ends in between is seen at
least once. What they show is true at the time at which the first was sent, or later; the snapshot is of that time.
The past costs calls of its own, so it is asked for only where the present shows that it must be: an order that was open
is not any more, more is filled than has been told, or an order's fate is not known at all. The past is a span of the
venue's time, read page by page, which tells of all orders in it at once. A long one is not read: own orders are asked
for by their ids, fifty at a time. So are orders that the desk doubts, and open ones that were filled while the poll
went on: what the present shows of them is not what they were filled as. Orders without an id that may have ended before
the span, as clocks may disagree, are asked for by name before anything is concluded of them.
Sources: rest-api/get-open-orders, get-closed-orders, get-trade-history, get-orders-info, get-trades-info;
guides/spot-rest-ratelimits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal

from msgspec import UNSET

from adapters.kraken.client.http_pool import Loss
from adapters.kraken.client.instruments import Instrument
from adapters.kraken.client.link_base import AccountParts
from adapters.kraken.client.order_memory import KnownOrder
from adapters.kraken.client.rest_calls import PrivateCalls
from adapters.kraken.client.rest_past import Past, with_page
from adapters.kraken.client.shown_prices import shown_prices
from adapters.kraken.client.times import epoch_ns
from adapters.kraken.errors import SymbolError, reject_reason
from adapters.kraken.wire.codec import Maybe
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.rest import endpoints, history
from adapters.kraken.words import ORDER_TYPES, SIDES
from framework.messages import ExecType, ExecutionReport, OrdersSnapshot, OrderState, OrderStatus
from framework.protocol import RejectReason

__all__ = ["RestPoll"]

_SECOND_NS = 10**9
_STATES = {
    "pending": OrderState.PENDING_NEW,
    "open": OrderState.NEW,
    "closed": OrderState.FILLED,
    "canceled": OrderState.CANCELED,
    "expired": OrderState.EXPIRED,
}
# As coarsely as times of trades may be told (rest-api/get-trade-history, time).
_STEP_NS = 1_000_000
# So many can be asked for at once.
_ORDERS_MAX, _TRADES_MAX = 50, 20


class RestPoll:
    """One poll; it answers once, by one of the three functions.

    past: what earlier polls have read of it. is_past_wanted: ask for it whatever the present shows. told_from_ns: from
    when on earlier polls and the span of this one tell the past without a gap; None for the span alone. is_wanted:
    whether it is to begin still, when a connection is free at last; None for always. order_ids: orders that are asked
    for by their ids where they are not open, even if all of them had been told.
    """

    def __init__(
        self,
        calls: PrivateCalls,
        parts: AccountParts,
        request_id: int,
        past: Past,
        on_snapshot: Callable[[OrdersSnapshot], None],
        on_refused: Callable[[str], None],
        on_lost: Callable[[Loss, str], None],
        *,
        is_past_wanted: bool,
        timeout_s: float,
        told_from_ns: int | None = None,
        is_wanted: Callable[[], bool] | None = None,
        order_ids: Sequence[str] = (),
    ) -> None:
        self._calls = calls
        self._order_ids = order_ids
        self._is_wanted = is_wanted
        self._parts = parts
        self._request_id = request_id
        self._past = past
        self._on_snapshot = on_snapshot
        self._on_refused = on_refused
        self._on_lost = on_lost
        self._is_past_wanted = is_past_wanted
        self._timeout_s = timeout_s
        self._told_from_ns = (past.since_s or 0) * _SECOND_NS if told_from_ns is None else told_from_ns
        self._ts_asked_ns = 0
        self._is_past_read = False
        self._open: dict[str, history.Order] = {}
        self._closed: dict[str, history.Order] = {}
        self._trades: dict[str, history.Trade] = {}

    def start(self) -> None:
        """Ask for what is open."""

        def make(nonce: int) -> history.OpenOrdersRequest:
            self._ts_asked_ns = self._parts.time.at_least_ns(self._parts.clock.now_ns)
            return history.OpenOrdersRequest(nonce=str(nonce))

        answers = self._on_open, self._on_refused, self._on_lost
        self._calls.call(endpoints.OPEN_ORDERS, make, *answers, self._timeout_s, is_wanted=self._is_wanted)

    # ------------------------------------------------------------------------------------------------- questions

    def _on_open(self, answer: history.OpenOrders) -> None:
        self._open = answer.open
        if self._past.since_s is not None and (self._is_past_wanted or self._has_changed()):
            self._ask_closed(0)
        else:
            self._closed, self._trades = dict(self._past.named), dict(self._past.named_trades)
            self._ask_by_id([*self._missing_ids(), *self._more_filled()])

    def _ask_closed(self, offset: int) -> None:
        def make(nonce: int) -> history.ClosedOrdersRequest:
            return history.ClosedOrdersRequest(
                nonce=str(nonce),
                start=str(self._past.since_s),
                ofs=str(offset),
                closetime="close",
                consolidate_taker=False,
            )

        def on_page(answer: history.ClosedOrders) -> None:
            block = self._past.closed = with_page(self._past.closed, answer.closed, offset)
            if _is_more(answer.count, len(block)) and len(block) > offset:
                self._ask_closed(len(block))
            else:
                self._closed = {**self._past.named, **block}
                self._is_past_read = True
                self._ask_trades(0)

        self._calls.call(endpoints.CLOSED_ORDERS, make, on_page, self._on_refused, self._on_lost, self._timeout_s)

    def _ask_trades(self, offset: int) -> None:
        def make(nonce: int) -> history.TradesHistoryRequest:
            return history.TradesHistoryRequest(
                nonce=str(nonce), start=str(self._past.since_s), ofs=str(offset), consolidate_taker=False
            )

        def on_page(answer: history.TradesHistory) -> None:
            block = self._past.trades = with_page(self._past.trades, answer.trades, offset)
            if _is_more(answer.count, len(block)) and len(block) > offset:
                self._ask_trades(len(block))
            else:
                self._trades = {**self._past.named_trades, **block}
                self._ask_by_id([*self._missing_ids(), *self._filled_beside()])

        self._calls.call(endpoints.TRADES_HISTORY, make, on_page, self._on_refused, self._on_lost, self._timeout_s)

    def _ask_by_id(self, order_ids: list[str]) -> None:
        """Own orders that neither the present nor the span of the past shows."""
        if not order_ids:  # fills of those that an earlier poll was told of may be missing, where it was ended then
            self._ask_fills(lambda: self._ask_by_name(self._missing_names()))
            return

        def make(nonce: int) -> history.QueryOrdersRequest:
            txids = ",".join(order_ids[:_ORDERS_MAX])
            return history.QueryOrdersRequest(nonce=str(nonce), txid=txids, trades=True, consolidate_taker=False)

        def on_orders(answer: dict[str, history.Order]) -> None:
            for order_id, row in answer.items():
                if row.status in ("open", "pending"):
                    self._open[order_id] = row
                else:
                    self._closed[order_id] = self._past.named[order_id] = row
            self._ask_fills(lambda: self._ask_by_id(order_ids[_ORDERS_MAX:]))

        def on_refused(text: str) -> None:
            if reject_reason(text) is RejectReason.CALL_LIMIT:
                self._on_refused(text)
            elif self._past.since_s is None:  # then the next poll reads the past page by page after all
                self._past.is_by_id = False
                self._on_refused(text)
            else:  # one of them is none of the account's any more; nothing is concluded of any
                self._ask_by_name(self._missing_names())

        self._calls.call(endpoints.QUERY_ORDERS, make, on_orders, on_refused, self._on_lost, self._timeout_s)

    def _ask_by_name(self, names: list[str]) -> None:
        """Own orders whose ids are not known, and that the venue would not take any more."""
        if not names:
            self._finish()
            return

        def make(nonce: int) -> history.ClosedOrdersRequest:
            return history.ClosedOrdersRequest(
                nonce=str(nonce), cl_ord_id=names[0], trades=True, consolidate_taker=False
            )

        def on_page(answer: history.ClosedOrders) -> None:
            self._closed |= answer.closed
            self._past.named |= answer.closed
            self._note_named(names[0], answer.closed)
            self._ask_fills(lambda: self._ask_by_name(names[1:]))

        self._calls.call(endpoints.CLOSED_ORDERS, make, on_page, self._on_refused, self._on_lost, self._timeout_s)

    def _note_named(self, name: str, found: dict[str, history.Order]) -> None:
        """What has been learned of a name, so that a poll that the limit of calls ends need not be made all over."""
        memory, ids = self._parts.memory, self._parts.ids
        for order_id, row in found.items():
            memory.find(order_id, _desk_id(row, ids.on_desk))
        known = memory.find(None, ids.on_desk(name))
        if known is not None and known.order_id is None:
            memory.end(known)  # it never came to be, and cannot any more

    def _ask_fills(self, then: Callable[[], None]) -> None:
        """The trades that orders name and that have not been seen."""
        named = [
            trade_id
            for row in (*self._open.values(), *self._closed.values())
            for trade_id in (() if row.trades is UNSET else row.trades)
            if trade_id not in self._trades
        ]
        if not named:
            then()
            return

        def make(nonce: int) -> history.QueryTradesRequest:
            return history.QueryTradesRequest(nonce=str(nonce), txid=",".join(named[:_TRADES_MAX]))

        def on_trades(answer: dict[str, history.Trade]) -> None:
            if not answer.keys() & set(named):
                then()
                return
            self._trades |= answer
            self._past.named_trades |= answer
            self._ask_fills(then)

        self._calls.call(endpoints.QUERY_TRADES, make, on_trades, self._on_refused, self._on_lost, self._timeout_s)

    def _missing_ids(self) -> list[str]:
        live = [known.order_id for known in self._parts.memory.live() if known.order_id is not None]
        asked = dict.fromkeys((*live, *self._order_ids))
        return [order_id for order_id in asked if order_id not in self._open and order_id not in self._closed]

    def _missing_names(self) -> list[str]:
        parts = self._parts
        rows = (*self._open.values(), *self._closed.values())
        seen = {_desk_id(row, parts.ids.on_desk) for row in rows}
        names = [
            parts.ids.known_on_wire(known.cl_ord_id)
            for known in parts.memory.live()
            if known.order_id is None
            and known.cl_ord_id not in seen
            and self._is_late(known)
            and not self._is_covered(known)
        ]
        return [name for name in names if name is not None]

    def _is_covered(self, known: KnownOrder) -> bool:
        """Whether an order would be among those that have been told, page by page, if it had ended: it did so after it
        was sent.
        """
        sent_ns = known.sent_venue_ns
        return self._is_past_read and sent_ns is not None and sent_ns - self._told_from_ns > _SECOND_NS

    def _more_filled(self) -> list[str]:
        """Open orders of which more is filled than has been told."""
        found = []
        for order_id, row in self._open.items():
            known = self._parts.memory.find(order_id, _desk_id(row, self._parts.ids.on_desk))
            if known is not None and self._filled_lots(known, row) > known.cum_lots:
                found.append(order_id)
        return found

    def _filled_beside(self) -> list[str]:
        """Own orders of which the span's trades are not those that they are shown with.

        More is filled than has been told and than the trades make up: the span begins too late, as where the clock was
        wrong when they were sent. Or one that is shown open was filled after that was asked: it may have been changed,
        and have ended, in between.
        """
        in_span: Counter[str] = Counter()
        filled_since = set()
        for trade in self._trades.values():
            order_id = _text(trade.ordertxid)
            known = self._parts.memory.find(order_id, None)
            if known is not None:
                in_span[order_id] += self._parts.instruments[known.symbol].lots(_text(trade.vol))
            if epoch_ns(_number(trade.time)) > self._ts_asked_ns - _STEP_NS and order_id not in self._closed:
                filled_since.add(order_id)
        found = []
        for order_id, row in {**self._open, **self._closed}.items():
            known = self._parts.memory.find(order_id, _desk_id(row, self._parts.ids.on_desk))
            if known is None:
                continue
            if order_id in filled_since or self._filled_lots(known, row) > known.cum_lots + in_span[order_id]:
                found.append(order_id)
        return found

    def _filled_lots(self, known: KnownOrder, row: history.Order) -> int:
        return self._parts.instruments[known.symbol].lots(Number.of(Decimal(_text(row.vol_exec, "0"))))

    def _is_late(self, known: KnownOrder) -> bool:
        """Whether the venue would not take an order any more at the time of the snapshot."""
        return known.deadline_ns is not None and self._ts_asked_ns > known.deadline_ns

    def _has_changed(self) -> bool:
        """Whether the past has something to tell that has not been told."""
        memory, ids = self._parts.memory, self._parts.ids
        seen = set()
        for order_id, row in self._open.items():
            known = memory.find(order_id, _desk_id(row, ids.on_desk))
            if known is None:
                if Decimal(_text(row.vol_exec, "0")):
                    return True
                continue
            seen.add(id(known))
            if self._filled_lots(known, row) > known.cum_lots:
                return True
        return any(id(known) not in seen for known in memory.live())

    # ------------------------------------------------------------------------------------------------- the answer

    def _finish(self) -> None:
        try:
            snapshot = self._snapshot()
        except (WireError, SymbolError, KeyError, ValueError) as error:
            self._on_lost(Loss.DROPPED, f"a poll's answer cannot be read: {error}")
            return
        self._on_snapshot(snapshot)

    def _snapshot(self) -> OrdersSnapshot:
        # One that has ended since it was seen open has ended. Answers have the newest first; it is told last.
        rows = {**dict(reversed(self._open.items())), **dict(reversed(self._closed.items()))}
        statuses = {}
        for order_id, row in rows.items():
            try:
                statuses[order_id] = self._status(order_id, row)
            except (WireError, SymbolError, KeyError):
                if self._parts.memory.find(order_id, _desk_id(row, self._parts.ids.on_desk)) is not None:
                    raise  # an own order: half a snapshot would prove what is not so
        self._trades = {
            trade_id: row
            for trade_id, row in self._trades.items()
            if row.ordertxid in statuses or self._parts.memory.find(_text(row.ordertxid), None) is not None
        }
        trades = self._reports(statuses)
        for order_id, status in statuses.items():
            known = self._parts.memory.find(order_id, status.cl_ord_id)
            if known is None:
                continue
            known.cum_lots = max(known.cum_lots, status.cum_lots)  # all fills that make it up have been told
            if status.state > OrderState.PARTIALLY_FILLED:
                self._parts.memory.end(known)
        self._give_up(statuses)
        return OrdersSnapshot(
            ts_venue_ns=self._ts_asked_ns,
            request_id=self._request_id,
            orders=tuple(statuses.values()),
            trades=tuple(trades),
        )

    def _give_up(self, statuses: dict[str, OrderStatus]) -> None:
        """Orders that never came to be: nothing shows them, and the venue would not take them any more."""
        seen = {status.cl_ord_id for status in statuses.values()}
        for known in self._parts.memory.live():
            if known.order_id is None and known.cl_ord_id not in seen and self._is_late(known):
                self._parts.memory.end(known)

    def _status(self, order_id: str, row: history.Order) -> OrderStatus:
        descr = row.descr
        assert descr is not UNSET
        instrument = self._parts.instruments.named(_text(descr.pair))
        kind, side = ORDER_TYPES[_text(descr.ordertype)], SIDES[_text(descr.type)]
        cl_ord_id = _desk_id(row, self._parts.ids.on_desk)
        cum_lots = instrument.lots(_text(row.vol_exec, "0"))
        is_quote_qty = "viqc" in _text(row.oflags, "").split(",")
        qty_lots = cum_lots if is_quote_qty else instrument.lots(_text(row.vol))
        limit_ticks, trigger_ticks = shown_prices(row, descr, kind, instrument)
        known = self._parts.memory.found(order_id, cl_ord_id, instrument.spec.symbol, side, kind)
        known.is_quote_qty = is_quote_qty
        if known.takes_terms(self._ts_asked_ns, is_news=False):
            known.qty_lots, known.limit_ticks, known.trigger_ticks = qty_lots, limit_ticks, trigger_ticks
        state = _STATES[_text(row.status)]
        if state is OrderState.NEW and cum_lots:
            state = OrderState.PARTIALLY_FILLED
        return OrderStatus(
            state=state,
            order_id=order_id,
            cl_ord_id=cl_ord_id,
            symbol=instrument.spec.symbol,
            side=side,
            order_type=kind,
            qty_lots=qty_lots,
            cum_lots=cum_lots,
            limit_ticks=limit_ticks,
            trigger_ticks=trigger_ticks,
            display_lots=known.display_lots,
            reason=_text(row.reason, "") or None,
        )

    def _reports(self, statuses: dict[str, OrderStatus]) -> list[ExecutionReport]:
        """The trades, oldest first. How much was filled after each is counted back from what is filled in all."""
        newest_first = sorted(
            self._trades.items(), key=lambda item: (epoch_ns(_number(item[1].time)), _whole(item[1].trade_id)),
            reverse=True,
        )  # fmt: skip
        filled_lots = {order_id: status.cum_lots for order_id, status in statuses.items()}
        reports = []
        for trade_id, row in newest_first:
            order_id = _text(row.ordertxid)
            instrument = self._parts.instruments.named(_text(row.pair))
            status = statuses.get(order_id)
            known = self._parts.memory.find(order_id, None)
            lots = instrument.lots(_text(row.vol))
            cum_lots = filled_lots.get(order_id, lots)
            filled_lots[order_id] = cum_lots - lots
            is_last = status is not None and cum_lots == status.cum_lots and status.state is OrderState.FILLED
            reports.append(self._report(trade_id, row, instrument, status, known, lots, cum_lots, is_last))
        reports.reverse()
        return reports

    def _report(
        self,
        trade_id: str,
        row: history.Trade,
        instrument: Instrument,
        status: OrderStatus | None,
        known: KnownOrder | None,
        lots: int,
        cum_lots: int,
        is_last: bool,
    ) -> ExecutionReport:
        source = status if status is not None else known
        qty_lots = cum_lots if source is None else source.qty_lots
        if known is not None:
            known.cum_lots = max(known.cum_lots, cum_lots)
        return ExecutionReport(
            ts_venue_ns=epoch_ns(_number(row.time)),
            exec_type=ExecType.TRADE,
            state=OrderState.FILLED if is_last else OrderState.PARTIALLY_FILLED,
            order_id=_text(row.ordertxid),
            cl_ord_id="" if source is None else source.cl_ord_id,
            symbol=instrument.spec.symbol,
            side=SIDES[_text(row.type)],
            order_type=ORDER_TYPES[_text(row.ordertype)],
            qty_lots=qty_lots,
            leaves_lots=max(0, qty_lots - cum_lots),
            cum_lots=cum_lots,
            limit_ticks=None if source is None else source.limit_ticks,
            trigger_ticks=None if source is None else source.trigger_ticks,
            display_lots=None if source is None else source.display_lots,
            last_lots=lots,
            last_ticks=instrument.ticks(_text(row.price)),
            exec_id=trade_id,
            is_maker=None if row.maker is UNSET else row.maker,
            fee=Decimal(_text(row.fee)),
            fee_asset=instrument.spec.quote,
        )


def _desk_id(row: history.Order, on_desk: Callable[[str], str]) -> str:
    return on_desk(row.cl_ord_id) if isinstance(row.cl_ord_id, str) else ""


def _text(value: Maybe[str | None], default: str | None = None) -> str:
    if isinstance(value, str):
        return value
    if default is None:
        raise WireError("a member of an order or a trade is missing")
    return default


def _number(value: Maybe[Number]) -> Number:
    if isinstance(value, Number):
        return value
    raise WireError("the time of a trade is missing")


def _whole(value: Maybe[int]) -> int:
    return value if isinstance(value, int) else 0


def _is_more(count: Maybe[int], read: int) -> bool:
    return isinstance(count, int) and count > read
