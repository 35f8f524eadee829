"""A loop that never sleeps while it waits, until it is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
import uvloop

from framework.live.busy_poll import busy_poll


@pytest.mark.parametrize("make", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_busy_loop_uses_the_time_that_it_waits_and_ends_when_it_is_over(
    make: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def cpu_s(*, is_busy: bool) -> float:
        done = asyncio.Event()
        if is_busy:
            busy_poll(asyncio.get_running_loop(), done.is_set)
        began_s = time.process_time()
        await asyncio.sleep(0.1)
        used_s = time.process_time() - began_s
        done.set()
        await asyncio.sleep(0)
        return used_s

    async def both() -> tuple[float, float]:
        return await cpu_s(is_busy=True), await cpu_s(is_busy=False)

    with asyncio.Runner(loop_factory=make) as runner:
        busy_s, idle_s = runner.run(both())
    assert busy_s > 4 * idle_s


def test_timers_and_sockets_are_served_all_the_same() -> None:
    async def heard() -> bytes:
        done = asyncio.Event()
        busy_poll(asyncio.get_running_loop(), done.is_set)
        server = await asyncio.start_server(lambda _, writer: writer.write(b"tick") or writer.close(), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        data = await reader.read()
        writer.close()
        server.close()
        done.set()
        return data

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(heard()) == b"tick"
