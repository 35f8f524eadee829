"""The compiled part of a book that is kept from the wire: levels put in their places, the checksum, and updates read
from the bytes of a message as the venue prints them.

All functions work on one piece of memory, 64-bit integers as ``BookMemory`` lays them out, and are given its address.
Nothing is changed by a message that is not read to its end; what is printed in another way than the usual one is left
to the reader that knows all ways (``wire.ws2.book``). Sources: websocket-v2/book, guides/spot-ws-book-v2.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numba import njit

from framework.machine_code import Pointer, kept, p64, source_stamp
from framework.protocol import BUY, SELL

__all__ = ["CHECKED_LEVELS", "GOOD", "BookMemory", "read_update", "settle"]

CHECKED_LEVELS = 10
"""So many levels of each side are in the checksum."""
GOOD = 1
"""An update was read and applied; else it is printed in an unusual way, or there is no room for it."""

# Where the fields of a book are in its memory. Of its sides: how many levels; of levels and of what is told: how much
# room; of prices and quantities: decimals, and units of the last one to a tick or a lot; the depth that is kept; of the
# newest message: its checksum, its time, how many changes it made; the checksum of what is kept; room for digits.
_COUNT, _LEVEL_ROOM, _TOLD_ROOM, _TICK_DECIMALS, _TICK_UNITS, _LOT_DECIMALS, _LOT_UNITS = 0, 2, 3, 4, 5, 6, 7
_DEPTH, _TOLD_CHECKSUM, _TS_NS, _CHANGES, _CHECKSUM, _DIGITS, _HEAD = 8, 9, 10, 11, 12, 13, 40
# Columns of what is told, each as long as its room: side, price in ticks, quantity in lots, and their printed digits.
_TOLD_COLUMNS = 5
# Rows of changes after it, twice as many: side, price, quantity. Then the sides: ``keys``, which are prices, those of
# bids negative, so that both begin with the best; quantities; and the printed digits of both.
_CHANGE_FIELDS, _LEVEL_COLUMNS = 3, 4
_MAX_DIGITS = 18

# What a byte does to a CRC-32: by the sum of what is left of it when the bytes before have left zeros.
_CRC: Any = np.array([~crc32(bytes((byte ^ 0xFF,))) & 0xFFFFFFFF ^ 0x00FFFFFF for byte in range(256)], np.int64)
_NEXT, _BIDS, _ASKS = (np.frombuffer(text, np.uint8) for text in (b",", b'","bids":[', b'],"asks":['))
_PRICE, _QTY, _SUM = (np.frombuffer(text, np.uint8) for text in (b'{"price":', b',"qty":', b'],"checksum":'))
_TIME, _END = np.frombuffer(b',"timestamp":"', np.uint8), np.frombuffer(b'Z"}]}', np.uint8)
_ZERO, _NINE, _POINT, _CLOSED, _SHUT = 48, 57, 46, 125, 93
_DAY_S, _SECOND_NS = 86_400, 10**9

_STAMP = source_stamp((Path(__file__),), (BUY, SELL))
_njit: Any = njit


def _inner[F: Callable[..., Any]](function: F) -> F:
    """A function that only compiled code calls."""
    return _njit(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[no-any-return]


def _outer[F: Callable[..., Any]](function: F) -> F:
    """A function that Python calls; its machine code is kept on disk if any place for it is writable."""
    return kept(_njit(function), function, _STAMP)  # type: ignore[no-any-return]


class BookMemory:
    """The memory of one book. values: the integers; address: where they are, until ``reserve`` moves them.

    Of both sides, which are numbered as BUY and SELL: count of levels, and where keys and quantities begin.
    """

    __slots__ = ("address", "keys_at", "lots_at", "values")

    def __init__(self, depth: int, ticks: tuple[int, int], lots: tuple[int, int]) -> None:
        """ticks, lots: decimals of a price or a quantity, and units of the last one to a tick or a lot."""
        self._lay(64, 64)
        head = (*ticks, *lots, depth)
        self.values[_TICK_DECIMALS : _TICK_DECIMALS + len(head)] = array("q", head)

    def _lay(self, level_room: int, told_room: int) -> None:
        sides_at = _HEAD + (_TOLD_COLUMNS + 2 * _CHANGE_FIELDS) * told_room
        self.values = array("q", bytes(8 * (sides_at + 2 * _LEVEL_COLUMNS * level_room)))
        self.values[_LEVEL_ROOM], self.values[_TOLD_ROOM] = level_room, told_room
        self.address = self.values.buffer_info()[0]
        self.keys_at = (sides_at, sides_at + _LEVEL_COLUMNS * level_room)
        self.lots_at = (sides_at + level_room, sides_at + (_LEVEL_COLUMNS + 1) * level_room)

    def reserve(self, told_count: int) -> None:
        """Have room for so many more levels, and for a message that tells them."""
        old, keys_at = self.values, self.keys_at
        levels, told = old[_LEVEL_ROOM], old[_TOLD_ROOM]
        needed = max(old[_COUNT + BUY], old[_COUNT + SELL]) + told_count
        if needed <= levels and told_count <= told:
            return
        self._lay(max(levels, 2 * needed), max(told, 2 * told_count))
        self.values[:_LEVEL_ROOM] = old[:_LEVEL_ROOM]
        self.values[_TICK_DECIMALS:_HEAD] = old[_TICK_DECIMALS:_HEAD]
        for was_at, at in zip(keys_at, self.keys_at, strict=True):
            for column in range(_LEVEL_COLUMNS):
                begin = at + column * self.values[_LEVEL_ROOM]
                self.values[begin : begin + levels] = old[was_at + column * levels : was_at + (column + 1) * levels]

    def tell(self, rows: list[tuple[int, int, int, int, int]]) -> None:
        """Write down what a message tells, for ``settle``: (side, ticks, lots, digits of the price, of the quantity).

        Raises OverflowError for a number beyond 64 bits.
        """
        self.reserve(len(rows))
        room = self.values[_TOLD_ROOM]
        for column, values in enumerate(zip(*rows, strict=True)):
            begin = _HEAD + column * room
            self.values[begin : begin + len(rows)] = array("q", values)

    def clear(self) -> None:
        """No level is left."""
        self.values[_COUNT + BUY] = self.values[_COUNT + SELL] = 0

    @property
    def depth(self) -> int:
        """So many levels of each side are kept."""
        return self.values[_DEPTH]

    @depth.setter
    def depth(self, levels: int) -> None:
        if levels != self.values[_DEPTH]:  # a book of another depth begins anew
            self.clear()
        self.values[_DEPTH] = levels

    @property
    def checksum(self) -> int:
        """Of the best levels, as of the newest message."""
        return self.values[_CHECKSUM]

    @property
    def told_checksum(self) -> int:
        """What the newest message that ``read_update`` has read says that it is."""
        return self.values[_TOLD_CHECKSUM]

    @property
    def ts_ns(self) -> int:
        """The time of that message."""
        return self.values[_TS_NS]

    def touch(self) -> tuple[int, int, int, int]:
        """Bid price, bid quantity, ask price, ask quantity; quantity 0: an empty side."""
        values, (bids, asks) = self.values, self.keys_at
        bid_ticks, bid_lots = (-values[bids], values[self.lots_at[BUY]]) if values[_COUNT + BUY] else (0, 0)
        return (
            (bid_ticks, bid_lots, values[asks], values[self.lots_at[SELL]])
            if values[_COUNT + SELL]
            else (bid_ticks, bid_lots, 0, 0)
        )

    def best(self, side: int, count: int) -> list[tuple[int, int]]:
        """The best levels of a side as (ticks, lots)."""
        values, keys, lots = self.values, self.keys_at[side], self.lots_at[side]
        count = min(max(count, 0), values[_COUNT + side])
        sign = 1 if side == SELL else -1
        prices = [sign * key for key in values[keys : keys + count]]
        return list(zip(prices, values[lots : lots + count], strict=True))

    def changes(self) -> list[tuple[int, int, int]]:
        """What the newest message has changed, in its order, then what it has pushed out: (side, ticks, lots)."""
        values = self.values
        begin = _HEAD + _TOLD_COLUMNS * values[_TOLD_ROOM]
        fields = values[begin : begin + _CHANGE_FIELDS * values[_CHANGES]].tolist()
        return list(zip(fields[::3], fields[1::3], fields[2::3], strict=True))


@_inner
def _place(book: Pointer, side: int) -> int:
    """Where the columns of a side begin."""
    return (
        _HEAD
        + (_TOLD_COLUMNS + 2 * _CHANGE_FIELDS) * book[_TOLD_ROOM]
        + (_LEVEL_COLUMNS * book[_LEVEL_ROOM] if side == SELL else 0)
    )


@_inner
def _put(book: Pointer, side: int, ticks: int, lots: int, price_digits: int, qty_digits: int) -> None:
    """A level's quantity replaces the one before; 0 removes it."""
    room, count, keys = book[_LEVEL_ROOM], book[_COUNT + side], _place(book, side)
    key = ticks if side == SELL else -ticks
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if book[keys + middle] < key:
            low = middle + 1
        else:
            high = middle
    is_there = low < count and book[keys + low] == key
    if lots:
        if not is_there:
            for column in range(_LEVEL_COLUMNS):
                begin = keys + column * room
                for at in range(begin + count, begin + low, -1):
                    book[at] = book[at - 1]
            book[_COUNT + side] = count + 1
        at = keys + low
        book[at], book[at + room], book[at + 2 * room], book[at + 3 * room] = key, lots, price_digits, qty_digits
    elif is_there:
        for column in range(_LEVEL_COLUMNS):
            begin = keys + column * room
            for at in range(begin + low, begin + count - 1):
                book[at] = book[at + 1]
        book[_COUNT + side] = count - 1


