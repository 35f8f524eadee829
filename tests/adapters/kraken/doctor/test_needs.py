"""What a configuration needs of the venue."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from adapters.kraken.doctor.needs import needs_of
from framework.data.columns import LEVEL
from framework.data.store import write_store
from framework.errors import ConfigError
from framework.protocol import BUY, SELL
from tests.framework.command import write_config
from tests.framework.data.markets import imported, make_market, make_spec


def test_without_a_configuration_a_pair_is_traded_by_rest_and_websocket() -> None:
    needs = needs_of(None)
    assert (dict(needs.pairs), needs.links, needs.volume_30d) == ({"BTC/USD": None}, {"rest", "ws2"}, None)


def test_the_links_are_those_of_the_road_with_its_changes(tmp_path: Path) -> None:
    file = write_config(tmp_path, road='name = "fix"\ncancel = ["fix", "ws2"]', venue='volume_30d_usd = "250000"')
    needs = needs_of(file)
    assert {"fix", "ws2"} <= needs.links
    assert needs.volume_30d == Decimal(250_000)


def test_the_pairs_are_those_of_the_store(tmp_path: Path) -> None:
    specs = [make_spec("BTC/USD"), make_spec("ETH/USD", tick_size="0.01")]
    rows = [(LEVEL, BUY, 10, 5), (LEVEL, SELL, 11, 5)]
    write_store(tmp_path / "store", [imported(make_market(rows, spec=spec)) for spec in specs])
    file = write_config(tmp_path, market='source = "store"\npath = "store"')
    assert dict(needs_of(file).pairs) == {"BTC/USD": specs[0], "ETH/USD": specs[1]}
    file = write_config(tmp_path, market='source = "store"\npath = "store"\nsymbols = ["ETH/USD"]')
    assert list(needs_of(file).pairs) == ["ETH/USD"]


def test_a_road_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="road"):
        needs_of(write_config(tmp_path, road='name = "carrier pigeon"'))
