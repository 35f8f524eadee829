from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.kraken.asset_pairs import read_asset_pairs
from framework.errors import DataError
from framework.protocol import InstrumentSpec
from tests.captures import require_capture


def write(folder: Path, pairs: object) -> Path:
    file = folder / "AssetPairs.json"
    file.write_text(json.dumps(pairs))
    return file


def test_todays_answer_gives_grid_minimums_and_cost_decimals(tmp_path: Path) -> None:
    pair = {
        "wsname": "XBT/USD",
        "pair_decimals": 1,
        "tick_size": "0.5",
        "lot_decimals": 8,
        "ordermin": "0.00005",
        "costmin": "0.5",
        "cost_decimals": 4,
    }
    specs = read_asset_pairs(write(tmp_path, {"error": [], "result": {"XXBTZUSD": pair}}))
    assert specs == {
        "BTC/USD": InstrumentSpec(
            symbol="BTC/USD",
            venue="kraken",
            tick_size="0.5",
            lot_size="0.00000001",
            min_qty_lots=5000,
            min_cost="0.5",
            cost_decimals=4,
        )
    }


def test_an_old_answer_gives_the_grid_by_its_decimals(tmp_path: Path) -> None:
    specs = read_asset_pairs(write(tmp_path, {"SCEUR": {"wsname": "SC/EUR", "pair_decimals": 5, "lot_decimals": 8}}))
    spec = specs["SC/EUR"]
    assert (spec.tick_size, spec.min_qty_lots, spec.min_cost, spec.cost_decimals) == ("0.00001", 1, "0", 5)


def test_dark_pools_and_pairs_without_a_websocket_name_are_left_out(tmp_path: Path) -> None:
    dark = {"wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 8}
    assert read_asset_pairs(write(tmp_path, {"XXBTZUSD.d": dark, "OLD": {"pair_decimals": 1}})) == {}


@pytest.mark.parametrize(
    "answer",
    [[1, 2], {"SCEUR": {"wsname": "SC/EUR"}}, {"X": {"wsname": "SCEUR", "pair_decimals": 1, "lot_decimals": 8}}],
)
def test_what_is_no_such_answer_is_refused(tmp_path: Path, answer: object) -> None:
    file = write(tmp_path, answer)
    with pytest.raises(DataError) as caught:
        read_asset_pairs(file)
    assert str(caught.value).startswith(f"{file}: not an AssetPairs answer (")
    assert str(caught.value).endswith("); save the REST answer unchanged")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="give the file of an AssetPairs answer"):
        read_asset_pairs(tmp_path / "none.json")


def test_the_answer_of_the_capture_is_read() -> None:
    specs = read_asset_pairs(require_capture("kraken-spot-ws1-2021-04") / "AssetPairs.json")
    assert (specs["BTC/CHF"].tick_size, specs["BTC/CHF"].min_qty_lots) == ("0.1", 20_000)
    assert "XBT/CHF" not in specs
