"""Faults of a backtest: what the schedule does to its links and its venue, and writes down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.backtest.recorder import RunRecorder
from framework.backtest.sim_link import Gateway, SimLink
from framework.errors import ConfigError
from framework.protocol import VenueMode
from framework.venue.exchange import Venue
from framework.venue.faults import FaultSchedule, FaultSection
from framework.venue.scheduler import Scheduler

__all__ = ["check_faults", "schedule_faults"]

_NS = 1_000_000_000


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
    Raises ConfigError for a kind, link, mode or symbol that does not exist.
    """
    labels = [str(label) for label in venue.profile.protocols]
    schedule = FaultSchedule(scheduler, _Run(scheduler, links, venue, gateway, recorder), labels, links, venue.pairs)
    for fault in faults:
        if fault.kind == "unheard":
            _add_unheard(fault, first_ns, scheduler, venue, gateway)
        else:
            schedule.add(fault, first_ns)


def _add_unheard(fault: FaultSection, first_ns: int, scheduler: Scheduler, venue: Venue, gateway: Gateway) -> None:
    """A time in which the market of a pair was not heard, as a paper run on a live market writes it down."""
    if fault.symbol not in venue.pairs:
        raise ConfigError(f'[[faults]] symbol = "{fault.symbol}"; the run has {", ".join(venue.pairs)}')
    from_ns = first_ns + round(fault.at_s * _NS)

    def turn(is_unheard: bool) -> None:
        assert fault.symbol is not None
        venue.set_unheard(fault.symbol, is_unheard, scheduler.now_ns)
        gateway.flush()

    scheduler.at(from_ns, turn, True)
    if fault.for_s:
        scheduler.at(from_ns + round(fault.for_s * _NS), turn, False)


def check_faults(faults: Sequence[FaultSection], first_ns: int, last_ns: int) -> None:
    """Raise ConfigError for a fault after the market's end, which would never happen. Times are the market's."""
    for fault in faults:
        if first_ns + round(fault.at_s * _NS) > last_ns:
            raise ConfigError(
                f"[[faults]] at_s = {fault.at_s:g}: the market ends {(last_ns - first_ns) / _NS:g} s after its first "
                "row; let it happen earlier, or leave it out"
            )


class _Run:
    """The run that faults happen to."""

    def __init__(
        self,
        scheduler: Scheduler,
        links: Mapping[str, SimLink],
        venue: Venue,
        gateway: Gateway,
        recorder: RunRecorder,
    ) -> None:
        self._scheduler = scheduler
        self._links = links
        self._venue = venue
        self._gateway = gateway
        self._recorder = recorder

    def cut(self, link: str, detect_ns: int) -> None:
        self._recorder.fault("LineDropped", link, self._scheduler.now_ns, None)
        self._links[link].cut(detect_ns)

    def restore(self, link: str) -> None:
        self._recorder.fault("LineRestored", link, self._scheduler.now_ns, None)
        self._links[link].restore()

    def set_mode(self, mode: VenueMode, symbol: str | None) -> None:
        self._venue.set_mode(mode, symbol, self._scheduler.now_ns)
        self._gateway.flush()
