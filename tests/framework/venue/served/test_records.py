"""What accounts may ask of their past."""

from __future__ import annotations

from decimal import Decimal

import pytest

from framework.messages import CancelOrder
from framework.protocol import BUY, SELL
from tests.framework.venue.served.served_rig import START, Client, host, order


def test_a_fill_is_a_trade_and_two_ledger_entries_whose_balances_are_those_of_the_account() -> None:
    served = host()
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, None, 50))
    trade = served.records.trades("a0")[0]
    base, quote = served.records.ledger("a0")
    cost = Decimal("100.2") * Decimal("0.0050")
    assert (trade.cost, trade.is_maker, trade.ts_ns) == (cost, False, START)
    assert (base.asset, base.amount, base.fee, base.ref_id) == ("BTC", Decimal("0.0050"), 0, trade.trade_id)
    assert (quote.asset, quote.amount, quote.fee, quote.ref_id) == ("USD", -cost, trade.fee, trade.trade_id)
    balances = served.records.balances("a0")
    assert balances["BTC"][0] == base.balance == Decimal("100.0050")
    assert balances["USD"][0] == quote.balance == 100_000 - cost - trade.fee
    assert trade.fee > 0


def test_trades_are_found_by_order_and_by_id() -> None:
    served = host()
    client, other = Client(served), Client(served, account="a1")
    served.submit(client.line_id, order(served, BUY, 1001, 50, "mine"))
    for lots in (20, 30):
        served.submit(other.line_id, order(served, SELL, 1001, lots))
    mine = served.records.orders_ended("a0")[0]
    trades = served.records.trades_of("a0", mine.order_id)
    assert [trade.qty_lots for trade in trades] == [20, 30]
    assert served.records.trade("a0", trades[0].trade_id) is trades[0]
    assert served.records.trade("a1", trades[0].trade_id) is None
    assert served.records.cost_of("a0", mine.order_id)[0] == sum(trade.cost for trade in trades)


def test_money_that_comes_and_goes_is_in_the_ledger() -> None:
    served = host()
    entry = served.records.move("a0", "USD", Decimal("-250.5"), "withdrawal", "R1", START)
    assert (entry.balance, entry.kind) == (Decimal("99749.5"), "withdrawal")
    assert served.records.balances("a0")["USD"][0] == Decimal("99749.5")


def test_money_that_an_order_holds_cannot_go() -> None:
    served = host()
    client = Client(served)
    served.submit(client.line_id, order(served, SELL, 1005, 990_000))
    with pytest.raises(ValueError, match="more than is available"):
        served.records.move("a0", "BTC", Decimal(-2), "withdrawal", "R1", START)


def test_only_the_newest_are_kept_and_the_venue_forgets_the_same() -> None:
    served = host(history_max=8)
    client, other = Client(served), Client(served, account="a1")
    first = None
    for number in range(40):
        served.submit(client.line_id, order(served, BUY, 1001, 1, f"m{number}"))
        first = first or served.records.orders_open("a0")[0].order_id
        served.submit(other.line_id, order(served, SELL, 1001, 1, f"t{number}"))
    served.records.forget_orders()
    assert 8 <= len(served.records.trades("a0")) <= 9
    assert len(served.records.orders_ended("a0")) == 8
    assert first is not None
    assert served.records.order("a0", first) is None
    assert len(served.venue.accounts["a0"].trades) <= 9
    assert served.records.trades("a0")[-1].order.cl_ord_id == "m39"
    served.submit(client.line_id, CancelOrder(request_id=served.next_request_id(), order_id=first))
    assert "CommandRejected" in client.names()
