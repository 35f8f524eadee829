"""What became of own orders at the engine: when each was alive, with how much open, and what hung over it.

Definitions:

life         from the arrival of the order's AddOrder, if the engine did not refuse it, to the engine's end of it
             (OrderEnded; in a log without it the first CANCELED or EXPIRED report or the fill that left nothing, by
             ``ts_venue_ns``), else to the end of the run. An order that an edit made lives from when it rested.
open lots    the AddOrder's quantity, changed by each amend that the engine carried out, less fills; never below 0.
pair         a CancelOrder and the first AddOrder of the same symbol and side that was sent after it (in the order of
             sending; the same instant counts) and before the cancel's outcome was learned: by the command's answer or
             by any report of the order's end, whichever was first. One AddOrder belongs to one pair at most.
inverted     of a pair of which both arrived: the AddOrder arrived before the CancelOrder.
double exposure   of a pair: the time in which both orders were alive after the cancel had been sent; its size is what
             was open of the order that should have been gone.
orphan time  the part of an order's life for which the desk had no link whose single cancel reached it: from an
             OrderReachChanged with an empty reach, when learned, to the next with a reach. A line that is dead
             without the desk's knowing is not counted.
late fill    a fill that the engine made after a cancel of the order had been sent. Mass cancels count for every order
             of their symbol (of the account if they name none) that had been sent before them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from framework.backtest.run_folder import MISSING, ints, of_kind, texts

__all__ = ["OrderLife", "OrderLives", "Orphaning", "ReplacementPair"]

_MASS = ("CancelAll", "MassCancel")
_ENDS = ("CANCELED", "EXPIRED")


class OrderLife(msgspec.Struct, kw_only=True):
    """One own order at the engine.

    asked_lots: the most that it was asked to be, by its AddOrder or an amend that was carried out.
    start_ns: None if it never lived. end_ns: the run's end while open; is_ended tells.
    steps: changes of open lots, (time, change), by time. end_learned_ns: None if the strategy never learned of its end.
    """

    key: str
    symbol: str | None
    side: int | None
    qty_lots: int
    asked_lots: int
    start_ns: int | None = None
    end_ns: int = 0
    is_ended: bool = False
    end_learned_ns: int | None = None
    filled_lots: int = 0
    fill_count: int = 0
    first_cancel_ns: int | None = None
    steps: list[tuple[int, int]] = []

    def open_lots(self, ts_ns: int) -> int:
        """Open at a time, changes of that instant included."""
        return max(0, sum(change for ts, change in self.steps if ts <= ts_ns))

    def exposure(self, from_ns: int, until_ns: int) -> tuple[int, int]:
        """The most that was open in an interval, and the sum of open lots times nanoseconds over it."""
        lots_max = lots_ns = 0
        at_ns, lots = from_ns, self.open_lots(from_ns)
        for ts_ns, change in self.steps:
            if from_ns < ts_ns < until_ns:
                lots_max, lots_ns = max(lots_max, lots), lots_ns + max(0, lots) * (ts_ns - at_ns)
                at_ns, lots = ts_ns, lots + change
        return max(lots_max, lots), lots_ns + max(0, lots) * (until_ns - at_ns)


class ReplacementPair(msgspec.Struct, frozen=True, kw_only=True):
    """A cancel and the order that was to take the canceled one's place.

    cancel_row, add_row: rows of the two commands in the event log. is_inverted: None unless both arrived.
    is_cancel_failed: the cancel was refused or never arrived. double_ns: how long both orders were alive.
    """

    cancel_row: int
    add_row: int
    old_key: str
    new_key: str
    symbol: str
    is_inverted: bool | None
    is_cancel_failed: bool
    double_from_ns: int
    double_ns: int
    double_lots_max: int
    double_lots_ns: int


class Orphaning(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of an order's life with nobody able to cancel it."""

    key: str
    symbol: str | None
    side: int | None
    from_ns: int
    until_ns: int
    lots_max: int
    lots_ns: int


