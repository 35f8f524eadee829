"""The fault schedule: what goes wrong, when, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.backtest.config import FaultSection
from framework.backtest.recorder import RunRecorder
from framework.backtest.sim_link import Gateway, SimLink
from framework.errors import ConfigError
from framework.protocol import VenueMode
from framework.venue.exchange import Venue
from framework.venue.scheduler import Scheduler

__all__ = ["check_faults", "schedule_faults"]

_NS = 1_000_000_000
_MS = 1_000_000


def schedule_faults(
    faults: Sequence[FaultSection],
    first_ns: int,
    scheduler: Scheduler,
    links: Mapping[str, SimLink],
    venue: Venue,
    gateway: Gateway,
    recorder: RunRecorder,
) -> None:
    """Put every fault on the schedule.

    first_ns: the market's first time. A drop of a link that this run does not have is left out: one schedule serves the
    runs of a comparison. A fault after the market's end does not happen; ``check_faults`` is for who wants to know.
    Faults may overlap: a line is back when its last drop is over, and the mode is the one that began last of those that
    last. Raises ConfigError for a kind, link, mode or symbol that does not exist.
    """
    known = [str(label) for label in venue.profile.protocols]
    modes = _Modes(scheduler, venue, gateway)
    for fault in faults:
        start_ns = first_ns + round(fault.at_s * _NS)
        end_ns = start_ns + round(fault.for_s * _NS)
        if fault.kind == "drop":
            wanted = list(links) if fault.link in (None, "all") else [fault.link]
            for name in wanted:
                if name not in known:
                    raise ConfigError(f'[[faults]] link = "{name}"; it must be all, {", ".join(known)}')
                if name in links:
                    scheduler.at(start_ns, _cut, scheduler, links[name], fault.detect_ms * _MS, recorder)
                    scheduler.at(end_ns, _restore, scheduler, links[name], recorder)
        elif fault.kind == "mode":
            mode = _mode(fault)
            if fault.symbol is not None and fault.symbol not in venue.pairs:
                raise ConfigError(f'[[faults]] symbol = "{fault.symbol}"; the run has {", ".join(venue.pairs)}')
            scheduler.at(start_ns, modes.begin, mode, fault.symbol)
            if fault.for_s:
                scheduler.at(end_ns, modes.end, mode, fault.symbol)
        else:
            raise ConfigError(f'[[faults]] kind = "{fault.kind}"; it must be "drop" or "mode"')


def check_faults(faults: Sequence[FaultSection], first_ns: int, last_ns: int) -> None:
    """Raise ConfigError for a fault after the market's end, which would never happen. Times are the market's."""
    for fault in faults:
        if first_ns + round(fault.at_s * _NS) > last_ns:
            raise ConfigError(
                f"[[faults]] at_s = {fault.at_s:g}: the market ends {(last_ns - first_ns) / _NS:g} s after its first "
                "row; let it happen earlier, or leave it out"
            )


def _mode(fault: FaultSection) -> VenueMode:
    try:
        return VenueMode[(fault.mode or "").upper()]
    except KeyError:
        known = ", ".join(mode.name.lower() for mode in VenueMode)
        raise ConfigError(f'[[faults]] mode = "{fault.mode}"; it must be one of {known}') from None


def _cut(scheduler: Scheduler, link: SimLink, detect_ns: int, recorder: RunRecorder) -> None:
    recorder.fault("LineDropped", link.name, scheduler.now_ns, None)
    link.cut(detect_ns)


def _restore(scheduler: Scheduler, link: SimLink, recorder: RunRecorder) -> None:
    recorder.fault("LineRestored", link.name, scheduler.now_ns, None)
    link.restore()


class _Modes:
    """Modes that last, by symbol, in the order in which they began."""

    def __init__(self, scheduler: Scheduler, venue: Venue, gateway: Gateway) -> None:
        self._scheduler = scheduler
        self._venue = venue
        self._gateway = gateway
        self._lasting: dict[str | None, list[VenueMode]] = {}

    def begin(self, mode: VenueMode, symbol: str | None) -> None:
        self._lasting.setdefault(symbol, []).append(mode)
        self._set(mode, symbol)

    def end(self, mode: VenueMode, symbol: str | None) -> None:
        lasting = self._lasting[symbol]
        was = lasting[-1]
        lasting.remove(mode)
        now = lasting[-1] if lasting else VenueMode.ONLINE
        if now is not was:
            self._set(now, symbol)

    def _set(self, mode: VenueMode, symbol: str | None) -> None:
        self._venue.set_mode(mode, symbol, self._scheduler.now_ns)
        self._gateway.flush()
