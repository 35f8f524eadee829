"""The served venue is killed with positions on margin open, and goes on from its journal: all of it is there."""

from __future__ import annotations

import asyncio
import random
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from tests.conformance.test_served_crash import LOST, Notes, Trader, venue

ORDER = {"pair": "XBTUSD", "ordertype": "market", "volume": "0.01", "leverage": "5"}


async def _trade(ready: Any, told: list[str]) -> None:
    """Open, close and settle one after another; each that is acknowledged is noted, until the venue is gone."""
    trader = Trader(ready, 0, Notes(), random.Random(1))
    async with aiohttp.ClientSession() as http:
        for _ in range(500):
            for fields in (
                {**ORDER, "type": "buy"},
                {**ORDER, "type": "buy"},
                {**ORDER, "type": "sell"},
                {**ORDER, "type": "sell", "ordertype": "settle-position", "volume": "0.005"},
            ):
                try:
                    answer = await trader.private(http, "AddOrder", **fields)
                except LOST:
                    return
                told.append(answer["txid"][0])


async def _account(ready: Any) -> tuple[Any, Any, Any, Any]:
    """Open positions, balances, closed orders by id, and the ledger, oldest first."""
    trader = Trader(ready, 0, Notes(), random.Random(1))
    async with aiohttp.ClientSession() as http:
        positions = await trader.private(http, "OpenPositions")
        balances = await trader.private(http, "Balance")
        orders: dict[str, Any] = {}
        while page := (await trader.private(http, "ClosedOrders", ofs=str(len(orders))))["closed"]:
            orders |= page
        ledger: list[Any] = []
        while rows := (await trader.private(http, "Ledgers", ofs=str(len(ledger))))["ledger"]:
            ledger += rows.values()
        return positions, balances, orders, ledger[::-1]


async def _killed(folder: Path, told: list[str], *, is_resumed: bool) -> None:
    with venue(folder, is_resumed=is_resumed) as (ready, process):
        trading = asyncio.create_task(_trade(ready, told))
        await asyncio.sleep(2)
        process.send_signal(signal.SIGKILL)
        await trading


def test_positions_and_their_money_outlive_kill_9(tmp_path: Path) -> None:
    told: list[str] = []
    asyncio.run(_killed(tmp_path, told, is_resumed=False))
    asyncio.run(_killed(tmp_path, told, is_resumed=True))
    assert len(told) > 20
    with venue(tmp_path, is_resumed=True) as (ready, _):
        positions, balances, orders, ledger = asyncio.run(_account(ready))
    assert set(told) <= set(orders)
    assert len(orders) <= len(told) + 2  # of each life the last one may have been carried out and not told
    # Each was for a round quantity: bought, less what was sold and settled, is what is open.
    signs = {"buy": 1, "sell": -1}
    net = sum(signs[row["descr"]["type"]] * Decimal(row["vol_exec"]) for row in orders.values())
    assert sum(Decimal(row["vol"]) - Decimal(row["vol_closed"]) for row in positions.values()) == net
    for asset, start in (("ZUSD", Decimal(1_000_000)), ("XXBT", None)):
        rows = [row for row in ledger if row["asset"] == asset]
        before = start
        for row in rows:
            amount, fee, after = (Decimal(row[name]) for name in ("amount", "fee", "balance"))
            if before is not None:
                assert abs(after - (before + amount - fee)) <= Decimal("0.0003")  # each is shown with four decimals
            before = after
        assert rows[-1]["balance"] == balances[asset]
