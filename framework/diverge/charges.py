"""The fees that a run was charged, against those that its configuration assumes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pyarrow as pa

from framework.backtest.run_folder import MISSING, ints, of_kind, texts
from framework.diverge.recorded import RecordedRun
from framework.protocol import FeeTier
from framework.venue.fees import FeeMeter

__all__ = ["fee_rates", "fees_charged"]

_PPM = 1_000_000


class _Charge(msgspec.Struct, frozen=True):
    """What a fill was charged, and what it cost, in its quote currency. step: of the last decimal of fees."""

    fee: Decimal
    cost: Decimal
    step: Decimal
    is_maker: bool


def fee_rates(events: pa.Table, run: RecordedRun) -> dict[bool, int]:
    """What was charged, in parts per million of the cost, of fills as maker (True) and as taker; without those that
    there were none of.
    """
    fees, costs = {True: Decimal(0), False: Decimal(0)}, {True: Decimal(0), False: Decimal(0)}
    for each in _charges(events, run):
        fees[each.is_maker] += each.fee
        costs[each.is_maker] += each.cost
    return {is_maker: round(fees[is_maker] * _PPM / cost) for is_maker, cost in costs.items() if cost}


def fees_charged(run: RecordedRun) -> FeeTier | None:
    """The fees that the run was charged, as one tier; None where they are those of its configuration's tiers.

    A rate that nothing was charged by stays as assumed.
    """
    profile, volume = run.profile, Decimal(run.config.venue.volume_30d_usd)
    meter = FeeMeter(profile.fees, volume)
    for each in _charges(run.folder.events, run):
        rate_ppm = meter.maker_ppm if each.is_maker else meter.taker_ppm
        if abs(each.fee - each.cost * rate_ppm / _PPM) > each.step:
            break
        meter.add(int(each.cost * FeeMeter.SCALE))
    else:
        return None
    assumed, rates = profile.fee_tier(int(volume)), fee_rates(run.folder.events, run)
    return FeeTier(
        volume_30d=0, maker_ppm=rates.get(True, assumed.maker_ppm), taker_ppm=rates.get(False, assumed.taker_ppm)
    )


def _charges(events: pa.Table, run: RecordedRun) -> Iterator[_Charge]:
    """Of each fill in its order; those whose fee is not known, or in a third asset, are left out."""
    table = of_kind(events, "fill")
    specs = run.folder.inputs.specs
    prices, lots, makers = (ints(table, name).tolist() for name in ("price_ticks", "qty_lots", "is_maker"))
    rows = zip(texts(table, "symbol"), texts(table, "fee"), texts(table, "fee_asset"), strict=True)
    for at, (symbol, fee, asset) in enumerate(rows):
        spec = specs.get(symbol or "")
        if spec is None or fee is None or makers[at] == MISSING or asset not in (spec.base, spec.quote, None):
            continue
        price = spec.price(prices[at])
        worth = price if asset == spec.base else Decimal(1)
        step = Decimal(1).scaleb(-8 if asset == spec.base else -spec.cost_decimals) * worth
        yield _Charge(Decimal(fee) * worth, price * spec.qty(lots[at]), step, makers[at] == 1)
