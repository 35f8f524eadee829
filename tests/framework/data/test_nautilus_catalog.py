from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BookOrder, OrderBookDelta, OrderBookDepth10, QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide, BookAction, BookType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, TradeId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from framework.data.checks import check_market
from framework.data.columns import ADD, BEST, CLEAR, DELETE, LAST, LEVEL, MODIFY, SNAPSHOT, TRADE, UNKNOWN_SIDE, Market
from framework.data.formats import FORMATS
from framework.data.nautilus_export import export_catalog
from framework.errors import ConfigError, DataError
from framework.protocol import BUY, SELL, InstrumentSpec
from tests.framework.data.markets import START_NS, make_market

FORMAT = FORMATS["nautilus"]
SPEC = InstrumentSpec(
    symbol="BTC/USD", venue="kraken", tick_size="0.1", lot_size="0.00000001", min_qty_lots=5000, min_cost="0.5"
)
ID = InstrumentId.from_str("BTC/USD.KRAKEN")


def read(folder: Path, **options: str) -> Market:
    (imported,) = FORMAT.read(folder, options)
    return imported.market


def rows_of(market: Market) -> list[tuple[int, ...]]:
    c = market.columns
    ids = c.order_id if len(c.order_id) else np.zeros(len(c), dtype=np.int64)
    arrays = (c.ts_event_ns, c.ts_recv_ns, c.kind, c.side, c.price_ticks, c.qty_lots, ids, c.flags)
    return list(zip(*(each.tolist() for each in arrays), strict=True))


PRICES = st.integers(min_value=1, max_value=10**9)
LOTS = st.integers(min_value=1, max_value=10**15)
ROW = st.one_of(
    st.tuples(st.just(LEVEL), st.sampled_from([BUY, SELL]), PRICES, LOTS | st.just(0)),
    st.tuples(st.just(TRADE), st.sampled_from([BUY, SELL, UNKNOWN_SIDE]), PRICES, LOTS),
)


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=20))
def test_a_level_2_market_survives_the_way_there_and_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, ...]]
) -> None:
    market = make_market([*rows, (LEVEL, BUY, 1, 1), (TRADE, BUY, 1, 1)], spec=SPEC)
    folder = tmp_path_factory.mktemp("catalog")
    export_catalog(market, folder)
    back = read(folder)
    assert rows_of(back) == rows_of(market)
    assert (back.spec, back.depth, back.has_trades) == (SPEC, "L2", True)


def test_a_level_3_market_with_snapshot_survives_the_way_there_and_back(tmp_path: Path) -> None:
    rows = [
        (CLEAR, BUY, 0, 0, 0, 0, SNAPSHOT),
        (ADD, BUY, 100, 5, 1, 0, SNAPSHOT),
        (ADD, SELL, 102, 7, 2, 0, SNAPSHOT | LAST),
        (TRADE, BUY, 102, 3, 0, 1000),
        (MODIFY, SELL, 102, 4, 2, 1000),
        (MODIFY, BUY, 99, 6, 1, 2000),
        (DELETE, BUY, 99, 6, 1, 3000),
    ]
    market = make_market(rows, "L3", spec=SPEC)
    export_catalog(market, tmp_path)
    back = read(tmp_path)
    assert rows_of(back) == rows_of(market)
    assert back.depth == "L3"
    check_market(back, "back")


def test_a_level_1_market_survives_as_quotes(tmp_path: Path) -> None:
    rows = [(BEST, BUY, 100, 5, 0, 0, 0), (BEST, SELL, 101, 6, 0, 0, LAST)]
    market = make_market(rows, "L1", spec=SPEC)
    export_catalog(market, tmp_path)
    back = read(tmp_path)
    assert rows_of(back) == rows_of(market)
    assert back.depth == "L1"


