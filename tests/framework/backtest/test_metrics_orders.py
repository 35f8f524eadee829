"""Lives of orders, late fills, races of cancels and new orders, double exposure, orphan time. Lot 0.001 BTC."""

from __future__ import annotations

from decimal import Decimal

import pytest

from framework.backtest.metrics import RunMetrics, run_metrics
from tests.framework.backtest.event_log import BUY, MS, SELL, EventLog, S, inputs_of, queue_of, touch_of


def metrics(log: EventLog) -> RunMetrics:
    return run_metrics(log.table(), touch_of((0, 999, 1001), (100 * S, 999, 1001)), queue_of(), inputs_of())


# ------------------------------------------------------------------------------------------------- fill ratio


def test_the_fill_ratio_counts_quantity_and_orders() -> None:
    log = EventLog()
    log.add("a", BUY, 10, 0, 1, 2)
    log.add("b", BUY, 30, 0, 1, 2)
    log.fill("a", BUY, 4, 1000, 5, leaves=6)
    log.fill("a", BUY, 4, 1000, 6, leaves=2, maker=False)
    found = metrics(log)
    assert (found.orders, found.orders_filled) == (2, 1)
    assert (found.ordered_qty, found.filled_qty) == (Decimal("0.040"), Decimal("0.008"))
    assert (found.fill_ratio_qty, found.fill_ratio_orders, found.maker_share) == (0.2, 0.5, 0.5)


def test_an_amend_up_that_was_carried_out_was_ordered_too() -> None:
    log = EventLog()
    log.add("a", BUY, 10, 0, 1, 2)
    log.command("AmendOrder", "a", 3, 4, 5, qty_lots=40, is_queue_kept=False)
    log.command("AmendOrder", "a", 6, 7, 8, qty_lots=90, reject_reason="insufficient_funds")
    log.command("AmendOrder", "a", 9, None, None, qty_lots=95)
    log.fill("a", BUY, 10, 1000, 10, leaves=30)
    found = metrics(log)
    assert (found.ordered_qty, found.fill_ratio_qty) == (Decimal("0.040"), 0.25)
    assert (found.amends.sent, found.amends.kept, found.amends.lost) == (3, 0, 1)


def test_an_order_by_an_amount_of_money_counts_with_what_it_filled() -> None:
    log = EventLog()
    log.add("a", BUY, 0, 0, 1, 2)
    log.fill("a", BUY, 7, 1000, 1, maker=False, leaves=0)
    assert metrics(log).fill_ratio_qty == 1.0


def test_fills_whose_kind_is_not_known_have_no_part_in_the_maker_share() -> None:
    log = EventLog()
    log.fill("a", BUY, 7, 1000, 1, maker=None)
    assert metrics(log).maker_share is None


def test_commands_are_counted_by_name_and_lost_ones_again() -> None:
    log = EventLog()
    log.add("a", BUY, 10, 0, 1, 2)
    log.add("b", BUY, 10, 0, None, None, outcome="lost")
    log.cancel("a", 5, 6, 7)
    log.command("QueryOrders", None, 8, 9, 10)
    log.row("desk", "OrderDenied", cl_ord_id="c", ts_learned_ns=4)
    found = metrics(log)
    assert found.commands == {"AddOrder": 2, "CancelOrder": 1, "QueryOrders": 1}
    assert found.commands_lost == {"AddOrder": 1}
    assert (found.orders, found.orders_denied) == (2, 1)


# ------------------------------------------------------------------------------------------------- late fills


def test_a_fill_after_the_cancel_was_sent_is_late_and_one_at_that_instant_is_not() -> None:
    log = EventLog()
    log.add("a", BUY, 10, 0, 1, 2)
    log.cancel("a", 5 * S, 6 * S, 7 * S, reject_reason="order_not_open")
    log.fill("a", BUY, 4, 1000, 5 * S, after={10: (1004, 1006)}, leaves=6)
    log.fill("a", BUY, 3, 1000, 5 * S + 1, after={10: (989, 991)}, leaves=3)
    log.fill("a", BUY, 3, 1000, 5 * S + 2, leaves=0)
    late = metrics(log).late_fills
    # 3 lots that lose 10 ticks; the other has no mark at 10 s.
    assert (late.count, late.qty, late.markout_10s, late.markout_left_out) == (
        2,
        Decimal("0.006"),
        Decimal("-0.003"),
        1,
    )


