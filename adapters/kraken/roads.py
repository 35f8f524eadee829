"""Where a trader on Kraken Spot may sit, and the roads that orders take.

Latencies are one way. Kraken publishes round trips of the connection (guides/global-intro: AWS London about 2 ms,
colocation about 200 us) and none of its order entry. It ranks the protocols (FIX fastest, REST slowest and most
variable); the timestamps in the examples of its WebSocket pages are 8 ms apart for an order, which sets the scale of
the WebSocket gateways here. These figures are the largest assumption of a comparison of roads: replace them by measured
ones (``LatencySpec`` of kind "empirical") before a decision depends on them.

Market data of REST is the WebSocket feed: REST pushes none, and nobody polls a book who can subscribe to it.
"""

from __future__ import annotations

from framework.protocol import LatencySpec, LatencyTier, LinkLatency, Protocol, Road

__all__ = ["LATENCY_TIERS", "ROADS", "ROAD_SOURCES"]


def _spec(median_us: float, sigma: float, floor_us: float, spikes: tuple[float, float, float]) -> LatencySpec:
    rate_per_min, ms, length_ms = spikes
    return LatencySpec(
        kind="lognormal",
        median_us=median_us,
        sigma=sigma,
        floor_us=floor_us,
        spike_rate_per_min=rate_per_min,
        spike_ms=ms,
        spike_length_ms=length_ms,
    )


def _tier(name: str, title: str, line_us: float, line_sigma: float, spikes: tuple[float, float, float]) -> LatencyTier:
    """A tier whose line takes ``line_us`` one way; the gateway of each protocol comes on top."""
    websocket_order = _spec(line_us + 4_000, 0.5, line_us + 500, spikes)
    rest_order = _spec(line_us + 7_000, 0.7, line_us + 1_000, spikes)
    fix_order = _spec(line_us, line_sigma, 0.8 * line_us, spikes)
    websocket_feed = _spec(line_us + 500, 0.3, line_us, spikes)
    websocket = LinkLatency(command=websocket_order, response=websocket_order, feed=websocket_feed)
    return LatencyTier(
        name=name,
        title=title,
        links={
            Protocol.REST: LinkLatency(command=rest_order, response=rest_order, feed=websocket_feed),
            Protocol.WS1: websocket,
            Protocol.WS2: websocket,
            Protocol.FIX: LinkLatency(command=fix_order, response=fix_order, feed=fix_order),
        },
    )


LATENCY_TIERS: tuple[LatencyTier, ...] = (
    _tier("internet", "over the internet, Europe", 15_000, 0.3, (1.0, 50.0, 1_000.0)),
    _tier("cloud", "AWS London, about 2 ms round trip", 1_000, 0.15, (0.2, 20.0, 500.0)),
    _tier("colo", "Equinix London, about 200 us round trip", 100, 0.1, (0.05, 2.0, 100.0)),
)

# 0.5 points per second of an Intermediate key pay for one open-orders call every 2 s; a third second leaves room for
# the calls that a change costs.
_POLL_INTERVAL_NS = 3_000_000_000

ROADS: tuple[Road, ...] = (
    Road(
        name="rest",
        title="REST, own orders polled",
        submit=Protocol.REST,
        amend=Protocol.REST,
        cancel=(Protocol.REST,),
        news=Protocol.REST,
        query=Protocol.REST,
        poll_interval_ns=_POLL_INTERVAL_NS,
        latency_tier="cloud",
    ),
    Road(
        name="rest+ws",
        title="REST, news by WebSocket",
        submit=Protocol.REST,
        amend=Protocol.REST,
        cancel=(Protocol.REST,),
        news=Protocol.WS2,
        query=Protocol.REST,
        poll_interval_ns=None,
        latency_tier="cloud",
    ),
    Road(
        name="ws1",
        title="WebSocket v1",
        submit=Protocol.WS1,
        amend=Protocol.WS1,
        cancel=(Protocol.WS1, Protocol.REST),
        news=Protocol.WS1,
        query=Protocol.REST,
        poll_interval_ns=None,
        latency_tier="cloud",
    ),
    Road(
        name="ws2",
        title="WebSocket v2",
        submit=Protocol.WS2,
        amend=Protocol.WS2,
        cancel=(Protocol.WS2, Protocol.REST),
        news=Protocol.WS2,
        query=Protocol.REST,
        poll_interval_ns=None,
        latency_tier="cloud",
    ),
    Road(
        name="fix",
        title="FIX from the cloud",
        submit=Protocol.FIX,
        amend=Protocol.FIX,
        cancel=(Protocol.FIX, Protocol.REST),
        news=Protocol.FIX,
        query=Protocol.REST,
        poll_interval_ns=None,
        latency_tier="cloud",
    ),
    Road(
        name="fix-colo",
        title="FIX, co-located",
        submit=Protocol.FIX,
        amend=Protocol.FIX,
        cancel=(Protocol.FIX, Protocol.REST),
        news=Protocol.FIX,
        query=Protocol.REST,
        poll_interval_ns=None,
        latency_tier="colo",
    ),
)

_RANKING = "guides/general/api-comparison ranks the protocols"
_EXAMPLE_TIMES = "example times of websocket-v2/add_order"

ROAD_SOURCES: dict[str, str] = {
    "latency_tiers.internet": f"assumption: 15 ms each way within Europe. {_RANKING}; {_EXAMPLE_TIMES}",
    "latency_tiers.cloud": f"guides/general/colocation; assumption: gateways. {_RANKING}; {_EXAMPLE_TIMES}",
    "latency_tiers.colo": f"guides/general/colocation; assumption: gateways. {_RANKING}; {_EXAMPLE_TIMES}",
    "roads": "assumption: roads that traders use; what each link can do is stated under protocols",
    "roads.rest.poll_interval_ns": "guides/spot-rest-ratelimits: what an Intermediate key can sustain",
}
