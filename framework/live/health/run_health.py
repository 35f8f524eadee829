"""Keeps watch over one run, from before it is connected until after its end: its observer, log, status and endpoint."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TextIO

from framework.live.health.endpoint import Endpoint
from framework.live.health.log import EventLog, Level
from framework.live.health.log_file import LineFile
from framework.live.health.log_writer import LogWriter, Terminal
from framework.live.health.run_observer import RunObserver
from framework.live.health.section import HealthSection
from framework.live.health.standing import Standing
from framework.live.health.status import encode_status

__all__ = ["RunHealth"]

_STATUS_S = 1.0


class RunHealth:
    """One run's.

    observer: to be given to its node. url: of its endpoint; "" for none.
    """

    def __init__(
        self,
        section: HealthSection,
        kind: Literal["paper", "live"],
        *,
        is_timed: bool,
        journal_bytes: Callable[[], int] | None = None,
        mask: Callable[[str], str] = str,
        out: TextIO | None = None,
    ) -> None:
        """is_timed: as ``RunObserver`` has it. mask: takes out of a text what is secret. out: the terminal; None for
        the standard output.
        """
        self._section = section
        self._log = EventLog(section.level)
        self.observer = RunObserver(self._log, is_timed=is_timed)
        terminal = Terminal(sys.stdout if out is None else out)
        self._writer = LogWriter(self._log, terminal, mask, is_verbose=section.is_verbose)
        self._standing = Standing(self.observer, self._log, self._writer, kind, journal_bytes)
        self._endpoint = Endpoint(self._standing.status)
        self._status_s = 0.0
        self.say = self._log.say

    @property
    def url(self) -> str:
        """Where the endpoint is; "" for none."""
        return self._endpoint.url

    async def open(self, folder: Path) -> None:
        """Write into the run's folder, and listen, from now on. Raises ConfigError for a port that cannot be had."""
        section = self._section
        if section.metrics_port is not None:
            await self._endpoint.open(section.metrics_host, section.metrics_port)
        self._writer.begin(folder, LineFile(folder, section.log_mb * 1_000_000, section.log_files))
        if self.url:
            self.say(f"figures for Prometheus: {self.url}/metrics")

    def began(self, **fields: object) -> None:
        """The run has begun; fields: what it is, for the log."""
        self._log.put(Level.INFO, "run_began", fields)
        self._write_status()

    def beat(self) -> None:
        """Time has passed."""
        now_s = time.monotonic()
        if now_s >= self._status_s:
            self._status_s = now_s + _STATUS_S
            self._write_status()

    def ended(self, ending: str, failure: Exception | None = None) -> None:
        """The run is over. ending: what it came to, in words. failure: what was raised and has ended it."""
        if failure is not None:
            self._log.put(Level.ERROR, "run_failed", {"error": type(failure).__name__, "why": str(failure)})
        self._log.put(Level.INFO, "run_ended", {"ending": ending})
        self._standing.is_over = True

    async def close(self) -> None:
        """Listen no more, and write what waits, if that can be within a few seconds."""
        await self._endpoint.close()
        self._write_status()
        self._writer.close()

    def _write_status(self) -> None:
        status = self._standing.status()
        if status is not None:
            self._writer.put_status(encode_status(status))
