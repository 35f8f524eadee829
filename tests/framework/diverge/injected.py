"""Runs with a known cause: simulated in one world, and written down with the configuration of another."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from adapters.kraken.profile import PROFILE
from framework.backtest.config import MarketSection, RoadSection, RunConfig, StrategySection, VenueSection
from framework.backtest.runner import Backtest
from framework.diverge.ladder import Divergence, diverge
from framework.diverge.recorded import RecordedRun
from framework.diverge.world import Cause
from framework.protocol import FeeTier, LatencySpec, LinkLatency, Ordering, Protocol, Tier, VenueProfile
from tests.framework.command import STRATEGIES

__all__ = ["CONFIG", "diverged", "moved", "simulated", "with_charges", "with_latency", "with_ordering", "with_tiers"]

# A maker that is filled often: a minute of the synthetic market has a dozen of its fills.
CONFIG = RunConfig(
    market=MarketSection(duration_s=120),
    strategy=StrategySection(
        path=str(STRATEGIES / "market_maker.py"), parameters={"edge_ppm": 20, "requote_ppm": 20, "skew_ppm": 20}
    ),
    venue=VenueSection(profile="kraken", tier="pro", volume_30d_usd="1000000"),
    road=RoadSection(name="ws2"),
)


def simulated(
    out: Path,
    config: RunConfig = CONFIG,
    *,
    written: RunConfig | None = None,
    kind: type[Backtest] = Backtest,
    **given: Any,
) -> Path:
    """A run folder. written: the configuration that it states, if not the one that was run. kind: of simulation."""
    backtest = kind(config, **given)
    backtest.run()
    if written is not None:
        backtest.config = written
    return backtest.write(out)


def diverged(out: Path, **options: Any) -> Divergence:
    """Its divergence; the rows add up exactly, whatever they are."""
    found = diverge(RecordedRun(out), **options)
    assert found.backtest_net + sum((step.net for step in found.steps), Decimal(0)) == found.run_net
    assert found.backtest_fills + sum(step.fills for step in found.steps) == found.run_fills
    assert found.backtest_turnover + sum((step.turnover for step in found.steps), Decimal(0)) == found.run_turnover
    return found


def moved(found: Divergence) -> set[Cause]:
    """The causes whose rows are not zero."""
    return {step.cause for step in found.steps if step.net or step.fills or step.turnover}


# ------------------------------------------------------------------------------------------------------ other worlds


def with_latency(protocol: Protocol, **specs: LatencySpec) -> VenueProfile:
    """The profile with other latencies of a link: command, response, feed."""

    def changed(links: dict[Protocol, LinkLatency]) -> dict[Protocol, LinkLatency]:
        return {label: replace(link, **specs) if label is protocol else link for label, link in links.items()}

    tiers = tuple(
        replace(tier, links=changed(dict(tier.links))) if protocol in tier.links else tier
        for tier in PROFILE.latency_tiers
    )
    return replace(PROFILE, latency_tiers=tiers)


def with_ordering(protocol: Protocol, ordering: Ordering) -> VenueProfile:
    """The profile with another order of commands on a link."""
    protocols = {
        label: replace(each, ordering_command=ordering) if label is protocol else each
        for label, each in PROFILE.protocols.items()
    }
    return replace(PROFILE, protocols=protocols)


def with_charges(maker_ppm: int, taker_ppm: int) -> VenueProfile:
    """The profile with one tier of fees."""
    return replace(PROFILE, fees=(FeeTier(volume_30d=0, maker_ppm=maker_ppm, taker_ppm=taker_ppm),))


def with_tiers(threshold: int) -> VenueProfile:
    """The profile with another threshold of the rate counters."""

    def changed(tier: Tier) -> Tier:
        return replace(tier, threshold=threshold)

    return replace(PROFILE, tiers=tuple(changed(tier) for tier in PROFILE.tiers))
