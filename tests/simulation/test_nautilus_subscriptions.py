"""NautilusTrader's own subscriptions, indicators and timers in virtual time, and their order among messages.

The feed takes 5 ms, commands and responses 1 ms each. Of the still book only what a test changes makes quotes.
"""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.data import Bar, BarType, QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide, BookType, PriceType

from adapters.kraken.profile import PROFILE
from framework.backtest.config import RoadSection
from framework.protocol import BUY, SELL
from tests.simulation.stage import (
    ASK,
    BID,
    BTC,
    LEVEL_LOTS,
    START_NS,
    Script,
    fixed_latency,
    level,
    run,
    still_market,
    trade,
)

FAST = fixed_latency(PROFILE, 1.0, feed_ms=5.0)


class Watcher(Script):
    """Writes down all data that it gets: (seconds, what)."""

    def __init__(self, subscribe: Any, steps: Any = ()) -> None:
        super().__init__(steps)
        self._subscribe = subscribe
        self.seen: list[tuple[float, Any]] = []

    def on_start(self) -> None:
        self._subscribe(self)
        super().on_start()

    def on_quote_tick(self, tick: QuoteTick) -> None:
        self.seen.append((self.now_s, tick))

    def on_trade_tick(self, tick: TradeTick) -> None:
        self.seen.append((self.now_s, tick))

    def on_order_book_deltas(self, deltas: Any) -> None:
        self.seen.append((self.now_s, deltas))

    def on_bar(self, bar: Bar) -> None:
        self.seen.append((self.now_s, bar))

    def on_book(self, book: Any) -> None:
        self.seen.append((self.now_s, (book.bid_ticks, book.ask_ticks)))


def _watch(subscribe: Any, market_rows: Any = (), steps: Any = (), **options: Any) -> Watcher:
    watcher = Watcher(subscribe, steps)
    run(watcher, profile=FAST, market=still_market(market_rows), **options)
    return watcher


def _seconds(ts_ns: int) -> float:
    return round((ts_ns - START_NS) / 1e9, 6)


# ------------------------------------------------------------------------------------------------- ticks


def test_quotes_come_a_feed_latency_after_the_touch_changed_with_both_times() -> None:
    rows = [level(10.0, BUY, BID, 3 * BTC), level(20.0, SELL, ASK, 2 * BTC), level(30.0, SELL, ASK + 30, BTC)]
    watcher = _watch(lambda s: s.subscribe_quote_ticks(s.btc), rows)
    quotes = [
        (at_s, float(q.bid_price), float(q.bid_size), float(q.ask_price), float(q.ask_size)) for at_s, q in watcher.seen
    ]
    assert quotes == [
        (0.005, 100.0, 5.0, 100.1, 5.0),
        (10.005, 100.0, 3.0, 100.1, 5.0),
        (20.005, 100.0, 3.0, 100.1, 2.0),
    ]
    times = [(_seconds(q.ts_event), _seconds(q.ts_init)) for _, q in watcher.seen]
    assert times == [(0.0, 0.005), (10.0, 10.005), (20.0, 20.005)]


def test_trades_come_with_their_aggressor_and_once_each() -> None:
    rows = [trade(10.0, BUY, ASK, BTC), trade(10.001, SELL, BID, 2 * BTC)]
    watcher = _watch(lambda s: s.subscribe_trade_ticks(s.btc), rows)
    assert [(at_s, float(t.price), float(t.size), t.aggressor_side) for at_s, t in watcher.seen] == [
        (10.005, 100.1, 1.0, AggressorSide.BUYER),
        (10.006, 100.0, 2.0, AggressorSide.SELLER),
    ]
    assert len({t.trade_id.value for _, t in watcher.seen}) == 2


def test_a_subscription_in_mid_run_gets_nothing_of_what_was_before() -> None:
    rows = [trade(10.0, BUY, ASK, BTC), trade(20.0, SELL, BID, BTC)]
    watcher = _watch(lambda _: None, rows, [(15.0, lambda s: s.subscribe_trade_ticks(s.btc))])
    assert [at_s for at_s, _ in watcher.seen] == [20.005]


def test_nothing_comes_after_unsubscribing() -> None:
    rows = [trade(10.0, BUY, ASK, BTC), trade(20.0, SELL, BID, BTC)]
    watcher = _watch(
        lambda s: s.subscribe_trade_ticks(s.btc), rows, [(15.0, lambda s: s.unsubscribe_trade_ticks(s.btc))]
    )
    assert [at_s for at_s, _ in watcher.seen] == [10.005]


