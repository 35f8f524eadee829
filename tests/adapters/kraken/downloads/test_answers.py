"""What a download makes of Kraken's answers.

Pages: rest-api/get-recent-trades, rest-api/get-tradable-asset-pairs, guides/spot-errors.
"""

from __future__ import annotations

import pytest

from adapters.kraken.downloads.answers import TryAgain, pair_call, read_pair, read_trades, trades_call
from adapters.kraken.errors import SymbolError
from framework.data.downloads import TradePage
from framework.errors import VenueError
from framework.protocol import BUY, SELL

PAGE = b"""{"error":[],"result":{"XXBTZUSD":[
["30243.40000","0.34507674",1688669597.8277369,"b","m","",61044952],
["30243.30000","0.00376960",1688669598.2804112,"s","l","",61044953]],"last":"1688671969993150842"}}"""
PAIR = b"""{"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT","quote":"ZUSD",
"pair_decimals":1,"lot_decimals":8,"cost_decimals":5,"ordermin":"0.0001","costmin":"0.5","tick_size":"0.1",
"fees":[[0,0.4],[10000,0.35]],"status":"online"}}}"""


def test_a_page_has_each_digit_of_the_wire_and_exact_times() -> None:
    assert read_trades(200, PAGE) == TradePage(
        trade_ids=[61044952, 61044953],
        ts_event_ns=[1688669597_827736900, 1688669598_280411200],
        prices=["30243.40000", "30243.30000"],
        qtys=["0.34507674", "0.00376960"],
        sides=[BUY, SELL],
        last_ns=1688671969993150842,
        is_full=False,
    )


def test_a_page_is_asked_for_after_a_time_in_nanoseconds() -> None:
    call = trades_call("BTC/USD", 1688671969993150842)
    assert (call.path, call.query) == ("/0/public/Trades", "pair=XBTUSD&since=1688671969993150842&count=1000")


def test_what_would_be_taken_for_seconds_is_asked_for_from_the_beginning() -> None:
    assert "since=0&" in trades_call("BTC/USD", 10**11).query


def test_the_rules_of_a_pair_are_its_instrument() -> None:
    assert pair_call("BTC/USD").query == "pair=XBTUSD"
    spec = read_pair(200, PAIR, "BTC/USD")
    assert not isinstance(spec, TryAgain)
    assert (spec.tick_size, spec.lot_size, spec.min_qty_lots, spec.min_cost) == ("0.1", "0.00000001", 10_000, "0.5")


def test_another_pair_than_the_one_that_was_asked_for_is_an_error() -> None:
    with pytest.raises(VenueError, match="has no pair ETH/USD"):
        read_pair(200, PAIR, "ETH/USD")


def test_a_symbol_without_a_slash_is_an_error() -> None:
    with pytest.raises(SymbolError):
        pair_call("XBTUSD")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, b'{"error":["EAPI:Rate limit exceeded"]}', "EAPI:Rate limit exceeded"),
        (200, b'{"error":["EGeneral:Too many requests"]}', "EGeneral:Too many requests"),
        (200, b'{"error":["EService:Unavailable"]}', "EService:Unavailable"),
        (429, b"slow down", "HTTP 429"),
        (502, b"<html>bad gateway</html>", "HTTP 502"),
    ],
)
def test_what_passes_is_tried_again(status: int, body: bytes, reason: str) -> None:
    assert read_trades(status, body) == TryAgain(reason)


def test_a_throttled_request_waits_for_the_time_that_is_told() -> None:
    assert read_trades(200, b'{"error":["EService: Throttled: 1785585600"]}') == TryAgain(
        "EService: Throttled: 1785585600", 1785585600
    )


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, b'{"error":["EQuery:Unknown asset pair"]}', "refuses: EQuery:Unknown asset pair"),
        (200, b"<html>", "HTTP 200, and what came is no answer"),
        (404, b"", "HTTP 404, and what came is no answer"),
        (200, b'{"error":[]}', "without a result"),
        (200, b'{"error":[],"result":{"X":[["1","1",1.5,"x","m","",1]],"last":"1"}}', "makes no sense"),
        (200, b'{"error":[],"result":{"X":[]}}', "makes no sense"),
    ],
)
def test_what_does_not_pass_is_an_error(status: int, body: bytes, told: str) -> None:
    with pytest.raises(VenueError, match=told):
        read_trades(status, body)
