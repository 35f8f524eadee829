"""The page of a run shows its divergence in a real browser: a row and a bar for each cause, and text as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from framework.backtest.config import MarketSection
from framework.protocol import LatencySpec, Protocol
from framework.report import write_report
from tests.framework.command import tidegate
from tests.framework.diverge.injected import CONFIG, simulated, with_latency
from tests.framework.report.browser import Browser, missing

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

SLOW = LatencySpec(kind="constant", median_us=200_000)
EVIL = "<img src=x onerror=\"document.title='taken'\">"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


def test_each_cause_has_a_row_with_a_bar_and_a_note_is_text(
    tmp_path: Path, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    short = replace(CONFIG, market=MarketSection(duration_s=60))
    run = simulated(tmp_path / "run", short, profile=with_latency(Protocol.WS2, command=SLOW))
    assert tidegate(capsys, "diverge", run).code == 0
    file = run / "divergence.json"
    found = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(found | {"notes": [EVIL]}), encoding="utf-8")
    write_report(run)

    browser.complaints()
    browser.open(run / "report.html")
    browser.settle()
    rows = browser.run("return [...document.querySelectorAll('table.divergence tr')].map((row) => row.innerText)")
    assert len(rows) == 13
    assert rows[4].startswith("command latency\t5 / 12.7 ms\t200 / 200 ms\t")
    bars = browser.run("return document.querySelectorAll('table.divergence .track i:not(.zero)').length")
    assert bars == sum(step["net"] != "0" for step in found["steps"]) > 0
    page = str(browser.run("return document.body.innerText"))
    assert EVIL in page
    assert f"{len(found['differences'])} orders filled otherwise" in page
    assert browser.run("return document.title") != "taken"
    assert browser.complaints() == []