def test_without_a_subscription_no_data_comes() -> None:
    watcher = _watch(lambda _: None, [trade(10.0, BUY, ASK, BTC), level(20.0, BUY, BID, BTC)])
    assert watcher.seen == []


# ------------------------------------------------------------------------------------------------- books


@pytest.mark.parametrize("at_s", [None, 15.0])
def test_nautilus_own_book_is_whole_whenever_it_is_subscribed_for(at_s: float | None) -> None:
    """The levels of the still book were delivered long before the subscription; only one level changes after it."""

    def subscribe(script: Script) -> None:
        script.subscribe_order_book_deltas(script.btc, BookType.L2_MBP)

    tops: list[Any] = []

    def look(script: Script) -> None:
        book = script.cache.order_book(script.btc)
        tops.append(([float(b.price) for b in book.bids()][:2], [float(a.price) for a in book.asks()], book.spread()))

    rows = [level(20.0, SELL, ASK, 2 * BTC)]
    if at_s is None:
        _watch(subscribe, rows, [(30.0, look)])
    else:
        _watch(lambda _: None, rows, [(at_s, subscribe), (30.0, look)])
    ((bids, asks, spread),) = tops
    assert bids == [100.0, 99.9]
    assert asks == [100.1, 100.2]
    assert spread == pytest.approx(0.1)


def test_deltas_of_one_message_come_together_and_in_order() -> None:
    watcher = _watch(
        lambda s: s.subscribe_order_book_deltas(s.btc, BookType.L2_MBP),
        [level(20.00001, SELL, ASK, 0), level(20.00002, SELL, ASK + 2, BTC)],
    )
    late = [(at_s, d) for at_s, d in watcher.seen if 20.004 < at_s < 20.0051]
    prices = [(float(delta.order.price), float(delta.order.size)) for _, d in late for delta in d.deltas]
    assert prices[-2:] == [(100.1, 0.0), (100.3, 1.0)]


def test_the_compiled_view_and_nautilus_quotes_tell_the_same_touch_at_the_same_time() -> None:
    rows = [level(10.0, BUY, BID, 0), level(20.0, BUY, BID, BTC)]

    def subscribe(script: Watcher) -> None:
        script.subscribe_quote_ticks(script.btc)
        script.subscribe_book(script.btc, on="touch")

    watcher = _watch(subscribe, rows)
    told = [
        (at_s, (round(float(w.bid_price) * 10), 1_001) if isinstance(w, QuoteTick) else w) for at_s, w in watcher.seen
    ]
    told = [(at_s, touch) for at_s, touch in told if at_s > 1]
    assert told == [(10.005, (999, 1_001)), (10.005, (999, 1_001)), (20.005, (1_000, 1_001)), (20.005, (1_000, 1_001))]


# ------------------------------------------------------------------------------------------------- bars, indicators


def test_bars_close_at_the_minute_with_the_trades_delivered_in_it() -> None:
    """START_NS is 20 s past the minute, so bars end at 40 s and 100 s. The trade at 39.998 is delivered at 40.003."""
    rows = [
        trade(10.0, BUY, 1_001, BTC),
        trade(20.0, BUY, 1_005, BTC),
        trade(30.0, SELL, 998, 2 * BTC),
        trade(39.998, SELL, 999, BTC),
    ]
    watcher = Watcher(lambda s: s.subscribe_bars(BarType.from_str(f"{s.btc}-1-MINUTE-LAST-INTERNAL")))
    run(watcher, profile=FAST, market=still_market(rows, duration_s=101.0))
    bars = [
        (at_s, float(b.open), float(b.high), float(b.low), float(b.close), float(b.volume)) for at_s, b in watcher.seen
    ]
    assert bars == [(40.0, 100.1, 100.5, 99.8, 99.8, 4.0), (100.0, 99.9, 99.9, 99.9, 99.9, 1.0)]


def test_an_indicator_is_fed_by_its_subscription() -> None:
    """EMA over 3 of mid prices 100.05 (at the start and at 10 s), 100.0, 99.95: alpha 1/2."""
    values: list[float] = []

    class Indicated(Watcher):
        def on_start(self) -> None:
            self.ema = ExponentialMovingAverage(3, PriceType.MID)
            self.register_indicator_for_quote_ticks(self.btc, self.ema)
            super().on_start()

        def on_quote_tick(self, tick: QuoteTick) -> None:
            values.append(round(self.ema.value, 6))

    rows = [level(10.0, BUY, BID, 4 * BTC), level(20.0, BUY, BID, 0), level(30.0, BUY, BID - 1, 0)]
    rows += [level(29.0, BUY, BID - 2, LEVEL_LOTS)]
    watcher = Indicated(lambda s: s.subscribe_quote_ticks(s.btc))
    run(watcher, profile=FAST, market=still_market(rows))
    assert values == [100.05, 100.05, 100.025, 99.9875]


