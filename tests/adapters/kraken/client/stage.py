"""One desk over one venue in virtual time, by simulated links or by links over the wire.

Both ends, the road between them and the trader's timers live in the time of one served venue. Each message takes a
millisecond each way, by either kind of link. A line can be cut, and answers can be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.client_ids import ClientIds
from adapters.kraken.client.credentials import Credentials
from adapters.kraken.client.http_pool import Call, Loss
from adapters.kraken.client.instruments import Instruments
from adapters.kraken.client.link_base import AccountParts, WireLink
from adapters.kraken.client.nonces import fix_nonces, rest_nonces
from adapters.kraken.client.order_memory import OrderMemory
from adapters.kraken.client.rest_calls import PrivateCalls, PublicCalls
from adapters.kraken.client.rest_link import RestLink
from adapters.kraken.client.streams import StreamHandler
from adapters.kraken.client.venue_time import VenueTime
from adapters.kraken.profile import PROFILE
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.fix.gateway import FixGateway
from adapters.kraken.server.http import HttpRequest, HttpResponse
from adapters.kraken.server.keys import KeyRing, generate_keys
from adapters.kraken.server.rest.gateway import RestGateway
from adapters.kraken.server.rest.public_limits import PublicLimits
from adapters.kraken.server.ws1.gateway import Ws1Gateway
from adapters.kraken.server.ws2.gateway import Ws2Gateway
from framework.backtest.sim_link import Gateway, SimLink
from framework.execution.budget import RateBudget
from framework.execution.desk import ExecutionDesk
from framework.execution.policy import DeskPolicy
from framework.protocol import BUY, LatencySpec, Ordering, OrderType, Protocol
from framework.venue.account import AccountConfig
from framework.venue.latency import compile_latency
from framework.venue.path import Path
from framework.venue.served.host import VenueHost
from tests.framework.execution.desk_rig import Listener, Notes, add_order
from tests.simulation.stage import BTC, Row, still_market

__all__ = ["BTC", "MS", "Desk", "SimDesk", "WireDesk"]

MS = 1_000_000
# 2026-01-05 12:00:00 UTC.
START_NS = 1_767_614_400_000 * MS
_MONEY = {"USD": Decimal(1_000_000), "BTC": Decimal(100)}
_LABELS = {"rest": Protocol.REST, "ws1": Protocol.WS1, "ws2": Protocol.WS2, "fix": Protocol.FIX}
COMP_ID = "DESK1"


class _Clock:
    def __init__(self, host: VenueHost) -> None:
        self._host = host

    @property
    def now_ns(self) -> int:
        return self._host.now_ns

    def call_at(self, ts_ns: int, callback: Callable[[], None]) -> None:
        self._host.call_at(ts_ns, callback)


class _SimHost(VenueHost):
    """A host whose venue speaks to simulated links."""

    sim_gateway: Gateway | None = None

    def settle(self) -> None:
        if self.sim_gateway is not None:
            self.sim_gateway.flush()
        super().settle()


class _SimGateway(Gateway):
    """Carries what is for simulated links, and nothing of other lines."""

    def flush(self) -> None:
        outbox = self._venue.outbox
        outbox[:] = [outbound for outbound in outbox if outbound.session_id in self._links]
        super().flush()


class Desk:
    """The desk and what it says: ``heard`` of orders, ``road`` of the road."""

    def __init__(self, policy: DeskPolicy, rows: Iterable[Row] = (), cod: bool | None = None) -> None:
        """cod: whether the venue cancels a session's orders when its line drops; None leaves it to the protocol."""
        self.cod = cod
        self.policy = policy
        market = still_market(list(rows), start_ns=START_NS)
        accounts = [AccountConfig(name=name, balances=_MONEY, tier="pro") for name in ("a0", "a1")]
        self.host = self.make_host([market], accounts)
        self.clock = _Clock(self.host)
        self.listener = Listener()
        self.notes = Notes()
        self.links: dict[str, Any] = {}
        self.make_links()
        budget = RateBudget(PROFILE.rates, PROFILE.tier("pro"), policy.cancel_reserve_points, self.listener.road.append)
        self.desk = ExecutionDesk(self.links, policy, self.clock, self.listener, self.notes, budget)
        for link in self.links.values():
            link.attach(self.desk.on_report, self.desk.on_session_closed)
        self.desk.start()
        self.run(1_000)
        assert all(link.is_up for link in self.links.values()), {name: link.is_up for name, link in self.links.items()}
        self.clear()

    def make_host(self, markets: Any, accounts: Any) -> VenueHost:
        raise NotImplementedError

    def make_links(self) -> None:
        raise NotImplementedError

    def cut(self, name: str) -> None:
        """A link's line drops, and both ends see it at once; it can be had again."""
        raise NotImplementedError

    def lose_answers(self, name: str, *, is_lost: bool) -> None:
        """What the venue answers to commands of a link does not come, or does again."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------- doing

    def run(self, ms: float) -> None:
        """Let time pass."""
        self.host.run_until(self.host.now_ns + round(ms * MS))

    def add(self, cl_ord_id: str, qty: float = 1, limit_ticks: int | None = 990, side: int = BUY, **more: Any) -> None:
        """Submit an order, a market order without a price, and wait for what comes of it."""
        kind = OrderType.MARKET if limit_ticks is None else OrderType.LIMIT
        fields = {"side": side, "order_type": kind, **more}
        via = fields.pop("via", None)
        self.desk.submit(add_order(cl_ord_id, round(qty * BTC), limit_ticks, **fields), via=via)
        self.run(50)

    def trade_against(self, side: int, limit_ticks: int, qty: float) -> None:
        """Another account trades."""
        from framework.messages import AddOrder

        if "other" not in {line.line_id for line in self.host.lines()}:
            self.host.open_line(_Mute())
        self.host.submit(
            "other",
            AddOrder(
                request_id=self.host.next_request_id(),
                cl_ord_id="",
                symbol="BTC/USD",
                side=side,
                order_type=OrderType.LIMIT,
                qty_lots=round(qty * BTC),
                limit_ticks=limit_ticks,
            ),
        )
        self.run(50)

    def clear(self) -> None:
        """Forget what was said so far."""
        self.listener.heard.clear()
        self.listener.road.clear()

    # ------------------------------------------------------------------------------------------------- heard

    @property
    def heard(self) -> list[tuple[Any, ...]]:
        """What was said of orders, in order."""
        return self.listener.heard

    @property
    def road(self) -> list[tuple[Any, ...]]:
        """What was said of the road: the type of each event, and what of it does not depend on names of sessions."""
        return [
            (type(event).__name__, *(
                getattr(event, name) for name in _COMPARED if hasattr(event, name)
            ))
            for event in self.listener.road
        ]  # fmt: skip


_COMPARED = ("link", "cl_ord_id", "cl_ord_ids", "reach", "asked", "used", "missed_count", "replayed_count", "command")


class _Mute:
    line_id = "other"
    account = "a1"
    label = "rest"
    comp_id: str | None = None

    def on_report(self, report: Any, is_response: bool) -> None:
        """Nobody listens."""


class SimDesk(Desk):
    """The desk over simulated links."""

    def make_host(self, markets: Any, accounts: Any) -> VenueHost:
        return _SimHost(PROFILE, markets, accounts, START_NS)

    def make_links(self) -> None:
        assert isinstance(self.host, _SimHost)
        self.gateway = self.host.sim_gateway = _SimGateway(self.host.venue)
        table = compile_latency(LatencySpec(kind="constant", median_us=1_000))
        for name in self.policy.link_names():
            paths = [
                Path(ordering=Ordering.FIFO, balanced_paths=1, seed=1, name=f"{name}{kind}", table=table)
                for kind in ("command", "response")
            ]
            self.links[name] = _LossyLink(
                name,
                PROFILE.protocols[_LABELS[name]],
                "a0",
                self.host.scheduler,
                self.host.venue,
                self.gateway,
                *paths,
                paths[1],
                name in ("ws1", "ws2"),
                self.cod,
            )

    def cut(self, name: str) -> None:
        link = self.links[name]
        link.cut(0)
        link.restore()

    def lose_answers(self, name: str, *, is_lost: bool) -> None:
        self.links[name].is_lossy = is_lost


class _LossyLink(SimLink):
    """A simulated link whose answers can be lost."""

    is_lossy = False

    def carry_back(self, report: Any, is_response: bool, seq_num: int) -> None:
        if not self.is_lossy:
            super().carry_back(report, is_response, seq_num)


class WireDesk(Desk):
    """The desk over links that speak Kraken's wire to the gateways of a served venue."""

    def make_host(self, markets: Any, accounts: Any) -> VenueHost:
        return VenueHost(PROFILE, markets, accounts, START_NS)

    def make_links(self) -> None:
        keys = generate_keys(["a0", "a1"], seed=5)
        context = ServerContext(self.host, KeyRing(keys, seed=5))
        self.rest_gateway = RestGateway(context, PublicLimits(0))
        self.ws2_gateway = Ws2Gateway(context)
        self.fix_gateway = FixGateway(context, {COMP_ID: "a0"})
        self.http = MemoryHttp(self.host, self.rest_gateway)
        self.sockets = MemorySockets(self.host, self.ws2_gateway.connect)
        self.old_sockets = MemorySockets(self.host, Ws1Gateway(context).connect)
        self.lines = MemorySockets(self.host, self.fix_gateway.connect)
        self.credentials = Credentials(keys[0].key, keys[0].secret.reveal())
        names = self.policy.link_names()
        self.parts = AccountParts(
            clock=self.clock,
            instruments=self.instruments(),
            memory=OrderMemory(),
            ids=ClientIds(None, is_time_based="fix" in names),
            time=VenueTime(),
        )
        self.calls = PrivateCalls(self.http, self.credentials, rest_nonces(None, lambda: self.host.now_ns))
        self.reads = PublicCalls(self.http, self.clock)
        makers: Mapping[str, Callable[[], WireLink]] = {
            "rest": self._rest,
            "ws1": self._ws1,
            "ws2": self._ws2,
            "fix": self._fix,
        }
        for name in names:
            self.links[name] = makers[name]()

    def instruments(self) -> Instruments:
        """Those of the venue's own AssetPairs answer."""
        answers: list[HttpResponse] = []
        request = HttpRequest(
            method="GET", path="/0/public/AssetPairs", query="", headers={}, body=b"", peer="127.0.0.1"
        )
        self.rest_gateway.handle(request, answers.append)
        return Instruments.from_asset_pairs(msgspec.json.decode(answers[0].body)["result"])

    def _rest(self) -> WireLink:
        profile = PROFILE.protocols[Protocol.REST]
        return RestLink("rest", profile, self.parts, BackOff(1), self.calls, self.reads)

    def _ws1(self) -> WireLink:
        from adapters.kraken.client.tokens import RestTokens
        from adapters.kraken.client.ws1_link import Ws1Link

        profile = PROFILE.protocols[Protocol.WS1]
        return Ws1Link("ws1", profile, self.parts, BackOff(1), self.old_sockets.connect, RestTokens(self.calls))

    def _ws2(self) -> WireLink:
        from adapters.kraken.client.tokens import RestTokens
        from adapters.kraken.client.ws2_link import Ws2Link

        profile = PROFILE.protocols[Protocol.WS2]
        return Ws2Link("ws2", profile, self.parts, BackOff(1), self.sockets.connect, RestTokens(self.calls))

    def _fix(self) -> WireLink:
        from adapters.fix.store import MemoryStore
        from adapters.kraken.client.fix_link import FixLink, FixNames

        return FixLink(
            "fix",
            PROFILE.protocols[Protocol.FIX],
            self.parts,
            BackOff(1),
            self.lines.connect,
            self.credentials,
            FixNames(sender_comp_id=COMP_ID),
            MemoryStore(),
            fix_nonces(None, lambda: self.host.now_ns),
            is_cancel_on_disconnect=self.cod,
        )

    def cut(self, name: str) -> None:
        if name == "rest":
            self.links[name]._ended("line dropped")
        else:
            {"ws1": self.old_sockets, "ws2": self.sockets, "fix": self.lines}[name].cut()

    def lose_answers(self, name: str, *, is_lost: bool) -> None:
        sockets = {"rest": self.http, "ws1": self.old_sockets, "ws2": self.sockets, "fix": self.lines}
        sockets[name].is_lossy = is_lost


