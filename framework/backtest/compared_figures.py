"""The figures by which roads are compared: what each is called, its unit, and where it stands in a run's figures."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from framework.backtest.figures import RunMetrics

__all__ = ["FIGURES", "Figure", "figure"]

_BASIS_POINTS = 10_000


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of a run as a number.

    unit: "currency" for the run's currency, "qty" for base quantity, else as it is written; "" for a count.
    better: 1 where more is better, -1 where less is, 0 where neither can be said.
    value: None where the run has none.
    """

    key: str
    title: str
    group: str
    unit: str
    better: int
    value: Callable[[RunMetrics], float | None]


def _number(value: Decimal | float | None) -> float | None:
    return None if value is None else float(value)


def _percent(value: float | None) -> float | None:
    return None if value is None else 100.0 * value


def _per_turnover(m: RunMetrics) -> float | None:
    return float(m.pnl.net / m.pnl.turnover) * _BASIS_POINTS if m.pnl.turnover else None


def _markout(horizon_s: int) -> Callable[[RunMetrics], float | None]:
    def value(m: RunMetrics) -> float | None:
        return next((float(mark.value) for mark in m.markouts if mark.horizon_s == horizon_s), None)

    return value


def _latency_ms(command: str, leg: str) -> Callable[[RunMetrics], float | None]:
    """Of the link that carried most of the commands of this name."""

    def value(m: RunMetrics) -> float | None:
        rows = [latency for latency in m.latencies if latency.command == command and latency.link]
        if not rows:
            return None
        most = max(rows, key=lambda latency: latency.count)
        found: float | None = getattr(most, leg)
        return None if found is None else found / 1_000

    return value


def _group(title: str, *rows: tuple[str, str, str, int, Callable[[RunMetrics], float | None]]) -> list[Figure]:
    return [
        Figure(key=key, title=name, group=title, unit=unit, better=better, value=value)
        for key, name, unit, better, value in rows
    ]


