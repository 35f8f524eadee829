"""The public channels of WebSocket v1.

Sources: websocket-v1/ticker, ohlc, trade, spread, book. Which news move the ticker is observed: trades, not quotes.
"""

from __future__ import annotations

from typing import Any

from adapters.kraken.server.channels import PairChannel
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.pairs import ServedPair
from adapters.kraken.server.ws1.frames import (
    BookLevel,
    book_checksum_of,
    book_snapshot,
    book_update,
    candle_payload,
    public_frame,
    trade_payload,
)
from adapters.kraken.wire.digits import epoch_us
from framework.protocol import BUY, SELL
from framework.venue.served.book import DepthStream, DepthUpdate, Level
from framework.venue.served.tape import TapeTrade

__all__ = ["LABEL", "BookChannel", "OhlcChannel", "SpreadChannel", "TickerChannel", "TradeChannel"]

LABEL = "ws1"
_DAY_NS = 86_400 * 10**9
# Levels behind the window that are watched too, so that one that re-enters it is told with the time of its last change.
_WATCHED_BEHIND = 25


class _Channel(PairChannel):
    """channel_id, channel_name: what its frames say."""

    def __init__(self, context: ServerContext, pair: ServedPair, channel_id: int, channel_name: str) -> None:
        super().__init__(LABEL, context, pair)
        self._channel_id = channel_id
        self._channel_name = channel_name

    def _frame(self, payload: Any) -> bytes:
        return public_frame(self._channel_id, payload, self._channel_name, self._pair.names.ws1)


class BookChannel(_Channel):
    """The book of a pair at a depth, each level with the time at which it changed last.

    A level that is there when the first member comes has that time, and so has one that comes from farther behind the
    window than is watched: the public book keeps no times. Quantities, prices and checksums are exact.
    """

    def __init__(
        self, context: ServerContext, pair: ServedPair, channel_id: int, channel_name: str, depth: int
    ) -> None:
        super().__init__(context, pair, channel_id, channel_name)
        self._watched_depth = depth + _WATCHED_BEHIND
        self._watched: DepthStream = self._book.listen(self._watched_depth, self._on_update)
        now_ns = self._host.now_ns
        self._bids = _Side(BUY, depth, self._watched_depth, self._watched.bids, now_ns)
        self._asks = _Side(SELL, depth, self._watched_depth, self._watched.asks, now_ns)

    def snapshot(self) -> bytes:
        return book_snapshot(
            self._channel_id, self._channel_name, self._pair, self._bids.standing(), self._asks.standing()
        )

    def close(self) -> None:
        self._book.unlisten(self._watched_depth, self._on_update)

    def _on_update(self, update: DepthUpdate) -> None:
        bids = self._bids.apply(update.bids, self._watched.bids, update.ts_ns)
        asks = self._asks.apply(update.asks, self._watched.asks, update.ts_ns)
        if bids or asks:
            checksum = book_checksum_of(self._pair, self._bids.window, self._asks.window)
            self._publish(book_update(self._channel_id, self._channel_name, self._pair, bids, asks, checksum))


class _Side:
    """One side of a book that is told to some depth and watched a little deeper. window: what is told, best first."""

    def __init__(self, side: int, depth: int, watched_depth: int, levels: list[Level], now_ns: int) -> None:
        self.window = levels[:depth]
        self._sign = 1 if side == SELL else -1
        self._depth = depth
        self._watched_depth = watched_depth
        self._last_watched = _last_of(levels, watched_depth)
        self._changed_ns = {ticks: now_ns for ticks, _ in levels}

    def standing(self) -> list[BookLevel]:
        """The window as a snapshot tells it."""
        return [(ticks, lots, self._changed_ns[ticks], False) for ticks, lots in self.window]

    def apply(self, changes: list[Level], levels: list[Level], ts_ns: int) -> list[BookLevel]:
        """Levels changed; levels: all that are watched now. Returns what is to be told of the window, in this order:
        what is gone from it, what changed in it, what has come back into it as it was.
        """
        if not changes:
            return []
        sign, changed_ns, last_watched = self._sign, self._changed_ns, self._last_watched
        last_before = _last_of(self.window, self._depth)
        self.window = levels[: self._depth]
        last = _last_of(self.window, self._depth)
        told: list[BookLevel] = []
        for ticks, lots in changes:
            is_told = last is None or sign * (ticks - last) <= 0
            if lots:
                changed_ns[ticks] = ts_ns
                was_unseen = last_watched is not None and sign * (ticks - last_watched) > 0
                if is_told:
                    told.append((ticks, lots, ts_ns, was_unseen))
            else:
                del changed_ns[ticks]
                if is_told and (last_before is None or sign * (ticks - last_before) <= 0):
                    told.append((ticks, 0, ts_ns, False))
        if last_before is not None:
            told += self._come_back(last_before, {ticks for ticks, _ in changes})
        self._last_watched = _last_of(levels, self._watched_depth)
        if len(changed_ns) > len(levels) + _WATCHED_BEHIND:  # some were pushed out of view, which is not told
            self._changed_ns = {ticks: changed_ns[ticks] for ticks, _ in levels}
        return told

    def _come_back(self, last_before: int, changed: set[int]) -> list[BookLevel]:
        """Levels of the window that are behind its last one before, but those that changed."""
        found: list[BookLevel] = []
        for ticks, lots in reversed(self.window):
            if self._sign * (ticks - last_before) <= 0:
                break
            if ticks not in changed:
                found.append((ticks, lots, self._changed_ns[ticks], True))
        found.reverse()
        return found


