"""What private answers mean: the key, what it may do, its nonces, the account's fees.

Sources: rest-api/get-api-key-info, rest-api/get-trade-volume, guides/spot-rest-auth, guides/spot-errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import UNSET

from adapters.kraken.doctor.needs import Needs
from adapters.kraken.key_permissions import DANGEROUS, TITLES, needed_permissions
from adapters.kraken.wire.rest.account import ApiKeyInfo, TradeVolume
from framework.findings import Finding, failed, fine, warned
from framework.protocol import FeeTier

__all__ = ["judge_fees", "judge_key", "judge_refusal"]

_DAY_S = 86_400
_REMEDIES = {
    "EAPI:Invalid key": "copy the whole key again, or make a new one: this one is not known (or not from this address)",
    "EAPI:Invalid signature": "copy the whole secret again: it does not belong to this key",
    "EAPI:Invalid nonce": "another program uses this key with greater nonces: give each program a key of its own, "
    "and set this machine's clock",
    "EAPI:Bad request": "check the key's one-time password: this program sends none",
    "EGeneral:Permission denied": "allow it in the settings of the key",
    "EGeneral:Temporary lockout": "wait 15 minutes without a request by this key",
    "EAPI:Rate limit exceeded": "wait a minute: another program uses this key up",
}


def judge_refusal(name: str, errors: Sequence[str]) -> Finding:
    """A request of the key that was refused."""
    text = ", ".join(errors)
    for known, remedy in _REMEDIES.items():
        if text.startswith(known):
            return failed(name, text, remedy)
    return failed(name, text, "see https://docs.kraken.com/api/docs/guides/spot-errors")


def judge_key(info: ApiKeyInfo, needs: Needs, now_s: int) -> list[Finding]:
    """A key that was taken, with its nonce: what it may do against what is needed."""
    window = f"window {info.nonceWindow}" if info.nonceWindow else "no window, so requests must arrive in order"
    return [fine("nonce", f"taken; {window}"), _validity(info, now_s), _permissions(info, needs), *_dangers(info)]


def _validity(info: ApiKeyInfo, now_s: int) -> Finding:
    until_s = int(info.validUntil) if isinstance(info.validUntil, str) and info.validUntil.isdigit() else 0
    where = "from any address"
    if info.ipAllowlist is not UNSET and info.ipAllowlist:
        where = f"from {', '.join(info.ipAllowlist)}"
    if not until_s:
        return fine("key", f"{info.apiKeyName!r}, without an end, {where}")
    days = (until_s - now_s) / _DAY_S
    if days <= 0:
        return failed("key", f"{info.apiKeyName!r} has ended", "make a new key")
    if days < 7:
        return warned("key", f"{info.apiKeyName!r} ends in {days:.1f} days, {where}", "make a new key in time")
    return fine("key", f"{info.apiKeyName!r}, for {days:.0f} days more, {where}")


def _permissions(info: ApiKeyInfo, needs: Needs) -> Finding:
    missing = [code for code in needed_permissions(needs.links) if code not in info.permissions]
    roads = ", ".join(sorted(needs.links))
    if missing:
        titles = ", ".join(f"{code} ({TITLES[code]})" for code in missing)
        return failed(
            "permissions", f"to trade by {roads} the key lacks {titles}", "allow it in the settings of the key"
        )
    return fine("permissions", f"all that trading by {roads} needs")


def _dangers(info: ApiKeyInfo) -> list[Finding]:
    found = [what for code, what in DANGEROUS.items() if code in info.permissions]
    if not found:
        return [fine("withdrawals", "the key cannot withdraw")]
    remedy = "take that away from the key: trading does not need it, and who steals the key has the money"
    return [warned("withdrawals", f"the key may {', '.join(found)}", remedy)]


def judge_fees(volume: TradeVolume, tiers: Sequence[FeeTier], needs: Needs) -> Finding:
    """The account's fees against those that the configuration assumes.

    tiers: the venue's schedule, of which a configuration's volume picks one.
    """
    taker, maker = _rates(volume.fees), _rates(volume.fees_maker)
    text = f"{Decimal(volume.volume):,.0f} {volume.currency.removeprefix('Z')} in 30 days: taker {_shown(taker)} %, "
    text += f"maker {_shown(maker)} %"
    if needs.volume_30d is None:
        return fine("fees", text)
    assumed = max((tier for tier in tiers if tier.volume_30d <= needs.volume_30d), key=lambda tier: tier.volume_30d)
    wanted = {Decimal(assumed.taker_ppm) / 10_000}, {Decimal(assumed.maker_ppm) / 10_000}
    if (taker and taker != wanted[0]) or (maker and maker != wanted[1]):
        text += f"; the configuration assumes taker {_shown(wanted[0])} %, maker {_shown(wanted[1])} %"
        return warned("fees", text, f"set [venue] volume_30d_usd to {volume.volume}, and look at its results again")
    return fine("fees", f"{text}, as the configuration assumes")


def _rates(fees: object) -> set[Decimal]:
    return {Decimal(tier.fee) for tier in fees.values()} if isinstance(fees, dict) else set()


def _shown(rates: set[Decimal]) -> str:
    return " or ".join(f"{rate.normalize():f}" for rate in sorted(rates)) or "not told,"
