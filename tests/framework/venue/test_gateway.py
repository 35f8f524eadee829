"""Lines and sessions: cancel on disconnect, logout, resumption with replay, rollover. Pages: fix-api/logon-fix,
fix-api/logout-fix, guides/fix-intro (rollover at 22:00 UTC), guides/general/api-comparison."""

from __future__ import annotations

import pytest

from framework.errors import ConfigError
from framework.messages import (
    CancelOrder,
    CommandRejected,
    ExecType,
    ExecutionReport,
    Logon,
    Logout,
    OrderState,
    SessionClosed,
    SessionOpened,
)
from framework.protocol import SELL, RejectReason
from framework.venue.observer import VenueObserver
from tests.framework.venue.venue_rig import SECOND, START_NS, Rig, touch

# The day starts at 12:00 UTC: the rollover is ten hours later.
ROLLOVER_S = 10 * 3600


def _logon(
    rig: Rig,
    line: str = "fix",
    *,
    is_reset: bool = False,
    cancels: bool | None = None,
    next_expected_seq: int | None = None,
) -> SessionOpened:
    """Connect a line of comp id DESK and log on; the session has to open."""
    rig.venue.connect(line, "a", "fix", rig.now_ns, "DESK")
    command = Logon(
        request_id=rig.next_id(),
        is_reset=is_reset,
        is_cancel_on_disconnect=cancels,
        next_expected_seq=next_expected_seq,
    )
    opened = rig.send(line, command)[0]
    assert isinstance(opened, SessionOpened)
    return opened


def _drop(rig: Rig, line: str = "fix") -> None:
    rig.sent = []
    rig.venue.drop_line(line, rig.now_ns)
    rig._settle()


# ----------------------------------------------------------------------------- cancel on disconnect


def test_a_dropped_line_cancels_the_sessions_orders_by_default() -> None:
    rig = Rig(touch())
    order = rig.add("fix")
    _drop(rig)
    assert order.end_reason is RejectReason.CANCEL_ON_DISCONNECT


def test_a_dropped_line_cancels_nothing_where_the_logon_said_so() -> None:
    rig = Rig(touch(), lines=("rest",))
    _logon(rig, cancels=False)
    order = rig.add("fix")
    _drop(rig)
    assert order.is_open


def test_a_dropped_line_cancels_where_the_logon_said_so() -> None:
    rig = Rig(touch(), lines=("rest",))
    _logon(rig, cancels=True)
    order = rig.add("fix")
    _drop(rig)
    assert not order.is_open


@pytest.mark.parametrize("line", ["rest", "ws2"])
def test_a_dropped_line_of_another_protocol_cancels_nothing(line: str) -> None:
    rig = Rig(touch())
    order = rig.add(line)
    _drop(rig, line)
    assert order.is_open


@pytest.mark.parametrize("line", ["rest", "ws2"])
def test_a_dropped_line_leaves_orders_of_other_protocols_alone(line: str) -> None:
    rig = Rig(touch())
    order = rig.add(line)
    _drop(rig, "fix")
    assert order.is_open


def test_a_dropped_line_leaves_orders_of_another_comp_id_alone() -> None:
    rig = Rig(touch())
    rig.venue.connect("fix2", "a", "fix", rig.now_ns, "OTHER")
    rig.send("fix2", Logon(request_id=rig.next_id()))
    order = rig.add("fix2")
    _drop(rig, "fix")
    assert order.is_open


def test_a_dropped_line_leaves_orders_of_an_earlier_session_alone() -> None:
    rig = Rig(touch(), lines=("rest",))
    _logon(rig, cancels=False)
    order = rig.add("fix")
    _drop(rig)
    _logon(rig, is_reset=True)
    _drop(rig)
    assert order.is_open


def test_a_resumed_session_cancels_its_earlier_orders_when_it_drops_again() -> None:
    rig = Rig(touch(), lines=("rest",))
    _logon(rig, cancels=False)
    order = rig.add("fix")
    _drop(rig)
    _logon(rig, cancels=True)
    _drop(rig)
    assert not order.is_open


