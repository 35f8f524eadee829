"""What the Kraken adapter adds to Tidegate: its profile, the formats of its recordings, its public trades, and how to
trade there live.

Apart from the package, so that a command of this adapter is found without loading what reads recordings.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from adapters.kraken.captures import FORMATS
from adapters.kraken.leaving import ends_orders
from adapters.kraken.profile import PROFILE
from framework.adapter import Adapter, Clock, LiveSettings, LiveVenue
from framework.data.downloads import DownloadSettings, TradeSource

__all__ = ["ADAPTER"]


async def _connect_live(settings: LiveSettings, clock: Clock) -> LiveVenue:
    from adapters.kraken.client.links import connect_live

    return await connect_live(settings, clock)


def _open_trades(symbol: str, settings: DownloadSettings) -> AbstractAsyncContextManager[TradeSource]:
    from adapters.kraken.downloads.source import open_public_trades

    return open_public_trades(symbol, settings)


ADAPTER = Adapter(
    name="kraken",
    profile=PROFILE,
    formats=FORMATS,
    connect_live=_connect_live,
    open_trades=_open_trades,
    ends_orders=ends_orders,
)
