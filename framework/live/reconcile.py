"""What a run has left, held against the venue: by its journal and by every road of it that tells of the account.

The journal's orders become the desk's own again, no order is sent, and the desk asks until the fate of all is proved
or patience ends. What was learned is written to the journal, so the next run begins with it. FIX is left alone: a logon
there would take a session over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal

from framework.adapter import AccountState, LiveVenue, VenueOrder
from framework.errors import ConfigError
from framework.execution.budget import RateBudget
from framework.execution.desk import ExecutionDesk
from framework.execution.events import RoadEvent
from framework.execution.link import Journal
from framework.execution.orders import Knowledge, OrderRecord
from framework.execution.policy import DeskPolicy
from framework.findings import Finding, failed, fine, warned
from framework.live.clock import LiveClock
from framework.live.journal import IntentJournal, JournaledDesk, Silence
from framework.live.recovery import KnownOrder, Recovery
from framework.live.summary import is_own
from framework.live.taking_over import Inquiry, take_over
from framework.messages import AddBatch, AddOrder, Command, Report
from framework.protocol import BUY, InstrumentSpec, News, VenueProfile

__all__ = ["Reconciliation", "asking_policy"]

_NS = 1_000_000_000
# The venue rounds what each fill costs.
_ROUNDED = Decimal("0.0001")


def asking_policy(policy: DeskPolicy, profile: VenueProfile) -> DeskPolicy:
    """The policy of a desk that asks only, by the links of a road that tell of the whole account.

    Raises ConfigError for a road without one that can be asked.
    """
    known = {str(label): protocol for label, protocol in profile.protocols.items()}
    account_wide = [name for name in policy.link_names() if known[name].news is not News.PUSHED_SESSION]
    asked = policy.query or next((name for name in account_wide if known[name].capabilities.has_order_query), None)
    if asked is None:
        raise ConfigError(f"no link of the road ({', '.join(policy.link_names())}) can be asked; name one in 'query'")
    news = next((name for name in policy.news_links() if name in account_wide), asked)
    return DeskPolicy(
        submit=asked,
        amend=asked,
        cancel=(asked,),
        news=news,
        query=asked,
        poll_interval_ms=policy.poll_interval_ms,
        answer_timeout_ms=policy.answer_timeout_ms,
        reconnect_delay_ms=1_000,
    )


class Reconciliation:
    """One reconciliation. ``begin`` sets out; it is over when ``is_done``, by then ``findings`` tells.

    venue: its links are those of the policy. patience_s: for proofs.
    """

    def __init__(
        self,
        venue: LiveVenue,
        profile: VenueProfile,
        policy: DeskPolicy,
        tier: str,
        clock: LiveClock,
        file: IntentJournal,
        recovery: Recovery,
        patience_s: float,
    ) -> None:
        self.is_done = False
        self._specs: Mapping[str, InstrumentSpec] = venue.instruments
        self._clock = clock
        self._recovery = recovery
        self._learned, self._refusals = _Learned(), _Refusals()
        self._before = {name: _terms(order) for name, order in recovery.open_orders.items()}
        self._known_before = dict(recovery.open_orders)
        self._unknown_before = dict(recovery.unknown)
        links = venue.links
        journal = JournaledDesk(file, self._refusals, lambda: clock.now_ns, lambda name: links[name].session_id)
        budget = RateBudget(profile.rates, profile.tier(tier), 0, lambda _: None)
        self.desk = ExecutionDesk(links, policy, clock, journal.listen(self._learned), journal, budget)
        self._records = {record.cl_ord_id: record for record in take_over(self.desk, venue, recovery, lambda _: None)}
        for link in links.values():
            link.attach(
                lambda name, report: clock.enter(self.desk.on_report, name, report),
                lambda name, reason: clock.enter(self._on_closed, name, reason),
            )
        self._inquiry = Inquiry(self.desk, clock, patience_s, self._end)
        self._reasons: dict[str, str] = {}

    def begin(self) -> None:
        """Open the links and ask."""
        self.desk.halt("reconciling")
        self.desk.start()
        self._clock.enter(self._inquiry.begin)

    def stop(self) -> None:
        """Ask no more."""
        self.desk.stop()

    # ------------------------------------------------------------------------------------------------- asking

    def _end(self) -> None:
        self.is_done = True

    def _on_closed(self, name: str, reason: str) -> None:
        self._reasons[name] = reason
        self.desk.on_session_closed(name, reason)

    # ------------------------------------------------------------------------------------------------- findings

    def findings(self, account: AccountState) -> Iterator[Finding]:
        """What agrees and what does not, a line each. account: as the venue tells it, asked for after all else."""
        recovery = self._recovery
        yield fine(
            "journal",
            f"{recovery.record_count:,} records of {recovery.run_count} runs, {recovery.fill_count} fills, "
            f"{len(self._known_before)} orders that had not ended",
        )
        yield from self._roads()
        if self._inquiry.snapshot is None:
            why = f": {self._refusals.text}" if self._refusals.text else ""
            yield failed("orders", f"the venue has not told the account's orders{why}", "reconcile again in a minute")
        for name, record in self._records.items():
            yield self._order(name, record)
        yield from self._commands()
        for order in account.open_orders:
            if not is_own(order, recovery) and not self._is_known(order):
                yield warned(
                    f"others {order.order_id}", f"open, not of this journal: {order.text or order.symbol}", "left alone"
                )
        yield from self._positions()
        yield from self._balances(account.balances)

    def _roads(self) -> Iterator[Finding]:
        for name, link in self.desk.links.items():
            if link.is_up:
                yield fine(f"road {name}", "was asked and heard" if name == self.desk.policy.query else "was heard")
            else:
                reason = self._reasons.get(name, "it did not open in time")
                yield failed(f"road {name}", f"is down: {reason}", "see `tidegate doctor`, and reconcile again")

    def _order(self, name: str, record: OrderRecord) -> Finding:
        known, spec = self._known_before[name], self._specs.get(record.symbol)
        words, title = _order_words(known, spec), f"order {name}"
        heard = self._learned.of(name)
        if record.knowledge is Knowledge.UNKNOWN or record.knowledge is Knowledge.SENT:
            return failed(
                title, f"{words}: unknown; {self._evidence(known)}", "reconcile again later; do not resend it"
            )
        if record.knowledge is not Knowledge.OPEN:
            return fine(title, f"{words}: {'; '.join(heard) or 'has ended'}; written to the journal")
        filled = f"{_qty(record.cum_lots, spec)} filled"
        if record.ended is not None or record.has_missing_fills:
            missing = _qty(record.venue_cum_lots - record.cum_lots, spec)
            return failed(title, f"{words}: the venue tells of {missing} more filled than of fills", "reconcile again")
        if self._inquiry.snapshot is None:
            return failed(title, f"{words}: not looked for", "reconcile again")
        is_same = known.is_known and self._before[name] == _terms(record)
        says = f"{words}: open ({record.order_id}), {filled}"
        remedy = "left open: `tidegate live` deals with it as left_open says"
        if not is_same:
            says += f"; the journal did not know: {'; '.join(heard) or 'other terms'}; written to it"
        if record.owner_link not in self.desk.links:
            says += f"; sent by {record.owner_link}, whose session {record.owner_session} is over or another's"
        return warned(title, says, remedy)

    def _evidence(self, known: KnownOrder) -> str:
        deadline_ns = known.add.deadline_ns
        if self._inquiry.snapshot is None:
            return "the venue has not been heard"
        at = _time(self._inquiry.snapshot.ts_venue_ns)
        if deadline_ns is None:
            return f"the venue did not show it at {at}, and it has no deadline after which it cannot come any more"
        return f"the venue did not show it at {at}; it could come until {_time(deadline_ns)}"

    def _commands(self) -> Iterator[Finding]:
        """Commands without an answer that were no new orders: what became of them shows in their order."""
        for request_id, intended in self._unknown_before.items():
            command = intended.command
            if isinstance(command, (AddOrder, AddBatch)):
                continue
            what, name = type(command).__name__, getattr(command, "cl_ord_id", None)
            record = self._records.get(name) if name else None
            if record is None:
                yield fine(f"request {request_id}", f"{what} without an answer; its orders have ended, or are above")
            elif record.is_open:
                yield fine(f"request {request_id}", f"{what} of {name} without an answer; the order is as told above")
            else:
                yield fine(f"request {request_id}", f"{what} of {name} without an answer; the order has ended")

    def _positions(self) -> Iterator[Finding]:
        lots = dict(self._recovery.positions_lots)
        for symbol, (change, _) in self._learned.traded.items():
            lots[symbol] = lots.get(symbol, 0) + change
        for symbol, held in sorted(lots.items()):
            yield fine(f"position {symbol}", f"{_qty(held, self._specs.get(symbol))} by the fills of all runs")

    def _balances(self, told: Mapping[str, Decimal]) -> Iterator[Finding]:
        recovery = self._recovery
        if recovery.balances is None:
            yield fine("balances", "no run has written down what there was, so there is nothing to compare")
            return
        expected, fills = self._expected()
        since = _time(recovery.balances_ns)
        for asset in sorted({*expected, *told}):
            amount, wanted = told.get(asset, Decimal(0)), expected.get(asset, Decimal(0))
            if not amount and not wanted:
                continue
            if abs(amount - wanted) <= _ROUNDED * (1 + fills):
                yield fine(f"balance {asset}", f"{amount.normalize():f}, as it was at {since} with the fills since")
            else:
                change = (amount - wanted).normalize()
                here, there = f"{wanted.normalize():f} by the journal", f"{amount.normalize():f} at the venue"
                yield failed(
                    f"balance {asset}",
                    f"{there}, {here}: {change:+f} since {since}",
                    "look for deposits, withdrawals and trades of others of the account; the next run begins with the "
                    "venue's",
                )

    def _expected(self) -> tuple[dict[str, Decimal], int]:
        recovery, learned = self._recovery, self._learned
        assert recovery.balances is not None
        expected = dict(recovery.balances)
        for traded in (recovery.traded, learned.traded):
            for symbol, (lots, tick_lots) in traded.items():
                spec = self._specs[symbol]
                expected[spec.base] = expected.get(spec.base, Decimal(0)) + spec.qty(lots)
                cost = spec.price(1) * spec.qty(1) * tick_lots
                expected[spec.quote] = expected.get(spec.quote, Decimal(0)) - cost
        for fees in (recovery.fees, learned.fees):
            for asset, fee in fees.items():
                expected[asset] = expected.get(asset, Decimal(0)) - fee
        return expected, recovery.traded_count + learned.fill_count

    def _is_known(self, order: VenueOrder) -> bool:
        record = self._records.get(order.cl_ord_id)
        return record is not None and record.order_id == order.order_id


class _Learned(Silence):
    """What a desk concludes of each order, in words, and what was traded. heard: by client id."""

    def __init__(self) -> None:
        self.heard: dict[str, list[str]] = {}
        self.traded: dict[str, list[int]] = {}
        self.fees: dict[str, Decimal] = {}
        self.fill_count = 0

    def of(self, cl_ord_id: str) -> list[str]:
        return self.heard.get(cl_ord_id, [])

    def _note(self, record: OrderRecord, words: str) -> None:
        self.heard.setdefault(record.cl_ord_id, []).append(words)

    def order_accepted(self, record: OrderRecord, ts_venue_ns: int) -> None:
        self._note(record, "it had arrived")

    def order_rejected(self, record: OrderRecord, reason: str, is_post_only: bool, ts_venue_ns: int) -> None:
        self._note(record, reason)

    def order_updated(self, record: OrderRecord, ts_venue_ns: int) -> None:
        self._note(record, "its terms have changed")

    def order_canceled(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        self._note(record, f"canceled{f' ({reason})' if reason else ''}")

    def order_expired(self, record: OrderRecord, ts_venue_ns: int) -> None:
        self._note(record, "expired")

    def order_filled(
        self,
        record: OrderRecord,
        exec_id: str,
        last_lots: int,
        last_ticks: int,
        is_maker: bool,
        fee: Decimal,
        fee_asset: str,
        ts_venue_ns: int,
    ) -> None:
        self._note(record, f"a fill that the journal did not know ({exec_id})")
        lots = last_lots if record.side == BUY else -last_lots
        traded = self.traded.setdefault(record.symbol, [0, 0])
        traded[0] += lots
        traded[1] += lots * last_ticks
        self.fees[fee_asset] = self.fees.get(fee_asset, Decimal(0)) + fee
        self.fill_count += 1


class _Refusals(Journal):
    """Hears why a question was refused last."""

    def __init__(self) -> None:
        self.text = ""

    def sent(self, link: str, command: Command, ts_sent_ns: int) -> None: ...
    def answered(self, request_id: int, ts_learned_ns: int, outcome: str, reason: str | None, text: str | None) -> None:
        self.text = "" if outcome == "accepted" else text or outcome

    def resolved(self, request_id: int, resolution: str) -> None: ...
    def item_refused(self, request_id: int, cl_ord_id: str, text: str) -> None: ...
    def learned(self, link: str, report: Report, ts_learned_ns: int) -> None: ...
    def concluded(self, event: RoadEvent) -> None: ...
    def denied(self, record: OrderRecord, ts_ns: int, reason: str) -> None: ...


def _terms(order: KnownOrder | OrderRecord) -> tuple[int, int | None, int | None, int]:
    return order.qty_lots, order.limit_ticks, order.trigger_ticks, order.cum_lots


def _order_words(known: KnownOrder, spec: InstrumentSpec | None) -> str:
    add = known.add
    price = "" if known.limit_ticks is None else f" at {_price(known.limit_ticks, spec)}"
    return f"{'buy' if add.side == BUY else 'sell'} {_qty(known.qty_lots, spec)} {add.symbol}{price}"


def _qty(lots: int, spec: InstrumentSpec | None) -> str:
    return f"{lots} lots" if spec is None else f"{spec.qty(lots).normalize():f}"


def _price(ticks: int, spec: InstrumentSpec | None) -> str:
    return f"{ticks} ticks" if spec is None else f"{spec.price(ticks):f}"


def _time(ts_ns: int) -> str:
    return f"{dt.datetime.fromtimestamp(ts_ns // _NS, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
