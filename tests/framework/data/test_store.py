from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from framework.data import store as store_module
from framework.data.columns import ADD, CLEAR, COLUMN_TYPES, DELETE, LEVEL, TRADE, Market
from framework.data.store import MANIFEST, OWN_EVENTS, Store, write_store
from framework.errors import DataError
from framework.protocol import BUY, SELL
from tests.framework.data.markets import START_NS, imported, make_columns, make_market, make_spec

L2_ROWS = [(CLEAR, BUY, 0, 0), (LEVEL, BUY, 100, 5), (LEVEL, SELL, 102, 7), (TRADE, BUY, 102, 1), (LEVEL, SELL, 102, 6)]
L3_ROWS = [(ADD, BUY, 100, 5, 1), (ADD, SELL, 102, 7, 2), (DELETE, BUY, 100, 5, 1)]


def write_small(path: Path) -> Path:
    write_store(path, [imported(make_market(L2_ROWS)), imported(make_market(L3_ROWS, "L3", spec=make_spec("ETH/USD")))])
    return path


def test_a_stored_market_comes_back_with_every_column_and_fact(tmp_path: Path) -> None:
    store = Store.open(write_small(tmp_path / "store"))
    assert store.symbols == ("BTC/USD", "ETH/USD")
    for symbol, rows, depth, trades in (("BTC/USD", L2_ROWS, "L2", True), ("ETH/USD", L3_ROWS, "L3", False)):
        market = store.market(symbol)
        assert (market.spec.symbol, market.depth, market.has_trades) == (symbol, depth, trades)
        expected = make_columns(rows)
        for name, dtype in COLUMN_TYPES.items():
            column = getattr(market.columns, name)
            assert column.dtype == dtype
            assert column.tolist() == getattr(expected, name).tolist()


def test_the_manifest_tells_span_rows_source_and_what_the_importer_counted(tmp_path: Path) -> None:
    market = msgspec.structs.replace(
        imported(make_market(L2_ROWS), "capture.tsv"), statistics={"checksums_verified": 9}, notes=("partial",)
    )
    write_store(tmp_path / "store", [market])
    entry = Store.open(tmp_path / "store").entry("BTC/USD")
    assert (entry.rows, entry.source, entry.statistics, entry.notes) == (
        5,
        "capture.tsv",
        {"checksums_verified": 9},
        ("partial",),
    )
    assert (entry.first_ts_event_ns, entry.last_ts_event_ns) == (START_NS, START_NS + 4000)


def test_loaded_columns_are_read_only_views_of_the_mapped_file(tmp_path: Path) -> None:
    before = pa.total_allocated_bytes()
    columns = Store.open(write_small(tmp_path / "store")).market("BTC/USD").columns
    assert pa.total_allocated_bytes() == before
    assert not columns.price_ticks.flags.owndata
    assert not columns.price_ticks.flags.writeable


def test_a_market_without_order_ids_stores_no_such_column(tmp_path: Path) -> None:
    path = write_small(tmp_path / "store")
    with pa.memory_map(str(path / "BTC-USD.arrow")) as source:
        assert "order_id" not in pa.ipc.open_file(source).schema.names
    assert len(Store.open(path).market("BTC/USD").columns.order_id) == 0


def test_a_refused_import_leaves_nothing_behind(tmp_path: Path) -> None:
    bad = make_market([(LEVEL, BUY, 100, 5), (LEVEL, SELL, 100, 5)])
    with pytest.raises(DataError):
        write_store(
            tmp_path / "store", [imported(make_market(L3_ROWS, "L3", spec=make_spec("ETH/USD"))), imported(bad)]
        )
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_behind_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: Path, content: bytes) -> None:
        file.write_bytes(content[:10])
        raise OSError(28, "No space left on device", str(file))

    monkeypatch.setattr(store_module, "_write_synced", full)
    with pytest.raises(DataError) as caught:
        write_small(tmp_path / "store")
    partial = tmp_path / ".store.partial" / MANIFEST
    assert (
        str(caught.value) == f"{partial}: No space left on device; nothing was stored, free the disk and import again"
    )
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_an_import_that_was_killed_are_replaced(tmp_path: Path) -> None:
    (tmp_path / ".store.partial").mkdir()
    (tmp_path / ".store.partial" / "BTC-USD.arrow").write_bytes(b"half")
    write_small(tmp_path / "store")
    assert [each.name for each in tmp_path.iterdir()] == ["store"]
    assert sorted(each.name for each in (tmp_path / "store").iterdir()) == ["BTC-USD.arrow", "ETH-USD.arrow", MANIFEST]


