"""The market maker on this framework."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from framework.backtest.config import MarketSection, RoadSection, RunConfig, RunSection, StrategySection, VenueSection
from framework.backtest.runner import Backtest
from framework.book import BookView
from framework.data.columns import Market
from framework.protocol import LatencySpec, LinkLatency, VenueProfile
from framework.strategy import Strategy, StrategyConfig
from tests.benchmarks.quoting import INTERVAL_NS, Rules, targets

__all__ = ["Maker", "Refresher", "backtest", "profile_with"]


class Maker(Strategy):
    """Quotes on a conflated book; counts what it does.

    form: "interval" looks at fixed times, "touch" at each change of a best price or of the quantity at it.
    """

    def __init__(self, rules: Rules, form: str = "interval") -> None:
        super().__init__(StrategyConfig())
        self._rules = rules
        self._form = form
        self._own: list[tuple[Any, int] | None] = [None, None]
        self._position_lots = 0
        self.submits = self.cancels = self.fills = self.wakes = 0

    def on_start(self) -> None:
        self._instrument = self.instrument_ids[0]
        self._bridge = self.bridge(self._instrument)
        self.subscribe_book(self._instrument, on=self._form, interval_ms=INTERVAL_NS // 1_000_000)

    def on_book(self, book: BookView) -> None:
        self.wakes += 1
        bid, ask = book.bid_ticks, book.ask_ticks
        if bid is None or ask is None:
            return
        own = self._own
        for side in (0, 1):
            kept = own[side]
            if kept is not None and kept[0].is_closed:
                own[side] = None
        prices = [None if kept is None else kept[1] for kept in own]
        wanted = targets(bid, ask, prices[0], prices[1], self._position_lots, self._rules)
        for side in (0, 1):
            target = wanted[side]
            if target == prices[side]:
                continue
            kept = own[side]
            if kept is not None:
                self.cancel_order(kept[0])
                self.cancels += 1
                own[side] = None
            if target is not None:
                submit = self.sell if side else self.buy
                own[side] = (submit(self._instrument, self._rules.qty_lots, target, post_only=True), target)
                self.submits += 1

    def on_order_filled(self, event: Any) -> None:
        self.fills += 1
        lots = self._bridge.lots(event.last_qty)
        self._position_lots += lots if event.is_buy else -lots


class Refresher(Strategy):
    """Replaces two orders far from the market at every so many looks: the cost of orders, and of nothing else."""

    def __init__(self, looks: int) -> None:
        super().__init__(StrategyConfig())
        self._looks = looks
        self._own: list[Any] = []
        self.submits = self.cancels = self.fills = self.wakes = 0

    def on_start(self) -> None:
        self.subscribe_book(self.instrument_ids[0], on="interval", interval_ms=INTERVAL_NS // 1_000_000)

    def on_book(self, book: BookView) -> None:
        self.wakes += 1
        bid, ask = book.bid_ticks, book.ask_ticks
        if self.wakes % self._looks or bid is None or ask is None:
            return
        for order in self._own:
            self.cancel_order(order)
            self.cancels += 1
        instrument = self.instrument_ids[0]
        self._own = [
            self.buy(instrument, 4_000_000, bid - 5_000, post_only=True),
            self.sell(instrument, 4_000_000, ask + 5_000, post_only=True),
        ]
        self.submits += 2

    def on_order_filled(self, event: Any) -> None:
        self.fills += 1


def profile_with(profile: VenueProfile, latency: LatencySpec) -> VenueProfile:
    """The profile with one latency for everything, and rate counters that count but never refuse."""
    link = LinkLatency(command=latency, response=latency, feed=latency)
    tiers = tuple(replace(tier, links=dict.fromkeys(tier.links, link)) for tier in profile.latency_tiers)
    accounts = tuple(replace(tier, threshold=tier.threshold * 100_000) for tier in profile.tiers)
    return replace(profile, latency_tiers=tiers, tiers=accounts)


def backtest(market: Market, strategy: Strategy, profile: VenueProfile, road: str = "ws2") -> Backtest:
    """A run that is ready to start."""
    config = RunConfig(
        strategy=StrategySection(path="tidegate_side.py"),
        run=RunSection(seed=1),
        market=MarketSection(),
        venue=VenueSection(tier="pro"),
        road=RoadSection(name=road),
    )
    return Backtest(config, markets=[market], strategy=strategy, profile=profile)
