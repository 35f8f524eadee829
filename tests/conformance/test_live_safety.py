"""What keeps a live run from doing harm, over a served venue, each proved by a question to the venue.

Pages: rest-api/cancel-all-orders-after, websocket-v2/cancel_after; fix-api/logon-fix (cancel on disconnect).
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from framework.execution.limits import LimitsSection
from framework.live.closing import AtEnd
from framework.live.journal import read_records
from framework.live.records import Intended, Known
from framework.messages import CancelAllAfter
from tests.conformance.served_venue import served_venue
from tests.conformance.test_live_node import WAIT_S, Steps, begun, config_of, lived, rest_order, take, write_live
from tests.conformance.test_served_sockets import private
from tests.framework.command import tidegate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("venue")


@pytest.fixture(scope="module")
def ready(folder: Path) -> Iterator[dict[str, Any]]:
    with served_venue(folder, "--socket-connects", "0") as opened:
        yield opened


def opened_orders(ready: dict[str, Any]) -> set[str]:
    """What the venue says is open; asked again while the account's calls are spent, for a run has them too."""
    while True:
        try:
            return set(private(ready, "OpenOrders")["open"])
        except AssertionError as error:
            if "EAPI:Rate limit exceeded" not in str(error):
                raise
        time.sleep(2.0)


def within(seconds: float, condition: Callable[[], bool], pause_s: float = 1.0) -> bool:
    until_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until_s:
            return False
        time.sleep(pause_s)
    return True


def switched(journal: Path) -> list[int]:
    """What the dead man's switch was told, in seconds, in order."""
    commands = [each.command for each in read_records(journal) if isinstance(each, Intended)]
    return [command.timeout_s for command in commands if isinstance(command, CancelAllAfter)]


def resting(config: Path, tmp_path: Path, out: Path) -> tuple[subprocess.Popen[str], list[str]]:
    """A run with two orders at the venue, and its orders there."""
    journal = tmp_path / "state" / "run.intents"
    run = begun(config, out)
    known: list[Known] = []

    def has_two() -> bool:
        known[:] = [each for each in read_records(journal) if isinstance(each, Known)] if journal.exists() else []
        return len(known) == 2

    try:
        assert within(WAIT_S, has_two, 0.05), "no orders"
    except BaseException:
        run.kill()  # what lives on trades on the account of the tests that follow
        run.wait()
        raise
    return run, [str(each.order_id) for each in known]


@pytest.mark.slow
@pytest.mark.parametrize("road", ["rest", "ws2"])
def test_the_venue_cancels_all_orders_of_a_run_that_is_not_heard_any_more(
    ready: dict[str, Any], folder: Path, tmp_path: Path, road: str
) -> None:
    config = write_live(tmp_path, folder / "ready.json", road, dead_man_s="15")
    run, ids = resting(config, tmp_path, tmp_path / "run")
    try:
        assert within(10, lambda: switched(tmp_path / "state" / "run.intents")[:1] == [15], 0.1)
        time.sleep(0.5)
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait(timeout=30)
    assert set(ids) <= opened_orders(ready)
    assert within(25, lambda: not opened_orders(ready), 2.0)


@pytest.mark.slow
def test_over_fix_orders_go_with_the_line(ready: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    run, _ = resting(write_live(tmp_path, folder / "ready.json", "fix", dead_man_s="0"), tmp_path, tmp_path / "run")
    run.send_signal(signal.SIGKILL)
    run.wait(timeout=30)
    assert within(10, lambda: not opened_orders(ready))


def test_the_switch_is_refreshed_while_the_run_lives_and_let_go_of_at_its_end(
    ready: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    strategy = Steps(rest_order)
    config = config_of(folder, tmp_path, "ws2", dead_man_s=15)
    began_s = time.monotonic()
    asyncio.run(lived(config, strategy, lambda node: time.monotonic() - began_s > 12))
    told = switched(tmp_path / "run.intents")
    assert told[:2] == [15, 15]
    assert told[-1] == 0


def test_a_run_that_leaves_its_orders_lets_go_of_the_switch_too(
    ready: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    strategy = Steps(rest_order)
    config = config_of(folder, tmp_path, "ws2", dead_man_s=15, at_end=AtEnd.LEAVE)
    asyncio.run(lived(config, strategy, lambda node: "OrderAccepted" in strategy.heard))
    assert switched(tmp_path / "run.intents") == [15, 0]
    time.sleep(17)
    assert len(opened_orders(ready)) == 1
    private(ready, "CancelAll")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["signal", "command", "file"])
def test_a_live_run_is_killed_from_outside_and_the_venue_has_nothing_open(
    ready: dict[str, Any], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    """Orders of others go too: the switch is for the account."""
    out = tmp_path / "run"
    run, _ = resting(write_live(tmp_path, folder / "ready.json", dead_man_s="0"), tmp_path, out)
    private(ready, "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price="50000", volume="0.01")
    try:
        kill_file = out.with_name("run.kill")
        if way == "signal":
            run.send_signal(signal.SIGUSR1)
        elif way == "file":
            kill_file.touch()
        else:
            said = tidegate(capsys, "kill", out, "--wait", "30")
            assert said.code == 0, said
        assert within(30, lambda: kill_file.exists() and "nothing is open" in kill_file.read_text(), 0.1)
        assert opened_orders(ready) == set()
    finally:
        run.send_signal(signal.SIGINT)
        run.wait(timeout=30)


def test_a_loss_pulls_the_switch_and_the_venue_has_nothing_open(
    ready: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    strategy = Steps(rest_order, take)
    config = config_of(folder, tmp_path, "ws2", limits=LimitsSection(daily_loss_max={"USD": "0.01"}))
    node, said = asyncio.run(lived(config, strategy, lambda node: node.trader.kill_switch.proof is not None))
    assert node.failure is None, said
    assert "KillSwitchPulled" in strategy.heard
    assert opened_orders(ready) == set()


@pytest.mark.slow
def test_orphans_of_an_old_fix_session_go_by_another_road_and_orders_of_others_stay(
    ready: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    """Cancel on disconnect is off, and a new session's own cancels do not reach them (fix-api/cancel-fix). It is new
    where what was kept of the old one is gone.
    """
    config = write_live(tmp_path, folder / "ready.json", "fix", dead_man_s="0")
    config.write_text(config.read_text() + 'cancel_on_disconnect = "no"\n')
    first, ids = resting(config, tmp_path, tmp_path / "one")
    first.send_signal(signal.SIGKILL)
    first.wait(timeout=30)
    for kept in (tmp_path / "state").glob("fix-*"):
        kept.unlink()
    (other,) = private(ready, "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price="50000", volume="0.01")[
        "txid"
    ]
    assert opened_orders(ready) == {*ids, other}
    second = begun(config, tmp_path / "two")
    said: list[str] = []
    try:
        assert second.stdout is not None
        for line in second.stdout:
            said.append(line.strip())
            if said[-1] == "the strategy has started":
                break
        still_open = opened_orders(ready)
    finally:
        second.send_signal(signal.SIGINT)
        second.communicate(timeout=60)
    assert "open orders  2 of a run before (cancel), 1 of others, which are left alone" in said
    assert said.index("nothing is left of a run before: the venue has said so") < said.index("the strategy has started")
    assert not still_open & set(ids), said
    assert opened_orders(ready) == {other}
    private(ready, "CancelAll")
