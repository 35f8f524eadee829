"""Writes a run's log from threads of its own: neither a slow disk nor a terminal that stands still holds the run.

The threads look every 50 ms for what there is to write, and are never woken: waking one costs the run more than an
event does. So up to 50 ms of the log are lost with a process that is killed; the journal, which is written before
anything leaves, has all that matters of them. A disk without room costs lines, which are counted and told once there
is room again. Nothing here is ever raised to the run.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from framework.frame_file import owner_only
from framework.live.health.log import EventLog, Level, LogEvent
from framework.live.health.log_file import LineFile
from framework.live.health.log_lines import human_line, json_line

__all__ = ["STATUS_NAME", "LogWriter", "Terminal"]

STATUS_NAME = "status.json"
_LOOK_S = 0.05
# So many events are made lines at a time, which takes less than half a millisecond: whenever the disk is written to,
# the run has its turn.
_BATCH = 16
# What a terminal is told at each look, and what waits for one that does not read.
_SHOWN_MAX = 20
_TERMINAL_MAX = 1_000
_RECENT = 20


class Terminal:
    """Lines for whoever looks on. A terminal is shown the time of each; what reads a pipe has a clock of its own."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._has_time = out.isatty()
        self._lines: deque[str] = deque(maxlen=_TERMINAL_MAX)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live, name="terminal", daemon=True)

    def begin(self) -> None:
        """Write from now on."""
        self._thread.start()

    def show(self, ts_ns: int, text: str) -> None:
        """Have a line shown; the oldest that waits makes room."""
        time = f"{dt.datetime.fromtimestamp(ts_ns // 1_000_000_000, dt.UTC):%H:%M:%S} " if self._has_time else ""
        self._lines.append(f"  {time}{text}\n")

    def close(self, patience_s: float) -> None:
        """Show what waits, if that can be within a time."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(patience_s)

    def _live(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._ended.wait(_LOOK_S)
            lines = []
            with contextlib.suppress(IndexError):
                while True:
                    lines.append(self._lines.popleft())
            try:
                if lines:
                    text = "".join(lines)
                    code = getattr(self._out, "encoding", None) or "utf-8"
                    self._out.write(text.encode(code, "backslashreplace").decode(code))
                    self._out.flush()
            except (OSError, ValueError):
                return  # nobody reads any more


class LogWriter:
    """Writes the events of a log, and how the run stands, into the run's folder.

    terminal: is shown what has words; None for nobody. mask: takes out of a text what is secret. is_verbose: show all.
    recent: the newest events that matter, in words, with time and level. lost: lines that found no room on the disk.
    failure: why the disk takes none now; None if it does.
    """

    def __init__(
        self, log: EventLog, terminal: Terminal | None, mask: Callable[[str], str], *, is_verbose: bool = False
    ) -> None:
        self.recent: tuple[tuple[int, str, str], ...] = ()
        self.lost = 0
        self.failure: str | None = None
        self._log = log
        self._terminal = terminal
        self._mask = mask
        self._is_verbose = is_verbose
        self._status: bytes | None = None
        self._told = 0
        self._shown = 0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, folder: Path, file: LineFile) -> None:
        """Write from now on."""
        self._folder = folder
        self._file = file
        if self._terminal is not None:
            self._terminal.begin()
        self._thread = threading.Thread(target=self._live, name="log", daemon=True)
        self._thread.start()

    def put_status(self, status: bytes) -> None:
        """Have it written how the run stands; one that was not written yet is of no interest any more."""
        self._status = status

    def close(self, patience_s: float = 3.0) -> None:
        """Write what waits, if that can be within a time."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(patience_s)
        if self._terminal is not None:
            self._terminal.close(patience_s)

    # ------------------------------------------------------------------------------------------------- its thread's

    def _live(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._ended.wait(_LOOK_S)
            self._shown = 0
            while self._write_batch():
                pass
            if self._shown > _SHOWN_MAX and self._terminal is not None:
                words = f"and {self._shown - _SHOWN_MAX} more, which are in the log"
                self._terminal.show(self._log.now_ns(), words)
            self._write_status()
        with contextlib.suppress(OSError):
            self._file.close()

    def _write_batch(self) -> bool:
        """Write some events; returns whether more wait."""
        log = self._log
        events: list[LogEvent] = []
        with contextlib.suppress(IndexError):
            while len(events) < _BATCH:
                events.append(log.waiting.popleft())
        lines = [json_line(event, self._mask) for event in events if event.level >= log.level]
        untold = log.dropped + self.lost - self._told if self.failure is None else 0
        if untold:
            words = f"{untold} lines of the log are lost"
            told = LogEvent(log.now_ns(), Level.WARNING, "log_lines_lost", {"count": untold}, words)
            lines.append(json_line(told, self._mask))
            self._show([told])
        self._show(events)
        if lines:
            count = len(lines) - bool(untold)
            if self._write(lines):
                self._told += untold
            else:
                self.lost += count
        return bool(log.waiting)

    def _write(self, lines: list[bytes]) -> bool:
        try:
            self._file.write(b"".join(lines))
        except OSError as error:
            if self.failure is None and self._terminal is not None:
                words = f"warning: the log cannot be written ({error.strerror}); the run goes on"
                self._terminal.show(self._log.now_ns(), words)
            self.failure = error.strerror or str(error)
            return False
        self.failure = None
        return True

    def _write_status(self) -> None:
        status, self._status = self._status, None
        if status is None:
            return
        path = self._folder / STATUS_NAME
        partial = self._folder / f".{STATUS_NAME}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with open(partial, "wb", opener=owner_only) as file:
                file.write(status)
            partial.replace(path)
        except OSError:  # what stood there stays; its time tells how old it is
            with contextlib.suppress(OSError):
                partial.unlink()

    def _show(self, events: list[LogEvent]) -> None:
        for event in events:
            is_for_reader = event.text is not None or self._is_verbose
            if event.level < Level.INFO and not self._is_verbose:
                continue
            words = human_line(event, self._mask)
            if event.level >= Level.INFO:
                self.recent = (*self.recent[1 - _RECENT :], (event.ts_ns, event.level.word, words))
            if is_for_reader and self._terminal is not None:
                self._shown += 1
                if self._shown <= _SHOWN_MAX:
                    self._terminal.show(event.ts_ns, words)
