"""Gateways over a crash of the venue: nonces, and FIX sessions that go on where they were.

Sources: guides/spot-rest-auth (nonces); fix-api/logon-fix, guides/fix-intro (sessions, replay).
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.fix.codec import Message
from adapters.kraken.profile import PROFILE
from framework.protocol import LatencySpec
from framework.venue.account import AccountConfig
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec
from framework.venue.served.journaled import JournaledHost
from tests.adapters.kraken.server.fix_market_rig import FixMarket
from tests.adapters.kraken.server.fix_rig import Desk, Fix
from tests.adapters.kraken.server.rest_rig import Rest
from tests.framework.venue.served.journal_rig import MemoryFile, begin, reopen
from tests.framework.venue.served.served_rig import QUIET, SECOND, START, TRADING, hand_market


def new_host(rows: Any = None, latency_us: float = 0.0) -> JournaledHost:
    money = {"USD": Decimal(100_000), "BTC": Decimal(100)}
    configs = [AccountConfig(name=f"a{number}", balances=money, tier="pro") for number in range(2)]
    latency = compile_latency(LatencySpec(kind="constant", median_us=latency_us))
    roads = {"fix": RoadSpec(command=latency, response=latency)} if latency_us else {}
    return JournaledHost(PROFILE, [hand_market(QUIET if rows is None else rows)], configs, START, roads=roads)


class KeptFix(Fix):
    """A FIX gateway of a venue with a journal. file: the journal's."""

    def __init__(self, file: MemoryFile, rows: Any = None, latency_us: float = 0.0, *, is_new: bool = True) -> None:
        super().__init__(served=new_host(rows, latency_us))
        assert isinstance(self.host, JournaledHost)
        self.file = file
        self._made = (rows, latency_us)
        host = self.host
        host.kept_by["keys"] = self.context.keys.recall_nonce
        self.context.keys.keep_nonces(lambda data: host.keep("keys", data))
        if is_new:
            host.record(begin(file))
        else:
            host.replay(reopen(file))
            self.gateway.recalled()
            host.drop_lines()

    def again(self) -> KeptFix:
        """The venue after it was killed."""
        fix = KeptFix(self.file, *self._made, is_new=False)
        fix.logon_count = self.logon_count + 10
        return fix


def moved(desk: Desk, fix: Fix) -> Desk:
    """The client turns to the venue that is there now."""
    desk.lose()
    desk.closed.clear()
    desk._line = None
    desk.fix = fix
    return desk


# ----------------------------------------------------------------------------------------------------------- nonces


def kept_rest(file: MemoryFile, *, is_new: bool = True) -> Rest:
    host = new_host()
    rest = Rest(served=host)
    host.kept_by["keys"] = rest.context.keys.recall_nonce

    def keep(data: bytes) -> None:
        host.keep("keys", data)
        host.commit()

    rest.context.keys.keep_nonces(keep)
    if is_new:
        host.record(begin(file))
    else:
        host.replay(reopen(file))
        host.drop_lines(lasting=("rest",))
    return rest


def test_a_nonce_cannot_be_used_again_after_a_crash() -> None:
    file = MemoryFile()
    rest = kept_rest(file)
    rest.result("Balance")
    asked = rest.request("OpenOrders", {})
    (answer,) = rest.send(asked)
    assert b'"error":[]' in answer.body
    refused = rest.request("AddOrder", {"pair": "XBTUSD"})  # it is used up by a request that is refused, too
    rest.send(refused)
    again = kept_rest(MemoryFile(bytes(file.data)), is_new=False)
    for request in (asked, refused):
        (answer,) = again.send(request)
        assert answer.body == b'{"error":["EAPI:Invalid nonce"]}'
    again.nonce = rest.nonce
    assert "USD" in str(again.result("Balance"))


def test_a_call_counter_goes_on_after_a_crash() -> None:
    file = MemoryFile()
    rest = kept_rest(file)
    for _ in range(12):
        rest.private("Ledgers")
    counters = [repr(each) for each in rest.host.venue.accounts["a0"].call_counters.values()]
    again = kept_rest(MemoryFile(bytes(file.data)), is_new=False)
    assert [repr(each) for each in again.host.venue.accounts["a0"].call_counters.values()] == counters
    again.nonce = rest.nonce
    assert again.private("Ledgers") == rest.private("Ledgers")
    assert [repr(each) for each in again.host.venue.accounts["a0"].call_counters.values()] != counters


