"""Paper on a live market: the run is the backtest of what was heard, and nothing is made of what was not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.kraken.profile import PROFILE
from framework.backtest.config import (
    MarketSection,
    RoadSection,
    RunConfig,
    RunSection,
    StrategySection,
    VenueSection,
)
from framework.backtest.log_hash import event_log_sha256
from framework.backtest.runner import Backtest
from framework.data.columns import CLEAR, LAST, LEVEL, SNAPSHOT, TRADE, Market
from framework.data.live_rows import MarketRow
from framework.data.recorder import RecordedInstrument, Recorder
from framework.data.recording import import_recording
from framework.data.store import Store
from framework.live.closing import AtEnd
from framework.live.heard_markets import HeardMarkets
from framework.live.market_paper import MarketPaper
from framework.protocol import BUY, SELL, VenueMode
from framework.strategy import Strategy, StrategyConfig
from tests.framework.live.told_market import MS, S, Telling, Told, busy_market, told
from tests.simulation.stage import ASK, BID, BTC, SPEC, START_NS, Script, fixed_latency, level, still_market, trade

HOLD_NS = S
LOTS = BTC // 100
FAST = fixed_latency(PROFILE, 1.0)


class Live:
    """A paper run on a market that is told, in virtual time; it begins as soon as the book is known."""

    def __init__(
        self,
        folder: Path,
        market: Market,
        messages: list[Told],
        config: RunConfig,
        *,
        strategy: Strategy | None = None,
        silences: Any = (),
        **given: Any,
    ) -> None:
        self.telling = Telling(messages, silences)
        self.said: list[str] = []
        symbol = market.spec.symbol
        telling = self.telling
        self.heard = HeardMarkets([symbol], lambda: telling.now_ns, lambda: telling.heard_ns, HOLD_NS, self.said.append)
        while not self.heard.is_ready:
            telling.pass_to(telling.next_ns, self.heard)
        self.paper = MarketPaper(
            config, self.heard, [market.spec], folder / "recording", self.said.append, strategy=strategy, **given
        )
        self.paper.begin()

    def run(self, until_ns: int, steps_ns: Iterator[int], end_ns: int = 2**62) -> None:
        """Let the machine's time pass to an instant, as far at a time as it is given. end_ns: of the run's time."""
        telling = self.telling
        while telling.now_ns < until_ns and not self.paper.is_done:
            telling.pass_to(min(telling.now_ns + next(steps_ns), until_ns), self.heard)
            self.paper.run_until(end_ns)

    def until_s(self, second: float) -> None:
        """Let it come to a second of the stage; the machine is ahead by the delay of the news and the hold."""
        self.run(START_NS + round(second * S) + 2 * S, _even())
        self.paper.run_until(2**62)


def _even() -> Iterator[int]:
    while True:
        yield 5 * MS


def _uneven() -> Iterator[int]:
    """A machine that stalls and hurries."""
    chance = random.Random(4)
    while True:
        yield chance.choice((1, 17, 999_999, MS, 3 * MS, 40 * MS, 400 * MS))


class Restless(Strategy):
    """Joins both sides every quarter of a second, and now and then takes; it has fills of all kinds."""

    def on_start(self) -> None:
        self.turns = 0
        self.subscribe_book(self.instrument_ids[0], on="touch")
        self.clock.set_timer("turn", timedelta(milliseconds=250), callback=lambda _: self.turn())

    def turn(self) -> None:
        self.turns += 1
        book = self.book(self.instrument_ids[0])
        if book.bid_ticks is None or book.ask_ticks is None:
            return
        if self.turns % 8 == 0:
            self.cancel_all_orders(self.instrument_ids[0])
        elif self.turns % 8 == 5:
            (self.buy if self.turns % 16 == 5 else self.sell)(self.instrument_ids[0], 1_000_000)
        elif self.turns % 2:
            self.buy(self.instrument_ids[0], 1_000_000, book.bid_ticks)
            self.sell(self.instrument_ids[0], 1_000_000, book.ask_ticks)


QUOTING = RunConfig(
    strategy=StrategySection(path="restless.py"),
    run=RunSection(seed=5),
    market=MarketSection(source="store"),
    venue=VenueSection(tier="pro"),
)


# ------------------------------------------------------------------------------------------------- as a backtest


@pytest.mark.parametrize(("road", "passing"), [("rest", _uneven), ("ws2", _even), ("fix", _uneven)])
def test_a_stream_played_live_gives_the_fills_and_events_of_the_backtest_of_its_recording(
    tmp_path: Path, road: str, passing: Any
) -> None:
    """The recording is what `tidegate record` writes of the same messages, imported as ever."""
    market, config = busy_market(), replace(QUOTING, road=RoadSection(name=road))
    messages = told(market)
    first = messages[0]
    same = first.rows[-1]._replace(flags=LAST)  # a change of that instant, so that both runs begin then
    messages.insert(1, Told(first.recv_ns, first.symbol, [same]))
    recorder = Recorder(tmp_path / "heard", [RecordedInstrument(spec=market.spec, depth="L2")], first.recv_ns)
    for message in messages:
        recorder.add_rows(message.symbol, message.rows)
    recorder.close(messages[-1].recv_ns)
    (imported,) = import_recording(tmp_path / "heard", {})
    backtest = Backtest(config, markets=[imported.market], strategy=Restless(StrategyConfig()))
    backtest.run()

    live = Live(tmp_path, market, messages, config, at_end=AtEnd.LEAVE, strategy=Restless(StrategyConfig()))
    end_ns = int(imported.market.columns.ts_event_ns[-1])
    live.run(end_ns + 5 * S, passing(), end_ns)
    live.paper.finish()

    simulation = live.paper.node.simulation
    assert simulation.scheduler.now_ns == end_ns
    assert len(simulation.recorder.fills) > 5
    assert {fill.is_maker for _, fill in simulation.recorder.fills} == {True, False}
    assert [fill for _, fill in simulation.recorder.fills] == [fill for _, fill in backtest.recorder.fills]
    assert event_log_sha256(simulation.events([])) == event_log_sha256(backtest.events([]))
    sequence = live.heard.sequences[market.spec.symbol]
    assert (sequence.late_rows, sequence.late_trades) == (0, 0)


def test_a_backtest_of_its_inputs_is_the_same_run_gaps_included(tmp_path: Path) -> None:
    """``run.toml`` has the store of what was heard, and as faults the times in which it was not known."""
    market = busy_market()
    live = Live(tmp_path, market, told(market), QUOTING, at_end=AtEnd.LEAVE, strategy=Restless(StrategyConfig()))
    first_ns = live.paper.now_ns
    live.run(first_ns + 10 * S, _even())
    now_ns = live.telling.now_ns
    live.heard.market_lost(market.spec.symbol, "the line dropped", now_ns)
    live.run(first_ns + 13 * S, _even())
    book = _book_of(market, first_ns + 13 * S)
    live.heard.book_changed(market.spec.symbol, [row._replace(ts_recv_ns=live.telling.now_ns) for row in book])
    live.run(first_ns + 18 * S, _uneven())
    live.paper.node.close("test")
    live.paper.finish()
    live.paper.write(tmp_path / "run", tmp_path / "market")

    simulation = live.paper.node.simulation
    (fault,) = simulation.config.faults
    assert (fault.kind, fault.symbol) == ("unheard", market.spec.symbol)
    assert 2.0 < fault.for_s < 4.0
    again = Backtest(simulation.config, strategy=Restless(StrategyConfig()))
    again.run()
    assert [fill for _, fill in again.recorder.fills][: len(simulation.recorder.fills)] == [
        fill for _, fill in simulation.recorder.fills
    ]
    assert len(simulation.recorder.fills) > 5
    assert not (tmp_path / "recording").exists()
    assert not simulation.markets[0].columns.ts_event_ns.flags.writeable  # mapped from the store, not held in memory
    assert Store.open(tmp_path / "market").entry(market.spec.symbol).statistics["gaps"] == 1


def _book_of(market: Market, ts_ns: int) -> list[MarketRow]:
    """The book at a time as a snapshot."""
    sides: dict[tuple[int, int], int] = {}
    columns = market.columns
    for row in range(int(columns.ts_event_ns.searchsorted(ts_ns))):
        if columns.kind[row] == LEVEL:
            sides[int(columns.side[row]), int(columns.price_ticks[row])] = int(columns.qty_lots[row])
    rows = [MarketRow(ts_ns, ts_ns, CLEAR, 0, 0, 0, SNAPSHOT)]
    rows += [
        MarketRow(ts_ns, ts_ns, LEVEL, side, ticks, lots, SNAPSHOT) for (side, ticks), lots in sides.items() if lots
    ]
    rows[-1] = rows[-1]._replace(flags=SNAPSHOT | LAST)
    return rows


# ------------------------------------------------------------------------------------------------- gaps


STILL = RunConfig(strategy=StrategySection(path="stage.py"), road=RoadSection(name="ws2"))


def stage(tmp_path: Path, script: Script, rows: Any = (), *, duration_s: float = 60.0, **given: Any) -> Live:
    market = still_market(rows, duration_s)
    messages = told(market, delay_ms=10, jitter_ms=0, trade_ms=0)
    options: dict[str, Any] = {"profile": FAST, "at_end": AtEnd.LEAVE} | given
    return Live(tmp_path, market, messages, STILL, strategy=script, **options)


def snapshot(live: Live, at_s: float, bid: int, ask: int) -> None:
    """A snapshot of a second of the stage is told when it is heard."""
    ts_ns = START_NS + round(at_s * S)
    rows = [
        MarketRow(ts_ns, ts_ns, CLEAR, 0, 0, 0, SNAPSHOT),
        MarketRow(ts_ns, ts_ns, LEVEL, BUY, bid, 5 * BTC, SNAPSHOT),
        MarketRow(ts_ns, ts_ns, LEVEL, SELL, ask, 5 * BTC, SNAPSHOT | LAST),
    ]
    plan(live, at_s, lambda: live.heard.book_changed(SPEC.symbol, rows))


def lose(live: Live, at_s: float) -> None:
    plan(live, at_s, lambda: live.heard.market_lost(SPEC.symbol, "the line dropped", live.telling.now_ns))


def tell_trade(live: Live, at_s: float, made_s: float, price_ticks: int) -> None:
    """A trade is told at a second of the stage that was made at another."""
    ts_ns = START_NS + round(made_s * S)
    row = MarketRow(ts_ns, ts_ns, TRADE, SELL, price_ticks, BTC, LAST, 9)
    plan(live, at_s, lambda: live.heard.traded(SPEC.symbol, [row]))


def plan(live: Live, at_s: float, call: Callable[[], None]) -> None:
    """Have something told that the venue says at a second of the stage: ten milliseconds later."""
    live.telling.plans.append((START_NS + round(at_s * S) + 10 * MS, call))
    live.telling.plans.sort(key=lambda each: each[0])


def fills_of(live: Live) -> list[tuple[float, int, bool]]:
    fills = [fill for _, fill in live.paper.node.simulation.recorder.fills]
    return [((fill.ts_venue_ns - START_NS) / S, fill.last_ticks, fill.is_maker) for fill in fills]


def test_what_was_traded_while_the_book_was_not_known_fills_nothing(tmp_path: Path) -> None:
    """Trades through the order's price, made in the gap, told in it and after it, as a venue tells the newest again."""
    script = Script([(3.0, lambda s: s.buy(s.btc, LOTS, BID - 10))])
    live = stage(tmp_path, script)
    lose(live, 8.0)
    tell_trade(live, 12.0, 12.0, BID - 20)
    snapshot(live, 15.0, BID, ASK)
    tell_trade(live, 15.1, 13.0, BID - 20)
    live.until_s(30.0)
    assert fills_of(live) == []
    assert len(live.paper.node.simulation.desk.open_orders) == 1
    assert live.heard.sequences[SPEC.symbol].unheard_trades == 2


