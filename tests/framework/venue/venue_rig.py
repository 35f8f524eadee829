"""A venue with a small market and lines to it, for tests: sends commands, collects what comes back.

The pair is BTC/USD with a tick of 0.1 and a lot of 0.0001: price 1000 is 100.0 USD, 10,000 lots are 1 BTC, and one lot
at one tick costs 0.00001 USD. The minimum is 10 lots and 0.5 USD. Fees at no volume are 0.25 % maker and 0.40 % taker
(rest-api/get-tradable-asset-pairs). Times are given in seconds after ``START_NS``, 12:00:00 UTC of a day.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from framework.messages import (
    AddOrder,
    AmendOrder,
    CancelOrder,
    Command,
    CommandAccepted,
    CommandRejected,
    ExecType,
    ExecutionReport,
    Logon,
    Report,
)
from framework.protocol import BUY, SELL, InstrumentSpec, OrderType, VenueProfile
from framework.venue.account import AccountConfig
from framework.venue.exchange import Venue
from framework.venue.observer import VenueObserver
from framework.venue.orders import Order
from framework.venue.sessions import Outbound
from tests.editing import EDITING
from tests.framework.venue.hand_market import HandMarket

if TYPE_CHECKING:
    from framework.venue.kernel import MatchingKernel

SECOND = 1_000_000_000
# 2026-01-05 12:00:00 UTC.
START_NS = 1_767_614_400 * SECOND
SYMBOL = "BTC/USD"
BTC_USD = InstrumentSpec(
    symbol=SYMBOL,
    venue="synthetic",
    tick_size="0.1",
    lot_size="0.0001",
    min_qty_lots=10,
    min_cost="0.5",
    cost_decimals=5,
)


class Rig:
    """Lines to one venue.

    Lines are named by what the test calls them; ``rest``, ``ws2`` and ``fix`` of account "a" are up at the start, the
    news of ``ws2`` subscribed, the session of ``fix`` (comp id "DESK") open. ``sent`` has all that came back since the
    last command.
    """

    def __init__(
        self,
        market: HandMarket | None = None,
        *,
        profile: VenueProfile = EDITING,
        balances: dict[str, str] | None = None,
        tier: str = "pro",
        volume: str = "0",
        switches: dict[str, str] | None = None,
        specs: tuple[InstrumentSpec, ...] = (BTC_USD,),
        observer: VenueObserver | None = None,
        lines: tuple[str, ...] = ("rest", "ws2", "fix"),
    ) -> None:
        self.market = market if market is not None else HandMarket(len(specs))
        money = {"BTC": "10", "USD": "10000"} if balances is None else balances
        config = {asset: Decimal(amount) for asset, amount in money.items()}
        self.venue = Venue(
            profile,
            cast("MatchingKernel", self.market),
            specs,
            [
                AccountConfig(name=name, balances=config, tier=tier, volume_30d_usd=Decimal(volume))
                for name in ("a", "b")
            ],
            switches,
        )
        self.venue.observer = observer
        self.now_ns = START_NS
        self.sent: list[Outbound] = []
        self._request_id = 0
        if "rest" in lines:
            self.venue.connect("rest", "a", "rest", self.now_ns)
        if "ws2" in lines:
            self.venue.connect("ws2", "a", "ws2", self.now_ns, is_news_subscribed=True)
        if "fix" in lines:
            self.venue.connect("fix", "a", "fix", self.now_ns, "DESK")
            self.send("fix", Logon(request_id=self.next_id()))
        self.sent = []

    # ------------------------------------------------------------------ time

    def at(self, seconds: float) -> Rig:
        """Let time pass to so many seconds after the start, and the venue do what is due on the way."""
        target_ns = START_NS + round(seconds * SECOND)
        assert target_ns >= self.now_ns
        self.sent = []
        while (due_ns := self.venue.next_timer_ns()) is not None and due_ns <= target_ns:
            self.now_ns = due_ns
            self.venue.on_timer(due_ns)
            self._settle()
        self.now_ns = target_ns
        return self

    def _settle(self) -> None:
        self.sent.extend(self.venue.outbox)
        self.venue.outbox.clear()
        self.venue.check_invariants()

    # ------------------------------------------------------------------ commands

    def next_id(self) -> int:
        self._request_id += 1
        return self._request_id

    def send(self, line: str, command: Command) -> list[Report]:
        """Hand a command to the venue; returns the reports that came back on that line."""
        self.sent = []
        self.venue.handle(line, command, self.now_ns)
        self._settle()
        return self.reports(line)

    def order(self, **fields: Any) -> AddOrder:
        """A limit buy of 100 lots at 1000, changed as given."""
        wanted: dict[str, Any] = {
            "request_id": self.next_id(),
            "symbol": SYMBOL,
            "side": BUY,
            "order_type": OrderType.LIMIT,
            "qty_lots": 100,
            "limit_ticks": 1000,
        }
        wanted["cl_ord_id"] = f"c{wanted['request_id']}"
        wanted.update(fields)
        if wanted["order_type"] in (
            OrderType.MARKET,
            OrderType.STOP_LOSS,
            OrderType.TAKE_PROFIT,
            OrderType.TRAILING_STOP,
            OrderType.TRAILING_STOP_LIMIT,
        ):
            wanted["limit_ticks"] = fields.get("limit_ticks")
        return AddOrder(**wanted)

    def add(self, line: str = "rest", **fields: Any) -> Order:
        """Enter an order that has to be accepted; returns it as the venue has it, which may have ended already."""
        command = self.order(**fields)
        self.send(line, command)
        assert not self.rejects(), self.rejects()
        return self.find(command.cl_ord_id)

    def refused(self, line: str, command: Command) -> str:
        """Hand a command to the venue that has to be refused; returns the venue's words."""
        self.send(line, command)
        (reject,) = self.rejects()
        assert reject.request_id == command.request_id
        return reject.error

    def refused_add(self, line: str = "rest", **fields: Any) -> str:
        return self.refused(line, self.order(**fields))

    def amend(self, order: Order, line: str = "rest", **fields: Any) -> None:
        """Amend an order by its venue id; it has to be accepted."""
        self.send(line, AmendOrder(request_id=self.next_id(), order_id=order.order_id, **fields))
        assert not self.rejects(), self.rejects()

    def refused_amend(self, order: Order, line: str = "rest", **fields: Any) -> str:
        return self.refused(line, AmendOrder(request_id=self.next_id(), order_id=order.order_id, **fields))

    def cancel(self, order: Order, line: str = "rest") -> None:
        """Cancel an order by its venue id; it has to be accepted."""
        self.send(line, CancelOrder(request_id=self.next_id(), order_id=order.order_id))
        assert not self.rejects(), self.rejects()

    def refused_cancel(self, order: Order, line: str = "rest") -> str:
        return self.refused(line, CancelOrder(request_id=self.next_id(), order_id=order.order_id))

    # ------------------------------------------------------------------ the market

    def hit(self, side: int, lots: int, limit: int, inst: int = 0) -> None:
        """A market aggressor trades with the book; the venue hears of what it did to own orders."""
        self.sent = []
        self.market.hit(side, lots, limit, self.now_ns, inst)
        self.venue.on_kernel_stop(self.now_ns)
        self._settle()

    def print(self, price: int) -> None:
        """A trade is printed; the venue hears of the triggers that it fired."""
        self.sent = []
        self.market.print(price, self.now_ns)
        self.venue.on_kernel_stop(self.now_ns)
        self._settle()

    # ------------------------------------------------------------------ what is known

    def find(self, cl_ord_id: str, account: str = "a") -> Order:
        return self.venue.accounts[account].order_by_cl_ord_id[cl_ord_id]

    def reports(self, line: str) -> list[Report]:
        return [outbound.report for outbound in self.sent if outbound.session_id == line]

    def rejects(self) -> list[CommandRejected]:
        return [outbound.report for outbound in self.sent if isinstance(outbound.report, CommandRejected)]

    def accepted(self, line: str) -> CommandAccepted:
        (answer,) = [report for report in self.reports(line) if isinstance(report, CommandAccepted)]
        return answer

    def executions(self, line: str = "ws2") -> list[ExecutionReport]:
        return [report for report in self.reports(line) if isinstance(report, ExecutionReport)]

    def exec_types(self, line: str = "ws2") -> list[ExecType]:
        return [report.exec_type for report in self.executions(line)]

    def trades(self, account: str = "a") -> list[tuple[int, int]]:
        """Price and lots of every fill of an account so far."""
        return [(trade.last_ticks, trade.last_lots) for trade in self.venue.accounts[account].trades]

    def total(self, asset: str, account: str = "a") -> Decimal:
        return self._amount(asset, self.venue.accounts[account].totals[self.venue.assets.index[asset]])

    def held(self, asset: str, account: str = "a") -> Decimal:
        return self._amount(asset, self.venue.accounts[account].holds[self.venue.assets.index[asset]])

    def _amount(self, asset: str, units: int) -> Decimal:
        return self.venue.assets.amount(self.venue.assets.index[asset], units)

    def counter(self, symbol: str = SYMBOL, account: str = "a") -> Decimal:
        """The engine's counter of an account and pair now, in points."""
        index = self.venue.pairs[symbol].index
        return Decimal(self.venue.accounts[account].counters[index].value_at(self.now_ns)) / 10**11


def book(*levels: tuple[int, int, int]) -> HandMarket:
    """A market with these ``(side, price, lots)`` levels."""
    market = HandMarket()
    for side, price, lots in levels:
        market.add(side, price, lots)
    return market


def touch() -> HandMarket:
    """Bids 999 and 998, asks 1001 and 1002, 500 lots each; the last trade was at 1000."""
    market = book((BUY, 999, 500), (BUY, 998, 500), (SELL, 1001, 500), (SELL, 1002, 500))
    market.print(1000, START_NS)
    return market
