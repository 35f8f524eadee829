"""The path of messages over one direction of one connection: when each arrives, and in which order.

Every message draws its own latency from the path's stream, so a path is a function of (seed, name, message number) and
nothing else: what other paths draw changes nothing here.

- FIFO: a message never arrives before the one sent ahead of it on the connection.
- BALANCED: a message takes one of several paths, drawn for each message; it keeps its order only behind messages that
  took the same path.
- NONE: each message takes its own path, and any two may swap.

A message that would overtake another on its path arrives at the same nanosecond; whoever schedules arrivals keeps the
order of sending among equal times.

Simplification: the paths of a connection have one latency distribution and are chosen evenly, whatever their load.
Two messages sent in one instant are then inverted with probability (1 - 1/k) / 2 over k paths, and 1/2 with a path for
each, where latencies are continuous; equal latencies, which do not invert, take from both.
"""

from __future__ import annotations

from framework.protocol import Ordering
from framework.venue.latency import CompiledLatency
from framework.venue.streams import draw_below, stream_key

__all__ = ["Path"]

_NEVER_NS = -(2**63)


class Path:
    """Arrival times of the messages of one direction of one connection."""

    __slots__ = ("_count", "_is_ordered", "_key", "_last_ns", "_path_key", "_table")

    def __init__(
        self, *, ordering: Ordering, balanced_paths: int, seed: int, name: str, table: CompiledLatency
    ) -> None:
        """Make a path that has carried no message.

        balanced_paths: number of paths; used where ``ordering`` is BALANCED.
        seed: root seed of the run; name: name of the path's stream ("latency.ws2.command"). Latencies are drawn from
            the stream of that name, choices of a path from the stream ``name + ".path"``.
        table: distribution of the latency, see ``framework.venue.latency.compile_latency``.
        Raises ValueError for less than one path.
        """
        if balanced_paths < 1:
            raise ValueError(f"a connection needs at least one path, not {balanced_paths}")
        self._is_ordered = ordering is not Ordering.NONE
        self._last_ns = [_NEVER_NS] * (balanced_paths if ordering is Ordering.BALANCED else 1)
        self._key = stream_key(seed, name)
        self._path_key = stream_key(seed, f"{name}.path")
        self._table = table
        self._count = 0

    @property
    def count(self) -> int:
        """Messages sent so far."""
        return self._count

    def send(self, ts_sent_ns: int) -> int:
        """Send the next message; returns when it arrives, in nanoseconds, never before it was sent."""
        number = self._count
        self._count = number + 1
        ts_arrived_ns = ts_sent_ns + self._table.draw_ns(self._key, number, ts_sent_ns)
        if not self._is_ordered:
            return ts_arrived_ns
        last_ns = self._last_ns
        index = 0 if len(last_ns) == 1 else draw_below(self._path_key, number, len(last_ns))
        ts_arrived_ns = max(ts_arrived_ns, last_ns[index])
        last_ns[index] = ts_arrived_ns
        return ts_arrived_ns

    def reconnect(self) -> None:
        """Begin a new connection: nothing waits behind messages of the old one. The stream of latencies goes on."""
        self._last_ns = [_NEVER_NS] * len(self._last_ns)
