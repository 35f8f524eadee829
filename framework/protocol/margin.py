"""Trading on margin: what a venue lends, against what, at which price, and when it takes positions back."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from framework.protocol.semantics import RejectReason

__all__ = ["MarginAsset", "MarginPair", "MarginRules"]


class MarginAsset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset as collateral and as what is lent.

    collateral_ppm: how much of its worth counts as collateral, in parts per million; 0 for none.
    opening_ppm, rollover_ppm: fee on what is lent of it, once when a position is opened and at each rollover.
    allowance: the most that an account may have lent of it, in whole units; None for no limit.
    is_cash: it is a national currency.
    """

    collateral_ppm: int
    opening_ppm: int
    rollover_ppm: int
    allowance: int | None
    is_cash: bool


class MarginPair(msgspec.Struct, frozen=True, kw_only=True):
    """A pair that is traded on margin.

    leverage_buy, leverage_sell: what a buy and a sell may ask for, ascending; empty where it cannot be done.
    long_max, short_max: the largest position of an account, in whole units of the base asset.
    """

    leverage_buy: tuple[int, ...]
    leverage_sell: tuple[int, ...]
    long_max: int
    short_max: int


class MarginRules(msgspec.Struct, frozen=True, kw_only=True):
    """A venue's margin trading.

    assets, pairs: by name and symbol; what is not there is neither collateral, nor lent, nor traded on margin.
    tiers: names of the account tiers that may open positions; the others may only reduce them.
    call_percent, stop_percent: margin levels (equity over used margin) at which an account is called and at which its
        positions are taken back.
    is_call_enforced: positions are taken back at the call already, as many as bring the level above 100 %.
    is_stop_total: all positions are taken back at the stop; else as many as bring the level above 100 %.
    is_short_margin_marked: the margin that a short uses follows the price; else it is that of the opening.
    shortfall: why an order is refused whose margin is not there.
    rollover_ns: from the opening of a position to its first rollover, and from each to the next.
    check_ns: how often margin levels are looked at, beside each fill.
    leverage_default: the leverage of an order that only says that it is on margin, if the pair has so much.
    loss_assets: from which balances a loss is taken once the pair's own currencies are used up, in this order.
    conversion_cash_ppm, conversion_major_ppm, conversion_ppm: what it costs to turn one asset into another for that:
        cash into cash, ``major_assets`` and cash, any other two.
    """

    assets: Mapping[str, MarginAsset]
    pairs: Mapping[str, MarginPair]
    tiers: tuple[str, ...]
    call_percent: int
    stop_percent: int
    is_call_enforced: bool
    is_stop_total: bool
    is_short_margin_marked: bool
    shortfall: RejectReason
    rollover_ns: int
    check_ns: int
    leverage_default: int
    loss_assets: tuple[str, ...]
    major_assets: tuple[str, ...]
    conversion_cash_ppm: int
    conversion_major_ppm: int
    conversion_ppm: int

    def leverages(self, symbol: str, side: int) -> tuple[int, ...]:
        """What an order of a pair and side may ask for; empty where it cannot be on margin."""
        pair = self.pairs.get(symbol)
        if pair is None:
            return ()
        return pair.leverage_sell if side else pair.leverage_buy

    def leverage_of_flag(self, symbol: str, side: int) -> int:
        """The leverage of an order that only says that it is on margin; 0 where it cannot be."""
        offered = [leverage for leverage in self.leverages(symbol, side) if leverage <= self.leverage_default]
        return offered[-1] if offered else 0
