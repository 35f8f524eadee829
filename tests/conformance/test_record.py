"""`tidegate record` on the served venue over real sockets: cut, killed and gone on with, it is the venue's market.

Pages: websocket-v2/book, websocket-v2/trade, guides/spot-ws-book-v2.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framework.data.columns import CLEAR, DELETE, LEVEL, TRADE, Columns
from framework.data.recorder import part_paths
from framework.data.recording import finish_recording, recorded_events
from framework.data.store import Store
from framework.protocol import BUY, SELL
from tests.conformance.served_venue import CHECKOUT, served_venue
from tests.conformance.test_served_sockets import private

pytestmark = pytest.mark.slow

WAIT_S = 60
DEPTH = 100
SYMBOL = "BTC/USD"


@contextmanager
def recording(venue: dict[str, Any], folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The command, once it has heard a thousand rows or so more than there were; it is ended by the test."""
    words = ["record", SYMBOL, "--out", str(folder), "--depth", str(DEPTH)]
    addresses = ["--host", f"rest={venue['rest']}", "--host", f"ws_public={venue['ws_v2']}"]
    command = [sys.executable, "-m", "framework.cli", *words, *addresses, *options]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        hear(folder, process)
        yield process


def hear(folder: Path, process: subprocess.Popen[str], more: int = 50_000) -> None:
    """Wait until so many bytes more are on the disk."""

    def size() -> int:
        return sum(path.stat().st_size for path in part_paths(folder))

    until_s, before = time.monotonic() + WAIT_S, size()
    while size() < before + more:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until_s
        time.sleep(0.05)


def control(venue: dict[str, Any], path: str, **body: Any) -> None:
    request = urllib.request.Request(
        f"{venue['control']}/v1/{path}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {venue['control_token']}"},
    )
    with urllib.request.urlopen(request, timeout=10):
        return


def public(venue: dict[str, Any], path: str) -> Any:
    with urllib.request.urlopen(f"{venue['rest']}/0/public/{path}", timeout=10) as answer:
        result = json.load(answer, parse_float=str)["result"]
    return next(value for name, value in result.items() if name != "last")


def book_at_the_end(columns: Columns) -> dict[int, dict[int, int]]:
    """Levels of each side after the last row, by replaying all rows."""
    sides: dict[int, dict[int, int]] = {BUY: {}, SELL: {}}
    for kind, side, ticks, lots in zip(
        columns.kind.tolist(),
        columns.side.tolist(),
        columns.price_ticks.tolist(),
        columns.qty_lots.tolist(),
        strict=True,
    ):
        if kind == CLEAR:
            sides = {BUY: {}, SELL: {}}
        elif kind == LEVEL and lots:
            sides[side][ticks] = lots
        elif kind == LEVEL:
            sides[side].pop(ticks, None)
    return sides


def test_a_recording_that_was_cut_killed_and_gone_on_with_is_the_venues_market(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    with served_venue(tmp_path) as venue:
        with recording(venue, folder) as process:
            hear(folder, process, 300_000)
            control(venue, "sessions/drop", kind="ws_v2", how="abort")
            hear(folder, process)
            process.send_signal(signal.SIGKILL)
        with part_paths(folder)[-1].open("ab") as file:  # as if the kill had come within a write
            file.write(b"\0\0\1")
        time.sleep(1)
        with recording(venue, folder) as process:
            control(venue, "time/pause")
            time.sleep(1)
            depth = public(venue, f"Depth?pair=XBTUSD&count={DEPTH}")
            tape = public(venue, "Trades?pair=XBTUSD&count=1000")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=WAIT_S)
        assert process.returncode == 0, err
        assert "the recording is in" in out
        assert "3 bytes that were half written are left out" in err
    finish_recording(folder, tmp_path / "store")
    store = Store.open(tmp_path / "store")
    market, entry = store.market(SYMBOL), store.entry(SYMBOL)
    assert entry.statistics["gaps"] == 2
    assert "line dropped" in entry.notes[0] or "closed" in entry.notes[0]
    assert entry.notes[1].endswith("nothing was recorded")
    assert len(np.flatnonzero(market.columns.kind == CLEAR)) == 5  # three snapshots, two gaps

    levels = book_at_the_end(market.columns)
    for side, name in ((BUY, "bids"), (SELL, "asks")):
        told = {Decimal(price): Decimal(qty) for price, qty, _ in depth[name]}
        kept = {
            market.spec.price(ticks): market.spec.qty(lots).quantize(Decimal("0.001"), rounding="ROUND_DOWN")
            for ticks, lots in levels[side].items()
        }
        assert kept == told

    rows = np.flatnonzero(market.columns.kind == TRADE)
    kept_trades = [
        (market.spec.price(ticks), market.spec.qty(lots), "b" if side == BUY else "s")
        for ticks, lots, side in zip(
            market.columns.price_ticks[rows].tolist(),
            market.columns.qty_lots[rows].tolist(),
            market.columns.side[rows].tolist(),
            strict=True,
        )
    ]
    told_trades = [(Decimal(price), Decimal(qty), side) for price, qty, _, side, *_ in tape]
    # The market is played in a loop: the first one recorded is the last one like it.
    first = len(told_trades) - 1 - told_trades[::-1].index(kept_trades[0])
    following = iter(told_trades[first:])
    assert all(trade in following for trade in kept_trades)  # in the tape's order, each once
    assert list(following) == []
    # What was made while nothing was heard is not there, and the numbers tell; all else is.
    assert len(told_trades) - first == len(kept_trades) + entry.statistics["trades_missing"]


