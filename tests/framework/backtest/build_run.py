"""A plausible run folder without a simulation: a market maker that cancels and quotes anew, on a walk of the touch.

Every sort of event that a report shows is in it: late fills, cancel/new inversions, refused and lost commands, a line
drop with orders out of reach, amends, queue samples. Nothing here is a model of an exchange; figures of such a run mean
nothing.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq

from framework.backtest.metrics import write_summary
from framework.protocol import POINT
from tests.framework.backtest.event_log import BUY, MS, SELL, EventLog, S, inputs_of, queue_of, touch_of

START_NS = 1_730_000_000 * S

# Of each road: its title, median ms to the engine, jitter, whether order holds, poll interval in s, reach in a drop.
ROADS: dict[str, tuple[str, float, float, bool, float, str]] = {
    "rest": ("REST only", 40.0, 0.5, False, 3.0, "rest"),
    "ws2": ("WebSocket v2", 18.0, 0.35, False, 0.0, ""),
    "fix": ("FIX from the cloud", 11.0, 0.15, True, 0.0, ""),
    "fix-colo": ("FIX co-located", 1.2, 0.1, True, 0.0, ""),
}


class _Maker:
    def __init__(self, road: str, seed: int, seconds: int, drop_s: float | None, text: str) -> None:
        self.title, self.median_ms, self.jitter, self.is_fifo, self.poll_s, self.drop_reach = ROADS[road]
        self.road, self.seconds, self.drop_s, self.text = road, seconds, drop_s, text
        self.market = random.Random(f"market {seed}")
        self.chance = random.Random(f"{road} {seed}")
        self.log = EventLog()
        self.samples: list[tuple[int, int, int]] = []
        self.queue: list[tuple[int, str, float, int, int]] = []
        self.last_arrival = 0
        self.counter = 0.0
        self.counter_ns = START_NS
        self.orders: dict[int, tuple[str, int, int]] = {}
        self.number = 0
        mid = 600_000.0
        self.mids = [mid]
        for _ in range(seconds + 70):
            mid += self.market.gauss(0, 6) + (self.market.gauss(0, 60) if self.market.random() < 0.02 else 0)
            self.mids.append(mid)

    def touch(self, ts_ns: int) -> tuple[int, int]:
        mid = self.mids[min(len(self.mids) - 1, max(0, (ts_ns - START_NS) // S))]
        return round(mid) - 4, round(mid) + 4

    def arrival(self, sent: int) -> int:
        at = sent + int(self.median_ms * MS * self.chance.lognormvariate(0, self.jitter))
        if self.is_fifo:
            at = max(at, self.last_arrival)
        self.last_arrival = at
        return at

    def learned(self, venue: int) -> int:
        if self.poll_s:
            poll = int(self.poll_s * S)
            venue = START_NS + ((venue - START_NS) // poll + 1) * poll
        return venue + int(self.median_ms * MS * self.chance.lognormvariate(0, self.jitter))

    def charged(self, at: int, points: float) -> dict[str, Any]:
        self.counter = max(0.0, self.counter - 2.34 * (at - self.counter_ns) / S) + points
        self.counter_ns = at
        values: dict[str, Any] = {"counter": int(self.counter * POINT), "counter_threshold": 125 * POINT}
        if self.counter > 125:
            values |= {"reject_reason": "rate_limit", "text": "EOrder:Rate limit exceeded"}
        return values

    def answer(self, at: int) -> int:
        return at + int(self.median_ms * MS * self.chance.lognormvariate(0, self.jitter))

    def place(self, side: int, sent: int, price: int) -> None:
        self.number += 1
        order = f"mm-{self.number:05d}"
        at = self.arrival(sent)
        charge = self.charged(at, 1)
        self.log.add(order, side, 100, sent, at, self.answer(at), link=self.road, price_ticks=price, **charge)
        if "reject_reason" not in charge:
            self.log.row("venue", "OrderRested", cl_ord_id=order, order_id=f"O{self.number}", ts_venue_ns=at)
            self.orders[side] = (order, at, price)

    def withdraw(self, side: int, sent: int) -> None:
        order, rested, price = self.orders.pop(side)
        at = self.arrival(sent)
        charge = self.charged(at, 1.5 if at - rested < 5 * S else 0.5)
        self.log.cancel(order, sent, at, self.answer(at), link=self.road, **charge)
        is_late = self.chance.random() < self.median_ms / 120
        if "reject_reason" in charge:
            self.orders[side] = (order, rested, price)
        elif is_late and at > sent + 1:
            self.fill(order, side, price, sent + (at - sent) // 2)
        else:
            self.log.end(order, at)
            self.log.row(
                "report", "CANCELED", cl_ord_id=order, ts_venue_ns=at, ts_learned_ns=self.learned(at), link=self.road
            )

    def fill(self, order: str, side: int, price: int, ts: int) -> None:
        after = {h: self.touch(ts + h * S) if ts + h * S <= self.end_ns else (None, None) for h in (1, 10, 60)}
        self.log.fill(
            order, side, 100, price, ts, self.touch(ts), after, "0.0150", True, self.learned(ts), 0, link=self.road
        )
        self.log.end(order, ts, "filled")

    @property
    def end_ns(self) -> int:
        return START_NS + self.seconds * S

    def run(self) -> None:
        self.log.row(
            "session", "SessionOpened", link=self.road, ts_learned_ns=START_NS + 50 * MS, text=self.text, cl_ord_ids=""
        )
        for second in range(self.seconds):
            ts = START_NS + second * S
            bid, ask = self.touch(ts)
            self.samples.append((ts, bid, ask))
            if self.drop_s is not None and self.drop_s <= second < self.drop_s + 20:
                self.drop(second - self.drop_s, ts)
            else:
                self.quote(ts + 100 * MS, bid, ask)
            for order, rested, price in self.orders.values():
                ahead = max(0.0, 900.0 - (ts - rested) / S * 130)
                if ts >= rested:
                    self.queue.append((ts, order, ahead, 100, round(ahead) + 250))
                    assert price
        self.samples.append((self.end_ns, *self.touch(self.end_ns)))

    def quote(self, ts: int, bid: int, ask: int) -> None:
        for side, want in ((BUY, bid), (SELL, ask)):
            if side not in self.orders:
                self.place(side, ts, want)
                continue
            order, rested, price = self.orders[side]
            if ts - rested > 5 * S and abs(price - want) < 3 and self.chance.random() < 0.3:
                del self.orders[side]
                self.fill(order, side, price, ts + self.chance.randrange(800 * MS))
            elif ts - rested > 2 * S and abs(price - want) >= 8:
                self.withdraw(side, ts)
                if side not in self.orders:
                    self.place(side, ts, want)
            elif ts - rested > 2 * S and self.chance.random() < 0.02:
                at = self.arrival(ts)
                self.log.command(
                    "AmendOrder", order, ts, at, self.answer(at), qty_lots=100, link=self.road,
                    is_queue_kept=self.chance.random() < 0.7, **self.charged(at, 1.5),
                )  # fmt: skip

    def drop(self, since_s: float, ts: int) -> None:
        names = [order for order, _, _ in self.orders.values()]
        if since_s == 0:
            self.log.row("venue", "LineDropped", link=self.road, ts_venue_ns=ts)
            self.log.row(
                "session", "SessionClosed", link=self.road, ts_learned_ns=ts, text="line dropped",
                cl_ord_ids=",".join(names),
            )  # fmt: skip
            for order in names:
                self.log.reach(order, ts, self.drop_reach)
        elif since_s == 6 and BUY in self.orders:
            order, _, price = self.orders.pop(BUY)
            self.fill(order, BUY, price, ts + 5)
        elif since_s == 19:
            self.log.row("session", "SessionOpened", link=self.road, ts_learned_ns=ts, cl_ord_ids=",".join(names))
            for order in names:
                self.log.reach(order, ts, self.road)


def write_run(
    path: Path,
    *,
    road: str = "ws2",
    seed: int = 1,
    minutes: int = 10,
    drop_s: float | None = None,
    text: str = "resumed=False",
) -> Path:
    """Write a run folder with its summary; returns it. text: put where venue errors go."""
    maker = _Maker(road, seed, minutes * 60, drop_s, text)
    maker.run()
    values = inputs_of(road=road, seed=seed).values
    values["markets"][0] |= {"first_ts_ns": START_NS, "last_ts_ns": maker.end_ns}
    values["road"]["title"] = maker.title
    path.mkdir(parents=True)
    pq.write_table(maker.log.table(), path / "events.parquet")
    pq.write_table(touch_of(*maker.samples), path / "touch.parquet")
    pq.write_table(queue_of(*maker.queue), path / "queue.parquet")
    (path / "run.toml").write_bytes(msgspec.toml.encode(values))
    write_summary(path, "00" * 32)
    return path
