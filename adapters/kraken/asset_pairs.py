"""Instruments from Kraken's AssetPairs answer.

Source: Kraken REST API, "Get Tradable Asset Pairs": ``pair_decimals`` and ``tick_size`` (the grid where present),
``lot_decimals``, ``ordermin``, ``costmin``, ``cost_decimals``; older answers lack the last three.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from adapters.kraken.errors import SymbolError
from adapters.kraken.symbols import canonical_symbol
from framework.data.grid import step_of_decimals
from framework.errors import DataError
from framework.protocol import InstrumentSpec

__all__ = ["asset_pair_specs", "read_asset_pairs"]

VENUE = "kraken"


def read_asset_pairs(file: Path) -> dict[str, InstrumentSpec]:
    """Instruments of an AssetPairs answer by canonical symbol, without dark pools (``.d``) and pairs without wsname.

    file: the answer's JSON text, with or without the ``{"error": [], "result": ...}`` around it.
    Raises DataError for a file that is not such an answer.
    """
    try:
        answer: Any = msgspec.json.decode(file.read_bytes())
        return asset_pair_specs(answer.get("result", answer))
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}; give the file of an AssetPairs answer") from None
    except (msgspec.MsgspecError, AttributeError, DataError) as error:
        raise DataError(f"{file}: not an AssetPairs answer ({error!r}); save the REST answer unchanged") from None


def asset_pair_specs(pairs: Mapping[str, Mapping[str, Any]]) -> dict[str, InstrumentSpec]:
    """Instruments of the ``result`` of an AssetPairs answer by canonical symbol, as ``read_asset_pairs`` has them.

    Raises DataError, which names the pair, for a row that is not one of a pair.
    """
    specs = {}
    for key, pair in pairs.items():
        try:
            if "wsname" in pair and not key.endswith(".d"):
                spec = _spec(pair)
                specs[spec.symbol] = spec
        except (SymbolError, KeyError, TypeError, ValueError, InvalidOperation) as error:
            raise DataError(f"row {key} of AssetPairs is no pair ({error!r}); ask Kraken again") from None
    return specs


def _spec(pair: Mapping[str, Any]) -> InstrumentSpec:
    lot_size = step_of_decimals(pair["lot_decimals"])
    min_qty = Decimal(str(pair.get("ordermin", lot_size)))
    return InstrumentSpec(
        symbol=canonical_symbol(pair["wsname"]),
        venue=VENUE,
        tick_size=str(pair.get("tick_size") or step_of_decimals(pair["pair_decimals"])),
        lot_size=lot_size,
        min_qty_lots=max(1, int(min_qty / Decimal(lot_size))),
        min_cost=str(pair.get("costmin", "0")),
        cost_decimals=pair.get("cost_decimals", 5),
    )
