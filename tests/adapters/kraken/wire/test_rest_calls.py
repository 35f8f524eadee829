"""Requests as HTTP carries them (guides/spot-rest-auth; vectors of the notes)."""

from __future__ import annotations

import pytest

from adapters.kraken.server.http import HttpRequest
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.rest.calls import HttpCall, private_call, public_call
from adapters.kraken.wire.rest.endpoints import ADD_ORDER, BALANCE, CANCEL_ORDER_BATCH, GET_WEBSOCKETS_TOKEN, TICKER
from adapters.kraken.wire.rest.envelope import PrivateRequest
from adapters.kraken.wire.rest.public import TickerRequest
from adapters.kraken.wire.rest.trading import AddOrder, CancelOrderBatch
from adapters.kraken.wire.signing import Secret
from tests.adapters.kraken.server.rest_rig import Rest

SECRET = Secret("kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==")


def test_a_public_request_is_a_query() -> None:
    call = public_call(TICKER, TickerRequest(pair="XBTUSD,ETHUSD"))
    assert (call.method, call.path, call.query, call.body) == ("GET", "/0/public/Ticker", "pair=XBTUSD%2CETHUSD", b"")


def test_a_private_request_is_signed_over_its_body() -> None:
    call = private_call(
        GET_WEBSOCKETS_TOKEN, PrivateRequest(nonce=1700000000000000003, otp=Token("123456")), "K", SECRET
    )
    assert (call.method, call.path, call.body) == (
        "POST",
        "/0/private/GetWebSocketsToken",
        b"nonce=1700000000000000003&otp=123456",
    )
    assert call.headers == {
        "API-Key": "K",
        "API-Sign": "md38/3eDOsPlLIWu0SoAR/NgO66CtYamsJyotoWItO27K52lGy5p8WSKEEv8hU/unRI9y9nMiMibpsLRCodQiQ==",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def test_an_order_in_json_is_signed_over_its_json() -> None:
    order = AddOrder(nonce="1700000000000000001", pair="XBTUSD", type="sell", ordertype="limit", price="64000.1",
                     volume="0.5")  # fmt: skip
    call = private_call(ADD_ORDER, order, "K", SECRET, is_json=True)
    assert call.body == (
        b'{"nonce":"1700000000000000001","pair":"XBTUSD","ordertype":"limit","type":"sell","volume":"0.5",'
        b'"price":"64000.1"}'
    )
    assert call.headers["Content-Type"] == "application/json"


def test_a_call_shows_neither_key_nor_signature_nor_body() -> None:
    call = private_call(BALANCE, BALANCE.request(nonce=1, otp=Token("hidden")), "KEY", SECRET)
    assert repr(call) == "HttpCall(POST /0/private/Balance)"


def test_a_list_in_a_form_is_refused() -> None:
    with pytest.raises(WireError):
        private_call(CANCEL_ORDER_BATCH, CancelOrderBatch(nonce=1, orders=["a"]), "K", SECRET)


@pytest.mark.parametrize("is_json", [False, True])
def test_the_served_venue_takes_what_is_called(is_json: bool) -> None:
    rest = Rest()
    key = rest.keys[0]
    order = AddOrder(nonce=1, pair="XBTUSD", type="buy", ordertype="limit", price="99.5", volume="0.5")
    call = private_call(ADD_ORDER, order, key.key, key.secret, is_json=is_json)
    (answer,) = rest.send(_as_received(call))
    reply = ADD_ORDER.decode_reply(answer.body)
    assert reply.error == []
    (answer,) = rest.send(_as_received(public_call(TICKER, TickerRequest(pair="XBTUSD"))))
    assert TICKER.decode_reply(answer.body).error == []


def _as_received(call: HttpCall) -> HttpRequest:
    return HttpRequest(
        method=call.method, path=call.path, query=call.query, headers=dict(call.headers), body=call.body, peer="x"
    )
