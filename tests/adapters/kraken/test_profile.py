"""Kraken Spot as data: every value has a page, every switch is whole, and the facts that the venue's rules rest on.

Expected values are copied from Kraken's pages by hand; each test names its page.
"""

from __future__ import annotations

import msgspec
import pytest

from adapters.kraken.profile import PROFILE
from framework.protocol import (
    POINT,
    CancelReach,
    MassCancelScope,
    News,
    OnDisconnect,
    Ordering,
    OrderType,
    Protocol,
    RejectReason,
    ResponseStyle,
    SessionScope,
    TimeInForce,
    VenueMode,
)
from framework.protocol_table import format_protocols
from framework.text_table import WIDTH
from tests.captures import require_capture

LEAVES = dict(PROFILE.leaves())
SECOND_NS = 1_000_000_000
PAGES = ("guides/", "support/", "rest-api/", "websocket-v1/", "websocket-v2/", "fix-api/")
DOCUMENTED = (*PAGES, "observed ", "assumption: ")


# -------------------------------------------------------------------------------------------------------------- sources


def test_every_value_names_its_page() -> None:
    assert len(LEAVES) > 600
    assert [path for path in LEAVES if not PROFILE.source(path).startswith(DOCUMENTED)] == []


def test_every_page_is_named_for_a_value_that_exists() -> None:
    covered = {prefix for path in LEAVES for prefix in _prefixes(path)}
    assert [path for path in PROFILE.sources if path not in covered] == []


def test_every_assumption_that_refers_to_a_switch_names_one_that_exists() -> None:
    names = {switch.name for switch in PROFILE.switches}
    named = [page.partition("see switch ")[2] for page in PROFILE.sources.values() if "see switch " in page]
    assert named
    assert set(named) <= names


