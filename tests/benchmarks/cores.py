"""Processor cores that do not halt while nothing else runs on them.

A core that halts has to be woken when something comes, which on a virtual machine takes tens of microseconds, and its
caches are cold by then. Machines for trading are told not to halt (``idle=poll``, ``/dev/cpu_dma_latency``). Here a
process for each core does nothing at the lowest priority there is: it takes no time from anybody.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Cores"]

_SPIN = """
import os
if hasattr(os, "SCHED_IDLE"):
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    os.sched_setaffinity(0, {{{core}}})
else:
    os.nice(19)
while True:
    pass
"""


class Cores:
    """Those that this process may run on; a context, whose end is that of the processes that keep them awake."""

    def __enter__(self) -> Cores:
        cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
        self._awake = [subprocess.Popen([sys.executable, "-c", _SPIN.format(core=core)]) for core in sorted(cores)]
        self._signal(signal.SIGSTOP)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._awake:
            process.kill()
            process.wait()

    @contextmanager
    def kept(self, kept: str) -> Iterator[None]:
        """Within, they are "kept awake", or "as they are"."""
        if kept == "kept awake":
            self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self._signal(signal.SIGSTOP)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._awake:
            process.send_signal(number)
