"""Bytes to messages, and back.

A message on the wire is ``8=...|9=<length>|35=<type>|...|10=<checksum>|``, each field ended by SOH (FIX 4.4, volume 1,
"Message format"). ``Framer`` cuts a stream of bytes into frames; what is garbled is passed over as the standard asks.
``decode`` reads a frame. ``encode`` writes one: fields in the order given, length and checksum computed.

Values are bytes as on the wire: digits of prices stay as they were written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zlib import adler32

from adapters.fix.errors import EncodeError

__all__ = ["FRAME_MAX", "SOH", "Fields", "Framer", "Message", "decode", "encode", "frame_fault"]

SOH = b"\x01"
# A frame that claims to be longer is garbled: nobody may make us hold memory without end.
FRAME_MAX = 1024 * 1024

type Fields = Sequence[tuple[int, bytes]]

# A length field, and the data field that follows it, whose value may hold SOH.
_DATA_OF_LENGTH = {
    90: 91,
    93: 89,
    95: 96,
    212: 213,
    348: 349,
    350: 351,
    352: 353,
    354: 355,
    356: 357,
    358: 359,
    360: 361,
    362: 363,
    364: 365,
    445: 446,
    618: 619,
    621: 622,
}
# Length fields are left out: one of them sends a frame to the reader that counts bytes.
_TAGS = {b"%d" % tag: tag for tag in range(1, 12_000) if tag not in _DATA_OF_LENGTH}
# What stands before a value, by tag.
_PREFIXES = {tag: b"%d=" % tag for tag in range(1, 12_000)}
_LENGTH_DIGITS_MAX = 7
_NO_SEPARATORS = bytes(set(range(256)) - {0x01, 0x3D})
# What is left of a frame without all but its separators, by length: of messages that come often.
_SHAPES = {2 * count: b"=\x01" * count for count in range(4, 100)}
type _Sequence = tuple[tuple[int, ...], Mapping[int, int]]
_sequences: dict[tuple[bytes, ...], _Sequence] = {}
_SEQUENCES_MAX = 1024
_BEGIN_STRING_MAX = 32


class Message:
    """A message as received.

    begin_string, msg_type: fields 8 and 35. tags, values: of all others but 9 and 10, in their order on the wire; the
    tag is -1 where it was no number. A tag's first value is what ``get`` gives; groups are read from all of them.
    """

    __slots__ = ("_places", "begin_string", "msg_type", "raw", "tags", "values")

    def __init__(
        self,
        begin_string: bytes,
        msg_type: bytes,
        tags: tuple[int, ...],
        values: list[bytes],
        raw: bytes,
        places: Mapping[int, int] | None = None,
    ) -> None:
        """places: where each tag is first; found if not given."""
        self.begin_string = begin_string
        self.msg_type = msg_type
        self.tags = tags
        self.values = values
        self.raw = raw
        self._places = _places_of(tags) if places is None else places

    @classmethod
    def of_fields(cls, begin_string: bytes, msg_type: bytes, fields: Fields, raw: bytes) -> Message:
        """A message of tags with their values."""
        return cls(begin_string, msg_type, tuple([tag for tag, _ in fields]), [value for _, value in fields], raw)

    @property
    def fields(self) -> list[tuple[int, bytes]]:
        """Tags with their values."""
        return list(zip(self.tags, self.values, strict=True))

    def get(self, tag: int) -> bytes | None:
        """The first value of a tag; None if it is not there."""
        at = self._places.get(tag)
        return None if at is None else self.values[at]

    def text(self, tag: int) -> str:
        """The first value of a tag as text, "" if it is not there; bytes that are no UTF-8 are replaced."""
        value = self.get(tag)
        return "" if value is None else value.decode("utf-8", "replace")

    def number(self, tag: int) -> int | None:
        """The first value of a tag as a whole number; None if it is not there or is none."""
        value = self.get(tag)
        return int(value) if value is not None and value.isdigit() else None

    def is_set(self, tag: int) -> bool:
        """Whether a boolean field says Y."""
        return self.get(tag) == b"Y"

    @property
    def seq_num(self) -> int | None:
        """MsgSeqNum (34)."""
        return self.number(34)

    def group(self, count_tag: int, first_tag: int) -> list[dict[int, bytes]]:
        """The entries of a repeating group, each as its own fields by tag.

        An entry begins with ``first_tag``; the last one reaches to the end of the message, so look in it only for tags
        that belong to the group.
        """
        entries: list[dict[int, bytes]] = []
        is_inside = False
        for tag, value in zip(self.tags, self.values, strict=True):
            if tag == count_tag:
                is_inside = True
            elif is_inside and tag == first_tag:
                entries.append({tag: value})
            elif entries:
                entries[-1].setdefault(tag, value)
        return entries

    def __repr__(self) -> str:
        # Values stay out: a logon holds a password.
        return f"Message({self.msg_type.decode('ascii', 'replace')}, {len(self.tags)} fields)"


class Framer:
    """Cuts what a connection brings into frames.

    A frame ends with the first checksum field at or after the length that it claims, so a frame with a wrong length
    takes with it what it runs into. Whether a frame is whole is for ``frame_fault`` to say. In what pieces the bytes
    come makes no difference.
    """

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are complete now; what is left waits for more."""
        buffer = self._buffer + data if self._buffer else data
        frames: list[bytes] = []
        start = 0
        while True:
            start = buffer.find(b"8=", start)
            if start < 0:
                # Keep what may be the beginning of a frame.
                self._buffer = buffer[-1:] if buffer.endswith(b"8") else b""
                return frames
            end = _frame_end(buffer, start)
            if end == 0:
                if len(buffer) - start > FRAME_MAX:
                    start += 2
                    continue
                self._buffer = buffer[start:]
                return frames
            if end < 0 or end - start > FRAME_MAX:
                start += 2
                continue
            frames.append(buffer[start:end])
            start = end


