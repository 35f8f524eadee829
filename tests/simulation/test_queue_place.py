"""What an amend and an edit do to the queue place, seen in fills.

Source: guides/spot-amends, "Queue Priority": less quantity keeps the place; more quantity or another price loses it; an
edit (rest-api/edit-order) is a new order.

The stage: our bid of 0.01 joins 5 BTC at 100.0, and 5 BTC more join behind it. Of trades at 100.0, the first 5 BTC pass
what was ahead; what comes then is ours if the place was kept, and passes the 5 BTC behind first if it was lost.
"""

from __future__ import annotations

from typing import Any

import pytest

from framework.protocol import BUY, SELL
from tests.editing import EDITING
from tests.simulation.stage import BID, BTC, LEVEL_LOTS, Script, fixed_latency, level, rows, run, still_market, trade

FAST = fixed_latency(EDITING, 1.0)
QTY = BTC // 100

# The level doubles behind us at 6 s; at 20 s the first half trades, at 21 s as much as we have, at 22 s the rest.
MARKET = still_market(
    [
        level(6.0, BUY, BID, 2 * LEVEL_LOTS),
        trade(20.0, SELL, BID, LEVEL_LOTS),
        level(20.0, BUY, BID, LEVEL_LOTS),
        trade(21.0, SELL, BID, 2 * QTY),
        level(21.0, BUY, BID, LEVEL_LOTS - 2 * QTY),
        trade(30.0, SELL, BID, LEVEL_LOTS),
        level(30.0, BUY, BID, 0),
    ]
)


def _place(script: Script) -> None:
    script.orders["a"] = script.buy(script.btc, QTY, BID)


def _fills(script: Script) -> list[tuple[float, float]]:
    return [(at_s, float(event.last_qty)) for at_s, event in script.events("OrderFilled")]


def _changed(*changes: tuple[float, dict[str, Any]], road: str = "ws2") -> tuple[Script, list[dict[str, Any]]]:
    """Place at 5 s and change as told; returns the script and the rows of amends and edits."""

    def change(values: dict[str, Any]) -> Any:
        return lambda script: script.move(script.orders["a"], **values)

    script = Script([(5.0, _place), *((at_s, change(values)) for at_s, values in changes)])
    backtest = run(script, profile=FAST, road=road, market=MARKET)
    commands = rows(backtest, kind="command")
    return script, [row for row in commands if row["name"] in ("AmendOrder", "EditOrder")]


def test_an_order_left_alone_is_filled_right_after_what_was_ahead_of_it() -> None:
    script, _ = _changed()
    assert _fills(script) == [(21.001, 0.01)]


@pytest.mark.parametrize("road", ["ws2", "rest+ws", "fix"])
def test_an_amend_to_less_keeps_the_place(road: str) -> None:
    script, (amend,) = _changed((10.0, {"qty_lots": QTY // 2}), road=road)
    assert _fills(script) == [(21.001, 0.005)]
    assert amend["is_queue_kept"] is True


@pytest.mark.parametrize("road", ["ws2", "rest+ws", "fix"])
def test_an_amend_to_more_loses_the_place(road: str) -> None:
    script, (amend,) = _changed((10.0, {"qty_lots": QTY * 3 // 2}), road=road)
    assert _fills(script) == [(30.001, 0.015)]
    assert amend["is_queue_kept"] is False


def test_an_amend_of_the_price_and_back_loses_the_place() -> None:
    script, amends = _changed((10.0, {"price_ticks": BID - 1}), (15.0, {"price_ticks": BID}))
    assert _fills(script) == [(30.001, 0.01)]
    assert [row["is_queue_kept"] for row in amends] == [False, False]


@pytest.mark.parametrize("road", ["ws2", "rest+ws"])
def test_an_edit_to_less_loses_the_place_for_it_is_a_new_order(road: str) -> None:
    script, (edit,) = _changed((10.0, {"qty_lots": QTY // 2, "edit": True}), road=road)
    assert edit["name"] == "EditOrder"
    assert _fills(script) == [(30.001, 0.005)]


def test_an_amended_order_goes_on_under_its_ids_and_an_edited_one_under_a_new_venue_id() -> None:
    amended, _ = _changed((10.0, {"qty_lots": QTY // 2}))
    edited, _ = _changed((10.0, {"qty_lots": QTY // 2, "edit": True}))
    assert [len({e.venue_order_id for e in s.orders["a"].events if e.venue_order_id}) for s in (amended, edited)] == [
        1,
        2,
    ]
    assert [float(s.orders["a"].filled_qty) for s in (amended, edited)] == [0.005, 0.005]


def test_an_amend_to_the_quantity_already_filled_ends_the_order() -> None:
    """Half is filled at 8 s by a trade that passed the queue; amending to that half leaves nothing to work."""
    market = still_market([trade(8.0, SELL, BID, LEVEL_LOTS + QTY // 2)])
    script = Script([(5.0, _place), (10.0, lambda s: s.move(s.orders["a"], qty_lots=QTY // 2))])
    run(script, profile=FAST, road="ws2", market=market)
    assert float(script.orders["a"].filled_qty) == 0.005
    assert script.orders["a"].is_closed
