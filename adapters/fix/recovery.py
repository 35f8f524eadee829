"""Messages of the peer that are missing: what was asked for, and what is held back until it has come (FIX 4.4, volume
2, "Message recovery").
"""

from __future__ import annotations

from adapters.fix.codec import Message

__all__ = ["Gap"]


class Gap:
    """The gap of one session, if there is one.

    held: messages that came after it, by number. end: the last number that was asked for; None while nothing is.
    asked_ns: when it was.
    """

    __slots__ = ("_chunk", "_held_max", "asked_ns", "end", "held")

    def __init__(self, chunk: int, held_max: int) -> None:
        """chunk: so many messages are asked for at most at once, 0 for all; held_max: so many are held back at most."""
        self._chunk = chunk
        self._held_max = held_max
        self.held: dict[int, Message] = {}
        self.end: int | None = None
        self.asked_ns = 0

    @property
    def is_full(self) -> bool:
        """Whether no more can be held back."""
        return len(self.held) >= self._held_max

    def ask(self, first: int, now_ns: int) -> tuple[int, int]:
        """Note that what is missing from a number on is asked for; returns BeginSeqNo and EndSeqNo (0: open-ended)."""
        last = min(self.held, default=first + 1) - 1
        if self._chunk:
            last = min(last, first + self._chunk - 1)
        self.end = last
        self.asked_ns = now_ns
        return first, last if self._chunk else 0

    def expect(self, seq_num: int) -> None:
        """All before a number has come."""
        if self.end is not None and seq_num > self.end:
            self.end = None

    def drop_before(self, seq_num: int) -> None:
        """Forget held messages that are not wanted any more."""
        for number in [number for number in self.held if number < seq_num]:
            del self.held[number]

    def forget(self) -> None:
        """The numbers begin anew: nothing is missing."""
        self.held.clear()
        self.end = None
