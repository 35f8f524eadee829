"""Running one configuration: builds the two ends and the road between them, lets time pass, writes the run folder."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from nautilus_trader.model.identifiers import InstrumentId

from framework.backtest.books import KernelBook
from framework.backtest.config import RunConfig
from framework.backtest.engine import Engine
from framework.backtest.faults import check_faults, schedule_faults
from framework.backtest.feeds import Feeds, SimDataClient
from framework.backtest.loading import (
    check_tier,
    load_markets,
    load_profile,
    resolve_road,
    starting_balances,
)
from framework.backtest.log_hash import event_log_sha256
from framework.backtest.marks import fill_marks, touch_table
from framework.backtest.metrics import write_summary
from framework.backtest.nautilus_parts import NautilusParts
from framework.backtest.order_path import OrderPath
from framework.backtest.placing import check_run_place, replacing_run
from framework.backtest.recorder import RunRecorder
from framework.backtest.results import QUEUE_SCHEMA
from framework.backtest.sim_link import Gateway, SimLink
from framework.backtest.strategy_file import load_strategy, raise_as_strategy_error
from framework.backtest.walked import give_back_walked
from framework.data.columns import Market
from framework.errors import ConfigError, TidegateError
from framework.execution.budget import RateBudget
from framework.execution.desk import ExecutionDesk
from framework.execution.events import RateBudgetChanged, RoadEvent
from framework.execution.instruments import InstrumentBridge
from framework.execution.nautilus_client import DeskExecutionClient
from framework.execution.policy import DeskPolicy
from framework.messages import AddOrder
from framework.protocol import LatencySpec, Protocol, VenueProfile
from framework.strategy import Strategy
from framework.venue.account import AccountConfig
from framework.venue.exchange import Venue
from framework.venue.kernel import UNKNOWN_AHEAD, KernelOptions, MatchingKernel, QueueModel
from framework.venue.latency import compile_latency
from framework.venue.path import Path as RoadPath
from framework.venue.scheduler import Scheduler
from framework.venue.streams import stream_key

__all__ = ["Backtest", "run_backtest"]

_MS = 1_000_000
# NautilusTrader's account is told new balances so long after a fill, once for all fills until then.
_BALANCES_MS = 5_000
_ACCOUNT = "account"
# So many objects, of those that Python's collector follows, are made before it looks for cycles among them.
_COLLECT_AFTER = 500_000


class Backtest:
    """One simulation, built from its configuration; ``run`` lets it happen, ``write`` leaves the run folder.

    markets and strategy may be given in place of those that the configuration names, to share a loaded market among
    runs or to run a strategy object.
    """

    def __init__(
        self,
        config: RunConfig,
        *,
        markets: Sequence[Market] | None = None,
        strategy: Strategy | None = None,
        profile: VenueProfile | None = None,
    ) -> None:
        self.config = config
        self.markets = list(markets) if markets is not None else load_markets(config.market)
        self.profile = load_profile(config.venue.profile, config.venue.switches, profile)
        check_tier(self.profile, config.venue.tier)
        self.road, policy = resolve_road(self.profile, config.road)
        self.strategy = strategy if strategy is not None else load_strategy(config.strategy)
        self.recorder = RunRecorder()
        self._first_ns = min(int(market.columns.ts_event_ns[0]) for market in self.markets)
        self._last_ns = max(int(market.columns.ts_event_ns[-1]) for market in self.markets)
        self._trade_from_ns = self._first_ns + round(config.market.start_s * 1_000_000_000)
        self.scheduler = Scheduler(self._first_ns)
        self.kernel = self._make_kernel()
        balances = starting_balances(config, self.markets)
        self.venue = Venue(
            self.profile,
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
        self.links = {name: self._make_link(name, name == policy.news) for name in policy.link_names()}
        self._queue_rows: list[tuple[int, str, float, int, int]] = []
        self._build_trader(policy, balances)

    # ------------------------------------------------------------------------------------------------- building

    def _make_kernel(self) -> MatchingKernel:
        feed = self._latency(self.road.submit).feed
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
            feed_latency=compile_latency(self._scaled(feed)),
            feed_key=stream_key(self.config.run.seed, f"latency.{self.road.submit}.feed"),
        )

    def _latency(self, protocol: Protocol) -> Any:
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
            protocol = Protocol(name)
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
        return SimLink(
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

    def _build_trader(self, policy: DeskPolicy, balances: Mapping[str, Decimal]) -> None:
        """The strategy's side: NautilusTrader's kernel with our clients, the desk, and the strategy."""
        venue_name = self.profile.name.upper()
        self.nautilus = NautilusParts("TIDEGATE-001")
        self._bridges = [InstrumentBridge(market.spec, venue_name) for market in self.markets]
        self._bridge_by_id = {bridge.instrument_id: bridge for bridge in self._bridges}
        nautilus = self.nautilus
        self.clock = nautilus.clock
        self.feeds = Feeds(self.kernel, self._bridges, nautilus.data_engine, self.config.market.trades_spread_ticks)
        parts = (nautilus.msgbus, nautilus.cache, nautilus.clock)
        for bridge in self._bridges:
            nautilus.cache.add_instrument(bridge.instrument)
        nautilus.data_engine.register_client(SimDataClient(venue_name, self._bridge_by_id, self.feeds, *parts))
        self.client = DeskExecutionClient(
            venue_name,
            {bridge.spec.symbol: bridge for bridge in self._bridges},
            balances,
            *parts,
            self._on_road_event,
            self._schedule_balance,
        )
        nautilus.exec_engine.register_client(self.client)
        budget = RateBudget(
            self.profile.rates,
            self.profile.tier(self.config.venue.tier),
            policy.cancel_reserve_points,
            self._on_budget,
        )
        self.desk = ExecutionDesk(self.links, policy, self.scheduler, self.client, self.recorder, budget)
        self.client.desk = self.desk
        for link in self.links.values():
            link.attach(self.desk.on_report, self.desk.on_session_closed)
        self.strategy.attach(self, self._make_order_path())
        nautilus.trader.add_strategy(self.strategy)
        self._is_balance_scheduled = False

    def _make_order_path(self) -> OrderPath | None:
        """The short way of orders; None for a strategy that wants its positions kept apart."""
        if self.strategy.config.oms_type not in (None, "UNSPECIFIED", "NETTING"):
            return None
        nautilus = self.nautilus
        parts = (nautilus.msgbus, nautilus.cache, nautilus.clock, nautilus.portfolio, nautilus.exec_engine)
        self.client.order_path = path = OrderPath(*parts, self.client)
        return path

    # ------------------------------------------------------------------------------------------------- running

    def run(self) -> None:
        """Let the simulation happen."""
        config = self.config.run
        self.nautilus.clock.set_time(self._first_ns)
        self.strategy.clock.set_time(self._first_ns)
        engine = Engine(
            self.kernel, self.venue, self.gateway, self.scheduler, self.feeds, [self.clock, self.strategy.clock]
        )
        self.nautilus.start()
        self.client.send_balances()
        self.desk.start()
        schedule_faults(
            self.config.faults,
            self._first_ns,
            self.scheduler,
            self.links,
            self.venue,
            self.gateway,
            self.recorder,
        )
        if config.queue_sample_ms:
            self.scheduler.at(self._trade_from_ns, self._sample_queue)
        self.scheduler.at(self._trade_from_ns, self._start_strategy)
        for market in self.markets:
            give_back_walked(market.columns, self.scheduler)
        with _rare_collection():
            engine.run(self._last_ns + 1)
        if self.strategy.is_running:
            self.strategy.stop()
        self.desk.stop()
        self.nautilus.let_go()

    @property
    def span_ns(self) -> tuple[int, int]:
        """The market's first and last time, nanoseconds since the epoch."""
        return self._first_ns, self._last_ns

    def _start_strategy(self) -> None:
        if all(link.is_up for link in self.links.values()):
            self.strategy.start()
        else:  # links are on their way up; a strategy that starts before them could not trade
            self.scheduler.at(self.scheduler.now_ns + _MS, self._start_strategy)

    def _on_budget(self, event: RateBudgetChanged) -> None:
        self.desk.tell(event)

    def _on_road_event(self, event: RoadEvent) -> None:
        self.strategy.handle_road_event(event)

    def _schedule_balance(self) -> None:
        if not self._is_balance_scheduled:
            self._is_balance_scheduled = True
            self.scheduler.at(self.scheduler.now_ns + _BALANCES_MS * _MS, self._send_balances)

    def _send_balances(self) -> None:
        self._is_balance_scheduled = False
        self.client.send_balances()

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

    # ------------------------------------------------------------------------------------------------- strategy port

    def bridge(self, instrument_id: InstrumentId) -> InstrumentBridge:
        """The bridge of an instrument; raises ConfigError for one that is not in the run."""
        bridge = self._bridge_by_id.get(instrument_id)
        if bridge is None:
            known = ", ".join(str(known_id) for known_id in self._bridge_by_id)
            raise ConfigError(f"{instrument_id} is not in this run; it has {known}")
        return bridge

    def bridges(self) -> Sequence[InstrumentBridge]:
        """All instruments of the run."""
        return self._bridges

    def book(self, instrument_id: InstrumentId) -> KernelBook:
        """The delivered book of an instrument."""
        return self.feeds.book(instrument_id)

    def subscribe_book(self, strategy: Strategy, instrument_id: InstrumentId, on: str, interval_ms: int) -> None:
        """Subscribe a strategy to a book."""
        self.feeds.subscribe_book(strategy, instrument_id, on, interval_ms)

    def reach(self, cl_ord_id: str) -> tuple[str, ...]:
        """The links that can cancel an order now."""
        return self.desk.orders[cl_ord_id].reach

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

    # ------------------------------------------------------------------------------------------------- results

    def events(self) -> pa.Table:
        """The run's events, ``EVENT_SCHEMA``."""
        return self.recorder.table(fill_marks(self.markets, [fill for _, fill in self.recorder.fills]))

    def write(self, out: Path) -> Path:
        """Write the run folder; returns it. It is there in full or not at all; a former run there is replaced.

        Raises OutputError for a folder that holds other things, and if a file cannot be written.
        """
        with replacing_run(out) as partial:
            events = self.events()
            pq.write_table(events, partial / "events.parquet")
            pq.write_table(touch_table(self.markets, self.config.run.touch_sample_ms), partial / "touch.parquet")
            columns = [
                pa.array([row[index] for row in self._queue_rows], field.type)
                for index, field in enumerate(QUEUE_SCHEMA)
            ]
            pq.write_table(pa.Table.from_arrays(columns, schema=QUEUE_SCHEMA), partial / "queue.parquet")
            (partial / "run.toml").write_bytes(msgspec.toml.encode(self.inputs()))
            write_summary(partial, event_log_sha256(events))
        return out

    def inputs(self) -> dict[str, Any]:
        """All inputs of the run, with versions and the market's identity."""
        markets = [
            {
                "symbol": market.spec.symbol,
                "venue": market.spec.venue,
                "tick_size": market.spec.tick_size,
                "lot_size": market.spec.lot_size,
                "cost_decimals": market.spec.cost_decimals,
                "depth": market.depth,
                "rows": len(market.columns),
                "first_ts_ns": int(market.columns.ts_event_ns[0]),
                "last_ts_ns": int(market.columns.ts_event_ns[-1]),
            }
            for market in self.markets
        ]
        tier = self.profile.tier(self.config.venue.tier)
        return {
            "config": msgspec.to_builtins(_without_none(self.config)),
            "road": {"name": self.road.name, "title": self.road.title, "latency_tier": self.road.latency_tier},
            "tier": {"name": tier.name, "threshold": tier.threshold, "decay_per_ns": tier.decay_per_ns},
            "markets": markets,
            "versions": {name: version(name) for name in ("tidegate", "nautilus_trader", "numpy", "numba", "pyarrow")},
        }


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Let Python look for reference cycles rarely, and only among what the run makes: a run keeps what it makes, and
    looking through all of it again and again costs a fifth of its time.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 1_000)
    try:
        yield
    finally:
        gc.freeze()  # and back: what the run made is old now, and not looked through at once
        gc.unfreeze()
        gc.set_threshold(*thresholds)


