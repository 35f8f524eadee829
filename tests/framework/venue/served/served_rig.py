"""A small served venue in virtual time, and a client that writes down what it is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from adapters.kraken.profile import PROFILE
from framework.data.columns import ADD, CLEAR, COLUMN_TYPES, DELETE, LAST, SNAPSHOT, TRADE, Columns, Market
from framework.messages import AddOrder, Report
from framework.protocol import BUY, SELL, InstrumentSpec, OrderType
from framework.venue.account import AccountConfig
from framework.venue.served.host import VenueHost

__all__ = ["SECOND", "START", "Client", "hand_market", "host", "order"]

SECOND = 1_000_000_000
START = 1_800_000_000 * SECOND
SPEC = InstrumentSpec(symbol="BTC/USD", venue="synthetic", tick_size="0.1", lot_size="0.0001")


def hand_market(rows: list[tuple[float, int, int, int, int, int]], spec: InstrumentSpec = SPEC) -> Market:
    """A level 3 market: a book of 100 lots at 1000 and at 1002 (orders 1 and 2), then rows of (seconds, kind, side,
    price, lots, order), each a message of its own.
    """
    table = [
        (0, CLEAR, 0, 0, 0, 0, SNAPSHOT),
        (0, ADD, BUY, 1000, 100, 1, SNAPSHOT),
        (0, ADD, SELL, 1002, 100, 2, SNAPSHOT | LAST),
    ]
    table += [
        (round(at_s * SECOND), kind, side, price, lots, number, LAST) for at_s, kind, side, price, lots, number in rows
    ]
    names = ("ts_event_ns", "kind", "side", "price_ticks", "qty_lots", "order_id", "flags")
    arrays = {name: np.array([row[index] for row in table], COLUMN_TYPES[name]) for index, name in enumerate(names)}
    columns = Columns(ts_recv_ns=arrays["ts_event_ns"], **arrays)
    return Market(spec=spec, columns=columns, depth="L3", has_trades=True)


QUIET: list[tuple[float, int, int, int, int, int]] = [(3600, ADD, BUY, 900, 1, 3)]
TRADING: list[tuple[float, int, int, int, int, int]] = [
    (1, TRADE, SELL, 1000, 100, 1),
    (1, DELETE, BUY, 1000, 100, 1),
    (2, TRADE, SELL, 999, 30, 0),
    (3, ADD, BUY, 999, 50, 3),
    (4, ADD, SELL, 1003, 50, 4),
]


def host(
    rows: list[tuple[float, int, int, int, int, int]] | None = None,
    accounts: int = 2,
    tier: str = "pro",
    **options: Any,
) -> VenueHost:
    """A host of a hand-made market, a quiet one if no rows are given."""
    money = {"USD": Decimal(100_000), "BTC": Decimal(100)}
    configs = [AccountConfig(name=f"a{number}", balances=money, tier=tier) for number in range(accounts)]
    return VenueHost(PROFILE, [hand_market(QUIET if rows is None else rows)], configs, START, **options)


class Client:
    """A line of an account."""

    def __init__(self, served: VenueHost, label: str = "ws2", account: str = "a0", line_id: str = "") -> None:
        self.line_id = line_id or f"{account} {label}"
        self.account = account
        self.label = label
        self.comp_id: str | None = None
        self.heard: list[tuple[int, Report]] = []
        self._host = served
        served.open_line(self, is_news_subscribed=label == "ws2")

    def on_report(self, report: Report, is_response: bool) -> None:
        self.heard.append((self._host.now_ns, report))

    def names(self) -> list[str]:
        """What was heard, by type."""
        return [type(report).__name__ for _, report in self.heard]


def order(served: VenueHost, side: int, price: int | None, lots: int, name: str = "", **options: Any) -> AddOrder:
    """A limit order, or a market order without a price."""
    return AddOrder(
        request_id=served.next_request_id(),
        cl_ord_id=name,
        symbol="BTC/USD",
        side=side,
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        qty_lots=lots,
        limit_ticks=price,
        **options,
    )
