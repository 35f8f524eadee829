"""The lines of a host: who hears of them, and the paths of their protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from framework.messages import Report
from framework.venue.latency import CompiledLatency
from framework.venue.path import Path
from framework.venue.rates import RateCounter

if TYPE_CHECKING:
    from framework.venue.sessions import Line

__all__ = ["HostLine", "Link", "RoadSpec"]


class HostLine(Protocol):
    """One client connection, or one key over a protocol without connections.

    line_id: unique among the lines that are up. label: of the profile's protocol. comp_id: whose session goes on.
    """

    line_id: str
    account: str
    label: str
    comp_id: str | None

    def on_report(self, report: Report, is_response: bool) -> None:
        """A report has arrived at the client's end of the path."""


class RoadSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The paths of one protocol; None for no latency at all. is_reordered: messages overtake as the profile says."""

    command: CompiledLatency | None = None
    response: CompiledLatency | None = None
    feed: CompiledLatency | None = None
    is_reordered: bool = False


class Link:
    """A line that is up. command, response, news: its paths. calls: its call counter, once it has one.

    at_venue: the same line as the venue knows it. underway: commands of it that are on their way to the engine.
    """

    __slots__ = ("at_venue", "calls", "command", "line", "news", "response", "underway")

    def __init__(self, line: HostLine, command: Path | None, response: Path | None, news: Path | None) -> None:
        self.line = line
        self.command = command
        self.response = response
        self.news = news
        self.calls: RateCounter | None = None
        self.at_venue: Line | None = None
        self.underway = 0
