"""What a page shows of a comparison, as plain data for its script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from framework.backtest.compared_figures import FIGURES, Figure
from framework.backtest.comparison import Comparison, decimals_of, paired, unit_of
from framework.backtest.finding import finding
from framework.report.thinning import rounded

__all__ = ["comparison_data"]

# Figures that are plotted, road by road, seed by seed.
_PLOTTED = (
    "net", "spread", "markout_10s", "fees", "fill_ratio_qty", "late_fills", "inverted_share", "double_max_ms",
    "rate_limited", "orphan_s", "learn_ms", "cancel_ms",
)  # fmt: skip


def comparison_data(comparison: Comparison, folder: Path) -> dict[str, Any]:
    """A comparison; links go to the reports of its runs that stand beside it in ``folder``."""
    figures = [_figure(f, comparison) for f in FIGURES if any(r.known for r in comparison.figures[f.key].values())]
    return {
        "strategy": comparison.strategy,
        "currency": comparison.currency,
        "seeds": list(comparison.seeds),
        "roads": [{"name": road, "title": title} for road, title in comparison.titles.items()],
        "finding": finding(comparison),
        "figures": figures,
        "plotted": [key for key in _PLOTTED if any(row["key"] == key for row in figures)],
        "pairs": _pairs(comparison),
        "links": _links(comparison, folder),
    }


def _figure(f: Figure, comparison: Comparison) -> dict[str, Any]:
    rows = comparison.figures[f.key]
    return {
        "key": f.key,
        "group": f.group,
        "title": f.title,
        "unit": unit_of(f, comparison),
        "better": f.better,
        "decimals": decimals_of(list(rows.values())),
        "best": _best(f, comparison),
        "rows": [
            {
                "values": [None if v is None else rounded(v) for v in row.values],
                "mean": None if row.mean is None else rounded(row.mean),
                "stdev": None if row.stdev is None else rounded(row.stdev),
            }
            for row in rows.values()
        ],
    }


def _best(f: Figure, comparison: Comparison) -> int | None:
    """The road that is clearly better than every other, if one is."""
    if not f.better:
        return None
    for index, road in enumerate(comparison.roads):
        others = [paired(comparison, f.key, road, other) for other in comparison.roads if other != road]
        if others and all(d is not None and d.is_clear and d.mean * f.better > 0 for d in others):
            return index
    return None


def _pairs(comparison: Comparison) -> list[dict[str, Any]]:
    """Differences of net P&L between each two roads, the higher mean first, greatest first."""
    found = []
    roads = comparison.roads
    for i, first in enumerate(roads):
        for second in roads[i + 1 :]:
            difference = paired(comparison, "net", first, second)
            if difference is not None and difference.mean < 0:
                difference = paired(comparison, "net", second, first)
            if difference is not None:
                found.append(
                    {
                        "a": roads.index(difference.a),
                        "b": roads.index(difference.b),
                        "values": _differences(comparison, difference.a, difference.b),
                        "mean": rounded(difference.mean),
                        "low": None if difference.low is None else rounded(difference.low),
                        "high": None if difference.high is None else rounded(difference.high),
                        "above": difference.above,
                        "seeds": difference.seeds,
                        "clear": difference.is_clear,
                    }
                )
    return sorted(found, key=lambda row: -float(row["mean"]))


def _differences(comparison: Comparison, a: str, b: str) -> list[float | None]:
    rows = comparison.figures["net"]
    pairs = zip(rows[a].values, rows[b].values, strict=True)
    return [None if x is None or y is None else rounded(x - y) for x, y in pairs]


def _links(comparison: Comparison, folder: Path) -> list[list[Any]]:
    """Reports of single runs that stand in their folders, as [road, seed, address]."""
    found = []
    for index, road in enumerate(comparison.roads):
        for seed, name in zip(comparison.seeds, comparison.folders[road], strict=True):
            if name and (folder / name / "report.html").is_file():
                found.append([index, seed, f"{name}/report.html"])
    return found
