"""Paths: what can overtake what, how often, and that chance is a function of seed, name and number only."""

from __future__ import annotations

import math
from pathlib import Path as FilePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.errors import ConfigError
from framework.protocol import LatencySpec, Ordering
from framework.venue.latency import CompiledLatency, compile_latency
from framework.venue.path import Path

SPREAD = compile_latency(LatencySpec(kind="lognormal", median_us=5_000, sigma=0.5, floor_us=1_000))
CONSTANT = compile_latency(LatencySpec(kind="constant", median_us=250))
PAIRS = 100_000
PAIR_GAP_NS = 1_000_000_000  # far beyond the largest latency, so that pairs do not meet


def path(ordering: Ordering, *, paths: int = 1, seed: int = 7, name: str = "command", table: CompiledLatency) -> Path:
    return Path(ordering=ordering, balanced_paths=paths, seed=seed, name=name, table=table)


def inversions(ordering: Ordering, *, paths: int = 1, seed: int = 7) -> int:
    """Of cancel and new, sent in that order in one instant, how many pairs arrive with the new one first."""
    line = path(ordering, paths=paths, seed=seed, table=SPREAD)
    count = 0
    for pair in range(PAIRS):
        ts_sent_ns = pair * PAIR_GAP_NS
        cancel_ns = line.send(ts_sent_ns)
        new_ns = line.send(ts_sent_ns)
        count += new_ns < cancel_ns
    return count


def three_standard_errors(rate: float) -> float:
    return 3 * math.sqrt(PAIRS * rate * (1 - rate))


# ------------------------------------------------------------------------------------------------- cancel, then new


def test_fifo_never_inverts_100000_pairs_sent_in_one_instant() -> None:
    assert inversions(Ordering.FIFO) == 0


@pytest.mark.parametrize("paths", [2, 3, 4, 8])
def test_balanced_inverts_as_often_as_two_messages_take_two_paths_and_the_second_is_faster(paths: int) -> None:
    rate = (1 - 1 / paths) / 2
    assert abs(inversions(Ordering.BALANCED, paths=paths) - PAIRS * rate) < three_standard_errors(rate)


def test_balanced_over_one_path_never_inverts() -> None:
    assert inversions(Ordering.BALANCED, paths=1) == 0


def test_a_path_for_each_message_inverts_every_other_pair() -> None:
    assert abs(inversions(Ordering.NONE) - PAIRS / 2) < three_standard_errors(0.5)


def test_constant_latency_inverts_nothing_on_any_path() -> None:
    for ordering in Ordering:
        line = path(ordering, paths=4, table=CONSTANT)
        arrivals = [line.send(0) for _ in range(100)]
        assert arrivals == [250_000] * 100


def test_no_ordering_lets_a_message_overtake_one_that_was_sent_a_little_earlier() -> None:
    line = path(Ordering.NONE, table=SPREAD)
    arrivals = [line.send(number * 1_000) for number in range(1_000)]
    assert arrivals != sorted(arrivals)


# ----------------------------------------------------------------------------------------------------------- ordering


@given(gaps_ns=st.lists(st.integers(0, 20_000_000), max_size=200), seed=st.integers(0, 2**32))
def test_fifo_arrivals_never_go_back_and_never_precede_sending(gaps_ns: list[int], seed: int) -> None:
    line = path(Ordering.FIFO, seed=seed, table=SPREAD)
    now_ns = 0
    last_ns = 0
    for gap_ns in gaps_ns:
        now_ns += gap_ns
        arrived_ns = line.send(now_ns)
        assert arrived_ns >= max(last_ns, now_ns + 1_000_000)
        last_ns = arrived_ns


@given(gaps_ns=st.lists(st.integers(0, 2_000_000), max_size=100), seed=st.integers(0, 2**32))
def test_balanced_delays_a_message_only_behind_an_arrival_of_the_same_path(gaps_ns: list[int], seed: int) -> None:
    """An arrival is the message's own draw, or exactly that of an earlier message which it may not overtake."""
    line = path(Ordering.BALANCED, paths=4, seed=seed, table=SPREAD)
    free = path(Ordering.NONE, seed=seed, table=SPREAD)
    now_ns = 0
    earlier: list[int] = []
    for gap_ns in gaps_ns:
        now_ns += gap_ns
        arrived_ns, own_ns = line.send(now_ns), free.send(now_ns)
        assert arrived_ns == own_ns or (arrived_ns > own_ns and arrived_ns in earlier)
        earlier.append(arrived_ns)


def test_the_choice_of_a_path_has_nothing_to_do_with_the_latency_drawn() -> None:
    """In a burst, slow messages come to stand in front on every path, so nothing sent later is fast any more."""
    line = path(Ordering.BALANCED, paths=4, table=SPREAD)
    arrivals = [line.send(0) for _ in range(2_000)]
    upper_quartile_ns = SPREAD.quantiles_ns[3072]
    assert min(arrivals[-100:]) > upper_quartile_ns


def test_a_new_connection_does_not_wait_behind_the_old_one() -> None:
    waiting, fresh = (path(Ordering.FIFO, table=SPREAD) for _ in range(2))
    for line in (waiting, fresh):
        line.send(10_000_000_000)
    fresh.reconnect()
    assert waiting.send(0) > 10_000_000_000
    assert fresh.send(0) < 1_000_000_000


