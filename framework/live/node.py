"""A live run: one strategy on live links, in the event loop that they live in.

It is the trader of a backtest on other links: what it sends leaves within the strategy's call, what comes is told
within the call that brings it. What a run before has left open is dealt with before the strategy starts.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from framework.adapter import LiveVenue
from framework.backtest.feeds import RunDataClient
from framework.backtest.history import spec_identity
from framework.backtest.loading import check_tier, resolve_road
from framework.backtest.run_writer import RunTables, run_inputs, session_table, write_run
from framework.backtest.strategy_file import load_strategy, raise_as_strategy_error
from framework.data.recorder import RecordedInstrument
from framework.errors import ConfigError, JournalError, TidegateError
from framework.execution.orders import Knowledge
from framework.execution.standstill import Proof, Scope, Standstill
from framework.live.adoption import Adoption
from framework.live.balances import Balances
from framework.live.clock import LiveClock
from framework.live.closing import AtEnd, Closing
from framework.live.config import LeftOpen, LiveConfig
from framework.live.feeds import LiveFeeds
from framework.live.journal import IntentJournal, JournaledDesk
from framework.live.observer import Observer
from framework.live.recorder import LiveRecorder
from framework.live.records import Held
from framework.live.recovery import Recovery
from framework.live.taking_over import Inquiry, take_over
from framework.live.tape import MarketTape
from framework.messages import ExecutionReport, Report
from framework.protocol import VenueProfile
from framework.strategy import Strategy
from framework.trader.clock import run_due
from framework.trader.trader import Trader
from framework.venue.scheduler import NEVER_NS

__all__ = ["LiveNode"]

_NS = 1_000_000_000
_MS = 1_000_000
_FORGET_NS = 60 * 10**9
_SAMPLE_NS = _NS
_READY_MS = 20
_HORIZONS_S = (1, 10, 60)


class LiveNode:
    """One live run.

    venue: its links have the names of the road's. recovery: what a run before has left, by its journal. say: is given
    what an operator should know. tape: folder in which the market is written down; None for not at all. done: set when
    the run is over.
    """

    def __init__(
        self,
        config: LiveConfig,
        profile: VenueProfile,
        venue: LiveVenue,
        clock: LiveClock,
        journal: IntentJournal,
        recovery: Recovery,
        balances: Mapping[str, Decimal],
        say: Callable[[str], None],
        *,
        strategy: Strategy | None = None,
        observer: Observer | None = None,
        tape: Path | None = None,
    ) -> None:
        """balances: what the account has. observer: watches the run. Raises ConfigError for what the venue or its
        profile does not have.
        """
        self._observer = observer = Observer() if observer is None else observer
        self.config = config
        self.done = asyncio.Event()
        self.failure: Exception | None = None
        self._venue = venue
        self._clock = clock
        self._say = say
        self._profile = profile
        check_tier(profile, config.venue.tier)
        self.road, policy = resolve_road(profile, config.road)
        policy = replace(policy, check_interval_ms=1_000 * config.live.orders_s or None)
        known = venue.instruments
        for symbol in config.live.symbols:
            if symbol not in known:
                raise ConfigError(
                    f"[live] symbols: {symbol!r} is not an instrument of the venue, which has {len(known)}"
                )
        specs = [known[symbol] for symbol in config.live.symbols]
        self.strategy = strategy if strategy is not None else load_strategy(config.strategy)
        self.recorder = LiveRecorder()
        self.trader = trader = Trader(profile, specs, self.strategy, clock)
        nautilus = trader.nautilus
        self.feeds = LiveFeeds(venue.market, trader.bridges(), nautilus.data_engine, clock, say)
        links = venue.links
        self._journal = JournaledDesk(journal, self.recorder, lambda: clock.now_ns, lambda name: links[name].session_id)
        desk_tee = observer.desk(self._journal)
        trader.connect(
            links,
            policy,
            config.venue.tier,
            dict.fromkeys((asset for spec in specs for asset in (spec.base, spec.quote)), Decimal(0)) | dict(balances),
            self.feeds,
            RunDataClient(
                trader.venue_name, trader.bridge_by_id, self.feeds, nautilus.msgbus, nautilus.cache, nautilus.clock
            ),
            desk_tee,
            config.limits,
            desk_tee.listen,
        )
        self._journal.attend(trader.desk)
        for link in links.values():
            link.attach(self._on_report, self._on_closed)
        self._tape: MarketTape | None = None
        if tape is not None:
            instruments = [RecordedInstrument(spec=spec, depth="L2") for spec in specs]
            self._tape = MarketTape(tape, instruments, self.feeds, clock.now_ns, say)
        venue.market.attach(observer.market(self.feeds if self._tape is None else self._tape))
        observer.attend(trader, lambda: clock.now_ns)
        self._clocks = tuple(trader.clocks)
        clock.on_enter, clock.on_leave, clock.on_error = self._on_enter, self._on_leave, self._on_error
        self.closing = Closing(trader, config.live.at_end, config.live.patience_s)
        self._recovery = recovery
        self._file = journal
        self._first_balances = balances
        self._balances = Balances(
            venue.ask_balances,
            clock,
            trader.client,
            lambda: self.recorder.fill_count,
            lambda: trader.desk.is_settled,
            self._note_balances,
            say,
            config.live.balances_s,
        )
        self._adoption = Adoption(trader, recovery) if config.live.left_open is LeftOpen.ADOPT else None
        self._is_closing = False
        self._is_started = False
        self._timer: Any = None
        self._timer_ns = NEVER_NS
        self._first_ns = self._last_ns = clock.now_ns
        self._started_ns: int | None = None
        self._closing_ns: int | None = None

    # ------------------------------------------------------------------------------------------------- life

    def begin(self) -> None:
        """Open the links and the market; the strategy starts when all is there and nothing is left of before."""
        self._clock.enter(self._begin)

    def close(self, reason: str) -> None:
        """End the run as configured; ``done`` once it is. reason: in words."""
        self._clock.enter(self._close, reason)

    def give_up(self) -> None:
        """Be over now, whatever is left."""
        self._clock.enter(self.closing.give_up)
        self._finish_when_done()

    def pull(self, reason: str) -> None:
        """Pull the kill switch."""
        self._clock.enter(self.trader.kill_switch.pull, reason)

    def status(self) -> str:
        """How it stands, in words."""
        desk = self.trader.desk
        down = [name for name, link in desk.links.items() if not link.is_up]
        held = ", ".join(f"{symbol} {qty}" for symbol, qty in self.closing.positions().items())
        return (
            f"{desk.order_count} orders, "
            f"{len(desk.open_orders)} open, {self.recorder.fill_count} fills; position: {held or 'none'}"
            + (f"; down: {', '.join(down)}" if down else "")
        )

    def _begin(self) -> None:
        self._journal.begin(type(self.strategy).__name__)
        self._take_over()
        market = self._venue.market
        for symbol in self.config.live.symbols:
            market.subscribe(symbol, "book", self.config.live.depth)
            market.subscribe(symbol, "trade")
        market.open()
        self.trader.start(is_resumed=self._recovery.run_count > 0)
        self._sample()
        self._forget()
        self._await_ready()

    def _take_over(self) -> None:
        """Adopt what a run before has left open, and use none of its numbers again."""
        desk, recovery = self.trader.desk, self._recovery
        for cl_ord_id in recovery.last_ids.values():
            self.strategy.count_ids_on(cl_ord_id)
            self.trader.client.count_ids_on(cl_ord_id)
        records = take_over(desk, self._venue, recovery, self._say)
        if self._adoption is not None:
            self._adoption.prepare()
            return
        for record in records:
            self._journal.adopt(record)

    def _await_ready(self) -> None:
        if self._is_closing:
            return
        links = self.trader.desk.links.values()
        if not all(link.is_up for link in links) or not self.feeds.is_known:
            self._clock.at(self._clock.now_ns + _READY_MS * _MS, self._await_ready)
            return
        left = len(self._recovery.open_orders)
        if not left:
            self._balances.begin(self._start_strategy)
        elif self._adoption is not None:
            self._say(f"{left} orders of a run before are looked for first")
            Inquiry(self.trader.desk, self._clock, self.config.live.patience_s, self._on_found).begin()
        else:
            self._say(f"{left} orders of a run before are canceled first")
            Standstill(self.trader.desk, self._clock, Scope.OWN, self._on_tidied).begin("orders of a run before")

    def _on_found(self) -> None:
        desk = self.trader.desk
        unknown = sum(record.knowledge is Knowledge.UNKNOWN for record in desk.open_orders.values())
        self._say(
            f"{len(desk.open_orders)} of them are open"
            + (f", {unknown} of these unknown; they will not be sent again" if unknown else "")
        )
        self._balances.begin(self._start_strategy)

    def _on_tidied(self, proof: Proof) -> None:
        self._say("nothing is left of a run before: the venue has said so")
        self.trader.desk.resume()
        self._balances.begin(self._start_strategy)

    def _start_strategy(self) -> None:
        if not self._is_closing:
            self._is_started = True
            self._started_ns = self._clock.now_ns
            self._carry()
            self._arm()
            self.trader.start_strategy()
            if self._adoption is not None:
                self._tell_adopted(self._adoption)
            self._say("the strategy has started")

    def _tell_adopted(self, adoption: Adoption) -> None:
        """The strategy hears of what it has taken over, once it runs."""
        if self.strategy.is_running:
            adoption.tell()
        elif not self._is_closing:
            self._clock.at(self._clock.now_ns + _READY_MS * _MS, self._tell_adopted, adoption)

    def _carry(self) -> None:
        """What runs before hold is counted by limits; the strategy begins without it, or goes on with it."""
        held = {
            bridge.spec.symbol: bridge.spec.qty(lots)
            for bridge in self.trader.bridges()
            if (lots := self._recovery.positions_lots.get(bridge.spec.symbol, 0))
        }
        if held:
            text = ", ".join(f"{symbol} {qty}" for symbol, qty in held.items())
            how = "begins without it" if self._adoption is None else "goes on with it"
            self._say(f"runs before hold {text}; the strategy {how}, limits count it")
            self.trader.carry(self._recovery.positions_lots)
        for symbol in held:
            entry_ticks = None if self._adoption is None else round(self._recovery.entry_ticks[symbol])
            self._observer.carry(symbol, self._recovery.positions_lots[symbol], entry_ticks)

    def _note_balances(self, balances: Mapping[str, Decimal]) -> None:
        told = {asset: f"{amount:f}" for asset, amount in balances.items()}
        with contextlib.suppress(JournalError):  # then nothing new is sent either
            self._file.add(Held(self._clock.now_ns, told))

    def _arm(self) -> None:
        """Have the venue cancel everything if it does not hear of this run for a while."""
        seconds = self.config.live.dead_man_s
        if seconds and not self.done.is_set() and not self._is_closing:
            self.trader.desk.cancel_all_after(seconds)
            self._clock.at(self._clock.now_ns + seconds * _NS // 3, self._arm)

    def _close(self, reason: str) -> None:
        if self._is_closing:
            return
        self._is_closing = True
        if self._closing_ns is None:
            self._closing_ns = self._clock.now_ns
        self.closing.begin(reason)
        self._finish_when_done()

    def _finish_when_done(self) -> None:
        if self.done.is_set():
            return
        if not self.closing.is_done:
            self._clock.at(self._clock.now_ns + _READY_MS * _MS, self._finish_when_done)
            return
        is_well = self.closing.proof is not None or self.closing.at_end is AtEnd.LEAVE
        if self._is_started and self.config.live.dead_man_s and is_well:
            self.trader.desk.cancel_all_after(0)
        self._last_ns = self._clock.now_ns
        self._balances.stop()
        self.done.set()

    def finish(self) -> None:
        """Let go of everything; nothing happens any more."""
        self._clock.stop()
        self.trader.stop()
        if self._tape is not None:
            self._tape.close(self._last_ns)

    # ------------------------------------------------------------------------------------------------- from outside

    def _on_report(self, link: str, report: Report) -> None:
        self.recorder.heard(report)
        self._clock.enter(self.trader.desk.on_report, link, report)

    def _on_closed(self, link: str, reason: str) -> None:
        self._say(f"link {link}: {reason}")
        self._clock.enter(self.trader.desk.on_session_closed, link, reason)

    def _on_enter(self, now_ns: int) -> None:
        """The clocks of NautilusTrader show the present, and their timers are called when due, before anything else."""
        clocks = self._clocks
        for clock in clocks:
            if clock.due_ns <= now_ns:
                run_due(clocks, now_ns)
        for clock in clocks:
            clock.set_time(now_ns)

    def _on_leave(self) -> None:
        """Be called when the next of their timers is due."""
        due_ns = NEVER_NS
        for clock in self._clocks:
            due_ns = min(due_ns, clock.due_ns)
        if due_ns != self._timer_ns:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_ns = due_ns
            self._timer = None if due_ns == NEVER_NS else self._clock.at(due_ns, _nothing)

    def _on_error(self, error: Exception) -> None:
        """What the strategy's own code, or anything, raises ends the run in good order; once."""
        if self.failure is not None:
            self._say(f"while ending: {type(error).__name__}: {error}")
            return
        self.failure = error
        self._say(f"{type(error).__name__}: {error}")
        self.trader.fault_strategy()
        self._is_closing = False
        self._clock.enter(self._close, "the strategy has failed")

    def raise_failure(self, result: str) -> None:
        """Raise what ended the run, if anything did. result: what has become of it, in words."""
        if isinstance(self.failure, TidegateError):
            raise self.failure
        if self.failure is not None:
            raise_as_strategy_error(self.failure, self.strategy, self._last_ns, result)
            raise self.failure

    # ------------------------------------------------------------------------------------------------- results

    def write(self, out: Path) -> Path:
        """Write the run folder; returns it. Marks of fills are the best prices as told, sampled each second."""
        markets = [
            {
                **spec_identity(bridge.spec),
                "depth": "L2",
                "rows": self.feeds.message_count(bridge.spec.symbol),
                "first_ts_ns": self._first_ns,
                "last_ts_ns": self._last_ns,
            }
            for bridge in self.trader.bridges()
        ]
        inputs = run_inputs(self.config.as_run(self._first_balances), self._profile, self.road, markets)
        inputs["session"] = session_table(
            "live", self.config.live.at_end, self._started_ns, self._closing_ns, self._last_ns
        )
        events = self.recorder.table(self._marks([fill for _, fill in self.recorder.fills], self._last_ns))
        tape = self._tape.folder if self._tape is not None and self._tape.is_whole else None
        return write_run(out, inputs, RunTables(events, self.feeds.touch_table(), ()), market=tape)

    def _marks(self, fills: list[ExecutionReport], until_ns: int) -> dict[str, list[int | None]]:
        columns: dict[str, list[int | None]] = {}
        for suffix, offset_ns in (("", 0), *((f"_{seconds}s", seconds * _NS) for seconds in _HORIZONS_S)):
            touches = []
            for fill in fills:
                ts_ns = fill.ts_venue_ns + offset_ns
                touches.append(self.feeds.touch_at(fill.symbol, ts_ns) if ts_ns <= until_ns else (None, None))
            columns[f"bid{suffix}_ticks"] = [bid for bid, _ in touches]
            columns[f"ask{suffix}_ticks"] = [ask for _, ask in touches]
        return columns

    def _sample(self) -> None:
        if not self.done.is_set():
            self.feeds.sample()
            if self._tape is not None:
                self._tape.flush(self._clock.now_ns)
            self._clock.at(self._clock.now_ns + _SAMPLE_NS, self._sample)

    def _forget(self) -> None:
        if not self.done.is_set():
            now_ns = self._clock.now_ns
            if self.config.live.remembered_s:
                self.trader.forget(now_ns - self.config.live.remembered_s * _NS)
            # The marks of a fill are all known when its last horizon has passed.
            self.recorder.finish_fills(now_ns - _HORIZONS_S[-1] * _NS, lambda fills: self._marks(fills, now_ns))
            self._clock.at(now_ns + _FORGET_NS, self._forget)


def _nothing() -> None:
    """Being entered is all that was wanted."""
