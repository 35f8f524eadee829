"""Lines, sessions and message streams: who owns an order, who hears of it, and what is sent again.

Three things that a dropped line ends at different times:

- a **line** is one connection; it is up or down;
- a **session** owns the orders entered on it. Single cancels of some protocols reach no further. It lasts for one
  connection or until the sequence numbers start anew, as the profile's ``SessionScope`` says;
- a **stream** numbers what is sent to one comp id and keeps it, so that a resumed session is sent what it missed,
  marked as possible duplicates. It lasts until the numbers start anew, by a logon with reset or by the daily rollover.

Protocols without sessions have a line only; a session object stands behind it to which no rule applies.

Sources: fix-api/logon-fix (reset flag, cancel on disconnect), fix-api/session-fix and guides/fix-intro (rollover at
22:00 UTC), guides/general/api-comparison (replay).
"""

from __future__ import annotations

import msgspec

from framework.messages import ExecutionReport, Report
from framework.protocol import ProtocolProfile
from framework.venue.account import Account
from framework.venue.orders import Order

__all__ = ["Line", "Outbound", "Session", "Stream"]


class Outbound(msgspec.Struct, frozen=True, gc=False):
    """A message that leaves the venue.

    session_id: the line to send it on, as it was named in ``connect``. is_response: it goes by the path of responses,
    otherwise by the path of news. seq_num: its number in the session's stream; 0 where the protocol numbers nothing.
    """

    session_id: str
    report: Report
    is_response: bool
    seq_num: int = 0


class Stream:
    """The numbered messages of one comp id since the numbers last started anew; the first has number 1.

    count: how many there are. reports: all of them, for a replay; none where somebody else keeps them.
    line: where they are sent, None while the line is down. delivered_count: how many had been sent when it went down.
    is_current: false once the numbers have started anew; then nobody hears it.
    """

    __slots__ = ("count", "delivered_count", "is_current", "line", "reports")

    def __init__(self) -> None:
        self.count = 0
        self.reports: list[Report] = []
        self.line: Line | None = None
        self.delivered_count = 0
        self.is_current = True

    def missed(self, next_expected_seq: int | None) -> list[tuple[int, Report]]:
        """What has to be sent again on resumption, with its numbers.

        next_expected_seq: the number that the client expects next; None if it does not say: then what was made while
        the line was down counts as missed.
        """
        first = self.delivered_count + 1 if next_expected_seq is None else max(1, next_expected_seq)
        return [(first + index, _as_duplicate(report)) for index, report in enumerate(self.reports[first - 1 :])]


def _as_duplicate(report: Report) -> Report:
    return msgspec.structs.replace(report, is_poss_dup=True) if isinstance(report, ExecutionReport) else report


class Session:
    """The owner of orders.

    session_id: its name, new for each session; comp_key: whose session it is, the same for all sessions of one client.
    stream: None for protocols without replay. orders: its open orders by ``seq``.
    is_cancel_on_disconnect: a dropped line ends its open orders.
    """

    __slots__ = (
        "account",
        "comp_key",
        "is_cancel_on_disconnect",
        "line",
        "orders",
        "profile",
        "session_id",
        "stream",
    )

    def __init__(self, session_id: str, comp_key: str, account: Account, profile: ProtocolProfile) -> None:
        self.session_id = session_id
        self.comp_key = comp_key
        self.account = account
        self.profile = profile
        self.line: Line | None = None
        self.stream: Stream | None = None
        self.orders: dict[int, Order] = {}
        self.is_cancel_on_disconnect = False

    @property
    def is_heard(self) -> bool:
        """Whether news of its orders still reaches its client, now or by a replay: not once its stream has ended."""
        return self.stream is None or self.stream.is_current


class Line:
    """One connection.

    session: None until logon for protocols with sessions. is_subscribed: it hears news of all orders of the account.
    """

    __slots__ = ("account", "comp_key", "is_subscribed", "is_up", "profile", "session", "session_id")

    def __init__(self, session_id: str, comp_key: str, account: Account, profile: ProtocolProfile) -> None:
        self.session_id = session_id
        self.comp_key = comp_key
        self.account = account
        self.profile = profile
        self.session: Session | None = None
        self.is_subscribed = False
        self.is_up = True
