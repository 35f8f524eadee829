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


def test_a_live_configuration_says_its_pairs_and_where_the_venue_is(tmp_path: Path) -> None:
    file = tmp_path / "live.toml"
    live = '[live]\nsymbols = ["ETH/USD", "BTC/USD"]\ncredentials = "key.toml"\n'
    file.write_text(f'[strategy]\npath = "s.py"\n[road]\nname = "fix"\n{live}')
    needs = needs_of(file)
    assert dict(needs.pairs) == {"ETH/USD": None, "BTC/USD": None}
    assert "fix" in needs.links
    assert needs.live is not None
    assert needs.live.credentials == str(tmp_path / "key.toml")


def test_a_configuration_that_is_not_toml_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text("[live\n")
    with pytest.raises(ConfigError, match=r"run.toml"):
        needs_of(file)


def test_a_road_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="road"):
        needs_of(write_config(tmp_path, road='name = "carrier pigeon"'))
