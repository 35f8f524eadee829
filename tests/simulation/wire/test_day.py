"""A paper run on the served venue under a schedule of faults ends flat, and of one mind with the venue.

An hour in virtual time; ``make day`` plays a whole one, ``make week`` a week.
"""

from __future__ import annotations

import pytest

from framework.messages import QueryOrders
from tests.simulation.wire.day import Day


@pytest.mark.parametrize(("road", "seed"), [("fix", 1), pytest.param("ws2", 2, marks=pytest.mark.slow), ("rest+ws", 3)])
def test_an_hour_of_market_making_under_faults_ends_flat_and_reconciled(road: str, seed: int) -> None:
    day = Day(seed, hours=1.0, road=road, faults_per_hour=20)
    day.act(day.act_s)
    day.finish()
    counts = day.world.counts
    assert day.end.node.recorder.fills
    assert counts["line dropped"] + counts["line half open"] >= 3


def test_open_orders_are_asked_for_once_a_minute_though_their_news_is_heard() -> None:
    day = Day(1, hours=0.2, road="ws2", faults_per_hour=0)
    day.act(day.act_s)
    polls = [command for _, command, _ in day.world.notes.commands if isinstance(command, QueryOrders)]
    assert 10 <= len(polls) <= 15


def test_a_long_run_lets_go_of_orders_that_closed_more_than_an_hour_ago_and_its_folder_has_them_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("framework.live.recorder._ROWS_MAX", 3)
    day = Day(1, hours=2.5, faults_per_hour=0, slowness=100, is_watched=False)
    day.act(day.act_s)
    node = day.end.node
    desk, cache = node.trader.desk, node.trader.nautilus.cache
    assert 0 < len(desk.orders) < desk.order_count - 5
    assert {order.client_order_id.value for order in cache.orders()} == set(desk.orders)
    events = node.recorder.table({})
    sent = events.filter(events["name"].to_numpy(zero_copy_only=False) == "AddOrder")
    assert len(sent) == desk.order_count
    recorder = node.recorder
    fills = events.filter(events["kind"].to_numpy(zero_copy_only=False) == "fill")
    assert len(fills) == recorder.fill_count > 5
    # Looked at once a minute, a fill is packed when it has all its marks, the last of them after a minute.
    recent_ns = day.world.host.now_ns - 120 * 10**9
    assert len(recorder.fills) < 3 or all(fill.ts_venue_ns >= recent_ns for _, fill in recorder.fills)
    packed = fills.slice(0, recorder.fill_count - len(recorder.fills))
    for column in ("bid_ticks", "ask_ticks", "bid_60s_ticks", "ask_60s_ticks"):
        assert not packed[column].null_count
