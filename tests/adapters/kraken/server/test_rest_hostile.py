"""Hostile input: whatever is sent, the answer is one envelope, nobody else is touched, and no secret is told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kraken.server.http import HttpRequest, HttpResponse
from adapters.kraken.server.rest.endpoints import ENDPOINTS, Kind
from tests.adapters.kraken.server.rest_rig import Rest

pytestmark = pytest.mark.slow

PUBLIC = [each.name for each in ENDPOINTS.values() if each.kind is Kind.PUBLIC]
TRADING = [each.name for each in ENDPOINTS.values() if each.kind is Kind.TRADING]
OTHERS = sorted(set(ENDPOINTS) - set(PUBLIC) - set(TRADING) - {"RetrieveExport"})
TRADING_FIELDS = [
    "pair", "type", "ordertype", "price", "price2", "volume", "displayvol", "userref", "cl_ord_id", "txid", "orders",
    "cl_ord_ids", "expiretm", "starttm", "deadline", "oflags", "timeout", "validate", "order_qty", "display_qty",
    "limit_price", "trigger_price", "trigger", "close[price]", "leverage", "timeinforce", "stptype", "post_only",
    "orders[0][price]", "orders[1]", "close", "reduce_only",
]  # fmt: skip
OTHER_FIELDS = [
    "asset", "pair", "txid", "id", "order_id", "start", "end", "ofs", "type", "trades", "ledgers", "closetime",
    "userref", "cl_ord_id", "consolidate_taker", "without_count", "method", "amount", "key", "from", "to", "refid",
    "report", "description", "format", "fields", "starttm", "endtm", "limit", "aclass", "address", "max_fee",
    "converted_asset", "strategy_id", "docalcs", "rebase_multiplier", "new", "verified", "network", "depth",
]  # fmt: skip
PUBLIC_FIELDS = [
    "pair", "asset", "aclass", "aclass_base", "asset_class", "info", "country_code", "execution_venue", "interval",
    "since", "count", "depth", "grouping", "symbol", "from_ts", "to_ts",
]  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "XBTUSD", "XBT", "BTC/USD", "buy", "sell", "limit", "market", "trailing-stop", "stop-loss-limit", "iceberg",
            "trades", "ledgers", "simulated", "a0", "a1", "Spot Wallet", "all", "5", "60", "post", "viqc", "GTD",
            "1", "-1", "0", "+5%", "#1", "1e400", "NaN", "true", "99999999999999999999", "9" * 30, "9" * 5000,
            "+" + "9" * 40 + "%", "\u0663", "2027-01-15T08:00:10Z", "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59.999999999-14:00",
        ]
    ),
    st.integers(-(2**70), 2**70).map(str),
    st.text("0123456789.+-#%", max_size=60),
)  # fmt: skip
JSON_VALUES = st.recursive(
    st.one_of(VALUES, st.booleans(), st.none(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


def fields(names: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), values, max_size=8)


def check(rest: Rest, answers: list[HttpResponse]) -> None:
    (answer,) = answers
    assert answer.status == 200
    decoded = msgspec.json.decode(answer.body)
    assert all(isinstance(text, str) for text in decoded["error"])
    assert ("result" in decoded) == (decoded["error"] == [])
    for key in rest.keys:
        assert key.secret.reveal().encode() not in answer.body
    rest.host.venue.check_invariants()
    assert rest.gateway.waiting_count == 0


@given(st.sampled_from(TRADING), fields(TRADING_FIELDS, VALUES))
@settings(max_examples=150, deadline=None)
def test_whatever_a_form_of_an_order_holds_the_answer_is_an_envelope(name: str, params: dict[str, str]) -> None:
    rest = Rest()
    rest.add(price="99", cl_ord_id="mine")
    check(rest, rest.send(rest.request(name, params)))


@given(st.sampled_from(TRADING), fields(TRADING_FIELDS, JSON_VALUES))
@settings(max_examples=150, deadline=None)
def test_whatever_json_of_an_order_holds_the_answer_is_an_envelope(name: str, params: dict[str, Any]) -> None:
    rest = Rest()
    check(rest, rest.send(rest.request(name, params, is_json=True)))


@given(st.sampled_from(OTHERS), fields(OTHER_FIELDS, VALUES))
@settings(max_examples=150, deadline=None)
def test_whatever_a_form_of_a_question_holds_the_answer_is_an_envelope(name: str, params: dict[str, str]) -> None:
    rest = Rest()
    rest.add(price=None, volume="0.001")
    check(rest, rest.send(rest.request(name, params)))


@given(st.sampled_from(OTHERS), fields(OTHER_FIELDS, JSON_VALUES))
@settings(max_examples=120, deadline=None)
def test_whatever_json_of_a_question_holds_the_answer_is_an_envelope(name: str, params: dict[str, Any]) -> None:
    rest = Rest()
    check(rest, rest.send(rest.request(name, params, is_json=True)))


@given(
    st.sampled_from(
        [
            {"pair": "XBTUSD", "ordertype": kind, "type": side, "volume": "0.01", "price": "99"}
            for kind in ("limit", "stop-loss", "take-profit", "stop-loss-limit", "trailing-stop", "iceberg", "market")
            for side in ("buy", "sell")
        ]
    ),
    fields(TRADING_FIELDS, VALUES),
)
@settings(max_examples=150, deadline=None)
def test_an_order_with_something_odd_in_it_is_answered(order: dict[str, str], odd: dict[str, str]) -> None:
    rest = Rest()
    check(rest, rest.send(rest.request("AddOrder", {**order, **odd})))


@given(st.sampled_from(PUBLIC), fields(PUBLIC_FIELDS, VALUES))
@settings(max_examples=150, deadline=None)
def test_whatever_a_public_query_holds_the_answer_is_an_envelope(name: str, params: dict[str, str]) -> None:
    rest = Rest()
    answer = rest.public(name, "127.0.0.1", **params)
    assert ("result" in answer) == (answer["error"] == [])


@given(st.binary(max_size=300), st.text(max_size=40), st.sampled_from(["application/json", "x", ""]))
@settings(max_examples=120, deadline=None)
def test_whatever_bytes_come_the_answer_is_an_envelope(body: bytes, path: str, kind: str) -> None:
    rest = Rest()
    headers = {"Content-Type": kind, "API-Key": rest.keys[0].key, "API-Sign": path}
    for where in (f"/0/public/{path}", f"/0/private/{path}", "/0/private/AddOrder", "/0/public/Depth", path):
        request = HttpRequest(method="POST", path=where, query=path, headers=headers, body=body, peer="x")
        check(rest, rest.send(request))


@given(st.sampled_from(TRADING + OTHERS), st.text(max_size=8), st.text(max_size=90))
@settings(max_examples=80, deadline=None)
def test_who_has_no_signature_is_told_nothing(name: str, nonce: str, signature: str) -> None:
    rest = Rest()
    headers = {"API-Key": rest.keys[0].key, "API-Sign": signature}
    request = HttpRequest(
        method="POST", path=f"/0/private/{name}", query="", headers=headers, body=f"nonce={nonce}".encode(), peer="x"
    )
    (answer,) = rest.send(request)
    assert msgspec.json.decode(answer.body)["error"][0] in ("EAPI:Invalid signature", "EAPI:Invalid key")


def test_json_as_deep_as_a_body_can_be_is_a_bad_request() -> None:
    rest = Rest()
    for body in (
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":1e999999999}',
        b'{"a":1e999999999999999999999}',
        b'{"a":"\\ud800"}',
    ):
        request = HttpRequest(
            method="POST", path="/0/private/AddOrder", query="", body=body, peer="x",
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        check(rest, rest.send(request))


def test_a_form_of_too_many_fields_is_a_bad_request() -> None:
    rest = Rest()
    request = HttpRequest(
        method="POST", path="/0/private/AddOrder", query="", headers={}, body=b"&" * 100_000, peer="x"
    )  # fmt: skip
    assert rest.send(request)[0].body == b'{"error":["EAPI:Bad request"]}'
