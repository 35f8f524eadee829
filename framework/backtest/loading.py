"""From a configuration to the things it names: market, venue profile, road. Strategies: ``strategy_file``."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from framework.adapter import load_adapters
from framework.backtest.config import MarketSection, RoadSection, RunConfig
from framework.data.columns import Columns, Market
from framework.data.store import Store
from framework.data.synthetic import synthetic_l2, synthetic_market
from framework.errors import ConfigError
from framework.execution.policy import DeskPolicy
from framework.protocol import Road, VenueProfile
from framework.venue.served.market import market_from

__all__ = ["check_tier", "load_markets", "load_profile", "resolve_road", "starting_balances"]

_NS = 1_000_000_000
_MS = 1_000_000
# Units of an asset: coins that are worth a millionth of a dollar are traded by the million.
_PLENTY = Decimal(1_000_000_000)


def load_markets(section: MarketSection) -> list[Market]:
    """The markets to play; raises ConfigError for a section that makes no sense, DataError for a bad store."""
    if section.source == "synthetic":
        markets = [synthetic_market(section.seed, section.duration_s)]
    elif section.source == "store":
        if section.path is None:
            raise ConfigError('[market] source = "store" needs path, the folder that `tidegate data import` wrote')
        store = Store.open(section.path)
        markets = [store.market(symbol) for symbol in section.symbols or store.symbols]
    else:
        raise ConfigError(f'[market] source = "{section.source}"; it must be "synthetic" or "store"')
    if section.depth == "L2":
        markets = [synthetic_l2(market) if market.depth == "L3" else market for market in markets]
    elif section.depth not in (None, "L3"):
        raise ConfigError(f'[market] depth = "{section.depth}"; it must be "L2" or "L3", or be left out')
    played = [_between(market, section) for market in markets]
    if section.first_ns is None:
        return played
    shift_ns = section.first_ns - min(int(market.columns.ts_event_ns[0]) for market in played)
    return [market_from(market, int(market.columns.ts_event_ns[0]) + shift_ns) for market in played]


def _between(market: Market, section: MarketSection) -> Market:
    """The rows up to ``end_s``. Rows before ``start_s`` are kept: the book needs them; trading starts later."""
    ts = market.columns.ts_event_ns
    if section.start_s * _NS >= ts[-1] - ts[0]:
        raise ConfigError(
            f"[market] start_s = {section.start_s:g}: {market.spec.symbol} ends {(ts[-1] - ts[0]) / _NS:g} s after its "
            "first row; start earlier"
        )
    if section.end_s is None:
        return market
    stop = int(np.searchsorted(ts, int(ts[0]) + round(section.end_s * _NS), side="right"))
    columns = market.columns
    cut = Columns(
        **{
            name: array if len(array) == 0 else array[:stop]
            for name, array in ((name, getattr(columns, name)) for name in columns.__struct_fields__)
        }
    )
    return msgspec.structs.replace(market, columns=cut)


def load_profile(name: str | None, switches: Mapping[str, str], profile: VenueProfile | None = None) -> VenueProfile:
    """The venue profile of an adapter, by the adapter's name; of the only adapter that has one if None.

    switches: readings to put into it. profile: taken in place of any adapter's. Raises ConfigError for a name that is
    not there.
    """
    if profile is None:
        profile = _adapter_profile(name)
    try:
        return profile.with_switches(switches)
    except KeyError as e:
        raise ConfigError(f"[venue.switches] {e.args[0]}") from None


def _adapter_profile(name: str | None) -> VenueProfile:
    profiles = {adapter.name: adapter.profile for adapter in load_adapters().values() if adapter.profile is not None}
    if name is None and len(profiles) != 1:
        raise ConfigError(f"[venue] profile must name one of {', '.join(profiles) or 'no installed adapter'}")
    key = name if name is not None else next(iter(profiles))
    if key not in profiles:
        raise ConfigError(f'[venue] profile = "{key}" is not there; installed: {", ".join(profiles)}')
    return profiles[key]


def check_tier(profile: VenueProfile, name: str) -> None:
    """Raise ConfigError for an account tier that the profile does not have."""
    try:
        profile.tier(name)
    except KeyError as e:
        raise ConfigError(f"[venue] tier: {e.args[0]}") from None


def resolve_road(profile: VenueProfile, section: RoadSection) -> tuple[Road, DeskPolicy]:
    """The profile's road with the section's changes, and the desk's policy for it; raises ConfigError for bad names."""
    try:
        road = profile.road(section.name)
    except KeyError as e:
        raise ConfigError(f"[road] {e.args[0]}") from None
    poll_ms = section.poll_interval_ms
    if poll_ms is None and road.poll_interval_ns is not None:
        poll_ms = road.poll_interval_ns // _MS
    given: dict[str, Any] = {
        "submit": section.submit or str(road.submit),
        "amend": section.amend or str(road.amend),
        "cancel": section.cancel or tuple(str(step) for step in road.cancel),
        "news": section.news or str(road.news),
        "query": section.query or str(road.query),
        "poll_interval_ms": poll_ms,
    }
    for name in (
        "spread",
        "answer_timeout_ms",
        "deadline_ms",
        "cancel_reserve_points",
        "reconnect_delay_ms",
        "is_resumed_on_reconnect",
    ):
        given[name] = getattr(section, name)
    given = {name: value for name, value in given.items() if value is not None}
    # A file has no null: these values stand for "none".
    if given.get("deadline_ms") == 0:
        given["deadline_ms"] = None
    if given.get("reconnect_delay_ms", 0) < 0:
        given["reconnect_delay_ms"] = None
    policy = DeskPolicy(**given)
    if section.latency_tier is not None:
        try:
            profile.latency_tier(section.latency_tier)
        except KeyError as e:
            raise ConfigError(f"[road] latency_tier: {e.args[0]}") from None
        road = msgspec.structs.replace(road, latency_tier=section.latency_tier)
    return road, policy


def starting_balances(config: RunConfig, markets: list[Market]) -> dict[str, Decimal]:
    """What the account starts with: as configured, or so much of each asset that money is no constraint."""
    if config.account.balances is None:
        assets = dict.fromkeys(asset for market in markets for asset in (market.spec.base, market.spec.quote))
        return dict.fromkeys(assets, _PLENTY)
    return {asset: Decimal(amount) for asset, amount in config.account.balances.items()}
