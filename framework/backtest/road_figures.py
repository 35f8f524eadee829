"""What the road did to commands: how long they took, what was refused, how full the rate counter was, where orders
stood in the queue.

Definitions:

latency      of each command name on each link: sent to arrived (commands that arrived), arrived to learned (commands
             that arrived and whose answer was learned); of fills ("TRADE"), by the link that told of them first: the
             engine's time to learned. Quantiles are interpolated linearly between the two nearest observations.
refused      a command that the engine refused, by its neutral reason, whether or not the strategy learned of it; a
             batch counts once for each of its orders. Limits of rate are "rate_limit" (the engine's counter) and
             "call_limit" (the calls of a key).
counter      the engine's counter of a symbol after each charge, as a share of its threshold. The time above 80 % adds
             up, from each charge to the next of that symbol (after the last: to the run's end), how long the counter
             stayed above that as it decays at the tier's rate; None where the run's inputs do not state the decay.
queue        of orders that were sampled while resting (queue.parquet): the quantity ahead at the first sample after
             placement, and at the last sample not later than the order's first maker fill. An order that was not
             sampled in between is left out; what moved since the sample is not seen.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from framework.backtest.run_folder import MISSING, ints, of_kind, texts

__all__ = [
    "RATE_REASONS",
    "CounterUse",
    "Latency",
    "QueuePlace",
    "Refusals",
    "counter_use",
    "latencies",
    "leg_us",
    "queue_places",
    "refusals",
]

RATE_REASONS = ("rate_limit", "call_limit")
_HIGH = 0.8


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """How long one kind of command took on one link, microseconds; None where nothing was observed.

    For fills ("TRADE") arrived means made by the engine, and there is no sending.
    """

    link: str
    command: str
    count: int
    sent_arrived_p50_us: float | None
    sent_arrived_p99_us: float | None
    arrived_learned_p50_us: float | None
    arrived_learned_p99_us: float | None


class Refusals(msgspec.Struct, frozen=True, kw_only=True):
    """Commands that the engine refused. unlearned: the strategy never learned of the refusal."""

    rate_limit: int
    other: int
    unlearned: int
    by_reason: dict[str, int]


class CounterUse(msgspec.Struct, frozen=True, kw_only=True):
    """Use of the engine's rate counters; shares of the threshold. above_80_s: seconds, summed over symbols."""

    share_max: float | None
    share_p50: float | None
    above_80_s: float | None


class QueuePlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where orders stood, in base quantity; share: of the market quantity at the order's price."""

    orders: int
    ahead_mean: float | None
    ahead_p50: float | None
    share_p50: float | None


