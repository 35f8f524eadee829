"""The trader's side of the rate counters: what may still be spent, and what is kept for cancels.

One counter for each pair, and one for the calls of each protocol that counts them, charged with the functions that the
simulated venue charges with, at the time of sending. The venue charges on arrival, so the estimate runs ahead of the
venue's counter by what decays on the way, and never behind it as long as no other trader uses the account.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from framework.execution.events import RateBudgetChanged
from framework.messages import AddOrder, CancelOrder, Command, RateCount
from framework.protocol import POINT, CallCosts, ProtocolProfile, RateSchedule, Tier
from framework.venue.rates import Charge, RateCounter, call_charge, call_counter, cancel_charge, engine_counter

__all__ = ["BudgetUse", "RateBudget"]

# What a request is charged on the call counter, by its type; all others are charged "trading_other".
_CALLS: dict[type[Command], str] = {AddOrder: "trading", CancelOrder: "trading"}


# Room that a poll leaves on the call counter: a poll is charged when it arrives, and in addition when it turns out that
# something had changed, so the venue's counter can stand a little above ours.
_POLL_MARGIN = POINT


class BudgetUse(NamedTuple):
    """One counter, in POINT units. kind: "orders" of the instrument ``name``, or "calls" of the protocol ``name``.

    published: what the venue itself says of it; None where it says nothing.
    """

    kind: str
    name: str
    used: int
    limit: int
    published: int | None = None


class RateBudget:
    """Counters of one account, by symbol, and of its key, by protocol.

    cancel_reserve_points: points below the threshold that only cancels may use.
    on_change: called when a counter passes a share that was set with ``watch``.
    """

    def __init__(
        self,
        schedule: RateSchedule,
        tier: Tier,
        cancel_reserve_points: int,
        on_change: Callable[[RateBudgetChanged], None],
    ) -> None:
        self.schedule = schedule
        self.tier = tier
        self._reserve = cancel_reserve_points * POINT
        self._on_change = on_change
        self._counters: dict[str, RateCounter] = {}
        self._calls: dict[str, RateCounter] = {}
        self._published: dict[str, RateCounter] = {}
        self._shares: list[float] = []
        self._above: dict[tuple[str, float], bool] = {}

    def watch(self, share: float) -> None:
        """Tell when a counter passes this share of its threshold, upwards or downwards, at the next request."""
        self._shares.append(share)

    def uses(self, now_ns: int) -> list[BudgetUse]:
        """All counters that anything was charged to, as they stand now, and as the venue's own have fallen since."""
        orders = []
        for symbol, counter in self._counters.items():
            theirs = self._published.get(symbol)
            published = None if theirs is None else _value(theirs, now_ns)
            orders.append(BudgetUse("orders", symbol, _value(counter, now_ns), counter.threshold, published))
        calls = [
            BudgetUse("calls", label, _value(counter, now_ns), counter.threshold)
            for label, counter in self._calls.items()
        ]
        return orders + calls

    def used_share(self, symbol: str, now_ns: int) -> float:
        """Share of the threshold that is used now."""
        return self._counter(symbol).value_at(now_ns) / self.tier.threshold

    # ------------------------------------------------------------------------------------------------- transactions

    def denial(self, symbol: str, charge: Charge, now_ns: int) -> str | None:
        """Why a request that is not a cancel must not be sent now; None if it may.

        It must leave the reserve untouched, so it is refused where the counter with its cost would stand above
        threshold less reserve, whatever the venue would say.
        """
        value = self._counter(symbol).value_at(now_ns)
        ceiling = self.tier.threshold - self._reserve
        if value + charge.cost <= ceiling:
            return None
        return (
            f"rate budget of {symbol}: counter {value / POINT:.1f} plus {charge.cost / POINT:.1f} would pass "
            f"{ceiling / POINT:.0f} (threshold {self.tier.threshold / POINT:.0f} less the cancels' reserve "
            f"{self._reserve / POINT:.0f}); wait or amend less often"
        )

    def has_room_to_cancel(self, symbol: str, age_ns: int, now_ns: int) -> bool:
        """Whether the venue would let a single cancel of an order of this age in now, as far as is known here."""
        counter = self._counter(symbol)  # charged since the time was read, perhaps
        return counter.would_admit(max(now_ns, counter.ts_ns), cancel_charge(self.schedule, age_ns))

    def spend(self, symbol: str, charge: Charge, now_ns: int) -> None:
        """Charge a request that is sent now."""
        counter = self._counter(symbol)
        counter.admit(now_ns, charge)
        for share in self._shares:
            is_above = counter.value >= share * self.tier.threshold
            if self._above.get((symbol, share), False) != is_above:
                self._above[symbol, share] = is_above
                used_share = counter.value / self.tier.threshold
                self._on_change(
                    RateBudgetChanged(
                        ts_ns=now_ns, symbol=symbol, share=share, used_share=used_share, is_above=is_above
                    )
                )

    def note_venue(self, report: RateCount, now_ns: int) -> None:
        """The venue has published its counter: ours stands at least so high, as it has fallen since.

        What is on its way is charged to ours already, and to the venue's when it arrives; so ours is never lowered.
        """
        theirs = engine_counter(self.tier, self.schedule)
        theirs.value, theirs.ts_ns = report.points, min(report.ts_venue_ns, now_ns)
        self._published[report.symbol] = theirs
        value, ours = theirs.value_at(now_ns), self._counter(report.symbol)
        if value > ours.value_at(now_ns):
            ours.value, ours.ts_ns = value, now_ns

    def _counter(self, symbol: str) -> RateCounter:
        counter = self._counters.get(symbol)
        if counter is None:
            counter = self._counters[symbol] = engine_counter(self.tier, self.schedule)
        return counter

    # ------------------------------------------------------------------------------------------------- calls

    def spend_call(self, profile: ProtocolProfile, command: Command, now_ns: int) -> None:
        """Charge a request to the call counter of its protocol, where there is one; it is sent whatever that says."""
        costs = profile.call_costs
        if costs is not None:
            charge = call_charge(costs, _CALLS.get(type(command), "trading_other"))
            if charge.fixed:
                self._call_counter(profile).admit(now_ns, charge)

    def admit_poll(self, profile: ProtocolProfile, now_ns: int) -> bool:
        """Charge a poll if the counter has room for all that it may cost; else False, and it must wait."""
        costs = profile.call_costs
        if costs is None:
            return True
        counter = self._call_counter(profile)
        at_most = _POLL_MARGIN + _poll_cost_max(profile, costs)
        if not counter.would_admit(now_ns, Charge(at_most)):
            return False
        for call in profile.poll_calls:
            counter.admit(now_ns, call_charge(costs, call))
        return True

    def spend_poll_change(self, profile: ProtocolProfile, now_ns: int) -> None:
        """Charge what a poll costs in addition, because something had changed."""
        costs = profile.call_costs
        if costs is not None:
            counter = self._call_counter(profile)
            for call in profile.poll_calls_on_change:
                counter.admit(now_ns, call_charge(costs, call))

    def spend_read(self, profile: ProtocolProfile, now_ns: int) -> None:
        """Charge what was asked beside the polls: as much as by one that has found a change."""
        costs = profile.call_costs
        if costs is not None:
            counter = self._call_counter(profile)
            for call in (*profile.poll_calls, *profile.poll_calls_on_change):
                counter.admit(now_ns, call_charge(costs, call))

    def note_poll_refused(self, profile: ProtocolProfile, now_ns: int, times: int = 1) -> None:
        """The venue refused a poll, so many times in a row now: its counter is over the limit, whatever ours says.

        How far over is not told, refused calls may be charged too, and a poll that looks for much makes more calls than
        are told of here. So the counter is taken to be as far over as one poll can have brought it, and twice as far
        each time, until it has time to fall to nothing; polling on at one pace could keep it there for ever.
        """
        costs = profile.call_costs
        if costs is not None:
            counter = self._call_counter(profile)
            cost = _poll_cost_max(profile, costs)
            empty = counter.threshold - _POLL_MARGIN - cost  # so far over, there is room again when it is at nothing
            counter.value = counter.threshold + max(cost, min(cost << min(times - 1, 16), empty))
            counter.ts_ns = now_ns

    def _call_counter(self, profile: ProtocolProfile) -> RateCounter:
        counter = self._calls.get(profile.label)
        if counter is None:
            costs = profile.call_costs
            assert costs is not None
            counter = self._calls[profile.label] = call_counter(self.tier, costs)
        return counter


def _poll_cost_max(profile: ProtocolProfile, costs: CallCosts) -> int:
    """What a poll costs when something has changed."""
    return sum(getattr(costs, call) for call in (*profile.poll_calls, *profile.poll_calls_on_change))


def _value(counter: RateCounter, now_ns: int) -> int:
    return counter.value_at(max(now_ns, counter.ts_ns))
