"""What of a FIX session outlives the process: numbers, messages, the ids of its requests, and what is still to be said.

All of it is in the venue's own journal, in one order with what the engine was told, so the two never disagree: that a
message of a client was received is written together with the command that was made of it; a message to a client is
written, with its number, before it leaves.

When a venue is made again from its journal its engine makes the same reports again. Those whose messages are in the
journal have been said. What is left then was made but not said before the process ended; it is numbered and kept like
what is made while a line is down, and the client gets it when it resumes its session.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

import msgspec

from adapters.fix.codec import Fields
from adapters.fix.session import Session
from adapters.fix.store import MemoryStore
from adapters.kraken.server.fix.reports import with_exec_id
from framework.messages import Command, Report
from framework.venue.served.host import VenueHost
from framework.venue.served.journaled import JournaledHost

__all__ = [
    "Answered",
    "AnyNote",
    "Asked",
    "Closed",
    "LoggedOn",
    "NextSender",
    "NextTarget",
    "Note",
    "Received",
    "Reset",
    "SessionMemory",
    "decode_note",
    "encode_note",
]

# Messages of a session that can be asked for again. How far back Kraken replays is not stated: assumption.
_MESSAGES_MAX = 100_000
_ORDER_ID = re.compile(rb"\x0137=([^\x01]*)")


class Note(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Something that must not be forgotten."""


class Sent(Note, frozen=True, array_like=True, tag=1):
    """A message was numbered. cause: the report that it tells of, as a checksum; None if it tells of none."""

    seq_num: int
    message: bytes
    cause: int | None


class NextSender(Note, frozen=True, array_like=True, tag=2):
    """The next number that is sent."""

    seq_num: int


class NextTarget(Note, frozen=True, array_like=True, tag=3):
    """The next number that is expected."""

    seq_num: int


class Reset(Note, frozen=True, array_like=True, tag=4):
    """Numbers and messages began anew."""


class LoggedOn(Note, frozen=True, array_like=True, tag=5):
    """The client logged on. is_id_reset: its ClOrdIDs may begin anew."""

    is_id_reset: bool


class Received(Note, frozen=True, array_like=True, tag=6):
    """A request has come, with a ClOrdID."""

    seq_num: int
    cl_ord_id: str


class Asked(Note, frozen=True, array_like=True, tag=7):
    """A request went to the engine: its type, its ClOrdID and the one of the order that it means."""

    request_id: int
    msg_type: bytes
    cl_ord_id: str
    orig: str | None


class Closed(Note, frozen=True, array_like=True, tag=8):
    """The line is gone."""


class Answered(Note, frozen=True, array_like=True, tag=9):
    """What was asked without a command was answered."""

    request_id: int


type AnyNote = Sent | NextSender | NextTarget | Reset | LoggedOn | Received | Asked | Closed | Answered

encode_note: Callable[[Note | Report], bytes] = msgspec.msgpack.Encoder().encode
"""A note as the journal has it."""

_DECODER: msgspec.msgpack.Decoder[AnyNote] = msgspec.msgpack.Decoder(AnyNote)
decode_note: Callable[[bytes], AnyNote] = _DECODER.decode
"""A note from the journal."""


class _KeptStore(MemoryStore):
    """Keeps messages in memory, and notes in the journal. cause: of the next message; see ``Sent``."""

    def __init__(self, note: Callable[[Note], None]) -> None:
        super().__init__(_MESSAGES_MAX)
        self._note = note
        self.cause: int | None = None

    def append(self, seq_num: int, message: bytes) -> None:
        cause, self.cause = self.cause, None
        self._note(Sent(seq_num, message, cause))
        super().append(seq_num, message)

    def set_next_sender(self, seq_num: int) -> None:
        self._note(NextSender(seq_num))
        super().set_next_sender(seq_num)

    def set_next_target(self, seq_num: int) -> None:
        self._note(NextTarget(seq_num))
        super().set_next_target(seq_num)

    def reset(self) -> None:
        self._note(Reset())
        super().reset()


