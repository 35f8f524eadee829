"""From what the backtest of a run says to what the run came to, one cause at a time.

The ladder begins with the backtest: the run's strategy and configuration on the market that the run has seen. Each step
takes one cause more as the run has measured it, all before it staying so; what a step changes is that cause's. The last
replay knows all that was measured, so what is left is where the simulation itself is wrong: queue places, for orders
that the run has sent alike, and the rest. The steps are differences of neighbours, so they add up to the whole
difference, exactly. In another order the steps would differ, and their sum would not.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal, localcontext

import msgspec
import pyarrow as pa

from framework.backtest.run_folder import of_kind, texts
from framework.diverge.accounting import Book, Prices
from framework.diverge.assumptions import Assumptions
from framework.diverge.charges import fees_charged
from framework.diverge.legs import LIMITS
from framework.diverge.measured import Measured
from framework.diverge.pairing import FillDifference, differences, followed_orders, residual
from framework.diverge.recorded import RecordedRun
from framework.diverge.replay import replay
from framework.diverge.world import CAUSES, Cause, Taken
from framework.protocol import FeeTier

__all__ = ["Divergence", "Step", "diverge"]

_EXACT = Context(prec=200)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One cause's part. net (P&L after fees), turnover: exact, in the currency. assumed, measured: in words."""

    cause: Cause
    assumed: str
    measured: str
    net: Decimal
    fills: int
    turnover: Decimal


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """How a run differs from its backtest.

    steps: a cause each; the sums of their parts are the run's figures minus the backtest's. differences: the orders
    that were filled otherwise. run_orders: how many the run has sent. followed_orders: how many of them, from the first
    on, the last replay has sent and filled as the run did; parted_ns: when the run sent the next one; None if there is
    none. replay_count: how many replays it took. start: "backtest" or "ideal".
    """

    start: str
    currency: str
    backtest_net: Decimal
    backtest_fills: int
    backtest_turnover: Decimal
    run_net: Decimal
    run_fills: int
    run_turnover: Decimal
    run_orders: int
    followed_orders: int
    parted_ns: int | None
    steps: tuple[Step, ...]
    differences: tuple[FillDifference, ...]
    replay_count: int
    notes: tuple[str, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether the replay is the run."""
        return not self.differences and not any(step.net or step.fills or step.turnover for step in self.steps)


def diverge(run: RecordedRun, *, is_ideal: bool = False, tell: Callable[[str], None] = lambda _: None) -> Divergence:
    """Replay a run and attribute how it differs.

    is_ideal: begin with a backtest without latency, fees, limits and losses instead of the run's own. tell: hears what
    is replayed. Raises DataError, ConfigError and StrategyError as a backtest does.
    """
    with localcontext(_EXACT):
        return _Ladder(run, is_ideal, tell).climb()


class _Ladder:
    def __init__(self, run: RecordedRun, is_ideal: bool, tell: Callable[[str], None]) -> None:
        self._run = run
        self._measured = Measured(run)
        self._prices = Prices(run.folder)
        self._is_ideal = is_ideal
        self._tell = tell
        self._world = dict.fromkeys(CAUSES, Taken.NONE if is_ideal else Taken.ASSUMED)
        self._fees: FeeTier | None = None
        self._replay_count = 0

    def climb(self) -> Divergence:
        run_book = Book(self._run.folder.events, self._prices)
        self._tell("the backtest")
        ladder = [self._replayed()]
        self._measured.compare(ladder[0].events)
        for cause in CAUSES:
            before = ladder[-1]
            is_changed = self._changes(cause, before)
            self._world[cause] = Taken.MEASURED
            if is_changed:
                self._tell(str(cause))
            ladder.append(self._replayed() if is_changed else before)
        words = Assumptions(self._run, self._measured, ladder[0].events, is_ideal=self._is_ideal)
        steps = [
            Step(
                cause=cause,
                assumed=words.assumed(cause),
                measured=words.measured(cause),
                net=_minus(after.net, before.net),
                fills=after.fills - before.fills,
                turnover=_minus(after.turnover, before.turnover),
            )
            for cause, before, after in zip(CAUSES, ladder[:-1], ladder[1:], strict=True)
        ]
        steps += self._left(run_book, ladder[-1])
        backtest = ladder[0]
        followed, parted_ns = followed_orders(run_book, ladder[-1])
        return Divergence(
            start="ideal" if self._is_ideal else "backtest",
            currency=self._prices.currency,
            backtest_net=backtest.net,
            backtest_fills=backtest.fills,
            backtest_turnover=backtest.turnover,
            run_net=run_book.net,
            run_fills=run_book.fills,
            run_turnover=run_book.turnover,
            run_orders=sum(order.sent_ns is not None for order in run_book.orders.values()),
            followed_orders=followed,
            parted_ns=parted_ns,
            steps=tuple(steps),
            differences=tuple(differences(run_book, ladder)),
            replay_count=self._replay_count,
            notes=tuple(self._run.notes + words.notes),
        )

    def _replayed(self) -> Book:
        self._replay_count += 1
        return Book(replay(self._run, self._measured, self._world, self._fees), self._prices)

    def _left(self, run_book: Book, last: Book) -> list[Step]:
        """What no cause has explained: of orders sent alike, and of all others."""
        left = residual(run_book, last)
        model = self._run.config.market.queue_model
        return [
            Step(
                cause=Cause.QUEUE,
                assumed=f"places {'known' if self._is_by_order() else model}",
                measured=_count(left.alike_orders, "order filled otherwise", "orders filled otherwise"),
                net=_minus(left.net, Decimal(0)),
                fills=left.fills,
                turnover=_minus(left.turnover, Decimal(0)),
            ),
            Step(
                cause=Cause.REST,
                assumed="",
                measured=_count(left.other_orders, "order on another path", "orders on another path"),
                net=_minus(run_book.net - last.net, left.net),
                fills=run_book.fills - last.fills - left.fills,
                turnover=_minus(run_book.turnover - last.turnover, left.turnover),
            ),
        ]

    def _is_by_order(self) -> bool:
        return all(market.depth == "L3" for market in self._run.markets)

    def _changes(self, cause: Cause, before: Book) -> bool:
        """Whether a replay can come out otherwise when this cause is taken as measured; of fees, take them."""
        measured, is_ideal = self._measured, self._is_ideal
        has_commands = bool(measured.legs.commands)
        has_answers = bool(measured.legs.answers or measured.legs.news)
        match cause:
            case Cause.FEED:
                return is_ideal or self._run.is_taped
            case Cause.OWN:
                return measured.is_own_seen
            case Cause.COMMAND:
                return has_commands
            case Cause.RESPONSE:
                return has_answers
            case Cause.ORDERING:
                return has_commands or has_answers
            case Cause.FEES:
                return self._find_fees()
            case Cause.LIMITS:
                return bool(measured.refused) or _limited_count(before.events) > 0
            case _:
                has_faults = bool(self._run.config.faults)
                return bool(measured.lost) or (has_faults if is_ideal else not has_faults and bool(measured.drops))

    def _find_fees(self) -> bool:
        """Take the fees that the run was charged, if they are not those of the world."""
        self._fees = fees_charged(self._run)
        return self._is_ideal or self._fees is not None


def _minus(one: Decimal, other: Decimal) -> Decimal:
    """The difference, without digits that say nothing."""
    return (one - other).normalize()


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _limited_count(events: pa.Table) -> int:
    """How many commands a limit has refused."""
    return sum(reason in LIMITS for reason in texts(of_kind(events, "command"), "reject_reason"))
