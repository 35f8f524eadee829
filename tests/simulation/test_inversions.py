"""Cancel, then new, sent in one instant: which of the two the engine meets first, by protocol.

Source: guides/spot-amends, "Chaining of Unacknowledged Requests": in order on FIX; load balanced on WebSocket and REST.
The rates are not the model's own: with latencies of one continuous distribution, two messages on different paths are
inverted every other time, on the same path never, so (1 - 1/k) / 2 over k paths; for pairs sent apart, the chance that
the second latency is shorter by more than the pause is integrated from the distribution's definition.
"""

from __future__ import annotations

import itertools
import math

import pytest

from adapters.kraken.profile import PROFILE
from framework.backtest.config import RoadSection
from framework.backtest.runner import Backtest
from framework.backtest.sim_link import Gateway, SimLink
from framework.messages import CancelOrder, Command, Report
from framework.protocol import LatencySpec, Protocol
from framework.venue.latency import compile_latency
from framework.venue.path import Path
from framework.venue.scheduler import Scheduler
from tests.simulation.stage import BID, BTC, Script, rows, run, still_market

PAIRS = 100_000
PAIR_GAP_NS = 1_000_000_000  # far beyond any latency here, so that pairs do not meet
TIER = "cloud"


class Ear:
    """Stands in for the venue at the end of a link: writes down in which order commands arrive."""

    def __init__(self) -> None:
        self.outbox: list[Report] = []
        self.heard: list[int] = []

    def connect(self, *args: object, **options: object) -> None:
        """A line is up."""

    def handle(self, line_id: str, command: Command, now_ns: int) -> None:
        if command.request_id:
            self.heard.append(command.request_id)


def inverted_pairs(protocol: Protocol, gap_ns: int = 0) -> int:
    """Of 100,000 pairs sent over a link with the profile's own paths, how many arrived the other way round."""
    profile = PROFILE.protocols[protocol]
    table = compile_latency(PROFILE.latency_tier(TIER).links[protocol].command)
    scheduler, ear = Scheduler(0), Ear()
    path = Path(ordering=profile.ordering_command, balanced_paths=profile.balanced_paths, seed=3, name="c", table=table)
    link = SimLink(
        "link",
        profile,
        "account",
        scheduler,
        ear,
        Gateway(ear),
        path,
        path,
        path,
        False,  # type: ignore[arg-type]
    )
    link.open(is_reset=True)
    scheduler.run_next()

    def send(pair: int) -> None:
        link.send(CancelOrder(request_id=2 * pair + 1, cl_ord_id="old"))
        if gap_ns == 0:
            link.send(CancelOrder(request_id=2 * pair + 2, cl_ord_id="new"))
        else:
            scheduler.at(scheduler.now_ns + gap_ns, link.send, CancelOrder(request_id=2 * pair + 2, cl_ord_id="new"))

    for pair in range(PAIRS):
        scheduler.at((pair + 1) * PAIR_GAP_NS, send, pair)
        while scheduler.next_ns() < (pair + 2) * PAIR_GAP_NS:
            scheduler.run_next()
    assert sorted(ear.heard) == list(range(1, 2 * PAIRS + 1))
    return sum(first > second for first, second in zip(ear.heard[::2], ear.heard[1::2], strict=True))


def three_standard_errors(rate: float, count: int) -> float:
    return 3 * math.sqrt(count * rate * (1 - rate))


def shorter_by_more_than(gap_us: float, spec: LatencySpec) -> float:
    """P(Y + gap < X) of two latencies, floor + (median - floor) * exp(sigma * z), by integrating over z."""
    spread_us = spec.median_us - spec.floor_us

    def latency_us(z: float) -> float:
        return spec.floor_us + spread_us * math.exp(spec.sigma * z)

    def share_below(us: float) -> float:
        if us <= spec.floor_us:
            return 0.0
        z = math.log((us - spec.floor_us) / spread_us) / spec.sigma
        return 0.5 * (1 + math.erf(z / math.sqrt(2)))

    step = 0.001
    density = [
        (z, math.exp(-z * z / 2) / math.sqrt(2 * math.pi)) for z in (-8 + step * i for i in range(int(16 / step) + 1))
    ]
    return step * sum(weight * share_below(latency_us(z) - gap_us) for z, weight in density)


# ------------------------------------------------------------------------------------------------- in one instant


def test_over_fix_none_of_100000_pairs_is_inverted() -> None:
    assert inverted_pairs(Protocol.FIX) == 0


def test_over_websocket_pairs_are_inverted_when_they_take_two_of_four_paths_and_the_second_is_faster() -> None:
    assert PROFILE.protocols[Protocol.WS2].balanced_paths == 4
    assert abs(inverted_pairs(Protocol.WS2) - PAIRS * 0.375) < three_standard_errors(0.375, PAIRS)


