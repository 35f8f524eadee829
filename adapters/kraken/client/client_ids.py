"""A desk's client order ids, and what stands for them on the wire.

REST and WebSocket take a UUID or up to 18 characters of text; FIX takes an ever-increasing number or a version 4 UUID
that begins with the time, and each of its requests needs a new one. One id must name an order on every road, so where
FIX is one of the roads each order has such a UUID on all of them; over FIX an amend gives it another, which the next
amend must name. Which id stands for which, and the last one that an amend gave, are kept in a file, so that orders are
known again after a restart. Sources: guides/spot-clordid; fix-api/nos-fix, tag 11; fix-api/ocrr-fix, tag 41.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from framework.errors import ConfigError

__all__ = ["ClientIds", "time_uuid"]

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_SHORT = re.compile(r"[!-~]{1,18}")
_NS_PER_UNIT = 10_000
# So many names are known at a time, the newest ones, and those that orders need which are not over. A file has more:
# which of its orders are not over nobody knows yet when it is read.
_KEPT_MAX = 5_000
_READ_MAX = 100_000
# With each name that is made so many old ones are looked at.
_LOOKS = 4
# Says of a line that its name is the one that an amend gave.
_AMENDED = "amended"


def time_uuid(now_ns: int, draw: random.Random) -> str:
    """A UUID whose first 48 bits are the time since 1970 in units of 10 microseconds."""
    time = f"{now_ns // _NS_PER_UNIT % 2**48:012x}"
    rest = f"{draw.getrandbits(72):018x}"
    return f"{time[:8]}-{time[8:]}-4{rest[:3]}-{'89ab'[draw.getrandbits(2)]}{rest[3:6]}-{rest[6:]}"


class ClientIds:
    """Names orders on the wire.

    is_needed: whether the name of a desk's order must not be let go of, however old it is; none is, if not set.

    path: where made names are kept; None keeps them as long as the process lives. is_time_based: every order gets a
    UUID that FIX takes; else only those whose own id is too long for the wire. Raises ConfigError for a file that is
    not one of names.
    """

    def __init__(self, path: Path | None, *, is_time_based: bool, draw: random.Random | None = None) -> None:
        self.is_needed: Callable[[str], bool] = lambda _: False
        self._is_time_based = is_time_based
        # Begun with the system's randomness: no two processes draw the same, and an id is no secret.
        self._draw = random.Random() if draw is None else draw  # noqa: S311
        self._wire: dict[str, str] = {}
        self._desk: dict[str, str] = {}
        self._amended: dict[str, str] = {}
        self._path = path
        # Open from the first name on that is kept.
        self._file = -1
        if path is not None and path.exists():
            self._read(path)

    def on_wire(self, cl_ord_id: str, now_ns: int) -> str:
        """The id that stands for a desk's; made and kept at the first call. Raises OSError where it cannot be kept."""
        wire = self.known_on_wire(cl_ord_id)
        if wire is not None:
            return wire
        wire = self.new(now_ns)
        if self._path is not None:
            self._write(self._path, msgspec.json.encode((cl_ord_id, wire)) + b"\n")
        self._keep(cl_ord_id, wire)
        self._let_go()
        return wire

    def known_on_wire(self, cl_ord_id: str) -> str | None:
        """The id that stands for a desk's; None where none has been made: then nothing was ever sent under it."""
        wire = self._wire.get(cl_ord_id)
        if wire is not None:
            return wire
        is_taken = (not self._is_time_based and _SHORT.fullmatch(cl_ord_id)) or _UUID.fullmatch(cl_ord_id)
        return cl_ord_id if is_taken else None

    def amended(self, cl_ord_id: str) -> str | None:
        """The id that the last amend over FIX gave to a desk's order; None for none."""
        return self._amended.get(cl_ord_id)

    def note_amended(self, cl_ord_id: str, wire: str) -> None:
        """An amend has given an order another id. Where there is no room to keep it, it is known until a restart."""
        self._amended[cl_ord_id] = wire
        if self._path is not None:
            with suppress(OSError):
                self._write(self._path, msgspec.json.encode((cl_ord_id, wire, _AMENDED)) + b"\n")

    def on_desk(self, wire: str) -> str:
        """The desk's id of an order with this id on the wire: the same one where no other was made for it."""
        return self._desk.get(wire, wire)

    def new(self, now_ns: int) -> str:
        """An id for a request that is no order."""
        return time_uuid(now_ns, self._draw)

    def _write(self, path: Path, line: bytes) -> None:
        if self._file < 0:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        written = os.write(self._file, line)
        if written != len(line):
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)
            raise OSError(28, "no space left on the device")

    def close(self) -> None:
        """Let go of the file; it is opened again if another name is to be kept."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _keep(self, cl_ord_id: str, wire: str) -> None:
        self._wire[cl_ord_id] = wire
        self._desk[wire] = cl_ord_id

    def _let_go(self) -> None:
        """Forget the oldest names, where there are too many; one that is needed is as good as new."""
        for _ in range(_LOOKS):
            if len(self._wire) <= _KEPT_MAX:
                return
            oldest = next(iter(self._wire))
            wire = self._wire.pop(oldest)
            if self.is_needed(oldest):
                self._wire[oldest] = wire
            else:
                self._desk.pop(wire, None)
                self._amended.pop(oldest, None)

    def _read(self, path: Path) -> None:
        data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        try:
            for line in whole.splitlines()[-_READ_MAX:]:
                cl_ord_id, wire, *more = json.loads(line)
                if more:
                    self._amended[str(cl_ord_id)] = str(wire)
                else:
                    self._keep(str(cl_ord_id), str(wire))
        except ValueError:
            raise ConfigError(f"{path} is not a file of client order ids; move it away") from None
        if len(whole) != len(data):
            os.truncate(path, len(whole))  # a crash has torn the last line, whose order was never sent
