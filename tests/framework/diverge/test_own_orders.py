"""A market without the run's own orders: what stands in the book as told, less what was the run's."""

from __future__ import annotations

import pyarrow as pa

from framework.backtest.results import EVENT_SCHEMA
from framework.data.columns import Market
from framework.diverge.own_orders import without_own
from framework.protocol import BUY, SELL
from tests.framework.venue.kernel.row_streams import Row, market
from tests.framework.venue.kernel.tape import level, trade

MS = 1_000_000


def log(symbol: str, *rows: dict[str, object]) -> pa.Table:
    """Events of one order, "1", a bid of 10 lots at 100."""
    common = {"symbol": symbol, "cl_ord_id": "1", "side": BUY, "price_ticks": 100, "qty_lots": 10}
    named = [dict.fromkeys(EVENT_SCHEMA.names) | common | row | {"row": at} for at, row in enumerate(rows)]
    return pa.Table.from_pylist(named, schema=EVENT_SCHEMA)


def added(ts_ns: int, **more: object) -> dict[str, object]:
    return {"kind": "command", "name": "AddOrder", "ts_arrived_ns": ts_ns} | more


def told(ts_ns: int, name: str, **more: object) -> dict[str, object]:
    kind = "fill" if name == "TRADE" else "report"
    return {"kind": kind, "name": name, "ts_venue_ns": ts_ns} | more


def cleaned(rows: list[Row], *events: dict[str, object], depth: str = "L2") -> tuple[Market, Market]:
    played = market(rows, depth)
    return played, without_own(played, log(played.spec.symbol, *events))


def quantities(found: Market) -> list[int]:
    return [int(lots) for lots in found.columns.qty_lots]


def test_an_order_is_taken_out_of_its_level_from_its_beginning_to_its_end() -> None:
    rows = [
        level(1 * MS, BUY, 100, 5),
        level(10 * MS, BUY, 100, 15),  # the order joins
        level(20 * MS, BUY, 100, 12),
        level(30 * MS, BUY, 100, 2),  # it leaves
        level(40 * MS, BUY, 100, 15),
    ]
    _, found = cleaned(rows, added(10 * MS), told(30 * MS, "CANCELED", leaves_lots=0))
    assert quantities(found) == [5, 5, 2, 2, 15]


def test_what_was_filled_of_it_is_gone_and_the_trade_stays() -> None:
    rows = [
        level(10 * MS, BUY, 100, 10),
        trade(20 * MS, SELL, 100, 4, flags=0),
        level(20 * MS, BUY, 100, 6),
        level(30 * MS, BUY, 100, 9),
    ]
    _, found = cleaned(rows, added(10 * MS), told(20 * MS, "TRADE", qty_lots=4))
    assert quantities(found) == [0, 4, 0, 3]


def test_an_amend_moves_it() -> None:
    rows = [
        level(10 * MS, BUY, 100, 10),
        level(20 * MS, BUY, 100, 0),
        level(20 * MS, BUY, 101, 8),
        level(30 * MS, BUY, 101, 9),
    ]
    amended = told(20 * MS, "AMENDED", price_ticks=101, qty_lots=8, leaves_lots=8)
    _, found = cleaned(rows, added(10 * MS), amended)
    assert quantities(found) == [0, 0, 0, 1]


def test_other_sides_prices_and_orders_that_were_refused_are_left_alone() -> None:
    rows = [level(10 * MS, BUY, 99, 10), level(10 * MS, SELL, 100, 10)]
    played, found = cleaned(rows, added(10 * MS))
    assert quantities(found) == quantities(played)
    rows = [level(10 * MS, BUY, 100, 10)]
    played, found = cleaned(rows, added(10 * MS, reject_reason="rate_limit"))
    assert found is played


def test_a_book_that_does_not_have_them_in_it_stays_as_it_is() -> None:
    rows = [level(10 * MS, BUY, 100, 3), level(20 * MS, BUY, 100, 4), level(30 * MS, BUY, 100, 2)]
    played, found = cleaned(rows, added(5 * MS))
    assert found is played


def test_a_run_without_orders_changes_nothing() -> None:
    played, found = cleaned([level(10 * MS, BUY, 100, 3)])
    assert found is played