FIGURES: tuple[Figure, ...] = (
    *_group(
        "Profit and loss",
        ("net", "net P&L", "currency", 1, lambda m: _number(m.pnl.net)),
        ("spread", "spread earned at fill", "currency", 1, lambda m: _number(m.pnl.spread_at_fill)),
        ("inventory", "inventory", "currency", 0, lambda m: _number(m.pnl.inventory)),
        ("fees", "fees", "currency", -1, lambda m: _number(m.pnl.fees)),
        ("markout_1s", "markout 1 s", "currency", 1, _markout(1)),
        ("markout_10s", "markout 10 s", "currency", 1, _markout(10)),
        ("markout_60s", "markout 60 s", "currency", 1, _markout(60)),
        ("net_bp", "net of turnover", "bp", 1, _per_turnover),
        ("drawdown", "greatest drawdown", "currency", -1, lambda m: _number(m.drawdown_max)),
        ("position", "greatest position, worth", "currency", 0, lambda m: _number(m.position_worth_max)),
    ),
    *_group(
        "Orders and fills",
        ("orders", "orders sent", "", 0, lambda m: m.orders),
        ("fills", "fills", "", 0, lambda m: m.pnl.fills),
        ("fill_ratio_qty", "filled of ordered quantity", "%", 0, lambda m: _percent(m.fill_ratio_qty)),
        ("fill_ratio_orders", "orders with a fill", "%", 0, lambda m: _percent(m.fill_ratio_orders)),
        ("maker_share", "filled as maker", "%", 0, lambda m: _percent(m.maker_share)),
        ("commands", "commands sent", "", 0, lambda m: sum(m.commands.values())),
        ("lost", "commands lost", "", -1, lambda m: sum(m.commands_lost.values())),
    ),
    *_group(
        "Cancels",
        ("late_fills", "fills after the cancel was sent", "", -1, lambda m: m.late_fills.count),
        ("late_qty", "late fills, quantity", "qty", -1, lambda m: _number(m.late_fills.qty)),
        ("late_markout", "late fills, markout 10 s", "currency", 1, lambda m: _number(m.late_fills.markout_10s)),
        ("pairs", "cancel/new pairs", "", 0, lambda m: m.races.pairs),
        ("inverted", "inverted at the engine", "", -1, lambda m: m.races.inverted),
        ("inverted_share", "inverted, of pairs", "%", -1, lambda m: _percent(m.races.share)),
        ("double_s", "double exposure after inversion", "s", -1, lambda m: m.races.after_inversion.seconds),
        ("double_max_ms", "longest double exposure", "ms", -1, lambda m: m.races.after_inversion.seconds_max * 1_000),
        ("double_qty", "greatest double exposure", "qty", -1, lambda m: _number(m.races.after_inversion.qty_max)),
        ("double_qty_s", "double exposure times time", "qty s", -1, lambda m: m.races.after_inversion.qty_seconds),
        ("failed_s", "double exposure, cancel failed", "s", -1, lambda m: m.races.after_failed_cancel.seconds),
    ),
    *_group(
        "Limits and amends",
        ("rate_limited", "refused by a rate limit", "", -1, lambda m: m.refusals.rate_limit),
        ("refused", "refused otherwise", "", -1, lambda m: m.refusals.other),
        ("denied", "denied before sending", "", -1, lambda m: m.orders_denied),
        ("counter", "rate counter at most, of threshold", "%", -1, lambda m: _percent(m.counter.share_max)),
        ("counter_high_s", "time above 80 % of the threshold", "s", -1, lambda m: m.counter.above_80_s),
        ("amends_kept", "amends that kept queue place", "", 0, lambda m: m.amends.kept),
        ("amends_lost", "amends that lost queue place", "", 0, lambda m: m.amends.lost),
    ),
    *_group(
        "Nobody able to cancel",
        ("orphans", "orders without reach", "", -1, lambda m: m.orphans.orders),
        ("orphan_s", "time without reach, all orders", "s", -1, lambda m: m.orphans.seconds),
        ("orphan_max_s", "longest without reach", "s", -1, lambda m: m.orphans.seconds_max),
        ("orphan_qty_s", "quantity times that time", "qty s", -1, lambda m: m.orphans.qty_seconds),
        ("orphan_fills", "fills without reach", "", -1, lambda m: m.orphans.fills),
        (
            "orphan_markout",
            "fills without reach, markout 10 s",
            "currency",
            1,
            lambda m: _number(m.orphans.markout_10s),
        ),
        ("orphan_net", "fills without reach, net P&L", "currency", 1, lambda m: _number(m.orphans.net)),
    ),
    *_group(
        "Time and place",
        ("add_ms", "new order to the engine, median", "ms", -1, _latency_ms("AddOrder", "sent_arrived_p50_us")),
        ("add_p99_ms", "new order to the engine, 99 %", "ms", -1, _latency_ms("AddOrder", "sent_arrived_p99_us")),
        ("cancel_ms", "cancel to the engine, median", "ms", -1, _latency_ms("CancelOrder", "sent_arrived_p50_us")),
        ("learn_ms", "fill to the strategy, median", "ms", -1, _latency_ms("TRADE", "arrived_learned_p50_us")),
        ("learn_p99_ms", "fill to the strategy, 99 %", "ms", -1, _latency_ms("TRADE", "arrived_learned_p99_us")),
        ("ahead_placed", "ahead in the queue when placed, median", "qty", 0, lambda m: m.queue_at_placement.ahead_p50),
        ("ahead_filled", "ahead in the queue at fill, median", "qty", 0, lambda m: m.queue_at_fill.ahead_p50),
    ),
)


def figure(key: str) -> Figure:
    """The figure of a key; raises KeyError."""
    return next((f for f in FIGURES if f.key == key), None) or _unknown(key)


def _unknown(key: str) -> Figure:
    raise KeyError(f"no figure {key!r}; there are {', '.join(f.key for f in FIGURES)}")
