"""The engine's rate counter as requests charge it. Page: guides/spot-ratelimits, with its two worked examples."""

from __future__ import annotations

from decimal import Decimal

import pytest

from framework.messages import (
    AddBatch,
    AmendOrder,
    CancelAll,
    CancelBatch,
    CancelOrder,
    Command,
    CommandAccepted,
    EditOrder,
)
from framework.protocol import POINT, SELL
from framework.venue.observer import VenueObserver
from tests.framework.venue.venue_rig import BTC_USD, Rig, touch

ETH_USD = BTC_USD.__class__(symbol="ETH/USD", venue="synthetic", tick_size="0.1", lot_size="0.0001")


class Charges(VenueObserver):
    """What each command left the counter at, in points."""

    def __init__(self) -> None:
        self.values: list[tuple[str, float | None]] = []

    def on_command(
        self, session_id: str, command: Command, now_ns: int, counter: int | None, threshold: int | None
    ) -> None:
        self.values.append((type(command).__name__, None if counter is None else counter / POINT))


def test_the_documented_example_of_a_short_lived_order_totals_eight() -> None:
    # Add, amend after 7 seconds, cancel 36 seconds later: 1, then 1 + 2, then 4. Summed here without the decay.
    rig = Rig(touch())
    order = rig.add()
    total = rig.counter()
    rig.at(7)
    before = rig.counter()
    rig.amend(order, limit_ticks=999)
    total += rig.counter() - before
    rig.at(43)
    before = rig.counter()
    rig.cancel(order)
    total += rig.counter() - before
    assert total == 8


def test_the_documented_example_of_a_burst_of_fifty_orders_stands_at_26_6_after_ten_seconds() -> None:
    rig = Rig(touch(), tier="intermediate")
    for _ in range(50):
        rig.add()
    assert rig.at(10).counter() == Decimal("26.6")


@pytest.mark.parametrize(
    ("tier", "threshold"),
    [("starter", 60), ("intermediate", 125), ("pro", 180)],
)
def test_an_account_is_refused_once_its_counter_stands_at_the_threshold_of_its_tier(tier: str, threshold: int) -> None:
    rig = Rig(touch(), tier=tier)
    for _ in range(threshold):
        rig.add(limit_ticks=1001, qty_lots=50)
        rig.market.add(SELL, 1001, 50)
    assert rig.counter() == threshold
    assert rig.refused_add() == "EOrder:Rate limit exceeded"


def test_an_account_below_its_threshold_is_let_in_again_after_a_while() -> None:
    rig = Rig(touch(), tier="starter")
    for _ in range(60):
        rig.add(limit_ticks=1001, qty_lots=50)
        rig.market.add(SELL, 1001, 50)
    # The refused order pays 1 too: 61, and below 60 only after more than one second.
    rig.refused_add()
    assert rig.at(1).refused_add() == "EOrder:Rate limit exceeded"
    assert rig.at(4).add().is_open


@pytest.mark.parametrize(
    ("age_s", "cost"),
    [(0, 8), (4.9, 8), (5, 6), (9.9, 6), (10, 5), (14.9, 5), (15, 4), (44, 4), (45, 2), (90, 1), (299, 1), (300, 0)],
)
def test_a_cancel_costs_by_the_age_of_the_order(age_s: float, cost: int) -> None:
    rig = Rig(touch())
    order = rig.add()
    rig.at(age_s)
    before = rig.counter()
    rig.cancel(order)
    assert rig.counter() - before == cost


@pytest.mark.parametrize(("age_s", "cost"), [(0, 4), (5, 3), (10, 2), (15, 1), (1000, 1)])
def test_an_amend_costs_by_the_age_of_the_order(age_s: float, cost: int) -> None:
    rig = Rig(touch())
    order = rig.add()
    rig.at(age_s)
    before = rig.counter()
    rig.amend(order, limit_ticks=999)
    assert rig.counter() - before == cost


