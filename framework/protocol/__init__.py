"""The vocabulary of protocols, venues and instruments.

Everything here is a value: what an exchange can do, how far its cancels reach, in which order its messages arrive, what
it counts against whom. Generic code reads these values and never asks for a protocol by name; an adapter states them
(``adapters/<exchange>/profile.py``). This package imports nothing of ours.
"""

from __future__ import annotations

from framework.protocol.instrument import BUY, SELL, InstrumentSpec, OrderType, StpMode, TimeInForce, TriggerReference
from framework.protocol.limits import POINT, CallCosts, FeeTier, RateSchedule, Tier, VenueLimits
from framework.protocol.link import Capabilities, ProtocolProfile
from framework.protocol.margin import MarginAsset, MarginPair, MarginRules
from framework.protocol.road import LatencySpec, LatencyTier, LinkLatency, Road
from framework.protocol.semantics import (
    CancelReach,
    MassCancelScope,
    NewOrders,
    News,
    OnDisconnect,
    Ordering,
    PostOnlyViolation,
    Protocol,
    RateCheck,
    RejectReason,
    ResponseStyle,
    SessionScope,
    VenueMode,
)
from framework.protocol.venue import AmendPriority, ModeRule, Switch, VenueProfile

__all__ = [
    "BUY",
    "POINT",
    "SELL",
    "AmendPriority",
    "CallCosts",
    "CancelReach",
    "Capabilities",
    "FeeTier",
    "InstrumentSpec",
    "LatencySpec",
    "LatencyTier",
    "LinkLatency",
    "MarginAsset",
    "MarginPair",
    "MarginRules",
    "MassCancelScope",
    "ModeRule",
    "NewOrders",
    "News",
    "OnDisconnect",
    "OrderType",
    "Ordering",
    "PostOnlyViolation",
    "Protocol",
    "ProtocolProfile",
    "RateCheck",
    "RateSchedule",
    "RejectReason",
    "ResponseStyle",
    "Road",
    "SessionScope",
    "StpMode",
    "Switch",
    "Tier",
    "TimeInForce",
    "TriggerReference",
    "VenueLimits",
    "VenueMode",
    "VenueProfile",
]
