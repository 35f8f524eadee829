"""The figures of one run, computed from its tables and from nothing else.

Where a figure is defined: money, markouts and equity in ``framework.backtest.fill_accounts``; lives of orders, late
fills, replacement pairs, inversions, double exposure and orphan time in ``framework.backtest.order_lives``; latencies,
refusals, counters and queue places in ``framework.backtest.road_figures``. Here:

fill ratio by quantity   filled over ordered. Ordered is, for each order that was sent, the most that it was asked to
                         be (its AddOrder, or an amend that was carried out), or what it filled if that is more (market
                         orders by an amount of quote currency state no quantity). None without orders.
fill ratio by orders     orders with a fill over orders sent.
maker share              of the quantity whose fills are known as maker or taker, the part filled as maker.
drawdown                 the greatest fall of the equity from its highest point so far (the start, at 0, included), at
                         the times of ``FillAccount.equity``.
position                 its worth at the mid: the greatest, and the mean over time from the first to the last of those
                         times, of its absolute value.

Amounts are exact decimals of ``currency``, the first instrument's quote currency; instruments in another quote currency
have their figures in ``by_symbol`` and are left out of the totals. Quantities are exact decimals of base units, summed
over instruments. Floats are statistics.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from framework.backtest.figures import (
    Amends,
    CancelRaces,
    DoubleExposure,
    EquityCurve,
    LateFills,
    Markout,
    OrphanOrder,
    Orphans,
    ProfitAndLoss,
    RunMetrics,
)
from framework.backtest.fill_accounts import HORIZONS_S, Accounts, FillAccount, exact_decimal
from framework.backtest.order_lives import OrderLives, Orphaning, ReplacementPair
from framework.backtest.road_figures import (
    QueuePlace,
    counter_use,
    latencies,
    queue_places,
    refusals,
)
from framework.backtest.run_folder import MISSING, RunFolder, RunInputs, ints, of_kind, texts
from framework.errors import DataError

__all__ = [
    "RunMetrics",
    "metrics_of",
    "read_metrics",
    "run_metrics",
    "write_summary",
]

_CURVE_POINTS = 240
_ORPHANS_LISTED = 100


class _Run:
    """The tables of one run, read once, and what several figures need of them."""

    def __init__(self, events: pa.Table, touch: pa.Table, queue: pa.Table, inputs: RunInputs) -> None:
        self.events, self.queue, self.inputs = events, queue, inputs
        self.specs = inputs.specs
        self.first_ns, self.last_ns = inputs.span_ns
        self.money_of = Accounts(events, touch, self.specs)
        self.decimals = self.money_of.decimals
        self.accounts, self.counted = self.money_of.by_symbol, self.money_of.counted
        self.lives = OrderLives(events, self.last_ns)
        self.lot_sizes = {symbol: Decimal(spec.lot_size) for symbol, spec in self.specs.items()}

    def money(self, units: int) -> Decimal:
        return exact_decimal(units, self.decimals)

    def qty(self, lots: int, symbol: str | None) -> Decimal:
        return self.lot_sizes.get(symbol or "", Decimal(1)) * lots

    def qty_of(self, account: FillAccount, mask: npt.NDArray[np.bool_]) -> Decimal:
        return account.fills.spec.qty(int(np.abs(account.fills.signed_lots[mask]).sum()))


def run_metrics(events: pa.Table, touch: pa.Table, queue: pa.Table, inputs: RunInputs) -> RunMetrics:
    """The figures of a run. Raises DataError for tables that do not fit the inputs."""
    run = _Run(events, touch, queue, inputs)
    commands = run.lives.commands
    names = [name or "" for name in texts(commands, "name")]
    outcomes = texts(commands, "outcome")
    lost = Counter(name for name, outcome in zip(names, outcomes, strict=True) if outcome == "lost")
    sent = [run.lives.by_key[key] for key in dict.fromkeys(_keys_of(run, names, "AddOrder"))]
    ordered = sum((run.qty(max(life.asked_lots, life.filled_lots), life.symbol) for life in sent), Decimal(0))
    filled_of_sent = sum((run.qty(life.filled_lots, life.symbol) for life in sent), Decimal(0))
    orders_filled = sum(1 for life in sent if life.fill_count)
    everything = [(a, np.ones(len(a.fills), dtype=bool)) for a in run.accounts.values()]
    maker, taker = (_qty_where(run, value) for value in (1, 0))
    equity_ns, equity, worth = run.money_of.equity()
    return RunMetrics(
        road=inputs.road,
        road_title=inputs.road_title,
        strategy=inputs.strategy,
        seed=inputs.seed,
        currency=run.money_of.currency,
        first_ns=run.first_ns,
        last_ns=run.last_ns,
        pnl=_profit(run, run.counted),
        by_symbol={symbol: _profit(run, [account]) for symbol, account in run.accounts.items()},
        markouts=tuple(_markout(run, horizon_s) for horizon_s in HORIZONS_S),
        drawdown_max=run.money(_drawdown(equity)),
        position_worth_max=run.money(int(np.abs(worth).max()) if len(worth) else 0),
        position_worth_mean=_mean_over_time(equity_ns, np.abs(worth)) * 10.0**-run.decimals,
        orders=len(sent),
        orders_filled=orders_filled,
        orders_denied=_count(of_kind(events, "desk"), "OrderDenied"),
        ordered_qty=ordered,
        filled_qty=sum((run.qty_of(a, mask) for a, mask in everything), Decimal(0)),
        fill_ratio_qty=float(filled_of_sent / ordered) if ordered else None,
        fill_ratio_orders=orders_filled / len(sent) if sent else None,
        maker_share=float(maker / (maker + taker)) if maker + taker else None,
        fills_unlearned=sum(int(np.count_nonzero(a.fills.ts_learned_ns == MISSING)) for a, _ in everything),
        commands=dict(sorted(Counter(names).items())),
        commands_lost=dict(sorted(lost.items())),
        late_fills=_late_fills(run),
        races=_races(run),
        refusals=refusals(commands),
        amends=_amends(commands, names),
        latencies=latencies(events),
        orphans=_orphans(run),
        counter=counter_use(commands, _symbols(run), inputs.counter_decay_per_ns, run.last_ns),
        queue_at_placement=(places := _queue(run))[0],
        queue_at_fill=places[1],
        equity=_thinned(run, equity_ns, equity),
    )


def metrics_of(folder: RunFolder) -> RunMetrics:
    """The figures of a run folder, computed anew from its tables."""
    return run_metrics(folder.events, folder.touch, folder.queue, folder.inputs)


def write_summary(path: Path, event_log_sha256: str) -> RunMetrics:
    """Compute the figures of the run folder at ``path`` and write them, with the log's hash, to its summary.json."""
    metrics = metrics_of(RunFolder.open(path))
    values = {"event_log_sha256": event_log_sha256} | msgspec.to_builtins(metrics)
    (path / "summary.json").write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    return metrics


