"""What a configuration needs of the venue: its pairs as it knows them, the links of its road, the fees it assumes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import msgspec

from adapters.kraken.asset_pairs import VENUE
from adapters.kraken.leaving import ends_orders
from framework.adapter import LiveSettings
from framework.backtest.config import MarketSection, RunConfig, load_config
from framework.backtest.loading import load_profile, resolve_road
from framework.data.store import Store
from framework.data.synthetic import DEFAULT
from framework.errors import ConfigError
from framework.execution.policy import DeskPolicy
from framework.execution.routes import route_links
from framework.live.closing import AtEnd
from framework.live.config import LiveSection, load_live_config
from framework.protocol import InstrumentSpec

__all__ = ["Needs", "needs_of"]

_SYMBOL = "BTC/USD"


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be traded, and how.

    pairs: by symbol, with the rules that the configuration's market has; None where it has no market of its own.
    links: protocols of the road. volume_30d: what fees are assumed to follow from, None if nothing is assumed.
    live: where and as whom a live configuration trades; None for others. ended: why the venue would end orders that a
        live configuration leaves at its end; None where it would not, or none are left.
    """

    pairs: Mapping[str, InstrumentSpec | None]
    links: frozenset[str]
    volume_30d: Decimal | None = None
    live: LiveSection | None = None
    ended: str | None = None


def needs_of(config: Path | None) -> Needs:
    """The needs of a configuration, of a backtest or live; without one, those of a trader of one pair by REST and
    WebSocket v2.

    Raises ConfigError for a configuration that makes no sense, and DataError for its store.
    """
    if config is None:
        return Needs(pairs={_SYMBOL: None}, links=frozenset({"rest", "ws2"}))
    run, live = _loaded(config)
    profile = load_profile(run.venue.profile or VENUE, run.venue.switches)
    if profile.name != VENUE:
        raise ConfigError(f"{config}: [venue] profile is {profile.name}; this command looks at {VENUE} only")
    _, policy = resolve_road(profile, run.road)
    return Needs(
        pairs={spec.symbol: spec for spec in _specs(run.market)} if live is None else dict.fromkeys(live.symbols),
        links=frozenset(policy.link_names()),
        volume_30d=Decimal(run.venue.volume_30d_usd),
        live=live,
        ended=None if live is None or live.at_end is not AtEnd.LEAVE else _ended(live, policy),
    )


def _ended(live: LiveSection, policy: DeskPolicy) -> str | None:
    links = {name: name for name in route_links("submit", policy.submit)}
    return ends_orders(LiveSettings(links=links, options=live.options))


def _loaded(config: Path) -> tuple[RunConfig, LiveSection | None]:
    """What a configuration of either kind says; a live one has a table [live]."""
    try:
        is_live = "live" in tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        is_live = False  # said below, in the words for all configurations
    if not is_live:
        return load_config(config), None
    found = load_live_config(config)
    return found.as_run(), found.live


def _specs(section: MarketSection) -> list[InstrumentSpec]:
    if section.source != "store" or section.path is None:
        return [DEFAULT.spec]
    store = Store.open(section.path)
    return [store.entry(symbol).spec for symbol in section.symbols or store.symbols]
