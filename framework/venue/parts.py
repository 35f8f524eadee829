"""The venue's parts, wired once, for the handlers of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from framework.protocol import ModeRule, RejectReason, VenueMode, VenueProfile
from framework.venue.account import Account
from framework.venue.book import Pair
from framework.venue.entry import Entry
from framework.venue.lifecycle import Lifecycle
from framework.venue.matching import Matching
from framework.venue.rates import Charge, RateCounter
from framework.venue.reports import Reporter
from framework.venue.timers import Timers
from framework.venue.triggers import Triggers

if TYPE_CHECKING:
    from framework.venue.kernel import MatchingKernel

__all__ = ["Parts"]


class Parts:
    """What handlers of requests work with.

    rule: of the venue's own mode, beside that of each pair's mode.
    charged: the engine counter that the request at hand was charged to, None until one was.
    """

    __slots__ = (
        "accounts",
        "charged",
        "entry",
        "kernel",
        "lifecycle",
        "matching",
        "pairs",
        "profile",
        "reporter",
        "rule",
        "timers",
        "triggers",
    )

    def __init__(
        self,
        profile: VenueProfile,
        kernel: MatchingKernel,
        accounts: dict[str, Account],
        pairs: dict[str, Pair],
        reporter: Reporter,
        lifecycle: Lifecycle,
        matching: Matching,
        triggers: Triggers,
        entry: Entry,
        timers: Timers,
    ) -> None:
        self.profile = profile
        self.kernel = kernel
        self.accounts = accounts
        self.pairs = pairs
        self.reporter = reporter
        self.lifecycle = lifecycle
        self.matching = matching
        self.triggers = triggers
        self.entry = entry
        self.timers = timers
        self.rule: ModeRule = profile.modes[VenueMode.ONLINE]
        self.charged: RateCounter | None = None

    def forget_charge(self) -> None:
        """A new request begins: it has been charged to no counter yet."""
        self.charged = None

    def charge(self, account: Account, pair: Pair, charge: Charge, now_ns: int) -> RejectReason | None:
        """Charge a request to the engine's counter of an account and pair."""
        counter = account.counters[pair.index]
        self.charged = counter
        return None if counter.admit(now_ns, charge) else RejectReason.RATE_LIMIT

    def would_refuse(self, account: Account, pair: Pair, charge: Charge, now_ns: int) -> bool:
        """Whether ``charge`` would refuse; nothing is charged."""
        return not account.counters[pair.index].would_admit(now_ns, charge)

    def charge_failed(self, account: Account, pair: Pair, fixed: int, now_ns: int) -> None:
        """Charge the fixed part of a request that was let in and then failed (guides/spot-ratelimits, "Fixed
        count").
        """
        counter = account.counters[pair.index]
        self.charged = counter
        if fixed:
            counter.admit(now_ns, Charge(fixed, 0, False, True))
