"""The fault schedule: what goes wrong, when, and for how long; the same in a backtest and at a served venue.

Faults may overlap: a line is back when its last drop is over, and the mode is the one that began last of those that
last. What is cut and set is the target's business; the order of things is here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from framework.config_text import check_range, read_toml
from framework.errors import ConfigError
from framework.protocol import VenueMode
from framework.venue.scheduler import Scheduler

__all__ = ["FaultSchedule", "FaultSection", "FaultTarget", "mode_named", "read_faults"]

_NS = 1_000_000_000
_MS = 1_000_000


class FaultSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong.

    kind: "drop" cuts a link's line for ``for_s`` (link "all" for every line); "mode" puts the venue into ``mode`` for
        ``for_s``; "unheard", in a backtest: what the market of ``symbol`` did in ``for_s`` is not known.
    at_s: seconds after the market's first row, or after a served venue has opened.
    detect_ms: how long each end takes to see that the line is gone.
    """

    kind: str
    at_s: float
    for_s: float = 0.0
    link: str | None = None
    mode: str | None = None
    symbol: str | None = None
    detect_ms: int = 0

    def __post_init__(self) -> None:
        check_range("[[faults]] at_s", self.at_s, 0)
        check_range("[[faults]] for_s", self.for_s, 0)
        check_range("[[faults]] detect_ms", self.detect_ms, 0)


class _FaultFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of faults; the configuration of a backtest is one too, whose other tables say nothing here."""

    faults: tuple[FaultSection, ...] = ()
    run: dict[str, Any] | None = None
    market: dict[str, Any] | None = None
    strategy: dict[str, Any] | None = None
    venue: dict[str, Any] | None = None
    account: dict[str, Any] | None = None
    road: dict[str, Any] | None = None


def read_faults(path: Path) -> tuple[FaultSection, ...]:
    """The ``[[faults]]`` of a file. Raises ConfigError naming file, key and remedy, and for a file that has none."""
    faults = read_toml(path, _FaultFile, "name a file with [[faults]]").faults
    if not faults:
        raise ConfigError(f'{path}: there are no faults in it; give [[faults]] with kind = "drop" or "mode", and at_s')
    return faults


class FaultTarget(Protocol):
    """What faults happen to."""

    def cut(self, link: str, detect_ns: int) -> None:
        """The lines of a protocol drop now, and no other can be had until ``restore``; each end sees it later."""

    def restore(self, link: str) -> None:
        """A drop is over; each ``cut`` has its own."""

    def set_mode(self, mode: VenueMode, symbol: str | None) -> None:
        """The mode of a pair or (None) of the venue is this now."""


class FaultSchedule:
    """Puts faults on a scheduler.

    labels: of the protocols that a drop may name. links: those that are there; a drop of another one is left out.
    symbols: of the pairs. modes: those that hold at the start, of the venue (None) and of pairs; online if left out.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        target: FaultTarget,
        labels: Collection[str],
        links: Collection[str],
        symbols: Collection[str],
        modes: Mapping[str | None, VenueMode] | None = None,
    ) -> None:
        self._scheduler = scheduler
        self._target = target
        self._labels = labels
        self._links = links
        self._symbols = symbols
        # Modes that last, by symbol, with their faults, in the order in which they began; what holds when none does.
        self._lasting: dict[str | None, list[tuple[int, VenueMode]]] = {}
        self._base: dict[str | None, VenueMode] = dict(modes or {})
        self._count = 0

    def add(self, fault: FaultSection, from_ns: int) -> None:
        """Put a fault on the schedule, its times counted from an instant; nothing is, where ConfigError is raised: for
        a kind, link, mode or symbol that does not exist.
        """
        scheduler = self._scheduler
        start_ns = from_ns + round(fault.at_s * _NS)
        end_ns = start_ns + round(fault.for_s * _NS)
        if fault.kind == "drop":
            for name in self._dropped(fault):
                scheduler.at(start_ns, self._target.cut, name, fault.detect_ms * _MS)
                scheduler.at(end_ns, self._target.restore, name)
        elif fault.kind == "mode":
            mode = mode_named(fault.mode or "")
            if fault.symbol is not None and fault.symbol not in self._symbols:
                raise ConfigError(f'[[faults]] symbol = "{fault.symbol}"; the run has {", ".join(self._symbols)}')
            self._count += 1
            scheduler.at(start_ns, self._begin, self._count, mode, fault.symbol)
            if fault.for_s:
                scheduler.at(end_ns, self._end, self._count, mode, fault.symbol)
        else:
            raise ConfigError(f'[[faults]] kind = "{fault.kind}"; it must be "drop" or "mode"')

    def _dropped(self, fault: FaultSection) -> list[str]:
        """The links that a drop cuts."""
        if fault.link in (None, "all"):
            return list(self._links)
        if fault.link not in self._labels:
            raise ConfigError(f'[[faults]] link = "{fault.link}"; it must be all, {", ".join(self._labels)}')
        return [fault.link] if fault.link in self._links else []

    def set_mode(self, mode: VenueMode, symbol: str | None) -> None:
        """Set a mode by hand, from now on: those that last for it are over, and it is what later ones go back to."""
        self._lasting.pop(symbol, None)
        self._base[symbol] = mode
        self._target.set_mode(mode, symbol)

    def _begin(self, number: int, mode: VenueMode, symbol: str | None) -> None:
        self._lasting.setdefault(symbol, []).append((number, mode))
        self._target.set_mode(mode, symbol)

    def _end(self, number: int, mode: VenueMode, symbol: str | None) -> None:
        lasting = self._lasting.get(symbol, [])
        if (number, mode) not in lasting:
            return  # it was ended by hand
        was = lasting[-1][1]
        lasting.remove((number, mode))
        now = lasting[-1][1] if lasting else self._base.get(symbol, VenueMode.ONLINE)
        if now is not was:
            self._target.set_mode(now, symbol)


def mode_named(name: str) -> VenueMode:
    """A mode by its name in lower case; raises ConfigError for one that there is not."""
    try:
        return VenueMode[name.upper()]
    except KeyError:
        known = ", ".join(mode.name.lower() for mode in VenueMode)
        raise ConfigError(f'[[faults]] mode = "{name}"; it must be one of {known}') from None
