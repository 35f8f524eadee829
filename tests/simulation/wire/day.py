"""A long paper run in virtual time: the market maker on live links against the served venue, while faults come and go.

``python -m tests.simulation.wire.day --hours 24``: plays it, tells each hour how it stands and what memory the process
has, and at the end what it came to: flat, and of one mind with the
venue. ``--hours 168`` is a week.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from adapters.kraken.profile import PROFILE
from framework.backtest.config import MarketSection
from framework.backtest.loading import load_markets, resolve_road
from framework.data.columns import Market
from framework.messages import Command
from framework.strategy import Strategy
from strategies.market_maker import MarketMaker, MarketMakerConfig
from tests.framework.execution.desk_rig import Notes
from tests.simulation.wire import memory_shares
from tests.simulation.wire.broken import BrokenError
from tests.simulation.wire.faults import Faults
from tests.simulation.wire.node_end import NodeEnd, live_config
from tests.simulation.wire.watch import Watch
from tests.simulation.wire.world import REST_S, Setting, World

__all__ = ["FAULTS", "Day"]

# What can go wrong without a process that ends: the run is one.
FAULTS = ("drop", "half open", "stall", "refuse", "gateway", "all lines", "mode", "tokens", "rollover")
FAULTS += ("replay", "frame")
_PATIENCE_S = 1_800
# So much of the past the venue keeps, which is in the same process, where nothing watches it: full within the first
# hour, so that what memory grows by afterwards is the run's. What watches adds up all that there ever was.
_HISTORY_MAX = 300
_DAY_S = 86_400


class _NoNotes(Notes):
    """Keeps nothing of what is sent."""

    def sent(self, link: str, command: Command, ts_sent_ns: int) -> None: ...


class _DiskFile:
    """The bytes of a virtual disk's file, in a file without a name: what a disk holds is not memory."""

    def __init__(self, content: bytes) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lasts as long as the run
        self._file.write(content)

    def __len__(self) -> int:
        return self._file.seek(0, os.SEEK_END)

    def __iadd__(self, data: bytes) -> Self:
        self._file.seek(0, os.SEEK_END)
        self._file.write(data)
        return self

    def __getitem__(self, part: slice) -> bytes:
        begin, end, _ = part.indices(len(self))
        self._file.seek(begin)
        return self._file.read(end - begin)

    def __delitem__(self, part: slice) -> None:
        begin, end, _ = part.indices(len(self))
        assert end == len(self)
        self._file.truncate(begin)


class Day:
    """One run, begun. hours: how long it acts. faults_per_hour: how many faults there are on the average.
    slowness: how much slower than it was made the market is played, after so many hours of each day at its own speed.
    """

    def __init__(
        self,
        seed: int,
        *,
        hours: float,
        road: str = "fix",
        faults_per_hour: float = 4.0,
        slowness: int = 20,
        full_hours: float = 0.0,
        is_watched: bool = True,
        make_strategy: Callable[[], Strategy] = lambda: MarketMaker(MarketMakerConfig()),
    ) -> None:
        self.act_s = hours * 3_600
        config = live_config(road)
        _, policy = resolve_road(PROFILE, config.road)
        setting = Setting(policy=policy, tier="pro")
        if not is_watched:
            setting = replace(setting, history_max=_HISTORY_MAX)
        self.world = World(
            seed,
            setting,
            markets=[_slowed(seed, min(self.act_s + _PATIENCE_S, _DAY_S), slowness, full_hours * 3_600)],
            make_end=lambda world, number: NodeEnd(world, number, config, make_strategy),
        )
        self.world.http_faults.share = 0.01 if faults_per_hour else 0.0
        disk = self.world.disk
        disk.journal = _DiskFile(disk.journal)
        self.watch = Watch(self.world) if is_watched else None
        if not is_watched:
            self.end.notes = _NoNotes()
        self.faults = Faults(self.world, self.act_s, round(faults_per_hour * hours), FAULTS)
        self.world.machine.enter(self.world.end.begin)

    @property
    def end(self) -> NodeEnd:
        """The run."""
        assert isinstance(self.world.end, NodeEnd)
        return self.world.end

    def act(self, seconds: float) -> None:
        """Let so much time pass; connections that are over are forgotten then."""
        self.world.run(seconds)
        for service in self.world.services.values():
            service.connections[:] = [
                each for each in service.connections if each.is_trader_there or each.is_venue_there
            ]
        self._raise_failure()

    def finish(self) -> None:
        """Faults are over: the run ends, flat. Raises BrokenError for what is not as it must be."""
        self.faults.calm()
        self.world.run(REST_S)
        node = self.end.node
        self.world.machine.enter(lambda: node.close("the day is over"))
        until_s = self.world.now_s + _PATIENCE_S
        while not node.done.is_set() and self.world.now_s < until_s:
            self.world.run(5)
        self._raise_failure()
        self.world.run(REST_S)
        if not node.done.is_set() or node.closing.has_failed:
            raise BrokenError("the run ends flat", node.closing.said())
        venue, account = self.world.host.venue, self.world.host.venue.accounts["a0"]
        base = venue.pairs["BTC/USD"].base
        if account.open_orders or account.totals[base] != account.brought[base]:
            left = account.totals[base] - account.brought[base]
            raise BrokenError("the run ends flat", f"{list(account.open_orders.values())}, {left} units of the base")
        if self.watch is not None:
            self.watch.check_rest()

    def _raise_failure(self) -> None:
        failure = self.end.node.failure
        if failure is not None:
            raise failure


