"""How often an address may connect to WebSocket.

Source: guides/spot-ws-intro, "General Considerations": about 150 attempts for an address in any 10 minutes; one more,
and the address is banned for 10 minutes. Assumptions: exactly 150; a ban refuses WebSocket connections and nothing
else; an attempt during the ban neither counts nor makes it longer; it is answered with HTTP 429, no handshake.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from ipaddress import IPv6Address, ip_address

__all__ = ["ATTEMPTS_MAX", "ConnectLimits"]

ATTEMPTS_MAX = 150
_WINDOW_NS = _BAN_NS = 600 * 10**9
_ADDRESSES_MAX = 10_000


class _Address:
    """attempts: times of those in the window. banned_until_ns: 0 where there was no ban."""

    __slots__ = ("attempts", "banned_until_ns")

    def __init__(self) -> None:
        self.attempts: deque[int] = deque()
        self.banned_until_ns = 0


class ConnectLimits:
    """Attempts by address. The addresses that tried least recently are forgotten first."""

    def __init__(self, attempts_max: int | None = None) -> None:
        """attempts_max: in any 10 minutes; 0 for any number; None for Kraken's figure, which does not hold for this
        machine's own addresses: all its clients have the same one.
        """
        self._attempts_max = ATTEMPTS_MAX if attempts_max is None else attempts_max
        self._is_own_exempt = attempts_max is None
        self._addresses: OrderedDict[str, _Address] = OrderedDict()

    def admits(self, address: str, now_ns: int) -> bool:
        """Count an attempt; False if the address is banned, by this attempt or an earlier one."""
        if not self._attempts_max or (self._is_own_exempt and _is_own(address)):
            return True
        known = self._addresses.pop(address, None)
        if known is None:
            known = _Address()
            if len(self._addresses) >= _ADDRESSES_MAX:
                self._addresses.popitem(last=False)
        self._addresses[address] = known
        if now_ns < known.banned_until_ns:
            return False
        attempts = known.attempts
        while attempts and attempts[0] <= now_ns - _WINDOW_NS:
            attempts.popleft()
        if len(attempts) >= self._attempts_max:
            known.banned_until_ns = now_ns + _BAN_NS
            return False
        attempts.append(now_ns)
        return True


def _is_own(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return True  # no network address at all: a local socket
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return (mapped or parsed).is_loopback
