"""A market maker: one bid and one ask at a fixed edge off the middle of the book, leaning against its position.

What to quote is ``quotes``, a pure function of the book and the position. The rest is bringing two orders there:

- ``requote = "cancel"``: cancel the old order and send the new one in the same instant. The shortest time without a
  quote; but until the cancel arrives both orders can fill, and a road that does not keep messages in order may deliver
  the new one first.
- ``requote = "amend"``: move the order in place. Never two orders; until the amendment arrives the old price stands.
- ``requote = "wait"``: cancel, and send the new order once the old one is known to be gone. Never two orders, and no
  quote in between; where own news is polled that lasts until the next poll.

An order that nobody can cancel (its session is gone) is left alone and nothing is quoted beside it. When the pair's
rate counter is nearly used up, quotes are only withdrawn, and only those that the market has come too near to.

Orders that a run before has left are taken over at the first look at the book: of each side the one that stands nearest
to where the quote belongs goes on as the quote, the others are cancelled. Until those are gone nothing new is sent on
their side.
"""

from __future__ import annotations

from typing import NamedTuple

from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderCancelRejected, OrderFilled, OrderModifyRejected
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.orders import Order

from framework.adopted import adopted
from framework.book import BookView
from framework.errors import ConfigError
from framework.execution.events import OrderReachChanged
from framework.protocol import BUY, SELL
from framework.strategy import Strategy, StrategyConfig

__all__ = ["MarketMaker", "MarketMakerConfig", "QuoteRule", "quotes"]

_PPM = 1_000_000
_NS_PER_MS = 1_000_000
_REQUOTE_MODES = ("cancel", "amend", "wait")
_RESTING = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)


class QuoteRule(NamedTuple):
    """How to quote one instrument; relative prices in millionths (100 ppm are one basis point).

    edge_ppm: distance of each quote from the middle of the book.
    skew_ppm: how far both quotes are moved against a position of ``position_max_lots``, in proportion below it.
    qty_lots: size of each quote. position_max_lots: no quote that could take the position beyond this, either way.
    """

    edge_ppm: int
    skew_ppm: int
    qty_lots: int
    position_max_lots: int


