"""A book kept from printed numbers. Pages: websocket-v2/book, guides/spot-ws-book-v2."""

from __future__ import annotations

import pytest

from adapters.kraken.client.instruments import Instruments
from adapters.kraken.client.live_book import LiveBook
from adapters.kraken.symbols import SymbolTable
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.ws2.book import PrintedBookFrame, read_book
from adapters.kraken.wire.ws2.market import BookFrame
from adapters.kraken.wire.ws2.messages import decode_answer, decode_market
from framework.protocol import BUY, SELL, InstrumentSpec
from tests.benchmarks.book_updates import SYMBOL, book_messages


def book(tick_size: str = "0.1", lot_size: str = "0.00000001") -> LiveBook:
    spec = InstrumentSpec(symbol=SYMBOL, venue="kraken", tick_size=tick_size, lot_size=lot_size)
    names = {"XXBTZUSD": {"wsname": "XBT/USD", "altname": "XBTUSD"}}
    return LiveBook(Instruments([spec], SymbolTable.from_asset_pairs(names))[SYMBOL])


def frame(bids: str, asks: str = "") -> PrintedBookFrame:
    data = f'{{"symbol":"{SYMBOL}","bids":[{bids}],"asks":[{asks}],"checksum":0}}'
    return read_book(f'{{"channel":"book","type":"update","data":[{data}]}}')


def level(price: str, qty: str) -> str:
    return f'{{"price":{price},"qty":{qty}}}'


def test_every_checksum_of_a_thousand_updates_comes_out() -> None:
    kept = book()
    for message in book_messages(1_000):
        told = decode_market(message)
        assert isinstance(told, PrintedBookFrame)
        kept.apply(told.data[0])
        kept.cut(10)
        assert kept.checksum() == told.data[0].checksum


def test_a_frame_that_is_printed_in_another_order_is_read_all_the_same() -> None:
    one = b'{"type":"snapshot","channel":"book","data":[{"checksum":7,"asks":[],"bids":[],"symbol":"BTC/USD"}]}'
    told = decode_market(one)
    assert isinstance(told, PrintedBookFrame)
    assert told.data[0].checksum == 7
    assert isinstance(decode_answer(one), BookFrame)


def test_a_level_is_added_changed_and_removed_and_what_changed_is_told() -> None:
    kept = book()
    told = [level("64000.1", "0.50000000"), level("64000.2", "1.00000000"), level("64000.1", "0.25000000")]
    assert kept.apply(frame(",".join(told)).data[0]) == [
        (BUY, 640_001, 50_000_000),
        (BUY, 640_002, 100_000_000),
        (BUY, 640_001, 25_000_000),
    ]
    assert kept.levels(BUY, 5) == [(640_002, 100_000_000), (640_001, 25_000_000)]
    kept.apply(frame(level("64000.2", "0.00000000"), level("64000.3", "2.00000000")).data[0])
    assert kept.touch() == (640_001, 25_000_000, 640_003, 200_000_000)
    assert kept.cut(0) == [(BUY, 640_001), (SELL, 640_003)]
    assert kept.touch() == (0, 0, 0, 0)


def test_whole_numbers_and_numbers_in_quotes_are_numbers() -> None:
    kept = book(tick_size="1", lot_size="1")
    assert kept.apply(frame(f"{level('64000', '5')},{level(chr(34) + '63999' + chr(34), '3')}").data[0]) == [
        (BUY, 64_000, 5),
        (BUY, 63_999, 3),
    ]


def test_a_grid_of_half_ticks_is_kept() -> None:
    kept = book(tick_size="0.5", lot_size="0.005")
    assert kept.apply(frame(level("10.5", "0.010")).data[0]) == [(BUY, 21, 2)]


@pytest.mark.parametrize(
    ("price", "qty"),
    [
        ("64000.15", "1.00000000"),
        ("64000.1", "1.000000001"),
        ("64000.1", "-1.00000000"),
        ("64000.1", "1e-3"),
        ("null", "1.00000000"),
        ("[1]", "1.00000000"),
        ("64000.1", '"one"'),
        ("64000.1", "1" * 5_000 + ".00000000"),
        ("64000.1", '"1_0.00000000"'),
        ("1" * 5_000 + ".1", "1.00000000"),
    ],
)
def test_what_is_no_number_of_the_grid_is_an_error_of_the_wire(price: str, qty: str) -> None:
    with pytest.raises(WireError):
        book().apply(frame(level(price, qty)).data[0])
