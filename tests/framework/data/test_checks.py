from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from framework.data.checks import check_market
from framework.data.columns import ADD, BEST, CLEAR, DELETE, LEVEL, MODIFY, TRADE, UNKNOWN_SIDE, Columns, Market
from framework.errors import DataError
from framework.protocol import BUY, SELL
from tests.framework.data.markets import START_NS, make_market, make_spec

SOUND_L2 = [(LEVEL, BUY, 100, 5), (LEVEL, SELL, 101, 5)]


def changed(market: Market, name: str, values: npt.NDArray[np.generic]) -> Market:
    columns = {field: getattr(market.columns, field) for field in Columns.__struct_fields__}
    return msgspec.structs.replace(market, columns=Columns(**columns | {name: values}))


@pytest.mark.parametrize(
    "market",
    [
        make_market(SOUND_L2),
        make_market([(BEST, BUY, 100, 5), (BEST, SELL, 101, 5), (BEST, BUY, 0, 0)], "L1"),
        make_market([(ADD, BUY, 100, 5, 1), (MODIFY, BUY, 99, 4, 1), (DELETE, BUY, 99, 4, 1)], "L3"),
        make_market([(ADD, BUY, 100, 5, 1), (DELETE, BUY, 100, 5, 1), (ADD, BUY, 100, 5, 1)], "L3"),
        make_market([(ADD, BUY, 100, 5, 1), (CLEAR, BUY, 0, 0), (ADD, SELL, 99, 5, 1)], "L3"),
        make_market([(ADD, SELL, 100, 5, 1), (TRADE, BUY, 100, 5, 1), (DELETE, SELL, 100, 5, 1)], "L3"),
        make_market([(TRADE, UNKNOWN_SIDE, 100, 5)], "trades"),
        # Crossed inside a message only: the last of its rows uncrosses it.
        make_market([*SOUND_L2, (LEVEL, BUY, 102, 5, 0, 2000, 0), (LEVEL, SELL, 101, 0, 0, 2000, 1)]),
        make_market([(LEVEL, BUY, 100, 5), (CLEAR, BUY, 0, 0), (LEVEL, SELL, 99, 5)]),
    ],
)
def test_a_sound_market_passes(market: Market) -> None:
    check_market(market, "here")


