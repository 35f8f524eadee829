"""What the journal costs a command, and how fast a venue is made again from it.

The same orders go to two hosts, one with a journal on disk, in turns; what is printed is the median of the batches, in
time of one processor. Target: a few microseconds a command. Nothing fails for being slow.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.kraken.profile import PROFILE
from framework.messages import AddOrder, CancelAll
from framework.protocol import BUY
from framework.venue.account import AccountConfig
from framework.venue.served.host import VenueHost
from framework.venue.served.journal import Journal, JournalHeader
from framework.venue.served.journaled import JournaledHost
from tests.framework.venue.served.served_rig import QUIET, SECOND, START, Client, hand_market, order

pytestmark = pytest.mark.benchmark

BATCHES = 100
BATCH = 100
HEADER = JournalHeader(version="", start_ns=START, market_digest=0, settings=b"")
ACCOUNTS = [AccountConfig(name="a0", balances={"USD": Decimal(10**6)}, tier="pro")]


def submit_us(served: VenueHost, client: Client, commands: Sequence[AddOrder]) -> float:
    """Microseconds a command."""
    began = time.process_time_ns()
    for command in commands:
        served.submit(client.line_id, command)
    return (time.process_time_ns() - began) / len(commands) / 1e3


def test_what_the_journal_costs_a_command(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    plain = VenueHost(PROFILE, [hand_market(QUIET)], ACCOUNTS, START)
    kept = JournaledHost(PROFILE, [hand_market(QUIET)], ACCOUNTS, START)
    journal = Journal.begin(path, HEADER)
    kept.record(journal)
    sides: list[tuple[VenueHost, Client, list[float]]] = [(each, Client(each), []) for each in (plain, kept)]
    for _ in range(BATCHES):
        for served, client, figures in sides:
            commands = [order(served, BUY, 900 + number % 50, 10, attachment=b"x" * 30) for number in range(BATCH)]
            figures.append(submit_us(served, client, commands))
            assert len(served.records.orders_open("a0")) == BATCH
            served.submit(client.line_id, CancelAll(request_id=served.next_request_id()))
            served.run_until(served.now_ns + 600 * SECOND)
            client.heard.clear()
    without, with_journal = (statistics.median(figures) for _, _, figures in sides)
    count = BATCHES * (BATCH + 1)
    journal.close()
    again = JournaledHost(PROFILE, [hand_market(QUIET)], ACCOUNTS, START)
    began = time.process_time()
    again.replay(Journal.reopen(path))
    took_s = time.process_time() - began
    print(
        f"\na command: {without:.1f} us without a journal, {with_journal - without:.1f} us more and "
        f"{path.stat().st_size / count:.0f} bytes with one; made again in {took_s / count * 1e6:.1f} us"
    )
