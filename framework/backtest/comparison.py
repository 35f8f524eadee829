"""The figures of many runs side by side: roads as columns, seeds as samples.

All roads of a seed saw the same market, so roads are compared seed by seed. The interval of a mean difference is
Student's t interval over the differences of the seeds, two-sided, 95 %: mean plus and minus t(n - 1) times the sample
standard deviation (divisor n - 1) over the square root of n. It takes the differences for independent and roughly
normal; with the handful of seeds that a study has, a bootstrap would be narrower than it should be. With one seed there
is none. A difference is called clear where its interval leaves out 0.

Where a figure is None in a run (no orders, no latencies), that run has no part in it.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path

import msgspec

from framework.backtest.compared_figures import FIGURES, Figure
from framework.backtest.figures import RunMetrics
from framework.backtest.metrics import read_metrics
from framework.errors import DataError

__all__ = [
    "Comparison",
    "PairedDifference",
    "Spread",
    "compare",
    "comparison_table",
    "decimals_of",
    "is_comparison_folder",
    "paired",
    "read_comparison",
    "representative_seed",
    "unit_of",
    "write_comparison",
]

_FILE = "comparison.json"
_VERSION = 1

# Student's t, 97.5 % quantile, by degrees of freedom; between the rows the one above is taken, which is wider.
_T = {
    1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228,
    11: 2.201, 12: 2.179, 13: 2.160, 14: 2.145, 15: 2.131, 16: 2.120, 17: 2.110, 18: 2.101, 19: 2.093, 20: 2.086,
    25: 2.060, 30: 2.042, 40: 2.021, 60: 2.000, 120: 1.980,
}  # fmt: skip


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """One figure on one road. values: by seed, None where the run has none; the rest over those that are there.

    stdev: sample standard deviation over seeds, None with fewer than two.
    """

    values: tuple[float | None, ...]
    mean: float | None
    median: float | None
    min: float | None
    max: float | None
    stdev: float | None

    @property
    def known(self) -> list[float]:
        """The values that are there."""
        return [value for value in self.values if value is not None]


class PairedDifference(msgspec.Struct, frozen=True, kw_only=True):
    """How much more a figure is on road ``a`` than on road ``b``, seed by seed.

    above, below, equal: seeds in which it is more, less, the same. low, high: interval of the mean, None with one seed.
    """

    a: str
    b: str
    seeds: int
    mean: float
    low: float | None
    high: float | None
    above: int
    below: int
    equal: int

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy over several roads and seeds.

    titles: the road's words by name, in the order of the columns. folders: of each road and seed, the run's folder
    relative to the comparison's, "" where it is not known. figures: by key and road.
    """

    version: int
    strategy: str
    currency: str
    base: str
    seeds: tuple[int, ...]
    titles: dict[str, str]
    folders: dict[str, tuple[str, ...]]
    figures: dict[str, dict[str, Spread]]

    @property
    def roads(self) -> list[str]:
        """Names of the roads in the order of the columns."""
        return list(self.titles)


def compare(runs: Sequence[RunMetrics], folders: Sequence[str] | None = None) -> Comparison:
    """Put runs side by side; roads and seeds in the order of their first appearance.

    folders: of each run. Raises DataError for no runs, for two runs of one road and seed, for runs of different
    strategies or currencies, and where a seed's markets differ.
    """
    if not runs:
        raise DataError("there is no run to compare")
    by_place: dict[tuple[str, int], RunMetrics] = {}
    paths: dict[tuple[str, int], str] = {}
    for index, run in enumerate(runs):
        place = (run.road, run.seed)
        if place in by_place:
            raise DataError(f"two runs of road {run.road} with seed {run.seed}; leave one out")
        by_place[place] = run
        paths[place] = folders[index] if folders is not None else ""
    first = runs[0]
    for what, values in (
        ("strategies", [run.strategy for run in runs]),
        ("currencies", [run.currency for run in runs]),
    ):
        if len(set(values)) > 1:
            raise DataError(f"runs of different {what} ({', '.join(sorted(set(values)))}); compare each apart")
    titles = {run.road: run.road_title for run in runs}
    seeds = tuple(dict.fromkeys(run.seed for run in runs))
    for seed in seeds:
        if len({(run.first_ns, run.last_ns) for run in runs if run.seed == seed}) > 1:
            raise DataError(f"the runs of seed {seed} played markets of different times; run them on one market")
    figures = {
        f.key: {road: _spread([_value(f, by_place.get((road, seed))) for seed in seeds]) for road in titles}
        for f in FIGURES
    }
    symbols = list(first.by_symbol)
    return Comparison(
        version=_VERSION,
        strategy=first.strategy,
        currency=first.currency,
        base=symbols[0].partition("/")[0] if len(symbols) == 1 else "units",
        seeds=seeds,
        titles=titles,
        folders={road: tuple(paths.get((road, seed), "") for seed in seeds) for road in titles},
        figures=figures,
    )


