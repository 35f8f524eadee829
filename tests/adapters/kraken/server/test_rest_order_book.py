"""The book order by order over REST (rest-api/get-level-3-order-book)."""

from __future__ import annotations

import pytest

from tests.adapters.kraken.server.rest_rig import Rest
from tests.framework.venue.served.served_rig import SECOND, START


def test_orders_are_listed_by_price_and_queue_with_ids_and_times_in_nanoseconds() -> None:
    rest = Rest()
    rest.host.run_until(START + SECOND)
    order_id = rest.add("buy", "100", "0.5", account=1)
    assert rest.result("Level3", pair="BTC/USD") == {
        "pair": "BTC/USD",
        "bids": [
            {"price": "100.00000", "qty": "0.01000000", "order_id": "OM0001-00000-000001", "timestamp": START},
            {"price": "100.00000", "qty": "0.50000000", "order_id": order_id, "timestamp": START + SECOND},
        ],
        "asks": [{"price": "100.20000", "qty": "0.01000000", "order_id": "OM0001-00000-000002", "timestamp": START}],
    }


@pytest.mark.parametrize(("depth", "levels"), [("10", 10), ("25", 25), (None, 61), ("100", 61), ("0", 61)])
def test_the_depth_counts_levels_of_each_side(depth: str | None, levels: int) -> None:
    rest = Rest()
    for number in range(60):
        rest.add("buy", f"{30 + number}", "0.02", account=number % 2)
    rest.add("buy", "100", "0.02")
    params = {} if depth is None else {"depth": depth}
    bids = rest.result("Level3", pair="XBTUSD", **params)["bids"]
    assert len({row["price"] for row in bids}) == levels
    assert len(bids) == levels + 1


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({}, "EGeneral:Invalid arguments:pair"),
        ({"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ({"pair": "BTC/USD", "depth": "11"}, "EGeneral:Invalid arguments:depth"),
        ({"pair": "BTC/USD", "depth": "-1"}, "EGeneral:Invalid arguments:depth"),
    ],
)
def test_what_may_not_be_asked(params: dict[str, str], error: str) -> None:
    assert Rest().error("Level3", **params) == error


def test_levels_are_published_with_the_number_of_their_orders() -> None:
    """rest-api/get-pre-trade, ``count``."""
    rest = Rest()
    rest.add("buy", "100", "0.5")
    rest.add("buy", "100", "0.25", account=1)
    bids = rest.public("PreTrade", symbol="BTC/USD")["result"]["bids"]
    assert [(row["price"], row["qty"], row["count"]) for row in bids] == [("100.0", "0.76000000", 3)]