def quotes(bid_ticks: int, ask_ticks: int, position_lots: int, rule: QuoteRule) -> tuple[int | None, int | None]:
    """Where to bid and where to ask, in ticks; None for a side that the position has no room for.

    Rounded away from the middle, and never at or across the other side's best price, so that neither quote takes.
    """
    sum_ticks = bid_ticks + ask_ticks
    edge = sum_ticks * rule.edge_ppm
    skew = sum_ticks * rule.skew_ppm * position_lots // rule.position_max_lots
    bid = (sum_ticks * _PPM - edge - skew) // (2 * _PPM)
    ask = -((skew - edge - sum_ticks * _PPM) // (2 * _PPM))
    can_buy = position_lots + rule.qty_lots <= rule.position_max_lots
    can_sell = position_lots - rule.qty_lots >= -rule.position_max_lots
    return (min(bid, ask_ticks - 1) if can_buy else None, max(ask, bid_ticks + 1) if can_sell else None)


class MarketMakerConfig(StrategyConfig, frozen=True, kw_only=True):
    """Parameters of ``MarketMaker``.

    qty, position_max: in units of the base asset, exact decimals as text.
    edge_ppm, skew_ppm: see ``QuoteRule``.
    requote_ppm: a quote stays until it is this far from where it should be.
    requote: "cancel", "amend" or "wait".
    order_age_min_ms: a quote also stays this long (cancels of young orders are what fills rate counters), unless it is
        better than it should be by half of the edge: then it is in danger and goes at once.
    cancel_again_ms: an order that is still there this long after its cancel is cancelled again; longer than own news
        takes to arrive, so that it is not done for orders that are gone. The first refusal of a cancel is answered at
        once: it may only have overtaken its order on the road.
    leaving_max: orders of one side whose cancel is not confirmed yet; with more of them no new order is sent.
    budget_share_max: share of the pair's rate counter above which quotes in danger are withdrawn and nothing else is
    done.
    """

    qty: str = "0.01"
    position_max: str = "0.05"
    edge_ppm: int = 200
    skew_ppm: int = 100
    requote_ppm: int = 150
    requote: str = "cancel"
    order_age_min_ms: int = 3_000
    cancel_again_ms: int = 5_000
    leaving_max: int = 2
    budget_share_max: float = 0.7


class _Quote:
    """One side of one instrument: the order that stands for it and those that are being withdrawn.

    again: those whose cancel was refused once and has been sent again. left: orders of a run before that are being
    withdrawn, or have not been looked at yet.
    """

    __slots__ = ("again", "canceled_ns", "leaving", "left", "order", "price_ticks", "sent_ns", "side")

    def __init__(self, side: int) -> None:
        self.side = side
        self.order: Order | None = None
        self.price_ticks = 0
        self.sent_ns = 0
        self.canceled_ns = 0
        self.leaving: list[Order] = []
        self.again: list[Order] = []
        self.left: list[Order] = []


class _Pair:
    """What the strategy knows of one instrument."""

    __slots__ = ("instrument_id", "is_looked_at", "position_lots", "quotes", "rule")

    def __init__(self, instrument_id: InstrumentId, rule: QuoteRule) -> None:
        self.instrument_id = instrument_id
        self.rule = rule
        self.position_lots = 0
        self.quotes = (_Quote(BUY), _Quote(SELL))
        self.is_looked_at = False


class MarketMaker(Strategy):
    """Quotes both sides of every instrument of the run; what it does and why stands at the top of the file."""

    def __init__(self, config: MarketMakerConfig | None = None) -> None:
        config = config or MarketMakerConfig()
        if config.requote not in _REQUOTE_MODES:
            raise ConfigError(f"requote = {config.requote!r}; it must be one of {', '.join(_REQUOTE_MODES)}")
        super().__init__(config)
        self._pairs: dict[str, _Pair] = {}
        self._out_of_reach: set[str] = set()

    def on_start(self) -> None:
        config = self.config
        for instrument_id in self.instrument_ids:
            spec = self.bridge(instrument_id).spec
            qty_lots = self.lots(instrument_id, config.qty)
            position_max_lots = self.lots(instrument_id, config.position_max)
            rule = QuoteRule(config.edge_ppm, config.skew_ppm, qty_lots, position_max_lots)
            pair = self._pairs[spec.symbol] = _Pair(instrument_id, rule)
            given = adopted(self, instrument_id)
            pair.position_lots = given.position_lots
            for order in given.orders:
                pair.quotes[order.side == OrderSide.SELL].left.append(order)
            self.subscribe_book(instrument_id, on="touch")

    def on_stop(self) -> None:
        for pair in self._pairs.values():
            for quote in pair.quotes:
                self._withdraw(quote)
                if not pair.is_looked_at:
                    self._withdraw_left(quote)

    # ------------------------------------------------------------------------------------------------- quoting

    def on_book(self, book: BookView) -> None:
        bid_ticks, ask_ticks = book.bid_ticks, book.ask_ticks
        if bid_ticks is None or ask_ticks is None or bid_ticks >= ask_ticks:
            return
        pair = self._pairs[book.spec.symbol]
        targets = quotes(bid_ticks, ask_ticks, pair.position_lots, pair.rule)
        for quote, target_ticks in zip(pair.quotes, targets, strict=True):
            if not pair.is_looked_at:
                self._take_over(pair, quote, target_ticks)
            self._bring(pair, quote, target_ticks, bid_ticks + ask_ticks)
        pair.is_looked_at = True

    def _take_over(self, pair: _Pair, quote: _Quote, target_ticks: int | None) -> None:
        """Go on with one order that a run before has left, and withdraw the others."""
        bridge = self.bridge(pair.instrument_id)
        fit = [
            order
            for order in quote.left
            if order.status in _RESTING and order.has_price and bridge.lots(order.leaves_qty) <= pair.rule.qty_lots
        ]
        if fit and target_ticks is not None:
            order = min(fit, key=lambda each: abs(bridge.ticks(each.price) - target_ticks))
            quote.order, quote.price_ticks, quote.sent_ns = order, bridge.ticks(order.price), order.ts_submitted
            quote.left.remove(order)
        self._withdraw_left(quote)

    def _withdraw_left(self, quote: _Quote) -> None:
        for order in quote.left:
            if not order.is_closed:
                quote.leaving.append(order)
                quote.canceled_ns = self.clock.timestamp_ns()
                self.cancel_order(order)

    def _bring(self, pair: _Pair, quote: _Quote, target_ticks: int | None, sum_ticks: int) -> None:
        """Do what one quote needs now, if anything. sum_ticks: best bid and best ask together."""
        now_ns = self.clock.timestamp_ns()
        if quote.leaving:
            self._chase(quote, now_ns)
        order = quote.order
        if order is None or order.is_closed:
            quote.order = None
            if target_ticks is not None and self._may_place(pair, quote):
                self._place(pair, quote, target_ticks, now_ns)
            return
        if order.client_order_id.value in self._out_of_reach:
            return
        if target_ticks is None:
            self._withdraw(quote)
            return
        better_ticks = quote.price_ticks - target_ticks if quote.side == BUY else target_ticks - quote.price_ticks
        if abs(better_ticks) * 2 * _PPM < sum_ticks * self.config.requote_ppm:
            return
        is_endangered = better_ticks * 4 * _PPM >= sum_ticks * self.config.edge_ppm
        is_young = now_ns - quote.sent_ns < self.config.order_age_min_ms * _NS_PER_MS
        if is_young and not is_endangered:
            return
        if self._is_budget_used(pair):
            if is_endangered:
                self._withdraw(quote)
        elif self.config.requote == "amend":
            if order.status in _RESTING:
                self.move(order, price_ticks=target_ticks)
                quote.price_ticks, quote.sent_ns = target_ticks, now_ns
        else:
            self._withdraw(quote)
            if self._may_place(pair, quote):
                self._place(pair, quote, target_ticks, now_ns)

    def _may_place(self, pair: _Pair, quote: _Quote) -> bool:
        """Whether a new order is wise beside what may still be there."""
        quote.left = [order for order in quote.left if not order.is_closed]
        if quote.left:
            return False
        if quote.leaving:
            if self.config.requote != "cancel" or len(quote.leaving) > self.config.leaving_max:
                return False
            if any(order.client_order_id.value in self._out_of_reach for order in quote.leaving):
                return False
        return not self._is_budget_used(pair)

    def _is_budget_used(self, pair: _Pair) -> bool:
        return bool(self.rate_budget_used(pair.instrument_id) > self.config.budget_share_max)

    def _place(self, pair: _Pair, quote: _Quote, price_ticks: int, now_ns: int) -> None:
        send = self.buy if quote.side == BUY else self.sell
        quote.order = send(pair.instrument_id, pair.rule.qty_lots, price_ticks, post_only=True)
        quote.price_ticks, quote.sent_ns = price_ticks, now_ns

    def _withdraw(self, quote: _Quote) -> None:
        order, quote.order = quote.order, None
        if order is not None and not order.is_closed:
            quote.leaving.append(order)
            quote.canceled_ns = self.clock.timestamp_ns()
            self.cancel_order(order)

    def _chase(self, quote: _Quote, now_ns: int) -> None:
        """Forget the orders that are gone; cancel again, after a while, those whose cancel was refused."""
        quote.leaving = [order for order in quote.leaving if not order.is_closed]
        quote.again = [order for order in quote.again if not order.is_closed]
        if now_ns - quote.canceled_ns < self.config.cancel_again_ms * _NS_PER_MS:
            return
        quote.canceled_ns = now_ns
        for order in quote.leaving:
            if order.status in _RESTING and order.client_order_id.value not in self._out_of_reach:
                self.cancel_order(order)

    # ------------------------------------------------------------------------------------------------- what happened

    def on_order_filled(self, event: OrderFilled) -> None:
        pair = self._pairs[event.instrument_id.symbol.value]
        lots = self.bridge(event.instrument_id).lots(event.last_qty)
        pair.position_lots += lots if event.order_side == OrderSide.BUY else -lots

    def on_order_modify_rejected(self, event: OrderModifyRejected) -> None:
        for quote in self._pairs[event.instrument_id.symbol.value].quotes:
            if quote.order is not None and quote.order.client_order_id == event.client_order_id:
                quote.price_ticks = self.bridge(event.instrument_id).ticks(quote.order.price)

    def on_order_cancel_rejected(self, event: OrderCancelRejected) -> None:
        """Cancel again at once, once for an order; after that it is the book's turn, see ``_chase``."""
        if event.client_order_id.value in self._out_of_reach:
            return
        for quote in self._pairs[event.instrument_id.symbol.value].quotes:
            for order in quote.leaving:
                is_meant = order.client_order_id == event.client_order_id
                if is_meant and order.status in _RESTING and order not in quote.again:
                    quote.again.append(order)
                    self.cancel_order(order)

    def on_order_reach_changed(self, event: OrderReachChanged) -> None:
        if event.reach:
            self._out_of_reach.discard(event.cl_ord_id)
        else:
            self._out_of_reach.add(event.cl_ord_id)