def _slowed(seed: int, seconds: float, slowness: int, full_s: float) -> Market:
    """A synthetic market whose time passes slower, so that a day of it is not too much to play; but not the first
    seconds of it.
    """
    full_s = min(full_s, seconds)
    made_s = max(60, round(full_s + (seconds - full_s) / slowness))
    (market,) = load_markets(MarketSection(seed=seed, duration_s=made_s))
    columns = market.columns
    first_ns = int(columns.ts_event_ns[0])

    def slowed(times_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        since_ns = times_ns - first_ns
        late_ns = np.maximum(since_ns - round(full_s * 1e9), 0)
        return first_ns + since_ns + late_ns * (slowness - 1)

    times = {name: slowed(getattr(columns, name)) for name in ("ts_event_ns", "ts_recv_ns")}
    return replace(market, columns=replace(columns, **times))


def give_back() -> None:
    """Have the system take back what the process has freed."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def resident_mb() -> float:
    """Memory that this process has made its own, megabytes: without the code and the files that it has looked at."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 2**20)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--road", default="fix")
    parser.add_argument("--faults", type=float, default=4.0, help="faults an hour")
    parser.add_argument("--slowness", type=int, default=20, help="how much slower than made the market is played")
    parser.add_argument("--full-hours", type=float, default=0.0, help="hours of each day at the market's own speed")
    parser.add_argument("--unwatched", action="store_true", help="without what watches, which remembers everything")
    parser.add_argument("--traced", action="store_true", help="tell each day whose the memory is (much slower)")
    options = parser.parse_args()
    if options.traced:
        memory_shares.begin()
    began_s = time.monotonic()
    day = Day(
        options.seed,
        hours=options.hours,
        road=options.road,
        faults_per_hour=options.faults,
        slowness=options.slowness,
        full_hours=options.full_hours,
        is_watched=not options.unwatched,
    )
    left_s, hourly_mb = day.act_s, []
    while left_s > 0:
        step_s = min(3_600.0, left_s)
        day.act(step_s)
        left_s -= step_s
        give_back()
        hourly_mb.append(resident_mb())
        print(
            f"{day.world.now_s / 3_600:6.1f} h  {hourly_mb[-1]:8.1f} MB  {day.world.event_count} events  "
            f"{time.monotonic() - began_s:6.0f} s  {day.end.node.status()}",
            flush=True,
        )
        hours = len(hourly_mb)
        if options.traced and (hours == 1 or hours % 24 == 0 or left_s <= 0):
            shares = ", ".join(f"{owner} {mb:.1f} MB" for owner, mb in memory_shares.shares_mb().items())
            print(f"{day.world.now_s / 3_600:6.1f} h  Python's objects: {shares}", flush=True)
    first_mb, last_mb = hourly_mb[0], hourly_mb[-1]
    print(f"memory after the first hour {first_mb:.0f} MB, at the end {last_mb:.0f} MB ({last_mb / first_mb - 1:+.1%})")
    day.finish()
    print(day.end.node.closing.said())
    print(f"{day.act_s / (time.monotonic() - began_s):.0f} times as fast as time; events: {day.world.event_count}")
    print(", ".join(f"{name} {count}" for name, count in sorted((day.world.counts).items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
