"""Pages as files: what is in them, what must not be, how large they get, and what has no page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from framework.backtest.comparison import write_comparison
from framework.backtest.run_folder import RunFolder
from framework.errors import DataError
from framework.report import page as page_module
from framework.report import write_report
from framework.report.page import PAGE_BYTES_MAX, page
from tests.framework.backtest.build_run import write_run

EVIL = "</script><script>alert(1)</script><!-- &amp; \u2028"


def data_of(text: str) -> Any:
    """What the page's script reads."""
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return json.loads(found)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "run", minutes=12, drop_s=300, text=EVIL)


def test_text_from_a_venue_cannot_end_the_data_and_comes_out_as_it_was(run: Path) -> None:
    text = write_report(run).read_text(encoding="utf-8")
    start = text.index('id="data">') + len('id="data">')
    assert set("<>&") & set(text[start : text.index("</script>\n<script>", start)]) == set()
    assert EVIL in [row[5].removesuffix("; 0 open orders") for row in data_of(text)["runs"][0]["events"]["rows"]]


def test_a_title_is_escaped() -> None:
    text = page("<b>&", {"comparisons": [], "runs": []})
    assert "<title>&lt;b&gt;&amp;</title>" in text


def test_a_page_loads_nothing(run: Path) -> None:
    text = write_report(run).read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert set(re.findall(r"\w+://[^\s\"'<)]+", text)) == {"http://www.w3.org/2000/svg"}
    assert re.findall(r"<(?:script|img|link|iframe)[^>]*\ssrc=", text) == []
    assert re.findall(r"@import|url\(", text) == []


def test_text_is_never_put_on_the_page_as_markup(run: Path) -> None:
    text = write_report(run).read_text(encoding="utf-8")
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text) == []


def test_a_page_is_written_into_the_folder_that_it_is_of(run: Path) -> None:
    assert write_report(run) == run / "report.html"
    assert write_report(str(run)) == run / "report.html"


def test_the_same_folder_gives_the_same_page(run: Path) -> None:
    assert write_report(run).read_bytes() == write_report(run).read_bytes()


def test_a_page_that_would_be_too_large_is_thinned_until_it_is_not(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = write_report(run).stat().st_size
    assert whole <= PAGE_BYTES_MAX
    limit = whole * 2 // 3
    monkeypatch.setattr(page_module, "PAGE_BYTES_MAX", limit)
    thinned = write_report(run)
    assert thinned.stat().st_size <= limit
    orders = data_of(thinned.read_text(encoding="utf-8"))["runs"][0]["orders"]
    assert len(orders["rows"]) < orders["total"]


def test_a_folder_that_is_neither_run_nor_comparison_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither a run nor a comparison; give the --out of either"):
        write_report(tmp_path)


def test_a_comparisons_page_has_one_run_of_each_road_and_links_to_the_pages_of_runs(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / road / str(s), road=road, seed=s, minutes=3) for road in ("ws2", "fix") for s in (1, 2, 3)
    ]
    write_report(runs[4])
    comparison = write_comparison(tmp_path, runs)
    data = data_of(write_report(tmp_path).read_text(encoding="utf-8"))
    (shown,) = data["comparisons"]
    assert [data["runs"][i]["road"] for i in shown["runs"]] == ["ws2", "fix"]
    assert {data["runs"][i]["seed"] for i in shown["runs"]} == {shown["seed"]}
    assert shown["links"] == [[1, 2, "fix/2/report.html"]]
    assert [road["name"] for road in shown["roads"]] == comparison.roads


def test_a_comparison_whose_runs_are_gone_still_has_a_page(tmp_path: Path) -> None:
    run = write_run(tmp_path / "fix" / "1", road="fix", minutes=2)
    write_comparison(tmp_path, [run])
    for file in run.iterdir():
        file.unlink()
    data = data_of(write_report(tmp_path).read_text(encoding="utf-8"))
    assert data["comparisons"][0]["runs"] == data["runs"] == []


def test_a_run_without_any_event_has_a_page(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    run = write_run(tmp_path / "run", minutes=2)
    folder = RunFolder.open(run)
    pq.write_table(folder.events.slice(0, 0), run / "events.parquet")
    pq.write_table(folder.queue.slice(0, 0), run / "queue.parquet")
    data = data_of(write_report(run).read_text(encoding="utf-8"))["runs"][0]
    assert data["orders"]["rows"] == data["latencies"] == data["counter"] == []
    assert data["inputs"] == msgspec.toml.encode(folder.inputs.values).decode()
