"""Candles and the state of pairs against the venue's gateway in virtual time.

Pages: websocket-v2/ohlc, instrument, status.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.figures import Figures
from adapters.kraken.errors import SymbolError
from framework.data.live_rows import Candle
from framework.errors import ConfigError
from framework.execution.policy import DeskPolicy
from framework.protocol import BUY, SELL, VenueMode
from tests.adapters.kraken.client.stage import WireDesk
from tests.simulation.stage import BTC, trade

REST = DeskPolicy(submit="rest", amend="rest", cancel=("rest",), news="rest")
MINUTE_NS = 60 * 10**9


class Ears:
    """Writes down what is told."""

    def __init__(self) -> None:
        self.candles: list[tuple[int, Candle, bool]] = []
        self.states: list[tuple[str, VenueMode | None]] = []
        self.lost: list[str] = []

    def candles_changed(self, symbol: str, interval_min: int, candles: Sequence[Candle], *, is_snapshot: bool) -> None:
        assert symbol == "BTC/USD"
        self.candles += [(interval_min, candle, is_snapshot) for candle in candles]

    def pair_state(self, symbol: str, mode: VenueMode | None, words: str, ts_recv_ns: int) -> None:
        assert symbol == "BTC/USD"
        self.states.append((words, mode))

    def figures_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        self.lost.append(reason)


class Rig:
    """The figures of a market whose trades a test adds, in seconds after now."""

    def __init__(self, *rows: Any) -> None:
        self.desk = WireDesk(REST, [(at_s + 1.2, *rest) for at_s, *rest in rows])
        self.ears = Ears()
        self.figures = Figures(self.desk.parts.instruments, self.desk.clock, self.desk.sockets.connect, BackOff(1))
        self.figures.attach_figures(self.ears)
        self.figures.open()
        self.run(100)

    def run(self, ms: float) -> None:
        self.desk.run(ms)


def test_a_candle_is_told_at_each_trade_in_ticks_and_lots() -> None:
    rig = Rig(trade(0.5, SELL, 1_000, BTC), trade(0.7, BUY, 1_001, 2 * BTC), trade(0.9, SELL, 999, BTC))
    rig.figures.subscribe_candles("BTC/USD", 1)
    rig.run(2_000)
    interval_min, candle, _ = rig.ears.candles[-1]
    assert interval_min == 1
    assert (candle.open_ticks, candle.high_ticks, candle.low_ticks, candle.close_ticks) == (1_000, 1_001, 999, 999)
    assert (candle.volume_lots, candle.trade_count) == (4 * BTC, 3)
    assert candle.begin_ns % MINUTE_NS == 0
    assert candle.end_ns == candle.begin_ns + MINUTE_NS


def test_candles_of_several_intervals_are_told_apart_and_left_one_by_one() -> None:
    rig = Rig(trade(0.5, SELL, 1_000, BTC), trade(1.5, SELL, 1_000, BTC))
    rig.figures.subscribe_candles("BTC/USD", 1)
    rig.figures.subscribe_candles("BTC/USD", 60)
    rig.run(900)
    assert {interval_min for interval_min, _, _ in rig.ears.candles} == {1, 60}
    rig.ears.candles.clear()
    rig.figures.unsubscribe_candles("BTC/USD", 1)
    rig.run(1_500)
    assert {interval_min for interval_min, _, _ in rig.ears.candles} == {60}


def test_what_there_is_not_is_refused_at_once() -> None:
    rig = Rig()
    with pytest.raises(ConfigError, match="candles of 7 minutes: there are those of 1, 5, 15"):
        rig.figures.subscribe_candles("BTC/USD", 7)
    with pytest.raises(SymbolError, match="DOGE/USD"):
        rig.figures.subscribe_candles("DOGE/USD", 1)
    with pytest.raises(SymbolError, match="DOGE/USD"):
        rig.figures.subscribe_state("DOGE/USD")


def test_the_state_of_a_pair_is_told_when_asked_for_and_at_each_change() -> None:
    rig = Rig()
    rig.figures.subscribe_state("BTC/USD")
    rig.run(100)
    assert rig.ears.states == [("online", VenueMode.ONLINE)]
    rig.desk.host.set_mode(VenueMode.POST_ONLY, "BTC/USD")
    rig.run(100)
    assert rig.ears.states[1:] == [("post_only", VenueMode.POST_ONLY)]
    rig.figures.unsubscribe_state("BTC/USD")
    rig.desk.host.set_mode(VenueMode.ONLINE, "BTC/USD")
    rig.run(100)
    assert len(rig.ears.states) == 2


def test_the_engines_mode_goes_before_that_of_a_pair() -> None:
    rig = Rig()
    rig.figures.subscribe_state("BTC/USD")
    rig.run(100)
    rig.desk.host.set_mode(VenueMode.MAINTENANCE, None)
    rig.run(100)
    assert rig.ears.states[-1] == ("maintenance", VenueMode.MAINTENANCE)
    rig.desk.host.set_mode(VenueMode.ONLINE, None)
    rig.run(100)
    assert rig.ears.states[-1] == ("online", VenueMode.ONLINE)


def test_after_a_lost_line_candles_and_states_are_asked_for_again() -> None:
    rig = Rig(trade(0.5, SELL, 1_000, BTC))
    rig.figures.subscribe_candles("BTC/USD", 1)
    rig.figures.subscribe_state("BTC/USD")
    rig.run(1_000)
    rig.ears.candles.clear()
    rig.desk.sockets.cut()
    rig.desk.host.set_mode(VenueMode.CANCEL_ONLY, "BTC/USD")
    rig.run(3_000)
    assert rig.ears.candles[0][2]  # a snapshot
    assert rig.ears.states[-1] == ("cancel_only", VenueMode.CANCEL_ONLY)
