"""A book kept from printed numbers. Pages: websocket-v2/book, guides/spot-ws-book-v2."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.kraken.client.instruments import Instruments
from adapters.kraken.client.live_book import LiveBook
from adapters.kraken.client.market_data import BOOK_UPDATE
from adapters.kraken.client.times import moment_ns
from adapters.kraken.symbols import SymbolTable
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.ws2.book import PrintedBookFrame, read_book
from adapters.kraken.wire.ws2.market import BookFrame
from adapters.kraken.wire.ws2.messages import decode_answer, decode_market
from framework.protocol import BUY, SELL, InstrumentSpec
from tests.benchmarks.book_updates import SYMBOL, book_messages


def book(tick_size: str = "0.1", lot_size: str = "0.00000001", depth: int = 10) -> LiveBook:
    spec = InstrumentSpec(symbol=SYMBOL, venue="kraken", tick_size=tick_size, lot_size=lot_size)
    names = {"XXBTZUSD": {"wsname": "XBT/USD", "altname": "XBTUSD"}}
    return LiveBook(Instruments([spec], SymbolTable.from_asset_pairs(names))[SYMBOL], depth)


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
        assert kept.checksum == told.data[0].checksum


def test_a_frame_that_is_printed_in_another_order_is_read_all_the_same() -> None:
    one = b'{"type":"snapshot","channel":"book","data":[{"checksum":7,"asks":[],"bids":[],"symbol":"BTC/USD"}]}'
    told = decode_market(one)
    assert isinstance(told, PrintedBookFrame)
    assert told.data[0].checksum == 7
    assert isinstance(decode_answer(one), BookFrame)


def test_a_level_is_added_changed_and_removed_and_what_changed_is_told() -> None:
    kept = book()
    told = [level("64000.1", "0.50000000"), level("64000.2", "1.00000000"), level("64000.1", "0.25000000")]
    kept.apply(frame(",".join(told)).data[0])
    assert kept.changes() == [
        (BUY, 640_001, 50_000_000),
        (BUY, 640_002, 100_000_000),
        (BUY, 640_001, 25_000_000),
    ]
    assert kept.levels(BUY, 5) == [(640_002, 100_000_000), (640_001, 25_000_000)]
    kept.apply(frame(level("64000.2", "0.00000000"), level("64000.3", "2.00000000")).data[0])
    assert kept.touch() == (640_001, 25_000_000, 640_003, 200_000_000)


def test_whole_numbers_and_numbers_in_quotes_are_numbers() -> None:
    kept = book(tick_size="1", lot_size="1")
    kept.apply(frame(f"{level('64000', '5')},{level(chr(34) + '63999' + chr(34), '3')}").data[0])
    assert kept.changes() == [
        (BUY, 64_000, 5),
        (BUY, 63_999, 3),
    ]


def test_a_grid_of_half_ticks_is_kept() -> None:
    kept = book(tick_size="0.5", lot_size="0.005")
    kept.apply(frame(level("10.5", "0.010")).data[0])
    assert kept.changes() == [(BUY, 21, 2)]


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
    kept = book()
    kept.apply(frame(level("63000.0", "1.00000000")).data[0])
    with pytest.raises(WireError):
        kept.apply(frame(f"{level('63000.1', '1.00000000')},{level(price, qty)}").data[0])
    assert kept.levels(BUY, 5) == [(630_000, 10**8)]


# ------------------------------------------------------------------------------------------------- from its bytes

PRICES = st.integers(639_990, 640_009).map(lambda ticks: f"{ticks // 10}.{ticks % 10}")
QTYS = st.one_of(st.just("0.00000000"), st.integers(1, 10**12).map(lambda lots: f"{lots // 10**8}.{lots % 10**8:08}"))
SIDES = st.lists(st.tuples(PRICES, QTYS), max_size=6).map(lambda levels: ",".join(level(*each) for each in levels))


def update(bids: str, asks: str, checksum: str = "7", moment: str = "2026-08-01T12:00:00.123456Z") -> bytes:
    data = f'"{SYMBOL}","bids":[{bids}],"asks":[{asks}],"checksum":{checksum},"timestamp":"{moment}"'
    return BOOK_UPDATE[:-1] + data.encode() + b"}]}"


def name_ends(message: bytes) -> int:
    return message.find(b'"', len(BOOK_UPDATE))


def seen(kept: LiveBook) -> tuple[object, ...]:
    return kept.levels(BUY, 100), kept.levels(SELL, 100), kept.checksum, kept.changes()


@given(st.lists(st.tuples(SIDES, SIDES), max_size=6), st.sampled_from((1, 3, 10)))
def test_an_update_read_from_its_bytes_makes_the_book_that_the_general_reader_makes(
    updates: list[tuple[str, str]], depth: int
) -> None:
    fast, general = book(depth=depth), book(depth=depth)
    for bids, asks in updates:
        message = update(bids, asks)
        assert fast.read(message, name_ends(message))
        told = decode_market(message)
        assert isinstance(told, PrintedBookFrame)
        general.apply(told.data[0])
        assert seen(fast) == seen(general)
        assert fast.told_checksum == told.data[0].checksum
        assert fast.told_ns == moment_ns(told.data[0].timestamp)  # type: ignore[arg-type]


USUAL = update(level("64000.1", "1.00000000"), level("64000.2", "12.34567890"))


@given(st.integers(name_ends(USUAL) + 1, len(USUAL)), st.binary(max_size=3), st.integers(0, 3))
@example(len(USUAL), b" ", 0)
@example(len(USUAL), b"\0", 0)
def test_a_message_of_any_bytes_is_read_as_by_the_general_reader_or_left_to_it(at: int, put: bytes, cut: int) -> None:
    message = USUAL[:at] + put + USUAL[at + cut :]
    kept, general = book(), book()
    before = seen(kept)
    if not kept.read(message, name_ends(message)):
        assert seen(kept) == before
        return
    told = decode_market(message)
    assert isinstance(told, PrintedBookFrame)
    general.apply(told.data[0])
    assert (kept.levels(BUY, 9), kept.levels(SELL, 9)) == (general.levels(BUY, 9), general.levels(SELL, 9))
    assert (kept.told_checksum, kept.told_ns) == (told.data[0].checksum, moment_ns(told.data[0].timestamp))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", range(len(USUAL)))
def test_a_message_that_is_cut_off_is_left_to_the_general_reader(size: int) -> None:
    kept = book()
    assert not kept.read(USUAL[:size], min(size, name_ends(USUAL)))
    assert kept.levels(BUY, 9) == []


@pytest.mark.parametrize(
    "unusual",
    [
        USUAL.replace(b"64000.1", b"64000.15"),
        USUAL.replace(b"64000.1", b"64000"),
        USUAL.replace(b"64000.1", b"064000.1"),
        USUAL.replace(b"64000.1", b"-64000.1"),
        USUAL.replace(b"64000.1", b"6.40001e4"),
        USUAL.replace(b"64000.1", b"9" * 18 + b".1"),
        USUAL.replace(b"1.00000000", b"1.0"),
        USUAL.replace(b'"checksum":7', b'"checksum":07'),
        USUAL.replace(b'"checksum":7', b'"checksum":-7'),
        USUAL.replace(b"2026-08-01", b"2026-13-01"),
        USUAL.replace(b"T12:", b"T24:"),
        USUAL.replace(b"2026-", b"3026-"),
        USUAL.replace(b"Z", b"+01:00"),
        USUAL.replace(b'"qty":1.0', b'"qty": 1.0'),
    ],
)
def test_what_is_printed_in_an_unusual_way_is_left_to_the_general_reader(unusual: bytes) -> None:
    assert unusual != USUAL
    assert not book().read(unusual, name_ends(unusual))


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00Z", "2024-02-29T23:59:59.999999999Z", "2100-12-31T00:00:00.5Z"])
def test_the_time_of_a_message_is_read_from_its_bytes(moment: str) -> None:
    kept, message = book(), update("", "", moment=moment)
    assert kept.read(message, name_ends(message))
    assert kept.told_ns == moment_ns(moment)


def test_a_book_takes_more_levels_than_it_has_room_for() -> None:
    levels = ",".join(level(f"{ticks // 10}.{ticks % 10}", "1.00000000") for ticks in range(640_000, 637_500, -1))
    kept = book(depth=1_000)
    message = update(levels, "")
    assert not kept.read(message, name_ends(message))
    kept.apply(frame(levels).data[0])
    assert kept.levels(BUY, 2_500) == [(ticks, 10**8) for ticks in range(640_000, 639_000, -1)]
    assert len(kept.changes()) == 2_500 + 1_500
    assert kept.read(update(level("64000.1", "2.00000000"), ""), name_ends(message))
    assert kept.changes() == [(BUY, 640_001, 2 * 10**8), (BUY, 639_001, 0)]
    kept.depth = 10
    assert kept.touch() == (0, 0, 0, 0)


def test_a_number_beyond_64_bits_is_an_error_of_the_wire() -> None:
    with pytest.raises(WireError, match=re.escape("64 bits")):
        book().apply(frame(level(f"{10**20}.0", "1.00000000")).data[0])
