"""An event loop that never sleeps: for who has a processor's core to spare, and wants what comes answered sooner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["busy_poll"]


def busy_poll(loop: asyncio.AbstractEventLoop, is_over: Callable[[], bool]) -> None:
    """Have a loop look for what has come again and again, without sleep, until it is over."""

    def look_again() -> None:
        if not is_over():
            loop.call_soon(look_again)

    look_again()
