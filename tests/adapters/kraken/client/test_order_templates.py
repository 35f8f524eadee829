"""Ordinary orders are written by filling in what differs: to the byte what the general way writes.

Pages: websocket-v2/add_order; fix-api/nos-fix.
"""

from __future__ import annotations

from functools import cache

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.kraken.client.client_ids import ClientIds
from adapters.kraken.client.fix_requests import FixRequests
from adapters.kraken.client.link_base import AccountParts
from adapters.kraken.client.order_memory import OrderMemory
from adapters.kraken.client.order_templates import order_kind
from adapters.kraken.client.venue_time import VenueTime
from adapters.kraken.client.ws2_requests import Ws2Requests
from adapters.kraken.wire.codec import encode
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.fix.fields import write_tail
from framework.execution.policy import DeskPolicy
from framework.messages import AddOrder
from framework.protocol import BUY, SELL, OrderType, StpMode, TimeInForce, TriggerReference
from framework.venue.scheduler import Scheduler
from tests.adapters.kraken.client.stage import START_NS, WireDesk

SYMBOL = "BTC/USD"
TOKENS = (Token("one"), Token('<qty> 100% "of" another'))
# What strategies name orders, what a desk may, and ids that JSON does not write as they are.
IDS = st.one_of(
    st.integers(10**17, 10**18 - 1).map(str),
    st.text("abcXYZ019-", min_size=1, max_size=18),
    st.text('"\\%/<>{}a', min_size=1, max_size=18),
    st.uuids(version=4).map(str),
)
ORDERS = st.builds(
    AddOrder,
    request_id=st.integers(1, 10**9),
    deadline_ns=st.one_of(st.none(), st.integers(START_NS, START_NS + 10**15)),
    cl_ord_id=IDS,
    symbol=st.just(SYMBOL),
    side=st.sampled_from((BUY, SELL)),
    order_type=st.just(OrderType.LIMIT),
    qty_lots=st.integers(1, 10**12),
    limit_ticks=st.integers(1, 10**9),
    time_in_force=st.sampled_from((TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)),
    is_post_only=st.booleans(),
    is_reduce_only=st.booleans(),
)


@cache
def parts(*, is_time_based: bool) -> AccountParts:
    desk = WireDesk(DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2",), news="ws2", query="rest"))
    return AccountParts(
        clock=Scheduler(START_NS),
        instruments=desk.parts.instruments,
        memory=OrderMemory(),
        ids=ClientIds(None, is_time_based=is_time_based),
        time=VenueTime(),
    )


@cache
def ws2_requests() -> Ws2Requests:
    return Ws2Requests(parts(is_time_based=False))


@given(ORDERS, st.sampled_from(TOKENS))
def test_an_order_over_websocket_v2_has_the_bytes_of_its_request(order: AddOrder, token: Token) -> None:
    assert order_kind(order) is not None
    assert ws2_requests().write(order, token) == encode(ws2_requests().make(order, token))


@given(ORDERS)
def test_an_order_over_fix_has_the_bytes_of_its_message(order: AddOrder) -> None:
    requests = FixRequests(parts(is_time_based=True))
    for each in (order, replace(order, limit_ticks=order.limit_ticks and order.limit_ticks + 1, qty_lots=7)):
        made = requests.make(each)
        assert made.body == write_tail(requests.new_order(each, made.cl_ord_id))
        assert made.msg_type == b"D"


def test_an_order_that_says_anything_else_is_no_ordinary_one() -> None:
    """Every member of an order that is not at its default, but for those that are filled in or name the kind."""
    plain = AddOrder(
        request_id=1,
        cl_ord_id="1",
        symbol=SYMBOL,
        side=BUY,
        order_type=OrderType.LIMIT,
        qty_lots=1,
        limit_ticks=1,
    )
    named = {"request_id", "deadline_ns", "cl_ord_id", "symbol", "side", "qty_lots", "limit_ticks", "time_in_force"}
    named |= {"is_post_only", "is_reduce_only", "attachment", "is_fee_in_base"}  # the wire says neither of the last two
    others = {
        "order_type": OrderType.MARKET,
        "trigger_reference": TriggerReference.INDEX,
        "stp_mode": StpMode.CANCEL_OLDEST,
        "is_validate_only": True,
        "secondary": object(),
    }
    assert order_kind(plain) is not None
    for name in AddOrder.__struct_fields__:
        if name not in named:
            assert order_kind(replace(plain, **{name: others.get(name, 1)})) is None, name
    assert order_kind(replace(plain, limit_ticks=None)) is None


def test_members_of_the_request_are_those_of_the_page() -> None:
    order = AddOrder(
        request_id=7,
        deadline_ns=1_700_000_000_123_456_789,
        cl_ord_id="100000000000000001",
        symbol=SYMBOL,
        side=SELL,
        order_type=OrderType.LIMIT,
        qty_lots=150_000,
        limit_ticks=640_001,
        time_in_force=TimeInForce.IOC,
    )
    assert msgspec.json.decode(ws2_requests().write(order, Token("t"))) == {
        "method": "add_order",
        "params": {
            "order_type": "limit",
            "side": "sell",
            "order_qty": 0.0015,
            "limit_price": 64000.1,
            "time_in_force": "ioc",
            "cl_ord_id": "100000000000000001",
            "symbol": SYMBOL,
            "deadline": "2023-11-14T22:13:20.123Z",
            "token": "t",
        },
        "req_id": 7,
    }
