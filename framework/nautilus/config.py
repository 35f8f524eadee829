"""Configurations of the clients that a NautilusTrader node has of a venue; an adapter gives them its name."""

from __future__ import annotations

import msgspec
from nautilus_trader.common.config import NautilusConfig
from nautilus_trader.config import LiveDataClientConfig, LiveExecClientConfig

from framework.backtest.config import RoadSection
from framework.errors import ConfigError

__all__ = ["RoadSection", "VenueAccess", "VenueDataClientConfig", "VenueExecClientConfig"]

_DEAD_MAN_LEAST_S = 15


class VenueAccess(NautilusConfig, frozen=True, kw_only=True):
    """Where a venue is, and as whom to trade there.

    hosts: addresses in place of the exchange's own, by the adapter's names for them. ca_file: certificate of the
        authority to trust in place of the system's. credentials: file of the API key, which only its owner may read;
        None takes the environment. state: folder of what must survive a restart (nonces, names of orders, sequence
        numbers); None keeps nothing, and orders of a node before are then those of strangers. options: settings that
        only the adapter has, by name.
    """

    hosts: dict[str, str] = msgspec.field(default_factory=dict)
    ca_file: str | None = None
    credentials: str | None = None
    state: str | None = None
    options: dict[str, str] = msgspec.field(default_factory=dict)


class VenueDataClientConfig(LiveDataClientConfig, frozen=True, kw_only=True):
    """Market data. has_orders: books order by order (L3_MBO) may be subscribed to, for which an API key is needed."""

    access: VenueAccess = VenueAccess()
    has_orders: bool = False


class VenueExecClientConfig(LiveExecClientConfig, frozen=True, kw_only=True):
    """Trading.

    road: the road of orders, cancels and news by its name, or a ``RoadSection``, as [road] of a live configuration.
    tier: of the account, whose rate counters are budgeted.
    dead_man_s: the venue cancels all orders of the account if it has not heard of this client for so long; 0 for never.
    patience_s: how long the lines may take to come up.
    balances_s: how often the venue is asked what is there, beside what fills tell; 0 for at the start only.
    history_h: how far back the account is read where NautilusTrader does not say (``reconciliation_lookback_mins``).
    position_quote: what is there of a base asset is reported as a position of its pair in this asset ("USD"). None
        reports no positions: a spot account has balances only.
    """

    access: VenueAccess = VenueAccess()
    road: str | RoadSection = "ws2"
    tier: str = "intermediate"
    dead_man_s: int = 0
    patience_s: float = 30.0
    balances_s: int = 60
    history_h: float = 24.0
    position_quote: str | None = None

    def __post_init__(self) -> None:
        if self.dead_man_s and self.dead_man_s < _DEAD_MAN_LEAST_S:
            raise ConfigError(f"dead_man_s = {self.dead_man_s}: give {_DEAD_MAN_LEAST_S} or more, or 0 to do without")
