from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from numba import njit

from framework.data.synthetic_random import (
    KNOTS,
    ONE_EXP,
    below,
    decayed,
    draw_u64,
    exponential,
    from_quantiles,
    streams,
)


@njit
def _raw(random: npt.NDArray[np.uint64], count: int) -> npt.NDArray[np.uint64]:
    out = np.empty(count, dtype=np.uint64)
    for i in range(count):
        out[i] = draw_u64(random, 0)
    return out


@njit
def _whole(random: npt.NDArray[np.uint64], bound: int, count: int) -> npt.NDArray[np.int64]:
    out = np.empty(count, dtype=np.int64)
    for i in range(count):
        out[i] = below(random, 0, bound)
    return out


@njit
def _waits(random: npt.NDArray[np.uint64], count: int) -> npt.NDArray[np.int64]:
    out = np.empty(count, dtype=np.int64)
    for i in range(count):
        out[i] = exponential(random, 0)
    return out


@njit
def _from_table(random: npt.NDArray[np.uint64], table: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    out = np.empty(count, dtype=np.int64)
    for i in range(count):
        out[i] = from_quantiles(random, 0, table)
    return out


@njit
def _halved(value: int, elapsed_ns: int, half_life_ns: int) -> int:
    return int(decayed(value, elapsed_ns, half_life_ns))


def test_draws_are_those_of_splitmix64() -> None:
    # The first outputs of the published reference code for the state 1234567.
    random = np.array([[1234567], [0]], dtype=np.uint64)
    assert [int(x) for x in _raw(random, 5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_another_stream_or_another_seed_has_another_key() -> None:
    keys = [int(key) for seed in (0, 1, 2, 2**64, 2**64 + 1) for key in streams(seed, 13)[0]]
    assert len(set(keys)) == 5 * 13


def test_a_stream_keeps_its_draws_when_streams_are_added() -> None:
    assert streams(7, 3)[0].tolist() == streams(7, 13)[0, :3].tolist()


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="seed -1 is negative"):
        streams(-1, 2)


def test_whole_numbers_below_a_bound_are_all_drawn_equally_often() -> None:
    counts = np.bincount(_whole(streams(3, 1), 6, 60_000), minlength=6)
    # 10,000 each, standard deviation 91.
    assert len(counts) == 6
    assert np.abs(counts - 10_000).max() < 400


def test_exponential_draws_have_the_mean_spread_and_tail_of_the_exponential_distribution() -> None:
    waits = _waits(streams(4, 1), 1_000_000) / ONE_EXP
    assert waits.min() >= 0
    assert waits.mean() == pytest.approx(1.0, abs=0.004)
    assert waits.var() == pytest.approx(1.0, abs=0.012)
    assert (waits > 3).mean() == pytest.approx(0.049787, abs=0.0009)
    assert (waits < 0.1).mean() == pytest.approx(0.095163, abs=0.0012)


def test_an_exponential_draw_of_known_bits_is_minus_the_logarithm() -> None:
    # The first draw of the reference state: u = 6457827717110365317 / 2**64 = 0.350081, -ln u = 1.049591.
    random = np.array([[1234567], [0]], dtype=np.uint64)
    assert _waits(random, 1)[0] / ONE_EXP == pytest.approx(1.049591, abs=4e-6)


def test_draws_from_quantiles_meet_the_quantiles_and_are_straight_in_between() -> None:
    table = np.array([0, 100, 100, 100, 200, 400, 800, 1600, 3200, 6400, 20_000], dtype=np.int64)
    assert len(table) == KNOTS
    draws = _from_table(streams(5, 1), table, 400_000)
    assert draws.min() >= 0
    assert draws.max() < 20_000
    assert (draws == 100).mean() == pytest.approx(0.2, abs=0.004)
    assert (draws < 400).mean() == pytest.approx(0.5, abs=0.004)
    assert (draws < 13_200).mean() == pytest.approx(0.95, abs=0.002)


def test_a_value_halves_with_each_half_life() -> None:
    assert _halved(1 << 30, 0, 1000) == 1 << 30
    assert _halved(1 << 30, 1000, 1000) == 1 << 29
    assert _halved(1 << 30, 5000, 1000) == 1 << 25
    assert _halved(1 << 30, 500, 1000) == pytest.approx((1 << 30) * 0.70710678, rel=1e-6)
    assert _halved(1 << 30, 10**18, 1000) == 0
