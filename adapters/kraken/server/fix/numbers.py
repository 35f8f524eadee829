"""The numbers of a FIX session whose messages nobody asks for again: they outlive the process, the messages do not.

Numbers that are sent are noted by the thousand, ahead of their use: after a crash those that were not used stand for
messages that are gone, and a client that asks for them gets a gap fill.
"""

from __future__ import annotations

from collections.abc import Callable

from adapters.fix.store import MemoryStore
from adapters.kraken.server.fix.memory import NextSender, NextTarget, Note, Reset, decode_note, encode_note
from framework.venue.served.host import VenueHost
from framework.venue.served.journaled import JournaledHost

__all__ = ["number_store"]

_AHEAD = 1_000


class _NumberStore(MemoryStore):
    """Keeps numbers only, and notes them."""

    def __init__(self, note: Callable[[Note], None]) -> None:
        super().__init__(messages_max=0)
        self._note = note
        self._noted = 1  # no number from here on was used

    def append(self, seq_num: int, message: bytes) -> None:
        if seq_num >= self._noted:
            self._noted = seq_num + _AHEAD
            self._note(NextSender(self._noted))
        super().append(seq_num, message)

    def set_next_sender(self, seq_num: int) -> None:
        self._noted = seq_num
        self._note(NextSender(seq_num))
        super().set_next_sender(seq_num)

    def set_next_target(self, seq_num: int) -> None:
        self._note(NextTarget(seq_num))
        super().set_next_target(seq_num)

    def reset(self) -> None:
        self._noted = 1
        self._note(Reset())
        super().reset()

    def recall(self, data: bytes, ts_ns: int) -> None:
        """A note of the time before."""
        note = decode_note(data)
        if isinstance(note, NextSender):
            self.set_next_sender(note.seq_num)
        elif isinstance(note, NextTarget):
            self.set_next_target(note.seq_num)
        elif isinstance(note, Reset):
            self.reset()


def number_store(host: VenueHost, owner: str) -> MemoryStore:
    """The store of a session; of a venue without a journal it ends with the process. owner: unique in the venue."""
    if not isinstance(host, JournaledHost):
        return MemoryStore(messages_max=0)
    store = _NumberStore(lambda note: host.keep(owner, encode_note(note)))
    host.kept_by[owner] = store.recall
    return store
