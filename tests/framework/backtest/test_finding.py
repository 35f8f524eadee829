"""What is said of a comparison: true words, and other words for other numbers."""

from __future__ import annotations

from typing import Any

from framework.backtest.comparison import compare
from framework.backtest.finding import finding
from tests.framework.backtest.synthetic_metrics import figures_of, learned_after


def said(**by_road: list[dict[str, Any]]) -> str:
    return finding(compare([figures_of(r, s, **v) for r, rows in by_road.items() for s, v in enumerate(rows, 1)]))


def traded(net: float, **changes: Any) -> dict[str, Any]:
    return {"orders": 10, "pnl__fills": 5, "pnl__net": net, **changes}


def test_nothing_happened() -> None:
    words = said(rest=[{}, {}], fix=[{}, {}])
    assert words == (
        "MarketMaker over 2 roads, 2 seeds. No order was sent on any road, so the runs say nothing of the roads."
    )


def test_orders_without_fills_leave_nothing_to_earn() -> None:
    words = said(rest=[{"orders": 3}], fix=[{"orders": 3}])
    assert "No order was filled on any road, so there is no profit or loss to compare." in words
    assert "earned" not in words


def test_a_clear_winner_is_named_with_the_count_of_seeds() -> None:
    words = said(fix=[traded(v) for v in (11, 12, 14, 13, 12)], rest=[traded(v) for v in (1, 2, 3, 4, 2)])
    assert (
        "It earned more over FIX from the cloud than over REST only in 5 of 5 seeds: 12.4 USD a run against 2.4 USD."
        in words
    )
    # Differences 10, 10, 11, 9, 10: mean 10, deviation 0.7071; 2.776 * 0.7071 / sqrt(5) = 0.878.
    assert (
        "of 10 USD a run is more than the spread over seeds explains (95 % paired interval 9.12 to 10.9 USD)" in words
    )
    assert "within the spread" not in words


def test_a_difference_within_the_spread_is_not_called_one() -> None:
    words = said(fix=[traded(v) for v in (20, -5, 14)], rest=[traded(v) for v in (1, 2, 3)])
    assert "in 2 of 3 seeds" in words
    assert "is within the spread over seeds" in words
    assert "these runs do not show that either road earns more" in words
    assert "explains" not in words


def test_a_mean_that_one_seed_made_says_only() -> None:
    words = said(fix=[traded(v) for v in (100, 1, 1)], rest=[traded(v) for v in (2, 2, 2)])
    assert "in only 1 of 3 seeds" in words


def test_losses_are_called_losses() -> None:
    assert "It lost less over WebSocket v2 than over REST only in 2 of 2 seeds: 1 USD a run against 5 USD." in said(
        rest=[traded(-5), traded(-5)], ws2=[traded(-1), traded(-1)]
    )
    assert "than over REST only in 2 of 2 seeds: 1 USD a run against a loss of 5 USD." in said(
        rest=[traded(-5), traded(-5)], ws2=[traded(1), traded(1)]
    )


def test_equal_runs_are_called_equal() -> None:
    words = said(rest=[traded(4), traded(6)], fix=[traded(4), traded(6)])
    assert "Net P&L was the same on every road in every seed." in words


def test_one_seed_is_not_held_against_a_spread() -> None:
    words = said(rest=[traded(4)], fix=[traded(6)])
    assert "one seed." in words
    assert "With one seed there is no spread to hold that difference against." in words
    assert "interval" not in words


def test_one_road_is_not_compared() -> None:
    words = said(rest=[traded(-4), traded(-6)])
    assert "It lost 5 USD a run over REST only." in words
    assert "than" not in words


def test_where_a_clear_difference_came_from() -> None:
    more = traded(12, pnl__spread_at_fill=11, pnl__inventory=2, pnl__fees=1)
    less = traded(2, pnl__spread_at_fill=3, pnl__inventory=0, pnl__fees=1)
    assert "Most of it came from the spread earned at fill (8 USD a run)." in said(fix=[more] * 3, rest=[less] * 3)
    fees = traded(-5, pnl__spread_at_fill=11, pnl__inventory=2, pnl__fees=18)
    assert "Most of it came from fees (17 USD a run)." in said(fix=[more] * 3, rest=[fees] * 3)


