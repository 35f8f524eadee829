"""Gives rows of the market that a run has walked back to the system, so that a long one needs no more memory."""

from __future__ import annotations

from framework.data.columns import Columns
from framework.data.pages import give_back
from framework.venue.scheduler import Scheduler

__all__ = ["give_back_walked"]

_ROWS = 1 << 17


def give_back_walked(columns: Columns, scheduler: Scheduler) -> None:
    """Let go of the rows that building the kernel has read, and from time to time of those that are walked by then.

    The feed is behind the engine by its latency, so the newest rows stay.
    """
    give_back(columns, 0, len(columns))
    _schedule(columns, scheduler, 2 * _ROWS)


def _schedule(columns: Columns, scheduler: Scheduler, row: int) -> None:
    if row < len(columns):
        scheduler.at(int(columns.ts_event_ns[row]), _give_back, columns, scheduler, row)


def _give_back(columns: Columns, scheduler: Scheduler, row: int) -> None:
    give_back(columns, row - 2 * _ROWS, row - _ROWS)
    _schedule(columns, scheduler, row + _ROWS)