def leg_us(from_ns: npt.NDArray[np.int64], until_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Microseconds from one time to another, where both are known."""
    is_known = (from_ns != MISSING) & (until_ns != MISSING)
    return np.asarray((until_ns[is_known] - from_ns[is_known]) / 1_000.0, dtype=np.float64)


def latencies(events: pa.Table) -> tuple[Latency, ...]:
    """Latencies of commands and fills, ordered by link and name."""
    found = []
    for kind, first, second in (
        ("command", "ts_sent_ns", "ts_arrived_ns"),
        ("fill", None, "ts_venue_ns"),
    ):
        table = of_kind(events, kind)
        links, names = texts(table, "link"), texts(table, "name")
        labels = np.asarray([f"{link or ''}\0{name}" for link, name in zip(links, names, strict=True)], dtype=object)
        middle, learned = ints(table, second), ints(table, "ts_learned_ns")
        sent = middle if first is None else ints(table, first)
        for label in sorted(set(labels.tolist())):
            at = labels == label
            link, name = label.split("\0")
            road = leg_us(sent[at], middle[at]) if first else np.empty(0)
            back = leg_us(middle[at], learned[at])
            if link or kind == "command":
                found.append(
                    Latency(
                        link=link,
                        command=name,
                        count=int(np.count_nonzero(at)),
                        sent_arrived_p50_us=quantile(road, 0.5),
                        sent_arrived_p99_us=quantile(road, 0.99),
                        arrived_learned_p50_us=quantile(back, 0.5),
                        arrived_learned_p99_us=quantile(back, 0.99),
                    )
                )
    return tuple(sorted(found, key=lambda latency: (latency.link, latency.command)))


def refusals(commands: pa.Table) -> Refusals:
    """Refusals among the rows of commands."""
    reasons = texts(commands, "reject_reason")
    arrived, learned = ints(commands, "ts_arrived_ns"), ints(commands, "ts_learned_ns")
    counts = Counter(reason for reason in reasons if reason is not None)
    is_refused = np.asarray([reason is not None for reason in reasons], dtype=bool)
    is_rate = sum(counts[reason] for reason in RATE_REASONS)
    return Refusals(
        rate_limit=is_rate,
        other=sum(counts.values()) - is_rate,
        unlearned=int(np.count_nonzero(is_refused & (arrived != MISSING) & (learned == MISSING))),
        by_reason=dict(sorted(counts.items())),
    )


def counter_use(commands: pa.Table, symbols: list[str | None], decay_per_ns: int | None, end_ns: int) -> CounterUse:
    """Use of the counters. symbols: of each command, the symbol on whose counter it was charged."""
    counter, threshold = ints(commands, "counter"), ints(commands, "counter_threshold")
    arrived, row = ints(commands, "ts_arrived_ns"), ints(commands, "row")
    at = np.flatnonzero((counter != MISSING) & (threshold > 0) & (arrived != MISSING))
    if not len(at):
        return CounterUse(share_max=None, share_p50=None, above_80_s=None)
    share = counter[at] / threshold[at]
    above_s: float | None = None
    if decay_per_ns:
        above_s = 0.0
        names = np.asarray([symbols[i] or "" for i in at], dtype=object)
        for name in sorted(set(names.tolist())):
            mine = at[names == name]
            mine = mine[np.lexsort((row[mine], arrived[mine]))]
            gaps = np.diff(np.append(arrived[mine], max(end_ns, int(arrived[mine[-1]]))))
            stay = np.maximum(0.0, (counter[mine] - _HIGH * threshold[mine]) / decay_per_ns)
            above_s += float(np.minimum(gaps, stay).sum()) / 1e9
    return CounterUse(share_max=float(share.max()), share_p50=quantile(share, 0.5), above_80_s=above_s)


def queue_places(
    queue: pa.Table, first_fills: dict[str, int], lot_sizes: dict[str, float]
) -> tuple[QueuePlace, QueuePlace]:
    """Queue places at placement and at the first maker fill.

    first_fills: time of each order's first maker fill. lot_sizes: lot of each order, in base quantity.
    """
    keys = np.asarray(texts(queue, "cl_ord_id"), dtype=object)
    ts_ns = ints(queue, "ts_ns")
    ahead = np.asarray(queue.column("ahead_lots").to_numpy(), dtype=np.float64)
    level = ints(queue, "level_lots")
    if not len(keys):
        nothing = _place(ahead, level, np.empty(0))
        return nothing, nothing
    names, codes = np.unique(keys.astype(str), return_inverse=True)
    order = np.lexsort((ts_ns, codes))
    codes, ts_ns, ahead, level = codes[order], ts_ns[order], ahead[order], level[order]
    lots = np.asarray([lot_sizes.get(name, 1.0) for name in names.tolist()])
    starts = np.searchsorted(codes, np.arange(len(names)))
    filled = [(code, first_fills[name]) for code, name in enumerate(names.tolist()) if name in first_fills]
    lasts = []
    for code, fill_ns in filled:
        end = starts[code + 1] if code + 1 < len(names) else len(codes)
        last = starts[code] + int(np.searchsorted(ts_ns[starts[code] : end], fill_ns, side="right")) - 1
        if last >= starts[code]:
            lasts.append(last)
    at_fill = np.asarray(lasts, dtype=np.int64)
    return (
        _place(ahead[starts], level[starts], lots[codes[starts]]),
        _place(ahead[at_fill], level[at_fill], lots[codes[at_fill]]),
    )


def quantile(values: npt.NDArray[np.float64], share: float) -> float | None:
    """A quantile, None of nothing."""
    return float(np.quantile(values, share)) if len(values) else None


def _place(ahead: npt.NDArray[np.float64], level: npt.NDArray[np.int64], lots: npt.NDArray[Any]) -> QueuePlace:
    has_level = level > 0
    return QueuePlace(
        orders=len(ahead),
        ahead_mean=float((ahead * lots).mean()) if len(ahead) else None,
        ahead_p50=quantile(ahead * lots, 0.5),
        share_p50=quantile(ahead[has_level] / level[has_level], 0.5),
    )
