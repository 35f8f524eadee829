"""What the journal of a live run costs: an intent before its bytes leave, and a restart."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from framework.live.journal import Forcing, IntentJournal
from framework.live.records import Answered, Ended, Intended, Known
from framework.live.recovery import Recovery
from framework.messages import AddOrder
from framework.protocol import BUY, OrderType

pytestmark = pytest.mark.benchmark


def _intent(number: int) -> Intended:
    order = AddOrder(
        request_id=number,
        deadline_ns=1_767_614_405_000_000_000,
        cl_ord_id=f"1000{number:014d}",
        symbol="BTC/USD",
        side=BUY,
        order_type=OrderType.LIMIT,
        qty_lots=1_000_000,
        limit_ticks=600_000 + number,
        is_post_only=True,
    )
    return Intended(1_767_614_400_000_000_000 + number, "ws2", "ws2#1", order)


@pytest.mark.parametrize(("forcing", "count"), [(Forcing.OFF, 50_000), (Forcing.INTENTS, 500)])
def test_an_intent(tmp_path: Path, forcing: Forcing, count: int) -> None:
    journal = IntentJournal.open(tmp_path / "run.intents", forcing, lambda _: None)
    times = []
    for record in map(_intent, range(count)):
        began_ns = time.perf_counter_ns()
        journal.add(record, is_intent=True)
        times.append(time.perf_counter_ns() - began_ns)
    journal.close()
    times.sort()
    median_us, most_us = times[count // 2] / 1e3, times[count * 99 // 100] / 1e3
    size = (tmp_path / "run.intents").stat().st_size / count
    print(
        f"\nintent, forced to the disk: {forcing}: median {median_us:.1f} us, 99 % {most_us:.1f} us, {size:.0f} bytes"
    )


def test_a_restart(tmp_path: Path) -> None:
    journal = IntentJournal.open(tmp_path / "run.intents", Forcing.OFF, lambda _: None)
    for number in range(1, 30_001):
        cl_ord_id = f"1000{number:014d}"
        journal.add(_intent(number), is_intent=True)
        journal.add(Answered(number, number, "accepted", None))
        journal.add(Known(number, cl_ord_id, f"O{number}"))
        if number % 3:
            journal.add(Ended(number, cl_ord_id, "canceled", ""))
    journal.close()
    recovery = Recovery()
    began_s = time.perf_counter()
    IntentJournal.open(tmp_path / "run.intents", Forcing.OFF, recovery.read).close()
    took_s = time.perf_counter() - began_s
    print(f"\nrestart: {recovery.record_count:,} records, {len(recovery.open_orders):,} open orders in {took_s:.2f} s")
