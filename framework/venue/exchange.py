"""The venue: one core in virtual time, without I/O and without a clock of its own.

Whoever runs it tells it what happened and when (``connect``, ``handle``, ``drop_line``, ``on_kernel_stop``,
``on_timer``, ``set_mode``), never going back in time, and carries away what it has to say (``outbox``). Before each
call the kernel has been advanced to that time; when the kernel stops because own orders were filled or triggered,
``on_kernel_stop`` comes before anything later. All rules of an exchange come from the profile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from framework.errors import ConfigError, SimulationError
from framework.messages import (
    AddBatch,
    AddOrder,
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelBatch,
    CancelOrder,
    Command,
    EditOrder,
    Logon,
    Logout,
    MassCancel,
    OrderState,
    QueryOrders,
    Report,
)
from framework.protocol import InstrumentSpec, RejectReason, VenueMode, VenueProfile
from framework.venue.account import Account, AccountConfig, Assets
from framework.venue.adds import Adds
from framework.venue.amends import Amends
from framework.venue.audit import audit
from framework.venue.book import Pair
from framework.venue.cancels import Cancels
from framework.venue.entry import Entry
from framework.venue.fees import FeeMeter
from framework.venue.gateway import Gateway
from framework.venue.lifecycle import Lifecycle
from framework.venue.margin.wiring import Margin
from framework.venue.matching import Matching
from framework.venue.modes import Modes
from framework.venue.observer import VenueObserver
from framework.venue.orders import Order
from framework.venue.parts import Parts
from framework.venue.queries import Queries
from framework.venue.rates import call_counter, engine_counter
from framework.venue.reports import Reporter
from framework.venue.secondaries import Secondaries
from framework.venue.sessions import Line, Outbound
from framework.venue.timers import TimerKind, Timers
from framework.venue.triggers import Triggers

if TYPE_CHECKING:
    from framework.venue.kernel import MatchingKernel

__all__ = ["Venue", "VenueOptions"]

_MARGIN_TIMERS = frozenset({TimerKind.MARGIN_ROLLOVER, TimerKind.MARGIN_CHECK})
_Handler = Callable[[Line, Any, int], RejectReason | None]


class VenueOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may choose that is no property of the venue.

    volume_rates: for a quote currency, its value in the profile's ``fee_volume_currency``, at which trades count
        towards the 30-day volume; 1 where not given.
    """

    volume_rates: Mapping[str, Decimal] = {}


