"""The short way of orders leaves everything as NautilusTrader's own way does: events, orders, cache and positions."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.identifiers import ClientId

from adapters.kraken.profile import PROFILE
from framework.protocol import SELL
from framework.strategy import Strategy
from framework.trader.late_orders import LateOrder, PlacedOrder
from framework.trader.trader import Trader
from tests.simulation.stage import ASK, BID, BTC, Script, fixed_latency, run, still_market, trade

FAST = fixed_latency(PROFILE, 1.0)
LOTS = BTC // 100


def _keep(script: Script, name: str, order: Any) -> None:
    script.orders[name] = order


def _everything(kind: type[Script]) -> Script:
    """A rest, a cancel, a maker's fill in parts, a post-only refusal, takes that open, grow, shrink, close and flip."""

    def by_hand(script: Script) -> None:
        order = script.order_factory.limit(
            script.btc, OrderSide.BUY, script.bridge(script.btc).qty(LOTS), script.bridge(script.btc).price(BID - 3)
        )
        _keep(script, "hand", order)
        script.submit_order(order)

    return kind(
        [
            (5.0, lambda s: _keep(s, "rest", s.buy(s.btc, LOTS, BID - 10))),
            (5.5, lambda s: _keep(s, "goes", s.buy(s.btc, LOTS, BID - 11, post_only=True))),
            (6.0, lambda s: s.cancel_order(s.orders["goes"])),
            (6.1, lambda s: s.cancel_order(s.orders["goes"])),
            (7.0, lambda s: _keep(s, "refused", s.buy(s.btc, LOTS, ASK, post_only=True))),
            (8.0, by_hand),
            (9.0, lambda s: s.move(s.orders["hand"], price_ticks=BID - 4)),
            (20.0, lambda s: _keep(s, "open", s.buy(s.btc, 2 * LOTS, ASK))),
            (21.0, lambda s: _keep(s, "grow", s.buy(s.btc, LOTS))),
            (22.0, lambda s: _keep(s, "shrink", s.sell(s.btc, LOTS, BID, time_in_force=TimeInForce.IOC))),
            (23.0, lambda s: _keep(s, "flip", s.sell(s.btc, 10 * LOTS, BID))),
            (24.0, lambda s: _keep(s, "close", s.buy(s.btc, 5 * LOTS, ASK))),
            (25.0, lambda s: s.close_all_positions(s.btc)),
            (26.0, lambda s: _keep(s, "unknown", s.buy(s.btc, 1, BID))),
        ]
    )


class _Quiet(Script):
    """Hears nothing but fills, so that its orders are made when somebody asks for more of them."""

    on_event = Strategy.on_event

    def on_order_filled(self, event: Any) -> None:
        self.heard.append((self.now_s, event))