def _frame_end(buffer: bytes, start: int) -> int:
    """Where a frame ends; 0 if that has not come yet, -1 if this is no frame."""
    at = buffer.find(SOH, start, start + _BEGIN_STRING_MAX)
    if at < 0:
        return 0 if len(buffer) - start < _BEGIN_STRING_MAX else -1
    if not buffer.startswith(b"9=", at + 1):
        return 0 if len(buffer) < at + 3 and b"9=".startswith(buffer[at + 1 :]) else -1
    end = buffer.find(SOH, at + 3, at + 4 + _LENGTH_DIGITS_MAX)
    if end < 0:
        return 0 if len(buffer) - at - 3 <= _LENGTH_DIGITS_MAX else -1
    digits = buffer[at + 3 : end]
    if not digits.isdigit() or len(digits) > _LENGTH_DIGITS_MAX or int(digits) > FRAME_MAX:
        return -1
    trailer = buffer.find(b"\x0110=", end + int(digits))
    if trailer < 0:
        return 0
    last = buffer.find(SOH, trailer + 4)
    return last + 1 if last >= 0 else 0


def frame_fault(frame: bytes) -> str | None:
    """Why a frame is garbled: its length, its checksum or its first three fields; None if it is whole.

    Garbled messages are ignored and their number is not used (FIX 4.4, volume 2, "Message recovery").
    """
    after_begin = frame.find(SOH)
    after_length = frame.find(SOH, after_begin + 1)
    if not frame.startswith(b"35=", after_length + 1):
        return "the first three fields are not 8, 9, 35"
    trailer = frame.rfind(b"\x0110=", 0, len(frame) - 1) + 1
    if frame[after_begin + 3 : after_length] != b"%d" % (trailer - after_length - 1):
        return "the body length is wrong"
    if frame[trailer + 3 : -1] != b"%03d" % checksum(frame[:trailer]):
        return "the checksum is wrong"
    return None


def decode(frame: bytes) -> Message:
    """Read a frame that ``frame_fault`` finds whole."""
    # Where tags and values take turns, as nearly always, the separators alone say so; then one cut finds them all.
    shape = frame.translate(None, _NO_SEPARATORS)
    if shape == _SHAPES.get(len(shape)):
        parts = frame.replace(b"=", SOH).split(SOH)
        sequence = _sequence_of(tuple(parts[6:-3:2]))
        if sequence is not None:
            tags, places = sequence
            return Message(parts[1], parts[5], tags, parts[7:-3:2], frame, places)
    parts = frame.split(SOH, 3)
    fields = _counted_fields(frame, len(parts[0]) + len(parts[1]) + len(parts[2]) + 3)
    return Message.of_fields(parts[0][2:], parts[2][3:], fields, frame)


