"""What a page shows of one run, as plain data for its script. Times are milliseconds after the market's first row."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from framework.backtest.compared_figures import FIGURES
from framework.backtest.figures import RunMetrics
from framework.backtest.fill_accounts import Accounts
from framework.backtest.metrics import metrics_of
from framework.backtest.order_lives import OrderLives
from framework.backtest.road_figures import leg_us
from framework.backtest.run_folder import MISSING, RunFolder, ints, of_kind, texts
from framework.protocol import InstrumentSpec
from framework.report.divergence_data import divergence_data
from framework.report.order_data import order_data
from framework.report.thinning import Budget, envelope, evenly, milliseconds, rounded

__all__ = ["run_data"]

_BINS = 48


def run_data(folder: RunFolder, budget: Budget) -> dict[str, Any]:
    """One run. Raises DataError for a folder that is not one."""
    metrics = metrics_of(folder)
    first_ns, last_ns = folder.inputs.span_ns
    specs = folder.inputs.specs
    accounts = Accounts(folder.events, folder.touch, specs)
    lives = OrderLives(folder.events, last_ns)
    orders, index_of = order_data(folder, lives, first_ns, budget)
    return {
        "road": metrics.road,
        "title": metrics.road_title,
        "strategy": metrics.strategy,
        "seed": metrics.seed,
        "currency": metrics.currency,
        "from": _clock(first_ns),
        "epoch": first_ns // 1_000_000,
        "span": milliseconds(last_ns, first_ns),
        "tiles": _tiles(metrics),
        "divergence": divergence_data(folder, first_ns),
        "equity": _equity(accounts, first_ns, budget),
        "markets": [
            _market(folder.touch, accounts, lives, index_of, symbol, spec, first_ns, budget)
            for symbol, spec in specs.items()
        ],
        "counter": _counter(lives, folder.inputs.counter_decay_per_ns, first_ns, last_ns, budget),
        "orders": orders,
        "latencies": _latencies(folder.events),
        "events": _events(folder.events, first_ns, budget),
        "shades": _shades(folder.events, lives, first_ns, last_ns),
        "figures": _figures(metrics),
        "inputs": msgspec.toml.encode(folder.inputs.values).decode(),
    }


def _clock(ts_ns: int) -> str:
    return datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


# ---------------------------------------------------------------------------------------------------------- tiles


def _tiles(m: RunMetrics) -> list[dict[str, Any]]:
    """The figures at the top: label, value, what stands below it, and whether it is good (1) or bad (-1) news."""
    at_10s = next(mark for mark in m.markouts if mark.horizon_s == 10)
    learned = [latency for latency in m.latencies if latency.command == "TRADE"]
    learn_us = max(learned, key=lambda latency: latency.count).arrived_learned_p50_us if learned else None
    double = m.races.after_inversion
    return [
        _tile("Net P&L", _money(m.pnl.net), f"{m.currency}, drawdown {_money(m.drawdown_max)}", _sign(m.pnl.net)),
        _tile(
            "Spread at fill", _money(m.pnl.spread_at_fill), f"{m.currency} against the mid", _sign(m.pnl.spread_at_fill)
        ),
        _tile("Inventory", _money(m.pnl.inventory), f"{m.currency}, position times mid", _sign(m.pnl.inventory)),
        _tile("Fees", _money(m.pnl.fees), f"{m.currency}, maker {_money(m.pnl.fees_maker)}", 0),
        _tile(
            "Markout 10 s",
            _money(at_10s.value),
            f"{m.currency}, of {at_10s.fills} fills, {at_10s.fills_left_out} left out",
            _sign(at_10s.value),
        ),
        _tile(
            "Fills", f"{m.pnl.fills:,}", f"{_percent(m.fill_ratio_qty)} of quantity, maker {_percent(m.maker_share)}", 0
        ),
        _tile("Orders", f"{m.orders:,}", f"{_percent(m.fill_ratio_orders)} filled, {m.orders_denied:,} denied", 0),
        _tile(
            "Late fills",
            f"{m.late_fills.count:,}",
            f"after the cancel was sent; 10 s: {_money(m.late_fills.markout_10s)}",
            -bool(m.late_fills.count),
        ),
        _tile(
            "Inversions",
            f"{m.races.inverted:,}",
            f"of {m.races.pairs:,} cancel/new pairs, {_percent(m.races.share)}",
            -bool(m.races.inverted),
        ),
        _tile(
            "Double exposure",
            f"{double.seconds:.3g} s",
            f"longest {double.seconds_max * 1_000:.3g} ms, up to {double.qty_max.normalize():f}",
            -bool(double.count),
        ),
        _tile(
            "Rate limited",
            f"{m.refusals.rate_limit:,}",
            f"other refusals {m.refusals.other:,}; counter to {_percent(m.counter.share_max)}",
            -bool(m.refusals.rate_limit),
        ),
        _tile(
            "Nobody can cancel",
            f"{m.orphans.seconds:.3g} s",
            f"orders {m.orphans.orders:,}, fills {m.orphans.fills:,}: {_money(m.orphans.net)} {m.currency}",
            -bool(m.orphans.orders),
        ),
        _tile("Fill learned after", _duration(learn_us), "median, engine to strategy", 0),
        _tile("Amends", f"{m.amends.sent:,}", f"kept queue place {m.amends.kept:,}, lost {m.amends.lost:,}", 0),
    ]


def _tile(label: str, value: str, note: str, tone: int) -> dict[str, Any]:
    return {"label": label, "value": value, "note": note, "tone": tone}


def _money(value: Any) -> str:
    number = float(value)
    digits = 2 if abs(number) >= 1 or number == 0 else 4
    return f"{number:,.{digits}f}".replace("-", "\u2212")


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.3g} %"


def _duration(us: float | None) -> str:
    if us is None:
        return "none"
    if us >= 1e6:
        return f"{us / 1e6:.3g} s"
    return f"{us / 1e3:.3g} ms" if us >= 1e3 else f"{us:.3g} µs"


def _sign(value: Any) -> int:
    return int(value > 0) - int(value < 0)


def _figures(m: RunMetrics) -> list[list[Any]]:
    rows = []
    for f in FIGURES:
        value = f.value(m)
        unit = f.unit.replace("currency", m.currency).replace("qty", "base")
        rows.append([f.group, f.title, unit, None if value is None else rounded(value)])
    return rows


# ---------------------------------------------------------------------------------------------------------- series


def _equity(accounts: Accounts, first_ns: int, budget: Budget) -> dict[str, list[float]]:
    ts_ns, equity, _ = accounts.equity()
    values = equity.astype(np.float64) * 10.0**-accounts.decimals
    at = envelope(values, budget.points)
    return _series(ts_ns[at], values[at], first_ns)


def _series(ts_ns: Any, values: Any, first_ns: int) -> dict[str, list[float]]:
    return {
        "t": [milliseconds(ts, first_ns) for ts in ts_ns.tolist()],
        "v": [rounded(value) for value in values.tolist()],
    }


def _market(
    touch: pa.Table,
    accounts: Accounts,
    lives: OrderLives,
    index_of: dict[str, int],
    symbol: str,
    spec: InstrumentSpec,
    first_ns: int,
    budget: Budget,
) -> dict[str, Any]:
    account = accounts.by_symbol[symbol]
    tick, lot = float(spec.tick_size), float(spec.lot_size)
    ts_ns, _, position, _ = account.equity()
    at = envelope(position, budget.points)
    return {
        "symbol": symbol,
        "base": spec.base,
        "quote": spec.quote,
        "decimals": max(0, -int(Decimal(spec.tick_size).normalize().as_tuple().exponent)),
        "touch": _touch(touch, symbol, tick, first_ns, budget),
        "position": _series(ts_ns[at], position[at].astype(np.float64) * lot, first_ns),
        "fills": _fills(accounts, lives, index_of, symbol, first_ns, budget),
        "fill_total": len(account.fills),
    }


def _touch(touch: pa.Table, symbol: str, tick: float, first_ns: int, budget: Budget) -> dict[str, list[Any]]:
    """Bid and ask; where samples are joined, the lowest bid and the highest ask of each stretch."""
    rows = touch.filter(pc.equal(touch.column("symbol"), symbol))
    ts_ns, bid, ask = ints(rows, "ts_ns"), ints(rows, "bid_ticks"), ints(rows, "ask_ticks")
    if not len(ts_ns):
        return {"t": [], "bid": [], "ask": []}
    starts = np.unique(np.linspace(0, len(ts_ns), min(len(ts_ns), budget.points), endpoint=False).astype(np.int64))
    low = np.minimum.reduceat(np.where(bid == MISSING, np.iinfo(np.int64).max, bid), starts)
    high = np.maximum.reduceat(ask, starts)
    return {
        "t": [milliseconds(ts, first_ns) for ts in ts_ns[starts].tolist()],
        "bid": [None if v == np.iinfo(np.int64).max else rounded(v * tick) for v in low.tolist()],
        "ask": [None if v == MISSING else rounded(v * tick) for v in high.tolist()],
    }


def _fills(
    accounts: Accounts, lives: OrderLives, index_of: dict[str, int], symbol: str, first_ns: int, budget: Budget
) -> list[list[Any]]:
    """Fills as [time, price, quantity, side, maker, mark, order]: maker 1, 0 or null; mark bits 1 late, 2 orphan; order
    its index in the page's orders, -1 where it is not among them. Marked fills are kept first if there are too many.
    """
    fills = accounts.by_symbol[symbol].fills
    orphaned: dict[str, list[tuple[int, int]]] = {}
    for stretch in lives.orphanings():
        orphaned.setdefault(stretch.key, []).append((stretch.from_ns, stretch.until_ns))
    rows = []
    columns = zip(
        fills.ts_venue_ns.tolist(),
        fills.price_ticks.tolist(),
        fills.signed_lots.tolist(),
        fills.is_maker.tolist(),
        fills.keys,
        strict=True,
    )
    for ts_ns, price, lots, is_maker, key in columns:
        is_orphan = any(start <= ts_ns <= end for start, end in orphaned.get(key, ()))
        mark = lives.is_late(key, ts_ns) + 2 * is_orphan
        rows.append(
            [
                milliseconds(ts_ns, first_ns),
                rounded(price * float(fills.spec.tick_size)),
                rounded(abs(lots) * float(fills.spec.lot_size)),
                int(lots < 0),
                None if is_maker == MISSING else is_maker,
                int(mark),
                index_of.get(key, -1),
            ]
        )
    if len(rows) <= budget.fills:
        return rows
    marked = evenly([row for row in rows if row[5]], budget.fills // 2)
    plain = evenly([row for row in rows if not row[5]], budget.fills - len(marked))
    return sorted(marked + plain, key=lambda row: float(row[0]))


def _counter(
    lives: OrderLives, decay_per_ns: int | None, first_ns: int, last_ns: int, budget: Budget
) -> list[dict[str, Any]]:
    """By symbol the counter's share of its threshold, falling between charges if its decay is known, and refusals."""
    commands = lives.commands
    counter, threshold, arrived = (ints(commands, n) for n in ("counter", "counter_threshold", "ts_arrived_ns"))
    symbols = [s or getattr(lives.by_key.get(k), "symbol", None) for s, k in zip(
        texts(commands, "symbol"), lives.command_keys, strict=True
    )]  # fmt: skip
    reasons = texts(commands, "reject_reason")
    found = []
    for symbol in sorted({symbol for symbol in symbols if symbol}):
        mine = [i for i, s in enumerate(symbols) if s == symbol and counter[i] != MISSING and arrived[i] != MISSING]
        mine.sort(key=lambda i: (arrived[i], i))
        times: list[int] = []
        shares: list[float] = []
        for i in mine:
            if times and decay_per_ns:
                _fall(times, shares, int(arrived[i]), decay_per_ns / int(threshold[i]))
            times.append(int(arrived[i]))
            shares.append(100.0 * int(counter[i]) / int(threshold[i]))
        if mine and decay_per_ns:
            _fall(times, shares, last_ns, decay_per_ns / int(threshold[mine[-1]]))
        values = np.asarray(shares)
        at = envelope(values, budget.points)
        limited = [int(arrived[i]) for i in mine if reasons[i] == "rate_limit"]
        if mine:
            found.append(
                {
                    "symbol": symbol,
                    **_series(np.asarray(times)[at], values[at], first_ns),
                    "refused": [milliseconds(ts, first_ns) for ts in evenly(limited, budget.events)],
                }
            )
    return found


