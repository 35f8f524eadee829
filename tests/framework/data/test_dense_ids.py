from __future__ import annotations

import numpy as np

from framework.data.columns import ADD, DELETE, MODIFY, TRADE
from framework.data.dense_ids import number_orders


def test_orders_are_numbered_by_first_appearance_and_deletions_completed() -> None:
    kind = np.array([ADD, ADD, MODIFY, TRADE, DELETE, DELETE], dtype=np.uint8)
    source_id = np.array([900, 7, 900, 7, 7, 900], dtype=np.int64)
    price = np.array([100, 101, 99, 101, 0, 0], dtype=np.int64)
    qty = np.array([5, 6, 4, 6, 0, 0], dtype=np.int64)
    numbered = number_orders(kind, source_id, price, qty)
    assert numbered.order_id.tolist() == [1, 2, 1, 2, 2, 1]
    assert numbered.price_ticks.tolist() == [100, 101, 99, 101, 101, 99]
    assert numbered.qty_lots.tolist() == [5, 6, 4, 6, 6, 4]


def test_a_trade_of_an_order_that_has_not_appeared_names_none() -> None:
    kind = np.array([TRADE, ADD, TRADE], dtype=np.uint8)
    numbered = number_orders(kind, np.array([7, 7, 8]), np.array([100, 100, 100]), np.array([1, 1, 1]))
    assert numbered.order_id.tolist() == [0, 1, 0]
