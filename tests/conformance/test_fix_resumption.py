"""``tidegate live`` over FIX, killed and begun again on the same day: the session goes on, and what it missed is told.

fix-api/logon-fix, tag 141; session-fix, PossDupFlag.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from framework.live.journal import read_records
from framework.live.records import AnyRecord, Filled, Known, Noted
from tests.conformance.served_venue import FreshAccounts, served_venue
from tests.conformance.test_live_node import WAIT_S, begun
from tests.conformance.test_served_control import control
from tests.conformance.test_served_sockets import private

LEAVER = '''
from framework import Strategy


class Leaver(Strategy):
    """Bids 20 below the market, twice, and waits; goes on with what it is given."""

    def on_start(self):
        self.pair = self.instrument_ids[0]
        self.subscribe_book(self.pair)
        self.is_done = bool(self.cache.orders(strategy_id=self.id))

    def on_book(self, book):
        if not self.is_done and book.bid_ticks:
            self.is_done = True
            for number in (1, 2):
                self.buy(self.pair, 1_000_000, book.bid_ticks - 200 - number)
'''


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshAccounts]:
    with served_venue(tmp_path_factory.mktemp("venue"), "--socket-connects", "0", "--accounts", "8") as opened:
        yield FreshAccounts(opened)


def until(is_there: Callable[[], bool]) -> None:
    until_s = time.monotonic() + WAIT_S
    while not is_there():
        assert time.monotonic() < until_s
        time.sleep(0.05)


def test_reports_that_a_killed_run_missed_are_replayed_and_counted_once(
    accounts: FreshAccounts, tmp_path: Path
) -> None:
    ready = accounts.ready(tmp_path)
    (tmp_path / "leaver.py").write_text(LEAVER)
    config = tmp_path / "live.toml"
    config.write_text(
        '[strategy]\npath = "leaver.py"\n[venue]\ntier = "pro"\n[road]\nname = "fix"\n'
        '[live]\nsymbols = ["BTC/USD"]\nleft_open = "adopt"\ndead_man_s = 0\n'
        f'[live.options]\nready_file = "{tmp_path / "ready.json"}"\ncancel_on_disconnect = "no"\n'
    )
    journal = tmp_path / "state" / "run.intents"

    def read() -> list[AnyRecord]:
        return list(read_records(journal)) if journal.exists() else []

    first = begun(config, tmp_path / "one")
    try:
        until(lambda: sum(isinstance(record, Known) for record in read()) == 2)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=30)
    assert not any(isinstance(record, Filled) for record in read())
    account = ready["accounts"][0]["account"]
    orders = control(ready, f"/orders?account={account}&state=open&limit=10")["orders"]
    price = min(Decimal(order["limit_price"]) for order in orders)
    # Another account sells through everything down to the lower bid.
    private(
        ready, "AddOrder", 1, pair="XBTUSD", type="sell", ordertype="limit", price=str(price),
        volume="2000", timeinforce="IOC",
    )  # fmt: skip
    fills = control(ready, f"/fills?account={account}&limit=10")
    assert sum(Decimal(fill["quantity"]) for fill in fills) == Decimal("0.02")

    count = len(read())
    second = begun(config, tmp_path / "two")
    said: list[str] = []
    try:
        assert second.stdout is not None
        for line in second.stdout:
            said.append(line.strip())
            if said[-1] == "the strategy has started":
                second.send_signal(signal.SIGINT)
        second.wait(timeout=WAIT_S)
    finally:
        second.kill()
    assert second.returncode == 0, said
    told = read()[count:]
    names = [record.name for record in told if isinstance(record, Noted) and record.link == "fix"]
    assert names[:3] == ["SessionResumed", "SequenceGap", "ReplayCompleted"], names
    counted = Counter(record.exec_id for record in told if isinstance(record, Filled))
    assert counted == Counter(fill["trade_id"] for fill in fills)
    assert any("position: BTC/USD 0.02" in line for line in said), said