def test_over_rest_every_other_pair_is_inverted() -> None:
    assert abs(inverted_pairs(Protocol.REST) - PAIRS * 0.5) < three_standard_errors(0.5, PAIRS)


# ------------------------------------------------------------------------------------------------- some time apart


@pytest.mark.parametrize("gap_ms", [1, 4, 10])
def test_over_rest_pairs_sent_apart_are_inverted_as_often_as_the_second_is_faster_by_the_pause(gap_ms: int) -> None:
    spec = PROFILE.latency_tier(TIER).links[Protocol.REST].command
    rate = shorter_by_more_than(gap_ms * 1_000, spec)
    assert 0.01 < rate < 0.5
    assert abs(inverted_pairs(Protocol.REST, gap_ms * 1_000_000) - PAIRS * rate) < three_standard_errors(rate, PAIRS)


@pytest.mark.parametrize("gap_ms", [1, 3])
def test_over_websocket_pairs_sent_apart_are_inverted_on_different_paths_only(gap_ms: int) -> None:
    spec = PROFILE.latency_tier(TIER).links[Protocol.WS2].command
    rate = 0.75 * shorter_by_more_than(gap_ms * 1_000, spec)
    assert 0.01 < rate < 0.375
    assert abs(inverted_pairs(Protocol.WS2, gap_ms * 1_000_000) - PAIRS * rate) < three_standard_errors(rate, PAIRS)


def test_over_fix_pairs_sent_apart_are_not_inverted_either() -> None:
    assert inverted_pairs(Protocol.FIX, 50_000) == 0


def test_pairs_sent_further_apart_than_the_slowest_message_are_inverted_on_no_road() -> None:
    """The slowest REST latency, floor 2 ms and median 8 ms with sigma 0.7, is cut at 85 ms, spikes add 20 ms."""
    for protocol in (Protocol.REST, Protocol.WS2):
        assert inverted_pairs(protocol, 110_000_000) == 0


# ------------------------------------------------------------------------------------------------- through the stack

STACK_PAIRS = 400
PAIR_EVERY_S = 3.0


class Replacing(Script):
    """Every 3 s cancels its order and sends another in the same instant, 400 times."""

    def on_start(self) -> None:
        self.left = STACK_PAIRS
        self.orders["a"] = self.buy(self.btc, BTC // 100, BID - 10)
        self.clock.set_timer_ns("replace", int(PAIR_EVERY_S * 1e9), 0, 0, self.replace_order)

    def replace_order(self, _: object) -> None:
        if self.left:
            self.left -= 1
            self.cancel_order(self.orders["a"])
            self.orders["a"] = self.buy(self.btc, BTC // 100, BID - 10)


def replacing(road: str, switches: dict[str, str] | None = None) -> Backtest:
    market = still_market(duration_s=STACK_PAIRS * PAIR_EVERY_S + 3, beat_s=1.0)
    section = RoadSection(name=road, latency_tier=TIER, cancel_reserve_points=0)
    return run(Replacing(), market=market, profile=PROFILE, road=section, tier="pro", switches=switches)


def inversions_at_the_engine(backtest: Backtest) -> int:
    """Pairs whose new order had been entered when the cancel of the one before was carried out, by the venue's rows."""
    place = {}
    for number, row in enumerate(rows(backtest, kind="venue")):
        if row["name"] in ("OrderRested", "OrderEnded"):
            place[row["name"], row["cl_ord_id"]] = number
    ids = [row["cl_ord_id"] for row in rows(backtest, kind="command", name="AddOrder")]
    assert len(ids) == STACK_PAIRS + 1
    return sum(place["OrderRested", new] < place["OrderEnded", old] for old, new in itertools.pairwise(ids))


def test_through_the_whole_stack_fix_never_has_both_orders_alive() -> None:
    assert inversions_at_the_engine(replacing("fix")) == 0


@pytest.mark.parametrize(("road", "rate"), [("ws2", 0.375), ("rest+ws", 0.5)])
def test_through_the_whole_stack_both_orders_are_alive_at_the_rate_of_the_path_model(road: str, rate: float) -> None:
    count = inversions_at_the_engine(replacing(road))
    assert abs(count - STACK_PAIRS * rate) < three_standard_errors(rate, STACK_PAIRS)


@pytest.mark.parametrize(("paths", "rate"), [(1, 0.0), (2, 0.25), (8, 0.4375)])
def test_the_number_of_balanced_paths_sets_the_rate(paths: int, rate: float) -> None:
    count = inversions_at_the_engine(replacing("ws2", {"balanced_paths": str(paths)}))
    assert abs(count - STACK_PAIRS * rate) <= three_standard_errors(rate, STACK_PAIRS)
