"""A run before has left 10,000 open orders and 100,000 records: from the journal's first byte to trading."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from adapters.kraken.adapter import ADAPTER
from adapters.kraken.profile import PROFILE
from framework.adapter import LiveSettings
from framework.backtest.config import RoadSection, StrategySection, VenueSection
from framework.live.clock import LiveClock
from framework.live.config import LeftOpen, LiveConfig, LiveSection
from framework.live.journal import Forcing, IntentJournal
from framework.live.node import LiveNode
from framework.live.records import Answered, Began, Ended, Intended, Known
from framework.live.recovery import Recovery
from framework.messages import AddOrder
from framework.protocol import BUY, OrderType
from framework.strategy import Strategy
from tests.conformance.test_served_crash import venue

pytestmark = pytest.mark.benchmark

ORDERS, RECORDS = 10_000, 100_000
BATCH = 15
MUST_S = 5.0


class Waiter(Strategy):
    """Notes how many orders it has taken over, and when."""

    count = 0

    def on_start(self) -> None:
        self.count = len(self.cache.orders_open(strategy_id=self.id))


def _name(number: int) -> str:
    return f"1000{number:014d}"


def _intended(number: int, ts_ns: int) -> Intended:
    order = AddOrder(
        request_id=number,
        deadline_ns=ts_ns + 5 * 10**9,
        cl_ord_id=_name(number),
        symbol="BTC/USD",
        side=BUY,
        order_type=OrderType.LIMIT,
        qty_lots=10_000,
        limit_ticks=100_000 + number,
    )
    return Intended(ts_ns, "ws2", "ws2#1", order)


async def _fill(ready: Any) -> list[str]:
    """Have the venue take the open orders; their ids."""
    import aiohttp

    ids: list[str] = []
    async with aiohttp.ClientSession() as http:
        for first in range(1, ORDERS + 1, BATCH):
            orders = [
                {
                    "ordertype": "limit",
                    "type": "buy",
                    "volume": "0.0001",
                    "price": f"{(100_000 + number) / 10:.1f}",
                    "cl_ord_id": _name(number),
                }
                for number in range(first, min(first + BATCH, ORDERS + 1))
            ]
            ids += await _batch(http, ready, orders)
    return ids


async def _batch(http: Any, ready: Any, orders: list[dict[str, str]]) -> list[str]:
    from adapters.kraken.wire.signing import Secret, api_sign

    key, path, nonce = ready["accounts"][0], "/0/private/AddOrderBatch", str(time.time_ns())
    body = json.dumps({"nonce": nonce, "pair": "XBTUSD", "orders": orders}).encode()
    headers = {
        "API-Key": key["api_key"],
        "API-Sign": api_sign(Secret(key["api_secret"]), path, nonce, body),
        "Content-Type": "application/json",
    }
    async with http.post(ready["rest"] + path, data=body, headers=headers) as answer:
        said = await answer.json()
    assert said["error"] == [], said
    return [row["txid"] for row in said["result"]["orders"]]


def _write(path: Path, ids: list[str]) -> None:
    """The journal of a run that sent many orders, of which the last are open."""
    now_ns = time.time_ns() - 3_600 * 10**9
    journal = IntentJournal.open(path, Forcing.OFF, lambda _: None)
    journal.add(Began(now_ns, "0", "Waiter", 1))
    ended = (RECORDS - 3 * ORDERS) // 4
    for number in range(ORDERS + 1, ORDERS + ended + 1):
        journal.add(_intended(number, now_ns))
        journal.add(Answered(now_ns, number, "accepted", None))
        journal.add(Known(now_ns, _name(number), f"X{number}"))
        journal.add(Ended(now_ns, _name(number), "canceled", ""))
    for number, order_id in enumerate(ids, start=1):
        journal.add(_intended(number, now_ns))
        journal.add(Answered(now_ns, number, "accepted", None))
        journal.add(Known(now_ns, _name(number), order_id))
    journal.close()


async def _restart(folder: Path, journal_path: Path) -> dict[str, float]:
    """Seconds of this process's own work until each stage is done, and, at the end, of the clock on the wall."""
    live = LiveSection(
        symbols=("BTC/USD",),
        options={"ready_file": str(folder / "ready.json")},
        state=str(folder / "state"),
        left_open=LeftOpen.ADOPT,
        dead_man_s=0,
    )
    config = LiveConfig(
        strategy=StrategySection(path="none.py"),
        venue=VenueSection(tier="pro"),
        road=RoadSection(name="ws2"),
        live=live,
    )
    stages: dict[str, float] = {}
    began_s, wall_s = time.process_time(), time.perf_counter()

    def done(stage: str) -> None:
        stages[stage] = time.process_time() - began_s

    recovery = Recovery()
    journal = IntentJournal.open(journal_path, Forcing.OFF, recovery.read)
    done("journal read")
    clock = LiveClock(asyncio.get_running_loop())
    settings = LiveSettings(links={"ws2": "ws2", "rest": "rest"}, options=live.options, state=folder / "state")
    assert ADAPTER.connect_live is not None
    venue_live = await ADAPTER.connect_live(settings, clock)
    done("connected")
    account = await venue_live.account()
    done("account told")
    strategy = Waiter()
    node = LiveNode(
        config, PROFILE, venue_live, clock, journal, recovery, account.balances, lambda _: None, strategy=strategy
    )
    node.begin()
    done("orders taken over")
    async with asyncio.timeout(120):
        while not strategy.is_running and node.failure is None:
            await asyncio.sleep(0.001)
    done("trading")
    stages["on the wall"] = time.perf_counter() - wall_s
    assert node.failure is None, node.failure
    assert strategy.count == ORDERS
    assert recovery.record_count >= RECORDS - 3
    node.finish()
    await venue_live.close()
    journal.close()
    return stages


def test_a_restart_with_ten_thousand_open_orders_and_a_hundred_thousand_records(tmp_path: Path) -> None:
    with venue(tmp_path, is_resumed=False) as (ready, _):
        _write(tmp_path / "run.intents", asyncio.run(_fill(ready)))
        stages = asyncio.run(_restart(tmp_path, tmp_path / "run.intents"))
    print(
        f"\nrestart with {ORDERS:,} open orders and {RECORDS:,} records: "
        + ", ".join(f"{stage} after {at_s:.2f} s" for stage, at_s in stages.items())
    )
    assert stages["trading"] <= MUST_S
