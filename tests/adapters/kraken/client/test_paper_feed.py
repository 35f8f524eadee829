"""Paper on the feed of Kraken's wire, in virtual time: checksums that do not come out, lines that drop or fall silent.

Pages: guides/spot-ws-book-v2, websocket-v2/book, trade, heartbeat.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.market_data import MarketData
from adapters.kraken.client.settings import read_settings
from adapters.kraken.profile import PROFILE
from framework.adapter import LiveSettings
from framework.backtest.config import RoadSection, RunConfig, StrategySection
from framework.backtest.runner import Backtest
from framework.data.store import Store
from framework.errors import ConfigError
from framework.live.closing import AtEnd
from framework.live.market_paper import MarketPaper, hear
from framework.protocol import SELL
from tests.adapters.kraken.client.stage import START_NS, WireDesk
from tests.adapters.kraken.client.test_market_data import REST, corrupted
from tests.simulation.stage import BID, BTC, Script, fixed_latency, trade

S = 1_000_000_000
HOLD_NS = S // 2
LOTS = BTC // 100
CONFIG = RunConfig(strategy=StrategySection(path="stage.py"), road=RoadSection(name="ws2"))
FAST = fixed_latency(PROFILE, 1.0)


class Rig:
    """A strategy on paper, on what the venue's gateway tells; seconds are those of the venue after its start."""

    def __init__(self, folder: Path, *steps: Any, rows: Any = ()) -> None:
        self.desk = WireDesk(REST, rows)
        self.market = MarketData(self.desk.parts.instruments, self.desk.clock, self.desk.sockets.connect, BackOff(1))
        self.said: list[str] = []
        host = self.desk.host
        self.heard = hear(self.market, ["BTC/USD"], 10, lambda: host.now_ns, HOLD_NS, self.said.append)
        while not self.heard.is_ready:
            self.desk.run(5)
        self.script = Script(list(steps), start_ns=START_NS)
        spec = self.desk.parts.instruments["BTC/USD"].spec
        self.folder = folder
        self.paper = MarketPaper(
            CONFIG, self.heard, [spec], folder / "recording", self.said.append,
            at_end=AtEnd.LEAVE, strategy=self.script, profile=FAST,
        )  # fmt: skip
        self.paper.begin()

    def until_s(self, second: float) -> None:
        """Let the machine's time come to a second."""
        while self.desk.host.now_ns < START_NS + second * S:
            self.desk.run(5)
            self.paper.run_until(2**62)

    @property
    def fills(self) -> list[tuple[float, int]]:
        fills = [fill for _, fill in self.paper.node.simulation.recorder.fills]
        return [(round((fill.ts_venue_ns - START_NS) / S, 3), fill.last_ticks) for fill in fills]

    def again(self) -> Backtest:
        """The backtest of what the run has written of itself."""
        self.paper.finish()
        self.paper.write(self.folder / "run", self.folder / "market")
        config = self.paper.node.simulation.config
        script = Script(self.script._steps, start_ns=START_NS)
        backtest = Backtest(config, strategy=script, profile=FAST)
        backtest.run()
        return backtest


def _bid(script: Script) -> None:
    script.buy(script.btc, LOTS, BID - 10)


def test_it_trades_on_what_is_told(tmp_path: Path) -> None:
    rig = Rig(tmp_path, (3.0, _bid), rows=[trade(5.0, SELL, BID - 20, BTC)])
    rig.until_s(8.0)
    assert rig.fills == [(5.0, BID - 10)]
    assert rig.said == ["BTC/USD: the book is known"]


def test_a_book_whose_checksum_does_not_come_out_is_a_gap_until_it_is_known_again(tmp_path: Path) -> None:
    """The trade comes in the moment in which nobody knows what it met."""
    rig = Rig(tmp_path, (3.0, _bid), rows=[trade(5.0, SELL, BID - 20, BTC), trade(9.0, SELL, BID - 20, BTC)])
    rig.until_s(4.9)
    rig.desk.sockets.tamper = lambda data: corrupted(data) if b"update" in data else data
    rig.until_s(5.02)
    rig.desk.sockets.tamper = lambda data: data if b"checksum" not in data else None
    rig.until_s(6.0)
    rig.desk.sockets.cut()
    rig.desk.sockets.tamper = lambda data: data
    rig.until_s(12.0)
    assert [line for line in rig.said if "checksum" in line]
    assert rig.said[-1] == "BTC/USD: the book is known"
    assert rig.fills == [(9.0, BID - 10)]
    assert rig.heard.sequences["BTC/USD"].unheard_trades >= 1
    fills = [fill for _, fill in rig.again().recorder.fills]
    assert [(round((fill.ts_venue_ns - START_NS) / S, 3), fill.last_ticks) for fill in fills] == rig.fills


def test_a_line_that_drops_is_a_gap_and_the_run_goes_on_after_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path, (3.0, _bid), rows=[trade(5.0, SELL, BID - 20, BTC), trade(20.0, SELL, BID - 20, BTC)])
    rig.until_s(4.5)
    rig.desk.sockets.is_refused = True
    rig.desk.sockets.cut()
    rig.until_s(10.0)
    assert rig.fills == []
    assert "not known: BTC/USD" in rig.paper.status()
    rig.desk.sockets.is_refused = False
    rig.until_s(25.0)
    assert rig.fills == [(20.0, BID - 10)]
    rig.again()
    entry = Store.open(tmp_path / "market").entry("BTC/USD")
    assert entry.statistics["gaps"] == 1
    assert "line dropped" in entry.notes[0]


def test_a_line_that_falls_silent_holds_time_up_until_it_is_given_up(tmp_path: Path) -> None:
    """Nothing is heard from 5 s on: no order of that time meets a book of before."""
    rig = Rig(tmp_path, (6.0, lambda s: s.buy(s.btc, LOTS)))
    rig.until_s(5.0)
    rig.desk.sockets.tamper = lambda _: None
    rig.until_s(14.0)
    assert rig.paper.now_ns <= START_NS + 5 * S
    rig.until_s(17.0)
    assert any("nothing was heard for 10 s" in line for line in rig.said)
    assert rig.fills == []
    (rejected,) = rig.script.events("OrderRejected")
    assert "cancel_only" in str(rejected[1].reason)


def test_no_key_is_read_for_public_data_wherever_there_may_be_one(tmp_path: Path, monkeypatch: Any) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text(
        '{"rest": "http://127.0.0.1:1", "ws_v1": "ws://127.0.0.1:1/", "ws_v2": "ws://127.0.0.1:1/v2", "ws_l3": "ws://127.0.0.1:1/v2",'
        '"fix_trading": "127.0.0.1:2", "ca_certificate": null, "accounts": [{"account": "a", "api_key": "k",'
        '"api_secret": "c2VjcmV0", "fix": {"sender_comp_ids": ["X"], "target_comp_id": "Y"}}]}'
    )
    monkeypatch.setenv("KRAKEN_API_KEY", "k")
    monkeypatch.setenv("KRAKEN_API_SECRET", "c2VjcmV0")
    settings = LiveSettings(links={}, is_public=True, options={"ready_file": str(ready)})
    assert read_settings(settings).credentials is None
    assert read_settings(replace(settings, options={})).credentials is None
    for wrong in (replace(settings, links={"rest": "rest"}), replace(settings, has_orders=True)):
        with pytest.raises(ConfigError, match="public data only"):
            read_settings(wrong)