def test_what_is_traded_after_a_gap_fills_as_ever(tmp_path: Path) -> None:
    script = Script([(3.0, lambda s: s.buy(s.btc, LOTS, BID - 10))])
    live = stage(tmp_path, script)
    lose(live, 8.0)
    snapshot(live, 15.0, BID, ASK)
    tell_trade(live, 15.1, 15.1, BID - 20)
    live.until_s(30.0)
    assert fills_of(live) == [(15.1, BID - 10, True)]


def test_an_order_is_refused_while_the_book_is_not_known_and_a_cancel_is_not(tmp_path: Path) -> None:
    """Nobody can say whether it would have taken or rested: it does neither. An order that rests can be taken back."""
    script = Script(
        [
            (3.0, lambda s: s.orders.update(first=s.buy(s.btc, LOTS, BID - 10))),
            (9.0, lambda s: s.orders.update(blind=s.buy(s.btc, LOTS, ASK + 50))),
            (9.5, lambda s: s.cancel_order(s.orders["first"])),
        ]
    )
    live = stage(tmp_path, script)
    lose(live, 8.0)
    snapshot(live, 15.0, BID, ASK)
    live.until_s(20.0)
    assert script.orders["blind"].status.name == "REJECTED"
    assert script.orders["first"].status.name == "CANCELED"
    modes = [(round(at_s, 2), event.mode) for at_s, event in script.events("VenueStatusChanged")]
    assert modes == [(8.0, VenueMode.CANCEL_ONLY), (15.0, VenueMode.ONLINE)]
    assert fills_of(live) == []


