"""Book frames for who keeps a book from them: numbers as the text that was printed, which is what checksums are over.

They are frames of ``market.BookFrame``, read without making an object of each number. A number that was printed without
a point is an int. Source: websocket-v2/book, guides/spot-ws-book-v2.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message, text_decoder
from adapters.kraken.wire.errors import WireError

__all__ = ["PrintedBook", "PrintedBookFrame", "PrintedLevel", "number_text", "read_book"]


class PrintedLevel(Message, frozen=True):
    """A price and all that rests at it, as printed; a quantity of 0 removes the level. ``number_text`` checks them."""

    price: Any
    qty: Any


class PrintedBook(Message, frozen=True):
    """As ``market.Book``."""

    symbol: str
    bids: list[PrintedLevel]
    asks: list[PrintedLevel]
    checksum: int
    timestamp: Maybe[str] = UNSET


class PrintedBookFrame(Message, frozen=True, tag_field="channel", tag="book"):
    """As ``market.BookFrame``."""

    type: str
    data: list[PrintedBook]


read_book = text_decoder(PrintedBookFrame)
"""The frame of bytes. Raises WireError for what is no frame of a book."""


def number_text(value: Any) -> str:
    """The text of a number of a level; raises WireError for what can be none."""
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    raise WireError("a price or a quantity of a book is no number")
