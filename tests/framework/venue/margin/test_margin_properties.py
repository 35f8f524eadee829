"""Random streams of orders on margin and of cash, fills, prices, settlements and time: money is conserved after each.

``check_invariants`` holds totals against trades and movements after every step. Here besides: positions, profits and
balances are those of the obvious account, equity is collateral and open profit, and nobody is left below the level at
which positions are taken back, if the book had anything for them.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework.messages import CancelAll, ExecutionReport
from framework.protocol import BUY, SELL, OrderType, StpMode, TimeInForce
from framework.venue.margin.lending import Movement, MovementKind
from tests.framework.venue.margin.margin_rig import BTC, MarginRig, Watcher
from tests.framework.venue.margin.obvious_margin import TICK, ObviousMargin
from tests.framework.venue.venue_rig import SECOND, START_NS

LINES = {"rest": "a", "other": "b"}
SIDES = st.sampled_from([BUY, SELL])


class Bookkeeper(Watcher):
    """Keeps an obvious account for each real one."""

    def __init__(self, usd: int, btc: int) -> None:
        super().__init__()
        self.books = {name: ObviousMargin(Fraction(usd), Fraction(btc)) for name in LINES.values()}
        self.rig: MarginRig | None = None
        self.profits: dict[str, Fraction] = {}

    def amount(self, movement: Movement, units: int) -> Fraction:
        assert self.rig is not None
        return Fraction(self.rig.venue.assets.amount(movement.asset, units))

    def on_movement(self, movement: Movement) -> None:
        super().on_movement(movement)
        assert self.rig is not None
        book = self.books[movement.account]
        amount, fee = self.amount(movement, movement.amount_units), self.amount(movement, movement.fee_units)
        assert fee >= 0
        name = self.rig.venue.assets.names[movement.asset]
        if name == "USD":
            book.usd += amount - fee
        else:
            book.btc += amount - fee
        if movement.kind is MovementKind.TRADE and name == "USD":
            self.profits[movement.ref_id] = amount
        elif movement.kind is MovementKind.TRADE or movement.kind is MovementKind.ROLLOVER:
            assert amount == 0
        elif movement.kind is MovementKind.SETTLEMENT and name == "BTC":
            assert fee == 0
            book.settle(movement.ref_id, amount)

    def on_fill(self, report: ExecutionReport) -> None:
        assert self.rig is not None
        account, order = next(
            (name, account.order_by_id[report.order_id])
            for name, account in self.rig.venue.accounts.items()
            if report.order_id in account.order_by_id
        )
        profit = self.books[account].fill(report, order.leverage)
        if order.leverage:
            assert report.exec_id is not None
            assert self.profits.pop(report.exec_id) == profit


def check(rig: MarginRig, keeper: Bookkeeper) -> None:
    price = TICK * (rig.market.last[0] or (1000,))[0]
    for name, book in keeper.books.items():
        positions = [(each.position_id, each.side, each.open_lots) for each in rig.positions(name)]
        assert positions == [(each.name, each.side, each.lots) for each in book.pieces]
        assert (Fraction(rig.total("USD", name)), Fraction(rig.total("BTC", name))) == (book.usd, book.btc)
        sums, unit = rig.standing(name), Fraction(1, 10 ** rig.venue.assets.decimals[rig.venue.assets.index["USD"]])
        assert sums.equity * unit == book.usd + book.btc * price + book.net(price)
        assert sums.used_margin * unit == book.used()
        held = any(rig.venue.accounts[name].holds)
        assert book.usd >= 0 or not held  # a debt is left only when nothing else is


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(
        st.sampled_from(
            [
                OrderType.LIMIT,
                OrderType.LIMIT,
                OrderType.MARKET,
                OrderType.STOP_LOSS,
                OrderType.SETTLE_POSITION,
                OrderType.ICEBERG,
            ]
        )
    )
    leverage = draw(st.sampled_from([0, 2, 3, 5, 5, 5]))
    lots = draw(st.sampled_from([0, BTC // 2, BTC, 5 * BTC, 20 * BTC, 60 * BTC]))
    fields: dict[str, Any] = {"side": draw(SIDES), "order_type": kind, "qty_lots": lots, "leverage": leverage}
    fields["limit_ticks"] = draw(st.integers(990, 1010)) if kind in (OrderType.LIMIT, OrderType.ICEBERG) else None
    if kind is OrderType.ICEBERG:
        fields["display_lots"] = max(1, lots // 4)
    if kind is OrderType.STOP_LOSS:
        fields["trigger_ticks"] = draw(st.integers(980, 1020))
    if kind is not OrderType.SETTLE_POSITION:
        fields["stp_mode"] = draw(st.sampled_from(list(StpMode)))
        fields["is_reduce_only"] = bool(leverage) and draw(st.booleans()) and draw(st.booleans())
        if kind is OrderType.LIMIT:
            fields["time_in_force"] = draw(st.sampled_from([TimeInForce.GTC] * 3 + [TimeInForce.IOC, TimeInForce.FOK]))
    return fields


STEPS = st.one_of(
    st.tuples(st.just("order"), st.sampled_from(sorted(LINES)), orders()),
    st.tuples(st.just("order"), st.sampled_from(sorted(LINES)), orders()),
    st.tuples(st.just("order"), st.sampled_from(sorted(LINES)), orders()),
    st.tuples(st.just("reprice"), st.sampled_from([700, 800, 900, 950, 980, 1000, 1020, 1100, 1300]), st.none()),
    st.tuples(st.just("hit"), SIDES, st.sampled_from([BTC, 30 * BTC])),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 1, 60, 4 * 3600, 24 * 3600]), st.none()),
    st.tuples(st.just("cancel"), st.sampled_from(sorted(LINES)), st.none()),
)


def act(rig: MarginRig, step: tuple[str, Any, Any]) -> None:
    what, first, second = step
    if what == "order":
        rig.send(first, rig.order(**second))
    elif what == "reprice":
        rig.reprice(first, lots=30 * BTC)
    elif what == "hit":
        rig.hit(first, second, 1010 if first == BUY else 990)
    elif what == "wait":
        rig.at((rig.now_ns - START_NS) / SECOND + first)
    else:
        rig.send(first, CancelAll(request_id=rig.next_id()))


@given(
    steps=st.lists(STEPS, min_size=5, max_size=40),
    money=st.sampled_from([(1_000, 0), (1_000, 10), (0, 10), (20, 1), (10_000, 100)]),
    switches=st.fixed_dictionaries(
        {
            "margin_call": st.sampled_from(["notice", "liquidation"]),
            "margin_stop": st.sampled_from(["all", "enough"]),
        }
    ),
)
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_margin_accounts_add_up_after_every_step(
    steps: list[tuple[str, Any, Any]], money: tuple[int, int], switches: dict[str, str]
) -> None:
    usd, btc = money
    keeper = Bookkeeper(usd, btc)
    rig = MarginRig(balances={"USD": str(usd), "BTC": str(btc)}, switches=switches, watcher=keeper, lines=("rest",))
    keeper.rig = rig
    rig.venue.connect("other", "b", "rest", rig.now_ns)
    for step in steps:
        act(rig, step)
        check(rig, keeper)


def test_the_streams_reach_what_they_are_to_show() -> None:
    """Positions of both sides, turned around, settled, rolled over and taken back, and losses beyond a currency."""
    keeper = Bookkeeper(20, 10)
    rig = MarginRig(balances={"USD": "20", "BTC": "10"}, watcher=keeper, lines=("rest",))
    keeper.rig = rig
    steps: list[tuple[str, Any, Any]] = [
        ("order", "rest", {"side": BUY, "order_type": OrderType.MARKET, "qty_lots": 30 * BTC, "leverage": 5}),
        ("order", "rest", {"side": SELL, "order_type": OrderType.MARKET, "qty_lots": 40 * BTC, "leverage": 5}),
        ("order", "rest", {"side": BUY, "order_type": OrderType.SETTLE_POSITION, "qty_lots": BTC, "limit_ticks": None}),
        ("wait", 4 * 3600, None),
        ("order", "rest", {"side": BUY, "order_type": OrderType.MARKET, "qty_lots": 40 * BTC, "leverage": 5}),
        ("reprice", 700, None),
        ("wait", 2, None),
    ]
    for step in steps:
        act(rig, step)
        check(rig, keeper)
    kinds = {movement.kind for movement in keeper.movements}
    assert kinds == set(MovementKind)
    assert rig.positions() == []
