"""The FIX link at the edges of its session: rollover, lost numbers, silence, fees, refusals.

Pages: fix-api/logon-fix, session-fix, er-fix, bmr-fix; guides/fix-intro (rollover).
"""

from __future__ import annotations

import errno
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.fix.errors import StoreError
from adapters.kraken.client.fix_days import FixDays
from adapters.kraken.wire.fix import orders
from framework.errors import ConfigError
from framework.execution.policy import DeskPolicy
from framework.messages import AmendOrder, CommandRejected, ExecutionReport, QueryOrders
from tests.adapters.kraken.client.stage import COMP_ID, WireDesk
from tests.adapters.kraken.client.test_ws2_link import heard_by

FIX = DeskPolicy(submit="fix", amend="fix", cancel=("fix", "rest"), news="fix", query="rest")
DAY_NS = 86_400 * 10**9
HOUR_NS = 3_600 * 10**9


def sessions(desk: WireDesk) -> list[str]:
    return [each[0] for each in desk.road if each[0].startswith("Session")]


def test_an_id_that_fix_does_not_take_stands_behind_a_uuid_that_begins_with_the_time() -> None:
    desk = WireDesk(FIX)
    desk.add("my-order")
    (order,) = desk.host.records.orders_open("a0")
    assert order.cl_ord_id != "my-order"
    ticks = int(order.cl_ord_id.replace("-", "")[:12], 16)
    assert abs(ticks * 10_000 - desk.host.now_ns) < 10**9
    assert order.cl_ord_id[14] == "4"
    desk.desk.cancel("my-order", via="rest")
    desk.run(100)
    assert desk.heard[-1] == ("canceled", "my-order")


def test_the_fee_of_each_fill_is_told_by_itself() -> None:
    desk = WireDesk(FIX)
    reports = heard_by(desk, "fix")
    desk.add("1", 7, 1_002)
    desk.run(100)
    fills = [each for each in reports if isinstance(each, ExecutionReport) and each.exec_id is not None]
    records = [desk.host.records.trade("a0", fill.exec_id or "") for fill in fills]
    assert [fill.fee for fill in fills] == [record.fee for record in records if record is not None]
    assert len(fills) == 2
    assert {fill.fee_asset for fill in fills} == {"USD"}


def trade_report(cum_qty: str, last_qty: str, fees: str, **more: str) -> orders.ExecutionReport:
    """A trade of an order of ten, whose report carries the fees of all trades so far."""
    return orders.ExecutionReport(
        cl_ord_id="1", cum_qty=cum_qty, exec_id="x", last_px="100.0", last_qty=last_qty, order_id="O1", order_qty="10",
        ord_status="1", ord_type="2", price="100.0", side="1", symbol="BTC/USD", transact_time="20260105-12:00:00.000",
        no_misc_fees=[orders.MiscFee(misc_fee_amt=fees, misc_fee_curr="USD", misc_fee_type=4)], exec_type="F",
        leaves_qty="9", trade_id="T1", **more,
    )  # fmt: skip


def test_a_sum_of_fees_is_told_trade_by_trade_and_not_where_a_trade_before_was_not_heard() -> None:
    """fix-api/er-fix, tag 137: of all trades so far, unless 18=s."""
    read = WireDesk(FIX).links["fix"]._reports.execution
    told = [
        read(trade_report("1", "1", "0.25"), is_poss_dup=False),
        read(trade_report("3", "2", "0.75"), is_poss_dup=False),
        read(trade_report("6", "2", "1.50"), is_poss_dup=False),
        read(trade_report("7", "1", "1.75"), is_poss_dup=False),
        read(trade_report("8", "1", "0.3", exec_inst="P s"), is_poss_dup=False),
    ]
    assert [report.fee for report in told] == [
        Decimal("0.25"), Decimal("0.50"), None, Decimal("0.25"), Decimal("0.3"),
    ]  # fmt: skip


def test_a_venue_that_has_lost_its_numbers_gets_a_new_session() -> None:
    desk = WireDesk(FIX, cod=False)
    desk.add("1")
    desk.fix_gateway.members[COMP_ID].session._store.set_next_target(1)
    desk.cut("fix")
    desk.fix_gateway.members[COMP_ID].session.reset()
    desk.run(10_000)
    assert sessions(desk) == ["SessionClosed", "SessionOpened"]
    desk.add("2", 1, 985)
    assert desk.heard[-1][:2] == ("accepted", "2")


def test_a_session_that_falls_silent_is_given_up_and_resumed() -> None:
    desk = WireDesk(FIX, cod=False)
    desk.lose_answers("fix", is_lost=True)
    desk.run(80_000)
    assert sessions(desk)[0] == "SessionClosed"
    desk.lose_answers("fix", is_lost=False)
    desk.run(60_000)
    assert desk.links["fix"].is_up


def test_a_quiet_session_lives_by_its_heartbeats() -> None:
    desk = WireDesk(FIX)
    desk.run(600_000)
    assert len(desk.lines.streams) == 1


def test_a_wrong_password_is_told_as_the_end_of_an_attempt_and_shows_no_secret() -> None:
    desk = WireDesk(FIX)
    link: Any = desk.links["fix"]
    ends: list[str] = []
    link.attach(desk.desk.on_report, lambda name, reason: ends.append(reason))
    secret = link._credentials.secret.reveal()
    link._credentials = type(link._credentials)(desk.credentials.api_key, "c2VjcmV0")
    link.open(is_reset=True)
    desk.run(5_000)
    assert len(ends) == 1
    assert secret not in ends[0]
    assert not link.is_up


