"""The public book by orders: ids, queues and times, and updates from which a client keeps the same queues."""

from __future__ import annotations

import random
from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby

import msgspec
import pytest

from adapters.kraken.profile import PROFILE
from framework.data.columns import ADD, DELETE, EXECUTED, LAST, MODIFY, TRADE
from framework.data.synthetic import synthetic_l2, synthetic_market
from framework.messages import AmendOrder, CancelOrder
from framework.protocol import BUY, SELL, OrderType
from framework.venue.account import AccountConfig
from framework.venue.served.host import VenueHost
from framework.venue.served.order_book import OrderEvent, OrderEventKind, OrderUpdate, RestingOrder
from tests.framework.venue.served.served_rig import SECOND, START, Client, hand_market, host, order

NAME = "BTC/USD"


def brief(orders: Iterable[RestingOrder]) -> list[tuple[int, int]]:
    """Prices and lots only."""
    return [(each.price_ticks, each.qty_lots) for each in orders]


def told(events: Iterable[OrderEvent]) -> list[tuple[str, str, int, int]]:
    """Events as kind, id, price, lots."""
    return [(event.kind.value, event.order.order_id, event.order.price_ticks, event.order.qty_lots) for event in events]


def test_a_recorded_order_has_an_id_of_the_venue_and_the_time_of_its_row() -> None:
    served = host([(1, ADD, BUY, 1001, 50, 3)])
    served.run_until(START + SECOND)
    assert served.books[NAME].orders.orders(BUY) == [
        RestingOrder("OM0001-00000-000003", 1001, 50, START + SECOND),
        RestingOrder("OM0001-00000-000001", 1000, 100, START),
    ]


def test_a_clients_order_has_the_venues_id_and_the_time_at_which_it_was_queued() -> None:
    served = host()
    client = Client(served)
    served.run_until(START + SECOND)
    served.submit(client.line_id, order(served, SELL, 1003, 7))
    assert served.books[NAME].orders.orders(SELL)[-1] == RestingOrder("O00000-00000-000001", 1003, 7, START + SECOND)


def test_orders_of_clients_and_of_the_market_stand_in_the_order_in_which_they_came() -> None:
    served = host([(2, ADD, BUY, 1000, 50, 3), (4, ADD, BUY, 1000, 60, 4)])
    client = Client(served)
    served.run_until(START + SECOND)
    served.submit(client.line_id, order(served, BUY, 1000, 7))
    served.run_until(START + 3 * SECOND)
    served.submit(client.line_id, order(served, BUY, 1000, 8))
    served.run_until(START + 4 * SECOND)
    assert brief(served.books[NAME].orders.orders(BUY)) == [(1000, 100), (1000, 7), (1000, 50), (1000, 8), (1000, 60)]


def test_a_new_order_is_added_and_a_canceled_one_is_deleted_with_what_it_had() -> None:
    served = host()
    client = Client(served)
    updates: list[OrderUpdate] = []
    served.books[NAME].listen_orders(10, updates.append)
    served.submit(client.line_id, order(served, BUY, 1000, 7, "mine"))
    served.submit(client.line_id, CancelOrder(request_id=served.next_request_id(), cl_ord_id="mine"))
    assert [told(update.bids) for update in updates] == [
        [("add", "O00000-00000-000001", 1000, 7)],
        [("delete", "O00000-00000-000001", 1000, 7)],
    ]
    assert [update.asks for update in updates] == [[], []]


def test_a_recorded_order_that_a_client_takes_in_part_is_modified_and_keeps_its_time() -> None:
    served = host()
    client = Client(served)
    updates: list[OrderUpdate] = []
    served.books[NAME].listen_orders(10, updates.append)
    served.run_until(START + SECOND)
    served.submit(client.line_id, order(served, BUY, None, 30))
    (event,) = updates[0].asks
    assert event == OrderEvent(OrderEventKind.MODIFY, RestingOrder("OM0001-00000-000002", 1002, 70, START))


def test_a_clients_order_that_another_client_fills_is_deleted_with_nothing_left() -> None:
    served = host()
    maker, taker = Client(served), Client(served, account="a1")
    served.submit(maker.line_id, order(served, BUY, 1001, 7))
    updates: list[OrderUpdate] = []
    served.books[NAME].listen_orders(10, updates.append)
    served.submit(taker.line_id, order(served, SELL, 1001, 7))
    assert told(updates[0].bids) == [("delete", "O00000-00000-000001", 1001, 0)]


