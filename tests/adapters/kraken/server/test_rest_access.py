"""Who may ask: keys, passwords, addresses, lockouts, limits.

Pages: guides/spot-rest-auth, guides/spot-errors, guides/spot-rest-ratelimits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.kraken.server.http import HttpRequest
from adapters.kraken.server.keys import read_keys
from adapters.kraken.server.rest.access import Lockout
from adapters.kraken.server.rest.endpoints import ENDPOINTS, Endpoint, Fidelity, Kind, endpoint_table
from framework.errors import ConfigError
from tests.adapters.kraken.server.rest_rig import Rest, envelope
from tests.framework.venue.served.served_rig import SECOND, START

MINUTE = 60 * SECOND
# Every page of rest-api that describes an endpoint, by the endpoint's name.
DOCUMENTED = """
Time SystemStatus Assets AssetPairs Ticker OHLC Depth GroupedBook Trades Spread PreTrade PostTrade Level3 Balance
BalanceEx CreditLines TradeBalance OpenOrders ClosedOrders QueryOrders OrderAmends TradesHistory QueryTrades
OpenPositions Ledgers QueryLedgers TradeVolume GetApiKeyInfo GetWebSocketsToken AddOrder AddOrderBatch AmendOrder
EditOrder CancelOrder CancelOrderBatch CancelAll CancelAllOrdersAfter DepositMethods DepositAddresses DepositStatus
WithdrawMethods WithdrawAddresses WithdrawInfo Withdraw WithdrawStatus WithdrawCancel WalletTransfer CreateSubaccount
AccountTransfer AddExport ExportStatus RetrieveExport RemoveExport Earn/Allocate Earn/Deallocate Earn/AllocateStatus
Earn/DeallocateStatus Earn/Strategies Earn/Allocations
"""
PRIVATE = [each for each in ENDPOINTS.values() if each.kind is not Kind.PUBLIC]


def forged(rest: Rest, name: str = "Balance", **headers: str) -> Any:
    request = rest.request(name, {})
    (answer,) = rest.send(msgspec.structs.replace(request, headers={**request.headers, **headers}))
    return envelope(answer)


# ----------------------------------------------------------------------------------------------------------- endpoints


def test_every_documented_endpoint_is_in_the_table() -> None:
    assert set(ENDPOINTS) == set(DOCUMENTED.split())


def test_the_readme_says_which_endpoints_are_not_wholly_as_documented() -> None:
    table = endpoint_table()
    assert (
        "| account | Level3 | as documented | each level of a market that is played by levels is one order |\n" in table
    )
    assert table in (Path(__file__).resolve().parents[4] / "README.md").read_text(encoding="utf-8")


def test_what_is_not_wholly_as_documented_says_what_it_does_instead() -> None:
    assert [each.name for each in ENDPOINTS.values() if each.fidelity is not Fidelity.FULL and not each.note] == []


@pytest.mark.parametrize("endpoint", PRIVATE, ids=lambda each: each.name)
def test_an_endpoint_is_answered_and_needs_its_permissions(endpoint: Endpoint) -> None:
    allowed = Rest(permissions=tuple(name for group in endpoint.permissions for name in group)).private(endpoint.name)
    assert allowed["error"] != ["EGeneral:Unknown method"]
    assert allowed["error"] != ["EGeneral:Permission denied"] or endpoint.name == "CreateSubaccount"
    for group in endpoint.permissions:
        others = {name for each in endpoint.permissions for name in each if name not in group}
        assert Rest(permissions=tuple(others)).error(endpoint.name) == "EGeneral:Permission denied"


@pytest.mark.parametrize("path", ["/0/public/Balance", "/0/private/Time", "/0/private/Nothing", "/1/public/Time", "/0"])
def test_what_is_no_endpoint_is_unknown(path: str) -> None:
    request = HttpRequest(method="POST", path=path, query="", headers={}, body=b"", peer="127.0.0.1")
    assert envelope(Rest().send(request)[0]) == {"error": ["EGeneral:Unknown method"]}


def test_a_private_request_is_a_post() -> None:
    rest = Rest()
    request = msgspec.structs.replace(rest.request("Balance", {}), method="GET")
    assert envelope(rest.send(request)[0]) == {"error": ["EGeneral:Unknown method"]}


# ---------------------------------------------------------------------------------------------------------------- keys


def test_a_key_with_a_one_time_password_needs_it() -> None:
    rest = Rest(key_options={"otp": "hunter2"})
    assert rest.error("Balance") == "EGeneral:Permission denied"
    assert rest.error("Balance", otp="wrong") == "EAPI:Invalid signature"
    assert rest.private("Balance", otp="hunter2")["error"] == []


def test_a_key_may_be_for_some_addresses_only() -> None:
    assert Rest(key_options={"ip_allowlist": ["192.0.2.0/24"]}).error("Balance") == "EGeneral:Permission denied"
    assert Rest(key_options={"ip_allowlist": ["127.0.0.1"]}).result("Balance")
    with pytest.raises(ConfigError, match="ip_allowlist"):
        Rest(key_options={"ip_allowlist": ["nowhere"]})


def test_a_key_ends_when_it_says() -> None:
    rest = Rest(key_options={"valid_until_s": START // SECOND + 60})
    assert rest.result("GetApiKeyInfo")["validUntil"] == "1800000060"
    rest.host.run_until(START + 60 * SECOND)
    assert rest.error("Balance") == "EAPI:Invalid key"


def test_a_key_tells_its_limits_and_when_it_was_used() -> None:
    rest = Rest(key_options={"ip_allowlist": ["127.0.0.0/8"], "nonce_window": 5})
    rest.host.run_until(START + 7 * SECOND)
    info = rest.result("GetApiKeyInfo")
    assert (info["ipAllowlist"], info["nonceWindow"], info["lastUsed"]) == (["127.0.0.0/8"], 5, "1800000007")


def test_a_nonce_within_the_window_is_taken_once() -> None:
    rest = Rest(key_options={"nonce_window": 5})
    late = [rest.request("GetApiKeyInfo", {}) for _ in range(8)]
    assert envelope(rest.send(late[7])[0])["error"] == []
    assert [envelope(rest.send(late[number])[0])["error"] for number in (3, 3, 2)] == [
        [], ["EAPI:Invalid nonce"], ["EAPI:Invalid nonce"]]  # fmt: skip


@pytest.mark.parametrize("nonce", ["", "-1", "0", "1.5", "18446744073709551616", "\u0661", "9" * 500])
def test_a_nonce_is_a_whole_number_of_64_bits(nonce: str) -> None:
    assert Rest().error("Balance", nonce=nonce) == "EAPI:Invalid nonce"


def test_keys_are_read_with_all_that_limits_them(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(
        '[[keys]]\naccount = "mine"\napi_key = "k"\napi_secret = "c2VjcmV0"\npermissions = ["query-funds"]\n'
        'otp = "hunter2"\nip_allowlist = ["127.0.0.1"]\nvalid_until_s = 5\n'
    )
    (key,) = read_keys(file)
    assert (key.is_otp("hunter2"), key.ip_allowlist, key.valid_until_s) == (True, ("127.0.0.1",), 5)
    assert "hunter2" not in repr(key)
    file.write_text(file.read_text().replace("127.0.0.1", "nowhere"))
    with pytest.raises(ConfigError, match="key 1: ip_allowlist") as caught:
        read_keys(file)
    assert "hunter2" not in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)


# ------------------------------------------------------------------------------------------------------------- lockout


def test_too_many_wrong_keys_in_a_row_shut_that_key_out_and_no_other() -> None:
    rest = Rest()
    answers = [forged(rest, **{"API-Key": "nobody"}) for _ in range(21)]
    assert answers[19] == {"error": ["EAPI:Invalid key"]}
    assert answers[20] == {"error": ["EGeneral:Temporary lockout"]}
    assert forged(rest, **{"API-Key": "another"}) == {"error": ["EAPI:Invalid key"]}
    assert rest.private("Balance")["error"] == []


def test_too_many_wrong_nonces_shut_a_key_out_for_a_quarter_of_an_hour() -> None:
    rest = Rest()
    request = rest.request("GetApiKeyInfo", {})
    answers = [envelope(rest.send(request)[0])["error"] for _ in range(22)]
    assert answers[20:] == [["EAPI:Invalid nonce"], ["EGeneral:Temporary lockout"]]
    assert rest.private("Balance", account=1)["error"] == []
    rest.host.run_until(START + 15 * MINUTE)
    assert rest.private("Balance")["error"] == []


def test_wrong_signatures_shut_nobody_out_whose_key_it_is() -> None:
    rest = Rest()
    for _ in range(50):
        assert forged(rest, **{"API-Sign": "AAAA"}) == {"error": ["EAPI:Invalid signature"]}
    assert rest.private("Balance")["error"] == []


def test_trying_again_while_shut_out_begins_the_while_anew() -> None:
    lockout = Lockout(failures_max=2, lockout_ns=10)
    for _ in range(2):
        lockout.failed("him", 0)
    assert lockout.is_out("him", 9)
    assert lockout.is_out("him", 18)
    assert not lockout.is_out("him", 28)


def test_a_success_begins_the_count_anew() -> None:
    lockout = Lockout(failures_max=2)
    lockout.failed("him", 0)
    lockout.succeeded("him")
    lockout.failed("him", 0)
    assert not lockout.is_out("him", 0)


def test_so_many_culprits_are_remembered_and_no_more() -> None:
    lockout = Lockout(failures_max=1)
    for number in range(5_000):
        lockout.failed(str(number), 0)
    assert lockout.is_out("4999", 0)
    assert not lockout.is_out("0", 0)


# -------------------------------------------------------------------------------------------------------------- limits


def test_public_calls_are_limited_by_address() -> None:
    rest = Rest(public_burst=20)
    errors = [rest.public("Time")["error"] for _ in range(22)]
    assert errors[19:] == [[], ["EAPI:Rate limit exceeded"], ["EAPI:Rate limit exceeded"]]
    assert rest.public("Time", peer="192.0.2.7")["error"] == []
    rest.host.run_until(START + SECOND)
    assert [rest.public("Time")["error"] for _ in range(2)] == [[], ["EAPI:Rate limit exceeded"]]


def test_trades_and_candles_are_limited_by_address_and_pair() -> None:
    rest = Rest(public_burst=2)
    assert [rest.public("Trades", pair="XBTUSD")["error"] for _ in range(3)][2] == ["EAPI:Rate limit exceeded"]
    assert rest.public("Trades", pair="XXBTZUSD")["error"] == []
    assert rest.public("OHLC", pair="XBTUSD")["error"] == []
    assert rest.public("Time")["error"] == []


@pytest.mark.parametrize(("tier", "calls"), [("starter", 15), ("intermediate", 20), ("pro", 20)])
def test_a_key_has_the_calls_of_its_tier(tier: str, calls: int) -> None:
    rest = Rest(tier=tier)
    errors = [rest.private("Balance")["error"] for _ in range(calls + 1)]
    assert errors[calls - 1 :] == [[], ["EAPI:Rate limit exceeded"]]


def test_orders_are_not_counted_as_calls() -> None:
    rest = Rest()
    for _ in range(30):
        rest.add(price="99", volume="0.01")
    assert rest.private("Balance")["error"] == []


def test_each_key_of_an_account_has_calls_of_its_own_but_no_orders_of_its_own() -> None:
    rest = Rest(key_accounts=("a0", "a0"))
    assert [rest.private("Balance")["error"] for _ in range(21)][20] == ["EAPI:Rate limit exceeded"]
    errors = [rest.private("Balance", account=1)["error"] for _ in range(21)]
    assert errors[19:] == [[], ["EAPI:Rate limit exceeded"]]
    txid = rest.add(price="99")
    rest.host.run_until(START + 30 * SECOND)
    assert list(rest.result("OpenOrders", account=1)["open"]) == [txid]
    assert rest.result("CancelOrder", account=1, txid=txid) == {"count": 1}
