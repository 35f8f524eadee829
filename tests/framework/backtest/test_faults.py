"""The fault schedule: what happens when, what overlaps, and what is refused before a run begins."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kraken.profile import PROFILE
from framework.backtest.config import FaultSection, RoadSection
from framework.backtest.faults import check_faults
from framework.backtest.runner import Backtest
from framework.errors import ConfigError
from tests.simulation.stage import START_NS, Script, fixed_latency, rows, run

FAST = fixed_latency(PROFILE, 1.0)


def _play(*faults: FaultSection, road: str = "ws2") -> tuple[Script, Backtest]:
    script = Script()
    section = RoadSection(name=road, reconnect_delay_ms=100)
    return script, run(script, profile=FAST, road=section, faults=faults)


def _happened(backtest: Backtest, *names: str) -> list[tuple[float, str, Any]]:
    """(seconds, name, link or mode) of what the schedule did."""
    every = [row for row in rows(backtest, kind="venue") if row["name"] in names]
    return [((row["ts_venue_ns"] - START_NS) / 1e9, row["name"], row["link"] or row["text"]) for row in every]


def test_a_drop_begins_and_ends_at_its_times_and_is_written_down() -> None:
    _, backtest = _play(FaultSection(kind="drop", link="ws2", at_s=10.1, for_s=5.2))
    assert _happened(backtest, "LineDropped", "LineRestored") == [
        (10.1, "LineDropped", "ws2"),
        (15.3, "LineRestored", "ws2"),
    ]


@pytest.mark.parametrize("link", ["all", None])
def test_a_drop_of_all_lines_cuts_every_link_of_the_run(link: str | None) -> None:
    script, _ = _play(FaultSection(kind="drop", link=link, at_s=10.0, for_s=5.0))
    assert {(at_s, e.link) for at_s, e in script.events("SessionClosed")} == {(10.0, "ws2"), (10.0, "rest")}


def test_a_drop_of_a_link_that_the_run_does_not_have_is_left_out() -> None:
    script, backtest = _play(FaultSection(kind="drop", link="fix", at_s=10.0, for_s=5.0))
    assert script.events("SessionClosed") == []
    assert _happened(backtest, "LineDropped") == []


def test_a_drop_without_duration_cuts_the_line_and_leaves_the_road_open() -> None:
    script, _ = _play(FaultSection(kind="drop", link="ws2", at_s=10.0))
    assert [at_s for at_s, _ in script.events("SessionClosed")] == [10.0]
    assert [at_s for at_s, e in script.events("SessionOpened") if at_s > 1] == [10.102]


def test_a_line_is_back_when_the_last_of_two_drops_is_over() -> None:
    script, _ = _play(
        FaultSection(kind="drop", link="ws2", at_s=10.0, for_s=4.0),
        FaultSection(kind="drop", link="ws2", at_s=12.0, for_s=8.0),
    )
    ((at_s, _),) = [event for event in script.events("SessionOpened") if event[0] > 1]
    assert 20.0 < at_s < 20.2


def test_a_mode_lasts_for_its_time_and_every_change_is_told() -> None:
    script, backtest = _play(FaultSection(kind="mode", mode="cancel_only", at_s=10.0, for_s=5.0))
    expected = [(10.0, "ModeChanged", "CANCEL_ONLY"), (15.0, "ModeChanged", "ONLINE")]
    assert _happened(backtest, "ModeChanged") == expected
    told = [(at_s, e.mode.name, e.symbol) for at_s, e in script.events("VenueStatusChanged")]
    assert told == [(10.001, "CANCEL_ONLY", None), (15.001, "ONLINE", None)]


def test_a_mode_without_duration_lasts_to_the_end() -> None:
    _, backtest = _play(FaultSection(kind="mode", mode="post_only", at_s=10.0))
    assert _happened(backtest, "ModeChanged") == [(10.0, "ModeChanged", "POST_ONLY")]


def test_a_mode_of_one_pair_names_it() -> None:
    script, _ = _play(FaultSection(kind="mode", mode="limit_only", symbol="BTC/USD", at_s=10.0, for_s=1.0))
    assert [e.symbol for _, e in script.events("VenueStatusChanged")] == ["BTC/USD", "BTC/USD"]


def test_of_overlapping_modes_the_last_begun_holds_and_the_one_before_comes_back() -> None:
    _, backtest = _play(
        FaultSection(kind="mode", mode="post_only", at_s=10.0, for_s=20.0),
        FaultSection(kind="mode", mode="maintenance", at_s=15.0, for_s=5.0),
    )
    assert _happened(backtest, "ModeChanged") == [
        (10.0, "ModeChanged", "POST_ONLY"),
        (15.0, "ModeChanged", "MAINTENANCE"),
        (20.0, "ModeChanged", "POST_ONLY"),
        (30.0, "ModeChanged", "ONLINE"),
    ]


def test_a_mode_that_ends_under_a_later_one_changes_nothing() -> None:
    _, backtest = _play(
        FaultSection(kind="mode", mode="post_only", at_s=10.0, for_s=10.0),
        FaultSection(kind="mode", mode="maintenance", at_s=15.0, for_s=10.0),
    )
    assert [(at_s, mode) for at_s, _, mode in _happened(backtest, "ModeChanged")] == [
        (10.0, "POST_ONLY"),
        (15.0, "MAINTENANCE"),
        (25.0, "ONLINE"),
    ]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "flood", "at_s": 1.0}, "drop"),
        ({"kind": "drop", "link": "fax", "at_s": 1.0}, "fax"),
        ({"kind": "mode", "mode": "siesta", "at_s": 1.0}, "siesta"),
        ({"kind": "mode", "at_s": 1.0}, "mode"),
        ({"kind": "mode", "mode": "post_only", "symbol": "DOGE/USD", "at_s": 1.0}, "DOGE/USD"),
    ],
)
def test_what_cannot_happen_is_refused_with_what_could(fault: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        _play(FaultSection(**fault))


def test_a_fault_after_the_markets_end_does_not_happen_and_who_asks_is_told() -> None:
    late = FaultSection(kind="drop", link="ws2", at_s=61.0)
    script, _ = _play(late)
    assert script.events("SessionClosed") == []
    with pytest.raises(ConfigError, match="the market ends 60 s after"):
        check_faults([late], START_NS, START_NS + 60_000_000_000)


def test_a_fault_at_the_markets_end_is_not_too_late() -> None:
    check_faults([FaultSection(kind="drop", link="ws2", at_s=60.0)], START_NS, START_NS + 60_000_000_000)
