"""What a run has measured, and whose message is whose."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from framework.backtest.results import EVENT_SCHEMA
from framework.backtest.run_folder import RunFolder
from framework.diverge.accounting import Book, Prices
from framework.diverge.legs import Series, read_sent
from framework.diverge.pairing import Pairs, followed_orders, residual
from framework.live.recorder import LiveRecorder
from framework.messages import (
    AddOrder,
    CancelOrder,
    CommandAccepted,
    CommandRejected,
    ExecType,
    ExecutionReport,
    OrderState,
)
from framework.protocol import BUY, SELL, OrderType, RejectReason
from tests.framework.diverge.injected import CONFIG, simulated

MS = 1_000_000
S = 1_000_000_000
HALF = 1 << 63

# ---------------------------------------------------------------------------------------------------- latencies


def test_a_quantile_is_drawn_of_the_messages_about_a_time() -> None:
    calm = [(at * S, at * S + 5 * MS) for at in range(1000)]
    slow = [(at * S, at * S + 300 * MS) for at in range(1000, 2000)]
    series = Series([*calm, *slow])
    assert series.drawn_ns(500 * S, HALF) == 5 * MS
    assert series.drawn_ns(1500 * S, HALF) == 300 * MS


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40), st.integers(0, 2**64 - 1))
def test_a_draw_lies_between_the_least_and_the_greatest_and_grows_with_the_quantile(
    latencies: list[int], draw: int
) -> None:
    series = Series((at, at + ns) for at, ns in enumerate(latencies))
    drawn = series.drawn_ns(0, draw)
    assert min(latencies) <= drawn <= max(latencies)
    assert drawn <= series.drawn_ns(0, 2**64 - 1)
    assert series.drawn_ns(0, 0) == min(latencies)


def test_samples_of_one_distribution_are_alike_and_of_another_are_not() -> None:
    one = Series((at, at + 5 * MS + at * 7919 % 1000) for at in range(200))
    two = Series((at, at + 5 * MS + at * 104_729 % 1000) for at in range(300))
    late = Series((at, at + 6 * MS + at * 7919 % 1000) for at in range(200))
    assert one.is_like(two)
    assert not one.is_like(late)
    assert not one.is_like(Series([]))


def test_what_overtakes_is_counted_also_among_messages_of_one_instant() -> None:
    assert Series([(0, 9), (0, 4), (1, 10), (2, 3)]).inverted_count == 2
    assert Series([(0, 4), (0, 9), (1, 9)]).inverted_count == 0


# ---------------------------------------------------------------------------------------------------- live arrivals


def report(exec_type: ExecType, cl_ord_id: str, ts_ns: int, **more: object) -> ExecutionReport:
    values: dict[str, object] = {
        "ts_venue_ns": ts_ns,
        "exec_type": exec_type,
        "state": OrderState.NEW,
        "order_id": "O" + cl_ord_id,
        "cl_ord_id": cl_ord_id,
        "symbol": "BTC/USD",
        "side": BUY,
        "order_type": OrderType.LIMIT,
        "qty_lots": 10,
        "leaves_lots": 10,
        "cum_lots": 0,
    }
    return ExecutionReport(**(values | more))  # type: ignore[arg-type]


def sent() -> LiveRecorder:
    recorder = LiveRecorder()
    order = AddOrder(
        request_id=1, symbol="BTC/USD", side=BUY, order_type=OrderType.LIMIT, qty_lots=10, cl_ord_id="1", limit_ticks=5
    )
    recorder.sent("ws2", order, 100)
    recorder.sent("ws2", CancelOrder(request_id=2, cl_ord_id="1"), 200)
    return recorder


def arrivals(recorder: LiveRecorder) -> list[int | None]:
    return list(recorder.table({}).column("ts_arrived_ns").to_pylist())


def test_a_command_arrived_when_the_venue_says_that_it_took_it() -> None:
    recorder = sent()
    recorder.heard(CommandAccepted(ts_venue_ns=110, request_id=1))
    recorder.heard(CommandRejected(ts_venue_ns=230, request_id=2, error="no", reason=RejectReason.ORDER_NOT_OPEN))
    assert arrivals(recorder) == [110, 230]


def test_a_command_arrived_when_the_venue_did_what_it_asks_for_whichever_is_told_first() -> None:
    recorder = sent()
    recorder.heard(report(ExecType.NEW, "1", 130))
    recorder.heard(CommandAccepted(ts_venue_ns=110, request_id=1))
    recorder.heard(CommandAccepted(ts_venue_ns=210, request_id=2))
    recorder.heard(report(ExecType.CANCELED, "1", 240, leaves_lots=0, cause=RejectReason.USER_REQUESTED))
    assert arrivals(recorder) == [130, 240]


def test_an_answer_without_a_time_of_the_venue_says_nothing_of_the_arrival() -> None:
    recorder = sent()
    recorder.heard(CommandAccepted(ts_venue_ns=99, request_id=1))
    assert arrivals(recorder) == [None, None]
    recorder.heard(report(ExecType.NEW, "1", 130))
    assert arrivals(recorder) == [130, None]


def test_of_two_cancels_the_first_has_done_it() -> None:
    recorder = sent()
    recorder.sent("ws2", CancelOrder(request_id=3, cl_ord_id="1"), 300)
    recorder.heard(report(ExecType.CANCELED, "1", 240, leaves_lots=0, cause=RejectReason.USER_REQUESTED))
    assert arrivals(recorder) == [None, 240, None]


def test_an_end_that_nobody_asked_for_says_nothing_of_a_cancel() -> None:
    recorder = sent()
    recorder.heard(report(ExecType.CANCELED, "1", 240, leaves_lots=0, cause=RejectReason.CANCEL_AFTER_EXPIRED))
    recorder.heard(report(ExecType.CANCELED, "1", 250, leaves_lots=0, cause=RejectReason.USER_REQUESTED))
    assert arrivals(recorder) == [None, None]


# ---------------------------------------------------------------------------------------------------- pairs


def log(*orders: tuple[str, int, int, int, int]) -> pa.Table:
    """Orders: client order id, sent, side, price, filled."""
    rows: list[dict[str, object]] = []
    for key, sent_ns, side, price_ticks, filled_lots in orders:
        common = {"symbol": "BTC/USD", "cl_ord_id": key, "side": side, "price_ticks": price_ticks}
        rows.append(
            common
            | {"kind": "command", "name": "AddOrder", "ts_sent_ns": sent_ns, "qty_lots": 1000, "order_type": "LIMIT"}
        )
        if filled_lots:
            rows.append(common | {"kind": "fill", "name": "TRADE", "ts_venue_ns": sent_ns + 5, "qty_lots": filled_lots})
    named = [dict.fromkeys(EVENT_SCHEMA.names) | row | {"row": at} for at, row in enumerate(rows)]
    return pa.Table.from_pylist(named, schema=EVENT_SCHEMA)


def book(prices: Prices, *orders: tuple[str, int, int, int, int]) -> Book:
    return Book(log(*orders), prices)


def prices_of(tmp_path: Path) -> Prices:
    return Prices(
        RunFolder.open(simulated(tmp_path / "run", replace(CONFIG, market=replace(CONFIG.market, duration_s=20))))
    )


def test_orders_pair_by_terms_and_the_nearest_time_and_each_in_one_pair(tmp_path: Path) -> None:
    prices = prices_of(tmp_path)
    run = book(prices, ("1", 10 * S, BUY, 500, 0), ("2", 11 * S, BUY, 500, 0), ("3", 50 * S, SELL, 700, 0))
    other = book(prices, ("a", 10 * S + MS, BUY, 500, 0), ("b", 11 * S + MS, BUY, 500, 0), ("c", 50 * S, SELL, 701, 0))
    pairs = Pairs(run, other)
    assert {key: order.cl_ord_id for key, order in pairs.of.items()} == {"1": "a", "2": "b", "3": "c"}
    assert pairs.alike == {"1", "2"}


def test_orders_that_are_too_far_apart_are_no_pair(tmp_path: Path) -> None:
    prices = prices_of(tmp_path)
    pairs = Pairs(book(prices, ("1", 10 * S, BUY, 500, 0)), book(prices, ("a", 13 * S, BUY, 500, 0)))
    assert not pairs.of


def test_fills_of_orders_sent_alike_are_the_queues_and_others_are_not(tmp_path: Path) -> None:
    prices = prices_of(tmp_path)
    run = book(prices, ("1", 10 * S, BUY, 500, 1000), ("2", 20 * S, BUY, 510, 1000))
    last = book(prices, ("a", 10 * S, BUY, 500, 400), ("b", 40 * S, SELL, 900, 1000))
    left = residual(run, last)
    assert left.net == run.orders["1"].value - last.orders["a"].value != Decimal(0)
    assert (left.alike_orders, left.other_orders) == (1, 2)
    assert followed_orders(run, last) == (0, 10 * S)
    assert followed_orders(run, run) == (2, None)


def test_a_command_that_the_venue_did_not_date_arrived_half_way_to_its_answer() -> None:
    table = log(("1", 100, BUY, 500, 0), ("2", 200, BUY, 500, 0))
    rows = table.to_pylist()
    rows[0] |= {"request_id": 1, "ts_learned_ns": 140, "outcome": "accepted"}
    rows[1] |= {"request_id": 2, "ts_learned_ns": 240, "ts_arrived_ns": 210, "outcome": "accepted"}
    found = list(read_sent(pa.Table.from_pylist(rows, schema=EVENT_SCHEMA)))
    assert [(each.ts_arrived_ns, each.is_dated) for each in found] == [(120, False), (210, True)]
