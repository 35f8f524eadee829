"""Who asks, and may he: key, signature, address, one-time password, nonce, and the lockout of those who go on wrongly.

The order of the checks is not documented; here it is this one. Where no text is published for a case the nearest
documented one is used:

=================================  ==============================  ====================================
case                               answer                          source
=================================  ==============================  ====================================
no or unknown key, key has ended   EAPI:Invalid key                guides/spot-errors; its end: assumed
address is not allowed             EGeneral:Permission denied      assumed
one-time password is missing       EGeneral:Permission denied      observed
one-time password is wrong         EAPI:Invalid signature          observed
too many wrong keys or nonces      EGeneral:Temporary lockout      guides/spot-errors; numbers assumed
=================================  ==============================  ====================================
"""

from __future__ import annotations

from collections import OrderedDict

from adapters.kraken.server.http import HttpRequest
from adapters.kraken.server.keys import ApiKey, KeyRing
from adapters.kraken.server.refusal import Refusal
from adapters.kraken.server.rest.params import Params
from adapters.kraken.wire.signing import is_signed

__all__ = ["Access", "Lockout"]

_FAILURES_MAX = 20
_LOCKOUT_NS = 15 * 60 * 10**9
_CULPRITS_MAX = 4_096


class Lockout:
    """Counts failures in a row of each culprit, and shuts out who has had too many: a while, from the last try on.

    Culprits are remembered up to a number; the one that failed least recently is forgotten first.
    """

    def __init__(self, failures_max: int = _FAILURES_MAX, lockout_ns: int = _LOCKOUT_NS) -> None:
        self._failures_max = failures_max
        self._lockout_ns = lockout_ns
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def is_out(self, culprit: str, now_ns: int) -> bool:
        """Whether he is shut out; trying again begins the while anew."""
        known = self._failures.get(culprit)
        if known is None or known[0] < self._failures_max:
            return False
        if now_ns - known[1] >= self._lockout_ns:
            del self._failures[culprit]
            return False
        self._failures[culprit] = (known[0], now_ns)
        return True

    def failed(self, culprit: str, now_ns: int) -> None:
        """He failed once more."""
        count, _ = self._failures.pop(culprit, (0, 0))
        self._failures[culprit] = (count + 1, now_ns)
        if len(self._failures) > _CULPRITS_MAX:
            self._failures.popitem(last=False)

    def succeeded(self, culprit: str) -> None:
        """He begins anew."""
        self._failures.pop(culprit, None)


class Access:
    """Finds whose request it is."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        # By key as it was given: nobody is shut out by what another does with a key that is not his.
        self._lockout = Lockout()

    def key_of(self, request: HttpRequest, params: Params, now_ns: int) -> ApiKey:
        """The key that a request is signed with; raises Refusal for one that may not be answered."""
        name, signature = request.headers.get("API-Key", ""), request.headers.get("API-Sign", "")
        key = self._keys.find(name)
        if key is None or not signature or not key.is_valid_at(now_ns):
            culprit = f"{request.peer} {name[:128]}"
            if self._lockout.is_out(culprit, now_ns):
                raise Refusal("EGeneral:Temporary lockout")
            self._lockout.failed(culprit, now_ns)
            raise Refusal("EAPI:Invalid key")
        nonce = params.text.get("nonce", "")
        if not is_signed(key.secret, request.path, nonce, request.body, signature):
            raise Refusal("EAPI:Invalid signature")
        if self._lockout.is_out(name, now_ns):
            raise Refusal("EGeneral:Temporary lockout")
        if not key.is_allowed_from(request.peer):
            raise Refusal("EGeneral:Permission denied")
        if key.has_otp:
            otp = params.get("otp")
            if not otp:
                raise Refusal("EGeneral:Permission denied")
            if not key.is_otp(otp):
                raise Refusal("EAPI:Invalid signature")
        if not (nonce.isascii() and nonce.isdigit()) or len(nonce) > 20 or not key.accept_nonce(int(nonce)):
            self._lockout.failed(name, now_ns)
            raise Refusal("EAPI:Invalid nonce")
        self._lockout.succeeded(name)
        key.last_used_ns = now_ns
        return key