def _last_of(levels: list[Level], depth: int) -> int | None:
    """The price of the last of so many levels; None where there are fewer, so that nothing is behind them."""
    return levels[-1][0] if len(levels) == depth else None


class TradeChannel(_Channel):
    """The trades of a pair, from the next one on."""

    def __init__(self, context: ServerContext, pair: ServedPair, channel_id: int, channel_name: str) -> None:
        super().__init__(context, pair, channel_id, channel_name)
        self._tape = self._host.tapes[self._symbol]
        self._tape.listen(self._on_trade)

    def snapshot(self) -> None:
        return None

    def close(self) -> None:
        self._tape.unlisten(self._on_trade)

    def _on_trade(self, trade: TapeTrade) -> None:
        self._publish(self._frame(trade_payload(trade, self._pair)))


class TickerChannel(_Channel):
    """Best prices and the day of a pair, at each trade."""

    def __init__(self, context: ServerContext, pair: ServedPair, channel_id: int, channel_name: str) -> None:
        super().__init__(context, pair, channel_id, channel_name)
        self._tape = self._host.tapes[self._symbol]
        self._tape.listen(self._on_trade)

    def snapshot(self) -> bytes:
        return self._frame(self._payload())

    def close(self) -> None:
        self._tape.unlisten(self._on_trade)

    def _on_trade(self, trade: TapeTrade) -> None:
        self._publish(self._frame(self._payload()))

    def _payload(self) -> dict[str, Any]:
        pair, book, last = self._pair, self._book, self._tape.last
        now_ns = self._host.now_ns
        times = (self._tape.figures(now_ns - now_ns % _DAY_NS), self._tape.figures(now_ns - _DAY_NS))

        def price(ticks: int | None) -> str:
            return pair.price(ticks or 0, pair.ws1_decimals)

        def level(side: int) -> list[Any]:
            ticks, lots = book.best(side) or (0, 0)
            return [price(ticks), int(pair.lot * lots), pair.qty(lots)]

        return {
            "a": level(SELL),
            "b": level(BUY),
            "c": [price(last.price_ticks if last else 0), pair.qty(last.qty_lots if last else 0)],
            "v": [pair.qty(figures.volume_lots) for figures in times],
            "p": [pair.average(figures.cost, figures.volume_lots, pair.ws1_decimals) for figures in times],
            "t": [figures.count for figures in times],
            "l": [price(figures.low_ticks) for figures in times],
            "h": [price(figures.high_ticks) for figures in times],
            "o": [price(figures.open_ticks) for figures in times],
        }


class SpreadChannel(_Channel):
    """The best prices of a pair with their quantities, from the next change of one of them on."""

    def __init__(self, context: ServerContext, pair: ServedPair, channel_id: int, channel_name: str) -> None:
        super().__init__(context, pair, channel_id, channel_name)
        self._stream: DepthStream = self._book.listen(1, self._on_book)

    def snapshot(self) -> None:
        return None

    def close(self) -> None:
        self._book.unlisten(1, self._on_book)

    def _on_book(self, update: DepthUpdate) -> None:
        pair, stream = self._pair, self._stream
        best = [levels[0] if levels else (0, 0) for levels in (stream.bids, stream.asks)]
        prices = [pair.price(ticks, pair.ws1_decimals) for ticks, _ in best]
        self._publish(self._frame([*prices, epoch_us(update.ts_ns), *(pair.qty(lots) for _, lots in best)]))


class OhlcChannel(_Channel):
    """The candles of a pair at an interval: the last one, however old, then the running one at each trade."""

    def __init__(
        self, context: ServerContext, pair: ServedPair, channel_id: int, channel_name: str, minutes: int
    ) -> None:
        super().__init__(context, pair, channel_id, channel_name)
        self._minutes = minutes
        self._tape = self._host.tapes[self._symbol]
        self._tape.listen(self._on_trade)

    def snapshot(self) -> bytes | None:
        last = self._tape.last
        return None if last is None else self._candle(last)

    def close(self) -> None:
        self._tape.unlisten(self._on_trade)

    def _on_trade(self, trade: TapeTrade) -> None:
        self._publish(self._candle(trade))

    def _candle(self, last: TapeTrade) -> bytes:
        candle = self._tape.newest_candle(self._minutes)
        return self._frame(candle_payload(candle, self._minutes, last.ts_ns, self._pair))
