"""Equal inputs give equal event logs: in one process, across processes and hash seeds, over any number of workers.

And chance is bound to names: a link more, or a stream drawn more often, changes nothing of what the others draw.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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
from framework.backtest.runner import Backtest, run_backtest
from framework.backtest.study import run_study, study_config
from tests.simulation.stage import BID, BTC, Script, rows, run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ROADS = ["rest", "rest+ws", "ws2", "fix", "fix-colo"]

# A strategy that asks NautilusTrader for its orders, which keeps them in sets.
STRATEGY = '''
"""Quotes around the touch, takes now and then, and cancels everything now and then."""

from framework.strategy import Strategy, StrategyConfig


class Quoter(Strategy):
    def __init__(self, config: StrategyConfig) -> None:
        super().__init__(config)
        self.count = 0

    def on_start(self):
        self.pair = self.instrument_ids[0]
        self.subscribe_book(self.pair, on="interval", interval_ms=500)
        self.subscribe_trade_ticks(self.pair)
        self.arm_cancel_all_after(30)

    def on_book(self, book):
        self.count += 1
        if book.bid_ticks is None or book.ask_ticks is None:
            return
        live = self.cache.orders_open(strategy_id=self.id)
        if self.count % 12 == 0:
            self.cancel_all_orders(self.pair)
        elif self.count % 12 == 6 and live:
            self.cancel_orders(live)
        elif len(live) < 8 and self.rate_budget_used(self.pair) < 0.5:
            self.buy(self.pair, 10**6, book.bid_ticks - self.count % 3, post_only=True)
            self.sell(self.pair, 10**6, book.ask_ticks + self.count % 3)
        if self.count % 9 == 0:
            self.buy(self.pair, 10**6)
'''


def _config(folder: Path, **changes: Any) -> RunConfig:
    (folder / "quoter.py").write_text(STRATEGY)
    given: dict[str, Any] = {
        "strategy": StrategySection(path=str(folder / "quoter.py")),
        "run": RunSection(seed=7),
        "market": MarketSection(seed=7, duration_s=40),
        "road": RoadSection(name="ws2", is_cancel_on_disconnect=True),
        "faults": (FaultSection(kind="drop", link="all", at_s=15.0, for_s=4.0, detect_ms=20),),
    }
    return RunConfig(**(given | changes))


def _hash(folder: Path) -> str:
    digest = json.loads((folder / "summary.json").read_text())["event_log_sha256"]
    assert isinstance(digest, str)
    assert len(digest) == 64
    return digest


# ------------------------------------------------------------------------------------------------- equal inputs


@pytest.mark.parametrize("road", ROADS)
def test_two_runs_in_one_process_leave_equal_logs(tmp_path: Path, road: str) -> None:
    config = _config(tmp_path, road=RoadSection(name=road))
    first, second = (Backtest(config) for _ in range(2))
    first.run()
    second.run()
    assert first.events().num_rows > 100
    assert first.events().equals(second.events())
    assert event_log_sha256(first.events()) == event_log_sha256(second.events())


def test_another_process_with_another_hash_seed_leaves_the_same_hash(tmp_path: Path) -> None:
    _config(tmp_path)
    toml = tmp_path / "run.toml"
    toml.write_text(
        """
        [strategy]
        path = "quoter.py"
        [run]
        seed = 7
        [market]
        seed = 7
        duration_s = 40
        [road]
        name = "ws2"
        is_cancel_on_disconnect = true
        [[faults]]
        kind = "drop"
        link = "all"
        at_s = 15.0
        for_s = 4.0
        detect_ms = 20
        """
    )
    program = (
        "import sys; from pathlib import Path; from framework.backtest.config import load_config;"
        "from framework.backtest.runner import run_backtest;"
        "run_backtest(load_config(Path(sys.argv[1])), Path(sys.argv[2]))"
    )
    for hash_seed in ("1", "4242"):
        subprocess.run(
            [sys.executable, "-c", program, str(toml), str(tmp_path / hash_seed)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            check=True,
        )
    run_backtest(load_config(toml), tmp_path / "here")
    assert _hash(tmp_path / "1") == _hash(tmp_path / "4242") == _hash(tmp_path / "here")


def test_a_study_is_the_same_over_one_worker_and_over_two(tmp_path: Path) -> None:
    config = _config(tmp_path, market=MarketSection(duration_s=20))
    done: list[tuple[str, int]] = []
    one = run_study(config, ["ws2", "fix"], [1, 2], tmp_path / "one", workers=1)
    two = run_study(
        config, ["ws2", "fix"], [1, 2], tmp_path / "two", workers=2, on_done=lambda r: done.append((r.road, r.seed))
    )
    names = [("ws2", 1), ("ws2", 2), ("fix", 1), ("fix", 2)]
    assert [(r.road, r.seed) for r in one] == [(r.road, r.seed) for r in two] == sorted(done, key=names.index) == names
    hashes = [_hash(r.folder) for r in one]
    assert hashes == [_hash(r.folder) for r in two]
    assert len(set(hashes)) == 4


def test_a_run_of_a_study_is_the_run_of_its_own_configuration(tmp_path: Path) -> None:
    config = _config(tmp_path, market=MarketSection(duration_s=20))
    (study_run,) = run_study(config, ["fix"], [3], tmp_path / "study", workers=1)
    run_backtest(study_config(config, "fix", 3), tmp_path / "alone")
    assert _hash(study_run.folder) == _hash(tmp_path / "alone")


# ------------------------------------------------------------------------------------------------- unequal inputs


def _log_hash(config: RunConfig) -> str:
    backtest = Backtest(config)
    backtest.run()
    return event_log_sha256(backtest.events())


def test_another_seed_of_the_streams_alone_gives_another_log(tmp_path: Path) -> None:
    assert _log_hash(_config(tmp_path)) != _log_hash(_config(tmp_path, run=RunSection(seed=8)))


def test_another_market_seed_gives_another_log(tmp_path: Path) -> None:
    other = _config(tmp_path, market=MarketSection(seed=8, duration_s=40))
    assert _log_hash(_config(tmp_path)) != _log_hash(other)


def test_how_often_places_are_sampled_changes_nothing_of_what_happens(tmp_path: Path) -> None:
    never = _config(tmp_path, run=RunSection(seed=7, queue_sample_ms=0, touch_sample_ms=60_000))
    often = _config(tmp_path, run=RunSection(seed=7, queue_sample_ms=7))
    assert _log_hash(never) == _log_hash(often) == _log_hash(_config(tmp_path))


# ------------------------------------------------------------------------------------------------- streams


def _place_every_second(script: Script) -> None:
    script.orders["a"] = script.buy(script.btc, BTC // 100, BID - 10)


def _ways(backtest: Backtest, link: str) -> list[int]:
    """Nanoseconds that each command of a link was on its way."""
    return [
        row["ts_arrived_ns"] - row["ts_sent_ns"] for row in rows(backtest, kind="command", name="AddOrder", link=link)
    ]


def test_another_link_of_the_road_changes_no_latency_of_the_others() -> None:
    steps = [(1.0 + i, _place_every_second) for i in range(30)]
    alone, among = Script(steps), Script(steps)
    ws2 = run(alone, profile=PROFILE, road=RoadSection(name="ws2", cancel=("ws2",), query="rest"))
    more = run(among, profile=PROFILE, road=RoadSection(name="ws2", cancel=("ws2", "fix", "ws1"), query="rest"))
    assert set(more.links) - set(ws2.links) == {"fix", "ws1"}
    assert _ways(more, "ws2") == _ways(ws2, "ws2")
    assert len(set(_ways(ws2, "ws2"))) == 30


def test_traffic_on_one_link_changes_no_latency_of_another() -> None:
    def place_by_rest(script: Script) -> None:
        script.buy(script.btc, BTC // 100, BID - 11, via="rest")

    steps: list[Any] = [(1.0 + i, _place_every_second) for i in range(30)]
    quiet = run(Script(steps), profile=PROFILE, road="ws2")
    busy = run(Script([*steps, *((1.5 + i, place_by_rest) for i in range(30))]), profile=PROFILE, road="ws2")
    assert len(_ways(busy, "rest")) == 30
    assert _ways(busy, "ws2") == _ways(quiet, "ws2")


def test_a_subscription_to_the_feed_changes_no_latency_of_orders_and_none_of_the_feed() -> None:
    def subscribe(script: Script) -> None:
        script.subscribe_quote_ticks(script.btc)
        script.subscribe_book(script.btc, on="change")

    steps: list[Any] = [(1.0 + i, _place_every_second) for i in range(30)]
    deaf = run(Script(steps), profile=PROFILE, road="ws2")
    listening = run(Script([(0.5, subscribe), *steps]), profile=PROFILE, road="ws2")
    assert event_log_sha256(deaf.events()) == event_log_sha256(listening.events())
