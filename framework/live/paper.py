"""A paper run: the simulated venue in process, its market reached as the machine's time passes, money simulated.

It is the simulation of a backtest, whole, whose time is moved on by the machine's clock instead of by the market's end.
What happens in it is a function of its rows, its seed and the moment at which it is ended, however fast or unevenly
time is moved on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from framework.backtest.config import RunConfig
from framework.backtest.loading import load_markets
from framework.backtest.run_writer import session_table
from framework.backtest.simulation import Simulation
from framework.backtest.strategy_file import raise_as_strategy_error
from framework.data.columns import Market
from framework.errors import TidegateError
from framework.execution.link import DeskTee
from framework.live.closing import AtEnd, Closing
from framework.live.journal import IntentJournal, JournaledDesk
from framework.live.observer import Observer
from framework.protocol import VenueProfile
from framework.strategy import Strategy
from framework.venue.scheduler import NEVER_NS
from framework.venue.served.market import market_from

__all__ = ["PaperNode"]

_NS = 1_000_000_000


class PaperNode:
    """One paper run.

    is_looped: a market that is over begins
    again, with a jump in price; else the run ends with the last of them. is_growing: more rows come as time passes, so
    it does not end with those that there are. for_s: how long it goes on, in its own time;
    None for without end.
    intents: where commands and conclusions are written down as they happen; None for nowhere. observer: watches it.
    is_done: nothing more will happen. failure: what the strategy's own code raised.
    """

    def __init__(
        self,
        config: RunConfig,
        *,
        is_looped: bool,
        is_growing: bool = False,
        at_end: AtEnd = AtEnd.CANCEL,
        for_s: float | None = None,
        markets: Sequence[Market] | None = None,
        strategy: Strategy | None = None,
        profile: VenueProfile | None = None,
        intents: IntentJournal | None = None,
        observer: Observer | None = None,
    ) -> None:
        loaded = load_markets(config.market) if markets is None else markets
        own = [market_from(market, int(market.columns.ts_event_ns[0])) for market in loaded]
        self._intents = intents
        self._observer = Observer() if observer is None else observer
        self.simulation = Simulation(
            config,
            markets=own,
            strategy=strategy,
            profile=profile,
            is_endless=is_looped,
            journaled=self._journaled,
        )
        self._observer.attend(self.simulation.trader, lambda: self.now_ns)
        self.closing = Closing(self.simulation.trader, at_end)
        self.failure: Exception | None = None
        self._is_looped = is_looped
        self._for_s = for_s
        self._is_closing = False
        self._end_ns: int | None = None
        self._closing_ns: int | None = None
        is_endless = is_looped or is_growing
        self._market_end_ns = NEVER_NS if is_endless else self.simulation.span_ns[1] + 1

    def _journaled(self, simulation: Simulation) -> DeskTee:
        if self._intents is None:
            return self._observer.desk(simulation.recorder)
        scheduler, links = simulation.scheduler, simulation.links
        tee = JournaledDesk(
            self._intents, simulation.recorder, lambda: scheduler.now_ns, lambda name: links[name].session_id
        )
        tee.begin(type(simulation.strategy).__name__)
        return self._observer.desk(tee)

    @property
    def now_ns(self) -> int:
        """The present of the run, nanoseconds since the epoch."""
        return self.simulation.scheduler.now_ns

    @property
    def is_done(self) -> bool:
        """Whether the run is over."""
        return self.closing.is_done

    def begin(self) -> None:
        """Start it, at its markets' first instant."""
        self.simulation.begin()
        if self._for_s is not None:
            end_ns = self.now_ns + round(self._for_s * _NS)
            self.simulation.scheduler.at(end_ns, self.close, f"{self._for_s:g} s are over")

    def run_until(self, now_ns: int) -> None:
        """Let time pass up to an instant, or to the run's end if that comes first.

        What the strategy's own code raises ends the run in good order and is kept as ``failure``; whatever else is
        raised is raised here.
        """
        while not self.is_done:
            is_at_end = not self._is_closing and self._market_end_ns <= now_ns
            try:
                self.simulation.run_until(self._market_end_ns if is_at_end else now_ns)
            except Exception as error:  # noqa: BLE001 - whatever it is, orders are not left behind for it
                self._on_error(error)
                continue
            if not is_at_end:
                return
            self.close("the market has ended")

    def close(self, reason: str) -> None:
        """End the run as asked; ``is_done`` once it is. reason: in words."""
        if self._is_closing:
            return
        self._is_closing = True
        if self._closing_ns is None:
            self._closing_ns = self.now_ns
        try:
            self.closing.begin(reason)
        except Exception as error:  # noqa: BLE001 - see above
            self._on_error(error)

    def status(self) -> str:
        """How it stands, in words."""
        desk = self.simulation.desk
        held = ", ".join(f"{symbol} {qty}" for symbol, qty in self.closing.positions().items())
        return (
            f"{len(desk.orders)} orders, "
            f"{len(desk.open_orders)} open, {self.simulation.recorder.fill_count} fills; position: {held or 'none'}"
        )

    def finish(self) -> None:
        """Let go of everything; nothing happens any more."""
        self._end_ns = self.now_ns
        self.simulation.end()

    def write(self, out: Path) -> Path:
        """Write the run folder; returns it. Raises OutputError as ``Simulation.write`` does."""
        is_with_market = not self._is_looped and self._end_ns == self._market_end_ns
        session = session_table(
            "paper",
            self.closing.at_end,
            self.simulation.trade_from_ns,
            self._closing_ns,
            self.now_ns if self._end_ns is None else self._end_ns,
            is_looped=self._is_looped,
        )
        return self.simulation.write(out, end_ns=None if is_with_market else self._end_ns, more={"session": session})

    def raise_failure(self, result: str) -> None:
        """Raise what the strategy's own code raised, if it did. result: what has become of the run, in words."""
        if isinstance(self.failure, TidegateError):
            raise self.failure
        if self.failure is not None:
            raise_as_strategy_error(self.failure, self.simulation.strategy, self.now_ns, result)
            raise self.failure

    # ------------------------------------------------------------------------------------------------- within

    def _on_error(self, error: Exception) -> None:
        """Silence a strategy whose code has raised, and end the run; once. Anything else is raised."""
        if self.failure is not None:
            raise error
        self.failure = error
        self.simulation.trader.fault_strategy()
        if self._is_closing:  # it raised in its ``on_stop``
            self._is_closing = False
        self.close("the strategy has failed")
