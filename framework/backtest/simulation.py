"""Both ends of a simulated run and the road between them, built from its configuration, and time passing in it.

Whoever runs it says how far time goes: a backtest to the market's end at once, a paper run as far as the machine's
clock has come. Cutting time into pieces changes nothing of what happens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from framework.backtest.config import RunConfig
from framework.backtest.engine import Engine
from framework.backtest.faults import schedule_faults
from framework.backtest.feeds import Feeds, RunDataClient
from framework.backtest.history import MarketHistory
from framework.backtest.loading import (
    check_tier,
    load_markets,
    load_profile,
    resolve_road,
    starting_balances,
)
from framework.backtest.marks import fill_marks, touch_table
from framework.backtest.recorder import RunRecorder
from framework.backtest.run_writer import QueueRow, RunTables, run_inputs, write_run
from framework.backtest.sim_link import Gateway, SimLink
from framework.backtest.strategy_file import load_strategy
from framework.backtest.walked import give_back_walked
from framework.data.columns import Market
from framework.errors import ConfigError
from framework.execution.link import DeskTee
from framework.execution.policy import DeskPolicy
from framework.protocol import LatencySpec, VenueProfile
from framework.protocol import Protocol as Wire
from framework.strategy import Strategy
from framework.trader.trader import Trader
from framework.venue.account import AccountConfig
from framework.venue.exchange import Venue
from framework.venue.kernel import UNKNOWN_AHEAD, KernelOptions, MatchingKernel, QueueModel
from framework.venue.latency import CompiledLatency, compile_latency
from framework.venue.path import Path as RoadPath
from framework.venue.scheduler import Scheduler
from framework.venue.served.market import EndlessMarket
from framework.venue.streams import stream_key

__all__ = ["Simulation"]

_MS = 1_000_000
_ACCOUNT = "account"


class Simulation:
    """One simulated run.

    markets and strategy may be given in place of those that the configuration names, to share a loaded market among
    runs or to run a strategy object. is_endless: each market begins again when its rows are over; its time columns are
    then moved, so they must be the run's own (``market_from``). journaled: makes who stands between the desk and those
    who hear of its orders, once links and recorder are there.
    trade_from_ns: when the strategy starts. link_type: what its links are.
    """

    link_type: type[SimLink] = SimLink

    def __init__(
        self,
        config: RunConfig,
        *,
        markets: Sequence[Market] | None = None,
        strategy: Strategy | None = None,
        profile: VenueProfile | None = None,
        is_endless: bool = False,
        journaled: Callable[[Simulation], DeskTee] | None = None,
    ) -> None:
        self.config = config
        self._journaled = journaled
        self.markets = list(markets) if markets is not None else load_markets(config.market)
        self.profile = load_profile(config.venue.profile, config.venue.switches, profile)
        check_tier(self.profile, config.venue.tier)
        self.road, policy = resolve_road(self.profile, config.road)
        self.strategy = strategy if strategy is not None else load_strategy(config.strategy)
        self.recorder = RunRecorder()
        self._starts_ns = [int(market.columns.ts_event_ns[0]) for market in self.markets]
        self._first_ns = min(self._starts_ns)
        self._last_ns = max(int(market.columns.ts_event_ns[-1]) for market in self.markets)
        self.trade_from_ns = self._first_ns + round(config.market.start_s * 1_000_000_000)
        self.scheduler = Scheduler(self._first_ns)
        self.kernel = self._make_kernel()
        self._endless = EndlessMarket(self.kernel, self.markets) if is_endless else None
        balances = starting_balances(config, self.markets)
        self.venue = Venue(
            self.venue_profile(),
            self.kernel,
            [market.spec for market in self.markets],
            [
                AccountConfig(
                    name=_ACCOUNT,
                    balances=balances,
                    tier=config.venue.tier,
                    volume_30d_usd=Decimal(config.venue.volume_30d_usd),
                )
            ],
        )
        self.venue.observer = self.recorder
        self.gateway = Gateway(self.venue)
        self.links = {name: self._make_link(name, name in policy.news_links()) for name in policy.link_names()}
        self._queue_rows: list[QueueRow] = []
        self._build_trader(policy, balances)
        self.engine = Engine(self.kernel, self.venue, self.gateway, self.scheduler, self.feeds, self.trader.clocks)

    # ------------------------------------------------------------------------------------------------- building

    def venue_profile(self) -> VenueProfile:
        """The profile by which the venue acts; the trader's side keeps to ``profile``."""
        return self.profile

    def feed_latency(self) -> CompiledLatency | None:
        """How long market data takes to the strategy; None for what was measured when the market was recorded."""
        return compile_latency(self._scaled(self._latency(self.road.submit).feed))

    def told_lots(self) -> Sequence[npt.NDArray[np.int64] | None] | None:
        """For each market the quantities that its feed tells; None for those that its engine holds."""
        return None

    def _make_kernel(self) -> MatchingKernel:
        market = self.config.market
        options = KernelOptions(
            queue_parameter=market.queue_parameter,
            trades_share_ppm=market.trades_share_ppm,
            trades_spread_ticks=market.trades_spread_ticks,
        )
        return MatchingKernel(
            self.markets,
            queue_model=_queue_model(market.queue_model),
            options=options,
            feed_latency=self.feed_latency(),
            told_lots=self.told_lots(),
            feed_key=stream_key(self.config.run.seed, f"latency.{self.road.submit}.feed"),
        )

    def _latency(self, protocol: Wire) -> Any:
        tier = self.profile.latency_tier(self.road.latency_tier)
        link = tier.links.get(protocol)
        if link is None:
            raise ConfigError(f"latency tier {tier.name!r} has no {protocol}; it has {', '.join(map(str, tier.links))}")
        return link

    def _scaled(self, spec: LatencySpec) -> LatencySpec:
        scale = self.config.road.latency_scale
        if scale == 1.0:
            return spec
        return msgspec.structs.replace(
            spec, median_us=spec.median_us * scale, floor_us=spec.floor_us * scale, spike_ms=spec.spike_ms * scale
        )

    def _make_link(self, name: str, is_news: bool) -> SimLink:
        try:
            protocol = Wire(name)
            profile = self.profile.protocols[protocol]
        except (ValueError, KeyError):
            known = ", ".join(str(label) for label in self.profile.protocols)
            raise ConfigError(f"[road] link {name!r} is no protocol of {self.profile.name}; it has {known}") from None
        latency = self._latency(protocol)
        seed = self.config.run.seed

        def path(kind: str, ordering: Any, spec: LatencySpec) -> RoadPath:
            return RoadPath(
                ordering=ordering,
                balanced_paths=profile.balanced_paths,
                seed=seed,
                name=f"latency.{name}.{kind}",
                table=compile_latency(self._scaled(spec)),
            )

        command = path("command", profile.ordering_command, latency.command)
        response = path("response", profile.ordering_response, latency.response)
        news = response if profile.is_one_stream else path("news", profile.ordering_news, latency.response)
        return self.link_type(
            name,
            profile,
            _ACCOUNT,
            self.scheduler,
            self.venue,
            self.gateway,
            command,
            response,
            news,
            is_news,
            self.config.road.is_cancel_on_disconnect,
        )

    def _build_trader(self, policy: DeskPolicy, balances: dict[str, Decimal]) -> None:
        self.trader = trader = Trader(
            self.profile, [market.spec for market in self.markets], self.strategy, self.scheduler
        )
        nautilus = trader.nautilus
        self.feeds = Feeds(self.kernel, trader.bridges(), nautilus.data_engine, self.config.market.trades_spread_ticks)
        data_client = RunDataClient(
            trader.venue_name, trader.bridge_by_id, self.feeds, nautilus.msgbus, nautilus.cache, nautilus.clock
        )
        tee: DeskTee = self.recorder if self._journaled is None else self._journaled(self)
        trader.connect(
            self.links,
            policy,
            self.config.venue.tier,
            balances,
            self.feeds,
            data_client,
            tee,
            self.config.limits,
            tee.listen,
        )
        self.desk, self.client = trader.desk, trader.client

    # ------------------------------------------------------------------------------------------------- running

    @property
    def span_ns(self) -> tuple[int, int]:
        """The market's first and last time, nanoseconds since the epoch; of an endless one, of its first pass."""
        return self._first_ns, self._last_ns

    def begin(self) -> None:
        """Start everything at the market's first instant; nothing has happened yet."""
        self.trader.set_time(self._first_ns)
        self.trader.start()
        schedule_faults(
            self.config.faults,
            self._first_ns,
            self.scheduler,
            self.links,
            self.venue,
            self.gateway,
            self.recorder,
        )
        if self.config.run.queue_sample_ms:
            self.scheduler.at(self.trade_from_ns, self._sample_queue)
        self.scheduler.at(self.trade_from_ns, self.trader.start_strategy)
        if self._endless is None:
            for market in self.markets:
                give_back_walked(market.columns, self.scheduler)
        else:
            self.scheduler.at(self._endless.next_seam_ns(), self._pass_seam, self._endless)

    def run_until(self, now_ns: int) -> None:
        """Let time pass up to an instant, that instant included."""
        self.engine.run(now_ns)

    def end(self) -> None:
        """Stop the strategy and the desk; nothing happens any more."""
        self.trader.stop()

    def _pass_seam(self, endless: EndlessMarket) -> None:
        endless.pass_seams(self.scheduler.now_ns)
        self.scheduler.at(endless.next_seam_ns(), self._pass_seam, endless)

    def _sample_queue(self) -> None:
        """Write down the queue place of each order that rests in the book."""
        now_ns = self.scheduler.now_ns
        kernel, rows = self.kernel, self._queue_rows
        for order in self.venue.resting_orders():
            assert order.limit_ticks is not None
            slot = order.slot
            ahead_lots = kernel.ahead(slot)
            if ahead_lots < UNKNOWN_AHEAD:
                level_lots = kernel.level(order.pair.index, order.side, order.limit_ticks)
                rows.append((now_ns, order.cl_ord_id, ahead_lots, kernel.leaves(slot), level_lots))
        self.scheduler.at(now_ns + self.config.run.queue_sample_ms * _MS, self._sample_queue)

    # ------------------------------------------------------------------------------------------------- results

    def histories(self, end_ns: int | None = None) -> list[MarketHistory]:
        """What was played of each market. end_ns: when the run ended; None for the market's end."""
        counts = [1] * len(self.markets) if self._endless is None else self._endless.pass_counts
        return [
            MarketHistory(market=market, first_ns=first_ns, pass_count=count, end_ns=end_ns)
            for market, first_ns, count in zip(self.markets, self._starts_ns, counts, strict=True)
        ]

    def events(self, histories: Sequence[MarketHistory] | None = None) -> pa.Table:
        """The run's events, ``EVENT_SCHEMA``. histories: of its markets, if it did not end with them."""
        played = self.histories() if histories is None else histories
        return self.recorder.table(fill_marks(played, [fill for _, fill in self.recorder.fills]))

    def write(self, out: Path, *, end_ns: int | None = None, more: dict[str, Any] | None = None) -> Path:
        """Write the run folder; returns it. It is there in full or not at all; a former run there is replaced.

        end_ns: when the run ended, if not with its market. more: further tables of ``run.toml``. Raises OutputError for
        a folder that holds other things, and if a file cannot be written.
        """
        histories = self.histories(end_ns)
        markets = [history.identity() for history in histories]
        inputs = run_inputs(self.config, self.profile, self.road, markets) | (more or {})
        touch = touch_table(histories, self.config.run.touch_sample_ms)
        return write_run(out, inputs, RunTables(self.events(histories), touch, self._queue_rows))


def _queue_model(name: str) -> QueueModel:
    try:
        return QueueModel[name.upper().replace("-", "_")]
    except KeyError:
        known = ", ".join(model.name.lower().replace("_", "-") for model in QueueModel)
        raise ConfigError(f'[market] queue_model = "{name}"; it must be one of {known}') from None
