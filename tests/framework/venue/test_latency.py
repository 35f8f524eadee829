"""Latency models: tables, draws, spikes and their configuration."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.errors import ConfigError
from framework.venue.latency import LatencyModel, Spikes, constant, empirical, latency_ns, lognormal
from framework.venue.streams import draw_below, draw_u64, stream_key

KEY = stream_key(1, "latency.test")
SPIKES = Spikes(
    bucket_ms=1.0,
    probability_ppm=300_000,
    duration_min_ms=0.2,
    duration_max_ms=0.8,
    extra_min_us=100,
    extra_max_us=300,
)


def obvious_draw(table: np.ndarray, key: int, n: int, ts: int) -> int:
    """A draw in Python's own integers."""
    quantiles = [int(q) for q in table[8:]]
    u = draw_u64(key, n)
    cell, fraction = u >> 52, u >> 32 & 0xFFFFF
    delay = quantiles[cell] + ((quantiles[cell + 1] - quantiles[cell]) * fraction >> 20)
    bucket_ns, ppm, shortest, longest, least, most = (int(v) for v in table[:6])
    if bucket_ns:
        for bucket in (ts // bucket_ns, ts // bucket_ns - 1):
            draw = -(2**62) + 4 * bucket
            if draw_below(key, draw, 10**6) < ppm:
                start = bucket * bucket_ns + draw_below(key, draw + 1, bucket_ns)
                if start <= ts < start + shortest + draw_below(key, draw + 2, longest - shortest + 1):
                    delay += least + draw_below(key, draw + 3, most - least + 1)
    return delay


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**40), st.integers(0, 2**62))
def test_draws_are_integer_interpolations_in_the_table(key: int, n: int, ts: int) -> None:
    for model in (constant(5, spikes=SPIKES), lognormal(500, 1.5, spikes=SPIKES), empirical([1, 2, 50])):
        table = model.compile().table
        assert latency_ns(key, n, ts, table) == obvious_draw(table, key, n, ts)


def test_a_constant_delay_is_exact() -> None:
    latency = constant(5000.25).compile()
    assert {latency.draw_ns(KEY, n, n) for n in range(50)} == {5_000_250}


def test_a_lognormal_delay_has_the_median_and_the_spread_that_were_asked_for() -> None:
    latency = lognormal(5000, 0.5, floor_us=2000).compile()
    draws = np.array([latency.draw_ns(KEY, n, 0) for n in range(20_000)])
    logs = np.log((draws - 2_000_000) / 3_000_000)
    assert abs(logs.mean()) < 3.5 * 0.5 / math.sqrt(20_000)
    assert abs(logs.std() - 0.5) < 0.01
    assert latency.quantiles_ns[2048] == 5_000_000
    # Quantile 3/4 of the normal distribution is 0.67448975.
    assert latency.quantiles_ns[3072] == 6_203_246  # 2e6 + 3e6 * exp(0.5 * 0.67448975)


def test_a_cut_lognormal_delay_never_exceeds_the_cut() -> None:
    latency = lognormal(100, 2.0, max_us=400).compile()
    draws = [latency.draw_ns(KEY, n, 0) for n in range(5000)]
    assert max(draws) == 400_000
    assert min(draws) > 0


def test_measured_delays_come_back_between_the_least_and_the_greatest() -> None:
    latency = empirical([30, 10, 20]).compile()
    assert latency.quantiles_ns[[0, 1024, 2048, 4096]].tolist() == [10_000, 15_000, 20_000, 30_000]
    draws = [latency.draw_ns(KEY, n, 0) for n in range(2000)]
    assert 10_000 <= min(draws) < 11_000
    assert 29_000 < max(draws) < 30_000


def test_measured_delays_are_read_from_text_and_arrays(tmp_path: Path) -> None:
    (tmp_path / "delays.txt").write_text("30\n10\n20\n")
    np.save(tmp_path / "delays.npy", np.array([30.0, 10.0, 20.0]))
    expected = empirical([30, 10, 20]).compile().table
    assert (empirical(tmp_path / "delays.txt").compile().table == expected).all()
    assert (empirical("delays.npy").compile(tmp_path).table == expected).all()


def test_a_spike_adds_its_delay_to_all_messages_of_its_time() -> None:
    latency = constant(10, spikes=SPIKES).compile()
    extra = np.array([latency.draw_ns(KEY, 0, ts) - 10_000 for ts in range(0, 400_000_000, 5_000)])
    during = extra[extra > 0]
    # 0.3 episodes of 0.5 ms on average in each ms; 400 buckets.
    assert abs((extra > 0).mean() - 0.15) < 0.03
    assert during.min() >= 100_000
    assert latency.draw_ns(KEY, 0, int(np.flatnonzero(extra)[0]) * 5_000) >= 10_000 + 100_000
    # Whoever asks: another message of the same instant sees the same episode.
    assert [latency.draw_ns(KEY, 99, ts * 5_000) - 10_000 for ts in range(2000)] == extra[:2000].tolist()


def test_other_streams_have_other_spikes() -> None:
    latency = constant(10, spikes=SPIKES).compile()
    other = stream_key(1, "latency.other")
    times = range(0, 40_000_000, 5_000)
    assert [latency.draw_ns(KEY, 0, ts) for ts in times] != [latency.draw_ns(other, 0, ts) for ts in times]


def test_without_spikes_time_changes_nothing() -> None:
    latency = lognormal(100, 1.0).compile()
    assert latency.draw_ns(KEY, 3, 0) == latency.draw_ns(KEY, 3, 10**18)


@pytest.mark.parametrize("model", [constant(3), lognormal(9, 0.5, max_us=50, spikes=SPIKES), empirical([1, 2])])
def test_a_model_survives_its_configuration(model: LatencyModel) -> None:
    assert LatencyModel.from_dict(model.to_dict()) == model


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"kind": "gaussian"}, "gaussian"),
        ({"kind": "constant", "us": -1}, "0 to 73 minutes"),
        ({"kind": "constant", "us": 1e12}, "0 to 73 minutes"),
        ({"kind": "lognormal", "median_us": 1, "floor_us": 2}, "floor_us <= median_us"),
        ({"kind": "empirical"}, "at least one delay"),
        ({"kind": "empirical", "file": "absent.txt"}, "absent.txt"),
        ({"kind": "constant", "delay": 1}, "delay"),
        ({"kind": "constant", "us": 1, "spikes": {"bucket_ms": 1}}, "probability_ppm"),
    ],
)
def test_a_model_that_makes_no_sense_is_refused(values: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        LatencyModel.from_dict(values).compile()


def test_spikes_longer_than_their_bucket_are_refused() -> None:
    with pytest.raises(ConfigError, match="duration_max_ms <= bucket_ms"):
        constant(
            1,
            spikes=Spikes(
                bucket_ms=1, probability_ppm=1, duration_min_ms=0, duration_max_ms=2, extra_min_us=0, extra_max_us=1
            ),
        ).compile()


def test_a_compiled_table_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        constant(1).compile().table[9] = 5
