"""Memory of a served venue while orders come and go without end.

An hour at 1,000 orders a second is 3,600,000; ``SOAK_ORDERS`` asks for that many, the default is enough to be past what
the venue keeps of the past on purpose (50,000 ended orders of each account and more), which is its warm-up. Orders come
as fast as they are answered, or ``SOAK_RATE`` of them a second.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.benchmarks.test_served_venue import client, venue

pytestmark = pytest.mark.benchmark

ORDERS = int(os.environ.get("SOAK_ORDERS", "200000"))
RATE = os.environ.get("SOAK_RATE", "0")
STEPS = 20


@pytest.mark.parametrize("protocol", ["ws2", "fix"])
def test_memory_is_flat_after_the_warm_up(protocol: str, tmp_path: Path) -> None:
    with venue(tmp_path) as (ready, _):
        told = client("served_soak", str(ready), protocol, str(ORDERS), str(STEPS), RATE)
    print(f"\n{protocol}, {ORDERS:,} orders added and canceled, {told['per_s']:,.0f} commands/s; MB:")
    print(told["resident_mb"])
