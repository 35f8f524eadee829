"""Rows by hand, one call each: ``level(10, BUY, 100, 5)`` is a row of second argument's side at 10 ns."""

from __future__ import annotations

from framework.data.columns import ADD, BEST, CLEAR, DELETE, LAST, LEVEL, MODIFY, TRADE
from framework.venue.kernel import Fill, KernelOptions, MatchingKernel, QueueModel, StopReason
from tests.framework.venue.kernel.row_streams import Row, market


def clear(ts: int) -> Row:
    return (ts, CLEAR, 0, 0, 0, 0, LAST)


def best(ts: int, side: int, price: int, qty: int, flags: int = LAST) -> Row:
    return (ts, BEST, side, price, qty, 0, flags)


def level(ts: int, side: int, price: int, qty: int, flags: int = LAST) -> Row:
    return (ts, LEVEL, side, price, qty, 0, flags)


def add(ts: int, order: int, side: int, price: int, qty: int, flags: int = LAST) -> Row:
    return (ts, ADD, side, price, qty, order, flags)


def modify(ts: int, order: int, side: int, price: int, qty: int, flags: int = LAST) -> Row:
    return (ts, MODIFY, side, price, qty, order, flags)


def delete(ts: int, order: int, side: int, price: int, qty: int, flags: int = LAST) -> Row:
    return (ts, DELETE, side, price, qty, order, flags)


def trade(ts: int, aggressor: int, price: int, qty: int, order: int = 0, flags: int = LAST) -> Row:
    return (ts, TRADE, aggressor, price, qty, order, flags)


def kernel_of(
    rows: list[Row],
    depth: str = "L2",
    *,
    has_trades: bool = True,
    model: QueueModel = QueueModel.RISK_AVERSE,
    options: KernelOptions | None = None,
) -> MatchingKernel:
    return MatchingKernel([market(rows, depth, has_trades)], queue_model=model, options=options)


def all_fills(kernel: MatchingKernel, until: int = 10**6) -> list[tuple[int, int, int, int]]:
    """(slot, price, lots, time) of everything that is filled until a time."""
    filled: list[Fill] = []
    while True:
        reason = kernel.advance(until)
        filled += kernel.fills()
        if reason in (StopReason.END, StopReason.REACHED):
            return [fill[:4] for fill in filled]
