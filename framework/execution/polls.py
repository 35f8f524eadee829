"""Asking the venue for the account's orders: on a beat where nothing is pushed, else only where pushed news cannot
tell.

News that is pushed leaves gaps: while its line is down; for orders of a session that has ended, where each session
hears of its own orders only; for orders that were entered by another link than such a session's. And some things
raise a doubt that only the venue can settle: a request of unknown fate, fills that are missing, an order that the venue
does not find or show, the end of a canceled order that is not told. While there is one of these, the desk polls; a
policy may have it check all the same now and then. Polls are paid from the budget like all else, and wait while it is
spent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from framework.errors import ConfigError
from framework.execution.budget import RateBudget
from framework.execution.ledger import Ledger
from framework.execution.link import Clock, Link
from framework.execution.orders import Knowledge, OrderRecord, RequestKind
from framework.execution.policy import DeskPolicy
from framework.execution.requests import Requests
from framework.messages import OrdersSnapshot, OrderState, QueryOrders
from framework.protocol import News

__all__ = ["Polls"]

_MS = 1_000_000


class Polls:
    """Decides when to ask, and asks for what has happened since it last knew all.

    Raises ConfigError if the policy asks on a link whose protocol cannot be asked.
    """

    def __init__(
        self,
        links: Mapping[str, Link],
        policy: DeskPolicy,
        clock: Clock,
        ledger: Ledger,
        requests: Requests,
        budget: RateBudget,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._requests = requests
        self._budget = budget
        self._news = [links[name] for name in policy.news_links() if links[name].profile.news is not News.NONE]
        self._is_beat = not self._news
        self._link = _query_link(links, policy)
        self._interval_ns = policy.poll_interval_ms * _MS
        self._check_interval_ns = 0 if policy.check_interval_ms is None else policy.check_interval_ms * _MS
        # How far a trader's clock may be ahead of the venue's, where only the trader's time of an order is known.
        self._clock_margin_ns = policy.answer_timeout_ms * _MS
        # What news has so long to tell, and by when: orders whose cancels the venue has taken.
        self._end_wait_ns = policy.answer_timeout_ms * _MS
        self._ends: deque[tuple[int, Sequence[OrderRecord]]] = deque()
        self._ts_polled_ns = 0
        self._ts_read_ns = -1
        self._is_due = False
        self._refused_count = 0
        self._awaited_id: int | None = None
        self._is_scheduled = False
        self._is_running = False

    def start(self) -> None:
        """Begin the beat where news is polled, and the checks where it is not."""
        self._is_running = True
        if self._is_beat:
            self.ensure()
        elif self._check_interval_ns:
            self._clock.call_at(self._clock.now_ns + self._check_interval_ns, self._on_check)

    def stop(self) -> None:
        """Ask no more."""
        self._is_running = False

    @property
    def can_ask(self) -> bool:
        """Whether there is a link that can be asked."""
        return self._link is not None

    def is_heard(self, record: OrderRecord) -> bool:
        """Whether pushed news tells of an order now."""
        for news in self._news:
            is_account = news.profile.news is News.PUSHED_ACCOUNT
            if news.is_up and (is_account or record.owner_session == news.session_id):
                return True
        return False

    def ensure(self) -> None:
        """See to it that a poll is due within an interval; it is sent if it is still needed by then."""
        if not self._is_scheduled and self._is_running and self._link is not None:
            self._is_scheduled = True
            self._clock.call_at(self._clock.now_ns + self._interval_ns, self._on_beat)

    def doubt(self) -> None:
        """Something has happened that news may not tell: ask at once if so, or on the next beat where there is one."""
        if not self._is_beat and self.is_needed:
            self.ask()
        self.ensure()

    def doubt_orders(self, records: Iterable[OrderRecord]) -> None:
        """Orders that had been accepted may have ended, news of it being on its way or lost: ask for them by their ids,
        unless it has come by then.
        """
        for record in records:
            if record.knowledge is Knowledge.OPEN:
                record.doubt_request_id = self._requests.last_id
                self.ensure()

    def await_ends(self, records: Sequence[OrderRecord]) -> None:
        """The venue has taken a cancel of these: news tells of their ends. What it has not told of in the time that an
        answer may take is in doubt.
        """
        awaited = [record for record in records if record.is_live and self.is_heard(record)]
        if awaited and self._link is not None:
            due_ns = self._clock.now_ns + self._end_wait_ns
            self._ends.append((due_ns, awaited))
            if len(self._ends) == 1:
                self._clock.call_at(due_ns, self._check_ends)

    def missed(self) -> None:
        """News may have been missed, though it is heard again: one poll is due in any case."""
        self._is_due = True
        self.doubt()

    def ask(self) -> None:
        """Poll now, unless an answer is awaited, no link can ask, or the budget is spent."""
        link = self._link
        if link is None or not link.is_up or self._awaited_id is not None:
            return
        now_ns = self._clock.now_ns
        if not self._budget.admit_poll(link.profile, now_ns):
            return
        # What is in doubt may have ended before the last poll, so it is asked for by its id; not while an edit is in
        # flight, whose fate is judged by what a span of the past shows together.
        doubted = tuple(
            record.order_id
            for record in self._ledger.open_orders.values()
            if record.doubt_request_id is not None and record.order_id is not None and record.edit is None
        )
        request_id, since_ns = self._requests.next_id(), self._since_ns()
        command = QueryOrders(request_id=request_id, since_ns=since_ns, order_ids=doubted)
        self._awaited_id = command.request_id
        self._is_due = False
        self._requests.send(RequestKind.QUERY, link, command, (), now_ns)

    def note_read(self) -> None:
        """Somebody has asked for the account's orders beside the polls, and paid from the same counter."""
        if self._link is not None:
            self._budget.spend_read(self._link.profile, self._clock.now_ns)

    def answered(self, report: OrdersSnapshot) -> None:
        """A poll's answer is read."""
        self.ended(report.request_id)
        self._refused_count = 0
        assert self._link is not None
        self._ts_polled_ns = max(self._ts_polled_ns, report.ts_venue_ns)
        self._ts_read_ns = self._clock.now_ns
        if report.trades or any(status.state > OrderState.PARTIALLY_FILLED for status in report.orders):
            self._budget.spend_poll_change(self._link.profile, self._clock.now_ns)

    def look_back(self, ts_sent_ns: int) -> None:
        """An edit that was sent at a time has made an order of a new id: if a poll was read since, it may have told
        of that order when nobody knew it, so one more goes back to then; what it tells again is known again.
        """
        if self._ts_read_ns >= ts_sent_ns:
            self._ts_polled_ns = min(self._ts_polled_ns, ts_sent_ns - self._clock_margin_ns)
            self._is_due = True
            self.ensure()

    def ended(self, request_id: int | None) -> None:
        """A poll has been answered."""
        if request_id == self._awaited_id:
            self._awaited_id = None

    def refused(self, request_id: int, *, is_over_limit: bool) -> None:
        """A poll has been refused, so one is due still; over the limit of calls, when there is room for it again."""
        self.ended(request_id)
        if is_over_limit:
            assert self._link is not None
            self._refused_count += 1
            self._budget.note_poll_refused(self._link.profile, self._clock.now_ns, self._refused_count)
        self._is_due = True
        self.ensure()

    def lost(self) -> None:
        """Requests have been lost; a poll that is among them is due again."""
        if self._awaited_id is not None and self._awaited_id not in self._requests.in_flight:
            self._awaited_id = None
            self._is_due = True

    # ------------------------------------------------------------------------------------------------- within

    def _on_beat(self) -> None:
        self._is_scheduled = False
        if self._is_running and (self._is_beat or self.is_needed):
            self.ask()
            self.ensure()

    def _on_check(self) -> None:
        if self._is_running:
            if self._ledger.open_orders:
                self.missed()
            self._clock.call_at(self._clock.now_ns + self._check_interval_ns, self._on_check)

    def _check_ends(self) -> None:
        while self._ends and self._ends[0][0] <= self._clock.now_ns:
            self.doubt_orders(self._ends.popleft()[1])
        if self._ends:
            self._clock.call_at(self._ends[0][0], self._check_ends)

    @property
    def is_needed(self) -> bool:
        """Whether there is something that only the venue can tell."""
        if self._is_due or self._requests.unknown_count:
            return True
        return any(
            record.doubt_request_id is not None
            or record.missed_cancel_id is not None
            or record.ended is not None
            or record.has_missing_fills
            or not self.is_heard(record)
            for record in self._ledger.open_orders.values()
        )

    def _since_ns(self) -> int:
        """From when on the venue has to tell: since the last poll, or since the oldest open order was sent."""
        oldest = next(iter(self._ledger.open_orders.values()), None)
        if oldest is None:
            return max(0, self._ts_polled_ns)
        return max(0, self._ts_polled_ns, oldest.ts_sent_ns - self._clock_margin_ns)


def _query_link(links: Mapping[str, Link], policy: DeskPolicy) -> Link | None:
    if policy.query is not None:
        link = links[policy.query]
        if not link.profile.capabilities.has_order_query:
            raise ConfigError(f"link '{policy.query}' cannot be asked for orders; name one that can in 'query'")
        return link
    return next((link for link in links.values() if link.profile.capabilities.has_order_query), None)
