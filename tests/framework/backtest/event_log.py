"""Event logs, touches and queue samples written by hand, a row at a time."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from framework.backtest.results import EVENT_SCHEMA, QUEUE_SCHEMA, TOUCH_SCHEMA
from framework.backtest.run_folder import RunInputs

S = 1_000_000_000
MS = 1_000_000

BUY, SELL = 0, 1


class EventLog:
    """Rows of an event log of BTC/USD in the order of the calls; times in nanoseconds."""

    def __init__(self, symbol: str = "BTC/USD") -> None:
        self.symbol = symbol
        self.rows: list[dict[str, Any]] = []

    def row(self, kind: str, name: str, **values: Any) -> None:
        self.rows.append({"row": len(self.rows) + 1, "kind": kind, "name": name, **values})

    def command(
        self, name: str, order: str | None, sent: int, arrived: int | None, learned: int | None, **v: Any
    ) -> None:
        values = {"outcome": None if learned is None else "accepted", "link": "ws2", **v}
        if "reject_reason" in values and learned is not None:
            values["outcome"] = "rejected"
        self.row(
            "command", name, cl_ord_id=order, ts_sent_ns=sent, ts_arrived_ns=arrived, ts_learned_ns=learned, **values
        )

    def add(
        self,
        order: str,
        side: int,
        lots: int,
        sent: int,
        arrived: int | None = None,
        learned: int | None = None,
        **values: Any,
    ) -> None:
        values = {"symbol": self.symbol, "price_ticks": 1000, "order_type": "LIMIT", **values}
        self.command("AddOrder", order, sent, arrived, learned, side=side, qty_lots=lots, **values)

    def cancel(
        self, order: str, sent: int, arrived: int | None = None, learned: int | None = None, **values: Any
    ) -> None:
        self.command("CancelOrder", order, sent, arrived, learned, **values)

    def end(self, order: str, ts: int, text: str = "user_requested") -> None:
        self.row("venue", "OrderEnded", cl_ord_id=order, ts_venue_ns=ts, text=text)

    def fill(
        self,
        order: str,
        side: int,
        lots: int,
        price: int,
        ts: int,
        touch: tuple[int | None, int | None] = (999, 1001),
        after: dict[int, tuple[int | None, int | None]] | None = None,
        fee: str | None = "0",
        maker: bool | None = True,
        learned: int | None = None,
        leaves: int | None = None,
        **values: Any,
    ) -> None:
        marks: dict[str, Any] = {"bid_ticks": touch[0], "ask_ticks": touch[1]}
        for horizon, (bid, ask) in (after or {}).items():
            marks |= {f"bid_{horizon}s_ticks": bid, f"ask_{horizon}s_ticks": ask}
        values = {"symbol": self.symbol, "fee_asset": "USD", "link": "ws2", "leaves_lots": leaves, **values}
        self.row(
            "fill",
            "TRADE",
            cl_ord_id=order,
            side=side,
            qty_lots=lots,
            price_ticks=price,
            ts_venue_ns=ts,
            ts_learned_ns=learned,
            is_maker=maker,
            fee=fee,
            **marks,
            **values,
        )

    def reach(self, order: str, ts: int, reach: str) -> None:
        self.row("desk", "OrderReachChanged", cl_ord_id=order, ts_learned_ns=ts, reach=reach)

    def table(self) -> pa.Table:
        return pa.Table.from_pylist(self.rows, schema=EVENT_SCHEMA)


def touch_of(*samples: tuple[int, int | None, int | None], symbol: str = "BTC/USD") -> pa.Table:
    """(time, best bid, best ask) as a table."""
    rows = [{"symbol": symbol, "ts_ns": ts, "bid_ticks": bid, "ask_ticks": ask} for ts, bid, ask in samples]
    return pa.Table.from_pylist(rows, schema=TOUCH_SCHEMA)


def queue_of(*samples: tuple[int, str, float, int, int]) -> pa.Table:
    """(time, order, ahead, leaves, level) as a table."""
    rows = [dict(zip(QUEUE_SCHEMA.names, sample, strict=True)) for sample in samples]
    return pa.Table.from_pylist(rows, schema=QUEUE_SCHEMA)


def inputs_of(
    span_s: int = 100,
    *,
    road: str = "ws2",
    seed: int = 1,
    tick: str = "0.1",
    lot: str = "0.001",
    decay_per_ns: int | None = 234,
    symbols: tuple[str, ...] = ("BTC/USD",),
) -> RunInputs:
    """Inputs of a run from time 0 to ``span_s``."""
    markets = [
        {
            "symbol": symbol,
            "venue": "synthetic",
            "tick_size": tick,
            "lot_size": lot,
            "cost_decimals": 5,
            "depth": "L3",
            "rows": 1,
            "first_ts_ns": 0,
            "last_ts_ns": span_s * S,
        }
        for symbol in symbols
    ]
    tier: dict[str, Any] = {"name": "intermediate", "threshold": 125 * 10**11}
    if decay_per_ns is not None:
        tier["decay_per_ns"] = decay_per_ns
    config = {
        "run": {"seed": seed},
        "strategy": {"path": "strategies/market_maker.py", "name": "MarketMaker"},
        "road": {"name": road},
    }
    return RunInputs(
        {"config": config, "road": {"name": road, "title": f"Road {road}"}, "tier": tier, "markets": markets}
    )