@pytest.mark.parametrize(
    ("market", "message"),
    [
        (
            make_market([(LEVEL, BUY, 100, 5, 0, 9), (LEVEL, SELL, 101, 5, 0, 8)]),
            (
                f"here, row 1: ts_event_ns goes back from {START_NS + 9} to {START_NS + 8}; "
                "sort the source by event time, keeping the order of equal times"
            ),
        ),
        (
            make_market([(LEVEL, BUY, 100, 5, 0, -START_NS)]),
            "here, row 0: ts_event_ns is 0; times are nanoseconds since 1970, check the time unit",
        ),
        (
            make_market([(LEVEL, BUY, 100, 5), (LEVEL, SELL, 99, 5)]),
            (
                "here, row 1: the book is crossed, bid 10.0 against ask 9.9; "
                "a row before it is missing or out of order, repair the source or cut it before this row"
            ),
        ),
        (
            make_market([(LEVEL, BUY, 100, 5), (LEVEL, SELL, 100, 5)]),
            (
                "here, row 1: the book is locked, bid 10.0 against ask 10.0; "
                "a row before it is missing or out of order, repair the source or cut it before this row"
            ),
        ),
        (
            make_market([(ADD, BUY, 100, 5, 1), (ADD, SELL, 101, 5, 2), (MODIFY, BUY, 101, 5, 1)], "L3"),
            (
                "here, row 2: the book is locked, bid 10.1 against ask 10.1; "
                "a row before it is missing or out of order, repair the source or cut it before this row"
            ),
        ),
        (
            make_market([(ADD, BUY, 100, 5, 1), (ADD, BUY, 99, 5, 1)], "L3"),
            "here, row 1: order 1 is added while it is in the book; delete it first or give the new order its own id",
        ),
        (
            make_market([(ADD, BUY, 100, 5, 1), (DELETE, BUY, 100, 5, 1), (MODIFY, BUY, 100, 5, 1)], "L3"),
            "here, row 2: MODIFY of order 1, which is not in the book; drop the row or add the order first",
        ),
        (
            make_market([(ADD, BUY, 100, 5, 1), (DELETE, BUY, 100, 5, 7)], "L3"),
            "here, row 1: DELETE of order 7, which is not in the book; drop the row or add the order first",
        ),
        (
            make_market([(ADD, BUY, 100, 5, 1), (DELETE, SELL, 100, 5, 1)], "L3"),
            "here, row 1: DELETE of order 1 on the other side of the book; a change must repeat the order's side",
        ),
        (
            make_market([(ADD, BUY, 100, 5, 2), (ADD, BUY, 99, 5, 1)], "L3"),
            "here, row 0: order id 2 is not dense; number orders 1, 2, 3, ... in order of first appearance",
        ),
        (
            make_market([(ADD, BUY, 100, 5, 1 << 40)], "L3"),
            f"here, row 0: order id {1 << 40} is not dense; number orders 1, 2, 3, ... in order of first appearance",
        ),
        (
            make_market([(ADD, BUY, 100, 5, 0)], "L3"),
            "here, row 0: order id 0 is not dense; number orders 1, 2, 3, ... in order of first appearance",
        ),
        (
            make_market([(ADD, BUY, 100, 5, 1)]),
            (
                "here, row 0: kind ADD does not belong in a market of depth L2 without trades; "
                "state depth and trades as the rows have them, or drop the row"
            ),
        ),
        (
            make_market([(TRADE, BUY, 100, 5)], "trades", has_trades=False),
            (
                "here, row 0: kind TRADE does not belong in a market of depth trades without trades; "
                "state depth and trades as the rows have them, or drop the row"
            ),
        ),
        (
            make_market([(77, BUY, 100, 5)]),
            (
                "here, row 0: kind 77 does not belong in a market of depth L2 without trades; "
                "state depth and trades as the rows have them, or drop the row"
            ),
        ),
        (
            make_market([(LEVEL, UNKNOWN_SIDE, 100, 5)]),
            "here, row 0: side is 2; use 0 for buy, 1 for sell (2, unknown, in trades only)",
        ),
        (
            make_market([(TRADE, 3, 100, 5)], "trades"),
            "here, row 0: side is 3; use 0 for buy, 1 for sell (2, unknown, in trades only)",
        ),
        (
            make_market([(LEVEL, BUY, 100, -5)]),
            "here, row 0: LEVEL has qty_lots -5; a quantity must be positive, drop the row",
        ),
        (
            make_market([(TRADE, BUY, 100, 0)], "trades"),
            "here, row 0: TRADE has qty_lots 0; a quantity must be positive, drop the row",
        ),
        (
            make_market([(LEVEL, BUY, 0, 5)]),
            "here, row 0: LEVEL has price_ticks 0; a price must be positive, drop the row",
        ),
        (
            make_market([(LEVEL, BUY, 100, 5, 0, 0, 9)]),
            "here, row 0: flags are 9; only bits 1, 2 and 4 have a meaning",
        ),
        (make_market([]), "here: there is no row; check that the source covers this instrument"),
        (
            make_market(SOUND_L2, "L4"),
            "here: depth 'L4' is not one of L1, L2, L3, trades; name what the book rows tell",
        ),
        (
            make_market(SOUND_L2, spec=make_spec("BTCUSD")),
            "here: symbol 'BTCUSD' has no base and quote; write it as BASE/QUOTE",
        ),
        (
            make_market(SOUND_L2, spec=make_spec(tick_size="0")),
            "here: tick_size '0' of BTC/USD is not a positive decimal; give the grid's step",
        ),
        (
            changed(make_market(SOUND_L2), "kind", np.array([LEVEL], dtype=np.uint8)),
            "here: column kind has 1 rows, ts_event_ns has 2; columns must match",
        ),
        (
            changed(make_market(SOUND_L2), "price_ticks", np.array([100.0, 101.0])),
            "here: column price_ticks is float64, not int64; convert it before importing",
        ),
        (
            changed(make_market([(ADD, BUY, 100, 5, 1)], "L3"), "order_id", np.empty(0, dtype=np.int64)),
            "here: a market of depth L3 has no order_id column; import it as L2 or give order ids",
        ),
    ],
)
def test_an_unsound_market_is_refused_with_place_row_and_remedy(market: Market, message: str) -> None:
    with pytest.raises(DataError) as caught:
        check_market(market, "here")
    assert str(caught.value) == message