def test_a_fill_of_another_order_is_not_late() -> None:
    log = EventLog()
    log.add("a", BUY, 10, 0, 1, 2)
    log.add("b", BUY, 10, 0, 1, 2)
    log.cancel("a", 5, 6, 7)
    log.fill("b", BUY, 4, 1000, 6, leaves=6)
    assert metrics(log).late_fills.count == 0


def test_a_cancel_that_names_the_order_by_the_venues_id_counts() -> None:
    log = EventLog()
    log.add("a", BUY, 10, 0, 1, 2)
    log.row("report", "NEW", cl_ord_id="a", order_id="O-1", ts_venue_ns=1, ts_learned_ns=2)
    log.command("CancelOrder", None, 5, 6, 7, order_id="O-1")
    log.fill("a", BUY, 4, 1000, 6, leaves=6)
    assert metrics(log).late_fills.count == 1


def test_a_mass_cancel_counts_for_orders_sent_before_it_only() -> None:
    log = EventLog()
    log.add("a", BUY, 10, 0, 1, 2)
    log.command("CancelAll", None, 5, 8, 9)
    log.add("b", BUY, 10, 6, 7, 8)
    log.fill("a", BUY, 4, 1000, 7, leaves=6)
    log.fill("b", BUY, 4, 1000, 7, leaves=6)
    assert metrics(log).late_fills.count == 1


def test_a_mass_cancel_of_another_symbol_does_not_count() -> None:
    log = EventLog()
    log.add("a", BUY, 10, 0, 1, 2)
    log.command("MassCancel", None, 5, 8, 9, symbol="ETH/USD")
    log.fill("a", BUY, 4, 1000, 7, leaves=6)
    assert metrics(log).late_fills.count == 0


# ------------------------------------------------------------------------------------------------- races


def race(add_sent: int, add_arrived: int | None, cancel_arrived: int | None, **cancel: object) -> EventLog:
    """Order "a" of 10 lots, canceled at 10 ms; order "b" of 5 lots to take its place; the outcome known at 30 ms."""
    log = EventLog()
    log.add("a", BUY, 10, 0, 1 * MS, 2 * MS)
    log.cancel("a", 10 * MS, cancel_arrived, None if cancel_arrived is None else 30 * MS, **cancel)
    log.add("b", BUY, 5, add_sent, add_arrived, None if add_arrived is None else 40 * MS)
    if cancel_arrived is not None and not cancel:
        log.end("a", cancel_arrived)
    return log


def test_a_new_order_that_overtakes_its_cancel_is_inverted_and_both_are_alive_in_between() -> None:
    races = metrics(race(10 * MS, 14 * MS, 20 * MS)).races
    assert (races.pairs, races.inverted, races.share) == (1, 1, 1.0)
    double = races.after_inversion
    assert (double.count, double.seconds, double.seconds_max) == (1, 0.006, 0.006)
    assert double.qty_max == Decimal("0.010")
    assert double.qty_seconds == pytest.approx(0.010 * 0.006)
    assert races.after_failed_cancel.count == 0


def test_a_new_order_that_arrives_after_its_cancel_is_a_pair_without_inversion() -> None:
    races = metrics(race(10 * MS, 21 * MS, 20 * MS)).races
    assert (races.pairs, races.inverted, races.share, races.after_inversion.count) == (1, 0, 0.0, 0)


def test_arriving_at_one_instant_in_the_order_of_sending_is_no_inversion() -> None:
    assert metrics(race(10 * MS, 20 * MS, 20 * MS)).races.inverted == 0


def test_a_new_order_sent_when_the_outcome_was_known_is_no_replacement() -> None:
    races = metrics(race(30 * MS, 35 * MS, 20 * MS)).races
    assert (races.pairs, races.share) == (0, None)


def test_news_of_the_orders_end_makes_the_outcome_known_before_the_answer_does() -> None:
    log = race(29 * MS, 35 * MS, 20 * MS)
    log.row("report", "CANCELED", cl_ord_id="a", ts_venue_ns=20 * MS, ts_learned_ns=28 * MS)
    assert metrics(log).races.pairs == 0


def test_a_new_order_of_the_other_side_replaces_nothing() -> None:
    log = EventLog()
    log.add("a", BUY, 10, 0, 1 * MS, 2 * MS)
    log.cancel("a", 10 * MS, 20 * MS, 30 * MS)
    log.add("b", SELL, 5, 10 * MS, 14 * MS, 40 * MS)
    assert metrics(log).races.pairs == 0


