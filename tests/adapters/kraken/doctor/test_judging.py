"""What public answers mean for who wants to trade.

Pages: rest-api/get-server-time, get-system-status, get-tradable-asset-pairs; guides/fix-auth, guides/spot-ws-book-v2.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from adapters.kraken.doctor.judging import (
    ClockReading,
    judge_book,
    judge_certificate,
    judge_clock,
    judge_pair,
    judge_status,
)
from adapters.kraken.server.authority import certify
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.rest.public import AssetPair
from adapters.kraken.wire.ws2.market import Book
from adapters.kraken.wire.ws2.market import Level as BookLevel
from framework.findings import Finding, Level
from framework.protocol import InstrumentSpec

NS = 10**9
NOW_NS = 1_785_585_600 * NS
NOW = datetime.fromtimestamp(NOW_NS // NS, UTC)


def test_a_finding_is_one_line_with_its_remedy() -> None:
    assert Finding(Level.OK, "clock", "right").line() == "ok    clock                  right"
    assert Finding(Level.FAIL, "key", "gone", "make one").line() == "FAIL  key                    gone; make one"


def readings(ahead_s: float) -> list[ClockReading]:
    """Our clock is so much ahead of the venue's; answers take 20 ms."""
    found = []
    for number in range(4):
        sent_ns = NOW_NS + number * NS * 27 // 100
        venue_ns = sent_ns + NS // 100 - int(ahead_s * NS)
        found.append(ClockReading(sent_ns, sent_ns + NS // 50, venue_ns // NS))
    return found


@pytest.mark.parametrize(
    ("ahead_s", "has_fix", "level"),
    [
        (0, True, Level.OK),
        (0.1, True, Level.OK),
        (-0.9, True, Level.OK),
        (2, True, Level.WARN),
        (-2, False, Level.WARN),
        (4.9, True, Level.FAIL),
        (4.4, False, Level.WARN),
        (-60, True, Level.FAIL),
        (60, False, Level.FAIL),
    ],
)
def test_a_clock_is_judged_by_what_logons_and_deadlines_bear(ahead_s: float, has_fix: bool, level: Level) -> None:
    assert judge_clock(readings(ahead_s), has_fix=has_fix).level is level


def test_a_clock_that_is_wrong_says_by_how_much_and_which_way() -> None:
    assert "ahead of the venue's" in judge_clock(readings(60), has_fix=True).text
    behind = judge_clock(readings(-60), has_fix=True)
    assert "behind the venue's" in behind.text
    assert behind.text.startswith("60.0 s behind")
    assert "FIX logons are refused" in behind.text
    assert "NTP" in behind.remedy


def test_the_engines_mode_is_told() -> None:
    assert judge_status("online").level is Level.OK
    assert judge_status("cancel_only").level is Level.WARN


SPEC = InstrumentSpec(
    symbol="BTC/USD", venue="kraken", tick_size="0.1", lot_size="0.00000001", min_qty_lots=5_000, min_cost="0.5"
)


def changed(**changes: object) -> InstrumentSpec:
    return msgspec.structs.replace(SPEC, **changes)  # type: ignore[arg-type]


def test_a_pair_with_the_rules_of_the_market_is_well() -> None:
    (finding,) = judge_pair(SPEC, AssetPair(status="online"), changed(venue="synthetic", tick_size="0.10"))
    assert finding.level is Level.OK
    assert "tick 0.1, lot 0.00000001, minimum 0.00005 BTC and 0.5 USD" in finding.text


@pytest.mark.parametrize(
    ("changes", "told", "level"),
    [
        ({"tick_size": "0.01"}, "tick 0.01 in the market, 0.1 today", Level.FAIL),
        ({"lot_size": "0.0001", "min_qty_lots": 1}, "lot 0.0001 in the market, 0.00000001 today", Level.FAIL),
        ({"min_qty_lots": 10_000}, "smallest quantity 0.0001 in the market, 0.00005 today", Level.WARN),
        ({"min_cost": "5"}, "smallest cost 5 in the market, 0.5 today", Level.WARN),
    ],
)
def test_a_rule_that_differs_from_the_markets_is_named(changes: dict[str, object], told: str, level: Level) -> None:
    (finding,) = judge_pair(SPEC, AssetPair(status="online"), changed(**changes))
    assert finding.level is level
    assert told in finding.text


def test_a_pair_that_is_not_online_is_to_be_looked_at() -> None:
    first, second = judge_pair(SPEC, AssetPair(status="cancel_only"), None)
    assert (first.level, second.level) == (Level.WARN, Level.OK)
    assert "cancel_only" in first.text


def book(checksum: int) -> Book:
    """The example of guides/spot-ws-book-v2 has this form; the digits here are ours."""
    asks = [BookLevel(Number(f"0.0500{n}"), Number("0.00000500")) for n in range(5, 9)]
    bids = [BookLevel(Number(f"0.0500{n}"), Number("0.00000500")) for n in range(4, 0, -1)]
    return Book(symbol="BTC/USD", asks=asks, bids=bids, checksum=checksum)


def test_a_book_is_held_to_its_checksum_digit_for_digit() -> None:
    # crc32 of "5005500500650050075005008500" + "5004500500350050025005001500"
    from zlib import crc32

    right = crc32(b"50055005006500500750050085005004500500350050025005001500")
    assert judge_book("BTC/USD", book(right)) == Finding(
        Level.OK, "book BTC/USD", "its checksum is right; best 0.05004 and 0.05005"
    )
    assert judge_book("BTC/USD", book(right + 1)).level is Level.FAIL


def der_of(folder: Path) -> bytes:
    certified = certify(folder, NOW, ["venue.test"])
    return ssl.PEM_cert_to_DER_cert(certified.certificate.read_text())


def test_a_certificate_is_told_with_names_end_and_authority(tmp_path: Path) -> None:
    finding = judge_certificate("REST", der_of(tmp_path), "localhost", NOW, None)
    assert finding.level is Level.OK
    assert (
        "for localhost, venue.test, 127.0.0.1 and more, until 2027-08-01, by CN=tidegate local authority"
        in finding.text
    )


def test_a_certificate_that_is_not_trusted_names_the_reason_and_the_option(tmp_path: Path) -> None:
    finding = judge_certificate("REST", der_of(tmp_path), "localhost", NOW, "self-signed certificate")
    assert finding.level is Level.FAIL
    assert "(self-signed certificate)" in finding.text
    assert "--ca" in finding.remedy


@pytest.mark.parametrize(("days", "level"), [(340, Level.OK), (352, Level.WARN), (366, Level.FAIL)])
def test_a_certificate_that_ends_soon_or_has_ended_is_told(tmp_path: Path, days: int, level: Level) -> None:
    assert judge_certificate("REST", der_of(tmp_path), "h", NOW + timedelta(days=days), None).level is level
