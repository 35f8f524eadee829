"""Money in and out, Earn, transfers and exports over REST, on simulated balances (rest-api, Funding, Earn, ...)."""

from __future__ import annotations

import csv
import io
import zipfile
from decimal import Decimal
from typing import Any

import pytest

from tests.adapters.kraken.server.rest_rig import Rest, envelope
from tests.framework.venue.served.served_rig import SECOND, START


def withdraw(rest: Rest, amount: str = "1.5") -> str:
    return str(rest.result("Withdraw", asset="XBT", key="simulated", amount=amount)["refid"])


# ------------------------------------------------------------------------------------------------------------ deposits


def test_each_asset_has_a_method_and_an_address_that_nobody_takes_for_a_real_one() -> None:
    rest = Rest()
    (method,) = rest.result("DepositMethods", asset="XBT")
    assert method == {
        "method": "Simulated BTC", "limit": False, "fee": "0.0000000000", "gen-address": True,
        "minimum": method["minimum"],
    }  # fmt: skip
    (address,) = rest.result("DepositAddresses", asset="XBT", method=method["method"])
    assert address["address"].startswith("simulated-")
    assert rest.result("DepositAddresses", asset="XBT", method=method["method"], account=1) != [address]


def test_deposits_are_those_of_the_ledger() -> None:
    rest = Rest()
    assert rest.result("DepositStatus") == []
    rest.host.adjust_balance("a0", "USD", Decimal(250), "deposit", "FTx")
    (row,) = rest.result("DepositStatus", asset="USD")
    assert (row["asset"], row["amount"], row["refid"], row["status"]) == ("ZUSD", "250.0000", "FTx", "Success")
    assert rest.result("DepositStatus", asset="XBT") == []
    assert rest.result("Ledgers", type="deposit")["count"] == 1
    assert rest.result("Balance")["ZUSD"] == "100250.0000"


# --------------------------------------------------------------------------------------------------------- withdrawals


def test_a_withdrawal_leaves_the_balance_and_is_in_the_ledger() -> None:
    rest = Rest()
    refid = withdraw(rest)
    assert rest.result("Balance")["XXBT"] == "98.5000000000"
    (entry,) = rest.result("Ledgers", type="withdrawal")["ledger"].values()
    assert (entry["refid"], entry["amount"], entry["asset"]) == (refid, "-1.5000000000", "XXBT")
    (row,) = rest.result("WithdrawStatus")
    assert (row["refid"], row["amount"], row["status"], row["key"]) == (refid, "1.5000000000", "Pending", "simulated")
    rest.host.run_until(START + 60 * SECOND)
    assert rest.result("WithdrawStatus", asset="XBT")[0]["status"] == "Success"
    rest.host.venue.check_invariants()


def test_a_withdrawal_is_canceled_while_it_is_pending_and_only_once() -> None:
    rest = Rest()
    refid = withdraw(rest)
    assert rest.result("WithdrawCancel", asset="XBT", refid=refid) is True
    assert rest.result("Balance")["XXBT"] == "100.0000000000"
    (row,) = rest.result("WithdrawStatus")
    assert (row["status"], row["status-prop"]) == ("Failure", "canceled")
    assert rest.result("WithdrawCancel", asset="XBT", refid=refid) is False
    late = withdraw(rest)
    rest.host.run_until(START + 60 * SECOND)
    assert rest.result("WithdrawCancel", asset="XBT", refid=late) is False


def test_what_orders_hold_cannot_be_withdrawn() -> None:
    rest = Rest()
    rest.add("sell", "105", "99")
    assert rest.error("Withdraw", asset="XBT", key="simulated", amount="1.5") == "EFunding:Insufficient funds"
    assert rest.result("WithdrawInfo", asset="XBT", key="simulated", amount="1")["limit"] == "1.0000000000"


