"""What the links of an account know of its orders, in common.

News of an order can be sparse (WebSocket v2 tells a new order by its ids alone), requests need more than a command
says (FIX amends state the whole order), and a poll need only ask for the past if something has changed. All of that is
looked up here. It is no judgement of what has become of an order: that is the desk's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from decimal import Decimal

from framework.messages import AddOrder
from framework.protocol import OrderType, TimeInForce

__all__ = ["KnownOrder", "OrderMemory"]

# So many orders that have ended are remembered: late news of them is still understood.
_ENDED_MAX = 2_000


class KnownOrder:
    """One order. Quantities are in lots, prices in ticks.

    cl_ord_id: the desk's id, "" for an order of others or of an edit. order_id: the venue's, None until it is told.
    cum_lots: filled, as far as it has been told to the desk. fix_id: the last id that a request over FIX gave it.
    fees: of its first ``fees_lots`` that were filled, as FIX has told. deadline_ns: after which the venue does not take
    it any more; None for never. sent_venue_ns: what the venue's clock showed at least when it was sent, None if that is
    not proved.
    """

    __slots__ = (
        "cl_ord_id",
        "cum_lots",
        "deadline_ns",
        "display_lots",
        "fees",
        "fees_lots",
        "fix_id",
        "is_ended",
        "is_quote_qty",
        "limit_ticks",
        "order_id",
        "order_type",
        "qty_lots",
        "sent_venue_ns",
        "side",
        "symbol",
        "terms_ms",
        "time_in_force",
        "trigger_ticks",
    )

    def __init__(self, cl_ord_id: str, order_id: str | None, symbol: str, side: int, order_type: OrderType) -> None:
        self.cl_ord_id = cl_ord_id
        self.order_id = order_id
        self.symbol = symbol
        self.side = side
        self.order_type = order_type
        self.qty_lots = 0
        self.cum_lots = 0
        self.limit_ticks: int | None = None
        self.trigger_ticks: int | None = None
        self.display_lots: int | None = None
        self.time_in_force = TimeInForce.GTC
        self.is_quote_qty = False
        self.is_ended = False
        self.fix_id: str | None = None
        self.fees = Decimal(0)
        self.fees_lots = 0
        self.deadline_ns: int | None = None
        self.sent_venue_ns: int | None = None
        self.terms_ms = 0

    def takes_terms(self, ts_venue_ns: int, *, is_news: bool = True) -> bool:
        """Whether terms of a time are to be taken over: roads differ in how late they tell, and newer ones stay. Within
        a millisecond, which is as fine as FIX tells times, news that is told last is newer; what a poll shows is not,
        which may have been read before the change whose news has come.
        """
        ts_ms = ts_venue_ns // 1_000_000
        if ts_ms < self.terms_ms or (ts_ms == self.terms_ms and not is_news):
            return False
        self.terms_ms = ts_ms
        return True


class OrderMemory:
    """The orders of one account by the venue's id and by the desk's."""

    def __init__(self) -> None:
        self._by_order_id: dict[str, KnownOrder] = {}
        self._by_cl_ord_id: dict[str, KnownOrder] = {}
        self._live: dict[int, KnownOrder] = {}
        self._ended: OrderedDict[int, KnownOrder] = OrderedDict()

    def told(self, known: KnownOrder, last_lots: int, cum_lots: int) -> None:
        """A trade is told, after which so much is filled; it counts as told where none before it is missing."""
        if cum_lots - last_lots <= known.cum_lots < cum_lots:
            known.cum_lots = cum_lots

    def over(self, known: KnownOrder, cum_lots: int) -> None:
        """News has told of an order's end, with so much filled. It is live here until all of that has been told, so
        that a poll asks for what is missing.
        """
        if known.cum_lots >= cum_lots:
            self.end(known)

    def sent(self, command: AddOrder, deadline_ns: int | None, sent_venue_ns: int | None = None) -> KnownOrder:
        """A new order leaves."""
        known = KnownOrder(command.cl_ord_id, None, command.symbol, command.side, command.order_type)
        known.qty_lots = command.qty_lots
        known.limit_ticks = command.limit_ticks
        known.trigger_ticks = command.trigger_ticks
        known.display_lots = command.display_lots
        known.time_in_force = command.time_in_force
        known.is_quote_qty = command.quote_qty is not None
        known.deadline_ns, known.sent_venue_ns = deadline_ns, sent_venue_ns
        self._by_cl_ord_id[known.cl_ord_id] = known
        self._live[id(known)] = known
        return known

    def adopted(self, command: AddOrder, order_id: str | None, cum_lots: int, fees: Decimal) -> None:
        """An order that a run before has sent, with its last terms, of which so much is known to be filled for these
        fees in all.
        """
        known = self.sent(command, command.deadline_ns)
        known.cum_lots = known.fees_lots = cum_lots
        known.fees = fees
        if order_id is not None:
            self.find(order_id, command.cl_ord_id)

    def found(self, order_id: str, cl_ord_id: str, symbol: str, side: int, order_type: OrderType) -> KnownOrder:
        """The order that the venue tells of, with enough to know it by; remembered if it is new."""
        known = self.find(order_id, cl_ord_id)
        if known is None:
            known = KnownOrder(cl_ord_id, order_id, symbol, side, order_type)
            self._by_order_id[order_id] = known
            if cl_ord_id:
                self._by_cl_ord_id[cl_ord_id] = known
            self._live[id(known)] = known
        return known

    def replaced(self, order_id: str, new_id: str) -> None:
        """An edit has put a new order in the place of one; it has no client's id."""
        old = self._by_order_id.get(order_id)
        if old is None:
            return
        if new_id not in self._by_order_id:
            known = self.found(new_id, "", old.symbol, old.side, old.order_type)
            known.time_in_force, known.sent_venue_ns = old.time_in_force, old.sent_venue_ns
        self.end(old)

    def find(self, order_id: str | None, cl_ord_id: str | None) -> KnownOrder | None:
        """The order of a venue's id, else the one of a client's id whose venue id is not known yet; it is from then on.

        A client's id can be used again for another order, so it alone names an order only where no venue id is given.
        """
        if order_id:
            known = self._by_order_id.get(order_id)
            if known is not None:
                return known
        known = self._by_cl_ord_id.get(cl_ord_id) if cl_ord_id else None
        if known is None or not order_id:
            return known
        if known.order_id is not None:
            return None
        known.order_id = order_id
        self._by_order_id[order_id] = known
        return known

    def is_live(self, cl_ord_id: str) -> bool:
        """Whether an order of this client's id is known, and not known to have ended."""
        known = self._by_cl_ord_id.get(cl_ord_id)
        return known is not None and not known.is_ended

    def live(self) -> Iterator[KnownOrder]:
        """The orders not known to have ended, oldest first."""
        return iter(tuple(self._live.values()))

    def end(self, known: KnownOrder) -> None:
        """An order has ended, or never came to be."""
        if known.is_ended:
            return
        known.is_ended = True
        del self._live[id(known)]
        self._ended[id(known)] = known
        if len(self._ended) > _ENDED_MAX:
            _, oldest = self._ended.popitem(last=False)
            if oldest.order_id is not None:
                self._by_order_id.pop(oldest.order_id, None)
            if self._by_cl_ord_id.get(oldest.cl_ord_id) is oldest:
                del self._by_cl_ord_id[oldest.cl_ord_id]
