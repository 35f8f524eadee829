"""The command: what it prints, what it leaves behind, and what it says of every mistake."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from framework.backtest.run_folder import RunFolder
from framework.data.store import Store
from tests.framework.command import read_error, tidegate, write_config

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]

# Buys at the ask with the first book, sells at the bid with the first fill: two fills, whatever the market.
ROUND_TRIP = """
from nautilus_trader.model.enums import OrderSide, TimeInForce
from framework.strategy import Strategy, StrategyConfig


class RoundTripConfig(StrategyConfig, frozen=True, kw_only=True):
    qty: str = "0.001"


class RoundTrip(Strategy):
    def __init__(self, config: RoundTripConfig | None = None) -> None:
        super().__init__(config or RoundTripConfig())
        self.is_sent = False

    def on_start(self):
        for instrument_id in self.instrument_ids:
            self.subscribe_book(instrument_id, on="touch")

    def on_book(self, book):
        if not self.is_sent and book.bid_ticks and book.ask_ticks:
            self.is_sent = True
            instrument_id = self.instrument_ids[0]
            self.buy(instrument_id, self.lots(instrument_id, self.config.qty))

    def on_order_filled(self, event):
        if event.order_side == OrderSide.BUY:
            self.sell(event.instrument_id, self.lots(event.instrument_id, str(event.last_qty)))
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def round_trip(folder: Path, **sections: str) -> Path:
    (folder / "round_trip.py").write_text(ROUND_TRIP, encoding="utf-8")
    return write_config(folder, strategy='path = "round_trip.py"', **sections)


# ------------------------------------------------------------------------------------------------------- the command


def test_the_version_is_the_distributions(capsys: Capture) -> None:
    assert tidegate(capsys, "--version").out == f"tidegate {version('tidegate')}\n"


def test_without_a_command_the_help_goes_to_standard_error(capsys: Capture) -> None:
    said = tidegate(capsys)
    assert said.code == 2
    assert said.out == ""
    assert "backtest" in said.err


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ([], ["backtest", "compare", "report", "data", "protocols", "--version"]),
        (["backtest"], ["CONFIG.toml", "--out DIR", "A run that it holds is replaced"]),
        (["compare"], ["--roads A,B,...", "--seeds N", "--workers N", "After Ctrl-C"]),
        (["report"], ["DIR", "the --out of backtest or compare"]),
        (["data"], ["import", "export", "info", "formats"]),
        (["data", "import"], ["FORMAT", "SOURCE", "--out STORE", "--option NAME=VALUE", "--replace"]),
        (["data", "export"], ["nautilus or hftbacktest", "--symbol"]),
        (["data", "info"], ["STORE"]),
        (["protocols"], ["--venue NAME"]),
    ],
)
def test_the_help_of_a_command_names_what_it_takes(capsys: Capture, command: list[str], words: list[str]) -> None:
    said = tidegate(capsys, *command, "--help")
    assert said.code == 0
    text = " ".join(said.out.split())
    assert [word for word in words if word not in text] == []


def test_a_word_that_is_no_command_is_an_error(capsys: Capture) -> None:
    said = tidegate(capsys, "trade")
    assert said.code == 2
    assert "invalid choice: 'trade'" in said.err