def test_the_address_of_a_withdrawal_is_the_one_that_is_set_up() -> None:
    rest = Rest()
    (address,) = rest.result("WithdrawAddresses", asset="XBT")
    assert (address["key"], address["verified"]) == ("simulated", True)
    rest.result("Withdraw", asset="XBT", key="simulated", amount="1", address=address["address"], max_fee="0")
    assert rest.error("Withdraw", asset="XBT", key="simulated", amount="1", address="elsewhere") == (
        "EFunding:Invalid withdrawal address"
    )
    assert [each["asset"] for each in rest.result("WithdrawMethods")] == ["XXBT", "ZUSD"]
    assert rest.result("WithdrawMethods", network="nowhere") == []
    assert rest.result("WithdrawAddresses", key="another") == []


@pytest.mark.parametrize(
    ("name", "params", "error"),
    [
        ("DepositMethods", {}, "EGeneral:Invalid arguments:asset"),
        ("DepositMethods", {"asset": "NOPE"}, "EFunding:Unknown asset"),
        ("DepositAddresses", {"asset": "XBT", "method": "NOPE"}, "EFunding:Unknown funding method"),
        ("DepositStatus", {"start": "x"}, "EGeneral:Invalid arguments:start"),
        ("WithdrawMethods", {"aclass": "odd"}, "EGeneral:Invalid arguments:aclass"),
        ("Withdraw", {"asset": "XBT", "key": "mine", "amount": "1"}, "EFunding:Unknown withdraw key"),
        ("Withdraw", {"asset": "XBT", "key": "simulated", "amount": "0"}, "EFunding:Invalid amount"),
        ("Withdraw", {"asset": "USD", "key": "simulated", "amount": "0.0000000001"}, "EFunding:Invalid amount"),
        ("Withdraw", {"asset": "XBT", "key": "simulated", "amount": "-1"}, "EGeneral:Invalid arguments:amount"),
        ("Withdraw", {"asset": "XBT", "key": "simulated", "amount": "1000"}, "EFunding:Insufficient funds"),
        ("WithdrawCancel", {"asset": "XBT", "refid": "FTnone"}, "EFunding:Unknown reference id"),
        ("WalletTransfer", {"asset": "XBT", "from": "x", "to": "y", "amount": "1"}, "EGeneral:Invalid arguments:from"),
        (
            "WalletTransfer",
            {"asset": "XBT", "from": "Spot Wallet", "to": "y", "amount": "1"},
            "EGeneral:Invalid arguments:to",
        ),
        ("AccountTransfer", {"asset": "XBT", "from": "a1", "to": "a0", "amount": "1"}, "EGeneral:Permission denied"),
        (
            "AccountTransfer",
            {"asset": "XBT", "from": "a0", "to": "nobody", "amount": "1"},
            "EGeneral:Invalid arguments:to",
        ),
        ("CreateSubaccount", {"username": "me", "email": "me@example.org"}, "EGeneral:Permission denied"),
        ("Earn/Allocate", {"strategy_id": "E", "amount": "1"}, "EGeneral:Invalid arguments:Invalid strategy ID"),
        ("Earn/DeallocateStatus", {"strategy_id": "E"}, "EGeneral:Invalid arguments:Invalid strategy ID"),
    ],
)
def test_what_is_refused(name: str, params: dict[str, str], error: str) -> None:
    rest = Rest()
    assert rest.error(name, **params) == error
    assert rest.result("Balance") == {"XXBT": "100.0000000000", "ZUSD": "100000.0000"}


# ----------------------------------------------------------------------------------------------------------- transfers


def test_a_transfer_moves_money_from_the_own_account_to_another() -> None:
    rest = Rest()
    result = rest.result("AccountTransfer", asset="XBT", **{"from": "a0", "to": "a1"}, amount="2.54")
    assert result["status"] == "complete"
    assert rest.result("Balance")["XXBT"] == "97.4600000000"
    assert rest.result("Balance", account=1)["XXBT"] == "102.5400000000"
    (entry,) = rest.result("Ledgers", account=1, type="transfer")["ledger"].values()
    assert (entry["refid"], entry["amount"]) == (result["transfer_id"], "2.5400000000")


def test_a_transfer_to_the_futures_wallet_leaves_the_balance() -> None:
    rest = Rest()
    fields = {"asset": "XBT", "from": "Spot Wallet", "to": "Futures Wallet", "amount": "1"}
    assert rest.result("WalletTransfer", **fields)["refid"].startswith("FT")
    assert rest.result("Balance")["XXBT"] == "99.0000000000"


