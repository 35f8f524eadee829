"""The log of a run: events with fields, which the run puts down and never waits for.

Putting an event down is an append to a queue in memory; a thread of its own (``log_writer``) makes lines of them. What
does not find room in the queue is counted, and told once there is room again.
"""

from __future__ import annotations

import enum
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

__all__ = ["EventLog", "Level", "LogEvent"]

# So many events wait for a disk that does not take them; each takes about half a kilobyte.
_WAITING_MAX = 20_000


class Level(enum.IntEnum):
    """How much an event matters. DEBUG: each command and each change of an order. INFO: fills, sessions, what an
    operator is told. WARNING: something was refused, lost or missed. ERROR: the run, or its switch, has failed.
    """

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40

    @property
    def word(self) -> str:
        """As lines of the log, and options, have it."""
        return self.name.lower()


class LogEvent(NamedTuple):
    """One event. ts_ns: of the run's clock. name: of the event, "order_filled". fields: by name, or a struct of them.

    text: for a reader, where there are words for it.
    """

    ts_ns: int
    level: Level
    name: str
    fields: Mapping[str, Any] | msgspec.Struct
    text: str | None


class EventLog:
    """Takes the events of one run.

    level: what matters less is left out. now_ns: the run's time; the machine's until the run has one. waiting: not
    written yet. dropped: events that found no room, so far.
    """

    def __init__(self, level: Level = Level.INFO, waiting_max: int = _WAITING_MAX) -> None:
        self.level = level
        self.is_debug = level <= Level.DEBUG
        self.now_ns: Callable[[], int] = time.time_ns
        self.waiting: deque[LogEvent] = deque()
        self.dropped = 0
        self._waiting_max = waiting_max

    def put(self, level: Level, name: str, fields: Mapping[str, Any] | msgspec.Struct, text: str | None = None) -> None:
        """Put an event down; nothing in it may change afterwards. What has words is shown, whatever its level."""
        if level < self.level and text is None:
            return
        if len(self.waiting) >= self._waiting_max:
            self.dropped += 1
            return
        self.waiting.append(LogEvent(self.now_ns(), level, name, fields, text))

    def say(self, text: str) -> None:
        """Something that an operator should know, in words."""
        self.put(Level.INFO, "notice", {}, text)
