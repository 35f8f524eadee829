"""NautilusTrader's live execution client over the desk: orders by any road, and reports of what the venue knows.

A command is on its socket before NautilusTrader's call of this client returns: no task is made of it. At the start, and
whenever NautilusTrader asks, it is told of all orders of the account. Those that are open, whoever sent them, and that
NautilusTrader takes in, are the desk's from then on: it hears of their fills and can cancel and change them.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import (
    CancelOrder,
    GenerateFillReports,
    GenerateOrderStatusReport,
    GenerateOrderStatusReports,
    GeneratePositionStatusReports,
    ModifyOrder,
    QueryAccount,
)
from nautilus_trader.execution.reports import (
    ExecutionMassStatus,
    FillReport,
    OrderStatusReport,
    PositionStatusReport,
)
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.objects import AccountBalance, Money
from nautilus_trader.model.orders import Order

from framework.adapter import LiveVenue
from framework.errors import TidegateError, VenueError
from framework.execution.budget import RateBudget
from framework.execution.desk import ExecutionDesk
from framework.execution.events import RoadEvent
from framework.execution.instruments import currency
from framework.execution.nautilus_client import DeskExecutionClient
from framework.execution.no_journal import NoJournal
from framework.execution.orders import OrderRecord
from framework.execution.policy import DeskPolicy
from framework.live.balances import Balances
from framework.live.summary import check_account
from framework.nautilus.config import VenueExecClientConfig
from framework.nautilus.connection import VenueConnection
from framework.nautilus.foreign_orders import ForeignOrders
from framework.nautilus.history_reports import HistoryReports
from framework.nautilus.provider import VenueInstrumentProvider
from framework.protocol import BUY

__all__ = ["ROAD_TOPIC", "VenueExecClient"]

# Events of the road are published under it.
ROAD_TOPIC = "events.road"

_STATE_S = 1.0
_POLL_S = 0.01


class _Orders(dict[str, Order]):
    """NautilusTrader's orders by the desk's ids; those that it has of elsewhere are found in its cache."""

    def __init__(self, cache: Cache) -> None:
        super().__init__()
        self._cache = cache

    def __missing__(self, cl_ord_id: str) -> Order:
        order = self._cache.order(ClientOrderId(cl_ord_id))
        if order is None:
            raise KeyError(cl_ord_id)
        self[cl_ord_id] = order
        return order


def _heard(balances: Mapping[str, Decimal]) -> None:
    """Nobody else needs to know."""


class VenueExecClient(DeskExecutionClient, LiveExecutionClient):
    """The client of one account. policy: the roads of commands."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        name: str,
        connection: VenueConnection,
        provider: VenueInstrumentProvider,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
        policy: DeskPolicy,
        config: VenueExecClientConfig,
    ) -> None:
        super().__init__(
            connection.venue_name,
            {},
            {},
            msgbus,
            cache,
            clock,
            self._publish,
            self._schedule_state,
            name,
            loop=loop,
            instrument_provider=provider,
        )
        self._nautilus = _Orders(cache)
        self._connection = connection
        self._provider = provider
        self._policy = policy
        self._settings = config
        self._tier = connection.profile.tier(config.tier)
        self._venue: LiveVenue | None = None
        self._foreign: ForeignOrders | None = None
        self._reports: HistoryReports | None = None
        self._is_state_due = False
        self._money: Balances | None = None
        self._fill_count = 0

    # ------------------------------------------------------------------------------------------------- life

    async def _connect(self) -> None:
        self._venue = venue = await self._connection.open()
        await self._provider.initialize()
        self._by_id = dict(self._provider.bridges)
        self._instruments = {bridge.spec.symbol: bridge for bridge in self._by_id.values()}
        await self._read_account(venue)
        await self._await_account_registered()
        policy, clock = self._policy, self._connection.clock
        links = {name: venue.links[name] for name in policy.link_names()}
        budget = RateBudget(self._connection.profile.rates, self._tier, policy.cancel_reserve_points, self._publish)
        self.desk = desk = ExecutionDesk(links, policy, clock, self, NoJournal(), budget)
        self._foreign = ForeignOrders(desk, self._cache, self._msgbus, str(self.venue), self._instruments)
        self._reports = HistoryReports(
            venue,
            desk,
            self._foreign,
            self._cache,
            self.account_id,
            self._instruments,
            lambda: clock.now_ns,
            self._settings.history_h,
            self._settings.position_quote,
            self._log.warning,
        )
        clock.on_error = self._on_error
        for link in links.values():
            link.attach(
                lambda name, report: clock.enter(desk.on_report, name, report),
                lambda name, reason: clock.enter(desk.on_session_closed, name, reason),
            )
        desk.start()
        await self._await_links(desk)
        self._arm()

    async def _await_links(self, desk: ExecutionDesk) -> None:
        try:
            async with asyncio.timeout(self._settings.patience_s):
                while not all(link.is_up for link in desk.links.values()):
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            down = ", ".join(name for name, link in desk.links.items() if not link.is_up)
            raise VenueError(f"not up within {self._settings.patience_s:g} s: {down}; see the warnings above") from None

    async def _disconnect(self) -> None:
        desk = self.desk
        if desk is not None:
            if self._settings.dead_man_s and any(link.is_up for link in desk.links.values()):
                desk.cancel_all_after(0)
            desk.stop()
            self.desk = None
        if self._money is not None:
            self._money.stop()
            self._money = None
        if self._foreign is not None:
            self._foreign.stop()
            self._foreign = self._reports = None
        if self._venue is not None:
            self._venue = None
            await self._connection.close()

    def _arm(self) -> None:
        """Have the venue cancel everything if it does not hear of this client for a while."""
        desk, seconds = self.desk, self._settings.dead_man_s
        if desk is not None and seconds:
            desk.cancel_all_after(seconds)
            self._loop.call_later(seconds / 3, self._arm)

    def _on_error(self, error: Exception) -> None:
        """What is raised on the way is told, and neither lost in the loop nor costs the line."""
        self._log.exception(f"{type(error).__name__} in the desk", error)

    # ------------------------------------------------------------------------------------------------- commands

    def modify_order(self, command: ModifyOrder) -> None:
        """Change an order in place; refused here for one that the desk does not know."""
        if self._knows(command.client_order_id):
            super().modify_order(command)
            return
        self.generate_order_modify_rejected(
            command.strategy_id,
            command.instrument_id,
            command.client_order_id,
            command.venue_order_id,
            "the desk does not know the order",
            self._clock.timestamp_ns(),
        )

    def cancel_order(self, command: CancelOrder) -> None:
        """Cancel an order by a road that reaches it; refused here for one that the desk does not know."""
        if self._knows(command.client_order_id):
            super().cancel_order(command)
            return
        self.generate_order_cancel_rejected(
            command.strategy_id,
            command.instrument_id,
            command.client_order_id,
            command.venue_order_id,
            "the desk does not know the order",
            self._clock.timestamp_ns(),
        )

    def query_account(self, command: QueryAccount) -> None:
        """Ask the venue for the balances."""
        if self._money is not None:
            self._money.ask()

    def _knows(self, client_order_id: ClientOrderId) -> bool:
        return self.desk is not None and client_order_id.value in self.desk.orders

    def _cl_ord_id(self, client_order_id: ClientOrderId) -> str:
        """The desk has NautilusTrader's ids; what stands for one on the wire is the links' business."""
        value: str = client_order_id.value
        return value

    # ------------------------------------------------------------------------------------------------- reports

    async def generate_order_status_report(self, command: GenerateOrderStatusReport) -> OrderStatusReport | None:
        """One order, by one of its ids; None if the venue does not show it. Raises TidegateError as the venue does."""
        return await self._reporting.order(command)

    async def generate_order_status_reports(self, command: GenerateOrderStatusReports) -> list[OrderStatusReport]:
        """Open orders, and those that ended since the start. Raises TidegateError as the venue does."""
        return await self._reporting.orders(command)

    async def generate_fill_reports(self, command: GenerateFillReports) -> list[FillReport]:
        """The fills since the start. Raises TidegateError as the venue does."""
        return await self._reporting.fills(command)

    async def generate_position_status_reports(
        self, command: GeneratePositionStatusReports
    ) -> list[PositionStatusReport]:
        """Balances as positions, if so configured. Raises TidegateError as the venue does."""
        return await self._reporting.positions(command)

    async def generate_mass_status(self, lookback_mins: int | None = None) -> ExecutionMassStatus | None:
        """All of these, of one reading of the account; None, with an error in the log, where it cannot be read."""
        now_ns = self._clock.timestamp_ns()
        start = None if lookback_mins is None else self._clock.utc_now() - dt.timedelta(minutes=lookback_mins)
        self.reconciliation_active = True
        try:
            reports = self._reporting
            history = await reports.history(start)
            positions = await reports.positions(
                GeneratePositionStatusReports(
                    instrument_id=None, start=None, end=None, command_id=UUID4(), ts_init=now_ns
                )
            )
        except TidegateError as error:
            self._log.error(f"the account cannot be read: {error}")
            return None
        finally:
            self.reconciliation_active = False
        mass_status = ExecutionMassStatus(
            client_id=self.id, account_id=self.account_id, venue=self.venue, report_id=UUID4(), ts_init=now_ns
        )
        mass_status.add_order_reports(reports=reports.orders_of(history))
        mass_status.add_fill_reports(reports=reports.fills_of(history))
        mass_status.add_position_reports(reports=positions)
        return mass_status

    # ------------------------------------------------------------------------------------------------- balances

    async def _read_account(self, venue: LiveVenue) -> None:
        """What the key may do, and what is there. Raises ConfigError for a key that cannot trade."""
        check_account(await venue.account())
        self._money = Balances(
            venue.ask_balances,
            self._connection.clock,
            self,
            lambda: self._fill_count,
            lambda: self.desk is None or self.desk.is_settled,
            _heard,
            self._log.warning,
            self._settings.balances_s,
        )
        is_there = asyncio.Event()
        self._money.begin(is_there.set)
        try:
            async with asyncio.timeout(self._settings.patience_s):
                await is_there.wait()
        except TimeoutError:
            raise VenueError("the venue does not tell the balances; see the warnings above") from None

    def send_balances(self) -> None:
        """Tell NautilusTrader what is there, and what own open orders hold of it."""
        self._settle()
        holds, states = self._holds(), []
        for asset, amount in self._balances.items():
            unit = currency(asset)
            total = Money(amount, unit)
            locked = Money(min(holds.get(asset, Decimal(0)), max(amount, Decimal(0))), unit)
            states.append(AccountBalance(total, locked, Money(total.as_decimal() - locked.as_decimal(), unit)))
        self.generate_account_state(states, [], True, self._clock.timestamp_ns())

    def _holds(self) -> Mapping[str, Decimal]:
        """What own open orders hold, as far as their prices tell."""
        held: dict[str, Decimal] = {}
        for record in self.desk.open_orders.values() if self.desk is not None else ():
            bridge = self._instruments.get(record.symbol)
            price_ticks = record.limit_ticks if record.limit_ticks is not None else record.trigger_ticks
            if bridge is None or record.is_quote_qty or record.leaves_lots <= 0:
                continue
            qty = bridge.spec.qty(record.leaves_lots)
            if record.side != BUY:
                held[bridge.base_asset] = held.get(bridge.base_asset, Decimal(0)) + qty
            elif price_ticks is not None:
                cost = qty * bridge.spec.price(price_ticks)
                held[bridge.quote_asset] = held.get(bridge.quote_asset, Decimal(0)) + cost
        return held

    def _schedule_state(self) -> None:
        if not self._is_state_due:
            self._is_state_due = True
            self._loop.call_later(_STATE_S, self._send_state)

    def _send_state(self) -> None:
        self._is_state_due = False
        if self._venue is not None:
            self.send_balances()

    # ------------------------------------------------------------------------------------------------- desk listener

    def order_accepted(self, record: OrderRecord, ts_venue_ns: int) -> None:
        super().order_accepted(record, ts_venue_ns)
        self._schedule_state()

    def order_updated(self, record: OrderRecord, ts_venue_ns: int) -> None:
        super().order_updated(record, ts_venue_ns)
        self._schedule_state()

    def order_canceled(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        super().order_canceled(record, reason, ts_venue_ns)
        self._schedule_state()

    def order_expired(self, record: OrderRecord, ts_venue_ns: int) -> None:
        super().order_expired(record, ts_venue_ns)
        self._schedule_state()

    def order_filled(
        self,
        record: OrderRecord,
        exec_id: str,
        last_lots: int,
        last_ticks: int,
        is_maker: bool,
        fee: Decimal,
        fee_asset: str,
        ts_venue_ns: int,
    ) -> None:
        super().order_filled(record, exec_id, last_lots, last_ticks, is_maker, fee, fee_asset, ts_venue_ns)
        self._fill_count += 1

    def _publish(self, event: RoadEvent) -> None:
        """Events of the road go to whoever subscribes to their topic."""
        self._log.info(f"{event}")
        self._msgbus.publish(topic=ROAD_TOPIC, msg=event)

    # ------------------------------------------------------------------------------------------------- within

    @property
    def _reporting(self) -> HistoryReports:
        if self._reports is None:
            raise TidegateError(f"{self.id}: not connected")
        return self._reports

    @property
    def _connected(self) -> LiveVenue:
        if self._venue is None:
            raise TidegateError(f"{self.id}: not connected")
        return self._venue