@_inner
def _summed(book: Pointer, number: int, crc: int) -> int:
    """A CRC-32 that goes on over the digits of a number."""
    at = _DIGITS
    while True:
        rest = number // 10
        book[at] = _ZERO + number - 10 * rest
        at, number = at + 1, rest
        if number == 0:
            break
    while at > _DIGITS:
        at -= 1
        crc = _CRC[(crc ^ book[at]) & 0xFF] ^ (crc >> 8)
    return crc


@_inner
def _settle(book: Pointer, count: int) -> None:
    told, room = _HEAD, book[_TOLD_ROOM]
    change = _HEAD + _TOLD_COLUMNS * room
    for at in range(told, told + count):
        side, ticks, lots = book[at], book[at + room], book[at + 2 * room]
        _put(book, side, ticks, lots, book[at + 3 * room], book[at + 4 * room])
        book[change], book[change + 1], book[change + 2] = side, ticks, lots
        change += _CHANGE_FIELDS
    depth = book[_DEPTH]
    for side in (BUY, SELL):
        keys = _place(book, side)
        for at in range(keys + depth, keys + book[_COUNT + side]):
            book[change], book[change + 1], book[change + 2] = side, book[at] if side == SELL else -book[at], 0
            change += _CHANGE_FIELDS
        book[_COUNT + side] = min(depth, book[_COUNT + side])
    book[_CHANGES] = (change - _HEAD - _TOLD_COLUMNS * room) // _CHANGE_FIELDS
    crc = 0xFFFFFFFF
    for side in (SELL, BUY):
        digits = _place(book, side) + 2 * book[_LEVEL_ROOM]
        for at in range(digits, digits + min(CHECKED_LEVELS, book[_COUNT + side])):
            crc = _summed(book, book[at], crc)
            crc = _summed(book, book[at + book[_LEVEL_ROOM]], crc)
    book[_CHECKSUM] = crc ^ 0xFFFFFFFF


