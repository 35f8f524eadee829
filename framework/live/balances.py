"""The account's money in a live run: the venue's word, and between two of them the fills learned since.

Deposits, withdrawals and trades of others are in the venue's word only. An answer counts where no fill was learned
while it was on its way and for a while after, for it may tell of fills that have not been learned yet; the next one
comes soon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Protocol

from framework.live.clock import LiveClock

__all__ = ["Balances", "Money"]

_NS = 1_000_000_000
# The venue rounds the cost of each fill; a change of less than this share of what is there is not worth a word.
_ROUNDING = Decimal("0.000001")
_AGAIN_NS = 2 * _NS
# So long after an answer the news of fills that it tells of has come.
_QUIET_NS = _NS


class Money(Protocol):
    """Who tells the strategy what is there."""

    @property
    def balances(self) -> Mapping[str, Decimal]: ...
    def set_balances(self, balances: Mapping[str, Decimal]) -> None: ...


type _Ask = Callable[[Callable[[Mapping[str, Decimal]], None], Callable[[str], None]], None]


class Balances:
    """Asks the venue, and tells ``money``.

    ask: as ``LiveVenue.ask_balances``. fill_count: of fills learned. is_settled: whether news of all fills can be heard
    and none is known to be missing. on_told: hears what the venue has said, where it counts.
    """

    def __init__(
        self,
        ask: _Ask,
        clock: LiveClock,
        money: Money,
        fill_count: Callable[[], int],
        is_settled: Callable[[], bool],
        on_told: Callable[[Mapping[str, Decimal]], None],
        say: Callable[[str], None],
        interval_s: int,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._money = money
        self._fill_count = fill_count
        self._is_settled = is_settled
        self._on_told = on_told
        self._say = say
        self._interval_ns = interval_s * _NS
        self._is_stopped = False
        self._is_failing = False

    def begin(self, then: Callable[[], None]) -> None:
        """Have the venue's word before anything else, and from time to time afterwards. then: called once it is there;
        it is asked for again and again until it is.
        """

        def told(balances: Mapping[str, Decimal]) -> None:
            self._take(balances, is_first=True)
            if self._interval_ns:
                self._clock.at(self._clock.now_ns + self._interval_ns, self._refresh)
            then()

        self._begin(told)

    def ask(self) -> None:
        """Ask now, unless fills are missing; the answer counts where none is learned while it is on its way."""
        if self._is_stopped or not self._is_settled():
            return
        count = self._fill_count()

        def look(balances: Mapping[str, Decimal]) -> None:
            if not self._is_stopped and self._fill_count() == count and self._is_settled():
                self._take(balances, is_first=False)

        def told(balances: Mapping[str, Decimal]) -> None:
            self._clock.at(self._clock.now_ns + _QUIET_NS, look, balances)

        self._ask(
            lambda balances: self._clock.enter(told, balances), lambda reason: self._clock.enter(self._failed, reason)
        )

    def stop(self) -> None:
        """Ask no more."""
        self._is_stopped = True

    # ------------------------------------------------------------------------------------------------- within

    def _begin(self, told: Callable[[Mapping[str, Decimal]], None]) -> None:
        if self._is_stopped:
            return

        def failed(reason: str) -> None:
            self._failed(reason)
            self._clock.at(self._clock.now_ns + _AGAIN_NS, self._begin, told)

        self._ask(lambda balances: self._clock.enter(told, balances), lambda reason: self._clock.enter(failed, reason))

    def _refresh(self) -> None:
        if self._is_stopped:
            return
        self._clock.at(self._clock.now_ns + self._interval_ns, self._refresh)
        self.ask()

    def _take(self, balances: Mapping[str, Decimal], *, is_first: bool) -> None:
        self._is_failing = False
        known = self._money.balances
        changes = {
            asset: balances.get(asset, Decimal(0)) - known.get(asset, Decimal(0)) for asset in {**known, **balances}
        }
        changed = ", ".join(
            f"{asset} {change.normalize():+f}"
            for asset, change in sorted(changes.items())
            if abs(change) > _ROUNDING * known.get(asset, Decimal(0))
        )
        if changed and not is_first:
            self._say(f"balances have changed by {changed}, not by orders of this run")
        self._money.set_balances(balances)
        self._on_told(balances)

    def _failed(self, reason: str) -> None:
        if not self._is_failing:
            self._is_failing = True
            self._say(f"the venue does not tell the balances: {reason}")