def test_each_new_order_replaces_one_canceled_order() -> None:
    log = EventLog()
    for order in ("a", "b"):
        log.add(order, BUY, 10, 0, 1 * MS, 2 * MS)
    log.cancel("a", 10 * MS, 20 * MS, 30 * MS)
    log.cancel("b", 10 * MS, 12 * MS, 30 * MS)
    for order in ("c", "d"):
        log.add(order, BUY, 5, 10 * MS, 15 * MS, 40 * MS)
    log.end("b", 12 * MS)
    log.end("a", 20 * MS)
    races = metrics(log).races
    assert (races.pairs, races.inverted, races.share) == (2, 1, 0.5)


def test_a_refused_cancel_leaves_both_orders_alive_until_one_ends() -> None:
    log = race(10 * MS, 21 * MS, 20 * MS, reject_reason="rate_limit")
    log.end("b", 1 * S + 21 * MS)
    races = metrics(log).races
    assert (races.pairs, races.inverted, races.after_inversion.count) == (1, 0, 0)
    assert (races.after_failed_cancel.count, races.after_failed_cancel.seconds) == (1, 1.0)


def test_a_cancel_that_never_arrived_is_no_race_but_a_failed_cancel() -> None:
    races = metrics(race(10 * MS, 20 * MS, None)).races
    assert (races.pairs, races.pairs_unarrived, races.inverted) == (0, 1, 0)
    # Both live to the end of the run, 100 s.
    assert races.after_failed_cancel.seconds == pytest.approx(99.98)


def test_a_new_order_that_was_refused_or_lost_exposes_to_nothing() -> None:
    log = EventLog()
    log.add("a", BUY, 10, 0, 1 * MS, 2 * MS)
    log.cancel("a", 10 * MS, 20 * MS, 30 * MS)
    log.add("b", BUY, 5, 10 * MS, 14 * MS, 40 * MS, reject_reason="post_only")
    log.end("a", 20 * MS)
    races = metrics(log).races
    assert (races.inverted, races.after_inversion.count) == (1, 0)


def test_fills_of_the_old_order_shrink_the_double_exposure() -> None:
    log = race(10 * MS, 14 * MS, 24 * MS)
    log.fill("a", BUY, 4, 1000, 16 * MS, leaves=6)
    double = metrics(log).races.after_inversion
    # 10 lots for 2 ms, 6 lots for 8 ms.
    assert double.qty_max == Decimal("0.010")
    assert double.qty_seconds == pytest.approx(0.010 * 0.002 + 0.006 * 0.008)


def test_an_amend_of_the_old_order_changes_the_double_exposure() -> None:
    log = race(10 * MS, 14 * MS, 24 * MS)
    log.command("AmendOrder", "a", 3 * MS, 4 * MS, 5 * MS, qty_lots=2, is_queue_kept=True)
    assert metrics(log).races.after_inversion.qty_max == Decimal("0.002")


# ------------------------------------------------------------------------------------------------- orphans


def orphan() -> EventLog:
    log = EventLog()
    log.add("a", BUY, 10, 0, 1 * S, 2 * S)
    log.reach("a", 10 * S, "")
    return log


def test_an_order_is_an_orphan_until_a_link_reaches_it_again() -> None:
    log = orphan()
    log.reach("a", 25 * S, "rest")
    orphans = metrics(log).orphans
    assert (orphans.orders, orphans.seconds, orphans.seconds_max, orphans.qty_max) == (1, 15.0, 15.0, Decimal("0.010"))
    assert orphans.qty_seconds == pytest.approx(0.15)
    assert [(o.cl_ord_id, o.from_ns, o.until_ns) for o in orphans.listed] == [("a", 10 * S, 25 * S)]


def test_an_order_that_ends_at_the_engine_is_no_orphan_any_more() -> None:
    log = orphan()
    log.end("a", 12 * S)
    log.reach("a", 25 * S, "rest")
    assert metrics(log).orphans.seconds == 2.0


def test_an_order_that_nobody_reaches_again_is_an_orphan_to_the_end_of_the_run() -> None:
    assert metrics(orphan()).orphans.seconds == 90.0


def test_an_order_that_never_arrived_or_was_refused_is_no_orphan() -> None:
    log = EventLog()
    log.add("a", BUY, 10, 0, None, None, outcome="lost")
    log.add("b", BUY, 10, 0, 1 * S, 2 * S, reject_reason="orders_limit")
    log.reach("a", 10 * S, "")
    log.reach("b", 10 * S, "")
    assert metrics(log).orphans.orders == 0


