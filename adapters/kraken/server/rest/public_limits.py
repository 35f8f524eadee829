"""How many public calls an address may make.

Source: guides/rest/ratelimits: public calls are limited by address, Trades and OHLC by address and pair, about one a
second is safe. Assumption: so many may come at once, and a refused call costs nothing.
"""

from __future__ import annotations

from collections import OrderedDict

from framework.protocol import POINT, RateCheck
from framework.venue.rates import Charge, RateCounter

__all__ = ["PublicLimits"]

_BY_PAIR = frozenset({"Trades", "OHLC"})
_PER_NS = POINT // 10**9
_COUNTERS_MAX = 10_000
_CALL = Charge(fixed=POINT, is_refused_charged=False)


class PublicLimits:
    """Counters of public calls by address. Those of the addresses that called least recently are forgotten first."""

    def __init__(self, burst: int) -> None:
        """burst: calls at once; 0 for no limit."""
        self._burst = burst
        self._counters: OrderedDict[str, RateCounter] = OrderedDict()

    def admits(self, peer: str, name: str, pair: str, now_ns: int) -> bool:
        """Charge a call; False if it is one too many."""
        if not self._burst:
            return True
        place = f"{peer} {name} {pair[:64]}" if name in _BY_PAIR else peer
        counter = self._counters.pop(place, None)
        if counter is None:
            counter = RateCounter(threshold=self._burst * POINT, decay_per_ns=_PER_NS, check=RateCheck.AFTER)
            if len(self._counters) >= _COUNTERS_MAX:
                self._counters.popitem(last=False)
        self._counters[place] = counter
        return counter.admit(now_ns, _CALL)
