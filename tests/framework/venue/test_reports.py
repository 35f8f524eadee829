"""Who is told what, over which protocol. Pages: guides/general/api-comparison, websocket-v2/executions, fix-api/er-fix,
fix-api/reject-business_level-fix, guides/general/order-lifecycle."""

from __future__ import annotations

import msgspec
import pytest

from adapters.kraken.profile import PROFILE
from framework.errors import ConfigError
from framework.messages import (
    CommandAccepted,
    CommandRejected,
    ExecType,
    ExecutionReport,
    Logon,
    OrdersSnapshot,
    OrderState,
)
from framework.protocol import SELL, Protocol, RejectReason
from framework.venue.observer import VenueObserver
from framework.venue.sessions import Outbound
from tests.framework.venue.venue_rig import Rig, touch


def _kinds(outbound: list[Outbound], line: str) -> list[tuple[type, bool]]:
    return [(type(sent.report), sent.is_response) for sent in outbound if sent.session_id == line]


def test_rest_is_answered_and_told_nothing_else() -> None:
    rig = Rig(touch())
    rig.add("rest", limit_ticks=1001)
    assert _kinds(rig.sent, "rest") == [(CommandAccepted, True)]


def test_rest_is_not_told_of_a_later_fill() -> None:
    rig = Rig(touch())
    rig.add("rest")
    rig.hit(SELL, 100, 1000)
    assert rig.reports("rest") == []


def test_websocket_is_answered_and_told_by_news() -> None:
    rig = Rig(touch())
    rig.add("ws2")
    assert _kinds(rig.sent, "ws2") == [(CommandAccepted, True), (ExecutionReport, False), (ExecutionReport, False)]
    assert rig.exec_types("ws2") == [ExecType.PENDING_NEW, ExecType.NEW]


def test_fix_is_told_by_execution_reports_only() -> None:
    rig = Rig(touch())
    command = rig.order()
    rig.send("fix", command)
    assert _kinds(rig.sent, "fix") == [(ExecutionReport, False)]
    (report,) = rig.executions("fix")
    assert (report.exec_type, report.request_id) == (ExecType.NEW, command.request_id)


def test_fix_reports_pending_new_first_under_the_other_reading() -> None:
    rig = Rig(touch(), switches={"fix_new_ack": "pending_new_then_new"})
    rig.add("fix")
    assert rig.exec_types("fix") == [ExecType.PENDING_NEW, ExecType.NEW]
    assert [report.state for report in rig.executions("fix")] == [OrderState.PENDING_NEW, OrderState.NEW]


def test_a_refusal_over_fix_is_a_response_in_the_sessions_stream() -> None:
    rig = Rig(touch())
    rig.refused_add("fix", qty_lots=1)
    assert _kinds(rig.sent, "fix") == [(CommandRejected, True)]
    assert rig.sent[0].seq_num == 1


def test_a_refusal_makes_no_news() -> None:
    rig = Rig(touch())
    rig.refused_add("ws2", qty_lots=1)
    assert _kinds(rig.sent, "ws2") == [(CommandRejected, True)]


def test_every_subscribed_line_of_the_account_hears_of_every_order() -> None:
    rig = Rig(touch())
    rig.venue.connect("second", "a", "ws2", rig.now_ns, is_news_subscribed=True)
    rig.add("rest")
    assert rig.exec_types("second") == rig.exec_types("ws2") == [ExecType.PENDING_NEW, ExecType.NEW]


def test_a_line_that_is_not_subscribed_hears_nothing_but_its_answers() -> None:
    rig = Rig(touch(), lines=("rest",))
    rig.venue.connect("ws2", "a", "ws2", rig.now_ns)
    rig.add("ws2")
    assert _kinds(rig.sent, "ws2") == [(CommandAccepted, True)]


def test_a_line_of_another_account_hears_nothing() -> None:
    rig = Rig(touch())
    rig.venue.connect("other", "b", "ws2", rig.now_ns, is_news_subscribed=True)
    rig.add("ws2", limit_ticks=1001)
    assert rig.reports("other") == []


def test_a_fix_session_does_not_hear_of_orders_of_other_roads() -> None:
    rig = Rig(touch())
    rig.add("rest", limit_ticks=1001)
    assert rig.reports("fix") == []


def test_a_fix_session_hears_that_another_road_canceled_its_order() -> None:
    rig = Rig(touch())
    order = rig.add("fix")
    rig.cancel(order, "rest")
    (report,) = rig.executions("fix")
    assert (report.exec_type, report.request_id) == (ExecType.CANCELED, None)


def test_a_cancel_over_fix_is_told_with_its_request() -> None:
    rig = Rig(touch())
    order = rig.add("fix")
    rig.cancel(order, "fix")
    (report,) = rig.executions("fix")
    assert (report.exec_type, report.request_id is not None) == (ExecType.CANCELED, True)


