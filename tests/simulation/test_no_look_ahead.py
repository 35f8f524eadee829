"""Nothing is known before it happened: what comes after an instant changes nothing before it.

And the feed is for the strategy's eyes only: its latency moves what the strategy sees, not what the engine does.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kraken.profile import PROFILE
from framework.backtest.config import (
    FaultSection,
    MarketSection,
    RoadSection,
    RunConfig,
    RunSection,
    StrategySection,
)
from framework.backtest.runner import Backtest
from framework.data.columns import TRADE, Columns, Market
from framework.data.synthetic import synthetic_l2, synthetic_market
from framework.protocol import VenueProfile
from framework.strategy import Strategy, StrategyConfig

DURATION_S = 20
MARKETS: dict[int, Market] = {seed: synthetic_market(seed, DURATION_S) for seed in (1, 2)}

# Columns of the event log that look into the future on purpose: the market after a fill.
HINDSIGHT = [f"{side}_{horizon}s_ticks" for side in ("bid", "ask") for horizon in (1, 10, 60)]


class Quoter(Strategy):
    """Follows the touch with small orders: what it does depends on all that it saw."""

    def __init__(self, is_blind: bool = False) -> None:
        super().__init__(StrategyConfig())
        self.is_blind = is_blind
        self.count = 0
        self.live: list[Any] = []

    def on_start(self) -> None:
        self.pair = self.instrument_ids[0]
        if self.is_blind:
            self.clock.set_timer_ns("beat", 250_000_000, 0, 0, lambda _: self.act(*self.anchor()))
        else:
            self.subscribe_book(self.pair, on="touch")

    def anchor(self) -> tuple[int, int]:
        """Prices that do not come from the feed: around the first trade of the market's recording."""
        columns = self._port.market._kernel.markets[0].columns  # type: ignore[union-attr]
        ticks = int(columns.price_ticks[np.flatnonzero(columns.kind == TRADE)[0]])
        return ticks - self.count % 7, ticks + self.count % 5

    def on_book(self, book: Any) -> None:
        if book.bid_ticks is not None and book.ask_ticks is not None:
            self.act(book.bid_ticks, book.ask_ticks)

    def act(self, bid_ticks: int, ask_ticks: int) -> None:
        self.count += 1
        if self.count % 3:
            return
        self.live = [order for order in self.live if not order.is_closed]
        if len(self.live) > 6:
            self.cancel_order(self.live.pop(0))
        elif self.rate_budget_used(self.pair) < 0.6:
            self.live.append(self.buy(self.pair, 10**6, bid_ticks))
            self.live.append(self.sell(self.pair, 2 * 10**6, ask_ticks))


def _events(market: Market, seed: int, road: str = "ws2", profile: VenueProfile = PROFILE, **blind: bool) -> Backtest:
    config = RunConfig(
        strategy=StrategySection(path="none.py"),
        run=RunSection(seed=seed),
        market=MarketSection(),
        road=RoadSection(name=road),
        faults=(FaultSection(kind="drop", link="all", at_s=11.0, for_s=2.0),),
    )
    backtest = Backtest(config, markets=[market], strategy=Quoter(**blind), profile=profile)
    backtest.run()
    backtest.venue.check_invariants()
    return backtest


def _before(backtest: Backtest, ts_ns: int) -> list[dict[str, Any]]:
    """The log as it stood at an instant: later arrivals, answers and marks blanked, later rows left out.

    Reports, sessions and events of the desk are written when they are learned, all else when it happens.
    """
    stood = []
    for row in backtest.events().drop_columns(HINDSIGHT).to_pylist():
        is_learned = row["kind"] in ("report", "session", "desk")
        written = ("ts_learned_ns",) if is_learned else ("ts_sent_ns", "ts_venue_ns")
        if min(row[name] for name in written if row[name] is not None) >= ts_ns:
            continue
        if (row["ts_arrived_ns"] or ts_ns) >= ts_ns:
            for name in ("ts_arrived_ns", "is_queue_kept", "counter", "counter_threshold", "reject_reason"):
                row[name] = None
        if (row["ts_learned_ns"] or ts_ns) >= ts_ns:
            for name in ("ts_learned_ns", "outcome", "reject_reason", "text"):
                row[name] = None
            row["link"] = None if row["kind"] == "fill" else row["link"]
        stood.append(row)
    return stood


