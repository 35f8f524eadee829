"""The control API and the fault schedule over real sockets: what a tester does, and what clients then see."""

from __future__ import annotations

import asyncio
import datetime as dt
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_market_data import MarketClient
from tests.conformance.test_served_sockets import WAIT_S, FixClient, private, refused, trusting


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """One venue for all; a test leaves it online, with its time running. Each SenderCompID is one test's own."""
    folder = tmp_path_factory.mktemp("venue")
    with served_venue(folder) as opened:
        yield {**opened, "log": (folder / "venue.log").read_text()}


def control(ready: dict[str, Any], path: str, token: str | None = None, **body: Any) -> Any:
    """Do something, or look at something where nothing is given; the answer."""
    request = urllib.request.Request(
        f"{ready['control']}/v1{path}",
        data=json.dumps(body).encode() if body or path in ("/time/pause", "/time/resume", "/rollover") else None,
        headers={"Authorization": f"Bearer {token or ready['control_token']}"},
    )
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
        return json.load(answer)


def with_websocket(ready: dict[str, Any], work: Callable[[aiohttp.ClientWebSocketResponse], Awaitable[None]]) -> None:
    """Do something with a connection of WebSocket v2 that has been greeted."""

    async def run() -> None:
        trusted = trusting(ready) or True
        async with aiohttp.ClientSession() as session, session.ws_connect(ready["ws_v2"], ssl=trusted) as line:
            assert (await line.receive_json(timeout=WAIT_S))["channel"] == "status"
            await work(line)

    asyncio.run(run())


async def until_closed(line: aiohttp.ClientWebSocketResponse) -> int | None:
    """Read until the venue has ended the line; its code, None where it said nothing."""
    while True:
        message = await line.receive(timeout=WAIT_S)
        if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
            return message.data if isinstance(message.data, int) else None


def add_order(ready: dict[str, Any], **more: str) -> str:
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "50000", "volume": "0.01"}
    return str(private(ready, "AddOrder", **order, **more)["txid"][0])


def test_the_address_and_the_token_are_in_the_ready_file_and_on_the_console(ready: dict[str, Any]) -> None:
    assert ready["control"].startswith("http://127.0.0.1:")
    assert f"{ready['control']}" in ready["log"]
    assert ready["control_token"] in ready["log"]


