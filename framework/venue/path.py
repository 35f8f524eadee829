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

import numpy as np

from framework.protocol import Ordering
from framework.venue.compiled import entry, p64
from framework.venue.latency import CompiledLatency, latency_at
from framework.venue.streams import draw_below, draw_u64, stream_key

__all__ = ["Path"]

_NEVER_NS = -(2**63)
# The state of a path: number of messages sent, whether they are in order, keys of its two streams, address of the
# latency table, number of paths, and when the last message of each arrives.
_COUNT, _IS_ORDERED, _KEY, _PATH_KEY, _TABLE, _PATHS, _LAST = range(7)


class Path:
    """Arrival times of the messages of one direction of one connection."""

    __slots__ = ("_address", "_state", "_table")

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
        count = balanced_paths if ordering is Ordering.BALANCED else 1
        self._state = np.full(_LAST + count, _NEVER_NS, np.int64)
        self._state[:_LAST] = (
            0,
            ordering is not Ordering.NONE,
            stream_key(seed, name),
            stream_key(seed, f"{name}.path"),
            table.address,
            count,
        )
        self._address = self._state.ctypes.data
        self._table = table  # its memory is read by address

    @property
    def count(self) -> int:
        """Messages sent so far."""
        return int(self._state[_COUNT])

    def send(self, ts_sent_ns: int) -> int:
        """Send the next message; returns when it arrives, in nanoseconds, never before it was sent."""
        return _send(self._address, ts_sent_ns)

    def latency_ns(self, ts_sent_ns: int) -> int:
        """What the next message takes by itself, if it is sent then; nothing is sent."""
        state = self._state
        return latency_at(int(state[_KEY]), int(state[_COUNT]), ts_sent_ns, int(state[_TABLE]))

    @property
    def draw(self) -> int:
        """The chance of the next message's latency, uniform over 0 ... 2**64 - 1: which quantile it is."""
        return int(draw_u64(int(self._state[_KEY]), int(self._state[_COUNT])))

    def send_with(self, ts_sent_ns: int, latency_ns: int, *, is_holding: bool = True) -> int:
        """As ``send``, for a message whose latency is known; it keeps its order as any other.

        is_holding: later messages keep theirs behind it.
        """
        state = self._state
        number = int(state[_COUNT])
        state[_COUNT] = number + 1
        ts_arrived_ns = ts_sent_ns + latency_ns
        if not state[_IS_ORDERED]:
            return ts_arrived_ns
        paths = int(state[_PATHS])
        at = _LAST + (draw_below(int(state[_PATH_KEY]), number, paths) if paths > 1 else 0)
        ts_arrived_ns = max(ts_arrived_ns, int(state[at]))
        if is_holding:
            state[at] = ts_arrived_ns
        return ts_arrived_ns

    def reconnect(self) -> None:
        """Begin a new connection: nothing waits behind messages of the old one. The stream of latencies goes on."""
        self._state[_LAST:] = _NEVER_NS


@entry
def _send(address: int, ts_sent_ns: int) -> int:
    state = p64(address)
    number = state[_COUNT]
    state[_COUNT] = number + 1
    ts_arrived_ns = ts_sent_ns + latency_at(state[_KEY], number, ts_sent_ns, state[_TABLE])
    if state[_IS_ORDERED] == 0:
        return ts_arrived_ns
    at = _LAST
    if state[_PATHS] > 1:
        at += draw_below(state[_PATH_KEY], number, state[_PATHS])
    ts_arrived_ns = max(ts_arrived_ns, state[at])
    state[at] = ts_arrived_ns
    return ts_arrived_ns
