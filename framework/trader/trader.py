"""The strategy's side of a run: NautilusTrader's components, the desk with its links, and the strategy.

It is the same in a backtest, on paper and live. What differs is given to it: the links that carry its commands, the
market that it sees, and the scheduler, whose time is virtual in a backtest and passes with the machine's clock live.
A command goes from the strategy's call to ``Link.send`` within that call: no task and no queue is in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from nautilus_trader.data.client import MarketDataClient
from nautilus_trader.model.events import AccountState, OrderFilled
from nautilus_trader.model.identifiers import InstrumentId

from framework.book import BookView
from framework.errors import ConfigError
from framework.execution.budget import RateBudget
from framework.execution.desk import ExecutionDesk
from framework.execution.events import RateBudgetChanged, RoadEvent
from framework.execution.guard import Guard, MarketPrice
from framework.execution.instruments import InstrumentBridge
from framework.execution.kill_switch import KillSwitch
from framework.execution.limits import LimitsSection
from framework.execution.link import Clock, DeskListener, Journal, Link
from framework.execution.nautilus_client import DeskExecutionClient
from framework.execution.policy import DeskPolicy
from framework.messages import AddOrder, Report
from framework.protocol import InstrumentSpec, VenueProfile
from framework.strategy import Strategy
from framework.trader.clock import RunClock
from framework.trader.nautilus_parts import NautilusParts
from framework.trader.order_path import OrderPath

__all__ = ["AttachedLink", "MarketFeed", "Timing", "Trader"]

_MS = 1_000_000
_SECOND_NS = 10**9
# Who hears of NautilusTrader's account is told new balances so long after a fill, once for all fills until then.
_BALANCES_MS = 5_000
# How often it is looked whether too much is lost, beside each order and each fill.
_LOOK_MS = 1_000


class AttachedLink(Link, Protocol):
    """A link that says to whom it tells its news."""

    def attach(self, on_report: Callable[[str, Report], None], on_closed: Callable[[str, str], None]) -> None:
        """Say who hears reports (link name, report) and the end of a session (link name, reason)."""
        ...


class Timing(Clock, Protocol):
    """Time, and being called at a time with arguments; ``framework.venue.scheduler.Scheduler`` is one."""

    def at(self, ts_ns: int, callback: Callable[..., None], *args: Any) -> object:
        """Call back with arguments at a time."""
        ...


class MarketFeed(Protocol):
    """The market as it is delivered to strategies."""

    def book(self, instrument_id: InstrumentId) -> BookView:
        """The delivered book of an instrument."""
        ...

    def subscribe_book(self, strategy: Strategy, instrument_id: InstrumentId, on: str, interval_ms: int) -> None:
        """Have a strategy's ``on_book`` called; see ``Strategy.subscribe_book``."""
        ...