def _run_twice(kind: type[Script]) -> tuple[Script, Script]:
    """The same script, by NautilusTrader's engines and by the short way."""
    market = still_market([trade(10.0, SELL, BID - 20, LOTS // 2), trade(11.0, SELL, BID - 20, 3 * LOTS)])
    usual, short = _everything(kind), _everything(kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trader, "_make_order_path", lambda self: None)
        run(usual, profile=FAST, market=market)
    run(short, profile=FAST, market=market)
    return usual, short


@pytest.fixture(scope="module", params=[Script, _Quiet], ids=["hears all", "hears fills"])
def usual_and_short(request: pytest.FixtureRequest) -> tuple[Script, Script]:
    """A script that hears all events, and one that hears fills only."""
    return _run_twice(request.param)


@pytest.fixture(scope="module")
def usual_and_short_loud() -> tuple[Script, Script]:
    return _run_twice(Script)


def _told(event: Any) -> dict[str, Any]:
    fields = type(event).to_dict(event)
    return {name: value for name, value in fields.items() if name not in ("event_id", "options")} | {
        "kind": type(event).__name__
    }


def _heard(script: Script) -> list[dict[str, Any]]:
    return [_told(event) for _, event in script.heard if hasattr(type(event), "to_dict")]


def _cached(script: Script) -> dict[str, list[str]]:
    cache = script.cache
    kinds = ("orders", "orders_open", "orders_closed", "orders_inflight", "positions", "positions_open")
    ids = {
        kind: sorted(str(getattr(each, "client_order_id", None) or each.id) for each in getattr(cache, kind)())
        for kind in kinds
    }
    orders = sorted(cache.orders(), key=lambda order: str(order.client_order_id))
    ids["venue"] = [str(cache.venue_order_id(order.client_order_id)) for order in orders]
    ids["position"] = [str(cache.position_id(order.client_order_id)) for order in orders]
    return ids


def test_every_event_is_heard_in_the_same_order_with_the_same_values(
    usual_and_short_loud: tuple[Script, Script],
) -> None:
    usual, short = map(_heard, usual_and_short_loud)
    assert {event["kind"] for event in usual} >= {
        "OrderInitialized",
        "OrderSubmitted",
        "OrderAccepted",
        "OrderPendingCancel",
        "OrderCanceled",
        "OrderRejected",
        "OrderUpdated",
        "OrderFilled",
        "PositionOpened",
        "PositionChanged",
        "PositionClosed",
    }
    assert short == usual


def test_who_hears_fills_only_hears_the_same_ones() -> None:
    usual, short = map(_heard, _run_twice(_Quiet))
    assert {event["kind"] for event in usual} == {"OrderFilled"}
    assert short == usual


def test_orders_hold_the_same_events_and_end_in_the_same_state(usual_and_short: tuple[Script, Script]) -> None:
    usual, short = ([order.to_dict() for order in script.cache.orders()] for script in usual_and_short)
    for order in (*usual, *short):
        del order["init_id"]
    assert short == usual
    events = [[list(map(_told, order.events)) for order in script.cache.orders()] for script in usual_and_short]
    assert events[1] == events[0]


def test_the_cache_answers_the_same(usual_and_short: tuple[Script, Script]) -> None:
    usual, short = map(_cached, usual_and_short)
    assert usual["orders_closed"]
    assert usual["positions"]
    assert short == usual


def test_positions_and_the_portfolio_answer_the_same(usual_and_short: tuple[Script, Script]) -> None:
    usual, short = usual_and_short
    assert [position.to_dict() for position in short.cache.positions()] == [
        position.to_dict() for position in usual.cache.positions()
    ]
    assert len(short.cache.position_snapshots()) == len(usual.cache.position_snapshots()) > 0
    for name in ("realized_pnl", "net_position", "is_flat", "is_net_long"):
        assert getattr(short.portfolio, name)(short.btc) == getattr(usual.portfolio, name)(usual.btc)


def test_a_strategy_that_overrides_one_handler_hears_those_events_and_its_orders_have_all() -> None:
    script = _Quiet([(5.0, lambda s: _keep(s, "a", s.buy(s.btc, LOTS, ASK)))])
    run(script, profile=FAST)
    kinds = ("OrderSubmitted", "OrderAccepted", "OrderFilled", "PositionOpened")
    assert script.names(*kinds) == ["OrderFilled"]
    events = [type(event).__name__ for event in script.orders["a"].events]
    assert events == ["OrderInitialized", "OrderSubmitted", "OrderAccepted", "OrderFilled"]
    assert script.portfolio.net_position(script.btc) > 0


def test_who_subscribes_to_order_events_on_the_bus_hears_them_from_then_on() -> None:
    heard: list[str] = []

    def listen(script: Script) -> None:
        for topic in ("events.order.*", "events.position.*", "events.account.*"):
            script.msgbus.subscribe(topic, lambda event: heard.append(type(event).__name__))

    script = _Quiet(
        [(5.0, lambda s: s.buy(s.btc, LOTS, BID - 9)), (6.0, listen), (7.0, lambda s: s.buy(s.btc, LOTS, ASK))]
    )
    run(script, profile=FAST)
    told = [name for name in heard if name != "AccountState"]
    assert told[:5] == ["OrderInitialized", "OrderSubmitted", "OrderAccepted", "OrderFilled", "PositionOpened"]
    assert "AccountState" in heard


def test_an_account_that_is_asked_for_has_all_fills_in_its_balances() -> None:
    seen: list[tuple[float, int]] = []

    def look(script: Script) -> None:
        (account,) = script.cache.accounts()
        seen.append((float(account.balance_total(script.bridge(script.btc).quote)), len(account.events)))

    script = _Quiet([(5.0, look), (6.0, lambda s: s.buy(s.btc, LOTS, ASK)), (6.5, look), (7.0, look), (20.0, look)])
    run(script, profile=FAST)
    (before, first), (after, second), *later = seen
    assert after < before
    assert second == first + 1
    assert later == [(after, second)] * 2  # nothing has changed since


@pytest.mark.parametrize(
    "use",
    [
        lambda s, order: s.cancel_order(order, client_id=ClientId("KRAKEN")),
        lambda s, order: s.cancel_orders([order]),
        lambda s, order: s.move(order, price_ticks=BID - 12),
        lambda s, order: s.query_order(order),
        lambda s, order: s.cancel_gtd_expiry(order),
        lambda s, order: s.submit_order(order, client_id=ClientId("KRAKEN")),
        lambda s, order: (s.cancel_order(order), s.cancel_order(order)),
    ],
    ids=["cancel by client", "cancel several", "amend", "query", "expiry", "submit by client", "cancel twice"],
)
def test_an_order_is_made_before_nautilus_traders_own_code_reads_it(use: Any) -> None:
    types: list[type] = []

    def look(script: Script) -> None:
        order = script.orders["a"]
        types.append(type(order))
        with suppress(ValueError, AttributeError):  # what NautilusTrader says of an order that this does not fit
            use(script, order)
        types.append(type(order))

    script = _Quiet([(5.0, lambda s: _keep(s, "a", s.buy(s.btc, LOTS, BID - 9))), (6.0, look)])
    run(script, profile=FAST)
    assert types == [LateOrder, PlacedOrder]


def test_who_hears_of_positions_from_some_moment_on_hears_of_the_one_that_earlier_fills_have_made() -> None:
    heard: list[Any] = []
    script = _Quiet(
        [
            (5.0, lambda s: s.buy(s.btc, LOTS, ASK)),
            (6.0, lambda s: s.msgbus.subscribe("events.position.*", heard.append)),
            (7.0, lambda s: s.buy(s.btc, LOTS, ASK)),
        ]
    )
    run(script, profile=FAST)
    assert [type(event).__name__ for event in heard] == ["PositionChanged"]
    assert heard[0].quantity == script.bridge(script.btc).qty(2 * LOTS)
