"""``tidegate data``: what it stores, gives back and tells, and what it says of every mistake."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from framework.data.store import Store
from tests.framework.command import Capture, read_error, tidegate

pytestmark = pytest.mark.slow


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
