"""Processes of ``tidegate`` that are forked from one that has imported everything.

Most of the time that a short-lived command takes goes into its imports, and the tests start hundreds. One process for
each run of tests imports what they need and, for each command, forks a child, which does what ``python -m
framework.cli`` does. Tests of how a process itself begins start real ones.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["Forked", "forked"]

CHECKOUT = Path(__file__).resolve().parents[2]
MODULES = ("framework.cli", "adapters.kraken.server.shell.serve")


class Forked:
    """A child, with what tests need of ``subprocess.Popen``."""

    def __init__(self, parent: _Parent, pid: int) -> None:
        self._parent = parent
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """What it has ended with, as ``Popen`` has it; None while it runs."""
        if self.returncode is None:
            self.returncode = self._parent.ended(self.pid, 0.0)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """The same once it has ended; raises TimeoutError."""
        if self.returncode is None:
            self.returncode = self._parent.ended(self.pid, timeout)
        if self.returncode is None:
            raise TimeoutError(f"process {self.pid} has not ended within {timeout} s")
        return self.returncode

    def terminate(self) -> None:
        """Ask it to end."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)


class _Parent:
    """The process that forks, seen from the tests: a line of JSON for each child wanted, begun or ended."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.conformance.forking", str(theirs.fileno())],
                cwd=CHECKOUT,
                pass_fds=(theirs.fileno(),),
            )
        self._socket = ours
        self._rest = b""
        self._codes: dict[int, int] = {}

    def fork(self, arguments: Sequence[str], output: Path) -> Forked:
        self._socket.sendall(json.dumps([list(arguments), str(output)]).encode() + b"\n")
        while True:
            told = self._read(None)
            assert told is not None
            if "begun" in told:
                return Forked(self, told["begun"])

    def ended(self, pid: int, timeout_s: float) -> int | None:
        until_s = time.monotonic() + timeout_s
        while pid not in self._codes:
            if self._read(max(0.0, until_s - time.monotonic())) is None:
                return None
        return self._codes[pid]

    def _read(self, timeout_s: float | None) -> dict[str, int] | None:
        while b"\n" not in self._rest:
            self._socket.settimeout(timeout_s if timeout_s is None else max(timeout_s, 0.001))
            try:
                data = self._socket.recv(4096)
            except TimeoutError:
                return None
            assert data, "the process that forks has ended"
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        told: dict[str, int] = json.loads(line)
        if "ended" in told:
            self._codes[told["ended"]] = told["code"]
        return told


@cache
def _parent() -> _Parent:
    return _Parent()


def forked(arguments: Sequence[str], output: Path) -> Forked:
    """``tidegate`` with arguments, in the checkout; what it says goes to a file."""
    return _parent().fork(arguments, output)


# ------------------------------------------------------------------------------------------------- the other side


def _serve(control: socket.socket) -> None:
    """Fork as told until whoever tells has gone; then end all that still runs."""
    for name in MODULES:
        __import__(name)
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)
    running: set[int] = set()
    rest = b""
    while True:
        ready = [key.fileobj for key, _ in selector.select()]
        if woken in ready:
            woken.recv(4096)
            for pid in list(running):
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    running.discard(pid)
                    _tell(control, ended=pid, code=os.waitstatus_to_exitcode(status))
        if control in ready:
            data = control.recv(65536)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                arguments, output = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    selector.close()
                    for each in (control, woken, wake):
                        each.close()
                    _run(arguments, output)
                running.add(pid)
                _tell(control, begun=pid)
    for pid in running:
        os.kill(pid, signal.SIGKILL)


def _tell(control: socket.socket, **what: int) -> None:
    control.sendall(json.dumps(what).encode() + b"\n")


def _run(arguments: list[str], output: str) -> None:
    """Be the command, in the child; does not come back."""
    code: Any = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with Path(output).open("w") as file:
            for number in (1, 2):
                os.dup2(file.fileno(), number)
        sys.argv = ["tidegate", *arguments]
        from framework.cli import main

        code = main()
    except SystemExit as error:
        code = error.code
    except BaseException:  # noqa: BLE001 - as the interpreter does at its end
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
