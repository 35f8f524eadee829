"""What the venue sends on WebSocket v1 is what the messages of the protocol say, byte for byte (websocket-v1)."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kraken.wire.ws1.messages import decode_request, encode
from framework.venue.modes import VenueMode
from tests.adapters.kraken.server.on_the_wire import as_ws1
from tests.adapters.kraken.server.ws1.rig import Socket, Ws1
from tests.adapters.kraken.wire.documented import tokens
from tests.framework.venue.served.served_rig import SECOND, START, TRADING

LIMIT = {"pair": "XBT/USD", "ordertype": "limit", "type": "buy", "volume": "0.5", "price": "99.5"}
ORDERS: list[dict[str, str]] = [
    LIMIT,
    {**LIMIT, "cl_ord_id": "mine", "oflags": "post"},
    {**LIMIT, "userref": "7", "timeinforce": "GTD", "expiretm": "+60"},
    {**LIMIT, "timeinforce": "IOC"},
    {**LIMIT, "ordertype": "market", "volume": "0.1"},
    {**LIMIT, "ordertype": "stop-loss", "type": "sell", "price": "95"},
    {**LIMIT, "ordertype": "stop-loss-limit", "type": "sell", "price": "95", "price2": "94"},
    {**LIMIT, "ordertype": "trailing-stop", "type": "sell", "price": "+2%"},
    {**LIMIT, "validate": "true"},
    {**LIMIT, "volume": "1000000"},
    {**LIMIT, "price": "x"},
    {**LIMIT, "pair": "NO/PAIR"},
]


class Reader(Socket):
    """A client that knows which kinds of message it has been sent."""

    def __init__(self, ws1: Ws1) -> None:
        self.kinds: set[str] = set()
        super().__init__(ws1)

    def _take(self, frame: bytes) -> None:
        self.kinds.add(type(as_ws1(frame)).__name__)
        super()._take(frame)


def subscribe_to_all(reader: Reader) -> None:
    for name in ("ticker", "trade", "spread"):
        reader.subscribe(name, "XBT/USD", "NO/PAIR")
    reader.subscribe("book", "XBT/USD", depth=25)
    reader.subscribe("book", "XBT/USD", depth=26)
    reader.subscribe("ohlc", "XBT/USD", interval=5)
    reader.subscribe_private("ownTrades", consolidate_taker=False)
    reader.subscribe_private("openOrders", ratecounter=True)
    reader.subscribe_private("openOrders")
    reader.send("subscribe", subscription={"name": "ownTrades", "token": "wrong"})


def trade_all(reader: Reader) -> None:
    ids = []
    for order in ORDERS:
        (answer,) = reader.answers("addOrder", **order)
        ids += [answer["txid"]] if answer.get("txid") else []
    reader.answers("amendOrder", txid=ids[0], limit_price="99.4")
    reader.answers("amendOrder", cl_ord_id="nobody", limit_price="99.4")
    reader.answers("editOrder", orderid=ids[0], pair="XBT/USD", price="99.3", volume="0.4")
    reader.answers("cancelOrder", txid=[ids[1], "7", "nothing"])
    reader.answers("cancelAllOrdersAfter", timeout=60)
    reader.answers("cancelAllOrdersAfter", timeout=0)
    reader.answers("cancelAllOrdersAfter", timeout=90_000)
    reader.ws1.host.run_until(reader.ws1.host.now_ns + 3 * SECOND)
    reader.answers("cancelAll")


def kinds_of_a_day(rows: Any) -> set[str]:
    """The kinds of message that the venue has sent in a day with these rows of market data."""
    reader = Reader(Ws1(rows))
    reader.send("ping")
    reader.send("nothing")
    reader.tell(b"{")
    trade_all(reader)
    subscribe_to_all(reader)
    trade_all(reader)
    reader.send("unsubscribe", pair=["XBT/USD", "NO/PAIR"], subscription={"name": "*"})
    reader.send("unsubscribe", subscription={"name": "ownTrades", "token": reader.ws1.token()})
    reader.ws1.host.set_mode(VenueMode.CANCEL_ONLY, None)
    reader.ws1.host.run_until(START + 30 * SECOND)
    return reader.kinds


def test_every_frame_of_a_day_of_trading_is_a_message() -> None:
    assert kinds_of_a_day(None) | kinds_of_a_day(TRADING) >= {
        "AddOrderStatus", "AmendOrderStatus", "EditOrderStatus", "CancelOrderStatus", "CancelAllStatus",
        "CancelAllOrdersAfterStatus", "SubscriptionStatus", "SystemStatus", "Pong", "ErrorEvent", "BookFrame",
        "TickerFrame", "TradeFrame", "OhlcFrame", "SpreadFrame", "OwnTradesFrame", "OpenOrdersFrame",
    }  # fmt: skip


EVENTS = ["addOrder", "amendOrder", "editOrder", "cancelOrder", "cancelAll", "cancelAllOrdersAfter", "subscribe",
          "unsubscribe", "ping", "nothing"]  # fmt: skip
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "pair": st.sampled_from(["XBT/USD", ["XBT/USD"], ["XBT/USD", "X"], 5]),
        "subscription": st.sampled_from(
            [{"name": name} for name in ("ticker", "book", "trade", "spread", "ohlc", "*", "?")] + [{"name": 5}, 5]
        ),
        "ordertype": st.sampled_from(["limit", "market", "?"]),
        "type": st.sampled_from(["buy", "sell", "?"]),
        "volume": st.sampled_from(["0.1", "0", 1, None]),
        "price": st.sampled_from(["99.9", "+1%", "x", 100]),
        "txid": st.sampled_from(["O00000-00000-000001", ["O00000-00000-000001"], 5]),
        "timeout": st.sampled_from([0, 10, 10**9, "1"]),
        "reqid": st.sampled_from([7, "7", None, 1.5]),
    },
)


@given(st.lists(st.tuples(st.sampled_from(EVENTS), FIELDS, st.booleans()), max_size=6))
@settings(max_examples=100, deadline=None)
def test_whatever_is_asked_the_answers_are_messages(asked: list[tuple[str, dict[str, Any], bool]]) -> None:
    reader = Reader(Ws1())
    for name, fields, has_token in asked:
        reader.send(name, **({"token": reader.ws1.token()} if has_token else {}), **fields)


def test_what_the_messages_say_as_requests_the_venue_understands() -> None:
    reader = Reader(Ws1())
    for order in ORDERS[:9]:
        data = msgspec.json.encode({"event": "addOrder", "token": reader.ws1.token(), **order})
        request = encode(decode_request(data))
        assert tokens(request) == tokens(data)
        answers = [frame for frame in reader.tell(request) if isinstance(frame, dict)]
        assert [answer["status"] for answer in answers if answer["event"] == "addOrderStatus"] == ["ok"], order
