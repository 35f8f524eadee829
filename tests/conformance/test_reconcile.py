"""``tidegate reconcile`` against a served venue, after a run that was killed: what agrees, what does not, and why."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from framework.live.journal import Forcing, IntentJournal, read_records
from framework.live.records import Filled, Intended, Known
from framework.live.recovery import Recovery
from framework.protocol import OrderType
from tests.conformance.served_venue import FreshAccounts, served_venue
from tests.conformance.test_live_node import WAIT_S, begun, write_live
from tests.conformance.test_served_sockets import private
from tests.framework.command import Said, read_error, tidegate
from tests.framework.execution.desk_rig import add_order

pytestmark = pytest.mark.slow

type Venue = tuple[Path, dict[str, Any]]
PAST_NS = 1_700_000_000_000_000_000


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshAccounts]:
    with served_venue(tmp_path_factory.mktemp("venue"), "--socket-connects", "0", "--accounts", "20") as opened:
        yield FreshAccounts(opened)


@pytest.fixture
def venue(accounts: FreshAccounts, tmp_path: Path) -> Venue:
    folder = tmp_path / "venue"
    folder.mkdir()
    ready = accounts.ready(folder)
    return folder / "ready.json", ready


def killed(config: Path, out: Path, journal: Path, known: int = 2) -> list[str]:
    """A run that is killed once the venue knows its orders; their client ids."""
    run = begun(config, out)
    try:
        until_s = time.monotonic() + WAIT_S
        names: list[str] = []
        while len(names) < known and time.monotonic() < until_s:
            time.sleep(0.05)
            names = (
                [each.cl_ord_id for each in read_records(journal) if isinstance(each, Known)]
                if journal.exists()
                else []
            )
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait(timeout=30)
    assert len(names) == known
    return names


def lines_of(said: Said) -> dict[str, str]:
    """What was said, by the name of the line."""
    found = {}
    for line in said.out.splitlines():
        level, _, rest = line.partition("  ")
        if level.strip() in ("ok", "warn", "FAIL"):
            words = rest.strip().split()
            name = " ".join(
                words[: 2 if words[0] in ("road", "order", "others", "position", "balance", "request") else 1]
            )
            found[name] = f"{level.strip()} {' '.join(words)}"
    return found


def by_hand(ready: dict[str, Any], name: str, **params: str) -> Any:
    """A request with the run's own key. What was killed may have used nonces of up to a second ahead of the time."""
    time.sleep(1.5)
    return private(ready, name, **params)


def reconcile(capsys: pytest.CaptureFixture[str], config: Path) -> tuple[int, dict[str, str], str]:
    said = tidegate(capsys, "reconcile", config, "--patience", "25")
    return said.code, lines_of(said), said.out


def journal_of(tmp_path: Path, *records: Any) -> Path:
    """The journal of a run that has written these."""
    path = tmp_path / "state" / "run.intents"
    file = IntentJournal.open(path, Forcing.OFF, Recovery().read)
    for record in records:
        file.add(record)
    file.close()
    return path


def intended(cl_ord_id: str, deadline_ns: int | None) -> Intended:
    order = add_order(cl_ord_id, 10_000, 500_000)
    return Intended(PAST_NS, "ws2", "ws2#1", replace(order, request_id=5, deadline_ns=deadline_ns))


