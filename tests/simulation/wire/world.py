"""One desk, its links, a network and a served venue: all of it in one process, on one scheduler, from one seed.

The trader's end is ``adapters.kraken.client`` as it trades live, the venue's end the gateways and the host as they are
served; between them are bytes on a virtual network. Nothing reads a clock or draws a number that is not the seed's.
"""

from __future__ import annotations

import functools
import hashlib
import random
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from adapters.kraken.client.credentials import Credentials
from adapters.kraken.client.http_pool import HttpPool
from adapters.kraken.client.instruments import Instruments
from adapters.kraken.client.link_base import AccountParts
from adapters.kraken.profile import PROFILE
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.fix.gateway import FixGateway
from adapters.kraken.server.http import HttpRequest, HttpResponse
from adapters.kraken.server.keys import KeyRing, generate_keys
from adapters.kraken.server.rest.gateway import RestGateway
from adapters.kraken.server.rest.public_limits import PublicLimits
from adapters.kraken.server.ws2.gateway import Ws2Gateway
from framework.data.columns import TRADE, Market
from framework.execution.desk import ExecutionDesk
from framework.execution.policy import DeskPolicy
from framework.messages import AddOrder, Command
from framework.protocol import BUY, SELL, LatencySpec, OrderType, VenueProfile
from framework.venue.account import AccountConfig
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec, VenueHost
from tests.framework.execution.desk_rig import Notes
from tests.simulation.stage import ASK, BID, BTC, LEVEL_LOTS, Row, level, still_market
from tests.simulation.wire.http_end import HttpEnd, HttpFaults
from tests.simulation.wire.machine import Disk, Machine, TraderClock
from tests.simulation.wire.network import MS, SECOND, Connection, Network, Peer, Service, Weather
from tests.simulation.wire.trader_end import COMP_ID, LABELS, Process, TraderEnd

__all__ = ["ACT_S", "PATIENCE_S", "POLICIES", "REST_S", "Setting", "World"]

# Faults come and the trader acts for so long; then the weather is fair, and all comes to rest: soon, or with patience,
# where the limit of calls lets the desk ask for one order in a while only.
ACT_S, REST_S, PATIENCE_S = 20, 75, 3_600
_MONEY = {"USD": Decimal(1_000_000), "BTC": Decimal(1_000)}
# 2026-01-05, at noon and shortly before the rollover of FIX.
_NOON_NS = 1_767_614_400 * SECOND
_EVENING_NS = _NOON_NS + 10 * 3_600 * SECOND - 12 * SECOND
_PLENTY = tuple(msgspec.structs.replace(tier, threshold=50 * tier.threshold) for tier in PROFILE.tiers)

POLICIES: dict[str, DeskPolicy] = {
    "rest": DeskPolicy(submit="rest", amend="rest", cancel=("rest",), news="rest"),
    "ws2": DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2", "rest"), news="ws2", query="rest"),
    "fix": DeskPolicy(submit="fix", amend="fix", cancel=("fix", "rest"), news="fix", query="rest"),
    "rest+ws2": DeskPolicy(submit="rest", amend="rest", cancel=("rest", "ws2"), news="ws2", query="rest"),
    "fix+ws2": DeskPolicy(submit="fix", amend="ws2", cancel=("fix", "ws2", "rest"), news="ws2", query="rest"),
    "ws2+fix": DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2", "fix:mass"), news="ws2", query="rest"),
    "fix+mass": DeskPolicy(submit="fix", amend="fix", cancel=("fix", "fix:mass"), news="fix", query="rest"),
}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is made with; ``drawn`` from its seed. history_max: so much of each account's past the venue keeps."""

    policy: DeskPolicy
    start_ns: int = _NOON_NS
    tier: str = "pro"
    is_rate_limited: bool = True
    is_road_slow: bool = False
    is_cancel_on_disconnect: bool | None = None
    pool_count: int = 1
    skew_ns: int = 0
    heartbeat_s: int = 30
    history_max: int = 50_000

    @classmethod
    def drawn(cls, chance: random.Random) -> Setting:
        """A setting of this seed."""
        policy = msgspec.structs.replace(
            POLICIES[chance.choice(list(POLICIES))],
            deadline_ms=chance.choice([3_000, 5_000]),
            answer_timeout_ms=chance.choice([300, 2_000, 10_000]),
            poll_interval_ms=chance.choice([500, 2_000]),
            cancel_reserve_points=chance.choice([0, 10, 40]),
            reconnect_delay_ms=chance.choice([0, 50, 1_000]),
            is_resumed_on_reconnect=chance.random() < 0.7,
        )
        return cls(
            policy=policy,
            start_ns=_EVENING_NS if chance.random() < 0.15 else _NOON_NS,
            tier=chance.choice(["starter", "intermediate", "pro"]),
            is_rate_limited=chance.random() < 0.5,
            is_road_slow=chance.random() < 0.5,
            is_cancel_on_disconnect=chance.choice([None, True, False]),
            pool_count=chance.choice([1, 1, 3]),
            skew_ns=chance.choice([0, 0, -3 * MS, 2 * MS]),
            heartbeat_s=chance.choice([2, 5, 30]),
        )


