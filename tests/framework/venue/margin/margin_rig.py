"""A rig for orders on margin: how accounts stand, and what moved their balances.

As in ``venue_rig``: price 1000 is 100.0 USD, 10,000 lots are 1 BTC; an account has 10 BTC and 10,000 USD, so 11,000 USD
of collateral at the last price of 100.0. Loans cost 0.025 % of USD and 0.010 % of BTC, when they are made and every
four hours (support/206161568).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from framework.protocol import BUY, SELL, OrderType
from framework.venue.margin.lending import Movement
from framework.venue.margin.positions import MarginAccount, MarginFill, Position
from framework.venue.margin.standing import Standing
from framework.venue.observer import VenueObserver
from framework.venue.orders import Order
from tests.framework.venue.hand_market import MARKET, HandMarket
from tests.framework.venue.venue_rig import START_NS, SYMBOL, Rig, book

BTC = 10_000  # lots


class Watcher(VenueObserver):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.movements: list[Movement] = []
        self.fills: dict[str, MarginFill] = {}
        self.calls: list[str] = []

    def on_movement(self, movement: Movement) -> None:
        self.movements.append(movement)

    def on_margin_fill(self, exec_id: str, fill: MarginFill) -> None:
        self.fills[exec_id] = fill

    def on_margin_call(self, account: str, now_ns: int) -> None:
        self.calls.append(account)


class MarginRig(Rig):
    """A rig with a watcher, orders on margin, and sums in USD."""

    def __init__(self, market: HandMarket | None = None, *, watcher: Watcher | None = None, **options: Any) -> None:
        self.heard = Watcher() if watcher is None else watcher
        super().__init__(deep() if market is None else market, **options)
        self.venue.observer = self.heard

    def go(self, side: int, lots: int, price: int | None = None, leverage: int = 5, **fields: Any) -> Order:
        """An order on margin that has to be accepted; a market order without a price."""
        kind = OrderType.MARKET if price is None else OrderType.LIMIT
        wanted = {"order_type": kind, "limit_ticks": price, **fields}
        return self.add(side=side, qty_lots=lots, leverage=leverage, **wanted)

    def no_go(self, side: int, lots: int, price: int | None = None, leverage: int = 5, **fields: Any) -> str:
        """The words in which an order on margin is refused."""
        kind = OrderType.MARKET if price is None else OrderType.LIMIT
        wanted = {"order_type": kind, "limit_ticks": price, **fields}
        return self.refused_add(side=side, qty_lots=lots, leverage=leverage, **wanted)

    def reprice(self, price: int, lots: int = 100 * BTC) -> None:
        """The market moves: its book is around a price, where it has traded last."""
        for queues in self.market.queues[0].values():
            for level, queue in list(queues.items()):
                queue[:] = [entry for entry in queue if entry.slot != MARKET]
                if not queue:
                    del queues[level]
        for distance in (1, 2):
            self.market.add(BUY, price - distance, lots)
            self.market.add(SELL, price + distance, lots)
        self.print(price)

    def margin(self, account: str = "a") -> MarginAccount:
        margin = self.venue.accounts[account].margin
        assert margin is not None
        return margin

    def positions(self, account: str = "a") -> list[Position]:
        return list(self.margin(account).positions.values())

    def net_lots(self, account: str = "a") -> int:
        return sum(each.open_lots * (1 if each.side == BUY else -1) for each in self.positions(account))

    def standing(self, account: str = "a") -> Standing:
        assert self.venue.margin is not None
        return self.venue.margin.standing(self.venue.accounts[account], self.venue.assets.index["USD"])

    def usd(self, units: Any) -> Decimal:
        """An amount in USD, exact if it is."""
        decimals = self.venue.assets.decimals[self.venue.assets.index["USD"]]
        return (Decimal(units.numerator) / Decimal(units.denominator)).scaleb(-decimals).normalize()

    def moved(self) -> list[tuple[str, str, Decimal, Decimal]]:
        """What moved since this was asked last: kind, asset, amount and fee."""
        heard, self.heard.movements = self.heard.movements, []
        return [
            (
                each.kind.value,
                self.venue.assets.names[each.asset],
                self.venue.assets.amount(each.asset, each.amount_units).normalize(),
                self.venue.assets.amount(each.asset, each.fee_units).normalize(),
            )
            for each in heard
        ]


def deep() -> HandMarket:
    """Bids 999 and 998, asks 1001 and 1002, 100 BTC each; the last trade was at 1000."""
    lots = 100 * BTC
    market = book((BUY, 999, lots), (BUY, 998, lots), (SELL, 1001, lots), (SELL, 1002, lots))
    market.print(1000, START_NS)
    return market


__all__ = ["BTC", "SYMBOL", "MarginRig", "Watcher", "deep"]
