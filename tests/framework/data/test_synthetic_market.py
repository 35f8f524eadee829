"""The synthetic market looks like the recordings, resting orders are hit by those who know, and nothing is free."""

from __future__ import annotations

from operator import attrgetter

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from adapters.kraken.captures_csv import import_top_books
from framework.data.columns import LAST, TRADE, Market
from framework.data.info import MarketInfo, describe
from framework.data.synthetic import DEFAULT, SyntheticParameters, synthetic_market
from framework.data.touch import walk_touch
from framework.protocol import BUY
from tests.captures import require_capture
from tests.framework.data.market_figures import Figures, bitstamp_figures, kraken_figures, market_figures

# What the recordings show, so that the comparison needs no recording at hand; re-measured below where they are.
_KRAKEN_2024 = Figures(
    spread_bp_mean=0.01459,
    one_tick_share=0.99787,
    touch_changes_per_s=0.85158,
    touch_qty_median=1.45345,
    ten_levels_qty=14.27958,
    ten_levels_ticks=304.0,
    move_1s_bp=1.69247,
    gap_cv=2.56691,
    fano_100ms=17.41679,
    trades_per_s=0.84368,
    fills_per_taker=2.26,
    one_price_share=0.9,
    taker_qty_median=0.00181,
    new_qty_median=0.3375,
    recurring_qty_share=0.11187,
    near_life_median_s=0.22641,
)
_BITSTAMP_2015 = Figures(
    spread_bp_mean=8.12685,
    touch_qty_median=0.71386,
    move_1s_bp=0.97741,
    gap_cv=1.41976,
    fano_100ms=1.17548,
    trades_per_s=0.03735,
    fills_per_taker=1.66543,
    one_price_share=0.75465,
    taker_qty_median=0.25,
    new_qty_median=8.60872,
)

# Where a half hour of the synthetic market must be. Where both recordings show a figure, the band lies between them or
# reaches a fifth beyond; else it is stated why it is as wide as it is.
_BANDS: dict[str, tuple[float, float]] = {
    "spread_bp_mean": (0.05, 0.5),
    "one_tick_share": (0.2, 0.6),  # Kraken BTC/USD 1.0, Kraken ETH/USD of the same capture 0.12
    "touch_changes_per_s": (0.85, 8.4),  # the same two: 0.85 and 15.5
    "touch_qty_median": (0.4, 1.45),  # half of Bitstamp's: prices are 380 times higher
    "ten_levels_qty": (8.8, 17.4),  # Kraken's asks and bids
    "ten_levels_ticks": (140.0, 304.0),  # Kraken ETH/USD and BTC/USD
    "move_1s_bp": (0.75, 1.7),  # Bitstamp over 600 s, and Kraken
    "gap_cv": (1.4, 2.6),
    "fano_100ms": (7.7, 20.0),  # Kraken ETH/USD and BTC/USD
    "trades_per_s": (0.6, 1.68),  # Kraken's two recordings
    "fills_per_taker": (1.5, 2.3),
    "one_price_share": (0.75, 0.9),
    "taker_qty_median": (0.0018, 0.05),
    "new_qty_median": (0.33, 0.35),
    "recurring_qty_share": (0.10, 0.125),
    "near_life_median_s": (0.11, 0.34),  # Kraken's, half as long to half as long again
}

# The same for figures of ``tidegate data info``, by their place in it. The top-ten books of Kraken BTC/USD and ETH/USD:
# spread 1.31 and 78.8 ticks, 1.70 and 31.0 changes of a best price a second, 17.0 and 39.2 updates of the touch.
# Bitstamp: 2.2 BTC at the touch (Kraken 6.3), gaps between trades vary by 1.75 of their mean, half the orders rest for
# 9.0 s (Kraken 0.23 s near the touch), 55 % of the aggressors buy.
_INFO_BANDS: dict[str, tuple[float, float]] = {
    "book.spread_ticks.mean": (1.31, 78.8),
    "book.touch_changes_per_s": (1.7, 31.0),
    "book.touch_updates_per_s": (17.0, 39.2),
    "book.touch_lots.p50": (1.5e8, 6.3e8),
    "trades.gap_variation": (1.4, 2.1),
    "trades.buy_share": (0.45, 0.55),
    "orders.lifetime_s.p50": (0.23, 9.0),
}