def test_an_order_that_the_market_has_passed_in_a_gap_is_filled_by_what_is_told_after_it_at_its_own_price(
    tmp_path: Path,
) -> None:
    """The snapshot fills nobody; the first offer at its price or better that comes after it does (condition 10)."""
    script = Script([(3.0, lambda s: s.buy(s.btc, LOTS, BID - 10))])
    live = stage(tmp_path, script, duration_s=10.0)
    lose(live, 12.0)
    snapshot(live, 15.0, BID - 30, BID - 20)
    ts_ns = START_NS + round(15.06 * S)
    offer = [MarketRow(ts_ns, ts_ns, LEVEL, SELL, BID - 20, 4 * BTC, LAST)]
    plan(live, 15.06, lambda: live.heard.book_changed(SPEC.symbol, offer))
    live.until_s(17.0)
    assert fills_of(live) == [(15.06, BID - 10, True)]


def test_a_queue_place_is_not_bettered_by_a_gap(tmp_path: Path) -> None:
    """What the snapshot shows at the order's price is ahead of it, as much as there was before at most."""
    script = Script([(3.0, lambda s: s.buy(s.btc, LOTS, BID))])
    live = stage(tmp_path, script)
    live.until_s(5.0)
    kernel = live.paper.node.simulation.kernel
    (order,) = live.paper.node.simulation.venue.resting_orders()
    before = kernel.ahead(order.slot)
    lose(live, 8.0)
    snapshot(live, 9.0, BID, ASK)
    live.until_s(12.0)
    assert kernel.ahead(order.slot) == before == 5 * BTC