def test_a_clients_order_that_the_market_fills_is_deleted_with_nothing_left() -> None:
    served = host([(1, TRADE, SELL, 1000, 50, 0)])
    served.submit(Client(served).line_id, order(served, BUY, 1001, 7))
    updates: list[OrderUpdate] = []
    served.books[NAME].listen_orders(10, updates.append)
    served.run_until(START + SECOND)
    assert told(updates[0].bids) == [("delete", "O00000-00000-000001", 1001, 0)]


def test_a_recorded_order_that_a_client_takes_whole_is_deleted_with_nothing_left() -> None:
    served = host()
    updates: list[OrderUpdate] = []
    served.books[NAME].listen_orders(10, updates.append)
    served.submit(Client(served).line_id, order(served, BUY, None, 100))
    assert told(updates[0].asks) == [("delete", "OM0001-00000-000002", 1002, 0)]


@pytest.mark.parametrize(("flags", "lots"), [(LAST, 100), (LAST | EXECUTED, 0)])
def test_a_recorded_order_is_deleted_with_what_was_withdrawn_of_it(flags: int, lots: int) -> None:
    market = hand_market([(1, DELETE, SELL, 1002, 100, 2), (3600, ADD, BUY, 900, 1, 3)])
    market.columns.flags[3] = flags
    served = VenueHost(PROFILE, [market], [AccountConfig(name="a0", balances={}, tier="pro")], START)
    updates: list[OrderUpdate] = []
    served.books[NAME].listen_orders(10, updates.append)
    served.run_until(START + SECOND)
    assert told(updates[0].asks) == [("delete", "OM0001-00000-000002", 1002, lots)]


def test_less_quantity_keeps_the_place_and_the_time() -> None:
    served = host()
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, 1000, 7, "mine"))
    served.submit(client.line_id, order(served, BUY, 1000, 9, "other"))
    updates: list[OrderUpdate] = []
    served.books[NAME].listen_orders(10, updates.append)
    served.run_until(START + SECOND)
    served.submit(client.line_id, AmendOrder(request_id=served.next_request_id(), cl_ord_id="mine", qty_lots=4))
    (event,) = updates[0].bids
    assert event == OrderEvent(OrderEventKind.MODIFY, RestingOrder("O00000-00000-000001", 1000, 4, START))


def test_another_price_is_a_delete_at_the_old_and_an_add_at_the_new_one() -> None:
    served = host()
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, 1000, 7, "mine"))
    updates: list[OrderUpdate] = []
    served.books[NAME].listen_orders(10, updates.append)
    served.run_until(START + SECOND)
    served.submit(client.line_id, AmendOrder(request_id=served.next_request_id(), cl_ord_id="mine", limit_ticks=999))
    assert updates[0].bids == [
        OrderEvent(OrderEventKind.DELETE, RestingOrder("O00000-00000-000001", 1000, 7, START)),
        OrderEvent(OrderEventKind.ADD, RestingOrder("O00000-00000-000001", 999, 7, START + SECOND)),
    ]


def test_a_recorded_order_that_grows_goes_to_the_back() -> None:
    served = host([(1, ADD, BUY, 1000, 50, 3), (2, MODIFY, BUY, 1000, 120, 1)])
    served.run_until(START + SECOND)
    updates: list[OrderUpdate] = []
    served.books[NAME].listen_orders(10, updates.append)
    served.run_until(START + 2 * SECOND)
    assert told(updates[0].bids) == [
        ("delete", "OM0001-00000-000001", 1000, 100),
        ("add", "OM0001-00000-000001", 1000, 120),
    ]


def test_the_next_slice_of_an_iceberg_is_last_in_its_queue_from_the_time_at_which_the_one_before_was_filled() -> None:
    served = host([(1, TRADE, BUY, 1001, 10, 0)])
    maker, other = Client(served, label="rest"), Client(served, account="a1")
    iceberg = msgspec.structs.replace(order(served, SELL, 1001, 100), order_type=OrderType.ICEBERG, display_lots=10)
    served.submit(maker.line_id, iceberg)
    served.submit(other.line_id, order(served, SELL, 1001, 7))
    updates: list[OrderUpdate] = []
    served.books[NAME].listen_orders(1, updates.append)
    served.run_until(START + SECOND)
    assert updates[0].asks == [
        OrderEvent(OrderEventKind.DELETE, RestingOrder("O00000-00000-000001", 1001, 10, START)),
        OrderEvent(OrderEventKind.ADD, RestingOrder("O00000-00000-000001", 1001, 10, START + SECOND)),
    ]
    assert [each.order_id[-1] for each in served.books[NAME].orders.orders(SELL, 1)] == ["2", "1"]