class OrderLives:
    """All own orders of a run. end_ns: the run's end."""

    def __init__(self, events: pa.Table, end_ns: int) -> None:
        self.end_ns = end_ns
        self.by_key: dict[str, OrderLife] = {}
        self.commands = of_kind(events, "command")
        self._key_of_order_id: dict[str, str] = {}
        for cl_ord_id, order_id in zip(texts(events, "cl_ord_id"), texts(events, "order_id"), strict=True):
            if cl_ord_id and order_id:
                self._key_of_order_id[order_id] = cl_ord_id
        self.command_keys = self.keys(self.commands)
        self._read_commands()
        self._read_lives(of_kind(events, "venue"))
        self._read_reports(of_kind(events, "report"))
        self._read_fills(of_kind(events, "fill"))
        for life in self.by_key.values():
            life.steps.sort(key=lambda step: step[0])
            if not life.is_ended:
                life.end_ns = end_ns
        self._read_cancels()
        self._reach = of_kind(events, "desk")

    def keys(self, table: pa.Table) -> list[str]:
        """By row the name of the order: its cl_ord_id, else its order_id, else ""."""
        known = self._key_of_order_id
        pairs = zip(texts(table, "cl_ord_id"), texts(table, "order_id"), strict=True)
        return [cl or (known.get(order, order) if order else "") for cl, order in pairs]

    # ------------------------------------------------------------------------------------------------- reading

    def _read_commands(self) -> None:
        table = self.commands
        columns = zip(
            texts(table, "name"),
            self.command_keys,
            texts(table, "symbol"),
            texts(table, "reject_reason"),
            *(ints(table, name).tolist() for name in ("side", "qty_lots", "ts_arrived_ns")),
            strict=True,
        )
        totals: dict[str, int] = {}
        amends = []
        for name, key, symbol, refusal, side, qty_lots, arrived_ns in columns:
            is_done = arrived_ns != MISSING and refusal is None
            if name == "AddOrder":
                lots = max(0, qty_lots)
                life = OrderLife(
                    key=key,
                    symbol=symbol,
                    side=None if side == MISSING else side,
                    qty_lots=lots,
                    asked_lots=lots,
                    steps=[],
                )
                self.by_key[key] = life
                totals[key] = lots
                if is_done:
                    life.start_ns = arrived_ns
                    life.steps.append((arrived_ns, lots))
            elif name == "AmendOrder" and is_done and qty_lots != MISSING:
                amends.append((arrived_ns, key, qty_lots))
        for arrived_ns, key, qty_lots in sorted(amends, key=lambda amend: amend[0]):
            if key in self.by_key:
                life = self.by_key[key]
                life.steps.append((arrived_ns, qty_lots - totals[key]))
                life.asked_lots = max(life.asked_lots, qty_lots)
                totals[key] = qty_lots

    def _read_lives(self, table: pa.Table) -> None:
        columns = zip(texts(table, "name"), self.keys(table), ints(table, "ts_venue_ns").tolist(), strict=True)
        for name, key, ts_ns in columns:
            if name == "OrderRested" and key not in self.by_key:
                self.by_key[key] = OrderLife(
                    key=key, symbol=None, side=None, qty_lots=0, asked_lots=0, start_ns=ts_ns, steps=[]
                )
            elif name == "OrderEnded" and key in self.by_key:
                self._end(self.by_key[key], ts_ns)

    def _read_reports(self, table: pa.Table) -> None:
        columns = zip(
            texts(table, "name"),
            self.keys(table),
            ints(table, "ts_venue_ns").tolist(),
            ints(table, "ts_learned_ns").tolist(),
            strict=True,
        )
        for name, key, venue_ns, learned_ns in columns:
            if name in _ENDS and key in self.by_key:
                life = self.by_key[key]
                if not life.is_ended and venue_ns != MISSING:
                    self._end(life, venue_ns)
                self._end_learned(life, learned_ns)

    def _read_fills(self, table: pa.Table) -> None:
        names = ("qty_lots", "leaves_lots", "ts_venue_ns", "ts_learned_ns")
        columns = zip(self.keys(table), *(ints(table, name).tolist() for name in names), strict=True)
        for key, qty_lots, leaves_lots, venue_ns, learned_ns in columns:
            life = self.by_key.get(key)
            if life is None:
                continue
            life.steps.append((venue_ns, -qty_lots))
            life.filled_lots += qty_lots
            life.fill_count += 1
            if leaves_lots == 0:
                if not life.is_ended:
                    self._end(life, venue_ns)
                self._end_learned(life, learned_ns)

    @staticmethod
    def _end(life: OrderLife, ts_ns: int) -> None:
        life.is_ended, life.end_ns = True, ts_ns

    @staticmethod
    def _end_learned(life: OrderLife, ts_ns: int) -> None:
        if ts_ns != MISSING and (life.end_learned_ns is None or ts_ns < life.end_learned_ns):
            life.end_learned_ns = ts_ns

    def _read_cancels(self) -> None:
        table = self.commands
        names, symbols, sent = texts(table, "name"), texts(table, "symbol"), ints(table, "ts_sent_ns").tolist()
        mass: dict[str | None, list[int]] = {}
        adds_sent: dict[str, int] = {}
        for name, key, symbol, sent_ns in zip(names, self.command_keys, symbols, sent, strict=True):
            if name == "AddOrder":
                adds_sent[key] = sent_ns
            elif name == "CancelOrder" and key in self.by_key:
                self._cancel_sent(self.by_key[key], sent_ns)
            elif name in _MASS:
                mass.setdefault(symbol, []).append(sent_ns)
        for symbol, times in mass.items():
            times.sort()
            for key, life in self.by_key.items():
                if symbol is None or symbol == life.symbol:
                    index = bisect_right(times, adds_sent.get(key, life.end_ns))
                    if index < len(times) and times[index] <= life.end_ns:
                        self._cancel_sent(life, times[index])

    @staticmethod
    def _cancel_sent(life: OrderLife, sent_ns: int) -> None:
        if life.first_cancel_ns is None or sent_ns < life.first_cancel_ns:
            life.first_cancel_ns = sent_ns

    # ------------------------------------------------------------------------------------------------- questions

    def is_late(self, key: str, ts_venue_ns: int) -> bool:
        """Whether a fill of an order at this time came after a cancel of it had been sent."""
        life = self.by_key.get(key)
        return life is not None and life.first_cancel_ns is not None and ts_venue_ns > life.first_cancel_ns

    def pairs(self) -> list[ReplacementPair]:
        """Cancels and the new orders that were to replace what they cancel, by cancel."""
        table = self.commands
        names, refusals = texts(table, "name"), texts(table, "reject_reason")
        rows, sent, arrived, learned = (
            ints(table, name).tolist() for name in ("row", "ts_sent_ns", "ts_arrived_ns", "ts_learned_ns")
        )
        waiting: dict[tuple[str | None, int | None], list[int]] = {}
        adds: dict[tuple[str | None, int | None], Iterator[int]] = {}
        for index, (name, key) in enumerate(zip(names, self.command_keys, strict=True)):
            if name == "AddOrder":
                life = self.by_key[key]
                waiting.setdefault((life.symbol, life.side), []).append(index)
        adds = {where: iter(indices) for where, indices in waiting.items()}
        following: dict[tuple[str | None, int | None], int | None] = {where: next(it) for where, it in adds.items()}
        found = []
        for index, (name, key) in enumerate(zip(names, self.command_keys, strict=True)):
            old = self.by_key.get(key)
            if name != "CancelOrder" or old is None:
                continue
            where = (old.symbol, old.side)
            add = following.get(where)
            while add is not None and add < index:
                add = next(adds[where], None)
            following[where] = add
            outcome_ns = min(
                (ts for ts in (learned[index], old.end_learned_ns) if ts is not None and ts != MISSING),
                default=self.end_ns + 1,
            )
            if add is None or sent[add] >= outcome_ns:
                continue
            following[where] = next(adds[where], None)
            is_failed = arrived[index] == MISSING or refusals[index] is not None
            is_known = arrived[index] != MISSING and arrived[add] != MISSING
            found.append(
                self._pair(
                    (rows[index], rows[add]),
                    old,
                    self.by_key[self.command_keys[add]],
                    sent[index],
                    arrived[add] < arrived[index] if is_known else None,
                    is_failed,
                )
            )
        return found

    @staticmethod
    def _pair(
        rows: tuple[int, int],
        old: OrderLife,
        new: OrderLife,
        cancel_sent_ns: int,
        is_inverted: bool | None,
        is_cancel_failed: bool,
    ) -> ReplacementPair:
        from_ns = until_ns = 0
        if old.start_ns is not None and new.start_ns is not None:
            from_ns = max(old.start_ns, new.start_ns, cancel_sent_ns)
            until_ns = min(old.end_ns, new.end_ns)
        lots_max, lots_ns = old.exposure(from_ns, until_ns) if until_ns > from_ns else (0, 0)
        return ReplacementPair(
            cancel_row=rows[0],
            add_row=rows[1],
            old_key=old.key,
            new_key=new.key,
            symbol=old.symbol or "",
            is_inverted=is_inverted,
            is_cancel_failed=is_cancel_failed,
            double_from_ns=from_ns,
            double_ns=max(0, until_ns - from_ns),
            double_lots_max=lots_max,
            double_lots_ns=lots_ns,
        )

    def orphanings(self) -> list[Orphaning]:
        """The stretches without reach, by when the order lost it."""
        table = self._reach.filter(pc.equal(self._reach.column("name"), "OrderReachChanged"))
        changes = zip(self.keys(table), texts(table, "reach"), ints(table, "ts_learned_ns").tolist(), strict=True)
        lost: dict[str, int] = {}
        found = []
        for key, reach, ts_ns in changes:
            if not reach:
                lost.setdefault(key, ts_ns)
            elif key in lost:
                found.append((lost.pop(key), ts_ns, key))
        found += [(from_ns, self.end_ns, key) for key, from_ns in lost.items()]
        return [stretch for change in sorted(found) for stretch in self._orphaning(*change)]

    def _orphaning(self, from_ns: int, until_ns: int, key: str) -> Iterator[Orphaning]:
        life = self.by_key.get(key)
        if life is None or life.start_ns is None:
            return
        from_ns, until_ns = max(from_ns, life.start_ns), min(until_ns, life.end_ns)
        if until_ns > from_ns:
            lots_max, lots_ns = life.exposure(from_ns, until_ns)
            yield Orphaning(
                key=key,
                symbol=life.symbol,
                side=life.side,
                from_ns=from_ns,
                until_ns=until_ns,
                lots_max=lots_max,
                lots_ns=lots_ns,
            )
