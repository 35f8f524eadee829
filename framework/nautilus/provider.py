"""Instruments of a venue for NautilusTrader: its provider, filled from a connection."""

from __future__ import annotations

from typing import Any

from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.config import InstrumentProviderConfig
from nautilus_trader.model.identifiers import InstrumentId

from framework.execution.instruments import InstrumentBridge
from framework.nautilus.connection import VenueConnection

__all__ = ["VenueInstrumentProvider"]


class VenueInstrumentProvider(InstrumentProvider):
    """Loads instruments as the configuration asks: all of them, or those named. bridges: those loaded, by id."""

    def __init__(self, connection: VenueConnection, config: InstrumentProviderConfig | None = None) -> None:
        super().__init__(config=config)
        self.bridges: dict[InstrumentId, InstrumentBridge] = {}
        self._connection = connection
        self._venue_name = connection.venue_name

    async def load_all_async(self, filters: dict[str, Any] | None = None) -> None:
        """Load all instruments of the venue; there are no filters."""
        await self._load(None)

    async def load_ids_async(self, instrument_ids: list[InstrumentId], filters: dict[str, Any] | None = None) -> None:
        """Load these instruments; one that the venue does not have is told as a warning."""
        await self._load({instrument_id.value for instrument_id in instrument_ids})

    async def _load(self, wanted: set[str] | None) -> None:
        venue = await self._connection.open()
        try:
            for symbol, spec in venue.instruments.items():
                if wanted is not None and f"{symbol}.{self._venue_name}" not in wanted:
                    continue
                try:
                    bridge = InstrumentBridge(spec, self._venue_name)
                except (ValueError, OverflowError) as error:  # finer than this build of NautilusTrader can count
                    self._log.warning(f"{symbol} is left out: {error}")
                    continue
                self.bridges[bridge.instrument_id] = bridge
                self.add_currency(bridge.base)
                self.add_currency(bridge.quote)
                self.add(bridge.instrument)
        finally:
            await self._connection.close()
        for missing in sorted((wanted or set()) - {each.value for each in self.bridges}):
            self._log.warning(f"{missing} is not an instrument of the venue")
