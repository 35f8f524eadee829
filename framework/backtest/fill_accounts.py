"""Money from fills, exactly: profit and loss and its parts, markouts, equity.

All sums are integers in one decimal unit for the whole run, fine enough for half a tick of a lot and for every fee, and
become decimals once at the end. Mids are kept doubled (bid plus ask), so that half a tick needs no fraction.

Definitions, for one symbol, with fills i = 1..n in the order in which the engine made them, q_i their signed quantity
(buys positive), p_i their price, m_i the mid just before the fill, M the last mid of the market:

net             sum of -q_i p_i (cash), plus the position times M, minus all fees
spread at fill  sum of q_i (m_i - p_i): what the fills were better than the mid of their moment
inventory       sum of position after fill i, times (m_{i+1} - m_i), with m_{n+1} = M: what the mid did to the position
markout at h    sum of q_i (mid h seconds after the fill - m_i), over the fills for which both are known; the others,
                whose horizon lies past the market's end, are left out and counted

net = spread at fill + inventory - fees, exactly. A fill at which the book had an empty side has no mid: its own price
stands for m_i (it earns no spread), and it is counted as unmarked. M is the last mid that the market had; where the
market never had one, the last m_i.

Simplifications: mids are the recorded market's, without what own orders took from it. A fee in the base asset is taken
as its worth at the fill's price, and leaves the position as it is. Fees in a third asset are listed, not converted.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from framework.backtest.run_folder import MISSING, ints, of_kind, texts
from framework.errors import DataError
from framework.protocol import SELL, InstrumentSpec

__all__ = ["HORIZONS_S", "Accounts", "FillAccount", "Fills", "exact_decimal", "market_mids", "read_fills"]

HORIZONS_S = (1, 10, 60)

Ints = npt.NDArray[np.int64]
# 64-bit integers, or Python's where a product or sum might not fit into those.
ExactInts = npt.NDArray[Any]
_SAFE = 2**62


class Fills(msgspec.Struct, frozen=True, kw_only=True):
    """The fills of one symbol as columns, in the order in which the engine made them.

    position: of each fill in the run's fills. signed_lots: buys positive. is_maker: 1, 0, or MISSING.
    mid2: bid plus ask just before the fill; mid2_after: the same at each of ``HORIZONS_S``; MISSING where unknown.
    fees: exact, by asset.
    """

    spec: InstrumentSpec
    position: Ints
    keys: list[str]
    signed_lots: Ints
    price_ticks: Ints
    ts_venue_ns: Ints
    ts_learned_ns: Ints
    is_maker: Ints
    mid2: Ints
    mid2_after: tuple[Ints, ...]
    fees: list[tuple[Decimal, str]]

    def __len__(self) -> int:
        return len(self.position)


def read_fills(events: pa.Table, specs: dict[str, InstrumentSpec]) -> dict[str, Fills]:
    """The fills of each symbol of ``specs``."""
    table = of_kind(events, "fill")
    symbols = np.asarray(texts(table, "symbol"), dtype=object)
    keys = [cl or order or "" for cl, order in zip(texts(table, "cl_ord_id"), texts(table, "order_id"), strict=True)]
    lots = ints(table, "qty_lots")
    signed = np.where(ints(table, "side") == SELL, -lots, lots)
    marks = {h: _doubled_mid(table, f"_{h}s") for h in HORIZONS_S}
    mid2 = _doubled_mid(table, "")
    price, ts_venue, ts_learned = (ints(table, name) for name in ("price_ticks", "ts_venue_ns", "ts_learned_ns"))
    is_maker = ints(table, "is_maker")
    fees = list(zip(texts(table, "fee"), texts(table, "fee_asset"), strict=True))
    found = {}
    for symbol, spec in specs.items():
        at = np.flatnonzero(symbols == symbol)
        found[symbol] = Fills(
            spec=spec,
            position=at,
            keys=[keys[i] for i in at],
            signed_lots=signed[at],
            price_ticks=price[at],
            ts_venue_ns=ts_venue[at],
            ts_learned_ns=ts_learned[at],
            is_maker=is_maker[at],
            mid2=mid2[at],
            mid2_after=tuple(marks[h][at] for h in HORIZONS_S),
            fees=[(Decimal(fees[i][0] or "0"), fees[i][1] or spec.quote) for i in at],
        )
    return found


def market_mids(touch: pa.Table, symbol: str) -> tuple[Ints, Ints]:
    """Sampled times of a symbol at which its book had both sides, and bid plus ask at them."""
    rows = np.flatnonzero(np.asarray(texts(touch, "symbol"), dtype=object) == symbol)
    ts_ns, mid2 = ints(touch, "ts_ns")[rows], _doubled_mid(touch, "")[rows]
    is_known = mid2 != MISSING
    return ts_ns[is_known], mid2[is_known]


class FillAccount:
    """What the fills of one symbol came to.

    mids: from ``market_mids``. decimals: of the unit that all integers here are in (10 to its negative power).
    """

    def __init__(self, fills: Fills, mids: tuple[Ints, Ints], decimals: int) -> None:
        self.fills = fills
        self.decimals = decimals
        spec = fills.spec
        self.mid_ts_ns, self.mid2 = mids
        self._half_units = int((Decimal(spec.tick_size) * Decimal(spec.lot_size) / 2).scaleb(decimals))
        has_mid = fills.mid2 != MISSING
        self.unmarked_count = int(np.count_nonzero(~has_mid))
        self.mid2_at_fill = np.where(has_mid, fills.mid2, 2 * fills.price_ticks)
        self.fee_units: ExactInts = np.array([self._fee_units(i) for i in range(len(fills))], dtype=object)
        self.position_lots = _running(fills.signed_lots)
        if len(self.mid2):
            self.last_mid2 = int(self.mid2[-1])
        else:
            self.last_mid2 = int(self.mid2_at_fill[-1]) if len(fills) else 0

    @staticmethod
    def decimals_needed(fills: Sequence[Fills]) -> int:
        """Decimals of a unit in which half a tick-lot and every fee of all these fills are whole."""
        exact = [Decimal(f.spec.tick_size) * Decimal(f.spec.lot_size) / 2 for f in fills]
        for f in fills:
            for (fee, asset), price_ticks in zip(f.fees, f.price_ticks.tolist(), strict=True):
                exact.append(fee * f.spec.price(price_ticks) if asset == f.spec.base else fee)
        return max((-int(value.as_tuple().exponent) for value in exact), default=0)

    # ------------------------------------------------------------------------------------------------- sums, in units

    @property
    def net_units(self) -> int:
        """Cash plus the position at the last mid, minus fees."""
        cash2 = -2 * _total(self.fills.signed_lots, self.fills.price_ticks)
        position = int(self.position_lots[-1]) if len(self.fills) else 0
        return self._half_units * (cash2 + position * self.last_mid2) - int(self.fee_units.sum() or 0)

    @property
    def spread_units(self) -> int:
        """Signed distance of the fills from their mid."""
        return self._half_units * _total(self.fills.signed_lots, self.mid2_at_fill - 2 * self.fills.price_ticks)

    @property
    def inventory_units(self) -> int:
        """The position times what the mid did while it was held."""
        if not len(self.fills):
            return 0
        changes = np.diff(np.append(self.mid2_at_fill, self.last_mid2))
        return self._half_units * _total(self.position_lots, changes)

    @property
    def turnover_units(self) -> int:
        """Sum of quantity times price."""
        return 2 * self._half_units * _total(np.abs(self.fills.signed_lots), self.fills.price_ticks)

    def fees_of(self, mask: npt.NDArray[np.bool_]) -> int:
        """Fees of the fills that are marked, in the quote currency."""
        return int(self.fee_units[mask].sum() or 0)

    def net_of(self, mask: npt.NDArray[np.bool_]) -> int:
        """What the marked fills alone came to: their quantity at the last mid, minus what was paid, minus fees."""
        gains = self.last_mid2 - 2 * self.fills.price_ticks[mask]
        return self._half_units * _total(self.fills.signed_lots[mask], gains) - self.fees_of(mask)

    def markout(self, horizon_s: int) -> tuple[ExactInts, npt.NDArray[np.bool_]]:
        """The markout of each fill at a horizon of ``HORIZONS_S``, and which fills have one; 0 for the others."""
        after = self.fills.mid2_after[HORIZONS_S.index(horizon_s)]
        is_known = (after != MISSING) & (self.fills.mid2 != MISSING)
        moves = np.where(is_known, after - self.fills.mid2, 0)
        return _product(_product(self.fills.signed_lots, moves), np.int64(self._half_units)), is_known

    # ------------------------------------------------------------------------------------------------- over time

    def equity(self) -> tuple[Ints, ExactInts, ExactInts, ExactInts]:
        """Times, equity in units, position in lots, and worth of the position in units, in the order of time.

        One row just after each fill at the mid of its moment, and one for each sample of the market.
        """
        fills = self.fills
        cash2 = np.concatenate([[0], -2 * _running(_product(fills.signed_lots, fills.price_ticks))])
        position = np.concatenate([[0], self.position_lots])
        fees = np.concatenate([np.zeros(1, dtype=object), _running(self.fee_units)])
        done = np.concatenate(
            [np.arange(1, len(fills) + 1), np.searchsorted(fills.ts_venue_ns, self.mid_ts_ns, side="right")]
        )
        ts_ns = np.concatenate([fills.ts_venue_ns, self.mid_ts_ns])
        mid2 = np.concatenate([self.mid2_at_fill, self.mid2])
        is_sample = np.arange(len(ts_ns)) >= len(fills)
        order = np.lexsort((is_sample, ts_ns))
        done, ts_ns, mid2 = done[order], ts_ns[order], mid2[order]
        worth = _product(_product(position[done], mid2), np.int64(self._half_units))
        equity = worth + _product(cash2[done], np.int64(self._half_units)) - fees[done]
        return ts_ns, equity, position[done], worth

    def decimal(self, units: int) -> Decimal:
        """An amount of units as a decimal of the quote currency."""
        return exact_decimal(units, self.decimals)

    def _fee_units(self, index: int) -> int:
        fee, asset = self.fills.fees[index]
        spec = self.fills.spec
        if asset == spec.base:
            fee = fee * spec.price(int(self.fills.price_ticks[index]))
        elif asset != spec.quote:
            return 0
        return int(fee.scaleb(self.decimals))


class Accounts:
    """The accounts of all instruments of a run, in one unit.

    currency: the first instrument's quote currency; ``counted`` are the accounts of instruments that have it.
    Raises DataError for a fill of an instrument that is not in ``specs``.
    """

    def __init__(self, events: pa.Table, touch: pa.Table, specs: dict[str, InstrumentSpec]) -> None:
        fills = read_fills(events, specs)
        total = of_kind(events, "fill").num_rows
        unknown = total - sum(len(f) for f in fills.values())
        if unknown:
            raise DataError(f"{unknown} of {total} fills are of symbols that run.toml does not list; run it again")
        self.decimals = FillAccount.decimals_needed(list(fills.values()))
        self.by_symbol = {s: FillAccount(f, market_mids(touch, s), self.decimals) for s, f in fills.items()}
        self.currency = next(iter(specs.values())).quote
        self.counted = [account for s, account in self.by_symbol.items() if specs[s].quote == self.currency]

    def equity(self) -> tuple[Ints, ExactInts, ExactInts]:
        """Times, equity, and worth of the positions (of each instrument, without its sign), in units, by time."""
        parts = [account.equity() for account in self.counted]
        ts_ns = np.concatenate([part[0] for part in parts])
        order = np.argsort(ts_ns, kind="stable")
        totals = []
        for values in ([part[1] for part in parts], [np.abs(part[3]) for part in parts]):
            changes = [np.diff(v.astype(object), prepend=0) for v in values]
            totals.append(np.cumsum(np.concatenate(changes)[order]))
        return ts_ns[order], totals[0], totals[1]


def exact_decimal(units: int, decimals: int) -> Decimal:
    """``units`` times 10 to the power of ``-decimals``, exactly, without idle zeros."""
    while decimals > 0 and units % 10 == 0:
        units //= 10
        decimals -= 1
    return Decimal(f"{units}E-{decimals}") if decimals else Decimal(units)


def _doubled_mid(table: pa.Table, suffix: str) -> Ints:
    bid, ask = ints(table, f"bid{suffix}_ticks"), ints(table, f"ask{suffix}_ticks")
    is_known = (bid != MISSING) & (ask != MISSING)
    return np.where(is_known, np.where(is_known, bid, 0) + np.where(is_known, ask, 0), MISSING)


def _bound(values: ExactInts) -> int:
    return max(abs(int(values.max())), abs(int(values.min()))) if values.size else 0


def _product(left: ExactInts, right: ExactInts | np.int64) -> ExactInts:
    if left.dtype == object or _bound(left) * _bound(np.asarray(right)) >= _SAFE:
        return np.asarray(left.astype(object) * right)
    return np.asarray(left * right)


def _running(values: ExactInts) -> ExactInts:
    if values.dtype != object and _bound(values) * len(values) >= _SAFE:
        values = values.astype(object)
    return np.asarray(np.cumsum(values))


def _total(left: ExactInts, right: ExactInts) -> int:
    running = _running(_product(left, right))
    return int(running[-1]) if len(running) else 0
