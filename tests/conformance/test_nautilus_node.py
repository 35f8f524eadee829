"""A plain NautilusTrader node with our factories on the served venue: nothing of Tidegate's runner is in between."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.execution.messages import GenerateFillReports, GenerateOrderStatusReports
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import (
    Bar,
    BarType,
    InstrumentStatus,
    OrderBookDeltas,
    OrderBookDepth10,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import BookType, MarketStatusAction, OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.identifiers import ClientId, Venue

from adapters.kraken.client.links import connect_live
from framework.adapter import LiveSettings
from framework.backtest.config import RoadSection
from framework.data.imports import ImportedMarket
from framework.data.store import write_store
from framework.data.synthetic import synthetic_market
from framework.live.clock import LiveClock
from framework.nautilus.exec_client import ROAD_TOPIC
from tests.conformance.node_rig import BTC_USD, Hand, asked, lived, node_of, rests
from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_control import control
from tests.conformance.test_served_sockets import private

pytestmark = pytest.mark.slow

ROADS = ("rest", "rest+ws", "ws2", "fix")
KRAKEN = Venue("KRAKEN")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("venue")


@pytest.fixture(scope="module")
def venue(folder: Path) -> Iterator[dict[str, Any]]:
    with served_venue(folder, "--accounts", "32", "--socket-connects", "0") as ready:
        yield ready


@pytest.fixture(scope="module")
def accounts(venue: dict[str, Any]) -> Iterator[int]:
    """Each test has an account of its own."""
    return iter(range(len(venue["accounts"])))


# ------------------------------------------------------------------------------------------------- market data


def test_it_is_told_quotes_trades_books_and_bars(venue: dict[str, Any], folder: Path, accounts: Iterator[int]) -> None:
    hand = Hand()

    async def act(node: TradingNode) -> None:
        hand.subscribe_quote_ticks(BTC_USD)
        hand.subscribe_trade_ticks(BTC_USD)
        hand.subscribe_order_book_deltas(BTC_USD, BookType.L2_MBP, depth=25)
        hand.subscribe_order_book_depth(BTC_USD, BookType.L2_MBP, depth=10)
        hand.subscribe_bars(BarType.from_str("BTC/USD.KRAKEN-1-SECOND-MID-INTERNAL"))
        quote = await hand.tells(QuoteTick)
        assert quote.bid_price < quote.ask_price
        trade = await hand.tells(TradeTick)
        assert trade.price > 0
        assert int(trade.trade_id.value) > 0
        await hand.tells(OrderBookDeltas)
        depth = await hand.tells(OrderBookDepth10)
        assert [order.price for order in depth.bids] == sorted((order.price for order in depth.bids), reverse=True)
        bar = await hand.tells(Bar)
        assert bar.low <= bar.close <= bar.high
        for _ in range(50):  # NautilusTrader's own book is the venue's at any time
            book = hand.cache.order_book(BTC_USD)
            assert book.best_bid_price() < book.best_ask_price()
            assert len(book.bids()) <= 25
            await asyncio.sleep(0.01)
        ids = [int(each.trade_id.value) for each in hand.told if isinstance(each, TradeTick)]
        assert ids == sorted(set(ids))

    lived(node_of(folder, next(accounts), hand), hand, act)


def test_it_is_told_single_orders_of_the_book(venue: dict[str, Any], folder: Path, accounts: Iterator[int]) -> None:
    hand = Hand()

    async def act(node: TradingNode) -> None:
        hand.subscribe_order_book_deltas(BTC_USD, BookType.L3_MBO, depth=100)
        await hand.until(lambda: sum(isinstance(each, OrderBookDeltas) for each in hand.told) > 50)
        first, *updates = [each for each in hand.told if isinstance(each, OrderBookDeltas)]
        assert first.is_snapshot
        assert not any(each.is_snapshot for each in updates)  # every checksum came out
        book = hand.cache.order_book(BTC_USD)
        assert book.best_bid_price() < book.best_ask_price()
        ids = [order.order_id for level in book.bids() for order in level.orders()]
        assert len(ids) == len(set(ids)) > 0

    lived(node_of(folder, next(accounts), hand, data={"has_orders": True}), hand, act)


def test_a_deeper_book_takes_the_place_of_a_flatter_one(
    venue: dict[str, Any], folder: Path, accounts: Iterator[int]
) -> None:
    hand = Hand()

    async def act(node: TradingNode) -> None:
        hand.subscribe_quote_ticks(BTC_USD)
        await hand.tells(QuoteTick)
        hand.subscribe_order_book_deltas(BTC_USD, BookType.L2_MBP, depth=100)
        await hand.until(lambda: (book := hand.cache.order_book(BTC_USD)) and len(book.bids()) > 10)
        hand.told.clear()
        await hand.tells(QuoteTick)

    lived(node_of(folder, next(accounts), hand), hand, act)


def test_it_is_told_what_a_pair_is_open_to(venue: dict[str, Any], folder: Path, accounts: Iterator[int]) -> None:
    hand = Hand()

    async def act(node: TradingNode) -> None:
        hand.subscribe_instrument_status(BTC_USD)
        assert (await hand.tells(InstrumentStatus)).action == MarketStatusAction.TRADING
        try:
            await asyncio.to_thread(control, venue, "/mode", mode="cancel_only", pair="BTC/USD")
            paused = await hand.tells(InstrumentStatus, lambda told: told.action == MarketStatusAction.PAUSE)
            assert (paused.is_trading, paused.reason) == (False, "cancel_only")
        finally:
            await asyncio.to_thread(control, venue, "/mode", mode="online", pair="BTC/USD")

    lived(node_of(folder, next(accounts), hand), hand, act)


def test_the_venues_candles_are_its_bars_now_and_in_the_past(tmp_path: Path) -> None:
    """At a minute of the venue's a second."""
    hand = Hand()
    bar_type = BarType.from_str("BTC/USD.KRAKEN-1-MINUTE-LAST-EXTERNAL")

    async def act(node: TradingNode) -> None:
        hand.subscribe_bars(bar_type)
        await hand.until(lambda: sum(isinstance(each, Bar) for each in hand.told) >= 4)
        live = {bar.ts_event: bar for bar in hand.told if isinstance(bar, Bar)}
        times = list(live)
        assert times == sorted(times)
        assert all(ts_ns % 60_000_000_000 == 0 for ts_ns in times)
        answered = asyncio.Event()
        hour_ago = hand.clock.utc_now() - dt.timedelta(hours=1)
        hand.request_bars(bar_type, start=hour_ago, callback=lambda _: answered.set())
        await answered.wait()
        with urllib.request.urlopen(f"{ready['rest']}/0/public/OHLC?pair=XBTUSD&interval=1", timeout=20) as answer:
            rows = {row[0]: row for row in json.load(answer)["result"]["XXBTZUSD"]}
        assert len(hand.past) > 5
        for bar in [*hand.past, *live.values()]:
            _, opened, high, low, close, _, volume, _ = rows[bar.ts_event // 1_000_000_000 - 60]
            told = [bar.open, bar.high, bar.low, bar.close, bar.volume]
            assert [each.as_decimal() for each in told] == [
                Decimal(each) for each in (opened, high, low, close, volume)
            ]

    with served_venue(tmp_path, "--speed", "60") as ready:
        lived(node_of(tmp_path, 0, hand), hand, act)


def test_trades_of_the_past_are_told_in_their_order(
    venue: dict[str, Any], folder: Path, accounts: Iterator[int]
) -> None:
    hand = Hand()

    async def act(node: TradingNode) -> None:
        hand.subscribe_trade_ticks(BTC_USD)
        await hand.until(lambda: sum(isinstance(each, TradeTick) for each in hand.told) >= 3)
        hand.unsubscribe_trade_ticks(BTC_USD)
        live = {each.trade_id.value: each for each in hand.told if isinstance(each, TradeTick)}
        answered = asyncio.Event()
        first_ns = min(each.ts_event for each in live.values())
        start = dt.datetime.fromtimestamp(first_ns / 1e9, dt.UTC) - dt.timedelta(seconds=1)
        hand.request_trade_ticks(BTC_USD, start=start, limit=500, callback=lambda _: answered.set())
        await answered.wait()
        ids = [int(each.trade_id.value) for each in hand.past]
        assert ids == sorted(set(ids))
        told = {each.trade_id.value: each for each in hand.past}
        for trade_id, tick in live.items():
            assert (told[trade_id].price, told[trade_id].size) == (tick.price, tick.size)
            assert told[trade_id].aggressor_side == tick.aggressor_side

    lived(node_of(folder, next(accounts), hand), hand, act)


def test_trades_of_several_pages_join_without_a_gap(tmp_path: Path) -> None:
    write_store(tmp_path / "market", [ImportedMarket(market=synthetic_market(3, 3_000), source="made")])

    async def read(since_ns: int, count: int) -> Any:
        loop = asyncio.get_running_loop()
        settings = LiveSettings(links={}, options={"ready_file": str(tmp_path / "ready.json")})
        connected = await connect_live(settings, LiveClock(loop))
        try:
            return await connected.past_trades("BTC/USD", since_ns, count)
        finally:
            await connected.close()

    with served_venue(tmp_path, "--market", str(tmp_path / "market"), "--speed", "600"):
        time.sleep(5.0)  # all of it has been played
        trades = asyncio.run(read(0, 1_500))
        assert len(trades) == 1_500
        first = trades[0].trade_id
        assert [each.trade_id for each in trades] == list(range(first, first + 1_500))
        later = asyncio.run(read(trades[100].ts_event_ns, 10))
        assert {each.trade_id for each in later} <= {each.trade_id for each in trades[90:120]}
        assert all(each.ts_event_ns >= trades[100].ts_event_ns for each in later)


def test_market_data_alone_needs_no_key(venue: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nautilus_trader.config import LoggingConfig, TradingNodeConfig

    from adapters.kraken.client.nautilus import (
        TidegateKrakenDataClientConfig,
        TidegateKrakenDataClientFactory,
        VenueAccess,
    )
    from tests.conformance.node_rig import PAIRS

    monkeypatch.delenv("KRAKEN_API_KEY", raising=False)
    hand = Hand()
    access = VenueAccess(hosts={"rest": venue["rest"], "ws_public": venue["ws_v2"]})

    def make(loop: asyncio.AbstractEventLoop) -> TradingNode:
        config = TradingNodeConfig(
            logging=LoggingConfig(log_level="WARNING", log_colors=False),
            data_clients={"KRAKEN": TidegateKrakenDataClientConfig(access=access, instrument_provider=PAIRS)},
            timeout_connection=30,
            timeout_post_stop=0.5,
        )
        node = TradingNode(config=config, loop=loop)
        node.add_data_client_factory("KRAKEN", TidegateKrakenDataClientFactory)
        node.trader.add_strategy(hand)
        return node

    async def act(node: TradingNode) -> None:
        hand.subscribe_quote_ticks(BTC_USD)
        await hand.tells(QuoteTick)

    lived(make, hand, act)


# ------------------------------------------------------------------------------------------------- trading


@pytest.mark.parametrize("road", ROADS)
def test_it_trades_by_each_road(venue: dict[str, Any], folder: Path, accounts: Iterator[int], road: str) -> None:
    """New, amend, cancel, fills, a list, cancels of several, and of all; the venue and the cache agree at the end."""
    hand, account = Hand(), next(accounts)

    async def act(node: TradingNode) -> None:
        resting = hand.limit("0.01", "50000.0", post_only=True)
        hand.submit_order(resting)
        await hand.says("OrderAccepted", resting)
        hand.modify_order(resting, hand.instrument.make_qty("0.02"), hand.instrument.make_price("49000.0"))
        await hand.says("OrderUpdated", resting)
        assert (resting.quantity.as_decimal(), resting.price.as_decimal()) == (Decimal("0.02"), Decimal(49_000))
        taking = hand.market("0.01")
        hand.submit_order(taking)
        await hand.until(lambda: taking.status == OrderStatus.FILLED)
        hand.cancel_order(resting)
        await hand.says("OrderCanceled", resting)
        several = [hand.limit("0.01", f"{48_000 + number}.0") for number in range(3)]
        hand.submit_order_list(hand.order_factory.create_list(several))
        for order in several:
            await hand.says("OrderAccepted", order)
        hand.cancel_orders(several[:2])
        for order in several[:2]:
            await hand.says("OrderCanceled", order)
        hand.cancel_all_orders(BTC_USD)
        await hand.says("OrderCanceled", several[2])
        fill = next(event for event in hand.heard if type(event).__name__ == "OrderFilled")
        assert fill.commission.as_decimal() > 0
        assert hand.portfolio.net_position(BTC_USD) == Decimal("0.01")
        open_orders = await told(venue, "OpenOrders", account)
        assert open_orders["open"] == {}
        await agrees(hand, venue, account)

    lived(node_of(folder, account, hand, road=road), hand, act)


async def told(venue: dict[str, Any], name: str, account: int, **params: str) -> Any:
    """As ``asked``, while the node lives on."""
    return await asyncio.to_thread(asked, venue, name, account, **params)


async def agrees(hand: Hand, venue: dict[str, Any], account: int) -> None:
    """NautilusTrader's account comes to be what the venue says is there, to the venue's rounding of costs."""
    there = {name: Decimal(row["balance"]) for name, row in (await told(venue, "BalanceEx", account)).items()}

    def is_equal() -> bool:
        balances = hand.portfolio.account(KRAKEN).balances_total()
        told = {currency.code: money.as_decimal() for currency, money in balances.items()}
        return abs(told["USD"] - there["ZUSD"]) < Decimal("0.001") and told["BTC"] == there["XXBT"]

    await hand.until(is_equal)


def test_refusals_are_told_in_the_venues_words(venue: dict[str, Any], folder: Path, accounts: Iterator[int]) -> None:
    hand = Hand()

    async def act(node: TradingNode) -> None:
        rich = hand.limit("10000", "50000.0")
        hand.submit_order(rich)
        await hand.says("OrderDenied", rich)  # NautilusTrader knows what is there
        try:
            await asyncio.to_thread(control, venue, "/mode", mode="cancel_only", pair="BTC/USD")
            late = hand.limit("0.01", "50000.0")
            hand.submit_order(late)
            await hand.says("OrderRejected", late)
        finally:
            await asyncio.to_thread(control, venue, "/mode", mode="online", pair="BTC/USD")
        rejected = next(event for event in hand.heard if type(event).__name__ == "OrderRejected")
        assert rejected.reason == "EService:Market in cancel_only mode"
        crossing = hand.limit("0.01", "200000.0", post_only=True)
        hand.submit_order(crossing)
        await hand.until(lambda: crossing.is_closed)
        assert crossing.filled_qty == 0
        tiny = hand.limit("0.00000001", "50000.0")
        hand.submit_order(tiny)
        await hand.until(lambda: tiny.is_closed)

    lived(node_of(folder, next(accounts), hand), hand, act)


def test_what_the_venue_has_no_word_for_is_denied(venue: dict[str, Any], folder: Path, accounts: Iterator[int]) -> None:
    hand = Hand()

    async def act(node: TradingNode) -> None:
        daily = hand.limit("0.01", "50000.0", time_in_force=TimeInForce.DAY)
        hand.submit_order(daily)
        await hand.says("OrderDenied", daily)
        bracket = hand.order_factory.bracket(
            BTC_USD,
            OrderSide.BUY,
            hand.instrument.make_qty("0.01"),
            sl_trigger_price=hand.instrument.make_price("40000.0"),
            tp_price=hand.instrument.make_price("200000.0"),
        )
        hand.submit_order_list(bracket)
        for order in bracket.orders:
            await hand.says("OrderDenied", order)

    lived(node_of(folder, next(accounts), hand), hand, act)


def test_open_orders_hold_money(venue: dict[str, Any], folder: Path, accounts: Iterator[int]) -> None:
    hand = Hand()

    def locked() -> Decimal:
        balances = hand.portfolio.account(KRAKEN).balances_locked()
        return next(money.as_decimal() for currency, money in balances.items() if currency.code == "USD")

    async def act(node: TradingNode) -> None:
        order = hand.limit("0.01", "50000.0")
        hand.submit_order(order)
        await hand.until(lambda: locked() == Decimal(500))
        hand.cancel_order(order)
        await hand.until(lambda: locked() == 0)

    lived(node_of(folder, next(accounts), hand), hand, act)


def test_a_line_that_drops_is_told_and_costs_nothing(
    venue: dict[str, Any], folder: Path, accounts: Iterator[int]
) -> None:
    hand, road = Hand(), []

    async def act(node: TradingNode) -> None:
        hand.msgbus.subscribe(topic=ROAD_TOPIC, handler=lambda event: road.append(type(event).__name__))
        hand.subscribe_quote_ticks(BTC_USD)
        order = hand.limit("0.01", "50000.0")
        hand.submit_order(order)
        await hand.says("OrderAccepted", order)
        await asyncio.to_thread(control, venue, "/sessions/drop", kind="ws_v2", how="abort")
        await hand.until(lambda: "SessionClosed" in road and "SessionOpened" in road)
        hand.told.clear()
        await hand.tells(QuoteTick)
        hand.cancel_order(order)
        await hand.says("OrderCanceled", order)

    lived(node_of(folder, next(accounts), hand), hand, act)


def test_a_road_can_be_mixed_and_named_with_a_command(
    venue: dict[str, Any], folder: Path, accounts: Iterator[int]
) -> None:
    hand = Hand()
    road = RoadSection(name="ws2", submit="rest", cancel=("fix", "rest"))

    async def act(node: TradingNode) -> None:
        first, second = hand.limit("0.01", "50000.0"), hand.limit("0.01", "50001.0")
        hand.submit_order(first)
        hand.submit_order(second, params={"via": "fix"})
        for order in (first, second):
            await hand.says("OrderAccepted", order)
            hand.cancel_order(order)
            await hand.says("OrderCanceled", order)

    lived(node_of(folder, next(accounts), hand, road=road), hand, act)


# ------------------------------------------------------------------------------------------------- reconciliation


def add_order(venue: dict[str, Any], account: int, **fields: str) -> str:
    """Another program's order; the venue's id of it."""
    given = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "50000", "volume": "0.01", **fields}
    order_id: str = private(venue, "AddOrder", account, **given)["txid"][0]
    return order_id


@pytest.mark.parametrize("road", ["rest", "ws2", "fix"])
def test_orders_of_others_are_found_at_the_start_and_can_be_changed_and_canceled(
    venue: dict[str, Any], folder: Path, accounts: Iterator[int], road: str
) -> None:
    account = next(accounts)
    plain = add_order(venue, account)
    add_order(venue, account, price="50001", cl_ord_id="somebody")
    add_order(venue, account, ordertype="stop-loss", type="sell", price="40000", cl_ord_id="stop")
    add_order(venue, account, ordertype="market", cl_ord_id="taken")
    hand = Hand(external_order_claims=[BTC_USD])

    async def act(node: TradingNode) -> None:
        assert all(rests(hand, name) for name in (plain, "somebody", "stop"))
        taken = hand.known("taken")
        assert taken is not None
        assert taken.status == OrderStatus.FILLED
        assert hand.portfolio.net_position(BTC_USD) == Decimal("0.01")
        order = hand.known("somebody")
        if road != "fix":  # FIX cancels and amends the orders of its own session only; cancels take the other road
            # Refused until a poll has shown the link the order, where that is the road.
            while "OrderUpdated" not in hand.names("somebody"):
                tried = len(hand.names("somebody"))
                hand.modify_order(order, price=hand.instrument.make_price("49000.0"))
                await hand.until(lambda tried=tried: len(hand.names("somebody")) > tried + 1)
                await asyncio.sleep(0.2)
        for name in (plain, "somebody", "stop"):
            hand.cancel_order(hand.known(name))
            await hand.says("OrderCanceled", name)
        open_orders = await told(venue, "OpenOrders", account)
        assert open_orders["open"] == {}

    lived(node_of(folder, account, hand, road=road), hand, act)


def test_fills_of_an_order_that_was_found_are_told_once(
    venue: dict[str, Any], folder: Path, accounts: Iterator[int]
) -> None:
    account = next(accounts)
    add_order(venue, account, cl_ord_id="filled later")
    hand = Hand(external_order_claims=[BTC_USD])

    async def act(node: TradingNode) -> None:
        assert rests(hand, "filled later")
        # A limit above the market: it is filled at once.
        await told(venue, "AmendOrder", account, cl_ord_id="filled later", limit_price="200000")
        await hand.says("OrderFilled", "filled later")
        await asyncio.sleep(1.0)
        order = hand.known("filled later")
        assert order is not None
        assert (order.status, order.filled_qty.as_decimal()) == (OrderStatus.FILLED, Decimal("0.01"))
        fills = await client_of(node).generate_fill_reports(fills_command())
        assert sorted(str(each.trade_id) for each in fills) == sorted(str(each) for each in order.trade_ids)
        await agrees(hand, venue, account)

    lived(node_of(folder, account, hand), hand, act)


def test_what_nautilus_does_not_take_in_is_left_alone(
    venue: dict[str, Any], folder: Path, accounts: Iterator[int]
) -> None:
    account = next(accounts)
    foreign = add_order(venue, account)
    hand = Hand()

    async def act(node: TradingNode) -> None:
        assert hand.known(foreign) is None
        order = hand.limit("0.01", "50000.0")
        hand.submit_order(order)
        await hand.says("OrderAccepted", order)
        hand.cancel_all_orders(BTC_USD)
        await hand.says("OrderCanceled", order)
        open_orders = await told(venue, "OpenOrders", account)
        assert list(open_orders["open"]) == [foreign]

    engine = {"filter_unclaimed_external_orders": True}
    lived(node_of(folder, account, hand, engine=engine), hand, act)


@pytest.mark.parametrize("road", ["ws2", "fix"])
def test_a_second_node_knows_the_orders_of_the_first_by_their_names(
    venue: dict[str, Any], folder: Path, accounts: Iterator[int], tmp_path: Path, road: str
) -> None:
    account, left = next(accounts), []

    first = Hand()
    options = {"cancel_on_disconnect": "no"}

    async def leave(node: TradingNode) -> None:
        for price in ("50000.0", "50001.0"):
            order = first.limit("0.01", price)
            first.submit_order(order)
            await first.says("OrderAccepted", order)
            left.append(order.client_order_id.value)

    lived(node_of(folder, account, first, state=tmp_path, road=road, options=options), first, leave)
    second = Hand(external_order_claims=[BTC_USD])

    async def find(node: TradingNode) -> None:
        assert all(rests(second, name) for name in left)
        for name in left:
            second.cancel_order(second.known(name))
            await second.says("OrderCanceled", name)

    lived(node_of(folder, account, second, state=tmp_path, road=road, options=options), second, find)


def client_of(node: TradingNode) -> Any:
    return node.kernel.exec_engine._clients[ClientId("KRAKEN")]


def fills_command() -> GenerateFillReports:
    from nautilus_trader.core.uuid import UUID4

    return GenerateFillReports(None, None, None, None, UUID4(), 0)


def orders_command(*, open_only: bool) -> GenerateOrderStatusReports:
    from nautilus_trader.core.uuid import UUID4

    return GenerateOrderStatusReports(None, None, None, open_only, UUID4(), 0)


def test_the_mass_status_is_what_the_venue_has(venue: dict[str, Any], folder: Path, accounts: Iterator[int]) -> None:
    """Orders of the node and of others, open and ended, and all fills, number for number."""
    account = next(accounts)
    add_order(venue, account, price="50002.5", volume="0.03")
    add_order(venue, account, ordertype="market", volume="0.5")
    private(venue, "CancelOrder", account, txid=add_order(venue, account, price="50003"))
    add_order(venue, account, ordertype="limit", price="200000", volume="0.02", timeinforce="IOC", cl_ord_id="ioc")
    hand = Hand()

    async def act(node: TradingNode) -> None:
        resting, taking = hand.limit("0.01", "50000.0"), hand.market("0.01")
        for order in (resting, taking):
            hand.submit_order(order)
            await hand.says("OrderAccepted", order)
        await hand.until(lambda: taking.status == OrderStatus.FILLED)
        client = client_of(node)
        status = await client.generate_mass_status()
        told_open = (await told(venue, "OpenOrders", account))["open"]
        told_closed = (await told(venue, "ClosedOrders", account))["closed"]
        told_trades = (await told(venue, "TradesHistory", account, consolidate_taker="false"))["trades"]
        reports = {each.venue_order_id.value: each for each in status.order_reports.values()}
        assert set(reports) == set(told_open) | set(told_closed)
        for order_id, row in {**told_open, **told_closed}.items():
            report = reports[order_id]
            assert report.quantity.as_decimal() == Decimal(row["vol"])
            assert report.filled_qty.as_decimal() == Decimal(row["vol_exec"])
            assert report.is_open == (order_id in told_open)
            assert abs((report.avg_px or 0) - Decimal(row["price"])) < Decimal("0.00001")
            assert (
                report.order_status
                == {
                    "open": OrderStatus.ACCEPTED,
                    "closed": OrderStatus.FILLED,
                    "canceled": OrderStatus.CANCELED,
                }[row["status"]]
            )
            assert report.order_side == (OrderSide.BUY if row["descr"]["type"] == "buy" else OrderSide.SELL)
            assert report.time_in_force.name == row["time_in_force"].upper()
            if row["descr"]["ordertype"] == "limit":
                assert report.price.as_decimal() == Decimal(row["descr"]["price"])
        fills = {fill.trade_id.value: fill for fills in status.fill_reports.values() for fill in fills}
        assert set(fills) == set(told_trades)
        for trade_id, row in told_trades.items():
            fill = fills[trade_id]
            assert fill.venue_order_id.value == row["ordertxid"]
            assert fill.last_qty.as_decimal() == Decimal(row["vol"])
            assert fill.last_px.as_decimal() == Decimal(row["price"])
            assert fill.commission.as_decimal() == Decimal(row["fee"])
        assert [each.venue_order_id.value for each in await client.generate_order_status_reports(
            orders_command(open_only=True)
        )] == list(dict.fromkeys([*(each for each in reports if each in told_open)]))  # fmt: skip
        (position,) = status.position_reports[BTC_USD]
        balances = await told(venue, "Balance", account)
        assert position.quantity.as_decimal() == Decimal(balances["XXBT"]).quantize(Decimal("0.00000001"))

    lived(node_of(folder, account, hand, position_quote="USD", engine={"filter_position_reports": True}), hand, act)


def test_balances_can_be_positions(tmp_path: Path) -> None:
    hand = Hand()

    async def act(node: TradingNode) -> None:
        assert hand.portfolio.net_position(BTC_USD) == Decimal(2)
        order = hand.market("0.5", OrderSide.SELL)
        hand.submit_order(order)
        await hand.until(lambda: order.is_closed)
        await hand.until(lambda: hand.portfolio.net_position(BTC_USD) == Decimal("1.5"))
        (report,) = (await client_of(node).generate_mass_status()).position_reports[BTC_USD]
        assert report.quantity.as_decimal() == Decimal("1.5")

    with served_venue(tmp_path, "--balances", "USD=10000", "BTC=2"):
        lived(node_of(tmp_path, 0, hand, position_quote="USD"), hand, act)


def test_the_engines_own_checks_find_nothing_to_correct(
    venue: dict[str, Any], folder: Path, accounts: Iterator[int]
) -> None:
    """NautilusTrader compares its cache with the venue every second; no order changes by that, no fill comes twice."""
    account = next(accounts)
    hand = Hand()

    async def act(node: TradingNode) -> None:
        resting = hand.limit("0.01", "50000.0")
        hand.submit_order(resting)
        for _ in range(3):
            taking = hand.market("0.01")
            hand.submit_order(taking)
            await hand.until(lambda order=taking: order.status == OrderStatus.FILLED)
            await asyncio.sleep(1.5)
        assert resting.status == OrderStatus.ACCEPTED
        fills = [event for event in hand.heard if type(event).__name__ == "OrderFilled"]
        assert len({event.trade_id for event in fills}) == len(fills)
        assert hand.portfolio.net_position(BTC_USD) == Decimal("0.03")

    engine = {"open_check_interval_secs": 1.0, "open_check_open_only": False, "reconciliation_startup_delay_secs": 0}
    lived(node_of(folder, account, hand, engine=engine), hand, act)


# ------------------------------------------------------------------------------------------------- what goes wrong


def test_the_dead_mans_switch_is_armed_while_it_lives_and_disarmed_at_its_end(
    venue: dict[str, Any], folder: Path, accounts: Iterator[int]
) -> None:
    account, hand = next(accounts), Hand()

    async def act(node: TradingNode) -> None:
        order = hand.limit("0.01", "50000.0")
        hand.submit_order(order)
        await hand.says("OrderAccepted", order)
        await asyncio.sleep(17)  # beyond the switch's time: it is refreshed
        assert order.is_open

    lived(node_of(folder, account, hand, dead_man_s=15), hand, act)
    time.sleep(17)  # beyond it once more: the node is gone, and had disarmed it
    assert len(private(venue, "OpenOrders", account)["open"]) == 1
