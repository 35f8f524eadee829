"""What the factories of a NautilusTrader node refuse before anything is connected, and what their clients share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.model.identifiers import TraderId

from adapters.kraken.client.nautilus import (
    RoadSection,
    TidegateKrakenDataClientConfig,
    TidegateKrakenDataClientFactory,
    TidegateKrakenExecClientConfig,
    TidegateKrakenExecClientFactory,
    VenueAccess,
)
from framework.errors import ConfigError


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRAKEN_API_KEY", "key")
    monkeypatch.setenv("KRAKEN_API_SECRET", "c2VjcmV0")


def parts() -> dict[str, Any]:
    clock = LiveClock()
    return {"msgbus": MessageBus(TraderId("T-001"), clock), "cache": Cache(), "clock": clock}


def data_client(loop: asyncio.AbstractEventLoop, **given: Any) -> Any:
    config = TidegateKrakenDataClientConfig(**given)
    return TidegateKrakenDataClientFactory.create(loop, "KRAKEN", config, **parts())


def exec_client(loop: asyncio.AbstractEventLoop, **given: Any) -> Any:
    config = TidegateKrakenExecClientConfig(**given)
    return TidegateKrakenExecClientFactory.create(loop, "KRAKEN", config, **parts())


@pytest.mark.usefixtures("_key")
@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"road": "telegraph"}, "telegraph"),
        ({"tier": "gold"}, "gold"),
        ({"access": VenueAccess(options={"speed": "fast"})}, "option 'speed'"),
        ({"access": VenueAccess(hosts={"rest": "nowhere"})}, "host rest = 'nowhere'"),
        ({"access": VenueAccess(options={"ready_file": "gone.json"})}, "start the venue with --ready-file"),
    ],
)
def test_what_makes_no_sense_is_refused_when_the_node_is_built(
    loop: asyncio.AbstractEventLoop, given: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        exec_client(loop, **given)


def test_trading_needs_a_key_and_market_data_does_not(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KRAKEN_API_KEY", raising=False)
    assert str(data_client(loop).id) == "KRAKEN"
    with pytest.raises(ConfigError, match="KRAKEN_API_KEY"):
        data_client(loop, has_orders=True)
    with pytest.raises(ConfigError, match="KRAKEN_API_KEY"):
        exec_client(loop)


def test_a_dead_mans_switch_of_a_few_seconds_is_refused() -> None:
    with pytest.raises(ConfigError, match="dead_man_s = 3: give 15 or more, or 0"):
        TidegateKrakenExecClientConfig(dead_man_s=3)


@pytest.mark.usefixtures("_key")
def test_clients_with_the_same_access_share_one_connection(loop: asyncio.AbstractEventLoop) -> None:
    access = VenueAccess(hosts={"rest": "http://localhost:1"})
    data, execution = data_client(loop, access=access), exec_client(loop, access=access)
    other = exec_client(loop, access=VenueAccess(hosts={"rest": "http://localhost:2"}))
    assert data._connection is execution._connection
    assert other._connection is not data._connection


@pytest.mark.usefixtures("_key")
def test_configurations_can_be_written_as_text_and_read_again() -> None:
    """As NautilusTrader does where a node is configured by a file."""
    config = TidegateKrakenExecClientConfig(
        access=VenueAccess(options={"ready_file": "venue.json"}), road=RoadSection(name="fix", cancel=("fix", "rest"))
    )
    read = msgspec.json.decode(config.json(), type=TidegateKrakenExecClientConfig)
    assert (read.access, read.road, read.tier) == (config.access, config.road, config.tier)


def test_a_secret_is_in_no_configuration() -> None:
    fields = {*TidegateKrakenExecClientConfig.__struct_fields__, *VenueAccess.__struct_fields__}
    assert not {name for name in fields if "secret" in name or "api_key" in name}