def _fall(times: list[int], shares: list[float], until_ns: int, decay_per_ns: float) -> None:
    """Add the points of a counter that falls from its last value until a time."""
    fall = 100.0 * decay_per_ns * (until_ns - times[-1])
    if fall < shares[-1]:
        times.append(until_ns)
        shares.append(shares[-1] - fall)
    else:
        times += [times[-1] + int(shares[-1] / (100.0 * decay_per_ns)), until_ns]
        shares += [0.0, 0.0]


# ---------------------------------------------------------------------------------------------------------- road


def _latencies(events: pa.Table) -> list[dict[str, Any]]:
    """Histograms over the logarithm of microseconds, by link, command and leg ("out", "back")."""
    found = []
    for kind, legs in (
        ("command", (("out", "ts_sent_ns", "ts_arrived_ns"), ("back", "ts_arrived_ns", "ts_learned_ns"))),
        ("fill", (("back", "ts_venue_ns", "ts_learned_ns"),)),
    ):
        table = of_kind(events, kind)
        where = np.asarray(
            [f"{link or ''}\0{name}" for link, name in zip(texts(table, "link"), texts(table, "name"), strict=True)],
            dtype=object,
        )
        for label in sorted(set(where.tolist())):
            link, name = label.split("\0")
            parts = []
            for leg, first, second in legs:
                took = leg_us(ints(table, first)[where == label], ints(table, second)[where == label])
                if len(took):
                    parts.append({"leg": leg, **_histogram(took)})
            if link and parts:
                found.append({"link": link, "name": "fill" if name == "TRADE" else name, "legs": parts})
    return found