_HALF_HOUR_S = 1800
_SECOND_NS = 10**9


class _Mid(msgspec.Struct, frozen=True, kw_only=True):
    """Best prices in ticks at the end of each message, and the first trade of each taker."""

    ts_ns: npt.NDArray[np.int64]
    bid: npt.NDArray[np.int64]
    ask: npt.NDArray[np.int64]
    taker_ts_ns: npt.NDArray[np.int64]
    taker_sign: npt.NDArray[np.int64]
    taker_price: npt.NDArray[np.int64]

    def at(self, ts_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Index of the last message not later than each time."""
        return np.maximum(np.searchsorted(self.ts_ns, ts_ns, side="right") - 1, 0)

    @property
    def mid(self) -> npt.NDArray[np.float64]:
        return (self.bid + self.ask) / 2

    def maker_gain_ticks(self, after_ns: int) -> npt.NDArray[np.float64]:
        """Mid price some time after a trade against the price paid, as the resting order's owner sees it."""
        later = self.mid[self.at(self.taker_ts_ns + after_ns)]
        return self.taker_sign * (self.taker_price - later)

    def drift_against_maker_ticks(self, after_ns: int) -> npt.NDArray[np.float64]:
        """Mid price some time after a trade against the one right after it, in the taker's direction."""
        later, now = self.mid[self.at(self.taker_ts_ns + after_ns)], self.mid[self.at(self.taker_ts_ns)]
        return self.taker_sign * (later - now)


def _mid(market: Market) -> _Mid:
    c = market.columns
    touch = walk_touch(c)
    ends = np.flatnonzero(c.flags & LAST)
    trades = np.flatnonzero(c.kind == TRADE)
    firsts = trades[np.diff(c.ts_event_ns[trades], prepend=0) > 0]
    return _Mid(
        ts_ns=c.ts_event_ns[ends],
        bid=touch.bid_ticks[ends],
        ask=touch.ask_ticks[ends],
        taker_ts_ns=c.ts_event_ns[firsts],
        taker_sign=np.where(c.side[firsts] == BUY, 1, -1),
        taker_price=c.price_ticks[firsts],
    )


def _mids(parameters: SyntheticParameters = DEFAULT) -> list[_Mid]:
    return [_mid(synthetic_market(seed, _HALF_HOUR_S, parameters)) for seed in range(1, 7)]


@pytest.fixture(scope="module")
def info() -> MarketInfo:
    return describe(synthetic_market(1, _HALF_HOUR_S))


@pytest.fixture(scope="module")
def figures() -> Figures:
    return market_figures(synthetic_market(1, _HALF_HOUR_S))


@pytest.fixture(scope="module")
def mids() -> list[_Mid]:
    return _mids()


def _standard_errors(values: npt.NDArray[np.float64]) -> float:
    """How many standard errors the mean is away from zero."""
    return float(values.mean() / values.std() * np.sqrt(len(values)))


@pytest.mark.parametrize("name", _BANDS)
def test_a_figure_of_the_synthetic_market_is_where_the_recordings_say(figures: Figures, name: str) -> None:
    low, high = _BANDS[name]
    assert low <= getattr(figures, name) <= high


@pytest.mark.parametrize("name", _INFO_BANDS)
def test_a_figure_of_data_info_is_where_the_recordings_say(info: MarketInfo, name: str) -> None:
    low, high = _INFO_BANDS[name]
    assert low <= attrgetter(name)(info) <= high


def test_data_info_finds_nothing_wrong(info: MarketInfo) -> None:
    assert info.book is not None
    assert (info.book.crossed, info.book.locked) == (0, 0)


def test_the_figures_of_data_info_recorded_for_the_top_ten_books_are_those_of_the_capture() -> None:
    imported = import_top_books(require_capture("kraken-l3-l2-2024-11"), {"asset_pairs": ""})
    told = []
    for symbol in ("BTC/USD", "ETH/USD"):
        book = next(describe(i.market).book for i in imported if i.market.spec.symbol == symbol)
        assert book is not None
        assert book.spread_ticks is not None
        told.append((book.spread_ticks.mean, book.touch_changes_per_s, book.touch_updates_per_s))
    assert told == [pytest.approx((1.31, 1.70, 17.0), rel=0.01), pytest.approx((78.8, 31.0, 39.2), rel=0.01)]


def test_every_figure_has_a_band() -> None:
    assert set(_BANDS) == set(Figures.__struct_fields__)


def test_the_figures_recorded_for_kraken_are_those_of_the_capture() -> None:
    measured = kraken_figures(require_capture("kraken-l3-l2-2024-11"))
    assert msgspec.structs.asdict(measured) == pytest.approx(msgspec.structs.asdict(_KRAKEN_2024), rel=1e-3)


def test_the_figures_recorded_for_bitstamp_are_those_of_the_capture() -> None:
    measured = bitstamp_figures(require_capture("bitstamp-l3-2015-05-01"))
    shown = {name: value for name, value in msgspec.structs.asdict(_BITSTAMP_2015).items() if value is not None}
    assert {name: getattr(measured, name) for name in shown} == pytest.approx(shown, rel=1e-3)


def test_a_half_hour_is_a_few_hundred_thousand_rows() -> None:
    assert 350_000 < len(synthetic_market(2, _HALF_HOUR_S).columns) < 1_000_000


def test_the_price_goes_on_against_a_resting_order_after_it_was_hit(mids: list[_Mid]) -> None:
    drift = np.concatenate([m.drift_against_maker_ticks(_SECOND_NS) for m in mids])
    assert 5 < drift.mean() < 60
    assert _standard_errors(drift) > 5


def test_a_resting_order_earns_its_spread_at_once_and_has_lost_it_a_second_later(mids: list[_Mid]) -> None:
    at_once = np.concatenate([m.taker_sign * (m.taker_price - m.mid[m.at(m.taker_ts_ns - 1)]) for m in mids])
    later = np.concatenate([m.maker_gain_ticks(_SECOND_NS) for m in mids])
    assert at_once.mean() > 1
    assert _standard_errors(later) < -3


def test_without_informed_takers_a_resting_order_keeps_its_spread() -> None:
    harmless = msgspec.structs.replace(DEFAULT, snipe_share_per_mille=0, lead_share_per_mille=0)
    later = np.concatenate([m.maker_gain_ticks(_SECOND_NS) for m in _mids(harmless)])
    assert later.mean() > 1
    assert _standard_errors(later) > 0


def test_the_price_has_no_drift(mids: list[_Mid]) -> None:
    moves = np.concatenate([np.diff(m.mid[m.at(np.arange(m.ts_ns[0], m.ts_ns[-1], 10 * _SECOND_NS))]) for m in mids])
    assert len(moves) > 1_000
    assert abs(_standard_errors(moves)) < 3


@pytest.mark.parametrize("seconds", [1, 10])
@pytest.mark.parametrize("sign", [1, -1], ids=["with the last move", "against the last move"])
def test_taking_with_or_against_the_last_move_loses_before_fees(mids: list[_Mid], seconds: int, sign: int) -> None:
    """Buy or sell one unit at the touch after each move, and take it back at the touch as much time later."""
    gains = []
    for m in mids:
        index = m.at(np.arange(m.ts_ns[0], m.ts_ns[-1], seconds * _SECOND_NS))
        bid, ask, mid = m.bid[index], m.ask[index], m.mid[index]
        direction = sign * np.sign(mid[1:-1] - mid[:-2])
        gains.append(np.where(direction > 0, bid[2:] - ask[1:-1], np.where(direction < 0, bid[1:-1] - ask[2:], 0)))
    gain = np.concatenate(gains)
    assert len(gain) > 1_000
    assert gain.mean() < 0


def test_large_moves_come_in_clusters(mids: list[_Mid]) -> None:
    correlations = []
    for m in mids:
        size = np.abs(np.diff(m.mid[m.at(np.arange(m.ts_ns[0], m.ts_ns[-1], 2 * _SECOND_NS))]))
        correlations.append(np.corrcoef(size[1:], size[:-1])[0, 1])
    # 0.04 is three standard errors of a correlation over all runs together, were there none.
    assert np.mean(correlations) > 0.04