def _queue_model(name: str) -> QueueModel:
    try:
        return QueueModel[name.upper().replace("-", "_")]
    except KeyError:
        known = ", ".join(model.name.lower().replace("_", "-") for model in QueueModel)
        raise ConfigError(f'[market] queue_model = "{name}"; it must be one of {known}') from None


def run_backtest(config: RunConfig, out: Path, **given: Any) -> Path:
    """Run a configuration and write its folder, metrics included; returns the folder.

    Raises ConfigError for a configuration that makes no sense, DataError for a bad store, StrategyError if the
    strategy's own code raises, and OutputError, before the run where it can be known, if ``out`` cannot be written.
    """
    check_run_place(out)
    backtest = Backtest(config, **given)
    check_faults(config.faults, *backtest.span_ns)
    try:
        backtest.run()
    except TidegateError:
        raise
    except Exception as e:
        raise_as_strategy_error(e, backtest.strategy, backtest.scheduler.now_ns)
        raise
    backtest.write(out)
    del backtest
    gc.collect()  # a run is full of reference cycles; the next one of this process shall not pay for its memory
    return out


def _without_none(value: Any) -> Any:
    """A configuration as plain data without the keys that are not given, since TOML has no null."""
    plain = msgspec.to_builtins(value)
    if isinstance(plain, dict):
        return {key: _without_none(item) for key, item in plain.items() if item is not None}
    if isinstance(plain, (list, tuple)):
        return [_without_none(item) for item in plain]
    return plain
