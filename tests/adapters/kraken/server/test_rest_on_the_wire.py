"""What the venue answers on REST is what the messages of the protocol say: each member and each digit (rest-api)."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kraken.server.http import HttpRequest, HttpResponse
from adapters.kraken.wire.codec import encode
from adapters.kraken.wire.rest.endpoints import ENDPOINTS
from adapters.kraken.wire.rest.envelope import encode_form
from tests.adapters.kraken.server.on_the_wire import as_rest
from tests.adapters.kraken.server.rest_rig import Rest
from tests.adapters.kraken.wire.documented import tokens
from tests.framework.venue.served.served_rig import SECOND, START, TRADING

LIMIT = {"ordertype": "limit", "type": "buy", "volume": "0.5", "price": "99.5"}


class Checked(Rest):
    """A client that holds each request and each answer against the messages; ``answered`` are paths with a result."""

    answered: set[str]

    def private(self, name: str, account: int = 0, is_json: bool = False, **params: Any) -> Any:
        """The envelope of a private request, after some seconds in which the counter of calls falls."""
        self.host.run_until(self.host.now_ns + 5 * SECOND)
        return super().private(name, account, is_json, **params)

    def send(self, request: HttpRequest) -> list[HttpResponse]:
        """Hand a request in; its answers have been checked."""
        endpoint = ENDPOINTS[request.path.removeprefix("/0")]
        form = request.query or request.body.decode()
        if not form.startswith("{"):
            assert sorted(encode_form(endpoint.decode_form(form)).split("&")) == sorted(form.split("&"))
        else:
            assert tokens(encode(endpoint.decode_request(form))) == tokens(form)
        answers = super().send(request)
        for answer in answers:
            reply = as_rest(request, answer)
            if reply is not None and not reply.error:
                self.answered.add(endpoint.path)
        return answers


def checked(rows: Any = None) -> Checked:
    rest = Checked(rows)
    rest.answered = set()
    return rest


def ask_public(rest: Checked) -> None:
    for name in ("Time", "SystemStatus", "Assets", "AssetPairs", "Ticker", "PostTrade"):
        rest.public(name)
    for name in ("OHLC", "Depth", "GroupedBook", "Trades", "Spread"):
        rest.public(name, pair="XBTUSD")
        rest.public(name, pair="nothing")
    for info in ("info", "leverage", "fees", "margin"):
        rest.public("AssetPairs", info=info, pair="XBTUSD")
    rest.public("PreTrade", symbol="BTC/USD")
    rest.public("Trades", pair="XBTUSD", since="1", count="3")


def trade(rest: Checked) -> list[str]:
    """Orders of all kinds, changed and canceled; the ids of those that were taken."""
    changes: list[dict[str, str]] = [
        {}, {"cl_ord_id": "mine", "oflags": "post"}, {"userref": "7"}, {"timeinforce": "IOC"}, {"validate": "true"},
        {"timeinforce": "GTD", "expiretm": "+60"}, {"starttm": "+60"}, {"ordertype": "iceberg", "displayvol": "0.1"},
        {"ordertype": "stop-loss", "type": "sell", "price": "95"}, {"price": "-1%"}, {"price": "x"},
        {"ordertype": "trailing-stop", "type": "sell", "price": "+2%"}, {"volume": "1000000"}, {"pair": "nothing"},
        {"ordertype": "stop-loss-limit", "type": "sell", "price": "95", "price2": "94"},
        {"ordertype": "take-profit", "type": "sell", "price": "120"},
    ]  # fmt: skip
    ids = []
    for change in changes:
        answer = rest.private("AddOrder", **{"pair": "XBTUSD", **LIMIT, **change})
        ids += answer.get("result", {}).get("txid", [])
    rest.add(price=None, volume="0.1")
    rest.private("AddOrderBatch", is_json=True, pair="XBTUSD", orders=[LIMIT, {**LIMIT, "volume": "1000000"}])
    rest.private("AmendOrder", txid=ids[0], limit_price="99.4")
    rest.private("AmendOrder", cl_ord_id="nobody", limit_price="99.4")
    rest.private("EditOrder", pair="XBTUSD", txid=ids[0], price="99.3")
    rest.private("CancelOrder", cl_ord_id="mine")
    rest.private("CancelOrder", txid="nothing")
    rest.private("CancelOrderBatch", is_json=True, orders=[rest.add(price="98"), rest.add(price="97")])
    rest.private("CancelAllOrdersAfter", timeout="60")
    rest.private("CancelAllOrdersAfter", timeout="0")
    return ids


def ask_about(rest: Checked, ids: list[str]) -> None:
    for name in ("Balance", "BalanceEx", "CreditLines", "TradeBalance", "OpenPositions", "GetApiKeyInfo",
                 "GetWebSocketsToken", "TradesHistory", "Ledgers", "OpenOrders", "ClosedOrders", "TradeVolume",
                 "Earn/Strategies", "Earn/Allocations"):  # fmt: skip
        rest.private(name)
    rest.private("Level3", pair="XBTUSD")
    rest.private("OpenOrders", trades="true")
    rest.private("ClosedOrders", trades="true", without_count="true")
    rest.private("QueryOrders", txid=",".join(ids), trades="true")
    for order_id in ids:
        rest.private("OrderAmends", order_id=order_id)
    trades = list(rest.result("TradesHistory", ledgers="true")["trades"])
    rest.private("QueryTrades", txid=",".join(trades[:20]))
    entries = list(rest.result("Ledgers")["ledger"])
    rest.private("QueryLedgers", id=",".join(entries[:20]))
    rest.private("TradeVolume", pair="XBTUSD")
    rest.private("TradeVolume", is_json=True, pair=[{"asset": "XBTUSD", "aclass": "currency"}])
    for name in ("Earn/Allocate", "Earn/Deallocate"):
        rest.private(name, amount="1", strategy_id="x")
    for name in ("Earn/AllocateStatus", "Earn/DeallocateStatus"):
        rest.private(name, strategy_id="x")


def move_money(rest: Checked) -> None:
    rest.private("DepositMethods", asset="XBT")
    rest.private("DepositAddresses", asset="XBT", method="Simulated BTC", new="true")
    rest.private("WithdrawMethods")
    rest.private("WithdrawAddresses")
    rest.private("WithdrawInfo", asset="XBT", key="simulated", amount="0.1")
    ref_id = rest.result("Withdraw", asset="XBT", key="simulated", amount="0.1")["refid"]
    rest.private("Withdraw", asset="XBT", key="simulated", amount="1000000")
    rest.private("WithdrawStatus")
    rest.private("WithdrawCancel", asset="XBT", refid=ref_id)
    rest.private("WithdrawCancel", asset="XBT", refid=ref_id)
    rest.private("WithdrawStatus", asset="XBT")
    rest.host.adjust_balance("a0", "USD", rest.host.records.balances("a0")["USD"][0], "deposit", "FTx")
    rest.private("DepositStatus")
    rest.private("WalletTransfer", **{"asset": "XBT", "from": "Spot Wallet", "to": "Futures Wallet", "amount": "0.1"})
    rest.private("AccountTransfer", **{"asset": "XBT", "from": "a0", "to": "a1", "amount": "0.1"})
    rest.private("CreateSubaccount", username="x", email="x@example.com")
    for report in ("trades", "ledgers"):
        report_id = rest.result("AddExport", report=report, description="all", format="CSV")["id"]
        rest.private("ExportStatus", report=report)
        rest.send(rest.request("RetrieveExport", {"id": report_id}))
        rest.private("RemoveExport", id=report_id, type="delete")
        rest.private("RetrieveExport", id=report_id)


REFUSED = {"/private/CreateSubaccount", "/private/Earn/Allocate", "/private/Earn/Deallocate",
           "/private/Earn/AllocateStatus", "/private/Earn/DeallocateStatus", "/private/Level3",
           "/private/RetrieveExport"}  # fmt: skip


def test_every_answer_of_a_day_of_trading_is_a_message() -> None:
    answered: set[str] = set()
    for rows in (None, TRADING):
        rest = checked(rows)
        ask_public(rest)
        ids = trade(rest)
        rest.host.run_until(START + 60 * SECOND)
        ids += trade(rest)
        rest.host.run_until(START + 120 * SECOND)
        ask_public(rest)
        move_money(rest)
        rest.host.run_until(START + 180 * SECOND)
        ask_about(rest, ids)
        rest.private("CancelAll")
        answered |= rest.answered
    # What the venue refuses whatever is asked, and what it answers with a file.
    assert set(ENDPOINTS) - answered <= REFUSED


VALUES = st.sampled_from(
    ["XBTUSD", "BTC/USD", "XBT", "limit", "market", "buy", "1", "0", "-1", "99.9", "true", "x", ""]
)


NAMES = ["since", "count", "interval", "trades", "userref", "timeout", "asset", "ofs", "type", "ordertype", "volume",
         "price", "txid"]  # fmt: skip
PARAMS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)


@given(st.lists(st.tuples(st.sampled_from(sorted(ENDPOINTS)), PARAMS), max_size=5))
@settings(max_examples=100, deadline=None)
def test_whatever_is_asked_the_answer_is_a_message(asked: list[tuple[str, dict[str, str]]]) -> None:
    rest = Rest()
    for path, params in asked:
        _, kind, name = path.split("/", 2)
        request = rest.request(name, {"pair": "XBTUSD", **params})
        if kind == "public":
            request = HttpRequest(method="GET", path=f"/0{path}", query="pair=XBTUSD", headers={}, body=b"", peer="x")
        for answer in rest.send(request):
            assert as_rest(request, answer) is not None
