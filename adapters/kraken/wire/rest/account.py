"""An account's money, positions, fees and key, and the book order by order. Amounts are text.

Sources: rest-api/get-account-balance, get-extended-balance, get-credit-lines, get-trade-balance, get-open-positions,
get-trade-volume, get-api-key-info, get-websockets-token, get-level-3-order-book. ``mfo`` of balances is observed.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.rest.envelope import Flag, PrivateRequest, Whole

__all__ = [
    "ApiKeyInfo",
    "BalanceRequest",
    "CreditAsset",
    "CreditLimits",
    "CreditLines",
    "ExtendedBalance",
    "FeeTier",
    "Level3Book",
    "Level3Order",
    "Level3Request",
    "OpenPositionsRequest",
    "PairOfClass",
    "Position",
    "TradeBalance",
    "TradeBalanceRequest",
    "TradeVolume",
    "TradeVolumeRequest",
    "WebSocketsToken",
]


# ------------------------------------------------------------------------------------------------------------- requests


class BalanceRequest(PrivateRequest, frozen=True, kw_only=True):
    """rebase_multiplier: rebased, base; of tokenized stocks."""

    rebase_multiplier: Maybe[str | None] = UNSET


class TradeBalanceRequest(PrivateRequest, frozen=True, kw_only=True):
    """``asset``: in what the sums are told."""

    asset: Maybe[str] = UNSET
    rebase_multiplier: Maybe[str | None] = UNSET


class OpenPositionsRequest(PrivateRequest, frozen=True, kw_only=True):
    """consolidation: market."""

    txid: Maybe[str] = UNSET
    docalcs: Maybe[Flag] = UNSET
    consolidation: Maybe[str] = UNSET
    rebase_multiplier: Maybe[str | None] = UNSET


class PairOfClass(Message, frozen=True):
    """A pair whose asset class is told."""

    asset: str
    aclass: Maybe[str] = UNSET


class TradeVolumeRequest(PrivateRequest, frozen=True, kw_only=True):
    """``pair``: names with commas between them, or a list of pairs with their classes."""

    pair: Maybe[str | list[PairOfClass]] = UNSET
    fee_schedule: Maybe[Flag] = UNSET
    rebase_multiplier: Maybe[str | None] = UNSET


class Level3Request(PrivateRequest, frozen=True, kw_only=True):
    """``depth``: price levels of each side, 0 for all."""

    pair: str
    depth: Maybe[Whole] = UNSET


# -------------------------------------------------------------------------------------------------------------- results


class ExtendedBalance(Message, frozen=True):
    """A balance and what open orders hold of it, in a map by the asset's name; credit where there is a line of it."""

    balance: str
    credit: Maybe[str] = UNSET
    credit_used: Maybe[str] = UNSET
    hold_trade: Maybe[str] = UNSET


class CreditAsset(Message, frozen=True):
    """Credit in one asset."""

    balance: str
    credit_limit: str
    credit_used: str
    available_credit: str


class CreditLimits(Message, frozen=True):
    """Credit in all."""

    total_credit_usd: Maybe[str | None] = UNSET
    total_credit_used_usd: Maybe[str | None] = UNSET
    total_collateral_value_usd: Maybe[str | None] = UNSET
    equity_usd: Maybe[str | None] = UNSET
    ongoing_balance: Maybe[str | None] = UNSET
    debt_to_equity: Maybe[str | None] = UNSET


class CreditLines(Message, frozen=True):
    """The account's credit; the result is null where it has none."""

    asset_details: Maybe[dict[str, CreditAsset]] = UNSET
    limits_monitor: Maybe[CreditLimits] = UNSET