def test_account_news_does_not_say_which_request_it_answers() -> None:
    rig = Rig(touch())
    rig.add("ws2", limit_ticks=1001)
    assert [report.request_id for report in rig.executions("ws2")] == [None, None, None]


def test_a_taker_that_is_filled_at_once_is_reported_new_and_then_filled() -> None:
    rig = Rig(touch())
    rig.add("ws2", qty_lots=1000, limit_ticks=1002)
    assert [(report.exec_type, report.state, report.cum_lots) for report in rig.executions()] == [
        (ExecType.PENDING_NEW, OrderState.PENDING_NEW, 0),
        (ExecType.NEW, OrderState.NEW, 0),
        (ExecType.TRADE, OrderState.PARTIALLY_FILLED, 500),
        (ExecType.TRADE, OrderState.FILLED, 1000),
    ]


def test_every_fill_has_its_own_id() -> None:
    rig = Rig(touch())
    rig.add("ws2", qty_lots=1000, limit_ticks=1002)
    ids = [report.exec_id for report in rig.executions() if report.exec_type is ExecType.TRADE]
    assert len(set(ids)) == 2


def test_nothing_is_sent_on_a_line_that_is_down() -> None:
    rig = Rig(touch())
    rig.add("ws2")
    rig.venue.drop_line("ws2", rig.now_ns)
    rig.hit(SELL, 100, 1000)
    assert rig.sent == []


def test_a_subscription_starts_with_the_open_orders() -> None:
    rig = Rig(touch(), lines=("rest",))
    order = rig.add("rest")
    rig.cancel(rig.add("rest"))
    rig.venue.connect("ws2", "a", "ws2", rig.now_ns)
    rig.venue.subscribe_news("ws2", rig.now_ns)
    (sent,) = rig.venue.outbox
    assert isinstance(sent.report, OrdersSnapshot)
    assert [status.order_id for status in sent.report.orders] == [order.order_id]
    assert not sent.is_response


def test_a_protocol_without_account_news_cannot_subscribe() -> None:
    rig = Rig(touch())
    with pytest.raises(ConfigError, match="no news of a whole account"):
        rig.venue.subscribe_news("rest", rig.now_ns)


def test_no_rule_depends_on_the_name_of_a_protocol() -> None:
    # The same profile under exchanged labels: what was FIX's is now said of the label "rest".
    fix, rest = PROFILE.protocols[Protocol.FIX], PROFILE.protocols[Protocol.REST]
    swapped = dict(PROFILE.protocols)
    swapped[Protocol.REST] = msgspec.structs.replace(fix, label=Protocol.REST)
    swapped[Protocol.FIX] = msgspec.structs.replace(rest, label=Protocol.FIX)
    rig = Rig(touch(), profile=msgspec.structs.replace(PROFILE, protocols=swapped), lines=("ws2",))
    rig.venue.connect("now with sessions", "a", "rest", rig.now_ns)
    rig.send("now with sessions", Logon(request_id=rig.next_id()))
    order = rig.add("now with sessions")
    assert _kinds(rig.sent, "now with sessions") == [(ExecutionReport, False)]
    rig.venue.connect("now without", "a", "fix", rig.now_ns)
    rig.add("now without", limit_ticks=999)
    assert _kinds(rig.sent, "now without") == [(CommandAccepted, True)]
    rig.venue.drop_line("now with sessions", rig.now_ns)
    assert not order.is_open


class Lives(VenueObserver):
    """Notes what happened to orders, in its order."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, object]] = []

    def on_order_rest(self, cl_ord_id: str, order_id: str, slot: int, now_ns: int) -> None:
        self.events.append(("rest", cl_ord_id, slot > 0))

    def on_fill(self, report: ExecutionReport) -> None:
        self.events.append(("fill", report.cl_ord_id, report.last_lots))

    def on_order_end(self, cl_ord_id: str, order_id: str, reason: RejectReason | None, now_ns: int) -> None:
        self.events.append(("end", cl_ord_id, reason))


def test_an_observer_sees_an_order_rest_fill_and_end_whoever_is_told() -> None:
    lives = Lives()
    rig = Rig(touch(), observer=lives, lines=("rest",))
    rig.add("rest", cl_ord_id="x")
    rig.hit(SELL, 40, 1000)
    rig.hit(SELL, 60, 1000)
    assert lives.events == [("rest", "x", True), ("fill", "x", 40), ("fill", "x", 60), ("end", "x", None)]


def test_an_observer_sees_why_an_order_ended() -> None:
    lives = Lives()
    rig = Rig(touch(), observer=lives, lines=("rest",))
    rig.add("rest", cl_ord_id="x", limit_ticks=1001, is_post_only=True)
    assert lives.events == [("end", "x", RejectReason.POST_ONLY)]
