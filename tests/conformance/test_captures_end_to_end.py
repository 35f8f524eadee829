"""Recorded markets from start to end by the command: imported, looked at, and traded over several roads.

What the recordings hold is stated in their own descriptions; the figures here are theirs, counted apart from this code.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from framework.backtest.run_folder import RunFolder
from framework.data.store import Store
from tests.captures import require_capture
from tests.framework.command import STRATEGIES, read_error, tidegate, write_config

Capture = pytest.CaptureFixture[str]

MARKET_MAKER = f'path = "{STRATEGIES / "market_maker.py"}"'


def imported(capsys: Capture, format_name: str, source: Path, store: Path, *options: str) -> dict[str, str]:
    """What the import says of each instrument, by symbol; `data info` must say the same."""
    given = [word for option in options for word in ("--option", option)]
    said = tidegate(capsys, "data", "import", format_name, source, "--out", store, *given)
    assert said.code == 0, said.err
    shown = tidegate(capsys, "data", "info", store)
    assert shown.code == 0, shown.err
    assert shown.out.strip() == re.sub(r"\d+ instruments? imported into .*\n$", "", said.out).strip()
    parts = re.split(r"^(?=\S+/\S+ on )", shown.out, flags=re.MULTILINE)
    return {part.split(" ", 1)[0]: part for part in parts if part.strip()}


def line_of(info: str, name: str) -> str:
    """The value of one line of `data info`."""
    found = re.search(rf"^  {name}  +(.*)$", info, re.MULTILINE)
    assert found is not None, f"no line {name!r} in\n{info}"
    return found[1]


def compared(capsys: Capture, config: Path, out: Path, *roads: str) -> tuple[str, dict[str, RunFolder]]:
    """What `compare` says over roads with one seed, and the runs by road."""
    arguments = ["--roads", ",".join(roads), "--seeds", "1", "--workers", "1", "--out", out]
    said = tidegate(capsys, "compare", config, *arguments)
    assert said.code == 0, said.err
    assert (out / "report.html").is_file()
    return said.out, {road: RunFolder.open(out / road / "1") for road in roads}


def counted(run: RunFolder) -> Counter[str]:
    """How many events a run has, by name."""
    return Counter(run.events.column("name").to_pylist())


def rows(run: RunFolder, kind: str, name: str | None = None) -> list[dict[str, Any]]:
    """The events of a kind, and of a name if one is given."""
    return [row for row in run.events.to_pylist() if row["kind"] == kind and name in (None, row["name"])]


# ------------------------------------------------------------------------------------------------- books with checksums

CHECKSUMS = {
    "BTC/CHF": 289,
    "ETH/CHF": 317,
    "GRT/ETH": 20,
    "KSM/BTC": 335,
    "OMG/USD": 573,
    "SC/EUR": 818,
    "WAVES/EUR": 576,
}


def test_every_checksum_of_the_recorded_books_is_verified(tmp_path: Path, capsys: Capture) -> None:
    capture = require_capture("kraken-spot-ws1-2021-04")
    infos = imported(capsys, "kraken-ws1", capture, tmp_path / "store")
    assert sum(CHECKSUMS.values()) == 2_928
    assert {symbol: line_of(info, "checksums") for symbol, info in infos.items()} == {
        symbol: f"{count} verified, 0 failed" for symbol, count in CHECKSUMS.items()
    }
    assert {line_of(info, "crossed or locked books") for info in infos.values()} == {"none"}


def test_a_damaged_message_stops_the_import_and_names_its_line(tmp_path: Path, capsys: Capture) -> None:
    capture = require_capture("kraken-spot-ws1-2021-04")
    copy = tmp_path / "capture"
    shutil.copytree(capture, copy, copy_function=shutil.copyfile)
    copy.chmod(0o755)
    file = copy / "book1000.tsv"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if n > 1_000 and '"c":"' in line)
    at = lines[number].index('"c":"') + 5
    digit = lines[number][at]
    lines[number] = lines[number][:at] + ("1" if digit != "1" else "2") + lines[number][at + 1 :]
    file.write_text("".join(lines), encoding="utf-8")
    error = read_error(tidegate(capsys, "data", "import", "kraken-ws1", copy, "--out", tmp_path / "store"))
    assert f"book1000.tsv, line {number + 1}" in error
    assert "checksum" in error
    assert not (tmp_path / "store").exists()


def test_the_recorded_books_are_traded_over_two_roads_two_pairs_at_once(tmp_path: Path, capsys: Capture) -> None:
    capture = require_capture("kraken-spot-ws1-2021-04")
    imported(capsys, "kraken-ws1", capture, tmp_path / "store")
    config = write_config(
        tmp_path,
        '[strategy.parameters]\nqty = "1500"\nposition_max = "6000"',
        market='source = "store"\npath = "store"\nsymbols = ["SC/EUR", "WAVES/EUR"]',
        strategy=MARKET_MAKER,
    )
    _, runs = compared(capsys, config, tmp_path / "out", "ws2", "fix")
    for run in runs.values():
        sent = rows(run, "command", "AddOrder")
        assert {row["symbol"] for row in sent} == {"SC/EUR", "WAVES/EUR"}
        assert {row["side"] for row in sent} == {0, 1}
        accepted = [row for row in sent if row["outcome"] == "accepted"]
        assert len(accepted) > len(sent) / 2
        # 2021-04-17 16:48:54 to 16:49:24 UTC.
        assert all(1_618_678_134 <= row["ts_sent_ns"] / 1e9 <= 1_618_678_164 for row in sent)
    assert {row["link"] for row in rows(runs["ws2"], "command", "AddOrder")} == {"ws2"}
    assert {row["link"] for row in rows(runs["fix"], "command", "AddOrder")} == {"fix"}


# ------------------------------------------------------------------------------------------------- top ten, and L3


def test_the_recorded_top_ten_books_are_traded_over_two_roads(tmp_path: Path, capsys: Capture) -> None:
    capture = require_capture("kraken-l3-l2-2024-11")
    infos = imported(capsys, "kraken-l2-csv", capture, tmp_path / "store")
    assert {symbol: line_of(info, "import").split(",")[0] for symbol, info in infos.items()} == {
        "BTC/USD": "snapshots 776",
        "ETH/USD": "snapshots 1349",
    }
    assert {line_of(info, "crossed or locked books") for info in infos.values()} == {"none"}
    assert "Ten levels a side were recorded" in infos["BTC/USD"]
    config = write_config(
        tmp_path,
        market='source = "store"\npath = "store"\nsymbols = ["BTC/USD"]\nqueue_model = "power"\nqueue_parameter = 2.0',
        strategy=MARKET_MAKER,
    )
    _, runs = compared(capsys, config, tmp_path / "out", "rest", "fix-colo")
    for run in runs.values():
        assert counted(run)["AddOrder"] > 0
        assert run.inputs.specs["BTC/USD"].tick_size == "0.1"
    # Own orders are asked for over REST, and pushed over FIX.
    assert counted(runs["rest"])["QueryOrders"] > 0
    assert counted(runs["fix-colo"])["QueryOrders"] == 0


def test_the_recorded_order_by_order_ticks_are_traded_over_two_roads(tmp_path: Path, capsys: Capture) -> None:
    capture = require_capture("kraken-l3-l2-2024-11")
    source = capture / "ex_multifeed_out.L3_ticks.csv"
    infos = imported(capsys, "kraken-l3-csv", source, tmp_path / "store", "recorder_utc_offset_h=-7")
    # 2,887 rows of both symbols.
    ticks = [int(line_of(info, "import").split(",")[0].removeprefix("ticks ")) for info in infos.values()]
    assert sorted(ticks) == [1_088, 1_799]
    assert sum(ticks) == 2_887
    assert all("The book is partial" in info for info in infos.values())
    assert Store.open(tmp_path / "store").entry("ETH/USD").depth == "L3"
    config = write_config(
        tmp_path,
        '[strategy.parameters]\nqty = "0.5"\nposition_max = "5"',
        market='source = "store"\npath = "store"\nsymbols = ["ETH/USD"]',
        run="queue_sample_ms = 10",
        strategy=MARKET_MAKER,
    )
    _, runs = compared(capsys, config, tmp_path / "out", "ws2", "fix")
    for run in runs.values():
        assert counted(run)["AddOrder"] > 0
        ahead = run.queue.column("ahead_lots").to_pylist()
        assert ahead
        assert all(value == int(value) >= 0 for value in ahead)  # order by order, places are exact


def test_the_same_recording_played_by_levels_gives_an_order_no_better_place_than_is_known(
    tmp_path: Path, capsys: Capture
) -> None:
    capture = require_capture("kraken-l3-l2-2024-11")
    source = capture / "ex_multifeed_out.L3_ticks.csv"
    imported(capsys, "kraken-l3-csv", source, tmp_path / "store")
    config = write_config(
        tmp_path,
        '[strategy.parameters]\nqty = "0.5"\nposition_max = "5"',
        market='source = "store"\npath = "store"\nsymbols = ["ETH/USD"]\ndepth = "L2"',
        strategy=MARKET_MAKER,
    )
    said = tidegate(capsys, "backtest", config, "--out", tmp_path / "run")
    assert said.code == 0, said.err
    assert RunFolder.open(tmp_path / "run").inputs.values["markets"][0]["depth"] == "L2"


# ------------------------------------------------------------------------------------------------- another exchange


def test_another_exchanges_market_is_traded_over_all_five_roads_of_this_one(tmp_path: Path, capsys: Capture) -> None:
    capture = require_capture("bitstamp-l3-2015-05-01")
    infos = imported(capsys, "bitstamp-l3", capture / "events.log.xz", tmp_path / "store")
    # The recording states 448 trades, of which one came before the first book.
    assert line_of(infos["BTC/USD"], "import").startswith("trades 447, trades joined 447, trades before start 1,")
    assert line_of(infos["BTC/USD"], "crossed or locked books") == "none"
    config = write_config(
        tmp_path,
        '[strategy.parameters]\nqty = "0.5"\nposition_max = "2"',
        market='source = "store"\npath = "store"\nend_s = 1800',
        venue='profile = "kraken"\ntier = "pro"',
        strategy=MARKET_MAKER,
    )
    roads = ("rest", "rest+ws", "ws2", "fix", "fix-colo")
    out, runs = compared(capsys, config, tmp_path / "out", *roads)
    assert re.search(r"^ +rest +rest\+ws +ws2 +fix +fix-colo$", out, re.MULTILINE)
    assert "over 5 roads, one seed." in " ".join(out.split())
    for run in runs.values():
        market = run.inputs.values["markets"][0]
        assert market["venue"] == "bitstamp"
        assert 1_790 < (market["last_ts_ns"] - market["first_ts_ns"]) / 1e9 <= 1_800
        assert len(rows(run, "fill")) > 10
        refused = {row["text"].split(":")[0] for row in rows(run, "command") if row["outcome"] == "rejected"}
        assert refused <= {"EOrder", "EGeneral"}  # the texts of this exchange
    # One order is never overtaken on the road that is first in, first out.
    figures = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))["figures"]
    assert [figures["inverted"][road]["mean"] for road in ("fix", "fix-colo")] == [0, 0]
    assert all(figures["pairs"][road]["mean"] > 10 for road in roads)
    # A fill is learned at the next poll over REST, and when it is told over every other road.
    learned = {road: figures["learn_ms"][road]["mean"] for road in roads}
    assert learned["rest"] > 200
    assert all(learned[road] < 100 for road in roads[1:])
    assert learned["fix-colo"] < learned["fix"] < learned["rest"]


# ------------------------------------------------------------------------------------------------- trades only

AROUND_THE_LAST_TRADE = """
from framework import BookView, Strategy, StrategyConfig


