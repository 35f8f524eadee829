"""The book order by order. Source: rest-api/get-level-3-order-book."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.keys import ApiKey
from adapters.kraken.server.refusal import invalid
from adapters.kraken.server.rest.params import Params
from framework.protocol import BUY, SELL

__all__ = ["OrderBook"]

_DEPTHS = (0, 10, 25, 100, 250, 1000)
_PRICE_DECIMALS = 5


class OrderBook:
    """Answers; each method gives the ``result``, or raises Refusal."""

    def __init__(self, context: ServerContext) -> None:
        self._host = context.host
        self._pairs = context.pairs
        self.methods: Mapping[str, Callable[[ApiKey, Params], Any]] = {"Level3": self._level3}

    def _level3(self, key: ApiKey, params: Params) -> Any:
        """The orders of so many levels of each side, or (depth 0) of all."""
        pair = self._pairs.wanted(params.required("pair"))
        depth = params.whole("depth", 100, 0, 1000)
        if depth not in _DEPTHS:
            raise invalid("depth")
        orders = self._host.books[pair.spec.symbol].orders

        def rows(side: int) -> list[dict[str, Any]]:
            return [
                {
                    "price": pair.price(each.price_ticks, _PRICE_DECIMALS),
                    "qty": pair.qty(each.qty_lots),
                    "order_id": each.order_id,
                    "timestamp": each.queued_ns,
                }
                for each in orders.orders(side, depth)
            ]

        return {"pair": pair.spec.symbol, "bids": rows(BUY), "asks": rows(SELL)}
