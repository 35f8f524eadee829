"""What links know of an account's orders in common."""

from __future__ import annotations

from adapters.kraken.client.order_memory import OrderMemory
from framework.protocol import BUY, OrderType


def test_what_an_edit_made_is_live_in_the_place_of_what_it_replaced() -> None:
    memory = OrderMemory()
    old = memory.found("O1", "a", "BTC/USD", BUY, OrderType.LIMIT)
    memory.replaced("O1", "O2")
    (new,) = memory.live()
    assert old.is_ended
    assert (new.order_id, new.cl_ord_id, new.symbol, new.side) == ("O2", "", "BTC/USD", BUY)
    assert memory.find("O2", None) is new


def test_an_order_that_news_has_told_of_before_the_edits_answer_is_not_had_twice() -> None:
    memory = OrderMemory()
    old = memory.found("O1", "a", "BTC/USD", BUY, OrderType.LIMIT)
    new = memory.found("O2", "", "BTC/USD", BUY, OrderType.LIMIT)
    memory.replaced("O1", "O2")
    assert list(memory.live()) == [new]
    assert old.is_ended


def test_an_order_is_live_by_its_clients_id_until_it_has_ended() -> None:
    memory = OrderMemory()
    known = memory.found("O1", "a", "BTC/USD", BUY, OrderType.LIMIT)
    assert memory.is_live("a")
    memory.end(known)
    assert not memory.is_live("a")
    assert not memory.is_live("of nobody")
