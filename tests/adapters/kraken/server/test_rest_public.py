"""Public requests (rest-api, Market Data)."""

from __future__ import annotations

import pytest

from adapters.kraken.server.http import HttpRequest
from framework.data.columns import ADD, TRADE
from framework.protocol import BUY, SELL, VenueMode
from tests.adapters.kraken.server.rest_rig import Rest, envelope
from tests.framework.venue.served.served_rig import SECOND, START, TRADING


def test_time_is_the_venues() -> None:
    assert Rest().public("Time")["result"] == {"unixtime": 1_800_000_000, "rfc1123": "Fri, 15 Jan 27 08:00:00 +0000"}


def test_status_is_the_mode_of_the_engine() -> None:
    rest = Rest()
    assert rest.public("SystemStatus")["result"] == {"status": "online", "timestamp": "2027-01-15T08:00:00Z"}
    rest.host.set_mode(VenueMode.CANCEL_ONLY, None)
    assert rest.public("SystemStatus")["result"]["status"] == "cancel_only"


def test_assets_have_their_old_names_and_decimals() -> None:
    assets = Rest().public("Assets")["result"]
    assert assets["XXBT"] == {
        "aclass": "currency", "altname": "XBT", "decimals": 10, "display_decimals": 5, "status": "enabled",
        "collateral_value": 1.0,
    }  # fmt: skip
    assert (assets["ZUSD"]["altname"], assets["ZUSD"]["decimals"]) == ("USD", 4)


@pytest.mark.parametrize("name", ["XBTUSD", "XXBTZUSD", "BTC/USD", "XBT/USD"])
def test_a_pair_is_found_by_each_of_its_names(name: str) -> None:
    (row,) = Rest().public("AssetPairs", pair=name)["result"].values()
    assert (row["altname"], row["wsname"], row["base"], row["quote"]) == ("XBTUSD", "XBT/USD", "XXBT", "ZUSD")
    assert (row["pair_decimals"], row["tick_size"], row["fees"][0]) == (1, "0.1", [0, 0.4])


@pytest.mark.parametrize(("asked", "name"), [("BTC/USD", "BTC/USD"), ("XBT/USD", "XXBTZUSD"), ("XBTUSD", "XXBTZUSD")])
def test_a_pair_that_is_asked_for_by_its_symbol_is_described_under_it(asked: str, name: str) -> None:
    assert list(Rest().public("AssetPairs", pair=asked)["result"]) == [name]


def test_a_subset_of_the_description_of_a_pair_is_given_where_asked_for() -> None:
    row = Rest().public("AssetPairs", info="margin")["result"]["XXBTZUSD"]
    assert row == {"margin_call": 80, "margin_stop": 40}


