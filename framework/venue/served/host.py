"""The host of a served venue: the venue, its market and its lines, living in time.

Whoever runs it moves it on (``run_until``) to the present before it hands in what a client sent. At one instant the
order is the one of a backtest: rows of the market that are due, then what the venue has scheduled, then messages in the
order in which they were sent. So the same commands at the same times give the same fills, served or not.

What travels between a client and the engine takes the paths of its protocol (``Road``): a command arrives after the
path of commands, an answer leaves after the path of answers. Without latency both happen within the call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from framework.data.columns import TRADE, Market
from framework.errors import ConfigError
from framework.messages import AmendOrder, Command, ExecutionReport, Report
from framework.protocol import BUY, SELL, Ordering, RejectReason, VenueMode, VenueProfile
from framework.venue.account import AccountConfig
from framework.venue.exchange import Venue
from framework.venue.kernel import FeedMode, MatchingKernel, StopReason
from framework.venue.latency import CompiledLatency
from framework.venue.margin.lending import Movement
from framework.venue.orders import MARKET_TYPES
from framework.venue.path import Path
from framework.venue.rates import call_charge, call_counter
from framework.venue.scheduler import NEVER_NS, Scheduler
from framework.venue.served.book import PublicBook
from framework.venue.served.lines import HostLine, Link, RoadSpec
from framework.venue.served.market import EndlessMarket, market_from
from framework.venue.served.records import Records
from framework.venue.served.tape import TradeTape
from framework.venue.served.watch import Watch

__all__ = ["HostLine", "RoadSpec", "VenueHost"]

T = TypeVar("T")

_FORGET_EVERY = 4096


class VenueHost:
    """A living venue.

    mode: of the venue as a whole. books, tapes: by symbol. records: the accounts' past. scheduler: calls at times; its
    ``now_ns`` is the present.
    """

    def __init__(
        self,
        profile: VenueProfile,
        markets: Sequence[Market],
        accounts: Sequence[AccountConfig],
        start_ns: int,
        *,
        roads: Mapping[str, RoadSpec] | None = None,
        seed: int = 0,
        switches: Mapping[str, str] | None = None,
        history_max: int = 50_000,
    ) -> None:
        """start_ns: the present, where the markets' first rows are put. history_max: so much of each account's past is
        kept (``Records``). Raises ConfigError and DataError as Venue and MatchingKernel do.
        """
        self.markets = [market_from(market, start_ns) for market in markets]
        self.kernel = MatchingKernel(self.markets)
        specs = [market.spec for market in self.markets]
        self.venue = Venue(profile, self.kernel, specs, accounts, switches)
        self.venue.observer = Watch(self)
        self.profile = self.venue.profile
        self.specs = {spec.symbol: spec for spec in specs}
        self.history_max = history_max
        self.records = Records(self.venue, history_max)
        self.tapes = {symbol: TradeTape() for symbol in self.specs}
        self.scheduler = Scheduler(start_ns)
        self._endless = EndlessMarket(self.kernel, self.markets)
        self.books = {
            symbol: PublicBook(self.kernel, pair, self.venue.resting_order, self._endless.pass_counts)
            for symbol, pair in self.venue.pairs.items()
        }
        self._symbols = list(self.specs)
        self._roads = dict(roads or {})
        self._seed = seed
        self._links: dict[str, Link] = {}
        self._feed_paths: dict[str, Path] = {}
        self._line_count = 0
        self._request_count = 0
        self._commands_seen = 0
        self._is_played = False
        self._dirty: set[str] = set()
        self._unheard: list[tuple[str, str, Report]] = []
        self._keeper: Callable[[str, str, Report], None] | None = None
        self.mode = VenueMode.ONLINE
        self._pair_modes: dict[str, VenueMode] = {}
        self._mode_listeners: list[Callable[[str | None], None]] = []
        self._rollover_listeners: list[Callable[[str, int], None]] = []
        for market in self.markets:
            span_ns = int(market.columns.ts_event_ns[-1]) - start_ns
            self.tapes[market.spec.symbol].fill_from(market, -span_ns - 1_000_000_000)
        self.run_until(start_ns)

    # ------------------------------------------------------------------------------------------------- time

    @property
    def now_ns(self) -> int:
        """The present, nanoseconds since the epoch."""
        return self.scheduler.now_ns

    def call_at(self, ts_ns: int, callback: Callable[..., None], *args: Any) -> None:
        """Call back at a time, or at once if it is past."""
        self.scheduler.at(ts_ns, callback, *args)

    def next_due_ns(self) -> int:
        """When something other than the market next happens; ``NEVER_NS`` if nothing will."""
        venue_ns = self.venue.next_timer_ns()
        return min(self.scheduler.next_ns(), NEVER_NS if venue_ns is None else venue_ns)

    def run_until(self, now_ns: int) -> None:
        """Let time pass up to an instant, that instant included."""
        venue, scheduler = self.venue, self.scheduler
        while True:
            timer_ns = venue.next_timer_ns()
            due_ns = min(scheduler.next_ns(), self._endless.next_seam_ns())
            if timer_ns is not None and timer_ns < due_ns:
                due_ns = timer_ns
            if self._play(min(due_ns, now_ns)):
                if due_ns > min(self.next_due_ns(), self._endless.next_seam_ns()):
                    continue  # what the market did has brought something that comes first
                timer_ns = venue.next_timer_ns()
            if due_ns > now_ns:
                break
            scheduler.now_ns = max(scheduler.now_ns, due_ns)
            for index in self._endless.pass_seams(due_ns):
                self._dirty.add(self._symbols[index])
            if timer_ns == due_ns:
                self._on_timer(due_ns)
            elif scheduler.next_ns() == due_ns:
                scheduler.run_next()
        scheduler.now_ns = max(scheduler.now_ns, now_ns)
        self.settle()

    def _play(self, until_ns: int) -> bool:
        """Apply the market's rows up to an instant, that instant included; whether they stopped for something."""
        kernel, scheduler = self.kernel, self.scheduler
        if until_ns <= kernel.now_ns and self._is_played:
            return False
        self._is_played = has_stopped = False
        while True:
            reason = kernel.advance(max(until_ns, kernel.now_ns))
            scheduler.now_ns = max(scheduler.now_ns, min(kernel.now_ns, until_ns))
            if reason is StopReason.FEED:
                self._on_feed()
            elif reason in (StopReason.FILL, StopReason.TRIGGER):
                self._on_stop()
            else:
                self._is_played = True
                return has_stopped
            has_stopped = True
            if self.next_due_ns() < until_ns:
                return True  # it comes before the rows that are left

    def _on_timer(self, due_ns: int) -> None:
        """The venue does something of its own accord."""
        self.venue.on_timer(due_ns)
        self.settle()

    def _on_stop(self) -> None:
        """Own orders were filled or triggered by the market."""
        for fill in self.kernel.fills():
            order = self.venue.resting_order(fill.slot)
            symbol = order.pair.symbol
            if self.markets[order.pair.index].columns.kind[fill.row] != TRADE:
                taker = SELL if order.side == BUY else BUY
                self.tapes[symbol].add(fill.ts_ns, fill.price_ticks, fill.qty_lots, taker)
        self.venue.on_kernel_stop(self.kernel.now_ns)
        self.settle()

    def _on_feed(self) -> None:
        index, modes = self.kernel.feed_stop_bits
        symbol = self._symbols[index]
        if modes & FeedMode.TRADES:
            columns = self.markets[index].columns
            for row in self.kernel.books[index].trade_rows().tolist():
                self.tapes[symbol].add(
                    int(columns.ts_event_ns[row]),
                    int(columns.price_ticks[row]),
                    int(columns.qty_lots[row]),
                    int(columns.side[row]),
                )
        self._dirty.add(symbol)
        self.settle()

    def order_changed(self, order_id: str) -> None:
        """What a client has in the book has changed."""
        order = self.records.find(order_id)
        symbol = order.pair.symbol
        self.books[symbol].order_changed(order)
        self._dirty.add(symbol)

    def filled(self, report: ExecutionReport) -> None:
        """The venue has filled a client's order."""
        self.records.on_fill(report)
        self.order_changed(report.order_id)
        if not report.is_maker:
            is_market = report.order_type in MARKET_TYPES
            self.tapes[report.symbol].add(
                report.ts_venue_ns, report.last_ticks, report.last_lots, report.side, is_market=is_market
            )

    def moved(self, movement: Movement) -> None:
        """Margin trading has moved a balance."""
        self.records.on_movement(movement)

    def keep_unheard(self, keeper: Callable[[str, str, Report], None]) -> None:
        """As ``Venue.keep_unheard``, but the keeper is told with all others, when the accounts' past knows of it."""
        self.venue.keep_unheard(lambda *told: self._unheard.append(told))
        self._keeper = keeper

    def settle(self) -> None:
        """Send what the venue has made, and publish what has changed."""
        if self._unheard:
            keeper, unheard, self._unheard = self._keeper, self._unheard, []
            assert keeper is not None
            for told in unheard:
                keeper(*told)
        outbox = self.venue.outbox
        if outbox:
            sent = outbox[:]
            outbox.clear()
            for outbound in sent:
                link = self._links.get(outbound.session_id)
                if link is not None:
                    self._carry(link, outbound.report, outbound.is_response)
        if self._dirty:
            dirty, self._dirty = self._dirty, set()
            for symbol in sorted(dirty):
                self.books[symbol].publish(self.now_ns)

    # ------------------------------------------------------------------------------------------------- lines

    def open_line(self, line: HostLine, *, is_news_subscribed: bool = False) -> None:
        """A client is there. Raises ConfigError for an unknown account or protocol, or a line id that is in use."""
        if line.line_id in self._links:
            raise ConfigError(f"line {line.line_id!r} is up already; drop it first")
        road = self._roads.get(line.label, RoadSpec())
        self._line_count += 1
        link = self._links[line.line_id] = Link(line, *self._paths(line, road))
        try:
            link.at_venue = self.venue.connect(
                line.line_id, line.account, line.label, self.now_ns, line.comp_id, is_news_subscribed=is_news_subscribed
            )
        except ConfigError:
            del self._links[line.line_id]
            raise
        self.settle()

    def drop_line(self, line_id: str) -> None:
        """A client is gone; what is on the way to it is lost, what is on the way from it is not."""
        link = self._links.get(line_id)
        if link is not None:
            self.venue.drop_line(line_id, self.now_ns)
            self.settle()
            del self._links[line_id]
            if not link.underway:
                self._let_go(link)

    def _let_go(self, link: Link) -> None:
        """A line is down, and nothing of it is on its way to the engine any more."""
        if link.at_venue is not None:
            self.venue.forget_line(link.at_venue)

    def subscribe_news(self, line_id: str) -> None:
        """Have a line hear of all orders of its account, from a snapshot on."""
        self.venue.subscribe_news(line_id, self.now_ns)
        self.settle()

    def lines(self) -> list[HostLine]:
        """The lines that are up."""
        return [link.line for link in self._links.values()]

    def next_request_id(self) -> int:
        """A number for a command."""
        self._request_count += 1
        return self._request_count

    def submit(self, line_id: str, command: Command) -> None:
        """A command of a client leaves on the path to the engine."""
        link = self._links[line_id]
        if link.command is None:
            self._handle(line_id, command)
        else:
            self._send(link, link.command, self._handle, line_id, command)

    def submit_made(
        self, line_id: str, make: Callable[[], Command | tuple[Command, ...] | T], answer: Callable[[T], None]
    ) -> None:
        """A request of a client leaves, of which the engine makes a command, or several, when it arrives: of its orders
        and prices then. What ``make`` gives instead of commands comes back as an answer.
        """
        link = self._links[line_id]
        if link.command is None:
            self._make(link, make, answer)
        else:
            self._send(link, link.command, self._make, link, make, answer)

    def _send(self, link: Link, path: Path, carry_out: Callable[..., None], *args: Any) -> None:
        """Have something that a client sent carried out when it arrives, whether its line is up by then or not."""
        link.underway += 1
        self.scheduler.at(path.send(self.now_ns), self._arrived, link, carry_out, args)

    def _arrived(self, link: Link, carry_out: Callable[..., None], args: tuple[Any, ...]) -> None:
        link.underway -= 1
        carry_out(*args)
        if not link.underway and self._links.get(link.line.line_id) is not link:
            self._let_go(link)

    def ask(self, line_id: str, question: Callable[[], T], answer: Callable[[T], None]) -> None:
        """A question that is no command takes the same paths: it is put at the engine, and its answer comes back."""
        link = self._links[line_id]
        if link.command is None and link.response is None:
            answer(question())
            return
        arrival_ns = self.now_ns if link.command is None else link.command.send(self.now_ns)
        self.scheduler.at(arrival_ns, self._put, link, question, answer)

    def charge_call(self, line_id: str, call: str) -> bool:
        """Charge a call to the line's call counter; False if it is refused. Calls that cost nothing pass.

        The first line of an account and protocol has the account's own counter, which commands are charged to too where
        they cost calls; each further one has a fresh counter of the same rule.
        """
        link = self._links[line_id]
        label, account = link.line.label, self.venue.accounts[link.line.account]
        costs = next(protocol.call_costs for name, protocol in self.profile.protocols.items() if str(name) == label)
        if costs is None or not getattr(costs, call):
            return True
        if link.calls is None:
            own = next(counter for name, counter in account.call_counters.items() if str(name) == label)
            is_taken = any(each.calls is own for each in self._links.values())
            link.calls = call_counter(account.tier, costs) if is_taken else own
        return link.calls.admit(self.now_ns, call_charge(costs, call))

    def deliver_feed(self, label: str, callback: Callable[..., None], *args: Any) -> None:
        """Market data leaves on its path to the clients of a protocol."""
        road = self._roads.get(label)
        if road is None or road.feed is None:
            callback(*args)
            return
        path = self._feed_paths.get(label)
        if path is None:
            path = self._feed_paths[label] = self._make_path(f"latency.{label}.feed", road.feed, Ordering.FIFO, 1)
        self.scheduler.at(path.send(self.now_ns), callback, *args)

    def adjust_balance(self, account: str, asset: str, amount: Decimal, kind: str, ref_id: str) -> None:
        """Money comes to an account from outside, or goes; it is in its ledger then.

        kind: of the ledger entry. ref_id: of the movement. Raises ValueError as ``Records.move`` does.
        """
        self.records.move(account, asset, amount, kind, ref_id, self.now_ns)

    def set_mode(self, mode: VenueMode, symbol: str | None) -> None:
        """Set the engine's mode, of one pair or (None) of the whole venue."""
        self.venue.set_mode(mode, symbol, self.now_ns)
        if symbol is None:
            self.mode = mode
        else:
            self._pair_modes[symbol] = mode
        self.settle()
        for callback in tuple(self._mode_listeners):
            callback(symbol)

    def listen_mode(self, callback: Callable[[str | None], None]) -> None:
        """Have each change of mode told, with its pair, None for the whole venue; lines hear of it by reports too."""
        self._mode_listeners.append(callback)

    def roll_over(self, label: str) -> int:
        """Have a protocol's daily rollover happen now; returns until when nobody can log on. Raises ConfigError for a
        protocol that has none.
        """
        end_ns = self.venue.roll_over(label, self.now_ns)
        self.settle()
        for callback in tuple(self._rollover_listeners):
            callback(label, end_ns)
        return end_ns

    def listen_rollover(self, callback: Callable[[str, int], None]) -> None:
        """Have each ``roll_over`` told, with the protocol and until when nobody can log on."""
        self._rollover_listeners.append(callback)

    @property
    def modes(self) -> dict[str | None, VenueMode]:
        """The modes that were set, of the venue (None) and of pairs."""
        return {None: self.mode} | dict(self._pair_modes.items())

    def mode_of(self, symbol: str) -> VenueMode:
        """The mode that a pair is in: its own, or the venue's where that is stricter than online."""
        return self.mode if self.mode is not VenueMode.ONLINE else self._pair_modes.get(symbol, VenueMode.ONLINE)

    def refusal_text(self, reason: RejectReason) -> str:
        """The venue's own words for a refusal."""
        return self.profile.errors[reason]

    # ------------------------------------------------------------------------------------------------- roads

    def _make(self, link: Link, make: Callable[[], Any], answer: Callable[[Any], None]) -> None:
        made = make()
        if isinstance(made, Command):
            self._handle(link.line.line_id, made)
        elif isinstance(made, tuple):
            for command in made:
                self._handle(link.line.line_id, command)
        else:
            self._reply(link, answer, made)

    def _handle(self, line_id: str, command: Command) -> None:
        if type(command) is AmendOrder:
            self._amend(line_id, command)
        else:
            self.venue.handle(line_id, command, self.now_ns)
        self._commands_seen += 1
        if self._commands_seen % _FORGET_EVERY == 0:
            self.records.forget_orders()
        self.settle()

    def _amend(self, line_id: str, command: AmendOrder) -> None:
        """An amend, whose effect is taken down."""
        link = self._links.get(line_id)
        account = None if link is None else self.venue.accounts[link.line.account]
        order = None if account is None else account.find(command.order_id, command.cl_ord_id)
        amendments = self.records.amendments
        so_far = [] if order is None else amendments.before(order)
        self.venue.handle(line_id, command, self.now_ns)
        if order is not None:
            amendments.after(order, so_far, command.request_id, self.now_ns, is_post_only=command.is_post_only)

    def _put(self, link: Link, question: Callable[[], Any], answer: Callable[[Any], None]) -> None:
        self._reply(link, answer, question())

    def _reply(self, link: Link, answer: Callable[[Any], None], result: Any) -> None:
        if link.response is None:
            self._answer(link, answer, result)
        else:
            self.scheduler.at(link.response.send(self.now_ns), self._answer, link, answer, result)

    def _answer(self, link: Link, answer: Callable[[Any], None], result: Any) -> None:
        if self._links.get(link.line.line_id) is link:
            answer(result)

    def _carry(self, link: Link, report: Report, is_response: bool) -> None:
        path = link.response if is_response else link.news
        if path is None:
            link.line.on_report(report, is_response)
        else:
            self.scheduler.at(path.send(self.now_ns), self._arrive, link, report, is_response)

    def _arrive(self, link: Link, report: Report, is_response: bool) -> None:
        # Who has sessions keeps what comes too late, for when its client is back.
        if self._links.get(link.line.line_id) is link or link.line.comp_id is not None:
            link.line.on_report(report, is_response)

    def _paths(self, line: HostLine, road: RoadSpec) -> tuple[Path | None, Path | None, Path | None]:
        """The paths of a line's commands, responses and news. Where messages overtake, news may have a path of its own
        on which they do not, as the profile says.
        """
        protocol = next(protocol for label, protocol in self.profile.protocols.items() if str(label) == line.label)

        def path(kind: str, table: CompiledLatency | None, ordering: Ordering) -> Path | None:
            if table is None:
                return None
            name = f"latency.{line.label}.{kind}.{self._line_count}"
            return self._make_path(
                name, table, ordering if road.is_reordered else Ordering.FIFO, protocol.balanced_paths
            )

        command = path("command", road.command, protocol.ordering_command)
        response = path("response", road.response, protocol.ordering_response)
        if protocol.is_one_stream or not road.is_reordered:
            return command, response, response
        return command, response, path("news", road.response, protocol.ordering_news)

    def _make_path(self, name: str, table: CompiledLatency, ordering: Ordering, balanced_paths: int) -> Path:
        return Path(ordering=ordering, balanced_paths=balanced_paths, seed=self._seed, name=name, table=table)
