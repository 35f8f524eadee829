"""Instruments and the state of trading, as a market data session asks for them.

Assumptions where the pages are silent: an update of the instruments tells those whose status changed, under the id of
the request; the end of a subscription to them is not answered. The engine's modes that TradSesStatus has no value for
are told as unknown (0).

Sources: fix-api/slr-fix, sl-fix, tssr-fix, tss-fix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adapters.fix.codec import Fields, Message
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.pairs import LOT_DECIMALS, ServedPair
from framework.protocol import VenueMode

__all__ = ["Instruments", "TradingStatus"]

_STATUSES = {
    VenueMode.ONLINE: b"1",
    VenueMode.MAINTENANCE: b"2",
    VenueMode.CANCEL_ONLY: b"3",
    VenueMode.POST_ONLY: b"4",
    VenueMode.LIMIT_ONLY: b"5",
    VenueMode.REDUCE_ONLY: b"7",
}
_SESSION_STATUSES = {
    VenueMode.MAINTENANCE: b"1",
    VenueMode.ONLINE: b"2",
    VenueMode.CANCEL_ONLY: b"101",
    VenueMode.POST_ONLY: b"102",
}
_UNKNOWN_STATUS = b"0"
_VALID, _INVALID, _NONE_FOUND = b"0", b"1", b"2"
_ONE, _BY_TYPE, _ALL = "0", "1", "4"
_SPOT, _OTHER_TYPES = "CASH", ("FUT", "OPT", "TS")
_SESSION = "SESSION"
_UNKNOWN_SESSION, _BAD_SUBSCRIPTION, _DUPLICATE, _ALREADY = b"1", b"101", b"102", b"103"

type _Send = Callable[[bytes, Fields, bytes], object]


class Instruments:
    """InstrumentListRequest (x) and InstrumentList (y) of one session."""

    def __init__(self, context: ServerContext, send: _Send) -> None:
        self._context = context
        self._send = send
        self._count = 0
        # Pairs that are followed, by request.
        self._followed: dict[str, list[ServedPair]] = {}

    def request(self, message: Message) -> None:
        """InstrumentListRequest."""
        req_id, kind = message.text(320), message.text(263) or "0"
        if kind == "2":
            self._followed.pop(req_id, None)
            return
        pairs, result = self._found(message)
        if kind not in ("0", "1"):
            pairs, result = [], _INVALID
        if kind == "1" and pairs:
            self._followed[req_id] = pairs
        self._answer(req_id, pairs, result)

    def mode_changed(self, symbol: str | None) -> None:
        """The mode of a pair has changed, or (None) of all."""
        for req_id, pairs in self._followed.items():
            changed = [pair for pair in pairs if symbol is None or pair.spec.symbol == symbol]
            if changed:
                self._answer(req_id, changed, _VALID)

    def end(self) -> None:
        """The line is down."""
        self._followed.clear()

    def _found(self, message: Message) -> tuple[list[ServedPair], bytes]:
        """The pairs that a request means, and the result."""
        pairs = self._context.pairs
        kind, symbol, security_type = message.text(559), message.text(55), message.text(167)
        if kind == _ALL or (kind == _BY_TYPE and security_type == _SPOT):
            return pairs.all, _VALID
        if kind == _ONE and symbol:
            pair = pairs.by_symbol.get(symbol)
            return ([], _NONE_FOUND) if pair is None else ([pair], _VALID)
        return [], _NONE_FOUND if kind == _BY_TYPE and security_type in _OTHER_TYPES else _INVALID

    def _answer(self, req_id: str, pairs: Sequence[ServedPair], result: bytes) -> None:
        self._count += 1
        fields: list[tuple[int, bytes]] = []
        if result == _INVALID:
            fields.append((58, b"Invalid or unsupported request"))
        elif result == _NONE_FOUND:
            fields.append((58, b"No instruments found that match the criteria"))
        response_id = b"%d" % (self._context.host.now_ns + self._count)
        fields += ((320, req_id.encode()), (322, response_id), (560, result))
        if pairs:
            fields.append((146, b"%d" % len(pairs)))
            for pair in pairs:
                fields += self._described(pair)
        self._send(b"y", fields, b"")

    def _described(self, pair: ServedPair) -> list[tuple[int, bytes]]:
        spec = pair.spec
        return [
            (55, spec.symbol.encode()),
            (562, f"{pair.lot:f}".encode()),
            (5010, b"%d" % LOT_DECIMALS),
            (5011, f"{(pair.lot * spec.min_qty_lots).normalize():f}".encode()),
            (5013, str(spec.min_cost).encode()),
            (2349, b"%d" % pair.pair_decimals),
            (5022, f"{pair.tick:f}".encode()),
            (5032, _STATUSES[self._context.host.mode_of(spec.symbol)]),
        ]


class TradingStatus:
    """TradingSessionStatusRequest (g) and TradingSessionStatus (h) of one session."""

    def __init__(self, context: ServerContext, send: _Send) -> None:
        self._host = context.host
        self._send = send
        self._followed: str | None = None

    def request(self, message: Message) -> None:
        """TradingSessionStatusRequest."""
        req_id, kind = message.text(335), message.text(263)
        reason = self._refusal(req_id, message.text(336), kind)
        if reason is not None:
            fields = ((335, req_id.encode()), (336, message.text(336).encode()), (567, reason))
            self._send(b"h", fields, b"")
            return
        if kind == "1":
            self._followed = req_id
        self._answer(req_id)

    def mode_changed(self) -> None:
        """The engine's mode has changed."""
        if self._followed is not None:
            self._answer(self._followed)

    def end(self) -> None:
        """The line is down."""
        self._followed = None

    def _refusal(self, req_id: str, session_id: str, kind: str) -> bytes | None:
        if session_id != _SESSION:
            return _UNKNOWN_SESSION
        if kind not in ("0", "1"):
            return _BAD_SUBSCRIPTION
        if self._followed is None:
            return None
        if req_id == self._followed:
            return _DUPLICATE
        return _ALREADY if kind == "1" else None

    def _answer(self, req_id: str) -> None:
        status = _SESSION_STATUSES.get(self._host.mode, _UNKNOWN_STATUS)
        self._send(b"h", ((335, req_id.encode()), (336, _SESSION.encode()), (340, status)), b"")
