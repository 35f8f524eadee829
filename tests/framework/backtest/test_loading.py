"""From a configuration to the things that it names: the road with its changes, the part of the market, the money."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.kraken.profile import PROFILE
from framework.backtest.config import AccountSection, MarketSection, RoadSection, RunConfig, StrategySection
from framework.backtest.loading import check_tier, load_markets, load_profile, resolve_road, starting_balances
from framework.data.store import write_store
from framework.errors import ConfigError
from framework.protocol import Protocol
from tests.framework.data.markets import imported
from tests.simulation.stage import START_NS, still_market


def _policy(**changes: Any) -> Any:
    return resolve_road(PROFILE, RoadSection(**changes))[1]


# ------------------------------------------------------------------------------------------------- road


def test_a_road_without_changes_is_the_profiles() -> None:
    road, policy = resolve_road(PROFILE, RoadSection(name="rest"))
    assert (road.submit, road.news, road.latency_tier) == (Protocol.REST, Protocol.REST, "cloud")
    assert (policy.submit, policy.amend, policy.cancel, policy.news) == ("rest", "rest", ("rest",), "rest")
    assert (policy.poll_interval_ms, policy.deadline_ms, policy.reconnect_delay_ms) == (3_000, 5_000, 1_000)


def test_what_is_given_replaces_what_the_road_says_and_nothing_else() -> None:
    policy = _policy(name="fix", cancel=("fix", "fix:mass"), poll_interval_ms=700, is_resumed_on_reconnect=False)
    assert (policy.submit, policy.cancel, policy.news, policy.query) == ("fix", ("fix", "fix:mass"), "fix", "rest")
    assert (policy.poll_interval_ms, policy.is_resumed_on_reconnect) == (700, False)


def test_a_deadline_of_zero_is_none_and_a_negative_delay_leaves_the_line_down() -> None:
    policy = _policy(deadline_ms=0, reconnect_delay_ms=-1)
    assert (policy.deadline_ms, policy.reconnect_delay_ms) == (None, None)


def test_a_reconnection_without_delay_is_not_none() -> None:
    assert _policy(reconnect_delay_ms=0).reconnect_delay_ms == 0


def test_another_latency_tier_is_taken_over() -> None:
    road, _ = resolve_road(PROFILE, RoadSection(name="ws2", latency_tier="internet"))
    assert road.latency_tier == "internet"


@pytest.mark.parametrize("changes", [{"name": "pigeon"}, {"latency_tier": "moon"}])
def test_a_name_that_is_not_there_is_an_error_that_names_it(changes: dict[str, str]) -> None:
    (name,) = changes.values()
    with pytest.raises(ConfigError, match=name):
        resolve_road(PROFILE, RoadSection(**changes))


# ------------------------------------------------------------------------------------------------- profile


def test_a_switch_is_put_into_the_profile() -> None:
    profile = load_profile("kraken", {"balanced_paths": "8"})
    assert profile.protocols[Protocol.WS2].balanced_paths == 8
    assert load_profile("kraken", {}).protocols[Protocol.WS2].balanced_paths == 4


def test_a_reading_a_profile_or_a_tier_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigError, match="balanced_paths"):
        load_profile("kraken", {"balanced_paths": "5"})
    with pytest.raises(ConfigError, match="nasdaq"):
        load_profile("nasdaq", {})
    with pytest.raises(ConfigError, match="platinum"):
        check_tier(PROFILE, "platinum")


# ------------------------------------------------------------------------------------------------- market


def _stored(folder: Path) -> str:
    """A store of the still market: four rows at its start, then one every 100 ms for 60 s."""
    write_store(folder, [imported(still_market())])
    return str(folder)


@pytest.mark.parametrize(("end_s", "rows"), [(None, 604), (4.1, 45), (10.0, 104), (10.05, 104)])
def test_a_market_ends_with_the_last_row_up_to_its_end(tmp_path: Path, end_s: float | None, rows: int) -> None:
    (market,) = load_markets(MarketSection(source="store", path=_stored(tmp_path / "s"), end_s=end_s))
    assert len(market.columns) == rows


def test_a_later_start_keeps_the_rows_before_it_for_the_book() -> None:
    (whole,) = load_markets(MarketSection(duration_s=5))
    (late,) = load_markets(MarketSection(duration_s=5, start_s=3.0))
    assert len(late.columns) == len(whole.columns)


def test_a_start_after_the_markets_end_is_an_error() -> None:
    with pytest.raises(ConfigError, match="start_s = 9"):
        load_markets(MarketSection(duration_s=5, start_s=9.0))


def test_a_market_by_order_can_be_played_by_levels() -> None:
    (by_order,) = load_markets(MarketSection(duration_s=2))
    (by_level,) = load_markets(MarketSection(duration_s=2, depth="L2"))
    assert (by_order.depth, by_level.depth) == ("L3", "L2")


def test_the_seed_makes_the_synthetic_market() -> None:
    one, same, other = (load_markets(MarketSection(seed=seed, duration_s=2))[0] for seed in (1, 1, 2))
    assert one.columns.price_ticks.tolist() == same.columns.price_ticks.tolist()
    assert one.columns.price_ticks.tolist() != other.columns.price_ticks.tolist()


@pytest.mark.parametrize("section", [{"source": "store"}, {"source": "thin air"}, {"depth": "L4", "duration_s": 1}])
def test_a_market_section_that_makes_no_sense_is_an_error(section: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        load_markets(MarketSection(**section))


# ------------------------------------------------------------------------------------------------- money


def test_given_balances_are_exact_and_are_all_that_there_is() -> None:
    config = RunConfig(strategy=StrategySection(path="x.py"), account=AccountSection(balances={"USD": "0.1"}))
    assert starting_balances(config, [still_market()]) == {"USD": Decimal("0.1")}


def test_without_balances_there_is_plenty_of_what_is_traded() -> None:
    balances = starting_balances(RunConfig(strategy=StrategySection(path="x.py")), [still_market()])
    assert set(balances) == {"BTC", "USD"}
    assert min(balances.values()) >= 1_000


def test_the_still_market_starts_where_the_tests_think() -> None:
    assert int(still_market().columns.ts_event_ns[0]) == START_NS
