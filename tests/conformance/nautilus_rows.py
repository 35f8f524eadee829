"""A level 2 market as the data objects of NautilusTrader's backtest engine, and an engine to play them on."""

from __future__ import annotations

from typing import Any

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import BTC, USD
from nautilus_trader.model.data import OrderBookDelta, OrderBookDeltas, TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, BookAction, BookType, OmsType, OrderSide
from nautilus_trader.model.identifiers import TradeId, Venue
from nautilus_trader.model.objects import FIXED_PRECISION, Money

from framework.data.columns import CLEAR, LAST, SNAPSHOT, TRADE, UNKNOWN_SIDE, Market
from framework.data.grid import Grid
from framework.execution.instruments import InstrumentBridge
from framework.protocol import BUY, SELL

__all__ = ["VENUE", "nautilus_data", "nautilus_engine"]

VENUE = "SIM"
_F_LAST, _F_SNAPSHOT = 128, 32
_SIDES = {BUY: OrderSide.BUY, SELL: OrderSide.SELL}
_AGGRESSORS = {
    BUY: AggressorSide.BUYER,
    SELL: AggressorSide.SELLER,
    UNKNOWN_SIDE: AggressorSide.NO_AGGRESSOR,
}


def nautilus_data(market: Market) -> list[Any]:
    """The rows in their order: one ``OrderBookDeltas`` for the book rows of a message, a ``TradeTick`` for each trade.

    Objects are received when the market's rows were (``ts_init`` is ``ts_recv_ns``). NautilusTrader's venue lives by
    that time too: it knows of a row only then.
    """
    bridge = InstrumentBridge(market.spec, VENUE)
    identifier = bridge.instrument_id
    scale = 10**FIXED_PRECISION
    tick, lot = Grid(market.spec.tick_size), Grid(market.spec.lot_size)
    tick_raw = tick.units_per_step * scale // 10**tick.decimals
    lot_raw = lot.units_per_step * scale // 10**lot.decimals
    columns = market.columns
    price_decimals, qty_decimals = bridge.instrument.price_precision, bridge.instrument.size_precision
    data: list[Any] = []
    batch: list[OrderBookDelta] = []
    rows = zip(
        columns.ts_event_ns.tolist(),
        columns.ts_recv_ns.tolist(),
        columns.kind.tolist(),
        columns.side.tolist(),
        columns.price_ticks.tolist(),
        columns.qty_lots.tolist(),
        columns.flags.tolist(),
        strict=True,
    )
    for row, (ts_event, ts_recv, kind, side, price, qty, flags) in enumerate(rows):
        if kind == TRADE:
            data.append(
                TradeTick.from_raw(
                    identifier,
                    price * tick_raw,
                    price_decimals,
                    qty * lot_raw,
                    qty_decimals,
                    _AGGRESSORS[side],
                    TradeId(str(row)),
                    ts_event,
                    ts_recv,
                )
            )
        elif kind == CLEAR:
            batch.append(OrderBookDelta.clear(identifier, row, ts_event, ts_recv))
        else:
            batch.append(
                OrderBookDelta.from_raw(
                    identifier,
                    BookAction.UPDATE if qty else BookAction.DELETE,
                    _SIDES[side],
                    price * tick_raw,
                    price_decimals,
                    qty * lot_raw,
                    qty_decimals,
                    price,
                    (_F_LAST if flags & LAST else 0) | (_F_SNAPSHOT if flags & SNAPSHOT else 0),
                    row,
                    ts_event,
                    ts_recv,
                )
            )
        if flags & LAST and batch:
            data.append(OrderBookDeltas(identifier, batch))
            batch = []
    if batch:
        data.append(OrderBookDeltas(identifier, batch))
    return data


def nautilus_engine(
    market: Market, data: list[Any], *, latency_ms: int | None = None, queue: bool = True, consumption: bool = True
) -> BacktestEngine:
    """An engine with one cash venue that has plenty of both assets, playing the data; logging is off.

    latency_ms: of commands; None for none. queue, consumption: NautilusTrader's options of these names.
    """
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    latency = None
    if latency_ms is not None:
        latency = LatencyModel(base_latency_nanos=latency_ms * 1_000_000)
    engine.add_venue(
        Venue(VENUE),
        OmsType.NETTING,
        AccountType.CASH,
        [Money(1_000_000_000, USD), Money(1_000_000_000, BTC)],
        book_type=BookType.L2_MBP,
        latency_model=latency,
        liquidity_consumption=consumption,
        queue_position=queue,
    )
    engine.add_instrument(nautilus_instrument(market))
    engine.add_data(data)
    return engine


def nautilus_instrument(market: Market) -> Any:
    """The market's instrument in NautilusTrader's own currencies, whose balances the venue holds."""
    bridge = InstrumentBridge(market.spec, VENUE)
    made = type(bridge.instrument)
    return made(
        instrument_id=bridge.instrument_id,
        raw_symbol=bridge.instrument.raw_symbol,
        base_currency=BTC,
        quote_currency=USD,
        price_precision=bridge.instrument.price_precision,
        size_precision=bridge.instrument.size_precision,
        price_increment=bridge.instrument.price_increment,
        size_increment=bridge.instrument.size_increment,
        ts_event=0,
        ts_init=0,
    )
