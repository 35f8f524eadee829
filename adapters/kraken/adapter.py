"""What the Kraken adapter adds to Tidegate: its profile and the formats of its recordings.

Apart from the package, so that a command of this adapter is found without loading what reads recordings.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from adapters.kraken.captures import FORMATS
from adapters.kraken.profile import PROFILE
from framework.adapter import Adapter
from framework.data.downloads import DownloadSettings, TradeSource

__all__ = ["ADAPTER"]


def _open_trades(symbol: str, settings: DownloadSettings) -> AbstractAsyncContextManager[TradeSource]:
    from adapters.kraken.downloads.source import open_public_trades

    return open_public_trades(symbol, settings)


ADAPTER = Adapter(name="kraken", profile=PROFILE, formats=FORMATS, open_trades=_open_trades)
