from __future__ import annotations

from pathlib import Path

import pytest

from framework.data.columns import LEVEL, TRADE
from framework.data.formats import FORMATS
from framework.data.imports import ImportFormat, ImportOption, RowBuilder, concatenate, read_options
from framework.errors import ConfigError
from framework.protocol import BUY
from tests.framework.data.markets import START_NS, imported, make_columns, make_market


def test_an_import_gets_every_option_given_or_not() -> None:
    seen: list[dict[str, str]] = []

    def function(source: Path, options: dict[str, str]) -> list:  # type: ignore[type-arg]
        seen.append(dict(options))
        return [imported(make_market([(LEVEL, BUY, 100, 5)]), str(source))]

    each = ImportFormat(
        name="toy",
        description="",
        function=function,  # type: ignore[arg-type]
        options=(ImportOption("a", "1", ""), ImportOption("b", "2", "")),
    )
    assert each.read(Path("x"), {"b": "3"})[0].source == "x"
    assert seen == [{"a": "1", "b": "3"}]


def test_an_option_that_a_format_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        read_options(FORMATS["nautilus"], {"colour": "red"})
    assert str(caught.value) == (
        "format nautilus has no option 'colour'; its options are: book, cost_decimals, depth, instrument"
    )


def test_formats_are_listed_by_their_own_names() -> None:
    assert {name: each.name for name, each in FORMATS.items()} == {
        "trade-csv": "trade-csv",
        "nautilus": "nautilus",
        "hftbacktest": "hftbacktest",
        "recording": "recording",
    }


def test_a_builder_gives_no_order_ids_where_no_row_has_one() -> None:
    rows = RowBuilder()
    assert rows.last_ts_event_ns == 0
    rows.add(5, 6, LEVEL, BUY, 100, 1)
    rows.end_message()
    columns = rows.columns()
    assert (rows.last_ts_event_ns, columns.flags.tolist(), len(columns.order_id)) == (5, [1], 0)


def test_parts_are_merged_by_time_and_earlier_parts_come_first_at_equal_times() -> None:
    trades = make_columns([(TRADE, BUY, 100, 1, 0, 10), (TRADE, BUY, 100, 2, 0, 20)])
    book = make_columns([(LEVEL, BUY, 100, 3, 7, 5), (LEVEL, BUY, 100, 4, 8, 10), (LEVEL, BUY, 100, 5, 9, 30)])
    merged = concatenate([trades, book])
    assert merged.ts_event_ns.tolist() == [START_NS + ts for ts in (5, 10, 10, 20, 30)]
    assert merged.qty_lots.tolist() == [3, 1, 4, 2, 5]
    assert merged.order_id.tolist() == [7, 0, 8, 0, 9]