def test_other_lines_of_the_account_hear_of_the_cancels() -> None:
    rig = Rig(touch())
    rig.add("fix")
    _drop(rig)
    assert rig.exec_types("ws2") == [ExecType.CANCELED]
    assert rig.executions("ws2")[0].reason == "Cancel on disconnect"


# ----------------------------------------------------------------------------- logout


def test_a_logout_ends_the_session_and_cancels_nothing() -> None:
    rig = Rig(touch())
    order = rig.add("fix")
    (closed,) = rig.send("fix", Logout(request_id=rig.next_id()))
    assert isinstance(closed, SessionClosed)
    assert order.is_open
    assert not rig.venue.is_up("fix")


def test_a_logout_cancels_under_the_other_reading() -> None:
    rig = Rig(touch(), switches={"cancel_on_logout": "yes"})
    order = rig.add("fix")
    rig.send("fix", Logout(request_id=rig.next_id()))
    assert order.end_reason is RejectReason.CANCEL_ON_DISCONNECT


def test_a_logout_cancels_nothing_under_the_other_reading_if_the_logon_wanted_none() -> None:
    rig = Rig(touch(), lines=("rest",), switches={"cancel_on_logout": "yes"})
    _logon(rig, cancels=False)
    order = rig.add("fix")
    rig.send("fix", Logout(request_id=rig.next_id()))
    assert order.is_open


def test_a_line_that_drops_after_its_logout_cancels_nothing() -> None:
    rig = Rig(touch())
    order = rig.add("fix")
    rig.send("fix", Logout(request_id=rig.next_id()))
    _drop(rig)
    assert order.is_open


# ----------------------------------------------------------------------------- logon


def test_a_command_before_the_logon_is_refused() -> None:
    rig = Rig(touch(), lines=())
    rig.venue.connect("fix", "a", "fix", rig.now_ns, "DESK")
    assert rig.refused_add("fix") == "ESession:Invalid session"


def test_protocols_without_sessions_need_no_logon() -> None:
    rig = Rig(touch(), lines=("rest",))
    assert rig.add("rest").is_open


def test_a_logon_over_a_protocol_without_sessions_is_answered() -> None:
    rig = Rig(touch())
    (opened,) = rig.send("ws2", Logon(request_id=rig.next_id()))
    assert isinstance(opened, SessionOpened)
    assert not opened.is_resumed


def test_a_second_logon_on_one_line_is_refused() -> None:
    rig = Rig(touch())
    assert rig.refused("fix", Logon(request_id=rig.next_id())) == "EGeneral:Invalid arguments"


def test_a_logon_of_the_same_comp_id_on_another_line_takes_the_session_over() -> None:
    rig = Rig(touch())
    order = rig.add("fix")
    assert _logon(rig, "fix2").is_resumed
    assert [type(report) for report in rig.reports("fix")] == [SessionClosed]
    assert order.is_open
    rig.cancel(order, "fix2")


def test_a_command_on_a_dropped_session_line_is_lost() -> None:
    rig = Rig(touch())
    _drop(rig)
    rig.send("fix", rig.order(cl_ord_id="late"))
    assert rig.sent == []
    assert "late" not in rig.venue.accounts["a"].order_by_cl_ord_id


@pytest.mark.parametrize("line", ["rest", "ws2"])
def test_a_command_that_was_on_its_way_when_another_line_dropped_is_carried_out_unheard(line: str) -> None:
    rig = Rig(touch())
    _drop(rig, line)
    rig.send(line, rig.order(cl_ord_id="late"))
    assert rig.find("late").is_open
    assert rig.reports(line) == []


def test_a_line_that_is_up_cannot_be_connected_again() -> None:
    rig = Rig(touch())
    with pytest.raises(ConfigError, match="'rest' is up already"):
        rig.venue.connect("rest", "a", "rest", rig.now_ns)


def test_an_unknown_protocol_or_account_is_named() -> None:
    rig = Rig(touch())
    with pytest.raises(ConfigError, match="no protocol 'telex'"):
        rig.venue.connect("x", "a", "telex", rig.now_ns)
    with pytest.raises(ConfigError, match="no account 'nobody'"):
        rig.venue.connect("x", "nobody", "rest", rig.now_ns)


# ----------------------------------------------------------------------------- resumption


