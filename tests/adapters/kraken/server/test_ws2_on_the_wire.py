"""What the venue sends on WebSocket v2 is what the messages of the protocol say: each member and each digit.

The order of members in the frames that come most often (websocket-v2/book, trade, ticker, ohlc, instrument) too.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kraken.wire.codec import encode
from adapters.kraken.wire.ws2.messages import decode_request
from framework.venue.modes import VenueMode
from tests.adapters.kraken.server.on_the_wire import as_ws2
from tests.adapters.kraken.server.ws2_rig import Socket, Ws2
from tests.adapters.kraken.wire.documented import tokens
from tests.framework.venue.served.served_rig import SECOND, START, TRADING

LIMIT = {"order_type": "limit", "side": "buy", "order_qty": Decimal("0.5"), "limit_price": Decimal("99.5")}
STOP = {"order_type": "stop-loss", "side": "sell", "order_qty": Decimal("0.5"), "triggers": {"price": 95}}
ORDERS: list[dict[str, Any]] = [
    LIMIT,
    {**LIMIT, "cl_ord_id": "mine", "post_only": True, "time_in_force": "gtc"},
    {**LIMIT, "order_userref": 7, "time_in_force": "gtd", "expire_time": "2027-01-15T09:00:00Z"},
    {**LIMIT, "order_type": "iceberg", "display_qty": Decimal("0.1")},
    {**LIMIT, "effective_time": "2027-01-15T08:30:00Z"},
    {**LIMIT, "time_in_force": "ioc", "stp_type": "cancel_oldest", "fee_preference": "quote"},
    {"order_type": "market", "side": "buy", "order_qty": Decimal("0.01")},
    {"order_type": "market", "side": "buy", "cash_order_qty": 10},
    STOP,
    {**STOP, "order_type": "stop-loss-limit", "limit_price": 94},
    {**STOP, "order_type": "trailing-stop", "triggers": {"reference": "last", "price": 2, "price_type": "pct"}},
    {**STOP, "order_type": "take-profit", "side": "buy"},
    {**LIMIT, "validate": True},
    {**LIMIT, "order_qty": 100_000},
    {**LIMIT, "limit_price": Decimal("100.15")},
    {**LIMIT, "order_qty": "1"},
    {**LIMIT, "deadline": "2027-01-15T08:05:00Z"},
    {**LIMIT, "leverage": 3},
]


class Reader(Socket):
    """A client that knows which kinds of message it has been sent."""

    def __init__(self, ws2: Ws2) -> None:
        self.kinds: set[str] = set()
        super().__init__(ws2)

    def _take(self, frame: bytes) -> None:
        self.kinds.add(type(as_ws2(frame)).__name__)
        super()._take(frame)


def subscribe_to_all(reader: Reader) -> None:
    for channel in ("book", "trade", "ticker", "ohlc"):
        reader.send("subscribe", channel=channel, symbol=["BTC/USD", "NO/PAIR"], snapshot=True)
    reader.send("subscribe", channel="ticker", symbol=["BTC/USD"], event_trigger="bbo")
    reader.send("subscribe", channel="instrument")
    reader.send("subscribe", channel="level3", symbol=["BTC/USD", "NO/PAIR"], token=reader.ws2.token())
    reader.send("subscribe", channel="balances", token=reader.ws2.token())
    reader.send(
        "subscribe",
        channel="executions",
        token=reader.ws2.token(),
        snap_trades=True,
        snap_orders=True,
        ratecounter=True,
    )


def trade_all(reader: Reader) -> None:
    token = reader.ws2.token()
    for order in ORDERS:
        reader.send("add_order", token=token, symbol="BTC/USD", **order)
    reader.send("batch_add", token=token, symbol="BTC/USD", orders=[LIMIT, {**LIMIT, "order_qty": 100_000}])
    order_id = reader.add(price="98", qty="0.2")
    reader.send("amend_order", token=token, order_id=order_id, order_qty=Decimal("0.1"), limit_price=Decimal("98.1"))
    reader.send("amend_order", token=token, cl_ord_id="mine", limit_price=Decimal("99.4"))
    reader.send("amend_order", token=token, cl_ord_id="nobody", limit_price=Decimal("99.4"))
    (row,) = [frame for frame in reader.send("edit_order", token=token, order_id=order_id, symbol="BTC/USD",
                                             limit_price=97) if frame.get("method") == "edit_order"]  # fmt: skip
    reader.send("cancel_order", token=token, order_id=[row["result"]["order_id"], "O00000-00000-999999"])
    reader.send("cancel_order", token=token, cl_ord_id=["mine", "nobody"], order_userref=[7])
    reader.send("batch_cancel", token=token, orders=["7", reader.add(price="98", qty="0.2")])
    reader.send("cancel_all_orders_after", token=token, timeout=60)
    reader.send("cancel_all_orders_after", token=token, timeout=0)
    reader.send("cancel_all_orders_after", token=token, timeout=90_000)
    reader.add(side="sell", price="100.3", qty="0.2")
    reader.ws2.host.run_until(START + 3 * SECOND)
    reader.send("cancel_all", token=token)


def kinds_of_a_day(rows: Any) -> set[str]:
    """The kinds of message that the venue has sent in a day with these rows of market data."""
    reader = Reader(Ws2(rows))
    reader.send("ping")
    reader.send("nothing")
    reader.tell(b"{")
    trade_all(reader)
    reader.ws2.host.run_until(START + 4 * SECOND)
    subscribe_to_all(reader)
    trade_all(reader)
    for each in ("book", "ticker", "trade", "ohlc", "nothing"):
        reader.send("unsubscribe", channel=each, symbol=["BTC/USD", "NO/PAIR"])
    reader.send("unsubscribe", channel="level3", symbol=["BTC/USD", "NO/PAIR"], token=reader.ws2.token())
    for each in ("executions", "balances"):
        reader.send("unsubscribe", channel=each, token=reader.ws2.token())
    reader.send("unsubscribe", channel="instrument")
    reader.ws2.host.set_mode(VenueMode.CANCEL_ONLY, None)
    return reader.kinds


def test_every_frame_of_a_day_of_trading_is_a_message() -> None:
    assert kinds_of_a_day(None) | kinds_of_a_day(TRADING) >= {
        "AddOrderResponse", "AmendOrderResponse", "EditOrderResponse", "CancelOrderResponse", "CancelAllResponse",
        "CancelAllOrdersAfterResponse", "BatchAddResponse", "BatchCancelResponse", "SubscribeResponse",
        "UnsubscribeResponse", "Pong", "ErrorResponse", "BookFrame", "TradeFrame", "TickerFrame", "OhlcFrame",
        "InstrumentFrame", "Level3Frame", "StatusFrame", "ExecutionsFrame", "BalancesSnapshot", "BalancesUpdate",
    }  # fmt: skip


METHODS = ["subscribe", "unsubscribe", "add_order", "amend_order", "edit_order", "cancel_order", "cancel_all",
           "cancel_all_orders_after", "batch_add", "batch_cancel", "ping", "nothing"]  # fmt: skip
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "channel": st.sampled_from(
            ["book", "trade", "ticker", "ohlc", "instrument", "level3", "executions", "balances", "?"]
        ),
        "symbol": st.sampled_from(["BTC/USD", "XBT/USD", ["BTC/USD"], ["BTC/USD", "X"], 5]),
        "order_type": st.sampled_from(["limit", "market", "iceberg", "stop-loss", "trailing-stop", "?"]),
        "side": st.sampled_from(["buy", "sell", "?"]),
        "order_qty": st.sampled_from([Decimal("0.1"), 1, 0, "1", None]),
        "limit_price": st.sampled_from([Decimal("99.9"), 100, Decimal("100.15"), True]),
        "order_id": st.sampled_from(["O00000-00000-000001", ["O00000-00000-000001"], 5]),
        "cl_ord_id": st.sampled_from(["a", ["a", "b"], 5]),
        "orders": st.sampled_from([[LIMIT, LIMIT], [LIMIT], [], ["a", "b"], 5]),
        "timeout": st.sampled_from([0, 10, 10**9, "1"]),
    },
)


@given(st.lists(st.tuples(st.sampled_from(METHODS), PARAMS, st.booleans()), max_size=6))
@settings(max_examples=150, deadline=None)
def test_whatever_is_asked_the_answers_are_messages(asked: list[tuple[str, dict[str, Any], bool]]) -> None:
    reader = Reader(Ws2())
    for method, params, has_token in asked:
        token = {"token": reader.ws2.token()} if has_token else {}
        reader.send(method, **params, **token)


def test_what_the_messages_say_as_requests_the_venue_understands() -> None:
    reader, token = Reader(Ws2()), ""
    for order in ORDERS[:13]:
        token = reader.ws2.token()
        params = {"symbol": "BTC/USD", "token": token, **order}
        data = msgspec.json.Encoder(decimal_format="number").encode({"method": "add_order", "params": params})
        request = encode(decode_request(data))
        assert tokens(request) == tokens(data)
        (answer,) = [frame for frame in reader.tell(request) if frame.get("method") == "add_order"]
        assert answer["success"], (order, answer)
