"""A live run in the simulation: ``framework.live.node`` with a strategy of NautilusTrader's, on links over the virtual
network, market data included, in virtual time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from adapters.kraken.client.account import AccountReads
from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.market_data import MarketData
from adapters.kraken.profile import PROFILE
from framework.backtest.config import RoadSection, StrategySection, VenueSection
from framework.live.closing import AtEnd
from framework.live.config import LiveConfig, LiveSection
from framework.live.node import LiveNode
from framework.strategy import Strategy
from tests.simulation.wire.broken import BrokenError
from tests.simulation.wire.machine import TraderClock
from tests.simulation.wire.trader_end import Process
from tests.simulation.wire.world import World

__all__ = ["NodeEnd", "live_config"]


def live_config(road: str, **live: Any) -> LiveConfig:
    """A live run of one strategy on a road, flat at its end."""
    return LiveConfig(
        strategy=StrategySection(path="strategy.py"),
        venue=VenueSection(profile="kraken"),
        road=RoadSection(name=road),
        live=LiveSection(symbols=("BTC/USD",), at_end=AtEnd.FLATTEN, patience_s=600.0, **live),
    )


class _Timer:
    def __init__(self) -> None:
        self.is_canceled = False

    def cancel(self) -> None:
        self.is_canceled = True


class _NodeClock(TraderClock):
    """``framework.live.clock.LiveClock`` in virtual time."""

    is_stopped = False
    on_enter: Callable[[int], None] = staticmethod(lambda now_ns: None)
    on_leave: Callable[[], None] = staticmethod(lambda: None)
    on_error: Callable[[Exception], None] = staticmethod(lambda error: None)

    def at(self, ts_ns: int, callback: Callable[..., None], *args: Any) -> _Timer:
        timer = _Timer()

        def due() -> None:
            if not timer.is_canceled:
                self.enter(callback, *args)

        super().call_at(max(ts_ns, self.now_ns), due)
        return timer

    def call_at(self, ts_ns: int, callback: Callable[[], None]) -> None:
        self.at(ts_ns, callback)

    def stop(self) -> None:
        self.is_stopped = True

    def enter(self, callback: Callable[..., None], *args: Any) -> None:
        if self.is_stopped:
            return
        try:
            self.on_enter(self.now_ns)
            callback(*args)
            self.on_leave()
        except BrokenError:
            raise
        except Exception as error:  # noqa: BLE001 - as the live clock
            self.on_error(error)


class _Venue:
    """``framework.adapter.LiveVenue``, as far as a node has need of it."""

    def __init__(self, end: NodeEnd, number: int) -> None:
        world = end.world
        self.instruments = {symbol: world.instruments[symbol].spec for symbol in world.instruments}
        self.links = end.links
        connect = world.network.to(world.services["market"], end.machine)
        self.market = MarketData(world.instruments, end.clock, connect, BackOff(world.seed + 1_000 * number + 500))
        reads = AccountReads(end.calls, world.instruments, world.disk.ids, list(end.links))
        self.ask_balances = reads.ask_balances
        self.remember = end.remember


class NodeEnd(Process):
    """One live run. said: what it has told its operator."""

    clock: _NodeClock

    def __init__(
        self, world: World, number: int, config: LiveConfig, make_strategy: Callable[[], Strategy], **given: Any
    ) -> None:
        super().__init__(world, number)
        self.said: list[str] = []
        self.node = LiveNode(
            config,
            PROFILE,
            _Venue(self, number),  # type: ignore[arg-type]
            self.clock,  # type: ignore[arg-type]
            self.journal,
            self.recovery,
            self._balances(),
            self._say,
            strategy=make_strategy(),
            **given,
        )
        self.desk = self.node.trader.desk
        self.listener = self.node._journal._listener
        sent = self.node.recorder.sent

        def noted(link: str, command: Any, ts_sent_ns: int) -> None:
            self.notes.sent(link, command, ts_sent_ns)
            sent(link, command, ts_sent_ns)

        self.node.recorder.sent = noted  # type: ignore[method-assign]

    def begin(self) -> None:
        self.node.begin()

    def _make_clock(self) -> TraderClock:
        return _NodeClock(self.world, self.machine, self.world.wall_skew_ns)

    def _balances(self) -> Mapping[str, Decimal]:
        venue = self.world.host.venue
        totals = venue.accounts["a0"].totals
        return {name: venue.assets.amount(index, totals[index]) for name, index in venue.assets.index.items()}

    def _say(self, text: str) -> None:
        self.said.append(text)
        self.world.note(f"node: {text}")
