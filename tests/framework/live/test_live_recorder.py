"""What a live run writes down is not kept in memory: a run may last for weeks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from framework.execution.events import SessionClosed
from framework.execution.orders import OrderRecord
from framework.live.recorder import LiveRecorder
from framework.messages import AddOrder, ExecType, ExecutionReport, OrderState
from framework.protocol import BUY, OrderType

SECOND = 10**9
_ADD = AddOrder(
    request_id=1, cl_ord_id="d", symbol="BTC/USD", side=BUY, order_type=OrderType.LIMIT, qty_lots=1, limit_ticks=1
)
MARKS = ("bid_ticks", "ask_ticks")


def _fill(number: int) -> ExecutionReport:
    return ExecutionReport(
        ts_venue_ns=number * SECOND,
        exec_type=ExecType.TRADE,
        state=OrderState.FILLED,
        order_id=f"O{number}",
        cl_ord_id=f"c{number}",
        symbol="BTC/USD",
        side=BUY,
        order_type=OrderType.LIMIT,
        qty_lots=1,
        leaves_lots=0,
        cum_lots=1,
        last_lots=1,
        last_ticks=number,
        exec_id=f"T{number}",
        is_maker=True,
        fee=Decimal("0.01"),
        fee_asset="USD",
    )


def _marks(fills: list[ExecutionReport]) -> dict[str, list[Any]]:
    return {name: [10 * fill.last_ticks + at for fill in fills] for at, name in enumerate(MARKS)}


def _played(count: int, *, is_finished: bool) -> LiveRecorder:
    recorder = LiveRecorder()
    for number in range(1, count + 1):
        recorder.learned("fix", _fill(number), number * SECOND + 1)
        recorder.on_session("fix", "dropped", number * SECOND + 2)
        recorder.concluded(
            SessionClosed(ts_ns=number * SECOND + 3, link="fix", session_id="fix#1", reason="dropped", cl_ord_ids=())
        )
        recorder.denied(OrderRecord(_ADD, "fix", "fix#1", number * SECOND), number * SECOND + 4, "no line is up")
        if is_finished:
            recorder.finish_fills((number - 60) * SECOND, _marks)
    return recorder


def _rows(recorder: LiveRecorder) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = recorder.table(_marks([fill for _, fill in recorder.fills])).to_pylist()
    return rows


def test_fills_that_were_finished_are_among_the_rows_as_if_they_had_been_kept() -> None:
    assert _rows(_played(1_700, is_finished=True)) == _rows(_played(1_700, is_finished=False))


def test_few_fills_are_kept_and_all_are_counted() -> None:
    recorder = _played(1_700, is_finished=True)
    assert len(recorder.fills) < 600
    assert recorder.fill_count == 1_700


def test_a_fill_is_not_finished_before_its_marks_are_known() -> None:
    recorder = _played(1_700, is_finished=True)
    assert {fill.last_ticks for _, fill in recorder.fills} >= set(range(1_641, 1_701))


def test_few_rows_of_any_kind_are_kept() -> None:
    recorder = _played(1_700, is_finished=True)
    kept = (recorder._commands, recorder._reports, recorder._events, recorder._denied, recorder._venue, recorder._lives)
    assert max(map(len, kept)) < 500
    assert len(recorder._fill_learned) == len(recorder.fills)
