"""Random row streams and random operations, run against the compiled kernel and the obvious one at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
    Columns,
    Market,
)
from framework.protocol import BUY, InstrumentSpec
from framework.venue.kernel import FeedMode, KernelOptions, MatchingKernel, QueueModel, StopReason, TriggerKind
from framework.venue.latency import CompiledLatency
from tests.framework.venue.obvious import ObviousKernel, Trigger

SPEC = InstrumentSpec(symbol="BTC/USD", venue="synthetic", tick_size="0.1", lot_size="0.01")
KINDS = {"L1": (BEST, BEST, BEST), "L2": (LEVEL, LEVEL, LEVEL), "L3": (ADD, MODIFY, DELETE)}

# ts_event_ns, kind, side, price, qty, order_id, flags
type Row = tuple[int, int, int, int, int, int, int]


def market(rows: list[Row], depth: str, has_trades: bool = True) -> Market:
    table = np.array(rows, np.int64).reshape(len(rows), 7)
    ts = np.ascontiguousarray(table[:, 0])
    columns = Columns(
        ts_event_ns=ts,
        ts_recv_ns=ts,
        kind=table[:, 1].astype(np.uint8),
        side=table[:, 2].astype(np.uint8),
        price_ticks=np.ascontiguousarray(table[:, 3]),
        qty_lots=np.ascontiguousarray(table[:, 4]),
        order_id=np.ascontiguousarray(table[:, 5]),
        flags=table[:, 6].astype(np.uint8),
    )
    return Market(spec=SPEC, columns=columns, depth=depth, has_trades=has_trades)


# One drawn row: time step, what (0-2 book, 3 trade, 4 clear), side, price, qty, order, flags.
type Draw = tuple[int, int, int, int, int, int, int]


def rows_from(draws: list[Draw], depth: str) -> list[Row]:
    """Rows that a store would accept, otherwise as wild as the draws: crossed books, faults, snapshots at any time."""
    rows: list[Row] = []
    ts = 1000
    orders: dict[int, tuple[int, int]] = {}
    for step, what, side, price, qty, pick, flags in draws:
        ts += step
        if what == 4:
            rows.append((ts, CLEAR, 0, 0, 0, 0, flags))
            continue
        if what == 3 or depth == "trades":
            number = 1 + pick % len(orders) if orders and pick % 3 else 0
            rows.append((ts, TRADE, side if pick % 4 else 2, price, max(qty, 1), number, flags))
            continue
        kind = KINDS[depth][what]
        number = 0
        if depth == "L3":
            if (kind == ADD and pick % 5) or not orders:
                kind, number, qty = ADD, len(orders) + 1, max(qty, 1)
            else:
                number = 1 + pick % len(orders)
                if pick % 7:
                    side, price = orders[number] if pick % 2 else (side, price)
            orders[number] = (side, price)
        rows.append((ts, kind, side, price, qty, number, flags))
    return rows


def calmed(drawn: list[Draw]) -> list[Draw]:
    """The same draws as a market that is hardly ever crossed: two prices a side, deep queues, small trades.

    Own orders then wait long enough for the rules of queues to matter.
    """
    calm = []
    for step, what, side, price, qty, pick, flags in drawn:
        if what == 3:
            # The bid at 99 or the ask at 101 is hit, now and then a level behind it.
            inside = 0 if price % 4 else 1
            touch = 101 + inside if side == BUY else 99 - inside
            calm.append((step, 3, side, touch, 1 + qty % 4, pick, flags))
        elif what == 4 and pick % 8:
            calm.append((step, 0, side, 98 if side == BUY else 102, 6 * qty, pick, LAST))
        else:
            price = 98 + price % 2 if side == BUY else 101 + price % 2
            calm.append((step, what, side, price, 4 * qty, pick, flags if pick % 3 else flags & ~SNAPSHOT))
    return calm


def patient(drawn: list[Step]) -> list[Step]:
    """The same steps, but orders join the queues of a calm market, and little is taken."""
    calm = []
    for what, side, price, qty, number in drawn:
        if what == 5:
            calm.append((what, side, 101 if side == BUY else 99, 1 + qty % 3, 1))
        else:
            calm.append((what, side, 98 + price % 2 if side == BUY else 101 + price % 2, qty, number % 4))
    return calm


# One drawn step: what, side, price, qty, number.
type Step = tuple[int, int, int, int, int]


@dataclass
class Twins:
    """The compiled kernel and the obvious one, given the same operations; every answer is compared."""

    kernel: MatchingKernel
    obvious: ObviousKernel

    @staticmethod
    def of(
        traded: Market,
        model: str = "risk_averse",
        options: KernelOptions | None = None,
        latency: CompiledLatency | None = None,
        key: int = 7,
    ) -> Twins:
        options = options or KernelOptions()
        kernel = MatchingKernel(
            [traded], queue_model=QueueModel[model.upper()], options=options, feed_latency=latency, feed_key=key
        )
        obvious = ObviousKernel(
            traded,
            model=model,
            n=options.queue_parameter,
            trade_after_book_ns=options.trade_after_book_ns,
            share_ppm=options.trades_share_ppm,
            spread=options.trades_spread_ticks,
            depth_lots=options.trades_depth_lots,
        )
        before = -(2**62)
        for count, (_, end) in enumerate(obvious.messages):
            ts = obvious.rows[end - 1][0]
            if latency is not None:
                ts += latency.draw_ns(kernel.feed_keys[0], count, ts)
            else:
                ts = max(ts, int(traded.columns.ts_recv_ns[end - 1]))
            before = max(before, ts)
            obvious.deliveries.append(before)
        return Twins(kernel, obvious)

    def advance(self, until: int) -> StopReason:
        kernel, obvious = self.kernel, self.obvious
        reason = kernel.advance(until)
        assert reason.name == obvious.advance(until)
        assert kernel.now_ns == obvious.now
        assert [tuple(f) for f in kernel.fills()] == [(s, *f) for s, f in obvious.fills.items()]
        assert kernel.fired() == obvious.fired
        if reason is StopReason.FEED:
            assert {mode.name for mode in kernel.feed_stop[1]} == obvious.wanted
        self.compare()
        return reason

    def compare(self) -> None:
        kernel, obvious = self.kernel, self.obvious
        assert kernel.engine_row(0) == obvious.row
        for side in (0, 1):
            book = obvious.book(side)
            assert kernel.levels(0, side, 1000) == book
            assert kernel.best(0, side) == (book[0] if book else None)
            resting = obvious.resting(side)
            assert kernel.orders(0, side, 1000).tolist() == resting
            prices = list(dict.fromkeys(row[0] for row in resting))
            assert kernel.orders(0, side, 2).tolist() == [row for row in resting if row[0] in prices[:2]]
            seen, lots = kernel.books[0].levels(side)
            assert list(zip(seen.tolist(), lots.tolist(), strict=True)) == obvious.view(side)
        assert kernel.last_trade(0) == obvious.last
        assert kernel.books[0].last_trade() == obvious.seen_last
        touch = [(obvious.view(side) or [(0, 0)])[0] for side in (0, 1)]
        assert kernel.books[0].touch() == (*touch[0], *touch[1])
        for slot, own in obvious.own.items():
            assert (kernel.leaves(slot), kernel.visible(slot)) == (own.leaves, own.visible)
            expected = obvious.ahead(slot)
            assert abs(kernel.ahead(slot) - expected) <= 1e-9 * max(1.0, expected), (slot, kernel.ahead(slot), expected)

    def place(self, side: int, price: int, qty: int, display: int = 0) -> int:
        slot = self.kernel.place(0, side, price, qty, display)
        self.obvious.place(slot, side, price, qty, display)
        return slot

    def remove(self, slot: int) -> None:
        assert self.kernel.remove(slot) == self.obvious.own.pop(slot).leaves

    def take(self, side: int, qty: int, limit: int) -> list[tuple[int, int]]:
        taken = self.kernel.take(0, side, qty, limit)
        assert taken == self.obvious.take(side, qty, limit)
        return taken

    def watch(self, kind: TriggerKind, price: int, offset: int) -> None:
        number = self.kernel.watch(0, kind, price, offset)
        self.obvious.triggers[number] = Trigger(number, kind.name, price, offset)

    def step(self, drawn: Step) -> None:
        """One operation, then the same questions to both."""
        what, side, price, qty, number = drawn
        own = list(self.obvious.own.values())
        chosen = own[number % len(own)] if own else None
        if what <= 2:
            self.advance(self.obvious.now + number)
        elif what <= 4:
            self.place(side, price, qty + 1, number % 4 if what == 4 else 0)
        elif what == 5:
            limit = price if number % 3 else (2**62 if side == BUY else -(2**62))
            assert self.kernel.available(0, side, limit) == sum(
                q for p, q in self.obvious.book(1 - side) if (p <= limit if side == BUY else p >= limit)
            )
            self.take(side, qty, limit)
        elif what == 6 and chosen is not None:
            self.remove(chosen.slot)
        elif what == 7 and chosen is not None:
            chosen.leaves = max(chosen.leaves - qty, 1)
            chosen.visible = min(chosen.visible, chosen.leaves)
            self.kernel.reduce(chosen.slot, chosen.leaves)
        elif what == 8:
            self.watch(list(TriggerKind)[number % 6], price, 1 + qty if number % 2 else qty * 10_000)
        elif what == 9:
            mode = list(FeedMode)[number % 6] if number % 6 < len(list(FeedMode)) else FeedMode.NONE
            self.kernel.subscribe_feed(0, mode, 1 + qty)
            self.obvious.mode = {m.name for m in mode if m.name is not None}
            self.obvious.interval, self.obvious.due = 1 + qty, 2**63 - 1
        self.compare()


def run(twins: Twins, steps: list[Step]) -> None:
    """All steps, then everything that is left of the market."""
    for step in steps:
        twins.step(step)
    while twins.advance(2**62) is not StopReason.END:
        pass


FLAGS = (LAST, LAST, LAST, 0, LAST | EXECUTED, EXECUTED, LAST | SNAPSHOT, SNAPSHOT)
