"""The configuration of a run: everything that decides its result, readable from one TOML file.

::

    [run]                       seed = 1
    [market]                    source = "synthetic"            # or "store": path and symbols
    [strategy]                  path = "strategies/market_maker.py", name = "MarketMaker"
    [strategy.parameters]       qty = "0.01"                    # the strategy's own configuration
    [venue]                     profile = "...", tier = "intermediate"
    [account.balances]          USD = "1000000"
    [road]                      name = "ws2"                    # one of the profile's roads, or changed in parts
    [limits]                    order_qty_max = "0.5"           # framework.execution.limits
    [[faults]]                  kind = "drop", link = "ws2", at_s = 600, for_s = 30

A key that does not exist, a value of the wrong type and a name that is not there are errors that say so.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec

from framework.config_text import check_amount, check_range, read_toml
from framework.errors import ConfigError
from framework.execution.limits import LimitsSection
from framework.execution.routes import Spread
from framework.venue.faults import FaultSection

__all__ = [
    "AccountSection",
    "FaultSection",
    "MarketSection",
    "RoadSection",
    "RunConfig",
    "RunSection",
    "StrategySection",
    "VenueSection",
    "load_config",
]


# The year 2200; later times leave no room for a run.
_NS_MAX = 7_258_118_400_000_000_000


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections; an unknown key is an error, and so is a value out of its range (ConfigError)."""


class RunSection(_Section, frozen=True, kw_only=True):
    """seed: root of every random stream. queue_sample_ms: how often queue places are written down, 0 for never.
    touch_sample_ms: how often the market's best prices are written down.
    """

    seed: int = 1
    queue_sample_ms: int = 1_000
    touch_sample_ms: int = 1_000

    def __post_init__(self) -> None:
        check_range("[run] queue_sample_ms", self.queue_sample_ms, 0)
        check_range("[run] touch_sample_ms", self.touch_sample_ms, 1)


class MarketSection(_Section, frozen=True, kw_only=True):
    """source: "synthetic", or "store" with ``path`` of a store and its ``symbols`` (all if empty).

    seed, duration_s: of the synthetic market. depth: "L3" as it is, or "L2" to play it by levels.
    start_s, end_s: part of the market to play, seconds after its first row.
    first_ns: when the first row is played, nanoseconds since the epoch; None for when it was recorded.
    queue_model, queue_parameter: how the queue place is estimated where the market is by levels: "risk-averse",
        "power", "power-total", "power-ratio", "log" or "log-total" (framework.venue.kernel.QueueModel).
    trades_share_ppm, trades_spread_ticks: assumptions for a market of trades only (framework.venue.kernel, 17 and 18).
    """

    source: str = "synthetic"
    path: str | None = None
    symbols: tuple[str, ...] = ()
    seed: int = 1
    duration_s: int = 1_800
    depth: str | None = None
    start_s: float = 0.0
    end_s: float | None = None
    first_ns: int | None = None
    queue_model: str = "risk-averse"
    queue_parameter: float = 1.0
    trades_share_ppm: int = 0
    trades_spread_ticks: int = 1

    def __post_init__(self) -> None:
        check_range("[market] duration_s", self.duration_s, 1, 86_400)
        check_range("[market] start_s", self.start_s, 0)
        if self.end_s is not None and not self.start_s < self.end_s < math.inf:
            raise ConfigError(f"[market] end_s = {self.end_s:g}: it must be after start_s, which is {self.start_s:g}")
        if self.first_ns is not None:
            check_range("[market] first_ns", self.first_ns, 0, _NS_MAX)
        check_range("[market] queue_parameter", self.queue_parameter, 0, is_open=True)
        check_range("[market] trades_share_ppm", self.trades_share_ppm, 0, 1_000_000)
        check_range("[market] trades_spread_ticks", self.trades_spread_ticks, 1)


class StrategySection(_Section, frozen=True, kw_only=True):
    """path: the Python file. name: the strategy's class in it, or None if it has one only. parameters: fields of the
    strategy's configuration.
    """

    path: str
    name: str | None = None
    parameters: dict[str, Any] = {}


class VenueSection(_Section, frozen=True, kw_only=True):
    """profile: name of the adapter that states the venue; None for the only one that has a profile.

    tier: account tier. volume_30d_usd: trading volume of the last 30 days, which sets the fees.
    switches: readings of the points on which the venue's documents are silent, by name.
    """

    profile: str | None = None
    tier: str = "intermediate"
    volume_30d_usd: str = "0"
    switches: dict[str, str] = {}

    def __post_init__(self) -> None:
        check_amount("[venue] volume_30d_usd", self.volume_30d_usd)


class AccountSection(_Section, frozen=True, kw_only=True):
    """balances: what the account starts with, exact decimals by asset; None for plenty of each asset traded."""

    balances: dict[str, str] | None = None

    def __post_init__(self) -> None:
        for asset, amount in (self.balances or {}).items():
            check_amount(f"[account.balances] {asset}", amount)


# The least of each time of a road; 0 and -1 have a meaning of their own, see ``RoadSection``.
_LEAST_MS = {"poll_interval_ms": 1, "answer_timeout_ms": 1, "deadline_ms": 0, "reconnect_delay_ms": -1}


class RoadSection(_Section, frozen=True, kw_only=True):
    """name: a road of the profile. All else replaces what that road says; see framework.execution.policy (submit, amend
    and news may name several links: framework.execution.routes).

    deadline_ms: 0 sends no deadline. reconnect_delay_ms: -1 leaves a dropped link down.
    """

    name: str = "ws2"
    submit: str | None = None
    amend: str | None = None
    cancel: tuple[str, ...] | None = None
    news: str | None = None
    query: str | None = None
    spread: Spread | None = None
    latency_tier: str | None = None
    poll_interval_ms: int | None = None
    answer_timeout_ms: int | None = None
    deadline_ms: int | None = None
    cancel_reserve_points: int | None = None
    reconnect_delay_ms: int | None = None
    is_resumed_on_reconnect: bool | None = None
    is_cancel_on_disconnect: bool | None = None
    latency_scale: float = 1.0

    def __post_init__(self) -> None:
        check_range("[road] latency_scale", self.latency_scale, 0)
        for name, least in _LEAST_MS.items():
            value = getattr(self, name)
            if value is not None:
                check_range(f"[road] {name}", value, least)
        if self.cancel_reserve_points is not None:
            check_range("[road] cancel_reserve_points", self.cancel_reserve_points, 0)


class RunConfig(_Section, frozen=True, kw_only=True):
    """All inputs of a run."""

    strategy: StrategySection
    run: RunSection = RunSection()
    market: MarketSection = MarketSection()
    venue: VenueSection = VenueSection()
    account: AccountSection = AccountSection()
    road: RoadSection = RoadSection()
    limits: LimitsSection = LimitsSection()
    faults: tuple[FaultSection, ...] = ()


def load_config(path: Path) -> RunConfig:
    """Read a configuration file; paths in it are relative to it. Raises ConfigError naming file, key and remedy."""
    config = read_toml(path, RunConfig, "name a run configuration in TOML")
    base = path.parent
    strategy = msgspec.structs.replace(config.strategy, path=str(base / config.strategy.path))
    market = config.market
    if market.path is not None:
        market = msgspec.structs.replace(market, path=str(base / market.path))
    return msgspec.structs.replace(config, strategy=strategy, market=market)
