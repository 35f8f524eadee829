"""A run played again: its strategy on its market, through the backtest, in a world of assumptions and measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from framework.backtest.config import RunConfig
from framework.backtest.loading import resolve_road
from framework.backtest.simulation import Simulation
from framework.backtest.strategy_file import raise_as_strategy_error
from framework.data.columns import Market
from framework.diverge.measured import Measured
from framework.diverge.measured_link import MeasuredLink, Twins
from framework.diverge.recorded import RecordedRun, shifted
from framework.diverge.world import Cause, Taken, World
from framework.errors import TidegateError
from framework.live.closing import Closing
from framework.messages import Command
from framework.protocol import FeeTier, LatencySpec, RejectReason, Tier, VenueProfile
from framework.venue.latency import CompiledLatency, compile_latency
from framework.venue.served.market import market_from

__all__ = ["replay"]

_NS = 1_000_000_000
_MS = 1_000_000
# A counter never gets there.
_NEVER = 1 << 60
# An end that has not come to what was asked for after so long is given up, as in the run.
_END_PATIENCE_S = 60


def replay(run: RecordedRun, measured: Measured, world: World, fees: FeeTier | None) -> pa.Table:
    """The events of the replay, ``EVENT_SCHEMA`` without marks.

    fees: those that were charged, for a world that takes fees as measured. Raises StrategyError if the strategy raises.
    """
    session = run.session
    is_looped = session is not None and session.is_looped
    markets = [_own(shifted(market, -measured.venue_ahead_ns)) for market in measured.markets]
    config = _config(run, measured, world, markets)
    simulation = _Replay(config, run, measured, world, fees, markets, is_endless=is_looped)
    try:
        _play(simulation, run)
    except TidegateError:
        raise
    except Exception as error:
        raise_as_strategy_error(error, simulation.strategy, simulation.scheduler.now_ns, "it raised in the replay")
        raise
    return simulation.recorder.table({})


def _own(market: Market) -> Market:
    """A market whose times a replay may move."""
    return market_from(market, int(market.columns.ts_event_ns[0]))


def _config(run: RecordedRun, measured: Measured, world: World, markets: list[Market]) -> RunConfig:
    config = run.config
    first_ns = min(int(market.columns.ts_event_ns[0]) for market in markets)
    unknown = world[Cause.UNKNOWN]
    faults = config.faults
    if unknown is Taken.NONE:
        faults = ()
    elif unknown is Taken.MEASURED:
        _, policy = resolve_road(run.profile, config.road)
        faults = measured.faults(first_ns, (policy.reconnect_delay_ms or 0) * _MS)
    market = msgspec.structs.replace(config.market, start_s=run.start_s(first_ns))
    run_section = msgspec.structs.replace(config.run, queue_sample_ms=0)
    return msgspec.structs.replace(config, market=market, faults=faults, run=run_section)


def _play(simulation: Simulation, run: RecordedRun) -> None:
    session = run.session
    simulation.begin()
    if session is None:
        simulation.run_until(simulation.span_ns[1] + 1)
        simulation.end()
        return
    closing = None
    if session.closing_ns is not None:
        closing = Closing(simulation.trader, session.at_end, _END_PATIENCE_S)
        closing_ns = max(session.closing_ns, simulation.scheduler.now_ns)
        simulation.scheduler.at(closing_ns, closing.begin, "the run was ended")
    until_ns = session.ended_ns
    simulation.run_until(until_ns)
    while closing is not None and not closing.is_done:
        until_ns += _NS
        simulation.run_until(until_ns)
    simulation.end()


class _Replay(Simulation):
    """The simulation of one replay."""

    link_type = MeasuredLink

    def __init__(
        self,
        config: RunConfig,
        run: RecordedRun,
        measured: Measured,
        world: World,
        fees: FeeTier | None,
        markets: list[Market],
        **given: Any,
    ) -> None:
        self._run, self._world, self._fees = run, world, fees
        super().__init__(config, markets=markets, profile=run.given_profile, **given)
        twins = Twins(measured)
        for link in self.links.values():
            assert isinstance(link, MeasuredLink)
            link.measure(world, twins)
        self._refusals = twins.refusals
        if world[Cause.LIMITS] is Taken.MEASURED:
            self.venue.gate = self._refused_in_run

    def venue_profile(self) -> VenueProfile:
        """The venue of this world: other fees and limits than those that the trader's side goes by."""
        profile = self.profile
        fees, limits = self._world[Cause.FEES], self._world[Cause.LIMITS]
        if fees is Taken.NONE:
            profile = msgspec.structs.replace(profile, fees=(FeeTier(volume_30d=0, maker_ppm=0, taker_ppm=0),))
        elif fees is Taken.MEASURED and self._fees is not None:
            profile = msgspec.structs.replace(profile, fees=(self._fees,))
        if limits is not Taken.ASSUMED:
            profile = msgspec.structs.replace(profile, tiers=tuple(_unlimited(tier) for tier in profile.tiers))
        return profile

    def told_lots(self) -> Sequence[npt.NDArray[np.int64] | None] | None:
        """As measured: with the run's own orders, which stand in the books that it was told."""
        if self._world[Cause.OWN] is not Taken.MEASURED:
            return None
        return [market.columns.qty_lots if market.depth == "L2" else None for market in self._run.markets]

    def feed_latency(self) -> CompiledLatency | None:
        """As measured: when the run has received each message."""
        feed = self._world[Cause.FEED]
        if feed is Taken.NONE:
            return compile_latency(LatencySpec())
        if feed is Taken.MEASURED and self._run.is_taped:
            return None
        return super().feed_latency()

    def _refused_in_run(self, line: str, command: Command, now_ns: int) -> RejectReason | None:
        return self._refusals.pop(command.request_id, None)


def _unlimited(tier: Tier) -> Tier:
    return msgspec.structs.replace(tier, threshold=_NEVER, open_orders_max=_NEVER, call_max=_NEVER)
