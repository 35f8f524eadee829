"""What the venue sends over FIX is what the messages of the dialect say, field for field (fix-api)."""

from __future__ import annotations

from typing import Any

from adapters.fix.codec import Message
from adapters.fix.session import Session
from adapters.kraken.wire.fix.fields import write
from adapters.kraken.wire.fix.orders import ExecutionReport, NewOrderSingle, OrderCancelRequest
from adapters.kraken.wire.fix.session import BusinessMessageReject
from tests.adapters.kraken.server.fix_rig import Desk, Fix
from tests.adapters.kraken.server.on_the_wire import as_fix
from tests.framework.venue.served.served_rig import SECOND, START, TRADING


class Reader(Desk):
    """A client that keeps what it is sent as the messages that they are."""

    typed: list[Any]

    def on_message(self, session: Session, message: Message, now_ns: int) -> None:
        """A message has come."""
        self.typed.append(as_fix(message))
        super().on_message(session, message, now_ns)


def reader(fix: Fix) -> Reader:
    made = Reader(fix, "A0")
    made.typed = []
    made.open()
    return made


def test_every_report_of_a_day_of_trading_is_a_message() -> None:
    fix = Fix(TRADING)
    desk = reader(fix)
    first = desk.add(qty="0.5", price="99.5", t18="P")
    desk.add(qty="0.5", price="99.4", t1138="0.1")
    desk.add(qty="0.5", price="99.3", t59="6", t126="20270115-09:00:00")
    desk.add(qty="0.5", price="99.3", t168="20270115-08:30:00")
    desk.add(qty="0.1", price="100.3", t59="3")
    desk.add(qty="1000000")
    desk.add(t55="NO/PAIR")
    desk.send(b"D", t38="0.1", t40="1", t54="1", t55="BTC/USD", t59="1")
    desk.send(b"D", t38="0.1", t40="3", t99="95", t54="2", t55="BTC/USD", t59="1")
    order_id = next(each.order_id for each in desk.typed if each.cl_ord_id == first)
    amended = desk.send(b"G", t37=order_id, t41=first, t38="0.4", t40="2", t44="99.6", t54="1", t55="BTC/USD", t59="1")
    desk.send(b"H", t37=order_id, t54="1", t55="BTC/USD")
    desk.cancel(amended)
    desk.cancel("7")
    fix.host.run_until(START + 3 * SECOND)
    desk.send(b"q", t530="6")
    desk.send(b"q", t530="1", t55="BTC/USD")
    reports = [each for each in desk.typed if isinstance(each, ExecutionReport)]
    assert {report.exec_type for report in reports} >= {"A", "0", "4", "5", "F", "I"}
    assert any(isinstance(each, BusinessMessageReject) for each in desk.typed)


def test_what_the_messages_say_as_requests_the_venue_understands() -> None:
    fix = Fix()
    desk = reader(fix)
    order = NewOrderSingle(
        cl_ord_id="1001", order_qty="0.5", ord_type="2", price="99.5", side="1", symbol="BTC/USD", time_in_force="1",
        transact_time="20270115-08:00:00.000", exec_inst="P",
    )  # fmt: skip
    cancel = OrderCancelRequest(
        cl_ord_id="1002", orig_cl_ord_id="1001", side="1", symbol="BTC/USD", transact_time="20270115-08:00:00.000"
    )
    for request in (order, cancel):
        desk.session.send(request.msg_type.encode(), write(request), fix.host.now_ns)
        desk.flush()
    assert [(each.exec_type, each.cl_ord_id) for each in desk.typed][-1] == ("4", "1002")
