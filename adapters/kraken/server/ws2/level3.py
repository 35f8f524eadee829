"""The channel of orders, and what its subscriptions are limited to.

How the counter falls and what a refusal says is not documented. Assumptions: it falls evenly, by its limit in a second,
and is one for all connections of an account; a subscription that it does not allow is refused with
``EAPI:Rate limit exceeded``, and one symbol too many for a connection with ``EGeneral:Too many requests``; neither is
counted.

Sources: websocket-v2/level3; guides/spot-ws-l3-v2.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.kraken.server.channels import PairChannel
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.pairs import LOT_DECIMALS, ServedPair
from adapters.kraken.server.ws2.frames import Frame
from adapters.kraken.wire.digits import book_checksum, digits, rfc3339_ns
from framework.protocol import BUY, POINT, SELL, RateCheck
from framework.venue.rates import Charge, RateCounter
from framework.venue.served.order_book import OrderEvent, OrderEventKind, OrderStream, OrderUpdate, RestingOrder

__all__ = ["LEVEL3_DEPTHS", "Level3Channel", "Level3Limits"]

_LABEL = "ws2"
_CHECKED_LEVELS = 10
_SYMBOLS_MAX = 200
_COSTS = {10: 5, 100: 25, 1000: 100}
_LIMIT_STANDARD = 200
_LIMIT_PRO = 500
_PRO = "pro"
_SECOND_NS = 10**9

LEVEL3_DEPTHS = tuple(_COSTS)


class Level3Limits:
    """The counters of subscriptions, one for each account."""

    def __init__(self, context: ServerContext) -> None:
        self._host = context.host
        self._counters: dict[str, RateCounter] = {}

    def refusal(self, account: str, depth: int, symbol_count: int) -> str | None:
        """Why a symbol more is refused on a connection that has so many; None if it is not, and it is counted then."""
        if symbol_count >= _SYMBOLS_MAX:
            return "EGeneral:Too many requests"
        if not self._counter(account).admit(self._host.now_ns, Charge(_COSTS[depth] * POINT, is_refused_charged=False)):
            return "EAPI:Rate limit exceeded"
        return None

    def _counter(self, account: str) -> RateCounter:
        counter = self._counters.get(account)
        if counter is None:
            limit = _LIMIT_PRO if self._host.venue.accounts[account].tier.name == _PRO else _LIMIT_STANDARD
            counter = RateCounter(limit * POINT, limit * POINT // _SECOND_NS, RateCheck.AFTER)
            self._counters[account] = counter
        return counter


class Level3Channel(PairChannel):
    """The orders of the best levels of a pair."""

    def __init__(self, context: ServerContext, pair: ServedPair, depth: int) -> None:
        super().__init__(_LABEL, context, pair)
        self._depth = depth
        self._stream: OrderStream = self._book.listen_orders(depth, self._on_update)

    def snapshot(self) -> Frame:
        bids, asks = ([_order(each, self._pair) for each in self._stream.orders(side)] for side in (BUY, SELL))
        return self._frame("snapshot", bids, asks, self._host.now_ns)

    def close(self) -> None:
        self._book.unlisten_orders(self._depth, self._on_update)

    def _on_update(self, update: OrderUpdate) -> None:
        bids, asks = (_events(events, self._pair, update.ts_ns) for events in (update.bids, update.asks))
        if bids or asks:
            self._publish(self._frame("update", bids, asks, update.ts_ns))

    def _frame(self, kind: str, bids: list[str], asks: list[str], ts_ns: int) -> Frame:
        pair = self._pair
        price_units, qty_units = pair.price_units, pair.qty_units
        best_asks, best_bids = (
            [(price * price_units, lots * qty_units) for price, lots in self._stream.quantities(side, _CHECKED_LEVELS)]
            for side in (SELL, BUY)
        )
        return (
            f'{{"channel":"level3","type":"{kind}","data":[{{"symbol":"{self._symbol}",'
            f'"checksum":{book_checksum(best_asks, best_bids)},"bids":[{",".join(bids)}],"asks":[{",".join(asks)}],'
            f'"timestamp":"{rfc3339_ns(ts_ns)}"}}]}}'
        ).encode()


def _events(events: Sequence[OrderEvent], pair: ServedPair, ts_ns: int) -> list[str]:
    """What happened, as text; who only left the window is not told of.

    A deletion has its own time, but that of the queue where the order is added again, as after an amend (observed).
    """
    added = {order.order_id for kind, order in events if kind is OrderEventKind.ADD}
    told = []
    for kind, order in events:
        if kind is OrderEventKind.DELETE and order.order_id not in added:
            order = order._replace(queued_ns=ts_ns)
        if kind is not OrderEventKind.LEAVE:
            told.append(f'{{"event":"{kind.value}",{_order(order, pair)[1:]}')
    return told


def _order(order: RestingOrder, pair: ServedPair) -> str:
    return (
        f'{{"order_id":"{order.order_id}",'
        f'"limit_price":{digits(order.price_ticks * pair.price_units, pair.pair_decimals)},'
        f'"order_qty":{digits(order.qty_lots * pair.qty_units, LOT_DECIMALS)},'
        f'"timestamp":"{rfc3339_ns(order.queued_ns)}"}}'
    )
