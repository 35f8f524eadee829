"""The numbers of the synthetic market, each with the capture that it was measured from.

Recordings: **D**, dense, is BTC/USD on 2024-11-12 (9.5 s of order events of the top ten levels, 11.2 s of top-ten
books, 134 s of trades; the same recording has ETH/USD); **T**, thin, is BTC/USD on 2015-05-01 (200 minutes order by
order). ``tests/framework/data/market_figures.py`` says which files they are, and measures them.
In D an order's life is from its ``add`` to its ``delete`` at one price, censored at the end (Kaplan-Meier); its
distance is from its own side's best price in the top-ten book just before. "Fitted" is a number that no capture shows
alone: it was set so that the whole market's statistics fall where ``tests/framework/data/test_synthetic_market.py``
holds them, in between the captures.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from framework.data.synthetic_random import KNOTS
from framework.protocol import InstrumentSpec

__all__ = ["DEFAULT", "MODEL_TYPE", "Quantiles", "SyntheticParameters", "model"]

# The quantiles 0, 0.1, ..., 1 of a distribution; draws are linear in between.
Quantiles = tuple[int, int, int, int, int, int, int, int, int, int, int]

_MS = 1_000_000
_S = 1000 * _MS
_RATE_MHZ_MIN, _RATE_MHZ_MAX = 50, 100_000_000
_PER_MILLE = 1000


def _ms(*quantiles: float) -> Quantiles:
    """Quantiles given in milliseconds, as whole nanoseconds."""
    return tuple(round(q * 1000) * 1000 for q in quantiles)  # type: ignore[return-value]


class SyntheticParameters(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of ``synthetic_market``. Rates are in events per 1000 seconds (mHz), shares in thousandths.

    Five distance bands, in ticks from the order's own best price: 0, 1 to 100, 101 to 400, 401 to 800, deeper.
    """

    # -- the instrument and the start
    # The grid and minimums that BTC/USD has in D, which trades at 89,410 to 89,750 USD.
    spec: InstrumentSpec = InstrumentSpec(
        symbol="BTC/USD", venue="synthetic", tick_size="0.1", lot_size="0.00000001", min_qty_lots=5000, min_cost="0.5"
    )
    start_price_ticks: int = 897_000
    start_ts_ns: int = 1_731_369_600 * _S  # 2024-11-12T00:00:00Z, the day of D
    # Time before the start that is made and thrown away, so that the book has its usual shape at the start, and the
    # deep orders that it begins with (fitted: what the deep band holds after a long time).
    warm_up_s: int = 60
    deep_orders_per_side: int = 500

    # -- arrivals. D: 65 new orders a second in the top ten levels (620 in 9.5 s), which is the first four bands; half
    # as many again and more beyond them (T: 80 % of new orders are farther than 9 bp, which is 800 ticks here).
    # The base rate is before excitation, replacement and setters of the touch; all together make 122 a second.
    limit_rate_mhz: int = 20_000
    # D: 50 market orders and crossing limit orders in 134 s, 0.37 a second; 113 trades, 0.60 and 1.68 a second in the
    # two recordings. T: 0.04 trades a second. Set to the upper half of D, for a market in which there is something to
    # learn.
    taker_rate_mhz: int = 500
    # D: 8 of 1,088 order events (0.7 %) are reductions in place.
    trim_rate_mhz: int = 700
    # Orders that better a side's best price, while there is room; at ``setter_pull_ticks`` of room twice as
    # frequent. Fitted to a spread between D's (1 tick for 99.8 % of the time, 1.3 on average, 0.015 bp) and the others'
    # (D ETH/USD 2.3 bp, T 7.2 bp in the median): 1 tick for 35 % of the time, 14 on average, 0.15 bp.
    setter_rate_mhz: int = 6_000
    setter_pull_ticks: int = 30

    # -- bursts. Each event makes more arrivals likely for a moment, as in a Hawkes process. Fitted to D's spread of
    # events over 100 ms (variance over mean 17.6; ETH/USD 7.7) with D's median gap of 3 ms as the order of magnitude.
    excite_half_life_ns: int = 8 * _MS
    excite_limit_mhz: int = 65_000
    excite_taker_mhz: int = 200_000
    excite_jump_mhz: int = 400_000
    # Quiet, busy and burst: how much faster everything goes than on average, how long they last on average, and how
    # often busy turns to burst. D's variance over mean of events in 1 s (42.6; ETH/USD 6.8) gives the order of
    # magnitude.
    regime_speed_per_mille: tuple[int, int, int] = (700, 1_150, 2_250)
    regime_hold_ns: tuple[int, int, int] = (20 * _S, 6 * _S, 5 * _S)
    burst_share_per_mille: int = 400

    # -- the fair price: symmetric exponential jumps, mean absolute size below, so 1.2 / s * 2 * (60 ticks)**2 gives
    # 93 ticks or 1.03 bp for one second. T: mid price 0.98 bp in 1 s, 3.1 in 10 s, 5.8 in 60 s, 18 in 600 s (0.75 to
    # 0.98 bp for the root of a second); D: 1.7 bp in 1 s, a fast market.
    jump_rate_mhz: int = 1_200
    jump_mean_ticks: int = 60
    # Who trades on a jump: by ``snipe`` before all makers of stale quotes have withdrawn, by ``lead`` before it
    # happens. Fitted so that the mid price 1 s after a trade is on average on the taker's side of the price paid, and
    # farther from the mid price before than right after the trade. T: 2.56 bp right after, 2.59 after 1 s, 3.0 after
    # 10 s, 2.5 after 60 s, with a half spread of 4 bp. Here it is 0.06 and 0.27 bp with a half spread of 0.08 bp:
    # smaller, as D's market is a hundred times denser than T's, and larger in spreads.
    snipe_share_per_mille: int = 250
    lead_share_per_mille: int = 80
    lead_mean_ns: int = 400 * _MS
    # How long after a jump makers withdraw and takers arrive. No capture shows it; D's shortest lives (KM quantiles
    # 0.05 and 0.2 at 1.4 and 15 ms) give the order of magnitude.
    reaction_ns: Quantiles = _ms(0.5, 1, 2, 4, 7, 12, 18, 28, 45, 80, 200)
    snipe_ns: Quantiles = _ms(0.8, 2, 4, 8, 14, 20, 30, 45, 70, 120, 300)
    # A stale quote that is withdrawn comes back at once (fitted); of the first orders of a side, some move with the
    # price. D: 50 of 384 deletes (13 %) are followed by an add of the same order id, after 0.16 ms (median).
    replace_share_per_mille: int = 600
    follow_share_per_mille: int = 130
    follow_orders: int = 10

    # -- takers. D: the next one is on the same side as often as correlations of 0.18 and 0.57 say (two recordings; T
    # -0.08); with the informed ones on either side this gives 0.15.
    taker_same_side_per_mille: int = 650
    # D: quantities of 50 takers, deciles.
    taker_size_lots: Quantiles = (
        5_000, 21_984, 53_993, 78_969, 100_000, 180_941, 477_275, 1_684_617, 7_263_642, 85_072_294, 500_000_000,
    )  # fmt: skip
    # Those who know something trade more (fitted: the upper half of the table above, stretched).
    informed_size_lots: Quantiles = (
        50_000, 180_941, 477_275, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 25_000_000, 60_000_000, 120_000_000,
        500_000_000,
    )  # fmt: skip
    # D: 3 of 50 takers swept 7 to 10 levels, which is 276 to 395 ticks.
    taker_slip_ticks: int = 400

    # -- setters of the touch: the edge that each wants off the fair price (fitted with the spread), and how many of
    # them go that far at once; the others stop anywhere on the way.
    setter_edge_ticks: Quantiles = (0, 0, 0, 1, 3, 6, 10, 16, 25, 40, 80)
    setter_full_share_per_mille: int = 500

    # -- limit orders by band. D: 101, 60, 263 and 173 new orders; the deep weight is for the share of
    # ``limit_rate_mhz``.
    band_weight: tuple[int, int, int, int, int] = (101, 60, 263, 173, 600)
    # Within a band: D's shape (201 of 263 in the outer two thirds of the third band); deeper T's in bp: 21 to 42 bp
    # 9 %, 42 to 125 bp 46 %, 125 to 417 bp 11 % of new orders.
    band_distance_ticks: tuple[Quantiles, ...] = (
        (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        (1, 6, 14, 24, 34, 44, 54, 66, 78, 90, 101),
        (101, 125, 160, 200, 230, 260, 285, 310, 335, 370, 401),
        (401, 425, 445, 465, 490, 515, 545, 580, 630, 700, 801),
        (801, 1_100, 1_900, 3_000, 4_200, 5_500, 7_000, 8_500, 10_000, 11_500, 20_000),
    )
    # Lives. D: deciles as far as the 9.5 s show them (KM 0.8 for the touch is 3.7 s); the last two or three fitted to
    # the depth of ten levels. Deeper: T, orders at 42 to 125 bp, 78 ms, 0.2, 2, 17 and 54 s (deciles 1, 2.5, 5, 7.5,
    # 9).
    band_life_ns: tuple[Quantiles, ...] = (
        _ms(0.4, 1.4, 16.2, 99, 401, 514, 1375, 2035, 3714, 6000, 12000),
        _ms(0.4, 3.7, 29.2, 44, 269, 396, 1711, 3622, 5000, 7000, 12000),
        _ms(0.4, 5, 9.9, 25, 44, 85, 150, 298, 1413, 3000, 9000),
        _ms(0.4, 9.2, 51, 111, 147, 243, 425, 1811, 4000, 6000, 12000),
        _ms(50, 90, 200, 600, 1500, 3000, 6000, 10000, 17000, 40000, 150000),
    )
    # Sizes. D: deciles of the orders up to 10 ticks away (89) and beyond (211), without the recurring sizes below; the
    # least quantity is raised to the venue's minimum. The deep band draws from the first table (no capture of this
    # price level shows it).
    near_size_lots: Quantiles = (
        5_000, 84_674, 2_198_244, 5_451_006, 13_300_280, 25_000_000, 29_470_000, 29_640_000, 92_609_870, 178_185_785,
        278_448_839,
    )  # fmt: skip
    behind_size_lots: Quantiles = (
        5_000, 2_259_091, 23_483_700, 171_562_509, 198_295_286, 198_318_429, 278_287_939, 278_383_565, 278_406_062,
        338_609_378, 557_110_437,
    )  # fmt: skip
    # D: sizes that recur among 438 new orders, and their shares.
    atom_lots: tuple[int, ...] = (33_750_000, 1_147_803, 48_000_000, 4_454_749, 3_770_000, 556_897, 10_000_000)
    atom_share_per_mille: tuple[int, ...] = (112, 94, 32, 23, 21, 18, 16)
    # D: of the other sizes 4.0 % are multiples of 0.01, 6.7 % of 0.001, 16.3 % of 0.0001 BTC.
    round_step_lots: tuple[int, ...] = (1_000_000, 100_000, 10_000)
    round_share_per_mille: tuple[int, ...] = (40, 27, 96)

    def __post_init__(self) -> None:
        """Refuse what the kernel cannot compute with; raises ValueError that names the parameter."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if name.endswith("_rate_mhz") and not _RATE_MHZ_MIN <= value <= _RATE_MHZ_MAX:
                raise ValueError(f"{name} {value} is not from {_RATE_MHZ_MIN} to {_RATE_MHZ_MAX}")
            shares = value if isinstance(value, tuple) else (value,)
            if name.endswith("share_per_mille") and not (min(shares) >= 0 and sum(shares) <= _PER_MILLE):
                raise ValueError(f"{name} {value} is not from 0 to {_PER_MILLE} in all")
            for table in value if name.startswith("band_") and name != "band_weight" else (value,):
                if isinstance(table, tuple) and len(table) == KNOTS:
                    _check_quantiles(name, table)
        if min(self.regime_speed_per_mille) < 50 or min(self.regime_hold_ns) < _MS:
            raise ValueError("a regime's speed is 50 thousandths or more and it holds for a millisecond or more")


def _check_quantiles(name: str, table: tuple[int, ...]) -> None:
    if table[0] < 0 or table[-1] >= 2**46 or any(high < low for low, high in pairwise(table)):
        raise ValueError(f"{name} {table} is not eleven ascending whole numbers from 0 to 2**46")


DEFAULT = SyntheticParameters()

_BANDS = 5
# The parameters as the compiled kernel reads them: one record.
MODEL_TYPE = np.dtype(
    [
        (name, np.int64)
        for name in (
            "limit_rate_mhz",
            "taker_rate_mhz",
            "trim_rate_mhz",
            "setter_rate_mhz",
            "setter_pull_ticks",
            "excite_half_life_ns",
            "excite_limit_mhz",
            "excite_taker_mhz",
            "excite_jump_mhz",
            "burst_share_per_mille",
            "jump_rate_mhz",
            "jump_mean_ticks",
            "snipe_share_per_mille",
            "lead_share_per_mille",
            "lead_mean_ns",
            "replace_share_per_mille",
            "follow_share_per_mille",
            "follow_orders",
            "taker_same_side_per_mille",
            "taker_slip_ticks",
            "setter_full_share_per_mille",
            "size_min_lots",
        )
    ]
    + [
        ("regime_speed_per_mille", np.int64, 3),
        ("regime_hold_ns", np.int64, 3),
        ("reaction_ns", np.int64, KNOTS),
        ("snipe_ns", np.int64, KNOTS),
        ("setter_edge_ticks", np.int64, KNOTS),
        ("taker_size_lots", np.int64, KNOTS),
        ("informed_size_lots", np.int64, KNOTS),
        ("band_weight_cumulative", np.int64, _BANDS),
        ("band_distance_ticks", np.int64, (_BANDS, KNOTS)),
        ("band_life_ns", np.int64, (_BANDS, KNOTS)),
        ("band_size_lots", np.int64, (_BANDS, KNOTS)),
        ("atom_lots", np.int64, len(DEFAULT.atom_lots)),
        ("atom_share_cumulative_per_mille", np.int64, len(DEFAULT.atom_lots)),
        ("round_step_lots", np.int64, len(DEFAULT.round_step_lots)),
        ("round_share_cumulative_per_mille", np.int64, len(DEFAULT.round_step_lots)),
    ]
)


def model(p: SyntheticParameters) -> Any:
    """The parameters as a record of ``MODEL_TYPE``; raises ValueError for a table of another length."""
    values = {name: getattr(p, name) for name in p.__struct_fields__} | {
        "size_min_lots": p.spec.min_qty_lots,
        "band_weight_cumulative": np.cumsum(p.band_weight),
        "band_size_lots": [
            p.near_size_lots,
            p.behind_size_lots,
            p.behind_size_lots,
            p.behind_size_lots,
            p.near_size_lots,
        ],
        "atom_share_cumulative_per_mille": np.cumsum(p.atom_share_per_mille),
        "round_share_cumulative_per_mille": np.cumsum(p.round_share_per_mille),
    }
    record = np.zeros(1, dtype=MODEL_TYPE)
    for name in MODEL_TYPE.names or ():
        if np.shape(values[name]) != record[name].shape[1:]:
            raise ValueError(f"{name} has shape {np.shape(values[name])}; it must have {record[name].shape[1:]}")
        record[name] = np.array(values[name], dtype=np.int64)
    return record[0]
