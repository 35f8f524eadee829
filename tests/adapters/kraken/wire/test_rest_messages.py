"""Messages of REST as structs (rest-api, all pages; guides/spot-rest-intro, spot-rest-auth, spot-l3-data)."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from adapters.kraken.server.rest.endpoints import ENDPOINTS as SERVED
from adapters.kraken.wire.codec import Message, decoder, encode
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.rest import account, earn, endpoints, envelope, exports, funding, history, public, trading
from adapters.kraken.wire.rest.endpoints import ENDPOINTS
from adapters.kraken.wire.rest.envelope import Endpoint, PrivateRequest, decode_form, encode_form
from adapters.kraken.wire.ws2.messages import UnknownMessage, decode_answer, decode_request
from tests.adapters.kraken.wire.documented import broken_values, json_values, note, pages, tokens
from tests.adapters.kraken.wire.generated import message_kinds, messages
from tests.captures import require_capture

KINDS = [PrivateRequest, *message_kinds(account, earn, exports, funding, history, public, trading)]
REQUESTS = sorted({endpoint.request for endpoint in ENDPOINTS.values()}, key=lambda kind: kind.__name__)
PATH = re.compile(r"(?:api\.kraken\.com/0|## )(/(?:public|private)/[A-Za-z0-9/]+)")
PAYLOADS = {
    "http_add_order_spot": "/private/AddOrder",
    "http_asset_pairs": "/public/AssetPairs",
    "http_cancel_order_spot": "/private/CancelOrder",
    "http_open_orders": "/private/OpenOrders",
    "http_server_time": "/public/Time",
    "http_spot_balance": "/private/Balance",
    "http_spot_open_positions": "/private/OpenPositions",
    "http_system_status": "/public/SystemStatus",
    "http_ticker": "/public/Ticker",
    "http_trades": "/public/Trades",
}


def check_example(text: str, endpoint: Endpoint[Any, Any] | None) -> None:
    """An example of a page, by what it is: a request, an answer, or one order of a batch."""
    members = json.loads(text)
    message: Any
    if "method" in members and "nonce" not in members:
        # The page of AddOrder shows the examples of WebSocket v2.
        is_answer = {"result", "error", "success"} & set(members)
        message = decode_answer(text) if is_answer else decode_request(text)
        assert not isinstance(message, UnknownMessage)
    elif "ordertype" in members and "nonce" not in members:
        message = decoder(trading.BatchOrder)(text)
    else:
        assert endpoint is not None, text
        message = endpoint.decode_reply(text) if "error" in members else endpoint.decode_request(text)
    assert tokens(encode(message)) == tokens(text)


# ------------------------------------------------------------------------------------------------ documented examples


def test_every_documented_example_comes_back_unchanged() -> None:
    count, seen = 0, set()
    for page in pages("rest-api"):
        text = page.read_text(encoding="utf-8")
        assert not broken_values(text), page.stem
        path = PATH.search(text)
        endpoint = None if path is None else ENDPOINTS[path[1]]
        for example in json_values(text):
            check_example(example, endpoint)
            count += 1
        if path is not None:
            seen.add(path[1])
    assert count >= 100
    # One page, that of AddOrder, shows the addresses of WebSocket v2.
    assert set(ENDPOINTS) - seen == {"/private/AddOrder"}


def test_every_example_of_the_notes_is_a_message_or_a_part_of_one() -> None:
    kinds = [*KINDS, dict[str, str], dict[str, public.Ticker]]
    readers = [decoder(kind) for kind in kinds]  # type: ignore[type-var]
    readers += [each.decode_reply for each in ENDPOINTS.values()]
    examples = [each for each in json_values(note("spot-rest.md"), is_note=True) if each.startswith("{")]
    assert len(examples) >= 6
    for example in examples:
        found = []
        for read in readers:
            try:
                found.append(tokens(encode(read(example))))
            except WireError:
                continue
        assert tokens(example) in found, example


@pytest.mark.parametrize(("name", "path"), PAYLOADS.items())
def test_every_published_payload_comes_back_unchanged(name: str, path: str) -> None:
    text = (require_capture("kraken-payloads") / f"{name}.json").read_text(encoding="utf-8")
    reply = ENDPOINTS[path].decode_reply(text)
    assert reply.result is not UNSET
    assert tokens(encode(reply)) == tokens(text)


def test_each_endpoint_that_is_served_has_its_messages() -> None:
    served = {f"/{'public' if each.kind.name == 'PUBLIC' else 'private'}/{each.name}" for each in SERVED.values()}
    assert served == set(ENDPOINTS)


# ------------------------------------------------------------------------------------------------------- all messages


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}")
def test_every_kind_of_message_comes_back_as_it_was(kind: type[Message]) -> None:
    read = decoder(kind)

    @given(messages(kind))
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def check(message: Message) -> None:
        data = encode(message)
        again = read(data)
        assert again == message
        assert encode(again) == data

    check()


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.__name__)
def test_every_request_that_a_form_can_carry_comes_back_from_it(kind: type[Message]) -> None:
    @given(messages(kind))
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def check(message: Message) -> None:
        try:
            form = encode_form(message)
        except WireError:
            return  # it has a list
        assert encode_form(decode_form(kind, form)) == form

    check()


# --------------------------------------------------------------------------------------------------------- forms, JSON


def test_an_order_in_a_form_is_the_published_one() -> None:
    # guides/spot-rest-auth, the example whose signature is published.
    form = "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    order = endpoints.ADD_ORDER.decode_form(form)
    assert (order.pair, order.price, order.volume, order.nonce) == ("XBTUSD", "37500", "1.25", "1616492376594")
    assert sorted(encode_form(order).split("&")) == form.split("&")


def test_a_close_has_brackets_in_a_form_and_is_an_object_in_json() -> None:
    order = trading.AddOrder(
        nonce=1, pair="XBTUSD", ordertype="limit", type="buy", volume="1", price="+5%",
        close=trading.Close(ordertype="limit", price="1"),
    )  # fmt: skip
    form = encode_form(order)
    assert form == (
        "nonce=1&pair=XBTUSD&ordertype=limit&type=buy&volume=1&price=%2B5%25&close%5Bordertype%5D=limit"
        "&close%5Bprice%5D=1"
    )
    assert endpoints.ADD_ORDER.decode_form(form).close == order.close
    assert encode(order) == (
        b'{"nonce":1,"pair":"XBTUSD","ordertype":"limit","type":"buy","volume":"1","price":"+5%",'
        b'"close":{"ordertype":"limit","price":"1"}}'
    )


def test_flags_are_words_in_a_form() -> None:
    request = history.OpenOrdersRequest(nonce="7", trades=True, userref=5)
    assert encode_form(request) == "nonce=7&trades=true&userref=5"
    assert decode_form(history.OpenOrdersRequest, "nonce=7&trades=true&userref=5").trades == "true"


def test_a_list_needs_json() -> None:
    with pytest.raises(WireError, match="orders is a list"):
        encode_form(trading.CancelOrderBatch(nonce=1, orders=["a", 7]))


@pytest.mark.parametrize(
    "form", ["nonce", "nonce=1&nonce=2", "nonce=%ff", "a=1", "nonce=1&close=2&close[price]=1", "&"]
)
def test_what_is_no_form_of_a_request_is_an_error_of_the_wire(form: str) -> None:
    with pytest.raises(WireError):
        decode_form(history.OpenOrdersRequest, form)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"error":"x"}', b'{"error":[],"result":{"unixtime":"1"}}'])
def test_what_is_no_answer_is_an_error_of_the_wire(data: bytes) -> None:
    with pytest.raises(WireError):
        endpoints.TIME.decode_reply(data)


def test_a_failure_has_no_result() -> None:
    reply = endpoints.ADD_ORDER.decode_reply(b'{"error":["EOrder:Insufficient funds"]}')
    assert (reply.error, reply.result) == (["EOrder:Insufficient funds"], UNSET)
    assert encode(reply) == b'{"error":["EOrder:Insufficient funds"]}'


def test_a_result_can_be_null() -> None:
    data = b'{"error":[],"result":null}'
    assert endpoints.CREDIT_LINES.decode_reply(data).result is None
    assert encode(endpoints.CREDIT_LINES.decode_reply(data)) == data


def test_what_a_newer_venue_adds_to_an_answer_is_passed_over() -> None:
    reply = endpoints.TIME.decode_reply(b'{"error":[],"result":{"unixtime":1,"rfc1123":"x","zone":1.5},"took":2}')
    assert reply.result == public.ServerTime(1, "x")


def test_times_keep_their_digits() -> None:
    data = b'{"error":[],"result":{"T1":{"time":1688583840.86480}}}'
    reply = endpoints.QUERY_TRADES.decode_reply(data)
    assert isinstance(reply.result, dict)
    assert reply.result["T1"].time == Number("1688583840.86480")
    assert encode(reply) == data


def test_a_token_and_a_password_are_on_the_wire_and_nowhere_else() -> None:
    data = b'{"error":[],"result":{"token":"hidden","expires":900}}'
    reply = endpoints.GET_WEBSOCKETS_TOKEN.decode_reply(data)
    request = envelope.PrivateRequest(nonce=1, otp=Token("hidden"))
    assert (encode(reply), encode_form(request)) == (data, "nonce=1&otp=hidden")
    assert "hidden" not in repr(reply) + repr(request)


@given(st.text(max_size=40))
def test_any_text_is_a_form_or_an_error_of_the_wire(text: str) -> None:
    with contextlib.suppress(WireError):
        decode_form(trading.AddOrder, text)
