"""Ways to trade: where the trader sits, how long messages take, which link carries what."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from framework.protocol.semantics import Protocol

__all__ = [
    "LatencySpec",
    "LatencyTier",
    "LinkLatency",
    "Road",
]


class LatencySpec(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution of one-way latencies, as data; ``framework/venue/latency.py`` compiles it.

    kind: "constant" (``median_us``), "lognormal" (``median_us``, ``sigma`` of the logarithm) or "empirical" (``file``:
        one latency in microseconds a line).
    floor_us: no latency is below it.
    spike_rate_per_min, spike_ms, spike_length_ms: bursts that begin at this rate, last ``spike_length_ms``, and add
        ``spike_ms`` to each message sent meanwhile.
    """

    kind: str = "constant"
    median_us: float = 0.0
    sigma: float = 0.0
    floor_us: float = 0.0
    spike_rate_per_min: float = 0.0
    spike_ms: float = 0.0
    spike_length_ms: float = 0.0
    file: str | None = None


class LinkLatency(msgspec.Struct, frozen=True, kw_only=True):
    """One-way latencies of a link: commands to the engine, responses and own news back, market data to the strategy."""

    command: LatencySpec
    response: LatencySpec
    feed: LatencySpec


class LatencyTier(msgspec.Struct, frozen=True, kw_only=True):
    """Where the trader sits; ``links`` has only the protocols that can be reached from there."""

    name: str
    title: str
    links: Mapping[Protocol, LinkLatency]


class Road(msgspec.Struct, frozen=True, kw_only=True):
    """A way to trade: which link carries what.

    cancel: links for cancels in order of preference, the later ones fallbacks when the earlier do not reach.
    news: the link that tells of own orders; polled every ``poll_interval_ns`` where it does not push (else None).
    query: the link that is asked for the state of orders when news cannot tell.
    latency_tier: name of the venue's latency tier.
    """

    name: str
    title: str
    submit: Protocol
    amend: Protocol
    cancel: tuple[Protocol, ...]
    news: Protocol
    query: Protocol
    poll_interval_ns: int | None
    latency_tier: str
