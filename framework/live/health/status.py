"""How a run stands, as one value: what the endpoint tells, the run's folder holds and ``tidegate top`` shows.

Counts are since the run began. Amounts and prices are exact decimals, durations seconds; times are nanoseconds since
the epoch on the run's clock, which on paper may run faster than the machine's.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from framework.errors import DataError

__all__ = [
    "BudgetStatus",
    "Happened",
    "InstrumentStatus",
    "Latency",
    "LogStatus",
    "OpenOrder",
    "RoadStatus",
    "Status",
    "decode_status",
    "encode_status",
]

# Changes when what is written cannot be read as before.
_FORMAT = 1


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """One distribution. counts: as ``Histogram.counts``. command: where it is of one kind of command only."""

    counts: tuple[int, ...]
    sum_ns: int
    command: str | None = None


class RoadStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One road. Counts as ``RoadTally`` has them; those of kinds that there were none of are left out."""

    name: str
    protocol: str
    is_up: bool
    session_id: str
    sent: dict[str, int]
    rejected: dict[str, int]
    lost: dict[str, int]
    orders: int
    cancels: int
    order_rejects: int
    fills: int
    opened: int
    resumed: int
    closed: int
    resyncs: int
    gaps: int
    missed: int
    replayed: int
    acknowledged: tuple[Latency, ...]
    fill_learned: Latency


class BudgetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One rate counter. name: of the instrument, or of the protocol whose calls are counted. used, limit: points, by
    our own count. published: by the venue's own word; None where it says nothing.
    """

    kind: Literal["orders", "calls"]
    name: str
    used: float
    limit: float
    published: float | None = None


class InstrumentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument.

    position: by this run's fills, and by what it goes on with of runs before; carried: what those have left beside it.
    realised, unrealised: of ``position``, before fees, in the quote asset; unrealised is None where no price is known.
    feed_age_s: since its market was heard last; None before.
    """

    symbol: str
    quote: str
    base: str
    position: Decimal
    carried: Decimal
    bid: Decimal | None
    ask: Decimal | None
    realised: Decimal
    unrealised: Decimal | None
    fills: int
    messages: int
    losses: int
    resyncs: int
    trades_missed: int
    is_lost: bool
    feed_age_s: float | None


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order that is open as far as known. reach: the roads that can cancel it. knowledge: sent, open, unknown."""

    cl_ord_id: str
    symbol: str
    side: Literal["buy", "sell"]
    qty: Decimal
    filled: Decimal
    price: Decimal | None
    age_s: float
    knowledge: str
    reach: tuple[str, ...]


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the log, in words."""

    ts_ns: int
    level: str
    text: str


class LogStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The log. lost: lines that were never written. failure: why none can be written now; None if they can."""

    lost: int
    failure: str | None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A run.

    state: "starting" until its strategy runs, "ending" once it does not any more, "over". written_s: time of the
    machine's clock of the day at which this was written. kill_switch: why it is pulled; None while it is not.
    kill_proved: the venue has said that nothing is open since. halted: why new orders are denied.
    stages: of ``Stages``, by name; none in a simulation. fees: by asset. orders: the oldest that are open.
    order_count: of all that are. unreachable: how many of them no road can cancel. unknown: outcomes now.
    unknown_total, resolved_total: outcomes that became unknown, and known again, so far.
    """

    format: int = _FORMAT
    version: str
    kind: Literal["paper", "live"]
    strategy: str
    process_id: int
    state: Literal["starting", "running", "ending", "over"]
    written_s: float
    began_ns: int
    now_ns: int
    kill_switch: str | None
    kill_proved: bool
    halted: str | None
    roads: tuple[RoadStatus, ...]
    instruments: tuple[InstrumentStatus, ...]
    budgets: tuple[BudgetStatus, ...]
    stages: dict[str, Latency]
    fees: dict[str, Decimal]
    orders: tuple[OpenOrder, ...]
    order_count: int
    unreachable: int
    unknown: int
    unknown_total: int
    resolved_total: int
    denied: int
    cancel_rejects: int
    amend_rejects: int
    rerouted: int
    journal_bytes: int | None
    log: LogStatus
    recent: tuple[Happened, ...]


def encode_status(status: Status) -> bytes:
    """As JSON."""
    return msgspec.json.encode(status)


def decode_status(data: bytes, name: str) -> Status:
    """Read it. name: of where it is from. Raises DataError for what is none of this version."""
    try:
        status = msgspec.json.decode(data, type=Status)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise DataError(f"{name}: what is there is not the status of a run of this version") from None
    if status.format != _FORMAT:
        raise DataError(f"{name}: the status is of format {status.format}, and this version reads {_FORMAT}")
    return status
