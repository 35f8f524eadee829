"""An event of a log as a line: as JSON for programs, and in words for a reader."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from framework.live.health.log import Level, LogEvent

__all__ = ["human_line", "json_line", "snake"]

_NS = 1_000_000_000
_TEXT_MAX = 4_000
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ENCODE = msgspec.json.Encoder(enc_hook=str).encode


def snake(name: str) -> str:
    """The name of an event as lines have it: "SessionClosed" is "session_closed"."""
    return _WORD.sub("_", name).lower()


def json_line(event: LogEvent, mask: Callable[[str], str]) -> bytes:
    """One line: ts (UTC, to the nanosecond), level, event, its fields, and text where there are words for it.

    mask: takes out of a text what is secret. Long texts are cut. What JSON cannot say leaves the event's name.
    """
    line: dict[str, Any] = {"ts": _time(event.ts_ns), "level": event.level.word, "event": event.name}
    for name, value in _fields(event).items():
        line[name if name not in line else f"{name}_"] = _masked(value, mask)
    if event.text is not None:
        line["text"] = _masked(event.text, mask)
    try:
        return _ENCODE(line) + b"\n"
    except (ValueError, OverflowError, TypeError) as error:  # half a character
        bare = {"ts": line["ts"], "level": line["level"], "event": event.name, "unsaid": type(error).__name__}
        return _ENCODE(bare) + b"\n"


def human_line(event: LogEvent, mask: Callable[[str], str]) -> str:
    """An event for a reader, without its time: its words, or its name and its fields; no line breaks."""
    text = event.text
    if text is None:
        fields = (f"{name}={_plain(value)}" for name, value in _fields(event).items() if value not in (None, "", ()))
        text = " ".join([event.name, *fields])
    text = mask(" ".join(text.split()))[:_TEXT_MAX]
    return f"{event.level.word}: {text}" if event.level >= Level.WARNING else text


def _fields(event: LogEvent) -> Mapping[str, Any]:
    fields = event.fields
    if isinstance(fields, msgspec.Struct):
        return {name: value for name, value in msgspec.structs.asdict(fields).items() if name != "ts_ns"}
    return fields


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return mask(str(value))[:_TEXT_MAX]
    if isinstance(value, (tuple, list)):
        return [_masked(each, mask) for each in value]
    return value


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def _time(ts_ns: int) -> str:
    seconds, ns = divmod(ts_ns, _NS)
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%dT%H:%M:%S}.{ns:09}Z"