def test_who_leaves_the_window_is_told_to_have_left_and_who_comes_back_is_added_with_its_old_time() -> None:
    served = host()
    client = Client(served)
    updates: list[OrderUpdate] = []
    served.books[NAME].listen_orders(1, updates.append)
    served.run_until(START + SECOND)
    served.submit(client.line_id, order(served, BUY, 1001, 7, "mine"))
    served.submit(client.line_id, CancelOrder(request_id=served.next_request_id(), cl_ord_id="mine"))
    assert [told(update.bids) for update in updates] == [
        [("add", "O00000-00000-000001", 1001, 7), ("leave", "OM0001-00000-000001", 1000, 100)],
        [("delete", "O00000-00000-000001", 1001, 7), ("add", "OM0001-00000-000001", 1000, 100)],
    ]
    assert updates[1].bids[1].order.queued_ns == START


def test_a_new_pass_over_the_market_brings_orders_with_new_ids() -> None:
    served = host([(1, DELETE, BUY, 1000, 100, 1)])
    updates: list[OrderUpdate] = []
    served.books[NAME].listen_orders(10, updates.append)
    served.run_until(START + 2 * SECOND)
    assert served.books[NAME].orders.orders(BUY) == [RestingOrder("OM0002-00000-000001", 1000, 100, START + 2 * SECOND)]
    assert [told(update.bids) for update in updates] == [
        [("delete", "OM0001-00000-000001", 1000, 100)],
        [("add", "OM0002-00000-000001", 1000, 100)],
    ]


def test_a_level_of_a_market_without_orders_is_one_order_with_an_id_that_stays() -> None:
    served = VenueHost(
        PROFILE, [synthetic_l2(synthetic_market(3, 5))], [AccountConfig(name="a0", balances={}, tier="pro")], START
    )
    first = {each.price_ticks: each for each in served.books[NAME].orders.orders(BUY, 50)}
    served.run_until(START + SECOND)
    later = {each.price_ticks: each for each in served.books[NAME].orders.orders(BUY, 50)}
    assert len(first) == 50
    assert all(later[price].order_id == first[price].order_id for price in first.keys() & later.keys())
    ids = [each.order_id for side in (BUY, SELL) for each in served.books[NAME].orders.orders(side)]
    assert len(set(ids)) == len(ids)


def test_nobody_is_told_after_he_stopped_listening_and_nothing_is_looked_at() -> None:
    served = host()
    client = Client(served)
    updates: list[OrderUpdate] = []
    served.books[NAME].listen_orders(10, updates.append)
    assert served.books[NAME].is_listened_to
    served.books[NAME].unlisten_orders(10, updates.append)
    served.submit(client.line_id, order(served, BUY, 1001, 7))
    assert updates == []
    assert not served.books[NAME].is_listened_to


# ----------------------------------------------------------------------------------------------- random order streams


def by_price(orders: Iterable[RestingOrder]) -> list[tuple[int, int]]:
    """The levels that orders add up to."""
    return [
        (price, sum(each.qty_lots for each in level)) for price, level in groupby(orders, lambda each: each.price_ticks)
    ]


class Kept:
    """A client's copy of one side: it takes away, changes, appends, and cuts to the window."""

    def __init__(self, side: int, depth: int, orders: Iterable[RestingOrder]) -> None:
        self.side = side
        self.depth = depth
        self.levels: dict[int, list[RestingOrder]] = {}
        for each in orders:
            self.levels.setdefault(each.price_ticks, []).append(each)

    def apply(self, events: Iterable[OrderEvent]) -> None:
        for kind, it in events:
            queue = self.levels.setdefault(it.price_ticks, [])
            known = [index for index, each in enumerate(queue) if each.order_id == it.order_id]
            if kind is OrderEventKind.ADD:
                assert not known
                queue.append(it)
            elif kind is OrderEventKind.MODIFY:
                assert queue[known[0]].queued_ns == it.queued_ns
                queue[known[0]] = it
            elif kind is OrderEventKind.LEAVE:
                assert queue.pop(known[0]) == it
            else:
                was = queue.pop(known[0])
                assert was._replace(qty_lots=0) == it._replace(qty_lots=0)
                assert 0 <= it.qty_lots <= was.qty_lots
        prices = sorted((price for price, queue in self.levels.items() if queue), reverse=self.side == BUY)
        assert not self.depth or len(prices) <= self.depth
        self.levels = {price: self.levels[price] for price in prices}

    def orders(self) -> list[RestingOrder]:
        return [each for queue in self.levels.values() for each in queue]