def write_comparison(out: Path, runs: Sequence[Path]) -> Comparison:
    """Compare run folders and write ``comparison.json`` into ``out``; raises DataError as ``compare`` does."""
    metrics = [read_metrics(path) for path in runs]
    base = out.resolve()
    names = [path.resolve().relative_to(base, walk_up=True).as_posix() for path in runs]
    comparison = compare(metrics, names)
    out.mkdir(parents=True, exist_ok=True)
    (out / _FILE).write_text(json.dumps(msgspec.to_builtins(comparison), indent=1) + "\n", encoding="utf-8")
    return comparison


def read_comparison(path: Path) -> Comparison:
    """The comparison in a folder; raises DataError if there is none of this version."""
    file = path / _FILE
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Comparison)
    except (OSError, msgspec.DecodeError) as e:
        raise DataError(f"{file}: {e}; compare the runs again") from e
    if found.version != _VERSION or set(found.figures) != {f.key for f in FIGURES}:
        raise DataError(f"{file}: written by another version; compare the runs again")
    return found


def is_comparison_folder(path: Path) -> bool:
    """Whether a folder holds a comparison."""
    return (path / _FILE).is_file()


def paired(comparison: Comparison, key: str, a: str, b: str) -> PairedDifference | None:
    """How much more a figure is on road ``a`` than on ``b``, over the seeds that both have; None without such."""
    rows = comparison.figures[key]
    pairs = zip(rows[a].values, rows[b].values, strict=True)
    differences = [x - y for x, y in pairs if x is not None and y is not None]
    if not differences:
        return None
    mean = statistics.fmean(differences)
    low = high = None
    if len(differences) > 1:
        half = _t(len(differences) - 1) * statistics.stdev(differences) / math.sqrt(len(differences))
        low, high = mean - half, mean + half
    return PairedDifference(
        a=a,
        b=b,
        seeds=len(differences),
        mean=mean,
        low=low,
        high=high,
        above=sum(d > 0 for d in differences),
        below=sum(d < 0 for d in differences),
        equal=sum(d == 0 for d in differences),
    )


