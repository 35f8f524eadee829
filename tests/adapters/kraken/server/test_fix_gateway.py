"""FIX trading sessions of the served venue (fix-api pages; guides/general/api-comparison)."""

from __future__ import annotations

import pytest

from adapters.kraken.server.keys import PERMISSIONS
from framework.protocol import SELL, LatencySpec
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec
from tests.adapters.kraken.server.fix_rig import Fix
from tests.framework.venue.served.served_rig import SECOND, START, TRADING, Client
from tests.framework.venue.served.served_rig import order as served_order

# --------------------------------------------------------------------------------------------------------------- logon


def test_a_logon_with_the_right_password_opens_the_session() -> None:
    desk = Fix().desk().open()
    assert desk.session.is_open


@pytest.mark.parametrize(
    ("options", "comp_id"),
    [({"password": "x" * 88}, "A0"), ({"nonce_ms": -6_000}, "A0"), ({"nonce_ms": 6_000}, "A0")],
)
def test_a_logon_that_is_not_the_keys_is_refused_without_a_reason(options: dict[str, object], comp_id: str) -> None:
    desk = Fix().desk(comp_id, **options).open()
    assert desk.closed == ["the logon was refused: authentication failure"]


def test_a_key_of_another_account_does_not_open_the_session() -> None:
    fix = Fix()
    desk = fix.desk("A1")
    desk.key = fix.keys[0]
    assert desk.open().closed == ["the logon was refused: authentication failure"]


def test_a_sender_that_nobody_knows_is_closed_without_a_word() -> None:
    fix = Fix()
    desk = fix.desk("NOBODY").open()
    assert desk.closed == ["line dropped"]


def test_a_nonce_is_taken_once() -> None:
    fix = Fix()
    first = fix.desk().open()
    first.cut()
    fix.logon_count = 0
    again = fix.desk().open(is_reset=True)
    assert again.closed == ["the logon was refused: authentication failure"]


# -------------------------------------------------------------------------------------------------------------- orders


def test_an_order_is_told_as_new_and_each_fill_as_a_trade() -> None:
    fix = Fix()
    desk, other = fix.desk().open(), fix.desk("A1").open()
    name = desk.add(qty="0.5")
    assert desk.taken() == [("0", "0", name, "")]
    other.add("2", "100.0", "0.2")
    other.add("2", "100.0", "0.3")
    assert desk.taken() == [("F", "1", name, ""), ("F", "2", name, "")]


def test_a_trade_tells_price_quantity_fee_and_liquidity() -> None:
    fix = Fix()
    desk = fix.desk().open()
    desk.send(b"D", t38="0.005", t40="1", t54="1", t55="BTC/USD", t59="1")
    trade = desk.reports[-1]
    told = {tag: trade.text(tag) for tag in (31, 32, 6, 14, 151, 118, 381, 137, 138, 5050, 527)}
    assert told == {
        31: "100.2", 32: "0.00500000", 6: "100.2", 14: "0.00500000", 151: "0.00000000", 118: "0.50100",
        381: "0.50100", 137: "0.00200", 138: "USD", 5050: "1", 527: "1",
    }  # fmt: skip
    outside_group = [tag for tag, _ in trade.fields[4:] if tag not in (137, 138, 139, 891)]
    assert outside_group == sorted(outside_group)


def test_a_trade_tells_average_cost_and_fee_of_the_trades_until_then_though_the_order_was_filled_on_at_once() -> None:
    fix = Fix()
    desk, other = fix.desk().open(), fix.desk("A1").open()
    other.add("2", "100.1", "0.2")
    desk.send(b"D", t38="0.5", t40="1", t54="1", t55="BTC/USD", t59="1")
    trades = [report for report in desk.reports if report.text(150) == "F"]
    assert len(trades) > 1
    first, *_, last = trades
    assert (first.text(6), first.text(381)) == (first.text(31), first.text(118))
    assert 0 < float(first.text(137)) < float(last.text(137))


def test_a_cancel_is_told_under_its_own_id_with_the_orders_as_the_original() -> None:
    desk = Fix().desk().open()
    order = desk.add()
    desk.taken()
    cancel = desk.cancel(order)
    assert desk.taken() == [("4", "4", cancel, order)]


def test_an_amend_keeps_the_order_and_gives_it_a_new_id_for_later_requests() -> None:
    desk = Fix().desk().open()
    order = desk.add(qty="0.5")
    order_id = desk.reports[-1].text(37)
    desk.taken()
    amend = desk.send(b"G", t37=order_id, t41=order, t38="0.4", t40="2", t44="100.0", t54="1", t55="BTC/USD", t59="1")
    report = desk.reports[-1]
    assert (report.text(37), report.text(38), report.text(44)) == (order_id, "0.40000000", "100.0")
    assert desk.taken() == [("5", "5", amend, order)]
    cancel = desk.cancel(amend)
    assert desk.taken() == [("4", "4", cancel, amend)]


