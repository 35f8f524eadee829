"""A link in virtual time: what is carried, what is lost with its line, and what each end is told and when.

Commands take 10 ms, responses 20 ms, news 30 ms. The venue at the other end writes down what reaches it.
"""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kraken.profile import PROFILE
from framework.backtest.sim_link import Gateway, SimLink
from framework.messages import (
    CancelAllAfter,
    Command,
    CommandAccepted,
    CommandRejected,
    Logon,
    Logout,
    Report,
    SessionClosed,
    SessionOpened,
)
from framework.protocol import LatencySpec, Ordering, Protocol
from framework.venue.latency import compile_latency
from framework.venue.path import Path
from framework.venue.scheduler import NEVER_NS, Scheduler
from framework.venue.sessions import Outbound

MS = 1_000_000


def _path(ms: float) -> Path:
    table = compile_latency(LatencySpec(kind="constant", median_us=ms * 1_000))
    return Path(ordering=Ordering.FIFO, balanced_paths=1, seed=1, name="x", table=table)


class VenueStub:
    """Answers logons as told, and writes down what it hears: (milliseconds, what, line)."""

    def __init__(self) -> None:
        self.outbox: list[Outbound] = []
        self.heard: list[tuple[float, str, str]] = []
        self.commands: list[Command] = []
        self.logons: list[Logon] = []
        self.refusal: str | None = None
        self.is_resumed = False
        self.up: set[str] = set()

    def connect(self, line_id: str, account: str, label: str, now_ns: int, comp_id: str, **options: Any) -> None:
        assert line_id not in self.up
        self.up.add(line_id)
        self.heard.append((now_ns / MS, "connect", line_id))

    def drop_line(self, line_id: str, now_ns: int) -> None:
        assert line_id in self.up, f"{line_id} was never connected, or has been dropped before"
        self.up.discard(line_id)
        self.heard.append((now_ns / MS, "drop", line_id))

    def handle(self, line_id: str, command: Command, now_ns: int) -> None:
        assert line_id in self.up, f"{command} on {line_id}, which is not up"
        if isinstance(command, Logon):
            self.logons.append(command)
            answer: Report
            if self.refusal is None:
                answer = SessionOpened(
                    ts_venue_ns=now_ns, request_id=0, session_id=f"S-{line_id}", is_resumed=self.is_resumed
                )
            else:
                answer = CommandRejected(ts_venue_ns=now_ns, request_id=0, error=self.refusal)
            self.outbox.append(Outbound(line_id, answer, True))
        elif isinstance(command, Logout):
            self.outbox.append(Outbound(line_id, SessionClosed(ts_venue_ns=now_ns, session_id="", reason="bye"), False))
            self.up.discard(line_id)
        else:
            self.commands.append(command)
            self.heard.append((now_ns / MS, f"command {command.request_id}", line_id))


class Rig:
    """One link between a stub of the venue and ears of a desk."""

    def __init__(self, protocol: Protocol = Protocol.FIX) -> None:
        self.scheduler = Scheduler(0)
        self.venue = VenueStub()
        self.gateway = Gateway(self.venue)  # type: ignore[arg-type]
        self.link = SimLink(
            "x",
            PROFILE.protocols[protocol],
            "account",
            self.scheduler,
            self.venue,  # type: ignore[arg-type]
            self.gateway,
            _path(10),
            _path(20),
            _path(30),
            True,
        )
        self.reports: list[tuple[float, Report]] = []
        self.closed: list[tuple[float, str]] = []
        self.link.attach(
            lambda name, report: self.reports.append((self.now_ms, report)),
            lambda name, reason: self.closed.append((self.now_ms, reason)),
        )

    @property
    def now_ms(self) -> float:
        return self.scheduler.now_ns / MS

    def at(self, ms: float, callback: Any, *args: Any) -> None:
        self.scheduler.at(int(ms * MS), callback, *args)

    def push(self, report: Report, *, is_response: bool = False, seq_num: int = 0) -> None:
        self.venue.outbox.append(Outbound(self.link.line_id, report, is_response, seq_num))
        self.gateway.flush()

    def play(self, until_ms: float = 10_000) -> None:
        while self.scheduler.next_ns() < min(NEVER_NS, int(until_ms * MS)):
            self.scheduler.run_next()


