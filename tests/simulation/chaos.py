"""A strategy that does everything at random, and what must hold whatever it does.

``play`` runs one seed over one road: random orders of every type, amends, edits, cancels, batches, cancel-all, the dead
man's switch, while lines drop and the venue changes its mode. The venue is watched from inside at every event, the
links and the strategy's side at every message; both views are compared when all has come to rest. All chance is from
road and seed.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
from nautilus_trader.model.enums import OrderSide, TimeInForce, TrailingOffsetType
from nautilus_trader.model.events import OrderEvent, OrderFilled
from nautilus_trader.model.objects import Quantity

from framework.backtest.config import (
    FaultSection,
    MarketSection,
    RoadSection,
    RunConfig,
    RunSection,
    StrategySection,
    VenueSection,
)
from framework.backtest.runner import Backtest
from framework.data.columns import ADD, COLUMN_TYPES, DELETE, LAST, LEVEL, Columns, Market
from framework.data.synthetic import synthetic_l2, synthetic_market
from framework.messages import (
    Command,
    Report,
)
from framework.protocol import BUY, Ordering
from framework.strategy import Strategy, StrategyConfig
from tests.editing import EDITING
from tests.simulation.venue_watch import VenueWatch

__all__ = ["ROADS", "Run", "play"]

ROADS = ("rest", "rest+ws", "ws2", "fix", "fix-colo")

# Half of the runs have room for everything, half the limits of the real tiers.
_PLENTY = tuple(msgspec.structs.replace(tier, threshold=50 * tier.threshold) for tier in EDITING.tiers)

# The strategy acts and things go wrong for so long; then the market stands still and all comes to rest.
ACT_S, REST_S = 10.0, 40.0

_ENDS = {"OrderRejected", "OrderCanceled", "OrderExpired", "OrderDenied"}


# ------------------------------------------------------------------------------------------------- market and faults


def _market(chance: random.Random) -> Market:
    """A synthetic market, by order or by level, that stands still after ``ACT_S`` but for a beat far from the touch."""
    market = synthetic_market(chance.randrange(2**31), int(ACT_S))
    is_by_level = chance.random() < 0.5
    if is_by_level:
        market = synthetic_l2(market)
    columns = market.columns
    last_ns = int(columns.ts_event_ns[-1])
    far_ticks = int(columns.price_ticks[columns.kind != 0].min()) - 1_000
    count = int(REST_S * 4)
    beat: dict[str, Any] = {name: np.zeros(count, kind) for name, kind in COLUMN_TYPES.items()}
    beat["ts_event_ns"] = beat["ts_recv_ns"] = last_ns + 250_000_000 * np.arange(1, count + 1)
    beat["side"][:] = BUY
    beat["price_ticks"][:] = far_ticks
    beat["flags"][:] = LAST
    numbers = np.arange(count)
    if is_by_level:
        beat["kind"][:] = LEVEL
        beat["qty_lots"] = 10**8 + numbers % 2
        beat["order_id"] = np.zeros(0, np.int64)
    else:
        beat["kind"] = np.where(numbers % 2, DELETE, ADD).astype(np.uint8)
        beat["qty_lots"][:] = 10**8
        beat["order_id"] = int(columns.order_id.max()) + 1 + numbers // 2
    parts = {name: np.concatenate([getattr(columns, name), beat[name]]) for name in columns.__struct_fields__}
    return msgspec.structs.replace(market, columns=Columns(**parts))


def _faults(chance: random.Random) -> tuple[FaultSection, ...]:
    faults = []
    for _ in range(chance.randrange(4)):
        at_s = round(chance.uniform(0.0, ACT_S - 3.2), 6)
        for_s = chance.choice([0.0, 0.01, 0.2, 1.0, 3.0])
        detect_ms = chance.choice([0, 0, 20, 500])
        link = chance.choice(["all", "rest", "ws2", "fix"])
        faults.append(FaultSection(kind="drop", link=link, at_s=at_s, for_s=for_s, detect_ms=detect_ms))
    for _ in range(chance.randrange(3)):
        at_s = round(chance.uniform(1.0, ACT_S - 2.2), 6)
        mode = chance.choice(["cancel_only", "post_only", "limit_only", "maintenance"])
        faults.append(FaultSection(kind="mode", mode=mode, at_s=at_s, for_s=chance.choice([0.05, 0.5, 2.0])))
    return tuple(faults)


def _road(name: str, chance: random.Random) -> RoadSection:
    is_fix = name.startswith("fix")
    cancel = chance.choice([("fix",), ("fix", "rest"), ("fix", "fix:mass")]) if is_fix else None
    return RoadSection(
        name=name,
        cancel=cancel,
        latency_tier=None if name == "fix-colo" else chance.choice([None, "internet"]),
        deadline_ms=chance.choice([2_000, 5_000]),
        answer_timeout_ms=chance.choice([300, 5_000]),
        poll_interval_ms=chance.choice([500, 3_000]),
        cancel_reserve_points=chance.choice([0, 10, 40]),
        reconnect_delay_ms=chance.choice([0, 50, 700]),
        is_resumed_on_reconnect=chance.random() < 0.5,
        is_cancel_on_disconnect=chance.choice([None, True, False]),
    )


# ------------------------------------------------------------------------------------------------- the strategy


class Chaotic(Strategy):
    """Does one random thing after another."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(StrategyConfig())
        self.chance = chance
        self.heard: list[OrderEvent] = []
        self.done: Counter[str] = Counter()

    def on_start(self) -> None:
        self.pair = self.instrument_ids[0]
        self.spec = self.bridge(self.pair).spec
        self.end_ns = self.clock.timestamp_ns() + int(ACT_S * 1e9)
        self.subscribe_book(self.pair, on="touch")
        self._next()

    def on_event(self, event: Any) -> None:
        if isinstance(event, OrderEvent):
            self.heard.append(event)

    def _next(self) -> None:
        pause_ns = int(self.chance.expovariate(1 / 40e6)) + 1
        now_ns = self.clock.timestamp_ns()
        self.clock.set_time_alert_ns(f"act-{now_ns}", now_ns + pause_ns, self._act)

    def _act(self, _: object) -> None:
        if self.clock.timestamp_ns() >= self.end_ns:
            self.arm_cancel_all_after(0)
            return
        self._next()
        book = self.book(self.pair)
        if book.bid_ticks is None or book.ask_ticks is None:
            return
        names = ["limit"] * 8 + ["market", "quote", "stop", "touched", "trailing", "iceberg", "gtd", "list"]
        names += ["amend"] * 5 + ["edit"] * 2 + ["cancel"] * 6 + ["cancels", "cancel_all", "account", "switch", "query"]
        name = self.chance.choice(names)
        self.done[name] += 1
        getattr(self, f"do_{name}")(book)

    # -------------------------------------------------------------------------------------------- orders

    def _lots(self) -> int:
        return self.chance.choice([self.spec.min_qty_lots - 1, 10**5, 10**6, 3 * 10**7, 2 * 10**8])

    def _side(self) -> OrderSide:
        return self.chance.choice([OrderSide.BUY, OrderSide.SELL])

    def _ticks(self, book: Any, side: OrderSide) -> int:
        best = book.bid_ticks if side == OrderSide.BUY else book.ask_ticks
        return int(best + self.chance.choice([-300, -30, -5, -1, 0, 0, 0, 1, 5, 30]))

    def _order(self, book: Any, **options: Any) -> Any:
        side, bridge = self._side(), self.bridge(self.pair)
        ticks = self._ticks(book, side)
        return self.order_factory.limit(self.pair, side, bridge.qty(self._lots()), bridge.price(ticks), **options)

    def do_limit(self, book: Any) -> None:
        tif = self.chance.choice([TimeInForce.GTC] * 4 + [TimeInForce.IOC, TimeInForce.FOK])
        post_only = tif == TimeInForce.GTC and self.chance.random() < 0.3
        via = self.chance.choice([None] * 9 + ["rest"])
        params = {"via": via} if via else None
        self.submit_order(self._order(book, time_in_force=tif, post_only=post_only), params=params)

    def do_market(self, book: Any) -> None:
        qty = self.bridge(self.pair).qty(self._lots())
        self.submit_order(self.order_factory.market(self.pair, self._side(), qty))

    def do_quote(self, book: Any) -> None:
        qty = Quantity.from_str(f"{self.chance.randrange(1, 5_000)}.00000000")
        self.submit_order(self.order_factory.market(self.pair, OrderSide.BUY, qty, quote_quantity=True))

    def do_stop(self, book: Any) -> None:
        side, bridge = self._side(), self.bridge(self.pair)
        price = bridge.price(self._ticks(book, side))
        if self.chance.random() < 0.5:
            order = self.order_factory.stop_market(self.pair, side, bridge.qty(self._lots()), price)
        else:
            limit = bridge.price(self._ticks(book, side))
            order = self.order_factory.stop_limit(self.pair, side, bridge.qty(self._lots()), limit, price)
        self.submit_order(order)

    def do_touched(self, book: Any) -> None:
        side, bridge = self._side(), self.bridge(self.pair)
        price, limit = (bridge.price(self._ticks(book, side)) for _ in range(2))
        if self.chance.random() < 0.5:
            order = self.order_factory.market_if_touched(self.pair, side, bridge.qty(self._lots()), price)
        else:
            order = self.order_factory.limit_if_touched(self.pair, side, bridge.qty(self._lots()), limit, price)
        self.submit_order(order)

    def do_trailing(self, book: Any) -> None:
        bridge = self.bridge(self.pair)
        offset = Decimal(self.spec.tick_size) * self.chance.choice([1, 10, 100])
        order = self.order_factory.trailing_stop_market(
            self.pair,
            self._side(),
            bridge.qty(self._lots()),
            offset,
            trailing_offset_type=TrailingOffsetType.PRICE,
        )
        self.submit_order(order)

    def do_iceberg(self, book: Any) -> None:
        side, bridge = self._side(), self.bridge(self.pair)
        lots = 6 * 10**7
        display = bridge.qty(lots // self.chance.choice([2, 10, 20]))
        price = bridge.price(self._ticks(book, side))
        order = self.order_factory.limit(self.pair, side, bridge.qty(lots), price, display_qty=display)
        self.submit_order(order)

    def do_gtd(self, book: Any) -> None:
        end = dt.datetime.fromtimestamp(self.clock.timestamp_ns() // 10**9 + 7, tz=dt.UTC)
        self.submit_order(self._order(book, time_in_force=TimeInForce.GTD, expire_time=end))

    def do_list(self, book: Any) -> None:
        orders = [self._order(book) for _ in range(self.chance.randrange(2, 5))]
        self.submit_order_list(self.order_factory.create_list(orders))

    # -------------------------------------------------------------------------------------------- changes and ends

    def _open(self) -> list[Any]:
        return self.cache.orders_open(strategy_id=self.id) + self.cache.orders_inflight(strategy_id=self.id)

    def do_amend(self, book: Any, **params: Any) -> None:
        orders = [order for order in self._open() if order.has_price]
        if not orders:
            return
        order = self.chance.choice(orders)
        lots = self.bridge(self.pair).lots(order.quantity)
        qty_lots = self.chance.choice([None, lots // 2, lots * 2, 10**5])
        ticks = self.chance.choice([None, self._ticks(book, order.side)])
        if qty_lots != 0 and (qty_lots or ticks):
            self.move(order, price_ticks=ticks, qty_lots=qty_lots, **params)

    def do_edit(self, book: Any) -> None:
        self.do_amend(book, edit=True)

    def do_cancel(self, book: Any) -> None:
        orders = self._open()
        if orders:
            via = self.chance.choice([None] * 5 + ["rest"])
            self.cancel_order(self.chance.choice(orders), params={"via": via} if via else None)

    def do_cancels(self, book: Any) -> None:
        orders = self._open()
        if orders:
            self.cancel_orders(self.chance.sample(orders, min(len(orders), 3)))

    def do_cancel_all(self, book: Any) -> None:
        self.cancel_all_orders(self.pair, self.chance.choice([OrderSide.NO_ORDER_SIDE, OrderSide.BUY, OrderSide.SELL]))

    def do_account(self, book: Any) -> None:
        self.cancel_all_orders(self.pair, params={"account": True})

    def do_switch(self, book: Any) -> None:
        self.arm_cancel_all_after(self.chance.choice([0, 1, 3]))

    def do_query(self, book: Any) -> None:
        orders = self._open()
        if orders:
            self.query_order(self.chance.choice(orders))


# ------------------------------------------------------------------------------------------------- the watchers


class LinkWatch:
    """Checks that what goes first in, first out by the profile does, in both directions of every link."""

    def __init__(self, backtest: Backtest) -> None:
        self.arrived: dict[str, int] = {}
        self.sent: dict[str, list[Report]] = {}
        handle = backtest.venue.handle

        def watched_handle(line_id: str, command: Command, now_ns: int) -> None:
            name = line_id.partition("#")[0]
            if backtest.links[name].profile.ordering_command is Ordering.FIFO and command.request_id:
                assert command.request_id > self.arrived.get(name, 0), f"{name}: {command} was overtaken"
                self.arrived[name] = command.request_id
            handle(line_id, command, now_ns)

        backtest.venue.handle = watched_handle  # type: ignore[method-assign]
        for link in backtest.links.values():
            if link.profile.is_one_stream:
                self._wrap(link)

    def _wrap(self, link: Any) -> None:
        sent = self.sent[link.name] = []
        carry_back, deliver = link.carry_back, link._on_report

        def watched_carry(report: Report, is_response: bool, seq_num: int) -> None:
            sent.append(report)
            carry_back(report, is_response, seq_num)

        def watched_report(name: str, report: Report) -> None:
            while sent and sent[0] is not report:  # what was lost with its line
                sent.pop(0)
            assert sent, f"{name}: {report} was delivered after a later one, or twice"
            sent.pop(0)
            deliver(name, report)

        link.carry_back, link._on_report = watched_carry, watched_report


class TraderWatch:
    """Counts what the desk told NautilusTrader's client, to hold it against what the strategy heard.

    NautilusTrader logs, and does not raise, when an event does not fit an order's state: it would be missing.
    """

    _KINDS = ("accepted", "rejected", "canceled", "expired", "filled", "denied")

    def __init__(self, backtest: Backtest) -> None:
        self.told: Counter[tuple[str, str]] = Counter()
        client = backtest.client
        for kind in self._KINDS:
            tell = getattr(client, f"order_{kind}")

            def watched(record: Any, *args: Any, kind: str = kind, tell: Any = tell, **named: Any) -> None:
                self.told[record.cl_ord_id, f"Order{kind.capitalize()}"] += 1
                tell(record, *args, **named)

            setattr(client, f"order_{kind}", watched)


# ------------------------------------------------------------------------------------------------- the run


class Run:
    """A run that has ended, with its watchers."""

    def __init__(self, backtest: Backtest, strategy: Chaotic) -> None:
        self.backtest = backtest
        self.strategy = strategy
        self.venue = VenueWatch(backtest.venue, "account", backtest.recorder)
        self.links = LinkWatch(backtest)
        self.trader = TraderWatch(backtest)

    def check_trader(self) -> None:
        """What NautilusTrader made of what it was told: nothing refused, no end revoked, no fill twice."""
        heard: Counter[tuple[str, str]] = Counter()
        trade_ids: Counter[str] = Counter()
        ended: dict[str, str] = {}
        for event in self.strategy.heard:
            name, order_id = type(event).__name__, event.client_order_id.value
            assert order_id not in ended or name not in ("OrderAccepted", "OrderFilled", *_ENDS), (
                f"{order_id}: {name} after {ended[order_id]}"
            )
            if name in _ENDS:
                ended[order_id] = name
            heard[order_id, name] += 1
            if isinstance(event, OrderFilled):
                trade_ids[event.trade_id.value] += 1
        kinds = {name for _, name in self.trader.told}
        assert {key: n for key, n in heard.items() if key[1] in kinds} == dict(self.trader.told)
        assert not [trade_id for trade_id, count in trade_ids.items() if count > 1]

    def check_views(self) -> None:
        """After all has come to rest, the strategy's orders are the venue's: fills, terms, open or ended."""
        backtest = self.backtest
        account = backtest.venue.accounts["account"]
        ledger = backtest.desk._ledger
        spec = backtest.markets[0].spec
        filled: Counter[str] = Counter()
        for trade in account.trades:
            record = ledger.find(trade.cl_ord_id, trade.order_id)
            assert record is not None, f"nobody knows whose trade {trade} is"
            filled[record.cl_ord_id] += trade.last_lots
        open_ids = set()
        for order in account.open_orders.values():
            record = ledger.find(order.cl_ord_id, order.order_id)
            assert record is not None, f"nobody knows whose order {order} is"
            open_ids.add(record.cl_ord_id)
            assert record.is_live, f"{order} is open, and the desk believes that it has ended"
            assert record.limit_ticks == order.limit_ticks or order.is_trailing, f"{order}: {record.limit_ticks}"
            assert record.qty_lots == record.prior_lots + order.qty_lots, f"{order}: {record.qty_lots}"
        for order in self.strategy.cache.orders():
            cl_ord_id = order.client_order_id.value
            assert spec.lots(order.filled_qty.as_decimal()) == filled[cl_ord_id], f"{order}: {filled[cl_ord_id]}"
            assert order.is_closed == (cl_ord_id not in open_ids), f"{order}: at the venue {cl_ord_id in open_ids}"


def play(road: str, seed: int) -> Run:
    """Play one seed over one road; raises AssertionError or SimulationError at the first thing that does not hold."""
    chance = random.Random(f"{road} {seed}")
    config = RunConfig(
        strategy=StrategySection(path="chaos.py"),
        run=RunSection(seed=seed, queue_sample_ms=500),
        market=MarketSection(queue_model=chance.choice(["risk-averse", "power", "log"])),
        venue=VenueSection(tier=chance.choice(["starter", "intermediate", "pro"])),
        road=_road(road, chance),
        faults=_faults(chance),
    )
    strategy = Chaotic(chance)
    profile = msgspec.structs.replace(EDITING, tiers=_PLENTY) if chance.random() < 0.5 else EDITING
    backtest = Backtest(config, markets=[_market(chance)], strategy=strategy, profile=profile)
    run = Run(backtest, strategy)
    backtest.run()
    run.venue.check_all()
    run.check_trader()
    run.check_views()
    return run
