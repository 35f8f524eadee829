"""The formats of Bitstamp recordings that can be imported, by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adapters.bitstamp.events import LOT_SIZE, TICK_SIZE, read_events
from adapters.bitstamp.rebuild import rebuild
from framework.data.columns import Market
from framework.data.imports import ImportedMarket, ImportFormat, ImportOption
from framework.errors import DataError
from framework.protocol import InstrumentSpec

__all__ = ["FORMATS", "import_events"]

_NOTES = (
    "ts_event is the time of receipt: the exchange's own time has a resolution of one second.",
    "Orders older than the recording are in the first book; those that it never names stand as one order per level.",
)


def import_events(source: Path, options: Mapping[str, str]) -> list[ImportedMarket]:
    """Reads an order by order recording: the file, or a folder with ``events.log.xz`` or ``events.log``.

    Raises DataError naming file, line and remedy.
    """
    file = source
    if source.is_dir():
        found = [source / name for name in ("events.log.xz", "events.log") if (source / name).is_file()]
        if not found:
            raise DataError(f"{source}: no events.log.xz or events.log; give the file of an order by order recording")
        file = found[0]
    rebuilt = rebuild(list(read_events(file)), str(file))
    spec = InstrumentSpec(
        symbol=options["symbol"],
        venue="bitstamp",
        tick_size=TICK_SIZE,
        lot_size=LOT_SIZE,
        cost_decimals=int(options["cost_decimals"]),
    )
    market = Market(spec=spec, columns=rebuilt.columns, depth="L3", has_trades=rebuilt.counts["trades"] > 0)
    return [ImportedMarket(market=market, source=str(file), statistics=rebuilt.counts, notes=_NOTES)]


FORMATS: dict[str, ImportFormat] = {
    each.name: each
    for each in (
        ImportFormat(
            name="bitstamp-l3",
            description="recorded order by order channels with trades and book snapshots (one file, plain or xz)",
            function=import_events,
            options=(
                ImportOption("symbol", "BTC/USD", "the pair that was recorded; the recording does not name it"),
                ImportOption("cost_decimals", "2", "decimals of costs and fees in the quote currency"),
            ),
        ),
    )
}