def _histogram(took_us: Any) -> dict[str, Any]:
    logs = np.log10(np.maximum(took_us, 0.1))
    low, high = float(logs.min()), float(logs.max())
    if high - low < 0.02:
        low, high = low - 0.01, high + 0.01
    counts, _ = np.histogram(logs, bins=_BINS, range=(low, high))
    return {
        "n": len(took_us),
        "lo": round(low, 4),
        "hi": round(high, 4),
        "bins": counts.tolist(),
        "p50": rounded(float(np.quantile(took_us, 0.5))),
        "p99": rounded(float(np.quantile(took_us, 0.99))),
    }


def _events(events: pa.Table, first_ns: int, budget: Budget) -> dict[str, Any]:
    """Session, desk and venue rows (without the lives of orders) as [time, kind, name, link, order, text]."""
    rows = []
    for kind, time in (("session", "ts_learned_ns"), ("desk", "ts_learned_ns"), ("venue", "ts_venue_ns")):
        table = of_kind(events, kind)
        columns = zip(
            ints(table, time).tolist(),
            *(texts(table, name) for name in ("name", "link", "cl_ord_id", "text", "reach", "cl_ord_ids")),
            strict=True,
        )
        for ts_ns, name, link, order, text, reach, orders in columns:
            if name in ("OrderRested", "OrderEnded") or ts_ns == MISSING:
                continue
            said = [text] if text else []
            if reach is not None:
                said.append(f"reach: {reach or 'none'}")
            if orders:
                count = orders.count(",") + 1
                said.append(f"{count} open order{'s' * (count > 1)}")
            rows.append([milliseconds(ts_ns, first_ns), kind, name, link, order, "; ".join(said)[:400]])
    rows.sort(key=lambda row: float(row[0]))
    rare = [row for row in rows if row[1] != "desk"]
    shown = evenly(rare, budget.events // 2)
    shown += evenly([row for row in rows if row[1] == "desk"], budget.events - len(shown))
    return {"total": len(rows), "rows": sorted(shown, key=lambda row: float(row[0]))}


def _shades(events: pa.Table, lives: OrderLives, first_ns: int, last_ns: int) -> list[list[Any]]:
    """Stretches of time to shade as [from, until, kind]: a link "down", an order out of reach ("orphan")."""
    found: list[list[Any]] = []
    table = of_kind(events, "session")
    since: dict[str | None, int] = {}
    for name, link, ts_ns in zip(
        texts(table, "name"), texts(table, "link"), ints(table, "ts_learned_ns").tolist(), strict=True
    ):
        if name == "SessionClosed":
            since.setdefault(link, ts_ns)
        elif link in since:
            found.append([since.pop(link), ts_ns, "down"])
    found += [[ts_ns, last_ns, "down"] for ts_ns in since.values()]
    merged: list[list[Any]] = []
    for stretch in sorted(lives.orphanings(), key=lambda s: s.from_ns):
        if merged and stretch.from_ns <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], stretch.until_ns)
        else:
            merged.append([stretch.from_ns, stretch.until_ns, "orphan"])
    return [[milliseconds(a, first_ns), milliseconds(b, first_ns), kind] for a, b, kind in found + merged]
