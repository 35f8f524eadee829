"""The currency of fees by every protocol, and how it is told (rest-api/add-order, oflags; websocket-v2: add_order,
edit_order, executions; fix-api: nos-fix, 18; er-fix, 136 to 139).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.adapters.kraken.server.fix_rig import Desk, Fix
from tests.adapters.kraken.server.rest_rig import Rest
from tests.adapters.kraken.server.ws1.rig import Ws1
from tests.adapters.kraken.server.ws2_rig import Ws2


def test_rest_takes_the_fee_from_the_base_currency_and_tells_its_worth_in_quote() -> None:
    """rest-api/get-trade-history, fee: in quote currency; rest-api/get-ledgers: on the entry of its own currency."""
    rest = Rest()
    rest.add(side="sell", price="100.1", volume="0.5", account=1)
    txid = rest.add(price="100.1", volume="0.5", oflags="fcib")
    order = rest.result("QueryOrders", txid=txid)[txid]
    assert (order["oflags"], order["fee"]) == ("fcib", "0.20020")
    fees = {row["asset"]: row["fee"] for row in rest.result("Ledgers")["ledger"].values()}
    assert {asset: Decimal(fee) for asset, fee in fees.items()} == {"XXBT": Decimal("0.002"), "ZUSD": 0}
    assert Decimal(rest.result("Balance")["XXBT"]) == Decimal("100.498")


def test_both_currencies_at_once_are_refused() -> None:
    error = Rest().error(
        "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price="99", volume="0.5", oflags="fcib,fciq"
    )
    assert error == "EGeneral:Invalid arguments:oflags"


@pytest.mark.parametrize(
    ("side", "flags", "told"),
    [("buy", "", "fciq"), ("sell", "", "fciq"), ("sell", "fcib", "fcib"), ("buy", "fcib", "fcib")],
)
def test_an_order_tells_the_currency_that_its_fees_are_charged_in(side: str, flags: str, told: str) -> None:
    rest = Rest()
    price = "99" if side == "buy" else "110"
    txid = rest.add(side=side, price=price, volume="0.5", oflags=flags)
    assert rest.result("OpenOrders")["open"][txid]["oflags"] == told


def test_websocket_takes_the_preference_and_executions_tell_the_fee_in_its_currency() -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    socket.send("subscribe", channel="executions", token=ws2.token())
    ws2.socket().result(
        "add_order", 1, symbol="BTC/USD", side="sell", order_type="limit", order_qty=0.5, limit_price=Decimal("100.1")
    )
    socket.add(qty="0.5", fee_preference="base")
    rows = [row for frame in socket.taken() if frame.get("channel") == "executions" for row in frame["data"]]
    assert rows[0]["fee_ccy_pref"] == "fcib"
    (trade,) = [row for row in rows if row["exec_type"] == "trade"]
    assert trade["fees"] == [{"asset": "BTC", "qty": Decimal("0.002")}]
    assert trade["fee_usd_equiv"] == Decimal("0.2002")


def test_a_preference_that_there_is_not_is_refused() -> None:
    order: dict[str, Any] = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 1}
    error = Ws2().socket().error("add_order", **order, limit_price=99, fee_preference="usd")
    assert error == "EGeneral:Invalid arguments:fee_preference"


def test_an_edit_may_change_the_preference() -> None:
    """websocket-v2/edit_order, fee_preference."""
    ws2 = Ws2()
    socket = ws2.socket()
    order_id = socket.add(qty="0.5")
    socket.result("edit_order", order_id=order_id, symbol="BTC/USD", limit_price=99, fee_preference="base")
    _, snapshot = socket.send("subscribe", channel="executions", token=ws2.token())[-2:]
    assert [row["fee_ccy_pref"] for row in snapshot["data"]] == ["fcib"]


def test_websocket_v1_has_the_flags_of_rest() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    socket.add(price="99", oflags="fcib")
    socket.subscribe_private("openOrders")
    (order,) = ws1.host.records.orders_open("a0")
    assert order.is_fee_in_base


# ----------------------------------------------------------------------------------------------------------------- FIX


def fees(exec_inst: str) -> list[tuple[str, str, str]]:
    """ExecInst, MiscFeeAmt and MiscFeeCurr of the reports of two fills of half a bitcoin each."""
    fix = Fix()
    desk, other = fix.desk().open(), fix.desk("A1").open()
    desk.add(price="100.1", t38="1", t18=exec_inst)
    for _ in range(2):
        other.add(side="2", price="100.1", t38="0.5")
    return [(report.text(18), report.text(137), report.text(138)) for report in desk.reports if report.text(150) == "F"]


def test_fix_tells_fees_as_they_add_up_and_of_each_trade_where_asked_for() -> None:
    """fix-api/er-fix, 137: cumulative; fix-api/nos-fix, 18=s: of each single trade."""
    assert fees("q") == [("q", "0.12513", "USD"), ("q", "0.25025", "USD")]
    assert fees("s") == [("s", "0.12513", "USD"), ("s", "0.12512", "USD")]


def test_fix_tells_fees_in_base_and_repeats_what_the_order_asked_for() -> None:
    """fix-api/nos-fix, 18=f."""
    reports = fees("f s")
    assert [(inst, asset) for inst, _, asset in reports] == [("f s", "BTC")] * 2
    assert sum(Decimal(fee) for _, fee, _ in reports) == Decimal("0.0025")


def test_fix_amends_the_quantity_of_a_trailing_order_and_the_distance_of_its_limit() -> None:
    """fix-api/ocrr-fix: price and quantity; that they are distances for trailing types is an assumption."""
    fix = Fix()
    desk: Desk = fix.desk().open()
    name = desk.send(b"D", t38="1", t40="V", t44="-0.5", t54="2", t55="BTC/USD", t59="1", t99="1.5")
    (order,) = fix.host.records.orders_open("a0")
    desk.send(
        b"G", t37=order.order_id, t38="0.5", t40="V", t41=name, t44="-0.7", t54="2", t55="BTC/USD", t59="1", t99="2.5"
    )
    assert (order.qty_lots, order.trail_offset_ticks, order.limit_offset_ticks) == (5_000, 25, -7)
