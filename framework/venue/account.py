"""Accounts: balances and holds in exact integers, and the account's own index of its orders and trades.

Each asset has a unit so small that every quantity, price times quantity, fee and initial balance of the run is a whole
number of it; money is added up in units and turned into decimals at the edge. What is held for open orders stays part
of the total and is not available to others (rest-api/get-extended-balance, ``hold_trade``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec

from framework.errors import ConfigError
from framework.messages import ExecutionReport
from framework.protocol import InstrumentSpec, Protocol, Tier
from framework.venue.fees import FeeMeter
from framework.venue.orders import Order
from framework.venue.rates import RateCounter

if TYPE_CHECKING:
    from framework.venue.margin.positions import MarginAccount
    from framework.venue.sessions import Line

__all__ = ["Account", "AccountConfig", "Assets"]


class AccountConfig(msgspec.Struct, frozen=True, kw_only=True):
    """An account to open at the venue.

    balances: free money at the start by asset; tier: name of the profile's tier; volume_30d_usd: traded volume that its
    fees start from, in the profile's ``fee_volume_currency``.
    """

    name: str
    balances: Mapping[str, Decimal]
    tier: str
    volume_30d_usd: Decimal = Decimal(0)


class Assets:
    """The assets of a venue: index, and number of decimals of the unit, for each."""

    def __init__(self, specs: Sequence[InstrumentSpec], accounts: Sequence[AccountConfig]) -> None:
        decimals: dict[str, int] = {}

        def need(asset: str, count: int) -> None:
            decimals[asset] = max(decimals.get(asset, 0), count)

        for spec in specs:
            need(spec.base, _decimals(Decimal(spec.lot_size)))
            need(spec.quote, _decimals(Decimal(spec.tick_size) * Decimal(spec.lot_size)))
            need(spec.quote, spec.cost_decimals)
            need(spec.quote, _decimals(Decimal(spec.min_cost)))
        for account in accounts:
            for asset, amount in account.balances.items():
                need(asset, _decimals(amount))
        self.names: tuple[str, ...] = tuple(decimals)
        self.index: dict[str, int] = {name: index for index, name in enumerate(self.names)}
        self.decimals: tuple[int, ...] = tuple(decimals.values())

    def units(self, asset: int, amount: Decimal) -> int:
        """An amount in units; raises ValueError if it is not a whole number of them."""
        scaled = amount.scaleb(self.decimals[asset])
        units = int(scaled)
        if units != scaled:
            raise ValueError(f"{amount} {self.names[asset]} has more than {self.decimals[asset]} decimals")
        return units

    def text(self, asset: int, units: Fraction, decimals: int = 4) -> str:
        """Exact units as a decimal text with so many decimals; more of them are cut off."""
        scaled = units * 10**decimals / 10 ** self.decimals[asset]
        return f"{Decimal(int(scaled)).scaleb(-decimals):f}"

    def amount(self, asset: int, units: int) -> Decimal:
        """Units as an exact decimal amount."""
        return Decimal(units).scaleb(-self.decimals[asset])


class Account:
    """One account.

    totals, holds: money by asset index, in units; what is available is the difference. brought: what of the totals came
        from outside, and not of trades.
    open_orders: open orders by their ``seq``, oldest first. order_by_id: every order ever. order_by_cl_ord_id: the last
        order under each client id, open or ended. ended, trades: oldest first, for polls.
    open_counts: open orders by pair index. counters: engine counter by pair index. call_counters: call counter by
        protocol.
    news_lines: lines that hear of all orders of the account.
    margin: positions on margin; None where the venue has no margin trading.
    cancel_after_ns: when the armed dead man's switch fires; None while disarmed.
    """

    __slots__ = (
        "brought",
        "call_counters",
        "cancel_after_ns",
        "counters",
        "ended",
        "fees",
        "holds",
        "margin",
        "name",
        "news_lines",
        "open_counts",
        "open_orders",
        "order_by_cl_ord_id",
        "order_by_id",
        "tier",
        "totals",
        "trades",
    )

    def __init__(self, config: AccountConfig, tier: Tier, fees: FeeMeter, assets: Assets, pair_count: int) -> None:
        """Raises ConfigError for a negative balance."""
        self.name = config.name
        self.tier = tier
        self.fees = fees
        self.totals: list[int] = [0] * len(assets.names)
        for asset, amount in config.balances.items():
            if amount < 0:
                raise ConfigError(
                    f"account {config.name!r} starts with {amount} {asset}; spot balances are not negative"
                )
            index = assets.index[asset]
            self.totals[index] = assets.units(index, amount)
        self.brought: list[int] = list(self.totals)
        self.holds: list[int] = [0] * len(assets.names)
        self.open_orders: dict[int, Order] = {}
        self.open_counts: list[int] = [0] * pair_count
        self.order_by_id: dict[str, Order] = {}
        self.order_by_cl_ord_id: dict[str, Order] = {}
        self.ended: list[Order] = []
        self.trades: list[ExecutionReport] = []
        self.news_lines: list[Line] = []
        self.margin: MarginAccount | None = None
        self.cancel_after_ns: int | None = None
        self.counters: list[RateCounter] = []
        self.call_counters: dict[Protocol, RateCounter] = {}

    def available(self, asset: int) -> int:
        """Units of an asset that no open order holds."""
        return self.totals[asset] - self.holds[asset]

    def bring(self, asset: int, units: int) -> None:
        """Money comes from outside, or goes there."""
        self.totals[asset] += units
        self.brought[asset] += units

    def hold(self, order: Order, units: int) -> None:
        """Set what is held for an order, in units of its ``hold_asset``."""
        self.holds[order.hold_asset] += units - order.hold_units
        order.hold_units = units

    def find(self, order_id: str | None, cl_ord_id: str | None) -> Order | None:
        """The order of this id; the venue's id wins if both are given."""
        if order_id is not None:
            return self.order_by_id.get(order_id)
        return None if cl_ord_id is None else self.order_by_cl_ord_id.get(cl_ord_id)

    def ended_since(self, since_ns: int) -> list[Order]:
        """Orders that ended at or after a time, oldest first."""
        return self.ended[bisect_left(self.ended, since_ns, key=lambda order: order.ended_ns) :]

    def trades_since(self, since_ns: int) -> list[ExecutionReport]:
        """Fills made at or after a time, oldest first."""
        return self.trades[bisect_left(self.trades, since_ns, key=lambda trade: trade.ts_venue_ns) :]


def _decimals(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{amount} is not a finite amount")
    return max(0, -exponent)
