"""Checksums of printed books (guides/spot-ws-book-v1, guides/spot-ws-book-v2, guides/spot-ws-l3-v2)."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from adapters.kraken.wire.checksum import level3_checksum, printed_checksum
from adapters.kraken.wire.ws2.messages import decode_answer
from tests.adapters.kraken.wire.documented import json_values, pages

PRINTED = st.integers(1, 10**12).map(lambda units: f"{units // 10**8}.{units % 10**8:08d}")
LEVELS = st.lists(st.tuples(PRINTED, PRINTED), max_size=14, unique_by=lambda level: level[0])


def guide(name: str) -> Any:
    """The frame that a guide works its example with."""
    (page,) = [page for page in pages("guides") if page.stem == name]
    (text,) = json_values(page.read_text(encoding="utf-8"))
    return decode_answer(text)


def test_the_book_of_the_guide_has_its_checksum() -> None:
    (book,) = guide("spot-ws-book-v2").data
    asks, bids = ([(level.price.text, level.qty.text) for level in side] for side in (book.asks, book.bids))
    assert printed_checksum(asks, bids) == book.checksum == 3310070434


def test_the_orders_of_the_guide_have_their_checksum() -> None:
    (book,) = guide("spot-ws-l3-v2").data
    asks, bids = ([(order.limit_price.text, order.order_qty.text) for order in side] for side in (book.asks, book.bids))
    assert level3_checksum(asks, bids) == book.checksum == 1063832831


@given(LEVELS, LEVELS)
def test_the_checksum_is_over_digits_without_points_and_leading_zeros(
    asks: list[tuple[str, str]], bids: list[tuple[str, str]]
) -> None:
    digits = "".join(
        text.replace(".", "").lstrip("0") for side in (asks, bids) for level in side[:10] for text in level
    )
    assert printed_checksum(asks, bids) == crc32(digits.encode())


@given(LEVELS, LEVELS)
def test_with_one_order_at_each_price_both_checksums_are_one(
    asks: list[tuple[str, str]], bids: list[tuple[str, str]]
) -> None:
    assert level3_checksum(asks, bids) == printed_checksum(asks, bids)


def test_all_orders_of_the_ten_best_prices_count_and_no_others() -> None:
    asks = [(f"{price}.0", f"{qty}.5") for price in range(100, 110) for qty in (1, 2, 3)]
    digits = "".join(f"{price}0{qty}5" for price in range(100, 110) for qty in (1, 2, 3))
    assert level3_checksum([*asks, ("110.0", "9.0")], []) == crc32(digits.encode())
    assert level3_checksum([], asks) == crc32(digits.encode())
