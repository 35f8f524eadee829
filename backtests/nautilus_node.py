"""A plain NautilusTrader node on Kraken by Tidegate's clients: a ``TradingNode``, a strategy of its own, two factories.

Nothing of Tidegate's own runner takes part, so that a node that is there already trades by any of the roads by taking
over the lines about clients. The strategy follows the best bid with one small order, a step below it, and cancels at
the end; it is there to be replaced. First of all on the venue that is served on this machine, with simulated money::

    tidegate venue --ready-file venue.json
    python backtests/nautilus_node.py --ready-file venue.json --road fix --for 30

Without ``--ready-file`` it is Kraken, with the key of ``--credentials`` or of the environment, and with real money.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from nautilus_trader.config import (
    InstrumentProviderConfig,
    LiveExecEngineConfig,
    LoggingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderEvent
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.orders import Order
from nautilus_trader.trading.strategy import Strategy

from adapters.kraken.client.nautilus import (
    TidegateKrakenDataClientConfig,
    TidegateKrakenDataClientFactory,
    TidegateKrakenExecClientConfig,
    TidegateKrakenExecClientFactory,
    VenueAccess,
)

__all__ = ["Follower", "FollowerConfig", "main", "make_node"]


class FollowerConfig(StrategyConfig, frozen=True, kw_only=True):
    """instrument_id: what to bid for. qty: how much. ticks_below: how far below the best bid. for_s: 0 for no end."""

    instrument_id: InstrumentId
    qty: Decimal = Decimal("0.001")
    ticks_below: int = 20
    for_s: float = 0.0


class Follower(Strategy):
    """Bids a step below the best bid, and moves its order when that has moved by half the step."""

    def __init__(self, config: FollowerConfig) -> None:
        super().__init__(config)
        self.order: Order | None = None

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.config.instrument_id)
        if self.config.for_s:
            self.clock.set_time_alert(
                "end", self.clock.utc_now() + timedelta(seconds=self.config.for_s), lambda _: self.shutdown_system()
            )

    def on_quote_tick(self, tick: QuoteTick) -> None:
        instrument = self.cache.instrument(tick.instrument_id)
        step = self.config.ticks_below * instrument.price_increment.as_decimal()
        price = instrument.make_price(tick.bid_price.as_decimal() - step)
        if self.order is None or self.order.is_closed:
            qty = instrument.make_qty(self.config.qty)
            self.order = self.order_factory.limit(tick.instrument_id, OrderSide.BUY, qty, price, post_only=True)
            self.submit_order(self.order)
        elif self.order.is_open and not self.order.is_pending_update:
            if abs(self.order.price.as_decimal() - price.as_decimal()) >= step / 2:
                self.modify_order(self.order, price=price)

    def on_order_event(self, event: OrderEvent) -> None:
        told = f"{type(event).__name__} {event.client_order_id}"
        self.log.info(told)

    def on_stop(self) -> None:
        self.cancel_all_orders(self.config.instrument_id)


def make_node(strategy: Strategy, access: VenueAccess, road: str, symbol: str, log_level: str = "INFO") -> TradingNode:
    """A node with both clients, built. access: where the venue is, and as whom to trade there. road: of its orders."""
    instruments = InstrumentProviderConfig(load_ids=frozenset({f"{symbol}.KRAKEN"}))
    given: dict[str, Any] = {"access": access, "instrument_provider": instruments}
    config = TradingNodeConfig(
        logging=LoggingConfig(log_level=log_level),
        # The desk finds out what has become of an order without an answer; NautilusTrader would take it as rejected.
        exec_engine=LiveExecEngineConfig(inflight_check_interval_ms=0),
        data_clients={"KRAKEN": TidegateKrakenDataClientConfig(**given)},
        exec_clients={"KRAKEN": TidegateKrakenExecClientConfig(**given, road=road, dead_man_s=60)},
        timeout_post_stop=2.0,
    )
    node = TradingNode(config=config)
    node.add_data_client_factory("KRAKEN", TidegateKrakenDataClientFactory)
    node.add_exec_client_factory("KRAKEN", TidegateKrakenExecClientFactory)
    node.trader.add_strategy(strategy)
    node.build()
    return node


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until Ctrl-C, or for so many seconds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--ready-file", metavar="PATH", help="of a venue that is served on this machine")
    parser.add_argument("--credentials", metavar="PATH", help="file of Kraken's API key; else the environment")
    parser.add_argument("--state", metavar="DIR", help="folder of names of orders and nonces, for the next start")
    parser.add_argument("--road", default="ws2", help="rest, rest+ws, ws2 (default), fix")
    parser.add_argument("--symbol", default="BTC/USD")
    parser.add_argument("--ticks-below", type=int, default=20, metavar="N", help="of the best bid (default 20)")
    parser.add_argument("--for", dest="for_s", type=float, default=0.0, metavar="SECONDS")
    given = parser.parse_args(arguments)
    options = {} if given.ready_file is None else {"ready_file": given.ready_file}
    access = VenueAccess(credentials=given.credentials, state=given.state, options=options)
    instrument_id = InstrumentId.from_str(f"{given.symbol}.KRAKEN")
    follower = Follower(FollowerConfig(instrument_id=instrument_id, ticks_below=given.ticks_below, for_s=given.for_s))
    node = make_node(follower, access, given.road, given.symbol)
    try:
        node.run()
    finally:
        node.dispose()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