@_outer
def settle(address: int, count: int) -> None:
    """Apply so many levels that ``BookMemory.tell`` has written down, cut the book to its depth, and sum it up."""
    _settle(p64(address), count)


@_inner
def _after(data: Any, at: int, text: Any) -> int:
    """Where a text ends that must be here; -1 where another one is. A message ends with a zero, which is in no text."""
    if at < 0:
        return -1
    for i in range(len(text)):
        if data[at + i] != text[i]:
            return -1
    return at + len(text)


@_inner
def _number(data: Any, at: int, decimals: int) -> tuple[int, int]:
    """The digits of a number with so many decimals, without its point, and where it ends; -1 for another number."""
    value, begin = 0, at
    while _ZERO <= data[at] <= _NINE:
        value = 10 * value + data[at] - _ZERO
        at += 1
        if at - begin > _MAX_DIGITS:
            return 0, -1
    whole = at - begin
    if whole == 0 or (whole > 1 and data[begin] == _ZERO) or whole + decimals > _MAX_DIGITS:
        return 0, -1
    if decimals:
        if data[at] != _POINT:
            return 0, -1
        at += 1
        for _ in range(decimals):
            if not _ZERO <= data[at] <= _NINE:
                return 0, -1
            value = 10 * value + data[at] - _ZERO
            at += 1
    return value, at