def test_deposits_and_what_became_of_withdrawals_survive_a_crash() -> None:
    file = MemoryFile()
    rest = kept_rest(file)
    first = rest.result("Withdraw", asset="USD", key="simulated", amount="100")["refid"]
    second = rest.result("Withdraw", asset="USD", key="simulated", amount="50")["refid"]
    assert rest.result("WithdrawCancel", asset="USD", refid=first)
    status = rest.result("WithdrawStatus", asset="USD")
    ledger = rest.result("Ledgers")
    again = kept_rest(MemoryFile(bytes(file.data)), is_new=False)
    again.nonce = rest.nonce
    assert again.result("WithdrawStatus", asset="USD") == status
    assert again.result("Ledgers") == ledger
    third = again.result("Withdraw", asset="USD", key="simulated", amount="1")["refid"]
    assert third not in (first, second)


def test_orders_have_their_notes_after_a_crash() -> None:
    file = MemoryFile()
    rest = kept_rest(file)
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "90", "volume": "1"}
    rest.result("AddOrder", **order, userref="77", oflags="post,fciq")
    (order_id,) = rest.result("AddOrder", **order, cl_ord_id="mine")["txid"]
    rest.result("AmendOrder", txid=order_id, limit_price="91")
    opened = rest.result("OpenOrders")
    amends = rest.result("OrderAmends", order_id=order_id)
    again = kept_rest(MemoryFile(bytes(file.data)), is_new=False)
    again.nonce = rest.nonce
    assert again.result("OpenOrders") == opened
    assert again.result("OrderAmends", order_id=order_id) == amends
    assert again.result("CancelOrder", txid="77")["count"] == 1
    assert again.result("CancelOrder", cl_ord_id="mine")["count"] == 1


# ----------------------------------------------------------------------------------------------------------- FIX


def test_the_nonce_of_a_logon_cannot_be_used_again_after_a_crash() -> None:
    """fix-api/logon-fix: a nonce is above the last one."""
    fix = KeptFix(MemoryFile())
    desk = fix.desk().open(t8674=1)
    again = fix.again()
    again.logon_count = 0  # the same nonce, for no time has passed
    moved(desk, again).open(t8674=1)
    assert not desk.session.is_open
    again.logon_count = 1
    assert moved(desk, again).open(t8674=1).session.is_open


def test_a_session_resumes_after_a_crash_with_its_numbers() -> None:
    fix = KeptFix(MemoryFile())
    desk = fix.desk().open(t8674=1)
    name = desk.add()
    assert [each[0] for each in desk.taken()] == ["0"]
    numbers = (desk.session.next_sender, desk.session.next_target)
    again = fix.again()
    moved(desk, again).open(t8674=1)
    assert desk.session.is_open
    assert not desk.session.has_gap
    assert (desk.session.next_sender, desk.session.next_target) == (numbers[0] + 1, numbers[1] + 1)
    assert desk.taken() == []
    desk.cancel(name)
    assert [each[0] for each in desk.taken()] == ["4"]


def test_what_happens_while_the_venue_is_down_is_replayed_to_the_session() -> None:
    fix = KeptFix(MemoryFile(), TRADING)
    desk = fix.desk().open(t8674=1)
    desk.add(price="99.9", qty="0.0020")
    desk.taken()
    again = fix.again()
    again.host.run_until(START + 5 * SECOND)
    moved(desk, again).open(t8674=1)
    assert [each[:2] for each in desk.taken()] == [("F", "2")]


def test_orders_of_a_session_that_was_up_are_canceled_on_disconnect() -> None:
    fix = KeptFix(MemoryFile())
    desk = fix.desk().open()
    name = desk.add()
    desk.taken()
    moved(desk, fix.again()).open()
    assert [(each[0], each[2]) for each in desk.taken()] == [("4", name)]


