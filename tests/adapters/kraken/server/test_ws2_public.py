"""Public channels of WebSocket v2 (websocket-v2: status, heartbeat, ping, book, trade, ticker, ohlc, instrument)."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kraken.profile import PROFILE
from framework.data.synthetic import synthetic_market
from framework.protocol import LatencySpec, VenueMode
from framework.venue.account import AccountConfig
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec, VenueHost
from tests.adapters.kraken.server.ws2_rig import Socket, Ws2
from tests.framework.venue.served.served_rig import SECOND, START, TRADING


def test_a_client_is_told_the_status_when_it_connects() -> None:
    (frame,) = Socket(Ws2()).taken()
    assert (frame["channel"], frame["type"], frame["data"][0]["system"]) == ("status", "update", "online")


def test_ping_is_answered_with_pong_and_times() -> None:
    (frame,) = Ws2().socket().send("ping")
    now = "2027-01-15T08:00:00.000000Z"
    assert frame == {"method": "pong", "req_id": 7, "time_in": now, "time_out": now}


def test_a_method_that_is_no_text_is_refused_and_not_repeated() -> None:
    (frame,) = Ws2().socket().tell(b'{"method":{"token":"mine"}}')
    assert (frame["success"], frame["error"]) == (False, "Unsupported event")
    assert "mine" not in str(frame)


def test_a_heartbeat_comes_each_quiet_second_once_there_is_a_subscription() -> None:
    ws2 = Ws2()
    socket, idle = ws2.socket(), ws2.socket()
    socket.send("subscribe", channel="trade", symbol=["BTC/USD"])
    ws2.host.run_until(START + 3 * SECOND + 1)
    assert socket.taken() == [{"channel": "heartbeat"}] * 3
    assert idle.taken() == []


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"channel": "book"}, {"depth": 10, "snapshot": True}),
        ({"channel": "book", "depth": 25, "snapshot": False}, {"depth": 25, "snapshot": False}),
        ({"channel": "trade"}, {"snapshot": False}),
        ({"channel": "ticker"}, {"event_trigger": "trades", "snapshot": True}),
        ({"channel": "ohlc", "interval": 5}, {"interval": 5, "snapshot": True}),
    ],
)
def test_a_subscription_is_acknowledged_with_its_options(params: dict[str, Any], option: dict[str, Any]) -> None:
    answer, *rest = Ws2().socket().send("subscribe", symbol=["BTC/USD"], **params)
    assert (answer["success"], answer["req_id"], answer["method"]) == (True, 7, "subscribe")
    result = {name: value for name, value in answer["result"].items() if name != "warnings"}
    assert result == {"channel": params["channel"], "symbol": "BTC/USD", **option}
    assert [frame["type"] for frame in rest] == (["snapshot"] if option["snapshot"] else [])


def test_each_symbol_is_answered_by_itself() -> None:
    frames = Ws2().socket().send("subscribe", channel="trade", symbol=["BTC/USD", "XBT/USD"])
    assert [frame["success"] for frame in frames] == [True, False]
    assert (frames[1]["error"], frames[1]["symbol"]) == ("Currency pair not supported XBT/USD", "XBT/USD")


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"channel": "nothing", "symbol": ["BTC/USD"]}, "Subscription name invalid"),
        ({"channel": "book"}, "Symbol(s) not found"),
        ({"channel": "book", "symbol": ["BTC/USD"], "depth": 11}, "Subscription depth not supported"),
        ({"channel": "ohlc", "symbol": ["BTC/USD"], "interval": 2}, "Subscription ohlc interval not supported"),
        ({"channel": "book", "symbol": ["BTC/USD"], "colour": 1}, "Unsupported field: 'colour'"),
        ({"channel": "executions"}, "Token(s) not found"),
        ({"channel": "executions", "token": "old"}, "ESession:Invalid session"),
    ],
)
def test_a_subscription_that_makes_no_sense_gets_its_error(params: dict[str, Any], error: str) -> None:
    (frame,) = Ws2().socket().send("subscribe", **params)
    assert (frame["success"], frame["error"]) == (False, error)


def test_a_subscription_is_there_once_and_ends_with_unsubscribe() -> None:
    ws2 = Ws2(TRADING)
    socket = ws2.socket()
    socket.send("subscribe", channel="trade", symbol=["BTC/USD"])
    assert socket.send("subscribe", channel="trade", symbol=["BTC/USD"])[0]["error"] == "Already subscribed"
    (answer,) = socket.send("unsubscribe", channel="trade", symbol=["BTC/USD"])
    assert answer["result"] == {"channel": "trade", "symbol": "BTC/USD"}
    assert socket.send("unsubscribe", channel="trade", symbol=["BTC/USD"])[0]["error"] == "Subscription Not Found"
    ws2.host.run_until(START + 2 * SECOND)
    assert socket.taken() == []


def test_trades_come_as_they_happen_and_the_last_fifty_where_asked_for() -> None:
    ws2 = Ws2(TRADING)
    socket = ws2.socket()
    _, snapshot = socket.send("subscribe", channel="trade", symbol=["BTC/USD"], snapshot=True)
    assert [row["trade_id"] for row in snapshot["data"]] == [1, 2]
    ws2.host.run_until(START + SECOND)
    (frame,) = socket.taken()
    assert frame["data"] == [
        {"symbol": "BTC/USD", "side": "sell", "price": Decimal("100.0"), "qty": Decimal("0.01000000"),
         "ord_type": "limit", "trade_id": 3, "timestamp": "2027-01-15T08:00:01.000000Z"},
    ]  # fmt: skip
    assert b'"price":100.0,"qty":0.01000000' in socket.raw[-1]


def test_a_ticker_by_best_price_moves_with_the_book_and_one_by_trades_does_not() -> None:
    ws2 = Ws2()
    by_trades, by_book = ws2.socket(), ws2.socket()
    by_trades.send("subscribe", channel="ticker", symbol=["BTC/USD"])
    by_book.send("subscribe", channel="ticker", symbol=["BTC/USD"], event_trigger="bbo")
    ws2.socket().add(price="100.1", qty="0.5")
    assert by_trades.taken() == []
    (frame,) = by_book.taken()
    assert (frame["data"][0]["bid"], frame["data"][0]["bid_qty"]) == (Decimal("100.1"), Decimal("0.50000000"))


def test_candles_are_told_at_each_trade() -> None:
    ws2 = Ws2(TRADING)
    socket = ws2.socket()
    _, snapshot = socket.send("subscribe", channel="ohlc", symbol=["BTC/USD"], interval=1)
    assert [row["trades"] for row in snapshot["data"]] == [2]
    ws2.host.run_until(START + 2 * SECOND)
    frames = socket.taken()
    assert [frame["data"][0]["trades"] for frame in frames] == [1, 2]
    assert frames[1]["data"][0]["interval_begin"] == "2027-01-15T08:00:00.000000000Z"
    assert (frames[1]["data"][0]["low"], frames[1]["data"][0]["high"]) == (Decimal("99.9"), Decimal("100.0"))


def test_a_pair_that_changes_its_state_is_told_to_those_who_want_instruments() -> None:
    """Page: websocket-v2/instrument."""
    ws2 = Ws2()
    socket, other = ws2.socket(), ws2.socket()
    socket.send("subscribe", channel="instrument")
    other.send("subscribe", channel="trade", symbol=["BTC/USD"])
    ws2.host.set_mode(VenueMode.CANCEL_ONLY, "BTC/USD")
    ws2.host.run_until(START + SECOND // 2)
    (frame,) = [each for each in socket.taken() if each["channel"] == "instrument"]
    assert (frame["type"], frame["data"]["assets"]) == ("update", [])
    assert [(pair["symbol"], pair["status"]) for pair in frame["data"]["pairs"]] == [("BTC/USD", "cancel_only")]
    assert not [each for each in other.taken() if each["channel"] == "instrument"]


def test_instruments_are_told_with_their_grid() -> None:
    _, snapshot = Ws2().socket().send("subscribe", channel="instrument")
    (pair,) = snapshot["data"]["pairs"]
    assert (pair["symbol"], pair["price_increment"], pair["status"]) == ("BTC/USD", Decimal("0.1"), "online")
    assert {asset["id"] for asset in snapshot["data"]["assets"]} == {"BTC", "USD"}


def test_a_change_of_mode_is_told_once_to_every_client_whether_it_trades_or_not() -> None:
    ws2 = Ws2()
    trader, reader = ws2.socket(), ws2.socket()
    trader.add()
    trader.taken()
    ws2.host.set_mode(VenueMode.CANCEL_ONLY, None)
    for socket in (trader, reader):
        assert [frame["data"][0]["system"] for frame in socket.taken() if frame.get("channel") == "status"] == [
            "cancel_only"
        ]


# ----------------------------------------------------------------------------------------------------------- the book


class BookClient:
    """Keeps a book as Kraken's guide says, from the digits on the wire, and checks each checksum."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sides: dict[str, dict[Decimal, tuple[Decimal, str, str]]] = {"bids": {}, "asks": {}}
        self.checked = 0

    def apply(self, frame: Any) -> None:
        (data,) = frame["data"]
        for name, side in self.sides.items():
            if frame["type"] == "snapshot":
                side.clear()
            for level in data[name]:
                if level["qty"]:
                    side[level["price"]] = (level["qty"], str(level["price"]), f"{level['qty']:f}")
                else:
                    side.pop(level["price"], None)
            kept = sorted(side, reverse=name == "bids")[: self.depth]
            self.sides[name] = {price: side[price] for price in kept}
        text = ""
        for name in ("asks", "bids"):
            for _, price, qty in list(self.sides[name].values())[:10]:
                text += price.replace(".", "").lstrip("0") + qty.replace(".", "").lstrip("0")
        assert crc32(text.encode()) == data["checksum"]
        self.checked += 1


