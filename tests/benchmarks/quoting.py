"""The market maker of the benchmarks: one decision, which each engine's side only carries out."""

from __future__ import annotations

import msgspec

__all__ = ["INTERVAL_NS", "Rules", "targets"]

INTERVAL_NS = 100_000_000  # the strategy looks at the market this often


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """qty_lots: of each order. tolerance_ticks: an order this close to its target stays.

    position_lots_max: no order that would add to a position of this size, either way.
    """

    qty_lots: int = 4_000_000
    tolerance_ticks: int = 60
    position_lots_max: int = 4_000_000


def targets(
    bid: int, ask: int, own_bid: int | None, own_ask: int | None, position_lots: int, rules: Rules
) -> tuple[int | None, int | None]:
    """Where the two orders should rest, in ticks (None: nowhere): a tick inside the spread if it has room.

    bid, ask: the market's best prices. own_bid, own_ask: where own orders rest, None for none. An order whose target
    is its own price stays as it is; any other is canceled, and a new one placed at the target.
    """
    step = 1 if ask - bid > 2 else 0
    buy: int | None = bid + step
    sell: int | None = ask - step
    if position_lots >= rules.position_lots_max:
        buy = None
    elif own_bid is not None and -rules.tolerance_ticks <= own_bid - bid - step <= rules.tolerance_ticks:
        buy = own_bid
    if position_lots <= -rules.position_lots_max:
        sell = None
    elif own_ask is not None and -rules.tolerance_ticks <= own_ask - ask + step <= rules.tolerance_ticks:
        sell = own_ask
    return buy, sell
