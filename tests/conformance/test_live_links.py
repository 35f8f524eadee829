"""The trader's links over real sockets against a served venue: orders, fills, dropped lines, restarts.

Pages: rest-api/add-order and beside it, websocket-v2/executions, fix-api/logon-fix and beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from adapters.kraken.client.links import connect_live
from adapters.kraken.client.shell import LiveClock
from framework.adapter import LiveSettings
from framework.data.columns import CLEAR
from framework.execution.policy import DeskPolicy
from framework.protocol import SELL
from tests.adapters.kraken.client.test_market_data import Ears
from tests.conformance.live_desk import WAIT_S, LiveDesk, live_desk
from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_control import control

pytestmark = pytest.mark.slow

REST = DeskPolicy(submit="rest", amend="rest", cancel=("rest",), news="rest", poll_interval_ms=1_000)
WS2 = DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2", "rest"), news="ws2", query="rest")
FIX = DeskPolicy(submit="fix", amend="fix", cancel=("fix", "rest"), news="fix", query="rest")
LINKS = {"rest": {"rest": "rest"}, "ws2": {"ws2": "ws2", "rest": "rest"}, "fix": {"fix": "fix", "rest": "rest"}}
POLICIES = {"rest": REST, "ws2": WS2, "fix": FIX}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("venue")


@pytest.fixture(scope="module")
def ready(folder: Path) -> Iterator[dict[str, Any]]:
    with served_venue(folder, "--socket-connects", "0") as opened:
        yield opened


def with_desk(folder: Path, road: str, work: Callable[[LiveDesk], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        async with live_desk(folder, POLICIES[road], LINKS[road], **options) as desk:
            await work(desk)

    asyncio.run(run())


@pytest.mark.parametrize("road", list(LINKS))
def test_orders_are_added_amended_filled_and_canceled(ready: dict[str, Any], folder: Path, road: str) -> None:
    async def work(desk: LiveDesk) -> None:
        name = f"{road}-life"
        desk.add(f"{name}-a", "50000.0")
        await desk.says("accepted", f"{name}-a")
        assert desk.venue._parts.ids.is_needed(f"{name}-a")  # its name on the wire outlives all later ones
        desk.desk.amend(f"{name}-a", limit_ticks=desk.venue.instruments["BTC/USD"].ticks("50001.0"))
        await desk.says("updated", f"{name}-a")
        desk.desk.cancel(f"{name}-a")
        await desk.says("canceled", f"{name}-a")
        assert not desk.venue._parts.ids.is_needed(f"{name}-a")
        desk.add(f"{name}-b", "500000.0")
        await desk.says("filled", f"{name}-b")
        desk.add(f"{name}-c", "1.0", qty="0.000001")
        await desk.says("rejected", f"{name}-c")
        desk.add(f"{name}-d", "500001.0", is_post_only=True)
        await desk.says("canceled", f"{name}-d")
        assert not desk.desk.open_orders
        assert desk.listener.heard[0] == ("submitted", f"{name}-a")

    with_desk(folder, road, work)


def test_an_order_is_written_to_the_socket_before_submit_returns(ready: dict[str, Any], folder: Path) -> None:
    async def work(desk: LiveDesk) -> None:
        for road in ("ws2", "rest"):
            written: list[bytes] = []
            link: Any = desk.venue.links[road]
            if road == "ws2":
                socket = link._stream._stream
            else:
                socket = desk.venue._http._slots[0]._stream
            socket._line = _Tap(socket._line, written)
            desk.add(f"sync-{road}", "50000.0", via=road)
            assert len(written) == 1, road
            socket._line = socket._line.inner
            await desk.says("accepted", f"sync-{road}")
            desk.desk.cancel(f"sync-{road}")
            await desk.says("canceled", f"sync-{road}")

    with_desk(folder, "ws2", work)


class _Tap:
    """The operating system's socket, which notes what it is given."""

    def __init__(self, inner: Any, written: list[bytes]) -> None:
        self.inner = inner
        self._written = written

    def send(self, data: bytes) -> int:
        self._written.append(data)
        sent: int = self.inner.send(data)
        return sent

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def test_a_dropped_websocket_is_connected_again_and_tells_what_was_missed(ready: dict[str, Any], folder: Path) -> None:
    async def work(desk: LiveDesk) -> None:
        desk.add("drop-a", "50000.0")
        await desk.says("accepted", "drop-a")
        await asyncio.to_thread(control, ready, "/sessions/drop", kind="ws_v2", how="abort")
        await desk.until(lambda: "SessionClosed" in desk.road)
        desk.desk.cancel("drop-a", via="rest")
        await desk.up()
        await desk.says("canceled", "drop-a")
        desk.add("drop-b", "50000.0")
        await desk.says("accepted", "drop-b")
        desk.desk.cancel("drop-b")
        await desk.says("canceled", "drop-b")
        assert desk.road.count("SessionOpened") == 1

    with_desk(folder, "ws2", work)


