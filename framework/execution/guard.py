"""The guard of a desk: holds new orders and changes against the limits, with what is open, held and lost now.

It hears of each fill when the desk learns it, and asks the market for prices when it needs them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from framework.execution.limits import (
    LimitsSection,
    check_book_age,
    check_daily_loss,
    check_open_orders,
    check_order_notional,
    check_order_qty,
    check_orders_per_second,
    check_position,
    check_price_band,
)
from framework.execution.link import Clock
from framework.execution.orders import OrderRecord
from framework.messages import AddOrder, ExecutionReport
from framework.protocol import BUY, InstrumentSpec

__all__ = ["Guard", "MarketPrice"]

_SECOND_NS = 1_000_000_000
_DAY_NS = 86_400 * _SECOND_NS


class MarketPrice(NamedTuple):
    """The market as delivered. bid_ticks, ask_ticks, last_ticks: None where there is none. ts_ns: of its last message,
    0 for none.
    """

    bid_ticks: int | None
    ask_ticks: int | None
    last_ticks: int | None
    ts_ns: int

    @property
    def middle_half_ticks(self) -> int | None:
        """Twice the middle of the book, or twice the last price where a side is empty; None if there is neither."""
        if self.bid_ticks is not None and self.ask_ticks is not None:
            return self.bid_ticks + self.ask_ticks
        return None if self.last_ticks is None else 2 * self.last_ticks


class _Held:
    """What fills have made of one instrument: position, and cash in ticks times lots.

    middle_half_ticks: twice the market's middle as it was known last; 0 before it was.
    """

    __slots__ = ("cash_tick_lots", "middle_half_ticks", "position_lots", "spec")

    def __init__(self, spec: InstrumentSpec) -> None:
        self.spec = spec
        self.position_lots = 0
        self.cash_tick_lots = 0
        self.middle_half_ticks = 0


class Guard:
    """The limits of one desk.

    price: the market of a symbol as delivered. on_loss: called with the reason, once a day, when too much is lost.
    """

    def __init__(
        self,
        limits: LimitsSection,
        specs: Iterable[InstrumentSpec],
        clock: Clock,
        price: Callable[[str], MarketPrice],
        on_loss: Callable[[str], None],
    ) -> None:
        self.limits = limits
        self._clock = clock
        self._price = price
        self._on_loss = on_loss
        self._held = {spec.symbol: _Held(spec) for spec in specs}
        self._fees: dict[str, Decimal] = {}
        self._sent_ns: deque[int] = deque()
        # What there was of each quote asset when the day began, and the day.
        self._day = -1
        self._began_with: dict[str, Decimal] = {}
        self._is_loss_told = False

    # ------------------------------------------------------------------------------------------------- judging

    def order_denial(self, orders: Sequence[AddOrder], open_orders: Mapping[str, OrderRecord]) -> str | None:
        """Why new orders that go in one request must not be sent; None if they may, and are counted as sent then."""
        denial = self._common_denial()
        for number, order in enumerate(orders):
            if denial is None:
                denial = self._order_denial(order, orders[:number], open_orders)
        if denial is None:
            self._sent_ns.extend([self._clock.now_ns] * len(orders))
        return None if denial is None else f"limit {denial}"

    def amend_denial(
        self,
        record: OrderRecord,
        open_orders: Mapping[str, OrderRecord],
        qty_lots: int | None,
        limit_ticks: int | None,
        trigger_ticks: int | None,
    ) -> str | None:
        """Why a change must not be sent; None if it may, and is counted as sent then."""
        denial = self._common_denial()
        spec, limits = self._held[record.symbol].spec, self.limits.of(record.symbol)
        price = self._price(record.symbol)
        if denial is None:
            denial = self._price_denial(record.symbol, price, limit_ticks, trigger_ticks)
        new_lots = record.qty_lots if qty_lots is None else qty_lots
        at_ticks = record.limit_ticks if limit_ticks is None else limit_ticks
        if denial is None and limits.order_qty_max is not None and new_lots > record.qty_lots:
            denial = check_order_qty(spec, new_lots, Decimal(limits.order_qty_max))
        is_larger = new_lots > record.qty_lots or limit_ticks is not None
        if denial is None and limits.order_notional_max is not None and is_larger:
            notional = _notional(spec, new_lots - record.cum_lots, record.side, at_ticks, price)
            denial = check_order_notional(spec, notional, Decimal(limits.order_notional_max))
        if denial is None and limits.position_max is not None and new_lots > record.qty_lots:
            others = _open_lots(open_orders, record.symbol, record.side) - max(0, record.leaves_lots)
            denial = check_position(
                spec,
                record.side,
                new_lots - record.cum_lots,
                self._held[record.symbol].position_lots,
                others,
                Decimal(limits.position_max),
            )
        if denial is None:
            self._sent_ns.append(self._clock.now_ns)
        return None if denial is None else f"limit {denial}"

    def look(self) -> None:
        """Look whether too much is lost now; the market moves while nobody trades."""
        self._loss_denial()

    def carry(self, symbol: str, lots: int) -> None:
        """A position of a run before counts as held; what it is worth now is not counted as won."""
        self._held[symbol].position_lots += lots
        self._day = -1

    def position_lots(self, symbol: str) -> int:
        """What is held of an instrument by the fills learned so far."""
        return self._held[symbol].position_lots

    # ------------------------------------------------------------------------------------------------- fills

    def note_fill(self, report: ExecutionReport) -> None:
        """A fill was learned."""
        self._begin_day()
        held = self._held[report.symbol]
        lots = report.last_lots if report.side == BUY else -report.last_lots
        held.position_lots += lots
        held.cash_tick_lots -= lots * report.last_ticks
        if report.fee and report.fee_asset:
            self._fees[report.fee_asset] = self._fees.get(report.fee_asset, Decimal(0)) + report.fee
        self._loss_denial()

    # ------------------------------------------------------------------------------------------------- within

    def _common_denial(self) -> str | None:
        limits, now_ns, sent_ns = self.limits, self._clock.now_ns, self._sent_ns
        while sent_ns and sent_ns[0] <= now_ns - _SECOND_NS:
            sent_ns.popleft()
        denial = self._loss_denial()
        if denial is None and limits.orders_per_second_max is not None:
            denial = check_orders_per_second(len(sent_ns), limits.orders_per_second_max)
        return denial

    def _order_denial(
        self, order: AddOrder, before: Sequence[AddOrder], open_orders: Mapping[str, OrderRecord]
    ) -> str | None:
        """before: orders of the same request that are sent with it."""
        symbol, side = order.symbol, order.side
        held = self._held.get(symbol)
        if held is None:
            return f"symbols: {symbol} is not an instrument of this run"
        spec, limits = held.spec, self.limits.of(symbol)
        price = self._price(symbol)
        denial = self._price_denial(symbol, price, order.limit_ticks, order.trigger_ticks)
        if denial is None and self.limits.orders_per_second_max is not None and before:
            denial = check_orders_per_second(len(self._sent_ns) + len(before), self.limits.orders_per_second_max)
        if denial is None and self.limits.open_orders_max is not None:
            denial = check_open_orders(len(open_orders) + len(before), self.limits.open_orders_max)
        notional = _notional(spec, order.qty_lots, side, order.limit_ticks, price)
        qty_lots = order.qty_lots
        if order.quote_qty is not None:
            notional = order.quote_qty
            middle = price.middle_half_ticks
            # As many lots as the market's middle would give; one that has no price is refused by its worth.
            qty_lots = 0 if not middle else int(2 * order.quote_qty / (spec.price(1) * spec.qty(1) * middle)) + 1
            if not middle:
                notional = None
        if denial is None and limits.order_qty_max is not None:
            denial = check_order_qty(spec, qty_lots, Decimal(limits.order_qty_max))
        if denial is None and limits.order_notional_max is not None:
            denial = check_order_notional(spec, notional, Decimal(limits.order_notional_max))
        if denial is None and limits.position_max is not None:
            open_lots = _open_lots(open_orders, symbol, side)
            open_lots += sum(each.qty_lots for each in before if each.symbol == symbol and each.side == side)
            denial = check_position(spec, side, qty_lots, held.position_lots, open_lots, Decimal(limits.position_max))
        return denial

    def _price_denial(
        self, symbol: str, price: MarketPrice, limit_ticks: int | None, trigger_ticks: int | None
    ) -> str | None:
        limits = self.limits.of(symbol)
        denial = None
        if limits.book_age_max_ms is not None:
            age_ns = self._clock.now_ns - price.ts_ns if price.ts_ns else None
            denial = check_book_age(age_ns, limits.book_age_max_ms)
        if limits.price_band_ppm is not None:
            for what, ticks in (("limit price", limit_ticks), ("trigger price", trigger_ticks)):
                if denial is None and ticks is not None:
                    denial = check_price_band(what, ticks, price.middle_half_ticks, limits.price_band_ppm)
        return denial

    # ------------------------------------------------------------------------------------------------- loss

    def _worth(self) -> dict[str, Decimal]:
        """What fills have made, by quote asset: cash, positions at the market's middle, less fees."""
        worth: dict[str, Decimal] = {}
        unpaid = dict(self._fees)
        for symbol, held in self._held.items():
            spec = held.spec
            middle = held.middle_half_ticks = self._price(symbol).middle_half_ticks or held.middle_half_ticks
            unit = spec.price(1) * spec.qty(1)
            total = unit * held.cash_tick_lots + unit * held.position_lots * middle / 2
            base_fee = unpaid.pop(spec.base, Decimal(0))
            total -= unpaid.pop(spec.quote, Decimal(0)) + base_fee * spec.price(1) * middle / 2
            worth[spec.quote] = worth.get(spec.quote, Decimal(0)) + total
        return worth

    def _begin_day(self) -> None:
        day = self._clock.now_ns // _DAY_NS
        if day != self._day:
            self._day = day
            self._began_with = self._worth()
            self._is_loss_told = False

    def _loss_denial(self) -> str | None:
        if not self.limits.daily_loss_max:
            return None
        self._begin_day()
        worth = self._worth()
        for asset, loss_max in self.limits.daily_loss_max.items():
            loss = self._began_with.get(asset, Decimal(0)) - worth.get(asset, Decimal(0))
            denial = check_daily_loss(asset, loss, Decimal(loss_max))
            if denial is not None:
                if not self._is_loss_told:
                    self._is_loss_told = True
                    self._on_loss(f"limit {denial}")
                return denial
        return None


def _open_lots(open_orders: Mapping[str, OrderRecord], symbol: str, side: int) -> int:
    """What open orders of a side have left to fill."""
    return sum(
        max(0, record.leaves_lots)
        for record in open_orders.values()
        if record.symbol == symbol and record.side == side and record.is_live
    )


def _notional(
    spec: InstrumentSpec, qty_lots: int, side: int, limit_ticks: int | None, price: MarketPrice
) -> Decimal | None:
    """What an order is worth: at its limit, or at the best price of the other side, or at the last."""
    ticks = limit_ticks
    if ticks is None:
        ticks = price.ask_ticks if side == BUY else price.bid_ticks
    if ticks is None:
        ticks = price.last_ticks
    return None if ticks is None else spec.price(ticks) * spec.qty(qty_lots)