def test_nautilus_reads_the_export_and_builds_our_book(tmp_path: Path) -> None:
    rows = [(LEVEL, BUY, 1000, 500), (LEVEL, SELL, 1002, 700), (TRADE, SELL, 1000, 100), (LEVEL, BUY, 1000, 0)]
    export_catalog(make_market([*rows, (LEVEL, BUY, 999, 40)], spec=SPEC), tmp_path)
    catalog = ParquetDataCatalog(str(tmp_path))
    (instrument,) = catalog.instruments()
    assert (str(instrument.price_increment), str(instrument.min_quantity)) == ("0.1", "0.00005000")
    deltas = catalog.order_book_deltas(instrument_ids=[ID.value])
    assert [delta.ts_event for delta in deltas] == [START_NS, START_NS + 1000, START_NS + 3000, START_NS + 4000]
    book = OrderBook(ID, BookType.L2_MBP)
    for delta in deltas:
        book.apply_delta(delta)
    assert (str(book.best_bid_price()), str(book.best_bid_size())) == ("99.9", "0.00000040")
    assert (str(book.best_ask_price()), str(book.best_ask_size())) == ("100.2", "0.00000700")
    (trade,) = catalog.trade_ticks(instrument_ids=[ID.value])
    assert (str(trade.price), str(trade.size), trade.aggressor_side) == ("100.0", "0.00000100", AggressorSide.SELLER)


def order(side: OrderSide, price: str, size: str, order_id: int = 0) -> BookOrder:
    return BookOrder(side, Price.from_str(price), Quantity.from_str(size), order_id)


def test_a_catalog_that_nautilus_wrote_is_read_without_its_instrument(tmp_path: Path) -> None:
    deltas = [
        OrderBookDelta(ID, BookAction.CLEAR, None, 32, 0, 10, 11),
        OrderBookDelta(ID, BookAction.ADD, order(OrderSide.BUY, "100.1", "0.50"), 32 | 128, 1, 10, 11),
        OrderBookDelta(ID, BookAction.DELETE, order(OrderSide.BUY, "100.1", "0.50"), 128, 2, 12, 13),
    ]
    catalog = ParquetDataCatalog(str(tmp_path))
    catalog.write_data(deltas)
    price, size = Price.from_str("100.1"), Quantity.from_str("0.25")
    catalog.write_data([TradeTick(ID, price, size, AggressorSide.NO_AGGRESSOR, TradeId("a"), 12, 14)])
    market = read(tmp_path)
    assert (market.spec.symbol, market.spec.venue) == ("BTC/USD", "kraken")
    assert (market.spec.tick_size, market.spec.lot_size) == ("0.1", "0.01")
    assert rows_of(market) == [
        (10, 11, CLEAR, BUY, 0, 0, 0, SNAPSHOT),
        (10, 11, LEVEL, BUY, 1001, 50, 0, SNAPSHOT | LAST),
        (12, 14, TRADE, UNKNOWN_SIDE, 1001, 25, 0, LAST),
        (12, 13, LEVEL, BUY, 1001, 0, 0, LAST),
    ]


def test_deltas_without_ends_of_messages_end_with_their_time(tmp_path: Path) -> None:
    deltas = [
        OrderBookDelta(ID, BookAction.ADD, order(OrderSide.BUY, "100.1", "0.5"), 0, 0, 10, 10),
        OrderBookDelta(ID, BookAction.ADD, order(OrderSide.BUY, "100.0", "0.5"), 0, 0, 10, 10),
        OrderBookDelta(ID, BookAction.ADD, order(OrderSide.BUY, "99.9", "0.5"), 0, 0, 11, 11),
    ]
    ParquetDataCatalog(str(tmp_path)).write_data(deltas)
    assert read(tmp_path).columns.flags.tolist() == [0, LAST, LAST]


def test_order_ids_make_deltas_level_3_unless_told_otherwise(tmp_path: Path) -> None:
    deltas = [
        OrderBookDelta(ID, BookAction.ADD, order(OrderSide.BUY, "100.1", "0.5", 900), 128, 0, 10, 10),
        OrderBookDelta(ID, BookAction.DELETE, order(OrderSide.BUY, "0.0", "0.0", 900), 128, 0, 11, 11),
    ]
    ParquetDataCatalog(str(tmp_path)).write_data(deltas)
    market = read(tmp_path)
    assert [row[2:7] for row in rows_of(market)] == [(ADD, BUY, 1001, 5, 1), (DELETE, BUY, 1001, 5, 1)]
    assert read(tmp_path, depth="L2").depth == "L2"


