"""``tidegate backtest``: the run folder that it leaves, and what it says of every mistake."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from framework.backtest.run_folder import RunFolder
from tests.framework.command import Capture, read_error, round_trip, tidegate, write_config

pytestmark = pytest.mark.slow


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
