"""Plays acceptor scenarios of the QuickFIX suite (``.def`` files) against a FIX engine, over whatever carries bytes.

The format is described in the suite's own README. The player is the initiator; what carries its bytes is a ``Wire``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from adapters.fix.times import utc_timestamp

__all__ = ["ScenarioFailedError", "Wire", "play", "read_message"]

SOH = b"\x01"
_TIME = re.compile(rb"<TIME([+-]\d+)?>")
_PATTERNS = {
    b"10": re.compile(rb"\d{3}"),
    b"52": re.compile(rb"\d{8}-\d\d:\d\d:\d\d(\.\d{3})?"),
    b"42": re.compile(rb"\d{8}-\d\d:\d\d:\d\d"),
    b"60": re.compile(rb"\d{8}-\d\d:\d\d:\d\d"),
    b"122": re.compile(rb"\d{8}-\d\d:\d\d:\d\d"),
}


class ScenarioFailedError(AssertionError):
    """The engine did something else than the scenario asks for."""


class Wire(Protocol):
    """Connections to an engine, by number."""

    def connect(self, number: int) -> None: ...

    def disconnect(self, number: int) -> None: ...

    def send(self, number: int, data: bytes) -> None: ...

    def read(self, number: int) -> bytes:
        """The next whole message; b"" at the end of the connection."""

    def now_ns(self) -> int: ...


def play(scenario: Path, wire: Wire) -> int:
    """Play one scenario; returns how many messages of the engine were compared. Raises ScenarioFailedError."""
    compared = 0
    for line_number, raw in enumerate(scenario.read_bytes().split(b"\n"), 1):
        line = raw.rstrip(b"\r")
        if not line or line.startswith(b"#"):
            continue
        where = f"{scenario.name}:{line_number}"
        action, rest = line[:1], line[1:]
        connection = 1
        if rest[:1].isdigit() and rest[1:2] == b",":
            connection, rest = int(rest[:1]), rest[2:]
        if action == b"i":
            if rest == b"CONNECT":
                wire.connect(connection)
            elif rest == b"DISCONNECT":
                wire.disconnect(connection)
            else:
                raise ValueError(f"{where}: {line!r}")
        elif action == b"I":
            wire.send(connection, complete(rest, wire.now_ns()))
        elif action == b"E":
            compare(complete(rest, wire.now_ns()), wire.read(connection), where)
            compared += 1
        elif action == b"e" and rest == b"DISCONNECT":
            got = wire.read(connection)
            if got:
                raise ScenarioFailedError(f"{where}: the line should be closed, but there came {_shown(got)}")
            compared += 1
        elif action == b"e" and rest == b"CONNECT":
            continue
        else:
            raise ValueError(f"{where}: {line!r}")
    return compared


def complete(text: bytes, now_ns: int) -> bytes:
    """A message of a script as bytes: times filled in, and length and checksum where the script leaves them out."""
    text = _TIME.sub(lambda match: _seconds(now_ns, int(match.group(1) or 0)), text)
    if not text.startswith(b"8="):
        return text
    begin, rest = text.split(SOH, 1)
    checksum = b""
    found = re.search(rb"\x0110=[^\x01]*\x01?$", rest)
    if found is not None:
        checksum = rest[found.start() + 1 :].rstrip(SOH) + SOH
        rest = rest[: found.start()]
    elif not rest.endswith(SOH):
        rest += SOH
    if not rest.startswith(b"9="):
        rest = b"9=%d\x01%b" % (len(rest), rest)
    if checksum:
        rest += SOH
        return begin + SOH + rest + checksum
    whole = begin + SOH + rest
    return whole + b"10=%03d\x01" % (sum(whole) % 256)


def _seconds(now_ns: int, offset_s: int) -> bytes:
    return utc_timestamp(now_ns + offset_s * 1_000_000_000)[:17]


def compare(expected: bytes, got: bytes, where: str) -> None:
    """Hold a message to the one expected, field by field; times and checksum by their form."""
    if not got:
        raise ScenarioFailedError(f"{where}: the line was closed, expected was {_shown(expected)}")
    wanted, found = list(_fields(expected)), list(_fields(got))
    for (tag, value), (got_tag, got_value) in zip(wanted, found, strict=False):
        pattern = _PATTERNS.get(tag)
        is_same = pattern.search(got_value) is not None if pattern is not None else value == got_value
        if tag != got_tag or not is_same:
            raise ScenarioFailedError(
                f"{where}: expected {tag.decode()}={value.decode()}, got {got_tag.decode()}={got_value.decode()}\n"
                f"  expected {_shown(expected)}\n  got      {_shown(got)}"
            )
    if len(wanted) != len(found):
        raise ScenarioFailedError(f"{where}: {len(wanted)} fields expected: {_shown(expected)}; got {_shown(got)}")


def _fields(message: bytes) -> Iterator[tuple[bytes, bytes]]:
    for part in message.split(SOH):
        if part:
            pieces = part.split(b"=")
            yield pieces[0], pieces[1] if len(pieces) > 1 else b""


def _shown(message: bytes) -> str:
    return message.replace(SOH, b"|").decode("utf-8", "replace")


def read_message(buffer: bytes) -> tuple[bytes, bytes] | None:
    """The first message of a buffer, and the rest; None while it is not whole. The checksum field ends it."""
    end = re.search(rb"\x0110=[^\x01]*\x01", buffer)
    return None if end is None else (buffer[: end.end()], buffer[end.end() :])
