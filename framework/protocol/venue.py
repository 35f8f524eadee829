"""A venue as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from framework.protocol.fields import child, leaves, replaced
from framework.protocol.limits import FeeTier, RateSchedule, Tier, VenueLimits
from framework.protocol.link import ProtocolProfile
from framework.protocol.margin import MarginRules
from framework.protocol.road import LatencyTier, Road
from framework.protocol.semantics import NewOrders, Protocol, RejectReason, VenueMode

__all__ = [
    "AmendPriority",
    "ModeRule",
    "Switch",
    "VenueProfile",
]


class AmendPriority(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an order keeps its queue place when it is amended; where several change, all must keep it."""

    qty_down: bool
    qty_up: bool
    display_qty: bool
    limit_price: bool
    trigger_price: bool


class ModeRule(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine does in a mode. reason: why a new order that the mode does not let in is refused."""

    new_orders: NewOrders
    is_cancel_accepted: bool
    is_matching: bool
    reason: RejectReason | None


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """A point on which a venue's documents are silent or disagree, and what each reading means.

    question: what is not clear, in one sentence.
    values: for each reading the fields of the profile that it sets, by dotted path (``rates.check``,
        ``protocols.fix.mass_cancel_reach.account``).
    default: the reading that the profile states.
    source: pages that disagree, and why the default was taken.
    """

    name: str
    question: str
    values: Mapping[str, Mapping[str, Any]]
    default: str
    source: str


class VenueProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A venue as data. Generic code reads this and nothing else about an exchange.

    fee_volume_currency: currency of ``FeeTier.volume_30d``.
    is_sell_fee_in_base: fees of sells are charged in the base currency where an order does not say; those of buys never
        are.
    errors: the venue's own text for each reason.
    margin: trading on margin; None where there is none.
    sources: for a dotted path of fields the page that states them; a page covers all fields below its path unless a
        longer path names another. What no page states says "assumption: " and why.
    """

    name: str
    title: str
    protocols: Mapping[Protocol, ProtocolProfile]
    rates: RateSchedule
    tiers: tuple[Tier, ...]
    fees: tuple[FeeTier, ...]
    fee_volume_currency: str
    is_sell_fee_in_base: bool
    errors: Mapping[RejectReason, str]
    modes: Mapping[VenueMode, ModeRule]
    amend_priority: AmendPriority
    limits: VenueLimits
    latency_tiers: tuple[LatencyTier, ...]
    roads: tuple[Road, ...]
    switches: tuple[Switch, ...]
    sources: Mapping[str, str]
    margin: MarginRules | None = None

    def tier(self, name: str) -> Tier:
        """The account tier of this name; raises KeyError naming those that exist."""
        return _named(self.tiers, name, "tier")

    def road(self, name: str) -> Road:
        """The road of this name; raises KeyError naming those that exist."""
        return _named(self.roads, name, "road")

    def latency_tier(self, name: str) -> LatencyTier:
        """The latency tier of this name; raises KeyError naming those that exist."""
        return _named(self.latency_tiers, name, "latency tier")

    def fee_tier(self, volume_30d: int) -> FeeTier:
        """The fees at a 30-day volume in whole units of ``fee_volume_currency``; raises ValueError below the lowest."""
        if volume_30d < self.fees[0].volume_30d:
            raise ValueError(f"30-day volume {volume_30d} is below the lowest fee tier {self.fees[0].volume_30d}")
        return [fee for fee in self.fees if fee.volume_30d <= volume_30d][-1]

    def with_switches(self, settings: Mapping[str, str]) -> VenueProfile:
        """The profile under other readings; raises KeyError for an unknown switch or reading."""
        profile = self
        for name, value in settings.items():
            switch = _named(self.switches, name, "switch")
            if value not in switch.values:
                raise KeyError(f"switch {name!r} has no value {value!r}; it has {', '.join(switch.values)}")
            for path, leaf in switch.values[value].items():
                profile = replaced(profile, path.split("."), leaf)
        return profile

    def leaves(self) -> Iterator[tuple[str, Any]]:
        """Every value of the profile with its dotted path; names, sources and switches themselves are left out."""
        for field in self.__struct_fields__:
            if field not in ("name", "title", "switches", "sources"):
                yield from leaves(field, getattr(self, field))

    def value(self, path: str) -> Any:
        """The value at a dotted path as ``leaves`` writes it; raises KeyError if there is none."""
        value: Any = self
        for key in path.split("."):
            value = child(value, key)
        return value

    def source(self, path: str) -> str:
        """The page that states the value at a dotted path; raises KeyError if none does."""
        parts = path.split(".")
        for length in range(len(parts), 0, -1):
            page = self.sources.get(".".join(parts[:length]))
            if page is not None:
                return page
        raise KeyError(f"no source is stated for {path}")


def _named[T: (Tier, Road, LatencyTier, Switch)](items: tuple[T, ...], name: str, what: str) -> T:
    for item in items:
        if item.name == name:
            return item
    raise KeyError(f"no {what} {name!r}; there is {', '.join(item.name for item in items)}")
