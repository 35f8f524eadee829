"""The causes of a divergence, and the worlds between backtest and run: each takes one cause more as measured."""

from __future__ import annotations

import enum
from collections.abc import Mapping

__all__ = ["CAUSES", "Cause", "Taken", "World"]


class Cause(enum.StrEnum):
    """Why a run comes out otherwise than its backtest.

    FEED, COMMAND, RESPONSE: how long market data, commands, and answers and own news take. OWN: a venue's book has the
    run's orders in it, which the strategy sees; the book of a backtest has none of its own. ORDERING: which messages
    overtake others. FEES: what is charged. LIMITS: what the venue refuses for a limit. UNKNOWN: lines that drop, and
    commands and answers that are lost. QUEUE: fills of orders that run and replay have sent alike. REST: whatever is
    left, orders that only one of them has sent.
    """

    FEED = "feed latency"
    OWN = "own orders seen"
    COMMAND = "command latency"
    RESPONSE = "response latency"
    ORDERING = "ordering"
    FEES = "fees"
    LIMITS = "limits"
    UNKNOWN = "unknown outcomes"
    QUEUE = "queue"
    REST = "not explained"


# Those that can be taken as measured, in the order in which they are.
CAUSES = (
    Cause.FEED,
    Cause.OWN,
    Cause.COMMAND,
    Cause.RESPONSE,
    Cause.ORDERING,
    Cause.FEES,
    Cause.LIMITS,
    Cause.UNKNOWN,
)


class Taken(enum.Enum):
    """How a world takes a cause: ASSUMED: as the run's configuration has it. NONE: away, the ideal: no latency, no fee,
    no limit, everything in order. MEASURED: as the run has measured it.
    """

    ASSUMED = "assumed"
    NONE = "none"
    MEASURED = "measured"


type World = Mapping[Cause, Taken]
