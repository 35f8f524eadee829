"""Reads how a run stands: what was counted, and what its desk, budget and books say now.

It is called between two events of the run, about once a second and for each question to the endpoint, and changes
nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from importlib.metadata import version
from itertools import islice
from typing import Literal

from framework.execution.budget import BudgetUse
from framework.execution.instruments import InstrumentBridge
from framework.execution.orders import OrderRecord
from framework.live.health.histogram import Histogram
from framework.live.health.log import EventLog
from framework.live.health.log_writer import LogWriter
from framework.live.health.run_observer import RunObserver
from framework.live.health.status import (
    BudgetStatus,
    Happened,
    InstrumentStatus,
    Latency,
    LogStatus,
    OpenOrder,
    RoadStatus,
    Status,
)
from framework.live.health.tally import InstrumentTally, RoadTally, Stages
from framework.protocol import BUY, POINT, InstrumentSpec
from framework.trader.trader import Trader

__all__ = ["Standing"]

_NS = 1_000_000_000
# So many open orders are told of one by one.
_ORDERS_MAX = 50


class Standing:
    """Says how one run stands.

    kind: "paper" or "live". journal_bytes: size of the run's journal; None for no journal. is_over: set at the end.
    """

    def __init__(
        self,
        observer: RunObserver,
        log: EventLog,
        writer: LogWriter,
        kind: Literal["paper", "live"],
        journal_bytes: Callable[[], int] | None,
    ) -> None:
        self.is_over = False
        self._observer = observer
        self._log = log
        self._writer = writer
        self._kind: Literal["paper", "live"] = kind
        self._journal_bytes = journal_bytes
        self._version = version("tidegate")
        self._began_ns = 0
        self._has_run = False

    def status(self) -> Status | None:
        """Now; None while there is no trader yet."""
        observer = self._observer
        trader, tally, now_ns = observer.trader, observer.tally, self._log.now_ns()
        if trader is None:
            return None
        self._began_ns = self._began_ns or now_ns
        desk, switch, writer = trader.desk, trader.kill_switch, self._writer
        open_orders = desk.open_orders
        specs = {bridge.spec.symbol: bridge.spec for bridge in trader.bridges()}
        return Status(
            version=self._version,
            kind=self._kind,
            strategy=type(trader.strategy).__name__,
            process_id=os.getpid(),
            state=self._state(trader),
            written_s=time.time(),
            began_ns=self._began_ns,
            now_ns=now_ns,
            kill_switch=switch.reason,
            kill_proved=switch.proof is not None,
            halted=desk.halted,
            roads=tuple(_road(name, trader, tally.roads[name]) for name in desk.links),
            instruments=tuple(
                _instrument(trader, tally.instruments[bridge.spec.symbol], bridge, now_ns)
                for bridge in trader.bridges()
            ),
            budgets=tuple(_budget(use) for use in desk.budget.uses(now_ns)),
            stages={name: _latency(getattr(tally.stages, name)) for name in Stages.NAMES} if observer.is_timed else {},
            fees=dict(tally.fees),
            orders=tuple(
                _order(specs[record.symbol], record, now_ns) for record in islice(open_orders.values(), _ORDERS_MAX)
            ),
            order_count=len(open_orders),
            unreachable=sum(not record.reach for record in open_orders.values()),
            unknown=desk.unknown_count,
            unknown_total=tally.unknown,
            resolved_total=tally.resolved,
            denied=tally.denied,
            cancel_rejects=tally.cancel_rejects,
            amend_rejects=tally.amend_rejects,
            rerouted=tally.rerouted,
            journal_bytes=None if self._journal_bytes is None else self._journal_bytes(),
            log=LogStatus(lost=self._log.dropped + writer.lost, failure=writer.failure),
            recent=tuple(Happened(ts_ns=ts_ns, level=level, text=text) for ts_ns, level, text in writer.recent),
        )

    def _state(self, trader: Trader) -> Literal["starting", "running", "ending", "over"]:
        if self.is_over:
            return "over"
        if trader.strategy.is_running:
            self._has_run = True
            return "running"
        return "ending" if self._has_run else "starting"


def _latency(histogram: Histogram, command: str | None = None) -> Latency:
    return Latency(counts=tuple(histogram.counts), sum_ns=histogram.sum_ns, command=command)


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def _road(name: str, trader: Trader, tally: RoadTally) -> RoadStatus:
    link = trader.desk.links[name]
    return RoadStatus(
        name=name,
        protocol=link.profile.label,
        is_up=link.is_up,
        session_id=link.session_id,
        sent=_some(tally.sent),
        rejected=_some(tally.rejected),
        lost=_some(tally.lost),
        orders=tally.orders,
        cancels=tally.cancels,
        order_rejects=tally.order_rejects,
        fills=tally.fills,
        opened=tally.opened,
        resumed=tally.resumed,
        closed=tally.closed,
        resyncs=tally.resyncs,
        gaps=tally.gaps,
        missed=tally.missed,
        replayed=tally.replayed,
        acknowledged=tuple(
            _latency(histogram, command) for command, histogram in tally.acknowledged.items() if tally.sent[command]
        ),
        fill_learned=_latency(tally.fill_learned),
    )


def _budget(use: BudgetUse) -> BudgetStatus:
    return BudgetStatus(
        kind="orders" if use.kind == "orders" else "calls",
        name=use.name,
        used=use.used / POINT,
        limit=use.limit / POINT,
        published=None if use.published is None else use.published / POINT,
    )


def _instrument(trader: Trader, counted: InstrumentTally, bridge: InstrumentBridge, now_ns: int) -> InstrumentStatus:
    spec, book = bridge.spec, trader.market.book(bridge.instrument_id)
    bid_ticks, bid_lots, ask_ticks, ask_lots = book.touch()
    if bid_lots and ask_lots:
        counted.middle_half_ticks = bid_ticks + ask_ticks
    profit, unit = counted.profit, spec.price(1) * spec.qty(1)
    unrealised = None
    if counted.middle_half_ticks or not profit.position_lots:
        unrealised = unit * profit.unrealised_half_tick_lots(counted.middle_half_ticks) / 2
    heard_ns = counted.heard_ns or book.ts_event_ns
    return InstrumentStatus(
        symbol=spec.symbol,
        quote=spec.quote,
        base=spec.base,
        position=spec.qty(profit.position_lots),
        carried=spec.qty(counted.carried_lots),
        bid=spec.price(bid_ticks) if bid_lots else None,
        ask=spec.price(ask_ticks) if ask_lots else None,
        realised=unit * profit.realised_tick_lots,
        unrealised=unrealised,
        fills=counted.fills,
        messages=counted.messages,
        losses=counted.losses,
        resyncs=counted.resyncs,
        trades_missed=counted.trades_missed,
        is_lost=counted.is_lost,
        feed_age_s=(now_ns - heard_ns) / _NS if heard_ns else None,
    )


def _order(spec: InstrumentSpec, record: OrderRecord, now_ns: int) -> OpenOrder:
    ticks = record.limit_ticks if record.limit_ticks is not None else record.trigger_ticks
    price: Decimal | None = None if ticks is None else spec.price(ticks)
    return OpenOrder(
        cl_ord_id=record.cl_ord_id,
        symbol=record.symbol,
        side="buy" if record.side == BUY else "sell",
        qty=spec.qty(record.qty_lots),
        filled=spec.qty(record.cum_lots),
        price=price,
        age_s=(now_ns - record.ts_sent_ns) / _NS,
        knowledge=record.knowledge.name.lower(),
        reach=record.reach,
    )