def _altered(market: Market, at_s: float, seed: int) -> tuple[Market, int]:
    """The market with everything from an instant on made another: the rows of the rest are thrown away, and a market of
    another seed, shifted in time, takes their place. By levels, since order ids of two markets do not mix.
    """
    levels, other = synthetic_l2(market), synthetic_l2(synthetic_market(1_000 + seed, DURATION_S))
    first_ns = int(levels.columns.ts_event_ns[0])
    ts_ns = first_ns + int(at_s * 1e9)
    cut = int(np.searchsorted(levels.columns.ts_event_ns, ts_ns))
    shift_ns = first_ns - int(other.columns.ts_event_ns[0])
    start = int(np.searchsorted(other.columns.ts_event_ns + shift_ns, ts_ns))
    parts = {}
    for name in levels.columns.__struct_fields__:
        mine, theirs = getattr(levels.columns, name), getattr(other.columns, name)
        if name.startswith("ts_"):
            theirs = theirs + shift_ns
        parts[name] = np.concatenate([mine[:cut], theirs[start:]])
    return msgspec.structs.replace(levels, columns=Columns(**parts)), ts_ns


@pytest.mark.parametrize("road", ["rest", "ws2", "fix"])
@pytest.mark.parametrize(("seed", "at_s"), [(1, 3.0), (1, 12.1), (2, 10.9), (2, 17.0)])
def test_another_future_changes_nothing_of_the_log_before_it(road: str, seed: int, at_s: float) -> None:
    altered, ts_ns = _altered(MARKETS[seed], at_s, seed)
    as_recorded = _before(_events(synthetic_l2(MARKETS[seed]), seed, road), ts_ns)
    with_another_future = _before(_events(altered, seed, road), ts_ns)
    assert len(as_recorded) > 5
    assert as_recorded == with_another_future


@settings(max_examples=8, deadline=None)
@given(at_s=st.floats(1.0, 19.0), seed=st.sampled_from([1, 2]))
def test_no_future_at_all_changes_nothing_of_the_log_before_it(at_s: float, seed: int) -> None:
    """The market by order, cut off: the run ends there, and what it wrote until then is the same."""
    market = MARKETS[seed]
    first_ns = int(market.columns.ts_event_ns[0])
    ts_ns = first_ns + int(at_s * 1e9)
    cut = int(np.searchsorted(market.columns.ts_event_ns, ts_ns)) + 1
    parts = {name: getattr(market.columns, name)[:cut] for name in market.columns.__struct_fields__}
    short = msgspec.structs.replace(market, columns=Columns(**parts))
    assert _before(_events(market, seed), ts_ns) == _before(_events(short, seed), ts_ns)


def test_another_future_does_change_the_log_after_it() -> None:
    altered, ts_ns = _altered(MARKETS[1], 10.0, 1)
    later_ns = ts_ns + 10_000_000_000
    assert _before(_events(synthetic_l2(MARKETS[1]), 1), later_ns) != _before(_events(altered, 1), later_ns)


# ------------------------------------------------------------------------------------------------- feed


def _with_feed_scale(scale: float) -> VenueProfile:
    replace = msgspec.structs.replace

    def scaled(link: Any) -> Any:
        feed = link.feed
        return replace(link, feed=replace(feed, median_us=feed.median_us * scale, floor_us=feed.floor_us * scale))

    tiers = tuple(
        replace(tier, links={name: scaled(link) for name, link in tier.links.items()}) for tier in PROFILE.latency_tiers
    )
    return replace(PROFILE, latency_tiers=tiers)


def _fills(backtest: Backtest) -> list[tuple[Any, ...]]:
    names = ("cl_ord_id", "ts_venue_ns", "price_ticks", "qty_lots", "is_maker", "fee", "ts_learned_ns")
    return [tuple(row[name] for name in names) for row in backtest.events().to_pylist() if row["kind"] == "fill"]


@pytest.mark.parametrize("road", ["ws2", "fix"])
def test_twice_the_feed_latency_changes_no_fill_of_a_strategy_that_ignores_the_feed(road: str) -> None:
    once = _events(MARKETS[1], 1, road, _with_feed_scale(1.0), is_blind=True)
    twice = _events(MARKETS[1], 1, road, _with_feed_scale(2.0), is_blind=True)
    assert len(_fills(once)) > 5
    assert once.events().equals(twice.events())


def test_twice_the_feed_latency_changes_what_a_strategy_does_that_follows_the_feed() -> None:
    once = _events(MARKETS[1], 1, "ws2", _with_feed_scale(1.0))
    twice = _events(MARKETS[1], 1, "ws2", _with_feed_scale(40.0))
    assert _fills(once) != _fills(twice)
