"""The matching rules in plain Python: the specification that the compiled kernel is held to.

Lists and dictionaries, one row at a time, everything that can be counted anew is counted anew. Numbers in comments are
the conditions in the docstring of ``framework.venue.kernel``. One instrument; slow on purpose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from framework.data.columns import (
    ADD,
    BEST,
    CLEAR,
    DELETE,
    EXECUTED,
    LAST,
    LEVEL,
    MODIFY,
    SNAPSHOT,
    TRADE,
    UNKNOWN_SIDE,
    Market,
)
from framework.protocol import BUY, SELL

UNKNOWN = 2**62
LONG_AGO = -(2**62)
FAR = 2**63 - 1


@dataclass
class MarketOrder:
    side: int
    price: int
    qty: int
    taken: int
    seq: int

    @property
    def left(self) -> int:
        return self.qty - self.taken


@dataclass
class OwnOrder:
    slot: int
    side: int
    price: int
    leaves: int
    display: int
    visible: int = 0
    ahead: float = 0  # L1, L2
    model_trades: float = 0  # of the probability models: traded, but not in the book yet
    credit: int = 0  # L3
    seq: int = 0  # L3
    prepaid: int = 0
    prepaid_ts: int = LONG_AGO
    share: int = 0


@dataclass
class Trigger:
    number: int
    kind: str
    watched: int
    offset: int


def better(side: int, price: int, other: int) -> bool:
    return price > other if side == BUY else price < other


def half_up(x: float) -> int:
    return math.floor(x + 0.5)


@dataclass
class ObviousKernel:
    """See the module's docstring. model: "risk_averse", "power", "power_total", "power_ratio", "log", "log_total"."""

    market: Market
    model: str = "risk_averse"
    n: float = 1.0
    trade_after_book_ns: int = 0
    share_ppm: int = 0
    spread: int = 1
    depth_lots: int = 0
    deliveries: list[int] = field(default_factory=list)  # of each feed message, in order

    def __post_init__(self) -> None:
        self.unit = float(self.market.spec.lot_size)
        self.depth = self.market.depth
        c = self.market.columns
        orders = c.order_id.tolist() if self.depth == "L3" else [0] * len(c)
        self.rows = list(
            zip(
                c.ts_event_ns.tolist(),
                c.kind.tolist(),
                c.side.tolist(),
                c.price_ticks.tolist(),
                c.qty_lots.tolist(),
                orders,
                c.flags.tolist(),
                strict=True,
            )
        )
        self.row = 0
        self.now = 0
        self.levels: tuple[dict[int, list[int]], ...] = ({}, {})  # L1, L2, trades: price: [recorded, taken]
        self.told: dict[tuple[int, int], int] = {}  # 12a: (side, price): lots, the oldest first
        self.remembered: tuple[dict[int, int], ...] = ({}, {})  # taken, from a CLEAR to the snapshot
        self.orders: dict[int, MarketOrder] = {}  # L3; in the order of their queues
        self.cleared: dict[int, MarketOrder] = {}
        self.seqs: dict[int, int] = {}  # of every order ever seen
        self.own: dict[int, OwnOrder] = {}  # in the order of time at their prices
        self.triggers: dict[int, Trigger] = {}
        self.uncertain = True
        self.crossing = False
        self.last: tuple[int, int, int, int] | None = None
        self.tick_side = UNKNOWN_SIDE
        self.fills: dict[int, list[int]] = {}
        self.fired: list[int] = []
        # The feed's view.
        self.messages: list[tuple[int, int]] = []
        first = 0
        for row, values in enumerate(self.rows):
            if values[6] & LAST or row == len(self.rows) - 1:
                self.messages.append((first, row + 1))
                first = row + 1
        self.delivered = 0
        self.mode: set[str] = set()
        self.interval = 0
        self.due = FAR
        self.wanted: set[str] = set()
        self.seen: dict[tuple[int, int], int] = {}  # (side, price): quantity
        self.seen_orders: dict[int, tuple[int, int, int]] = {}
        self.seen_last: tuple[int, int, int, int] | None = None

    # ---------------------------------------------------------------------------------------------- the market's book

    def recorded(self, side: int) -> dict[int, int]:
        """Price: recorded quantity."""
        if self.depth != "L3":
            return {price: qty for price, (qty, _) in self.levels[side].items() if qty}
        totals: dict[int, int] = {}
        for order in self.orders.values():
            if order.side == side:
                totals[order.price] = totals.get(order.price, 0) + order.qty
        return totals

    def book(self, side: int) -> list[tuple[int, int]]:
        """Best first: price and what is available."""
        if self.depth != "L3":
            left = {price: qty - taken for price, (qty, taken) in self.levels[side].items()}
        else:
            left = {}
            for order in self.orders.values():
                if order.side == side:
                    left[order.price] = left.get(order.price, 0) + order.left
        return sorted(((p, q) for p, q in left.items() if q > 0), reverse=side == BUY)

    def resting(self, side: int) -> list[list[int]]:
        """All that rests, by price and queue: price, lots, order (-1 - slot for an own one, 0 for a level), since."""
        rows = []
        left = dict(self.book(side))
        for price in sorted({*left, *(own.price for own in self.own_side(side))}, reverse=side == BUY):
            owns = self.own_at(side, price)
            if self.depth != "L3" and price in left:
                rows.append([price, left[price], 0, 0])
            for number, order in self.orders.items():
                if (order.side, order.price) == (side, price):
                    while owns and order.seq > owns[0].seq:
                        rows.append(self._own_row(owns.pop(0)))
                    if order.left:
                        rows.append([price, order.left, number, order.seq])
            rows += map(self._own_row, owns)
        return rows

    def _own_row(self, own: OwnOrder) -> list[int]:
        return [own.price, own.visible, -1 - own.slot, own.seq]

    def left_at(self, side: int, price: int) -> int:
        return dict(self.book(side)).get(price, 0)

    def recorded_best(self, side: int) -> int | None:
        prices = self.recorded(side)
        if not prices:
            return None
        return max(prices) if side == BUY else min(prices)

    # ---------------------------------------------------------------------------------------------- queue places

    def own_side(self, side: int) -> list[OwnOrder]:
        """Best first, then oldest."""
        return sorted(
            (o for o in self.own.values() if o.side == side), key=lambda o: -o.price if side == BUY else o.price
        )

    def own_at(self, side: int, price: int) -> list[OwnOrder]:
        return [o for o in self.own.values() if (o.side, o.price) == (side, price)]

    def orders_ahead(self, own: OwnOrder) -> int:
        """13, L3: counted anew from the book."""
        return sum(
            o.left for o in self.orders.values() if (o.side, o.price) == (own.side, own.price) and o.seq <= own.seq
        )

    def ahead(self, slot: int) -> float:
        own = self.own[slot]
        if self.depth == "L3":
            return self.orders_ahead(own) - own.credit
        return own.ahead

    def start_queue(self, own: OwnOrder, seq: int) -> None:
        own.seq, own.credit, own.model_trades, own.share = seq, 0, 0.0, 0
        own.prepaid, own.prepaid_ts = 0, LONG_AGO
        own.ahead = 0
        if self.depth == "L2":
            own.ahead = UNKNOWN if self.uncertain else self.left_at(own.side, own.price)
        elif self.depth == "L1":
            best = self.recorded_best(own.side)
            if best is None:
                own.ahead = UNKNOWN if self.uncertain else 0
            elif best == own.price:
                own.ahead = self.left_at(own.side, own.price)
            else:
                own.ahead = 0 if better(own.side, own.price, best) else UNKNOWN

    def prepay(self, own: OwnOrder, dropped: int, flags: int, ts: int) -> None:
        """6, the book before the trade."""
        if dropped > 0 and not flags & (EXECUTED | SNAPSHOT):
            if ts - own.prepaid_ts > self.trade_after_book_ns:
                own.prepaid = 0
            own.prepaid += dropped
            own.prepaid_ts = ts

    def cap(self, own: OwnOrder, lots: int) -> int:
        dropped = half_up(own.ahead - lots) if own.ahead > lots else 0
        own.ahead = min(own.ahead, lots)
        return dropped

    def share_behind(self, front: float, back: float) -> float:
        n = self.n
        if self.model == "power":
            return back**n / (back**n + front**n)
        if self.model == "power_total":
            return back**n / (back + front) ** n
        if self.model == "power_ratio":
            return 1 - (front / (front + back)) ** n
        if self.model == "log":
            return math.log(1 + back) / (math.log(1 + back) + math.log(1 + front))
        return math.log(1 + back) / math.log(1 + back + front)

    def level_changed(self, side: int, price: int, before: int, now: int, flags: int, ts: int) -> None:
        for own in self.own_at(side, price):
            front = own.ahead
            if self.model == "risk_averse" or flags & SNAPSHOT:
                self.cap(own, now)
            else:
                reduction = before - now - own.model_trades
                own.model_trades = 0.0
                after = front
                if reduction >= 0 and before > 0 and front <= before:
                    back = before - front
                    p = self.share_behind(front * self.unit, back * self.unit)
                    after = max(front - (1 - p) * reduction + min(back - p * reduction, 0), 0)
                own.ahead = min(after, now)
            if front < UNKNOWN:
                self.prepay(own, half_up(front - own.ahead), flags, ts)

    def order_left_changed(self, order: MarketOrder, change: int, flags: int, ts: int) -> None:
        """L3: what is left of an order that stands in the book shrank."""
        if change < 0:
            for own in self.own_at(order.side, order.price):
                if order.seq <= own.seq:
                    used = min(own.credit, -change)
                    own.credit -= used
                    self.prepay(own, -change - used, flags, ts)

    def nothing_ahead(self, own: OwnOrder) -> None:
        if self.depth == "L3":
            own.credit = self.orders_ahead(own)
        else:
            own.ahead = 0

    # ---------------------------------------------------------------------------------------------- rows

    def give_back(self, side: int, price: int) -> None:
        """12a: the book tells what trades had told."""
        lots = self.told.pop((side, price), 0)
        if price in self.levels[side]:
            level = self.levels[side][price]
            level[1] = max(0, level[1] - lots)

    def trade_told(self, side: int, price: int, qty: int, ts: int) -> None:
        """12a."""
        for row_ts, kind, row_side, row_price, _, _, _ in self.rows[: self.row]:
            is_near = ts - row_ts <= self.trade_after_book_ns
            if is_near and (kind, row_side, row_price) == (LEVEL, side, price):
                return
        lots = min(qty, self.left_at(side, price))
        if lots > 0:
            self.levels[side][price][1] += lots
            if (side, price) not in self.told and len(self.told) == 8:
                self.give_back(*next(iter(self.told)))
            self.told[side, price] = self.told.get((side, price), 0) + lots

    def apply_level(self, side: int, price: int, qty: int, flags: int, ts: int) -> None:
        self.give_back(side, price)
        old = self.levels[side].pop(price, None)
        if old is not None:
            before, taken = old[0] - old[1], old[1]
        else:
            before, taken = 0, self.remembered[side].get(price, 0) if flags & SNAPSHOT else 0
        self.remembered[side].pop(price, None)
        taken = min(taken, qty)
        if qty:
            self.levels[side][price] = [qty, taken]
        self.level_changed(side, price, before, qty - taken, flags, ts)

    def apply_best(self, side: int, price: int, qty: int, flags: int, ts: int) -> None:
        old = self.recorded_best(side)
        if qty and old == price:
            self.apply_level(side, price, qty, flags, ts)
            return
        self.levels[side].clear()
        if qty == 0:
            for own in self.own_side(side):
                self.cap(own, 0)
            return
        taken = min(self.remembered[side].pop(price, 0) if flags & SNAPSHOT else 0, qty)
        self.remembered[side].pop(price, None)
        self.levels[side][price] = [qty, taken]
        for own in self.own_side(side):
            if own.price == price:
                self.cap(own, qty - taken)
            elif better(side, own.price, price):
                self.cap(own, 0)

    def shrink(self, number: int, qty: int, flags: int, ts: int) -> None:
        order = self.orders[number]
        before = order.left
        order.taken = min(order.taken, qty)
        order.qty = qty
        self.order_left_changed(order, order.left - before, flags, ts)
        if qty == 0:
            del self.orders[number]

    def apply_order(self, number: int, side: int, price: int, qty: int, flags: int, ts: int) -> bool:
        """ADD and MODIFY; whether quantity came to rest anew."""
        order = self.orders.get(number)
        if order is not None:
            if (order.side, order.price) == (side, price) and qty <= order.qty:
                self.shrink(number, qty, flags, ts)
                return False
            self.shrink(number, 0, flags, ts)
        if qty == 0:
            return True
        seq, taken = self.row + 1, 0
        before = self.cleared.pop(number, None)
        if flags & SNAPSHOT:
            seq = 0  # 11
            if before is not None and (before.side, before.price) == (side, price):
                seq, taken = before.seq, min(before.taken, qty)
        self.seqs[number] = seq
        self.orders[number] = MarketOrder(side, price, qty, taken, seq)
        return True

    def apply_clear(self) -> None:
        for side, price in list(self.told):
            self.give_back(side, price)
        for side in (BUY, SELL):
            for price, (_, taken) in self.levels[side].items():
                self.remembered[side][price] = taken
            self.levels[side].clear()
        for number, order in list(self.orders.items()):
            self.order_left_changed(order, -order.left, SNAPSHOT, 0)
            self.cleared[number] = order
            del self.orders[number]
        self.uncertain = True
        self.crossing = False

    def apply(self) -> None:
        """The next row."""
        ts, kind, side, price, qty, number, flags = self.rows[self.row]
        is_snapshot = bool(flags & SNAPSHOT)
        self.now = ts
        if kind == TRADE:
            self.apply_trade(price, qty, side, number, is_snapshot, ts)
            if not is_snapshot:
                self.check_triggers(price)
        elif kind == CLEAR:
            self.apply_clear()
        else:
            if not is_snapshot and self.uncertain:
                self.uncertain = False
                if self.depth == "L2":
                    for own in self.own.values():
                        self.cap(own, self.left_at(own.side, own.price))
            came = qty > 0
            if kind == LEVEL:
                self.apply_level(side, price, qty, flags, ts)
            elif kind == BEST:
                self.apply_best(side, price, qty, flags, ts)
            elif kind == DELETE:
                came = False
                self.cleared.pop(number, None)
                if number in self.orders:
                    self.shrink(number, 0, flags, ts)
            else:
                came = self.apply_order(number, side, price, qty, flags, ts)
            if not is_snapshot:
                if came:
                    self.cross(side, price, ts)
                if self.crossing:
                    self.settle(ts)
        self.row += 1

    # ---------------------------------------------------------------------------------------------- fills

    def hit(self, own: OwnOrder, lots: int, ts: int) -> None:
        assert 0 < lots <= own.leaves
        self.fills.setdefault(own.slot, [own.price, 0, ts, self.row])[1] += lots
        own.leaves -= lots
        while lots >= own.visible > 0:
            lots -= own.visible
            own.visible = min(own.display, own.leaves + lots) if own.leaves else 0
            if own.leaves == 0:
                del self.own[own.slot]
                return
            # 15: to the back of the queue.
            del self.own[own.slot]
            self.own[own.slot] = own
            self.start_queue(own, self.row + 1)
        own.visible = min(own.visible - lots, own.leaves)

    def cross(self, side: int, price: int, ts: int) -> None:
        """7 and 8."""
        mine = self.own_side(1 - side)
        if not mine or better(side, mine[0].price, price):
            return
        theirs = self.recorded_best(1 - side)
        if self.market.has_trades and theirs is not None and not better(side, theirs, price):
            self.crossing = True
        else:
            self.match(side, ts)

    def settle(self, ts: int) -> None:
        bid, ask = self.recorded_best(BUY), self.recorded_best(SELL)
        if bid is None or ask is None or bid < ask:
            self.crossing = False
            self.match(BUY, ts)
            self.match(SELL, ts)

    def match(self, side: int, ts: int) -> None:
        while self.own_side(1 - side) and self.book(side):
            own = self.own_side(1 - side)[0]
            price, left = self.book(side)[0]
            if better(side, own.price, price):
                return
            lots = min(own.leaves, left)
            self.consume(side, price, lots)
            self.hit(own, lots, ts)
            if own.leaves:
                self.nothing_ahead(own)

    def resting_side(self, price: int, aggressor: int) -> int | None:
        """5; 17 and 18 for trades-only markets."""
        if aggressor != UNKNOWN_SIDE:
            return 1 - aggressor
        if self.depth == "trades":
            if self.last is None:
                return None
            if price != self.last[0]:
                return SELL if price > self.last[0] else BUY
            return None if self.tick_side == UNKNOWN_SIDE else 1 - self.tick_side
        bid, ask = self.recorded_best(BUY), self.recorded_best(SELL)
        if bid is not None and ask is not None:
            if 2 * price == bid + ask:
                return None
            return BUY if 2 * price < bid + ask else SELL
        if bid is not None and price <= bid:
            return BUY
        if ask is not None and price >= ask:
            return SELL
        return None

    def apply_trade(self, price: int, qty: int, aggressor: int, number: int, is_snapshot: bool, ts: int) -> None:
        resting = None
        if not is_snapshot:
            resting = self.resting_side(price, aggressor)
            left = qty
            for side in (BUY, SELL):
                if side == resting or aggressor == UNKNOWN_SIDE or self.depth == "trades":
                    left = self.trade_through(side, price, left, ts)
            if resting is not None and left:
                if self.depth == "trades":
                    self.trade_share(resting, price, left, ts)
                else:
                    self.trade_at(resting, price, left, number, ts)
            if resting is not None and self.depth == "L2":
                self.trade_told(resting, price, qty, ts)
        if self.depth == "trades" and not is_snapshot:
            lots = self.depth_lots or qty
            self.levels[BUY].clear()
            self.levels[SELL].clear()
            if lots:
                self.levels[BUY][price if resting == BUY else price - self.spread] = [lots, 0]
                self.levels[SELL][price if resting == SELL else price + self.spread] = [lots, 0]
            self.tick_side = UNKNOWN_SIDE if resting is None else 1 - resting
        self.last = (price, qty, aggressor, ts)

    def trade_through(self, side: int, price: int, left: int, ts: int) -> int:
        """1 and 3."""
        for own in self.own_side(side):
            if left and better(side, own.price, price):
                lots = min(own.leaves, left)
                self.hit(own, lots, ts)
                left -= lots
                if own.leaves:
                    self.nothing_ahead(own)
        return left

    def trade_at(self, side: int, price: int, left: int, number: int, ts: int) -> None:
        """2, 3, 4, 6, 15 and 16."""
        waiting = self.own_at(side, price)
        while waiting and left:
            own = waiting.pop(0)
            reach = left
            is_prepaid = ts - own.prepaid_ts <= self.trade_after_book_ns
            if is_prepaid:
                used = min(own.prepaid, reach)
                own.prepaid -= used
                reach -= used
            if self.seqs.get(number, 0) > own.seq:
                self.nothing_ahead(own)
                reach = left
            if reach:
                reach = self.pass_queue(own, reach)
            visible = own.visible
            lots = min(visible, reach)
            if lots:
                self.hit(own, lots, ts)
                left -= lots
                if lots == visible and own.leaves:
                    waiting.append(own)
                    if is_prepaid:
                        own.prepaid, own.prepaid_ts = left, ts

    def pass_queue(self, own: OwnOrder, lots: int) -> int:
        if self.depth == "L3":
            passed = min(self.orders_ahead(own) - own.credit, lots)
            own.credit += passed
            return lots - passed
        if own.ahead >= UNKNOWN:
            return 0
        passed = min(own.ahead, lots)
        reach = half_up(lots - passed)
        own.ahead -= passed
        own.model_trades += lots
        return reach

    def trade_share(self, side: int, price: int, qty: int, ts: int) -> None:
        """17."""
        mine = self.own_side(side)
        if mine and mine[0].price == price:
            share = mine[0].share + qty * self.share_ppm
            left = share // 1_000_000
            mine[0].share = share - left * 1_000_000
            while left and self.own_side(side) and self.own_side(side)[0].price == price:
                own = self.own_side(side)[0]
                lots = min(own.leaves, left)
                self.hit(own, lots, ts)
                left -= lots

    def check_triggers(self, price: int) -> None:
        for trigger in sorted(self.triggers.values(), key=lambda t: t.number):
            if trigger.kind.startswith("TRAIL_FALL"):
                trigger.watched = max(trigger.watched, price)
            elif trigger.kind.startswith("TRAIL_RISE"):
                trigger.watched = min(trigger.watched, price)
            w, d = trigger.watched, trigger.offset
            if {
                "AT_OR_ABOVE": price >= w,
                "AT_OR_BELOW": price <= w,
                "TRAIL_FALL_TICKS": w - price >= d,
                "TRAIL_FALL_PPM": (w - price) * 1_000_000 >= w * d,
                "TRAIL_RISE_TICKS": price - w >= d,
                "TRAIL_RISE_PPM": (price - w) * 1_000_000 >= w * d,
            }[trigger.kind]:
                self.fired.append(trigger.number)
                del self.triggers[trigger.number]

    # ---------------------------------------------------------------------------------------------- the feed

    def see(self, first: int, end: int) -> None:
        for ts, kind, side, price, qty, number, _ in self.rows[first:end]:
            if kind == TRADE:
                self.seen_last = (price, qty, side, ts)
            elif kind == CLEAR:
                self.seen.clear()
                self.seen_orders.clear()
            elif kind == LEVEL:
                self.seen[side, price] = qty
            elif kind == BEST:
                for key in [key for key in self.seen if key[0] == side]:
                    del self.seen[key]
                self.seen[side, price] = qty
            elif kind in (ADD, MODIFY):
                self.seen_orders[number] = (side, price, qty)
            elif kind == DELETE:
                self.seen_orders.pop(number, None)

    def view(self, side: int) -> list[tuple[int, int]]:
        totals: dict[int, int] = {}
        for (s, price), qty in self.seen.items():
            if s == side and qty:
                totals[price] = qty
        for s, price, qty in self.seen_orders.values():
            if s == side and qty:
                totals[price] = totals.get(price, 0) + qty
        return sorted(totals.items(), reverse=side == BUY)

    def deliver(self) -> None:
        before = [self.view(side)[:1] for side in (BUY, SELL)]
        first, end = self.messages[self.delivered]
        self.see(first, end)
        self.now = self.deliveries[self.delivered]
        self.delivered += 1
        after = [self.view(side)[:1] for side in (BUY, SELL)]
        wanted = {"EVERY"}
        if before != after:
            wanted.add("TOUCH")
        if [[p for p, _ in side] for side in before] != [[p for p, _ in side] for side in after]:
            wanted.add("TOUCH_PRICE")
        if any(self.rows[row][1] == TRADE for row in range(first, end)):
            wanted.add("TRADES")
        self.wanted = wanted & self.mode
        if "INTERVAL" in self.mode and self.due == FAR:
            self.due = -(-self.now // self.interval) * self.interval

    # ---------------------------------------------------------------------------------------------- operations

    def advance(self, until: int) -> str:
        self.fills, self.fired = {}, []
        while True:
            events = []
            if self.row < len(self.rows):
                events.append((self.rows[self.row][0], 0))
            if self.delivered < len(self.messages):
                events.append((self.deliveries[self.delivered], 1))
            if self.due != FAR:
                events.append((self.due, 2))
            if not events:
                if self.rows:
                    self.now = max(self.now, self.rows[-1][0], self.deliveries[-1])
                return "END"
            ts, what = min(events)
            if ts > until:
                self.now = until
                return "REACHED"
            if what == 0:
                self.apply()
                if self.fills:
                    return "FILL"
                if self.fired:
                    return "TRIGGER"
            else:
                if what == 1:
                    self.deliver()
                else:
                    self.now, self.wanted = ts, {"INTERVAL"}
                if self.wanted:
                    self.due = FAR
                    return "FEED"

    def place(self, slot: int, side: int, price: int, qty: int, display: int) -> None:
        own = OwnOrder(slot, side, price, qty, display, min(display, qty) if display else qty)
        self.own[slot] = own
        self.start_queue(own, self.row)
        theirs = self.book(1 - side)
        if theirs and not better(1 - side, theirs[0][0], price):
            self.crossing = True

    def consume(self, side: int, price: int, lots: int) -> None:
        """12: take what is known to be there."""
        if self.depth != "L3":
            level = self.levels[side][price]
            before = level[0] - level[1]
            level[1] += lots
            for own in self.own_at(side, price):
                self.cap(own, before - lots)
            return
        for order in self.orders.values():
            if (order.side, order.price) == (side, price):
                part = min(order.left, lots)
                order.taken += part
                lots -= part
                self.order_left_changed(order, -part, SNAPSHOT, 0)

    def take(self, side: int, qty: int, limit: int) -> list[tuple[int, int]]:
        taken = []
        for price, left in self.book(1 - side):
            if qty == 0 or better(side, price, limit):
                break
            lots = min(left, qty)
            self.consume(1 - side, price, lots)
            taken.append((price, lots))
            qty -= lots
        return taken