@pytest.mark.parametrize(("age_s", "cost"), [(0, 7), (5, 6), (10, 5), (15, 3), (45, 2), (90, 1)])
def test_an_edit_costs_by_the_age_of_the_order(age_s: float, cost: int) -> None:
    rig = Rig(touch())
    order = rig.add()
    rig.at(age_s)
    before = rig.counter()
    rig.send("rest", EditOrder(request_id=rig.next_id(), order_id=order.order_id, limit_ticks=999))
    assert rig.counter() - before == cost


def test_an_amend_starts_the_age_anew() -> None:
    rig = Rig(touch())
    order = rig.add()
    rig.at(100).amend(order, limit_ticks=999)
    before = rig.counter()
    rig.cancel(order)
    assert rig.counter() - before == 8


def test_the_counter_is_shared_by_all_roads_of_the_account() -> None:
    rig = Rig(touch())
    for line in ("rest", "ws2", "fix"):
        rig.add(line)
    assert rig.counter() == 3


def test_each_pair_has_its_own_counter() -> None:
    rig = Rig(specs=(BTC_USD, ETH_USD))
    rig.add()
    rig.add()
    rig.add(symbol="ETH/USD")
    assert (rig.counter(), rig.counter("ETH/USD")) == (2, 1)


def test_each_account_has_its_own_counter() -> None:
    rig = Rig(touch())
    rig.venue.connect("other", "b", "rest", rig.now_ns)
    rig.send("other", rig.order())
    assert (rig.counter(), rig.counter(account="b")) == (0, 1)


def test_an_order_that_fails_validation_is_charged() -> None:
    rig = Rig(touch())
    rig.refused_add(qty_lots=1)
    assert rig.counter() == 1


def test_an_amend_that_fails_pays_its_fixed_count_only() -> None:
    rig = Rig(touch())
    order = rig.add()
    rig.refused_amend(order, limit_ticks=1001, is_post_only=True)
    assert rig.counter() == 1 + 1


def test_a_cancel_that_finds_nothing_is_free() -> None:
    rig = Rig(touch())
    rig.refused("rest", CancelOrder(request_id=1, order_id="nothing"))
    assert rig.counter() == 0


def _at_limit() -> tuple[Rig, list[str]]:
    """A starter whose counter stands at its threshold of 60, with two open orders."""
    rig = Rig(touch(), tier="starter")
    orders = [rig.add().order_id for _ in range(2)]
    for _ in range(58):
        rig.add(limit_ticks=1001, qty_lots=50)
        rig.market.add(SELL, 1001, 50)
    assert rig.counter() == 60
    return rig, orders


def test_a_cancel_over_the_limit_is_refused_and_leaves_the_order_alive() -> None:
    rig, (first, _) = _at_limit()
    assert rig.refused("rest", CancelOrder(request_id=1, order_id=first)) == "EOrder:Rate limit exceeded"
    assert rig.venue.accounts["a"].order_by_id[first].is_open
    assert rig.counter() == 60


def test_a_cancel_over_the_limit_passes_under_the_other_reading() -> None:
    rig = Rig(touch(), tier="starter", switches={"cancel_over_limit": "accepted"})
    order = rig.add()
    for _ in range(59):
        rig.add(limit_ticks=1001, qty_lots=50)
        rig.market.add(SELL, 1001, 50)
    rig.cancel(order)
    assert rig.counter() == 68


def test_a_batch_of_cancels_over_the_limit_passes_in_full() -> None:
    rig, ids = _at_limit()
    rig.send("rest", CancelBatch(request_id=1, order_ids=tuple(ids)))
    assert rig.accepted("rest").count == 2
    assert rig.counter() == 60 + 16


def test_an_amend_over_the_limit_is_refused_and_changes_nothing() -> None:
    rig, (first, _) = _at_limit()
    command = AmendOrder(request_id=1, order_id=first, limit_ticks=999)
    assert rig.refused("rest", command) == "EOrder:Rate limit exceeded"
    assert rig.venue.accounts["a"].order_by_id[first].limit_ticks == 1000


