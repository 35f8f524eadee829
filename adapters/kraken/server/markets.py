"""The markets that a served venue plays: made ones by default, or a store's."""

from __future__ import annotations

from pathlib import Path

import msgspec

from framework.data.columns import Market
from framework.data.store import Store
from framework.data.synthetic import DEFAULT, synthetic_market
from framework.errors import ConfigError
from framework.protocol import InstrumentSpec

__all__ = ["served_markets"]

_DURATION_S = 600
# Grid and minimums as Kraken's list of pairs has them; prices in ticks are where the made market begins.
_MADE = (
    ("BTC/USD", "0.1", 897_000, 5_000),
    ("ETH/USD", "0.01", 331_000, 100_000),
    ("BTC/EUR", "0.1", 845_000, 5_000),
)


def served_markets(source: str, seed: int) -> list[Market]:
    """The markets of a source: ``synthetic``, or the folder of a store.

    Raises ConfigError for another source, and DataError for a store that cannot be read.
    """
    if source == "synthetic":
        return [
            synthetic_market(
                seed + number,
                _DURATION_S,
                msgspec.structs.replace(
                    DEFAULT,
                    spec=InstrumentSpec(
                        symbol=symbol,
                        venue="synthetic",
                        tick_size=tick_size,
                        lot_size="0.00000001",
                        min_qty_lots=min_qty_lots,
                        min_cost="0.5",
                    ),
                    start_price_ticks=start_ticks,
                ),
            )
            for number, (symbol, tick_size, start_ticks, min_qty_lots) in enumerate(_MADE)
        ]
    folder = Path(source)
    if not folder.is_dir():
        raise ConfigError(f"--market {source}: it must be synthetic, or the folder of a store")
    store = Store.open(folder)
    return [store.market(symbol) for symbol in store.symbols]
