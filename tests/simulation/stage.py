"""Small stages for whole-stack tests: a hand-made market, a scripted strategy, a run.

The market: BTC/USD, tick 0.1, lot 1e-8, a still book of two levels a side around 100.0 / 100.1 (1000 and 1001 ticks),
rewritten every 100 ms so that time passes, and whatever rows a test adds. Times in a test are seconds after the start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace
from nautilus_trader.model.identifiers import InstrumentId

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
from framework.data.columns import COLUMN_TYPES, LAST, LEVEL, TRADE, Columns, Market
from framework.protocol import BUY, SELL, InstrumentSpec, LatencySpec, LinkLatency, VenueProfile
from framework.strategy import Strategy, StrategyConfig

START_NS = 1_700_000_000_000_000_000
SPEC = InstrumentSpec(
    symbol="BTC/USD",
    venue="synthetic",
    tick_size="0.1",
    lot_size="0.00000001",
    min_qty_lots=5_000,
    min_cost="0.5",
    cost_decimals=5,
)
BTC = 10**8  # lots of one bitcoin

# Best bid and ask of the still book, in ticks, and the quantity at each level, in lots.
BID, ASK, LEVEL_LOTS = 1_000, 1_001, 5 * BTC

Row = tuple[float, int, int, int, int]


def level(at_s: float, side: int, price_ticks: int, qty_lots: int) -> Row:
    """A row that sets the quantity at a price."""
    return (at_s, LEVEL, side, price_ticks, qty_lots)


def trade(at_s: float, aggressor: int, price_ticks: int, qty_lots: int) -> Row:
    """A row of a trade."""
    return (at_s, TRADE, aggressor, price_ticks, qty_lots)


def still_market(
    rows: Sequence[Row] = (), duration_s: float = 60.0, *, start_ns: int = START_NS, beat_s: float = 0.1
) -> Market:
    """The still book for a time, with rows added at their times (each a message of its own).

    beat_s: how often it is rewritten.
    """
    book: list[Row] = [
        level(0.0, side, price, LEVEL_LOTS)
        for side, prices in ((BUY, (BID - 1, BID)), (SELL, (ASK, ASK + 1)))
        for price in prices
    ]
    ticks = [level(i * beat_s, BUY, BID - 50, BTC + i % 2) for i in range(1, round(duration_s / beat_s) + 1)]
    every = sorted([*book, *ticks, *rows], key=lambda row: row[0])
    count = len(every)
    columns: dict[str, Any] = {name: np.zeros(count, dtype) for name, dtype in COLUMN_TYPES.items()}
    for i, (at_s, kind, side, price_ticks, qty_lots) in enumerate(every):
        ts_ns = start_ns + round(at_s * 1_000_000_000)
        columns["ts_event_ns"][i] = columns["ts_recv_ns"][i] = ts_ns
        columns["kind"][i], columns["side"][i] = kind, side
        columns["price_ticks"][i], columns["qty_lots"][i] = price_ticks, qty_lots
        columns["flags"][i] = LAST
    columns["order_id"] = np.zeros(0, np.int64)
    return Market(spec=SPEC, columns=Columns(**columns), depth="L2", has_trades=True)


class Script(Strategy):
    """A strategy that does what a test says, when it says, and remembers every event that it hears.

    steps: (seconds, action); an action gets the strategy. ``self.heard`` is [(seconds, event)].
    start_ns: the market's first instant, which the seconds count from.
    """

    def __init__(
        self, steps: Sequence[tuple[float, Callable[[Script], Any]]] = (), *, start_ns: int = START_NS
    ) -> None:
        super().__init__(StrategyConfig())
        self._steps = list(steps)
        self._start_ns = start_ns
        self.heard: list[tuple[float, Any]] = []
        self.orders: dict[str, Any] = {}

    @property
    def btc(self) -> InstrumentId:
        """The instrument of the stage."""
        return self.instrument_ids[0]

    @property
    def now_s(self) -> float:
        """Seconds after the start."""
        return round((self.clock.timestamp_ns() - self._start_ns) / 1e9, 6)

    def on_start(self) -> None:
        for index, (at_s, action) in enumerate(self._steps):
            ts_ns = self._start_ns + round(at_s * 1_000_000_000)
            self.clock.set_time_alert_ns(f"step-{index}", ts_ns, lambda _, action=action: action(self))

    def on_event(self, event: Any) -> None:
        self.heard.append((self.now_s, event))

    def handle_road_event(self, event: Any) -> None:
        self.heard.append((self.now_s, event))
        super().handle_road_event(event)

    def events(self, name: str) -> list[tuple[float, Any]]:
        """What was heard of one kind, by the name of its type."""
        return [(at_s, event) for at_s, event in self.heard if type(event).__name__ == name]

    def names(self, *wanted: str) -> list[str]:
        """The names of the events heard, in order; of the wanted ones only if any are named."""
        names = [type(event).__name__ for _, event in self.heard]
        return [name for name in names if not wanted or name in wanted]


def fixed_latency(profile: VenueProfile, ms: float, feed_ms: float = 0.0) -> VenueProfile:
    """The profile with one constant latency for commands and responses of every link, so that times can be told."""
    spec = LatencySpec(kind="constant", median_us=ms * 1_000)
    feed = LatencySpec(kind="constant", median_us=feed_ms * 1_000)
    tiers = tuple(
        replace(tier, links={name: LinkLatency(command=spec, response=spec, feed=feed) for name in tier.links})
        for tier in profile.latency_tiers
    )
    return replace(profile, latency_tiers=tiers)


def rows(backtest: Backtest, **wanted: Any) -> list[dict[str, Any]]:
    """The rows of the event log with these values."""
    table = backtest.events().to_pylist()
    return [row for row in table if all(row[name] == value for name, value in wanted.items())]


def run(
    script: Strategy,
    *,
    market: Market | None = None,
    profile: VenueProfile,
    road: RoadSection | str = "ws2",
    faults: Sequence[FaultSection] = (),
    switches: dict[str, str] | None = None,
    seed: int = 1,
    tier: str = "intermediate",
) -> Backtest:
    """Run a script on the stage; returns the backtest after its end, invariants of the venue checked."""
    config = RunConfig(
        strategy=StrategySection(path="stage.py"),
        run=RunSection(seed=seed),
        market=MarketSection(),
        venue=VenueSection(switches=switches or {}, tier=tier),
        road=RoadSection(name=road) if isinstance(road, str) else road,
        faults=tuple(faults),
    )
    backtest = Backtest(
        config, markets=[market if market is not None else still_market()], strategy=script, profile=profile
    )
    backtest.run()
    backtest.venue.check_invariants()
    return backtest
