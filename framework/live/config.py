"""The configuration of a live run: the sections of a backtest's that make sense live, and ``[live]``.

::

    [strategy]                  path = "strategies/market_maker.py"
    [venue]                     profile = "...", tier = "pro"
    [road]                      name = "ws2"
    [limits]                    order_qty_max = "0.05"
    [live]                      symbols = ["BTC/USD"], credentials = "keys.toml", state = "state"
    [health]                    metrics_port = 9464, log_level = "debug"
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from framework.backtest.config import (
    AccountSection,
    MarketSection,
    RoadSection,
    RunConfig,
    StrategySection,
    VenueSection,
)
from framework.config_text import check_range, read_toml
from framework.errors import ConfigError
from framework.execution.limits import LimitsSection
from framework.live.closing import AtEnd
from framework.live.health.section import HealthSection
from framework.live.journal import Forcing

__all__ = ["LeftOpen", "LiveConfig", "LiveSection", "load_live_config"]


class LeftOpen(enum.StrEnum):
    """What becomes of orders that a run before has left open.

    CANCEL: they are canceled before the strategy starts, which begins anew. ADOPT: the strategy, of the same name as
    then, goes on with them, and with what runs before hold.
    """

    CANCEL = "cancel"
    ADOPT = "adopt"


class LiveSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """symbols: the instruments to trade. depth: levels of their books.

    credentials: file of the API key, or as the adapter names other places; None takes the environment. hosts, ca_file,
        options: as the adapter has them.
    state: folder of what must survive a restart; the journal is in it. fsync: what of the journal is forced to the
        disk.
    at_end: "cancel", "leave" or "flatten". patience_s: how long the end may take.
    left_open: "cancel" or "adopt", what becomes of orders that a run before has left open.
    balances_s: how often the venue is asked for the account's balances; 0 for at the start only.
    orders_s: how often it is asked for the account's orders while any are open, though news of them is heard: what
        news has lost is not believed for longer. 0 asks only where something is in doubt.
    busy_poll: the run never sleeps while it waits, which takes a processor's core for itself, and answers what comes
        sooner: nothing has to be woken, and nothing else empties the core's caches.
    keep_awake: no core of the machine halts while the run lives, so that none has to be woken when something comes; the
        run needs the right to write to /dev/cpu_dma_latency.
    remembered_s: orders and positions that have closed, and states of the account, are let go of after so many seconds,
        also in NautilusTrader's cache; 0 keeps all. The run's folder has them all.
    dead_man_s: the venue cancels all orders of the account if this run has not been heard for so long; 0 for never.
    """

    symbols: tuple[str, ...]
    depth: int = 10
    credentials: str | None = None
    hosts: dict[str, str] = {}
    ca_file: str | None = None
    options: dict[str, str] = {}
    state: str = "state"
    fsync: Forcing = Forcing.OFF
    at_end: AtEnd = AtEnd.CANCEL
    left_open: LeftOpen = LeftOpen.CANCEL
    patience_s: float = 30.0
    dead_man_s: int = 60
    balances_s: int = 60
    orders_s: int = 60
    busy_poll: bool = False
    keep_awake: bool = False
    remembered_s: int = 3_600

    def __post_init__(self) -> None:
        if not self.symbols:
            raise ConfigError('[live] symbols = []: name what to trade, as ["BTC/USD"]')
        check_range("[live] depth", self.depth, 1)
        check_range("[live] patience_s", self.patience_s, 0)
        check_range("[live] dead_man_s", self.dead_man_s, 0, 86_400)
        check_range("[live] balances_s", self.balances_s, 0, 86_400)
        check_range("[live] orders_s", self.orders_s, 0, 86_400)
        check_range("[live] remembered_s", self.remembered_s, 0)
        if 0 < self.dead_man_s < 15:
            raise ConfigError(f"[live] dead_man_s = {self.dead_man_s}: give 15 or more, or 0 to do without")


class LiveConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All inputs of a live run."""

    strategy: StrategySection
    live: LiveSection
    venue: VenueSection = VenueSection()
    road: RoadSection = RoadSection()
    limits: LimitsSection = LimitsSection()
    health: HealthSection = HealthSection()

    def as_run(self, balances: Mapping[str, Decimal] | None = None) -> RunConfig:
        """What of it a backtest has too. balances: what the account had at the start; None for plenty."""
        return RunConfig(
            strategy=self.strategy,
            market=MarketSection(source="live", symbols=self.live.symbols),
            venue=self.venue,
            account=AccountSection(
                balances=None
                if balances is None
                else {asset: f"{amount:f}" for asset, amount in balances.items() if amount >= 0}
            ),
            road=self.road,
            limits=self.limits,
        )


def load_live_config(path: Path) -> LiveConfig:
    """Read a configuration file; paths in it are relative to it. Raises ConfigError naming file, key and remedy."""
    config = read_toml(path, LiveConfig, "name a live configuration in TOML")
    base = path.parent

    def placed(name: str | None) -> str | None:
        return None if name is None else str(base / name)

    live = config.live
    changes: dict[str, Any] = {name: placed(getattr(live, name)) for name in ("credentials", "ca_file", "state")}
    return msgspec.structs.replace(
        config,
        strategy=msgspec.structs.replace(config.strategy, path=str(base / config.strategy.path)),
        live=msgspec.structs.replace(live, **changes),
    )
