"""The market maker on hftbacktest, in plain Python."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from framework.data.columns import Market
from tests.benchmarks.quoting import INTERVAL_NS, Rules, targets

__all__ = ["asset", "make_markets"]

# What hftbacktest's waits return, and longer than any market.
_END, _FEED = 1, 2
_FOREVER_NS = 2**60


def asset(market: Market, events: npt.NDArray[np.void], latency_ms: int) -> Any:
    """hftbacktest's asset: constant order latencies, risk-averse queue, partial fills."""
    from hftbacktest import BacktestAsset

    return (
        BacktestAsset()
        .data(events)
        .linear_asset(1.0)
        .constant_order_latency(latency_ms * 1_000_000, latency_ms * 1_000_000)
        .risk_adverse_queue_model()
        .partial_fill_exchange()
        .trading_value_fee_model(0.0002, 0.0005)
        .tick_size(float(market.spec.tick_size))
        .lot_size(float(market.spec.lot_size))
        .last_trades_capacity(0)
    )


def make_markets(backtest: Any, market: Market, rules: Rules, form: str = "interval") -> dict[str, int]:
    """Run to the end of the data; returns what was done.

    form: "interval" looks at fixed times; "touch" waits for each message of the feed, which is the only way to see a
    change of the touch, and acts if there is one.
    """
    from hftbacktest import CANCELED, EXPIRED, FILLED, GTX, LIMIT

    ended = (EXPIRED, FILLED, CANCELED)
    tick, lot = float(Decimal(market.spec.tick_size)), float(Decimal(market.spec.lot_size))
    qty = rules.qty_lots * lot
    own: list[tuple[int, int] | None] = [None, None]
    submits = cancels = wakes = last_id = 0
    depth = backtest.depth(0)

    def look() -> None:
        nonlocal submits, cancels, wakes, last_id
        wakes += 1
        bid, ask = depth.best_bid_tick, depth.best_ask_tick
        if bid <= 0 or ask >= 2**31 - 1:
            return
        orders = backtest.orders(0)
        for side in (0, 1):
            kept = own[side]
            if kept is not None:
                order = orders.get(kept[0])
                if order is None or order.status in ended:
                    own[side] = None
        prices = [None if kept is None else kept[1] for kept in own]
        wanted = targets(bid, ask, prices[0], prices[1], round(backtest.position(0) / lot), rules)
        for side in (0, 1):
            target = wanted[side]
            if target == prices[side]:
                continue
            kept = own[side]
            if kept is not None:
                backtest.cancel(0, kept[0], False)
                cancels += 1
                own[side] = None
            if target is not None:
                last_id += 1
                submit = backtest.submit_sell_order if side else backtest.submit_buy_order
                submit(0, last_id, target * tick, qty, GTX, LIMIT, False)
                submits += 1
                own[side] = (last_id, target)
        backtest.clear_inactive_orders(0)

    if form == "interval":
        first = int(market.columns.ts_event_ns[0])
        backtest.elapse(INTERVAL_NS - first % INTERVAL_NS)
        while (code := backtest.elapse(INTERVAL_NS)) == 0:
            look()
    else:
        seen = None
        while (code := backtest.wait_next_feed(False, _FOREVER_NS)) == _FEED:
            touch = (depth.best_bid_tick, depth.best_bid_qty, depth.best_ask_tick, depth.best_ask_qty)
            if touch != seen:
                seen = touch
                look()
    assert code == _END, f"hftbacktest stopped with code {code} before the end of the data"
    fills = int(backtest.state_values(0).num_trades)
    return {"submits": submits, "cancels": cancels, "fills": fills, "wakes": wakes}
