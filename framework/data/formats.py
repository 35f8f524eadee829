"""The formats that any exchange's data may come in, by name; an adapter adds those of its own recordings."""

from __future__ import annotations

from framework.data.hftbacktest_npz import HFTBACKTEST_OPTIONS, import_hftbacktest
from framework.data.imports import ImportFormat
from framework.data.nautilus_catalog import CATALOG_OPTIONS, import_catalog
from framework.data.recording import import_recording, recorded_events
from framework.data.trade_csv import TRADE_CSV_OPTIONS, import_trade_csv

__all__ = ["FORMATS"]

FORMATS: dict[str, ImportFormat] = {
    each.name: each
    for each in (
        ImportFormat(
            name="trade-csv",
            description="trades in CSV with any columns (time,price,volume by default), plain or compressed",
            function=import_trade_csv,
            options=TRADE_CSV_OPTIONS,
        ),
        ImportFormat(
            name="nautilus",
            description="NautilusTrader's Parquet catalog: deltas, depths or quotes, and trades",
            function=import_catalog,
            options=CATALOG_OPTIONS,
        ),
        ImportFormat(
            name="hftbacktest",
            description="hftbacktest's event array, version 2, level 2 or level 3 (.npz)",
            function=import_hftbacktest,
            options=HFTBACKTEST_OPTIONS,
        ),
        ImportFormat(
            name="recording",
            description="what `tidegate record` has written, up to where it is whole: a folder of .rec files",
            function=import_recording,
            own_events=recorded_events,
        ),
    )
}