def test_a_status_request_tells_the_order_as_it_is() -> None:
    desk = Fix().desk().open()
    desk.add()
    order_id = desk.reports[-1].text(37)
    desk.taken()
    status = desk.send(b"H", t37=order_id, t55="BTC/USD")
    assert desk.taken() == [("I", "0", status, "")]
    unknown = desk.send(b"H", t37="O00000-00000-999999", t55="BTC/USD")
    assert desk.taken() == [("j", "101", unknown, "EOrder:Unknown order")]


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"t55": "XBT/USD"}, "2", "EQuery:Unknown asset pair"),
        ({"t38": "5000"}, "0", "EOrder:Insufficient funds"),
        ({"t44": "100.15"}, "0", "EOrder:Tick size check failed"),
        ({"t62": "20270115-08:05:00"}, "0", "EGeneral:Invalid arguments:ValidUntilTime"),
        ({"t62": "20270115-07:59:00"}, "0", "EService:Deadline elapsed"),
        ({"t11": "7"}, "0", "EGeneral:Invalid arguments:ClOrdID must be ever increasing"),
        ({"t11": "my-order"}, "0", "EGeneral:Invalid arguments:ClOrdID invalid value"),
    ],
)
def test_an_order_that_is_refused_is_rejected_by_its_id(change: dict[str, str], code: str, text: str) -> None:
    desk = Fix().desk().open()
    desk.add()
    desk.taken()
    name = desk.add(**change)
    assert desk.taken() == [("j", code, change.get("t11", name), text)]


def test_a_uuid_is_an_id_once() -> None:
    desk = Fix().desk().open()
    name = "a0ba6d69-a000-4abc-8def-0123456789ab"
    desk.add(t11=name)
    desk.add(t11=name)
    assert [row[0] for row in desk.taken()] == ["0", "j"]


def test_a_message_without_a_required_field_is_rejected_by_the_session() -> None:
    desk = Fix().desk().open()
    desk.send(b"D", t38="1", t40="2", t44="100", t55="BTC/USD", t59="1")
    assert desk.session.is_open
    assert desk.taken() == []
    desk.add()
    assert [row[0] for row in desk.taken()] == ["0"]


def test_a_post_only_order_that_would_take_is_new_and_then_canceled() -> None:
    desk = Fix().desk().open()
    name = desk.add(price="100.2", t18="P")
    assert desk.taken() == [("0", "0", name, ""), ("4", "4", name, "")]


def test_a_key_without_the_permission_is_refused() -> None:
    desk = Fix(permissions=tuple(each for each in PERMISSIONS if each != "modify-trades")).desk().open()
    name = desk.add()
    assert desk.taken() == [("j", "6", name, "EGeneral:Permission denied")]


def test_a_message_that_trading_does_not_know_is_refused_though_it_has_no_id() -> None:
    desk = Fix().desk().open()
    desk.session.send(b"J", (), desk.fix.host.now_ns)
    desk.flush()
    (reject,) = desk.reports
    assert (reject.msg_type, reject.text(58), reject.get(379)) == (b"j", "EGeneral:Unknown method", None)


# --------------------------------------------------------------------------------------------------------------- reach


def test_a_cancel_reaches_orders_of_its_own_session_only() -> None:
    fix = Fix()
    first, second = fix.desk("A0").open(), fix.desk("B0").open()
    order = first.add()
    cancel = second.cancel(order)
    assert second.taken() == [("j", "101", cancel, "EOrder:Unknown order")]
    assert len(fix.host.records.orders_open("a0")) == 1


def test_an_order_of_before_a_reset_is_out_of_reach_of_a_cancel_and_within_that_of_a_mass_cancel() -> None:
    fix = Fix()
    desk = fix.desk().open(t8674=1)
    order = desk.add()
    desk.taken()
    desk.cut()
    desk.open(is_reset=True, t8674=1)
    cancel = desk.cancel(order)
    assert desk.taken() == [("j", "101", cancel, "EOrder:Unknown order")]
    desk.send(b"q", t530="7")
    assert fix.host.records.orders_open("a0") == []


def test_a_mass_cancel_tells_of_each_order() -> None:
    desk = Fix().desk().open()
    orders = [desk.add(qty="0.1") for _ in range(3)]
    desk.taken()
    mass = desk.send(b"q", t530="6")
    assert desk.taken() == [("4", "4", mass, order) for order in orders]


# ------------------------------------------------------------------------------------------------------ drop and replay


def test_a_dropped_line_cancels_the_sessions_orders_and_the_client_is_told_when_it_is_back() -> None:
    fix = Fix()
    desk = fix.desk().open()
    order = desk.add()
    desk.taken()
    expected = desk.session.next_target
    desk.cut()
    assert fix.host.records.orders_open("a0") == []
    desk.open()
    (told,) = desk.reports
    assert (told.seq_num, told.text(43)) == (expected, "Y")
    assert desk.taken() == [("4", "4", order, "")]