def test_ten_level_depths_become_level_changes(tmp_path: Path) -> None:
    def side(which: OrderSide, first: float, step: float, sizes: str) -> list[BookOrder]:
        return [order(which, f"{first + step * i:.1f}", sizes) for i in range(10)]

    counts = [1] * 10
    depths = [
        OrderBookDepth10(
            ID,
            side(OrderSide.BUY, 100.0, -0.1, "0.5"),
            side(OrderSide.SELL, ask, 0.1, "0.5"),
            counts,
            counts,
            0,
            i,
            i,
            i,
        )
        for i, ask in ((10, 100.1), (11, 100.2))
    ]
    ParquetDataCatalog(str(tmp_path)).write_data(depths)
    market = read(tmp_path)
    assert market.depth == "L2"
    assert [row[2:6] for row in rows_of(market)[-2:]] == [(LEVEL, SELL, 1001, 0), (LEVEL, SELL, 1011, 5)]
    check_market(market, "here")


def test_quotes_become_level_1(tmp_path: Path) -> None:
    size = Quantity.from_str("0.5")
    quote = QuoteTick(ID, Price.from_str("100.1"), Price.from_str("100.2"), size, size, 10, 11)
    ParquetDataCatalog(str(tmp_path)).write_data([quote])
    assert rows_of(read(tmp_path)) == [(10, 11, BEST, BUY, 1001, 5, 0, 0), (10, 11, BEST, SELL, 1002, 5, 0, LAST)]


def test_a_second_export_of_an_instrument_is_refused(tmp_path: Path) -> None:
    market = make_market([(LEVEL, BUY, 100, 5)], spec=SPEC)
    export_catalog(market, tmp_path)
    with pytest.raises(DataError) as caught:
        export_catalog(market, tmp_path)
    assert str(caught.value) == f"{tmp_path}: already holds BTC/USD.KRAKEN; export to another folder"


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert str(caught.value) == f"{tmp_path}: no book or trade of any instrument; give a catalog's folder"


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    export_catalog(make_market([(LEVEL, BUY, 100, 5)], spec=SPEC), tmp_path)
    (file,) = (tmp_path / "data" / "order_book_deltas" / "BTCUSD.KRAKEN").glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(DataError, match="not Parquet of a catalog"):
        read(tmp_path)


def rewrite(folder: Path, change: Any) -> None:
    (file,) = (folder / "data" / "order_book_deltas" / "BTCUSD.KRAKEN").glob("*.parquet")
    pq.write_table(change(pq.read_table(file)), file)


def test_a_catalog_of_floats_is_refused(tmp_path: Path) -> None:
    export_catalog(make_market([(LEVEL, BUY, 100, 5)], spec=SPEC), tmp_path)
    rewrite(tmp_path, lambda table: table.set_column(2, "price", pa.array([10.0])))
    with pytest.raises(DataError, match="column price is double, not fixed-point; write the catalog again"):
        read(tmp_path)


def test_a_catalog_without_metadata_is_refused(tmp_path: Path) -> None:
    export_catalog(make_market([(LEVEL, BUY, 100, 5)], spec=SPEC), tmp_path)
    rewrite(tmp_path, lambda table: table.replace_schema_metadata(None))
    with pytest.raises(DataError, match="the schema says no instrument_id"):
        read(tmp_path)


def test_an_option_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    for options, message in (
        ({"book": "candles"}, "book is 'candles'; use auto, none, deltas, depths, quotes"),
        ({"depth": "L9"}, "depth is 'L9'; use auto, L2 or L3"),
    ):
        with pytest.raises(ConfigError) as caught:
            read(tmp_path, **options)
        assert str(caught.value) == message
