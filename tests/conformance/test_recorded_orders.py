"""Recorded markets served order by order, with clients among them: the orders add up to the levels, all the time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import groupby

import msgspec
import pytest

from adapters.bitstamp.captures import import_events
from adapters.kraken.captures_csv import import_level3_ticks
from adapters.kraken.profile import PROFILE
from framework.data.columns import Market
from framework.protocol import BUY, SELL
from framework.venue.account import AccountConfig
from framework.venue.served.host import VenueHost
from framework.venue.served.order_book import OrderEvent, OrderEventKind, OrderUpdate, RestingOrder
from tests.captures import require_capture
from tests.framework.venue.served.served_rig import START, Client, order

_DEPTH = 25
_S = 10**9


def _bitstamp() -> Market:
    (imported,) = import_events(require_capture("bitstamp-l3-2015-05-01"), {"symbol": "BTC/USD", "cost_decimals": "2"})
    return imported.market


def _kraken() -> Market:
    source = require_capture("kraken-l3-l2-2024-11") / "ex_multifeed_out.L3_ticks.csv"
    options = {"asset_pairs": "", "recorder_utc_offset_h": "-7"}
    return max((each.market for each in import_level3_ticks(source, options)), key=lambda market: len(market.columns))


class _Copy:
    """One side as a client keeps it."""

    def __init__(self, side: int, orders: list[RestingOrder]) -> None:
        self._is_bid = side == BUY
        self._levels: dict[int, dict[str, RestingOrder]] = {}
        for each in orders:
            self._levels.setdefault(each.price_ticks, {})[each.order_id] = each

    def apply(self, events: list[OrderEvent]) -> None:
        for kind, it in events:
            level = self._levels.setdefault(it.price_ticks, {})
            if kind in (OrderEventKind.DELETE, OrderEventKind.LEAVE):
                del level[it.order_id]
            else:
                assert (it.order_id in level) == (kind is OrderEventKind.MODIFY)
                level[it.order_id] = it

    def orders(self) -> Iterator[RestingOrder]:
        for price in sorted(self._levels, reverse=self._is_bid):
            yield from self._levels[price].values()


@pytest.mark.parametrize("recording", [_bitstamp, _kraken])
def test_recorded_orders_and_those_of_clients_add_up_to_the_levels_at_each_message(
    recording: Callable[[], Market],
) -> None:
    market = recording()
    money = {market.spec.base: Decimal(10**6), market.spec.quote: Decimal(10**9)}
    served = VenueHost(PROFILE, [market], [AccountConfig(name="a0", balances=money, tier="pro")], START)
    book = served.books[market.spec.symbol]
    count = 0

    def apply(update: OrderUpdate) -> None:
        nonlocal count
        count += 1
        for side, events in ((BUY, update.bids), (SELL, update.asks)):
            copies[side].apply(events)
            kept = list(copies[side].orders())
            assert kept == stream.orders(side)
            levels = [
                (price, sum(each.qty_lots for each in level))
                for price, level in groupby(kept, lambda each: each.price_ticks)
            ]
            assert levels == book.levels(side, _DEPTH)

    stream = book.listen_orders(_DEPTH, apply)
    copies = {side: _Copy(side, stream.orders(side)) for side in (BUY, SELL)}
    client = Client(served, label="rest")
    chance = random.Random(4)
    span_ns = min(int(market.columns.ts_event_ns[-1] - market.columns.ts_event_ns[0]), 120 * _S)
    for number in range(100):
        served.run_until(served.now_ns + span_ns // 100)
        side = number % 2
        best = book.best(side)
        if best is not None:
            away = chance.randrange(-2, 4)
            price = best[0] - away if side == BUY else best[0] + away
            lots = max(market.spec.min_qty_lots, best[1] // 2)
            made = order(served, side, price, lots, f"c{number}")
            served.submit(client.line_id, msgspec.structs.replace(made, symbol=market.spec.symbol))
    assert count > 100
    assert len(served.records.trades("a0")) > 5