def read_metrics(path: Path) -> RunMetrics:
    """The figures in the summary.json of a run folder; raises DataError if they are not there."""
    summary = RunFolder.open(path).summary
    try:
        return msgspec.convert(summary, RunMetrics)
    except msgspec.ValidationError as e:
        raise DataError(f"{path / 'summary.json'}: {e}; it has no figures of this version, run it again") from e


# ---------------------------------------------------------------------------------------------------------- parts


def _profit(run: _Run, accounts: Sequence[FillAccount]) -> ProfitAndLoss:
    fees_maker = sum(a.fees_of(a.fills.is_maker == 1) for a in accounts)
    fees_taker = sum(a.fees_of(a.fills.is_maker != 1) for a in accounts)
    return ProfitAndLoss(
        net=run.money(sum(a.net_units for a in accounts)),
        spread_at_fill=run.money(sum(a.spread_units for a in accounts)),
        inventory=run.money(sum(a.inventory_units for a in accounts)),
        fees=run.money(fees_maker + fees_taker),
        fees_maker=run.money(fees_maker),
        fees_taker=run.money(fees_taker),
        turnover=run.money(sum(a.turnover_units for a in accounts)),
        fills=sum(len(a.fills) for a in accounts),
        unmarked_fills=sum(a.unmarked_count for a in accounts),
    )


