"""The open orders that a request means, and its new terms for them, whatever protocol it came on.

Asked when a request has reached the engine, so that it is the orders and the last trade there that count.

Sources: rest-api/amend-order, edit-order, cancel-order, cancel-order-batch; websocket-v2/amend_order, edit_order,
cancel_order, batch_cancel; guides/spot-clordid.
"""

from __future__ import annotations

from typing import cast

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.orders import attachment_of
from adapters.kraken.server.pairs import ServedPair
from adapters.kraken.server.prices import (
    PRICED,
    LimitTerms,
    PriceTerms,
    TriggerTerms,
    price_ticks,
    qty_lots,
    trailing_distance,
    trailing_limit,
    whole,
)
from adapters.kraken.server.refusal import Refusal, invalid
from framework.venue.orders import Order

__all__ = ["Targets"]


class Targets:
    """Finds orders; raises Refusal for what no order answers to."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._host = context.host
        self._records = context.host.records
        self._pairs = context.pairs

    def pair_of(self, order: Order) -> ServedPair:
        """The pair of an order."""
        return self._pairs.by_symbol[order.pair.symbol]

    def to_amend(self, account: str, order_id: str, cl_ord_id: str) -> Order:
        """The order that an amend names by one of its two ids; the other one is empty."""
        order = self._host.venue.accounts[account].find(order_id or None, cl_ord_id or None)
        if order is None:
            raise Refusal("EOrder:Unknown order")
        return order

    def to_edit(self, account: str, reference: str, pair: ServedPair) -> Order:
        """The one order that an edit means, by id or userref."""
        ids = self.ids(account, reference)
        order = self._records.order(account, ids[0]) if ids else None
        if order is None:
            raise Refusal("EOrder:Unknown order")
        if len(ids) > 1:
            raise Refusal("EOrder:Invalid order")
        if order.pair.symbol != pair.spec.symbol:
            raise invalid("pair")
        return order

    def ids(self, account: str, reference: str) -> list[str]:
        """The ids that a reference means: the one that it gives, or those of all open orders with a userref."""
        if not reference.removeprefix("-").isdigit():
            return [reference]
        return self.ids_of_userref(account, whole(reference, "txid", -(2**31), 2**31 - 1))

    def ids_of_userref(self, account: str, userref: int) -> list[str]:
        """The ids of all open orders with a userref."""
        orders = self._records.orders_open(account)
        return [order.order_id for order in orders if attachment_of(order).userref == userref]

    def qty(self, order: Order, name: str, text: str) -> int | None:
        """A new quantity in lots; None for no text."""
        return qty_lots(text, self.pair_of(order), name) if text else None

    def limit(self, order: Order, name: str, text: str) -> LimitTerms:
        """A new limit, as arguments of an amend: a price, or of a waiting trailing order its distance from the trigger;
        none for no text.
        """
        if text and order.is_trailing and not order.is_triggered:
            return trailing_limit(text, self.pair_of(order), name)
        limit_ticks = self.price(order, name, text)
        return {} if limit_ticks is None else {"limit_ticks": limit_ticks}

    def trigger(self, order: Order, name: str, text: str) -> TriggerTerms:
        """A new trigger, as arguments of an amend: a price, or of a waiting trailing order its distance from its best
        price; none for no text.
        """
        if text and order.is_trailing and not order.is_triggered:
            return cast("TriggerTerms", trailing_distance(text, self.pair_of(order), name))
        trigger_ticks = self.price(order, name, text)
        return {} if trigger_ticks is None else {"trigger_ticks": trigger_ticks}

    def edited(self, order: Order, name: str, text: str, name2: str, text2: str) -> PriceTerms:
        """New prices of an order, as arguments of an edit, by the grammar that they were entered by; what has no text
        stays.

        text, text2: what REST calls price and price2; name, name2: what they are called here.
        """
        terms: PriceTerms = {}
        if order.is_trailing:
            pair = self.pair_of(order)
            if text:
                terms |= cast("PriceTerms", trailing_distance(text, pair, name))
            if text2:
                terms |= cast("PriceTerms", trailing_limit(text2, pair, name2))
            return terms
        first, second = self.price(order, name, text), self.price(order, name2, text2)
        is_priced = order.order_type in PRICED
        if first is not None:
            terms["limit_ticks" if is_priced else "trigger_ticks"] = first
        if second is not None and not is_priced:
            terms["limit_ticks"] = second
        return terms

    def price(self, order: Order, name: str, text: str) -> int | None:
        """A new price in ticks, absolute or relative to the last trade; None for no text."""
        if not text:
            return None
        last_ticks = self._context.last_ticks(order.pair.symbol)
        return price_ticks(text, self.pair_of(order), name, last_ticks, order.side, order.order_type)
