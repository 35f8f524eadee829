"""Nonces of one API key: each above all before it, over all requests, connections and restarts.

The key's nonce is the time where that is above the last one, so a file that is lost does no harm as long as the clock
is right. The file holds a number that is above all that were given out; it is written ahead, not at each request.
Source: guides/spot-rest-auth (REST), fix-api/logon-fix (FIX: milliseconds, near the venue's clock).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from framework.errors import ConfigError

__all__ = ["NonceSource", "fix_nonces", "rest_nonces"]

_SECOND_NS = 10**9


class NonceSource:
    """Gives out nonces.

    path: file of the key, locked for this process; None keeps the last nonce as long as the process lives. unit_ns: of
    a nonce. ahead: how many units are kept as given out at a time. Raises ConfigError for a file that is in use by
    another process, cannot be written or is not one of nonces.
    """

    def __init__(self, path: Path | None, clock: Callable[[], int], *, unit_ns: int, ahead: int) -> None:
        self._clock = clock
        self._unit_ns = unit_ns
        self._ahead = ahead
        self._path = path
        self._last = self._kept = 0
        self._file = -1
        if path is not None:
            self._open(path)

    def next(self) -> int:
        """A nonce, above all before it.

        Where the file cannot be written one is given out all the same, for cancels need them too: the next process
        begins above it by the time, unless its clock is behind.
        """
        nonce = max(self._last + 1, self._clock() // self._unit_ns)
        if self._file >= 0 and nonce >= self._kept:
            kept = nonce + self._ahead
            with contextlib.suppress(OSError):
                os.pwrite(self._file, b"%020d\n" % kept, 0)
                self._kept = kept
        self._last = nonce
        return nonce

    def close(self) -> None:
        """Let go of the file; the last nonce is written, so that the next process need not skip any."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.pwrite(self._file, b"%020d\n" % (self._last + 1), 0)
            os.close(self._file)
            self._file = -1

    def _open(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            _lock(self._file, path)
            text = os.pread(self._file, 64, 0)
            self._last = self._kept = int(text) if text.strip() else 0
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a file of nonces"
            self._let_go()
            raise ConfigError(f"{path}: {reason}; free the place or name another folder") from None
        except ConfigError:
            self._let_go()
            raise

    def _let_go(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def rest_nonces(path: Path | None, clock: Callable[[], int]) -> NonceSource:
    """Nonces of REST requests: nanoseconds, which are above those of any client that uses a coarser time."""
    return NonceSource(path, clock, unit_ns=1, ahead=_SECOND_NS)


def fix_nonces(path: Path | None, clock: Callable[[], int]) -> NonceSource:
    """Nonces of FIX logons: milliseconds, which must be near the venue's clock, so none is skipped."""
    return NonceSource(path, clock, unit_ns=1_000_000, ahead=1)


def _lock(file: int, path: Path) -> None:
    """Two processes with one key would use each other's nonces up."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise ConfigError(f"{path} is in use: another process trades with this key; give this one its own") from None