def _prefixes(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


# ------------------------------------------------------------------------------------------------------------- switches


@pytest.mark.parametrize("switch", PROFILE.switches, ids=lambda switch: switch.name)
def test_the_default_reading_of_a_switch_is_what_the_profile_states(switch) -> None:  # type: ignore[no-untyped-def]
    assert PROFILE.with_switches({switch.name: switch.default}) == PROFILE


@pytest.mark.parametrize("switch", PROFILE.switches, ids=lambda switch: switch.name)
def test_every_other_reading_changes_exactly_the_fields_that_it_names(switch) -> None:  # type: ignore[no-untyped-def]
    for reading, fields in switch.values.items():
        after = dict(PROFILE.with_switches({switch.name: reading}).leaves())
        changed = {path for path, value in LEAVES.items() if after[path] != value}
        assert changed == (set() if reading == switch.default else set(fields))


def test_mass_cancel_of_the_account_can_be_read_as_of_the_comp_id() -> None:
    """fix-api/omcr-fix against guides/fix/introduction."""
    switched = PROFILE.with_switches({"mass_cancel_account_scope": "comp_id"})
    reach = switched.protocols[Protocol.FIX].mass_cancel_reach
    assert reach[MassCancelScope.ACCOUNT] is CancelReach.COMP_ID


# --------------------------------------------------------------------------------------------------- reach and ordering


@pytest.mark.parametrize("protocol", [Protocol.REST, Protocol.WS1, Protocol.WS2])
def test_rest_and_websocket_cancels_reach_every_order_of_the_account(protocol: Protocol) -> None:
    """rest-api/cancel-order, websocket-v2/cancel_order."""
    assert PROFILE.protocols[protocol].single_cancel_reach is CancelReach.ACCOUNT
    assert PROFILE.protocols[protocol].cancel_all_reach is CancelReach.ACCOUNT


def test_a_fix_cancel_reaches_orders_of_its_session_only() -> None:
    """guides/fix/introduction."""
    assert PROFILE.protocols[Protocol.FIX].single_cancel_reach is CancelReach.SESSION


def test_a_fix_mass_cancel_by_symbol_or_session_stays_in_the_session_and_by_account_does_not() -> None:
    """fix-api/omcr-fix, tag 530."""
    assert PROFILE.protocols[Protocol.FIX].mass_cancel_reach == {
        MassCancelScope.SYMBOL: CancelReach.SESSION,
        MassCancelScope.SESSION: CancelReach.SESSION,
        MassCancelScope.ACCOUNT: CancelReach.ACCOUNT,
    }


@pytest.mark.parametrize(
    ("protocol", "ordering"),
    [
        (Protocol.REST, Ordering.NONE),
        (Protocol.WS1, Ordering.BALANCED),
        (Protocol.WS2, Ordering.BALANCED),
        (Protocol.FIX, Ordering.FIFO),
    ],
)
def test_only_fix_keeps_the_order_of_commands(protocol: Protocol, ordering: Ordering) -> None:
    """guides/spot-amends, Chaining of Unacknowledged Requests."""
    assert PROFILE.protocols[protocol].ordering_command is ordering


@pytest.mark.parametrize("protocol", list(Protocol))
def test_a_connection_has_several_paths_exactly_where_it_is_balanced(protocol: Protocol) -> None:
    profile = PROFILE.protocols[protocol]
    assert (profile.balanced_paths > 1) is (profile.ordering_command is Ordering.BALANCED)


def test_rest_pushes_no_news_and_is_polled() -> None:
    """guides/general/api-comparison."""
    rest = PROFILE.protocols[Protocol.REST]
    assert rest.news is News.NONE
    assert rest.response_style is ResponseStyle.RESPONSE
    assert rest.call_costs is not None
    assert all(hasattr(rest.call_costs, call) for call in rest.poll_calls + rest.poll_calls_on_change)


# ------------------------------------------------------------------------------------------------------------- sessions


def test_only_fix_cancels_on_disconnect_and_logon_can_turn_it_off() -> None:
    """fix-api/logon-fix, tag 8674."""
    cancelling = [key for key, each in PROFILE.protocols.items() if each.on_disconnect is not OnDisconnect.NOTHING]
    assert cancelling == [Protocol.FIX]
    assert PROFILE.protocols[Protocol.FIX].is_on_disconnect_chosen_at_logon


def test_an_orderly_fix_logout_cancels_nothing() -> None:
    """fix-api/logout-fix."""
    assert PROFILE.protocols[Protocol.FIX].on_logout is OnDisconnect.NOTHING


def test_fix_sessions_survive_a_drop_and_end_at_22_00_utc_for_30_s() -> None:
    """guides/fix-intro, Hours of Operation."""
    fix = PROFILE.protocols[Protocol.FIX]
    assert fix.is_resumable
    assert fix.session_scope is SessionScope.UNTIL_RESET
    assert fix.rollover_utc_s == 79_200
    assert fix.rollover_ns == 30 * SECOND_NS


def test_only_fix_resumes_and_replays() -> None:
    """guides/general/api-comparison, guides/fix-intro."""
    assert [key for key, each in PROFILE.protocols.items() if each.is_resumable] == [Protocol.FIX]
    assert [key for key, each in PROFILE.protocols.items() if each.capabilities.has_replay] == [Protocol.FIX]


# --------------------------------------------------------------------------------------------------------- capabilities


@pytest.mark.parametrize("protocol", [Protocol.REST, Protocol.WS2])
def test_batches_hold_2_to_15_orders_and_up_to_50_cancels(protocol: Protocol) -> None:
    """websocket-v2/batch_add, websocket-v2/batch_cancel, rest-api/cancel-order-batch."""
    can = PROFILE.protocols[protocol].capabilities
    assert (can.batch_add_min, can.batch_add_max, can.batch_cancel_max) == (2, 15, 50)


def test_fix_has_no_batch_no_edit_and_no_validate_only() -> None:
    """guides/fix-intro, Messages."""
    can = PROFILE.protocols[Protocol.FIX].capabilities
    assert (can.batch_add_max, can.batch_cancel_max) == (0, 0)
    assert not can.has_edit
    assert not can.has_validate_only
    assert can.has_amend


def test_websocket_v1_lacks_icebergs_and_fill_or_kill() -> None:
    """websocket-v1/addorder."""
    can = PROFILE.protocols[Protocol.WS1].capabilities
    assert OrderType.ICEBERG not in can.order_types
    assert TimeInForce.FOK not in can.times_in_force


def test_a_websocket_order_without_deadline_has_one_of_5_s_and_a_fix_order_has_none() -> None:
    """websocket-v2/add_order, deadline; fix-api/nos-fix, tag 62."""
    assert PROFILE.protocols[Protocol.WS2].capabilities.deadline_default_ns == 5 * SECOND_NS
    assert PROFILE.protocols[Protocol.FIX].capabilities.deadline_default_ns is None


# ---------------------------------------------------------------------------------------------------- counters and fees


@pytest.mark.parametrize(
    ("name", "threshold", "decay_per_ns", "open_orders"),
    [("starter", 60, 100, 60), ("intermediate", 125, 234, 80), ("pro", 180, 375, 225)],
)
def test_engine_limits_by_tier(name: str, threshold: int, decay_per_ns: int, open_orders: int) -> None:
    """guides/spot-ratelimits: decays of 1, 2.34 and 3.75 points per second."""
    tier = PROFILE.tier(name)
    assert (tier.threshold, tier.decay_per_ns, tier.open_orders_max) == (threshold * POINT, decay_per_ns, open_orders)


@pytest.mark.parametrize(
    ("name", "call_max", "call_decay_per_ns"), [("starter", 15, 33), ("intermediate", 20, 50), ("pro", 20, 100)]
)
def test_call_limits_by_tier(name: str, call_max: int, call_decay_per_ns: int) -> None:
    """guides/rest/ratelimits: decays of 0.33, 0.5 and 1 point per second."""
    tier = PROFILE.tier(name)
    assert (tier.call_max, tier.call_decay_per_ns) == (call_max * POINT, call_decay_per_ns)


def test_costs_of_transactions_are_those_of_the_page() -> None:
    """guides/spot-ratelimits, Incrementing the rate counter."""
    rates = PROFILE.rates
    assert (rates.add_fixed, rates.amend_fixed, rates.edit_fixed, rates.cancel_fixed) == (POINT, POINT, POINT, 0)
    assert rates.batch_add_per_order * 2 == POINT
    assert _table(rates.amend_steps) == [(5, 3), (10, 2), (15, 1)]
    assert _table(rates.edit_steps) == [(5, 6), (10, 5), (15, 4), (45, 2), (90, 1)]
    assert _table(rates.cancel_steps) == [(5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1)]


def _table(steps: tuple[tuple[int, int], ...]) -> list[tuple[float, float]]:
    return [(below_ns / SECOND_NS, points / POINT) for below_ns, points in steps]


def test_fees_are_those_of_a_recorded_asset_pairs_answer() -> None:
    """rest-api/get-tradable-asset-pairs: volume and percent, taker in ``fees`` and maker in ``fees_maker``."""
    answer = msgspec.json.decode((require_capture("kraken-payloads") / "http_asset_pairs.json").read_bytes())
    pair = answer["result"]["XBTUSDT"]
    assert [[fee.volume_30d, fee.taker_ppm / 10_000] for fee in PROFILE.fees] == pair["fees"]
    assert [[fee.volume_30d, fee.maker_ppm / 10_000] for fee in PROFILE.fees] == pair["fees_maker"]


@pytest.mark.parametrize(
    ("volume", "maker_ppm", "taker_ppm"),
    [(0, 2_500, 4_000), (9_999, 2_500, 4_000), (10_000, 2_000, 3_500), (10_000_000, 0, 1_000)],
)
def test_fees_step_at_the_volumes_of_the_schedule(volume: int, maker_ppm: int, taker_ppm: int) -> None:
    tier = PROFILE.fee_tier(volume)
    assert (tier.maker_ppm, tier.taker_ppm) == (maker_ppm, taker_ppm)


# ------------------------------------------------------------------------------------------------------------ the whole


def test_every_reason_has_a_text() -> None:
    assert set(PROFILE.errors) == set(RejectReason)


def test_every_mode_has_a_rule_and_a_reason_exactly_where_it_refuses() -> None:
    assert set(PROFILE.modes) == set(VenueMode)
    assert [mode for mode, rule in PROFILE.modes.items() if rule.reason is None] == [VenueMode.ONLINE]


def test_the_roads_use_links_that_exist_and_can_be_reached_from_where_they_sit() -> None:
    assert [road.name for road in PROFILE.roads] == ["rest", "rest+ws", "ws1", "ws2", "fix", "fix-colo"]
    for road in PROFILE.roads:
        links = {road.submit, road.amend, *road.cancel, road.news, road.query}
        assert links <= set(PROFILE.protocols)
        assert links <= set(PROFILE.latency_tier(road.latency_tier).links)


def test_a_road_is_polled_exactly_where_its_news_are_not_pushed() -> None:
    polled = [road.name for road in PROFILE.roads if road.poll_interval_ns is not None]
    silent = [road.name for road in PROFILE.roads if PROFILE.protocols[road.news].news is News.NONE]
    assert polled == silent == ["rest"]


def test_polling_a_quiet_account_can_go_on_for_ever_at_the_intermediate_tier() -> None:
    """guides/spot-rest-ratelimits: what a poll costs decays until the next."""
    road, tier, costs = PROFILE.road("rest"), PROFILE.tier("intermediate"), PROFILE.protocols[Protocol.REST].call_costs
    assert costs is not None
    assert road.poll_interval_ns is not None
    cost = sum(getattr(costs, call) for call in PROFILE.protocols[Protocol.REST].poll_calls)
    assert cost <= road.poll_interval_ns * tier.call_decay_per_ns


def test_fix_is_faster_than_websocket_and_websocket_faster_than_rest_everywhere() -> None:
    """guides/general/api-comparison."""
    for tier in PROFILE.latency_tiers:
        medians = [tier.links[key].command.median_us for key in (Protocol.FIX, Protocol.WS2, Protocol.REST)]
        assert medians == sorted(medians)


def test_table_of_the_profile_fits_its_width_and_shows_the_swap_of_websocket_commands() -> None:
    lines = format_protocols(PROFILE).splitlines()
    assert max(map(len, lines)) <= WIDTH
    commands = next(line for line in lines if line.startswith("  commands arrive"))
    assert commands[24:].split("  ")[0] == "in any order"
    assert commands.count("can swap, 4 paths*") == 2
    assert "in order" in commands
