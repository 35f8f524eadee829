"""The kill switch of a desk: everything is canceled by every road that reaches, and nothing new is sent.

It stays pulled until somebody releases it. What it has come to is told: that the venue says that nothing is open, or
again and again what is still in the way of that.
"""

from __future__ import annotations

from collections.abc import Callable

from framework.execution.desk import ExecutionDesk
from framework.execution.events import KillSwitchProved, KillSwitchPulled, KillSwitchReleased
from framework.execution.link import Clock
from framework.execution.standstill import Proof, Scope, Standstill

__all__ = ["KillSwitch"]

_MS = 1_000_000


class KillSwitch:
    """One desk's.

    reason: why it is pulled; None while it is not. proof: the venue's word since then that nothing is open. on_change:
    called after each change of these, and every ``again_ms`` while there is no proof yet.
    """

    def __init__(
        self, desk: ExecutionDesk, clock: Clock, on_change: Callable[[], None] = lambda: None, again_ms: int = 5_000
    ) -> None:
        self.reason: str | None = None
        self.on_change = on_change
        self._desk = desk
        self._clock = clock
        self._again_ns = again_ms * _MS
        self._standstill: Standstill | None = None

    @property
    def proof(self) -> Proof | None:
        """The venue's word that nothing is open, given since it was pulled; None without it."""
        return None if self._standstill is None else self._standstill.proof

    def left(self) -> list[str]:
        """What is in the way of a proof, in words."""
        return [] if self._standstill is None or self.proof is not None else self._standstill.left()

    def pull(self, reason: str) -> None:
        """Cancel everything of the account, and deny new orders; once more does nothing. reason: in words."""
        if self.reason is not None:
            return
        self.reason = reason
        desk, clock = self._desk, self._clock
        desk.tell(KillSwitchPulled(ts_ns=clock.now_ns, reason=reason))
        self._standstill = standstill = Standstill(desk, clock, Scope.ACCOUNT, self._on_proved)
        standstill.begin(f"kill switch: {reason}")
        clock.call_at(clock.now_ns + self._again_ns, lambda: self._remind(standstill))
        self.on_change()

    def release(self) -> None:
        """Let new orders be sent again."""
        if self.reason is None:
            return
        if self._standstill is not None:
            self._standstill.stop()
        self.reason, self._standstill = None, None
        self._desk.resume()
        self._desk.tell(KillSwitchReleased(ts_ns=self._clock.now_ns))
        self.on_change()

    # ------------------------------------------------------------------------------------------------- within

    def _on_proved(self, proof: Proof) -> None:
        self._desk.tell(KillSwitchProved(ts_ns=self._clock.now_ns, ts_venue_ns=proof.ts_venue_ns))
        self.on_change()

    def _remind(self, standstill: Standstill) -> None:
        if self._standstill is standstill and standstill.proof is None:
            self.on_change()
            self._clock.call_at(self._clock.now_ns + self._again_ns, lambda: self._remind(standstill))