def _markout(run: _Run, horizon_s: int) -> Markout:
    value, counted, total = 0, 0, 0
    for account in run.counted:
        units, is_known = account.markout(horizon_s)
        value += int(units.sum() or 0)
        counted += int(np.count_nonzero(is_known))
        total += len(is_known)
    amount = run.money(value)
    return Markout(
        horizon_s=horizon_s,
        value=amount,
        per_fill=float(amount) / counted if counted else None,
        fills=counted,
        fills_left_out=total - counted,
    )


def _markout_10s(run: _Run, masks: Mapping[str, npt.NDArray[np.bool_]]) -> tuple[Decimal, int]:
    value = left_out = 0
    for symbol, account in run.accounts.items():
        if account in run.counted:
            units, is_known = account.markout(10)
            value += int(units[masks[symbol]].sum() or 0)
            left_out += int(np.count_nonzero(masks[symbol] & ~is_known))
    return run.money(value), left_out


def _late_fills(run: _Run) -> LateFills:
    masks = {}
    for symbol, account in run.accounts.items():
        pairs = zip(account.fills.keys, account.fills.ts_venue_ns.tolist(), strict=True)
        masks[symbol] = np.asarray([run.lives.is_late(key, ts_ns) for key, ts_ns in pairs], dtype=bool)
    markout, left_out = _markout_10s(run, masks)
    return LateFills(
        count=sum(int(np.count_nonzero(mask)) for mask in masks.values()),
        qty=sum((run.qty_of(run.accounts[s], mask) for s, mask in masks.items()), Decimal(0)),
        markout_10s=markout,
        markout_left_out=left_out,
    )


def _races(run: _Run) -> CancelRaces:
    pairs = run.lives.pairs()
    arrived = [pair for pair in pairs if pair.is_inverted is not None]
    inverted = [pair for pair in arrived if pair.is_inverted]
    failed = [pair for pair in pairs if pair.is_cancel_failed and not pair.is_inverted]
    return CancelRaces(
        pairs=len(arrived),
        inverted=len(inverted),
        share=len(inverted) / len(arrived) if arrived else None,
        pairs_unarrived=len(pairs) - len(arrived),
        after_inversion=_exposure(run, inverted),
        after_failed_cancel=_exposure(run, failed),
    )


def _exposure(run: _Run, pairs: Sequence[ReplacementPair]) -> DoubleExposure:
    doubled = [pair for pair in pairs if pair.double_ns > 0]
    return DoubleExposure(
        count=len(doubled),
        seconds=sum(pair.double_ns for pair in doubled) / 1e9,
        seconds_max=max((pair.double_ns for pair in doubled), default=0) / 1e9,
        qty_max=max((run.qty(pair.double_lots_max, pair.symbol) for pair in doubled), default=Decimal(0)),
        qty_seconds=sum(float(run.qty(pair.double_lots_ns, pair.symbol)) for pair in doubled) / 1e9,
    )


def _amends(commands: pa.Table, names: list[str]) -> Amends:
    is_kept = ints(commands, "is_queue_kept")
    arrived, refused = ints(commands, "ts_arrived_ns").tolist(), texts(commands, "reject_reason")
    edits = (n == "EditOrder" and a != MISSING and r is None for n, a, r in zip(names, arrived, refused, strict=True))
    return Amends(
        sent=names.count("AmendOrder"),
        kept=int(np.count_nonzero(is_kept == 1)),
        lost=int(np.count_nonzero(is_kept == 0)),
        edits_done=sum(edits),
    )