def _sequence_of(written: tuple[bytes, ...]) -> _Sequence | None:
    """The tags of a message as numbers, and where each is first; None where one is in no table. Sequences of tags are
    remembered, for clients write the same ones again and again.
    """
    sequence = _sequences.get(written)
    if sequence is None:
        try:
            tags = tuple([_TAGS[tag] for tag in written])
        except KeyError:
            return None
        if len(_sequences) >= _SEQUENCES_MAX:  # somebody is making them up
            _sequences.clear()
        sequence = _sequences[written] = (tags, _places_of(tags))
    return sequence


def _places_of(tags: tuple[int, ...]) -> dict[int, int]:
    """Where each tag is; of one that is there twice the first place, for it comes last."""
    return {tag: at for at, tag in reversed(tuple(enumerate(tags)))}


def checksum(data: bytes) -> int:
    """The sum of all bytes, modulo 256.

    Taken from the first half of Adler-32, which is one more than the sum as long as that is below 65,521.
    """
    total = 0
    for at in range(0, len(data), 256):
        total += (adler32(data[at : at + 256]) & 0xFFFF) - 1
    return total & 255


def _odd_tag(tag: bytes) -> int:
    """A tag that is in no table: its number, or -1."""
    digits = tag[1:] if tag.startswith(b"-") else tag
    return int(tag) if digits.isdigit() and len(digits) < 10 else -1


def _counted_fields(frame: bytes, at: int) -> list[tuple[int, bytes]]:
    """The fields of any frame from a place on: a data field, which may hold SOH, is as long as the field before it
    says, and a tag that is no number is -1.
    """
    end = frame.rfind(b"\x0110=", 0, len(frame) - 1) + 1
    fields: list[tuple[int, bytes]] = []
    while at < end:
        equals = frame.find(b"=", at)
        stop = frame.find(SOH, at)
        if equals < 0 or equals > stop:
            fields.append((-1, frame[at:stop]))
            at = stop + 1
            continue
        raw_tag = frame[at:equals]
        tag = _TAGS.get(raw_tag) or _odd_tag(raw_tag)
        if fields and _DATA_OF_LENGTH.get(fields[-1][0]) == tag and fields[-1][1].isdigit():
            wanted = equals + 1 + int(fields[-1][1])
            if wanted < end and frame[wanted : wanted + 1] == SOH:
                stop = wanted
        fields.append((tag, frame[equals + 1 : stop]))
        at = stop + 1
    return fields


def encode(begin_string: bytes, msg_type: bytes, fields: Fields, tail: bytes = b"") -> bytes:
    """A message with length and checksum.

    fields: without 8, 9, 35 and 10. tail: more of them as they stand in a message, each ended by SOH, for what goes
    into many messages; it is not looked at. Raises EncodeError for an empty value, and for SOH in a value outside data
    fields.
    """
    try:
        body = b"\x01".join([b"35=" + msg_type, *[_PREFIXES[tag] + value for tag, value in fields], b""])
    except KeyError:  # a tag that is in no table
        body = b"35=%b\x01" % msg_type + b"".join([b"%d=%b\x01" % field for field in fields])
    if b"=\x01" in body or body.count(SOH) != len(fields) + 1:
        _refuse(fields)
    if tail:
        body += tail
    head = b"8=%b\x019=%d\x01" % (begin_string, len(body))
    return b"%b%b10=%03d\x01" % (head, body, checksum(head + body))


def _refuse(fields: Fields) -> None:
    data_tags = _DATA_OF_LENGTH.values()
    for tag, value in fields:
        if not value:
            raise EncodeError(f"tag {tag} has no value; leave the field out")
        if SOH in value and tag not in data_tags:
            raise EncodeError(f"the value of tag {tag} holds the field separator; only data fields may")