# ------------------------------------------------------------------------------------------------- a stale feed


def test_time_stands_still_while_nothing_is_heard_and_no_order_meets_a_stale_book(tmp_path: Path) -> None:
    """From 10 s to 16 s nothing comes, and then all at once: a market order of that time meets what was there then."""
    script = Script([(12.0, lambda s: s.buy(s.btc, LOTS))])
    silence = (START_NS + 10 * S, START_NS + 16 * S)
    live = stage(tmp_path, script, [level(11.0, SELL, ASK, 0), level(11.0, SELL, ASK + 5, BTC)], silences=[silence])
    sequence = live.heard.sequences[SPEC.symbol]
    live.run(START_NS + 5 * S, _even())
    before = sequence.late_rows
    live.run(START_NS + 15 * S, _even())
    assert live.paper.now_ns <= START_NS + 10 * S
    live.until_s(20.0)
    assert fills_of(live) == [(12.001, ASK + 1, False)]
    assert sequence.late_rows == before


def test_heartbeats_are_heard_where_the_market_is_quiet(tmp_path: Path) -> None:
    market = still_market(duration_s=2.0)
    live = Live(tmp_path, market, told(market, trade_ms=0), STILL, strategy=Script(), profile=FAST, at_end=AtEnd.LEAVE)
    live.run(START_NS + 30 * S, _even())
    assert live.paper.now_ns > START_NS + 27 * S


def test_with_the_market_lost_for_long_time_goes_on(tmp_path: Path) -> None:
    live = stage(tmp_path, Script(), silences=[(START_NS + 10 * S, START_NS + 55 * S)])
    live.run(START_NS + 20 * S, _even())
    stood_ns = live.paper.now_ns
    lose(live, 10.0)
    live.run(START_NS + 40 * S, _even())
    assert stood_ns < START_NS + 10 * S < live.paper.now_ns
    assert live.paper.now_ns > START_NS + 38 * S


def test_its_clock_shows_the_markets_time_whatever_the_machines_shows(tmp_path: Path) -> None:
    """The machine is three minutes ahead: news seems to take so long, and the run is behind by that."""
    market = still_market()
    ahead_ns = 180 * S
    messages = [
        Told(each.recv_ns + ahead_ns, each.symbol, each.rows)
        for each in told(market, delay_ms=10, jitter_ms=0, trade_ms=0)
    ]
    live = Live(tmp_path, market, messages, STILL, strategy=Script(), profile=FAST, at_end=AtEnd.LEAVE)
    live.run(START_NS + ahead_ns + 20 * S, _even())
    behind_s = (live.telling.now_ns - ahead_ns - live.paper.now_ns) / S
    assert 1.0 < behind_s < 1.2


def test_its_events_are_told_by_their_digest(tmp_path: Path) -> None:
    """Two runs of the same messages are the same, bit for bit, however time passes."""
    market = still_market([trade(10.0, SELL, BID - 20, BTC)])
    digests = set()
    for number, passing in enumerate((_even, _uneven)):
        (tmp_path / str(number)).mkdir()
        script = Script([(3.0, lambda s: s.buy(s.btc, LOTS, BID - 10))])
        live = Live(
            tmp_path / str(number), market, told(market), STILL, strategy=script, profile=FAST, at_end=AtEnd.LEAVE
        )
        live.run(START_NS + 25 * S, passing())
        live.paper.finish()
        assert len(fills_of(live)) == 1
        digests.add(event_log_sha256(live.paper.node.simulation.events([])))
    assert len(digests) == 1