def representative_seed(comparison: Comparison) -> int:
    """The seed whose net P&L, averaged over the roads, is the median of the seeds (the lower of the middle two)."""
    rows = comparison.figures["net"].values()
    means = []
    for index, seed in enumerate(comparison.seeds):
        known = [value for row in rows if (value := row.values[index]) is not None]
        if known:
            means.append((statistics.fmean(known), seed))
    means.sort()
    return means[(len(means) - 1) // 2][1] if means else comparison.seeds[0]


# ---------------------------------------------------------------------------------------------------------- text


def comparison_table(comparison: Comparison, width: int = 160) -> str:
    """The comparison as text: figures down, roads across, each cell the mean over seeds and its standard deviation.

    Rows that no run has a value for are left out. Roads that do not fit into the width follow in a further table.
    """
    lines: list[str] = []
    first = max(len(_label(f, comparison)) for f in FIGURES) + 2
    cells = {
        f.key: _cells(comparison.figures[f.key], comparison.roads)
        for f in FIGURES
        if any(row.known for row in comparison.figures[f.key].values())
    }
    widths = {
        road: max(len(road), *(len(row[i]) for row in cells.values())) + 2 for i, road in enumerate(comparison.roads)
    }
    for block in _blocks(widths, width - first):
        if lines:
            lines.append("")
        lines.append(" " * first + "".join(road.rjust(widths[road]) for road in block))
        group = ""
        for f in FIGURES:
            if f.key not in cells:
                continue
            if f.group != group:
                group = f.group
                lines.append(group)
            row = dict(zip(comparison.roads, cells[f.key], strict=True))
            lines.append(_label(f, comparison).ljust(first) + "".join(row[road].rjust(widths[road]) for road in block))
    count = len(comparison.seeds)
    note = "mean over seeds and sample standard deviation" if count > 1 else "one seed"
    lines.append("")
    lines.append(f"{comparison.strategy}, {count} seed{'s' * (count > 1)} ({_listing(comparison.seeds)}); {note}.")
    lines += [f"{road}: {title}" for road, title in comparison.titles.items() if title != road]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def unit_of(f: Figure, comparison: Comparison) -> str:
    """The unit of a figure in words."""
    return f.unit.replace("currency", comparison.currency).replace("qty", comparison.base)


def decimals_of(rows: Sequence[Spread]) -> list[int]:
    """Decimals with which each of a figure's cells is written: three significant digits of the row's greatest number,
    at most 6; of the cell's own where the means are orders of magnitude apart.
    """
    cells = [[value for value in (row.mean, row.stdev) if value is not None] for row in rows]
    means = [abs(row.mean) for row in rows if row.mean]
    if means and max(means) > 200 * min(means):
        return [_decimals(cell) for cell in cells]
    return [_decimals([value for cell in cells for value in cell])] * len(cells)


def _decimals(values: Sequence[float]) -> int:
    greatest = max((abs(value) for value in values), default=0.0)
    if all(value == int(value) for value in values):
        return 0
    return min(6, max(0, 2 - math.floor(math.log10(greatest))))


def _label(f: Figure, comparison: Comparison) -> str:
    unit = unit_of(f, comparison)
    return f"  {f.title}, {unit}" if unit else f"  {f.title}"


def _cells(rows: dict[str, Spread], roads: Sequence[str]) -> list[str]:
    spreads = [rows[road] for road in roads]
    decimals = decimals_of(spreads)
    deviations = [
        "" if row.stdev is None or _is_nothing(row) else f"±{row.stdev:,.{places}f}"
        for row, places in zip(spreads, decimals, strict=True)
    ]
    margin = max(len(text) for text in deviations)
    cells = []
    for row, places, deviation in zip(spreads, decimals, deviations, strict=True):
        mean = "-" if row.mean is None else "0" if _is_nothing(row) else f"{row.mean + 0.0:,.{places}f}"
        cells.append(f"{mean} {deviation.ljust(margin)}" if margin else mean)
    return cells


def _is_nothing(row: Spread) -> bool:
    return row.mean == 0 and not row.stdev


def _blocks(widths: dict[str, int], room: int) -> list[list[str]]:
    blocks: list[list[str]] = [[]]
    used = 0
    for road, width in widths.items():
        if blocks[-1] and used + width > room:
            blocks.append([])
            used = 0
        blocks[-1].append(road)
        used += width
    return blocks


def _listing(seeds: Sequence[int]) -> str:
    is_run = len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
    return f"{seeds[0]} to {seeds[-1]}" if is_run else ", ".join(str(seed) for seed in seeds)


# ---------------------------------------------------------------------------------------------------------- numbers


def _value(f: Figure, run: RunMetrics | None) -> float | None:
    value = None if run is None else f.value(run)
    return None if value is None else float(value)


def _spread(values: Sequence[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    return Spread(
        values=tuple(values),
        mean=statistics.fmean(known) if known else None,
        median=statistics.median(known) if known else None,
        min=min(known, default=None),
        max=max(known, default=None),
        stdev=statistics.stdev(known) if len(known) > 1 else None,
    )


def _t(degrees: int) -> float:
    return _T[max(row for row in _T if row <= degrees)]
