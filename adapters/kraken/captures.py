"""The formats of Kraken recordings that can be imported, by name."""

from __future__ import annotations

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
    )
}
