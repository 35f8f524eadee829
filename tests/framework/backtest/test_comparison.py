"""Runs side by side: spreads, paired differences, the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.backtest.compared_figures import FIGURES, figure
from framework.backtest.comparison import (
    compare,
    comparison_table,
    is_comparison_folder,
    paired,
    read_comparison,
    representative_seed,
    write_comparison,
)
from framework.errors import DataError
from tests.framework.backtest.build_run import write_run
from tests.framework.backtest.synthetic_metrics import figures_of


def nets(**by_road: list[float]):
    return compare([figures_of(road, s, pnl__net=v) for road, row in by_road.items() for s, v in enumerate(row, 1)])


def test_a_spread_has_mean_median_ends_and_sample_deviation() -> None:
    row = nets(rest=[1, 2, 6]).figures["net"]["rest"]
    assert (row.values, row.mean, row.median, row.min, row.max) == ((1.0, 2.0, 6.0), 3.0, 2.0, 1.0, 6.0)
    assert row.stdev == pytest.approx(7**0.5)


def test_one_seed_has_no_deviation() -> None:
    assert nets(rest=[1]).figures["net"]["rest"].stdev is None


def test_a_run_without_the_figure_has_no_part_in_it() -> None:
    runs = [figures_of("rest", 1, maker_share=0.5), figures_of("rest", 2)]
    row = compare(runs).figures["maker_share"]["rest"]
    assert (row.values, row.mean, row.stdev) == ((50.0, None), 50.0, None)


def test_the_paired_interval_is_students() -> None:
    found = paired(nets(fix=[3, 5, 9, 4], rest=[1, 2, 3, 4]), "net", "fix", "rest")
    # Differences 2, 3, 6, 0: mean 2.75, deviation 2.5; 3.182 * 2.5 / 2 = 3.9775.
    assert (found.mean, found.seeds, found.above, found.below, found.equal) == (2.75, 4, 3, 0, 1)
    assert (found.low, found.high) == (pytest.approx(-1.2275), pytest.approx(6.7275))
    assert not found.is_clear


def test_a_difference_whose_interval_leaves_out_zero_is_clear_in_both_directions() -> None:
    comparison = nets(fix=[11, 12, 14, 13], rest=[1, 2, 3, 4])
    assert paired(comparison, "net", "fix", "rest").is_clear
    assert paired(comparison, "net", "rest", "fix").is_clear


def test_one_seed_has_no_interval_and_nothing_is_clear() -> None:
    found = paired(nets(fix=[100], rest=[1]), "net", "fix", "rest")
    assert (found.low, found.high, found.is_clear) == (None, None, False)


def test_only_seeds_that_both_roads_have_are_paired() -> None:
    runs = [figures_of("rest", 1, pnl__net=1), figures_of("rest", 2, pnl__net=50), figures_of("fix", 1, pnl__net=3)]
    found = paired(compare(runs), "net", "fix", "rest")
    assert (found.seeds, found.mean) == (1, 2.0)


def test_roads_without_a_common_seed_have_no_difference() -> None:
    runs = [figures_of("rest", 1, pnl__net=1), figures_of("fix", 2, pnl__net=3)]
    assert paired(compare(runs), "net", "fix", "rest") is None


def test_the_representative_seed_is_the_one_of_median_net() -> None:
    assert representative_seed(nets(rest=[5, -100, 7], fix=[4, 3, 90])) == 1


def test_roads_and_seeds_keep_the_order_in_which_they_came() -> None:
    comparison = compare([figures_of("ws2", 7), figures_of("ws2", 3), figures_of("fix", 7), figures_of("fix", 3)])
    assert (comparison.roads, comparison.seeds) == (["ws2", "fix"], (7, 3))


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ([], "there is no run to compare"),
        ([figures_of("rest", 1), figures_of("rest", 1)], "two runs of road rest with seed 1"),
        (
            [figures_of("rest", 1), figures_of("fix", 1, strategy="Other")],
            r"different strategies \(MarketMaker, Other\)",
        ),
        ([figures_of("rest", 1), figures_of("fix", 1, currency="EUR")], r"different currencies \(EUR, USD\)"),
        (
            [figures_of("rest", 1), figures_of("fix", 1, last_ns=5)],
            "the runs of seed 1 played markets of different times",
        ),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(runs: list, words: str) -> None:
    with pytest.raises(DataError, match=words):
        compare(runs)


def test_every_figure_has_a_key_of_its_own_and_an_unknown_key_is_named() -> None:
    assert len({f.key for f in FIGURES}) == len(FIGURES)
    assert figure("net").title == "net P&L"
    with pytest.raises(KeyError, match="no figure 'profit'; there are net, spread"):
        figure("profit")


# ------------------------------------------------------------------------------------------------- table


def test_the_table_has_a_row_for_each_figure_with_units_and_a_column_for_each_road() -> None:
    lines = comparison_table(nets(rest=[1.5, 2.5], fix=[-1, 3])).splitlines()
    row = next(line for line in lines if "net P&L, USD" in line)
    assert row.split() == ["net", "P&L,", "USD", "2.00", "±0.71", "1.00", "±2.83"]
    assert lines[0].split() == ["rest", "fix"]
    assert lines[0].index("rest") + 4 == row.index("±0.71") + 5


def test_rows_that_no_run_has_are_left_out() -> None:
    table = comparison_table(nets(rest=[1.5, 2.5]))
    assert "filled as maker" not in table
    assert "net P&L" in table


def test_a_road_without_a_value_has_a_dash() -> None:
    table = comparison_table(compare([figures_of("rest", 1, maker_share=0.25), figures_of("fix", 1)]))
    row = next(line for line in table.splitlines() if "filled as maker" in line)
    assert row.split()[-2:] == ["25", "-"]


def test_cells_orders_of_magnitude_apart_have_digits_of_their_own() -> None:
    table = comparison_table(nets(rest=[1500.5], fix=[0.0994]))
    row = next(line for line in table.splitlines() if "net P&L" in line)
    assert row.split()[-2:] == ["1,500", "0.0994"]


def test_roads_that_do_not_fit_follow_in_another_table() -> None:
    roads = {f"road-{i}": [123456.5, 2.25] for i in range(12)}
    table = comparison_table(nets(**roads), width=160)
    assert max(len(line) for line in table.splitlines()) <= 160
    assert sum(line.count("road-11") for line in table.splitlines()) == 1
    assert table.count("\n  net P&L, USD") == table.count("road-0 ") + table.count("road-11") == 2


def test_the_table_says_how_many_seeds_it_stands_on() -> None:
    assert "MarketMaker, 3 seeds (1 to 3); mean over seeds and sample standard deviation." in comparison_table(
        nets(rest=[1, 2, 3])
    )
    assert "MarketMaker, 1 seed (1); one seed." in comparison_table(nets(rest=[1]))
    assert "2 seeds (4, 9)" in comparison_table(compare([figures_of("rest", 4), figures_of("rest", 9)]))


# ------------------------------------------------------------------------------------------------- folder


def test_a_comparison_of_run_folders_is_written_and_read_again(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / road / str(seed), road=road, seed=seed, minutes=2)
        for road in ("rest", "fix")
        for seed in (1, 2)
    ]
    assert not is_comparison_folder(tmp_path)
    written = write_comparison(tmp_path, runs)
    assert is_comparison_folder(tmp_path)
    assert read_comparison(tmp_path) == written
    assert written.folders == {"rest": ("rest/1", "rest/2"), "fix": ("fix/1", "fix/2")}


def test_a_comparison_of_another_version_is_refused(tmp_path: Path) -> None:
    write_comparison(tmp_path, [write_run(tmp_path / "r", minutes=1)])
    file = tmp_path / "comparison.json"
    file.write_text(file.read_text().replace('"version": 1', '"version": 0'))
    with pytest.raises(DataError, match=r"comparison.json: written by another version; compare the runs again"):
        read_comparison(tmp_path)


def test_a_folder_without_a_comparison_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"comparison.json: .*compare the runs again"):
        read_comparison(tmp_path)