def test_help_needs_no_heavy_module() -> None:
    code = "import sys; from framework.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "print(sorted({'numba', 'pyarrow', 'nautilus_trader', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_bug_of_ours_shows_its_traceback(here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise AssertionError("two facts disagree")

    monkeypatch.setattr("framework.backtest.config.load_config", broken)
    with pytest.raises(AssertionError, match="two facts disagree"):
        tidegate(capsys, "backtest", "run.toml", "--out", "run")


def test_an_interrupt_ends_in_one_line_and_130(here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("framework.backtest.runner.Backtest.run", interrupted)
    said = tidegate(capsys, "backtest", write_config(here), "--out", "run")
    assert (said.code, said.err) == (130, "tidegate: interrupted\n")
    assert [path.name for path in here.iterdir()] == ["run.toml"]


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = [sys.executable, "-m", "framework.cli", "protocols"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_standard_output_that_is_full_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "framework.cli", "protocols"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == f"tidegate: standard output: {os.strerror(errno.ENOSPC)}"
    assert "Traceback" not in done.stderr


# ------------------------------------------------------------------------------------------------------- backtest


def test_a_backtest_of_a_users_own_strategy_leaves_a_run_folder_and_prints_its_figures(
    here: Path, capsys: Capture
) -> None:
    said = tidegate(capsys, "backtest", round_trip(here), "--out", here / "run")
    assert said.code == 0, said.err
    assert said.err == ""
    assert re.search(r"^  fills +2$", said.out, re.MULTILINE), said.out
    assert str(here / "run") in said.out.splitlines()[-1]
    assert sorted(path.name for path in (here / "run").iterdir()) == [
        "events.parquet", "queue.parquet", "report.html", "run.toml", "summary.json", "touch.parquet",
    ]  # fmt: skip
    summary = RunFolder.open(here / "run").summary
    assert re.fullmatch(r"[0-9a-f]{64}", summary["event_log_sha256"])
    fills = RunFolder.open(here / "run").events.filter(
        [kind == "fill" for kind in RunFolder.open(here / "run").events.column("kind").to_pylist()]
    )
    assert fills.column("side").to_pylist() == [0, 1]
    assert fills.column("qty_lots").to_pylist() == [100_000, 100_000]


def test_a_parameter_of_the_strategy_comes_from_the_file(here: Path, capsys: Capture) -> None:
    config = round_trip(here)
    config.write_text(config.read_text(encoding="utf-8") + '[strategy.parameters]\nqty = "0.25"\n', encoding="utf-8")
    assert tidegate(capsys, "backtest", config, "--out", here / "run").code == 0
    events = RunFolder.open(here / "run").events
    sent = [lots for name, lots in zip(*(events.column(n).to_pylist() for n in ("name", "qty_lots")), strict=True)
            if name == "AddOrder"]  # fmt: skip
    assert sent[0] == 25_000_000


def test_a_second_run_replaces_the_first_and_nothing_else(here: Path, capsys: Capture) -> None:
    config = round_trip(here, run="seed = 1")
    assert tidegate(capsys, "backtest", config, "--out", here / "run").code == 0
    first = RunFolder.open(here / "run").summary["event_log_sha256"]
    (here / "run" / "notes.txt").write_text("mine", encoding="utf-8")
    assert tidegate(capsys, "backtest", round_trip(here, run="seed = 2"), "--out", here / "run").code == 0
    assert RunFolder.open(here / "run").inputs.seed == 2
    assert RunFolder.open(here / "run").summary["event_log_sha256"] != first
    assert (here / "run" / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert not [path for path in here.iterdir() if path.name.endswith(".partial")]


def test_the_same_configuration_gives_the_same_event_log(here: Path, capsys: Capture) -> None:
    hashes = []
    for name in ("a", "b"):
        tidegate(capsys, "backtest", write_config(here), "--out", here / name)
        hashes.append(RunFolder.open(here / name).summary["event_log_sha256"])
    assert hashes[0] == hashes[1]


def test_a_folder_with_other_things_is_refused_before_the_run(here: Path, capsys: Capture) -> None:
    (here / "mine").mkdir()
    (here / "mine" / "thesis.tex").write_text("", encoding="utf-8")
    error = read_error(tidegate(capsys, "backtest", write_config(here), "--out", "mine"))
    assert error == "mine: holds other things than a run (thesis.tex); name a new folder"
    assert [path.name for path in (here / "mine").iterdir()] == ["thesis.tex"]


def test_an_empty_folder_is_taken(here: Path, capsys: Capture) -> None:
    (here / "run").mkdir()
    assert tidegate(capsys, "backtest", round_trip(here), "--out", "run").code == 0


def test_a_file_in_place_of_the_folder_is_an_error(here: Path, capsys: Capture) -> None:
    (here / "taken").write_text("x", encoding="utf-8")
    error = read_error(tidegate(capsys, "backtest", write_config(here), "--out", "taken"))
    assert error == "taken: is a file; name a folder for the results"


def test_a_folder_that_cannot_be_made_is_an_error_before_the_run(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    config = write_config(here)
    monkeypatch.setattr(Path, "mkdir", refused)
    error = read_error(tidegate(capsys, "backtest", config, "--out", "run"))
    assert error.endswith(
        ".run.partial: Permission denied; no result is in run, see to the disk or name another folder"
    )


def test_a_full_disk_leaves_the_former_run_as_it_was(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = round_trip(here)
    tidegate(capsys, "backtest", config, "--out", "run")
    former = {path.name: path.read_bytes() for path in (here / "run").iterdir()}

    write = pq.write_table

    def full(table: pa.Table, where: Path) -> None:
        if where.name == "queue.parquet":  # the third of the files
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(where))
        write(table, where)

    monkeypatch.setattr("framework.backtest.run_writer.pq.write_table", full)
    error = read_error(tidegate(capsys, "backtest", round_trip(here, run="seed = 2"), "--out", "run"))
    said = "queue.parquet: No space left on device; no result is in run, see to the disk or name another folder"
    assert error.endswith(said), error
    assert {path.name: path.read_bytes() for path in (here / "run").iterdir()} == former
    assert not (here / ".run.partial").exists()


# A configuration that is wrong in one place, and the words that say so. "{}" stands for the configuration's folder.
MISTAKES = [
    ({"market": "duration_s = 0"}, "", "{}/run.toml: [market] duration_s = 0: it must be from 1 to 86,400"),
    (
        {"market": "durations = 20"},
        "",
        "{}/run.toml: [market] has no key durations; it has source, path, symbols, seed, duration_s, depth,",
    ),
    ({"market": 'duration_s = "20"'}, "", '{}/run.toml: [market] duration_s = "20": it must be a whole number'),
    ({"market": "duration_s = 20\nstart_s = 30"}, "", "[market] start_s = 30: BTC/USD ends"),
    (
        {"market": "duration_s = 20\nstart_s = 9\nend_s = 5"},
        "",
        "{}/run.toml: [market] end_s = 5: it must be after start_s, which is 9",
    ),
    ({"market": 'source = "ftp"'}, "", '[market] source = "ftp"; it must be "synthetic" or "store"'),
    (
        {"market": 'source = "store"'},
        "",
        '[market] source = "store" needs path, the folder that `tidegate data import` wrote',
    ),
    (
        {"market": 'source = "store"\npath = "gone"'},
        "",
        "{}/gone/store.json: No such file or directory; {}/gone is not a store,",
    ),
    ({"market": 'depth = "L4"'}, "", '[market] depth = "L4"; it must be "L2" or "L3", or be left out'),
    ({"market": 'queue_model = "luck"'}, "", '[market] queue_model = "luck"; it must be one of risk-averse, power'),
    (
        {"market": "trades_share_ppm = -1"},
        "",
        "{}/run.toml: [market] trades_share_ppm = -1: it must be from 0 to 1,000,000",
    ),
    ({"market": "[oops"}, "", "{}/run.toml: this is not TOML: "),
    (
        {"strategy": 'path = "gone.py"'},
        "",
        "strategy file {}/gone.py does not exist; give its path relative to the configuration file",
    ),
    ({"strategy": ""}, "", "{}/run.toml: [strategy] path is missing; it must be given"),
    (
        {},
        '[strategy.parameters]\nsize = "1"',
        "[strategy.parameters] size: MarketMakerConfig has no such field; it has instruments, qty,",
    ),
    ({}, "[strategy.parameters]\nqty = 1", "[strategy.parameters] qty = 1: it must be text in quotes"),
    (
        {},
        '[strategy.parameters]\nqty = "some"',
        'quantity "some": it must be a decimal of 0 or more in units of the base asset',
    ),
    (
        {},
        '[strategy.parameters]\nqty = "0.0000000001"',
        "quantity 0.0000000001 is not a multiple of 0.00000001 of BTC/USD",
    ),
    (
        {},
        '[strategy.parameters]\ninstruments = ["ETH/USD"]',
        "instruments: 'ETH/USD' is not in the run; it has BTC/USD",
    ),
    ({"venue": 'profile = "nowhere"'}, "", '[venue] profile = "nowhere" is not there; installed: kraken'),
    ({"venue": 'profile = "bitstamp"'}, "", '[venue] profile = "bitstamp" is not there; installed: kraken'),
    ({"venue": 'tier = "gold"'}, "", "[venue] tier: no tier 'gold'; there is starter, intermediate, pro"),
    (
        {"venue": 'volume_30d_usd = "much"'},
        "",
        '{}/run.toml: [venue] volume_30d_usd = "much": it must be a decimal of 0 or more, in quotes',
    ),
    (
        {"venue": 'switches = { light = "on" }'},
        "",
        "[venue.switches] no switch 'light'; there is mass_cancel_account_scope,",
    ),
    (
        {"venue": 'switches = { rate_check = "never" }'},
        "",
        "[venue.switches] switch 'rate_check' has no value 'never'; it has before, after",
    ),
    (
        {},
        '[account.balances]\nUSD = "NaN"',
        '{}/run.toml: [account.balances] USD = "NaN": it must be a decimal of 0 or more, in quotes',
    ),
    ({"road": 'name = "carrier"'}, "", "[road] no road 'carrier'; there is rest, rest+ws, ws1, ws2, fix, fix-colo"),
    ({"road": 'submit = "pigeon"'}, "", "[road] link 'pigeon' is no protocol of kraken; it has rest, ws1, ws2, fix"),
    (
        {"road": 'latency_tier = "moon"'},
        "",
        "[road] latency_tier: no latency tier 'moon'; there is internet, cloud, colo",
    ),
    ({"road": "poll_interval_ms = 0"}, "", "{}/run.toml: [road] poll_interval_ms = 0: it must be 1 or more"),
    ({"road": "latency_scale = -1.0"}, "", "{}/run.toml: [road] latency_scale = -1.0: it must be 0 or more"),
    ({"road": "latency_scale = nan"}, "", "{}/run.toml: [road] latency_scale = nan: it must be 0 or more"),
    ({"run": "queue_sample_ms = -1"}, "", "{}/run.toml: [run] queue_sample_ms = -1: it must be 0 or more"),
    ({}, '[[faults]]\nkind = "meteor"\nat_s = 1', '[[faults]] kind = "meteor"; it must be "drop" or "mode"'),
    (
        {},
        '[[faults]]\nkind = "drop"\nlink = "pigeon"\nat_s = 1',
        '[[faults]] link = "pigeon"; it must be all, rest, ws1, ws2, fix',
    ),
    ({}, '[[faults]]\nkind = "drop"\nat_s = 30', "[[faults]] at_s = 30: the market ends"),
    (
        {},
        '[[faults]]\nkind = "mode"\nmode = "siesta"\nat_s = 1',
        '[[faults]] mode = "siesta"; it must be one of online, cancel_only',
    ),
    (
        {},
        '[[faults]]\nkind = "mode"\nmode = "maintenance"\nsymbol = "A/B"\nat_s = 1',
        '[[faults]] symbol = "A/B"; the run has BTC/USD',
    ),
    ({}, "[[faults]]\nat_s = 1", "{}/run.toml: [[faults]] kind is missing; it must be given"),
]


@pytest.mark.parametrize(("sections", "text", "said"), MISTAKES, ids=[each[2][:60] for each in MISTAKES])
def test_a_mistake_in_the_configuration_is_one_line(
    here: Path, capsys: Capture, sections: dict[str, str], text: str, said: str
) -> None:
    config = write_config(here, text, **sections)
    error = read_error(tidegate(capsys, "backtest", config, "--out", "out"))
    assert error.startswith(said.replace("{}", str(here))), error
    assert not (here / "out").exists()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def f(:", "strategy file {} does not import: SyntaxError: invalid syntax"),
        (
            "import not_there",
            "strategy file {} does not import: ModuleNotFoundError: No module named 'not_there' ({}, line 1,",
        ),
        ("raise RuntimeError('no')", "strategy file {} does not import: RuntimeError: no ({}, line 1, in <module>)"),
        ("import sys\nsys.exit(3)", "strategy file {} does not import: SystemExit: 3 ({}, line 2, in <module>)"),
        ("x = 1", "{} has no strategy; write a class in it that extends framework.strategy.Strategy"),
        (
            "from framework.strategy import Strategy\nclass A(Strategy): ...\nclass B(Strategy): ...",
            '{} has 2 strategy classes; name one in [strategy] name = "...": A, B',
        ),
        (
            "from framework.strategy import Strategy\nclass A(Strategy):\n    def __init__(self, config: 'Gone'): ...",
            "{}: the annotations of A.__init__ name what the file does not import: name 'Gone' is not defined",
        ),
    ],
)
def test_a_mistake_in_the_strategy_file_is_one_line(here: Path, capsys: Capture, code: str, said: str) -> None:
    file = here / "mine.py"
    file.write_text(code, encoding="utf-8")
    error = read_error(tidegate(capsys, "backtest", write_config(here, strategy='path = "mine.py"'), "--out", "out"))
    assert error.startswith(said.replace("{}", str(file))), error


def test_a_strategy_class_that_is_not_there_is_one_line(here: Path, capsys: Capture) -> None:
    config = round_trip(here)
    config.write_text(config.read_text(encoding="utf-8").replace('.py"', '.py"\nname = "Lost"'), encoding="utf-8")
    error = read_error(tidegate(capsys, "backtest", config, "--out", "out"))
    assert error == f"{here}/round_trip.py has no strategy class Lost; it has RoundTrip"


RAISING = """
from framework.strategy import Strategy


class Raising(Strategy):
    def __init__(self, config=None):
        super().__init__(config)
        {made}

    def on_start(self):
        {started}
        self.subscribe_book(self.instrument_ids[0], on="change")

    def on_book(self, book):
        {book}
"""


@pytest.mark.parametrize(("where", "line"), [("started", 11), ("book", 15)])
def test_a_strategy_that_raises_shows_its_traceback_and_says_where_and_when(
    here: Path, capsys: Capture, where: str, line: int
) -> None:
    code = RAISING.format(**{"made": "pass", "started": "pass", "book": "pass"} | {where: "1 / 0"})
    (here / "raising.py").write_text(code, encoding="utf-8")
    said = tidegate(capsys, "backtest", write_config(here, strategy='path = "raising.py"'), "--out", "out")
    assert said.code == 1
    assert said.err.startswith("Traceback (most recent call last):")
    last = said.err.splitlines()[-1]
    place = f"{here}/raising.py, line {line}, in on_{'start' if where == 'started' else 'book'}"
    assert last.startswith(f"tidegate: strategy Raising raised ZeroDivisionError: division by zero ({place}) at 2024-")
    assert not (here / "out").exists()


def test_a_strategy_whose_constructor_raises_says_where(here: Path, capsys: Capture) -> None:
    (here / "raising.py").write_text(RAISING.format(made="1 / 0", started="pass", book="pass"), encoding="utf-8")
    said = tidegate(capsys, "backtest", write_config(here, strategy='path = "raising.py"'), "--out", "out")
    assert said.code == 1
    assert said.err.splitlines()[-1] == (
        "tidegate: strategy Raising cannot be made: ZeroDivisionError: division by zero "
        f"({here}/raising.py, line 8, in __init__)"
    )


def test_a_configuration_that_is_not_there_is_one_line(here: Path, capsys: Capture) -> None:
    error = read_error(tidegate(capsys, "backtest", "gone.toml", "--out", "out"))
    assert error == "gone.toml: there is no such file; name a run configuration in TOML"


def test_a_folder_in_place_of_the_configuration_is_one_line(here: Path, capsys: Capture) -> None:
    error = read_error(tidegate(capsys, "backtest", ".", "--out", "out"))
    assert error == ".: Is a directory; name a run configuration in TOML"


# ------------------------------------------------------------------------------------------------------- compare


def test_a_comparison_runs_roads_and_seeds_and_says_what_it_found(here: Path, capsys: Capture) -> None:
    command = ["compare", write_config(here), "--roads", "ws2, fix", "--seeds", "2", "--workers", "1", "--out", "both"]
    said = tidegate(capsys, *command)
    assert said.code == 0, said.err
    assert "\nmarket_maker over 2 roads, 2 seeds. " in said.out
    assert max(len(line) for line in said.out.splitlines()) <= 160
    assert re.search(r"^ +ws2 +fix$", said.out, re.MULTILINE), said.out
    both = here / "both"
    assert sorted(path.name for path in both.iterdir()) == [
        "comparison.json", "comparison.txt", "fix", "report.html", "ws2",
    ]  # fmt: skip
    runs = {(run.parent.name, run.name): RunFolder.open(run).inputs for road in ("ws2", "fix")
            for run in (both / road).iterdir()}  # fmt: skip
    assert sorted(runs) == [("fix", "1"), ("fix", "2"), ("ws2", "1"), ("ws2", "2")]
    assert all(inputs.road == road and inputs.seed == int(seed) for (road, seed), inputs in runs.items())
    assert runs["ws2", "1"].span_ns == runs["fix", "1"].span_ns
    assert runs["ws2", "1"].span_ns != runs["ws2", "2"].span_ns
    assert (both / "comparison.txt").read_text(encoding="utf-8") in said.out


def test_a_comparison_is_the_same_over_several_processes(here: Path, capsys: Capture) -> None:
    config = write_config(here)
    for workers in (1, 2):
        out = f"workers-{workers}"
        roads = ["--roads", "rest,ws2", "--seeds", "1"]
        said = tidegate(capsys, "compare", config, *roads, "--workers", workers, "--out", out)
        assert said.code == 0, said.err
    one, two = (json.loads((here / f"workers-{n}" / "comparison.json").read_text(encoding="utf-8")) for n in (1, 2))
    assert one == two


def test_a_second_comparison_replaces_the_runs_of_the_first(here: Path, capsys: Capture) -> None:
    config = round_trip(here)
    assert tidegate(capsys, "compare", config, "--roads", "ws2,fix", "--seeds", "1", "--workers", "1", "--out", "c").code == 0  # fmt: skip # noqa: E501
    (here / "c" / "notes.txt").write_text("mine", encoding="utf-8")
    assert tidegate(capsys, "compare", config, "--roads", "rest", "--seeds", "1", "--workers", "1", "--out", "c").code == 0  # fmt: skip # noqa: E501
    assert sorted(path.name for path in (here / "c").iterdir()) == [
        "comparison.json", "comparison.txt", "notes.txt", "report.html", "rest",
    ]  # fmt: skip


def test_a_comparison_is_not_written_over_a_run_or_other_things(here: Path, capsys: Capture) -> None:
    config = round_trip(here)
    tidegate(capsys, "backtest", config, "--out", "run")
    (here / "mine").mkdir()
    (here / "mine" / "a.txt").write_text("", encoding="utf-8")
    for folder, said in (
        ("run", "run: holds one run, not a comparison; name a new folder"),
        ("mine", "mine: holds other things than a comparison (a.txt); name a new folder"),
    ):
        assert read_error(tidegate(capsys, "compare", config, "--seeds", "1", "--out", folder)) == said


def test_a_run_is_not_written_over_a_comparison(here: Path, capsys: Capture) -> None:
    config = round_trip(here)
    tidegate(capsys, "compare", config, "--roads", "fix", "--seeds", "1", "--workers", "1", "--out", "c")
    error = read_error(tidegate(capsys, "backtest", config, "--out", "c"))
    assert error.startswith("c: holds other things than a run (comparison.json, comparison.txt, fix")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--roads", "carrier"],
            "--roads carrier: there is no road 'carrier'; there is rest, rest+ws, ws1, ws2, fix, fix-colo",
        ),
        (["--roads", "ws2,"], "--roads ws2,: there is no road ''; there is rest, rest+ws, ws1, ws2, fix, fix-colo"),
        (["--roads", "ws2,ws2"], "a road is named twice (ws2, ws2); name each once"),
    ],
)
def test_a_road_that_cannot_be_compared_is_one_line(
    here: Path, capsys: Capture, arguments: list[str], said: str
) -> None:
    assert read_error(tidegate(capsys, "compare", write_config(here), *arguments, "--out", "out")) == said
    assert not (here / "out").exists()


@pytest.mark.parametrize("seeds", ["0", "-1", "some", "1.5"])
def test_a_number_of_seeds_that_is_none_is_an_error(here: Path, capsys: Capture, seeds: str) -> None:
    said = tidegate(capsys, "compare", write_config(here), f"--seeds={seeds}", "--out", "out")
    assert said.code == 2
    assert f"argument --seeds: '{seeds}' is not a whole number above 0" in said.err


RAISES_OVER_FIX = """
from framework.strategy import Strategy


class Raising(Strategy):
    def on_start(self):
        self.subscribe_book(self.instrument_ids[0], on="change")

    def on_book(self, book):
        self.buy(self.instrument_ids[0], 100_000)

    def on_order_filled(self, event):
        if list(self._port.links) != ["ws2", "rest"]:
            raise LookupError("this road is closed")
        self.stop()
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_one_run_of_a_comparison_leaves_no_comparison(here: Path, capsys: Capture, workers: int) -> None:
    (here / "raising.py").write_text(RAISES_OVER_FIX, encoding="utf-8")
    config = write_config(here, strategy='path = "raising.py"')
    said = tidegate(capsys, "compare", config, "--roads", "ws2,fix", "--seeds", "1", "--workers", workers, "--out", "c")
    assert said.code == 1
    assert "Traceback" in said.err
    assert said.err.splitlines()[-1].startswith("tidegate: strategy Raising raised LookupError: this road is closed (")
    left = sorted(str(path.relative_to(here / "c")) for path in (here / "c").rglob("*") if path.is_file()) if (here / "c").exists() else []  # fmt: skip # noqa: E501
    assert not [
        name for name in left if name in ("comparison.json", "report.html") or "partial" in name or "fix" in name
    ]
    if workers == 1:  # the first road was done by then
        assert said.err.rstrip().endswith("; 1 of 2 runs were done and are in c; no comparison")
        assert "comparison.unfinished" in left
        assert RunFolder.open(here / "c" / "ws2" / "1").inputs.road == "ws2"


def test_an_unfinished_comparison_can_be_run_again(here: Path, capsys: Capture) -> None:
    (here / "raising.py").write_text(RAISES_OVER_FIX, encoding="utf-8")
    config = write_config(here, strategy='path = "raising.py"')
    tidegate(capsys, "compare", config, "--roads", "ws2,fix", "--seeds", "1", "--workers", "1", "--out", "c")
    said = tidegate(capsys, "compare", config, "--roads", "ws2", "--seeds", "1", "--workers", "1", "--out", "c")
    assert said.code == 0, said.err
    assert not (here / "c" / "comparison.unfinished").exists()


def test_a_report_of_an_unfinished_comparison_is_an_error(here: Path, capsys: Capture) -> None:
    (here / "c").mkdir()
    (here / "c" / "comparison.unfinished").write_text("", encoding="utf-8")
    error = read_error(tidegate(capsys, "report", "c"))
    assert error == "c: neither a run nor a comparison; give the --out of either"


# ------------------------------------------------------------------------------------------------------- report


def test_a_report_is_written_anew(here: Path, capsys: Capture) -> None:
    tidegate(capsys, "backtest", round_trip(here), "--out", "run")
    page = here / "run" / "report.html"
    first = page.read_text(encoding="utf-8")
    page.unlink()
    said = tidegate(capsys, "report", "run")
    assert (said.code, said.out) == (0, "run/report.html\n")
    assert page.read_text(encoding="utf-8") == first


@pytest.mark.parametrize("folder", ["gone", "."])
def test_a_report_of_a_folder_without_results_is_one_line(here: Path, capsys: Capture, folder: str) -> None:
    error = read_error(tidegate(capsys, "report", folder))
    assert error == f"{folder}: neither a run nor a comparison; give the --out of either"


# ------------------------------------------------------------------------------------------------------- data

TRADES = """time,price,qty,side
1700000000.000000001,35000.5,0.25,buy
1700000001.5,35000.0,1.5,sell
1700000009.25,35001.0,0.125,buy
"""


def import_trades(here: Path, capsys: Capture, *more: object, text: str = TRADES, out: str = "store") -> str:
    (here / "trades.csv").write_text(text, encoding="utf-8")
    options = ["--option", "symbol=BTC/USD", "--option", "side=side", *more]
    said = tidegate(capsys, "data", "import", "trade-csv", "trades.csv", "--out", out, *options)
    assert said.code == 0, said.err
    return said.out


def test_an_import_says_what_it_stored(here: Path, capsys: Capture) -> None:
    out = import_trades(here, capsys)
    assert "BTC/USD on unknown, trades" in out
    assert re.search(r"grid +tick 0\.5 USD|grid +tick 0\.1 USD, lot 0\.001 BTC", out), out
    assert re.search(r"trades +3, volume 1\.875 BTC", out), out
    assert out.splitlines()[-1] == "1 instrument imported into store"
    columns = Store.open("store").market("BTC/USD").columns
    assert columns.ts_event_ns.tolist() == [1700000000000000001, 1700000001500000000, 1700000009250000000]
    assert columns.side.tolist() == [0, 1, 0]


def test_info_says_of_a_store_what_the_import_said(here: Path, capsys: Capture) -> None:
    imported = import_trades(here, capsys)
    said = tidegate(capsys, "data", "info", "store")
    assert said.code == 0
    assert said.out.strip() == imported.rpartition("1 instrument")[0].strip()


def test_a_store_is_replaced_only_when_asked(here: Path, capsys: Capture) -> None:
    import_trades(here, capsys)
    command = ["data", "import", "trade-csv", "trades.csv", "--option", "symbol=ETH/USD", "--out", "store"]
    error = read_error(tidegate(capsys, *command))
    assert error == "store: already exists; choose another folder or remove it first"
    assert Store.open("store").symbols == ("BTC/USD",)
    assert tidegate(capsys, *command, "--replace").code == 0
    assert Store.open("store").symbols == ("ETH/USD",)


@pytest.mark.parametrize("name", ["nautilus", "hftbacktest"])
def test_a_store_comes_back_from_an_export(here: Path, capsys: Capture, name: str) -> None:
    import_trades(here, capsys)
    said = tidegate(capsys, "data", "export", name, "store", "--out", "there")
    assert said.code == 0, said.err
    assert "BTC/USD: 3 rows into" in said.out
    source = "there" if name == "nautilus" else "there/BTC-USD.npz"
    options = [] if name == "nautilus" else ["symbol=BTC/USD", "tick_size=0.5", "lot_size=0.001"]
    given = [word for option in options for word in ("--option", option)]
    assert tidegate(capsys, "data", "import", name, source, "--out", "back", *given).code == 0
    here_, there = (Store.open(folder).market("BTC/USD") for folder in ("store", "back"))
    assert there.columns.ts_event_ns.tolist() == here_.columns.ts_event_ns.tolist()
    assert there.columns.side.tolist() == here_.columns.side.tolist()
    for market in (here_, there):
        spec = market.spec
        assert [str(spec.price(ticks).normalize()) for ticks in market.columns.price_ticks.tolist()] == ["35000.5", "3.5E+4", "35001"]  # fmt: skip # noqa: E501
        assert [str(spec.qty(lots).normalize()) for lots in market.columns.qty_lots.tolist()] == ["0.25", "1.5", "0.125"]  # fmt: skip # noqa: E501


@pytest.mark.parametrize("name", ["nautilus", "hftbacktest"])
def test_an_export_overwrites_nothing(here: Path, capsys: Capture, name: str) -> None:
    import_trades(here, capsys)
    command = ["data", "export", name, "store", "--out", "there"]
    assert tidegate(capsys, *command).code == 0
    assert "already" in read_error(tidegate(capsys, *command))
    (here / "file").write_text("x", encoding="utf-8")
    assert read_error(tidegate(capsys, *command[:-1], "file")) == "file: is a file; name a folder for the export"


def test_an_export_of_an_unknown_symbol_is_one_line(here: Path, capsys: Capture) -> None:
    import_trades(here, capsys)
    error = read_error(tidegate(capsys, "data", "export", "nautilus", "store", "--out", "x", "--symbol", "A/B"))
    assert error == "store: no instrument 'A/B'; the store has BTC/USD"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["ftp", "trades.csv"],
            "there is no format 'ftp'; there is bitstamp-l3, hftbacktest, kraken-l2-csv, kraken-l3-csv,",
        ),
        (["trade-csv", "trades.csv"], "trade CSV: symbol is not given"),
        (["trade-csv", "gone.csv", "--option", "symbol=A/B"], "gone.csv: "),
        (["trade-csv", "trades.csv", "--option", "symbol"], "--option symbol: it must be NAME=VALUE"),
        (
            ["trade-csv", "trades.csv", "--option", "colour=red"],
            "format trade-csv has no option 'colour'; its options are: buy,",
        ),
        (
            ["trade-csv", "trades.csv", "--option", "symbol=A/B", "--option", "tick_size=some"],
            "trades.csv: a grid's step must be a positive decimal, not 'some'",
        ),
        (
            ["trade-csv", "trades.csv", "--option", "symbol=AB"],
            "trades.csv (AB): symbol 'AB' has no base and quote; write it as BASE/QUOTE",
        ),
    ],
)
def test_a_mistake_in_an_import_is_one_line_and_leaves_no_store(
    here: Path, capsys: Capture, arguments: list[str], said: str
) -> None:
    (here / "trades.csv").write_text(TRADES, encoding="utf-8")
    error = read_error(tidegate(capsys, "data", "import", *arguments, "--out", "store"))
    assert error.startswith(said), error
    assert sorted(path.name for path in here.iterdir()) == ["trades.csv"]


def test_rows_that_go_back_in_time_name_their_line(here: Path, capsys: Capture) -> None:
    (here / "trades.csv").write_text("1700000002,1,1\n1700000001,1,1\n", encoding="utf-8")
    command = ["data", "import", "trade-csv", "trades.csv", "--option", "symbol=A/B", "--out", "store"]
    error = read_error(tidegate(capsys, *command))
    assert error.startswith("trades.csv, line 2: the time goes back from 1700000002 to 1700000001"), error
    assert tidegate(capsys, *command, "--option", "sort=yes").code == 0


def test_a_damaged_store_is_one_line(here: Path, capsys: Capture) -> None:
    import_trades(here, capsys)
    file = here / "store" / "BTC-USD.arrow"
    file.write_bytes(file.read_bytes()[:100])
    error = read_error(tidegate(capsys, "data", "info", "store"))
    assert re.fullmatch(r"store/BTC-USD\.arrow: truncated, 100 bytes where store\.json says \d+; import again", error)


def test_what_is_no_store_is_one_line(here: Path, capsys: Capture) -> None:
    error = read_error(tidegate(capsys, "data", "info", "gone"))
    assert error.startswith("gone/store.json: No such file or directory; gone is not a store, make one with")


def test_the_formats_are_listed_with_their_options(capsys: Capture) -> None:
    out = tidegate(capsys, "data", "formats").out
    names = [line for line in out.splitlines() if not line.startswith(" ")]
    assert names == [
        "bitstamp-l3", "hftbacktest", "kraken-l2-csv", "kraken-l3-csv", "kraken-trades", "kraken-ws1", "nautilus",
        "recording", "trade-csv",
    ]  # fmt: skip
    assert "    --option symbol=...  canonical name of the pair, BASE/QUOTE; must be given" in out.splitlines()


# ------------------------------------------------------------------------------------------------------- protocols


def test_the_protocols_are_those_of_the_profile(capsys: Capture) -> None:
    said = tidegate(capsys, "protocols")
    assert said.code == 0
    assert [word for word in ("REST", "WebSocket v2", "FIX", "co-located") if word not in said.out] == []
    assert tidegate(capsys, "protocols", "--venue", "kraken").out == said.out


def test_a_venue_that_is_not_there_is_one_line(capsys: Capture) -> None:
    assert (
        read_error(tidegate(capsys, "protocols", "--venue", "nowhere"))
        == "there is no venue 'nowhere'; there is kraken"
    )