def test_orders_stay_where_the_logon_asked_for_that_and_their_fills_are_replayed() -> None:
    fix = Fix()
    desk, other = fix.desk().open(t8674=1), fix.desk("A1").open()
    order = desk.add(qty="0.5")
    desk.taken()
    desk.cut()
    other.add("2", "100.0", "0.2")
    desk.open(t8674=1)
    assert desk.taken() == [("F", "1", order, "")]
    cancel = desk.cancel(order)
    assert desk.taken() == [("4", "4", cancel, order)]


def test_reports_that_were_lost_on_the_way_are_asked_for_and_come_once() -> None:
    fix = Fix(TRADING)
    desk = fix.desk().open(t8674=1)
    desk.add(price="99.9", qty="0.002")
    desk.taken()
    desk.lose()
    fix.host.run_until(START + 2 * SECOND)
    fix.gateway.flush()
    desk.cut()
    desk.open(t8674=1)
    assert [row[:2] for row in desk.taken()] == [("F", "2")]


def test_what_a_session_was_sent_is_kept_once() -> None:
    """The FIX session stores it for resend requests (fix-api/session-fix): the venue only counts it."""
    fix = Fix()
    desk = fix.desk().open()
    for _ in range(3):
        desk.cancel(desk.add())
    streams = [session.stream for session in fix.host.venue._gateway._sessions.values()]
    assert [(stream.count, len(stream.reports)) for stream in streams if stream is not None] == [(6, 0)]


def test_a_reset_gives_up_what_was_missed() -> None:
    fix = Fix()
    desk = fix.desk().open()
    desk.add()
    desk.taken()
    desk.cut()
    desk.open(is_reset=True)
    assert desk.taken() == []
    assert desk.session.next_target == 2


def test_a_logout_in_good_order_leaves_the_orders() -> None:
    fix = Fix()
    desk = fix.desk().open()
    desk.add()
    desk.session.logout(fix.host.now_ns)
    desk.flush()
    assert desk.closed == ["logout"]
    assert len(fix.host.records.orders_open("a0")) == 1


def test_a_second_logon_of_a_sender_takes_over() -> None:
    fix = Fix()
    first = fix.desk().open(t8674=1)
    second = fix.desk().open(is_reset=True, t8674=1)
    assert second.session.is_open
    assert first.closed
    second.add()
    assert [row[0] for row in second.taken()] == ["0"]


def test_the_rollover_begins_the_numbers_of_a_session_anew_whose_line_is_down() -> None:
    """guides/fix-intro: sequence numbers are of a day."""
    fix = Fix()
    desk = fix.desk().open(t8674=1)
    desk.add()
    desk.cut()
    assert fix.gateway.sessions()[0].next_sender > 1
    fix.host.roll_over("fix")
    facts = fix.gateway.sessions()[0]
    assert (facts.next_sender, facts.next_target) == (1, 1)


def test_the_rollover_ends_the_session_and_begins_the_numbers_anew() -> None:
    fix = Fix()
    desk = fix.desk().open()
    desk.add()
    fix.host.run_until(START + 14 * 3600 * SECOND)  # 22:00
    fix.gateway.flush()
    assert desk.closed == ["logout: End of trading day"]
    desk.taken()
    desk.session.reset()
    desk.open()
    assert desk.closed[-1].endswith("EService:Unavailable")
    fix.host.run_until(START + (14 * 3600 + 31) * SECOND)
    desk.session.reset()
    desk.open(is_reset=True)
    assert desk.session.is_open


def test_a_status_request_tells_the_order_as_it_is_when_it_arrives() -> None:
    """fix-api/osr-fix: the engine's word, which takes the way to it and back."""
    latency = compile_latency(LatencySpec(kind="constant", median_us=4_000.0))
    fix = Fix(roads={"fix": RoadSpec(command=latency, response=latency)})
    desk = fix.desk().open()
    fix.host.run_until(START + 8_000_000)
    desk.add(qty="1")
    fix.host.run_until(START + 16_000_000)
    (order,) = fix.host.records.orders_open("a0")
    desk.taken()
    desk.send(b"H", t37=order.order_id, t54="1", t55="BTC/USD")
    Client(fix.host, "rest", "a1")
    fix.host.submit("a1 rest", served_order(fix.host, SELL, 1000, 4_000))
    fix.host.run_until(START + 23_999_999)
    assert [row[:2] for row in desk.taken()] == [("F", "1")]
    fix.host.run_until(START + 24_000_000)
    (told,) = desk.reports
    assert (told.text(150), told.text(39), told.text(14)) == ("I", "1", "0.40000000")


def test_reports_take_the_latency_of_the_protocol() -> None:
    latency = compile_latency(LatencySpec(kind="constant", median_us=2_000.0))
    fix = Fix(roads={"fix": RoadSpec(command=latency, response=latency)})
    desk = fix.desk().open()
    fix.host.run_until(START + 10_000_000)
    name = desk.add()
    fix.host.run_until(START + 13_999_999)
    assert desk.taken() == []
    fix.host.run_until(START + 14_000_000)
    assert desk.taken() == [("0", "0", name, "")]
