"""The FIX gateway of market data: a session of its own for each SenderCompID, beside that of trading.

Logging on takes no key: the SenderCompID is what is known. With the line the subscriptions end. What was sent is not
kept: who asks for it again gets a gap fill, for old prices are worth nothing. The daily rollover ends all sessions,
whose numbers begin anew.

Sources: fix-api/logon-fix, mdr-fix; guides/fix-intro; exchange/api-reference/unified-fix (rollover).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapters.fix.codec import Fields, Message
from adapters.fix.errors import UnsupportedMessageError
from adapters.fix.session import Session, SessionState
from adapters.fix.settings import LogonRefusedError
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.fix.numbers import number_store
from adapters.kraken.server.fix.sessions import CompSession, CompSessions
from adapters.kraken.server.fix_market.reference import Instruments, TradingStatus
from adapters.kraken.server.fix_market.subscriptions import MarketChannels, Subscriptions
from adapters.kraken.wire.fix_market_dialect import KRAKEN_FIX_MARKET
from framework.protocol import RejectReason

__all__ = ["MARKET_TARGET_COMP_ID", "FixMarketGateway"]

MARKET_TARGET_COMP_ID = "KRAKEN-MD"
_LABEL = "fix"
_DAY_NS = 86_400 * 10**9
_ROLLOVER = "End of trading day"


class FixMarketGateway(CompSessions["_MarketSession"]):
    """All market data sessions; comp_ids: SenderCompIDs, each with its account."""

    def __init__(self, context: ServerContext, comp_ids: Mapping[str, str]) -> None:
        channels = MarketChannels(context)
        sessions = [_MarketSession(context, comp_id, account, channels) for comp_id, account in comp_ids.items()]
        super().__init__(context, MARKET_TARGET_COMP_ID, sessions)
        self._host = context.host
        self._host.listen_mode(self._on_mode)
        self._host.listen_rollover(self._on_rollover)
        self._profile = next(each for label, each in self._host.profile.protocols.items() if str(label) == _LABEL)
        self._await_rollover()

    def _on_mode(self, symbol: str | None) -> None:
        for member in self.members.values():
            member.mode_changed(symbol)

    def _await_rollover(self) -> None:
        if self._profile.rollover_utc_s is not None:
            now_ns = self._host.now_ns
            due_ns = now_ns - now_ns % _DAY_NS + self._profile.rollover_utc_s * 10**9
            self._host.call_at(due_ns if due_ns > now_ns else due_ns + _DAY_NS, self._roll_over_daily)

    def _roll_over_daily(self) -> None:
        self._on_rollover(_LABEL, self._host.now_ns + self._profile.rollover_ns)
        self._await_rollover()

    def _on_rollover(self, label: str, end_ns: int) -> None:
        if label == _LABEL:
            for member in self.members.values():
                member.roll_over(end_ns)


class _MarketSession(CompSession):
    """One SenderCompID."""

    def __init__(self, context: ServerContext, comp_id: str, account: str, channels: MarketChannels) -> None:
        super().__init__(
            MARKET_TARGET_COMP_ID,
            comp_id,
            account,
            KRAKEN_FIX_MARKET,
            number_store(context.host, f"fix market {comp_id}"),
        )
        self._host = context.host
        self._clock = context.clock
        self._subscriptions = Subscriptions(context, channels, self._send)
        self._instruments = Instruments(context, self._send)
        self._status = TradingStatus(context, self._send)
        self._closed_until_ns = 0
        self._is_rolled_over = False
        self._handlers: Mapping[bytes, Callable[[Message], None]] = {
            b"V": self._subscriptions.request,
            b"x": self._instruments.request,
            b"g": self._status.request,
        }

    def mode_changed(self, symbol: str | None) -> None:
        """The mode of a pair has changed, or (None) of the whole venue."""
        self._instruments.mode_changed(symbol)
        if symbol is None:
            self._status.mode_changed()

    def roll_over(self, end_ns: int) -> None:
        """The trading day is over; nobody can log on until a time."""
        self._closed_until_ns = end_ns
        if self.session.state is SessionState.CLOSED:
            self.session.reset()
        else:
            self._is_rolled_over = True
            self.session.logout(self._clock.now_ns, _ROLLOVER)

    def check_logon(self, session: Session, message: Message, now_ns: int) -> None:
        if self._host.now_ns < self._closed_until_ns:
            raise LogonRefusedError(self._host.refusal_text(RejectReason.MODE_MAINTENANCE))

    def on_message(self, session: Session, message: Message, now_ns: int) -> None:
        handler = self._handlers.get(message.msg_type)
        if handler is None:
            raise UnsupportedMessageError
        handler(message)

    def on_closed(self, session: Session, reason: str, now_ns: int) -> None:
        self._subscriptions.end()
        self._instruments.end()
        self._status.end()
        self.leave()
        if self._is_rolled_over:
            self._is_rolled_over = False
            session.reset()

    def _send(self, msg_type: bytes, fields: Fields, tail: bytes) -> None:
        if self.session.is_open:
            self.session.send(msg_type, fields, self._clock.now_ns, tail=tail)