# ------------------------------------------------------------------------------------------------- time


def test_timers_fire_at_their_virtual_times() -> None:
    fired: list[tuple[float, str]] = []

    def start(script: Script) -> None:
        def note(event: Any) -> None:
            fired.append((script.now_s, event.name))

        script.clock.set_timer_ns("beat", 7_000_000_000, START_NS, START_NS + 22_000_000_000, note)
        script.clock.set_time_alert_ns("once", START_NS + 14_000_000_001, note)

    _watch(start)
    assert fired == [(7.0, "beat"), (14.0, "beat"), (14.0, "once"), (21.0, "beat")]


def test_a_timer_set_by_a_timer_for_now_fires_now() -> None:
    fired: list[float] = []

    def first(script: Script) -> None:
        script.clock.set_time_alert_ns("again", script.clock.timestamp_ns(), lambda _: fired.append(script.now_s))

    _watch(lambda _: None, steps=[(10.0, first)])
    assert fired == [10.0]


def test_a_canceled_timer_does_not_fire() -> None:
    fired: list[float] = []

    def start(script: Script) -> None:
        script.clock.set_time_alert_ns("once", START_NS + 20_000_000_000, lambda _: fired.append(script.now_s))

    _watch(start, steps=[(10.0, lambda s: s.clock.cancel_timer("once"))])
    assert fired == []


def test_at_one_instant_the_markets_news_come_before_messages_and_messages_before_timers() -> None:
    """Book news, a fill's report and a timer all fall on 10.005: trade at 10.004 with 1 ms of road, feed of 10.000."""
    order: list[str] = []

    class Ordered(Watcher):
        def on_book(self, book: Any) -> None:
            if self.now_s > 1:
                order.append("book")

        def on_order_filled(self, event: Any) -> None:
            order.append("fill")

    rows = [level(10.0, SELL, ASK, BTC), trade(10.004, SELL, BID - 20, BTC)]
    steps = [
        (5.0, lambda s: s.buy(s.btc, BTC // 100, BID - 10)),
        (10.005, lambda s: order.append("timer")),
    ]
    watcher = Ordered(lambda s: s.subscribe_book(s.btc, on="touch"), steps)
    run(watcher, profile=FAST, market=still_market(rows))
    assert order == ["book", "fill", "timer"]


def test_a_command_meets_the_market_of_its_arrival_with_everything_up_to_that_instant() -> None:
    """The ask moves to 100.5 at 10.001, exactly when the order sent at 10.000 arrives: it does not trade at 100.1."""
    rows = [level(10.001, SELL, ASK, 0), level(10.001, SELL, ASK + 1, 0), level(10.001, SELL, 1_005, BTC)]
    late, early = (
        Script([(10.0, lambda s: s.buy(s.btc, BTC, 1_005))]),
        Script([(9.999999, lambda s: s.buy(s.btc, BTC, 1_005))]),
    )
    for script in (late, early):
        run(script, profile=FAST, market=still_market(rows))
    assert [float(e.last_px) for _, e in late.events("OrderFilled")] == [100.5]
    assert [float(e.last_px) for _, e in early.events("OrderFilled")] == [100.1]


def test_the_strategy_acts_on_a_market_that_the_engine_has_left() -> None:
    """It sees 100.1 offered until 10.205, for the feed takes 200 ms; its order at 10.1 meets 100.5."""
    rows = [level(10.0, SELL, ASK, 0), level(10.0, SELL, ASK + 1, 0), level(10.0, SELL, 1_005, BTC)]
    seen: list[int | None] = []

    def buy(script: Script) -> None:
        seen.append(script.book(script.btc).ask_ticks)
        script.buy(script.btc, BTC)

    script = Script([(10.1, buy), (10.3, lambda s: seen.append(s.book(s.btc).ask_ticks))])
    run(
        script,
        profile=fixed_latency(PROFILE, 1.0, feed_ms=200.0),
        market=still_market(rows),
        road=RoadSection(name="ws2"),
    )
    assert seen == [1_001, 1_005]
    assert [float(e.last_px) for _, e in script.events("OrderFilled")] == [100.5]