@pytest.mark.parametrize(
    ("request_name", "params", "error"),
    [
        ("AssetPairs", {"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ("Assets", {"asset": "NOPE"}, "EQuery:Unknown asset"),
        ("Depth", {}, "EGeneral:Invalid arguments:pair"),
        ("Depth", {"pair": "XBTUSD", "count": 501}, "EGeneral:Invalid arguments:count"),
        ("OHLC", {"pair": "XBTUSD", "interval": 2}, "EGeneral:Invalid arguments:interval"),
        ("Trades", {"pair": "XBTUSD", "since": "yesterday"}, "EGeneral:Invalid arguments:since"),
        ("GroupedBook", {"pair": "BTC/USD", "depth": 11}, "EGeneral:Invalid arguments:depth"),
        ("Nothing", {}, "EGeneral:Unknown method"),
        ("AssetPairs", {"info": "odd"}, "EGeneral:Invalid arguments:info"),
        ("AssetPairs", {"execution_venue": "moon"}, "EGeneral:Invalid arguments:execution_venue"),
        ("AssetPairs", {"country_code": "USA"}, "EGeneral:Invalid arguments:country_code"),
        ("AssetPairs", {"pair": "XBTUSD", "aclass_base": "tokenized_asset"}, "EQuery:Unknown asset pair"),
        ("Assets", {"asset": "XBT", "aclass": "tokenized_asset"}, "EQuery:Unknown asset"),
        ("Assets", {"aclass": "odd"}, "EGeneral:Invalid arguments:aclass"),
        ("Ticker", {"pair": "XBTUSD", "asset_class": "tokenized_asset"}, "EQuery:Unknown asset pair"),
        ("Ticker", {"pair": "XBTUSD,NOPE"}, "EQuery:Unknown asset pair"),
        ("OHLC", {"pair": "XBTUSD", "since": "x"}, "EGeneral:Invalid arguments:since"),
        ("Depth", {"pair": "XBTUSD", "count": 0}, "EGeneral:Invalid arguments:count"),
        ("Spread", {"pair": "XBTUSD", "since": "-1"}, "EGeneral:Invalid arguments:since"),
        ("Trades", {"pair": "XBTUSD", "count": 1001}, "EGeneral:Invalid arguments:count"),
        ("Trades", {"pair": "XBTUSD", "since": "\u0661"}, "EGeneral:Invalid arguments:since"),
        ("GroupedBook", {"pair": "BTC/USD", "grouping": 7}, "EGeneral:Invalid arguments:grouping"),
        ("PreTrade", {}, "EGeneral:Invalid arguments:symbol"),
        ("PostTrade", {"symbol": "NOPE"}, "EQuery:Unknown asset pair"),
        ("PostTrade", {"from_ts": "yesterday"}, "EGeneral:Invalid arguments:from_ts"),
        ("PostTrade", {"to_ts": "2027-13-01T00:00:00Z"}, "EGeneral:Invalid arguments:to_ts"),
    ],
)
def test_a_request_that_makes_no_sense_gets_its_error(request_name: str, params: dict[str, str], error: str) -> None:
    assert Rest().public(request_name, **params) == {"error": [error]}


def test_ticker_shows_book_trades_and_day() -> None:
    rest = Rest(TRADING)
    rest.host.run_until(START + round(2.5 * SECOND))
    row = rest.public("Ticker", pair="XBTUSD")["result"]["XXBTZUSD"]
    assert row["a"] == ["100.20000", "0", "0.010"]
    assert row["c"] == ["99.90000", "0.00300000"]
    assert row["t"][1] == 4  # two in the past, two now
    assert row["l"][1] == "99.90000"
    assert row["h"][1] == "100.00000"


def test_depth_shows_levels_best_first_with_client_orders_in_them() -> None:
    rest = Rest()
    rest.add(price="100.1", volume="0.5")
    depth = rest.public("Depth", pair="XBTUSD", count=2)["result"]["XXBTZUSD"]
    assert depth["bids"] == [["100.10000", "0.500", 1_800_000_000], ["100.00000", "0.010", 1_800_000_000]]
    assert depth["asks"] == [["100.20000", "0.010", 1_800_000_000]]


def test_groups_round_bids_down_and_asks_up() -> None:
    book = Rest().public("GroupedBook", pair="BTC/USD", grouping=5)["result"]
    assert book["bids"] == [{"price": "100.00000", "qty": "0.01000000"}]
    assert book["asks"] == [{"price": "100.50000", "qty": "0.01000000"}]


def test_trades_are_paged_by_the_last_time_of_the_page_before() -> None:
    rest = Rest(TRADING)
    rest.host.run_until(START + 5 * SECOND)
    first = rest.public("Trades", pair="XBTUSD", since=0, count=3)["result"]
    rows = first["XXBTZUSD"]
    assert [row[0] for row in rows] == ["100.00000", "99.90000", "100.00000"]
    assert rows[0][3:] == ["s", "l", "", 1]
    second = rest.public("Trades", pair="XBTUSD", since=first["last"], count=3)["result"]
    assert [row[6] for row in second["XXBTZUSD"]] == [4]


def test_ohlc_gives_the_running_candle_and_the_last_committed_id() -> None:
    rest = Rest(TRADING)
    rest.host.run_until(START + 65 * SECOND)
    result = rest.public("OHLC", pair="XBTUSD")["result"]
    rows = result["XXBTZUSD"]
    assert [row[0] for row in rows] == [1_799_999_940, 1_800_000_000, 1_800_000_060]
    assert result["last"] == 1_800_000_000
    assert rows[1][1:5] == ["100.0", "100.0", "99.9", "99.9"]
    since = rest.public("OHLC", pair="XBTUSD", since=result["last"])["result"]["XXBTZUSD"]
    assert [row[0] for row in since] == [1_800_000_060]


def test_spread_lists_changes_of_the_best_prices() -> None:
    rest = Rest()
    rest.host.run_until(START + SECOND)
    rest.add(price="100.1", volume="0.5")
    rows = rest.public("Spread", pair="XBTUSD")["result"]["XXBTZUSD"]
    assert rows[-1] == [1_800_000_001, "100.10000", "100.20000"]


def test_there_are_no_tokenized_assets_and_no_other_venue() -> None:
    rest = Rest()
    assert rest.public("Assets", aclass="tokenized_asset")["result"] == {}
    assert rest.public("AssetPairs", aclass_base="tokenized_asset")["result"] == {}
    assert rest.public("AssetPairs", execution_venue="bitnomial_exchange")["result"] == {}
    assert len(rest.public("AssetPairs", execution_venue="international,bitnomial_exchange")["result"]) == 1


def test_a_public_request_may_be_posted_as_json() -> None:
    rest = Rest()
    request = HttpRequest(
        method="GET", path="/0/public/GroupedBook", query="", headers={"Content-Type": "application/json"},
        body=b'{"pair":"BTC/USD","depth":10,"grouping":5}', peer="127.0.0.1",
    )  # fmt: skip
    assert envelope(rest.send(request)[0])["result"]["grouping"] == 5


def test_trades_of_one_instant_are_not_torn_apart_by_a_page() -> None:
    at_once = [(1.0, TRADE, SELL, 1000, lots, 1) for lots in (1, 2, 3)]
    rest = Rest([*at_once, (3600.0, ADD, BUY, 900, 1, 3)])
    rest.host.run_until(START + 5 * SECOND)
    past = rest.public("Trades", pair="XBTUSD", since=0, count=4)["result"]
    assert [row[1] for row in past["XXBTZUSD"]] == ["0.00010000", "0.00020000", "0.00030000"]
    now = rest.public("Trades", pair="XBTUSD", since=past["last"], count=2)["result"]
    assert [row[1] for row in now["XXBTZUSD"]] == ["0.00010000", "0.00020000"]  # they do not fit: the page is full


def test_the_best_levels_are_published_with_their_sides() -> None:
    book = Rest().public("PreTrade", symbol="BTC/USD")["result"]
    assert (book["symbol"], book["base_notation"], book["venue"]) == ("BTC/USD", "NOML", "PGSL")
    assert book["bids"] == [
        {"side": "BUY", "price": "100.0", "qty": "0.01000000", "count": 1,
         "publication_ts": "2027-01-15T08:00:00.000000000Z"},
    ]  # fmt: skip


def test_trades_are_published_after_a_time_up_to_a_time() -> None:
    rest = Rest(TRADING)
    rest.host.run_until(START + 5 * SECOND)
    everything = rest.public("PostTrade")["result"]
    assert everything["count"] == 4
    since = {"from_ts": "2027-01-15T08:00:01.000000000Z", "to_ts": "2027-01-15T09:00:02+01:00"}
    result = rest.public("PostTrade", symbol="BTC/USD", **since)["result"]
    assert [(trade["price"], trade["trade_ts"]) for trade in result["trades"]] == [
        ("99.9", "2027-01-15T08:00:02.000000000Z")]  # fmt: skip
    assert result["last_ts"] == "2027-01-15T08:00:02.000000000Z"
    assert rest.public("PostTrade", from_ts=everything["trades"][0]["trade_ts"], count=1)["result"]["count"] == 1
    assert rest.public("PostTrade", count=1)["result"]["trades"] == everything["trades"][-1:]
