"""Instruments and the status of trading over FIX market data (fix-api/slr-fix, sl-fix, tssr-fix, tss-fix)."""

from __future__ import annotations

import pytest

from adapters.fix.codec import Message
from framework.protocol import VenueMode
from tests.adapters.kraken.server.fix_market_rig import FixMarket, Watcher


def instruments(watcher: Watcher, **fields: str) -> list[Message]:
    """An InstrumentListRequest with fields by tag; gives what comes."""
    body = {"t320": "R1", "t559": "4", **fields}
    return watcher.send(b"x", [(int(tag[1:]), value.encode()) for tag, value in body.items()])


def status(watcher: Watcher, req_id: str = "S1", kind: str = "0", session: str = "SESSION") -> list[tuple[str, ...]]:
    """A TradingSessionStatusRequest; gives (id, session, status, reason) of what comes."""
    return seen(watcher.send(b"g", ((263, kind.encode()), (335, req_id.encode()), (336, session.encode()))))


def seen(messages: list[Message]) -> list[tuple[str, ...]]:
    """Statuses as (id, session, status, reason)."""
    assert {message.msg_type for message in messages} <= {b"h"}
    return [tuple(message.text(tag) for tag in (335, 336, 340, 567)) for message in messages]


@pytest.mark.parametrize(
    "request_", [{"t559": "0", "t55": "BTC/USD"}, {"t559": "1", "t167": "CASH"}, {"t559": "4"}, {"t263": "0"}]
)
def test_instruments_are_listed_with_their_grid_and_status(request_: dict[str, str]) -> None:
    (answer,) = instruments(FixMarket().watcher(), **request_)
    assert (answer.msg_type, answer.text(320), answer.text(560), answer.text(146)) == (b"y", "R1", "0", "1")
    (pair,) = answer.group(146, 55)
    assert {tag: value.decode() for tag, value in pair.items()} == {
        55: "BTC/USD", 562: "0.0001", 5010: "8", 5011: "0.0001", 5013: "0", 2349: "1", 5022: "0.1", 5032: "1",
    }  # fmt: skip


def test_each_answer_has_an_id_of_its_own() -> None:
    watcher = FixMarket().watcher()
    assert len({instruments(watcher)[0].text(322) for _ in range(3)}) == 3


@pytest.mark.parametrize(
    ("request_", "result"),
    [
        ({"t559": "0", "t55": "TEST/TEST"}, "2"),
        ({"t559": "1", "t167": "FUT"}, "2"),
        ({"t559": "0"}, "1"),
        ({"t559": "1"}, "1"),
        ({"t559": "1", "t167": "GOLD"}, "1"),
        ({"t559": "3"}, "1"),
        ({"t263": "7"}, "1"),
    ],
)
def test_a_request_that_finds_nothing_says_why(request_: dict[str, str], result: str) -> None:
    (answer,) = instruments(FixMarket().watcher(), **request_)
    assert (answer.text(560), answer.get(146)) == (result, None)
    assert answer.text(58)


def test_who_follows_instruments_is_told_of_a_changed_status_until_he_ends_it() -> None:
    market = FixMarket()
    watcher = market.watcher()
    instruments(watcher, t263="1")
    market.host.set_mode(VenueMode.CANCEL_ONLY, "BTC/USD")
    (update,) = watcher.taken()
    assert (update.msg_type, update.text(320), update.text(5032)) == (b"y", "R1", "3")
    assert instruments(watcher, t263="2") == []
    market.host.set_mode(VenueMode.ONLINE, "BTC/USD")
    assert watcher.taken() == []


def test_the_status_of_trading_is_told_once_or_with_each_change() -> None:
    market = FixMarket()
    once, always = market.watcher(), market.watcher("B0")
    assert status(once) == [("S1", "SESSION", "2", "")]
    assert status(always, "S2", "1") == [("S2", "SESSION", "2", "")]
    for mode in (VenueMode.MAINTENANCE, VenueMode.CANCEL_ONLY, VenueMode.POST_ONLY, VenueMode.ONLINE):
        market.host.set_mode(mode, None)
    assert once.taken() == []
    assert [row[2] for row in seen(always.taken())] == ["1", "101", "102", "2"]


def test_the_mode_of_one_pair_is_no_status_of_the_session() -> None:
    market = FixMarket()
    watcher = market.watcher()
    status(watcher, kind="1")
    market.host.set_mode(VenueMode.CANCEL_ONLY, "BTC/USD")
    assert watcher.taken() == []


def test_a_request_for_the_status_that_makes_no_sense_gets_its_reason() -> None:
    watcher = FixMarket().watcher()
    assert status(watcher, "S1", "1", "OTHER") == [("S1", "OTHER", "", "1")]
    assert status(watcher, "S1", "2") == [("S1", "SESSION", "", "101")]
    status(watcher, "S1", "1")
    assert status(watcher, "S1", "1") == [("S1", "SESSION", "", "102")]
    assert status(watcher, "S2", "1") == [("S2", "SESSION", "", "103")]


def test_nothing_is_followed_any_more_after_the_line_was_lost() -> None:
    market = FixMarket()
    watcher = market.watcher()
    status(watcher, "S1", "1")
    instruments(watcher, t263="1")
    watcher.cut()
    watcher.open()
    market.host.set_mode(VenueMode.CANCEL_ONLY, None)
    assert watcher.taken() == []