def test_a_dropped_fix_session_resumes_with_a_replay_of_what_was_missed(ready: dict[str, Any], folder: Path) -> None:
    async def work(desk: LiveDesk) -> None:
        desk.add("resume-a", "50000.0")
        await desk.says("accepted", "resume-a")
        await asyncio.to_thread(control, ready, "/sessions/drop", kind="fix_trading", how="abort")
        await desk.until(lambda: "SessionClosed" in desk.road)
        desk.desk.cancel("resume-a", via="rest")
        await desk.up()
        await desk.says("canceled", "resume-a")
        assert [name for name in desk.road if name.startswith(("Session", "Replay", "Sequence"))] == [
            "SessionClosed",
            "SessionResumed",
            "SequenceGap",
            "ReplayCompleted",
        ]
        desk.add("resume-b", "50000.0")
        await desk.says("accepted", "resume-b")
        desk.desk.cancel("resume-b")
        await desk.says("canceled", "resume-b")

    with_desk(folder, "fix", work, options={"cancel_on_disconnect": "no"})


def test_orders_of_a_dropped_fix_session_are_canceled_by_the_venue(ready: dict[str, Any], folder: Path) -> None:
    async def work(desk: LiveDesk) -> None:
        desk.add("cod-a", "50000.0")
        await desk.says("accepted", "cod-a")
        await asyncio.to_thread(control, ready, "/sessions/drop", kind="fix_trading", how="abort")
        await desk.says("canceled", "cod-a")

    with_desk(folder, "fix", work, options={"cancel_on_disconnect": "yes"})


def test_after_a_restart_numbers_nonces_and_names_of_orders_go_on(
    ready: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    """What one process has sent is known by its own name in the next, whose nonces the venue takes."""
    options = {"cancel_on_disconnect": "no"}

    async def first(desk: LiveDesk) -> None:
        desk.add("a-name-that-is-too-long-for-the-wire", "50000.0")
        await desk.says("accepted", "a-name-that-is-too-long-for-the-wire")

    async def second(desk: LiveDesk) -> None:
        snapshots: list[Any] = []
        on_report = desk.desk.on_report

        def hear(name: str, report: Any) -> None:
            if type(report).__name__ == "OrdersSnapshot":
                snapshots.append(report)
            on_report(name, report)

        desk.venue.links["rest"].attach(hear, desk.desk.on_session_closed)
        while not snapshots:  # the venue may refuse a call that comes too soon after those of the first process
            desk.desk.query()
            await asyncio.sleep(0.5)
        (order,) = snapshots[0].orders
        assert order.cl_ord_id == "a-name-that-is-too-long-for-the-wire"

    with_desk(folder, "fix", first, state=tmp_path / "state", options=options)
    with_desk(folder, "fix", second, state=tmp_path / "state", options=options)
    assert sorted(path.name.split("-")[0] for path in (tmp_path / "state").iterdir()) == [
        "client", "fix", "fix", "nonce", "nonce",
    ]  # fmt: skip
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "state").iterdir())


def test_links_speak_tls_to_a_venue_with_a_certificate_of_its_own_authority(tmp_path: Path) -> None:
    policy = DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2", "fix:mass"), news="ws2", query="rest")

    async def run() -> None:
        links = {"ws2": "ws2", "rest": "rest", "fix": "fix"}
        loop = type(asyncio.get_running_loop()).__module__
        async with live_desk(tmp_path, policy, links) as desk:
            for road in links:
                desk.add(f"{loop}-{road}", "50000.0", via=road)
                await desk.says("accepted", f"{loop}-{road}")
            desk.desk.cancel_all(via="fix:mass")
            for road in links:
                await desk.says("canceled", f"{loop}-{road}")

    with served_venue(tmp_path, "--tls", "--state", str(tmp_path / "state")):
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(run())
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())


def test_fills_of_a_resting_order_come_as_they_happen(ready: dict[str, Any], folder: Path) -> None:
    async def work(desk: LiveDesk) -> None:
        desk.add("rest-a", "500000.0", side=SELL, qty="0.01")
        await desk.says("accepted", "rest-a")
        assert not desk.said("filled", "rest-a")
        desk.desk.cancel_all()
        await desk.says("canceled", "rest-a")

    with_desk(folder, "ws2", work)


def test_books_trades_and_tickers_come_and_are_lost_and_come_again(ready: dict[str, Any], folder: Path) -> None:
    """websocket-v2/book, trade, ticker: each message of the book is verified; a dropped line is told."""

    async def run() -> None:
        clock = LiveClock(asyncio.get_running_loop())
        venue = await connect_live(LiveSettings(links={}, options={"ready_file": str(folder / "ready.json")}), clock)
        ears = Ears()
        market = venue.market
        market.attach(ears)
        for channel in ("book", "trade", "ticker"):
            market.subscribe("BTC/USD", channel, 100)
        market.open()
        try:
            async with asyncio.timeout(WAIT_S):
                while not (len(ears.rows) > 300 and ears.trades and ears.quotes):
                    await asyncio.sleep(0.01)
                assert ears.lost == []
                bid_ticks, bid_lots, ask_ticks, ask_lots = market.book("BTC/USD").touch()
                assert 0 < bid_ticks < ask_ticks
                assert bid_lots
                assert ask_lots
                await asyncio.to_thread(control, ready, "/sessions/drop", kind="ws_v2", how="abort")
                while sum(row.kind == CLEAR for row in ears.rows) < 2:
                    await asyncio.sleep(0.01)
            assert len(ears.lost) == 1
            assert ears.lost[0].startswith("line dropped")
            assert market.book("BTC/USD").bid_ticks is not None
        finally:
            await venue.close()

    asyncio.run(run())
