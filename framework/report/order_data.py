"""The orders of a run for a page: each with its commands, fills, reach and queue places.

A run may have more orders than a page should carry. Orders to which something happened that a road does (late fills,
inversions, no reach, refusals, losses) are kept first, evenly spaced in time, then others; the page says how many of
how many it shows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from framework.backtest.order_lives import OrderLife, OrderLives, ReplacementPair
from framework.backtest.run_folder import MISSING, RunFolder, ints, of_kind, texts
from framework.report.thinning import Budget, evenly, milliseconds, rounded

__all__ = ["FLAGS", "order_data"]

# What happened to an order, by bit.
FLAGS = {"late": 1, "inverted": 2, "orphan": 4, "refused": 8, "lost": 16, "amended": 32, "filled": 64}
_ODD = FLAGS["late"] | FLAGS["inverted"] | FLAGS["orphan"] | FLAGS["refused"] | FLAGS["lost"]


def order_data(
    folder: RunFolder, lives: OrderLives, first_ns: int, budget: Budget
) -> tuple[dict[str, Any], dict[str, int]]:
    """The page's orders, and the index of each by its name."""
    pairs = lives.pairs()
    flags = _flags(folder, lives, pairs)
    chosen = _chosen(lives, pairs, flags, budget.orders)
    index_of = {key: index for index, key in enumerate(chosen)}
    reader = _Reader(folder, lives, first_ns, budget, index_of)
    partner = {pair.old_key: pair.new_key for pair in pairs}
    rows = [reader.row(lives.by_key[key], flags[key], index_of.get(partner.get(key, ""), -1)) for key in chosen]
    reader.read_commands(rows)
    reader.read_fills(rows)
    reader.read_reach(rows)
    reader.read_queue(rows)
    counts = {name: sum(1 for flag in flags.values() if flag & bit) for name, bit in FLAGS.items()}
    return {"total": len(lives.by_key), "flags": FLAGS, "counts": counts, "rows": rows}, index_of


def _flags(folder: RunFolder, lives: OrderLives, pairs: list[ReplacementPair]) -> dict[str, int]:
    flags = dict.fromkeys(lives.by_key, 0)
    commands = lives.commands
    columns = zip(
        lives.command_keys,
        texts(commands, "name"),
        texts(commands, "outcome"),
        texts(commands, "reject_reason"),
        strict=True,
    )
    for key, name, outcome, refusal in columns:
        if key in flags:
            flags[key] |= FLAGS["refused"] if refusal is not None else 0
            flags[key] |= FLAGS["lost"] if outcome == "lost" else 0
            flags[key] |= FLAGS["amended"] if name in ("AmendOrder", "EditOrder") else 0
    fills = of_kind(folder.events, "fill")
    for key, ts_ns in zip(lives.keys(fills), ints(fills, "ts_venue_ns").tolist(), strict=True):
        if key in flags:
            flags[key] |= FLAGS["filled"] | (FLAGS["late"] if lives.is_late(key, ts_ns) else 0)
    for pair in pairs:
        if pair.is_inverted:
            flags[pair.old_key] |= FLAGS["inverted"]
            flags[pair.new_key] |= FLAGS["inverted"]
    for stretch in lives.orphanings():
        flags[stretch.key] |= FLAGS["orphan"]
    return flags


def _chosen(lives: OrderLives, pairs: list[ReplacementPair], flags: dict[str, int], count: int) -> list[str]:
    """Names of the orders to show, in the order in which they were sent."""
    keys = list(lives.by_key)
    if len(keys) <= count:
        return keys
    kept: dict[str, None] = {}
    replaced_by = {pair.old_key: pair.new_key for pair in pairs}
    share = count // 8
    for name in ("orphan", "lost", "late", "inverted", "refused"):
        for key in evenly([key for key in keys if flags[key] & FLAGS[name]], share):
            kept[key] = None
            if name == "inverted" and key in replaced_by:
                kept[replaced_by[key]] = None
    for key in evenly([key for key in keys if key not in kept], max(0, count - len(kept))):
        kept[key] = None
    return [key for key in keys if key in kept][: count + 2 * share]


