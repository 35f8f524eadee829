"""The figures of a market as text for a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from framework.data.info import BookInfo, MarketInfo, OrderInfo, Percentiles, TradeInfo

__all__ = ["format_info"]

_NAME_WIDTH = 24


def format_info(info: MarketInfo) -> str:
    """One line for each figure; prices in ticks, quantities in units of the base asset, times in UTC."""
    spec = info.spec
    lines = [
        f"{spec.symbol} on {spec.venue}, {info.depth}",
        _line("grid", f"tick {spec.tick_size} {spec.quote}, lot {spec.lot_size} {spec.base}"),
        _line("minimum order", f"{_plain(spec.qty(spec.min_qty_lots))} {spec.base}, {spec.min_cost} {spec.quote}"),
        _line("span", f"{_time(info.first_ts_ns)} to {_time(info.last_ts_ns)} ({_duration(info.span_s)})"),
        _line("rows", f"{info.rows:,} in {info.messages:,} messages"),
        _line("rows by kind", ", ".join(f"{name} {count:,}" for name, count in info.rows_by_kind.items())),
    ]
    lines += [
        _line(
            "longest pauses" if i == 0 else "",
            f"{_duration(g.length_ns / 1e9)} before row {g.row:,}, {_time(g.from_ts_ns)}",
        )
        for i, g in enumerate(info.gaps)
    ]
    if info.recv_delay_ms is not None:
        lines.append(_line("receive delay, ms", _percentiles(info.recv_delay_ms, 1, "{:.3f}")))
    if info.book is not None:
        lines += _book_lines(info, info.book)
    if info.trades is not None:
        lines += _trade_lines(info, info.trades)
    if info.orders is not None:
        lines += _order_lines(info, info.orders)
    if "checksums_verified" in info.statistics:
        failed = info.statistics.get("checksums_failed", 0)
        lines.append(_line("checksums", f"{info.statistics['checksums_verified']} verified, {failed} failed"))
    others = [(name, value) for name, value in info.statistics.items() if not name.startswith("checksums_")]
    if others:
        lines.append(_line("import", ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in others)))
    lines += [_line("note", note) for note in info.notes]
    return "\n".join(lines) + "\n"


def _book_lines(info: MarketInfo, book: BookInfo) -> list[str]:
    from framework.data.info import DEPTH_BANDS, DISTANCES

    lot = float(Decimal(info.spec.lot_size))
    bad = "none"
    if book.first_bad_row is not None:
        bad = f"{book.crossed:,} crossed, {book.locked:,} locked, the first after row {book.first_bad_row:,}"
    lines = [_line("crossed or locked books", bad)]
    if book.spread_ticks is not None and book.touch_lots is not None:
        lines.append(_line("spread, ticks", _percentiles(book.spread_ticks, 1, "{:.0f}")))
        lines.append(_line(f"at the touch, {info.spec.base}", _percentiles(book.touch_lots, lot, "{:.8g}")))
    for band, (bids, asks) in zip(DEPTH_BANDS, book.depth_lots, strict=True):
        where = "at best price" if band == 0 else f"within {band} ticks"
        lines.append(_line(f"depth {where}", f"median {bids * lot:.8g} bid, {asks * lot:.8g} ask"))
    changes = f"{book.touch_changes_per_s:.3g} price changes, {book.touch_updates_per_s:.3g} updates in all"
    lines.append(_line("touch, per second", changes))
    edges = ["inside", *(f"{low}+" for low in DISTANCES)]
    rates = (f"{edge} {rate:.3g}" for edge, rate in zip(edges, book.arrivals_per_s, strict=True))
    what = "additions" if info.depth == "L3" else "changes"
    lines.append(_line(f"{what}/s by distance", ", ".join(rates)))
    return lines


def _trade_lines(info: MarketInfo, trades: TradeInfo) -> list[str]:
    lot = float(Decimal(info.spec.lot_size))
    volume = _plain(info.spec.qty(trades.volume_lots))
    lines = [
        _line("trades", f"{trades.count:,}, volume {volume} {info.spec.base}, {trades.trades_per_s:.3g} per second"),
        _line(f"trade size, {info.spec.base}", _percentiles(trades.qty_lots, lot, "{:.8g}")),
    ]
    share = "not known" if trades.buy_share is None else f"{trades.buy_share:.1%} buys"
    unknown = (
        f", {trades.unknown_side:,} of unknown side" if trades.unknown_side and trades.buy_share is not None else ""
    )
    lines.append(_line("aggressors", share + unknown))
    variation = (
        "" if trades.gap_variation is None else f"gaps vary by {trades.gap_variation:.2f} of their mean (Poisson 1), "
    )
    lines.append(_line("bursts", f"{variation}{trades.burst_share:.1%} within 10 ms of the one before"))
    return lines


def _order_lines(info: MarketInfo, orders: OrderInfo) -> list[str]:
    lot = float(Decimal(info.spec.lot_size))
    lines = [
        _line(
            "orders", f"{orders.added:,} added, {orders.ended:,} ended, {orders.executed:,} of these after executions"
        ),
        _line(f"order size, {info.spec.base}", _percentiles(orders.qty_lots, lot, "{:.8g}")),
    ]
    if orders.lifetime_s is not None:
        lines.append(_line("order lifetime, s", _percentiles(orders.lifetime_s, 1, "{:.4g}")))
    lines.append(_line("cancels", f"{orders.cancels_per_order_s:.4g} per resting order and second"))
    return lines


def _line(name: str, text: str) -> str:
    return f"  {name:<{_NAME_WIDTH}} {text}"


def _percentiles(values: Percentiles, scale: float, form: str) -> str:
    named = (("5%", values.p5), ("median", values.p50), ("95%", values.p95), ("99%", values.p99), ("mean", values.mean))
    return ", ".join(f"{name} {(form if name != 'mean' else '{:.4g}').format(value * scale)}" for name, value in named)


def _time(ts_ns: int) -> str:
    seconds, nanoseconds = divmod(ts_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S}.{nanoseconds // 1_000_000:03d}"


def _duration(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:.2f} h"
    return f"{seconds / 60:.2f} min" if seconds >= 60 else f"{seconds:.3f} s"


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