def test_a_resumed_session_is_sent_what_happened_meanwhile_as_possible_duplicates() -> None:
    rig = Rig(touch(), lines=("rest",))
    _logon(rig, cancels=False)
    order = rig.add("fix")
    _drop(rig)
    rig.hit(SELL, 40, 1000)
    assert rig.sent == []
    opened = _logon(rig)
    (trade,) = rig.executions("fix")
    assert (opened.is_resumed, opened.replayed_count) == (True, 1)
    assert (trade.exec_type, trade.order_id, trade.last_lots, trade.is_poss_dup) == (
        ExecType.TRADE,
        order.order_id,
        40,
        True,
    )


def test_cancels_by_the_drop_itself_are_replayed() -> None:
    # fix-api/er-fix: generated while the client is away, delivered by replay.
    rig = Rig(touch())
    order = rig.add("fix")
    _drop(rig)
    _logon(rig)
    (report,) = rig.executions("fix")
    assert (report.exec_type, report.order_id, report.is_poss_dup) == (ExecType.CANCELED, order.order_id, True)


def test_a_new_session_is_sent_nothing_of_the_one_before() -> None:
    rig = Rig(touch(), lines=("rest",))
    _logon(rig, cancels=False)
    rig.add("fix")
    _drop(rig)
    rig.hit(SELL, 40, 1000)
    opened = _logon(rig, is_reset=True)
    assert (opened.is_resumed, opened.replayed_count, rig.executions("fix")) == (False, 0, [])
    rig.hit(SELL, 10, 1000)
    assert rig.executions("fix") == []


def test_sessions_have_names_and_a_resumed_one_keeps_its_own() -> None:
    rig = Rig(touch(), lines=("rest",))
    first = _logon(rig)
    _drop(rig)
    second = _logon(rig)
    _drop(rig)
    third = _logon(rig, is_reset=True)
    assert first.session_id == second.session_id != third.session_id


def test_messages_of_a_session_are_numbered_from_one_and_go_on_over_a_resumption() -> None:
    rig = Rig(touch(), lines=("rest",))
    _logon(rig, cancels=False)
    order = rig.add("fix")
    assert [outbound.seq_num for outbound in rig.sent] == [1]
    _drop(rig)
    rig.hit(SELL, 40, 1000)
    _logon(rig)
    assert [outbound.seq_num for outbound in rig.sent] == [0, 2]
    rig.cancel(order, "fix")
    assert [outbound.seq_num for outbound in rig.sent] == [3]


def test_messages_lost_on_the_line_are_replayed_from_the_number_that_the_client_expects() -> None:
    rig = Rig(touch(), lines=("rest",))
    _logon(rig, cancels=False)
    rig.add("fix")
    rig.refused("fix", CancelOrder(request_id=rig.next_id(), order_id="nothing"))
    _drop(rig)
    opened = _logon(rig, next_expected_seq=1)
    replayed = rig.reports("fix")[1:]
    assert opened.replayed_count == 2
    assert [type(report) for report in replayed] == [ExecutionReport, CommandRejected]


def test_nothing_is_replayed_to_a_client_that_has_it_all() -> None:
    rig = Rig(touch(), lines=("rest",))
    _logon(rig, cancels=False)
    rig.add("fix")
    _drop(rig)
    assert _logon(rig, next_expected_seq=2).replayed_count == 0


def test_a_websocket_that_comes_back_is_replayed_nothing_and_starts_from_a_snapshot() -> None:
    rig = Rig(touch())
    order = rig.add("ws2")
    _drop(rig, "ws2")
    rig.hit(SELL, 40, 1000)
    rig.venue.connect("ws2", "a", "ws2", rig.now_ns)
    rig.sent = []
    rig.venue.subscribe_news("ws2", rig.now_ns)
    rig._settle()
    (snapshot,) = rig.reports("ws2")
    ((status),) = snapshot.orders
    assert (status.order_id, status.cum_lots, status.state) == (order.order_id, 40, OrderState.PARTIALLY_FILLED)


# ----------------------------------------------------------------------------- rollover


