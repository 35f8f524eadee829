"""What a market looks like in a dozen figures, measured in the same way on a market and on recordings."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from framework.data.columns import ADD, DELETE, LAST, LEVEL, SNAPSHOT, TRADE, Market
from framework.data.synthetic import synthetic_l2
from framework.data.touch import walk_touch
from framework.protocol import BUY, SELL

__all__ = ["Figures", "bitstamp_figures", "kraken_figures", "market_figures"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_BTC_LOTS = 1e8
# Farther orders are outside the ten levels that the Kraken capture shows.
_NEAR_TICKS = 800
_RECURRING_LOTS = 33_750_000


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """None where a recording does not show it. Spreads and moves in basis points of the price, sizes in BTC."""

    spread_bp_mean: float
    one_tick_share: float | None = None
    touch_changes_per_s: float | None = None
    touch_qty_median: float
    ten_levels_qty: float | None = None
    ten_levels_ticks: float | None = None
    move_1s_bp: float
    gap_cv: float
    fano_100ms: float
    trades_per_s: float
    fills_per_taker: float
    one_price_share: float
    taker_qty_median: float
    new_qty_median: float
    recurring_qty_share: float | None = None
    near_life_median_s: float | None = None


def market_figures(market: Market) -> Figures:
    """The figures of a level 3 market with trades; its snapshot is left out of rates."""
    c = market.columns
    touch = walk_touch(c)
    ends = np.flatnonzero(c.flags & LAST)
    ts_s = (c.ts_event_ns - c.ts_event_ns[0]) / 1e9
    bid, ask = touch.bid_ticks[ends], touch.ask_ticks[ends]
    ladders = _ladders(synthetic_l2(market))
    trades = np.flatnonzero(c.kind == TRADE)
    added = np.flatnonzero((c.kind == ADD) & ((c.flags & SNAPSHOT) == 0))
    before = added - 1
    distance = np.where(
        c.side[added] == BUY,
        touch.bid_ticks[before] - c.price_ticks[added],
        c.price_ticks[added] - touch.ask_ticks[before],
    )
    near = added[distance <= _NEAR_TICKS]
    gone_s = np.full(c.order_id.max() + 1, np.inf)
    gone_s[c.order_id[c.kind == DELETE]] = ts_s[c.kind == DELETE]
    return Figures(
        **_touch_figures(ts_s[ends], bid, ask),
        touch_qty_median=float(np.median(np.r_[touch.bid_lots[ends], touch.ask_lots[ends]]) / _BTC_LOTS),
        ten_levels_qty=float(np.median(ladders[:, 0])),
        ten_levels_ticks=float(np.median(ladders[:, 1])),
        **_clustering(ts_s[ends]),
        **_taker_figures(ts_s[-1], ts_s[trades], c.side[trades], c.price_ticks[trades], c.qty_lots[trades] / _BTC_LOTS),
        new_qty_median=float(np.median(c.qty_lots[near]) / _BTC_LOTS),
        recurring_qty_share=float((c.qty_lots[near] == _RECURRING_LOTS).mean()),
        near_life_median_s=float(np.median(gone_s[c.order_id[near]] - ts_s[near])),
    )


def kraken_figures(folder: Path) -> Figures:
    """Kraken BTC/USD of ``kraken-l3-l2-2024-11``: tick 0.1; order events and books of 10 s, trades of 134 s."""
    book = pd.read_csv(folder / "L2_BTC_USD_orderbook.csv")
    ts_s = _seconds(book.timestamp)
    bid, ask = _ticks(book.bp0), _ticks(book.ap0)
    levels = range(10)
    qty = np.r_[book[[f"bv{i}" for i in levels]].sum(axis=1), book[[f"av{i}" for i in levels]].sum(axis=1)]
    ticks = np.r_[bid - _ticks(book.bp9), _ticks(book.ap9) - ask]
    rows = pd.read_csv(folder / "ex_multifeed_out.L3_ticks.csv").query("symbol == 'BTC/USD'")
    lives_s, sizes = _kraken_lives(rows)
    takers = [_kraken_trades(folder / f"{name}.trades.csv") for name in ("ex_out", "ex_multifeed_out")]
    parts = [_taker_figures(*taker) for taker in takers]
    counts = [len(taker[1]) for taker in takers]
    groups = [count / part["fills_per_taker"] for count, part in zip(counts, parts, strict=True)]
    return Figures(
        **_touch_figures(ts_s, bid, ask),
        touch_qty_median=float(np.median(np.r_[book.bv0, book.av0])),
        ten_levels_qty=float(np.median(qty)),
        ten_levels_ticks=float(np.median(ticks)),
        **_clustering(ts_s),
        trades_per_s=sum(counts) / sum(taker[0] for taker in takers),
        fills_per_taker=sum(counts) / sum(groups),
        one_price_share=sum(n * p["one_price_share"] for n, p in zip(groups, parts, strict=True)) / sum(groups),
        taker_qty_median=float(np.median(np.concatenate([_taker_groups(*taker[1:])[1] for taker in takers]))),
        new_qty_median=float(np.median(sizes)),
        recurring_qty_share=float((np.round(sizes * _BTC_LOTS) == _RECURRING_LOTS).mean()),
        near_life_median_s=lives_s,
    )


def bitstamp_figures(folder: Path) -> Figures:
    """Bitstamp BTC/USD of ``bitstamp-l3-2015-05-01``: tick 0.01; touch from its top-twenty snapshots, every 3 s."""
    books: list[tuple[float, int, int, float, float]] = []
    trades: list[tuple[float, int, float]] = []
    events_s, sizes = [], []
    with lzma.open(folder / "events.log.xz", "rt") as lines:
        for line in lines:
            ts_ms, name, text = line.split(" ", 2)
            ts_s, fields = int(ts_ms) / 1000, json.loads(text)
            if name == "order_book":
                (bid, bid_qty), (ask, ask_qty) = fields["bids"][0], fields["asks"][0]
                books.append((ts_s, _cents(bid), _cents(ask), float(bid_qty), float(ask_qty)))
                continue
            events_s.append(ts_s)
            if name == "trade":
                trades.append((ts_s, _cents(fields["price"]), fields["amount"]))
            elif name == "order_created":
                sizes.append(float(fields["amount"]))
    ts, bid_ticks, ask_ticks, bid_qty_btc, ask_qty_btc = (np.array(column) for column in zip(*books, strict=True))
    trade_s, price, qty = (np.array(column) for column in zip(*trades, strict=True))
    # The capture does not name sides; trades within 0.3 s of each other are one taker.
    grouped_s = trade_s[np.maximum.accumulate(np.where(np.diff(trade_s, prepend=-1) > 0.3, np.arange(len(trade_s)), 0))]
    touch = _touch_figures(ts, bid_ticks, ask_ticks)
    return Figures(
        spread_bp_mean=touch["spread_bp_mean"],
        move_1s_bp=touch["move_1s_bp"],
        touch_qty_median=float(np.median(np.r_[bid_qty_btc, ask_qty_btc])),
        **_clustering(np.array(events_s)),
        **_taker_figures(events_s[-1] - events_s[0], grouped_s, np.zeros(len(qty), np.int64), price, qty),
        new_qty_median=float(np.median(sizes)),
    )


def _touch_figures(ts_s: Floats, bid: Ints, ask: Ints) -> dict[str, float]:
    span_s = ts_s[-1] - ts_s[0]
    lasts_s = np.append(np.diff(ts_s), 0)
    mid = (bid + ask) / 2
    sampled = mid[np.searchsorted(ts_s, np.arange(ts_s[0], ts_s[-1], 1.0), side="right") - 1]
    changes = np.count_nonzero(np.diff(bid)) + np.count_nonzero(np.diff(ask))
    return {
        "spread_bp_mean": float((lasts_s * (ask - bid) / mid).sum() / span_s * 1e4),
        "one_tick_share": float(lasts_s[ask - bid == 1].sum() / span_s),
        "touch_changes_per_s": float(changes / span_s / 2),
        "move_1s_bp": float(np.sqrt((np.diff(sampled) ** 2).mean()) / mid.mean() * 1e4),
    }


def _clustering(ts_s: Floats) -> dict[str, float]:
    gaps_s = np.diff(ts_s)
    counts = np.bincount(((ts_s - ts_s[0]) / 0.1).astype(np.int64))
    return {"gap_cv": float(gaps_s.std() / gaps_s.mean()), "fano_100ms": float(counts.var() / counts.mean())}


def _taker_groups(ts_s: Floats, side: Ints, price: Ints, qty: Floats) -> tuple[Ints, Floats, Ints]:
    """For each trade its taker; for each taker its quantity and how many prices it traded at."""
    is_new = np.r_[True, (np.diff(ts_s) > 0) | (np.diff(side.astype(np.int64)) != 0)]
    group = np.cumsum(is_new) - 1
    prices = pd.Series(price).groupby(group).nunique().to_numpy()
    return group, np.bincount(group, weights=qty), prices


def _taker_figures(span_s: float, ts_s: Floats, side: Ints, price: Ints, qty: Floats) -> dict[str, float]:
    _, taker_qty, prices = _taker_groups(ts_s, side, price, qty)
    return {
        "trades_per_s": len(ts_s) / span_s,
        "fills_per_taker": len(ts_s) / len(taker_qty),
        "one_price_share": float((prices == 1).mean()),
        "taker_qty_median": float(np.median(taker_qty)),
    }


def _ladders(market: Market) -> Floats:
    """Quantity and width in ticks of the ten best levels, both sides, at every 2,000th row or so."""
    c = market.columns
    book: dict[int, dict[int, int]] = {BUY: {}, SELL: {}}
    told = []
    for row, (kind, side, price, qty) in enumerate(
        zip(c.kind.tolist(), c.side.tolist(), c.price_ticks.tolist(), c.qty_lots.tolist(), strict=True)
    ):
        if kind == LEVEL and qty:
            book[side][price] = qty
        elif kind == LEVEL:
            book[side].pop(price, None)
        if row > 5_000 and row % 2_000 == 0:
            for which, ladder in book.items():
                best = sorted(ladder, reverse=which == BUY)[:10]
                told.append((sum(ladder[p] for p in best) / _BTC_LOTS, abs(best[-1] - best[0])))
    return np.array(told, dtype=np.float64)


def _kraken_lives(rows: pd.DataFrame) -> tuple[float, Floats]:
    """Median life (Kaplan-Meier) and sizes of new orders; an order's life is at one price, from add to delete.

    An add that is received more than two seconds after its own time is an order that has come into the ten levels.
    The recorder's clock has another time zone and is 0.383 s behind.
    """
    received = pd.to_datetime(rows.ts_recv).astype("datetime64[ns]").astype("int64") / 1e9 + 7 * 3600 + 0.383
    own = pd.to_datetime(rows.ts_event).astype("datetime64[ns, UTC]").astype("int64") / 1e9
    resting: dict[tuple[str, float], float] = {}
    lives: list[tuple[float, bool]] = []
    sizes = []
    for action, order_id, price, size, at_s, own_s in zip(
        rows.action, rows.order_id, rows.price, rows["size"], received, own, strict=True
    ):
        key = (order_id, price)
        if action == "add" and key not in resting and at_s - own_s <= 2:
            resting[key] = at_s
            sizes.append(size)
        elif action == "delete" and key in resting:
            lives.append((at_s - resting.pop(key), True))
    lives += [(received.iloc[-1] - at_s, False) for at_s in resting.values()]
    alive, share = len(lives), 1.0
    for life_s, is_seen in sorted(lives):
        share *= 1 - is_seen / alive
        alive -= 1
        if share <= 0.5:
            return life_s, np.array(sizes)
    raise AssertionError("fewer than half of the orders are seen to end")


def _kraken_trades(path: Path) -> tuple[float, Floats, Ints, Ints, Floats]:
    """Span, and time, side, price and quantity of each BTC/USD trade of a recording."""
    trades = pd.read_csv(path).query("symbol == 'BTC/USD'")
    ts_s = _seconds(trades.ts_event)
    side = (trades.side == "sell").to_numpy().astype(np.int64)
    return float(ts_s[-1] - ts_s[0]), ts_s, side, _ticks(trades.price), trades.qty.to_numpy()


def _seconds(texts: pd.Series) -> Floats:
    ns = pd.to_datetime(texts).astype("datetime64[ns, UTC]").astype("int64").to_numpy()
    return np.asarray((ns - ns[0]) / 1e9)


def _ticks(prices: pd.Series) -> Ints:
    return np.round(prices.to_numpy() * 10).astype(np.int64)


def _cents(price: str | float) -> int:
    return round(float(price) * 100)
