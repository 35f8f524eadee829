"""Lets the time of a node pass with the machine's clock, inside an asyncio loop.

The machine's monotonic clock is tied to the epoch once, at the start; a wall clock that is set afterwards moves
nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from framework.venue.served.clock import VenueClock
from framework.venue.served.pace import BEAT_S, Living, Pace

__all__ = ["Node", "drive"]


class Node(Living, Protocol):
    """What lives until it is done."""

    @property
    def is_done(self) -> bool: ...


async def drive(
    node: Node,
    clock: VenueClock,
    on_beat: Callable[[], None] = lambda: None,
    wall_ns: Callable[[], int] = time.monotonic_ns,
) -> None:
    """Move a node on until it is done; whatever it raises is raised here.

    clock: the node's time against ``wall_ns``. on_beat: called at each beat, before time is moved on.
    """
    pace = Pace(node, clock, wall_ns)
    while not node.is_done:
        on_beat()
        began_ns = wall_ns()
        pace.run(began_ns)
        is_behind = node.now_ns < clock.venue_ns(wall_ns())
        # One that lags goes on at once; the loop is given a turn all the same.
        await asyncio.sleep(0 if is_behind and wall_ns() - began_ns > BEAT_S * 1_000_000_000 else BEAT_S)