@pytest.mark.parametrize("depth", [10, 25, 1000])
def test_a_client_that_keeps_the_book_finds_every_checksum_right(depth: int) -> None:
    money = {"USD": Decimal(10**9), "BTC": Decimal(10**6)}
    accounts = [AccountConfig(name="a0", balances=money, tier="pro")]
    ws2 = Ws2(served=VenueHost(PROFILE, [synthetic_market(depth, 20)], accounts, START))
    reader, trader = ws2.socket(), ws2.socket()
    client = BookClient(depth)
    frames = reader.send("subscribe", channel="book", symbol=["BTC/USD"], depth=depth)[1:]
    chance = random.Random(depth)
    token = ws2.token()
    for _ in range(120):
        ws2.host.run_until(ws2.host.now_ns + chance.randrange(200_000_000))
        side = chance.randrange(2)
        best = ws2.host.books["BTC/USD"].best(side)
        assert best is not None
        away = chance.randrange(-8, 40)
        price = Decimal(best[0] - away if side == 0 else best[0] + away) / 10
        trader.send(
            "add_order", token=token, symbol="BTC/USD", side=["buy", "sell"][side], order_type="limit",
            order_qty=Decimal(chance.randrange(1, 500)) / 1000, limit_price=price,
        )  # fmt: skip
        if chance.random() < 0.2:
            trader.send("cancel_all", token=token)
    for frame in frames + reader.taken():
        if frame["channel"] == "book":
            client.apply(frame)
    assert client.checked > 300


