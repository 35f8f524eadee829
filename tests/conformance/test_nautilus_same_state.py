"""One NautilusTrader strategy by two adapters, ours and NautilusTrader's own, each in a plain node with an account of
its own on the same served venue, whose market stands still: at the end, the same orders, positions and money.

NautilusTrader's execution client asks api.kraken.com for its WebSocket token whatever its configuration says; it is
given a client of the same adapter that is told the address, and nothing else is changed. Now and then it does not tell
that the venue has accepted an order (the news has come before the answer), and the strategy waits for ever; then it has
another try, with the money of another account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.adapters.kraken.config import KrakenDataClientConfig, KrakenExecClientConfig
from nautilus_trader.adapters.kraken.factories import KrakenLiveDataClientFactory, KrakenLiveExecClientFactory
from nautilus_trader.config import (
    InstrumentProviderConfig,
    LiveExecEngineConfig,
    LoggingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.core import nautilus_pyo3
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import BookType, OrderSide, TimeInForce
from nautilus_trader.model.identifiers import ClientId, TraderId
from nautilus_trader.trading.strategy import Strategy

from framework.data.imports import ImportedMarket
from framework.data.store import write_store
from tests.conformance.node_rig import BTC_USD, asked, lived, node_of
from tests.conformance.served_venue import served_venue
from tests.simulation.stage import still_market

TRY_S = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("venue")
    market = still_market(duration_s=1_200.0)
    write_store(folder / "market", [ImportedMarket(market=market, source="made")])
    return folder


@pytest.fixture(scope="module")
def venue(folder: Path) -> Iterator[dict[str, Any]]:
    options = ("--accounts", "10", "--socket-connects", "0", "--market", str(folder / "market"))
    with served_venue(folder, *options, "--balances", "USD=10000", "BTC=2") as ready:
        yield ready


class Rounds(Strategy):
    """Buys, asks above the market, thinks better of it twice, sells some of it, and leaves two orders behind.

    Each step follows the news of the one before; the first follows the market.
    """

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="ROUNDS", order_id_tag="001"))
        self.steps: Iterator[Callable[[], None]] = iter(())
        self.awaited: tuple[str, ...] = ()
        self.is_over = False
        self.order: Any = None
        self.best: Any = None

    def on_start(self) -> None:
        self.instrument = self.cache.instrument(BTC_USD)
        self.steps = iter([
            self._buy, self._ask, self._ask_less, self._withdraw, self._try_for_more, self._sell, self._leave_one,
            self._leave_another, self._end,
        ])  # fmt: skip
        self.subscribe_quote_ticks(BTC_USD)
        self.subscribe_trade_ticks(BTC_USD)
        self.subscribe_order_book_deltas(BTC_USD, BookType.L2_MBP, depth=10)

    def on_stop(self) -> None:
        """Leaves what it has left."""

    def on_quote_tick(self, tick: Any) -> None:
        self.best = tick

    def on_order_book_deltas(self, deltas: Any) -> None:
        """Begins when quotes and book agree."""
        if self.order is None and self.best is not None:
            book = self.cache.order_book(BTC_USD)
            if (book.best_bid_price(), book.best_ask_price()) == (self.best.bid_price, self.best.ask_price):
                next(self.steps)()

    def on_order_event(self, event: Any) -> None:
        if type(event).__name__ in self.awaited and event.client_order_id == self.order.client_order_id:
            if not self.order.is_closed and "OrderFilled" in self.awaited:
                return
            next(self.steps)()

    def _send(self, order: Any, *awaited: str) -> None:
        self.order, self.awaited = order, awaited
        self.submit_order(order)

    def _limit(self, side: OrderSide, qty: str, ticks: int, **more: Any) -> Any:
        base = self.best.ask_price if side == OrderSide.SELL else self.best.bid_price
        price = self.instrument.make_price(base.as_decimal() + ticks * self.instrument.price_increment.as_decimal())
        return self.order_factory.limit(BTC_USD, side, self.instrument.make_qty(qty), price, **more)

    def _buy(self) -> None:
        self._send(self.order_factory.market(BTC_USD, OrderSide.BUY, self.instrument.make_qty("0.05")), "OrderFilled")

    def _ask(self) -> None:
        self._send(self._limit(OrderSide.SELL, "0.04", 9, post_only=True), "OrderAccepted")

    def _ask_less(self) -> None:
        self.awaited = ("OrderUpdated",)
        self.modify_order(self.order, self.instrument.make_qty("0.03"), self.instrument.make_price("100.9"))

    def _withdraw(self) -> None:
        self.awaited = ("OrderCanceled",)
        self.cancel_order(self.order)

    def _try_for_more(self) -> None:
        self._send(self._limit(OrderSide.BUY, "0.02", 1, time_in_force=TimeInForce.IOC), "OrderFilled")

    def _sell(self) -> None:
        self._send(self._limit(OrderSide.SELL, "0.03", -1), "OrderFilled")

    def _leave_one(self) -> None:
        self._send(self._limit(OrderSide.BUY, "0.01", -50, post_only=True), "OrderAccepted")

    def _leave_another(self) -> None:
        self._send(self._limit(OrderSide.SELL, "0.01", 50), "OrderAccepted")

    def _end(self) -> None:
        self.is_over = True


def final_state(strategy: Rounds) -> dict[str, Any]:
    """What NautilusTrader has at the end: every order with what became of it, and the position."""
    cache = strategy.cache
    orders = sorted(cache.orders(strategy_id=strategy.id), key=lambda order: order.client_order_id.value[-1])
    fills = [fill for order in orders for fill in order.events if type(fill).__name__ == "OrderFilled"]
    return {
        "orders": [
            (
                order.type_string(),
                order.side_string(),
                order.quantity.as_decimal(),
                order.price.as_decimal() if order.has_price else None,
                order.tif_string(),
                order.is_post_only if order.has_price else False,
                order.status_string(),
                order.filled_qty.as_decimal(),
                None if order.avg_px is None else round(Decimal(order.avg_px), 8),
            )
            for order in orders
        ],
        "fills": [
            (
                fill.last_qty.as_decimal(),
                fill.last_px.as_decimal(),
                fill.liquidity_side,
                round(fill.commission.as_decimal(), 2),  # its own adapter has cents only
            )
            for fill in fills
        ],
        "position": strategy.portfolio.net_position(BTC_USD),
        "entry": [round(Decimal(position.avg_px_open), 8) for position in cache.positions()],
    }


def venue_state(venue: dict[str, Any], account: int) -> dict[str, Any]:
    """What the venue has: ids, names and times apart, which differ from account to account."""

    def rows(orders: dict[str, Any]) -> list[tuple[Any, ...]]:
        told = [
            (
                row["descr"]["order"],
                row["status"],
                row["vol"],
                row["vol_exec"],
                row["cost"],
                row["fee"],
                row["price"],
                row["oflags"],
                row["time_in_force"],
            )
            for row in orders.values()
        ]
        return sorted(told)

    return {
        "open": rows(asked(venue, "OpenOrders", account)["open"]),
        "closed": rows(asked(venue, "ClosedOrders", account, consolidate_taker="false")["closed"]),
        "balances": asked(venue, "BalanceEx", account),
    }


async def until_over(strategy: Rounds) -> None:
    async with asyncio.timeout(TRY_S):
        while not strategy.is_over:
            await asyncio.sleep(0.01)


def by_ours(venue: dict[str, Any], folder: Path, account: int, road: str) -> dict[str, Any]:
    strategy, state = Rounds(), {}

    async def act(node: TradingNode) -> None:
        await until_over(strategy)
        state.update(final_state(strategy))

    lived(node_of(folder, account, strategy, road=road), strategy, act)
    return state


def by_nautilus_own(venue: dict[str, Any], account: int) -> dict[str, Any]:
    """The state at the end; {} if it does not come to one."""
    strategy, state = Rounds(), {}
    key = venue["accounts"][account]
    given = {
        "api_key": key["api_key"],
        "api_secret": key["api_secret"],
        "base_url_http_spot": venue["rest"],
        "base_url_ws_spot": venue["ws_v2"],
        "instrument_provider": InstrumentProviderConfig(load_all=True),
        "max_retries": 1,
    }

    def make(loop: asyncio.AbstractEventLoop) -> TradingNode:
        config = TradingNodeConfig(
            trader_id=TraderId("TESTER-001"),
            logging=LoggingConfig(log_level="WARNING", log_colors=False),
            exec_engine=LiveExecEngineConfig(inflight_check_interval_ms=0),
            data_clients={"KRAKEN": KrakenDataClientConfig(base_url_ws_l3_spot=venue["ws_l3"], **given)},
            exec_clients={"KRAKEN": KrakenExecClientConfig(max_requests_per_second=100, **given)},
            timeout_connection=30,
            timeout_disconnection=10,
            timeout_post_stop=0.5,
        )
        node = TradingNode(config=config, loop=loop)
        node.add_data_client_factory("KRAKEN", KrakenLiveDataClientFactory)
        node.add_exec_client_factory("KRAKEN", KrakenLiveExecClientFactory)
        node.trader.add_strategy(strategy)
        return node

    def build(node: TradingNode) -> None:
        node.build()
        client = node.kernel.exec_engine._clients[ClientId("KRAKEN")]
        client._ws_client_spot = nautilus_pyo3.KrakenSpotWebSocketClient(
            private=True,
            base_url=venue["ws_v2"],
            api_key=key["api_key"],
            api_secret=key["api_secret"],
            base_url_http=venue["rest"],
        )

    async def act(node: TradingNode) -> None:
        with suppress(TimeoutError):
            await until_over(strategy)
            state.update(final_state(strategy))

    lived(make, strategy, act, is_ready=build)
    return state


@pytest.mark.slow
def test_the_same_strategy_ends_in_the_same_state_by_either_adapter(venue: dict[str, Any], folder: Path) -> None:
    account = 0
    while not (others := by_nautilus_own(venue, account)):
        account += 1
        assert account < 6, "NautilusTrader's own adapter has not come to an end in six tries"
    theirs = venue_state(venue, account)
    assert [order[6] for order in others["orders"]] == [
        "FILLED", "CANCELED", "FILLED", "FILLED", "ACCEPTED", "ACCEPTED",
    ]  # fmt: skip
    assert others["position"] == Decimal("0.04")
    for account, road in enumerate(("rest", "rest+ws", "ws2", "fix"), start=6):
        mine = by_ours(venue, folder, account, road)
        assert mine == others, road
        if road != "fix":  # there the orders that were left go with their session's line
            assert venue_state(venue, account) == theirs, road
