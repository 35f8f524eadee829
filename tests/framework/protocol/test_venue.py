"""A venue profile: what it answers, how its switches change it, how its sources are found."""

from __future__ import annotations

import pytest

from framework.protocol import POINT, CancelReach, Protocol, RateCheck
from tests.framework.protocol.toy_venue import PROFILE

# ------------------------------------------------------------------------------------------------------------- look-ups


def test_tier_of_a_name_is_found() -> None:
    assert PROFILE.tier("two").open_orders_max == 2


@pytest.mark.parametrize(
    ("find", "message"),
    [
        (PROFILE.tier, "no tier 'gold'; there is one, two"),
        (PROFILE.road, "no road 'gold'; there is fix"),
        (PROFILE.latency_tier, "no latency tier 'gold'; there is near"),
    ],
)
def test_a_name_that_is_not_there_is_an_error_that_names_those_that_are(find, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(KeyError, match=message):
        find("gold")


@pytest.mark.parametrize(("volume", "maker_ppm"), [(100, 20), (999, 20), (1_000, 10), (10**9, 10)])
def test_fees_change_exactly_at_the_volume_of_the_tier(volume: int, maker_ppm: int) -> None:
    assert PROFILE.fee_tier(volume).maker_ppm == maker_ppm


def test_a_volume_below_the_lowest_fee_tier_is_an_error() -> None:
    with pytest.raises(ValueError, match="99 is below the lowest fee tier 100"):
        PROFILE.fee_tier(99)


# ------------------------------------------------------------------------------------------------------- values by path


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("rates.check", RateCheck.BEFORE),
        ("protocols.fix.mass_cancel_reach.account", CancelReach.ACCOUNT),
        ("tiers.two.threshold", 2 * POINT),
        ("fees.1.taker_ppm", 25),
        ("modes.online.is_matching", True),
        ("errors.unknown_order", "no such order"),
        ("roads.fix.cancel", (Protocol.FIX,)),
        ("latency_tiers.near.links.fix.command.median_us", 250),
    ],
)
def test_a_value_is_found_by_its_path(path: str, value: object) -> None:
    assert PROFILE.value(path) == value


def test_a_path_that_leads_nowhere_is_an_error() -> None:
    with pytest.raises(KeyError, match="no field 'colour' in RateSchedule"):
        PROFILE.value("rates.colour")


def test_every_leaf_is_found_by_its_own_path() -> None:
    leaves = dict(PROFILE.leaves())
    assert all(PROFILE.value(path) == value for path, value in leaves.items())
    assert leaves["rates.cancel_steps"] == ((1_000_000_000, 2 * POINT),)
    assert leaves["protocols.fix.poll_calls"] == ()


def test_names_and_titles_are_no_leaves() -> None:
    assert not [path for path, _ in PROFILE.leaves() if path.rpartition(".")[2] in ("name", "title", "label")]


# -------------------------------------------------------------------------------------------------------------- sources


def test_a_page_covers_all_fields_below_its_path() -> None:
    assert PROFILE.source("protocols.fix.capabilities.has_amend") == "page one"


def test_a_longer_path_names_another_page() -> None:
    assert PROFILE.source("protocols.fix.news") == "assumption: nobody told us"


def test_a_page_does_not_cover_a_field_whose_name_only_begins_alike() -> None:
    with pytest.raises(KeyError, match="no source is stated for ratesque"):
        PROFILE.source("ratesque")


# ------------------------------------------------------------------------------------------------------------- switches


def test_a_switch_changes_its_fields_and_nothing_else() -> None:
    switched = PROFILE.with_switches({"reach": "comp_id"})
    before, after = dict(PROFILE.leaves()), dict(switched.leaves())
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {"protocols.fix.mass_cancel_reach.account"}
    assert after["protocols.fix.mass_cancel_reach.account"] is CancelReach.COMP_ID


def test_a_switch_reaches_into_tuples_of_named_things() -> None:
    switched = PROFILE.with_switches({"second_tier": "nine"})
    assert [tier.open_orders_max for tier in switched.tiers] == [1, 9]


def test_the_default_reading_changes_nothing() -> None:
    assert PROFILE.with_switches({"reach": "account", "second_tier": "two"}) == PROFILE


def test_switching_leaves_the_profile_itself_as_it_was() -> None:
    PROFILE.with_switches({"reach": "comp_id"})
    assert PROFILE.value("protocols.fix.mass_cancel_reach.account") is CancelReach.ACCOUNT


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"range": "account"}, "no switch 'range'; there is reach, second_tier"),
        ({"reach": "moon"}, "switch 'reach' has no value 'moon'; it has account, comp_id"),
    ],
)
def test_an_unknown_switch_or_reading_is_an_error(settings: dict[str, str], message: str) -> None:
    with pytest.raises(KeyError, match=message):
        PROFILE.with_switches(settings)
