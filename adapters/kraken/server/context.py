"""What every gateway is made with."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from adapters.kraken.server.keys import KeyRing
from adapters.kraken.server.pairs import ServedPairs
from framework.protocol import POINT
from framework.venue.orders import NO_SLOT, Order
from framework.venue.served.host import VenueHost
from framework.venue.served.journaled import JournaledHost

__all__ = ["Clock", "ServerContext"]


class Clock(Protocol):
    """now_ns: nanoseconds since the epoch."""

    now_ns: int


class ServerContext:
    """The host, its keys and its pairs.

    clock: what clients' clocks show, by which sessions are kept alive and their times are judged; the venue's own where
        that is not turned at will.
    connection_count: of WebSocket connections so far; each is told its number.
    """

    def __init__(self, host: VenueHost, keys: KeyRing) -> None:
        self.host = host
        self.keys = keys
        self.pairs = ServedPairs(host.specs.values())
        self.clock: Clock = host.scheduler
        self.connection_count = 0

    def commit(self) -> None:
        """Have what must not be forgotten written, before anything leaves that tells of it."""
        if isinstance(self.host, JournaledHost):
            self.host.commit()

    def last_ticks(self, symbol: str) -> int | None:
        """The last trade's price in ticks; None before the first."""
        last = self.host.tapes[symbol].last
        return None if last is None else last.price_ticks

    def stop_ticks(self, order: Order) -> int | None:
        """The price in ticks at which an order's trigger is now; None if it has none, or a trailing one never had."""
        if order.trigger_ticks is None and order.watch != NO_SLOT:
            return self.host.kernel.trigger_ticks(order.watch)  # of a trailing stop, where it has come to
        return order.trigger_ticks

    def rate_count(self, order: Order) -> Decimal:
        """Points on the trading counter of an order's account and pair."""
        return Decimal(order.account.counters[order.pair.index].value_at(self.host.now_ns)) / POINT

    def rate_count_max(self, account: str) -> int:
        """Points from which on an account's requests are refused."""
        return self.host.venue.accounts[account].tier.threshold // POINT
