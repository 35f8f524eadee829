"""A served venue, put together and run until it is interrupted."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import os
import resource
import secrets
import signal
import ssl
import sys
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import msgspec

from adapters.kraken.profile import PROFILE
from adapters.kraken.server.authority import Certified, certify
from adapters.kraken.server.connects import ConnectLimits
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.control.gateway import ControlGateway
from adapters.kraken.server.control.served_faults import ServedFaults
from adapters.kraken.server.fix.gateway import TARGET_COMP_ID, FixGateway
from adapters.kraken.server.fix_market.gateway import MARKET_TARGET_COMP_ID, FixMarketGateway
from adapters.kraken.server.keys import ApiKey, KeyRing, generate_keys, read_keys
from adapters.kraken.server.markets import served_markets
from adapters.kraken.server.rest.gateway import RestGateway
from adapters.kraken.server.rest.public_limits import PublicLimits
from adapters.kraken.server.shell.fix_port import FixPort
from adapters.kraken.server.shell.journal import VenueJournal
from adapters.kraken.server.shell.peers import Peers
from adapters.kraken.server.shell.pump import Pump
from adapters.kraken.server.shell.ready import Ready, ReadyAccount, ReadyFix, write_ready
from adapters.kraken.server.shell.warm_up import warm_up
from adapters.kraken.server.shell.web import SocketEndpoint, WebPort
from adapters.kraken.server.ws1.gateway import Ws1Gateway
from adapters.kraken.server.ws2.gateway import Ws2Gateway
from framework.errors import ConfigError
from framework.protocol import VenueProfile
from framework.venue.account import AccountConfig
from framework.venue.faults import FaultSection, read_faults
from framework.venue.latency import compile_latency
from framework.venue.served.clock import VenueClock
from framework.venue.served.host import RoadSpec, VenueHost
from framework.venue.served.journaled import JournaledHost

__all__ = ["ServeOptions", "build_context", "serve"]

_CONNECTIONS_MAX = 20_000
# Orders, which live long, are in no reference cycles: the search for cycles among all objects is made seldom, that
# among new ones often and so for a short time only.
COLLECT_AFTER = (1_000, 200, 2)
_PLENTY = Decimal(1_000_000)
# Orders have a host of their own at Kraken (websocket-v2/level3); here that is a path, and /v2 has them too.
_LEVEL3_PATH = "/l3/v2"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ServeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a user may choose; see ``tidegate venue --help``."""

    host: str = "127.0.0.1"
    port: int = 0
    fix_port: int = 0
    fix_md_port: int = 0
    control_port: int = 0
    faults: Path | None = None
    market: str = "synthetic"
    speed: Fraction = Fraction(1)
    latency: str = "zero"
    is_reordered: bool = False
    seed: int = 1
    balances: Mapping[str, Decimal] = {}
    account_count: int = 2
    keys: Path | None = None
    tier: str = "pro"
    public_calls: int = 0
    socket_connects: int | None = None
    is_tls: bool = False
    state: Path | None = None
    journal: Path | None = None
    is_resumed: bool = False
    is_journal_forced: bool = False
    ready_file: Path | None = None


def build_context(
    options: ServeOptions, start_ns: int, profile: VenueProfile = PROFILE, known_keys: Sequence[ApiKey] = ()
) -> tuple[ServerContext, list[ApiKey]]:
    """The host and what its gateways are made with. Raises ConfigError and DataError for options that make no sense.

    known_keys: those of a venue that is resumed.
    """
    markets = served_markets(options.market, options.seed)
    keys = read_keys(options.keys) if options.keys is not None else list(known_keys)
    names = list(dict.fromkeys(key.account for key in keys))
    if not keys:
        names = [f"account-{number}" for number in range(1, options.account_count + 1)]
        keys = generate_keys(names, 0)
    assets = dict.fromkeys(asset for market in markets for asset in (market.spec.base, market.spec.quote))
    for asset in options.balances:
        if asset not in assets:
            raise ConfigError(f"--balances {asset}: the venue has {', '.join(assets)}")
    balances = dict(options.balances) or dict.fromkeys(assets, _PLENTY)
    accounts = [AccountConfig(name=name, balances=balances, tier=options.tier) for name in names]
    roads, seed = _roads(options), options.seed
    if options.journal is None:
        host = VenueHost(profile, markets, accounts, start_ns, roads=roads, seed=seed)
    else:
        host = JournaledHost(profile, markets, accounts, start_ns, wall_ns=time.time_ns, roads=roads, seed=seed)
    return ServerContext(host, KeyRing(keys)), keys


