"""The shipped market maker, killed and begun again over a served venue with ``left_open = "adopt"``."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.served_venue import FreshAccounts, served_venue
from tests.conformance.test_live_node import ROOT, WAIT_S, begun
from tests.conformance.test_served_control import control

pytestmark = pytest.mark.slow

QTY = Decimal("0.01")


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshAccounts]:
    with served_venue(tmp_path_factory.mktemp("venue"), "--socket-connects", "0", "--accounts", "8") as opened:
        yield FreshAccounts(opened)


def written(folder: Path, road: str) -> Path:
    """Quotes far enough from the middle that none is filled; over FIX cancel on disconnect is off."""
    file = folder / "live.toml"
    more = 'cancel_on_disconnect = "no"\n' if road == "fix" else ""
    file.write_text(
        f'[strategy]\npath = "{ROOT / "strategies" / "market_maker.py"}"\n'
        f'[strategy.parameters]\nqty = "{QTY}"\nedge_ppm = 50000\nrequote_ppm = 40000\n[venue]\ntier = "pro"\n'
        f'[road]\nname = "{road}"\n[live]\nsymbols = ["BTC/USD"]\nleft_open = "adopt"\ndead_man_s = 0\n'
        f'[live.options]\nready_file = "{folder / "ready.json"}"\n{more}'
    )
    return file


def quotes(ready: dict[str, Any]) -> dict[str, tuple[str, Decimal]]:
    """The account's open orders at the venue: side and what is left, by id."""
    account = ready["accounts"][0]["account"]
    rows = control(ready, f"/orders?account={account}&state=open&limit=100")["orders"]
    return {row["order_id"]: (row["side"], Decimal(row["quantity"]) - Decimal(row["filled"])) for row in rows}


def until_quoted(ready: dict[str, Any], run: subprocess.Popen[str]) -> dict[str, tuple[str, Decimal]]:
    until_s = time.monotonic() + WAIT_S
    while len(quotes(ready)) < 2 and time.monotonic() < until_s:
        assert run.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    return quotes(ready)


@pytest.mark.parametrize("road", ["ws2", "rest", "fix"])
def test_the_market_maker_goes_on_with_its_quotes_and_never_shows_twice_as_much(
    accounts: FreshAccounts, tmp_path: Path, road: str
) -> None:
    ready = accounts.ready(tmp_path)
    config = written(tmp_path, road)
    first = begun(config, tmp_path / "one")
    try:
        left = until_quoted(ready, first)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=30)
    assert sorted(left.values()) == [("buy", QTY), ("sell", QTY)]

    second = begun(config, tmp_path / "two")
    shown = []
    try:
        assert second.stdout is not None
        for line in second.stdout:
            if line.strip() == "the strategy has started":
                break
        until_s = time.monotonic() + 3.0
        while time.monotonic() < until_s:
            shown.append(quotes(ready))
            time.sleep(0.02)
        second.send_signal(signal.SIGINT)
        said = second.stdout.read()
        second.wait(timeout=WAIT_S)
    finally:
        second.kill()
    assert second.returncode == 0, said
    assert all(seen == left for seen in shown)
    assert not quotes(ready)  # at the end of the second run
