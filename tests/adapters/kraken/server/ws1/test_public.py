"""Public channels of WebSocket v1 (websocket-v1: systemstatus, ping, heartbeat, subscriptionstatus, unsubscribe,
ticker, ohlc, trade, spread)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.protocol import VenueMode
from tests.adapters.kraken.server.ws1.rig import Socket, Ws1, events
from tests.framework.venue.served.served_rig import SECOND, START, TRADING

NOW = f"{START // SECOND}.000000"


def test_a_client_is_told_the_status_when_it_connects() -> None:
    (frame,) = Socket(Ws1()).taken()
    assert (frame["event"], frame["status"], frame["version"]) == ("systemStatus", "online", "1.9.1")
    assert frame["connectionID"] > 2**53


def test_every_client_is_told_when_the_status_changes() -> None:
    ws1 = Ws1()
    sockets = [ws1.socket(), ws1.socket()]
    ws1.host.set_mode(VenueMode.POST_ONLY, "BTC/USD")
    assert [socket.taken() for socket in sockets] == [[], []]
    ws1.host.set_mode(VenueMode.CANCEL_ONLY, None)
    for socket in sockets:
        assert [frame["status"] for frame in socket.taken()] == ["cancel_only"]


def test_ping_is_answered_with_pong() -> None:
    socket = Ws1().socket()
    assert socket.send("ping") == [{"event": "pong", "reqid": 7}]
    assert socket.tell(b'{"event":"ping"}') == [{"event": "pong"}]


def test_a_heartbeat_comes_each_quiet_second_once_there_is_a_subscription() -> None:
    ws1 = Ws1()
    socket, idle = ws1.socket(), ws1.socket()
    socket.subscribe("trade")
    ws1.host.run_until(START + 3 * SECOND + 1)
    assert socket.taken() == [{"event": "heartbeat"}] * 3
    assert idle.taken() == []


@pytest.mark.parametrize("reqid", ["mine", 2**62, -1])
def test_the_number_of_a_request_comes_back_as_it_was_given(reqid: Any) -> None:
    assert Ws1().socket().send("ping", reqid=reqid) == [{"event": "pong", "reqid": reqid}]


@pytest.mark.parametrize("reqid", [2**70, True, 1.5, [1], None])
def test_what_is_no_number_of_a_request_does_not_come_back(reqid: Any) -> None:
    assert Ws1().socket().send("ping", reqid=reqid) == [{"event": "pong"}]


# -------------------------------------------------------------------------------------------------------- subscriptions


@pytest.mark.parametrize(
    ("subscription", "channel_name", "shown"),
    [
        ({"name": "book"}, "book-10", {"name": "book", "depth": 10}),
        ({"name": "book", "depth": 25}, "book-25", {"name": "book", "depth": 25}),
        ({"name": "ohlc"}, "ohlc-1", {"name": "ohlc", "interval": 1}),
        ({"name": "ohlc", "interval": 21600}, "ohlc-21600", {"name": "ohlc", "interval": 21600}),
        ({"name": "trade"}, "trade", {"name": "trade"}),
        ({"name": "spread"}, "spread", {"name": "spread"}),
        ({"name": "ticker"}, "ticker", {"name": "ticker"}),
    ],
)
def test_a_subscription_is_acknowledged_with_its_channel(
    subscription: dict[str, Any], channel_name: str, shown: dict[str, Any]
) -> None:
    socket = Ws1(TRADING).socket()
    answer, *frames = socket.subscribe(**subscription)
    assert isinstance(answer.pop("channelID"), int)
    assert answer == {
        "channelName": channel_name, "event": "subscriptionStatus", "pair": "XBT/USD", "reqid": 7,
        "status": "subscribed", "subscription": shown,
    }  # fmt: skip
    assert [frame[-2:] for frame in frames] == [[channel_name, "XBT/USD"]] * (
        subscription["name"] not in ("trade", "spread")
    )
    assert list(answer) == sorted(answer)


def test_each_pair_is_answered_by_itself() -> None:
    frames = Ws1().socket().subscribe("trade", "XBT/USD", "BTC/USD", "ETH/USD", "XBTUSD")
    assert [frame["status"] for frame in frames] == ["subscribed", "error", "error", "error"]
    assert [frame.get("errorMessage") for frame in frames[1:]] == [
        "Currency pair not supported BTC/USD",
        "Currency pair not supported ETH/USD",
        "Currency pair not in ISO 4217-A3 format XBTUSD",
    ]
    assert [frame["pair"] for frame in frames] == ["XBT/USD", "BTC/USD", "ETH/USD", "XBTUSD"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"pair": ["XBT/USD"]}, "Subscription field must be an object"),
        ({"pair": ["XBT/USD"], "subscription": "book"}, "Subscription field must be an object"),
        ({"pair": ["XBT/USD"], "subscription": {}}, "Subscription name invalid"),
        ({"pair": ["XBT/USD"], "subscription": {"name": "*"}}, "Subscription name invalid"),
        ({"pair": ["XBT/USD"], "subscription": {"name": ["book"]}}, "Subscription name invalid"),
        ({"pair": "XBT/USD", "subscription": {"name": "book"}}, "Pair field must be an array"),
        ({"subscription": {"name": "book"}}, "Pair(s) not found"),
        ({"pair": [], "subscription": {"name": "book"}}, "Pair(s) not found"),
        ({"pair": [5], "subscription": {"name": "book"}}, "Pair(s) not found"),
        ({"pair": ["XBT/USD"], "subscription": {"name": "book", "depth": 42}}, "Subscription depth not supported"),
        (
            {"pair": ["XBT/USD"], "subscription": {"name": "book", "depth": "10"}},
            "Subscription book depth must be an integer",
        ),
        (
            {"pair": ["XBT/USD"], "subscription": {"name": "ohlc", "interval": 2}},
            "Subscription ohlc interval not supported",
        ),
        (
            {"pair": ["XBT/USD"], "subscription": {"name": "ohlc", "interval": None}},
            "Subscription ohlc interval must be an integer",
        ),
        (
            {"pair": ["XBT/USD"], "subscription": {"name": "trade", "depth": 10}},
            "Subscription object unsupported field",
        ),
        ({"pair": ["XBT/USD"], "subscription": {"name": "openOrders"}},
         "Pair field unsupported for this subscription type"),
        ({"subscription": {"name": "openOrders"}}, "ESession:Invalid session"),
        ({"subscription": {"name": "ownTrades", "token": "old"}}, "ESession:Invalid session"),
        ({"subscription": {"name": "ownTrades", "colour": 1}}, "Subscription object unsupported field"),
        ({"subscription": {"name": "ownTrades", "snapshot": 5}}, "Malformed request"),
    ],
)  # fmt: skip
def test_a_subscription_that_makes_no_sense_gets_its_error(fields: dict[str, Any], text: str) -> None:
    (frame,) = Ws1().socket().send("subscribe", **fields)
    assert (frame["event"], frame["status"], frame["errorMessage"]) == ("subscriptionStatus", "error", text)


def test_a_refused_subscription_is_shown_as_the_page_shows_it() -> None:
    (frame,) = Ws1().socket().subscribe("book", depth=42, token="secret")
    assert frame == {
        "errorMessage": "Subscription depth not supported",
        "event": "subscriptionStatus", "pair": "XBT/USD", "reqid": 7, "status": "error",
        "subscription": {"depth": 42, "name": "book"},
    }  # fmt: skip


def test_a_subscription_is_there_once_and_ends_with_unsubscribe() -> None:
    ws1 = Ws1(TRADING)
    socket = ws1.socket()
    socket.subscribe("trade")
    assert socket.subscribe("trade")[0]["errorMessage"] == "Already subscribed"
    request = {"pair": ["XBT/USD"], "subscription": {"name": "trade"}}
    (answer,) = socket.send("unsubscribe", **request)
    assert (answer["status"], answer["channelName"], answer["pair"]) == ("unsubscribed", "trade", "XBT/USD")
    assert socket.send("unsubscribe", **request)[0]["errorMessage"] == "Subscription Not Found"
    ws1.host.run_until(START + 2 * SECOND)
    assert socket.taken() == []


def test_a_subscription_ends_by_its_channel_id() -> None:
    socket = Ws1().socket()
    channel_id = socket.subscribe("book")[0]["channelID"]
    kept_id = socket.subscribe("book", depth=25)[0]["channelID"]
    assert channel_id != kept_id
    (answer,) = socket.tell(b'{"event":"unsubscribe","channelID":%d}' % channel_id)
    assert (answer["status"], answer["subscription"]) == ("unsubscribed", {"depth": 10, "name": "book"})
    assert socket.send("unsubscribe", channelID=channel_id)[0]["errorMessage"] == "Subscription Not Found"


def test_all_channels_of_a_pair_end_at_once() -> None:
    socket = Ws1().socket()
    for name in ("trade", "book", "spread"):
        socket.subscribe(name)
    request = {"pair": ["XBT/USD"], "subscription": {"name": "*"}}
    frames = socket.send("unsubscribe", **request)
    assert [frame["channelName"] for frame in frames] == ["trade", "book-10", "spread"]
    assert {frame["status"] for frame in frames} == {"unsubscribed"}
    assert socket.send("unsubscribe", **request)[0]["errorMessage"] == "Subscription Not Found"


def test_channel_ids_differ_by_channel_and_pair() -> None:
    ids = Ws1().gateway.channel_ids
    assert len(set(ids.values())) == len(ids) == 17


def test_subscribers_of_one_channel_are_handed_the_same_bytes() -> None:
    ws1 = Ws1()
    readers = [ws1.socket() for _ in range(3)]
    for reader in readers:
        reader.subscribe("spread")
    ws1.socket().add(price="100.1")
    assert len({id(reader.raw[-1]) for reader in readers}) == 1


def test_a_channel_ends_with_its_last_subscriber() -> None:
    ws1 = Ws1()
    first, second = ws1.socket(), ws1.socket()
    first.subscribe("book")
    second.subscribe("book")
    first.connection.closed()
    assert ws1.host.books["BTC/USD"].is_listened_to
    second.connection.closed()
    assert not ws1.host.books["BTC/USD"].is_listened_to


# ------------------------------------------------------------------------------------------------------------- channels


def test_trades_come_as_they_happen() -> None:
    ws1 = Ws1(TRADING)
    socket = ws1.socket()
    channel_id = socket.subscribe("trade")[0]["channelID"]
    ws1.host.run_until(START + SECOND)
    assert socket.taken() == [
        [channel_id, [["100.00000", "0.01000000", f"{START // SECOND + 1}.000000", "s", "l", ""]], "trade", "XBT/USD"]
    ]
    socket.add(price=None, volume="0.001")
    (frame,) = [frame for frame in socket.taken() if isinstance(frame, list)]
    assert frame[1][0][3:5] == ["b", "m"]


def test_a_ticker_tells_quotes_and_days_and_moves_with_trades() -> None:
    ws1 = Ws1(TRADING)
    socket = ws1.socket()
    _, snapshot = socket.subscribe("ticker")
    assert snapshot[1:] == [
        {
            "a": ["100.20000", 0, "0.01000000"], "b": ["100.00000", 0, "0.01000000"],
            "c": ["99.90000", "0.00300000"], "v": ["0.01300000"] * 2, "p": ["99.97692"] * 2, "t": [2, 2],
            "l": ["99.90000"] * 2, "h": ["100.00000"] * 2, "o": ["100.00000"] * 2,
        }, "ticker", "XBT/USD",
    ]  # fmt: skip
    socket.add(price="100.1", volume="2.5")
    assert [frame for frame in socket.taken() if isinstance(frame, list)] == []
    socket.add("sell", "100.1", "1", account=1)
    (frame,) = [frame for frame in socket.taken() if isinstance(frame, list)]
    assert frame[1]["b"] == ["100.10000", 1, "1.50000000"]
    assert frame[1]["c"] == ["100.10000", "1.00000000"]


def test_spreads_come_when_a_best_price_or_its_quantity_changes() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    assert len(socket.subscribe("spread")) == 1
    socket.add(price="100.1", volume="0.5")
    socket.add(price="99.9", volume="0.5")
    (frame,) = [frame for frame in socket.taken() if isinstance(frame, list)]
    assert frame[1:] == [["100.10000", "100.20000", NOW, "0.50000000", "0.01000000"], "spread", "XBT/USD"]


def test_candles_begin_with_the_last_one_and_are_told_at_each_trade() -> None:
    ws1 = Ws1(TRADING)
    socket = ws1.socket()
    _, snapshot = socket.subscribe("ohlc", interval=5)
    assert snapshot[1:] == [
        [f"{START // SECOND - 3}.000000", f"{START // SECOND}.000000",
         "100.00000", "100.00000", "99.90000", "99.90000", "99.97692", "0.01300000", 2], "ohlc-5", "XBT/USD",
    ]  # fmt: skip
    ws1.host.run_until(START + 2 * SECOND)
    frames = socket.taken()
    assert [frame[1][-1] for frame in frames] == [1, 2]
    assert frames[1][1] == [
        f"{START // SECOND + 2}.000000", f"{START // SECOND + 300}.000000",
        "100.00000", "100.00000", "99.90000", "99.90000", "99.97692", "0.01300000", 2,
    ]  # fmt: skip


def test_a_pair_without_trades_has_a_ticker_of_zeros_and_no_candle() -> None:
    socket = Ws1().socket()
    assert socket.subscribe("ticker")[1][1]["c"] == ["0.00000", "0.00000000"]
    assert len(socket.subscribe("ohlc")) == 1


# ------------------------------------------------------------------------------------------------------- hostile frames


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"5", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a":1e999999999999999999999}']
)
def test_what_is_no_event_is_malformed(data: bytes) -> None:
    assert Ws1().socket().tell(data) == [{"event": "error", "errorMessage": "Malformed request"}]


@pytest.mark.parametrize("data", [b"{}", b'{"event":5}', b'{"event":[]}', b'{"event":"nothing","reqid":3}'])
def test_an_event_that_there_is_not_is_said_not_to_be_found(data: bytes) -> None:
    (frame,) = Ws1().socket().tell(data)
    assert (frame["event"], frame["errorMessage"]) == ("error", "Event(s) not found")


def test_a_frame_that_asks_for_much_is_not_answered_with_more() -> None:
    socket = Ws1().socket()
    socket.subscribe("n" * 100_000, *["p" * 1000] * 1000)
    assert sum(map(len, socket.raw[1:])) < 400_000


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**66), 2**66), st.floats(allow_nan=False, allow_infinity=False),
              st.text(max_size=10), st.sampled_from(["XBT/USD", "buy", "limit", "GTC", "10", "+5%", "0.1", "true"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip
SUBSCRIPTIONS = st.dictionaries(
    st.sampled_from(["name", "depth", "interval", "snapshot", "ratecounter", "consolidate_taker", "else"]),
    st.one_of(VALUES, st.sampled_from(["book", "ohlc", "trade", "ownTrades", "openOrders", "*", 10, 1])),
    max_size=4,
)
NAMES = ["pair", "channelID", "ordertype", "type", "volume", "price", "price2", "leverage", "margin", "reduce_only",
         "oflags", "starttm", "expiretm", "deadline", "cl_ord_id", "userref", "stp_type", "validate", "timeinforce",
         "close[ordertype]", "display_volume", "orderid", "newuserref", "txid", "limit_price", "trigger_price",
         "post_only", "timeout", "reqid"]  # fmt: skip
EVENTS = ["subscribe", "unsubscribe", "addOrder", "amendOrder", "editOrder", "cancelOrder", "cancelAll",
          "cancelAllOrdersAfter", "ping", "nothing"]  # fmt: skip
GOOD_ORDER = {"pair": "XBT/USD", "ordertype": "limit", "type": "buy", "price": "100", "volume": "1"}


@given(
    st.sampled_from(EVENTS),
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6),
    SUBSCRIPTIONS,
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_whatever_an_event_holds_it_is_answered(
    event: str, fields: dict[str, Any], subscription: dict[str, Any], has_token: bool, is_good: bool
) -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    token = ws1.token() if has_token else "none"
    if is_good and event in ("addOrder", "subscribe"):
        fields = {**GOOD_ORDER, **fields} if event == "addOrder" else {"pair": ["XBT/USD"], **fields}
    message = {**fields, "token": token, "subscription": {**subscription, "token": token}}
    frames = socket.send(event, **message)
    assert [frame for frame in frames if isinstance(frame, dict)]
    assert all(token.encode() not in raw for raw in socket.raw)
    ws1.host.venue.check_invariants()


@given(st.binary(max_size=200))
@settings(max_examples=80, deadline=None)
def test_whatever_bytes_come_they_are_answered(data: bytes) -> None:
    socket = Ws1().socket()
    assert events(socket.tell(data), "error")
