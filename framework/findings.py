"""What a check has found, in one line: of the doctor, of a reconciliation."""

from __future__ import annotations

import enum

import msgspec

__all__ = ["Finding", "Level", "failed", "fine", "skipped", "warned"]

_NAME_WIDTH = 22


class Level(enum.Enum):
    """OK; WARN: it can be traded, but something should be looked at; FAIL: it should not be; SKIP: not looked at."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"
    SKIP = "-"


class Finding(msgspec.Struct, frozen=True):
    """One check. text: what was found. remedy: what to do; empty where nothing is to be done."""

    level: Level
    name: str
    text: str
    remedy: str = ""

    def line(self) -> str:
        """The finding as it is printed."""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.level.value:<4}  {self.name:<{_NAME_WIDTH}} {self.text}{remedy}"


def fine(name: str, text: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, name, text)


def warned(name: str, text: str, remedy: str) -> Finding:
    """It can be traded, but something should be looked at."""
    return Finding(Level.WARN, name, text, remedy)


def failed(name: str, text: str, remedy: str) -> Finding:
    """It should not be traded like this."""
    return Finding(Level.FAIL, name, text, remedy)


def skipped(name: str, text: str) -> Finding:
    """It was not looked at, and why."""
    return Finding(Level.SKIP, name, text)