def test_an_existing_store_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    path = write_small(tmp_path / "store")
    one = imported(make_market(L2_ROWS, spec=make_spec("SOL/USD")))
    with pytest.raises(DataError) as caught:
        write_store(path, [one])
    assert str(caught.value) == f"{path}: already exists; choose another folder or remove it first"
    assert Store.open(path).symbols == ("BTC/USD", "ETH/USD")
    write_store(path, [one], is_replacing=True)
    assert Store.open(path).symbols == ("SOL/USD",)
    assert [each.name for each in tmp_path.iterdir()] == ["store"]


def test_a_folder_that_is_no_store_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(DataError, match="already exists"):
        write_store(tmp_path / "thesis", [imported(make_market(L2_ROWS))], is_replacing=True)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"


def test_a_failed_replacement_keeps_the_former_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_small(tmp_path / "store")
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name == ".store.partial":
            raise OSError(5, "Input/output error", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(DataError, match="Input/output error"):
        write_store(path, [imported(make_market(L2_ROWS, spec=make_spec("SOL/USD")))], is_replacing=True)
    assert Store.open(path).symbols == ("BTC/USD", "ETH/USD")
    assert [each.name for each in tmp_path.iterdir()] == ["store"]


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        ((), "{path}: nothing to store; the source holds no instrument"),
        (("BTC/USD", "BTC/USD"), "b: BTC/USD was read twice; import the two sources into two stores"),
        (("../x/USD",), "a: symbol '../x/USD' cannot name a file; use letters, digits, '.', '-' and one '/'"),
    ],
)
def test_a_set_of_markets_that_makes_no_store_is_refused(
    tmp_path: Path, symbols: tuple[str, ...], message: str
) -> None:
    imports = [imported(make_market(L2_ROWS, spec=make_spec(s)), name) for s, name in zip(symbols, "ab", strict=False)]
    with pytest.raises(DataError) as caught:
        write_store(tmp_path / "store", imports)
    assert str(caught.value) == message.format(path=tmp_path / "store")
    assert list(tmp_path.iterdir()) == []


def truncate(file: Path) -> None:
    os.truncate(file, 100)


def lengthen(file: Path) -> None:
    with file.open("ab") as sink:
        sink.write(b"more")


def test_a_truncated_file_is_refused_at_opening(tmp_path: Path) -> None:
    path = write_small(tmp_path / "store")
    file = path / "BTC-USD.arrow"
    length = file.stat().st_size
    truncate(file)
    with pytest.raises(DataError) as caught:
        Store.open(path)
    assert str(caught.value) == f"{file}: truncated, 100 bytes where store.json says {length}; import again"


def test_a_file_that_grew_is_refused_at_opening(tmp_path: Path) -> None:
    path = write_small(tmp_path / "store")
    file = path / "BTC-USD.arrow"
    length = file.stat().st_size
    lengthen(file)
    with pytest.raises(DataError) as caught:
        Store.open(path)
    assert str(caught.value) == f"{file}: too long, {length + 4} bytes where store.json says {length}; import again"


def test_a_missing_file_is_refused_at_opening(tmp_path: Path) -> None:
    path = write_small(tmp_path / "store")
    (path / "BTC-USD.arrow").unlink()
    with pytest.raises(DataError) as caught:
        Store.open(path)
    file = path / "BTC-USD.arrow"
    assert str(caught.value) == f"{file}: No such file or directory; store.json names this file, import again"


def test_a_changed_price_is_noticed_though_the_rows_make_sense(tmp_path: Path) -> None:
    path = write_small(tmp_path / "store")
    file = path / "BTC-USD.arrow"
    content = file.read_bytes()
    place = content.index(np.int64(100).tobytes())
    file.write_bytes(content[:place] + np.int64(99).tobytes() + content[place + 8 :])
    with pytest.raises(DataError) as caught:
        Store.open(path).market("BTC/USD")
    assert str(caught.value) == f"{file}: the contents differ from those that were imported (CRC-32); import again"


def test_a_changed_price_that_crosses_the_book_names_the_row(tmp_path: Path) -> None:
    path = write_small(tmp_path / "store")
    file = path / "BTC-USD.arrow"
    content = file.read_bytes()
    place = content.index(np.int64(100).tobytes())
    file.write_bytes(content[:place] + np.int64(103).tobytes() + content[place + 8 :])
    with pytest.raises(DataError) as caught:
        Store.open(path).market("BTC/USD")
    assert str(caught.value) == (
        f"{file}, row 2: the book is crossed, bid 10.3 against ask 10.2; "
        "a row before it is missing or out of order, repair the source or cut it before this row"
    )


def write_arrow(file: Path, table: dict[str, pa.Array], batches: int = 1) -> None:
    batch = pa.RecordBatch.from_pydict(table)
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        for _ in range(batches):
            writer.write_batch(batch)


def disguise(path: Path, file: Path) -> None:
    """Makes the manifest state the length of what stands in the file now."""
    manifest = msgspec.json.decode((path / MANIFEST).read_bytes())
    for entry in manifest["instruments"]:
        if entry["file"] == file.name:
            entry["file_bytes"] = file.stat().st_size
    (path / MANIFEST).write_bytes(msgspec.json.encode(manifest))


