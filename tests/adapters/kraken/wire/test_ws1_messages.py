"""Messages of WebSocket v1 as structs (websocket-v1, all pages; guides/spot-ws-book-v1)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.kraken.wire import codec
from adapters.kraken.wire.codec import Message, decoder
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.ws1 import account, events, market, requests
from adapters.kraken.wire.ws1.market import BookPart
from adapters.kraken.wire.ws1.messages import (
    BookFrame,
    OhlcFrame,
    OpenOrdersFrame,
    OwnTradesFrame,
    SpreadFrame,
    TickerFrame,
    TradeFrame,
    UnknownMessage,
    decode_answer,
    decode_request,
    encode,
)
from tests.adapters.kraken.wire.documented import broken_values, json_values, note, pages, tokens
from tests.adapters.kraken.wire.generated import message_kinds, messages
from tests.captures import require_capture

KINDS = message_kinds(account, events, market, requests)
BOOK = (
    b'[464,{"a":[["64000.30000","0.10000000","1785585616.000001"]]},'
    b'{"b":[["63999.90000","0.00000000","1785585616.000002","r"]],"c":"974942666"},"book-10","XBT/USD"]'
)


def assert_unchanged(text: str) -> Any:
    """An example, by what it is: a request, or anything that the venue sends."""
    members = json.loads(text)
    is_request = isinstance(members, dict) and (
        members["event"] in {"subscribe", "unsubscribe", "ping"} or "token" in members
    )
    message: Any = decode_request(text) if is_request else decode_answer(text)
    assert not isinstance(message, UnknownMessage), text
    assert tokens(encode(message)) == tokens(text)
    return message


# ------------------------------------------------------------------------------------------------ documented examples


def test_every_documented_example_comes_back_unchanged() -> None:
    count = 0
    for page in pages("websocket-v1"):
        text = page.read_text(encoding="utf-8")
        assert not broken_values(text), page.stem
        for example in json_values(text):
            assert_unchanged(example)
            count += 1
    assert count >= 40


def test_every_example_of_the_notes_comes_back_unchanged() -> None:
    examples = list(json_values(note("spot-ws-v1.md"), is_note=True))
    assert len(examples) >= 20
    for example in examples:
        assert_unchanged(example)


@pytest.mark.parametrize("name", ["book1000.tsv", "trade.tsv"])
def test_what_the_live_service_sent_comes_back_byte_for_byte(name: str) -> None:
    lines = (require_capture("kraken-spot-ws1-2021-04") / name).read_text(encoding="utf-8").splitlines()
    assert len(lines) > 40
    for line in lines[:5_000]:
        text = line.partition("\t")[2]
        message = decode_answer(text)
        assert not isinstance(message, UnknownMessage), text
        assert encode(message).decode() == text


# ------------------------------------------------------------------------------------------------------- all messages


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_message_comes_back_as_it_was(kind: type[Message]) -> None:
    read = decoder(kind)

    @given(messages(kind))
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def check(message: Message) -> None:
        data = codec.encode(message)
        again = read(data)
        assert again == message
        assert codec.encode(again) == data

    check()


TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
IDS = st.integers(0, 2**64 - 1)


def frames(kind: Any, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(*parts).map(lambda drawn: kind(*drawn))


def rows(kind: type[Message]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.dictionaries(TEXT, messages(kind), max_size=2), max_size=2)


BOOK_PARTS = st.lists(messages(BookPart), min_size=1, max_size=2).map(tuple)
FRAMES = st.one_of(
    frames(BookFrame, IDS, BOOK_PARTS, st.sampled_from(["book-10", "book-1000"]), TEXT),
    frames(TickerFrame, IDS, messages(market.Ticker), st.just("ticker"), TEXT),
    frames(TradeFrame, IDS, st.lists(messages(market.Trade), max_size=3), st.just("trade"), TEXT),
    frames(OhlcFrame, IDS, messages(market.Candle), st.sampled_from(["ohlc-1", "ohlc-60"]), TEXT),
    frames(SpreadFrame, IDS, messages(market.Spread), st.just("spread"), TEXT),
    frames(OwnTradesFrame, rows(account.OwnTrade), st.just("ownTrades"), IDS),
    frames(OpenOrdersFrame, rows(account.OpenOrder), st.just("openOrders"), IDS),
)


@given(FRAMES)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_frame_of_a_channel_comes_back_as_it_was(frame: Any) -> None:
    data = encode(frame)
    assert decode_answer(data) == frame
    assert encode(decode_answer(data)) == data


@given(st.sampled_from(message_kinds(events)), st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_event_is_told_by_its_name(kind: type[Message], data: st.DataObject) -> None:
    if kind is events.SubscribedTo:
        return
    message: Any = data.draw(messages(kind))
    assert decode_answer(encode(message)) == message


# ---------------------------------------------------------------------------------------------------- unknown and wrong


def test_a_frame_of_the_book_comes_back_byte_for_byte() -> None:
    frame = decode_answer(BOOK)
    assert isinstance(frame, BookFrame)
    assert (frame.channel, frame.pair, len(frame.payload)) == ("book-10", "XBT/USD", 2)
    assert encode(frame) == BOOK
    assert decode_answer(b" \n" + BOOK) == frame


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'{"event":"newEvent","a":1}', "newEvent"),
        (b"{}", None),
        (b'[0,{"x":1},"depth-10","XBT/USD"]', "depth-10"),
        (b'[[{"a":{}}],"ownTransfers",{"sequence":1}]', "ownTransfers"),
        (b'[0,{},{},"ticker","XBT/USD"]', "ticker"),
    ],
)
def test_what_only_a_newer_venue_has_is_kept_as_it_came(data: bytes, name: str | None) -> None:
    assert decode_answer(data) == UnknownMessage(data, name)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"[1]", b"5", b"null", b"\xff\xfe", b"[" * 100_000, b'{"event":5}', b'{"event":"systemStatus"}',
     b'[1,{"a":5},"book-10","XBT/USD"]', b'["1",{},"book-10","XBT/USD"]', b'[1,[],"trade",5]', b'[1,2,3,4]',
     b'[[],"ownTrades",{}]', b'[[],5,{"sequence":1}]'],
)  # fmt: skip
def test_what_is_no_answer_is_an_error_of_the_wire(data: bytes) -> None:
    with pytest.raises(WireError):
        decode_answer(data)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"event":"freeze"}', b'{"event":"addOrder","token":"hidden"}'])
def test_what_is_no_request_is_an_error_of_the_wire(data: bytes) -> None:
    with pytest.raises(WireError) as failure:
        decode_request(data)
    assert "hidden" not in str(failure.value)


def test_a_token_is_on_the_wire_and_nowhere_else() -> None:
    request = requests.CancelAll(token=Token("hidden"))
    assert encode(request) == b'{"event":"cancelAll","token":"hidden"}'
    assert "hidden" not in repr(request) + str(request)


def test_the_close_of_an_order_has_brackets_in_its_names() -> None:
    order = requests.AddOrder(ordertype="limit", pair="XBT/USD", type="buy", close_ordertype="limit", close_price="1")
    assert encode(order) == (
        b'{"event":"addOrder","ordertype":"limit","pair":"XBT/USD","type":"buy","close[ordertype]":"limit",'
        b'"close[price]":"1"}'
    )
