"""Reconnecting, and what the venue tells on every link."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from framework.messages import VenueStatus
from framework.protocol import VenueMode
from tests.framework.execution.desk_rig import (
    FIX_ROAD,
    Rig,
    at,
)

# ------------------------------------------------------------------------------------------------- reconnecting


def test_a_dropped_link_is_opened_again_after_the_delay_and_not_before() -> None:
    rig = Rig(FIX_ROAD)
    rig.drop("fix")
    rig.run(999)
    assert rig.links["fix"].opened == [True]
    rig.run(1_001)
    assert rig.links["fix"].opened == [True, False]


def test_a_policy_that_does_not_resume_opens_a_new_session() -> None:
    rig = Rig(replace(FIX_ROAD, is_resumed_on_reconnect=False))
    rig.drop("fix")
    rig.run(1_001)
    assert rig.links["fix"].opened == [True, True]


def test_a_link_that_has_nothing_to_resume_is_opened_anew() -> None:
    rig = Rig()
    rig.drop("ws2")
    rig.run(1_001)
    assert rig.links["ws2"].opened == [True, True]


def test_a_policy_without_a_reconnect_delay_leaves_the_link_down() -> None:
    rig = Rig(replace(FIX_ROAD, reconnect_delay_ms=None))
    rig.drop("fix")
    rig.run(60_000)
    assert rig.links["fix"].opened == [True]


def test_a_failed_attempt_is_tried_again_and_is_not_told_as_the_end_of_a_session() -> None:
    rig = Rig(FIX_ROAD)
    rig.drop("fix")
    rig.run(1_001)
    rig.listener.road.clear()
    rig.drop("fix", "no connection")
    assert rig.road("SessionClosed") == []
    rig.run(2_002)
    assert rig.links["fix"].opened == [True, False, False]


def test_a_desk_that_has_stopped_reconnects_no_more() -> None:
    rig = Rig(FIX_ROAD)
    rig.desk.stop()
    rig.drop("fix")
    rig.run(60_000)
    assert rig.links["fix"].opened == [True]


# ------------------------------------------------------------------------------------------------- the venue


def test_a_change_of_mode_is_told_once_though_each_link_tells_of_it() -> None:
    rig = Rig()
    change = VenueStatus(ts_venue_ns=at(5), mode=VenueMode.CANCEL_ONLY)
    rig.tell("ws2", change)
    rig.tell("rest", change)
    assert [event.mode for event in rig.road("VenueStatusChanged")] == [VenueMode.CANCEL_ONLY]


def test_a_change_of_mode_that_is_older_than_the_one_known_is_not_told() -> None:
    rig = Rig()
    rig.tell("ws2", VenueStatus(ts_venue_ns=at(6), mode=VenueMode.ONLINE))
    rig.tell("rest", VenueStatus(ts_venue_ns=at(5), mode=VenueMode.CANCEL_ONLY))
    assert [event.mode for event in rig.road("VenueStatusChanged")] == [VenueMode.ONLINE]


@pytest.mark.parametrize("symbol", ["BTC/USD", None])
def test_a_change_of_mode_names_its_symbol(symbol: str | None) -> None:
    rig = Rig()
    rig.tell("ws2", VenueStatus(ts_venue_ns=at(5), mode=VenueMode.POST_ONLY, symbol=symbol))
    assert [event.symbol for event in rig.road("VenueStatusChanged")] == [symbol]
