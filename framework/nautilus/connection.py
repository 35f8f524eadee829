"""One connection to a venue under the clients of a NautilusTrader node: the data and the execution client share it.

The clients of a node that name the same access have one connection, whoever of them comes first: one set of
instruments, one use of the API key. It is made when the first of them connects, and given up when the last has left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from weakref import WeakValueDictionary

import msgspec

from framework.adapter import Adapter, LiveSettings, LiveVenue
from framework.errors import ConfigError
from framework.live.clock import LiveClock
from framework.nautilus.config import VenueAccess

__all__ = ["VenueConnection", "shared_connection"]


class VenueConnection:
    """Makes a venue's links and market data, once.

    venue_name: NautilusTrader's name of the venue. clock: of the links.
    """

    def __init__(self, adapter: Adapter, access: VenueAccess, loop: asyncio.AbstractEventLoop) -> None:
        """Raises ConfigError for an adapter that cannot be traded live."""
        if adapter.connect_live is None or adapter.profile is None:
            raise ConfigError(f"adapter {adapter.name!r} cannot be traded live")
        self.profile = adapter.profile
        self.venue_name = adapter.profile.name.upper()
        self.clock = LiveClock(loop)
        self._connect = adapter.connect_live
        self._access = access
        self._links: dict[str, str] = {}
        self._has_orders = False
        self._users = 0
        self._lock = asyncio.Lock()
        self._venue: LiveVenue | None = None

    def want_links(self, links: Mapping[str, str]) -> None:
        """Have these links made, by the name that the desk's policy has for them; before the connection is made."""
        self._links |= links

    def want_orders(self) -> None:
        """Have books order by order, for which the API key is needed; before the connection is made."""
        self._has_orders = True

    def settings(self) -> LiveSettings:
        """What will be connected, as far as has been asked for."""
        access = self._access
        return LiveSettings(
            links=self._links,
            hosts=access.hosts,
            ca_file=None if access.ca_file is None else Path(access.ca_file),
            credentials=None if access.credentials is None else Path(access.credentials),
            has_orders=self._has_orders,
            state=None if access.state is None else Path(access.state),
            options=access.options,
        )

    async def open(self) -> LiveVenue:
        """The venue, connected. Raises ConfigError for settings that make no sense, TidegateError if it cannot be."""
        async with self._lock:
            if self._venue is None:
                self._venue = await self._connect(self.settings(), self.clock)
            self._users += 1
            return self._venue

    async def close(self) -> None:
        """One of those who opened it leaves; with the last one it is closed."""
        async with self._lock:
            self._users -= 1
            if self._users == 0 and self._venue is not None:
                venue, self._venue = self._venue, None
                await venue.close()


_shared: WeakValueDictionary[tuple[int, str, bytes], VenueConnection] = WeakValueDictionary()


def shared_connection(adapter: Adapter, access: VenueAccess, loop: asyncio.AbstractEventLoop) -> VenueConnection:
    """The connection of an event loop by an access; made at the first call, kept as long as somebody has it."""
    key = (id(loop), adapter.name, msgspec.json.encode(access))
    connection = _shared.get(key)
    if connection is None:
        connection = _shared[key] = VenueConnection(adapter, access, loop)
    return connection