def command(request_id: int) -> Command:
    return CancelAllAfter(request_id=request_id, timeout_s=0)


def report(request_id: int) -> Report:
    return CommandAccepted(ts_venue_ns=0, request_id=request_id)


def answered(rig: Rig) -> list[tuple[float, int]]:
    return [(ms, r.request_id) for ms, r in rig.reports if isinstance(r, CommandAccepted)]


# ------------------------------------------------------------------------------------------------- opening


def test_a_session_is_up_when_the_answer_to_the_logon_has_come_back() -> None:
    rig = Rig()
    rig.link.open(is_reset=True)
    rig.play(29)
    assert not rig.link.is_up
    rig.play()
    assert rig.link.is_up
    assert [(ms, type(r).__name__) for ms, r in rig.reports] == [(30.0, "SessionOpened")]
    assert rig.link.session_id == "S-x#1"


def test_a_protocol_without_sessions_is_up_when_the_connection_is_known_to_stand() -> None:
    rig = Rig(Protocol.WS2)
    rig.link.open(is_reset=True)
    rig.play()
    assert rig.venue.logons == []
    assert [(ms, type(r).__name__) for ms, r in rig.reports] == [(30.0, "SessionOpened")]
    assert rig.link.session_id == "x#1"


def test_a_refused_logon_is_told_as_an_end_and_the_line_is_hung_up() -> None:
    rig = Rig()
    rig.venue.refusal = "EService:Unavailable"
    rig.link.open(is_reset=True)
    rig.play()
    assert rig.closed == [(30.0, "EService:Unavailable")]
    assert not rig.link.is_up
    assert rig.venue.up == set()


def test_a_blocked_road_is_told_when_the_attempt_fails() -> None:
    rig = Rig()
    rig.link.cut(0)
    rig.link.open(is_reset=True)
    rig.play()
    assert rig.closed == [(10.0, "no connection")]
    assert rig.venue.heard == []


@pytest.mark.parametrize("cut_ms", [5.0, 15.0, 25.0])
def test_a_drop_while_connecting_is_told_once_and_leaves_no_line_at_the_venue(cut_ms: float) -> None:
    rig = Rig()
    rig.link.open(is_reset=True)
    rig.at(cut_ms, rig.link.cut, 0)
    rig.at(cut_ms, rig.link.restore)
    rig.play()
    assert len(rig.closed) == 1
    assert rig.reports == []
    assert rig.venue.up == set()


def test_an_attempt_that_is_given_up_for_another_is_not_told() -> None:
    rig = Rig()
    rig.link.open(is_reset=True)
    rig.at(2.0, rig.link.open, True)
    rig.play()
    assert rig.closed == []
    assert [(what, line) for _, what, line in rig.venue.heard] == [("connect", "x#2")]
    assert rig.link.session_id == "S-x#2"


# ------------------------------------------------------------------------------------------------- carrying


def up(protocol: Protocol = Protocol.FIX) -> Rig:
    rig = Rig(protocol)
    rig.link.open(is_reset=True)
    rig.play(50)
    return rig


def test_commands_and_reports_take_their_roads() -> None:
    rig = up()
    rig.at(100, rig.link.send, command(1))
    rig.at(200, lambda: rig.push(report(1), is_response=True))
    rig.at(300, lambda: rig.push(report(2)))
    rig.play()
    assert rig.venue.heard[-1] == (110.0, "command 1", "x#1")
    assert answered(rig) == [(220.0, 1), (330.0, 2)]


@pytest.mark.parametrize(("sent_ms", "arrives"), [(89.9, True), (90.1, False), (100.0, False)])
def test_a_command_arrives_before_the_drop_or_never(sent_ms: float, arrives: bool) -> None:
    rig = up()
    rig.at(sent_ms, rig.link.send, command(1))
    rig.at(100, rig.link.cut, 500 * MS)
    rig.at(101, rig.link.restore)
    rig.play()
    assert (len(rig.venue.commands) == 1) == arrives