def _orphans(run: _Run) -> Orphans:
    stretches = run.lives.orphanings()
    by_key: dict[str, list[Orphaning]] = {}
    for stretch in stretches:
        by_key.setdefault(stretch.key, []).append(stretch)
    masks, fills = {}, {id(stretch): [0, 0] for stretch in stretches}
    net = 0
    for symbol, account in run.accounts.items():
        mask = np.zeros(len(account.fills), dtype=bool)
        lots = np.abs(account.fills.signed_lots).tolist()
        for index, (key, ts_ns) in enumerate(zip(account.fills.keys, account.fills.ts_venue_ns.tolist(), strict=True)):
            for stretch in by_key.get(key, ()):
                if stretch.from_ns <= ts_ns <= stretch.until_ns:
                    mask[index] = True
                    fills[id(stretch)][0] += 1
                    fills[id(stretch)][1] += lots[index]
        masks[symbol] = mask
        if account in run.counted:
            net += account.net_of(mask)
    markout, left_out = _markout_10s(run, masks)
    longest = sorted(stretches, key=lambda s: (s.from_ns - s.until_ns, s.from_ns, s.key))[:_ORPHANS_LISTED]
    return Orphans(
        orders=len(by_key),
        seconds=sum(s.until_ns - s.from_ns for s in stretches) / 1e9,
        seconds_any=_union_ns(stretches) / 1e9,
        seconds_max=max((s.until_ns - s.from_ns for s in stretches), default=0) / 1e9,
        qty_max=max((run.qty(s.lots_max, s.symbol) for s in stretches), default=Decimal(0)),
        qty_seconds=sum(float(run.qty(s.lots_ns, s.symbol)) for s in stretches) / 1e9,
        fills=sum(int(np.count_nonzero(mask)) for mask in masks.values()),
        filled_qty=sum((run.qty_of(run.accounts[s], mask) for s, mask in masks.items()), Decimal(0)),
        markout_10s=markout,
        markout_left_out=left_out,
        net=run.money(net),
        listed=tuple(
            OrphanOrder(
                cl_ord_id=s.key,
                symbol=s.symbol,
                side=s.side,
                from_ns=s.from_ns,
                until_ns=s.until_ns,
                qty_max=run.qty(s.lots_max, s.symbol),
                fills=fills[id(s)][0],
                filled_qty=run.qty(fills[id(s)][1], s.symbol),
            )
            for s in longest
        ),
    )


def _union_ns(stretches: Sequence[Orphaning]) -> int:
    total, until_ns = 0, -1
    for stretch in sorted(stretches, key=lambda s: s.from_ns):
        total += max(0, stretch.until_ns - max(stretch.from_ns, until_ns))
        until_ns = max(until_ns, stretch.until_ns)
    return total


def _queue(run: _Run) -> tuple[QueuePlace, QueuePlace]:
    first_fills: dict[str, int] = {}
    for account in run.accounts.values():
        fills = account.fills
        for key, ts_ns, is_maker in zip(fills.keys, fills.ts_venue_ns.tolist(), fills.is_maker.tolist(), strict=True):
            if is_maker == 1:
                first_fills.setdefault(key, ts_ns)
    lots = {key: float(run.qty(1, life.symbol)) for key, life in run.lives.by_key.items()}
    return queue_places(run.queue, first_fills, lots)


def _drawdown(equity: npt.NDArray[np.object_]) -> int:
    if not len(equity):
        return 0
    highest = np.maximum.accumulate(np.maximum(equity, 0))
    return int((highest - equity).max())


def _mean_over_time(ts_ns: npt.NDArray[np.int64], values: npt.NDArray[np.object_]) -> float:
    span_ns = int(ts_ns[-1] - ts_ns[0]) if len(ts_ns) else 0
    if not span_ns:
        return 0.0
    return float((values[:-1].astype(np.float64) * np.diff(ts_ns)).sum() / span_ns)


def _thinned(run: _Run, ts_ns: npt.NDArray[np.int64], equity: npt.NDArray[np.object_]) -> EquityCurve:
    count = len(ts_ns)
    points = min(count, _CURVE_POINTS)
    at = [(i + 1) * count // points - 1 for i in range(points)]
    return EquityCurve(ts_ns=tuple(int(ts_ns[i]) for i in at), equity=tuple(run.money(int(equity[i])) for i in at))


def _qty_where(run: _Run, is_maker: int) -> Decimal:
    return sum((run.qty_of(a, a.fills.is_maker == is_maker) for a in run.accounts.values()), Decimal(0))


def _symbols(run: _Run) -> list[str | None]:
    """Of each command, the symbol that it is about; by its order where it names none itself."""
    found = []
    for symbol, key in zip(texts(run.lives.commands, "symbol"), run.lives.command_keys, strict=True):
        life = run.lives.by_key.get(key)
        found.append(symbol or (life.symbol if life is not None else None))
    return found


def _keys_of(run: _Run, names: list[str], name: str) -> list[str]:
    return [key for key, n in zip(run.lives.command_keys, names, strict=True) if n == name]


def _count(table: pa.Table, name: str) -> int:
    return texts(table, "name").count(name)