def test_an_order_on_its_way_when_the_line_dropped_is_an_orphan_from_its_arrival() -> None:
    log = EventLog()
    log.add("a", BUY, 10, 9 * S, 12 * S, None, outcome="lost")
    log.reach("a", 10 * S, "")
    log.reach("a", 20 * S, "fix")
    assert metrics(log).orphans.seconds == 8.0


def test_a_change_from_one_reach_to_another_is_no_orphan() -> None:
    log = EventLog()
    log.add("a", BUY, 10, 0, 1 * S, 2 * S)
    log.reach("a", 10 * S, "rest")
    assert metrics(log).orphans.orders == 0


def test_orders_without_reach_at_the_same_time_count_once_in_the_time_with_any() -> None:
    log = EventLog()
    for order in ("a", "b"):
        log.add(order, BUY, 10, 0, 1 * S, 2 * S)
        log.reach(order, 10 * S, "")
    log.reach("a", 15 * S, "fix")
    log.reach("b", 20 * S, "fix")
    log.reach("b", 50 * S, "")
    log.reach("b", 51 * S, "fix")
    orphans = metrics(log).orphans
    assert (orphans.orders, orphans.seconds, orphans.seconds_any, orphans.seconds_max) == (2, 16.0, 11.0, 10.0)


def test_fills_of_an_orphan_and_what_they_cost() -> None:
    log = orphan()
    log.fill("a", BUY, 2, 1000, 9 * S, after={10: (899, 901)}, leaves=8)
    log.fill("a", BUY, 3, 1000, 12 * S, after={10: (979, 981)}, fee="0.0001", leaves=5)
    log.fill("a", BUY, 1, 1000, 26 * S, after={10: (899, 901)}, leaves=4)
    log.reach("a", 25 * S, "rest")
    found = run_metrics(log.table(), touch_of((0, 999, 1001), (99 * S, 994, 996)), queue_of(), inputs_of()).orphans
    assert (found.fills, found.filled_qty) == (1, Decimal("0.003"))
    assert found.markout_10s == Decimal("-0.006")
    # 3 lots bought at 1000 are worth 995 at the end: -15 tick-lots, and the fee.
    assert found.net == Decimal("-0.0016")
    # 8 lots for 2 s, 5 lots for 13 s.
    assert found.qty_seconds == pytest.approx(0.008 * 2 + 0.005 * 13)
    assert [(o.fills, o.filled_qty) for o in found.listed] == [(1, Decimal("0.003"))]


def test_the_fill_that_ends_an_orphan_belongs_to_it() -> None:
    log = orphan()
    log.fill("a", BUY, 10, 1000, 12 * S, leaves=0)
    log.end("a", 12 * S, "filled")
    found = metrics(log).orphans
    assert (found.fills, found.seconds) == (1, 2.0)


# ------------------------------------------------------------------------------------------------- ends


def test_without_the_engines_word_a_report_or_the_last_fill_ends_an_order() -> None:
    log = EventLog()
    for order in ("a", "b", "c"):
        log.add(order, BUY, 10, 0, 1 * S, 2 * S)
        log.reach(order, 10 * S, "")
    log.row("report", "CANCELED", cl_ord_id="a", ts_venue_ns=12 * S, ts_learned_ns=40 * S)
    log.row("report", "EXPIRED", cl_ord_id="b", ts_venue_ns=14 * S, ts_learned_ns=40 * S)
    log.fill("c", BUY, 10, 1000, 13 * S, leaves=0, learned=40 * S)
    found = metrics(log).orphans
    assert {o.cl_ord_id: o.until_ns // S for o in found.listed} == {"a": 12, "b": 14, "c": 13}


def test_an_order_that_an_edit_made_lives_from_when_it_rested() -> None:
    log = EventLog()
    log.add("a", BUY, 10, 0, 1 * S, 2 * S)
    log.command("EditOrder", None, 3 * S, 4 * S, 5 * S, order_id="O-1")
    log.row("venue", "OrderRested", cl_ord_id="", order_id="O-2", ts_venue_ns=4 * S)
    log.row("desk", "OrderReachChanged", order_id="O-2", ts_learned_ns=3 * S, reach="")
    found = metrics(log)
    assert found.amends.edits_done == 1
    assert [(o.cl_ord_id, o.from_ns) for o in found.orphans.listed] == [("O-2", 4 * S)]


def test_a_fill_that_was_never_learned_is_counted() -> None:
    log = EventLog()
    log.fill("a", BUY, 2, 1000, 9 * S, learned=None, link=None)
    log.fill("a", BUY, 2, 1000, 9 * S, learned=10 * S)
    assert metrics(log).fills_unlearned == 1