@pytest.mark.parametrize(("made_ms", "arrives"), [(69.9, True), (70.1, False), (110.0, False)])
def test_a_report_arrives_before_the_drop_or_never(made_ms: float, arrives: bool) -> None:
    rig = up()
    rig.at(made_ms, lambda: rig.push(report(1)))
    rig.at(100, rig.link.cut, 500 * MS)
    rig.at(101, rig.link.restore)
    rig.play()
    assert (answered(rig) != []) == arrives


def test_what_is_sent_between_a_drop_and_its_discovery_is_lost_even_if_the_road_is_open_again() -> None:
    rig = up()
    rig.at(100, rig.link.cut, 500 * MS)
    rig.at(150, rig.link.restore)
    rig.at(300, rig.link.send, command(1))
    rig.play()
    assert rig.venue.commands == []


# ------------------------------------------------------------------------------------------------- ends


def test_each_end_sees_a_drop_after_the_time_of_discovery() -> None:
    rig = up()
    rig.at(100, rig.link.cut, 40 * MS)
    rig.play()
    assert rig.venue.heard[-1] == (140.0, "drop", "x#1")
    assert rig.closed == [(140.0, "line dropped")]


def test_two_drops_of_one_line_are_told_once() -> None:
    rig = up()
    for ms in (100, 110):
        rig.at(ms, rig.link.cut, 40 * MS)
        rig.at(ms + 5, rig.link.restore)
    rig.play()
    assert rig.closed == [(140.0, "line dropped")]


def test_a_late_discovery_of_an_old_drop_does_not_end_a_new_line() -> None:
    rig = up()
    rig.at(100, rig.link.cut, 200 * MS)
    rig.at(101, rig.link.restore)
    rig.at(150, rig.link.open, True)
    rig.play()
    assert rig.closed == []
    assert rig.link.is_up
    assert rig.venue.up == {"x#2"}


def test_overlapping_drops_keep_the_road_closed_until_the_last_is_over() -> None:
    rig = up()
    rig.at(100, rig.link.cut, 0)
    rig.at(200, rig.link.cut, 0)
    rig.at(300, rig.link.restore)
    rig.at(350, rig.link.open, True)
    rig.at(400, rig.link.restore)
    rig.at(450, rig.link.open, True)
    rig.play()
    assert rig.closed == [(100.0, "line dropped"), (360.0, "no connection")]
    assert rig.link.is_up


def test_a_logout_is_answered_by_the_end_of_the_session() -> None:
    rig = up(Protocol.WS2)
    rig.at(100, rig.link.close)
    rig.play()
    assert rig.closed == [(140.0, "bye")]
    assert not rig.link.is_up


def test_after_the_end_of_a_session_nothing_of_it_is_delivered() -> None:
    rig = up()
    rig.at(100, lambda: rig.push(SessionClosed(ts_venue_ns=0, session_id="S", reason="rollover")))
    rig.at(101, lambda: rig.push(report(1)))
    rig.play()
    assert rig.closed == [(130.0, "rollover")]
    assert answered(rig) == []


# ------------------------------------------------------------------------------------------------- resumption


def resumed_from(rig: Rig, *, is_reset: bool = False) -> int | None:
    rig.link.cut(0)
    rig.link.restore()
    rig.play()
    rig.link.open(is_reset=is_reset)
    rig.play(20_000)
    return rig.venue.logons[-1].next_expected_seq


def test_a_resumption_asks_from_the_first_message_that_was_not_received() -> None:
    rig = up()
    for number in (1, 2, 3):
        rig.at(100 * number, lambda number=number: rig.push(report(number), seq_num=number))
    rig.play(310)  # the third is on its way and is lost
    assert resumed_from(rig) == 3


def test_a_session_that_received_nothing_resumes_from_the_first() -> None:
    assert resumed_from(up()) == 1


def test_a_new_session_asks_for_nothing() -> None:
    rig = up()
    rig.push(report(1), seq_num=1)
    rig.play(100)
    assert resumed_from(rig, is_reset=True) is None


def test_numbers_start_anew_with_a_new_session_and_go_on_with_a_resumed_one() -> None:
    for is_resumed, expected in ((True, 9), (False, 1)):
        rig = up()
        rig.push(report(1), seq_num=8)
        rig.play(100)
        rig.venue.is_resumed = is_resumed
        resumed_from(rig)
        assert resumed_from(rig) == expected