def test_the_rollover_ends_fix_sessions_at_22_utc_and_no_others() -> None:
    rig = Rig(touch())
    rig.at(ROLLOVER_S - 1)
    assert rig.venue.is_up("fix")
    rig.at(ROLLOVER_S)
    assert [type(report) for report in rig.reports("fix")] == [SessionClosed]
    assert [rig.venue.is_up(line) for line in ("fix", "ws2", "rest")] == [False, True, True]


def test_the_rollover_leaves_orders_alive_and_out_of_reach_of_the_new_session() -> None:
    rig = Rig(touch())
    order = rig.add("fix")
    rig.at(ROLLOVER_S)
    assert order.is_open
    rig.at(ROLLOVER_S + 30)
    assert not _logon(rig).is_resumed
    assert rig.refused_cancel(order, "fix") == "EOrder:Unknown order"
    rig.cancel(order, "rest")


def test_nobody_can_log_on_for_thirty_seconds_after_the_rollover() -> None:
    rig = Rig(touch())
    rig.at(ROLLOVER_S + 29.9)
    rig.venue.connect("fix", "a", "fix", rig.now_ns, "DESK")
    assert rig.refused("fix", Logon(request_id=rig.next_id())) == "EService:Unavailable"
    rig.at(ROLLOVER_S + 30)
    (opened,) = rig.send("fix", Logon(request_id=rig.next_id()))
    assert isinstance(opened, SessionOpened)


def test_sequence_numbers_start_anew_after_the_rollover() -> None:
    rig = Rig(touch())
    rig.add("fix")
    rig.at(ROLLOVER_S + 30)
    _logon(rig)
    rig.add("fix", limit_ticks=999)
    assert [outbound.seq_num for outbound in rig.sent if outbound.session_id == "fix"] == [1]


def test_the_rollover_comes_every_day() -> None:
    rig = Rig(touch())
    rig.at(ROLLOVER_S + 30)
    _logon(rig)
    rig.at(ROLLOVER_S + 86_400)
    assert not rig.venue.is_up("fix")


def test_a_rollover_out_of_turn_ends_sessions_and_leaves_the_daily_one_where_it_is() -> None:
    rig = Rig(touch())
    rig.at(60)
    assert rig.venue.roll_over("fix", rig.now_ns) == rig.now_ns + 30 * SECOND
    rig._settle()
    assert [rig.venue.is_up(line) for line in ("fix", "ws2", "rest")] == [False, True, True]
    rig.at(90)
    assert not _logon(rig).is_resumed
    assert rig.venue.next_timer_ns() == START_NS + ROLLOVER_S * SECOND


def test_a_rollover_out_of_turn_before_the_first_session_leaves_the_daily_one_too() -> None:
    rig = Rig(touch(), lines=("rest",))
    rig.venue.roll_over("fix", rig.now_ns)
    assert rig.venue.next_timer_ns() == START_NS + ROLLOVER_S * SECOND


def test_a_protocol_without_a_rollover_is_refused_one() -> None:
    with pytest.raises(ConfigError, match="ws2 has no rollover; fix has"):
        Rig(touch()).venue.roll_over("ws2", START_NS)


def test_a_session_opened_after_22_utc_lasts_until_the_next_day() -> None:
    rig = Rig(touch(), lines=("rest",))
    rig.at(ROLLOVER_S + 60)
    _logon(rig)
    rig.at(ROLLOVER_S + 86_399)
    assert rig.venue.is_up("fix")
    assert rig.venue.next_timer_ns() == START_NS + (ROLLOVER_S + 86_400) * SECOND


def test_an_observer_is_told_of_sessions_in_their_order() -> None:
    class Watcher(VenueObserver):
        def __init__(self) -> None:
            self.changes: list[tuple[str, str]] = []

        def on_session(self, session_id: str, change: str, now_ns: int) -> None:
            self.changes.append((session_id, change))

    watcher = Watcher()
    rig = Rig(touch(), lines=("rest",), observer=watcher)
    watcher.changes.clear()
    _logon(rig)
    _drop(rig)
    _logon(rig)
    rig.send("fix", Logout(request_id=rig.next_id()))
    assert watcher.changes == [
        ("fix", "connected"),
        ("fix", "opened"),
        ("fix", "dropped"),
        ("fix", "connected"),
        ("fix", "resumed"),
        ("fix", "logged_out"),
    ]
