"""The status page in a real browser, on a venue that is served: it shows what goes on, does what is clicked, and runs
no text of a client. Set TIDEGATE_SHOTS to a folder to keep pictures.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_control import control, until_closed, wait_until, with_websocket
from tests.conformance.test_served_sockets import private
from tests.framework.report.browser import Browser, missing

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

EVIL_ACCOUNT = "<img src=x onerror=\"document.title='taken'\">"
EVIL_ID = "<b onclick=1>x</b>"


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("venue")
    secret = base64.b64encode(b"secret of the test").decode()
    keys = folder / "keys.toml"
    keys.write_text(f"[[keys]]\naccount = '''{EVIL_ACCOUNT}'''\napi_key = 'key-of-the-test'\napi_secret = '{secret}'\n")
    with served_venue(folder, "--keys", str(keys)) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


def show(browser: Browser, ready: dict[str, Any], name: str) -> None:
    """Open the page as the console names it, and wait until it shows something."""
    browser.visit("about:blank")
    browser.complaints()
    browser.visit(f"{ready['control']}/#token={ready['control_token']}")
    wait_until(lambda: bool(browser.run("return document.documentElement.dataset.ready")))
    browser.settle()
    if shots := os.environ.get("TIDEGATE_SHOTS"):
        browser.screenshot(Path(shots) / f"{name}.png")


def text(browser: Browser) -> str:
    return str(browser.run("return document.body.innerText"))


def choose(browser: Browser, label: str, value: str) -> None:
    """Take a value of a list of choices."""
    browser.run(
        'const list = document.querySelector(`select[aria-label="${arguments[0]}"]`); list.value = arguments[1];'
        "list.dispatchEvent(new Event('change'))",
        label,
        value,
    )


def press(browser: Browser, label: str) -> None:
    """Press the first button of this label."""
    browser.run(
        "[...document.querySelectorAll('button')].find((each) => each.textContent === arguments[0]).click()", label
    )


def test_orders_come_and_go_on_the_page_and_the_console_stays_silent(ready: dict[str, Any], browser: Browser) -> None:
    show(browser, ready, "status-empty")
    assert "No order is open." in text(browser)
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "50000", "volume": "0.01"}
    order_id = private(ready, "AddOrder", **order)["txid"][0]
    wait_until(lambda: order_id in text(browser))
    private(ready, "AddOrder", **{**order, "ordertype": "market"})
    wait_until(lambda: "taker" in text(browser))
    private(ready, "CancelOrder", txid=order_id)
    wait_until(lambda: order_id not in text(browser))
    assert browser.complaints() == []


def test_the_token_does_not_stay_in_the_address(ready: dict[str, Any], browser: Browser) -> None:
    show(browser, ready, "status-address")
    assert browser.run("return location.href") == f"{ready['control']}/"
    browser.run("location.reload()")
    wait_until(lambda: "Open orders" in text(browser))


def test_text_of_clients_is_shown_and_never_run(ready: dict[str, Any], browser: Browser) -> None:
    private(ready, "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price="40000", volume="0.01",
            cl_ord_id=EVIL_ID)  # fmt: skip
    show(browser, ready, "status-evil")
    assert EVIL_ID in text(browser)
    assert EVIL_ACCOUNT in text(browser)
    assert browser.run("return document.querySelectorAll('main b, main img').length") == 0
    assert browser.run("return document.title") == "Tidegate venue"
    assert browser.complaints() == []


def test_no_script_but_the_pages_own_runs(ready: dict[str, Any], browser: Browser) -> None:
    show(browser, ready, "status-policy")
    browser.run("const s = document.createElement('script'); s.textContent = 'document.title = `taken`';"
                "document.body.append(s)")  # fmt: skip
    assert browser.run("return document.title") == "Tidegate venue"
    (said,) = browser.complaints()
    assert "Content Security Policy" in said


def test_time_is_paused_stepped_and_resumed_by_buttons(ready: dict[str, Any], browser: Browser) -> None:
    show(browser, ready, "status-time")
    press(browser, "Pause")
    wait_until(lambda: "paused" in text(browser))
    before_ns = control(ready, "/time")["time_ns"]
    press(browser, "+10 s")
    wait_until(lambda: bool(control(ready, "/time")["time_ns"] == before_ns + 10_000_000_000))
    wait_until(lambda: "Time jumped 10 s ahead." in text(browser))
    choose(browser, "speed of time", "2")
    press(browser, "Resume")
    wait_until(lambda: "running at 2\N{MULTIPLICATION SIGN}" in text(browser))
    choose(browser, "speed of time", "1")
    wait_until(lambda: "running at 1\N{MULTIPLICATION SIGN}" in text(browser))
    assert browser.complaints() == []


def test_modes_are_chosen_for_the_venue_and_for_a_pair(ready: dict[str, Any], browser: Browser) -> None:
    show(browser, ready, "status-modes")
    choose(browser, "mode of ETH/USD", "post_only")
    wait_until(lambda: bool(control(ready, "/mode")["pair_modes"]["ETH/USD"] == "post_only"))
    choose(browser, "mode of the venue", "cancel_only")
    wait_until(lambda: "The venue is in mode cancel only." in text(browser))
    assert control(ready, "/mode")["mode"] == "cancel_only"
    choose(browser, "mode of ETH/USD", "online")
    choose(browser, "mode of the venue", "online")
    wait_until(lambda: bool(set(control(ready, "/mode")["pair_modes"].values()) == {"online"}))


def test_a_session_is_dropped_by_its_button(ready: dict[str, Any], browser: Browser) -> None:
    show(browser, ready, "status-sessions")

    async def work(line: aiohttp.ClientWebSocketResponse) -> None:
        wait_until(lambda: "ws_v2" in text(browser))
        browser.click("td.acts button")
        assert await until_closed(line) == 1001

    with_websocket(ready, work)
    wait_until(lambda: "Nobody is connected." in text(browser))


def test_a_fault_is_begun_from_the_page(ready: dict[str, Any], browser: Browser) -> None:
    show(browser, ready, "status-faults")
    choose(browser, "what goes wrong", "mode limit_only")
    press(browser, "Begin now")
    wait_until(lambda: "The fault has begun." in text(browser))
    fault = control(ready, "/faults")[-1]
    assert (fault["kind"], fault["mode"], fault["for_s"]) == ("mode", "limit_only", 5.0)
    wait_until(lambda: bool(control(ready, "/mode")["mode"] == "online"))


def test_without_the_token_the_page_asks_for_it_and_shows_nothing(ready: dict[str, Any], browser: Browser) -> None:
    show(browser, ready, "status-before")
    browser.run("sessionStorage.clear()")
    browser.visit(f"{ready['control']}/#token=wrong")
    wait_until(lambda: "This is not the token of the venue that runs now." in text(browser))
    assert "Open orders" not in text(browser)
    browser.run("document.querySelector('input').value = arguments[0]", ready["control_token"])
    press(browser, "Show the venue")
    wait_until(lambda: "Open orders" in text(browser))


def test_the_page_says_when_the_venue_is_gone(browser: Browser, tmp_path: Path) -> None:
    with served_venue(tmp_path) as gone:
        show(browser, gone, "status-gone")
    wait_until(lambda: "The venue does not answer." in text(browser))


def test_the_page_follows_a_dark_system(ready: dict[str, Any], tmp_path: Path) -> None:
    dark = Browser(tmp_path / "profile", is_dark=True)
    try:
        show(dark, ready, "status-dark")
        time.sleep(0.2)
        assert dark.run("return getComputedStyle(document.body).backgroundColor") == "rgb(16, 21, 28)"
        assert dark.complaints() == []
    finally:
        dark.close()
