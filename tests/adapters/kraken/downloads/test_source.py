"""Pages over the network: paced, tried again where that may help, and given up in words. Page: spot-rest-ratelimits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.kraken.downloads import source
from adapters.kraken.downloads.source import PublicTrades
from adapters.kraken.rest_session import HttpAnswer, UnreachableError
from framework.errors import VenueError
from tests.adapters.kraken.downloads.test_answers import PAGE

LIMITED = HttpAnswer(200, b'{"error":["EAPI:Rate limit exceeded"]}')


class Session:
    """Answers in a fixed order, the last one again and again."""

    address = "https://venue.test"

    def __init__(self, *answers: HttpAnswer | Exception) -> None:
        self.answers = list(answers)
        self.count = 0

    async def send(self, call: Any) -> HttpAnswer:
        answer = self.answers[min(self.count, len(self.answers) - 1)]
        self.count += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited; time passes by that alone."""
    waits: list[float] = []
    now_ns = [10**18]

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        now_ns[0] += round(seconds * 1e9)

    monkeypatch.setattr(source.asyncio, "sleep", sleep)
    monkeypatch.setattr(source.time, "monotonic_ns", lambda: now_ns[0])
    return waits


def trades(session: Session, told: list[str], pause_s: float = 1.0) -> PublicTrades:
    return PublicTrades(session, "BTC/USD", pause_s, told.append)  # type: ignore[arg-type]


def test_calls_are_a_pause_apart(slept: list[float]) -> None:
    pages = trades(Session(HttpAnswer(200, PAGE)), [])

    async def three() -> None:
        for _ in range(3):
            await pages.page(0)

    asyncio.run(three())
    assert slept == [1.0, 1.0]


def test_a_limit_a_bad_gateway_and_a_lost_line_are_waited_out_longer_each_time(slept: list[float]) -> None:
    told: list[str] = []
    lost = UnreachableError("https://venue.test: gone")
    session = Session(LIMITED, HttpAnswer(502, b""), lost, LIMITED, HttpAnswer(200, PAGE))
    page = asyncio.run(trades(session, told).page(0))
    assert len(page.trade_ids) == 2
    assert session.count == 5
    assert [line.partition(";")[0] for line in told] == [
        "EAPI:Rate limit exceeded", "HTTP 502", "https://venue.test: gone", "EAPI:Rate limit exceeded",
    ]  # fmt: skip
    assert all(wait >= 1.0 for wait in slept)
    assert slept[-1] > slept[0]


def test_what_does_not_pass_is_given_up_with_the_way_to_go_on(slept: list[float]) -> None:
    session = Session(LIMITED)
    with pytest.raises(VenueError, match="EAPI:Rate limit exceeded, 10 times; run the same command later to go on"):
        asyncio.run(trades(session, []).page(0))
    assert session.count == 10
    assert sum(slept) < 300


def test_a_refusal_is_not_asked_for_again(slept: list[float]) -> None:
    session = Session(HttpAnswer(200, b'{"error":["EQuery:Unknown asset pair"]}'))
    with pytest.raises(VenueError, match="Unknown asset pair"):
        asyncio.run(trades(session, []).page(0))
    assert (session.count, slept) == (1, [])