class AroundTheLastTrade(Strategy):
    '''Bids and offers 20 ticks from each trade, and takes away what it had there before.'''

    def __init__(self, config: StrategyConfig | None = None) -> None:
        super().__init__(config)
        self.orders = []

    def on_start(self) -> None:
        self.pair = self.instrument_ids[0]
        self.subscribe_book(self.pair, on="trade")

    def on_book(self, book: BookView) -> None:
        for order in self.orders:
            if order.is_open and not order.is_pending_cancel:
                self.cancel_order(order)
        lots = self.lots(self.pair, "0.1")
        self.orders = [
            self.buy(self.pair, lots, book.last_ticks - 20, post_only=True),
            self.sell(self.pair, lots, book.last_ticks + 20, post_only=True),
        ]
"""


def test_a_history_of_trades_alone_is_traded_over_two_roads(tmp_path: Path, capsys: Capture) -> None:
    capture = require_capture("kraken-trades-bcheur-csv")
    infos = imported(capsys, "kraken-trades", capture, tmp_path / "store")
    assert line_of(infos["BCH/EUR"], "rows") == "486 in 486 messages"
    assert line_of(infos["BCH/EUR"], "aggressors") == "not known"
    (tmp_path / "around.py").write_text(AROUND_THE_LAST_TRADE, encoding="utf-8")
    config = write_config(
        tmp_path,
        market='source = "store"\npath = "store"',
        strategy='path = "around.py"',
        run="queue_sample_ms = 0\ntouch_sample_ms = 60000",
    )
    _, runs = compared(capsys, config, tmp_path / "out", "ws2", "fix")
    columns = Store.open(tmp_path / "store").market("BCH/EUR").columns
    lowest, highest = int(columns.price_ticks.min()), int(columns.price_ticks.max())
    for run in runs.values():
        # Two orders for each message that it saw; trades at one time come one by one.
        sent = rows(run, "command", "AddOrder")
        assert 2 * 400 <= len(sent) <= 2 * 486
        fills = rows(run, "fill")
        assert len(fills) > 20
        assert {row["side"] for row in fills} == {0, 1}
        assert {row["is_maker"] for row in fills} == {True}
        # An order is filled at its own price, and only where a trade went through it.
        price_of = {row["cl_ord_id"]: row["price_ticks"] for row in sent}
        assert all(row["price_ticks"] == price_of[row["cl_ord_id"]] for row in fills)
        assert all(lowest < row["price_ticks"] < highest for row in fills)


def test_a_history_of_trades_shows_the_project_s_market_maker_a_touch(tmp_path: Path, capsys: Capture) -> None:
    capture = require_capture("kraken-trades-bcheur-csv")
    imported(capsys, "kraken-trades", capture, tmp_path / "store")
    config = write_config(
        tmp_path,
        '[strategy.parameters]\nqty = "0.1"\nposition_max = "1"',
        market='source = "store"\npath = "store"\nend_s = 20000\ntrades_spread_ticks = 5',
        strategy=MARKET_MAKER,
        run="queue_sample_ms = 0\ntouch_sample_ms = 60000",
    )
    said = tidegate(capsys, "backtest", config, "--out", tmp_path / "run")
    assert said.code == 0, said.err
    assert counted(RunFolder.open(tmp_path / "run"))["AddOrder"] > 0
