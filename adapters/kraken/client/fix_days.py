"""Which session of which trading day a FIX link is in: kept, so that it is known after a restart whether its numbers
still hold. All numbers begin anew at the rollover, 22:00 UTC. Sources: guides/fix-intro, Hours of Operation.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from framework.errors import ConfigError

__all__ = ["FixDays"]

_SECOND_NS = 10**9
_DAY_NS = 86_400 * _SECOND_NS


class _Mark(msgspec.Struct, frozen=True):
    session_count: int = 0
    day: int = -1


class FixDays:
    """Counts sessions, and days from rollover to rollover.

    path: where the count is kept; None keeps it as long as the process lives. rollover_utc_s, rollover_ns: when a day
    ends, and how long nobody can log on then. Raises ConfigError for a file that is not one of these.
    """

    def __init__(self, path: Path | None, rollover_utc_s: int, rollover_ns: int) -> None:
        self._path = path
        self._offset_ns = rollover_utc_s * _SECOND_NS
        self._rollover_ns = rollover_ns
        self._mark = _Mark()
        if path is not None and path.exists():
            try:
                self._mark = msgspec.json.decode(path.read_bytes(), type=_Mark)
            except (OSError, msgspec.MsgspecError) as error:
                raise ConfigError(f"{path} cannot be read as the mark of a FIX session: {error}") from None

    @property
    def session_count(self) -> int:
        """How many sessions there have been, this one included."""
        return self._mark.session_count

    def has_rolled(self, now_ns: int) -> bool:
        """Whether a rollover has come since the session began."""
        return self._mark.day != self._day(now_ns)

    def gate_end_ns(self, now_ns: int) -> int:
        """When the rollover that is under way is over; the past if none is."""
        return now_ns - (now_ns - self._offset_ns) % _DAY_NS + self._rollover_ns

    def begin(self, now_ns: int) -> int:
        """A session with numbers of its own begins; its count. Raises OSError where that cannot be kept."""
        self._mark = _Mark(self._mark.session_count + 1, self._day(now_ns))
        if self._path is not None:
            draft = self._path.with_name(self._path.name + ".draft")
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(self._mark))
            draft.replace(self._path)
        return self._mark.session_count

    def _day(self, now_ns: int) -> int:
        return (now_ns - self._offset_ns) // _DAY_NS
