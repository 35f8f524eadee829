"""Whether everything adds up: the invariants of the venue, recomputed from the record of all orders and trades.

Slow on purpose: it reads the whole record and shares no running total with the code that it checks.
"""

from __future__ import annotations

from collections.abc import Iterable

from framework.errors import SimulationError
from framework.messages import OrderState
from framework.protocol import BUY
from framework.venue.account import Account, Assets
from framework.venue.book import Pair
from framework.venue.lifecycle import Lifecycle, hold_needed, hold_price
from framework.venue.orders import NO_SLOT, Order

__all__ = ["audit"]


def audit(
    accounts: Iterable[Account], pairs: Iterable[Pair], assets: Assets, lifecycle: Lifecycle, *, is_whole: bool = True
) -> None:
    """Raise SimulationError naming the two facts that disagree; return if none do.

    is_whole: read the whole record; else only what is open, and that nothing has left it uncounted.
    """
    books = {pair.symbol: pair for pair in pairs}
    for account in accounts:
        _holds(account)
        _open_orders(account)
        if is_whole:
            _money(account, books, assets)
            _positions(account, books)
            _orders(account)
    for pair in books.values():
        _resting(pair, lifecycle)


def _equal(what: str, stands: object, should: object, *of: object) -> None:
    """of: what the braces in ``what`` stand for; put into words only where that is needed."""
    if stands != should:
        raise SimulationError(f"{what.format(*of)} is {stands}, but the record says {should}")


def _money(account: Account, books: dict[str, Pair], assets: Assets) -> None:
    totals = list(account.brought)
    margin = account.margin
    for index, paid in enumerate([] if margin is None else margin.paid):
        totals[index] += paid
    for trade in account.trades:
        if account.order_by_id[trade.order_id].leverage:
            continue
        pair = books[trade.symbol]
        sign = 1 if trade.side == BUY else -1
        totals[pair.base] += sign * trade.last_lots * pair.lot_units
        totals[pair.quote] -= sign * trade.last_lots * trade.last_ticks * pair.cost_units
        assert trade.fee is not None
        assert trade.fee_asset is not None
        fee_asset = assets.index[trade.fee_asset]
        totals[fee_asset] -= assets.units(fee_asset, trade.fee)
    for index, name in enumerate(assets.names):
        _equal("{}'s total of {}", account.totals[index], totals[index], account.name, name)
        if margin is not None and account.totals[index] < 0 and not any(account.holds):
            continue  # a loss was larger than all that the account had
        if not 0 <= account.holds[index] <= account.totals[index]:
            raise SimulationError(
                f"{account.name} holds {account.holds[index]} units of {name} of a total of {account.totals[index]}"
            )


def _holds(account: Account) -> None:
    held = [0] * len(account.holds)
    for order in account.open_orders.values():
        needed = hold_needed(order, hold_price(order), order.qty_lots - order.cum_lots)
        _equal("the hold of {}", order.hold_units, needed, order)
        held[order.hold_asset] += needed
    _equal("{}'s holds", account.holds, held, account.name)


def _positions(account: Account, books: dict[str, Pair]) -> None:
    """What orders on margin bought and sold is open, closed with a profit or loss, or settled; and nothing else is."""
    margin = account.margin
    if margin is None:
        return
    for pair in books.values():
        flow = net_lots = settled_lots = 0
        for trade in account.trades:
            if trade.symbol == pair.symbol and account.order_by_id[trade.order_id].leverage:
                sign = 1 if trade.side == BUY else -1
                net_lots += sign * trade.last_lots
                flow -= sign * trade.last_lots * trade.last_ticks * pair.cost_units
        for order in account.order_by_id.values():
            if order.pair is pair and order.is_settlement:
                settled_lots += order.cum_lots if order.side == BUY else -order.cum_lots
        opened = open_lots = 0
        for position in margin.of_pair(pair):
            sign = 1 if position.side == BUY else -1
            opened += sign * position.cost(position.open_lots)
            open_lots += sign * position.open_lots
            if not 0 <= position.closed_lots < position.lots:
                raise SimulationError(f"position {position.position_id} is open, but {position.closed_lots} are closed")
        _equal("{}'s position in {}", open_lots, net_lots + settled_lots, account.name, pair.symbol)
        earned = margin.profits[pair.index]
        should = flow + opened + margin.settled_costs[pair.index]
        _equal("{}'s profit in {}", earned, should, account.name, pair.symbol)
    on_margin = sum(order.is_margin for order in account.open_orders.values())
    _equal("{}'s orders on margin", margin.order_count, on_margin, account.name)


def _orders(account: Account) -> None:
    filled: dict[str, int] = {}
    for order in account.order_by_id.values():
        if order.is_settlement:
            filled[order.order_id] = order.cum_lots
    for trade in account.trades:
        filled[trade.order_id] = filled.get(trade.order_id, 0) + trade.last_lots
    for order in account.order_by_id.values():
        _equal("the filled quantity of {}", order.cum_lots, filled.get(order.order_id, 0), order)
        _order(account, order)
        if order.state is OrderState.FILLED:
            _equal("what {} was for", order.qty_lots, order.cum_lots, order)
    ended = [order.seq for order in account.ended]
    _equal("the number of {}'s ended orders", len(ended), len(set(ended)), account.name)


def _open_orders(account: Account) -> None:
    counts = [0] * len(account.open_counts)
    for order in account.open_orders.values():
        _order(account, order)
        counts[order.pair.index] += 1
    _equal("{}'s open orders by pair", account.open_counts, counts, account.name)
    _equal("{}'s orders", len(account.order_by_id), len(account.ended) + len(account.open_orders), account.name)


def _order(account: Account, order: Order) -> None:
    if order.cum_lots > order.qty_lots:
        raise SimulationError(f"{order} was filled for more than it was for")
    is_open = order.is_open
    _equal("{} being indexed as open", order.seq in account.open_orders, is_open, order)
    _equal("{} being its session's", order.seq in order.session.orders, is_open, order)


def _resting(pair: Pair, lifecycle: Lifecycle) -> None:
    listed = [order for side in pair.resting for _, _, order in side]
    for side in pair.resting:
        _equal("the order of {}'s resting orders", side, sorted(side, key=lambda entry: entry[:2]), pair.symbol)
    _equal(
        "{}'s orders in the kernel",
        sorted(order.seq for order in lifecycle.by_slot.values() if order.pair is pair),
        sorted(order.seq for order in listed),
        pair.symbol,
    )
    for order in listed:
        if not order.is_open or order.slot == NO_SLOT:
            raise SimulationError(f"{order} is listed as resting, but has ended or has no slot")
    _equal_leaves(listed, lifecycle)


def _equal_leaves(listed: list[Order], lifecycle: Lifecycle) -> None:
    for order in listed:
        leaves_lots = order.qty_lots - order.cum_lots
        _equal("what the kernel has left of {}", lifecycle.kernel_leaves(order), leaves_lots, order)
