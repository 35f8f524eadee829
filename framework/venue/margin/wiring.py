"""The parts of margin trading, wired once, as the venue uses them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from framework.protocol import MarginRules
from framework.venue.account import Account, Assets
from framework.venue.book import Pair
from framework.venue.entry import Entry
from framework.venue.lifecycle import Lifecycle
from framework.venue.margin.checks import MarginChecks
from framework.venue.margin.lending import Lending
from framework.venue.margin.positions import MarginAccount
from framework.venue.margin.prices import Prices
from framework.venue.margin.standing import Standing, Standings
from framework.venue.margin.upkeep import MarginUpkeep
from framework.venue.matching import Matching
from framework.venue.reports import Reporter
from framework.venue.timers import TimerKind, Timers

if TYPE_CHECKING:
    from framework.venue.kernel import MatchingKernel

__all__ = ["Margin"]


class Margin:
    """Margin trading of one venue. due: see ``Lending``; empty where there is nothing to look at."""

    def __init__(
        self,
        rules: MarginRules,
        valuation_asset: str,
        kernel: MatchingKernel,
        assets: Assets,
        pairs: Sequence[Pair],
        accounts: Sequence[Account],
        lifecycle: Lifecycle,
        matching: Matching,
        entry: Entry,
        timers: Timers,
        reporter: Reporter,
    ) -> None:
        """valuation_asset: what margins are compared in, if the venue has it."""
        self.rules = rules
        names = assets.names
        quanta = [1] * len(names)
        for pair in pairs:
            quanta[pair.quote] = pair.fee_quantum
        valued_in = assets.index.get(valuation_asset, pairs[0].quote)
        self.prices = Prices(kernel, pairs)
        self._standings = Standings(rules, self.prices, names)
        self.lending = Lending(rules, self.prices, names, timers, quanta)
        self.due = self.lending.due
        self.checks = MarginChecks(rules, kernel, self.lending, self._standings, names, assets.decimals, valued_in)
        loss_assets = dict.fromkeys(assets.index[name] for name in rules.loss_assets if name in assets.index)
        self._upkeep = MarginUpkeep(
            rules,
            kernel,
            self.lending,
            self._standings,
            lifecycle,
            entry,
            reporter,
            tuple(dict.fromkeys([*loss_assets, *range(len(names))])),
            valued_in,
        )
        lifecycle.lending = matching.lending = self.lending
        entry.margin = self.checks
        for account in accounts:
            account.margin = MarginAccount(len(names), len(pairs))

    def standing(self, account: Account, into: int) -> Standing:
        """How an account stands; into: index of the asset that sums are in."""
        return self._standings.standing(account, into)

    def look(self, now_ns: int) -> None:
        """Look at all accounts in ``due``."""
        self._upkeep.look(now_ns)

    def act(self, kind: TimerKind, subject: Any, now_ns: int) -> None:
        """A rollover or a check is due."""
        if kind is TimerKind.MARGIN_ROLLOVER:
            self.lending.roll_over(subject, now_ns)
        else:
            self._upkeep.check(subject, now_ns)

    @staticmethod
    def is_live(due_ns: int, kind: TimerKind, subject: Any) -> bool:
        """Whether a rollover or a check of an account still applies."""
        margin = subject.margin
        return bool((margin.rollover_ns if kind is TimerKind.MARGIN_ROLLOVER else margin.check_ns) == due_ns)
