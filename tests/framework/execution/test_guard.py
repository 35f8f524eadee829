"""What a guarded desk sends and what it denies, and that a denial costs nothing: no request, no budget."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from framework.execution.desk import ExecutionDesk
from framework.execution.guard import Guard, MarketPrice
from framework.execution.limits import LimitsSection, SymbolLimits
from framework.protocol import SELL, InstrumentSpec, OrderType
from tests.framework.execution.desk_rig import START_NS, SYMBOL, Rig, add_order, trade

SPEC = InstrumentSpec(symbol=SYMBOL, venue="synthetic", tick_size="1", lot_size="1")
D = Decimal
DAY_MS = 86_400_000


class Guarded:
    """A rig whose desk is guarded; the market is at 999 and 1001."""

    def __init__(self, **limits: Any) -> None:
        self.rig = rig = Rig(is_started=False)
        self.price = MarketPrice(999, 1_001, 1_000, START_NS)
        self.losses: list[str] = []
        self.guard = Guard(LimitsSection(**limits), [SPEC], rig.clock, lambda _: self.price, self.losses.append)
        rig.desk = ExecutionDesk(rig.links, rig.desk.policy, rig.clock, rig.listener, rig.notes, rig.budget, self.guard)
        rig.desk.start()
        for name in rig.links:
            rig.up(name)

    def submit(self, cl_ord_id: str, **fields: Any) -> str | None:
        """Submit an order; the reason of its denial, None if it was sent."""
        self.rig.heard.clear()
        self.rig.desk.submit(add_order(cl_ord_id, **fields))
        denials = [heard[2] for heard in self.rig.heard if heard[0] == "denied"]
        return denials[0] if denials else None

    def amend(self, cl_ord_id: str, **terms: Any) -> str | None:
        self.rig.heard.clear()
        self.rig.desk.amend(cl_ord_id, **terms)
        refusals = [heard[2] for heard in self.rig.heard if heard[0] == "amend rejected"]
        return refusals[0] if refusals else None

    def fill(self, cl_ord_id: str, lots: int, ticks: int, *, fee: str = "0", fee_asset: str = "USD") -> None:
        """The venue fills lots of an order."""
        record = self.rig.desk.orders[cl_ord_id]
        cum_lots = record.cum_lots + lots
        report = trade(1, f"T{cl_ord_id}", lots, cum_lots, qty_lots=record.qty_lots, last_ticks=ticks)
        terms = {"cl_ord_id": cl_ord_id, "order_id": f"O{cl_ord_id}", "side": record.side}
        self.rig.tell("ws2", replace(report, **terms, fee=D(fee), fee_asset=fee_asset))


def test_a_denied_order_is_told_with_the_limits_name_and_values_and_nothing_is_sent_or_spent() -> None:
    desk = Guarded(order_qty_max="20")
    assert desk.submit("a", qty_lots=21) == "limit order_qty_max = 20: the order is of 21 BTC"
    assert desk.rig.sent("ws2") == []
    assert desk.rig.budget.used_share(SYMBOL, desk.rig.clock.now_ns) == 0
    assert desk.rig.notes.denials == [("a", "limit order_qty_max = 20: the order is of 21 BTC")]
    assert desk.submit("b", qty_lots=20) is None
    assert desk.rig.sent("ws2") == ["AddOrder"]


def test_limit_and_trigger_prices_are_held_to_the_band() -> None:
    desk = Guarded(price_band_ppm=10_000)
    assert desk.submit("a", limit_ticks=1_010) is None
    assert "the limit price is 11000 ppm" in (desk.submit("b", limit_ticks=1_011) or "")
    stop = {"order_type": OrderType.STOP_LOSS, "limit_ticks": None, "trigger_ticks": 980, "side": SELL}
    assert "the trigger price is 20000 ppm" in (desk.submit("c", **stop) or "")


def test_where_a_side_is_empty_the_band_is_around_the_last_trade() -> None:
    desk = Guarded(price_band_ppm=10_000)
    desk.price = MarketPrice(None, 1_001, 500, START_NS)
    assert desk.submit("a", limit_ticks=505) is None
    assert desk.submit("b", limit_ticks=1_000) is not None


def test_a_market_order_is_worth_what_the_other_side_asks() -> None:
    desk = Guarded(order_notional_max="10010")
    market = {"order_type": OrderType.MARKET, "limit_ticks": None}
    assert desk.submit("a", qty_lots=10, **market) is None
    desk.price = MarketPrice(999, 1_002, 1_000, START_NS)
    assert desk.submit("b", qty_lots=10, **market) == "limit order_notional_max = 10010: the order is worth 10020 USD"


def test_an_order_in_quote_currency_is_held_to_the_same_limits() -> None:
    market = {"order_type": OrderType.MARKET, "limit_ticks": None, "qty_lots": 0}
    desk = Guarded(order_notional_max="5000", order_qty_max="4")
    assert "is worth 5001 USD" in (Guarded(order_notional_max="5000").submit("a", quote_qty=D(5001), **market) or "")
    assert "order_qty_max" in (desk.submit("a", quote_qty=D(4_500), **market) or "")
    desk.price = MarketPrice(None, None, None, 0)
    assert desk.submit("b", quote_qty=D(10), **market) is not None


def test_the_position_counts_fills_and_open_orders_and_a_fill_moves_between_them() -> None:
    desk = Guarded(position_max="25")
    assert desk.submit("a", qty_lots=10) is None
    assert desk.submit("b", qty_lots=10) is None
    desk.fill("a", 10, 1_000)
    assert desk.guard.position_lots(SYMBOL) == 10
    assert "could become 26 BTC (now 10, 10 open on that side)" in (desk.submit("c", qty_lots=6) or "")
    assert desk.submit("d", qty_lots=5) is None
    assert desk.submit("e", qty_lots=35, side=SELL) is None


def test_open_orders_are_counted_and_the_one_that_is_denied_is_not() -> None:
    desk = Guarded(open_orders_max=2)
    assert [desk.submit(name) is None for name in "abcd"] == [True, True, False, False]
    desk.fill("a", 10, 1_000)
    assert desk.submit("e") is None


def test_orders_and_changes_of_one_second_are_counted_together_and_the_window_slides() -> None:
    desk = Guarded(orders_per_second_max=3)
    assert desk.submit("a") is None
    desk.rig.run(500)
    assert desk.submit("b") is None
    assert desk.amend("a", limit_ticks=998) is None
    assert desk.submit("c") == "limit orders_per_second_max = 3: 3 were sent within a second"
    assert "orders_per_second_max = 3" in (desk.amend("a", limit_ticks=997) or "")
    desk.rig.run(1_001)
    assert desk.submit("d") is None
    assert desk.submit("e") is not None


def test_a_cancel_is_never_held_back() -> None:
    desk = Guarded(orders_per_second_max=1, open_orders_max=1, daily_loss_max={"USD": "0"})
    assert desk.submit("a") is None
    desk.rig.desk.cancel("a")
    assert desk.rig.sent("ws2") == ["AddOrder", "CancelOrder"]


def test_a_batch_of_which_one_order_breaks_a_limit_is_denied_whole() -> None:
    desk = Guarded(position_max="25")
    desk.rig.desk.submit_batch([add_order(name, qty_lots=10) for name in "abc"], via="ws2")
    assert [heard[:2] for heard in desk.rig.heard] == [("denied", name) for name in "abc"]
    assert desk.rig.sent("ws2") == []


def test_changes_are_held_to_the_limits_of_what_the_order_would_become() -> None:
    desk = Guarded(price_band_ppm=10_000, order_qty_max="20", position_max="30", order_notional_max="15000")
    assert desk.submit("a", qty_lots=10) is None
    assert desk.submit("b", qty_lots=10) is None
    assert "price_band_ppm" in (desk.amend("a", limit_ticks=900) or "")
    assert "order_qty_max" in (desk.amend("a", qty_lots=21) or "")
    assert "order_notional_max" in (desk.amend("a", qty_lots=16) or "")
    assert desk.amend("a", qty_lots=15) is None
    assert desk.amend("a", qty_lots=5, limit_ticks=995) is None


def test_an_instruments_own_limits_take_the_place_of_the_common_ones() -> None:
    desk = Guarded(order_qty_max="5", symbols={SYMBOL: SymbolLimits(order_qty_max="50")})
    assert desk.submit("a", qty_lots=50) is None


def test_orders_on_a_market_that_stands_still_are_denied() -> None:
    desk = Guarded(book_age_max_ms=1_000)
    desk.rig.run(1_000)
    assert desk.submit("a") is None
    desk.rig.run(1_001)
    assert desk.submit("b") == "limit book_age_max_ms = 1000: the market is 1001 ms old"


# ------------------------------------------------------------------------------------------------- loss


def test_a_loss_beyond_the_limit_is_told_once_and_denies_new_orders() -> None:
    desk = Guarded(daily_loss_max={"USD": "100"})
    assert desk.submit("a", qty_lots=10) is None
    desk.fill("a", 10, 1_000)
    desk.price = MarketPrice(989, 991, 990, START_NS)
    desk.guard.look()
    assert desk.losses == []
    desk.price = MarketPrice(988, 991, 990, START_NS)
    desk.guard.look()
    desk.guard.look()
    assert desk.losses == ["limit daily_loss_max = 100: 105 USD are lost since midnight UTC"]
    assert "daily_loss_max" in (desk.submit("b") or "")


def test_fees_are_losses_in_either_asset() -> None:
    for fee, asset, lost in (("7.5", "USD", "7.5"), ("0.01", "BTC", "10")):
        desk = Guarded(daily_loss_max={"USD": "1"})
        desk.submit("a", qty_lots=10)
        desk.fill("a", 10, 1_000, fee=fee, fee_asset=asset)
        assert desk.losses == [f"limit daily_loss_max = 1: {lost} USD are lost since midnight UTC"]


def test_a_loss_is_a_days_and_another_day_begins_at_midnight_utc() -> None:
    desk = Guarded(daily_loss_max={"USD": "100"})
    desk.submit("a", qty_lots=10)
    desk.fill("a", 10, 1_000)
    desk.price = MarketPrice(979, 981, 980, START_NS)
    desk.guard.look()
    assert len(desk.losses) == 1
    desk.rig.clock.now_ns += 12 * 3_600 * 10**9
    desk.guard.look()
    assert desk.submit("b") is None
    desk.price = MarketPrice(968, 970, 969, START_NS)
    desk.guard.look()
    assert len(desk.losses) == 2


def test_a_market_without_a_price_does_not_make_a_position_worthless() -> None:
    desk = Guarded(daily_loss_max={"USD": "100"})
    desk.submit("a", qty_lots=10)
    desk.fill("a", 10, 1_000)
    desk.guard.look()
    desk.price = MarketPrice(None, None, None, 0)
    desk.guard.look()
    assert desk.losses == []


def test_a_position_of_a_run_before_counts_as_held_and_not_as_won_or_lost() -> None:
    desk = Guarded(position_max="25", daily_loss_max={"USD": "100"})
    desk.guard.carry(SYMBOL, 20)
    assert "now 20" in (desk.submit("a", qty_lots=6) or "")
    assert desk.submit("b", qty_lots=5) is None
    assert desk.losses == []
    desk.price = MarketPrice(994, 995, 994, START_NS)
    desk.guard.look()
    assert desk.losses == ["limit daily_loss_max = 100: 110 USD are lost since midnight UTC"]