class TradeBalance(Message, frozen=True):
    """Sums over all assets, in the asset that the request names."""

    equivalent_balance: Maybe[str] = msgspec.field(default=UNSET, name="eb")
    trade_balance: Maybe[str] = msgspec.field(default=UNSET, name="tb")
    margin: Maybe[str] = msgspec.field(default=UNSET, name="m")
    unexecuted_value: Maybe[str] = msgspec.field(default=UNSET, name="uv")
    unrealized: Maybe[str] = msgspec.field(default=UNSET, name="n")
    cost_basis: Maybe[str] = msgspec.field(default=UNSET, name="c")
    valuation: Maybe[str] = msgspec.field(default=UNSET, name="v")
    equity: Maybe[str] = msgspec.field(default=UNSET, name="e")
    free_margin: Maybe[str] = msgspec.field(default=UNSET, name="mf")
    free_margin_after_orders: Maybe[str] = msgspec.field(default=UNSET, name="mfo")
    margin_level: Maybe[str] = msgspec.field(default=UNSET, name="ml")


class Position(Message, frozen=True):
    """An open position, in a map by its id; or several of a pair, put together, in a list: so many ``positions``."""

    ordertxid: Maybe[str] = UNSET
    posstatus: Maybe[str] = UNSET
    pair: Maybe[str] = UNSET
    aclass: Maybe[str] = UNSET
    time: Maybe[Number] = UNSET
    type: Maybe[str] = UNSET
    ordertype: Maybe[str] = UNSET
    cost: Maybe[str] = UNSET
    fee: Maybe[str] = UNSET
    vol: Maybe[str] = UNSET
    vol_closed: Maybe[str] = UNSET
    margin: Maybe[str] = UNSET
    value: Maybe[str] = UNSET
    net: Maybe[str] = UNSET
    terms: Maybe[str] = UNSET
    rollovertm: Maybe[str] = UNSET
    misc: Maybe[str] = UNSET
    oflags: Maybe[str] = UNSET
    positions: Maybe[str] = UNSET
    leverage: Maybe[str] = UNSET


class FeeTier(Message, frozen=True):
    """A pair's fee in percent, and from which volume on it changes; null at the end of the schedule."""

    fee: str
    min_fee: Maybe[str | None] = UNSET
    max_fee: Maybe[str | None] = UNSET
    next_fee: Maybe[str | None] = UNSET
    next_volume: Maybe[str | None] = UNSET
    tier_volume: Maybe[str | None] = UNSET


class TradeVolume(Message, frozen=True):
    """The volume of 30 days, and the fees of the pairs that were asked for: of takers, and of makers.

    ``schedules``, which ``fee_schedule`` asks for, is passed over: no page says what stands in it.
    """

    currency: str
    volume: str
    fees: Maybe[dict[str, FeeTier] | None] = UNSET
    fees_maker: Maybe[dict[str, FeeTier] | None] = UNSET


class ApiKeyInfo(Message, frozen=True):
    """The key that the request was made with. Times are text, "0" for none."""

    apiKeyName: str  # noqa: N815  the wire's names
    apiKey: str  # noqa: N815
    nonce: str
    nonceWindow: int  # noqa: N815
    permissions: list[str]
    iban: Maybe[str] = UNSET
    validUntil: Maybe[str] = UNSET  # noqa: N815
    queryFrom: Maybe[str] = UNSET  # noqa: N815
    queryTo: Maybe[str] = UNSET  # noqa: N815
    createdTime: Maybe[str] = UNSET  # noqa: N815
    modifiedTime: Maybe[str] = UNSET  # noqa: N815
    ipAllowlist: Maybe[list[str]] = UNSET  # noqa: N815
    lastUsed: Maybe[str | None] = UNSET  # noqa: N815


class WebSocketsToken(Message, frozen=True):
    """A token for the private WebSockets; ``expires``: seconds within which it must be used first."""

    token: Token
    expires: int


class Level3Order(Message, frozen=True):
    """An order at rest; ``timestamp`` in nanoseconds."""

    price: str
    qty: str
    order_id: str
    timestamp: int


class Level3Book(Message, frozen=True):
    """A book order by order, best price first, those of one price in queue order."""

    pair: str
    bids: list[Level3Order]
    asks: list[Level3Order]
