"""How long to wait before a connection is tried again: longer after each failure, and never in step with others."""

from __future__ import annotations

import random

__all__ = ["BackOff"]

_MS = 1_000_000


class BackOff:
    """Pauses of one link: none at first, then doubling up to a limit, each shortened by a random share.

    A connection that stood for less than ``steady_ns`` counts as a failure, so one that is dropped again and again is
    not tried without end. Kraken bans an address that connects 150 times in ten minutes (guides/spot-ws-intro).
    """

    def __init__(
        self, seed: int, *, first_ns: int = 250 * _MS, most_ns: int = 30_000 * _MS, steady_ns: int = 60_000 * _MS
    ) -> None:
        """seed: of the random shares."""
        self._draw = random.Random(seed)  # noqa: S311 - spreads attempts, protects nothing
        self._first_ns = first_ns
        self._most_ns = most_ns
        self._steady_ns = steady_ns
        self._failures = 0
        self._opened_ns: int | None = None

    def opened(self, now_ns: int) -> None:
        """The connection stands."""
        self._opened_ns = now_ns

    def ended(self, now_ns: int) -> None:
        """The connection is gone, or was never made."""
        is_steady = self._opened_ns is not None and now_ns - self._opened_ns >= self._steady_ns
        self._failures = 0 if is_steady else self._failures + 1
        self._opened_ns = None

    def pause_ns(self) -> int:
        """How long to wait now; the first loss costs no pause."""
        if self._failures < 2:
            return 0
        longest_ns = min(self._most_ns, self._first_ns << min(self._failures - 2, 30))
        return longest_ns // 2 + self._draw.randrange(longest_ns // 2 + 1)