def test_what_a_killed_run_left_open_is_shown_and_the_venues_word_settles_the_rest(
    venue: Venue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready_file, ready = venue
    config, journal = write_live(tmp_path, ready_file, dead_man_s="0"), tmp_path / "state" / "run.intents"
    first, second = killed(config, tmp_path / "one", journal)
    (other,) = by_hand(ready, "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price="50000", volume="0.01")[
        "txid"
    ]

    code, lines, text = reconcile(capsys, config)
    assert code == 0, text
    for name in (first, second):
        assert lines[f"order {name}"].startswith(f"warn order {name} buy 0.01 BTC/USD at "), text
        assert "0 filled; left open: `tidegate live` deals with it as left_open says" in lines[f"order {name}"]
    assert lines[f"others {other}"].startswith("warn")
    assert lines[f"others {other}"].endswith("; left alone")
    assert lines["road ws2"] == "ok road ws2 was heard"
    assert lines["balance USD"].startswith("ok")

    by_hand(ready, "CancelOrder", cl_ord_id=first)
    code, lines, text = reconcile(capsys, config)
    assert code == 0, text
    assert "canceled (User requested); written to the journal" in lines[f"order {first}"], text
    assert lines[f"order {second}"].startswith("warn"), text

    code, lines, text = reconcile(capsys, config)
    assert f"order {first}" not in lines, text
    by_hand(ready, "CancelAll")


def test_trades_of_others_show_in_the_balances(
    venue: Venue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready_file, ready = venue
    config, journal = write_live(tmp_path, ready_file, dead_man_s="0"), tmp_path / "state" / "run.intents"
    killed(config, tmp_path / "one", journal)
    by_hand(ready, "AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.01")
    code, lines, text = reconcile(capsys, config)
    assert code == 1, text
    assert lines["balance BTC"].startswith("FAIL"), text
    assert "+0.01 since" in lines["balance BTC"], text
    assert "look for deposits, withdrawals and trades of others" in lines["balance BTC"], text
    by_hand(ready, "CancelAll")


def test_a_fill_of_the_gap_is_found_and_written_down_once(
    venue: Venue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run was killed between the venue's taking of its order and the news of it."""
    ready_file, ready = venue
    name = f"gap{time.time_ns() // 10**6}"
    by_hand(ready, "AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.01", cl_ord_id=name)
    sent = replace(
        add_order(name, 1_000_000, None, order_type=OrderType.MARKET), request_id=5, deadline_ns=time.time_ns() + 10**9
    )
    journal = journal_of(tmp_path, Intended(time.time_ns() - 10**9, "ws2", "ws2#1", sent))
    config = write_live(tmp_path, ready_file)
    code, lines, text = reconcile(capsys, config)
    assert code == 0, text
    assert "a fill that the journal did not know" in lines[f"order {name}"], text
    assert lines["position BTC/USD"] == "ok position BTC/USD 0.01 by the fills of all runs", text
    fills = [each for each in read_records(journal) if isinstance(each, Filled)]
    assert {fill.cl_ord_id for fill in fills} == {name}
    assert sum(fill.lots for fill in fills) == 1_000_000  # in parts, where the best price had less
    assert len({fill.exec_id for fill in fills}) == len(fills)
    code, lines, text = reconcile(capsys, config)
    assert code == 0, text
    assert f"order {name}" not in lines, text


def test_an_order_that_cannot_arrive_any_more_is_settled_and_one_that_can_is_not(
    venue: Venue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    never, may_be = f"n{time.time_ns() // 10**6}", f"m{time.time_ns() // 10**6}"
    journal_of(tmp_path, intended(never, PAST_NS + 5 * 10**9), replace_id(intended(may_be, None), 6))
    code, lines, text = reconcile(capsys, write_live(tmp_path, venue[0]))
    assert code == 1, text
    assert "never arrived: its deadline has passed, and the venue does not show it" in lines[f"order {never}"], text
    assert lines[f"order {may_be}"].startswith("FAIL"), text
    assert "unknown; the venue did not show it at " in lines[f"order {may_be}"], text
    assert "do not resend it" in lines[f"order {may_be}"], text


def test_a_run_that_lives_is_not_reconciled_behind_its_back(
    venue: Venue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = journal_of(tmp_path)
    living = IntentJournal.open(path, Forcing.OFF, Recovery().read)
    try:
        said = read_error(tidegate(capsys, "reconcile", write_live(tmp_path, venue[0])))
        assert "another run is writing this journal" in said
    finally:
        living.close()


def test_without_a_journal_it_says_so_and_makes_none(
    venue: Venue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = read_error(tidegate(capsys, "reconcile", write_live(tmp_path, venue[0])))
    assert "there is no journal; name that of the run with --journal" in said
    assert not (tmp_path / "state" / "run.intents").exists()


def replace_id(record: Intended, request_id: int) -> Intended:
    return replace(record, command=replace(record.command, request_id=request_id))
