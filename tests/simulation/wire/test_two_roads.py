"""Two orders on two roads and a line that drops: every order of what can happen, and how close together, one by one.

One order is entered and canceled, the other is entered and filled, the line of the session drops and is made again.
All interleavings are played, with steps so close that nothing is answered in between and so far apart that all is, with
and without cancel on disconnect, each order on either road. What must hold is that of all runs (``watch``).
Pages: fix-api/logon-fix (cancel on disconnect, reset), guides/general/api-comparison (reach, replay).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

from framework.execution.orders import Knowledge
from framework.protocol import BUY, SELL
from tests.framework.execution.desk_rig import add_order
from tests.simulation.stage import ASK, BID, BTC
from tests.simulation.wire.network import MS
from tests.simulation.wire.watch import Watch
from tests.simulation.wire.world import POLICIES, Setting, World

ROADS = ("fix", "ws2")
_STEPS = (("new a", "cancel a"), ("new b", "fill b"), ("drop", "resume"))


def interleavings(threads: tuple[tuple[str, ...], ...]) -> Iterator[tuple[str, ...]]:
    """All ways to do several things at once, each in its own order."""
    if not any(threads):
        yield ()
    for index, thread in enumerate(threads):
        if thread:
            rest = (*threads[:index], thread[1:], *threads[index + 1 :])
            for tail in interleavings(rest):
                yield (thread[0], *tail)


ALL = list(interleavings(_STEPS))


class TwoRoads:
    """One run."""

    def __init__(self, *, is_a_on_fix: bool, is_canceled_on_drop: bool, is_resumed: bool) -> None:
        policy = msgspec.structs.replace(
            POLICIES["fix+ws2"], reconnect_delay_ms=None, answer_timeout_ms=2_000, is_resumed_on_reconnect=is_resumed
        )
        self.is_resumed = is_resumed
        self.world = World(
            1, Setting(policy=policy, is_cancel_on_disconnect=is_canceled_on_drop, is_rate_limited=False), [], 60
        )
        self.world.http_faults.share = 0.0
        self.roads = dict(zip("ab", ROADS if is_a_on_fix else ROADS[::-1], strict=True))
        self.watch = Watch(self.world)
        self.world.desk.start()
        self.world.run(1)

    def do(self, step: str) -> None:
        desk = self.world.desk
        actions: dict[str, Callable[[], object]] = {
            "new a": lambda: desk.submit(add_order("a", BTC, BID - 5, side=BUY), via=self.roads["a"]),
            "cancel a": lambda: self.watch.cancel(desk.orders["a"], None),
            "new b": lambda: desk.submit(add_order("b", BTC, ASK - 1, side=SELL), via=self.roads["b"]),
            "fill b": lambda: self.world.other_trades(BUY, ASK - 1, BTC),
            "drop": lambda: [line.drop("line dropped") for line in self.world.services["fix"].connections],
            "resume": self._resume,
        }
        actions[step]()

    def _resume(self) -> None:
        link = self.world.links["fix"]
        if not link.is_up:
            link.open(is_reset=not self.is_resumed)


@pytest.mark.parametrize("is_resumed", [True, False], ids=["resumed", "new session"])
@pytest.mark.parametrize("is_canceled_on_drop", [True, False], ids=["cancel on drop", "none on drop"])
@pytest.mark.parametrize("is_a_on_fix", [True, False], ids=["a on fix", "b on fix"])
@pytest.mark.parametrize("gap_ms", [0, 60, pytest.param(1, marks=pytest.mark.slow)])
def test_every_interleaving_ends_with_both_ends_of_one_mind(
    gap_ms: int, is_a_on_fix: bool, is_canceled_on_drop: bool, is_resumed: bool
) -> None:
    assert len(ALL) == 90
    for steps in ALL:
        run = TwoRoads(is_a_on_fix=is_a_on_fix, is_canceled_on_drop=is_canceled_on_drop, is_resumed=is_resumed)
        world = run.world
        try:
            for number, step in enumerate(steps):
                world.later(world.host.now_ns + number * gap_ms * MS, lambda run=run, step=step: run.do(step))
            world.run(2)
            run.do("resume")
            world.run(20)
            world.desk.query()
            world.run(5)
            run.watch.check_rest()
            for cl_ord_id in ("a", "b"):
                record = world.desk.orders[cl_ord_id]
                assert record.knowledge in (Knowledge.CLOSED, Knowledge.OPEN)
        except AssertionError as error:
            raise AssertionError(f"{' > '.join(steps)}: {error}\n" + "\n".join(world.tail)) from error
