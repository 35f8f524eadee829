"""What a session sends: numbered, stored, then written; and written again when the peer asks (FIX 4.4, volume 2,
"Message recovery").
"""

from __future__ import annotations

from collections.abc import Callable

from adapters.fix.codec import Fields, Message, decode, encode
from adapters.fix.dictionary import Dictionary
from adapters.fix.settings import SessionSettings
from adapters.fix.store import MessageStore
from adapters.fix.times import utc_timestamp

__all__ = ["ADMIN_TYPES", "Outbound", "reverse_route"]

ADMIN_TYPES = frozenset({b"0", b"1", b"2", b"3", b"4", b"5", b"A"})
_POSS_DUP, _SENDING_TIME, _ORIG_SENDING_TIME = 43, 52, 122
# On behalf of whom a message came, and where the answer to it is delivered.
_ROUTES = {115: 128, 116: 129, 144: 145, 128: 115, 129: 116, 145: 144}


def reverse_route(message: Message) -> list[tuple[int, bytes]]:
    """The routing fields of an answer: who a message came from is whom the answer is for, and the other way."""
    route = [(_ROUTES[tag], value) for tag, value in message.fields if tag in _ROUTES and value]
    return sorted(route)


class Outbound:
    """The sending side of a session.

    last_sent_ns: when something was last written.
    """

    def __init__(self, settings: SessionSettings, dictionary: Dictionary, store: MessageStore) -> None:
        self.store = store
        self.last_sent_ns = 0
        self._begin_string = settings.begin_string.encode()
        self._sender = settings.sender_comp_id.encode()
        self._target = settings.target_comp_id.encode()
        self._header_tags = dictionary.header.tags
        self._out: list[bytes] = []

    @property
    def has_more(self) -> bool:
        """Whether ``take`` gives anything."""
        return bool(self._out)

    def take(self) -> bytes:
        """What is to be written to the line now."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def drop(self) -> None:
        """The line is gone: what was not written on it is left to replays."""
        self._out.clear()

    def send(
        self, msg_type: bytes, body: Fields, now_ns: int, header: Fields, tail: bytes = b"", *, is_line_up: bool
    ) -> int:
        """Number, store and (where the line is up) write a message; returns its number.

        header: fields beside those of every message. tail: fields that follow the body (``codec.encode``). Raises
        EncodeError and StoreError; the number is not used then.
        """
        seq_num = self.store.next_sender
        if not header and not body:
            names = (seq_num, self._sender, utc_timestamp(now_ns), self._target)
            message = encode(self._begin_string, msg_type, (), b"34=%d\x0149=%b\x0152=%b\x0156=%b\x01" % names + tail)
        else:
            first = (
                (34, b"%d" % seq_num),
                (49, self._sender),
                (_SENDING_TIME, utc_timestamp(now_ns)),
                (56, self._target),
            )
            fields = (*first, *body) if not header else (*sorted((*first, *header)), *body)
            message = encode(self._begin_string, msg_type, fields, tail)
        self.store.append(seq_num, message)
        if is_line_up:
            self._out.append(message)
            self.last_sent_ns = now_ns
        return seq_num

    def replay(self, first: int, last: int, now_ns: int, is_replayed: Callable[[int, bytes], bool]) -> None:
        """Write messages again, from first to last, each with its number; gap fills stand for what is not sent again.

        is_replayed: of an application message, by number and bytes. Numbers that were never used end the replay.
        """
        last = min(last, self.store.next_sender - 1)
        expected = first
        for seq_num, message in self.store.messages(first, last):
            msg_type = message[message.index(b"\x0135=") + 4 :].split(b"\x01", 1)[0]
            if msg_type in ADMIN_TYPES or not is_replayed(seq_num, message):
                continue
            if seq_num > expected:
                self._fill_gap(expected, seq_num, now_ns)
            self._out.append(self._again(message, now_ns))
            expected = seq_num + 1
        if expected <= last:
            self._fill_gap(expected, last + 1, now_ns)
        self.last_sent_ns = now_ns

    def _again(self, message: bytes, now_ns: int) -> bytes:
        """A stored message as a possible duplicate."""
        known = decode(message)
        header = {tag: value for tag, value in known.fields if tag in self._header_tags}
        body = [field for field in known.fields if field[0] not in self._header_tags]
        header[_ORIG_SENDING_TIME] = header[_SENDING_TIME]
        header[_SENDING_TIME] = utc_timestamp(now_ns)
        header[_POSS_DUP] = b"Y"
        return encode(self._begin_string, known.msg_type, [*sorted(header.items()), *body])

    def _fill_gap(self, first: int, following: int, now_ns: int) -> None:
        now = utc_timestamp(now_ns)
        fields = (
            (34, b"%d" % first),
            (_POSS_DUP, b"Y"),
            (49, self._sender),
            (_SENDING_TIME, now),
            (56, self._target),
            (_ORIG_SENDING_TIME, now),
            (36, b"%d" % following),
            (123, b"Y"),
        )
        self._out.append(encode(self._begin_string, b"4", fields))