class _Reader:
    def __init__(
        self, folder: RunFolder, lives: OrderLives, first_ns: int, budget: Budget, index_of: dict[str, int]
    ) -> None:
        self.folder, self.lives, self.first_ns, self.budget, self.index_of = folder, lives, first_ns, budget, index_of
        specs = folder.inputs.specs
        self.symbols = list(specs)
        self.ticks = {symbol: float(spec.tick_size) for symbol, spec in specs.items()}
        self.lots = {symbol: float(spec.lot_size) for symbol, spec in specs.items()}

    def ms(self, ts_ns: int) -> float | None:
        return None if ts_ns == MISSING else milliseconds(ts_ns, self.first_ns)

    def qty(self, lots: float, symbol: str | None) -> float:
        return rounded(lots * self.lots.get(symbol or "", 1.0))

    def row(self, life: OrderLife, flags: int, partner: int) -> dict[str, Any]:
        return {
            "id": life.key,
            "y": self.symbols.index(life.symbol) if life.symbol in self.symbols else 0,
            "s": life.side,
            "q": self.qty(life.qty_lots, life.symbol),
            "a": None if life.start_ns is None else self.ms(life.start_ns),
            "e": self.ms(life.end_ns) if life.is_ended else None,
            "g": flags,
            "w": partner,
            "c": [],
            "f": [],
            "r": [],
            "k": [],
        }

    def read_commands(self, rows: list[dict[str, Any]]) -> None:
        """[name, link, sent, arrived, learned, outcome, refusal or text, price]."""
        table = self.lives.commands
        columns = zip(
            self.lives.command_keys,
            *(texts(table, name) for name in ("name", "link", "symbol", "outcome", "reject_reason", "text")),
            *(ints(table, n).tolist() for n in ("ts_sent_ns", "ts_arrived_ns", "ts_learned_ns", "price_ticks")),
            strict=True,
        )
        for key, name, link, symbol, outcome, refusal, text, sent, arrived, learned, price in columns:
            index = self.index_of.get(key)
            if index is None:
                continue
            row = rows[index]
            tick = self.ticks.get(symbol or self.symbols[row["y"]], 1.0)
            limit = None if price == MISSING else rounded(price * tick)
            if len(row["c"]) < self.budget.queue:
                reason = text or refusal
                row["c"].append(
                    [
                        name,
                        link,
                        self.ms(sent),
                        self.ms(arrived),
                        self.ms(learned),
                        outcome if refusal is None else "rejected",
                        None if reason is None else reason[:200],
                        limit,
                    ]
                )

    def read_fills(self, rows: list[dict[str, Any]]) -> None:
        """[time, quantity, price, learned, late]."""
        table = of_kind(self.folder.events, "fill")
        columns = zip(
            self.lives.keys(table),
            texts(table, "symbol"),
            *(ints(table, n).tolist() for n in ("ts_venue_ns", "qty_lots", "price_ticks", "ts_learned_ns")),
            strict=True,
        )
        for key, symbol, ts_ns, lots, price, learned in columns:
            index = self.index_of.get(key)
            if index is not None and len(rows[index]["f"]) < self.budget.queue:
                rows[index]["f"].append(
                    [
                        self.ms(ts_ns),
                        self.qty(lots, symbol),
                        rounded(price * self.ticks.get(symbol or "", 1.0)),
                        self.ms(learned),
                        int(self.lives.is_late(key, ts_ns)),
                    ]
                )

    def read_reach(self, rows: list[dict[str, Any]]) -> None:
        """[time, links]."""
        table = of_kind(self.folder.events, "desk")
        columns = zip(
            self.lives.keys(table),
            texts(table, "name"),
            texts(table, "reach"),
            ints(table, "ts_learned_ns").tolist(),
            strict=True,
        )
        for key, name, reach, ts_ns in columns:
            index = self.index_of.get(key)
            if index is not None and name == "OrderReachChanged":
                rows[index]["r"].append([self.ms(ts_ns), reach or ""])

    def read_queue(self, rows: list[dict[str, Any]]) -> None:
        """[time, ahead, market quantity at the price]."""
        table = self.folder.queue
        keys = texts(table, "cl_ord_id")
        ts_ns, level = ints(table, "ts_ns").tolist(), ints(table, "level_lots").tolist()
        ahead = np.asarray(table.column("ahead_lots").to_numpy(), dtype=np.float64).tolist()
        samples: dict[int, list[int]] = {}
        for place, key in enumerate(keys):
            index = self.index_of.get(key or "")
            if index is not None:
                samples.setdefault(index, []).append(place)
        for index, places in samples.items():
            symbol = self.lives.by_key[rows[index]["id"]].symbol
            for place in evenly(places, self.budget.queue):
                rows[index]["k"].append(
                    [self.ms(ts_ns[place]), self.qty(ahead[place], symbol), self.qty(level[place], symbol)]
                )
