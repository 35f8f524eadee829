"""Kraken traded live: all links and the market data of one account, from one configuration.

``connect_live(settings, clock)`` is what the adapter declares as ``connect_live``; it must be awaited in the event loop
that the links are to live in. It reads the instruments and gives a ``framework.adapter.LiveVenue``::

    venue = await connect_live(LiveSettings(links={"rest": "rest", "ws2": "ws2", "fix": "fix"}, state=folder), clock)
    desk = ExecutionDesk(venue.links, policy, clock, listener, journal, budget)
    for link in venue.links.values():
        link.attach(desk.on_report, desk.on_session_closed)
    desk.start()

Protocols of links: ``rest``, ``ws1``, ``ws2``, ``fix``. A command is written to its socket before ``send`` returns.
Settings and their defaults: ``settings``. ``shell.LiveClock`` is a clock of real time.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from adapters.fix.errors import StoreError
from adapters.fix.store import FileStore, MemoryStore
from adapters.kraken.client.account import AccountReads
from adapters.kraken.client.account_history import AccountHistory
from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.client_ids import ClientIds
from adapters.kraken.client.figures import Figures, past_candle, past_trade
from adapters.kraken.client.fix_days import FixDays
from adapters.kraken.client.fix_link import FixLink, FixNames
from adapters.kraken.client.http_pool import HttpPool
from adapters.kraken.client.instruments import Instruments
from adapters.kraken.client.link_base import AccountParts, WireLink
from adapters.kraken.client.market_data import MarketData
from adapters.kraken.client.nonces import NonceSource, fix_nonces, rest_nonces
from adapters.kraken.client.order_data import OrderData
from adapters.kraken.client.order_memory import OrderMemory
from adapters.kraken.client.rest_calls import PrivateCalls, PublicCalls
from adapters.kraken.client.rest_link import RestLink
from adapters.kraken.client.secret_mask import SecretMask
from adapters.kraken.client.settings import Address, KrakenSettings, read_settings
from adapters.kraken.client.shell import Sockets, tls_context
from adapters.kraken.client.streams import Connect
from adapters.kraken.client.tokens import RestTokens
from adapters.kraken.client.venue_time import VenueTime
from adapters.kraken.client.websocket import websocket
from adapters.kraken.client.ws1_link import Ws1Link
from adapters.kraken.client.ws2_link import Ws2Link
from adapters.kraken.errors import KrakenError
from adapters.kraken.profile import PROFILE
from adapters.kraken.wire.codec import Message
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.rest import endpoints, public
from adapters.kraken.wire.rest.envelope import Endpoint
from framework.adapter import AccountState, LiveSettings
from framework.data.live_rows import Candle, MarketRow
from framework.errors import ConfigError
from framework.execution.link import Clock
from framework.messages import AddOrder, OrdersSnapshot
from framework.protocol import InstrumentSpec, Protocol

__all__ = ["KrakenVenue", "connect_live"]

# How long a session that logs out is waited for.
_LOGOUT_S = 2.0
# As many trades as a page has at most (rest-api/get-recent-trades).
_PAGE = 1_000


class KrakenVenue:
    """One account of Kraken, live; a ``framework.adapter.LiveVenue``."""

    def __init__(self, settings: KrakenSettings, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        """Nothing is connected yet. Raises ConfigError for a state folder that is in use or cannot be written."""
        self.instruments: Mapping[str, InstrumentSpec] = {}
        self.links: dict[str, WireLink] = {}
        self.orders: OrderData | None = None
        self._settings = settings
        self._clock = clock
        self._sockets = Sockets(loop)
        self._tls = tls_context(settings.ca_file)
        self._closers: list[Callable[[], None]] = []
        self._mask = SecretMask()
        rest = settings.hosts["rest"]
        self._http = HttpPool(
            self._to(rest), rest.authority, clock, count=settings.rest_connections, seed=settings.seed
        )
        self._reads = PublicCalls(self._http, clock, seed=settings.seed)

    async def load(self) -> None:
        """Read the instruments and make the links. Raises KrakenError where the venue cannot be reached."""
        self._instruments = instruments = await self._read_instruments()
        self.instruments = {symbol: instruments[symbol].spec for symbol in instruments}
        self.market = MarketData(
            instruments, self._clock, self._websocket("ws_public"), BackOff(self._settings.seed + 1_000)
        )
        self.figures = Figures(
            instruments, self._clock, self._websocket("ws_public"), BackOff(self._settings.seed + 3_000)
        )
        credentials = self._settings.credentials
        if credentials is None:
            return
        self._credentials = credentials
        self._mask = SecretMask(credentials.api_key, credentials.secret.reveal())
        nonces = self._nonces("rest", rest_nonces)
        self._calls = PrivateCalls(self._http, credentials, nonces)
        self.orders = OrderData(
            instruments,
            self._clock,
            self._websocket("ws_orders"),
            BackOff(self._settings.seed + 2_000),
            RestTokens(self._calls, mask=self._mask),
        )
        labels = self._settings.links.values()
        self._parts = AccountParts(
            clock=self._clock,
            instruments=instruments,
            memory=OrderMemory(),
            ids=ClientIds(self._state("client-ids.jsonl"), is_time_based=Protocol.FIX in labels),
            time=VenueTime(),
            mask=self._mask,
        )
        self._parts.ids.is_needed = self._parts.memory.is_live
        self._closers.append(self._parts.ids.close)
        self._history = AccountHistory(self._calls, self._parts)
        makers = {
            Protocol.REST: self._rest,
            Protocol.WS1: self._ws1,
            Protocol.WS2: self._ws2,
            Protocol.FIX: self._fix,
        }
        for number, (name, label) in enumerate(self._settings.links.items()):
            maker = makers.get(Protocol(label)) if label in [str(each) for each in makers] else None
            if maker is None:
                known = ", ".join(makers)
                raise ConfigError(f"link {name!r} = {label!r}: there is no such protocol live; there is {known}")
            self.links[name] = maker(name, BackOff(self._settings.seed + number))

    def remember(self, order: AddOrder, order_id: str | None, cum_lots: int, fees: Decimal) -> None:
        """An order of a run before, so that polls look for it."""
        self._parts.memory.adopted(order, order_id, cum_lots, fees)

    async def account(self) -> AccountState:
        """What the venue says of the account. Raises KrakenError where it refuses, or does not answer."""
        return await self._account_reads().state()

    def ask_balances(
        self, on_balances: Callable[[Mapping[str, Decimal]], None], on_failed: Callable[[str], None]
    ) -> None:
        """Ask for what is there by asset; one of the two is called, never from within this call."""
        self._account_reads().ask_balances(on_balances, on_failed)

    async def history(self, since_ns: int) -> OrdersSnapshot:
        """The account's open orders, and those that ended and the trades made since. Raises KrakenError."""
        return await self._history.read(since_ns)

    async def past_candles(self, symbol: str, interval_min: int, since_ns: int) -> Sequence[Candle]:
        """Candles that begin from a time on, oldest first; the venue has the last 720. Raises KrakenError."""
        instrument = self._instruments[symbol]
        request = public.OhlcRequest(
            instrument.names.rest_id, interval=str(interval_min), since=str(max(0, since_ns // 10**9 - 1))
        )
        rows = await self._read(endpoints.OHLC, request, f"the candles of {symbol}")
        found = next((each for each in rows.values() if isinstance(each, list)), [])
        try:
            candles = [past_candle(row, interval_min, instrument) for row in found]
        except WireError as error:
            raise KrakenError(f"the candles of {symbol}: {error}") from None
        return [candle for candle in candles if candle.begin_ns >= since_ns]

    def masked(self, text: str) -> str:
        """A text without the account's secrets."""
        return self._mask(text)

    async def past_trades(self, symbol: str, since_ns: int, count: int) -> Sequence[MarketRow]:
        """Up to so many trades from a time on, oldest first, page by page. Raises KrakenError."""
        instrument, what = self._instruments[symbol], f"the trades of {symbol}"
        trades: list[MarketRow] = []
        since = str(since_ns)
        while len(trades) < count:
            request = public.TradesRequest(instrument.names.rest_id, since=since, count=str(_PAGE))
            answer = await self._read(endpoints.TRADES, request, what)
            rows = next((each for each in answer.values() if isinstance(each, list)), [])
            try:
                page = [past_trade(row, instrument, self._clock.now_ns) for row in rows]
            except WireError as error:
                raise KrakenError(f"{what}: {error}") from None
            # Pages join where one has ended; what stands in that instant may come again.
            known = trades[-1].trade_id if trades else 0
            trades += [trade for trade in page if trade.trade_id > known and trade.ts_event_ns >= since_ns]
            since = str(answer.get("last", ""))
            if len(rows) < _PAGE:
                break
        return trades[:count]

    async def close(self) -> None:
        """Log out, close all connections, and write what must survive."""
        self.market.close()
        self.figures.close()
        if self.orders is not None:
            self.orders.close()
        for link in self.links.values():
            link.close()
        until = asyncio.get_running_loop().time() + _LOGOUT_S
        while any(link.is_up for link in self.links.values()) and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.01)
        await self._let_go()

    async def abandon(self) -> None:
        """What was begun is of no use: let go of it."""
        await self._let_go()

    async def _let_go(self) -> None:
        self._http.close()
        await self._sockets.close()
        for close in self._closers:
            close()
        self._closers.clear()

    # ------------------------------------------------------------------------------------------------- links

    def _rest(self, name: str, backoff: BackOff) -> WireLink:
        profile = PROFILE.protocols[Protocol.REST]
        return RestLink(name, profile, self._parts, backoff, self._calls, self._reads)

    def _ws2(self, name: str, backoff: BackOff) -> WireLink:
        profile = PROFILE.protocols[Protocol.WS2]
        connect = self._websocket("ws_private")
        return Ws2Link(name, profile, self._parts, backoff, connect, RestTokens(self._calls, mask=self._mask))

    def _ws1(self, name: str, backoff: BackOff) -> WireLink:
        profile = PROFILE.protocols[Protocol.WS1]
        connect = self._websocket("ws_v1")
        return Ws1Link(name, profile, self._parts, backoff, connect, RestTokens(self._calls))

    def _fix(self, name: str, backoff: BackOff) -> WireLink:
        settings, profile = self._settings, PROFILE.protocols[Protocol.FIX]
        sender = settings.fix_sender_comp_id
        if not sender:
            raise ConfigError(f"link {name!r} needs the option fix_sender_comp_id, as Kraken has given it out")
        assert profile.rollover_utc_s is not None
        path = self._state(f"fix-{sender}.store")
        try:
            store = MemoryStore() if path is None else FileStore(path)
        except StoreError as error:
            raise ConfigError(str(error)) from None
        if isinstance(store, FileStore):
            self._closers.append(store.close)
        return FixLink(
            name,
            profile,
            self._parts,
            backoff,
            self._to(settings.hosts["fix"]),
            self._credentials,
            FixNames(
                sender_comp_id=sender,
                target_comp_id=settings.fix_target_comp_id,
                heartbeat_s=settings.fix_heartbeat_s,
            ),
            store,
            self._nonces("fix", fix_nonces),
            FixDays(self._state(f"fix-{sender}.json"), profile.rollover_utc_s, profile.rollover_ns),
            is_cancel_on_disconnect=settings.is_cancel_on_disconnect,
        )

    # ------------------------------------------------------------------------------------------------- parts

    def _account_reads(self) -> AccountReads:
        assert self._settings.credentials is not None, "links are asked for with an account"
        return AccountReads(self._calls, self._parts.instruments, self._parts.ids, self._settings.links.values())

    async def _read_instruments(self) -> Instruments:
        what = f"the pairs of {self._settings.hosts['rest'].host}"
        pairs = await self._read(endpoints.ASSET_PAIRS, public.AssetPairsRequest(), what)
        return Instruments.from_asset_pairs(msgspec.to_builtins(pairs, enc_hook=str))

    async def _read[R](self, endpoint: Endpoint[Any, R], request: Message, what: str) -> R:
        """A public read. Raises KrakenError, which begins with what was to be read."""
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()

        def failed(reason: str) -> None:
            if not answer.done():
                answer.set_exception(KrakenError(f"{what}: {reason}"))

        def read(result: R) -> None:
            if not answer.done():
                answer.set_result(result)

        self._reads.call(endpoint, request, read, failed)
        return await answer

    def _to(self, address: Address) -> Connect:
        return self._sockets.to(address.host, address.port, self._tls if address.is_tls else None)

    def _websocket(self, name: str) -> Connect:
        address = self._settings.hosts[name]
        return websocket(self._to(address), address.authority, address.target)

    def _state(self, name: str) -> Path | None:
        folder = self._settings.state
        if folder is None:
            return None
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigError(f"{folder}: {error.strerror}; name another folder in 'state'") from None
        return folder / name

    def _nonces(self, what: str, make: Callable[[Path | None, Callable[[], int]], NonceSource]) -> NonceSource:
        """The file of a key has a name that does not tell the key."""
        mark = hashlib.sha256(self._credentials.api_key.encode()).hexdigest()[:12]
        nonces = make(self._state(f"nonce-{what}-{mark}"), lambda: self._clock.now_ns)
        self._closers.append(nonces.close)
        return nonces


async def connect_live(settings: LiveSettings, clock: Clock) -> KrakenVenue:
    """Kraken, or a venue that speaks its wire, ready to be traded; see the module.

    Raises ConfigError for settings that make no sense, and KrakenError where the venue cannot be reached.
    """
    read = read_settings(settings)
    venue = KrakenVenue(read, clock, asyncio.get_running_loop())
    try:
        await venue.load()
    except BaseException:
        await venue.abandon()
        raise
    return venue
