"""Names of pairs and assets on each protocol, both ways."""

from __future__ import annotations

import msgspec
import pytest

from adapters.kraken.errors import KrakenError, SymbolError
from adapters.kraken.symbols import PairNames, SymbolTable, canonical_asset, canonical_symbol, ws1_symbol
from tests.captures import require_capture

# Rows of AssetPairs answers, cut to the fields that name a pair.
ROWS = {
    "XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD", "base": "XXBT", "quote": "ZUSD"},
    "XXBTZUSD.d": {"altname": "XBTUSD.d", "base": "XXBT", "quote": "ZUSD"},
    "XBTUSDT": {"altname": "XBTUSDT", "wsname": "XBT/USDT", "base": "XXBT", "quote": "USDT"},
    "XDGUSD": {"altname": "XDGUSD", "wsname": "XDG/USD", "base": "XXDG", "quote": "ZUSD"},
}
BITCOIN = PairNames(symbol="BTC/USD", ws1="XBT/USD", rest="XBTUSD", rest_id="XXBTZUSD")


@pytest.mark.parametrize("name", ["BTC/USD", "XBT/USD", "XBTUSD", "XXBTZUSD"])
def test_any_name_of_a_pair_finds_all_its_names(name: str) -> None:
    assert SymbolTable.from_asset_pairs(ROWS).names(name) == BITCOIN


def test_a_pair_without_prefix_keeps_its_own_rest_name() -> None:
    assert SymbolTable.from_asset_pairs(ROWS).names("BTC/USDT").rest_id == "XBTUSDT"


def test_doge_is_xdg_on_websocket_v1_and_rest() -> None:
    names = SymbolTable.from_asset_pairs(ROWS).names("DOGE/USD")
    assert (names.ws1, names.rest) == ("XDG/USD", "XDGUSD")


def test_a_dark_pool_is_no_known_pair() -> None:
    with pytest.raises(SymbolError, match=r"XXBTZUSD\.d is no known pair"):
        SymbolTable.from_asset_pairs(ROWS).names("XXBTZUSD.d")


def test_an_unknown_name_is_an_error_of_the_adapter() -> None:
    with pytest.raises(KrakenError, match="MOON/USD is no known pair"):
        SymbolTable.from_asset_pairs(ROWS).names("MOON/USD")


def test_one_name_for_two_pairs_is_an_error() -> None:
    other = PairNames(symbol="BTC/EUR", ws1="XBT/EUR", rest="XBTUSD", rest_id="XXBTZEUR")
    with pytest.raises(SymbolError, match="XBTUSD would mean both BTC/USD and BTC/EUR"):
        SymbolTable([BITCOIN, other])


def test_a_row_without_altname_is_an_error_that_names_the_row() -> None:
    with pytest.raises(SymbolError, match="row XXBTZUSD has no altname"):
        SymbolTable.from_asset_pairs({"XXBTZUSD": {"wsname": "XBT/USD"}})


@pytest.mark.parametrize(
    ("code", "asset"),
    [
        ("XXBT", "BTC"),
        ("XBT", "BTC"),
        ("XXDG", "DOGE"),
        ("XETH", "ETH"),
        ("ZUSD", "USD"),
        ("USD", "USD"),
        ("CHF", "CHF"),
        ("USDT", "USDT"),
    ],
)
def test_assets_lose_the_old_prefix_and_the_old_ticker(code: str, asset: str) -> None:
    assert canonical_asset(code) == asset


@pytest.mark.parametrize("code", ["XTZ", "ZRX", "ZETA", "XCN", "ZK"])
def test_a_ticker_that_begins_with_x_or_z_keeps_it(code: str) -> None:
    assert canonical_asset(code) == code


@pytest.mark.parametrize(
    ("ws1", "symbol"), [("XBT/USD", "BTC/USD"), ("ETH/XBT", "ETH/BTC"), ("XDG/XBT", "DOGE/BTC"), ("ADA/EUR", "ADA/EUR")]
)
def test_websocket_v1_names_translate_both_ways(ws1: str, symbol: str) -> None:
    assert canonical_symbol(ws1) == symbol
    assert ws1_symbol(symbol) == ws1


@pytest.mark.parametrize("name", ["XBTUSD", "XBT/", "/USD", "XBT/USD/EUR", ""])
def test_a_name_that_is_not_two_assets_is_an_error(name: str) -> None:
    with pytest.raises(SymbolError, match="is not a pair"):
        canonical_symbol(name)
    with pytest.raises(SymbolError, match="is not a pair"):
        ws1_symbol(name)


def test_every_pair_of_a_recorded_answer_translates_there_and_back() -> None:
    answer = msgspec.json.decode((require_capture("kraken-spot-ws1-2021-04") / "AssetPairs.json").read_bytes())
    rows = answer["result"]
    table = SymbolTable.from_asset_pairs(rows)
    assert len(table) == 293  # 304 rows, eleven of them dark pools
    for rest_id, row in rows.items():
        if "wsname" in row:
            names = table.names(rest_id)
            assert ws1_symbol(names.symbol) == row["wsname"]
            base, quote = names.symbol.split("/")
            assert (canonical_asset(row["base"]), canonical_asset(row["quote"])) == (base, quote)