class MemoryHttp:
    """Requests that reach a gateway after a millisecond, and whose answers come after another."""

    def __init__(self, host: VenueHost, gateway: RestGateway) -> None:
        self.is_lossy = False
        self.requests: list[str] = []
        self._host = host
        self._gateway = gateway

    def call(self, call: Call) -> None:
        request = call.make()
        path, _, query = request.target.partition("?")
        self.requests.append(path)
        arrived = HttpRequest(
            method=request.method,
            path=path,
            query=query,
            headers=dict(request.headers),
            body=request.body,
            peer="127.0.0.1",
        )
        self._later(lambda: self._gateway.handle(arrived, lambda answer: self._later(lambda: self._come(call, answer))))

    def close(self) -> None:
        """Nothing stands."""

    def _come(self, call: Call, answer: HttpResponse) -> None:
        if self.is_lossy:
            self._host.call_at(self._host.now_ns + call.timeout_ns, lambda: call.on_lost(Loss.OVERDUE, "no answer"))
        else:
            call.on_answer(answer.status, answer.body)

    def _later(self, callback: Callable[[], None]) -> None:
        self._host.call_at(self._host.now_ns + MS, callback)


class MemorySockets:
    """Connections to a gateway; every message takes a millisecond each way."""

    def __init__(self, host: VenueHost, accept: Callable[..., Any]) -> None:
        self.host = host
        self.accept = accept
        self.is_lossy = False
        self.is_refused = False
        self.streams: list[_MemoryStream] = []
        # What the venue sends passes here on its way; None is lost.
        self.tamper: Callable[[bytes], bytes | None] = lambda data: data

    def connect(self, handler: StreamHandler) -> _MemoryStream:
        stream = _MemoryStream(self, handler)
        self.streams.append(stream)
        return stream

    @property
    def current(self) -> _MemoryStream:
        return self.streams[-1]

    def cut(self, reason: str = "line dropped") -> None:
        """The line drops, and both ends see it at once."""
        self.current.drop(reason)


