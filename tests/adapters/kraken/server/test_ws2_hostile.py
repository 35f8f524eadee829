"""Hostile requests over WebSocket v2: whatever an order's message holds, there is an answer, the connection lives, and
the venue adds up (websocket-v2: add_order and its neighbours).
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.kraken.server.ws2_rig import Ws2

SCALARS = st.one_of(
    st.sampled_from(
        [
            "BTC/USD", "buy", "sell", "limit", "market", "stop-loss", "trailing-stop", "trailing-stop-limit", "iceberg",
            "gtc", "gtd", "ioc", "fok", "static", "pct", "quote", "last", "index", "base", "cancel_both", "mine", "",
            "O00000-00000-000001", "5", "-5", "9" * 40, "2027-01-15T08:00:10Z", "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59.999999999-14:00", "NaN", "\u0663",
            0, 1, -1, 5, 100, 99.95, 100.15, 0.00001, 1e-30, 1e30, -1e30, 2**53, -(2**53), True, False, None,
        ]
    ),
    st.text(max_size=20),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
TRIGGERS = st.one_of(VALUES, st.dictionaries(st.sampled_from(["reference", "price", "price_type"]), VALUES))
CLOSE_NAMES = ["order_type", "limit_price", "limit_price_type", "trigger_price", "trigger_price_type", "stop_price"]
CONDITIONAL = st.one_of(VALUES, st.dictionaries(st.sampled_from(CLOSE_NAMES), VALUES))
ORDER_NAMES = [
    "order_type", "side", "order_qty", "limit_price", "limit_price_type", "time_in_force", "margin", "post_only",
    "reduce_only", "effective_time", "expire_time", "cl_ord_id", "order_userref", "display_qty", "fee_preference",
    "stp_type", "cash_order_qty", "sender_sub_id", "no_mpp", "stop_price", "trigger",
]  # fmt: skip
OTHER_NAMES = [
    "order_id", "symbol", "trigger_price", "trigger_price_type", "deadline", "validate", "orders", "timeout",
]  # fmt: skip


def orders() -> st.SearchStrategy[dict[str, Any]]:
    """The fields of a new order: well formed, and then some of them anything."""
    good = st.sampled_from(
        [
            {"order_type": kind, "side": side, "order_qty": 1, "limit_price": 99}
            for kind in ("limit", "market", "stop-loss", "stop-loss-limit", "trailing-stop-limit", "iceberg")
            for side in ("buy", "sell")
        ]
    )
    more = st.dictionaries(st.sampled_from(ORDER_NAMES), VALUES, max_size=4)
    nested = st.fixed_dictionaries({}, optional={"triggers": TRIGGERS, "conditional": CONDITIONAL})
    return st.builds(lambda first, second, third: {**first, **second, **third}, good, more, nested)


def ask(method: str, params: dict[str, Any]) -> None:
    """Send it on a connection beside an order and a trade, and see that all is well."""
    ws2 = Ws2()
    socket = ws2.socket()
    socket.send("subscribe", channel="executions", token=ws2.token())
    socket.add(price=None, qty="0.001")
    socket.add(price="99", cl_ord_id="mine")
    socket.taken()
    frames = socket.send(method, **{"token": ws2.token(), **params})
    answers = [frame for frame in frames if "method" in frame]
    assert answers
    for answer in answers:
        assert answer["method"] == method
        assert isinstance(answer["error"], str) if not answer["success"] else "result" in answer
    ws2.host.venue.check_invariants()
    assert socket.send("ping")[-1]["method"] == "pong"


@given(orders())
@settings(max_examples=150, deadline=None)
def test_whatever_a_new_order_holds_there_is_an_answer(params: dict[str, Any]) -> None:
    ask("add_order", {"symbol": "BTC/USD", **params})


@given(
    st.one_of(VALUES, st.lists(st.one_of(orders(), VALUES), max_size=4)),
    st.dictionaries(st.sampled_from(["validate", "deadline"]), VALUES),
)
@settings(max_examples=80, deadline=None)
def test_whatever_a_batch_holds_there_is_an_answer(items: Any, more: dict[str, Any]) -> None:
    ask("batch_add", {"symbol": "BTC/USD", "orders": items, **more})


@given(
    st.sampled_from(["amend_order", "edit_order"]),
    st.dictionaries(st.sampled_from([*ORDER_NAMES, *OTHER_NAMES]), VALUES, max_size=5),
    st.fixed_dictionaries({}, optional={"triggers": TRIGGERS}),
)
@settings(max_examples=120, deadline=None)
def test_whatever_a_change_holds_there_is_an_answer(
    method: str, params: dict[str, Any], nested: dict[str, Any]
) -> None:
    ask(method, {"symbol": "BTC/USD", "order_id": "O00000-00000-000002", **params, **nested})


@given(
    st.sampled_from(["cancel_order", "cancel_all", "cancel_all_orders_after", "batch_cancel"]),
    st.dictionaries(st.sampled_from(["order_id", "cl_ord_id", "order_userref", "orders", "timeout", "token"]), VALUES),
)
@settings(max_examples=120, deadline=None)
def test_whatever_a_cancel_holds_there_is_an_answer(method: str, params: dict[str, Any]) -> None:
    ask(method, params)
