"""From a configuration to the things it names: strategy class, market, venue profile, road."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import msgspec
import numpy as np

from framework.adapter import load_adapters
from framework.backtest.config import MarketSection, RoadSection, RunConfig, StrategySection
from framework.data.columns import Columns, Market
from framework.data.store import Store
from framework.data.synthetic import synthetic_l2, synthetic_market
from framework.errors import ConfigError
from framework.execution.policy import DeskPolicy
from framework.protocol import Road, VenueProfile
from framework.strategy import Strategy, StrategyConfig

__all__ = ["load_markets", "load_profile", "load_strategy", "resolve_road", "starting_balances"]

_NS = 1_000_000_000
_MS = 1_000_000


def load_strategy(section: StrategySection) -> Strategy:
    """Import the strategy's file and make the strategy with its parameters.

    Raises ConfigError for a file, class or parameter that is not there, and for a file that does not import.
    """
    path = Path(section.path)
    if not path.is_file():
        raise ConfigError(f"strategy file {path} does not exist; give its path relative to the configuration file")
    module = _import_file(path)
    classes = {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, Strategy) and value.__module__ == module.__name__
    }
    if section.name is not None and section.name not in classes:
        raise ConfigError(f"{path} has no strategy class {section.name}; it has {', '.join(classes) or 'none'}")
    if section.name is None and len(classes) != 1:
        raise ConfigError(f'{path} has {len(classes)} strategy classes; name one in [strategy] name = "..."')
    strategy_class = classes[section.name] if section.name is not None else next(iter(classes.values()))
    return strategy_class(_strategy_config(strategy_class, section))


def _import_file(path: Path) -> ModuleType:
    name = f"tidegate_strategy_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError) as e:
        raise ConfigError(f"strategy file {path} does not import: {type(e).__name__}: {e}") from e
    return module


def _strategy_config(strategy_class: type[Strategy], section: StrategySection) -> StrategyConfig:
    """The strategy's configuration type is the annotation of its constructor's ``config``, else ``StrategyConfig``."""
    hints = inspect.get_annotations(strategy_class.__init__, eval_str=True)
    annotation = hints.get("config")
    choices = [each for each in (annotation, *get_args(annotation)) if inspect.isclass(each)]
    config_class = next((each for each in choices if issubclass(each, StrategyConfig)), StrategyConfig)
    known = set(config_class.__struct_fields__)
    for name in section.parameters:
        if name not in known:
            raise ConfigError(
                f"[strategy.parameters] {name}: {config_class.__name__} has no such field; "
                f"it has {', '.join(sorted(known))}"
            )
    try:
        config: StrategyConfig = msgspec.convert(section.parameters, config_class)
    except msgspec.ValidationError as e:
        raise ConfigError(f"[strategy.parameters]: {e}") from None
    return config


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
    return [_between(market, section) for market in markets]


def _between(market: Market, section: MarketSection) -> Market:
    """The rows up to ``end_s``. Rows before ``start_s`` are kept: the book needs them; trading starts later."""
    if section.end_s is None:
        return market
    ts = market.columns.ts_event_ns
    stop = int(np.searchsorted(ts, int(ts[0]) + int(section.end_s * _NS), side="right"))
    columns = market.columns
    cut = Columns(
        **{
            name: array if len(array) == 0 else array[:stop]
            for name, array in ((name, getattr(columns, name)) for name in columns.__struct_fields__)
        }
    )
    return msgspec.structs.replace(market, columns=cut)


def load_profile(name: str | None, switches: dict[str, str]) -> VenueProfile:
    """The venue profile of an adapter, by the adapter's name; of the only adapter that has one if None."""
    profiles = {adapter.name: adapter.profile for adapter in load_adapters().values() if adapter.profile is not None}
    if name is None and len(profiles) != 1:
        raise ConfigError(f"[venue] profile must name one of {', '.join(profiles) or 'no installed adapter'}")
    key = name if name is not None else next(iter(profiles))
    if key not in profiles:
        raise ConfigError(f'[venue] profile = "{key}" is not there; installed: {", ".join(profiles)}')
    try:
        return profiles[key].with_switches(switches)
    except KeyError as e:
        raise ConfigError(f"[venue.switches] {e.args[0]}") from None


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
            raise ConfigError(f"[road] latency_{e.args[0]}") from None
        road = msgspec.structs.replace(road, latency_tier=section.latency_tier)
    return road, policy


def starting_balances(config: RunConfig, markets: list[Market]) -> dict[str, Decimal]:
    """What the account starts with: as configured, or so much of each asset that money is no constraint."""
    if config.account.balances is None:
        balances = {}
        for market in markets:
            balances[market.spec.base] = Decimal(1_000)
            balances[market.spec.quote] = Decimal(100_000_000)
        return balances
    try:
        return {asset: Decimal(amount) for asset, amount in config.account.balances.items()}
    except InvalidOperation:
        raise ConfigError(f"[account.balances] {config.account.balances}: amounts are decimals in quotes") from None