class _MemoryStream:
    def __init__(self, sockets: MemorySockets, handler: StreamHandler) -> None:
        self._sockets = sockets
        self._handler = handler
        self._peer: Any = None
        self.is_whole = True
        self.is_trader_there = True
        # What the trader writes does not arrive.
        self.drop_commands = False
        self._later(self._open)

    def write(self, data: bytes) -> None:
        self._later(lambda: self._arrive(data))

    def close(self) -> None:
        self.is_trader_there = False
        self._hang_up()

    def drop(self, reason: str) -> None:
        self._hang_up()
        self._end(reason)

    def _open(self) -> None:
        if self._sockets.is_refused:
            self.is_whole = False
            self._end("connection refused")
        elif self.is_whole:
            self._peer = self._sockets.accept("127.0.0.1:1", self._send, lambda *_: self._later(self._closed_by_venue))
            self._handler.opened()

    def _arrive(self, data: bytes) -> None:
        if self.is_whole and self._peer is not None and not self.drop_commands:
            self._peer.receive(data)

    def _send(self, data: bytes) -> None:
        if not self._sockets.is_lossy:
            self._later(lambda: self._come(data))

    def _come(self, data: bytes) -> None:
        passed = self._sockets.tamper(data)
        if self.is_whole and self.is_trader_there and passed is not None:
            self._handler.received(passed)

    def _closed_by_venue(self) -> None:
        self.drop("closed by the venue")

    def _hang_up(self) -> None:
        if self.is_whole:
            self.is_whole = False
            if self._peer is not None:
                self._peer.closed()

    def _end(self, reason: str) -> None:
        if self.is_trader_there:
            self.is_trader_there = False
            self._handler.closed(reason)

    def _later(self, callback: Callable[[], None]) -> None:
        self._sockets.host.call_at(self._sockets.host.now_ns + MS, callback)
