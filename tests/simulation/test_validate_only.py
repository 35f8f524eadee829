"""Having the venue check an order without making it.

Sources: rest-api/add-order and websocket-v2/add_order ("validate"); fix-api/nos-fix has no such tag.
"""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, TimeInForce

from adapters.kraken.profile import PROFILE
from framework.backtest.config import FaultSection
from framework.errors import ConfigError
from tests.simulation.stage import BID, BTC, Script, fixed_latency, rows, run

FAST = fixed_latency(PROFILE, 1.0)


def _validate(**options: Any) -> Script:
    given = {"side": OrderSide.BUY, "qty_lots": BTC // 100, "price_ticks": BID} | options
    return Script([(5.0, lambda s: s.orders.update(id=s.validate(s.btc, **given)))])


def _answer(script: Script) -> Any:
    ((_, event),) = script.events("OrderValidated")
    assert event.cl_ord_id == script.orders["id"]
    return event


@pytest.mark.parametrize("road", ["rest", "ws2"])
def test_an_order_that_would_be_accepted_is_told_without_error_and_comes_to_nothing(road: str) -> None:
    script = _validate()
    backtest = run(script, profile=FAST, road=road)
    assert _answer(script).error is None
    assert rows(backtest, name="OrderRested") == []
    assert rows(backtest, kind="command", name="AddOrder") == []
    (sent,) = rows(backtest, kind="command", name="ValidateOrder")
    assert (sent["outcome"], sent["counter"]) == ("accepted", None)
    assert script.cache.orders() == []


def test_the_answer_comes_a_round_trip_later() -> None:
    script = _validate()
    run(script, profile=FAST)
    ((at_s, _),) = script.events("OrderValidated")
    assert at_s == 5.002


def test_an_order_that_would_be_refused_is_told_with_the_venues_text() -> None:
    script = _validate(qty_lots=4_999)
    run(script, profile=FAST)
    assert _answer(script).error == "EOrder:Order minimum not met"


def test_a_market_order_can_be_checked() -> None:
    script = _validate(price_ticks=None)
    run(script, profile=FAST)
    assert _answer(script).error is None


def test_a_protocol_that_cannot_only_validate_is_not_asked() -> None:
    script = _validate()
    backtest = run(script, profile=FAST, road="fix")
    assert "cannot only validate" in _answer(script).error
    assert rows(backtest, kind="command", name="ValidateOrder") == []


def test_another_road_can_be_named() -> None:
    script = _validate(via="rest")
    backtest = run(script, profile=FAST, road="rest+ws")
    assert _answer(script).link == "rest"
    (sent,) = rows(backtest, kind="command", name="ValidateOrder")
    assert sent["link"] == "rest"


def test_over_a_line_that_is_down_it_is_told_at_once() -> None:
    script = _validate()
    run(script, profile=FAST, faults=[FaultSection(kind="drop", link="ws2", at_s=4.0, for_s=5.0)])
    ((at_s, event),) = script.events("OrderValidated")
    assert (at_s, event.error) == (5.0, "link 'ws2' is down")


def test_a_line_that_drops_under_it_leaves_it_unknown() -> None:
    script = _validate()
    run(script, profile=FAST, faults=[FaultSection(kind="drop", link="ws2", at_s=5.0005, for_s=5.0)])
    assert script.events("OrderValidated") == []
    ((_, unknown),) = script.events("OutcomeUnknown")
    assert (unknown.command, unknown.cl_ord_id) == ("AddOrder", "")


def test_a_time_in_force_that_needs_another_term_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="must be GTC, IOC or FOK"):
        run(_validate(time_in_force=TimeInForce.GTD), profile=FAST)