@pytest.mark.parametrize("depth", [0, 1, 10, 100])
@pytest.mark.parametrize("source", ["by order", "by level"])
def test_orders_add_up_to_the_levels_and_updates_keep_the_queues(source: str, depth: int) -> None:
    money = {"USD": Decimal(10**9), "BTC": Decimal(10**6)}
    market = synthetic_market(3, 20) if source == "by order" else synthetic_l2(synthetic_market(3, 20))
    accounts = [AccountConfig(name=name, balances=money, tier="pro") for name in ("a0", "a1")]
    served = VenueHost(PROFILE, [market], accounts, START)
    book = served.books[NAME]
    levels_most = depth or 10_000
    kept: list[Kept] = []
    count = 0

    def apply(update: OrderUpdate) -> None:
        nonlocal count
        count += 1
        for side, events in ((BUY, update.bids), (SELL, update.asks)):
            kept[side].apply(events)
            assert kept[side].orders() == stream.orders(side) == book.orders.orders(side, depth)
            assert by_price(stream.orders(side)) == book.levels(side, levels_most)
            for _, level in groupby(stream.orders(side), lambda each: each.price_ticks):
                times = [each.queued_ns for each in level]
                assert times == sorted(times)

    stream = served.books[NAME].listen_orders(depth, apply)
    kept += [Kept(side, depth, stream.orders(side)) for side in (BUY, SELL)]
    clients = [Client(served, label="rest", account=name) for name in ("a0", "a1")]
    chance = random.Random(depth)
    for number in range(150):
        served.run_until(served.now_ns + chance.randrange(60_000_000))
        client = clients[chance.randrange(2)]
        side = chance.randrange(2)
        best = book.best(side)
        assert best is not None
        away = chance.randrange(-5, 20)
        price = best[0] - away if side == BUY else best[0] + away
        name = f"c{chance.randrange(number + 1)}"
        pick = chance.random()
        lots = chance.randrange(10_000, 10_000_000)
        if pick < 0.2:
            served.submit(client.line_id, CancelOrder(request_id=served.next_request_id(), cl_ord_id=name))
        elif pick < 0.3:
            amend = AmendOrder(request_id=served.next_request_id(), cl_ord_id=name, qty_lots=lots)
            served.submit(client.line_id, amend)
        elif pick < 0.5:
            made = order(served, side, price, lots, f"c{number}", display_lots=max(1, lots // 10))
            served.submit(client.line_id, msgspec.structs.replace(made, order_type=OrderType.ICEBERG))
        else:
            served.submit(client.line_id, order(served, side, price, lots, f"c{number}"))
        for resting in served.venue.resting_orders() if number % 25 == 0 else ():
            seen = [each for each in book.orders.orders(resting.side) if each.order_id == resting.order_id]
            assert [each.qty_lots for each in seen] == [served.kernel.visible(resting.slot)]
    assert count > 50
    assert sum(len(served.records.trades(name)) for name in ("a0", "a1")) > 20


def test_what_is_in_front_of_a_clients_order_is_what_the_kernel_fills_before_it() -> None:
    money = {"USD": Decimal(10**9), "BTC": Decimal(10**6)}
    served = VenueHost(
        PROFILE, [synthetic_market(5, 30)], [AccountConfig(name="a0", balances=money, tier="pro")], START
    )
    client = Client(served)
    book = served.books[NAME]
    compared = 0
    for number in range(60):
        served.run_until(served.now_ns + 400_000_000)
        side = number % 2
        best = book.best(side)
        assert best is not None
        price = best[0] - number % 4 if side == BUY else best[0] + number % 4
        served.submit(client.line_id, order(served, side, price, 1_000_000, f"c{number}"))
        own = {resting.order_id: resting for resting in served.venue.resting_orders()}
        for side in (BUY, SELL):
            for _, level in groupby(book.orders.orders(side), lambda each: each.price_ticks):
                ahead_lots = 0
                for each in level:
                    if each.order_id in own:
                        assert served.kernel.ahead(own[each.order_id].slot) == ahead_lots
                        compared += ahead_lots > 0
                    else:
                        ahead_lots += each.qty_lots
    assert compared > 20