def test_a_wrong_token_is_refused(ready: dict[str, Any]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        control(ready, "/state", token="wrong")
    assert (refused.value.code, "error" in json.load(refused.value)) == (401, True)


def test_a_dropped_websocket_is_closed_with_a_code_or_cut_without_one(ready: dict[str, Any]) -> None:
    def drop(how: str, code: int | None) -> None:
        async def work(line: aiohttp.ClientWebSocketResponse) -> None:
            (shown,) = control(ready, "/sessions")["connections"]
            assert control(ready, "/sessions/drop", number=shown["number"], how=how)["dropped"] == [shown["number"]]
            assert await until_closed(line) == code

        with_websocket(ready, work)

    drop("close", 1001)
    drop("abort", None)
    wait_until(lambda: control(ready, "/sessions")["count"] == 0)


def test_a_half_open_websocket_answers_nothing_and_stays(ready: dict[str, Any]) -> None:
    async def work(line: aiohttp.ClientWebSocketResponse) -> None:
        control(ready, "/sessions/drop", all=True, how="half_open")
        await line.send_json({"method": "ping"})
        with pytest.raises(TimeoutError):
            await line.receive(timeout=1)
        (shown,) = control(ready, "/sessions")["connections"]
        assert shown["is_half_open"]
        control(ready, "/sessions/drop", all=True)
        assert await until_closed(line) is None

    with_websocket(ready, work)


def test_lines_over_tls_are_left_half_open_and_cut_too(tmp_path: Path) -> None:
    with served_venue(tmp_path, "--tls", "--state", str(tmp_path / "state")) as ready:
        fix = FixClient(ready).open()

        async def work(line: aiohttp.ClientWebSocketResponse) -> None:
            control(ready, "/sessions/drop", all=True, how="half_open")
            await line.send_json({"method": "ping"})
            with pytest.raises(TimeoutError):
                await line.receive(timeout=1)
            assert control(ready, "/sessions")["count"] == 2
            control(ready, "/sessions/drop", all=True, how="abort")
            assert await until_closed(line) is None

        with_websocket(ready, work)
        with pytest.raises((AssertionError, OSError)):
            fix.run(lambda: False)
        wait_until(lambda: control(ready, "/sessions")["count"] == 0)


def test_a_dropped_fix_line_ends_and_its_orders_are_canceled(ready: dict[str, Any]) -> None:
    fix = FixClient(ready).open()
    fix.add("1", "50000.0", "0.01")
    (shown,) = control(ready, "/sessions")["connections"]
    assert (shown["kind"], shown["accounts"], shown["fix"]["sender_comp_id"]) == (
        "fix_trading", ["account-1"], fix.comp_id,
    )  # fmt: skip
    assert shown["fix"]["next_seq_num_client"] == fix.session.next_sender
    assert control(ready, "/sessions/drop", sender_comp_id="CLIENT9Z")["dropped"] == []
    assert control(ready, "/sessions/drop", sender_comp_id=fix.comp_id)["dropped"] == [shown["number"]]
    with pytest.raises(AssertionError, match="the venue closed the line"):
        fix.run(lambda: False)
    wait_until(lambda: control(ready, "/orders")["count"] == 0)
    (session, *_) = control(ready, "/sessions")["fix_sessions"]
    assert (session["sender_comp_id"], session["is_logged_on"]) == (fix.comp_id, False)


def test_a_fix_session_outlives_a_step_of_an_hour_and_a_pause_and_another_can_log_on(ready: dict[str, Any]) -> None:
    keep_clear_of_the_rollover(ready, 3_600)
    fix = FixClient(ready, number=1).open()
    control(ready, "/time/pause")
    control(ready, "/time/step", ms=3_600_000)
    assert fix.add("1", "50000.0", "0.01").text(150) == "0"
    other = FixClient(ready, account=1, number=1).open()
    assert other.add("1", "50000.0", "0.01").text(150) == "0"
    control(ready, "/time/resume")
    for client in (fix, other):
        client.drop()
    wait_until(lambda: control(ready, "/orders")["count"] == 0)


def test_in_cancel_only_mode_an_order_is_refused_in_krakens_words_and_a_cancel_goes_through(
    ready: dict[str, Any],
) -> None:
    order_id = add_order(ready)
    control(ready, "/mode", mode="cancel_only")
    with pytest.raises(AssertionError, match="EService:Market in cancel_only mode"):
        add_order(ready)
    assert private(ready, "CancelOrder", txid=order_id)["count"] == 1
    control(ready, "/mode", mode="online")
    assert private(ready, "CancelOrder", txid=add_order(ready))["count"] == 1


def test_a_rollover_logs_fix_out_and_leaves_the_others(ready: dict[str, Any]) -> None:
    fix = FixClient(ready, account=1).open()
    assert control(ready, "/rollover")["fix"]["logon_refused_until"] > control(ready, "/time")["time"]
    with pytest.raises(AssertionError, match="the venue closed the line"):
        fix.run(lambda: False)
    fix.drop()
    assert "End of trading day" in fix.closed[0]
    assert control(ready, "/sessions")["count"] == 0
    control(ready, "/time/step", ms=30_000)


def test_sessions_of_fix_market_data_are_shown_beside_those_of_trading_and_dropped(ready: dict[str, Any]) -> None:
    client = MarketClient(ready)
    shown = control(ready, "/sessions")
    (connection,) = shown["connections"]
    targets = {each["target_comp_id"]: each["is_logged_on"] for each in shown["fix_sessions"] if each["is_logged_on"]}
    name = ready["accounts"][0]["fix"]["market_data_target_comp_id"]
    assert (connection["kind"], connection["fix"]["target_comp_id"], targets) == ("fix_market_data", name, {name: True})
    assert len({each["target_comp_id"] for each in shown["fix_sessions"]}) == 2
    control(ready, "/sessions/drop", kind="fix_market_data")
    with pytest.raises(AssertionError, match="the venue closed the line"):
        client.run(lambda: False)


def test_an_order_expires_when_paused_time_is_stepped_past_its_end(ready: dict[str, Any]) -> None:
    order_id = add_order(ready, timeinforce="GTD", expiretm="+60")
    before = control(ready, "/time/pause")
    time.sleep(0.2)
    assert control(ready, "/time") == before
    control(ready, "/time/step", ms=58_000)
    assert [row["order_id"] for row in control(ready, "/orders")["orders"]] == [order_id]
    control(ready, "/time/step", ms=2_000)
    assert control(ready, "/orders")["count"] == 0
    control(ready, "/time/resume")
    assert private(ready, "QueryOrders", txid=order_id)[order_id]["status"] == "expired"


def keep_clear_of_the_rollover(ready: dict[str, Any], seconds: int) -> None:
    """Have no rollover within so many seconds, whatever the time of day: where there would be one, it is behind us."""
    now = dt.datetime.fromisoformat(control(ready, "/time")["time"])
    rollover = now.replace(hour=22, minute=0, second=0, microsecond=0)
    left_s = (rollover - now).total_seconds()
    if -60 < left_s < seconds + 120:
        control(ready, "/time/step", ms=round(left_s * 1_000) + 60_000)


def wait_until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.05)


