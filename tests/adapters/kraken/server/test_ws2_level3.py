"""The channel of orders on WebSocket v2 (websocket-v2/level3; checksums: guides/spot-ws-l3-v2)."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any
from zlib import crc32

import msgspec
import pytest

from adapters.kraken.profile import PROFILE
from adapters.kraken.wire.codec import encode
from adapters.kraken.wire.ws2.market import Level3Frame
from adapters.kraken.wire.ws2.messages import decode_answer
from framework.data.columns import DELETE
from framework.data.synthetic import synthetic_market
from framework.protocol import LatencySpec
from framework.venue.account import AccountConfig
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec, VenueHost
from tests.adapters.kraken.server.ws2_rig import Socket, Ws2
from tests.framework.venue.served.served_rig import SECOND, SPEC, START, hand_market

NOW = "2027-01-15T08:00:00.000000000Z"
_TEXT: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=str)


def subscribe(socket: Socket, account: int = 0, **params: Any) -> list[Any]:
    """Subscribe to the orders of BTC/USD, or as asked for; gives what comes."""
    params = {"channel": "level3", "symbol": ["BTC/USD"], "token": socket.ws2.token(account), **params}
    return socket.send("subscribe", **params)


# ------------------------------------------------------------------------------------------------------------ messages


def test_a_subscription_is_acknowledged_and_begins_with_the_orders_of_the_book() -> None:
    answer, snapshot = subscribe(Ws2().socket())
    assert answer["result"] == {"channel": "level3", "symbol": "BTC/USD", "depth": 10, "snapshot": True}
    assert snapshot == {
        "channel": "level3",
        "type": "snapshot",
        "data": [
            {
                "symbol": "BTC/USD",
                "checksum": crc32(b"100210000001000" + b"1000000"),
                "bids": [{"order_id": "OM0001-00000-000001", "limit_price": Decimal("100.0"),
                          "order_qty": Decimal("0.01000000"), "timestamp": NOW}],
                "asks": [{"order_id": "OM0001-00000-000002", "limit_price": Decimal("100.2"),
                          "order_qty": Decimal("0.01000000"), "timestamp": NOW}],
                "timestamp": NOW,
            }
        ],
    }  # fmt: skip


def test_a_deletion_has_its_own_time_but_the_one_of_the_queue_where_the_order_is_added_again() -> None:
    """Observed in recordings of the channel."""
    ws2 = Ws2()
    watcher, trader = ws2.socket(), ws2.socket()
    subscribe(watcher)
    order_id = trader.add("buy", "99.9", "0.5")
    watcher.taken()
    ws2.host.run_until(START + SECOND // 2)
    trader.result("amend_order", order_id=order_id, limit_price=Decimal("99.8"))
    trader.result("cancel_order", order_id=[order_id])
    amended, canceled = (frame["data"][0]["bids"] for frame in watcher.taken() if frame["channel"] == "level3")
    later = "2027-01-15T08:00:00.500000000Z"
    assert [(event["event"], event["timestamp"]) for event in amended] == [("delete", NOW), ("add", later)]
    assert [(event["event"], event["order_qty"], event["timestamp"]) for event in canceled] == [
        ("delete", Decimal("0.5"), later)
    ]


def test_no_snapshot_comes_where_none_is_wanted() -> None:
    assert len(subscribe(Ws2().socket(), snapshot=False)) == 1


def test_a_clients_order_is_added_modified_and_deleted_under_the_id_that_it_was_given() -> None:
    ws2 = Ws2()
    watcher, trader = ws2.socket(), ws2.socket()
    subscribe(watcher)
    order_id = trader.add("buy", "99.9", "0.5")
    trader.result("amend_order", order_id=order_id, order_qty=Decimal("0.2"))
    trader.result("cancel_order", order_id=[order_id])
    events = [frame["data"][0] for frame in watcher.taken() if frame["channel"] == "level3"]
    row = {"order_id": order_id, "limit_price": Decimal("99.9"), "timestamp": NOW}
    assert [frame["bids"] for frame in events] == [
        [{"event": "add", "order_qty": Decimal("0.5"), **row}],
        [{"event": "modify", "order_qty": Decimal("0.2"), **row}],
        [{"event": "delete", "order_qty": Decimal("0.2"), **row}],
    ]
    assert [frame["asks"] for frame in events] == [[], [], []]


def test_prices_and_quantities_have_every_digit() -> None:
    ws2 = Ws2()
    watcher = ws2.socket()
    subscribe(watcher)
    ws2.socket().add("buy", "99.0", "0.5")
    assert b'"limit_price":99.0,"order_qty":0.50000000,' in watcher.raw[-1]


def test_a_level_that_is_pushed_out_of_the_window_is_not_told_of_and_comes_back_order_by_order() -> None:
    ws2 = Ws2()
    watcher, trader = ws2.socket(), ws2.socket()
    ids = [trader.add("buy", f"9{number}.0", "0.01") for number in range(9)]
    second = trader.add("buy", "90.0", "0.02")
    subscribe(watcher)
    better = trader.add("buy", "100.1", "0.01")
    (frame,) = watcher.taken()
    assert [(event["event"], event["order_id"]) for event in frame["data"][0]["bids"]] == [("add", better)]
    trader.result("cancel_order", order_id=[better])
    (frame,) = watcher.taken()
    assert [(event["event"], event["order_id"]) for event in frame["data"][0]["bids"]] == [
        ("delete", better),
        ("add", ids[0]),
        ("add", second),
    ]


def test_what_is_sent_is_what_the_traders_end_reads() -> None:
    ws2 = Ws2()
    watcher = ws2.socket()
    subscribe(watcher)
    ws2.socket().add("buy", "99.0", "0.5")
    snapshot, update = (decode_answer(raw) for raw in watcher.raw[-2:])
    assert isinstance(snapshot, Level3Frame)
    assert isinstance(update, Level3Frame)
    assert [json.loads(encode(frame)) for frame in (snapshot, update)] == [json.loads(raw) for raw in watcher.raw[-2:]]


def test_nothing_comes_after_the_end_of_a_subscription() -> None:
    ws2 = Ws2()
    watcher, trader = ws2.socket(), ws2.socket()
    subscribe(watcher, depth=100)
    (answer,) = watcher.send("unsubscribe", channel="level3", symbol=["BTC/USD"], depth=100, token=ws2.token())
    assert answer["result"] == {"channel": "level3", "symbol": "BTC/USD", "depth": 100}
    trader.add("buy", "99.9", "0.5")
    assert watcher.taken() == []
    assert not ws2.host.books["BTC/USD"].is_listened_to


def test_a_client_that_leaves_costs_nothing_any_more() -> None:
    ws2 = Ws2()
    watcher = ws2.socket()
    subscribe(watcher)
    watcher.connection.closed()
    assert not ws2.host.books["BTC/USD"].is_listened_to


def test_a_heartbeat_comes_while_there_is_only_this_subscription() -> None:
    ws2 = Ws2()
    watcher = ws2.socket()
    subscribe(watcher)
    ws2.host.run_until(START + SECOND)
    assert watcher.taken() == [{"channel": "heartbeat"}]


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"token": None}, "Token(s) not found"),
        ({"token": "old"}, "ESession:Invalid session"),
        ({"depth": 25}, "Subscription depth not supported"),
        ({"symbol": []}, "Symbol(s) not found"),
        ({"symbol": ["XBT/USD"]}, "Currency pair not supported XBT/USD"),
        ({"colour": 1}, "Unsupported field: 'colour'"),
    ],
)
def test_a_subscription_that_makes_no_sense_gets_its_error(params: dict[str, Any], error: str) -> None:
    (answer,) = subscribe(Ws2().socket(), **params)
    assert (answer["success"], answer["error"]) == (False, error)


def test_a_symbol_is_subscribed_at_one_depth_only() -> None:
    socket = Ws2().socket()
    subscribe(socket)
    for depth in (10, 100):
        (answer,) = subscribe(socket, depth=depth)
        assert (answer["success"], answer["error"], answer["symbol"]) == (False, "Already subscribed", "BTC/USD")


def test_the_end_of_a_subscription_names_its_depth() -> None:
    socket = Ws2().socket()
    subscribe(socket, depth=100)
    (answer,) = socket.send("unsubscribe", channel="level3", symbol=["BTC/USD"], token=socket.ws2.token())
    assert (answer["success"], answer["error"]) == (False, "Subscription Not Found")


def many_pairs(count: int, tier: str) -> Ws2:
    """A venue with so many pairs, named after numbers."""
    money = {"USD": Decimal(1000)}
    specs = [msgspec.structs.replace(SPEC, symbol=f"C{number}/USD") for number in range(count)]
    markets = [hand_market([(3600, DELETE, 0, 1000, 100, 1)], spec) for spec in specs]
    served = VenueHost(PROFILE, markets, [AccountConfig(name="a0", balances=money, tier=tier)], START)
    return Ws2(served=served)


def granted(frames: list[Any]) -> int:
    """How many subscriptions were granted; the others were refused for the counter."""
    answers = [frame for frame in frames if frame.get("method") == "subscribe"]
    assert {answer["error"] for answer in answers if not answer["success"]} <= {"EAPI:Rate limit exceeded"}
    return sum(answer["success"] for answer in answers)


@pytest.mark.parametrize(
    ("tier", "depth", "most"),
    [("pro", 10, 100), ("pro", 100, 20), ("pro", 1000, 5), ("intermediate", 10, 40), ("starter", 1000, 2)],
)
def test_a_second_has_room_for_so_many_subscriptions_by_tier_and_depth(tier: str, depth: int, most: int) -> None:
    ws2 = many_pairs(120, tier)
    socket = ws2.socket()
    symbols = [f"C{number}/USD" for number in range(120)]
    assert granted(subscribe(socket, symbol=symbols, depth=depth, snapshot=False)) == most
    assert granted(subscribe(ws2.socket(), symbol=["C110/USD"], depth=depth)) == 0
    ws2.host.run_until(START + SECOND)
    assert granted(subscribe(ws2.socket(), symbol=["C110/USD"], depth=depth)) == 1


def test_a_connection_has_two_hundred_symbols_at_most() -> None:
    ws2 = many_pairs(201, "pro")
    socket = ws2.socket()
    symbols = [f"C{number}/USD" for number in range(201)]
    assert granted(subscribe(socket, symbol=symbols[:100], snapshot=False)) == 100
    ws2.host.run_until(START + SECOND)
    assert granted(subscribe(socket, symbol=symbols[100:200], snapshot=False)) == 100
    ws2.host.run_until(START + 2 * SECOND)
    socket.taken()
    (answer,) = subscribe(socket, symbol=symbols[200:])
    assert (answer["success"], answer["error"]) == (False, "EGeneral:Too many requests")
    assert granted(subscribe(ws2.socket(), symbol=symbols[200:])) == 1


# ------------------------------------------------------------------------------------------------------------- checksum


def checksum(asks: list[tuple[str, str]], bids: list[tuple[str, str]]) -> int:
    """The documented sum over (price, quantity) as printed, all orders of the ten best prices of each side."""

    def digits(text: str) -> str:
        return text.replace(".", "").lstrip("0")

    text = ""
    for side in (asks, bids):
        prices = list(dict.fromkeys(price for price, _ in side))[:10]
        text += "".join(digits(price) + digits(qty) for price, qty in side if price in prices)
    return crc32(text.encode())


ASKS = """44939.5 4.52308393 0.00111261 0.00100000 0.01000000; 44950.0 0.10334926; 44953.0 0.00064537;
44955.0 0.00250000; 44959.6 0.35630000 0.35630000; 44960.1 0.00338072; 44960.2 0.88967575; 44967.0 3.14392283;
44978.5 0.06778960; 44979.2 0.35630000"""
BIDS = """44939.4 0.88968699 0.45210000 0.10000000 0.14296323 0.25000000 0.10292988 0.33880000 1.28140860;
44937.1 0.03346877; 44934.7 0.35630000; 44930.2 0.22734299 0.01000000 0.05550000 0.70000000 0.15000000;
44928.0 0.00105240; 44919.6 0.33870000; 44919.5 0.07610000; 44912.0 0.35630000; 44909.7 0.06690000;
44901.9 0.00088982"""


def test_the_sum_that_the_tests_compare_with_is_the_published_one() -> None:
    """guides/spot-ws-l3-v2, "Checksum Steps with Example"."""

    def orders(text: str) -> list[tuple[str, str]]:
        levels = [level.split() for level in text.split(";")]
        return [(price, qty) for price, *quantities in levels for qty in quantities]

    assert checksum(orders(ASKS), orders(BIDS)) == 1063832831


class Copy:
    """A book that a client keeps as the guide says: apply all events, cut to the depth, compare the sum."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sides: dict[str, dict[str, list[Any]]] = {"bids": {}, "asks": {}}
        self.compared = 0

    def take(self, raw: bytes) -> None:
        frame = _TEXT.decode(raw)
        if frame.get("channel") != "level3":
            return
        (data,) = frame["data"]
        if frame["type"] == "snapshot":
            self.sides = {"bids": {}, "asks": {}}
        for name, levels in self.sides.items():
            for event in data[name]:
                queue = levels.setdefault(event["limit_price"], [])
                known = [each for each in queue if each["order_id"] == event["order_id"]]
                kind = event.get("event", "add")
                assert len(known) == (kind != "add")
                if kind == "add":
                    queue.append(event)
                elif kind == "modify":
                    known[0]["order_qty"] = event["order_qty"]
                else:
                    queue.remove(known[0])
            prices = sorted((price for price in levels if levels[price]), key=Decimal, reverse=name == "bids")
            self.sides[name] = {price: levels[price] for price in prices[: self.depth]}
        assert data["checksum"] == checksum(self.orders("asks"), self.orders("bids"))
        self.compared += 1

    def orders(self, name: str) -> list[tuple[str, str]]:
        return [(price, each["order_qty"]) for price, queue in self.sides[name].items() for each in queue]


