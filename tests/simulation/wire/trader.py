"""A trader that does everything at random, directly on the desk: it quotes, amends, edits, cancels, takes, asks."""

from __future__ import annotations

from collections import Counter

from framework.errors import JournalError
from framework.execution.desk import ExecutionDesk
from framework.execution.orders import OrderRecord
from framework.protocol import BUY, SELL, OrderType, TimeInForce
from tests.framework.execution.desk_rig import add_order
from tests.simulation.stage import ASK, BID, BTC
from tests.simulation.wire.network import SECOND
from tests.simulation.wire.watch import Watch
from tests.simulation.wire.world import ACT_S, World

__all__ = ["Trader"]


class Trader:
    """Acts for ``ACT_S`` seconds. done: how often what."""

    def __init__(self, world: World, watch: Watch) -> None:
        self._world = world
        self._watch = watch
        self._chance = world.chance("trader")
        self._pause_s = self._chance.choice([0.05, 0.15, 0.4])
        self._end_ns = world.host.now_ns + ACT_S * SECOND
        self._count = 0
        self.done: Counter[str] = Counter()
        self._next()

    def _next(self) -> None:
        pause_ns = round(self._chance.expovariate(1 / self._pause_s) * SECOND) + 1
        self._world.later(self._world.host.now_ns + pause_ns, self._act)

    @property
    def _desk(self) -> ExecutionDesk:
        return self._world.desk

    def _act(self) -> None:
        if self._world.host.now_ns < self._end_ns:
            self._next()
            self._world.machine.enter(self._do_something)

    def _do_something(self) -> None:
        try:
            self._do_one()
        except JournalError as error:  # as a live run: nothing new, and what is open is canceled
            self._desk.halt(str(error))
            for record in list(self._desk.open_orders.values()):
                self._watch.cancel(record, None)

    def _do_one(self) -> None:
        names = ["quote"] * 8 + ["take", "market", "batch", "validate"] + ["amend"] * 5 + ["edit"] * 2
        names += ["cancel"] * 5 + ["cancels", "cancel_all", "switch", "query"] + ["others"] * 3
        name = self._chance.choice(names)
        self.done[name] += 1
        getattr(self, f"do_{name}")()

    # -------------------------------------------------------------------------------------------- orders

    def _new(self, **fields: object) -> object:
        self._count += 1
        side = self._chance.choice([BUY, SELL])
        touch, away = (BID, -1) if side == BUY else (ASK, 1)
        fields = {
            "side": side,
            "qty_lots": self._chance.choice([4_999, BTC // 10, BTC, 3 * BTC]),
            "limit_ticks": touch + away * self._chance.choice([-1, 0, 0, 0, 1, 2, 30]),
            **fields,
        }
        return add_order(f"c{self._count}", **fields)  # type: ignore[arg-type]

    def _via(self) -> str | None:
        return self._chance.choice([None] * 9 + list(self._world.links))

    def do_quote(self) -> None:
        self._desk.submit(self._new(is_post_only=self._chance.random() < 0.3), self._via())  # type: ignore[arg-type]

    def do_take(self) -> None:
        self._desk.submit(self._new(time_in_force=TimeInForce.IOC), self._via())  # type: ignore[arg-type]

    def do_market(self) -> None:
        self._desk.submit(self._new(order_type=OrderType.MARKET, limit_ticks=None), self._via())  # type: ignore[arg-type]

    def do_batch(self) -> None:
        orders = [self._new() for _ in range(self._chance.randrange(2, 5))]
        self._desk.submit_batch(orders, self._via())  # type: ignore[arg-type]

    def do_validate(self) -> None:
        self._desk.validate(self._new(), self._via())  # type: ignore[arg-type]

    # -------------------------------------------------------------------------------------------- changes and ends

    def _some(self) -> OrderRecord | None:
        live = [record for record in self._desk.open_orders.values() if record.is_live]
        return self._chance.choice(live) if live else None

    def do_amend(self, *, is_edit: bool = False) -> None:
        record = self._some()
        if record is None:
            return
        qty_lots = self._chance.choice([None, record.qty_lots // 2, record.qty_lots * 2, BTC // 5])
        ticks = self._chance.choice([None, (record.limit_ticks or BID) + self._chance.choice([-2, -1, 1, 2])])
        if qty_lots != 0 and (qty_lots or ticks) and record.order_type is OrderType.LIMIT:
            self._desk.amend(record.cl_ord_id, qty_lots=qty_lots, limit_ticks=ticks, is_edit=is_edit, via=self._via())

    def do_edit(self) -> None:
        self.do_amend(is_edit=True)

    def do_cancel(self) -> None:
        record = self._some()
        if record is not None:
            self._watch.cancel(record, self._via())

    def do_cancels(self) -> None:
        live = [record.cl_ord_id for record in self._desk.open_orders.values() if record.is_live]
        if live:
            self._desk.cancel_batch(self._chance.sample(live, min(len(live), 3)), self._via())

    def do_cancel_all(self) -> None:
        self._desk.cancel_all()

    def do_switch(self) -> None:
        if any(link.profile.capabilities.has_cancel_all_after for link in self._world.links.values()):
            self._desk.cancel_all_after(self._chance.choice([0, 3, 10]))

    def do_query(self) -> None:
        self._desk.query()

    def do_others(self) -> None:
        side = self._chance.choice([BUY, SELL])
        ticks = ASK + 1 if side == BUY else BID - 1
        self._world.other_trades(side, ticks, self._chance.choice([BTC // 10, 2 * BTC, 8 * BTC]))
