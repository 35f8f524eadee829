"""The compiled kernel and the obvious one agree, and neither makes quantity out of nothing."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework.data.columns import TRADE
from framework.venue.kernel import KernelOptions, StopReason
from framework.venue.latency import lognormal
from tests.framework.venue.kernel.row_streams import FLAGS, Draw, Step, Twins, calmed, market, patient, rows_from, run

pytestmark = pytest.mark.slow

PRICES = st.integers(97, 103)
FEED = lognormal(0.004, 1.0).compile()

draws = st.lists(
    st.tuples(
        st.sampled_from((0, 0, 1, 3)),
        st.sampled_from((0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 4)),
        st.integers(0, 1),
        PRICES,
        st.integers(0, 7),
        st.integers(0, 999),
        st.sampled_from(FLAGS),
    ),
    min_size=1,
    max_size=60,
)
steps = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 1), st.integers(95, 105), st.integers(0, 7), st.integers(0, 11)),
    max_size=40,
)
options = st.builds(
    KernelOptions,
    queue_parameter=st.sampled_from((1.0, 2.0, 3.0)),
    trade_after_book_ns=st.sampled_from((0, 2)),
    trades_share_ppm=st.sampled_from((0, 250_000, 333_333, 1_000_000)),
    trades_spread_ticks=st.integers(0, 2),
    trades_depth_lots=st.sampled_from((0, 5)),
)
many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("depth", ["L1", "L2", "L3", "trades"])
@many
@given(draws=draws, steps=steps, options=options, has_trades=st.booleans(), is_calm=st.booleans())
def test_risk_averse_and_exact_queues_fill_the_same(
    depth: str, draws: list[Draw], steps: list[Step], options: KernelOptions, has_trades: bool, is_calm: bool
) -> None:
    if is_calm:
        draws, steps = calmed(draws), patient(steps)
    traded = market(rows_from(draws, depth), depth, has_trades)
    run(Twins.of(traded, options=options, latency=None if len(steps) % 2 else FEED), steps)


@pytest.mark.parametrize("depth", ["L1", "L2"])
@pytest.mark.parametrize("model", ["power", "power_total", "power_ratio", "log", "log_total"])
@settings(many, max_examples=100)
@given(draws=draws, steps=steps, options=options, is_calm=st.booleans())
def test_probability_models_fill_the_same(
    depth: str, model: str, draws: list[Draw], steps: list[Step], options: KernelOptions, is_calm: bool
) -> None:
    if is_calm:
        draws, steps = calmed(draws), patient(steps)
    run(Twins.of(market(rows_from(draws, depth), depth), model, options), steps)


@pytest.mark.parametrize("depth", ["L1", "L2", "L3", "trades"])
@settings(many, max_examples=100)
@given(draws=draws, steps=steps, options=options)
def test_no_quantity_is_made(depth: str, draws: list[Draw], steps: list[Step], options: KernelOptions) -> None:
    """No order fills beyond its quantity, no trade fills beyond its own, nothing is taken that is not displayed."""
    traded = market(rows_from(draws, depth), depth)
    twins = Twins.of(traded, options=options)
    kernel, columns = twins.kernel, traded.columns
    open_lots: dict[int, int] = {}
    for what, side, price, qty, number in steps:
        if what <= 4:
            open_lots[kernel.place(0, side, price, qty + 1, number % 4)] = qty + 1
        elif what <= 6:
            displayed = dict(kernel.levels(0, 1 - side, 1000))
            for paid, lots in kernel.take(0, side, qty, price):
                assert 0 < lots <= displayed[paid]
                assert kernel.level(0, 1 - side, paid) == displayed[paid] - lots
        else:
            reason = kernel.advance(max(kernel.now_ns, int(columns.ts_event_ns[0])) + number)
            fills = kernel.fills()
            assert (reason is StopReason.FILL) == bool(fills)
            for fill in fills:
                assert fill.ts_ns == kernel.now_ns == columns.ts_event_ns[fill.row]
                open_lots[fill.slot] -= fill.qty_lots
                assert open_lots[fill.slot] == kernel.leaves(fill.slot) >= 0
            if fills and columns.kind[fills[0].row] == TRADE:
                assert sum(fill.qty_lots for fill in fills) <= columns.qty_lots[fills[0].row]
