"""Keeping a quiet line alive, and noticing a dead one (FIX 4.4, volume 2, "Heartbeat", "Test request")."""

from __future__ import annotations

import enum

__all__ = ["Due", "Heartbeat"]


class Due(enum.Enum):
    """What a session owes its line: nothing, a heartbeat, a test request; or the line is to be given up."""

    NOTHING = "nothing"
    BEAT = "beat"
    TEST = "test"
    DROP = "drop"


class Heartbeat:
    """The watch over one line.

    interval_ns: HeartBtInt (108); 0 for no watch. test_after, drop_after: silence of the peer in intervals, after which
    it is asked for a message, and after which the line is given up.
    """

    __slots__ = ("_drop_after", "_is_test_pending", "_last_received_ns", "_test_after", "interval_ns")

    def __init__(self, test_after: float, drop_after: float) -> None:
        self.interval_ns = 0
        self._test_after = test_after
        self._drop_after = drop_after
        self._last_received_ns = 0
        self._is_test_pending = False

    def heard(self, now_ns: int) -> None:
        """The peer has sent something."""
        self._last_received_ns = now_ns
        self._is_test_pending = False

    def asked(self) -> None:
        """A test request has been sent; no heartbeat is until it is answered."""
        self._is_test_pending = True

    def next_ns(self, last_sent_ns: int) -> int | None:
        """When ``due`` next has something to say; None if never."""
        if not self.interval_ns:
            return None
        silence = self._drop_after if self._is_test_pending else self._test_after
        silent_ns = self._last_received_ns + int(self.interval_ns * silence)
        return silent_ns if self._is_test_pending else min(silent_ns, last_sent_ns + self.interval_ns)

    def due(self, last_sent_ns: int, now_ns: int) -> Due:
        """What is owed now."""
        if not self.interval_ns:
            return Due.NOTHING
        silent_ns = now_ns - self._last_received_ns
        if silent_ns >= int(self.interval_ns * self._drop_after):
            return Due.DROP
        if self._is_test_pending:
            return Due.NOTHING
        if silent_ns >= int(self.interval_ns * self._test_after):
            return Due.TEST
        return Due.BEAT if now_ns - last_sent_ns >= self.interval_ns else Due.NOTHING
