"""What an account may ask of its money, fees and keys.

Sources: rest-api/get-account-balance, get-extended-balance, get-trade-balance,
get-open-positions, get-trade-volume, get-api-key-info,
get-websockets-token. Orders, trades and ledgers are in ``history``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.keys import TOKEN_LIFE_NS, ApiKey
from adapters.kraken.server.pairs import fixed
from adapters.kraken.server.refusal import Refusal, invalid
from adapters.kraken.server.rest.params import Params
from adapters.kraken.server.rest.position_rows import PositionRows
from adapters.kraken.symbols import rest_asset
from framework.venue.fees import FeeMeter

__all__ = ["AccountRequests"]

_NS = 10**9


class AccountRequests:
    """Answers requests about an account; each method gives the ``result``, or raises Refusal."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._host = context.host
        self._started_s = str(context.host.now_ns // _NS)
        self._records = context.host.records
        self._pairs = context.pairs
        self._position_rows = PositionRows(context)
        self.methods: Mapping[str, Callable[[ApiKey, Params], Any]] = {
            "Balance": self._balance,
            "BalanceEx": self._balance_ex,
            "CreditLines": self._credit_lines,
            "TradeBalance": self._trade_balance,
            "OpenPositions": self._open_positions,
            "TradeVolume": self._trade_volume,
            "GetApiKeyInfo": self._key_info,
            "GetWebSocketsToken": self._token,
        }

    # ------------------------------------------------------------------------------------------------- money

    def _amounts(self, key: ApiKey) -> Iterable[tuple[str, str, Decimal, Decimal]]:
        """Canonical name, REST name, total and hold of each asset that the account has something of."""
        for asset, (total, hold) in self._records.balances(key.account).items():
            if total or hold:
                yield asset, rest_asset(asset), total, hold

    def _balance(self, key: ApiKey, params: Params) -> Any:
        return {name: self._amount(asset, total) for asset, name, total, _ in self._amounts(key)}

    def _balance_ex(self, key: ApiKey, params: Params) -> Any:
        return {
            name: {"balance": self._amount(asset, total), "hold_trade": self._amount(asset, hold)}
            for asset, name, total, hold in self._amounts(key)
        }

    def _amount(self, asset: str, amount: Decimal) -> str:
        return fixed(amount, self._pairs.asset_decimals(asset))

    def _trade_balance(self, key: ApiKey, params: Params) -> Any:
        asset = self._pairs.asset(params.get("asset", "ZUSD"))
        if asset is None:
            raise Refusal("EQuery:Unknown asset")
        venue = self._host.venue
        assert venue.margin is not None
        index = venue.assets.index[asset]
        sums = venue.margin.standing(venue.accounts[key.account], index)

        def text(units: Fraction) -> str:
            return venue.assets.text(index, units)

        shown = {
            "eb": text(sums.worth),
            "tb": text(sums.collateral),
            "m": text(sums.used_margin),
            "uv": text(sums.unexecuted),
            "n": text(sums.profit),
            "c": text(sums.cost),
            "v": text(sums.valuation),
            "e": text(sums.equity),
            "mf": text(sums.free_margin),
            "mfo": text(sums.free_after_orders),
        }
        level = sums.level_percent
        if level is None:
            return shown
        return {**shown, "ml": f"{Decimal(int(level * 10_000)).scaleb(-4):f}"}

    def _credit_lines(self, key: ApiKey, params: Params) -> Any:
        """No account of a simulated venue has credit."""
        return None

    def _open_positions(self, key: ApiKey, params: Params) -> Any:
        margin = self._host.venue.accounts[key.account].margin
        positions = {} if margin is None else margin.positions
        wanted = params.items("txid") or list(positions)
        consolidation = params.get("consolidation")
        if consolidation not in ("", "market"):
            raise invalid("consolidation")
        has_calculations = params.flag("docalcs")
        chosen = [positions[each] for each in wanted if each in positions]
        if consolidation:
            return self._position_rows.by_market(chosen, has_calculations=has_calculations)
        return {
            position.position_id: self._position_rows.open(position, has_calculations=has_calculations)
            for position in chosen
        }

    # ------------------------------------------------------------------------------------------------- key, fees

    def _trade_volume(self, key: ApiKey, params: Params) -> Any:
        volume = Decimal(self._host.venue.accounts[key.account].fees.volume) / FeeMeter.SCALE
        shown: dict[str, Any] = {
            "currency": rest_asset(self._host.profile.fee_volume_currency),
            "volume": fixed(volume, 4),
        }
        names = _pair_names(params)
        if not names:
            return shown
        tiers = self._host.profile.fees
        at = max(index for index, tier in enumerate(tiers) if tier.volume_30d <= volume)
        following = tiers[at + 1] if at + 1 < len(tiers) else None
        rows: dict[str, dict[str, Any]] = {"fees": {}, "fees_maker": {}}
        for name in names:
            pair = self._pairs.wanted(name)
            for kind, rates in (
                ("fees", [tier.taker_ppm for tier in tiers]),
                ("fees_maker", [tier.maker_ppm for tier in tiers]),
            ):
                rows[kind][pair.names.rest_id] = {
                    "fee": _percent(rates[at]),
                    "min_fee": _percent(min(rates)),
                    "max_fee": _percent(max(rates)),
                    "next_fee": _percent(rates[at + 1]) if following is not None else None,
                    "next_volume": None if following is None else f"{following.volume_30d}.0000",
                    "tier_volume": f"{tiers[at].volume_30d}.0000",
                }
        return {**shown, **rows}

    def _key_info(self, key: ApiKey, params: Params) -> Any:
        return {
            "apiKeyName": key.name,
            "apiKey": key.key,
            "nonce": str(key.last_nonce),
            "nonceWindow": key.nonce_window,
            "permissions": sorted(key.permissions),
            "iban": key.account,
            "validUntil": str(key.valid_until_s),
            "queryFrom": "0",
            "queryTo": "0",
            "createdTime": self._started_s,
            "modifiedTime": self._started_s,
            "ipAllowlist": list(key.ip_allowlist),
            "lastUsed": str(key.last_used_ns // _NS) if key.last_used_ns else None,
        }

    def _token(self, key: ApiKey, params: Params) -> Any:
        return {"token": self._context.keys.make_token(key, self._host.now_ns), "expires": TOKEN_LIFE_NS // _NS}


def _pair_names(params: Params) -> list[str]:
    """A comma list of pairs, or a list of objects that name them under ``asset``."""
    raw = params.raw.get("pair")
    if isinstance(raw, list) and raw and all(isinstance(each, dict) for each in raw):
        return [each.get("asset", "") for each in params.objects("pair")]
    return params.items("pair")


def _percent(ppm: int) -> str:
    return fixed(Decimal(ppm) / 10_000, 4)