def _roads(options: ServeOptions) -> dict[str, RoadSpec]:
    if options.latency == "zero":
        if options.is_reordered:
            raise ConfigError("--reorder needs a latency: messages that take no time do not overtake; give --latency")
        return {}
    try:
        tier = PROFILE.latency_tier(options.latency)
    except KeyError as error:
        raise ConfigError(f"--latency: {error.args[0]}; or zero") from None
    return {
        str(label): RoadSpec(
            command=compile_latency(link.command),
            response=compile_latency(link.response),
            feed=compile_latency(link.feed),
            is_reordered=options.is_reordered,
        )
        for label, link in tier.links.items()
    }


async def serve(options: ServeOptions, profile: VenueProfile = PROFILE) -> int:
    """Serve until interrupted; returns the exit code. Raises ConfigError for options that make no sense."""
    _allow_many_files()
    began_ns = time.monotonic_ns()
    planned = () if options.faults is None else read_faults(options.faults)
    journal = VenueJournal(options, time.time_ns()) if options.journal is not None or options.is_resumed else None
    if journal is None:
        context, keys = build_context(options, time.time_ns(), profile)
    else:
        options = journal.options
        context, keys = build_context(options, journal.start_ns, profile, journal.keys)
    # A new venue's time is the machine's from the start, that of its making included; a resumed one's is put right.
    clock = VenueClock(began_ns, context.host.now_ns, options.speed)
    pump = Pump(context.host, clock, epoch_ns=time.time_ns() - time.monotonic_ns())
    context.clock = pump.machine
    peers = Peers(_CONNECTIONS_MAX)
    pump.is_alone = lambda: not peers.by_number
    certified = _certified(options) if options.is_tls else None
    ws2 = Ws2Gateway(context)
    comp_ids = _comp_ids(keys)
    sockets: dict[str, tuple[str, SocketEndpoint]] = {
        "/": ("ws_v1", Ws1Gateway(context)),
        "/v2": ("ws_v2", ws2),
        _LEVEL3_PATH: ("ws_l3", ws2),
    }
    web = WebPort(
        pump,
        peers,
        RestGateway(context, PublicLimits(options.public_calls)),
        sockets,
        ConnectLimits(options.socket_connects),
    )
    fix = FixGateway(context, comp_ids)
    trading = FixPort(pump, peers, "fix_trading", fix)
    fix_market = FixMarketGateway(context, comp_ids)
    faults = ServedFaults(context.host, peers, {"rest": web.cut_requests})
    journaled = None if journal is None else journal.open(context, fix, pump, faults)
    market_data = FixPort(pump, peers, "fix_market_data", fix_market)
    tls = None if certified is None else certified.context()
    _add_faults(faults, planned, options.faults)
    token = secrets.token_urlsafe(24)
    gateway = ControlGateway(context, pump, peers, faults, lambda: [*fix.sessions(), *fix_market.sessions()], token)
    control = WebPort(pump, Peers(_CONNECTIONS_MAX), gateway, {})
    port = await _listen(web, options.host, options.port, tls, "--port")
    fix_port = await _listen(trading, options.host, options.fix_port, tls, "--fix-port")
    fix_md_port = await _listen(market_data, options.host, options.fix_md_port, tls, "--fix-md-port")
    control_port = await _listen(control, _LOOPBACK[0], options.control_port, None, "--control-port")
    warm_up(profile)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    failure = pump.start()
    ready = _ready(options, port, (fix_port, fix_md_port), control_port, token, certified, keys, comp_ids)
    if options.ready_file is not None:
        write_ready(options.ready_file, ready)
    took_ms = (time.monotonic_ns() - began_ns) // 1_000_000
    _announce(ready, context, options, took_ms, journaled)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    failure.add_done_callback(lambda _: stopped.set())
    try:
        await stopped.wait()
        if failure.done():
            failure.result()
    finally:
        pump.stop()
        await control.stop()
        await web.stop()
        await trading.stop()
        await market_data.stop()
        if journal is not None:
            journal.close()
        if options.ready_file is not None:
            options.ready_file.unlink(missing_ok=True)
    return 0