def columns_of(market: Market) -> dict[str, pa.Array]:
    return {name: pa.array(getattr(market.columns, name)) for name in COLUMN_TYPES if name != "order_id"}


WHOLE = columns_of(make_market(L2_ROWS))


@pytest.mark.parametrize(
    ("table", "batches", "message"),
    [
        ({k: v for k, v in WHOLE.items() if k != "kind"}, 1, "{file}: column kind is missing; import again"),
        (
            WHOLE | {"price_ticks": WHOLE["price_ticks"].cast(pa.float64())},
            1,
            "{file}: column price_ticks is double, not int64; import again",
        ),
        (
            WHOLE | {"qty_lots": pa.array([1, 2, None, 4, 5], pa.int64())},
            1,
            "{file}: column qty_lots is int64 with nulls, not int64; import again",
        ),
        (WHOLE, 2, "{file}: a store's file has one record batch, this one has another number; import again"),
        ({k: v[:4] for k, v in WHOLE.items()}, 1, "{file}: 4 rows, store.json says 5; import again"),
        (
            WHOLE | {"ts_event_ns": pa.array([5, 6, 4, 7, 8], pa.int64())},
            1,
            (
                "{file}, row 2: ts_event_ns goes back from 6 to 4; "
                "sort the source by event time, keeping the order of equal times"
            ),
        ),
    ],
)
def test_a_file_of_another_schema_is_refused(
    tmp_path: Path, table: dict[str, pa.Array], batches: int, message: str
) -> None:
    path = write_small(tmp_path / "store")
    file = path / "BTC-USD.arrow"
    write_arrow(file, table, batches)
    disguise(path, file)
    with pytest.raises(DataError) as caught:
        Store.open(path).market("BTC/USD")
    assert str(caught.value) == message.format(file=file)


def test_a_file_that_is_not_arrow_is_refused(tmp_path: Path) -> None:
    path = write_small(tmp_path / "store")
    file = path / "BTC-USD.arrow"
    file.write_bytes(b"time,price\n" * 10)
    disguise(path, file)
    with pytest.raises(DataError, match=r"not an Arrow file of a store .*; import again"):
        Store.open(path).market("BTC/USD")


def test_a_folder_without_manifest_is_not_a_store(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        Store.open(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / MANIFEST}: No such file or directory; {tmp_path} is not a store, "
        "make one with `tidegate data import`"
    )


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = write_small(tmp_path / "store")
    manifest = path / MANIFEST
    manifest.write_bytes(manifest.read_bytes().replace(b'"format_version": 1', b'"format_version": 2'))
    with pytest.raises(DataError) as caught:
        Store.open(path)
    assert str(caught.value) == f"{manifest}: format version 2, this program reads 1; import again"


def test_a_damaged_manifest_is_refused(tmp_path: Path) -> None:
    path = write_small(tmp_path / "store")
    manifest = path / MANIFEST
    manifest.write_bytes(manifest.read_bytes()[:-40])
    with pytest.raises(DataError, match="the manifest is damaged, import again"):
        Store.open(path)


def test_an_unknown_symbol_is_answered_with_those_that_are_there(tmp_path: Path) -> None:
    path = write_small(tmp_path / "store")
    with pytest.raises(DataError) as caught:
        Store.open(path).market("XBT/USD")
    assert str(caught.value) == f"{path}: no instrument 'XBT/USD'; the store has BTC/USD, ETH/USD"


def test_a_store_can_be_moved(tmp_path: Path) -> None:
    path = write_small(tmp_path / "store")
    shutil.move(path, tmp_path / "elsewhere")
    assert len(Store.open(tmp_path / "elsewhere").market("BTC/USD").columns) == 5


def test_own_events_lie_beside_the_markets_and_a_store_without_any_has_none(tmp_path: Path) -> None:
    market = imported(make_market(L2_ROWS))
    events = [(5, {"fill": "0.01"}), (7, ["anything", 1])]
    write_store(tmp_path / "own", [market], own_events=iter(events))
    assert list(Store.open(tmp_path / "own").own_events()) == events
    assert Store.open(tmp_path / "own").info.own_events == 2
    write_store(tmp_path / "none", [market])
    assert list(Store.open(tmp_path / "none").own_events()) == []
    assert not (tmp_path / "none" / OWN_EVENTS).exists()


def test_a_damaged_line_of_own_events_is_told_with_its_file(tmp_path: Path) -> None:
    write_store(tmp_path / "own", [imported(make_market(L2_ROWS))], own_events=[(5, {})])
    (tmp_path / "own" / OWN_EVENTS).write_bytes(b'[5,{}]\n[6,{"fi')
    with pytest.raises(DataError, match=OWN_EVENTS):
        list(Store.open(tmp_path / "own").own_events())
