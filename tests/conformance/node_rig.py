"""A plain NautilusTrader ``TradingNode`` in the event loop of a test, and a strategy that does what a test says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from nautilus_trader.config import (
    InstrumentProviderConfig,
    LiveExecEngineConfig,
    LoggingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, TraderId
from nautilus_trader.model.orders import Order
from nautilus_trader.trading.strategy import Strategy

from adapters.kraken.client.nautilus import (
    TidegateKrakenDataClientConfig,
    TidegateKrakenDataClientFactory,
    TidegateKrakenExecClientConfig,
    TidegateKrakenExecClientFactory,
    VenueAccess,
)
from tests.conformance.test_served_sockets import private

__all__ = ["BTC_USD", "PAIRS", "WAIT_S", "Hand", "asked", "lived", "node_of", "rests"]

WAIT_S = 60
BTC_USD = InstrumentId.from_str("BTC/USD.KRAKEN")
PAIRS = InstrumentProviderConfig(load_ids=frozenset({"BTC/USD.KRAKEN"}))


class Hand(Strategy):
    """Does nothing by itself: a test trades by its hand, and reads what it has heard."""

    def __init__(self, tag: str = "001", **config: Any) -> None:
        super().__init__(StrategyConfig(strategy_id="HAND", order_id_tag=tag, **config))
        self.heard: list[Any] = []
        self.told: list[Any] = []
        self.past: list[Any] = []

    def on_start(self) -> None:
        """Waits for the hand."""

    def on_stop(self) -> None:
        """Leaves all as it is."""

    def on_order_event(self, event: Any) -> None:
        self.heard.append(event)

    def on_quote_tick(self, tick: Any) -> None:
        self.told.append(tick)

    on_trade_tick = on_order_book_deltas = on_order_book_depth = on_bar = on_instrument_status = on_quote_tick

    def on_historical_data(self, data: Any) -> None:
        self.past.append(data)

    # ------------------------------------------------------------------------------------------------- trading

    @property
    def instrument(self) -> Any:
        return self.cache.instrument(BTC_USD)

    def limit(self, qty: str, price: str, side: OrderSide = OrderSide.BUY, **more: Any) -> Order:
        """A limit order, not sent yet."""
        instrument = self.instrument
        return self.order_factory.limit(BTC_USD, side, instrument.make_qty(qty), instrument.make_price(price), **more)

    def market(self, qty: str, side: OrderSide = OrderSide.BUY) -> Order:
        """A market order, not sent yet."""
        return self.order_factory.market(BTC_USD, side, self.instrument.make_qty(qty))

    def names(self, order: Order | str) -> list[str]:
        """What has been heard of an order."""
        name = order if isinstance(order, str) else order.client_order_id.value
        return [type(event).__name__ for event in self.heard if event.client_order_id.value == name]

    def known(self, name: str) -> Order | None:
        """An order by its client id."""
        return self.cache.order(ClientOrderId(name))

    # ------------------------------------------------------------------------------------------------- waiting

    async def until(self, condition: Callable[[], Any]) -> Any:
        """What a condition gives, once it is something."""
        while not (result := condition()):
            await asyncio.sleep(0.01)
        return result

    async def says(self, what: str, order: Order | str) -> None:
        """Wait until an event of an order has been heard."""
        await self.until(lambda: what in self.names(order))

    async def tells(self, kind: type, condition: Callable[[Any], Any] = lambda _: True) -> Any:
        """The first of what the market has told that is of a kind, and of which something holds."""
        return await self.until(
            lambda: next((each for each in self.told if isinstance(each, kind) and condition(each)), None)
        )


def rests(hand: Hand, name: str) -> bool:
    """Whether an order is known to be open."""
    order = hand.known(name)
    return order is not None and order.is_open


def asked(venue: dict[str, Any], name: str, account: int, **params: str) -> Any:
    """A private REST request, again where a node has used the key in between or the limit of calls asks for it."""
    while True:
        try:
            return private(venue, name, account, **params)
        except AssertionError as error:
            if "EAPI:Rate limit exceeded" in str(error):
                time.sleep(3.0)
            elif "EAPI:Invalid nonce" not in str(error):
                raise


def node_of(
    folder: Path,
    account: int,
    hand: Strategy,
    *,
    state: Path | None = None,
    road: Any = "ws2",
    data: Mapping[str, Any] | None = None,
    engine: Mapping[str, Any] | None = None,
    **execution: Any,
) -> Callable[[asyncio.AbstractEventLoop], TradingNode]:
    """Makes a node of ours on the venue whose ready file is in a folder."""
    options = {"ready_file": str(folder / "ready.json"), "account": f"account-{account + 1}"}
    options.update(execution.pop("options", {}))
    access = VenueAccess(options=options, state=None if state is None else str(state))

    def make(loop: asyncio.AbstractEventLoop) -> TradingNode:
        config = TradingNodeConfig(
            trader_id=TraderId("TESTER-001"),
            logging=LoggingConfig(log_level="WARNING", log_colors=False),
            exec_engine=LiveExecEngineConfig(inflight_check_interval_ms=0, **(engine or {})),
            data_clients={
                "KRAKEN": TidegateKrakenDataClientConfig(access=access, instrument_provider=PAIRS, **(data or {}))
            },
            exec_clients={
                "KRAKEN": TidegateKrakenExecClientConfig(
                    access=access, instrument_provider=PAIRS, road=road, tier="pro", **execution
                )
            },
            timeout_connection=30,
            timeout_disconnection=10,
            timeout_post_stop=0.5,
        )
        node = TradingNode(config=config, loop=loop)
        node.add_data_client_factory("KRAKEN", TidegateKrakenDataClientFactory)
        node.add_exec_client_factory("KRAKEN", TidegateKrakenExecClientFactory)
        node.trader.add_strategy(hand)
        return node

    return make


def lived(
    make: Callable[[asyncio.AbstractEventLoop], TradingNode],
    hand: Strategy,
    act: Callable[[TradingNode], Awaitable[None]],
    *,
    is_ready: Callable[[TradingNode], None] = lambda node: node.build(),
) -> TradingNode:
    """Run a node while something is done with it, then stop it in good order; it is disposed of.

    is_ready: builds it.
    """

    async def whole() -> TradingNode:
        node = make(asyncio.get_running_loop())
        is_ready(node)
        running = asyncio.ensure_future(node.run_async())
        try:
            async with asyncio.timeout(WAIT_S):
                while not hand.is_running:
                    assert not running.done(), running.exception() or "the node did not start"
                    await asyncio.sleep(0.01)
                await act(node)
        finally:
            await node.stop_async()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        return node

    node = asyncio.run(whole())
    node.dispose()
    return node
