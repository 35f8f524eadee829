"""HTTP at the client's end: answers however their bytes come, connections that are kept, requests that are written
once (RFC 9112).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kraken.client.http import Answer, AnswerReader, HttpError, Request
from adapters.kraken.client.http_pool import Call, HttpPool, Loss
from framework.venue.scheduler import Scheduler

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SECOND = 10**9


@given(st.integers(min_value=1, max_value=40))
def test_answers_are_read_however_their_bytes_come(step: int) -> None:
    data = (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst"
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsec\r\n3;x=1\r\nond\r\n0\r\n\r\n"
        b"HTTP/1.1 204 No Content\r\n\r\n"
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    reader, answers = AnswerReader(), []
    for at in range(0, len(data), step):
        answers += list(reader.feed(data[at : at + step]))
    assert answers == [
        Answer(200, b"first", False),
        Answer(200, b"second", False),
        Answer(204, b"", False),
        Answer(503, b"", True),
    ]


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    reader = AnswerReader()
    assert list(reader.feed(b"HTTP/1.1 200 OK\r\n\r\nall of it")) == []
    assert reader.end() == Answer(200, b"all of it", True)


def test_an_answer_that_is_cut_short_is_none() -> None:
    reader = AnswerReader()
    assert list(reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall")) == []
    assert reader.end() is None


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"x" * 70_000,
    ],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(HttpError):
        list(AnswerReader().feed(data))


def test_a_request_shows_neither_its_headers_nor_its_body() -> None:
    request = Request(method="POST", target="/0/private/Balance?x=1", headers={"API-Sign": "secret"}, body=b"nonce=1")
    assert repr(request) == "Request(POST /0/private/Balance)"


class Rig:
    """A pool whose connections a test plays."""

    def __init__(self, count: int = 1, *, is_open: bool = True) -> None:
        self.clock = Scheduler(0)
        self.streams: list[Played] = []
        self.heard: list[Any] = []
        self.pool = HttpPool(self.connect, "api.example", self.clock, count=count)
        self.pool.warm()
        if is_open:
            for stream in self.streams:
                stream.handler.opened()

    def connect(self, handler: Any) -> Played:
        self.streams.append(Played(handler))
        return self.streams[-1]

    def call(
        self,
        name: str,
        *,
        is_urgent: bool = False,
        is_ordered: bool = True,
        is_wanted: Callable[[], bool] | None = None,
    ) -> None:
        self.pool.call(
            Call(
                lambda: Request(method="GET", target=f"/{name}"),
                10 * SECOND,
                lambda status, body: self.heard.append((name, status)),
                lambda loss, reason: self.heard.append((name, loss)),
                is_urgent=is_urgent,
                is_ordered=is_ordered,
                is_wanted=is_wanted,
            )
        )

    def run(self, seconds: float) -> None:
        until = self.clock.now_ns + round(seconds * SECOND)
        while self.clock.next_ns() <= until:
            self.clock.run_next()
        self.clock.now_ns = until

    @property
    def reserve(self) -> Played:
        """With one connection, the second one."""
        return self.streams[1]

    def asked(self, number: int = 0) -> list[str]:
        return [data.split(b" ")[1].decode() for data in self.streams[number].written]


class Played:
    def __init__(self, handler: Any) -> None:
        self.handler = handler
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.is_closed = True


def test_a_request_is_written_in_the_call_that_asks_for_it() -> None:
    rig = Rig()
    rig.call("a")
    assert rig.streams[0].written == [b"GET /a HTTP/1.1\r\nHost: api.example\r\nUser-Agent: tidegate\r\n\r\n"]


def test_a_request_that_is_not_wanted_any_more_when_a_connection_is_free_is_not_written() -> None:
    rig = Rig(is_open=False)
    is_wanted = True
    rig.call("a", is_wanted=lambda: is_wanted)
    rig.call("b", is_wanted=lambda: True)
    is_wanted = False
    rig.streams[0].handler.opened()
    rig.run(0.001)
    assert rig.asked() == ["/b"]
    assert rig.heard == [("a", Loss.UNSENT)]


def test_a_connection_is_kept_for_the_next_request() -> None:
    rig = Rig()
    rig.call("a")
    rig.streams[0].handler.received(OK)
    rig.call("b")
    assert rig.asked() == ["/a", "/b"]
    assert rig.heard == [("a", 200)]


def test_urgent_requests_are_written_before_others_that_wait() -> None:
    rig = Rig()
    for name in ("first", "poll"):
        rig.call(name)
    rig.call("order", is_urgent=True)
    rig.streams[0].handler.received(OK)
    assert rig.asked() == ["/first", "/order"]


def test_a_request_is_made_when_it_is_written_so_that_its_nonce_is_the_newest() -> None:
    rig = Rig(is_open=False)
    rig.call("a")
    assert rig.heard == []
    assert rig.streams[0].written == []
    rig.streams[0].handler.opened()
    assert rig.asked() == ["/a"]


def test_several_connections_carry_several_requests_at_a_time() -> None:
    rig = Rig(2)
    rig.call("a")
    rig.call("b")
    assert (rig.asked(0), rig.asked(1)) == (["/a"], ["/b"])


def test_a_request_whose_connection_drops_is_lost_and_not_written_again() -> None:
    rig = Rig()
    rig.call("a")
    rig.streams[0].handler.closed("line dropped")
    assert rig.heard == [("a", Loss.DROPPED)]
    rig.run(5)
    rig.streams[-1].handler.opened()
    assert [stream.written for stream in rig.streams[1:]] == [[], []]


def test_an_answer_that_is_overdue_gives_its_connection_up() -> None:
    rig = Rig()
    rig.call("a")
    rig.run(10)
    assert rig.heard == [("a", Loss.OVERDUE)]
    assert rig.streams[0].is_closed
    assert len(rig.streams) == 3


def test_requests_that_no_connection_can_be_had_for_were_not_sent() -> None:
    rig = Rig(is_open=False)
    rig.call("a")
    for stream in tuple(rig.streams):
        stream.handler.closed("refused")
    assert rig.heard == [("a", Loss.UNSENT)]


def test_a_request_that_has_waited_too_long_is_not_sent_any_more() -> None:
    rig = Rig()
    rig.call("a")
    rig.streams[0].handler.received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{")
    rig.call("b")
    rig.run(10)
    assert ("b", Loss.UNSENT) in rig.heard
    rig.streams[-1].handler.opened()
    assert rig.streams[-1].written == []


def test_an_idle_connection_that_the_venue_closes_is_made_again_at_once() -> None:
    rig = Rig()
    rig.run(60)
    rig.streams[0].handler.closed("line dropped")
    assert len(rig.streams) == 3


def test_a_connection_that_cannot_be_had_is_tried_after_longer_and_longer_pauses() -> None:
    rig = Rig(is_open=False)
    for _ in range(8):
        rig.call("a")
        rig.run(30)
        for stream in rig.streams[-2:]:
            stream.handler.closed("refused")
    assert rig.heard.count(("a", Loss.UNSENT)) == 8
    assert len(rig.streams) <= 2 * 9


def test_a_request_whose_nonce_cannot_be_kept_was_not_sent_and_the_connection_is_free() -> None:
    rig = Rig()

    def make() -> Request:
        raise OSError(28, "No space left on device")

    rig.pool.call(Call(make, SECOND, lambda *_: None, lambda loss, reason: rig.heard.append((loss, reason))))
    assert rig.heard == []
    rig.run(0)
    assert rig.heard == [(Loss.UNSENT, "[Errno 28] No space left on device")]
    rig.call("a")
    assert rig.asked() == ["/a"]


def test_an_urgent_request_does_not_wait_for_an_answer_that_does_not_come() -> None:
    rig = Rig()
    rig.call("poll")
    rig.run(0.1)
    rig.call("cancel", is_urgent=True)
    rig.call("another poll")
    assert rig.asked(1) == []
    rig.run(0.39)
    assert rig.asked(1) == []
    rig.run(0.02)
    assert rig.asked(1) == ["/cancel"]
    rig.reserve.handler.received(OK)
    assert rig.heard == [("cancel", 200)]
    assert rig.asked() == ["/poll"]


def test_with_one_connection_nothing_is_written_that_could_overtake_what_is_in_flight() -> None:
    """guides/spot-rest-auth: a nonce below one that has arrived is refused, where the key has no window."""
    rig = Rig()
    rig.call("poll")
    rig.run(0.6)
    rig.call("cancel", is_urgent=True)
    assert rig.asked(1) == ["/cancel"]
    rig.streams[0].handler.received(OK)
    rig.call("order", is_urgent=True)
    assert rig.asked() == ["/poll"]
    rig.reserve.handler.received(OK)
    assert rig.asked() == ["/poll", "/order"]


def test_a_request_waits_where_one_was_just_lost_with_its_connection_and_may_arrive_yet() -> None:
    rig = Rig()
    rig.call("a")
    rig.streams[0].handler.closed("line dropped")
    rig.call("cancel", is_urgent=True)
    assert rig.asked(1) == []
    rig.run(0.5)
    assert rig.asked(1) == ["/cancel"]


def test_an_urgent_request_may_overtake_one_that_has_no_nonce() -> None:
    rig = Rig()
    rig.call("status", is_ordered=False)
    rig.call("cancel", is_urgent=True)
    assert rig.asked(1) == ["/cancel"]


def test_a_request_that_waits_for_one_that_was_lost_is_written_in_the_end() -> None:
    rig = Rig()
    rig.call("a")
    rig.run(0.1)
    rig.streams[0].handler.closed("line dropped")
    rig.run(0.2)
    rig.streams[-1].handler.opened()
    rig.call("poll")
    rig.run(0.3)
    assert rig.streams[-1].written == [b"GET /poll HTTP/1.1\r\nHost: api.example\r\nUser-Agent: tidegate\r\n\r\n"]
