"""The pages in a real browser: they draw, answer to the pointer, and the console stays silent.

Set TIDEGATE_SHOTS to a folder to keep pictures of the pages.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from framework.backtest.comparison import write_comparison
from framework.report import write_report
from tests.framework.backtest.build_run import write_run
from tests.framework.report.browser import Browser, missing

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

EVIL = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\"> & \u2028 '\""

# Whether something other than its ground and grid stands in a canvas: the number of colours in it.
COLOURS = """
const canvas = document.querySelectorAll(".chart canvas")[arguments[0]];
const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
const seen = new Set();
for (let i = 0; i < data.length; i += 4) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]},${data[i + 3]}`);
return seen.size;
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two studies of two roads and two seeds each, one run with a report of its own."""
    out = tmp_path_factory.mktemp("study")
    for strategy in ("maker", "taker"):
        runs = [
            write_run(out / strategy / road / str(seed), road=road, seed=seed, minutes=12, drop_s=300, text=EVIL)
            for road in ("ws2", "fix")
            for seed in (1, 2)
        ]
        write_report(runs[0])
        write_comparison(out / strategy, runs)
        write_report(out / strategy)
    write_report(out)
    return out


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


def show(browser: Browser, file: Path, name: str) -> None:
    browser.complaints()
    browser.open(file)
    browser.settle()
    assert browser.run("return document.documentElement.dataset.ready") == "yes"
    keep(browser, name)


def keep(browser: Browser, name: str) -> None:
    if shots := os.environ.get("TIDEGATE_SHOTS"):
        browser.screenshot(Path(shots) / f"{name}.png")


def text(browser: Browser) -> str:
    return str(browser.run("return document.body.innerText"))


def window_of(browser: Browser) -> Any:
    """The orders' chart redraws by the window; its picture stands for it."""
    return browser.run("return document.querySelectorAll('.chart canvas')[0].toDataURL()")


def test_a_runs_page_draws_every_chart_and_says_nothing_on_the_console(folder: Path, browser: Browser) -> None:
    show(browser, folder / "maker/ws2/1/report.html", "test-run")
    count = browser.run("return document.querySelectorAll('.chart canvas').length")
    assert count >= 7
    browser.run("window.scrollTo(0, document.body.scrollHeight)")
    browser.settle()
    assert [i for i in range(count) if browser.run(COLOURS, i) < 6] == []
    assert "WebSocket v2" in text(browser)
    assert browser.complaints() == []


def test_dragging_zooms_all_charts_and_the_button_shows_all_again(folder: Path, browser: Browser) -> None:
    show(browser, folder / "maker/ws2/1/report.html", "test-zoom-before")
    before = window_of(browser)
    browser.drag(".chart canvas", from_x=300, to_x=420, y=120)
    browser.run("document.activeElement.blur()")
    zoomed = window_of(browser)
    keep(browser, "test-zoomed")
    assert zoomed != before
    browser.click("section.card .head button")
    browser.point("h1", x=5, y=5)
    assert window_of(browser) == before
    assert browser.complaints() == []


def test_pointing_at_a_chart_tells_the_values_there(folder: Path, browser: Browser) -> None:
    show(browser, folder / "maker/ws2/1/report.html", "test-tip-before")
    browser.point(".chart canvas", x=500, y=120)
    told = browser.run("return document.querySelector('.tip:not([hidden])').innerText")
    assert "bid 60" in told
    assert "ask 60" in told
    browser.point("h1", x=5, y=5)
    assert browser.run("return document.querySelector('.tip:not([hidden])')") is None


def test_orders_can_be_filtered_found_and_opened(folder: Path, browser: Browser) -> None:
    show(browser, folder / "maker/ws2/1/report.html", "test-orders-before")
    every = browser.run("return document.querySelectorAll('.list button').length")
    browser.click("[data-filter=orphan]")
    orphans = browser.run("return [...document.querySelectorAll('.list .who')].map((e) => e.parentNode.title)")
    assert 0 < len(orphans) < every
    browser.click(".list button")
    assert browser.run("return document.querySelector('.orders h3').textContent") == orphans[0]
    browser.run("document.querySelector('.orders').scrollIntoView()")
    keep(browser, "test-orphan")
    assert "no link can cancel it" in text(browser)
    shown = browser.run("return document.querySelector('.list .who').firstChild.textContent")
    assert shown == "…" + orphans[0].removeprefix("mm-00")
    browser.click("[data-filter=all]")
    browser.run(
        "const find = document.querySelector('input[type=search]'); find.value = 'mm-00007';"
        "find.dispatchEvent(new Event('input'))"
    )
    assert browser.run("return document.querySelectorAll('.list button').length") == 1
    assert browser.complaints() == []


def test_an_inverted_order_is_shown_with_the_order_that_overtook_its_cancel(folder: Path, browser: Browser) -> None:
    show(browser, folder / "maker/ws2/1/report.html", "test-inverted")
    browser.click("[data-filter=inverted]")
    browser.click(".list button")
    browser.run("document.querySelector('.orders').scrollIntoView()")
    keep(browser, "test-inverted")
    label = "return [...document.querySelectorAll('.orders .head button')].map((b) => b.textContent)"
    (other,) = [words for words in browser.run(label) if words != "whole life"]
    assert other.startswith(("its replacement: mm-", "it replaces: mm-"))
    first = browser.run("return document.querySelector('.orders h3').textContent")
    browser.click(".orders .head button:last-child")
    assert browser.run("return document.querySelector('.orders h3').textContent") == other.split(": ")[1] != first
    assert browser.complaints() == []


def test_text_from_a_venue_is_shown_and_never_run(folder: Path, browser: Browser) -> None:
    show(browser, folder / "maker/ws2/1/report.html", "test-evil")
    assert browser.run("return document.title") != "taken"
    assert "</script><script>document.title='taken'</script><img src=x" in text(browser)
    assert browser.run("return document.images.length") == 0
    assert browser.complaints() == []


def test_a_comparisons_page_shows_finding_figures_and_each_road(folder: Path, browser: Browser) -> None:
    show(browser, folder / "maker/report.html", "test-comparison")
    shown = text(browser)
    assert "MarketMaker over 2 roads, 2 seeds." in shown
    assert "net P&L" in shown
    assert "Runs with a page of their own: 1" in shown
    tabs = browser.run("return [...document.querySelectorAll('[data-run]')].map((b) => b.textContent)")
    assert tabs == ["WebSocket v2", "FIX from the cloud"]
    browser.click("[data-run='1']")
    assert browser.run("return document.querySelectorAll('.chart canvas').length") >= 7
    assert browser.run(COLOURS, 0) > 6
    assert browser.complaints() == []


def test_pointing_at_a_seed_lights_it_up_on_every_road(folder: Path, browser: Browser) -> None:
    show(browser, folder / "maker/report.html", "test-seeds")
    browser.run("document.querySelector('.plots').scrollIntoView()")
    browser.point(".plots .seed", x=4, y=4)
    lit = browser.run("return [...document.querySelectorAll('.plots .lit')].map((d) => d.dataset.seed)")
    assert len(lit) >= 2
    assert len(set(lit)) == 1
    assert browser.complaints() == []


def test_a_folder_of_comparisons_has_a_tab_for_each(folder: Path, browser: Browser) -> None:
    show(browser, folder / "report.html", "test-study")
    tabs = browser.run("return [...document.querySelectorAll('[role=tablist]')[0].children].map((b) => b.textContent)")
    assert tabs == ["maker", "taker"]  # by folder: one strategy may have been run in several ways
    browser.click("[role=tablist] button:nth-child(2)")
    assert browser.run("return document.querySelectorAll('.chart canvas').length") >= 7
    links = browser.run("return [...document.querySelectorAll('a')].map((a) => a.getAttribute('href'))")
    assert links == ["taker/ws2/1/report.html"]
    assert browser.complaints() == []


def test_the_page_follows_a_dark_system_and_can_be_turned(folder: Path, tmp_path: Path) -> None:
    dark = Browser(tmp_path / "profile", is_dark=True)
    try:
        show(dark, folder / "maker/ws2/1/report.html", "test-dark")
        ground = "return getComputedStyle(document.body).backgroundColor"
        assert dark.run(ground) == "rgb(16, 21, 28)"
        dark.click("header.top button")
        assert dark.run(ground) == "rgb(246, 247, 249)"
        assert dark.complaints() == []
    finally:
        dark.close()
