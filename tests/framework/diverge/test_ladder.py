"""A divergence is attributed to what caused it: nothing where nothing differs, and the one cause where there is one."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from framework.backtest.config import AccountSection, FaultSection, MarketSection, RoadSection
from framework.backtest.metrics import read_metrics
from framework.backtest.runner import Backtest
from framework.backtest.sim_link import SimLink
from framework.data.columns import Columns, Market
from framework.data.recorder import RecordedInstrument, Recorder
from framework.data.recording import import_recording
from framework.data.synthetic import synthetic_l2, synthetic_market
from framework.diverge.world import CAUSES, Cause
from framework.live.closing import AtEnd
from framework.live.paper import PaperNode
from framework.messages import AddOrder, Command
from framework.protocol import POINT, LatencySpec, Ordering, Protocol, VenueProfile
from framework.venue.latency import CompiledLatency
from tests.framework.diverge.injected import (
    CONFIG,
    diverged,
    moved,
    simulated,
    with_charges,
    with_latency,
    with_ordering,
    with_tiers,
)

pytestmark = pytest.mark.slow

S = 1_000_000_000
SLOW = LatencySpec(kind="lognormal", median_us=150_000, sigma=0.5, floor_us=50_000)
DROP = (FaultSection(kind="drop", link="ws2", at_s=40, for_s=15, detect_ms=300),)


# ---------------------------------------------------------------------------------------------------- no divergence


@pytest.mark.parametrize("road", ["rest", "rest+ws", "ws2", "fix", "fix-colo"])
def test_a_backtest_diverges_by_exactly_nothing_on_each_road(tmp_path: Path, road: str) -> None:
    config = replace(CONFIG, road=RoadSection(name=road), faults=(replace(DROP[0], link="all"),))
    out = simulated(tmp_path / "run", config)
    found = diverged(out)
    assert found.run_fills > 0, "nothing was filled: the test shows nothing"
    assert found.replay_count >= 4, "the measured latencies were replayed"
    assert moved(found) == set()
    assert not found.differences
    assert found.run_net == read_metrics(out).pnl.net


def test_a_taker_diverges_by_exactly_nothing(tmp_path: Path) -> None:
    momentum = replace(CONFIG.strategy, path=CONFIG.strategy.path.replace("market_maker", "momentum"), parameters={})
    out = simulated(tmp_path / "run", replace(CONFIG, strategy=momentum, market=MarketSection(duration_s=600)))
    found = diverged(out)
    assert found.run_fills > 0
    assert moved(found) == set()
    assert found.run_net == read_metrics(out).pnl.net


@pytest.mark.parametrize("at_end", list(AtEnd))
def test_a_paper_run_that_was_ended_in_its_second_pass_diverges_by_exactly_nothing(
    tmp_path: Path, at_end: AtEnd
) -> None:
    config = replace(CONFIG, market=MarketSection(duration_s=40))
    node = PaperNode(config, is_looped=True, at_end=at_end, for_s=71.5)
    node.begin()
    while not node.is_done:
        node.run_until(node.now_ns + S // 3)
    node.finish()
    found = diverged(node.write(tmp_path / "run"))
    assert found.run_fills > 0
    assert moved(found) == set()


# ---------------------------------------------------------------------------------------------------- one cause


def test_commands_that_took_longer_are_command_latency(tmp_path: Path) -> None:
    found = diverged(simulated(tmp_path / "run", profile=with_latency(Protocol.WS2, command=SLOW)))
    assert found.run_net != found.backtest_net
    assert moved(found) == {Cause.COMMAND}
    assert {each.cause for each in found.differences} == {Cause.COMMAND}


def test_answers_that_took_longer_are_response_latency(tmp_path: Path) -> None:
    found = diverged(simulated(tmp_path / "run", profile=with_latency(Protocol.WS2, response=SLOW)))
    assert found.run_net != found.backtest_net
    assert moved(found) == {Cause.RESPONSE}
    assert {each.cause for each in found.differences} == {Cause.RESPONSE}


def test_commands_that_overtook_others_are_ordering(tmp_path: Path) -> None:
    spread = LatencySpec(kind="lognormal", median_us=100_000, sigma=1.0)
    latency = with_latency(Protocol.FIX, command=spread)
    config = replace(CONFIG, road=RoadSection(name="fix"))
    swapped = replace(latency, protocols=with_ordering(Protocol.FIX, Ordering.NONE).protocols)
    out = simulated(tmp_path / "run", config, profile=swapped)
    found = diverged(out)
    assert Cause.ORDERING in moved(found) <= {Cause.COMMAND, Cause.ORDERING}


def test_fees_that_were_charged_otherwise_are_fees_to_the_last_digit(tmp_path: Path) -> None:
    dear = simulated(tmp_path / "dear", profile=with_charges(40, 500))
    found = diverged(dear)
    assert moved(found) == {Cause.FEES}
    assert not found.differences, "fees change what a fill came to, not whether it was made"
    assert found.run_net == read_metrics(dear).pnl.net
    (fees,) = (step for step in found.steps if step.cause is Cause.FEES)
    assert fees.assumed == "maker 6 bp, taker 16 bp"
    assert fees.measured == "maker 0.4 bp"
    assert fees.net > 0


class _StrictVenue(Backtest):
    """Its venue refuses sooner than the trader's side believes."""

    def venue_profile(self) -> VenueProfile:
        return with_tiers(20 * POINT)


