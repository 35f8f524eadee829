"""The text of a profile: what it shows, what it marks, what it cites."""

from __future__ import annotations

import msgspec

from framework.protocol import VenueProfile
from framework.protocol_table import format_protocols
from framework.text_table import WIDTH
from tests.framework.protocol.toy_venue import PROFILE


def row(profile: VenueProfile, label: str) -> str:
    return next(line for line in format_protocols(profile).splitlines() if line.startswith(f"  {label}"))


def test_table_shows_the_reach_of_cancels() -> None:
    assert "own session only" in row(PROFILE, "single cancel")
    assert "any of the account" in row(PROFILE, "mass cancel, account")


def test_table_follows_a_switch() -> None:
    assert "own comp id only" in row(PROFILE.with_switches({"reach": "comp_id"}), "mass cancel, account")


def test_table_marks_an_assumption_and_only_that() -> None:
    assert "pushed, session*" in row(PROFILE, "news of own orders")
    assert "*" not in row(PROFILE, "single cancel")


def test_table_leaves_absent_things_unmarked() -> None:
    profile = msgspec.structs.replace(PROFILE, sources={**PROFILE.sources, "protocols.fix": "assumption: all of it"})
    assert "*" not in row(profile, "edit: cancel and new")


def test_table_cites_a_page_by_the_number_under_which_it_is_listed() -> None:
    text = format_protocols(PROFILE)
    number = row(PROFILE, "single cancel").split()[-1]
    assert f"\n{number:>4}  page one\n" in text


def test_table_is_never_wider_than_its_width() -> None:
    assert max(len(line) for line in format_protocols(PROFILE).splitlines()) <= WIDTH
