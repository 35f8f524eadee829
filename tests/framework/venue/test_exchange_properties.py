"""Random streams of commands, fills, drops, modes and time: after every step the venue adds up.

``check_invariants`` holds money, holds, filled quantities, indices and the book against the record of all orders and
trades. Here stand besides: an order that has ended stays as it ended, the rate counter has its closed form (one list of
charges, each decayed on its own road), each order's reports tell one consistent story, and a FIX session's stream is
numbered without a gap.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from framework.messages import (
    AddBatch,
    AddOrder,
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelBatch,
    CancelOrder,
    Command,
    EditOrder,
    ExecType,
    ExecutionReport,
    Logon,
    Logout,
    MassCancel,
    OrderState,
    QueryOrders,
    SecondaryOrder,
)
from framework.protocol import BUY, POINT, SELL, MassCancelScope, OrderType, StpMode, TimeInForce, VenueMode
from framework.venue.orders import Order
from tests.framework.venue.venue_rig import SECOND, START_NS, SYMBOL, Rig, touch

SESSIONS = st.sampled_from(["fix", "other fix"])
ROADS = st.sampled_from(["rest", "ws2", "other rest"])
SIDES = st.sampled_from([BUY, SELL])
PRICES = st.integers(994, 1006)
NUMBERS = st.integers(0, 400)
LOTS = st.integers(40, 300)
LINES = st.sampled_from(["rest", "ws2", "fix", "other rest", "other fix"])
TERMINAL = (OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED)
ENDS = (ExecType.CANCELED, ExecType.EXPIRED)


class _Ledger:
    """A rate counter by its definition, in exact fractions of points."""

    CANCEL = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
    AMEND = ((5, 3), (10, 2), (15, 1))
    EDIT = ((5, 6), (10, 5), (15, 4), (45, 2), (90, 1))

    def __init__(self, decay_per_s: Fraction) -> None:
        self.decay_per_s = decay_per_s
        self.value = Fraction(0)
        self.ts_ns = 0

    def charge(self, points: Fraction, now_ns: int) -> None:
        self.value = self.at(now_ns) + points
        self.ts_ns = now_ns

    def at(self, now_ns: int) -> Fraction:
        return max(Fraction(0), self.value - Fraction(now_ns - self.ts_ns, SECOND) * self.decay_per_s)


def _aged(age_ns: int, steps: tuple[tuple[int, int], ...]) -> Fraction:
    return Fraction(next((points for below_s, points in steps if age_ns < below_s * SECOND), 0))


SECONDARIES = st.sampled_from(
    [
        SecondaryOrder(order_type=OrderType.LIMIT, limit_ticks=1003),
        SecondaryOrder(order_type=OrderType.LIMIT, limit_offset_ticks=-1),
        SecondaryOrder(order_type=OrderType.STOP_LOSS, trigger_offset_ppm=-3_000),
        SecondaryOrder(order_type=OrderType.TAKE_PROFIT_LIMIT, trigger_offset_ticks=2, limit_offset_ticks=1),
        SecondaryOrder(order_type=OrderType.TRAILING_STOP, trail_offset_ticks=2),
        SecondaryOrder(order_type=OrderType.TRAILING_STOP_LIMIT, trail_offset_ppm=2_000, limit_offset_ppm=-1_000),
    ]
)


@st.composite
def wanted_orders(draw: st.DrawFn) -> dict[str, Any]:
    """The fields of a new order that is mostly well formed."""
    order_type = draw(st.sampled_from([kind for kind in OrderType if kind is not OrderType.SETTLE_POSITION]))
    fields: dict[str, Any] = {
        "side": draw(SIDES),
        "order_type": order_type,
        "qty_lots": draw(LOTS),
        "stp_mode": draw(st.sampled_from(list(StpMode))),
        "is_post_only": draw(st.booleans()) and draw(st.booleans()),
        "limit_ticks": draw(PRICES),
    }
    if order_type in (OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP):
        fields["limit_ticks"] = None
        fields["is_post_only"] = False
    if order_type in (
        OrderType.STOP_LOSS,
        OrderType.STOP_LOSS_LIMIT,
        OrderType.TAKE_PROFIT,
        OrderType.TAKE_PROFIT_LIMIT,
    ):
        waits_above = (order_type in (OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT)) == (fields["side"] == BUY)
        distance = draw(st.integers(-1, 6))
        fields["trigger_ticks"] = 1000 + distance if waits_above else 1000 - distance
    if order_type in (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT):
        fields["trail_offset_ticks"] = draw(st.integers(1, 5))
    if order_type is OrderType.TRAILING_STOP_LIMIT:
        fields["limit_ticks"] = None
        limit = draw(st.sampled_from(["limit_offset_ticks", "limit_offset_ppm", "limit_ticks"]))
        scale, start = {"limit_offset_ticks": (1, 0), "limit_offset_ppm": (700, 0), "limit_ticks": (1, 1000)}[limit]
        fields[limit] = start + scale * draw(st.integers(-3, 3))
    if order_type is OrderType.ICEBERG:
        fields["display_lots"] = draw(st.integers(20, 300))
    if order_type is OrderType.LIMIT:
        fields["time_in_force"] = draw(st.sampled_from([TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]))
    if order_type is OrderType.MARKET and fields["side"] == BUY and draw(st.booleans()):
        fields["qty_lots"] = 0
        fields["quote_qty"] = Decimal(draw(st.integers(50, 400))) / 100
    fields["is_fee_in_base"] = draw(st.sampled_from([None, None, False, True]))
    fields["secondary"] = draw(st.none() | st.none() | SECONDARIES)
    fields["leverage"] = draw(st.sampled_from([0, 0, 0, 2, 5]))
    fields["is_reduce_only"] = bool(fields["leverage"]) and draw(st.booleans())
    return fields


class VenueMachine(RuleBasedStateMachine):
    """Two accounts of a few dollars and coins each on one venue, over REST, WebSocket and FIX."""

    @initialize(tier=st.sampled_from(["starter", "pro"]), money=st.sampled_from(["4", "1000"]))
    def open(self, tier: str, money: str) -> None:
        self.rig = Rig(touch(), tier=tier, balances={"USD": money, "BTC": "0.05" if money == "4" else "10"})
        rig = self.rig
        rig.venue.connect("other rest", "b", "rest", rig.now_ns)
        rig.venue.connect("other ws2", "b", "ws2", rig.now_ns, is_news_subscribed=True)
        rig.venue.connect("other fix", "b", "fix", rig.now_ns, "OTHER")
        rig.send("other fix", Logon(request_id=rig.next_id()))
        decay = {"starter": Fraction(1), "pro": Fraction(375, 100)}[tier]
        self.threshold = {"starter": 60, "pro": 180}[tier]
        self.ledgers = {name: _Ledger(decay) for name in ("a", "b")}
        self.final: dict[str, tuple[OrderState, int]] = {}
        self.amended: set[str] = set()
        self.told: dict[str, int] = {}
        self.stream: dict[str, int] = {"fix": 0, "other fix": 1 if rig.sent and rig.sent[0].seq_num else 0}
        self.heard(rig)

    # ------------------------------------------------------------------ bookkeeping

    def heard(self, rig: Rig) -> None:
        """Read what was sent in the last step."""
        for outbound in rig.sent:
            report = outbound.report
            if outbound.session_id in self.stream and outbound.seq_num and not getattr(report, "is_poss_dup", False):
                self.stream[outbound.session_id] = outbound.seq_num
            if outbound.session_id in ("ws2", "other ws2") and isinstance(report, ExecutionReport):
                self._follow(report)

    def _follow(self, report: ExecutionReport) -> None:
        key = report.order_id
        cum_lots = self.told.get(key, 0)
        if report.exec_type is ExecType.TRADE:
            assert report.cum_lots == cum_lots + report.last_lots
        else:
            assert report.cum_lots == cum_lots
        self.told[key] = report.cum_lots
        assert key not in self.final or report.state not in TERMINAL or report.exec_type not in (*ENDS, ExecType.NEW)
        if report.exec_type in ENDS or report.state is OrderState.FILLED:
            assert report.leaves_lots == 0
        else:
            assert report.leaves_lots == max(0, report.qty_lots - report.cum_lots)

    def account_of(self, line: str) -> str:
        return "b" if line.startswith("other") else "a"

    def orders_of(self, line: str) -> list[Order]:
        return list(self.rig.venue.accounts[self.account_of(line)].order_by_id.values())

    def pick(self, line: str, number: int) -> Order | None:
        """An order of the line's account: an open one for most numbers, if there is one."""
        orders = self.orders_of(line)
        still_open = [order for order in orders if order.is_open]
        if still_open and number % 8:
            orders = still_open
        return orders[number // 8 % len(orders)] if orders else None

    def is_usable(self, line: str) -> bool:
        return self.rig.venue.is_up(line)

    def is_refused(self) -> bool:
        return bool(self.rig.rejects())

    def over(self, line: str) -> bool:
        return self.ledgers[self.account_of(line)].at(self.rig.now_ns) >= self.threshold

    def charge(self, line: str, points: Fraction) -> None:
        self.ledgers[self.account_of(line)].charge(points, self.rig.now_ns)

    def send(self, line: str, command: Command) -> None:
        self.rig.send(line, command)
        self.heard(self.rig)

    # ------------------------------------------------------------------ commands

    @rule(line=LINES, fields=wanted_orders(), delay_s=st.sampled_from([0, 0, 0, 30]))
    def enter(self, line: str, fields: dict[str, Any], delay_s: int) -> None:
        self.add(line, fields, delay_s)

    def add(self, line: str, fields: dict[str, Any], delay_s: int) -> None:
        if not self.is_usable(line):
            return
        if line.endswith("fix"):
            fields = {**fields, "secondary": None}
        if delay_s:
            fields = {**fields, "start_ns": self.rig.now_ns + delay_s * SECOND}
        self.send(line, AddOrder(**{**vars_of(self.rig.order()), **fields}))
        self.charge(line, Fraction(1))

    @rule(line=LINES, distance=st.integers(0, 3), qty_lots=LOTS, display=st.none() | st.integers(20, 300))
    def quote(self, line: str, distance: int, qty_lots: int, display: int | None) -> None:
        """A bid and an offer that rest, unless an own one of the other account is in the way."""
        for side in (BUY, SELL):
            limit_ticks = 1000 - distance if side == BUY else 1001 + distance
            fields: dict[str, Any] = {"side": side, "qty_lots": qty_lots, "limit_ticks": limit_ticks}
            if display is not None:
                fields.update(order_type=OrderType.ICEBERG, display_lots=display)
            self.add(line, fields, 0)

    @rule(fields=st.lists(wanted_orders(), min_size=2, max_size=4), line=st.sampled_from(["rest", "ws2"]))
    def add_batch(self, line: str, fields: list[dict[str, Any]]) -> None:
        if not self.is_usable(line):
            return
        orders = tuple(AddOrder(**{**vars_of(self.rig.order()), **each}) for each in fields)
        self.send(line, AddBatch(request_id=self.rig.next_id(), orders=orders))
        self.charge(line, Fraction(len(orders), 2))

    @rule(line=LINES, number=NUMBERS)
    def cancel(self, line: str, number: int) -> None:
        order = self.pick(line, number)
        if order is None or not self.is_usable(line):
            return
        age_ns, was_over = self.rig.now_ns - order.aged_ns, self.over(line)
        self.send(line, CancelOrder(request_id=self.rig.next_id(), order_id=order.order_id))
        if not self.is_refused():
            assert not was_over
            assert order.state is OrderState.CANCELED
            self.charge(line, _aged(age_ns, _Ledger.CANCEL))

    @rule(
        line=LINES,
        number=NUMBERS,
        qty_lots=st.none() | st.integers(1, 320),
        limit_ticks=st.none() | PRICES,
        is_post_only=st.booleans(),
    )
    def amend(self, line: str, number: int, qty_lots: int | None, limit_ticks: int | None, is_post_only: bool) -> None:
        order = self.pick(line, number)
        if order is None or not self.is_usable(line):
            return
        before = (order.qty_lots, order.limit_ticks, order.state, order.cum_lots)
        age_ns, was_open, cum_lots = self.rig.now_ns - order.aged_ns, order.is_open, order.cum_lots
        self.send(
            line,
            AmendOrder(
                request_id=self.rig.next_id(),
                order_id=order.order_id,
                qty_lots=qty_lots,
                limit_ticks=limit_ticks,
                is_post_only=is_post_only,
            ),
        )
        if self.is_refused():
            assert (order.qty_lots, order.limit_ticks, order.state, order.cum_lots) == before
            is_found = was_open and self.rig.rejects()[0].error not in ("EOrder:Unknown order", "EOrder:Invalid order")
            self.charge(line, Fraction(1 if is_found else 0))
            return
        self.amended.add(order.order_id)
        is_end = qty_lots is not None and cum_lots > 0 and qty_lots <= cum_lots
        self.charge(line, 1 + _aged(age_ns, _Ledger.CANCEL if is_end else _Ledger.AMEND))
        assert (
            is_end is (order.state is OrderState.CANCELED and order.qty_lots == cum_lots and cum_lots > 0) or not is_end
        )

    @rule(line=st.sampled_from(["rest", "ws2"]), number=NUMBERS, qty_lots=LOTS, limit_ticks=PRICES)
    def edit(self, line: str, number: int, qty_lots: int, limit_ticks: int) -> None:
        order = self.pick(line, number)
        if order is None or not self.is_usable(line):
            return
        age_ns, was_open, count = self.rig.now_ns - order.aged_ns, order.is_open, len(self.orders_of(line))
        is_limit = order.limit_ticks is not None
        self.send(
            line,
            EditOrder(
                request_id=self.rig.next_id(),
                order_id=order.order_id,
                qty_lots=qty_lots,
                limit_ticks=limit_ticks if is_limit else None,
            ),
        )
        if self.is_refused():
            self.charge(line, Fraction(1 if was_open else 0))
            assert order.is_open == was_open
            return
        self.charge(line, 1 + _aged(age_ns, _Ledger.EDIT))
        assert order.state is OrderState.CANCELED
        assert len(self.orders_of(line)) == count + 1

    @rule(
        line=st.sampled_from(["rest", "ws2", "other rest"]),
        numbers=st.lists(NUMBERS, min_size=1, max_size=5),
    )
    def cancel_batch(self, line: str, numbers: list[int]) -> None:
        orders = {order.order_id: order for number in numbers if (order := self.pick(line, number)) is not None}
        if not orders or not self.is_usable(line):
            return
        points = sum(
            (_aged(self.rig.now_ns - order.aged_ns, _Ledger.CANCEL) for order in orders.values() if order.is_open),
            Fraction(0),
        )
        self.send(line, CancelBatch(request_id=self.rig.next_id(), order_ids=tuple(orders)))
        if not self.is_refused():
            assert not any(order.is_open for order in orders.values())
            self.charge(line, points)

    @rule(what=st.integers(0, 11), line=LINES, mode=st.sampled_from(list(VenueMode)))
    def do_something_rare(self, what: int, line: str, mode: VenueMode) -> None:
        if what == 0:
            self.cancel_all(line)
        elif what in (1, 2, 3):
            self.mass_cancel(line, MassCancelScope(what - 1))
        elif what in (4, 5):
            self.cancel_all_after(line, 20 * (what - 4))
        elif what == 6:
            self.poll()
        elif what == 7:
            self.set_mode(mode)
        else:
            self.set_mode(VenueMode.ONLINE)

    def cancel_all(self, line: str) -> None:
        if self.is_usable(line):
            self.send(line, CancelAll(request_id=self.rig.next_id()))
            if not self.is_refused():
                assert not any(order.is_open for order in self.orders_of(line))

    def mass_cancel(self, line: str, scope: MassCancelScope) -> None:
        if self.is_usable(line):
            self.send(line, MassCancel(request_id=self.rig.next_id(), scope=scope, symbol=SYMBOL))

    def cancel_all_after(self, line: str, timeout_s: int) -> None:
        if self.is_usable(line):
            self.send(line, CancelAllAfter(request_id=self.rig.next_id(), timeout_s=timeout_s))

    def poll(self) -> None:
        if self.is_usable("rest"):
            self.send("rest", QueryOrders(request_id=self.rig.next_id()))

    def set_mode(self, mode: VenueMode) -> None:
        self.rig.sent = []
        self.rig.venue.set_mode(mode, None, self.rig.now_ns)
        self.rig._settle()
        self.heard(self.rig)

    # ------------------------------------------------------------------ the market and the line

    @rule(side=SIDES, lots=st.integers(1, 900), reach=st.integers(-1, 6))
    def hit(self, side: int, lots: int, reach: int) -> None:
        self.rig.hit(side, lots, 1000 + reach if side == BUY else 1000 - reach)
        self.heard(self.rig)

    @rule(side=SIDES, distance=st.integers(1, 6), lots=st.integers(1, 200))
    def market_adds(self, side: int, distance: int, lots: int) -> None:
        """The market adds on its side of 1000, so that its own book never crosses."""
        self.rig.market.add(side, 1000 - distance if side == BUY else 1000 + distance, lots)

    @rule(price=PRICES)
    def print(self, price: int) -> None:
        self.rig.print(price)
        self.heard(self.rig)

    @rule(seconds=st.sampled_from([0.001, 1, 4, 12, 60]))
    def wait(self, seconds: float) -> None:
        self.rig.at((self.rig.now_ns - START_NS) / SECOND + seconds)
        self.heard(self.rig)

    @rule(line=SESSIONS, is_orderly=st.booleans())
    def leave(self, line: str, is_orderly: bool) -> None:
        if self.is_usable(line) and is_orderly:
            self.send(line, Logout(request_id=self.rig.next_id()))
        elif self.is_usable(line):
            self.rig.sent = []
            self.rig.venue.drop_line(line, self.rig.now_ns)
            self.rig._settle()
            self.heard(self.rig)

    @rule(
        line=st.sampled_from(["fix", "other fix"]), is_reset=st.booleans(), cancels=st.sampled_from([None, True, False])
    )
    def come_back(self, line: str, is_reset: bool, cancels: bool | None) -> None:
        if self.is_usable(line):
            return
        rig = self.rig
        rig.venue.connect(line, self.account_of(line), "fix", rig.now_ns, "DESK" if line == "fix" else "OTHER")
        expected = self.stream[line] + 1
        rig.send(
            line,
            Logon(
                request_id=rig.next_id(),
                is_reset=is_reset,
                is_cancel_on_disconnect=cancels,
                next_expected_seq=expected,
            ),
        )
        replayed = [outbound.seq_num for outbound in rig.sent if outbound.session_id == line and outbound.seq_num]
        if is_reset:
            assert replayed == []
            self.stream[line] = 0
        else:
            assert replayed == list(range(expected, expected + len(replayed)))
            self.stream[line] = expected + len(replayed) - 1

    # ------------------------------------------------------------------ what always holds

    @invariant()
    def an_ended_order_stays_as_it_ended(self) -> None:
        if not hasattr(self, "rig"):
            return
        for account in self.rig.venue.accounts.values():
            for order in account.order_by_id.values():
                now = (order.state, order.cum_lots)
                if order.order_id in self.final:
                    assert self.final[order.order_id] == now
                elif order.state in TERMINAL:
                    self.final[order.order_id] = now

    @invariant()
    def every_fill_of_an_order_with_a_template_has_made_an_order_of_its_quantity_on_the_other_side(self) -> None:
        if not hasattr(self, "rig"):
            return
        for account in self.rig.venue.accounts.values():
            made: dict[str, list[Order]] = {}
            for order in account.order_by_id.values():
                if order.primary_id:
                    made.setdefault(order.primary_id, []).append(order)
            for order in account.order_by_id.values():
                fills = [trade.last_lots for trade in account.trades if trade.order_id == order.order_id]
                secondaries = made.get(order.order_id, [])
                wanted = fills if order.secondary is not None else []
                assert len(secondaries) == len(wanted)
                for each, lots in zip(secondaries, wanted, strict=True):
                    assert each.qty_lots == lots or each.order_id in self.amended
                assert all(each.side == 1 - order.side for each in secondaries)

    @invariant()
    def the_counters_have_their_closed_form(self) -> None:
        if not hasattr(self, "rig"):
            return
        for name, ledger in self.ledgers.items():
            counter = self.rig.venue.accounts[name].counters[0]
            assert Fraction(counter.value_at(self.rig.now_ns), POINT) == ledger.at(self.rig.now_ns)


def vars_of(order: AddOrder) -> dict[str, Any]:
    """The fields of an order by name."""
    return {name: getattr(order, name) for name in order.__struct_fields__}


def test_the_venue_adds_up_after_every_step_of_random_streams() -> None:
    run_state_machine_as_test(
        VenueMachine,
        settings=settings(
            max_examples=60,
            stateful_step_count=60,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
