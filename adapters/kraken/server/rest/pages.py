"""Pages of an account's past: newest first, fifty at a time, between two moments or two rows.

Source: rest-api/get-trade-history and the pages beside it: ``start`` is exclusive, ``end`` inclusive, and both are
seconds or the id of a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adapters.kraken.server.refusal import invalid
from adapters.kraken.server.rest.params import Params

__all__ = ["PAGE_ROWS", "After", "Place", "page_of", "seconds_ns"]

PAGE_ROWS = 50
_NS = 10**9

type Place = tuple[int, int | str]
"""Where a row stands in time: nanoseconds, and its number among those of one instant."""


class After:
    """Comes after every number and every text: the end of an instant."""

    def __gt__(self, other: object) -> bool:
        return True

    def __lt__(self, other: object) -> bool:
        return False


_END: Any = After()


def page_of[T](
    params: Params,
    rows: Sequence[T],
    places: Callable[[T], tuple[Place, ...]],
    place_of_id: Callable[[str], Place | None],
) -> tuple[list[T], int]:
    """The page that a request asks for, and how many rows there are in all of its pages.

    rows: oldest first. places: of a row; it is in if one of them is. place_of_id: of the row with an id, None for an id
    that there is not. Raises Refusal for bounds and offsets that make no sense.
    """
    start = _bound(params, "start", place_of_id)
    end = _bound(params, "end", place_of_id)
    found = list(rows)
    if start is not None or end is not None:
        found = [
            row
            for row in rows
            if any((start is None or place > start) and (end is None or not place > end) for place in places(row))
        ]
    offset = params.whole("ofs", 0, 0, 2**31 - 1)
    found.reverse()
    return found[offset : offset + PAGE_ROWS], len(found)


def _bound(params: Params, name: str, place_of_id: Callable[[str], Place | None]) -> Place | None:
    text = params.get(name)
    if not text:
        return None
    at_ns = seconds_ns(text)
    if at_ns is not None:
        return None if at_ns == 0 else (at_ns, _END)
    place = place_of_id(text)
    if place is None:
        raise invalid(name)
    return place


def seconds_ns(text: str) -> int | None:
    """Seconds since the epoch, with a fraction or without, in nanoseconds; None for any other text."""
    whole, _, fraction = text.partition(".")
    if not (text.isascii() and whole.isdigit() and (not fraction or fraction.isdigit())) or len(whole) > 10:
        return None
    return int(whole) * _NS + int(fraction[:9].ljust(9, "0"))