@pytest.mark.parametrize("depth", [10, 100, 1000])
@pytest.mark.parametrize("latency_ms", [0, 30])
def test_a_client_keeps_the_book_and_finds_every_checksum_right(depth: int, latency_ms: int) -> None:
    money = {"USD": Decimal(10**9), "BTC": Decimal(10**6)}
    roads = {}
    if latency_ms:
        latency = compile_latency(LatencySpec(kind="constant", median_us=latency_ms * 1000.0))
        roads["ws2"] = RoadSpec(feed=latency)
    accounts = [AccountConfig(name=name, balances=money, tier="pro") for name in ("a0", "a1")]
    served = VenueHost(PROFILE, [synthetic_market(11, 20)], accounts, START, roads=roads)
    ws2 = Ws2(served=served)
    watcher, trader = ws2.socket(), ws2.socket()
    subscribe(watcher, depth=depth)
    copy = Copy(depth)
    chance = random.Random(depth)
    ids: list[str] = []
    taken = 0
    for number in range(60):
        served.run_until(served.now_ns + chance.randrange(100_000_000))
        best = served.books["BTC/USD"].best(number % 2)
        assert best is not None
        away = chance.randrange(-3, 15)
        price = best[0] - away if number % 2 == 0 else best[0] + away
        side = "buy" if number % 2 == 0 else "sell"
        if ids and chance.random() < 0.3:
            trader.send("cancel_order", order_id=[chance.choice(ids)], token=ws2.token())
        else:
            ids.append(trader.add(side, f"{price / 10:.1f}", f"{chance.randrange(1, 900) / 1000}"))
        for raw in watcher.raw[taken:]:
            copy.take(raw)
        taken = len(watcher.raw)
    assert copy.compared > 100
    if not latency_ms:
        book = served.books["BTC/USD"]
        assert [qty for _, qty in copy.orders("bids")] == [
            f"{each.qty_lots / 10**8:.8f}" for each in book.orders.orders(0, depth)
        ]