# ----------------------------------------------------------------------------- faults


FAULTS = """
[[faults]]
kind = "drop"
link = "ws2"
at_s = 3
for_s = 3

[[faults]]
kind = "drop"
link = "rest"
at_s = 3
for_s = 3

[[faults]]
kind = "mode"
mode = "post_only"
at_s = 3
for_s = 100
"""


def test_a_schedule_of_faults_cuts_lines_refuses_new_ones_and_sets_the_mode(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text(FAULTS, encoding="utf-8")
    with served_venue(tmp_path, "--faults", str(file)) as ready:
        assert len(control(ready, "/faults")) == 3

        async def work(line: aiohttp.ClientWebSocketResponse) -> None:
            assert private(ready, "OpenOrders") == {"open": {}}
            assert await until_closed(line) is None
            assert control(ready, "/mode")["mode"] == "post_only"
            async with aiohttp.ClientSession() as session:
                with pytest.raises(aiohttp.ClientError):
                    await session.ws_connect(ready["ws_v2"])
            with pytest.raises((http.client.HTTPException, OSError)):
                private(ready, "OpenOrders")
            assert FixClient(ready).open().is_opened

        with_websocket(ready, work)
        wait_until(lambda: all(fault["state"] == "over" for fault in control(ready, "/faults")[:2]))
        with_websocket(ready, lambda line: line.ping())
        assert private(ready, "OpenOrders") == {"open": {}}
        with pytest.raises(AssertionError, match="EService:Market in post_only mode"):
            add_order(ready)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--control-port", "70000"], "--control-port 70000"),
        (["--faults", "missing.toml"], "missing.toml: there is no such file"),
    ],
)
def test_a_mistake_ends_in_one_line_that_names_it(options: list[str], text: str) -> None:
    done = refused(*options)
    assert (done.returncode, len(done.stderr.splitlines()), text in done.stderr) == (2, 1, True)


def test_a_fault_that_cannot_happen_is_named_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text('[[faults]]\nkind = "mode"\nmode = "siesta"\nat_s = 1\n', encoding="utf-8")
    done = refused("--faults", str(file))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert f'{file}: [[faults]] mode = "siesta"; it must be one of online' in done.stderr


def test_each_websocket_address_of_the_venue_is_of_a_kind_that_can_be_shown_and_dropped(ready: dict[str, Any]) -> None:
    async def open_all() -> None:
        addresses = [address for name, address in ready.items() if name.startswith("ws_")]
        async with aiohttp.ClientSession() as session:
            lines = [await session.ws_connect(address) for address in addresses]
            for line in lines:
                await line.receive(timeout=WAIT_S)
            kinds = {shown["kind"] for shown in control(ready, "/sessions")["connections"]}
            assert len(kinds) == len(lines)
            for kind in kinds:
                control(ready, "/sessions/drop", kind=kind)
            for line in lines:
                assert await until_closed(line) == 1001

    asyncio.run(open_all())
