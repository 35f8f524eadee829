"""Kraken for a plain NautilusTrader ``TradingNode``: configurations and factories of the clients.

::

    access = VenueAccess(credentials="kraken.toml", state="state")
    node = TradingNode(TradingNodeConfig(
        data_clients={"KRAKEN": TidegateKrakenDataClientConfig(access=access, instrument_provider=...)},
        exec_clients={"KRAKEN": TidegateKrakenExecClientConfig(access=access, instrument_provider=..., road="fix")},
    ))
    node.add_data_client_factory("KRAKEN", TidegateKrakenDataClientFactory)
    node.add_exec_client_factory("KRAKEN", TidegateKrakenExecClientFactory)

Both clients of a node that have the same access share one connection. What an access may say: ``settings``; with
``options={"ready_file": "venue.json"}`` it is a venue that is served on this machine.
"""

from __future__ import annotations

import asyncio

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.config import LiveDataClientConfig, LiveExecClientConfig
from nautilus_trader.live.factories import LiveDataClientFactory, LiveExecClientFactory

from adapters.kraken.adapter import ADAPTER
from adapters.kraken.client.market_data import DEPTHS
from adapters.kraken.client.order_data import DEPTHS as ORDER_DEPTHS
from adapters.kraken.client.settings import read_settings
from framework.backtest.loading import check_tier, resolve_road
from framework.nautilus.config import RoadSection, VenueAccess, VenueDataClientConfig, VenueExecClientConfig
from framework.nautilus.connection import shared_connection
from framework.nautilus.data_client import VenueDataClient
from framework.nautilus.exec_client import VenueExecClient
from framework.nautilus.provider import VenueInstrumentProvider

__all__ = [
    "RoadSection",
    "TidegateKrakenDataClientConfig",
    "TidegateKrakenDataClientFactory",
    "TidegateKrakenExecClientConfig",
    "TidegateKrakenExecClientFactory",
    "VenueAccess",
]


class TidegateKrakenDataClientConfig(VenueDataClientConfig, frozen=True, kw_only=True):
    """Kraken's market data; ``access`` as ``adapters.kraken.client.settings`` has it."""


class TidegateKrakenExecClientConfig(VenueExecClientConfig, frozen=True, kw_only=True):
    """Trading on Kraken. road: "rest", "rest+ws", "ws1", "ws2", "fix" or "fix-colo"; tier: "starter", "intermediate" or
    "pro".
    """


class TidegateKrakenDataClientFactory(LiveDataClientFactory):
    """Makes the data client."""

    @staticmethod
    def create(
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: LiveDataClientConfig,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
    ) -> VenueDataClient:
        """The client of a ``TidegateKrakenDataClientConfig``; nothing is connected yet.

        Raises ConfigError for an access that makes no sense.
        """
        assert isinstance(config, TidegateKrakenDataClientConfig)
        connection = shared_connection(ADAPTER, config.access, loop)
        if config.has_orders:
            connection.want_orders()
        read_settings(connection.settings())
        provider = VenueInstrumentProvider(connection, config.instrument_provider)
        return VenueDataClient(loop, name, connection, provider, msgbus, cache, clock, DEPTHS, ORDER_DEPTHS)


class TidegateKrakenExecClientFactory(LiveExecClientFactory):
    """Makes the execution client."""

    @staticmethod
    def create(
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: LiveExecClientConfig,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
    ) -> VenueExecClient:
        """The client of a ``TidegateKrakenExecClientConfig``; nothing is connected yet.

        Raises ConfigError for an access that makes no sense, a road or a tier that there is not.
        """
        assert isinstance(config, TidegateKrakenExecClientConfig)
        connection = shared_connection(ADAPTER, config.access, loop)
        check_tier(connection.profile, config.tier)
        road = RoadSection(name=config.road) if isinstance(config.road, str) else config.road
        _, policy = resolve_road(connection.profile, road)
        connection.want_links({link: link for link in policy.link_names()})
        read_settings(connection.settings())
        return VenueExecClient(
            loop,
            name,
            connection,
            VenueInstrumentProvider(connection, config.instrument_provider),
            msgbus,
            cache,
            clock,
            policy,
            config,
        )