def test_a_store_is_made_at_the_end_where_that_is_asked_for(tmp_path: Path) -> None:
    with served_venue(tmp_path) as venue:
        command = ["record", SYMBOL, "--out", str(tmp_path / "r"), "--for", "3", "--store", str(tmp_path / "store")]
        done = subprocess.run(
            [sys.executable, "-m", "framework.cli", *command, "--option", f"ready_file={tmp_path / 'ready.json'}"],
            cwd=CHECKOUT, capture_output=True, text=True, timeout=WAIT_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        wrong = subprocess.run(
            [sys.executable, "-m", "framework.cli", "record", "MOON/USD", "--out", str(tmp_path / "m"),
             "--host", f"rest={venue['rest']}"],
            cwd=CHECKOUT, capture_output=True, text=True, timeout=WAIT_S, check=False,
        )  # fmt: skip
        assert wrong.returncode == 2
        assert "there is no pair MOON/USD" in wrong.stderr
        assert not (tmp_path / "m").exists()
    assert "crossed or locked books  none" in done.stdout
    assert Store.open(tmp_path / "store").symbols == (SYMBOL,)


def test_orders_are_recorded_with_a_key_and_their_queues_are_the_venues(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    with served_venue(tmp_path) as venue:
        option = f"ready_file={tmp_path / 'ready.json'}"
        with recording(venue, folder, "--orders", "--option", option) as process:
            control(venue, "time/pause")
            time.sleep(1)
            told = private(venue, "Level3", pair=SYMBOL, depth=str(DEPTH))
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=WAIT_S)
        assert process.returncode == 0, err
    (imported,) = finish_recording(folder, tmp_path / "store")
    market = Store.open(tmp_path / "store").market(SYMBOL)
    assert market.depth == "L3"
    assert imported.statistics["gaps"] == 0
    for side, name in ((BUY, "bids"), (SELL, "asks")):
        kept = [
            (market.spec.price(ticks), market.spec.qty(lots)) for ticks, lots in queue_at_the_end(market.columns, side)
        ]
        assert kept == [(Decimal(each["price"]), Decimal(each["qty"])) for each in told[name]]


def queue_at_the_end(columns: Columns, side: int) -> list[tuple[int, int]]:
    """Orders of a side after the last row, best price first, those of one price in queue order."""
    orders: dict[int, tuple[int, int]] = {}
    rows = np.flatnonzero((columns.kind != TRADE) & ((columns.kind == CLEAR) | (columns.side == side)))
    for row in rows.tolist():
        kind, number = columns.kind[row], int(columns.order_id[row])
        if kind == CLEAR:
            orders.clear()
        elif kind == DELETE:
            del orders[number]
        else:
            orders[number] = (int(columns.price_ticks[row]), int(columns.qty_lots[row]))
    return sorted(orders.values(), key=lambda each: each[0], reverse=side == BUY)


def test_own_orders_and_fills_are_recorded_and_what_a_gap_has_missed_is_asked_for(tmp_path: Path) -> None:
    """Fills before the line drops, while it is down, before a kill, and while nobody records; each is there once."""
    folder = tmp_path / "recording"

    def buy() -> str:
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.01"}
        return str(private(venue, "AddOrder", **order)["txid"][0])

    with served_venue(tmp_path) as venue:
        options = ("--own", "--option", f"ready_file={tmp_path / 'ready.json'}")
        with recording(venue, folder, *options) as process:
            until_events(folder, lambda events: any(each["type"] == "SessionOpened" for each in events))
            before = buy()
            until_events(folder, lambda events: before in fills_of(events))
            control(venue, "faults", kind="drop", link="ws2", for_s=3)
            while_down = buy()
            until_events(folder, lambda events: while_down in fills_of(events))
            third = buy()
            until_events(folder, lambda events: third in fills_of(events))
            process.send_signal(signal.SIGKILL)
        unheard = buy()
        with recording(venue, folder, *options) as process:
            until_events(folder, lambda events: unheard in fills_of(events))
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=WAIT_S)
        assert process.returncode == 0, err
    finish_recording(folder, tmp_path / "store")
    events = [event for _, event in Store.open(tmp_path / "store").own_events()]
    assert list(dict.fromkeys(fills_of(events))) == [before, while_down, third, unheard]
    fills = [each for each in events if each.get("exec_id")]
    assert len({each["exec_id"] for each in fills}) == len(fills)  # an order may take more than one level
    for order_id in (before, while_down, third, unheard):
        assert sum(each["last_lots"] for each in fills if each["order_id"] == order_id) == 10**6
    assert len([each for each in events if each["type"] == "NewsLost"]) >= 1
    first = fills[0]
    assert (first["symbol"], first["fee_asset"]) == (SYMBOL, "USD")
    assert Decimal(first["fee"]) > 0


def fills_of(events: list[dict[str, Any]]) -> list[str]:
    """The orders of the fills, in order."""
    return [each["order_id"] for each in events if each["type"] == "ExecutionReport" and each["exec_id"]]


def until_events(folder: Path, holds: Callable[[list[dict[str, Any]]], bool]) -> None:
    """Wait until something holds of the own events that are on the disk."""
    until_s = time.monotonic() + WAIT_S
    while True:
        events: list[Any] = [event for _, event in recorded_events(folder)]
        if holds(events):
            return
        assert time.monotonic() < until_s, events
        time.sleep(0.1)
