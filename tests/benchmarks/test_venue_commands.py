"""What the venue costs by itself: commands and fills over a kernel that does nothing.

A run of about 15,000 commands and 5,000 fills may spend half a second in the venue: 25 us each; the aim is 15 us. The
figures are medians by kind of step and the mean over all, on one core, garbage collection on.
"""

from __future__ import annotations

import statistics
import time
from decimal import Decimal
from typing import TYPE_CHECKING, cast

import pytest

from adapters.kraken.profile import PROFILE
from framework.messages import AddOrder, AmendOrder, CancelOrder, Command, Logon
from framework.protocol import BUY, InstrumentSpec, OrderType
from framework.venue.account import AccountConfig
from framework.venue.exchange import Venue
from framework.venue.kernel import Fill

if TYPE_CHECKING:
    from framework.venue.kernel import MatchingKernel

SECOND = 1_000_000_000
ROUNDS = 6_000


class StillKernel:
    """Takes orders and moves nothing; a market of 999 to 1001."""

    def __init__(self) -> None:
        self.count = 0
        self.filled: list[Fill] = []

    def place(self, *_: int) -> int:
        self.count += 1
        return self.count

    def remove(self, slot: int) -> int:
        return slot

    def best(self, _: int, side: int) -> tuple[int, int]:
        return (999, 5) if side == BUY else (1001, 5)

    def take(self, *_: int) -> list[tuple[int, int]]:
        return []

    def fills(self) -> list[Fill]:
        return self.filled

    def fired(self) -> list[int]:
        return []


def _run(protocol: str) -> dict[str, list[float]]:
    """Rounds of add, then a fill in one of three and an amend and a cancel in the others; seconds by kind."""
    kernel = StillKernel()
    spec = InstrumentSpec(symbol="BTC/USD", venue="synthetic", tick_size="0.1", lot_size="0.0001")
    money = {"USD": Decimal(10**9), "BTC": Decimal(10**6)}
    account = AccountConfig(name="a", balances=money, tier="pro")
    venue = Venue(PROFILE, cast("MatchingKernel", kernel), [spec], [account])
    venue.connect(protocol, "a", protocol, 0, is_news_subscribed=protocol == "ws2")
    if protocol == "fix":
        venue.handle(protocol, Logon(request_id=0), 0)
    spent: dict[str, list[float]] = {"add": [], "amend": [], "cancel": [], "fill": []}
    now_ns = 0

    def handle(kind: str, command: Command) -> None:
        began = time.perf_counter()
        venue.handle(protocol, command, now_ns)
        spent[kind].append(time.perf_counter() - began)
        venue.outbox.clear()

    for number in range(ROUNDS):
        now_ns += 5 * SECOND
        side, limit_ticks = (BUY, 998) if number % 2 else (1 - BUY, 1002)
        name = f"{number:018d}"
        command = AddOrder(
            request_id=number,
            cl_ord_id=name,
            symbol="BTC/USD",
            side=side,
            order_type=OrderType.LIMIT,
            qty_lots=100,
            limit_ticks=limit_ticks,
            is_post_only=True,
        )
        handle("add", command)
        if number % 3 == 0:
            kernel.filled = [Fill(kernel.count, limit_ticks, 100, now_ns, 0)]
            began = time.perf_counter()
            venue.on_kernel_stop(now_ns)
            spent["fill"].append(time.perf_counter() - began)
            venue.outbox.clear()
        else:
            handle("amend", AmendOrder(request_id=number, cl_ord_id=name, limit_ticks=2 * limit_ticks - 1000))
            now_ns += 6 * SECOND
            handle("cancel", CancelOrder(request_id=number, cl_ord_id=name))
    assert len(venue.accounts["a"].trades) == ROUNDS // 3
    assert not venue.accounts["a"].open_orders
    return spent


@pytest.mark.benchmark
@pytest.mark.parametrize("protocol", ["rest", "ws2", "fix"])
def test_what_a_command_costs_the_venue(protocol: str) -> None:
    _run(protocol)
    spent = min((_run(protocol) for _ in range(3)), key=lambda run: sum(map(sum, run.values())))
    steps = sum(map(len, spent.values()))
    mean_us = 1e6 * sum(map(sum, spent.values())) / steps
    medians = ", ".join(f"{kind} {1e6 * statistics.median(times):.1f}" for kind, times in spent.items())
    print(f"\nvenue, {protocol}: {mean_us:.1f} us a step over {steps} steps; medians in us: {medians} (aim 15)")
