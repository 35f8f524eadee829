"""Which order of one run is which of another: of one side, sent at about the same time, and alike if that can be."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable
from decimal import Decimal

import msgspec

from framework.diverge.accounting import Book, OrderFills
from framework.diverge.world import CAUSES, Cause

__all__ = ["FillDifference", "Pairs", "Residual", "differences", "followed_orders", "residual"]

# How far apart two orders of equal terms may have been sent, and two of unequal terms.
_ALIKE_NS = 2_000_000_000
_LIKE_NS = 500_000_000


class Pairs:
    """The pairs of two books, each order in one at most.

    of: by an order of the first, the order of the second. alike: those whose symbol, side, type, price and quantity are
    the same.
    """

    def __init__(self, first: Book, second: Book) -> None:
        self.of: dict[str, OrderFills] = {}
        self.alike: set[str] = set()
        self._taken: set[str] = set()
        self._pair(first, second, _terms, _ALIKE_NS)
        self.alike = set(self.of)
        self._pair(first, second, lambda order: (order.symbol, order.side), _LIKE_NS)

    @property
    def seconds(self) -> frozenset[str]:
        """The orders of the second book that are in a pair."""
        return frozenset(self._taken)

    def _pair(self, first: Book, second: Book, group: Callable[[OrderFills], Hashable], within_ns: int) -> None:
        free: dict[Hashable, list[tuple[int, str]]] = {}
        for order in second.orders.values():
            if order.sent_ns is not None and order.cl_ord_id not in self._taken:
                insort(free.setdefault(group(order), []), (order.sent_ns, order.cl_ord_id))
        for order in sorted(first.orders.values(), key=lambda each: (each.sent_ns or 0, each.cl_ord_id)):
            waiting = free.get(group(order))
            if order.sent_ns is None or order.cl_ord_id in self.of or not waiting:
                continue
            at = bisect_left(waiting, (order.sent_ns, ""))
            near = [place for place in (at - 1, at) if 0 <= place < len(waiting)]
            best = min(near, key=lambda place: abs(waiting[place][0] - (order.sent_ns or 0)))
            if abs(waiting[best][0] - order.sent_ns) <= within_ns:
                _, key = waiting.pop(best)
                self.of[order.cl_ord_id] = second.orders[key]
                self._taken.add(key)


def _terms(order: OrderFills) -> Hashable:
    return order.symbol, order.side, order.order_type, order.price_ticks, order.qty_lots


class Residual(msgspec.Struct, kw_only=True):
    """What orders that run and last replay have sent alike came to in the run beyond the replay.

    alike_orders, other_orders: how many of them, and of all others, were filled otherwise.
    """

    net: Decimal = Decimal(0)
    fills: int = 0
    turnover: Decimal = Decimal(0)
    alike_orders: int = 0
    other_orders: int = 0


def residual(run: Book, last: Book) -> Residual:
    """What the last replay leaves to the queue."""
    pairs = Pairs(run, last)
    left = Residual()
    for key, order in run.orders.items():
        partner = pairs.of.get(key)
        is_otherwise = order.filled_lots != (0 if partner is None else partner.filled_lots)
        if partner is not None and key in pairs.alike:
            left.net += order.value - partner.value
            left.fills += order.fill_count - partner.fill_count
            left.turnover += order.turnover - partner.turnover
            left.alike_orders += is_otherwise
        else:
            left.other_orders += is_otherwise
    left.other_orders += sum(1 for key, each in last.orders.items() if key not in pairs.seconds and each.filled_lots)
    return left


def followed_orders(run: Book, last: Book) -> tuple[int, int | None]:
    """How many orders of the run, from the first on, the replay has sent alike and filled alike; and when the run sent
    the next one, None if there is none.
    """
    pairs = Pairs(run, last)
    sent = sorted((order.sent_ns, key) for key, order in run.orders.items() if order.sent_ns is not None)
    for count, (sent_ns, key) in enumerate(sent):
        if key not in pairs.alike or pairs.of[key].filled_lots != run.orders[key].filled_lots:
            return count, sent_ns
    return len(sent), None


class FillDifference(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was filled otherwise in the run than in its backtest.

    sent_ns: in the run, or where it was not sent there, in the backtest. value: what the difference came to. cause: the
    cause with which the replays begin to do as the run did.
    """

    symbol: str
    side: int
    sent_ns: int
    price_ticks: int | None
    run_lots: int
    backtest_lots: int
    run_order: str | None
    value: Decimal
    cause: Cause


def differences(run: Book, ladder: list[Book]) -> list[FillDifference]:
    """The orders that were filled otherwise, those that made the greatest difference first.

    ladder: the backtest and, for each of ``CAUSES``, the replay that takes it as measured too.
    """
    pairs = [Pairs(run, book) for book in ladder]
    found = []
    for key, order in run.orders.items():
        partners = [each.of.get(key) for each in pairs]
        filled = [0 if partner is None else partner.filled_lots for partner in partners]
        if filled[0] == order.filled_lots:
            continue
        start = partners[0]
        cause = _since(filled, order.filled_lots)
        if cause is None:
            cause = Cause.QUEUE if key in pairs[-1].alike else Cause.REST
        found.append(
            FillDifference(
                symbol=order.symbol,
                side=order.side or 0,
                sent_ns=order.sent_ns or order.first_fill_ns or 0,
                price_ticks=order.price_ticks if order.price_ticks is not None else order.fill_ticks,
                run_lots=order.filled_lots,
                backtest_lots=filled[0],
                run_order=key,
                value=order.value - (start.value if start is not None else 0),
                cause=cause,
            )
        )
    found += _never_sent(ladder, pairs[0])
    return sorted(found, key=lambda each: (-abs(each.value), each.sent_ns, each.symbol, each.side))


def _never_sent(ladder: list[Book], pairs: Pairs) -> list[FillDifference]:
    """What was filled in the backtest of orders that the run has not sent."""
    later = [Pairs(ladder[0], book) for book in ladder[1:]]
    found = []
    for key, order in ladder[0].orders.items():
        if key in pairs.seconds or not order.filled_lots:
            continue
        partners = [each.of.get(key) for each in later]
        filled = [order.filled_lots, *(0 if partner is None else partner.filled_lots for partner in partners)]
        found.append(
            FillDifference(
                symbol=order.symbol,
                side=order.side or 0,
                sent_ns=order.sent_ns or order.first_fill_ns or 0,
                price_ticks=order.price_ticks if order.price_ticks is not None else order.fill_ticks,
                run_lots=0,
                backtest_lots=order.filled_lots,
                run_order=None,
                value=-order.value,
                cause=_since(filled, 0) or Cause.REST,
            )
        )
    return found


def _since(filled: list[int], run_lots: int) -> Cause | None:
    """The cause from which on the replays fill an order as the run did; None if they never do."""
    at = len(filled)
    while at and filled[at - 1] == run_lots:
        at -= 1
    return CAUSES[at - 1] if 0 < at < len(filled) else None
