"""Shorter series keep their outline."""

from __future__ import annotations

import numpy as np

from framework.report.thinning import Budget, envelope, evenly, milliseconds, rounded


def test_a_short_series_is_kept_whole() -> None:
    assert envelope(np.array([3, 1, 2]), 3).tolist() == [0, 1, 2]


def test_a_long_series_keeps_first_lowest_highest_and_last_of_each_stretch() -> None:
    values = np.array([5, 9, 1, 5, 5, 5, 5, 5, 4, 5, 8, 7])
    # Two stretches of six: 5 9 1 5 5 5, and 5 5 4 5 8 7.
    assert envelope(values, 8).tolist() == [0, 1, 2, 5, 6, 8, 10, 11]


def test_a_thinned_series_is_not_longer_than_asked_and_keeps_its_ends() -> None:
    values = np.sin(np.arange(10_000) / 50)
    kept = envelope(values, 400)
    assert len(kept) <= 400
    assert (kept[0], kept[-1]) == (0, 9_999)
    assert values[kept].max() == values.max()
    assert values[kept].min() == values.min()


def test_numbers_beyond_64_bits_are_thinned_too() -> None:
    values = np.array([10**30, 0, -(10**30), 5, 5, 5, 5, 5], dtype=object)
    assert {0, 2} <= set(envelope(values, 4).tolist())


def test_items_are_taken_evenly_with_both_ends() -> None:
    assert evenly(range(10), 4) == [0, 3, 6, 9]
    assert evenly([1, 2], 4) == [1, 2]
    assert evenly([1, 2], 1) == [1]
    assert evenly([1, 2], 0) == []


def test_times_are_milliseconds_to_the_microsecond() -> None:
    assert milliseconds(1_000_000_000_001_234_567, 1_000_000_000_000_000_000) == 1.235


def test_numbers_keep_seven_digits() -> None:
    assert rounded(89671.94321) == 89671.94


def test_a_smaller_scale_has_smaller_budgets_down_to_a_floor() -> None:
    assert Budget(0.1).orders < Budget(1).orders
    assert Budget(1e-9).orders == 50
