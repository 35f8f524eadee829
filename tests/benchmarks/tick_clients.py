"""Clients that answer each change of the best prices with an order, each in a process of its own.

``python -m tests.benchmarks.tick_clients CLIENT FOLDER``: the venue's ready file is in the folder. CLIENT is
tidegate-ws2, tidegate-fix (both also with -busy), nautilus, ccxt, or echo, which answers each update with the same
bytes and does nothing else: what the machine takes for waking two processes and for their sockets; or kernel, an echo
that first has NautilusTrader make an order and carry it from a strategy through its risk and its execution engine to a
client that does nothing. ccxt verifies no checksum of a book: that is its default for Kraken, and it reads quantities
as floats, whose printed digits are gone. A
client ends when its standard input does.

All but nautilus and echo print, as JSON, nanoseconds within their process. ``handed``: of ours and ccxt from the event
loop's handing them the update's bytes to their handing it the order's, of the kernel what making the order took.
``answered``: of ours with the two system calls, from the call of the event loop that says that bytes have come to the
return of the one that took the order's. ``back_to_back``: the same work one after another with no pause.

The order is the same for all: to buy 0.001 BTC far below the market, immediate or cancel, so that nothing stays.
"""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

from framework.protocol import BUY, SELL
from tests.benchmarks.wire_tap import Lane

__all__ = ["main"]

PRICE, QTY = "30000.0", "0.00100000"
_BACK_TO_BACK = 2_500


async def _input_ended() -> None:
    await asyncio.to_thread(sys.stdin.read)


# ------------------------------------------------------------------------------------------------- ours


def _tidegate(road: str, *, is_busy: bool = False) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_live(folder, road, is_busy=is_busy))

    return run


async def _live(folder: Path, road: str, *, is_busy: bool) -> None:
    from msgspec.structs import replace

    from adapters.kraken.adapter import ADAPTER
    from adapters.kraken.client import shell, websocket
    from adapters.kraken.profile import PROFILE
    from framework.backtest.config import RoadSection, StrategySection, VenueSection
    from framework.live.busy_poll import busy_poll
    from framework.live.clock import LiveClock
    from framework.live.config import LiveConfig, LiveSection
    from framework.live.journal import Forcing, IntentJournal
    from framework.live.node import LiveNode
    from framework.live.recovery import Recovery
    from framework.live.running import connect

    took_ns: list[int] = []
    handed_ns: list[int] = []
    came_ns = given_ns = 0
    readable, write, received = shell._Socket._readable, shell._Socket.write, websocket._Socket.received

    def timed_readable(self: Any) -> None:
        nonlocal came_ns
        came_ns = time.perf_counter_ns()
        readable(self)
        came_ns = 0

    def timed_received(self: Any, data: bytes) -> None:
        nonlocal given_ns
        given_ns = time.perf_counter_ns()
        received(self, data)

    def timed_write(self: Any, data: bytes) -> None:
        if came_ns:
            handed_ns.append(time.perf_counter_ns() - given_ns)
        write(self, data)
        if came_ns:
            took_ns.append(time.perf_counter_ns() - came_ns)

    shell._Socket._readable, shell._Socket.write = timed_readable, timed_write  # type: ignore[method-assign]
    websocket._Socket.received = timed_received  # type: ignore[method-assign]
    # Counters that would refuse an order a moment are those of the venue in this benchmark, which refuse none.
    tiers = tuple(
        replace(tier, threshold=tier.threshold * 10**6, call_max=tier.call_max * 10**6, open_orders_max=10**7)
        for tier in PROFILE.tiers
    )
    profile = replace(PROFILE, tiers=tiers)
    config = LiveConfig(
        strategy=StrategySection(path="taker.py"),
        venue=VenueSection(tier="pro"),
        road=RoadSection(name=road),
        live=LiveSection(
            symbols=("BTC/USD",), options={"ready_file": str(folder / "ready.json")}, state=str(folder / "state")
        ),
    )
    clock = LiveClock(asyncio.get_running_loop())
    venue = await connect(config, ADAPTER, clock)
    recovery = Recovery()
    journal = IntentJournal.open(folder / "run.intents", Forcing.OFF, recovery.read)
    balances = (await venue.account()).balances
    tape = folder / "tape"
    node = LiveNode(config, profile, venue, clock, journal, recovery, balances, _mute, strategy=_taker(), tape=tape)
    gc.collect()
    gc.freeze()  # as ``tidegate live`` does
    if is_busy:
        busy_poll(asyncio.get_running_loop(), node.done.is_set)
    node.begin()
    await _input_ended()
    measured = {"answered": list(took_ns), "handed": list(handed_ns)}
    at_once_ns = await _back_to_back(node)
    node.close("done")
    await node.done.wait()
    node.finish()
    await venue.close()
    journal.close()
    node.raise_failure("")
    print(json.dumps(measured | {"back_to_back": at_once_ns}))


