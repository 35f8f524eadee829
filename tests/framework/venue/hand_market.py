"""A small market made by hand: the interface of the matching kernel over plain lists, for tests of the venue.

Each price of each side is a queue of market quantity and own slots, first come first served. A test adds, removes and
hits; ``fills`` and ``fired`` are then what the compiled kernel would report at a stop.
"""

from __future__ import annotations

from dataclasses import dataclass

from framework.protocol import BUY, SELL
from framework.venue.kernel import Fill, TriggerKind

MARKET = -1
FALLS = (TriggerKind.TRAIL_FALL_TICKS, TriggerKind.TRAIL_FALL_PPM)
RISES = (TriggerKind.TRAIL_RISE_TICKS, TriggerKind.TRAIL_RISE_PPM)


@dataclass
class Entry:
    """One piece of a queue: market quantity (slot MARKET) or the visible part of an own order."""

    slot: int
    lots: int


@dataclass
class Slot:
    inst: int
    side: int
    price: int
    leaves: int
    display: int


@dataclass
class Watch:
    inst: int
    kind: TriggerKind
    offset: int
    extreme: int
    has_fired: bool = False


class HandMarket:
    """One or more instruments."""

    def __init__(self, instruments: int = 1) -> None:
        self.queues: list[dict[int, dict[int, list[Entry]]]] = [{BUY: {}, SELL: {}} for _ in range(instruments)]
        self.slots: dict[int, Slot] = {}
        self.watches: dict[int, Watch] = {}
        self.last: list[tuple[int, int, int, int] | None] = [None] * instruments
        self._fills: list[Fill] = []
        self._fired: list[int] = []
        self.now_ns = 0
        self._count = 0

    # ------------------------------------------------------------------ the market, as a test makes it

    def add(self, side: int, price: int, lots: int, inst: int = 0) -> None:
        self.queues[inst][side].setdefault(price, []).append(Entry(MARKET, lots))

    def clear(self, side: int, price: int, inst: int = 0) -> None:
        """Take all market quantity off a price."""
        queue = self.queues[inst][side].get(price, [])
        self.queues[inst][side][price] = [entry for entry in queue if entry.slot != MARKET]

    def hit(self, side: int, lots: int, limit: int, now_ns: int, inst: int = 0) -> None:
        """A market aggressor of this side trades up to a limit, with the market and own orders alike."""
        self.now_ns = now_ns
        self._fills, self._fired = [], []
        book = self.queues[inst][1 - side]
        while lots:
            prices = [price for price, queue in book.items() if queue]
            if not prices:
                return
            price = min(prices) if side == BUY else max(prices)
            if price > limit if side == BUY else price < limit:
                return
            head = book[price][0]
            done = min(lots, head.lots)
            lots -= done
            self._reduce_head(inst, 1 - side, price, done)
            if head.slot != MARKET:
                self._fills.append(Fill(head.slot, price, done, now_ns, 0))
            self.print(price, now_ns, inst, is_new_stop=False)

    def print(self, price: int, now_ns: int, inst: int = 0, *, is_new_stop: bool = True) -> None:
        """A trade is printed at a price; triggers that it reaches fire."""
        if is_new_stop:
            self._fills, self._fired = [], []
        self.now_ns = now_ns
        self.last[inst] = (price, 1, BUY, now_ns)
        for number, watch in self.watches.items():
            if watch.inst == inst and not watch.has_fired and self._reaches(watch, price):
                watch.has_fired = True
                self._fired.append(number)

    def _reaches(self, watch: Watch, price: int) -> bool:
        if watch.kind in FALLS:
            watch.extreme = max(watch.extreme, price)
            return price <= self._trigger_of(watch)
        if watch.kind in RISES:
            watch.extreme = min(watch.extreme, price)
            return price >= self._trigger_of(watch)
        return price >= watch.extreme if watch.kind is TriggerKind.AT_OR_ABOVE else price <= watch.extreme

    def _trigger_of(self, watch: Watch) -> int:
        if watch.kind is TriggerKind.TRAIL_FALL_TICKS:
            return watch.extreme - watch.offset
        if watch.kind is TriggerKind.TRAIL_RISE_TICKS:
            return watch.extreme + watch.offset
        if watch.kind is TriggerKind.TRAIL_FALL_PPM:
            return watch.extreme * (1_000_000 - watch.offset) // 1_000_000
        if watch.kind is TriggerKind.TRAIL_RISE_PPM:
            return -(-watch.extreme * (1_000_000 + watch.offset) // 1_000_000)
        return watch.extreme

    def _reduce_head(self, inst: int, side: int, price: int, lots: int) -> None:
        queue = self.queues[inst][side][price]
        head = queue[0]
        head.lots -= lots
        if head.slot != MARKET:
            slot = self.slots[head.slot]
            slot.leaves -= lots
            if slot.leaves == 0:
                del self.slots[head.slot]
        if head.lots == 0:
            queue.pop(0)
            if head.slot in self.slots:
                slot = self.slots[head.slot]
                queue.append(Entry(head.slot, min(slot.leaves, slot.display or slot.leaves)))

    # ------------------------------------------------------------------ the kernel's interface

    def place(self, inst: int, side: int, price_ticks: int, qty_lots: int, display_lots: int = 0) -> int:
        self._count += 1
        self.slots[self._count] = Slot(inst, side, price_ticks, qty_lots, display_lots)
        visible = min(qty_lots, display_lots) if display_lots else qty_lots
        self.queues[inst][side].setdefault(price_ticks, []).append(Entry(self._count, visible))
        return self._count

    def _queue_of(self, slot: int) -> list[Entry]:
        order = self.slots[slot]
        return self.queues[order.inst][order.side][order.price]

    def remove(self, slot: int) -> None:
        queue = self._queue_of(slot)
        queue[:] = [entry for entry in queue if entry.slot != slot]
        del self.slots[slot]

    def reduce(self, slot: int, new_leaves: int) -> None:
        order = self.slots[slot]
        assert 0 < new_leaves < order.leaves
        order.leaves = new_leaves
        for entry in self._queue_of(slot):
            if entry.slot == slot:
                entry.lots = min(entry.lots, new_leaves)

    def set_display(self, slot: int, display_lots: int) -> None:
        self.slots[slot].display = display_lots

    def leaves(self, slot: int) -> int:
        return self.slots[slot].leaves

    def ahead(self, slot: int) -> int:
        lots = 0
        for entry in self._queue_of(slot):
            if entry.slot == slot:
                return lots
            if entry.slot == MARKET:
                lots += entry.lots
        raise AssertionError(f"slot {slot} is in no queue")

    def _levels(self, inst: int, side: int) -> list[tuple[int, int]]:
        levels = [
            (price, sum(entry.lots for entry in queue if entry.slot == MARKET))
            for price, queue in self.queues[inst][side].items()
        ]
        return sorted([level for level in levels if level[1]], reverse=side == BUY)

    def best(self, inst: int, side: int) -> tuple[int, int] | None:
        levels = self._levels(inst, side)
        return levels[0] if levels else None

    def available(self, inst: int, side: int, limit_ticks: int) -> int:
        limit = limit_ticks if side == BUY or limit_ticks < 2**62 else 0
        return sum(
            lots for price, lots in self._levels(inst, 1 - side) if (price <= limit if side == BUY else price >= limit)
        )

    def take(self, inst: int, side: int, qty_lots: int, limit_ticks: int) -> list[tuple[int, int]]:
        limit = limit_ticks if side == BUY or limit_ticks < 2**62 else 0
        took = []
        for price, lots in self._levels(inst, 1 - side):
            if not qty_lots or (price > limit if side == BUY else price < limit):
                break
            done = min(lots, qty_lots)
            qty_lots -= done
            took.append((price, done))
            queue = self.queues[inst][1 - side][price]
            for entry in queue:
                if entry.slot == MARKET:
                    part = min(done, entry.lots)
                    entry.lots -= part
                    done -= part
            queue[:] = [entry for entry in queue if entry.lots]
        return took

    def last_trade(self, inst: int) -> tuple[int, int, int, int] | None:
        return self.last[inst]

    def watch(self, inst: int, kind: TriggerKind, trigger_ticks: int | None = None, offset: int = 0) -> int:
        self._count += 1
        last = self.last[inst]
        if trigger_ticks is None:
            trigger_ticks = last[0] if last is not None else (0 if kind in FALLS else 2**40)
        self.watches[self._count] = Watch(inst, kind, offset, trigger_ticks)
        return self._count

    def unwatch(self, watch: int) -> None:
        del self.watches[watch]

    def peak_ticks(self, watch: int) -> int:
        return self.watches[watch].extreme

    def trigger_ticks(self, watch: int) -> int:
        return self._trigger_of(self.watches[watch])

    def fills(self) -> list[Fill]:
        return self._fills

    def fired(self) -> list[int]:
        return self._fired
