"""How a run stands, as a test wants it: a builder with defaults."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from framework.live.health.histogram import Histogram
from framework.live.health.status import (
    BudgetStatus,
    Happened,
    InstrumentStatus,
    Latency,
    LogStatus,
    OpenOrder,
    RoadStatus,
    Status,
)

__all__ = ["START_NS", "budget", "instrument", "latency", "order", "road", "status"]

START_NS = 1_767_614_400_000_000_000  # 2026-01-05 12:00:00 UTC


def latency(*latencies_ns: int, command: str | None = None) -> Latency:
    histogram = Histogram()
    for each in latencies_ns:
        histogram.note(each)
    return Latency(counts=tuple(histogram.counts), sum_ns=histogram.sum_ns, command=command)


def road(name: str = "ws2", **given: Any) -> RoadStatus:
    counts = dict.fromkeys(
        ("orders", "cancels", "order_rejects", "fills", "opened", "resumed", "closed", "resyncs", "gaps", "missed",
         "replayed"),
        0,
    )  # fmt: skip
    options: dict[str, Any] = {
        "name": name,
        "protocol": name,
        "is_up": True,
        "session_id": f"{name}#1",
        "sent": {},
        "rejected": {},
        "lost": {},
        "acknowledged": (),
        "fill_learned": latency(),
    }
    return RoadStatus(**(options | counts | given))


def instrument(symbol: str = "BTC/USD", **given: Any) -> InstrumentStatus:
    base, _, quote = symbol.partition("/")
    options: dict[str, Any] = {
        "symbol": symbol,
        "quote": quote,
        "base": base,
        "position": Decimal("0.01000000"),
        "carried": Decimal(0),
        "bid": Decimal("89657.8"),
        "ask": Decimal("89660.1"),
        "realised": Decimal("1.50"),
        "unrealised": Decimal("-0.25"),
        "fills": 3,
        "messages": 100,
        "losses": 0,
        "resyncs": 0,
        "trades_missed": 0,
        "is_lost": False,
        "feed_age_s": 0.25,
    }
    return InstrumentStatus(**(options | given))


def budget(**given: Any) -> BudgetStatus:
    options: dict[str, Any] = {"kind": "orders", "name": "BTC/USD", "used": 47.1, "limit": 180.0}
    return BudgetStatus(**(options | given))


def order(cl_ord_id: str = "100000000000000010", **given: Any) -> OpenOrder:
    options: dict[str, Any] = {
        "cl_ord_id": cl_ord_id,
        "symbol": "BTC/USD",
        "side": "buy",
        "qty": Decimal("0.01"),
        "filled": Decimal(0),
        "price": Decimal("89632.6"),
        "age_s": 75.0,
        "knowledge": "open",
        "reach": ("ws2", "rest"),
    }
    return OpenOrder(**(options | given))


def status(**given: Any) -> Status:
    options: dict[str, Any] = {
        "version": "0.1.0",
        "kind": "paper",
        "strategy": "MarketMaker",
        "process_id": 4242,
        "state": "running",
        "written_s": START_NS / 1e9 + 60,
        "began_ns": START_NS,
        "now_ns": START_NS + 60 * 10**9,
        "kill_switch": None,
        "kill_proved": False,
        "halted": None,
        "roads": (road(),),
        "instruments": (instrument(),),
        "budgets": (budget(),),
        "stages": {},
        "fees": {"USD": Decimal("0.75")},
        "orders": (),
        "order_count": 0,
        "unreachable": 0,
        "unknown": 0,
        "unknown_total": 0,
        "resolved_total": 0,
        "denied": 0,
        "cancel_rejects": 0,
        "amend_rejects": 0,
        "rerouted": 0,
        "journal_bytes": 5_370,
        "log": LogStatus(lost=0, failure=None),
        "recent": (Happened(ts_ns=START_NS, level="info", text="the strategy has started"),),
    }
    return Status(**(options | given))