def test_cancel_all_over_the_limit_passes_and_is_free() -> None:
    rig, _ = _at_limit()
    rig.send("rest", CancelAll(request_id=1))
    assert (rig.accepted("rest").count, rig.counter()) == (2, 60)


def test_cancel_all_costs_one_for_each_pair_under_the_other_reading() -> None:
    rig = Rig(specs=(BTC_USD, ETH_USD), switches={"cancel_all_cost": "one_per_symbol"})
    rig.add()
    rig.add()
    rig.send("rest", CancelAll(request_id=1))
    assert (rig.counter(), rig.counter("ETH/USD")) == (3, 0)


# ----------------------------------------------------------------------------- batches of new orders


def _batch(rig: Rig, count: int, **last: object) -> AddBatch:
    orders = [rig.order(limit_ticks=990) for _ in range(count - 1)]
    return AddBatch(request_id=rig.next_id(), orders=(*orders, rig.order(**{"limit_ticks": 990, **last})))


@pytest.mark.parametrize(("count", "cost"), [(2, Decimal(1)), (3, Decimal("1.5")), (15, Decimal("7.5"))])
def test_a_batch_of_orders_costs_half_a_point_each(count: int, cost: Decimal) -> None:
    rig = Rig(touch())
    rig.send("rest", _batch(rig, count))
    assert len(rig.accepted("rest").order_ids) == count
    assert rig.counter() == cost


@pytest.mark.parametrize("count", [1, 16])
def test_a_batch_is_of_two_to_fifteen_orders(count: int) -> None:
    rig = Rig(touch())
    assert rig.refused("rest", _batch(rig, count)) == "EGeneral:Invalid arguments"


def test_a_batch_is_for_one_pair() -> None:
    rig = Rig(specs=(BTC_USD, ETH_USD))
    assert rig.refused("rest", _batch(rig, 2, symbol="ETH/USD")) == "EGeneral:Invalid arguments"


def test_a_malformed_order_refuses_the_whole_batch() -> None:
    # rest-api/add-order-batch: the batch is validated before it is submitted.
    rig = Rig(touch())
    assert rig.refused("rest", _batch(rig, 3, qty_lots=1)) == "EOrder:Order minimum not met"
    assert rig.venue.accounts["a"].open_orders == {}


def test_an_order_that_the_money_does_not_pay_for_fails_alone() -> None:
    rig = Rig(touch(), balances={"USD": "2.5"})
    rig.send("rest", _batch(rig, 3))
    answer = rig.accepted("rest")
    assert isinstance(answer, CommandAccepted)
    assert answer.errors == (None, None, "EOrder:Insufficient funds")
    assert len(answer.order_ids) == 2


def test_the_answer_to_a_batch_comes_before_what_its_orders_do() -> None:
    rig = Rig(touch())
    rig.send("ws2", _batch(rig, 2, limit_ticks=1001))
    assert isinstance(rig.reports("ws2")[0], CommandAccepted)
    assert rig.trades() == [(1001, 100)]


def test_a_batch_that_is_validated_makes_no_orders() -> None:
    rig = Rig(touch())
    batch = _batch(rig, 2)
    rig.send("rest", AddBatch(request_id=rig.next_id(), orders=batch.orders, is_validate_only=True))
    assert rig.accepted("rest").errors == (None, None)
    assert (rig.venue.accounts["a"].order_by_id, rig.counter()) == ({}, 0)


def test_a_batch_over_a_protocol_without_it_is_refused() -> None:
    rig = Rig(touch())
    assert rig.refused("fix", _batch(rig, 2)) == "EGeneral:Unknown method"


# ----------------------------------------------------------------------------- what a recorder sees


def test_an_observer_sees_the_counter_after_each_charge() -> None:
    charges = Charges()
    rig = Rig(touch(), observer=charges, lines=("rest",))
    order = rig.add()
    rig.amend(order, limit_ticks=999)
    rig.cancel(order)
    rig.refused("rest", CancelOrder(request_id=9, order_id="nothing"))
    assert charges.values == [("AddOrder", 1), ("AmendOrder", 5), ("CancelOrder", 13), ("CancelOrder", None)]