def test_who_joins_a_book_whose_updates_are_on_their_way_begins_behind_them() -> None:
    latency = compile_latency(LatencySpec(kind="constant", median_us=250_000.0))
    money = {"USD": Decimal(10**9), "BTC": Decimal(10**6)}
    accounts = [AccountConfig(name="a0", balances=money, tier="pro")]
    road = RoadSpec(feed=latency)
    ws2 = Ws2(served=VenueHost(PROFILE, [synthetic_market(3, 20)], accounts, START, roads={"ws2": road}))
    ws2.socket().send("subscribe", channel="book", symbol=["BTC/USD"])
    ws2.host.run_until(START + 5 * SECOND)
    late, client = ws2.socket(), BookClient(10)
    late.send("subscribe", channel="book", symbol=["BTC/USD"])
    ws2.host.run_until(START + 8 * SECOND)
    frames = [frame for frame in late.taken() if frame.get("channel") == "book"]
    assert [frame["type"] for frame in frames].index("snapshot") == 0
    for frame in frames:
        client.apply(frame)
    assert client.checked > 20


def test_subscribers_of_one_channel_are_handed_the_same_bytes() -> None:
    ws2 = Ws2()
    readers = [ws2.socket() for _ in range(3)]
    for reader in readers:
        reader.send("subscribe", channel="book", symbol=["BTC/USD"])
    ws2.socket().add(price="100.1")
    assert len({id(reader.raw[-1]) for reader in readers}) == 1


def test_a_channel_ends_with_its_last_subscriber() -> None:
    ws2 = Ws2()
    first, second = ws2.socket(), ws2.socket()
    for socket in (first, second):
        socket.send("subscribe", channel="book", symbol=["BTC/USD"])
    first.connection.closed()
    assert ws2.host.books["BTC/USD"].is_listened_to
    second.connection.closed()
    assert not ws2.host.books["BTC/USD"].is_listened_to
    assert ws2.host.lines() == []


# ------------------------------------------------------------------------------------------------------- hostile input


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"method":5}',
        b'{"params":[]}',
        b'{"method":"ping","params":{"x":1e999999999999999999999}}',
    ],
)
def test_what_is_no_request_is_answered_as_such(data: bytes) -> None:
    (frame,) = Ws2().socket().tell(data)
    assert frame["success"] is False


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False),
              st.text(max_size=10), st.sampled_from(["BTC/USD", "buy", "limit", "gtc", "2027-01-15T08:00:03Z"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip
NAMES = ["channel", "symbol", "depth", "interval", "snapshot", "order_type", "side", "order_qty", "limit_price",
         "triggers", "time_in_force", "expire_time", "deadline", "cl_ord_id", "order_userref", "orders", "timeout",
         "order_id", "cash_order_qty", "display_qty", "stp_type", "conditional", "validate", "post_only"]  # fmt: skip
METHODS = ["subscribe", "unsubscribe", "add_order", "amend_order", "edit_order", "cancel_order", "cancel_all",
           "cancel_all_orders_after", "batch_add", "batch_cancel", "ping", "nothing"]  # fmt: skip


@given(st.sampled_from(METHODS), st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8), st.booleans())
@settings(max_examples=150, deadline=None)
def test_whatever_a_request_holds_it_is_answered(method: str, params: dict[str, Any], has_token: bool) -> None:
    import msgspec

    ws2 = Ws2()
    socket = ws2.socket()
    if has_token:
        params = {**params, "token": ws2.token()}
    frames = socket.tell(msgspec.json.encode({"method": method, "params": params}))
    assert any("method" in frame for frame in frames)
    ws2.host.venue.check_invariants()
