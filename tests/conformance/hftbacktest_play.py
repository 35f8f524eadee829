"""Scripts played on hftbacktest, in plain Python. Import this only where hftbacktest is installed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from hftbacktest import GTC, GTX, LIMIT, MARKET, BacktestAsset, HashMapMarketDepthBacktest
from hftbacktest.order import IOC

from framework.data.columns import Market
from framework.data.hftbacktest_npz import hftbacktest_events
from framework.protocol import BUY
from tests.conformance.scripts import Action

__all__ = ["News", "play_on_hftbacktest"]

_TIMEOUT, _END = 0, 1
_ID = 1  # added to the script's keys: ids are above 0


class News(NamedTuple):
    """What one response told of an order's fills.

    at_ns: the exchange's time of the last of them. qty_lots: filled since the last response. price_ticks: of the last.
    """

    key: int
    at_ns: int
    learned_ns: int
    price_ticks: int
    qty_lots: int


def _asset(
    market: Market, events: Any, latency_us: float, queue_model: str, queue_parameter: float, is_partial: bool
) -> Any:
    latency_ns = round(latency_us * 1_000)
    asset = BacktestAsset().data(events).linear_asset(1.0)
    asset = asset.constant_order_latency(latency_ns, latency_ns)
    if queue_model == "risk-averse":
        asset = asset.risk_adverse_queue_model()
    elif queue_model == "power":
        asset = asset.power_prob_queue_model(queue_parameter)
    elif queue_model == "power-total":
        asset = asset.power_prob_queue_model2(queue_parameter)
    elif queue_model == "power-ratio":
        asset = asset.power_prob_queue_model3(queue_parameter)
    elif queue_model == "log":
        asset = asset.log_prob_queue_model()
    else:
        assert queue_model == "log-total"
        asset = asset.log_prob_queue_model2()
    asset = asset.partial_fill_exchange() if is_partial else asset.no_partial_fill_exchange()
    return (
        asset.trading_value_fee_model(0.0, 0.0)
        .tick_size(float(market.spec.tick_size))
        .lot_size(float(market.spec.lot_size))
    )


def play_on_hftbacktest(
    market: Market,
    script: Sequence[Action],
    *,
    latency_us: float = 0.0,
    queue_model: str = "risk-averse",
    queue_parameter: float = 1.0,
    is_partial: bool = True,
) -> list[News]:
    """What a script filled; is_partial: hftbacktest's exchange with partial fills, else the one without."""
    events = hftbacktest_events(market)  # hftbacktest reads them in place, so they must live as long as it does
    asset = _asset(market, events, latency_us, queue_model, queue_parameter, is_partial)
    backtest = HashMapMarketDepthBacktest([asset])
    tick, lot = float(Decimal(market.spec.tick_size)), float(Decimal(market.spec.lot_size))
    left: dict[int, float] = {}
    news: list[News] = []

    def look() -> None:
        orders = backtest.orders(0)
        for key, before in left.items():
            order = orders.get(key + _ID)
            if order is None or order.leaves_qty == before:
                continue
            lots = round((before - order.leaves_qty) / lot)
            left[key] = order.leaves_qty
            if lots:
                news.append(
                    News(
                        key,
                        int(order.exch_timestamp),
                        int(backtest.current_timestamp),
                        int(order.exec_price_tick),
                        lots,
                    )
                )

    def go_to(ts_ns: int) -> int:
        while True:
            timeout = ts_ns - int(backtest.current_timestamp)
            if timeout <= 0:
                return _TIMEOUT
            code = int(backtest.wait_next_feed(True, timeout))
            look()
            if code in (_TIMEOUT, _END):
                return code
            assert code in (2, 3), f"hftbacktest stopped with error {code}"

    # Time begins with the first row.
    backtest.wait_next_feed(False, 10**18)
    for action in script:
        assert go_to(action.at_ns) == _TIMEOUT
        identifier = action.key + _ID
        if action.kind == "cancel":
            backtest.cancel(0, identifier, False)
            continue
        submit = backtest.submit_buy_order if action.side == BUY else backtest.submit_sell_order
        left[action.key] = action.qty_lots * lot
        if action.kind == "market":
            submit(0, identifier, 0.0, action.qty_lots * lot, GTC, MARKET, False)
        else:
            force = GTX if action.is_post_only else IOC if action.is_ioc else GTC
            submit(0, identifier, action.price_ticks * tick, action.qty_lots * lot, force, LIMIT, False)
    go_to(int(market.columns.ts_recv_ns[-1]))
    backtest.close()
    del events
    return news
