"""Streams: the same numbers everywhere, independent of each other, evenly spread."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from framework.venue.streams import draw_below, draw_u64, stream_key

MASK = 2**64 - 1
keys = st.integers(0, 2**63 - 1)
numbers = st.integers(-(2**63), 2**63 - 1)


def mixed(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def obvious(key: int, n: int) -> int:
    """Two rounds of splitmix64's finalizer in Python's own integers."""
    return mixed((mixed((key + (n + 1) * 0x9E3779B97F4A7C15) & MASK) + key) & MASK)


def test_splitmix64_s_finalizer_gives_its_published_first_value() -> None:
    # The first output of splitmix64 seeded with 0 (Vigna's splitmix64.c) is the finalizer of the increment.
    assert mixed(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF


@given(keys, numbers)
def test_a_draw_is_what_plain_integers_give(key: int, n: int) -> None:
    assert draw_u64(key, n) == obvious(key, n)


@given(keys, numbers, st.integers(1, 2**63 - 1))
def test_a_bounded_draw_is_the_high_part_of_a_product(key: int, n: int, bound: int) -> None:
    assert draw_below(key, n, bound) == obvious(key, n) * bound >> 64


def test_compiled_code_draws_the_same() -> None:
    @njit
    def total(key: int) -> int:
        total = 0
        for n in range(100):
            total += draw_below(key, n, 1000)
        return total

    key = stream_key(1, "latency.ws2.command")
    assert total(key) == sum(draw_below(key, n, 1000) for n in range(100))


def test_keys_differ_by_name_and_by_seed_and_never_change() -> None:
    names = [stream_key(seed, name) for seed in (1, 2) for name in ("latency.ws2.command", "latency.ws2.response")]
    assert len(set(names)) == 4
    assert all(0 <= key < 2**63 for key in names)
    assert stream_key(1, "latency.ws2.command") == 3200005325520267898


def test_draws_are_even_and_streams_are_not_alike() -> None:
    one, two = stream_key(1, "a"), stream_key(1, "b")
    a = np.array([draw_u64(one, n) for n in range(20_000)], np.uint64).astype(np.float64) / 2**64
    b = np.array([draw_u64(two, n) for n in range(20_000)], np.uint64).astype(np.float64) / 2**64
    counts = np.histogram(a, 20, (0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # chi-squared, 19 degrees of freedom, 0.1 %
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.025  # 3.5 standard errors
    assert abs(np.corrcoef(a[1:], a[:-1])[0, 1]) < 0.025


def test_neighbouring_keys_do_not_repeat_each_other() -> None:
    # Keys one increment apart: with a single round, draw n of one would be draw n + 1 of the other.
    key = 123
    other = (key + 0x9E3779B97F4A7C15) & (2**63 - 1)
    assert not {draw_u64(key, n) for n in range(1000)} & {draw_u64(other, n) for n in range(1000)}