@pytest.mark.parametrize("is_down", [False, True], ids=["line up", "line down"])
def test_numbers_that_began_anew_at_the_rollover_do_so_after_a_crash(is_down: bool) -> None:
    fix = KeptFix(MemoryFile())
    desk = fix.desk().open(t8674=1)
    desk.add()
    if is_down:
        desk.cut()
    fix.host.roll_over("fix")
    fix.gateway.flush()
    assert fix.gateway.sessions()[0].next_sender == 1
    fix.host.run_until(START + 40 * SECOND)
    again = fix.again()
    assert again.gateway.sessions()[0].next_sender == 1
    moved(desk, again).open(is_reset=True, t8674=1)
    desk.number = 5_000
    desk.add()
    numbers = again.gateway.sessions()[0]
    third = again.again()
    assert third.gateway.sessions()[0].next_sender == numbers.next_sender > 1
    assert third.gateway.sessions()[0].next_target == numbers.next_target > 1


def test_ids_of_requests_cannot_be_used_again_after_a_crash() -> None:
    fix = KeptFix(MemoryFile())
    desk = fix.desk().open(t8674=1)
    desk.add()
    refused = desk.add(price="0.123456789")
    desk.taken()
    moved(desk, fix.again()).open(t8674=1)
    for number in (refused, str(int(refused) - 1)):
        desk.number = int(number) - 1
        desk.add()
        assert desk.taken() == [("j", "0", number, "EGeneral:Invalid arguments:ClOrdID must be ever increasing")]


def test_an_amended_order_has_its_new_id_after_a_crash() -> None:
    fix = KeptFix(MemoryFile())
    desk = fix.desk().open(t8674=1)
    name = desk.add()
    order_id = desk.reports[-1].text(37)
    new = desk.send(b"G", t37=order_id, t41=name, t38="2", t40="2", t44="100", t54="1", t55="BTC/USD", t59="1")
    assert [each[0] for each in desk.taken()] == ["0", "5"]
    moved(desk, fix.again()).open(t8674=1)
    canceling = desk.cancel(new)
    assert desk.taken() == [("4", "4", canceling, new)]


def test_a_session_logged_out_before_the_crash_goes_on_too() -> None:
    fix = KeptFix(MemoryFile())
    desk = fix.desk().open(t8674=1)
    desk.add()
    desk.session.logout(fix.host.now_ns)
    desk.flush()
    desk.taken()
    again = fix.again()
    moved(desk, again).open(t8674=1)
    assert desk.session.is_open
    assert desk.taken() == []


def test_a_request_that_had_not_reached_the_engine_is_refused_after_the_crash() -> None:
    fix = KeptFix(MemoryFile(), latency_us=1_000.0)
    desk = fix.desk().open(t8674=1)
    fix.host.run_until(START + SECOND)
    name = desk.add()
    fix.host.run_until(START + SECOND + 500_000)
    fix.gateway.flush()
    again = fix.again()
    again.host.run_until(START + 2 * SECOND)
    moved(desk, again).open(t8674=1)
    assert desk.taken() == [("j", "0", name, "EService:Unavailable")]
    assert not again.host.records.orders_open("a0")


def test_numbers_of_a_market_data_session_go_on_after_a_crash() -> None:
    """What was sent is not kept; numbers that may have been used stand for a gap, and the client asks and goes on."""
    file = MemoryFile()
    host = new_host()
    market = FixMarket(served=host)
    host.record(begin(file))
    watcher = market.watcher()
    subscribe = ((146, b"1"), (55, b"BTC/USD"), (262, b"1"), (263, b"1"), (264, b"0"), (267, b"1"), (269, b"0"))
    watcher.session.send(b"V", sorted(subscribe), host.now_ns)
    watcher.flush()
    host.run_until(host.now_ns + SECOND)
    numbers = (watcher.session.next_sender, watcher.session.next_target)
    watcher.session.disconnected(host.now_ns)
    again = new_host()
    other = FixMarket(served=again)
    again.replay(reopen(bytes(file.data)))
    again.drop_lines()
    watcher.market, watcher._line = other, None
    watcher.open()
    assert watcher.session.is_open
    assert not watcher.session.has_gap
    assert watcher.session.next_sender >= numbers[0] + 1
    assert watcher.session.next_target > numbers[1]
    assert watcher.closed == ["line dropped"]