def test_no_source_is_named_where_none_has_the_most() -> None:
    more = traded(12, pnl__spread_at_fill=4, pnl__inventory=4, pnl__fees=-4)
    less = traded(0)
    assert "Most of it" not in said(fix=[more] * 3, rest=[less] * 3)


def test_roads_between_are_told_apart_or_not() -> None:
    words = said(
        fix=[traded(v) for v in (20, 21, 22)],
        ws2=[traded(v) for v in (25, 11, 24)],
        road4=[traded(v) for v in (10, 11, 13)],
        rest=[traded(v) for v in (1, 2, 3)],
    )
    assert "road4 came out clearly below FIX from the cloud too." in words
    assert "WebSocket v2 was not told apart from FIX from the cloud." in words


def test_late_fills_most_and_none() -> None:
    late = traded(1, late_fills__count=4, late_fills__markout_10s=-2.5)
    words = said(rest=[late, late], ws2=[traded(1)] * 2)
    assert (
        "Fills that came after their cancel had been sent were most over REST only: 8 in all, worth 5 USD less at the"
        " mid 10 s later; there were none over WebSocket v2." in words
    )
    assert "No fill came after a cancel of its order had been sent." in said(rest=[traded(1)], ws2=[traded(2)])


def test_late_fills_that_paid_are_said_to() -> None:
    words = said(rest=[traded(1, late_fills__count=1, late_fills__markout_10s=2)], ws2=[traded(2)])
    assert "1 in all, worth 2 USD more at the mid 10 s later; there were none over WebSocket v2." in words


def test_inversions_by_road_and_never() -> None:
    ws2 = traded(1, races__pairs=200, races__inverted=20, races__after_inversion__seconds_max=0.0305)
    fix = traded(1, races__pairs=150)
    words = said(ws2=[ws2, ws2], fix=[fix, fix])
    assert (
        "New orders overtook the cancel that was sent before them in 10.0 % of 400 pairs over WebSocket v2, and never"
        " over FIX from the cloud." in words
    )
    assert "Both orders were then alive for up to 30.5 ms, over WebSocket v2." in words


def test_no_inversion_in_any_pair() -> None:
    words = said(ws2=[traded(1, races__pairs=200)], fix=[traded(1, races__pairs=150)])
    assert "No new order overtook the cancel that was sent before it (350 pairs)." in words


def test_no_pairs_at_all() -> None:
    assert "No new order was sent while the cancel that it followed was under way" in said(ws2=[traded(1)])


def test_rate_limits() -> None:
    words = said(rest=[traded(1, refusals__rate_limit=3)] * 2, ws2=[traded(1)] * 2)
    assert "Rate limits refused 6 over REST only, in commands over all seeds." in words
    assert "No command was refused by a rate limit." in said(ws2=[traded(1)])


def test_orphans_and_what_they_cost() -> None:
    fix = traded(1, orphans__seconds=20.5, orphans__seconds_max=19, orphans__fills=1, orphans__net=-3.25)
    words = said(fix=[fix, fix], rest=[traded(1)] * 2)
    assert (
        "Summed over orders and seeds, orders were alive with no link able to cancel them over FIX from the cloud for"
        " 41 s (longest 19 s; 2 fills meanwhile cost 6.5 USD); never over REST only." in words
    )
    assert "At no time was an order alive that no link could cancel." in said(rest=[traded(1)])


def test_news_is_compared_only_where_it_differs() -> None:
    words = said(rest=[traded(1, latencies=learned_after(1500))], fix=[traded(1, latencies=learned_after(11.2))])
    assert "learned of a fill after 11.2 ms over FIX from the cloud and after 1.5 s over REST only (medians)." in words
    alike = said(rest=[traded(1, latencies=learned_after(15))], fix=[traded(1, latencies=learned_after(11.2))])
    assert "learned of a fill" not in alike


def test_a_title_with_a_comma_can_stand_in_a_list() -> None:
    words = finding(compare([figures_of("fix", 1, **traded(3), road_title="FIX, co-located")]))
    assert "over FIX (co-located)." in words