class World:
    """All of a run. checks: called after each event. log: what happened, newest last; its hash covers all of it."""

    def __init__(
        self,
        seed: int,
        setting: Setting,
        rows: Iterable[Row] | None = None,
        rest_s: float = PATIENCE_S,
        *,
        markets: Sequence[Market] | None = None,
        make_end: Callable[[World, int], Process] = TraderEnd,
    ) -> None:
        """rows, rest_s: of the still market of the stage; markets: others in its place. make_end: what trades."""
        self.seed = seed
        self.setting = setting
        self.checks: list[Callable[[], None]] = []
        self.on_wire: list[Callable[[Connection, str, bytes], None]] = []
        self.tail: deque[str] = deque(maxlen=80)
        self.event_count = 0
        self._hash = hashlib.blake2b(digest_size=16)
        if markets is None:
            chance = self.chance("market")
            market = still_market(
                _rows(chance) if rows is None else list(rows),
                duration_s=ACT_S + rest_s + 2 * REST_S,
                start_ns=setting.start_ns,
                beat_s=5.0,
            )
            markets = [market]
        accounts = [AccountConfig(name=name, balances=_MONEY, tier=setting.tier) for name in ("a0", "a1")]
        self.host = VenueHost(
            self._profile(),
            markets,
            accounts,
            setting.start_ns,
            history_max=setting.history_max,
            roads=self._roads(),
            seed=seed,
        )
        self.wall_skew_ns = setting.skew_ns
        self.counts: Counter[str] = Counter()
        self.on_start: list[Callable[[], None]] = []
        self.disk = Disk(self, is_time_based="fix" in setting.policy.link_names())
        self.network = Network(
            lambda: self.host.now_ns, self.later, self.note, self._wrote, self.disk.reach, self.count
        )
        self._crash_chance = self.chance("crash")
        self._make_venue()
        self._make_services()
        self.instruments = self._read_instruments()
        self._end_count = 0
        self._make_end = make_end
        self.end = make_end(self, 0)

    # ------------------------------------------------------------------------------------------------- time and log

    @staticmethod
    def stream(seed: int, name: str) -> random.Random:
        """A stream of chance of its own for each use."""
        return random.Random(f"{seed} {name}")

    def chance(self, name: str) -> random.Random:
        """A stream of this run."""
        return self.stream(self.seed, name)

    def later(self, ts_ns: int, callback: Callable[[], None]) -> None:
        """An event at a time; what must hold is looked at after it."""
        self.host.call_at(ts_ns, self._happen, callback)

    def _happen(self, callback: Callable[[], None]) -> None:
        callback()
        self.host.settle()
        if self._has_fix:
            self.fix_gateway.flush()
            self._arm_fix()
        self.event_count += 1
        for check in self.checks:
            check()

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.host.run_until(self.host.now_ns + round(seconds * SECOND))

    @property
    def is_desk_curious(self) -> bool:
        """Whether the desk waits for an answer, or has had none since the faults to what only the venue can tell."""
        polls = self.desk._polls
        is_unread = polls._ts_read_ns < self.setting.start_ns + (ACT_S + REST_S // 2) * SECOND
        return bool(self.desk.in_flight) or (polls.is_needed and is_unread)

    @property
    def has_link_down(self) -> bool:
        """Whether a link is down still: its token is a call too, and waits where the limit of calls is passed."""
        return not all(link.is_up for link in self.links.values())

    @property
    def now_s(self) -> float:
        """Seconds since the start."""
        return (self.host.now_ns - self.setting.start_ns) / SECOND

    def count(self, name: str) -> None:
        """Something that runs are meant to meet has been met."""
        self.counts[name] += 1

    def note(self, text: str) -> None:
        """A line of the log."""
        line = f"{(self.host.now_ns - self.setting.start_ns) / SECOND:11.6f} {text}"
        self.tail.append(line)
        self._hash.update(line.encode() + b"\n")

    @property
    def log_hash(self) -> str:
        """Of all that was noted."""
        return self._hash.hexdigest()

    def _wrote(self, connection: Connection, way: str, data: bytes) -> None:
        self.note(f"{connection.name} {way} {len(data)} {zlib.crc32(data):08x}")
        for listen in self.on_wire:
            listen(connection, way, data)

    # ------------------------------------------------------------------------------------------------- the venue

    def _profile(self) -> VenueProfile:
        return PROFILE if self.setting.is_rate_limited else msgspec.structs.replace(PROFILE, tiers=_PLENTY)

    def _roads(self) -> dict[str, RoadSpec]:
        if not self.setting.is_road_slow:
            return {}
        return _slow_roads()

    def _make_venue(self) -> None:
        keys = generate_keys(["a0", "a1"], seed=5)
        if self.setting.pool_count > 1:
            keys[0].nonce_window = 30 * SECOND
        self.keys = KeyRing(keys, seed=5)
        context = ServerContext(self.host, self.keys)
        self.rest_gateway = RestGateway(context, PublicLimits(0))
        self.ws2_gateway = Ws2Gateway(context)
        self.fix_gateway = FixGateway(context, {COMP_ID: "a0"})
        self.credentials = Credentials(keys[0].key, keys[0].secret.reveal())
        self._fix_ends: list[Any] = []
        self._has_fix = False
        self._fix_due_ns = 0
        self.host.open_line(_Mute())

    def _make_services(self) -> None:
        self.http_faults = HttpFaults(self.chance("http"))
        accepts: dict[str, tuple[Callable[[Connection], Peer], bool]] = {
            "rest": (self._accept_http, True),
            "ws2": (lambda line: self.ws2_gateway.connect("127.0.0.1", line.send, line.hang_up), False),
            "fix": (self._accept_fix, True),
            "market": (lambda line: self.ws2_gateway.connect("127.0.0.1", line.send, line.hang_up), False),
        }
        self.services = {
            name: Service(name, Weather(self.chance(f"weather {name}")), accept, is_stream=is_stream)
            for name, (accept, is_stream) in accepts.items()
        }

    def _accept_http(self, connection: Connection) -> Peer:
        now = lambda: self.host.now_ns  # noqa: E731
        return HttpEnd(connection, self.rest_gateway, self.http_faults, now, self.later, self.note)

    def _accept_fix(self, connection: Connection) -> Peer:
        self._has_fix = True
        end = self.fix_gateway.connect("127.0.0.1", connection.send, connection.hang_up)
        self._fix_ends.append(end)
        return end

    def _arm_fix(self) -> None:
        """Have the timers of FIX connections at the venue run, as its port does."""
        self._fix_ends = [end for end in self._fix_ends if not end._is_closed]
        due = [due_ns for end in self._fix_ends if (due_ns := end.next_timer_ns()) is not None]
        if due and not self.host.now_ns < self._fix_due_ns <= min(due):
            self._fix_due_ns = max(min(due), self.host.now_ns + 1)
            self.later(self._fix_due_ns, self._fix_timers)

    def _fix_timers(self) -> None:
        now_ns = self.host.now_ns
        for end in self._fix_ends:
            due_ns = end.next_timer_ns()
            if due_ns is not None and due_ns <= now_ns:
                end.on_timer(now_ns)

    # ------------------------------------------------------------------------------------------------- the trader

    @property
    def machine(self) -> Machine:
        """The process that trades, or the one that has ended last."""
        return self.end.machine

    @property
    def clock(self) -> TraderClock:
        """Its clock."""
        return self.end.clock

    @property
    def desk(self) -> ExecutionDesk:
        """Its desk."""
        return self.end.desk

    @property
    def links(self) -> dict[str, Any]:
        """Its links."""
        return self.end.links

    @property
    def parts(self) -> AccountParts:
        """What its links have in common."""
        return self.end.parts

    @property
    def pool(self) -> HttpPool:
        """Its connections of HTTP."""
        return self.end.pool

    @property
    def listener(self) -> Any:
        """Who hears of its orders."""
        return self.end.listener

    @property
    def notes(self) -> Notes:
        """What its desk has sent."""
        return self.end.notes

    def draw_part(self, size: int) -> int:
        """So many bytes of a write that is cut short are written."""
        return self._crash_chance.randrange(size)

    def crash(self, how: str) -> None:
        """The trader's process ends, with all its connections; it is started again after a while."""
        if not self.machine.is_alive:
            return
        self.note(f"CRASH {how}")
        self.count(f"crash {how}")
        self.disk.plan = None
        self.machine.end()
        for service in self.services.values():
            for line in service.connections:
                if line.is_trader_there:
                    line.close()
        pause_ns = self._crash_chance.choice([5, 300, 2_000, 8_000]) * MS
        self.later(self.host.now_ns + pause_ns, self._start_again)

    def _start_again(self) -> None:
        self._end_count += 1
        self.note(f"START {self._end_count}")
        self.end = self._make_end(self, self._end_count)
        for started in self.on_start:
            started()
        self.machine.enter(self.end.begin)

    def _read_instruments(self) -> Instruments:
        """Those of the venue's own AssetPairs answer."""
        answers: list[HttpResponse] = []
        request = HttpRequest(
            method="GET", path="/0/public/AssetPairs", query="", headers={}, body=b"", peer="127.0.0.1"
        )
        self.rest_gateway.handle(request, answers.append)
        return Instruments.from_asset_pairs(msgspec.json.decode(answers[0].body)["result"])

    # ------------------------------------------------------------------------------------------------- others

    def other_trades(self, side: int, limit_ticks: int, qty_lots: int) -> None:
        """Another account trades, at once or not at all."""
        from framework.protocol import TimeInForce

        command: Command = AddOrder(
            request_id=self.host.next_request_id(),
            cl_ord_id="",
            symbol="BTC/USD",
            side=side,
            order_type=OrderType.LIMIT,
            qty_lots=qty_lots,
            limit_ticks=limit_ticks,
            time_in_force=TimeInForce.IOC,
        )
        self.host.submit("other", command)


@functools.cache
def _slow_roads() -> dict[str, RoadSpec]:
    """The same of every run that has slow ones."""
    table = compile_latency(LatencySpec(kind="lognormal", median_us=3_000, sigma=0.8))
    road = RoadSpec(command=table, response=table, feed=table, is_reordered=True)
    return {str(label): road for label in LABELS.values()}


class _Mute:
    line_id = "other"
    account = "a1"
    label = "rest"
    comp_id: str | None = None

    def on_report(self, report: Any, is_response: bool) -> None:
        """Nobody listens."""


def _rows(chance: random.Random) -> list[Row]:
    """Trades at the touch, now and then through it, with the levels made whole again."""
    rows: list[Row] = []
    at_s = 0.0
    while at_s < ACT_S:
        at_s += chance.expovariate(3.0)
        side = chance.choice([BUY, SELL])
        touch = ASK if side == BUY else BID
        rows.append((round(at_s, 3), TRADE, side, touch, chance.choice([BTC // 2, 2 * BTC, 6 * BTC])))
        rows.append(level(round(at_s, 3) + 0.001, SELL if side == BUY else BUY, touch, LEVEL_LOTS))
    return rows