class Trader:
    """One strategy with its desk; it is the strategy's port.

    nautilus: NautilusTrader's components. bridges: the instruments, in the order given. links, client,
    desk, kill_switch: set by ``connect``.
    """

    def __init__(
        self, profile: VenueProfile, specs: Sequence[InstrumentSpec], strategy: Strategy, scheduler: Timing
    ) -> None:
        self.profile = profile
        self.venue_name = profile.name.upper()
        self.strategy = strategy
        self.scheduler = scheduler
        self.nautilus = NautilusParts("TIDEGATE-001")
        self._bridges = [InstrumentBridge(spec, self.venue_name) for spec in specs]
        self.bridge_by_id = {bridge.instrument_id: bridge for bridge in self._bridges}
        self._is_balance_scheduled = False
        self._is_stopped = False
        self._is_over = False
        self._guard: Guard | None = None
        self._path: OrderPath | None = None

    def connect(
        self,
        links: Mapping[str, AttachedLink],
        policy: DeskPolicy,
        tier: str,
        balances: Mapping[str, Decimal],
        market: MarketFeed,
        data_client: MarketDataClient,
        journal: Journal,
        limits: LimitsSection | None = None,
        listen: Callable[[DeskListener], DeskListener] | None = None,
    ) -> None:
        """Give it its links and its market; once, before the start.

        tier: of the account, whose counters are budgeted. balances: what the account starts with, by asset.
        data_client: serves NautilusTrader's own subscriptions. limits: what new orders are held against; when too much
        is lost, the kill switch is pulled. listen: given NautilusTrader's client, gives who hears the desk in its
        place, and hands on to it. Raises ConfigError as ``ExecutionDesk`` does, and for a limit of an
        instrument that is not in the run.
        """
        nautilus = self.nautilus
        parts = (nautilus.msgbus, nautilus.cache, nautilus.clock)
        self.market = market
        self.links = links
        for bridge in self._bridges:
            nautilus.cache.add_instrument(bridge.instrument)
        nautilus.data_engine.register_client(data_client)
        self.client = DeskExecutionClient(
            self.venue_name,
            {bridge.spec.symbol: bridge for bridge in self._bridges},
            balances,
            *parts,
            self._on_road_event,
            self._schedule_balance,
        )
        nautilus.exec_engine.register_client(self.client)
        budget = RateBudget(self.profile.rates, self.profile.tier(tier), policy.cancel_reserve_points, self._on_budget)
        guard = self._make_guard(limits)
        listener = self.client if listen is None else listen(self.client)
        self.desk = ExecutionDesk(links, policy, self.scheduler, listener, journal, budget, guard)
        self.kill_switch = KillSwitch(self.desk, self.scheduler)
        self.client.desk = self.desk
        self._account_topic = f"events.account.{self.client.account_id}"
        for link in links.values():
            link.attach(self.desk.on_report, self.desk.on_session_closed)
        self.strategy.attach(self, self._make_order_path())
        nautilus.trader.add_strategy(self.strategy)

    def _make_guard(self, limits: LimitsSection | None) -> Guard | None:
        if limits is None or not limits.is_any:
            return None
        known = {bridge.spec.symbol: bridge.instrument_id for bridge in self._bridges}
        for symbol in limits.symbols:
            if symbol not in known:
                raise ConfigError(f'[limits.symbols."{symbol}"]: it is not in the run, which has {", ".join(known)}')
        quotes = dict.fromkeys(bridge.quote_asset for bridge in self._bridges)
        for asset in limits.daily_loss_max:
            if asset not in quotes:
                raise ConfigError(f"[limits.daily_loss_max] {asset}: losses of this run are in {', '.join(quotes)}")

        def price(symbol: str) -> MarketPrice:
            book = self.market.book(known[symbol])
            return MarketPrice(book.bid_ticks, book.ask_ticks, book.last_ticks, book.ts_event_ns)

        specs = [bridge.spec for bridge in self._bridges]
        self._guard = guard = Guard(limits, specs, self.scheduler, price, self._on_loss)
        return guard

    def _make_order_path(self) -> OrderPath | None:
        """The short way of orders; None for a strategy that wants its positions kept apart."""
        if self.strategy.config.oms_type not in (None, "UNSPECIFIED", "NETTING"):
            return None
        nautilus = self.nautilus
        parts = (nautilus.msgbus, nautilus.cache, nautilus.clock, nautilus.portfolio, nautilus.exec_engine)
        self.client.order_path = self._path = OrderPath(*parts, self.client)
        return self._path

    # ------------------------------------------------------------------------------------------------- life

    def set_time(self, now_ns: int) -> None:
        """Set the clocks to the run's first instant."""
        for clock in self.clocks:
            clock.set_time(now_ns)

    @property
    def clocks(self) -> list[RunClock]:
        """The clocks of the components and of the strategy."""
        return [self.nautilus.clock, self.strategy.clock]

    def start(self, *, is_resumed: bool = False) -> None:
        """Start the components and open the links; the strategy waits for ``start_strategy``. is_resumed: with the
        sessions of a run before, see ``ExecutionDesk.start``.
        """
        self.nautilus.start()
        self.client.send_balances()
        self.desk.start(is_resumed=is_resumed)
        if self._guard is not None and self._guard.limits.daily_loss_max:
            self._look_at_loss(self._guard)

    def carry(self, positions_lots: Mapping[str, int]) -> None:
        """Hold limits against what a run before has left, by symbol."""
        for bridge in self._bridges:
            lots = positions_lots.get(bridge.spec.symbol, 0)
            if lots and self._guard is not None:
                self._guard.carry(bridge.spec.symbol, lots)

    def carry_position(self, fill: OrderFilled) -> None:
        """Have the strategy begin with what a run before has left, by a fill that stands for it; limits are held
        against it by ``carry``. Raises ConfigError for a strategy that keeps its positions apart.
        """
        if self._path is None:
            raise ConfigError(f"{type(self.strategy).__name__} keeps positions apart, so it cannot go on with others'")
        self._path.carry(fill)

    def start_strategy(self) -> None:
        """Start the strategy, or as soon as all links are up: one that starts before them could not trade."""
        if self._is_stopped:
            return
        if all(link.is_up for link in self.desk.links.values()):
            self.strategy.start()
        else:
            self.scheduler.at(self.scheduler.now_ns + _MS, self.start_strategy)

    def stop_strategy(self) -> None:
        """Stop the strategy if it runs; it does not start any more if it does not."""
        self._is_stopped = True
        if self.strategy.is_running:
            self.strategy.stop()

    def fault_strategy(self) -> None:
        """Let the strategy hear and do nothing any more: its own code has raised."""
        self._is_stopped = True
        if self.strategy.is_running:
            self.strategy.clock.cancel_timers()
            self.strategy.fault()

    def stop(self) -> None:
        """Stop the strategy and the desk, and let go of all that would keep the run's memory."""
        self.stop_strategy()
        self._is_over = True
        self.desk.stop()
        self.nautilus.cache.tell_accounts()
        self.nautilus.let_go()

    # ------------------------------------------------------------------------------------------------- strategy port

    def bridge(self, instrument_id: InstrumentId) -> InstrumentBridge:
        """The bridge of an instrument; raises ConfigError for one that is not in the run."""
        bridge = self.bridge_by_id.get(instrument_id)
        if bridge is None:
            known = ", ".join(str(known_id) for known_id in self.bridge_by_id)
            raise ConfigError(f"{instrument_id} is not in this run; it has {known}")
        return bridge

    def bridges(self) -> Sequence[InstrumentBridge]:
        """All instruments of the run."""
        return self._bridges

    def book(self, instrument_id: InstrumentId) -> BookView:
        """The delivered book of an instrument."""
        return self.market.book(instrument_id)

    def subscribe_book(self, strategy: Strategy, instrument_id: InstrumentId, on: str, interval_ms: int) -> None:
        """Subscribe a strategy to a book."""
        self.market.subscribe_book(strategy, instrument_id, on, interval_ms)

    def reach(self, cl_ord_id: str) -> tuple[str, ...]:
        """The links that can cancel an order now."""
        record = self.desk.orders.get(cl_ord_id)
        return () if record is None else record.reach

    def forget(self, before_ns: int) -> None:
        """Let go of orders and positions that closed before a time, and of older states of the account: the cache of
        NautilusTrader does not have them any more. What the positions earned stays in the portfolio.
        """
        cache, now_ns = self.nautilus.cache, self.scheduler.now_ns
        for cl_ord_id in self.desk.forget(before_ns):
            order = self.client.forget(cl_ord_id)
            if order is not None:
                cache.purge_order(order.client_order_id)
        for denied in self.client.forget_denied(before_ns):
            cache.purge_order(denied)
        cache.purge_account_events(now_ns, max(0, now_ns - before_ns) // _SECOND_NS)
        self.nautilus.portfolio.forget_closed(before_ns)

    def rate_budget_used(self, symbol: str) -> float:
        """Share of a pair's rate counter that is used now, by the desk's own count."""
        return self.desk.budget.used_share(symbol, self.scheduler.now_ns)

    def watch_rate_budget(self, share: float) -> None:
        """Tell the strategy when a counter passes a share of its threshold."""
        self.desk.budget.watch(share)

    def arm_cancel_all_after(self, timeout_s: int, via: str | None) -> None:
        """Arm the dead man's switch."""
        self.desk.cancel_all_after(timeout_s, via)

    def validate(self, order: AddOrder, via: str | None) -> None:
        """Have the venue check an order without making it."""
        self.desk.validate(order, via)

    # ------------------------------------------------------------------------------------------------- within

    def _look_at_loss(self, guard: Guard) -> None:
        """The market moves, and midnight passes, while nobody trades."""
        if not self._is_over:
            guard.look()
            self.scheduler.at(self.scheduler.now_ns + _LOOK_MS * _MS, self._look_at_loss, guard)

    def _on_loss(self, reason: str) -> None:
        self.scheduler.at(self.scheduler.now_ns, self.kill_switch.pull, reason)  # not from within an order or a fill

    def _on_budget(self, event: RateBudgetChanged) -> None:
        self.desk.tell(event)

    def _on_road_event(self, event: RoadEvent) -> None:
        self.strategy.handle_road_event(event)

    def _schedule_balance(self) -> None:
        """Balances have changed: the account is told when somebody asks for it, or soon if somebody hears of it."""
        nautilus = self.nautilus
        nautilus.cache.untold = self.client.send_balances
        if self._is_balance_scheduled or not nautilus.msgbus.is_heard(self._account_topic, AccountState):
            return
        self._is_balance_scheduled = True
        self.scheduler.at(self.scheduler.now_ns + _BALANCES_MS * _MS, self._send_balances)

    def _send_balances(self) -> None:
        self._is_balance_scheduled = False
        self.nautilus.cache.tell_accounts()
