"""The public book: the market's and the clients' quantity, and updates from which a client keeps the same book."""

from __future__ import annotations

import random

import pytest

from framework.data.synthetic import synthetic_market
from framework.messages import CancelOrder
from framework.protocol import BUY, SELL
from framework.venue.account import AccountConfig
from framework.venue.served.book import DepthUpdate
from framework.venue.served.host import VenueHost
from tests.framework.venue.served.served_rig import SECOND, START, Client, host, order

NAME = "BTC/USD"


def test_client_quantity_is_added_to_the_markets_at_its_price() -> None:
    served = host()
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, 1000, 7))
    served.submit(client.line_id, order(served, BUY, 998, 3))
    assert served.books[NAME].levels(BUY, 5) == [(1000, 107), (998, 3)]


def test_what_a_client_took_is_missing() -> None:
    served = host()
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, None, 30))
    assert served.books[NAME].levels(SELL, 5) == [(1002, 70)]


def test_of_an_iceberg_only_what_it_shows_is_there() -> None:
    from framework.protocol import OrderType

    served = host()
    client = Client(served, label="rest")
    command = order(served, BUY, 1001, 100)
    import msgspec

    served.submit(client.line_id, msgspec.structs.replace(command, order_type=OrderType.ICEBERG, display_lots=10))
    assert served.books[NAME].best(BUY) == (1001, 10)


def test_changes_of_best_prices_are_listed_with_their_time() -> None:
    served = host()
    client = Client(served)
    served.run_until(START + SECOND)
    served.submit(client.line_id, order(served, BUY, 1001, 7))
    assert served.books[NAME].spreads[-1] == (START + SECOND, 1001, 1002)


@pytest.mark.parametrize("is_cut_at_each_level", [False, True], ids=["cut at the end", "cut at each level"])
@pytest.mark.parametrize("depth", [1, 3, 10, 100])
def test_who_applies_the_updates_and_keeps_the_window_has_the_published_book(
    depth: int, is_cut_at_each_level: bool
) -> None:
    from decimal import Decimal

    from adapters.kraken.profile import PROFILE

    money = {"USD": Decimal(10**9), "BTC": Decimal(10**6)}
    served = VenueHost(
        PROFILE, [synthetic_market(3, 30)], [AccountConfig(name="a0", balances=money, tier="pro")], START
    )
    book = served.books[NAME]
    sides: list[dict[int, int]] = [{}, {}]
    count = 0

    def cut(side: int) -> None:
        kept = sorted(sides[side], reverse=side == BUY)[:depth]
        sides[side] = {price: sides[side][price] for price in kept}

    def apply(update: DepthUpdate) -> None:
        nonlocal count
        count += 1
        for side, changes in ((BUY, update.bids), (SELL, update.asks)):
            for price, lots in changes:
                if lots:
                    sides[side][price] = lots
                else:
                    del sides[side][price]
                if is_cut_at_each_level:
                    cut(side)
            cut(side)
        assert list(sides[BUY].items()) == book.levels(BUY, depth)
        assert list(sides[SELL].items()) == book.levels(SELL, depth)

    stream = served.books[NAME].listen(depth, apply)
    sides[BUY], sides[SELL] = dict(stream.bids), dict(stream.asks)
    client = Client(served)
    chance = random.Random(depth)
    for number in range(200):
        served.run_until(served.now_ns + chance.randrange(100_000_000))
        side = chance.randrange(2)
        best = book.best(side)
        assert best is not None
        assert [best] == book.levels(side, 1)
        away = chance.randrange(-5, 30)
        price = best[0] - away if side == BUY else best[0] + away
        if chance.random() < 0.3:
            served.submit(
                client.line_id,
                CancelOrder(request_id=served.next_request_id(), cl_ord_id=f"c{chance.randrange(number + 1)}"),
            )
        else:
            served.submit(
                client.line_id, order(served, side, price, chance.randrange(10_000, 10_000_000), f"c{number}")
            )
    assert count > 100


def test_nobody_is_told_after_he_stopped_listening() -> None:
    served = host()
    client = Client(served)
    told: list[DepthUpdate] = []
    served.books[NAME].listen(10, told.append)
    served.books[NAME].unlisten(10, told.append)
    served.submit(client.line_id, order(served, BUY, 1001, 7))
    assert told == []
    assert not served.books[NAME].is_listened_to
