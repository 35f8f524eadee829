"""Adapters are found by entry point, and what is found is checked."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from framework import adapter as module
from framework.adapter import ENTRY_POINT_GROUP, Adapter, load_adapter, load_adapters
from framework.errors import ConfigError

TOY = Adapter(name="toy", profile=None, formats={})
ZOO = Adapter(name="zoo", profile=None, formats={})


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Make these the installed entry points: name to attribute of this module."""

    def install(**points: str) -> None:
        found = [
            EntryPoint(name=name, value=f"{__name__}:{attribute}", group=ENTRY_POINT_GROUP)
            for name, attribute in points.items()
        ]
        monkeypatch.setattr(module, "entry_points", lambda *, group: found if group == ENTRY_POINT_GROUP else [])

    return install


def test_installed_adapters_come_in_order_of_name(installed) -> None:  # type: ignore[no-untyped-def]
    installed(zoo="ZOO", toy="TOY")
    assert list(load_adapters().items()) == [("toy", TOY), ("zoo", ZOO)]


def test_an_adapter_is_found_by_its_name(installed) -> None:  # type: ignore[no-untyped-def]
    installed(zoo="ZOO", toy="TOY")
    assert load_adapter("zoo") == ZOO


def test_an_adapter_that_is_not_installed_is_an_error_that_names_those_that_are(installed) -> None:  # type: ignore[no-untyped-def]
    installed(zoo="ZOO", toy="TOY")
    with pytest.raises(ConfigError, match="no adapter 'moon'; installed are: toy, zoo"):
        load_adapter("moon")


def test_without_any_adapter_the_error_says_to_install_the_package(installed) -> None:  # type: ignore[no-untyped-def]
    installed()
    with pytest.raises(ConfigError, match="install the package first"):
        load_adapter("toy")


def test_an_entry_point_that_is_no_adapter_is_an_error(installed) -> None:  # type: ignore[no-untyped-def]
    installed(toy="ENTRY_POINT_GROUP")
    with pytest.raises(ConfigError, match="is not the adapter 'toy'"):
        load_adapters()


def test_an_entry_point_under_another_name_than_the_adapters_is_an_error(installed) -> None:  # type: ignore[no-untyped-def]
    installed(toy="ZOO")
    with pytest.raises(ConfigError, match="is not the adapter 'toy'"):
        load_adapters()


def test_an_adapter_that_reads_recordings_only_has_no_profile() -> None:
    assert TOY.profile is None