async def _back_to_back(node: Any) -> list[int]:
    """The same work with no pause: frames given to the market's connection one after another, within this process."""
    from adapters.kraken.client import shell

    market = node._venue.market
    book = market.book("BTC/USD")
    lane = Lane("", {})
    lane.show(
        *(
            {f"{book.price(ticks):.1f}": f"{book.qty(lots):.8f}" for ticks, lots in book.levels(side, 10)}
            for side in (BUY, SELL)
        )
    )
    written_ns = 0
    write = shell._Socket.write

    def timed_write(self: Any, data: bytes) -> None:
        nonlocal written_ns
        write(self, data)
        written_ns = written_ns or time.perf_counter_ns()

    shell._Socket.write = timed_write  # type: ignore[method-assign]
    times_ns = []
    for _ in range(_BACK_TO_BACK):
        frame = lane.next_frame()
        written_ns, began_ns = 0, time.perf_counter_ns()
        market._stream.received(frame)
        if written_ns:  # the first may tell the quantities that there are
            times_ns.append(written_ns - began_ns)
        await asyncio.sleep(0)  # answers are heard
    shell._Socket.write = write  # type: ignore[method-assign]
    return times_ns[_BACK_TO_BACK // 5 :]


def _mute(_: str) -> None:
    """Nobody asks."""


def _taker() -> Any:
    from nautilus_trader.model.enums import TimeInForce

    from framework import BookView, Strategy

    class Taker(Strategy):
        """Answers each change of the touch."""

        def on_start(self) -> None:
            self.pair = self.instrument_ids[0]
            spec = self.bridge(self.pair).spec
            self.qty_lots, self.price_ticks = spec.lots(QTY), spec.ticks(PRICE)
            self.subscribe_book(self.pair, on="touch")

        def on_book(self, book: BookView) -> None:
            self.buy(self.pair, self.qty_lots, self.price_ticks, time_in_force=TimeInForce.IOC)

    return Taker()


# ------------------------------------------------------------------------------------------------- by others


def _nautilus(folder: Path) -> None:
    from nautilus_trader.adapters.kraken.config import KrakenDataClientConfig, KrakenExecClientConfig
    from nautilus_trader.adapters.kraken.factories import KrakenLiveDataClientFactory, KrakenLiveExecClientFactory
    from nautilus_trader.config import (
        InstrumentProviderConfig,
        LiveExecEngineConfig,
        LiveRiskEngineConfig,
        LoggingConfig,
        StrategyConfig,
        TradingNodeConfig,
    )
    from nautilus_trader.core import nautilus_pyo3
    from nautilus_trader.live.node import TradingNode
    from nautilus_trader.model.enums import BookType, OrderSide, TimeInForce
    from nautilus_trader.model.identifiers import InstrumentId
    from nautilus_trader.model.objects import Price, Quantity
    from nautilus_trader.trading.strategy import Strategy

    venue = json.loads((folder / "ready.json").read_text())
    key = venue["accounts"][0]
    given = {
        "api_key": key["api_key"],
        "api_secret": key["api_secret"],
        "base_url_http_spot": venue["rest"],
        "base_url_ws_spot": venue["ws_v2"],
        "instrument_provider": InstrumentProviderConfig(load_all=True),
    }

    class ExecFactory(KrakenLiveExecClientFactory):  # type: ignore[misc]
        """Its own, but for the client that asks api.kraken.com for its token whatever the configuration says."""

        @staticmethod
        def create(*args: Any, **keywords: Any) -> Any:
            client = KrakenLiveExecClientFactory.create(*args, **keywords)
            client._ws_client_spot = nautilus_pyo3.KrakenSpotWebSocketClient(
                private=True,
                base_url=venue["ws_v2"],
                api_key=key["api_key"],
                api_secret=key["api_secret"],
                base_url_http=venue["rest"],
            )
            return client

    class Taker(Strategy):  # type: ignore[misc]
        """Answers each message of the book."""

        def on_start(self) -> None:
            self.pair = InstrumentId.from_str("BTC/USD.KRAKEN")
            self.qty, self.price = Quantity.from_str(QTY), Price.from_str(PRICE)
            self.subscribe_order_book_deltas(self.pair, BookType.L2_MBP, depth=10)

        def on_order_book_deltas(self, deltas: Any) -> None:
            order = self.order_factory.limit(
                self.pair, OrderSide.BUY, self.qty, self.price, time_in_force=TimeInForce.IOC
            )
            self.submit_order(order)

    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    node = TradingNode(
        TradingNodeConfig(
            logging=LoggingConfig(log_level="ERROR"),
            exec_engine=LiveExecEngineConfig(reconciliation=False),
            risk_engine=LiveRiskEngineConfig(max_order_submit_rate="1000000/00:00:01"),
            data_clients={"KRAKEN": KrakenDataClientConfig(**given)},
            exec_clients={"KRAKEN": KrakenExecClientConfig(max_requests_per_second=1_000, **given)},
        ),
        loop=loop,
    )
    node.trader.add_strategy(Taker(StrategyConfig(strategy_id="TAKER-001", log_events=False, log_commands=False)))
    node.add_data_client_factory("KRAKEN", KrakenLiveDataClientFactory)
    node.add_exec_client_factory("KRAKEN", ExecFactory)
    node.build()

    async def run() -> None:
        running = asyncio.create_task(node.run_async())
        await _input_ended()
        await node.stop_async()
        await running

    try:
        loop.run_until_complete(run())
    finally:
        node.dispose()


def _ccxt(folder: Path) -> None:
    import ccxt.pro
    from aiohttp._websocket.writer import WebSocketWriter
    from aiohttp.client_proto import ResponseHandler

    took_ns: list[int] = []
    came_ns = 0
    data_received, send_frame = ResponseHandler.data_received, WebSocketWriter.send_frame

    def timed_received(self: Any, data: bytes) -> None:
        nonlocal came_ns
        if b'"type":"update"' in data:
            came_ns = time.perf_counter_ns()
        data_received(self, data)

    async def timed_send(self: Any, message: bytes, *rest: Any, **named: Any) -> None:
        nonlocal came_ns
        await send_frame(self, message, *rest, **named)
        if came_ns and b"add_order" in message:
            took_ns.append(time.perf_counter_ns() - came_ns)
            came_ns = 0

    ResponseHandler.data_received = timed_received  # type: ignore[method-assign]
    WebSocketWriter.send_frame = timed_send  # type: ignore[method-assign]
    venue = json.loads((folder / "ready.json").read_text())
    key = venue["accounts"][0]

    async def trade(client: Any) -> None:
        while True:
            await client.watch_order_book("BTC/USD", 10)
            await client.create_order_ws(
                "BTC/USD", "limit", "buy", float(QTY), float(PRICE), params={"time_in_force": "ioc"}
            )

    async def run() -> None:
        client = ccxt.pro.kraken({"apiKey": key["api_key"], "secret": key["api_secret"], "enableRateLimit": False})
        client.urls["api"].update(public=venue["rest"], private=venue["rest"])
        client.urls["api"]["ws"] = dict.fromkeys(client.urls["api"]["ws"], venue["ws_v2"])
        trading = asyncio.create_task(trade(client))
        ended = asyncio.create_task(_input_ended())
        await asyncio.wait((trading, ended), return_when=asyncio.FIRST_COMPLETED)
        if trading.done():
            trading.result()
        trading.cancel()
        await client.close()
        print(json.dumps({"handed": took_ns}))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def _echo(folder: Path) -> None:
    _answer_at_once(folder, _nothing)


def _nothing() -> None:
    """No order is made."""


def _kernel(folder: Path) -> None:
    took_ns: list[int] = []
    make_order = _kernel_alone()

    def timed() -> None:
        began_ns = time.perf_counter_ns()
        make_order()
        took_ns.append(time.perf_counter_ns() - began_ns)

    _answer_at_once(folder, timed)
    at_once_ns = []
    for _ in range(_BACK_TO_BACK):
        began_ns = time.perf_counter_ns()
        make_order()
        at_once_ns.append(time.perf_counter_ns() - began_ns)
    print(json.dumps({"handed": took_ns, "back_to_back": at_once_ns[_BACK_TO_BACK // 5 :]}))


def _kernel_alone() -> Callable[[], None]:
    """Has an order made by a strategy and carried to a client, by NautilusTrader's own parts and nothing else."""
    from nautilus_trader.cache.cache import Cache
    from nautilus_trader.common.component import LiveClock, MessageBus
    from nautilus_trader.config import RiskEngineConfig, StrategyConfig
    from nautilus_trader.execution.client import ExecutionClient
    from nautilus_trader.execution.engine import ExecutionEngine
    from nautilus_trader.model.enums import AccountType, OmsType, OrderSide, TimeInForce
    from nautilus_trader.model.identifiers import AccountId, ClientId, TraderId, Venue
    from nautilus_trader.model.objects import Price, Quantity
    from nautilus_trader.portfolio.portfolio import Portfolio
    from nautilus_trader.risk.engine import RiskEngine
    from nautilus_trader.test_kit.providers import TestInstrumentProvider
    from nautilus_trader.test_kit.stubs.events import TestEventStubs
    from nautilus_trader.trading.strategy import Strategy

    class Client(ExecutionClient):  # type: ignore[misc]
        """Where the kernel's part ends."""

        def submit_order(self, command: Any) -> None: ...

    trader_id, venue, clock = TraderId("TRADER-001"), Venue("BINANCE"), LiveClock()
    bus, cache = MessageBus(trader_id, clock), Cache()
    portfolio = Portfolio(bus, cache, clock)
    risk = RiskEngine(portfolio, bus, cache, clock, RiskEngineConfig(max_order_submit_rate="1000000/00:00:01"))
    engine = ExecutionEngine(bus, cache, clock)
    engine.register_client(
        Client(ClientId(venue.value), venue, OmsType.NETTING, AccountType.CASH, None, bus, cache, clock)
    )
    instrument = TestInstrumentProvider.btcusdt_binance()
    cache.add_instrument(instrument)
    portfolio.update_account(TestEventStubs.cash_account_state(AccountId(f"{venue}-000")))
    strategy = Strategy(StrategyConfig(log_events=False, log_commands=False))
    strategy.register(trader_id, portfolio, bus, cache, clock)
    for part in (risk, engine, strategy):
        part.start()
    qty, price = Quantity.from_str("0.001000"), Price.from_str("30000.00")

    def make_order() -> None:
        order = strategy.order_factory.limit(instrument.id, OrderSide.BUY, qty, price, time_in_force=TimeInForce.IOC)
        strategy.submit_order(order)

    gc.collect()
    gc.freeze()
    make_order()
    assert cache.order_exists(cache.orders()[0].client_order_id)
    return make_order


def _answer_at_once(folder: Path, make_order: Callable[[], None]) -> None:
    """Answer each update of the book with the same bytes, after what is to be done before."""
    from adapters.kraken.client.websocket import TEXT, masked_frame

    address = urlsplit(json.loads((folder / "ready.json").read_text())["ws_v2"])
    line = socket.create_connection((address.hostname, address.port))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    shake = (
        f"GET {address.path or '/'} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    line.sendall(shake.encode())
    assert b" 101 " in line.recv(1 << 16)
    subscribe = b'{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":10}}'
    line.sendall(masked_frame(TEXT, subscribe, bytes(4)))
    order = (
        f'{{"method":"add_order","params":{{"order_type":"limit","side":"buy","order_qty":{QTY},"limit_price":{PRICE},'
        '"time_in_force":"ioc","cl_ord_id":"100000000000000001","symbol":"BTC/USD","token":"none"},"req_id":1}'
    )
    answer = masked_frame(TEXT, order.encode(), bytes(4))

    def readable() -> None:
        if b'"type":"update"' in line.recv(1 << 16):
            make_order()
            line.send(answer)

    async def run() -> None:
        line.setblocking(False)
        asyncio.get_running_loop().add_reader(line, readable)
        await _input_ended()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


CLIENTS: dict[str, Callable[[Path], None]] = {
    "tidegate-ws2": _tidegate("ws2"),
    "tidegate-fix": _tidegate("fix"),
    "tidegate-ws2-busy": _tidegate("ws2", is_busy=True),
    "tidegate-fix-busy": _tidegate("fix", is_busy=True),
    "nautilus": _nautilus,
    "ccxt": _ccxt,
    "kernel": _kernel,
    "echo": _echo,
}


def main(client: str, folder: str) -> None:
    """Run one client until standard input ends."""
    CLIENTS[client](Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