def _add_faults(faults: ServedFaults, planned: Sequence[FaultSection], file: Path | None) -> None:
    """Put a file's faults on the schedule, from the present on; raises ConfigError for one that cannot happen."""
    for fault in planned:
        try:
            faults.add(fault)
        except ConfigError as error:
            raise ConfigError(f"{file}: {error}") from None


def _certified(options: ServeOptions) -> Certified:
    folder = options.state or Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "tidegate/venue"
    names = () if options.host in _LOOPBACK else (options.host,)
    return certify(folder, dt.datetime.now(dt.UTC), names)


async def _listen(port: WebPort | FixPort, host: str, wanted: int, tls: ssl.SSLContext | None, option: str) -> int:
    try:
        return await port.start(host, wanted, tls)
    except OSError as error:
        raise ConfigError(f"{option} {wanted}: {error.strerror}; give another, or 0 for a free one") from None


def _comp_ids(keys: Sequence[ApiKey]) -> dict[str, str]:
    """Two SenderCompIDs for each account, by its number."""
    accounts = dict.fromkeys(key.account for key in keys)
    return {f"CLIENT{number}{letter}": account for number, account in enumerate(accounts, 1) for letter in ("A", "B")}


def _ready(
    options: ServeOptions,
    port: int,
    fix_ports: tuple[int, int],
    control_port: int,
    token: str,
    certified: Certified | None,
    keys: Sequence[ApiKey],
    comp_ids: Mapping[str, str],
) -> Ready:
    address = f"{options.host}:{port}"
    return Ready(
        rest=f"http{'s' if certified else ''}://{address}",
        ws_v1=f"ws{'s' if certified else ''}://{address}/",
        ws_v2=f"ws{'s' if certified else ''}://{address}/v2",
        ws_l3=f"ws{'s' if certified else ''}://{address}{_LEVEL3_PATH}",
        fix_trading=f"{options.host}:{fix_ports[0]}",
        fix_market_data=f"{options.host}:{fix_ports[1]}",
        control=f"http://{_LOOPBACK[0]}:{control_port}",
        control_token=token,
        ca_certificate=None if certified is None else str(certified.ca),
        process_id=os.getpid(),
        accounts=tuple(
            ReadyAccount(
                account=key.account,
                api_key=key.key,
                api_secret=key.secret.reveal(),
                permissions=tuple(sorted(key.permissions)),
                fix=ReadyFix(
                    sender_comp_ids=tuple(name for name, account in comp_ids.items() if account == key.account),
                    target_comp_id=TARGET_COMP_ID,
                    market_data_target_comp_id=MARKET_TARGET_COMP_ID,
                ),
            )
            for key in keys
        ),
    )


def _announce(ready: Ready, context: ServerContext, options: ServeOptions, took_ms: int, journaled: str | None) -> None:
    print(f"The venue is open after {took_ms / 1000:.1f} s, with simulated money only:")
    print(f"  REST         {ready.rest}/0/...")
    print(f"  WebSocket v1 {ready.ws_v1}")
    print(f"  WebSocket v2 {ready.ws_v2}")
    print(f"  level 3      {ready.ws_l3}")
    print(f"  FIX trading  {ready.fix_trading}, TargetCompID {TARGET_COMP_ID}")
    print(f"  FIX market   {ready.fix_market_data}, TargetCompID {MARKET_TARGET_COMP_ID}")
    print(f"  control      {ready.control}/v1, token {ready.control_token}")
    print(f"  status page  {ready.control}/#token={ready.control_token}")
    if ready.ca_certificate is not None:
        print(f"  trust        {ready.ca_certificate}")
    if journaled is not None:
        print(f"  journal      {journaled}")
    print(f"  pairs        {', '.join(context.host.specs)}")
    for account in ready.accounts:
        print(f"  {account.account:<12} key    {account.api_key}")
        print(f"  {'':<12} secret {account.api_secret}")
        print(f"  {'':<12} FIX    SenderCompID {' or '.join(account.fix.sender_comp_ids)}")
    if options.host not in _LOOPBACK:
        print(
            f"warning: {options.host} can be reached from other machines; keys and orders are theirs too",
            file=sys.stderr,
        )
    print("Ctrl-C ends it.", flush=True)


def _allow_many_files() -> None:
    """Each connection is an open file; take as many as the system lets us."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