class SessionMemory:
    """The memory of one session; of a venue without a journal it ends with the process.

    store: the session's. is_kept: there is a journal, so notes are kept.
    """

    def __init__(self, host: VenueHost, comp_id: str, recall: Callable[[Note], None]) -> None:
        """recall: hears, when a venue is made again, of all notes but the store's numbers and messages."""
        self._host = host if isinstance(host, JournaledHost) else None
        self.is_kept = self._host is not None
        self._owner = f"fix {comp_id}"
        self._recall = recall
        self._unsaid: list[tuple[int, bytes, Fields, bytes]] = []
        self._unanswered: dict[int, Asked] = {}
        self.store: MemoryStore = MemoryStore(_MESSAGES_MAX)
        if self._host is not None:
            self.store = _KeptStore(self.note)
            self._host.kept_by[self._owner] = self._on_kept
            self._host.arrivals.append(self._on_arrival)

    @property
    def is_recalling(self) -> bool:
        """Whether the venue is being made again, so that nothing leaves it."""
        return self._host is not None and not self._host.is_recording

    def note(self, note: Note) -> None:
        """Keep a note; it is written before anything that follows from it leaves."""
        if self._host is not None:
            self._host.keep(self._owner, encode_note(note))

    def say(
        self, session: Session, msg_type: bytes, fields: Fields, tail: bytes, report: Report | None, now_ns: int
    ) -> None:
        """Send a message of the venue. tail: see ``Session.send``. report: that it tells of, if any."""
        if self._host is not None and report is not None:
            cause = zlib.crc32(encode_note(report))
            if self.is_recalling:
                self._unsaid.append((cause, msg_type, fields, tail))
                return
            assert isinstance(self.store, _KeptStore)
            self.store.cause = cause
        session.send(msg_type, fields, now_ns, tail=tail)

    # ------------------------------------------------------------------------------------------------- recall

    def _on_arrival(self, command: Command) -> None:
        self._unanswered.pop(command.request_id, None)

    def say_rest(self, session: Session, now_ns: int) -> None:
        """The venue is there again: keep for the client what was made and not said."""
        unsaid, self._unsaid = self._unsaid, []
        for cause, msg_type, fields, tail in unsaid:
            assert isinstance(self.store, _KeptStore)
            self.store.cause = cause
            session.send(msg_type, fields, now_ns, tail=_numbered(tail, session.next_sender))

    def take_unanswered(self) -> list[Asked]:
        """The requests of the last line that the engine never saw, taken."""
        unanswered, self._unanswered = self._unanswered, {}
        return list(unanswered.values())

    def _on_kept(self, data: bytes, ts_ns: int) -> None:
        note = decode_note(data)
        store = self.store
        match note:
            case Sent():
                store.append(note.seq_num, note.message)
                if note.cause is not None:
                    self._said(note.cause)
            case NextSender():
                store.set_next_sender(note.seq_num)
            case NextTarget():
                store.set_next_target(note.seq_num)
            case Answered():
                self._unanswered.pop(note.request_id, None)
            case Reset():
                store.reset()
                self._recall(note)
            case _:
                if isinstance(note, Received):
                    store.set_next_target(note.seq_num + 1)
                elif isinstance(note, Asked):
                    self._unanswered[note.request_id] = note
                elif isinstance(note, Closed):
                    self._unanswered.clear()
                self._recall(note)

    def _said(self, cause: int) -> None:
        for index, (each, _, _, _) in enumerate(self._unsaid):
            if each == cause:
                del self._unsaid[index]
                return


def _numbered(body: bytes, seq_num: int) -> bytes:
    """An execution report has the number of its message in its ExecID, after its order's id."""
    order_id = _ORDER_ID.search(body)
    return body if order_id is None else with_exec_id(body, f"{order_id[1].decode()}:{seq_num}")
