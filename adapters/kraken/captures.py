"""The formats of Kraken recordings that can be imported, by name."""

from __future__ import annotations

from adapters.kraken.captures_csv import (
    L2_OPTIONS,
    L3_OPTIONS,
    TRADES_OPTIONS,
    import_level3_ticks,
    import_top_books,
    import_trade_history,
)
from adapters.kraken.captures_ws1 import WS1_OPTIONS, import_ws1
from framework.data.imports import ImportFormat

__all__ = ["FORMATS"]

FORMATS: dict[str, ImportFormat] = {
    each.name: each
    for each in (
        ImportFormat(
            name="kraken-ws1",
            description="recorded WebSocket v1 books (checksums verified) and trades: a folder of .tsv files",
            function=import_ws1,
            options=WS1_OPTIONS,
        ),
        ImportFormat(
            name="kraken-l2-csv",
            description="recorded top-ten books with trades: a folder of L2_BASE_QUOTE_orderbook.csv",
            function=import_top_books,
            options=L2_OPTIONS,
        ),
        ImportFormat(
            name="kraken-l3-csv",
            description="recorded level 3 ticks with trades, a partial book: one .L3_ticks.csv",
            function=import_level3_ticks,
            options=L3_OPTIONS,
        ),
        ImportFormat(
            name="kraken-trades",
            description="Kraken's downloadable trade history, time,price,volume: one .csv or a folder of them",
            function=import_trade_history,
            options=TRADES_OPTIONS,
        ),
    )
}