@_inner
def _levels(data: Any, at: int, book: Pointer, side: int, count: int) -> tuple[int, int]:
    """Write down the levels of a side after so many others; how many there are then, and where they end, or -1."""
    room, is_first = book[_TOLD_ROOM], True
    tick_units, lot_units = book[_TICK_UNITS], book[_LOT_UNITS]
    while data[at] != _SHUT:
        at = _after(data, at if is_first else _after(data, at, _NEXT), _PRICE)
        is_first = False
        if at < 0 or count >= room:
            return count, -1
        price, at = _number(data, at, book[_TICK_DECIMALS])
        at = _after(data, at, _QTY)
        if at < 0:
            return count, -1
        qty, at = _number(data, at, book[_LOT_DECIMALS])
        if at < 0 or data[at] != _CLOSED or price % tick_units or qty % lot_units:
            return count, -1
        row = _HEAD + count
        book[row], book[row + room], book[row + 2 * room] = side, price // tick_units, qty // lot_units
        book[row + 3 * room], book[row + 4 * room] = price, qty
        at, count = at + 1, count + 1
    return count, at


@_inner
def _part(data: Any, at: int, size: int, before: int) -> tuple[int, int]:
    """So many digits after a character; their number and where they end, or -1."""
    if at < 0 or (before and data[at] != before):
        return 0, -1
    at += 1 if before else 0
    value = 0
    for _ in range(size):
        if not _ZERO <= data[at] <= _NINE:
            return 0, -1
        value = 10 * value + data[at] - _ZERO
        at += 1
    return value, at


@_inner
def _time(data: Any, at: int) -> tuple[int, int]:
    """A time of RFC 3339 up to its Z, in nanoseconds since 1970, and where it ends, or -1."""
    year, at = _part(data, at, 4, 0)
    month, at = _part(data, at, 2, 45)
    day, at = _part(data, at, 2, 45)
    hour, at = _part(data, at, 2, 84)
    minute, at = _part(data, at, 2, 58)
    second, at = _part(data, at, 2, 58)
    if at < 0 or not 1970 <= year <= 2200 or not 1 <= month <= 12 or not 1 <= day <= 31:
        return 0, -1
    if hour > 23 or minute > 59 or second > 59:
        return 0, -1
    fraction, unit = 0, _SECOND_NS
    if data[at] == _POINT:
        at += 1
        while _ZERO <= data[at] <= _NINE and unit > 1:
            unit //= 10
            fraction += unit * (data[at] - _ZERO)
            at += 1
    # Days since 1970-01-01 of the Gregorian calendar, whose years are counted from March here.
    years, months = (year - 1, month + 9) if month <= 2 else (year, month - 3)
    days = 365 * years + years // 4 - years // 100 + years // 400 + (153 * months + 2) // 5 + day - 1 - 719_468
    return (days * _DAY_S + hour * 3_600 + minute * 60 + second) * _SECOND_NS + fraction, at


@_outer
def read_update(data: bytes, at: int, address: int) -> int:
    """Apply the update of a book that a message tells; ``GOOD``, or 0 for one that the general reader is to read.

    at: where the name of the pair ends, with which and with the type the message begins. What was told is in the memory
    then; whether its checksum is right is for the caller.
    """
    book = p64(address)
    at = _after(data, at, _BIDS)
    if at < 0:
        return 0
    count, at = _levels(data, at, book, BUY, 0)
    at = _after(data, at, _ASKS)
    if at < 0:
        return 0
    count, at = _levels(data, at, book, SELL, count)
    at = _after(data, at, _SUM)
    if at < 0 or max(book[_COUNT + BUY], book[_COUNT + SELL]) + count > book[_LEVEL_ROOM]:
        return 0
    checksum, at = _number(data, at, 0)
    at = _after(data, at, _TIME)
    if at < 0:
        return 0
    ts_ns, at = _time(data, at)
    if _after(data, at, _END) != len(data):
        return 0
    book[_TOLD_CHECKSUM], book[_TS_NS] = checksum, ts_ns
    _settle(book, count)
    return GOOD
