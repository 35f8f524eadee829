"""Latencies are counted by size, and quantiles of them are right to within a bucket."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.live.health.histogram import BOUNDS_NS, Histogram, quantile_ns

US = 1_000


def noted(*latencies_ns: int) -> Histogram:
    histogram = Histogram()
    for latency_ns in latencies_ns:
        histogram.note(latency_ns)
    return histogram


def test_bounds_are_round_and_go_from_a_microsecond_to_a_minute() -> None:
    assert BOUNDS_NS[:7] == (1_000, 1_500, 2_000, 3_000, 5_000, 7_000, 10_000)
    assert BOUNDS_NS[-1] == 60_000_000_000
    assert list(BOUNDS_NS) == sorted(set(BOUNDS_NS))
    assert all(high <= 2 * low for low, high in pairwise(BOUNDS_NS))


def test_a_bound_belongs_to_the_bucket_below_it() -> None:
    """As Prometheus has it: le is "less or equal"."""
    histogram = noted(1 * US, 1 * US + 1)
    assert histogram.counts[:3] == [1, 1, 0]
    assert histogram.sum_ns == 2_001


def test_what_is_longer_than_the_last_bound_has_a_bucket_too() -> None:
    histogram = noted(3_600 * 1_000_000_000)
    assert histogram.counts[-1] == 1
    assert quantile_ns(histogram.counts, 0.5) == BOUNDS_NS[-1]


def test_a_latency_below_zero_counts_as_none() -> None:
    """The venue's clock may be ahead of ours."""
    histogram = noted(-5_000_000)
    assert histogram.counts[0] == 1
    assert histogram.sum_ns == 0


def test_a_quantile_lies_within_its_bucket_by_how_many_are_below_it() -> None:
    # Four between 10 and 15 us: the half of them is taken to be at the bucket's middle.
    assert quantile_ns(noted(*[11 * US] * 4).counts, 0.5) == 12_500
    # Of a hundred, the one that is slow is the last.
    counts = noted(*[11 * US] * 99, 40_000 * US).counts
    assert quantile_ns(counts, 0.99) == 15_000
    assert quantile_ns(counts, 1.0) == 50_000 * US


def test_there_is_no_quantile_of_nothing() -> None:
    assert quantile_ns(Histogram().counts, 0.5) is None


@pytest.mark.parametrize("share", [-0.1, 1.1, 99])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="a share is from 0 to 1"):
        quantile_ns(noted(1).counts, share)


@given(st.lists(st.integers(0, 100 * 10**9), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_a_quantile_is_in_the_bucket_of_the_exact_one(latencies_ns: list[int], share: float) -> None:
    histogram = noted(*latencies_ns)
    assert sum(histogram.counts) == len(latencies_ns)
    assert histogram.sum_ns == sum(latencies_ns)
    # The smallest latency with that share of all at or below it.
    rank = next(n for n in range(1, len(latencies_ns) + 1) if n >= share * len(latencies_ns))
    exact_ns = sorted(latencies_ns)[rank - 1]
    found_ns = quantile_ns(histogram.counts, share)
    assert found_ns is not None
    bucket = min(bisect_left(BOUNDS_NS, exact_ns), len(BOUNDS_NS) - 1)
    assert (BOUNDS_NS[bucket - 1] if bucket else 0) <= found_ns <= BOUNDS_NS[bucket]
