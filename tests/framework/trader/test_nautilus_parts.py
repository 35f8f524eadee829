"""NautilusTrader's components as a run uses them answer what its own do, closed positions included."""

from __future__ import annotations

from typing import Any

from adapters.kraken.profile import PROFILE
from tests.simulation.stage import ASK, BID, BTC, Script, fixed_latency, run

FAST = fixed_latency(PROFILE, 1.0)
LOTS = BTC // 100


def _round_trips(count: int) -> Script:
    """Buys at the ask and sells at the bid: 0.01 BTC, then 0.02, and so on.

    NautilusTrader takes a position whose P&L is that of the one before for the same one, so they differ.
    """
    steps: list[tuple[float, Any]] = []
    for index in range(count):
        lots = LOTS * (index + 1)
        steps.append((5.0 + 2 * index, lambda s, lots=lots: s.buy(s.btc, lots, ASK)))
        steps.append((6.0 + 2 * index, lambda s, lots=lots: s.sell(s.btc, lots, BID)))
    return Script(steps)


def _fees(script: Script) -> float:
    return sum(float(event.commission) for _, event in script.events("OrderFilled"))


def test_the_realized_pnl_counts_every_closed_position_and_not_only_the_last() -> None:
    script = _round_trips(3)
    run(script, profile=FAST)
    # 0.1 USD lost on each of 0.01, 0.02 and 0.03 BTC, and the fees.
    wanted = -0.1 * 0.06 - _fees(script)
    assert abs(float(script.portfolio.realized_pnl(script.btc)) - wanted) < 1e-6


def test_the_realized_pnl_may_be_asked_for_between_positions_and_goes_on() -> None:
    seen: list[float] = []
    script = _round_trips(3)
    script._steps.append((8.5, lambda s: seen.append(float(s.portfolio.realized_pnl(s.btc)))))
    script._steps.append((30.0, lambda s: seen.append(float(s.portfolio.realized_pnl(s.btc)))))
    run(script, profile=FAST)
    assert abs(seen[1] - (-0.1 * 0.06 - _fees(script))) < 1e-6
    assert seen[1] < seen[0] < 0


def test_a_flip_closes_the_position_and_opens_another() -> None:
    script = Script(
        [
            (5.0, lambda s: s.buy(s.btc, LOTS, ASK)),
            (6.0, lambda s: s.sell(s.btc, 3 * LOTS, BID)),
        ]
    )
    run(script, profile=FAST)
    names = [type(event).__name__ for _, event in script.heard if type(event).__name__.startswith("Position")]
    assert names == ["PositionOpened", "PositionClosed", "PositionOpened"]
    assert float(script.portfolio.net_position(script.btc)) == -0.02


def test_copies_of_closed_positions_can_be_asked_for() -> None:
    script = _round_trips(2)
    run(script, profile=FAST)
    copies = script.cache.position_snapshots()
    (last,) = script.cache.positions_closed()
    assert [copy.id for copy in copies] == [last.id]
    assert all(copy.is_closed for copy in copies)


def test_closed_positions_that_are_let_go_of_stay_in_the_realized_pnl() -> None:
    seen: list[int] = []
    script = _round_trips(5)

    def let_go(script: Script) -> None:
        script.portfolio.forget_closed(script.clock.timestamp_ns())
        seen.append(len(script.cache.position_snapshots()))

    script._steps += [(8.5, let_go), (12.5, let_go)]
    run(script, profile=FAST)
    assert abs(float(script.portfolio.realized_pnl(script.btc)) - (-0.1 * 0.15 - _fees(script))) < 1e-6
    assert seen == [0, 0]
    (last,) = script.cache.positions_closed()
    assert [copy.id for copy in script.cache.position_snapshots()] == [last.id]
    assert script.cache.position_snapshot_ids() == {last.id}


def test_closed_positions_since_a_time_are_kept_when_older_ones_are_let_go_of() -> None:
    kept: list[list[int]] = []

    def let_go(script: Script) -> None:
        before_ns = script.clock.timestamp_ns() - 6 * 10**9
        script.portfolio.forget_closed(before_ns)
        kept.append([each.ts_closed - before_ns for each in script.cache.position_snapshots()])

    script = _round_trips(4)
    script._steps.append((13.5, let_go))  # of 6, 8 and 10 s
    run(script, profile=FAST)
    assert [len(each) for each in kept] == [2]
    assert min(kept[0]) >= 0
    assert abs(float(script.portfolio.realized_pnl(script.btc)) - (-0.1 * 0.1 - _fees(script))) < 1e-6