def test_orders_of_an_account_cannot_be_listed_over_fix_and_its_profile_says_so() -> None:
    desk = WireDesk(FIX)
    reports = heard_by(desk, "fix")
    desk.links["fix"].send(QueryOrders(request_id=901))
    desk.run(1)
    assert isinstance(reports[0], CommandRejected)
    assert not desk.links["fix"].profile.capabilities.has_order_query


def test_an_amend_of_an_order_whose_id_is_not_known_yet_is_refused_at_once() -> None:
    desk = WireDesk(FIX)
    from tests.framework.execution.desk_rig import add_order

    desk.desk.submit(add_order("1", 10**8, 990))
    desk.desk.amend("1", limit_ticks=991)
    desk.run(100)
    assert ("amend rejected", "1") in [each[:2] for each in desk.heard]
    assert ("accepted", "1") in [each[:2] for each in desk.heard]


def test_an_amend_after_a_restart_names_the_id_that_the_amend_before_it_gave() -> None:
    """fix-api/ocrr-fix, tag 41: the last id on the order."""
    desk = WireDesk(FIX)
    desk.add("1", 1, 990)
    desk.desk.amend("1", limit_ticks=991)
    desk.run(100)
    known = desk.parts.memory.find(None, "1")
    assert known is not None
    last, known.fix_id = known.fix_id, None  # all that the process knew beside its files is gone
    assert last != desk.parts.ids.on_wire("1", 0)
    amend = desk.links["fix"]._requests.make(AmendOrder(request_id=901, cl_ord_id="1", limit_ticks=992))
    assert f"\x0141={last}\x01".encode() in b"\x01" + amend.body


def test_a_session_that_lasts_does_not_remember_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.kraken.client.fix_reports._KEPT_MAX", 5)
    desk = WireDesk(FIX)
    for number in range(1, 12):
        desk.add(str(number), 1, 980 - number)
    reports = desk.links["fix"]._reports
    assert len(reports._by_seq_num) <= 5
    assert len(reports.waiting) <= 5
    desk.desk.cancel_all(via="fix:mass")
    desk.run(100)
    assert [each[0] for each in desk.heard].count("canceled") == 11


# ------------------------------------------------------------------------------------------------- days


def test_a_day_ends_at_the_rollover_and_the_gate_is_shut_while_it_lasts() -> None:
    days = FixDays(None, 22 * 3_600, 30 * 10**9)
    noon_ns = 20_000 * DAY_NS + 12 * HOUR_NS
    rollover_ns = 20_000 * DAY_NS + 22 * HOUR_NS
    assert days.has_rolled(noon_ns)
    assert days.begin(noon_ns) == 1
    assert not days.has_rolled(rollover_ns - 1)
    assert days.has_rolled(rollover_ns)
    assert days.gate_end_ns(rollover_ns + 1) == rollover_ns + 30 * 10**9
    assert days.gate_end_ns(rollover_ns - 1) < rollover_ns - 1


def test_the_session_of_a_day_is_known_after_a_restart(tmp_path: Path) -> None:
    path, now_ns = tmp_path / "days.json", 20_000 * DAY_NS
    FixDays(path, 22 * 3_600, 0).begin(now_ns)
    again = FixDays(path, 22 * 3_600, 0)
    assert (again.session_count, again.has_rolled(now_ns + HOUR_NS)) == (1, False)
    assert again.has_rolled(now_ns + DAY_NS)
    assert again.begin(now_ns + DAY_NS) == 2


def test_a_session_that_cannot_be_written_down_is_not_begun_and_is_once_there_is_room() -> None:
    desk = WireDesk(FIX)
    days = desk.links["fix"]._days
    begin = days.begin

    def full(now_ns: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    days.begin = full
    desk.cut("fix")
    desk.links["fix"].open(is_reset=True)
    desk.run(2_000)
    assert not desk.links["fix"].is_up
    days.begin = begin
    desk.run(30_000)
    assert desk.links["fix"].is_up


def test_numbers_that_begin_anew_do_so_at_the_venue_too_where_the_first_logon_could_not_be_stored() -> None:
    """Page fix-api/logon-fix, tag 141; without it the venue would refuse the number as too low."""
    desk = WireDesk(FIX)
    desk.add("1")
    store = desk.links["fix"]._session._store
    append = store.append

    def full(seq_num: int, message: bytes) -> None:
        raise StoreError("the store cannot be written: No space left on device")

    store.append = full
    desk.links["fix"].open(is_reset=True)
    desk.run(100)
    count = len(desk.lines.streams)
    store.append = append
    desk.run(30_000)
    assert desk.links["fix"].is_up
    assert len(desk.lines.streams) == count + 1  # by the first logon that could be sent


def test_a_process_that_ended_between_new_numbers_and_their_first_logon_begins_anew_when_it_is_started_again() -> None:
    desk = WireDesk(FIX)
    desk.add("1")
    desk.links["fix"]._session._store.reset()
    count = len(desk.lines.streams)
    desk.links["fix"].open(is_reset=False)
    desk.run(30_000)
    assert desk.links["fix"].is_up
    assert len(desk.lines.streams) == count + 1


def test_a_file_that_is_no_mark_of_a_session_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "days.json"
    path.write_bytes(b"[]")
    with pytest.raises(ConfigError, match="cannot be read as the mark"):
        FixDays(path, 0, 0)
    assert msgspec.json.decode(path.read_bytes()) == []