class KilledError(Exception):
    """The process is gone."""


class FatalFile(MemoryFile):
    """A file in whose n-th write the process is killed: when all of it is written, or a part."""

    def __init__(self, write_number: int, share: float) -> None:
        super().__init__()
        self._left = write_number
        self._share = share
        self.is_killed = False

    def write(self, data: bytes, /) -> int:
        if self.is_killed:
            raise KilledError
        self._left -= 1
        if self._left:
            return super().write(data)
        self.is_killed = True
        super().write(data[: int(len(data) * self._share)])
        raise KilledError


@pytest.mark.parametrize("latency_us", [0.0, 3_000.0])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_each_request_is_answered_once_and_each_fill_told_once_whenever_the_venue_is_killed(
    latency_us: float, seed: int
) -> None:
    """The client sends what it has not been asked for again, as FIX has it; nothing is lost and nothing doubled."""
    draw = random.Random(seed)
    file = FatalFile(draw.randrange(3, 120), draw.choice((1.0, 1.0, draw.random())))
    rows = [(at_s / 10, *rest) for at_s, *rest in TRADING]
    fix = KeptFix(file, rows, latency_us)
    desks = [fix.desk("A0"), fix.desk("A1")]
    sent: dict[str, list[str]] = {"A0": [], "A1": []}
    with contextlib.suppress(KilledError):
        for desk in desks:
            desk.open(t8674=1)
        while True:
            desk = draw.choice(desks)
            act(draw, desk, sent[desk.comp_id])
            if draw.random() < 0.5:
                fix.host.run_until(fix.host.now_ns + draw.randrange(1, SECOND // 20))
            fix.gateway.flush()
            for each in desks:
                each.flush()
    fix.file = MemoryFile(bytes(file.data))
    again = fix.again()
    for desk in desks:
        pass_a_second(again, desks[:0])
        moved(desk, again).open(t8674=1)
        pass_a_second(again, [desk])
        assert desk.session.is_open
        assert not desk.session.has_gap
        answers = Counter(answered(report) for report in desk.reports if answered(report))
        assert answers == Counter(sent[desk.comp_id])
        told = [(report.text(37), Decimal(report.text(32))) for report in desk.reports if report.text(150) == "F"]
        trades = again.host.records.trades("a1" if desk.comp_id == "A1" else "a0")
        assert told == [(trade.order.order_id, trade.qty_lots * Decimal("0.0001")) for trade in trades]


def pass_a_second(fix: Fix, desks: list[Desk]) -> None:
    fix.host.run_until(fix.host.now_ns + SECOND)
    fix.gateway.flush()
    for desk in desks:
        desk.flush()


def answered(report: Message) -> str:
    """The ClOrdID of the request that a message answers; none for fills and what follows of an order of its own."""
    if report.msg_type == b"j":
        return report.text(379)
    is_answer = report.text(150) in ("0", "5", "I") or (report.text(150) == "4" and report.text(41))
    return report.text(11) if is_answer else ""


def act(draw: random.Random, desk: Desk, sent: list[str]) -> None:
    """One request, noted before it is sent."""
    sent.append(str(desk.number + 1))
    kind = draw.random()
    if kind < 0.6 or len(sent) < 3:
        side, price = draw.choice((("1", "99.9"), ("1", "100.0"), ("1", "100.2"), ("2", "100.3"), ("2", "100.0")))
        desk.add(side=side, price=price, qty=draw.choice(("0.0010", "0.0005", "0.00005")))
    elif kind < 0.8:
        desk.cancel(draw.choice(sent[:-1]))
    elif kind < 0.9:
        known = [report.text(37) for report in desk.reports if report.text(37)]
        desk.send(b"H", t37=draw.choice(known or ["X"]), t54="1", t55="BTC/USD")
    else:
        orig = draw.choice(sent[:-1])
        desk.send(b"G", t37="X", t41=orig, t38="0.0007", t40="2", t44="100.1", t54="1", t55="BTC/USD", t59="1")