def test_orders_that_a_limit_refused_are_limits(tmp_path: Path) -> None:
    out = simulated(tmp_path / "run", kind=_StrictVenue)
    assert read_metrics(out).refusals.rate_limit > 0
    found = diverged(out)
    assert found.run_net != found.backtest_net
    assert moved(found) == {Cause.LIMITS}


def test_orders_that_the_account_could_not_pay_are_limits(tmp_path: Path) -> None:
    poor = replace(CONFIG, account=AccountSection(balances={"USD": "1000", "BTC": "0.02"}))
    out = simulated(tmp_path / "run", poor, written=CONFIG)
    found = diverged(out)
    assert found.run_net != found.backtest_net
    assert moved(found) == {Cause.LIMITS}


@pytest.mark.parametrize("link", ["ws2", "rest"])
def test_a_line_that_dropped_is_unknown_outcomes(tmp_path: Path, link: str) -> None:
    config = replace(CONFIG, road=RoadSection(name="rest+ws" if link == "rest" else "ws2"))
    out = simulated(tmp_path / "run", replace(config, faults=(replace(DROP[0], link=link),)), written=config)
    found = diverged(out)
    assert found.run_net != found.backtest_net
    (unknown,) = (step for step in found.steps if step.cause is Cause.UNKNOWN)
    left = sum((abs(step.net) for step in found.steps if step.cause is not Cause.UNKNOWN), Decimal(0))
    assert left * 4 <= abs(unknown.net), [str(step) for step in found.steps]


class _LossyLink(SimLink):
    """Every fifth new order is lost on the way."""

    count = 0

    def command_arrival_ns(self, command: Command) -> int | None:
        arrival_ns = super().command_arrival_ns(command)
        if isinstance(command, AddOrder):
            self.count += 1
            return None if self.count % 5 == 0 else arrival_ns
        return arrival_ns


class _LossyRun(Backtest):
    link_type = _LossyLink


def test_orders_that_were_lost_on_the_way_are_unknown_outcomes(tmp_path: Path) -> None:
    found = diverged(simulated(tmp_path / "run", kind=_LossyRun))
    assert found.run_net != found.backtest_net
    assert moved(found) == {Cause.UNKNOWN}


class _TapedRun(Backtest):
    """Its strategy hears of the market when the recording did."""

    def feed_latency(self) -> CompiledLatency | None:
        return None


def taped(folder: Path, late_ns: int) -> Market:
    """A market by levels, recorded as one that comes late, in the run folder's place for it."""
    market = synthetic_l2(synthetic_market(1, 120))
    columns = {name: getattr(market.columns, name) for name in market.columns.__struct_fields__}
    columns["ts_recv_ns"] = columns["ts_event_ns"] + late_ns
    recorder = Recorder(folder, [RecordedInstrument(spec=market.spec, depth="L2")], S)
    recorder.add_rows(market.spec.symbol, Columns(**columns))
    recorder.close(S)
    (imported,) = import_recording(folder, {})
    return imported.market


def test_a_market_that_was_heard_of_late_is_feed_latency(tmp_path: Path) -> None:
    market = taped(tmp_path / "taped", 250_000_000)
    out = simulated(tmp_path / "run", kind=_TapedRun, markets=[market])
    (tmp_path / "taped").rename(out / "market")
    found = diverged(out)
    assert found.run_net != found.backtest_net
    assert moved(found) == {Cause.FEED}
    assert found.steps[0].measured == "250 / 250 ms"


# ---------------------------------------------------------------------------------------------------- the ladder


def test_two_causes_are_told_apart_and_the_sum_is_exact(tmp_path: Path) -> None:
    both = replace(with_latency(Protocol.WS2, command=SLOW), fees=with_charges(40, 500).fees)
    found = diverged(simulated(tmp_path / "run", profile=both))
    assert moved(found) == {Cause.COMMAND, Cause.FEES}


def test_against_an_ideal_backtest_each_cause_has_its_price(tmp_path: Path) -> None:
    found = diverged(simulated(tmp_path / "run"), is_ideal=True)
    assert found.start == "ideal"
    fees = next(step for step in found.steps if step.cause is Cause.FEES)
    assert fees.net < 0
    assert {Cause.QUEUE, Cause.REST} & moved(found) == set()


def test_steps_stand_in_one_order_and_a_divergence_comes_out_the_same_twice(tmp_path: Path) -> None:
    out = simulated(tmp_path / "run", profile=with_latency(Protocol.WS2, command=SLOW))
    found = diverged(out)
    assert [step.cause for step in found.steps] == [*CAUSES, Cause.QUEUE, Cause.REST]
    assert diverged(out) == found