def test_reconnecting_does_not_repeat_latencies() -> None:
    line = path(Ordering.NONE, table=SPREAD)
    first = line.send(0)
    line.reconnect()
    assert line.send(0) != first
    assert line.count == 2


# ------------------------------------------------------------------------------------------------------------- streams


def test_equal_seed_and_name_give_equal_arrivals() -> None:
    arrivals = [[line.send(n) for n in range(50)] for line in (path(Ordering.NONE, table=SPREAD) for _ in range(2))]
    assert arrivals[0] == arrivals[1]


@pytest.mark.parametrize("changed", [{"seed": 8}, {"name": "response"}])
def test_another_seed_or_name_gives_other_arrivals(changed: dict[str, object]) -> None:
    one = path(Ordering.NONE, table=SPREAD)
    other = path(Ordering.NONE, table=SPREAD, **changed)  # type: ignore[arg-type]
    assert [one.send(0) for _ in range(50)] != [other.send(0) for _ in range(50)]


def test_what_one_path_carries_changes_nothing_on_another() -> None:
    alone = path(Ordering.NONE, name="a", table=SPREAD)
    expected = [alone.send(0) for _ in range(20)]
    busy, again = path(Ordering.NONE, name="b", table=SPREAD), path(Ordering.NONE, name="a", table=SPREAD)
    seen = []
    for _ in range(20):
        busy.send(0)
        busy.send(0)
        seen.append(again.send(0))
    assert seen == expected


@pytest.mark.parametrize("ordering", list(Ordering))
@given(gaps_ns=st.lists(st.integers(0, 3_000_000), min_size=1, max_size=40), seed=st.integers(0, 1000))
def test_a_known_latency_that_is_the_drawn_one_arrives_as_a_drawn_one_does(
    ordering: Ordering, gaps_ns: list[int], seed: int
) -> None:
    one, two = (path(ordering, paths=3, seed=seed, table=SPREAD) for _ in range(2))
    now_ns = 0
    for gap_ns in gaps_ns:
        now_ns += gap_ns
        assert two.send_with(now_ns, two.latency_ns(now_ns)) == one.send(now_ns)
    assert one.count == two.count


def test_the_chance_of_a_message_says_which_quantile_its_latency_is() -> None:
    line = path(Ordering.NONE, table=SPREAD)
    drawn = []
    for _ in range(2_000):
        drawn.append((line.draw, line.latency_ns(0)))
        line.send(0)
    assert [ns for _, ns in sorted(drawn)] == sorted(ns for _, ns in drawn)


def test_a_message_that_holds_nothing_up_keeps_its_own_order_only() -> None:
    line = path(Ordering.FIFO, table=CONSTANT)
    assert line.send_with(0, 100) == 100
    assert line.send_with(1, 500, is_holding=False) == 501
    assert line.send_with(2, 10) == 100


def test_less_than_one_path_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one path"):
        path(Ordering.BALANCED, paths=0, table=SPREAD)


# --------------------------------------------------------------------------------------------------------------- specs


def test_a_lognormal_spec_has_its_median_and_its_floor() -> None:
    table = compile_latency(LatencySpec(kind="lognormal", median_us=5_000, sigma=0.5, floor_us=1_000))
    assert table.quantiles_ns[2048] == 5_000_000
    assert table.quantiles_ns[0] > 1_000_000


def test_an_empirical_spec_reads_its_file(tmp_path: FilePath) -> None:
    (tmp_path / "measured.txt").write_text("10\n20\n30\n")
    table = compile_latency(LatencySpec(kind="empirical", file="measured.txt"), tmp_path)
    assert (table.quantiles_ns[0], table.quantiles_ns[2048], table.quantiles_ns[-1]) == (10_000, 20_000, 30_000)


def test_spikes_come_at_their_rate_and_add_their_delay() -> None:
    """Six a minute of 500 ms: a message meets one with probability 6 * 0.5 / 60 = 0.05."""
    spec = LatencySpec(kind="constant", median_us=100, spike_rate_per_min=6, spike_ms=20, spike_length_ms=500)
    line = path(Ordering.NONE, table=compile_latency(spec))
    # 1.37 s apart, so that hardly two messages meet one spike and the draws are close to independent.
    delays = [line.send(n * 1_370_000_000) - n * 1_370_000_000 for n in range(20_000)]
    assert set(delays) == {100_000, 20_100_000}
    met = delays.count(20_100_000)
    assert abs(met - 1_000) < 3 * math.sqrt(20_000 * 0.05 * 0.95)


def test_a_spec_without_spikes_never_spikes() -> None:
    line = path(Ordering.NONE, table=CONSTANT)
    assert {line.send(n * 1_370_000_000) - n * 1_370_000_000 for n in range(5_000)} == {250_000}


def test_more_spikes_than_a_minute_can_hold_are_an_error() -> None:
    with pytest.raises(ConfigError, match="do not fit into a minute"):
        compile_latency(LatencySpec(median_us=1, spike_rate_per_min=100, spike_ms=1, spike_length_ms=1_000))
