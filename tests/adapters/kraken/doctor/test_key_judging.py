"""What private answers mean: rest-api/get-api-key-info, rest-api/get-trade-volume, guides/spot-errors."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from adapters.kraken.doctor.key_judging import judge_fees, judge_key, judge_refusal
from adapters.kraken.doctor.needs import Needs
from adapters.kraken.profile import PROFILE
from adapters.kraken.wire.rest.account import ApiKeyInfo, FeeTier, TradeVolume
from framework.findings import Finding, Level

NOW_S = 1_785_585_600
TRADING = ["query-funds", "query-open-trades", "query-closed-trades", "modify-trades", "close-trades"]
INFO = ApiKeyInfo(
    apiKeyName="trader", apiKey="KEYTEXT", nonce="17", nonceWindow=0, permissions=[*TRADING, "create-ws-token"]
)


def needs(*links: str, volume: Decimal | None = None) -> Needs:
    return Needs(pairs={"BTC/USD": None}, links=frozenset(links), volume_30d=volume)


def judged(name: str, *links: str, **changes: object) -> Finding:
    info = msgspec.structs.replace(INFO, **changes)  # type: ignore[arg-type]
    return next(each for each in judge_key(info, needs(*(links or ("rest", "ws2"))), NOW_S) if each.name == name)


def test_a_key_for_trading_and_nothing_else_is_well_and_is_not_printed() -> None:
    found = judge_key(INFO, needs("rest", "ws2"), NOW_S)
    assert {each.level for each in found} == {Level.OK}
    assert "KEYTEXT" not in "".join(each.line() for each in found)


@pytest.mark.parametrize("code", [*TRADING, "create-ws-token"])
def test_a_permission_that_is_missing_is_named_as_code_and_as_the_page_names_it(code: str) -> None:
    finding = judged("permissions", permissions=[each for each in INFO.permissions if each != code])
    assert finding.level is Level.FAIL
    assert f"lacks {code} (" in finding.text


def test_websocket_tokens_are_asked_of_keys_that_trade_by_websocket_only() -> None:
    assert judged("permissions", "rest", "fix", permissions=TRADING).level is Level.OK
    assert judged("permissions", "ws1", permissions=TRADING).level is Level.FAIL


@pytest.mark.parametrize("code", ["withdraw-funds", "add-withdraw-address", "update-withdraw-address"])
def test_a_key_that_may_withdraw_is_warned_of(code: str) -> None:
    finding = judged("withdrawals", permissions=[*INFO.permissions, code])
    assert finding.level is Level.WARN
    assert "withdraw" in finding.text


@pytest.mark.parametrize(
    ("until", "level"),
    [("0", Level.OK), (str(NOW_S + 864_000), Level.OK), (str(NOW_S + 86_400), Level.WARN), ("5", Level.FAIL)],
)
def test_the_end_of_a_key_is_told(until: str, level: Level) -> None:
    assert judged("key", validUntil=until).level is level


def test_where_a_key_may_be_used_from_is_told() -> None:
    assert "from 192.0.2.1, 198.51.100.0/24" in judged("key", ipAllowlist=["192.0.2.1", "198.51.100.0/24"]).text
    assert "from any address" in judged("key", ipAllowlist=[]).text


def test_a_nonce_window_is_told() -> None:
    assert "no window" in judged("nonce").text
    assert "window 5000" in judged("nonce", nonceWindow=5000).text


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("EAPI:Invalid key", "copy the whole key"),
        ("EAPI:Invalid signature", "copy the whole secret"),
        ("EAPI:Invalid nonce", "another program uses this key"),
        ("EGeneral:Permission denied", "settings of the key"),
        ("EGeneral:Temporary lockout", "wait 15 minutes"),
        ("EAPI:Rate limit exceeded", "wait a minute"),
        ("EGeneral:Something new", "guides/spot-errors"),
    ],
)
def test_a_refusal_has_its_own_remedy(error: str, remedy: str) -> None:
    finding = judge_refusal("key", [error])
    assert finding.level is Level.FAIL
    assert finding.text == error
    assert remedy in finding.remedy


def volume(taker: str, maker: str, traded: str = "12000.0000") -> TradeVolume:
    return TradeVolume(
        currency="ZUSD",
        volume=traded,
        fees={"XXBTZUSD": FeeTier(fee=taker)},
        fees_maker={"XXBTZUSD": FeeTier(fee=maker)},
    )


def test_fees_that_the_configuration_assumes_are_well() -> None:
    tier = PROFILE.fees[1]
    taker, maker = (str(Decimal(ppm) / 10_000) for ppm in (tier.taker_ppm, tier.maker_ppm))
    finding = judge_fees(volume(taker, maker), PROFILE.fees, needs("rest", volume=Decimal(tier.volume_30d)))
    assert finding.level is Level.OK
    assert "12,000 USD in 30 days" in finding.text


def test_other_fees_than_the_configuration_assumes_are_to_be_looked_at() -> None:
    finding = judge_fees(volume("0.4000", "0.2500"), PROFILE.fees, needs("rest", volume=Decimal(10**9)))
    assert finding.level is Level.WARN
    assert "taker 0.4 %, maker 0.25 %; the configuration assumes" in finding.text
    assert "volume_30d_usd to 12000.0000" in finding.remedy


def test_fees_are_told_without_a_configuration() -> None:
    assert judge_fees(volume("0.4000", "0.2500"), PROFILE.fees, needs("rest")).level is Level.OK
