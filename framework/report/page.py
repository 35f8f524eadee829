"""Putting a page together: one file that needs no network, with its style, scripts and data inside.

Texts from a venue are not trusted. They reach the page as JSON with every character escaped that could end a script
element, and the scripts put them on it as text, never as markup. A content security policy forbids all loading.
"""

from __future__ import annotations

import html
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from framework.backtest.comparison import is_comparison_folder, read_comparison, representative_seed
from framework.backtest.run_folder import RunFolder, is_run_folder
from framework.errors import DataError
from framework.report.comparison_data import comparison_data
from framework.report.run_data import run_data
from framework.report.thinning import Budget

__all__ = ["PAGE_BYTES_MAX", "page", "write_report"]

PAGE_BYTES_MAX = 5_000_000

_SCRIPTS = ("dom.js", "charts.js", "orders.js", "divergence.js", "run.js", "comparison.js", "main.js")
_NAME = "report.html"


def write_report(folder: Path | str) -> Path:
    """Write ``report.html`` into a run folder, a comparison folder, or a folder of comparisons; returns its path.

    Of a comparison, one seed's run on each road is shown in full: the seed of median net P&L. Raises DataError for a
    folder that is none of these.
    """
    folder = Path(folder)
    scale = 1.0
    while True:
        text = page(_title(folder), _data(folder, scale))
        if len(text.encode()) <= PAGE_BYTES_MAX or scale < 0.01:
            break
        scale /= 2
    file = folder / _NAME
    file.write_text(text, encoding="utf-8")
    return file


def page(title: str, data: dict[str, Any]) -> str:
    """A page of some data; ``main.js`` says what it understands."""
    assets = files("framework.report.assets")
    template = assets.joinpath("page.html").read_text(encoding="utf-8")
    parts = {
        "title": html.escape(title),
        "style": assets.joinpath("report.css").read_text(encoding="utf-8"),
        "script": "\n".join(assets.joinpath(name).read_text(encoding="utf-8") for name in _SCRIPTS),
        "data": _inert(data),
    }
    head, *rest = template.split("{{")
    text = [head]
    for piece in rest:
        name, _, tail = piece.partition("}}")
        text += [parts[name], tail]
    return "".join(text)


def _inert(data: dict[str, Any]) -> str:
    """JSON that a script element can hold whatever is in it."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _title(folder: Path) -> str:
    if is_run_folder(folder):
        inputs = RunFolder.open(folder).inputs
        return f"{inputs.strategy} · {inputs.road_title} · seed {inputs.seed}"
    names = [read_comparison(place).strategy for place in _comparisons(folder)]
    return f"{', '.join(dict.fromkeys(names))} over roads"


def _comparisons(folder: Path) -> list[Path]:
    if is_comparison_folder(folder):
        return [folder]
    found = sorted(place.parent for place in folder.glob("*/comparison.json"))
    if not found:
        raise DataError(f"{folder}: neither a run nor a comparison; give the --out of either")
    return found


def _data(folder: Path, scale: float) -> dict[str, Any]:
    if is_run_folder(folder):
        return {"comparisons": [], "runs": [run_data(RunFolder.open(folder), Budget(scale))]}
    comparisons: list[dict[str, Any]] = []
    runs: list[dict[str, Any]] = []
    places = [(place, read_comparison(place)) for place in _comparisons(folder)]
    count = sum(len(comparison.roads) for _, comparison in places)
    budget = Budget(scale * min(0.35, 2.5 / count))
    for place, comparison in places:
        values = comparison_data(comparison, place)
        # Of several the folders have names of their own, where one strategy may have been run in several ways.
        values["name"] = comparison.strategy if place == folder else place.name
        if place != folder:
            values["links"] = [[road, seed, f"{place.name}/{link}"] for road, seed, link in values["links"]]
        seed = representative_seed(comparison)
        values["seed"], values["runs"] = seed, []
        for road in comparison.roads:
            name = comparison.folders[road][comparison.seeds.index(seed)]
            if name and is_run_folder(place / name):
                values["runs"].append(len(runs))
                runs.append(run_data(RunFolder.open(place / name), budget))
        comparisons.append(values)
    return {"comparisons": comparisons, "runs": runs}