class Venue:
    """A simulated venue.

    outbox: messages to send, in the order in which they were made; the runner empties it. observer: hooks for a
    recorder. margin: trading on margin; None where the profile has none. timer_queue: the heap of the venue's timers,
    by time, for a look at whether ``next_timer_ns`` can be before a time at all. gate: what refuses commands besides,
    as they arrive: line, command, time; None for nothing.
    """

    def __init__(
        self,
        profile: VenueProfile,
        kernel: MatchingKernel,
        specs: Sequence[InstrumentSpec],
        accounts: Sequence[AccountConfig],
        switches: Mapping[str, str] | None = None,
        options: VenueOptions | None = None,
    ) -> None:
        """kernel: has the instruments of ``specs``, in that order.

        switches: readings of the profile's unclear points. Raises ConfigError for an unknown switch, reading or tier,
        for a balance that does not fit, and for two accounts or pairs of one name.
        """
        options = VenueOptions() if options is None else options
        try:
            profile = profile.with_switches(switches or {})
            tiers = {config.name: profile.tier(config.tier) for config in accounts}
        except KeyError as error:
            raise ConfigError(str(error.args[0])) from None
        if len(tiers) != len(accounts) or len({spec.symbol for spec in specs}) != len(specs):
            raise ConfigError("two accounts or two pairs of the venue have the same name")
        self.profile = profile
        self.assets = Assets(specs, accounts)
        self.accounts: dict[str, Account] = {}
        for config in accounts:
            meter = FeeMeter(profile.fees, config.volume_30d_usd)
            account = Account(config, tiers[config.name], meter, self.assets, len(specs))
            account.counters = [engine_counter(account.tier, profile.rates) for _ in specs]
            account.call_counters = {
                label: call_counter(account.tier, protocol.call_costs)
                for label, protocol in profile.protocols.items()
                if protocol.call_costs is not None
            }
            self.accounts[config.name] = account
        rule = profile.modes[VenueMode.ONLINE]
        self.pairs: dict[str, Pair] = {
            spec.symbol: Pair(index, spec, self.assets, options.volume_rates.get(spec.quote, Decimal(1)), rule)
            for index, spec in enumerate(specs)
        }
        reporter = Reporter(profile.errors)
        self.outbox: list[Outbound] = reporter.outbox
        self._kernel = kernel
        self._timers = Timers(self._is_timer_live)
        self.timer_queue = self._timers.queue
        self._lifecycle = Lifecycle(kernel, self.assets, reporter)
        matching = Matching(kernel, self._lifecycle)
        triggers = Triggers(kernel, self._lifecycle)
        self._entry = Entry(
            kernel,
            self.assets,
            self._lifecycle,
            matching,
            triggers,
            reporter,
            self._timers,
            is_sell_fee_in_base=profile.is_sell_fee_in_base,
        )
        self._reporter = reporter
        self._parts = Parts(
            profile,
            kernel,
            self.accounts,
            self.pairs,
            reporter,
            self._lifecycle,
            matching,
            triggers,
            self._entry,
            self._timers,
        )
        self.margin: Margin | None = None
        if profile.margin is not None:
            self.margin = Margin(
                profile.margin,
                profile.fee_volume_currency,
                kernel,
                self.assets,
                list(self.pairs.values()),
                list(self.accounts.values()),
                self._lifecycle,
                matching,
                self._entry,
                self._timers,
                reporter,
            )
        self._margin_due: Mapping[str, object] = {} if self.margin is None else self.margin.due
        self._fills_with_secondary = self._lifecycle.fills_with_secondary
        self._secondaries = Secondaries(self._entry, self._lifecycle, reporter)
        self._modes = Modes(self._parts)
        self._cancels = Cancels(self._parts)
        self._gateway = Gateway(self._parts, self._cancels)
        self._queries = Queries(self._parts)
        self._deferred: list[tuple[TimerKind, Any]] = []
        self.gate: Callable[[str, Command, int], RejectReason | None] | None = None
        self._observer: VenueObserver | None = None
        self._handlers = self._wire_handlers()

    def _wire_handlers(self) -> dict[type[Command], tuple[_Handler, str]]:
        """For each command its handler and the name of its cost on the call counter ("" if a handler charges it)."""
        adds = Adds(self._parts)
        amends = Amends(self._parts, adds)
        cancels = self._cancels
        return {
            AddOrder: (adds.add, "trading"),
            AddBatch: (adds.add_batch, "trading_other"),
            AmendOrder: (amends.amend, "trading_other"),
            EditOrder: (amends.edit, "trading_other"),
            CancelOrder: (cancels.cancel, "trading"),
            CancelBatch: (cancels.cancel_batch, "trading_other"),
            CancelAll: (cancels.cancel_all, "trading_other"),
            MassCancel: (cancels.mass_cancel, "trading_other"),
            CancelAllAfter: (cancels.cancel_all_after, "trading_other"),
            QueryOrders: (self._queries.query, ""),
            Logon: (self._gateway.logon, ""),
            Logout: (self._gateway.logout, ""),
        }

    @property
    def observer(self) -> VenueObserver | None:
        """Who watches the venue from inside; None for nobody."""
        return self._observer

    @observer.setter
    def observer(self, observer: VenueObserver | None) -> None:
        self._observer = observer
        self._lifecycle.observer = observer
        if self.margin is not None:
            self.margin.lending.observer = observer

    def keep_unheard(self, keeper: Callable[[str, str, Report], None]) -> None:
        """Have reports of sessions whose line is down told as they are made: account, comp id, report.

        For who numbers and keeps such reports himself; he lets a resumed session replay nothing
        (``Logon.next_expected_seq``).
        """
        self._reporter.unheard = lambda session, report: keeper(session.account.name, session.comp_key, report)

    # ------------------------------------------------------------------------------------------------- lines

    def connect(
        self,
        session_id: str,
        account: str,
        protocol_label: str,
        now_ns: int,
        comp_id: str | None = None,
        *,
        is_news_subscribed: bool = False,
    ) -> Line:
        """Open a line.

        session_id: its name, by which it is meant from now on. comp_id: whose sessions are continued over it; the
        line's own name if None. is_news_subscribed: subscribe to news at once, without a snapshot.
        Protocols with sessions then need a Logon; the others take commands at once. Raises ConfigError for an unknown
        account or protocol and for a line that is up already.
        """
        if account not in self.accounts:
            raise ConfigError(f"no account {account!r}; the venue has {', '.join(self.accounts)}")
        line = self._gateway.connect(session_id, self.accounts[account], protocol_label, comp_id, now_ns)
        if is_news_subscribed:
            self._gateway.subscribe(line)
        return line

    def forget_line(self, line: Line) -> None:
        """Know no more of a line that is down, once nothing more can come of it."""
        lines = self._gateway.lines
        if lines.get(line.session_id) is line and not line.is_up:
            del lines[line.session_id]

    def subscribe_news(self, session_id: str, now_ns: int) -> None:
        """Have a line hear of all orders of its account, from a snapshot on; raises ConfigError where it cannot."""
        line = self._line(session_id)
        self._gateway.subscribe(line)
        if line.profile.capabilities.has_snapshot:
            self._queries.snapshot(line, now_ns)

    def drop_line(self, session_id: str, now_ns: int) -> None:
        """The line is gone, without logout; nothing happens if it is down already."""
        line = self._line(session_id)
        if line.is_up:
            self._gateway.drop(line, now_ns)

    def is_up(self, session_id: str) -> bool:
        """Whether a line is up at the venue's end."""
        line = self._gateway.lines.get(session_id)
        return line is not None and line.is_up

    def _line(self, session_id: str) -> Line:
        line = self._gateway.lines.get(session_id)
        if line is None:
            raise ConfigError(f"no line {session_id!r}; connect it first")
        return line

    # ------------------------------------------------------------------------------------------------- commands

    def handle(self, session_id: str, command: Command, now_ns: int) -> None:
        """A command has arrived. Whatever it asks for is answered, or refused in the venue's words; nothing is raised
        for what a client may do.

        A command that arrives on a line that is down is lost where the protocol has sessions; elsewhere it was on its
        way already and is carried out, and nobody hears the answer.
        """
        line = self._line(session_id)
        if not line.is_up and line.profile.has_session:
            return
        parts = self._parts
        parts.forget_charge()
        handler, call = self._handlers[type(command)]
        reason = self._gate_refusal(line, command, call, now_ns)
        if reason is None:
            reason = handler(line, command, now_ns)
        if reason is not None:
            self._reporter.reject(line, command.request_id, reason, now_ns)
        observer = self._observer
        if observer is not None:
            counter = parts.charged
            if counter is None:
                observer.on_command(session_id, command, now_ns, None, None)
            else:
                observer.on_command(session_id, command, now_ns, counter.value, counter.threshold)
            if reason is not None:
                observer.on_refused(session_id, command, now_ns, reason)
        if self._fills_with_secondary or self._margin_due:
            self._follow_up(now_ns)

    def _gate_refusal(self, line: Line, command: Command, call: str, now_ns: int) -> RejectReason | None:
        """What is checked before any handler: the session, the deadline, the call counter.

        What is refused here has not reached the engine and is not charged to its counter (assumption for deadlines).
        A deadline is held against the time of arrival. How far ahead it lay when it was sent is not known here: only
        the upper limit is checked, and a protocol's default deadline is for the sender to state.
        """
        if line.session is None and type(command) is not Logon:
            return RejectReason.NO_SESSION
        deadline_ns = command.deadline_ns
        profile = line.profile
        if deadline_ns is not None:
            latest_ns = profile.capabilities.deadline_max_ns
            if latest_ns and deadline_ns - now_ns > latest_ns:
                return RejectReason.INVALID_DEADLINE
            if now_ns > deadline_ns:
                return RejectReason.DEADLINE
        costs = profile.call_costs
        if costs is not None and call and getattr(costs, call):
            if not self._queries.charge_call(line.account, line, costs, call, now_ns):
                return RejectReason.CALL_LIMIT
        return None if self.gate is None else self.gate(line.session_id, command, now_ns)

    # ------------------------------------------------------------------------------------------------- time

    def on_kernel_stop(self, now_ns: int) -> None:
        """Read what the kernel's last stop brought: fills of own resting orders, and triggers, in its order."""
        kernel = self._kernel
        lifecycle = self._lifecycle
        canceled: list[int] | None = None
        for slot, price_ticks, qty_lots, ts_ns, _ in kernel.fills():
            order = lifecycle.by_slot.get(slot)
            if order is None and canceled is not None and slot in canceled:
                continue
            if order is None:
                raise SimulationError(f"the kernel filled slot {slot}, which is no order's")
            if order.cum_lots + qty_lots == order.qty_lots:
                lifecycle.forget_slot(order)
            if order.is_reduce_only:
                self._fill_reducing(order, price_ticks, qty_lots, ts_ns)
                canceled = [*(canceled or ()), slot]
            else:
                lifecycle.fill(order, price_ticks, qty_lots, True, ts_ns)
        for watch in kernel.fired():
            order = lifecycle.by_watch.get(watch)
            if order is None:
                raise SimulationError(f"the kernel fired trigger {watch}, which is no order's")
            trigger_ticks = kernel.trigger_ticks(watch)
            lifecycle.unrest(order)
            self._entry.fire(order, trigger_ticks, now_ns)
        if self._fills_with_secondary or self._margin_due:
            self._follow_up(now_ns)

    def _fill_reducing(self, order: Order, price_ticks: int, qty_lots: int, ts_ns: int) -> None:
        """The kernel filled an order that may only reduce a position, maybe after others of the same instant did."""
        assert self.margin is not None
        lots = min(qty_lots, self.margin.lending.closable_lots(order))
        if lots:
            self._lifecycle.fill(order, price_ticks, lots, True, ts_ns)
        if lots < qty_lots:
            self._lifecycle.end(order, OrderState.CANCELED, RejectReason.REDUCE_ONLY_CLOSED, ts_ns)

    def _follow_up(self, now_ns: int) -> None:
        """Do what fills bring: orders that they make, and what they do to accounts with margin."""
        while self._fills_with_secondary or self._margin_due:
            if self._fills_with_secondary:
                self._secondaries.make(now_ns)
            if self.margin is not None and self._margin_due:
                self.margin.look(now_ns)

    def next_timer_ns(self) -> int | None:
        """When the venue next has something to do of its own accord; None if never."""
        return self._timers.next_ns()

    def on_timer(self, now_ns: int) -> None:
        """Do everything that is due by now, in order of time.

        While the engine stands still (a mode that takes no cancels), orders neither start nor expire and the dead man's
        switch waits; all that is made up for when it comes back (rest-api/cancel-all-orders-after).
        """
        while (due := self._timers.pop_due(now_ns)) is not None:
            due_ns, kind, subject = due
            if kind is TimerKind.ROLLOVER:
                self._gateway.roll_over_daily(subject, due_ns)
            elif self._modes.is_standing:
                self._deferred.append((kind, subject))
            else:
                self._act(kind, subject, now_ns)
        if self._fills_with_secondary or self._margin_due:
            self._follow_up(now_ns)

    def _act(self, kind: TimerKind, subject: Any, now_ns: int) -> None:
        if kind is TimerKind.START:
            self._entry.start(subject, now_ns)
        elif kind is TimerKind.EXPIRE:
            self._lifecycle.end(subject, OrderState.EXPIRED, RejectReason.EXPIRED, now_ns)
        elif kind is TimerKind.CANCEL_AFTER:
            self._cancels.cancel_after_expired(subject, now_ns)
        elif self.margin is not None:
            self.margin.act(kind, subject, now_ns)

    def _is_timer_live(self, due_ns: int, kind: TimerKind, subject: Any) -> bool:
        if kind is TimerKind.ROLLOVER:
            return True
        if kind is TimerKind.CANCEL_AFTER:
            return bool(subject.cancel_after_ns == due_ns)
        if kind in _MARGIN_TIMERS:
            return Margin.is_live(due_ns, kind, subject)
        return bool(subject.is_open)

    def set_mode(self, mode: VenueMode, symbol: str | None, now_ns: int) -> None:
        """Set the mode of a pair or (None) of the whole venue, and tell every line."""
        lines = [line for line in self._gateway.lines.values() if line.is_up]
        self._modes.set(mode, symbol, lines, now_ns)
        if not self._modes.is_standing:
            deferred, self._deferred = self._deferred, []
            for kind, subject in deferred:
                if self._is_deferred_live(kind, subject):
                    self._act(kind, subject, now_ns)
        self._modes.apply(now_ns)
        if self._fills_with_secondary or self._margin_due:
            self._follow_up(now_ns)

    def set_unheard(self, symbol: str, is_unheard: bool, now_ns: int) -> None:
        """What the market of a pair does is not known, or known again, as the data of a live market has gaps.

        Meanwhile nobody can say what an order would meet: new orders and changes are refused, cancels are not, and
        orders that rest keep their places. Raises ConfigError for an unknown pair.
        """
        lines = [line for line in self._gateway.lines.values() if line.is_up]
        self._modes.set_unheard(symbol, is_unheard, lines, now_ns)

    def roll_over(self, protocol_label: str, now_ns: int) -> int:
        """Have a protocol's daily rollover happen now, beside the one that is due; returns until when nobody can log
        on. Raises ConfigError for a protocol that has none.
        """
        rolling = [label for label, each in self.profile.protocols.items() if each.rollover_utc_s is not None]
        for label in rolling:
            if label == protocol_label:
                return self._gateway.roll_over(label, now_ns)
        raise ConfigError(f"{protocol_label} has no rollover; {', '.join(rolling) or 'no protocol'} has")

    def resting_orders(self) -> list[Order]:
        """The orders that rest in the book, each with its ``slot`` in the kernel, in the order in which they joined."""
        return list(self._lifecycle.by_slot.values())

    def resting_order(self, slot: int) -> Order:
        """The order in a slot of the kernel; raises KeyError for one that is no order's."""
        return self._lifecycle.by_slot[slot]

    def _is_deferred_live(self, kind: TimerKind, subject: Any) -> bool:
        if kind is TimerKind.CANCEL_AFTER:
            return subject.cancel_after_ns is not None
        return kind in _MARGIN_TIMERS or bool(subject.is_open)

    # ------------------------------------------------------------------------------------------------- audit

    def check_invariants(self, *, is_whole: bool = True) -> None:
        """Raise SimulationError if money, holds, order states or the book do not add up. Reads every order and trade of
        the run, so it is for tests; not is_whole: every open order only.
        """
        audit(self.accounts.values(), self.pairs.values(), self.assets, self._lifecycle, is_whole=is_whole)
