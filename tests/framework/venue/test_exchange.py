"""The venue as a whole: its construction, and its agreement with the compiled kernel about time, fills and triggers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from adapters.kraken.profile import PROFILE
from framework.data.columns import COLUMN_TYPES, LAST, LEVEL, TRADE, Columns, Market
from framework.errors import ConfigError
from framework.messages import AddOrder, CancelOrder, ExecutionReport, OrderState
from framework.protocol import BUY, SELL, InstrumentSpec, OrderType
from framework.venue.account import AccountConfig
from framework.venue.exchange import Venue, VenueOptions
from framework.venue.kernel import MatchingKernel, StopReason
from tests.framework.venue.venue_rig import BTC_USD, SECOND, START_NS, SYMBOL, Rig, touch


def _market(*rows: tuple[float, int, int, int, int]) -> Market:
    """Rows of ``(second, kind, side, price, lots)``, each a message of its own."""
    columns: dict[str, Any] = {name: np.zeros(len(rows), dtype) for name, dtype in COLUMN_TYPES.items()}
    for index, (second, kind, side, price, lots) in enumerate(rows):
        columns["ts_event_ns"][index] = columns["ts_recv_ns"][index] = START_NS + round(second * SECOND)
        columns["kind"][index], columns["side"][index] = kind, side
        columns["price_ticks"][index], columns["qty_lots"][index] = price, lots
        columns["flags"][index] = LAST
    return Market(spec=BTC_USD, columns=Columns(**columns), depth="L2", has_trades=True)


class Run:
    """A venue over the compiled kernel, advanced as a runner does it."""

    def __init__(self, *rows: tuple[float, int, int, int, int]) -> None:
        self.kernel = MatchingKernel([_market(*rows)])
        self.venue = Venue(
            PROFILE,
            self.kernel,
            [BTC_USD],
            [AccountConfig(name="a", balances={"USD": Decimal(1000), "BTC": Decimal(1)}, tier="pro")],
        )
        self.venue.connect("ws2", "a", "ws2", START_NS, is_news_subscribed=True)
        self._request_id = 0

    def until(self, second: float) -> None:
        target_ns = START_NS + round(second * SECOND)
        while self.kernel.advance(target_ns) in (StopReason.FILL, StopReason.TRIGGER):
            self.venue.on_kernel_stop(self.kernel.now_ns)
            self.venue.check_invariants()

    def add(self, second: float, **fields: Any) -> str:
        self.until(second)
        self._request_id += 1
        wanted: dict[str, Any] = {"side": BUY, "order_type": OrderType.LIMIT, "qty_lots": 100, **fields}
        cl_ord_id = f"c{self._request_id}"
        command = AddOrder(request_id=self._request_id, cl_ord_id=cl_ord_id, symbol=SYMBOL, **wanted)
        self.venue.handle("ws2", command, START_NS + round(second * SECOND))
        self.venue.check_invariants()
        return cl_ord_id

    def state(self, cl_ord_id: str) -> OrderState:
        return self.venue.accounts["a"].order_by_cl_ord_id[cl_ord_id].state

    def trades(self) -> list[tuple[float, int, int]]:
        return [
            ((trade.ts_venue_ns - START_NS) / SECOND, trade.last_ticks, trade.last_lots)
            for trade in self.venue.accounts["a"].trades
        ]


QUIET = ((0.0, LEVEL, BUY, 999, 500), (0.0, LEVEL, SELL, 1001, 500))


def test_a_resting_order_is_filled_when_the_market_trades_past_its_queue() -> None:
    run = Run(*QUIET, (2, TRADE, SELL, 999, 520), (2, LEVEL, BUY, 999, 0), (9, LEVEL, BUY, 990, 1))
    order = run.add(1, limit_ticks=999)
    run.until(5)
    # 500 lots stood ahead of it.
    assert run.trades() == [(2.0, 999, 20)]
    assert run.state(order) is OrderState.PARTIALLY_FILLED


def test_news_of_a_fill_carries_the_time_of_the_row_that_hit() -> None:
    run = Run(*QUIET, (2, TRADE, SELL, 1000, 100), (9, LEVEL, BUY, 990, 1))
    run.add(1, limit_ticks=1000)
    run.venue.outbox.clear()
    run.until(5)
    (sent,) = run.venue.outbox
    assert isinstance(sent.report, ExecutionReport)
    assert sent.report.ts_venue_ns == START_NS + 2 * SECOND


def test_a_canceled_order_is_not_filled() -> None:
    run = Run(*QUIET, (2, TRADE, SELL, 1000, 100), (9, LEVEL, BUY, 990, 1))
    order = run.add(1, limit_ticks=1000)
    run.venue.handle("ws2", CancelOrder(request_id=99, cl_ord_id=order), START_NS + SECOND)
    run.until(5)
    assert run.trades() == []
    assert run.state(order) is OrderState.CANCELED


def test_what_was_taken_stays_taken_until_the_market_replaces_it() -> None:
    run = Run(*QUIET, (3, LEVEL, SELL, 1001, 600), (9, LEVEL, BUY, 990, 1))
    run.add(1, limit_ticks=1001, qty_lots=500)
    second = run.add(2, limit_ticks=1001, qty_lots=100)
    assert run.state(second) is OrderState.NEW
    run.until(4)
    # The level grew by 100 lots across our resting order.
    assert run.state(second) is OrderState.FILLED


def test_a_stop_loss_fires_at_the_recorded_trade_and_takes_what_is_there_then() -> None:
    run = Run(
        *QUIET,
        (1, TRADE, BUY, 1001, 1),
        (2, TRADE, SELL, 999, 1),
        (2, LEVEL, BUY, 999, 499),
        (9, LEVEL, BUY, 990, 1),
    )
    order = run.add(1.5, order_type=OrderType.STOP_LOSS, side=SELL, trigger_ticks=999)
    run.until(5)
    # The row of the trade fires it; the level still shows what it showed before that trade.
    assert run.trades() == [(2.0, 999, 100)]
    assert run.state(order) is OrderState.FILLED


def test_a_trailing_stop_follows_the_recorded_trades() -> None:
    run = Run(
        *QUIET,
        (1, TRADE, BUY, 1001, 1),
        (2, TRADE, BUY, 1020, 1),
        (3, TRADE, BUY, 1011, 1),
        (4, TRADE, BUY, 1010, 1),
        (9, LEVEL, BUY, 990, 1),
    )
    order = run.add(1.5, order_type=OrderType.TRAILING_STOP, side=SELL, trail_offset_ticks=10)
    run.until(3.5)
    assert run.state(order) is OrderState.NEW
    run.until(5)
    assert run.trades() == [(4.0, 999, 100)]
    assert run.venue.accounts["a"].order_by_cl_ord_id[order].trigger_ticks == 1010


def test_an_iceberg_is_filled_slice_by_slice_behind_what_joined_meanwhile() -> None:
    run = Run(*QUIET, (2, LEVEL, BUY, 1000, 30), (3, TRADE, SELL, 1000, 60), (9, LEVEL, BUY, 990, 1))
    run.add(1, order_type=OrderType.ICEBERG, limit_ticks=1000, qty_lots=60, display_lots=40)
    run.until(5)
    # 40 shown, then 30 of the market's: the trade of 60 ends in these.
    assert sum(lots for _, _, lots in run.trades()) == 40


# ----------------------------------------------------------------------------- construction


def _venue(**fields: Any) -> Venue:
    kernel = touch()
    account = AccountConfig(name="a", balances={"USD": Decimal(1)}, tier="pro")
    wanted: dict[str, Any] = {"specs": [BTC_USD], "accounts": [account], "switches": None, **fields}
    return Venue(PROFILE, kernel, **wanted)  # type: ignore[arg-type]


def test_an_unknown_switch_is_named() -> None:
    with pytest.raises(ConfigError, match="no switch 'colour'"):
        _venue(switches={"colour": "red"})


def test_an_unknown_reading_of_a_switch_is_named_with_those_that_exist() -> None:
    with pytest.raises(ConfigError, match="no value 'red'; it has before, after"):
        _venue(switches={"rate_check": "red"})


def test_an_unknown_tier_is_named() -> None:
    with pytest.raises(ConfigError, match="no tier 'gold'"):
        _venue(accounts=[AccountConfig(name="a", balances={}, tier="gold")])


def test_two_accounts_of_one_name_are_refused() -> None:
    account = AccountConfig(name="a", balances={}, tier="pro")
    with pytest.raises(ConfigError, match="the same name"):
        _venue(accounts=[account, account])


def test_volume_in_another_quote_currency_counts_at_its_rate() -> None:
    euro = InstrumentSpec(symbol="BTC/EUR", venue="synthetic", tick_size="0.1", lot_size="0.0001")
    rig = Rig(touch())
    options = VenueOptions(volume_rates={"EUR": Decimal("1.5")})
    account = AccountConfig(name="a", balances={"EUR": Decimal(10)}, tier="pro", volume_30d_usd=Decimal(9_999))
    venue = Venue(PROFILE, rig.market, [euro], [account], None, options)  # type: ignore[arg-type]
    venue.connect("rest", "a", "rest", START_NS)
    for number in (1, 2):
        order = rig.order(cl_ord_id=str(number), symbol="BTC/EUR", limit_ticks=1001, qty_lots=100)
        venue.handle("rest", order, START_NS)
    # 1.001 EUR count as 1.5015 USD: the first fill takes the volume over 10,000 and the second pays 0.35 %.
    assert [trade.fee for trade in venue.accounts["a"].trades] == [Decimal("0.00400"), Decimal("0.00350")]


def test_a_line_that_was_never_connected_is_named() -> None:
    rig = Rig(touch())
    with pytest.raises(ConfigError, match="no line 'x'"):
        rig.venue.handle("x", rig.order(), START_NS)


def test_equal_inputs_make_equal_output() -> None:
    outputs = []
    for _ in range(2):
        rig = Rig(touch())
        for number in range(20):
            rig.at(number).add("fix" if number % 2 else "ws2", limit_ticks=996 + number % 7)
        rig.hit(SELL, 700, 990)
        outputs.append(repr(rig.sent) + repr(rig.trades()))
    assert outputs[0] == outputs[1]