def test_nothing_is_earned() -> None:
    rest = Rest()
    assert rest.result("Earn/Strategies") == {"items": [], "next_cursor": None}
    assert rest.result("Earn/Allocations", converted_asset="XBT") == {
        "converted_asset": "BTC", "total_allocated": "0.0000000000", "total_rewarded": "0.0000000000", "items": [],
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- exports


def exported(rest: Rest, report_id: str) -> tuple[str, list[list[str]]]:
    (answer,) = rest.send(rest.request("RetrieveExport", {"id": report_id}))
    assert answer.headers["Content-Type"] == "application/octet-stream"
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        (name,) = archive.namelist()
        text = archive.read(name).decode()
    return name, list(csv.reader(io.StringIO(text), delimiter="\t" if name.endswith("tsv") else ","))


def test_trades_are_exported_as_a_file_in_an_archive() -> None:
    rest = Rest()
    txid = rest.add(price=None, volume="0.005")
    report_id = rest.result("AddExport", report="trades", description="all")["id"]
    name, (head, row) = exported(rest, report_id)
    shown = dict(zip(head, row, strict=True))
    assert name == "trades.csv"
    assert (shown["ordertxid"], shown["pair"], shown["vol"], shown["time"]) == (
        txid, "XXBTZUSD", "0.00500000", "2027-01-15 08:00:00")  # fmt: skip


def test_an_export_has_the_fields_the_time_and_the_format_that_were_asked_for() -> None:
    rest = Rest()
    rest.add(price=None, volume="0.001")
    rest.host.run_until(START + 100 * SECOND)
    rest.add(price=None, volume="0.002")
    options = {"report": "ledgers", "description": "some", "format": "TSV", "fields": "asset,amount"}
    report_id = rest.result("AddExport", **options, starttm=str(START // SECOND + 50))["id"]
    name, rows = exported(rest, report_id)
    assert (name, rows[0]) == ("ledgers.tsv", ["txid", "asset", "amount"])
    assert sorted(row[1:] for row in rows[1:]) == [["XXBT", "0.0020000000"], ["ZUSD", "-0.2004"]]


def test_exports_are_listed_until_they_are_removed() -> None:
    rest = Rest()
    report_id = rest.result("AddExport", report="trades", description="mine")["id"]
    (row,) = rest.result("ExportStatus", report="trades")
    assert (row["id"], row["descr"], row["status"]) == (report_id, "mine", "Processed")
    assert rest.result("ExportStatus", report="ledgers") == []
    assert rest.result("ExportStatus", account=1, report="trades") == []
    assert rest.error("RetrieveExport", account=1, id=report_id) == "EGeneral:Invalid arguments:id"
    assert rest.result("RemoveExport", id=report_id, type="cancel") == {"cancel": False}
    assert rest.result("RemoveExport", id=report_id, type="delete") == {"delete": True}
    assert rest.error("RetrieveExport", id=report_id) == "EGeneral:Invalid arguments:id"


def test_so_many_exports_are_kept_and_no_more() -> None:
    rest = Rest()
    ids = [rest.result("AddExport", report="trades", description=str(number))["id"] for number in range(11)]
    assert len(set(ids)) == 11
    assert [row["id"] for row in rest.result("ExportStatus", report="trades")] == ids[:0:-1]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"report": "wishes"}, "EGeneral:Invalid arguments:report"),
        ({"format": "PDF"}, "EGeneral:Invalid arguments:format"),
        ({"fields": "secret"}, "EGeneral:Invalid arguments:fields"),
        ({"description": ""}, "EGeneral:Invalid arguments:description"),
        ({"starttm": "x"}, "EGeneral:Invalid arguments:starttm"),
    ],
)
def test_what_an_export_may_not_ask_for(change: dict[str, Any], error: str) -> None:
    assert Rest().error("AddExport", **{"report": "trades", "description": "x", **change}) == error


def test_an_unknown_report_is_answered_by_an_envelope() -> None:
    rest = Rest()
    (answer,) = rest.send(rest.request("RetrieveExport", {"id": "nothing"}))
    assert envelope(answer) == {"error": ["EGeneral:Invalid arguments:id"]}
