"""Live books order by order against the venue's gateway in virtual time, with every checksum checked.

Pages: websocket-v2/level3; guides/spot-ws-l3-v2.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.instruments import Instruments
from adapters.kraken.client.live_orders import LiveOrders, order_number
from adapters.kraken.client.order_data import OrderData
from adapters.kraken.client.tokens import RestTokens
from adapters.kraken.errors import SymbolError
from adapters.kraken.wire.checksum import level3_checksum
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.ws2.market import Level3Order
from framework.data.columns import ADD, CLEAR, DELETE, LAST, MODIFY, SNAPSHOT
from framework.data.live_rows import MarketRow
from framework.errors import ConfigError
from framework.protocol import BUY, SELL
from tests.adapters.kraken.client.stage import BTC, WireDesk
from tests.adapters.kraken.client.test_market_data import REST
from tests.simulation.stage import level

PAIR = {
    "XXBTZUSD": {
        "altname": "XBTUSD", "wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 8, "tick_size": "0.1",
        "ordermin": "0.0001", "costmin": "0.5", "cost_decimals": 5,
    }
}  # fmt: skip


def book() -> LiveOrders:
    return LiveOrders(Instruments.from_asset_pairs(PAIR)["BTC/USD"])


def order(order_id: str, price: str, qty: str, event: str | None = None) -> Level3Order:
    told = Level3Order(order_id, Number(price), Number(qty), "2026-08-01T12:00:00.000000001Z")
    return (
        told if event is None else Level3Order(told.order_id, told.limit_price, told.order_qty, told.timestamp, event)
    )


def ids(orders: LiveOrders, side: int) -> list[str]:
    return [order_id for _, _, order_id in orders.orders(side)]


# ---------------------------------------------------------------------------------------------------------- the book


def test_orders_stand_by_price_and_then_as_they_came() -> None:
    orders = book()
    orders.apply(BUY, [order("A", "100.0", "1"), order("B", "100.1", "1"), order("C", "100.0", "2")])
    orders.apply(SELL, [order("D", "101.0", "1"), order("E", "100.9", "1")])
    assert ids(orders, BUY) == ["B", "A", "C"]
    assert ids(orders, SELL) == ["E", "D"]


def test_a_changed_quantity_keeps_the_place_and_a_changed_price_does_not() -> None:
    orders = book()
    orders.apply(BUY, [order("A", "100.0", "3"), order("B", "100.0", "1")])
    (change,) = orders.apply(BUY, [order("A", "100.0", "2", "modify")])
    assert change == (MODIFY, BUY, 1000, 2 * BTC, order_number("A"))
    assert ids(orders, BUY) == ["A", "B"]
    orders.apply(BUY, [order("A", "99.9", "2", "modify"), order("A", "100.0", "2", "modify")])
    assert ids(orders, BUY) == ["B", "A"]


def test_a_deletion_tells_what_was_left_and_another_price_is_a_deletion_and_an_addition() -> None:
    orders = book()
    orders.apply(SELL, [order("A", "101.0", "3")])
    moved = [order("A", "101.0", "3", "delete"), order("A", "101.5", "3", "add")]
    assert [each[:4] for each in orders.apply(SELL, moved)] == [
        (DELETE, SELL, 1010, 3 * BTC),
        (ADD, SELL, 1015, 3 * BTC),
    ]
    assert [each[:4] for each in orders.apply(SELL, [order("A", "101.5", "0", "delete")])] == [
        (DELETE, SELL, 1015, 3 * BTC)
    ]
    assert ids(orders, SELL) == []


def test_prices_behind_the_depth_are_cut_off_with_their_orders() -> None:
    orders = book()
    orders.apply(SELL, [order(f"O{n}", f"10{n}.0", "1") for n in range(4)])
    assert [each[:3] for each in orders.cut(2)] == [(DELETE, SELL, 1020), (DELETE, SELL, 1030)]
    assert ids(orders, SELL) == ["O0", "O1"]
    assert orders.apply(SELL, [order("O3", "103.0", "0", "delete"), order("O2", "102.0", "1", "modify")]) == []


def test_the_checksum_is_over_all_orders_of_the_ten_best_prices() -> None:
    orders = book()
    bids = [order(f"B{n}", f"{99 - n // 2}.0", f"0.0{n + 1}000000") for n in range(24)]
    asks = [order(f"A{n}", f"{101 + n}.0", "1.00000000") for n in range(12)]
    orders.apply(BUY, bids)
    orders.apply(SELL, asks)
    told = [[(each.limit_price.text, each.order_qty.text) for each in side] for side in (asks, bids)]
    assert orders.checksum() == level3_checksum(told[0], told[1])


def test_an_event_that_there_is_not_is_an_error() -> None:
    with pytest.raises(WireError, match="no event of an order"):
        book().apply(BUY, [order("A", "100.0", "1", "explode")])


def test_an_orders_number_is_its_own() -> None:
    numbers = {order_number(f"O{n:05d}-AAAAA-BBBBBB") for n in range(10_000)}
    assert len(numbers) == 10_000
    assert all(0 < number < 2**63 for number in numbers)


# ---------------------------------------------------------------------------------------------------------- the feed


def corrupted(data: bytes) -> bytes:
    """A message of orders whose checksum is another."""
    if b'"channel":"level3"' not in data:
        return data
    return re.sub(rb'"checksum":(\d+)', lambda found: b'"checksum":%d' % (int(found[1]) ^ 1), data)


class Ears:
    """Hears of orders."""

    def __init__(self) -> None:
        self.messages: list[list[MarketRow]] = []
        self.lost: list[str] = []

    def book_changed(self, symbol: str, rows: list[MarketRow]) -> None:
        assert symbol == "BTC/USD"
        self.messages.append(rows)

    def market_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        self.lost.append(reason)


class Rig:
    """Order books of a market whose rows a test adds, in seconds after now."""

    def __init__(self, *rows: Any, depth: int = 10) -> None:
        self.desk = WireDesk(REST, [(at_s + 1.2, *rest) for at_s, *rest in rows])
        self.ears = Ears()
        parts, tokens = self.desk.parts, RestTokens(self.desk.calls)
        self.data = OrderData(parts.instruments, self.desk.clock, self.desk.sockets.connect, BackOff(1), tokens)
        self.data.attach(self.ears)  # type: ignore[arg-type]
        self.data.subscribe("BTC/USD", depth)
        self.data.open()
        self.desk.run(200)


def test_a_snapshot_begins_with_a_clear_and_tells_each_order() -> None:
    rig = Rig()
    rows = rig.ears.messages[0]
    assert rows[0].kind == CLEAR
    assert {row.kind for row in rows[1:]} == {ADD}
    assert all(row.flags & SNAPSHOT for row in rows)
    assert [bool(row.flags & LAST) for row in rows] == [False] * (len(rows) - 1) + [True]
    assert len({row.order_id for row in rows[1:]}) == len(rows) - 1
    assert sorted(row.price_ticks for row in rows[1:]) == sorted(
        ticks for side in (BUY, SELL) for ticks, *_ in rig.data.orders("BTC/USD").orders(side)
    )


def test_changes_follow_and_every_checksum_comes_out() -> None:
    rig = Rig(*(level(0.3 + each / 10, SELL, 1_001, (3 + each) * BTC) for each in range(10)))
    rig.desk.run(3_000)
    assert rig.ears.lost == []
    changes = [row for rows in rig.ears.messages[1:] for row in rows]
    assert len([row for row in changes if row.price_ticks == 1_001]) >= 10
    assert not any(row.flags & SNAPSHOT for row in changes)


def test_orders_that_do_not_come_out_are_told_as_lost_and_asked_for_anew() -> None:
    rig = Rig(level(0.5, SELL, 1_001, 7 * BTC))
    rig.desk.sockets.tamper = corrupted
    rig.desk.run(700)
    assert rig.ears.lost
    assert rig.ears.lost[0].startswith("the checksum of the orders is ")
    rig.desk.sockets.tamper = lambda data: data
    rig.desk.run(20_000)
    assert rig.data.orders("BTC/USD").orders(SELL)[0][:2] == (1_001, 7 * BTC)


def test_a_subscription_that_cannot_be_left_is_left_with_its_connection() -> None:
    rig = Rig()

    def refused(data: bytes) -> bytes:
        is_answer = b'"method":"unsubscribe"' in data
        return data.replace(b'"success":true', b'"success":false') if is_answer else corrupted(data)

    rig.desk.sockets.tamper = refused
    rig.desk.run(700)
    rig.desk.sockets.tamper = lambda data: data
    rig.desk.run(10_000)
    assert len(rig.desk.sockets.streams) > 1
    assert rig.data.orders("BTC/USD").orders(BUY) != []


def test_a_lost_connection_is_told_and_made_again_with_a_fresh_token() -> None:
    rig = Rig()
    rig.desk.sockets.cut()
    assert rig.ears.lost == ["line dropped"]
    assert rig.data.orders("BTC/USD").orders(BUY) == []
    rig.desk.run(4_000)
    assert [rows[0].kind == CLEAR for rows in rig.ears.messages].count(True) == 2
    assert rig.data.orders("BTC/USD").orders(BUY) != []


def test_without_a_token_it_is_told_and_tried_again() -> None:
    rig = Rig()
    rig.desk.http.is_lossy = True
    rig.desk.sockets.cut()
    rig.desk.run(30_000)
    assert any("no token for the WebSocket" in reason for reason in rig.ears.lost)
    rig.desk.http.is_lossy = False
    rig.desk.run(90_000)
    assert rig.data.orders("BTC/USD").orders(BUY) != []


def test_a_depth_or_a_pair_that_there_is_not_is_an_error() -> None:
    rig = Rig()
    with pytest.raises(ConfigError, match="depth 25: of orders it must be one of 10, 100, 1000"):
        rig.data.subscribe("BTC/USD", 25)
    with pytest.raises(SymbolError):
        rig.data.subscribe("MOON/USD", 10)
