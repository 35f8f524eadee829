"""Messages of WebSocket v2 as structs (websocket-v2, all pages; guides/spot-ws-book-v2, spot-ws-l3-v2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from adapters.kraken.wire.codec import Message, decoder, encode
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.number import Number, QuotedNumber
from adapters.kraken.wire.ws2 import account, market, requests, responses
from adapters.kraken.wire.ws2.account import Execution
from adapters.kraken.wire.ws2.messages import UnknownMessage, decode_answer, decode_request
from tests.adapters.kraken.wire.documented import broken_values, json_values, note, pages, tokens
from tests.adapters.kraken.wire.generated import message_kinds, messages
from tests.captures import require_capture

KINDS = message_kinds(account, market, requests, responses)
BOOK = (
    b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":64000.0,"qty":0.50000000}],'
    b'"asks":[{"price":64000.1,"qty":0.00000000}],"checksum":987654321,"timestamp":"2026-08-01T12:00:00.223456Z"}]}'
)
# What begins like an example and is none, with the reason.
BROKEN = {
    "amend_order": "the first request lacks the brace that closes it",
    "cancel_order": "the answers stand in braces without names; each of them is read by itself",
}


def decoded(text: str) -> Any:
    """An example, by what it is: a request, an answer or a frame of a channel, or a row of the channel executions."""
    members = json.loads(text)
    if "method" in members and not {"result", "success", "error", "time_in"} & set(members):
        return decode_request(text)
    if "channel" in members or "method" in members:
        return decode_answer(text)
    if "exec_type" in members:
        return decoder(Execution)(text)
    raise AssertionError(f"no kind of message: {text}")


def assert_unchanged(text: str) -> None:
    """An example comes back with each member and each digit."""
    message = decoded(text)
    assert not isinstance(message, UnknownMessage), text
    assert tokens(encode(message)) == tokens(text)


# ------------------------------------------------------------------------------------------------ documented examples


def test_every_documented_example_comes_back_unchanged() -> None:
    count = 0
    for page in pages("websocket-v2"):
        text = page.read_text(encoding="utf-8")
        assert (page.stem in BROKEN) == bool(broken_values(text)), page.stem
        for example in json_values(text):
            assert_unchanged(example)
            count += 1
    assert count >= 80


def test_every_example_of_the_notes_comes_back_unchanged() -> None:
    examples = list(json_values(note("spot-ws-v2.md"), is_note=True))
    assert len(examples) >= 15
    for example in examples:
        assert_unchanged(example)


def test_every_published_payload_comes_back_unchanged() -> None:
    found = [
        path for path in sorted(require_capture("kraken-payloads").glob("ws_*.json")) if "futures" not in path.name
    ]
    assert len(found) >= 10
    for path in found:
        assert_unchanged(path.read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------------------- all messages


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_message_comes_back_as_it_was(kind: type[Message]) -> None:
    read = decoder(kind)

    @given(messages(kind))
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def check(message: Message) -> None:
        data = encode(message)
        again = read(data)
        assert again == message
        assert encode(again) == data

    check()


@given(st.sampled_from([kind for kind in KINDS if kind.__name__.endswith(("Frame", "Response"))]), st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_answer_is_told_by_its_channel_or_method(kind: type[Message], data: st.DataObject) -> None:
    message = data.draw(messages(kind))
    if kind is responses.ErrorResponse and message.method in {None, "pong", "subscribe"}:
        return
    assert decode_answer(encode(message)) == message


# ------------------------------------------------------------------------------------------------------------- numbers


def test_a_frame_of_the_book_comes_back_byte_for_byte() -> None:
    assert encode(decode_answer(BOOK)) == BOOK


@pytest.mark.parametrize("digits", ["0.00000000", "45283.50", "1e-08", "-0.00017", "5", "18446744073709551616", "1.0"])
def test_a_number_keeps_its_digits(digits: str) -> None:
    read = decoder(market.Level)
    data = f'{{"price":{digits},"qty":{digits}}}'.encode()
    assert read(data).price == Number(digits)
    assert encode(read(data)) == data


def test_a_number_in_quotes_keeps_them() -> None:
    # guides/spot-ws-book-v2 prints the book's numbers so; the live ticker was seen to.
    data = b'{"price":"45283.5","qty":"0.10000000"}'
    level = decoder(market.Level)(data)
    assert (level.price, level.qty.decimal) == (QuotedNumber("45283.5"), Number("0.1").decimal)
    assert encode(level) == data


@pytest.mark.parametrize("value", ["null", "true", '"1,5"', '""', "[]", "{}", '"NaN"'])
def test_what_is_no_number_is_refused_as_one(value: str) -> None:
    with pytest.raises(WireError, match=r"\$\.price"):
        decoder(market.Level)(f'{{"price":{value},"qty":1.0}}')


# ---------------------------------------------------------------------------------------------------- unknown and wrong


def test_what_a_newer_venue_adds_to_a_message_is_passed_over() -> None:
    newer = BOOK.replace(b'"checksum"', b'"depth_hint":{"a":[1.5]},"checksum"')
    assert decode_answer(newer) == decode_answer(BOOK)


def test_a_channel_or_method_of_a_newer_venue_is_kept_as_it_came() -> None:
    for data, channel, method in (
        (b'{"channel":"liquidity","type":"update","data":[]}', "liquidity", None),
        (b'{"method":"freeze","result":{},"success":true}', None, "freeze"),
        (b'{"channel":"balances","type":"delta","data":[]}', "balances", None),
        (b"{}", None, None),
    ):
        assert decode_answer(data) == UnknownMessage(data, channel, method)


def test_an_error_without_a_known_method_is_an_error() -> None:
    data = b'{"method":"","error":"Malformed request","success":false,"time_in":"t","time_out":"t"}'
    assert decode_answer(data) == responses.ErrorResponse(
        method="", error="Malformed request", success=False, time_in="t", time_out="t"
    )


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"5", b"null", b"\xff\xfe", b"[" * 100_000, b'{"channel":5}', b'{"channel":"book"}']
)
def test_what_is_no_answer_is_an_error_of_the_wire(data: bytes) -> None:
    with pytest.raises(WireError):
        decode_answer(data)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b'{"method":"freeze"}', b'{"method":"add_order"}', b'{"method":"ping","req_id":"7"}',
     b'{"method":"add_order","params":{"order_type":"limit","side":"buy","order_qty":"a"}}'],
)  # fmt: skip
def test_what_is_no_request_is_an_error_of_the_wire(data: bytes) -> None:
    with pytest.raises(WireError):
        decode_request(data)


def test_a_token_is_on_the_wire_and_nowhere_else() -> None:
    request = requests.CancelAll(params=requests.CancelAllParams(token=Token("hidden")), req_id=1)
    assert encode(request) == b'{"method":"cancel_all","params":{"token":"hidden"},"req_id":1}'
    assert "hidden" not in repr(request) + str(request)
    with pytest.raises(WireError) as failure:
        decode_request(b'{"method":"cancel_all","params":{"token":"hidden"},"req_id":"hidden"}')
    assert "hidden" not in str(failure.value)


def test_what_is_not_given_is_not_sent() -> None:
    order = requests.AddOrderParams(order_type="market", side="buy", order_qty=Number.of(1), symbol="BTC/USD")
    assert order.limit_price is UNSET
    assert encode(requests.AddOrder(params=order)) == (
        b'{"method":"add_order","params":{"order_type":"market","side":"buy","order_qty":1,"symbol":"BTC/USD"}}'
    )
