"""A paper run is the simulation of a backtest, reached as the machine's time passes; and it ends in good order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.kraken.profile import PROFILE
from framework.backtest.config import (
    FaultSection,
    MarketSection,
    RoadSection,
    RunConfig,
    RunSection,
    StrategySection,
    load_config,
)
from framework.backtest.log_hash import event_log_sha256
from framework.backtest.runner import Backtest
from framework.errors import StrategyError
from framework.live.closing import AtEnd
from framework.live.paper import PaperNode
from framework.protocol import BUY, SELL, VenueMode
from framework.venue.served.clock import VenueClock
from framework.venue.served.pace import Pace
from tests.framework.command import write_config
from tests.simulation.stage import ASK, BID, BTC, START_NS, Script, fixed_latency, level, still_market, trade

S = 1_000_000_000
MS = 1_000_000
FAST = fixed_latency(PROFILE, 1.0)
LOTS = BTC // 100
CONFIG = RunConfig(strategy=StrategySection(path="stage.py"), road=RoadSection(name="ws2"))


def stage(script: Script, at_end: AtEnd = AtEnd.CANCEL, *, rows: Any = (), **given: Any) -> PaperNode:
    """A node on the still book of the stage, begun."""
    options: dict[str, Any] = {"is_looped": False, "at_end": at_end, "profile": FAST} | given
    node = PaperNode(CONFIG, markets=[still_market(rows)], strategy=script, **options)
    node.begin()
    return node


def live(node: PaperNode, until_s: float, step_ms: float = 100.0) -> None:
    """Let a node live until a second of the stage, a step at a time."""
    while not node.is_done and node.now_ns < START_NS + until_s * S:
        node.run_until(node.now_ns + round(step_ms * MS))


def events_of(node: PaperNode) -> list[dict[str, Any]]:
    return node.simulation.events().to_pylist()


# ------------------------------------------------------------------------------------------------- as a backtest


def _even() -> Iterator[int]:
    while True:
        yield 2 * MS


def _uneven() -> Iterator[int]:
    """A machine that stalls and hurries: from a nanosecond to three seconds between two looks."""
    chance = random.Random(4)
    while True:
        yield chance.choice((1, 17, 999_999, MS, 3 * MS, 400 * MS, 3 * S))


@pytest.mark.parametrize("passing", [_even, _uneven])
@pytest.mark.parametrize("road", ["rest", "ws2", "fix"])
def test_its_event_log_is_the_backtests_bit_for_bit_however_time_passes(
    tmp_path: Path, road: str, passing: Callable[[], Iterator[int]]
) -> None:
    config = load_config(write_config(tmp_path))
    config = replace(
        config,
        run=RunSection(seed=3),
        road=RoadSection(name=road),
        faults=(FaultSection(kind="drop", link="all", at_s=8.0, for_s=3.0, detect_ms=50),),
    )
    backtest = Backtest(config)
    backtest.run()

    node = PaperNode(config, is_looped=False, at_end=AtEnd.LEAVE)
    node.begin()
    wall_ns = 5 * S  # a clock that begins anywhere
    pace = Pace(node, VenueClock(wall_ns, node.now_ns, 1), lambda: wall_ns)
    for step_ns in passing():
        if node.is_done:
            break
        wall_ns += step_ns
        pace.run(wall_ns)
    node.finish()

    assert backtest.events().num_rows > 30
    assert event_log_sha256(node.simulation.events()) == event_log_sha256(backtest.events())


def test_a_backtest_of_its_configuration_is_the_same_run(tmp_path: Path) -> None:
    """``run.toml`` says when the first row was played, so that a backtest can put it there too."""
    config = load_config(write_config(tmp_path))
    config = replace(config, market=MarketSection(duration_s=20, first_ns=1_800_000_000 * S))
    node = PaperNode(config, is_looped=False, at_end=AtEnd.LEAVE)
    node.begin()
    assert node.now_ns == 1_800_000_000 * S
    while not node.is_done:
        node.run_until(node.now_ns + S)
    backtest = Backtest(config)
    backtest.run()
    assert event_log_sha256(node.simulation.events()) == event_log_sha256(backtest.events())


def test_a_strategy_is_called_within_the_step_in_which_its_time_comes_and_its_command_leaves_at_that_time() -> None:
    script = Script([(5.123456, lambda s: s.buy(s.btc, LOTS, BID - 10))])
    node = stage(script)
    live(node, 10.0, step_ms=700.0)
    (add,) = [row for row in events_of(node) if row["name"] == "AddOrder"]
    assert add["ts_sent_ns"] == START_NS + 5_123_456_000


# ------------------------------------------------------------------------------------------------- market without end


def test_a_market_that_is_over_begins_again_and_fills_as_before() -> None:
    """A bid 10 below is hit at 30 s of each pass; the second pass begins a second after the first has ended."""
    script = Script([(25.0, lambda s: s.buy(s.btc, LOTS, BID - 10)), (70.0, lambda s: s.buy(s.btc, LOTS, BID - 10))])
    node = stage(script, rows=[trade(30.0, SELL, BID - 20, BTC)], is_looped=True)
    live(node, 100.0)
    times = [round(at_s, 3) for at_s, _ in script.events("OrderFilled")]
    assert times == [30.001, 91.001]


def test_an_order_that_rests_stays_through_the_seam() -> None:
    script = Script([(45.0, lambda s: s.buy(s.btc, LOTS, BID - 10))])
    node = stage(script, rows=[trade(30.0, SELL, BID - 20, BTC)], is_looped=True)
    live(node, 100.0)
    assert [round(at_s, 3) for at_s, _ in script.events("OrderFilled")] == [91.001]


def test_the_feed_goes_on_in_the_second_pass() -> None:
    looks: list[float] = []

    class Looker(Script):
        def on_book(self, book: Any) -> None:
            looks.append(self.now_s)

    script = Looker([(0.5, lambda s: s.subscribe_book(s.btc, on="touch"))])
    node = stage(script, rows=[level(30.0, BUY, BID, 0), level(31.0, BUY, BID, BTC)], is_looped=True)
    live(node, 130.0)
    assert [at_s for at_s in looks if at_s > 62] == [91.0, 92.0, 122.0]


def test_the_marks_of_a_fill_are_those_of_its_own_pass(tmp_path: Path) -> None:
    script = Script([(70.0, lambda s: s.buy(s.btc, LOTS, BID - 10))])
    node = stage(script, rows=[level(29.5, SELL, ASK, 0), trade(30.0, SELL, BID - 20, BTC)], is_looped=True)
    live(node, 95.0)
    node.close("test")
    live(node, 110.0)
    node.finish()
    node.write(tmp_path / "run")
    histories = node.simulation.histories(node.now_ns)
    (fill,) = [row for row in node.simulation.events(histories).to_pylist() if row["kind"] == "fill"]
    assert (fill["bid_ticks"], fill["ask_ticks"]) == (BID, ASK + 1)
    assert fill["bid_60s_ticks"] is None


# ------------------------------------------------------------------------------------------------- the end


def _quote(script: Script) -> None:
    script.buy(script.btc, LOTS, BID - 10)
    script.sell(script.btc, LOTS, ASK + 10)


def test_at_the_end_own_orders_are_canceled_and_the_venue_has_said_so() -> None:
    node = stage(Script([(5.0, _quote)]))
    live(node, 10.0)
    assert len(node.simulation.desk.open_orders) == 2
    node.close("test")
    live(node, 20.0)
    assert node.is_done
    assert node.closing.proof is not None
    assert not node.closing.has_failed
    assert list(node.simulation.venue.resting_orders()) == []
    queries = [row for row in events_of(node) if row["name"] == "QueryOrders"]
    ends = [row["ts_venue_ns"] for row in events_of(node) if row["name"] == "OrderEnded"]
    assert queries[-1]["ts_arrived_ns"] > max(ends)


def test_no_order_is_sent_once_the_end_has_begun() -> None:
    script = Script([(5.0, _quote), (10.05, _quote)])
    node = stage(script)
    live(node, 10.0)
    node.close("test")
    script.buy(script.btc, LOTS, BID - 11)
    live(node, 20.0)
    assert len([row for row in events_of(node) if row["name"] == "AddOrder"]) == 2
    (denied,) = [row for row in events_of(node) if row["name"] == "OrderDenied"]
    assert denied["text"] == "test"


def test_all_may_be_left_as_it_is() -> None:
    node = stage(Script([(5.0, _quote)]), AtEnd.LEAVE)
    live(node, 10.0)
    node.close("test")
    assert node.is_done
    assert len(list(node.simulation.venue.resting_orders())) == 2
    assert node.closing.said().count("order ") == 2


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_positions_are_closed_at_the_market_where_that_is_asked_for(side: str) -> None:
    def take(script: Script) -> None:
        getattr(script, side)(script.btc, 3 * LOTS)

    node = stage(Script([(5.0, take), (6.0, _quote)]), AtEnd.FLATTEN)
    live(node, 10.0)
    assert node.closing.positions() != {}
    node.close("test")
    live(node, 30.0)
    assert node.is_done
    assert node.closing.positions() == {}
    assert not node.closing.has_failed
    assert list(node.simulation.venue.resting_orders()) == []
    assert node.simulation.desk.halted == "test"


def test_what_cannot_be_closed_is_told_and_the_run_has_failed() -> None:
    """The engine takes cancels only: market orders are refused, again and again, and then no more are sent."""
    node = stage(Script([(5.0, lambda s: s.buy(s.btc, LOTS))]), AtEnd.FLATTEN)
    live(node, 10.0)
    node.simulation.venue.set_mode(VenueMode.CANCEL_ONLY, None, node.now_ns)
    node.close("test")
    live(node, 60.0)
    assert node.is_done
    assert node.closing.has_failed
    assert node.closing.said().endswith("position: BTC/USD 0.01000000; left: position BTC/USD 0.01000000")
    assert len([row for row in events_of(node) if row["name"] == "AddOrder"]) == 4


def test_with_every_line_down_it_gives_up_after_its_patience_and_says_what_is_left() -> None:
    node = PaperNode(
        replace(CONFIG, faults=(FaultSection(kind="drop", link="all", at_s=8.0, for_s=50.0, detect_ms=10),)),
        markets=[still_market()],
        strategy=Script([(5.0, _quote)]),
        is_looped=False,
        profile=FAST,
    )
    node.begin()
    live(node, 10.0)
    node.close("test")
    live(node, 20.0)
    assert not node.is_done
    live(node, 26.0)
    assert node.is_done
    assert node.closing.has_failed
    assert node.closing.said().startswith("not proved that nothing is open; left: order ")


def test_it_ends_by_itself_after_the_time_that_it_was_given() -> None:
    node = stage(Script([(5.0, _quote)]), for_s=12.0)
    live(node, 30.0, step_ms=5_000.0)
    assert node.is_done
    assert node.closing.proof is not None
    assert START_NS + 12 * S < node.closing.proof.ts_venue_ns < START_NS + 13 * S


def test_a_run_that_ends_before_its_strategy_has_started_never_starts_it() -> None:
    script = Script([(5.0, _quote)])
    node = stage(script)
    node.close("test")
    live(node, 10.0)
    assert node.is_done
    assert not script.is_running
    assert events_of(node)
    assert [row for row in events_of(node) if row["name"] == "AddOrder"] == []


# ------------------------------------------------------------------------------------------------- errors


def _break(script: Script) -> None:
    raise ValueError("out of ideas")


def test_a_strategy_that_raises_leaves_no_order_behind_and_is_called_no_more(tmp_path: Path) -> None:
    later: list[float] = []
    node = stage(Script([(5.0, _quote), (6.0, _break), (7.0, lambda s: later.append(s.now_s))]))
    live(node, 20.0)
    assert node.is_done
    assert node.closing.proof is not None
    assert later == []
    assert list(node.simulation.venue.resting_orders()) == []
    node.finish()
    node.write(tmp_path / "run")
    with pytest.raises((StrategyError, ValueError), match="out of ideas"):
        node.raise_failure("the run is written")


def test_a_strategy_that_raises_when_it_is_stopped_does_not_keep_the_run_from_its_end() -> None:
    class Stubborn(Script):
        def on_stop(self) -> None:
            raise ValueError("not yet")

    node = stage(Stubborn([(5.0, _quote)]))
    live(node, 10.0)
    node.close("test")
    live(node, 20.0)
    assert node.is_done
    assert node.closing.proof is not None
    assert str(node.failure) == "not yet"
