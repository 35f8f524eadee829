"""NautilusTrader's own Kraken adapter against the served venue: its live data and execution clients, by configuration.

Its execution client asks api.kraken.com for its WebSocket token whatever the configuration says. So it is given another
WebSocket client of the adapter's, which is told the address. It finds pairs in Kraken's lists of orders by a name that
those lists do not have, so that its history is that of its fills. It is connected before its subscription to its
executions has reached the venue, and asks for no snapshot: what is filled until then it never learns of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from nautilus_trader.adapters.kraken.config import KrakenDataClientConfig, KrakenExecClientConfig
from nautilus_trader.adapters.kraken.factories import KrakenLiveDataClientFactory, KrakenLiveExecClientFactory
from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.config import InstrumentProviderConfig
from nautilus_trader.core import nautilus_pyo3
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.data.messages import SubscribeOrderBook, SubscribeQuoteTicks, SubscribeTradeTicks
from nautilus_trader.execution.messages import CancelOrder, GenerateFillReports, ModifyOrder, SubmitOrder
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import OrderBookDelta, OrderBookDeltas, QuoteTick, TradeTick
from nautilus_trader.model.enums import BookAction, BookType, OrderSide
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderFilled,
    OrderRejected,
    OrderUpdated,
)
from nautilus_trader.model.identifiers import ClientId, InstrumentId, StrategyId, TraderId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.portfolio.portfolio import Portfolio

from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_control import control
from tests.conformance.test_served_sockets import private

pytestmark = pytest.mark.slow

WAIT_S = 60
KRAKEN = ClientId("KRAKEN")
BTC_USD = InstrumentId.from_str("BTC/USD.KRAKEN")
TRADER = TraderId("TESTER-001")
STRATEGY = StrategyId("S-001")


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with served_venue(tmp_path_factory.mktemp("venue"), "--accounts", "7") as ready:
        yield ready


class Node:
    """The adapter's two clients for one account, and all that they tell the engines."""

    def __init__(self, venue: dict[str, Any], account: int, **changes: str) -> None:
        key = venue["accounts"][account]
        loop = asyncio.get_running_loop()
        clock = LiveClock()
        self.clock = clock
        self.cache = Cache()
        self.msgbus = MessageBus(trader_id=TRADER, clock=clock)
        self.portfolio = Portfolio(msgbus=self.msgbus, cache=self.cache, clock=clock)
        self.heard: list[Any] = []
        for endpoint in ("DataEngine.process", "ExecEngine.process", "Portfolio.update_account"):
            if endpoint not in self.msgbus.endpoints():
                self.msgbus.register(endpoint, self.hear)
        addresses = {"base_url_http_spot": venue["rest"], "base_url_ws_spot": venue["ws_v2"]}
        given = {
            "api_key": key["api_key"],
            "api_secret": key["api_secret"],
            "instrument_provider": InstrumentProviderConfig(load_all=True),
            "max_retries": 1,
            **addresses,
            **changes,
        }
        data = KrakenDataClientConfig(base_url_ws_l3_spot=venue["ws_l3"], **given)
        execution = KrakenExecClientConfig(max_requests_per_second=100, **given)
        self.data = KrakenLiveDataClientFactory.create(loop, None, data, self.msgbus, self.cache, clock)
        self.exec = KrakenLiveExecClientFactory.create(loop, None, execution, self.msgbus, self.cache, clock)
        self.exec._ws_client_spot = nautilus_pyo3.KrakenSpotWebSocketClient(
            private=True,
            base_url=venue["ws_v2"],
            api_key=given["api_key"],
            api_secret=given["api_secret"],
            base_url_http=venue["rest"],
        )
        self.orders = OrderFactory(TRADER, STRATEGY, clock)

    def hear(self, message: Any) -> None:
        self.heard.append(message)
        if isinstance(message, OrderEvent):
            order = self.cache.order(message.client_order_id)
            order.apply(message)
            self.cache.update_order(order)
        elif hasattr(message, "price_increment"):
            self.cache.add_instrument(message)

    async def until(self, condition: Callable[[Any], bool]) -> Any:
        """The first message of which something holds."""
        while True:
            for message in self.heard:
                if condition(message):
                    return message
            await asyncio.sleep(0.02)

    async def event(self, order: Any, kind: type) -> Any:
        """An event of an order."""
        return await self.until(lambda told: type(told) is kind and told.client_order_id == order.client_order_id)

    async def add(self, qty: str = "0.01000000", *, is_market: bool = False) -> Any:
        """Submit an order, one that rests if nothing else is said."""
        quantity = Quantity.from_str(qty)
        if is_market:
            order = self.orders.market(BTC_USD, OrderSide.BUY, quantity)
        else:
            order = self.orders.limit(BTC_USD, OrderSide.BUY, quantity, Price.from_str("50000.0"))
        self.cache.add_order(order)
        await self.exec._submit_order(SubmitOrder(TRADER, STRATEGY, order, UUID4(), 0))
        return order

    async def cancel(self, order: Any) -> None:
        await self.exec._cancel_order(
            CancelOrder(TRADER, STRATEGY, BTC_USD, order.client_order_id, order.venue_order_id, UUID4(), 0)
        )


