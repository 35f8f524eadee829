"""What comes first at one instant: the market, the venue's own doing, messages, then the strategy's timers."""

from __future__ import annotations

from typing import Any

from adapters.kraken.profile import PROFILE
from framework.backtest.config import FaultSection
from framework.protocol import BUY, SELL
from tests.simulation.stage import ASK, BID, BTC, Script, fixed_latency, level, rows, run, still_market, trade

FAST = fixed_latency(PROFILE, 1.0)


def _place(script: Script) -> None:
    script.orders["a"] = script.buy(script.btc, BTC // 100, BID - 10)


def _cancel(script: Script) -> None:
    script.cancel_order(script.orders["a"])


def test_a_trade_at_the_instant_at_which_a_cancel_arrives_fills_first() -> None:
    market = still_market([trade(10.001, SELL, BID - 20, BTC)])
    script = Script([(5.0, _place), (10.0, _cancel)])
    run(script, profile=FAST, market=market)
    assert script.orders["a"].status_string() == "FILLED"


def test_a_trade_a_nanosecond_after_the_cancel_arrived_does_not_fill() -> None:
    market = still_market([trade(10.001000001, SELL, BID - 20, BTC)])
    script = Script([(5.0, _place), (10.0, _cancel)])
    run(script, profile=FAST, market=market)
    assert script.orders["a"].status_string() == "CANCELED"


def test_the_dead_mans_switch_is_before_a_message_that_arrives_at_its_instant() -> None:
    """Armed at 6.001 for 10 s; a refresh that arrives at 16.001 is too late, one a moment before it is not."""
    for refresh_s, state in ((16.0, "CANCELED"), (15.999999, "ACCEPTED")):
        steps: list[Any] = [(5.0, _place), (6.0, lambda s: s.arm_cancel_all_after(10))]
        script = Script([*steps, (refresh_s, lambda s: s.arm_cancel_all_after(1_000))])
        run(script, profile=FAST)
        assert script.orders["a"].status_string() == state


def test_messages_sent_in_one_instant_over_one_path_arrive_in_the_order_of_sending() -> None:
    def both(script: Script) -> None:
        script.orders["x"] = script.buy(script.btc, BTC // 100, BID - 11)
        script.orders["y"] = script.buy(script.btc, BTC // 100, BID - 12)

    backtest = run(Script([(5.0, both)]), profile=FAST, road="fix")
    assert [row["price_ticks"] for row in rows(backtest, kind="command", name="AddOrder")] == [989, 988]
    ended = [row["cl_ord_id"] for row in rows(backtest, name="OrderRested")]
    assert ended == sorted(ended)


def test_a_command_sent_by_a_timer_leaves_at_that_instant_and_not_later() -> None:
    backtest = run(Script([(5.123456, _place)]), profile=FAST)
    (add,) = rows(backtest, kind="command", name="AddOrder")
    assert add["ts_sent_ns"] - backtest._first_ns == 5_123_456_000


def test_the_last_row_of_the_market_is_played_and_a_nanosecond_more() -> None:
    market = still_market([trade(60.0, SELL, BID - 20, BTC)])
    script = Script([(5.0, _place)])
    backtest = run(script, profile=FAST, market=market)
    assert len(rows(backtest, kind="fill")) == 1
    assert script.clock.timestamp_ns() == backtest._last_ns + 1


def test_two_fills_of_one_row_come_before_anything_else_of_that_instant() -> None:
    """Both orders are hit by one trade at the instant of a drop: both reports are lost, neither fill is."""

    def two(script: Script) -> None:
        _place(script)
        script.orders["b"] = script.buy(script.btc, BTC // 100, BID - 11)

    market = still_market([trade(10.0, SELL, BID - 20, BTC)])
    drop = FaultSection(kind="drop", link="all", at_s=10.0, for_s=100.0)
    script = Script([(5.0, two)])
    backtest = run(script, profile=FAST, market=market, faults=[drop])
    assert len(rows(backtest, kind="fill")) == 2
    assert script.events("OrderFilled") == []


def test_a_stop_fires_at_the_trade_that_reaches_it_and_takes_what_is_left_in_the_book_then() -> None:
    """The row after the trade, at the same instant, takes the bid away: the stop was executed between the two."""
    market = still_market([trade(10.0, SELL, 995, BTC), level(10.0, BUY, BID, 0)])

    def stop(script: Script) -> None:
        bridge = script.bridge(script.btc)
        side = script.sell(script.btc, BTC, ASK + 50).side
        script.submit_order(script.order_factory.stop_market(script.btc, side, bridge.qty(BTC), bridge.price(996)))

    script = Script([(5.0, stop)])
    run(script, profile=FAST, market=market)
    assert [float(e.last_px) for _, e in script.events("OrderFilled")] == [100.0]
