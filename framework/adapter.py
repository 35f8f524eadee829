"""What an adapter offers to generic code, and how adapters are found.

An adapter is a package that declares an entry point in the group ``tidegate.adapters``; its value is an ``Adapter``.
Generic code reaches an exchange only through it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points

import msgspec

from framework.data.imports import ImportFormat
from framework.errors import ConfigError
from framework.protocol import VenueProfile

__all__ = ["ENTRY_POINT_GROUP", "Adapter", "load_adapter", "load_adapters"]

ENTRY_POINT_GROUP = "tidegate.adapters"


class Adapter(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange.

    name: lower case, as markets name their venue.
    profile: what its protocols can do; None for an exchange whose recordings only can be read.
    formats: formats of its recordings, by name.
    """

    name: str
    profile: VenueProfile | None
    formats: Mapping[str, ImportFormat]


def load_adapters() -> dict[str, Adapter]:
    """The installed adapters by name, in order of name.

    Raises ConfigError for an entry point whose value is no Adapter, or whose name differs from the adapter's.
    """
    adapters: dict[str, Adapter] = {}
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda each: each.name):
        adapter = point.load()
        if not isinstance(adapter, Adapter) or adapter.name != point.name:
            raise ConfigError(
                f"entry point {point.name} = {point.value} is not the adapter {point.name!r}; reinstall it"
            )
        adapters[adapter.name] = adapter
    return adapters


def load_adapter(name: str) -> Adapter:
    """The installed adapter of this name; raises ConfigError, naming those that exist, if there is none."""
    adapters = load_adapters()
    if name not in adapters:
        known = ", ".join(adapters) or "none; install the package first"
        raise ConfigError(f"there is no adapter {name!r}; installed are: {known}")
    return adapters[name]