async def subscribed(venue: dict[str, Any], account: int) -> None:
    """Wait until the venue tells one of its connections of WebSocket v2 about an account."""
    name = venue["accounts"][account]["account"]

    def is_told() -> bool:
        connections = control(venue, "/sessions")["connections"]
        return any(told["kind"] == "ws_v2" and name in told["accounts"] for told in connections)

    while not await asyncio.to_thread(is_told):
        await asyncio.sleep(0.02)


def run(venue: dict[str, Any], account: int, act: Callable[[Node], Awaitable[None]], **changes: str) -> None:
    """Connect both clients, act, and disconnect."""

    async def whole() -> None:
        node = Node(venue, account, **changes)
        async with asyncio.timeout(WAIT_S):
            await node.data._connect()
            try:
                await node.exec._connect()
                await subscribed(venue, account)
                await act(node)
            finally:
                await node.exec._disconnect()
                await node.data._disconnect()

    asyncio.run(whole())


def book_command(book_type: BookType) -> SubscribeOrderBook:
    return SubscribeOrderBook(BTC_USD, OrderBookDelta, book_type, KRAKEN, None, UUID4(), 0, depth=10)


def test_connects(venue: dict[str, Any]) -> None:
    async def act(node: Node) -> None:
        assert node.exec._ws_client_spot.is_authenticated()
        assert BTC_USD in {instrument.id for instrument in node.cache.instruments()}

    run(venue, 0, act)


def test_reads_market_data(venue: dict[str, Any]) -> None:
    async def act(node: Node) -> None:
        await node.data._subscribe_order_book_deltas(book_command(BookType.L2_MBP))
        await node.data._subscribe_quote_ticks(SubscribeQuoteTicks(BTC_USD, KRAKEN, None, UUID4(), 0))
        await node.data._subscribe_trade_ticks(SubscribeTradeTicks(BTC_USD, KRAKEN, None, UUID4(), 0))
        quote = await node.until(lambda told: isinstance(told, QuoteTick))
        assert quote.bid_price < quote.ask_price
        assert (await node.until(lambda told: isinstance(told, TradeTick))).price > 0
        while sum(isinstance(told, OrderBookDeltas) for told in node.heard) < 50:
            await asyncio.sleep(0.05)
        book = OrderBook(BTC_USD, BookType.L2_MBP)
        for deltas in [told for told in node.heard if isinstance(told, OrderBookDeltas)]:
            book.apply_deltas(deltas)
        assert book.best_bid_price() < book.best_ask_price()

    run(venue, 0, act)


def test_every_checksum_of_level_3_is_right(venue: dict[str, Any]) -> None:
    """It verifies them itself, and clears its book where one is wrong."""

    async def act(node: Node) -> None:
        await node.data._subscribe_order_book_deltas(book_command(BookType.L3_MBO))
        while sum(isinstance(told, OrderBookDeltas) for told in node.heard) < 100:
            await asyncio.sleep(0.05)
        told = [deltas for deltas in node.heard if isinstance(deltas, OrderBookDeltas)]
        clears = [delta for deltas in told for delta in deltas.deltas if delta.action == BookAction.CLEAR]
        assert len(clears) == 1  # before the snapshot

    run(venue, 0, act)


def test_adds_an_order(venue: dict[str, Any]) -> None:
    async def act(node: Node) -> None:
        order = await node.add()
        assert (await node.event(order, OrderAccepted)).venue_order_id.value.startswith("O")

    run(venue, 1, act)


def test_amends_an_order(venue: dict[str, Any]) -> None:
    async def act(node: Node) -> None:
        order = await node.add()
        await node.event(order, OrderAccepted)
        qty, price = Quantity.from_str("0.02000000"), Price.from_str("49000.0")
        names = (order.client_order_id, order.venue_order_id)
        await node.exec._modify_order(ModifyOrder(TRADER, STRATEGY, BTC_USD, *names, qty, price, None, UUID4(), 0))
        updated = await node.event(order, OrderUpdated)
        assert (updated.quantity, updated.price) == (qty, price)

    run(venue, 1, act)


