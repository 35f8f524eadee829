"""What goes wrong in a run, and when: drawn from the seed, over by the end of the time in which it may."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from adapters.fix.errors import StoreError
from framework.protocol import VenueMode
from tests.simulation.wire.machine import CRASH_POINTS
from tests.simulation.wire.network import MS, SECOND
from tests.simulation.wire.world import ACT_S, World

__all__ = ["MODES", "Faults"]

MODES = (VenueMode.CANCEL_ONLY, VenueMode.POST_ONLY, VenueMode.LIMIT_ONLY, VenueMode.MAINTENANCE)


class Faults:
    """Plans faults, and ends them. act_s: they come in so many seconds. count: of them; None for what the seed says.
    kinds: of them; None for all.
    """

    def __init__(
        self, world: World, act_s: float = ACT_S, count: int | None = None, kinds: Sequence[str] | None = None
    ) -> None:
        self._world = world
        self._chance = chance = world.chance("faults")
        self._makers: dict[str, Callable[[], None]] = {
            "drop": self.drop,
            "half open": self.half_open,
            "stall": self.stall,
            "refuse": self.refuse,
            "gateway": self.lose_gateway,
            "all lines": self.drop_all,
            "mode": self.change_mode,
            "clock": self.set_clock,
            "tokens": self.expire_tokens,
            "rollover": self.roll_over,
            "replay": self.replay,
            "frame": self.lose_frame,
            "slow disk": self.slow_disk,
            "full disk": self.fill_disk,
            "crash": self.crash,
        }
        self._kinds = kinds or [*self._makers, "half open", "frame", "frame", "crash", "crash"]
        for _ in range(chance.choice([0, 3, 6, 12]) if count is None else count):
            at_ns = world.host.now_ns + round(chance.uniform(0.2, act_s - 1) * SECOND)
            world.later(at_ns, self._next)

    def _next(self) -> None:
        name = self._chance.choice(self._kinds)
        self._world.note(f"FAULT {name}")
        self._makers[name]()

    def calm(self) -> None:
        """Nothing goes wrong from now on; what went wrong unnoticed is still to be noticed."""
        world = self._world
        world.note("CALM")
        world.http_faults.share = 0.0
        for service in world.services.values():
            service.weather.is_refused = service.weather.is_black_hole = False
        world.wall_skew_ns = world.setting.skew_ns
        if world.clock.skew_ns != world.wall_skew_ns:
            world.crash("for its clock")  # what has started with a wrong clock keeps it
        world.disk.slow_ns, world.disk.plan = 0, None
        self._make_room()
        world.host.set_mode(VenueMode.ONLINE, None)

    # ------------------------------------------------------------------------------------------------- kinds

    def _service(self) -> str:
        services = self._world.services
        return self._chance.choice([name for name in services if services[name].connections] or ["rest"])

    def drop(self) -> None:
        name, chance = self._service(), self._chance
        for line in self._world.services[name].connections:
            if line.is_trader_there or line.is_venue_there:
                line.drop("line dropped", chance.choice([0, 20 * MS, 500 * MS]), chance.choice([0, 20 * MS, 500 * MS]))

    def drop_all(self) -> None:
        for service in self._world.services.values():
            for line in service.connections:
                line.drop("network is unreachable", 0, self._chance.choice([0, SECOND]))

    def half_open(self) -> None:
        """One end is never told."""
        is_trader_told = self._chance.random() < 0.5
        for line in self._world.services[self._service()].connections:
            if line.is_trader_there:
                line.drop("line dropped", 0 if is_trader_told else None, None if is_trader_told else 0)

    def stall(self) -> None:
        chance = self._chance
        until_ns = self._world.host.now_ns + chance.randint(100, 6_000) * MS
        is_up, is_down = chance.choice([(True, True), (True, False), (False, True)])
        for line in self._world.services[self._service()].connections:
            line.stall(until_ns, is_up=is_up, is_down=is_down)

    def refuse(self) -> None:
        weather, chance = self._world.services[self._service()].weather, self._chance
        is_hole = chance.random() < 0.3
        weather.is_refused, weather.is_black_hole = not is_hole, is_hole
        self._later(chance.randint(500, 8_000) * MS, lambda: self._listen(weather))

    def _listen(self, weather: object) -> None:
        weather.is_refused = weather.is_black_hole = False  # type: ignore[attr-defined]

    def lose_gateway(self) -> None:
        """All connections of a service end, and it is not there for a while."""
        service = self._world.services[self._service()]
        service.weather.is_refused = True
        for line in service.connections:
            line.drop("connection reset by peer", 0, 0)
        self._later(self._chance.randint(1_000, 8_000) * MS, lambda: self._listen(service.weather))

    def change_mode(self) -> None:
        host, chance = self._world.host, self._chance
        mode = chance.choice(MODES)
        self._world.count(f"engine {mode.name}")
        host.set_mode(mode, None)
        self._later(chance.randint(50, 4_000) * MS, lambda: host.set_mode(VenueMode.ONLINE, None))

    def set_clock(self) -> None:
        """The time of day of the trader's machine is set, and set right again; a process keeps to the time of day that
        it has begun with.
        """
        world = self._world
        world.wall_skew_ns = world.setting.skew_ns + self._chance.choice([-30, -2, 2, 4, 30]) * SECOND
        world.count("clock set forward" if world.wall_skew_ns > world.setting.skew_ns else "clock set back")
        self._later(self._chance.randint(500, 5_000) * MS, self._right_clock)

    def _right_clock(self) -> None:
        self._world.wall_skew_ns = self._world.setting.skew_ns

    def expire_tokens(self) -> None:
        """Tokens that were given out are not valid any more, on no connection."""
        self._world.count("tokens expired")
        self._world.keys._tokens.clear()
        for connection in self._world.ws2_gateway.connections:
            connection._tokens.clear()

    def roll_over(self) -> None:
        if "fix" in self._world.links:
            self._world.count("rollover")
            self._world.host.roll_over("fix")

    def replay(self) -> None:
        """The trader asks for messages of its FIX session again that it has had."""
        world, count = self._world, self._chance.randint(1, 12)

        def ask() -> None:
            link = world.links.get("fix")
            if link is not None and link.is_up:
                session = link._session
                first = max(1, session.next_target - count)
                with contextlib.suppress(StoreError):  # on a full disk
                    session._send(b"2", ((7, b"%d" % first), (16, b"0")), world.clock.now_ns)
                    world.count("replay asked for")
                link._flush()

        world.machine.enter(ask)

    def lose_frame(self) -> None:
        """A frame of own news is lost in the venue's own network."""
        for line in self._world.services["ws2"].connections:
            line.is_next_lost = True

    def slow_disk(self) -> None:
        """Each write takes long, and the process with it."""
        disk, chance = self._world.disk, self._chance
        disk.slow_ns = chance.choice([1, 10, 100]) * MS
        self._later(chance.randint(300, 3_000) * MS, lambda: setattr(disk, "slow_ns", 0))

    def fill_disk(self) -> None:
        """There is no room for a while; whoever has made some starts a process anew that could not write."""
        self._world.disk.is_full = True
        self._later(self._chance.randint(300, 5_000) * MS, self._make_room)

    def _make_room(self) -> None:
        world = self._world
        world.disk.is_full = False
        if world.end.journal._failure is not None:
            world.crash("for want of room")

    def crash(self) -> None:
        """The process ends, at once or at one of the next points between two effects."""
        world, chance = self._world, self._chance
        point = chance.choice([*CRASH_POINTS, "at once"])
        if point == "at once":
            world.crash(point)
            return
        plan = world.disk.plan = (point, chance.randint(1, 25))

        def lose_patience() -> None:
            if world.disk.plan is not None and world.disk.plan[0] == plan[0]:
                world.crash("at once")

        self._later(3 * SECOND, lose_patience)

    def _later(self, wait_ns: int, callback: Callable[[], None]) -> None:
        self._world.later(self._world.host.now_ns + wait_ns, callback)
