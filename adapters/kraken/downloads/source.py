"""Pages of trades over the network: asked for no faster than the limits allow, and again where that may help.

Source: guides/spot-rest-ratelimits: Trades is limited by address and pair, about one call a second is safe.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.downloads.answers import TryAgain, pair_call, read_pair, read_trades, trades_call
from adapters.kraken.rest_session import PRODUCTION, RestSession, UnreachableError
from adapters.kraken.wire.rest.calls import HttpCall
from framework.data.downloads import DownloadSettings, TradePage
from framework.errors import VenueError
from framework.protocol import InstrumentSpec

__all__ = ["PublicTrades", "open_public_trades"]

_NS = 10**9
_PAUSE_S = 1.0
_ATTEMPTS = 10


class PublicTrades:
    """The trades of one pair, as ``framework.data.downloads.TradeSource`` wants them."""

    def __init__(self, session: RestSession, symbol: str, pause_s: float, tell: Callable[[str], None]) -> None:
        """pause_s: from one call to the next. tell: hears in words of what went wrong and is tried again."""
        self.origin = session.address
        self._session = session
        self._symbol = symbol
        self._pause_ns = int(pause_s * _NS)
        self._tell = tell
        self._next_ns = 0

    async def open(self) -> None:
        """Ask for the rules of the pair; raises VenueError."""
        self.spec: InstrumentSpec = await self._ask(
            pair_call(self._symbol), lambda status, body: read_pair(status, body, self._symbol)
        )

    async def page(self, after_ns: int) -> TradePage:
        return await self._ask(trades_call(self._symbol, after_ns), read_trades)

    async def _ask[T](self, call: HttpCall, read: Callable[[int, bytes], T | TryAgain]) -> T:
        backoff = BackOff(secrets.randbits(32), first_ns=_NS)
        again = TryAgain("")
        for _ in range(_ATTEMPTS):
            await self._wait()
            try:
                answer = await self._session.send(call)
                found = read(answer.status, answer.body)
            except UnreachableError as error:
                found = TryAgain(str(error))
            if not isinstance(found, TryAgain):
                return found
            again = found
            now_ns = time.monotonic_ns()
            backoff.ended(now_ns)
            pause_ns = max(backoff.pause_ns(), self._pause_ns, again.until_s * _NS - time.time_ns())
            self._next_ns = now_ns + pause_ns
            self._tell(f"{again.reason}; again in {pause_ns / _NS:.1f} s")
        raise VenueError(f"{self.origin}: {again.reason}, {_ATTEMPTS} times; run the same command later to go on")

    async def _wait(self) -> None:
        wait_ns = self._next_ns - time.monotonic_ns()
        if wait_ns > 0:
            await asyncio.sleep(wait_ns / _NS)
        self._next_ns = time.monotonic_ns() + self._pause_ns


@asynccontextmanager
async def open_public_trades(symbol: str, settings: DownloadSettings) -> AsyncIterator[PublicTrades]:
    """The trades of a pair; raises ConfigError for a host that is none, SymbolError for such a symbol, VenueError."""
    pause_s = _PAUSE_S if settings.pause_s is None else settings.pause_s
    async with RestSession(settings.host or PRODUCTION, settings.ca_file) as session:
        trades = PublicTrades(session, symbol, pause_s, settings.tell)
        await trades.open()
        yield trades
