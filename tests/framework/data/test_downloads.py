"""Downloads of trades: nothing twice, nothing lost, whatever the pages and wherever it was stopped."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.data.downloads import TradeDownload, TradePage, partial_path
from framework.data.store import Store
from framework.errors import ConfigError, DataError
from framework.protocol import BUY, SELL
from tests.framework.data.markets import START_NS, make_spec

SPEC = make_spec()
END_NS = START_NS + 10**12


class Trade(msgspec.Struct, frozen=True):
    trade_id: int
    ts_ns: int
    price: str = "100.10000"
    qty: str = "0.00000001"


class Tape:
    """Pages of some trades as a venue gives them. most: in a page."""

    def __init__(self, trades: list[Trade], most: int = 3) -> None:
        self.trades = trades
        self.most = most
        self.calls = 0

    def page(self, after_ns: int) -> TradePage:
        self.calls += 1
        found = [trade for trade in self.trades if trade.ts_ns > after_ns][: self.most]
        return TradePage(
            trade_ids=[trade.trade_id for trade in found],
            ts_event_ns=[trade.ts_ns for trade in found],
            prices=[trade.price for trade in found],
            qtys=[trade.qty for trade in found],
            sides=[BUY if trade.trade_id % 2 else SELL for trade in found],
            last_ns=found[-1].ts_ns if found else after_ns,
            is_full=len(found) == self.most,
        )


def begun(folder: Path, from_ns: int = START_NS, to_ns: int = END_NS, origin: str = "here") -> TradeDownload:
    return TradeDownload(folder / "store", SPEC, origin, from_ns, to_ns)


def downloaded(tape: Tape, folder: Path, from_ns: int = START_NS, to_ns: int = END_NS) -> list[int]:
    """The numbers of the trades that are in the store of a download, by their place in time."""
    download = begun(folder, from_ns, to_ns)
    while not download.is_done:
        download.take(tape.page(download.after_ns))
        assert tape.calls < 1000
    download.close()
    download.finish()
    columns = Store.open(folder / "store").market("BTC/USD").columns
    by_time = {trade.ts_ns: trade.trade_id for trade in reversed(tape.trades)}
    return [by_time[ts] for ts in columns.ts_event_ns.tolist()]


def at(*ns: int) -> list[Trade]:
    return [Trade(number, START_NS + after) for number, after in enumerate(ns, 1)]


def test_all_pages_come_into_the_store_in_order_with_side_price_and_quantity(tmp_path: Path) -> None:
    tape = Tape([Trade(n, START_NS + n * 10, f"{n}.50000", f"{n}.00000007") for n in range(1, 9)])
    assert downloaded(tape, tmp_path) == [1, 2, 3, 4, 5, 6, 7, 8]
    market = Store.open(tmp_path / "store").market("BTC/USD")
    assert market.depth == "trades"
    assert market.spec == SPEC
    assert market.columns.price_ticks.tolist() == [n * 10 + 5 for n in range(1, 9)]
    assert market.columns.qty_lots.tolist() == [n * 10**8 + 7 for n in range(1, 9)]
    assert market.columns.side.tolist() == [BUY, SELL] * 4
    assert not partial_path(tmp_path / "store").exists()


def test_trades_of_one_instant_that_a_page_tears_apart_are_had_once_each(tmp_path: Path) -> None:
    tape = Tape(at(1, 2, 2, 2, 3), most=3)
    download = begun(tmp_path)
    while not download.is_done:
        download.take(tape.page(download.after_ns))
    imported = download.finish()
    assert imported.market.columns.ts_event_ns.tolist() == [START_NS + ns for ns in (1, 2, 2, 2, 3)]
    assert imported.statistics["trades_missing"] == 0


def test_an_instant_of_more_than_a_page_is_passed_and_told_as_a_gap(tmp_path: Path) -> None:
    tape = Tape(at(1, 2, 2, 2, 2, 2, 3, 4), most=3)
    download = begun(tmp_path)
    while not download.is_done:
        download.take(tape.page(download.after_ns))
    imported = download.finish()
    assert imported.statistics["trades_missing"] == 2
    assert imported.notes[0].startswith("gap: trades 5 to 6 are missing, between 2023-11-14 22:13:20")


@given(
    steps=st.lists(st.integers(0, 2), min_size=1, max_size=30),
    most=st.integers(6, 12),
    stops=st.sets(st.integers(0, 20)),
    torn=st.integers(0, 50),
)
def test_a_download_that_is_stopped_anywhere_goes_on_without_loss_or_double(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], most: int, stops: set[int], torn: int
) -> None:
    folder = tmp_path_factory.mktemp("d")
    trades, ts = [], START_NS
    for number, step in enumerate(steps, 1):
        # No more of one instant than half a page has.
        ts += max(step, int(len(trades) >= 3 and trades[-3].ts_ns == ts))
        trades.append(Trade(number, ts))
    tape = Tape(trades, most)
    download = begun(folder)
    for _ in range(200):
        if download.is_done:
            break
        if tape.calls in stops:
            stops = stops - {tape.calls}
            download.close()
            partial = partial_path(folder / "store")
            if torn and download.trade_count:
                partial.write_bytes(partial.read_bytes()[:-torn] if torn < 5 else partial.read_bytes() + bytes(torn))
            download = begun(folder)
        download.take(tape.page(download.after_ns))
    download.close()
    columns = download.finish().market.columns
    assert columns.ts_event_ns.tolist() == [trade.ts_ns for trade in trades]


def test_only_trades_from_the_first_moment_up_to_the_last_are_stored(tmp_path: Path) -> None:
    tape = Tape(at(5, 10, 15, 20, 25))
    assert downloaded(tape, tmp_path, START_NS + 10, START_NS + 20) == [2, 3]


def test_a_number_that_is_missing_is_told(tmp_path: Path) -> None:
    trades = at(1, 2, 3, 4, 5)
    tape = Tape([trade for trade in trades if trade.trade_id not in (2, 4)])
    download = begun(tmp_path)
    while not download.is_done:
        download.take(tape.page(download.after_ns))
    imported = download.finish()
    assert imported.statistics["trades_missing"] == 2
    assert [note[:24] for note in imported.notes] == ["gap: trade 2 is missing,", "gap: trade 4 is missing,"]
    assert Store.open(tmp_path / "store").entry("BTC/USD").notes == imported.notes


def test_prices_off_todays_grid_make_a_finer_one_and_that_is_told(tmp_path: Path) -> None:
    tape = Tape([Trade(1, START_NS, "100.12300"), Trade(2, START_NS + 1, "100.1")])
    download = begun(tmp_path)
    while not download.is_done:
        download.take(tape.page(download.after_ns))
    market = download.finish().market
    assert market.spec.tick_size == "0.001"
    assert market.columns.price_ticks.tolist() == [100_123, 100_100]
    assert "off today's grid of 0.1" in Store.open(tmp_path / "store").entry("BTC/USD").notes[0]


def test_a_time_without_trades_stores_nothing(tmp_path: Path) -> None:
    download = begun(tmp_path)
    download.take(Tape([]).page(download.after_ns))
    assert download.is_done
    with pytest.raises(DataError, match="no trade of BTC/USD from 2023-11-14 22:13:20 to"):
        download.finish()
    assert list(tmp_path.iterdir()) == []


def test_the_beginning_of_another_download_is_not_gone_on_with(tmp_path: Path) -> None:
    begun(tmp_path).close()
    with pytest.raises(ConfigError, match=r"beginning of another download: BTC/USD from .* of here"):
        begun(tmp_path, origin="elsewhere")


def test_a_store_that_is_there_is_an_error_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    with pytest.raises(ConfigError, match="already exists"):
        begun(tmp_path)


def test_two_downloads_into_one_store_at_once_are_an_error(tmp_path: Path) -> None:
    download = begun(tmp_path)
    download.take(Tape(at(1, 2)).page(download.after_ns))
    with pytest.raises(ConfigError, match="another process is writing this file"):
        begun(tmp_path)
    download.close()


def test_a_later_end_goes_on_from_the_trades_that_are_there(tmp_path: Path) -> None:
    tape = Tape(at(1, 2, 3, 4, 5, 6, 7, 8))
    download = begun(tmp_path, to_ns=START_NS + 3)
    while not download.is_done:
        download.take(tape.page(download.after_ns))
    download.close()
    calls = tape.calls
    assert downloaded(tape, tmp_path) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert tape.calls - calls < 6