def test_cancels_an_order(venue: dict[str, Any]) -> None:
    async def act(node: Node) -> None:
        order = await node.add()
        await node.event(order, OrderAccepted)
        await node.cancel(order)
        await node.event(order, OrderCanceled)

    run(venue, 1, act)


def test_learns_of_its_fills(venue: dict[str, Any]) -> None:
    async def act(node: Node) -> None:
        order = await node.add(is_market=True)
        await node.until(lambda _: order.is_closed)  # filled in parts, where the best price has less
        assert order.filled_qty == Quantity.from_str("0.01000000")
        fills = [told for told in node.heard if isinstance(told, OrderFilled)]
        assert {told.client_order_id for told in fills} == {order.client_order_id}
        assert all(told.commission.as_double() > 0 for told in fills)

    run(venue, 2, act)


def test_reads_its_history(venue: dict[str, Any]) -> None:
    async def act(node: Node) -> None:
        order = await node.add(is_market=True)
        filled = await node.event(order, OrderFilled)
        reports = await node.exec.generate_fill_reports(GenerateFillReports(None, None, None, None, UUID4(), 0))
        assert [report.trade_id for report in reports] == [filled.trade_id]

    run(venue, 3, act)


def test_is_told_of_a_bad_signature(venue: dict[str, Any]) -> None:
    async def act(node: Node) -> None: ...

    with pytest.raises(Exception, match="EAPI:Invalid signature"):
        run(venue, 0, act, api_secret=venue["accounts"][1]["api_secret"])


def test_is_told_of_a_bad_nonce(venue: dict[str, Any]) -> None:
    """Its nonces are times; somebody else has used a larger one with its key."""

    async def act(node: Node) -> None:
        await asyncio.to_thread(private, venue, "Balance", 6, nonce=str(2**63))
        order = await node.add()
        assert "EAPI:Invalid nonce" in (await node.event(order, OrderRejected)).reason

    run(venue, 6, act)


def test_is_told_of_an_unknown_order(venue: dict[str, Any]) -> None:
    """By its REST client: its execution client sends no cancel of an order that it does not know to be open."""

    async def act(node: Node) -> None:
        unknown = nautilus_pyo3.VenueOrderId("OAAAAA-AAAAA-AAAAAA")
        pair = nautilus_pyo3.InstrumentId.from_str(BTC_USD.value)
        with pytest.raises(Exception, match="EOrder:Unknown order"):
            await node.exec._http_client_spot.cancel_order(node.exec.pyo3_account_id, pair, None, unknown)

    run(venue, 1, act)


def test_is_told_of_insufficient_funds(venue: dict[str, Any]) -> None:
    async def act(node: Node) -> None:
        order = await node.add("10000.00000000")
        assert "EOrder:Insufficient funds" in (await node.event(order, OrderRejected)).reason

    run(venue, 1, act)


def test_is_told_of_a_rate_limit(venue: dict[str, Any]) -> None:
    """By its REST client, whose answers come one after another."""

    async def act(node: Node) -> None:
        client, account = node.exec._http_client_spot, node.exec.pyo3_account_id
        pair = nautilus_pyo3.InstrumentId.from_str(BTC_USD.value)
        order = {
            "order_side": nautilus_pyo3.OrderSide.BUY,
            "order_type": nautilus_pyo3.OrderType.LIMIT,
            "quantity": nautilus_pyo3.Quantity.from_str("0.01000000"),
            "time_in_force": nautilus_pyo3.TimeInForce.GTC,
            "price": nautilus_pyo3.Price.from_str("50000.0"),
        }

        async def hurry() -> None:
            for number in range(80):
                name = nautilus_pyo3.ClientOrderId(f"hurried-{number}")
                venue_order_id = await client.submit_order(account, pair, name, **order)
                await client.cancel_order(account, pair, None, venue_order_id)

        with pytest.raises(Exception, match="EOrder:Rate limit exceeded"):
            await hurry()

    run(venue, 4, act)


def test_reconnects(venue: dict[str, Any]) -> None:
    """By itself: it subscribes to what it had, and goes on trading."""

    async def act(node: Node) -> None:
        await node.data._subscribe_order_book_deltas(book_command(BookType.L2_MBP))
        await node.until(lambda told: isinstance(told, OrderBookDeltas))
        order = await node.add()
        await node.event(order, OrderAccepted)
        await asyncio.to_thread(control, venue, "/sessions/drop", kind="ws_v2", how="abort")
        await asyncio.sleep(0.5)
        node.heard.clear()
        await node.until(lambda told: isinstance(told, OrderBookDeltas))
        await node.cancel(order)
        await node.event(order, OrderCanceled)

    run(venue, 5, act)
