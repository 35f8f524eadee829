"""Money: units, holds at acceptance, release at the end. Holds: rest-api/get-extended-balance, ``hold_trade``."""

from __future__ import annotations

from decimal import Decimal

import pytest

from framework.errors import ConfigError
from framework.messages import AddBatch
from framework.protocol import BUY, SELL, OrderType, VenueMode
from framework.venue.account import AccountConfig, Assets
from tests.framework.venue.venue_rig import BTC_USD, SECOND, START_NS, Rig, book, touch


def test_the_unit_of_the_quote_is_fine_enough_for_one_lot_at_one_tick() -> None:
    assets = Assets([BTC_USD], [])
    assert assets.decimals[assets.index["USD"]] == 5
    assert assets.decimals[assets.index["BTC"]] == 4


def test_the_unit_is_fine_enough_for_every_initial_balance() -> None:
    config = AccountConfig(name="a", balances={"USD": Decimal("1.2345678")}, tier="pro")
    assets = Assets([BTC_USD], [config])
    assert assets.units(assets.index["USD"], Decimal("1.2345678")) == 12_345_678


def test_an_amount_finer_than_the_unit_is_refused_and_not_rounded() -> None:
    assets = Assets([BTC_USD], [])
    with pytest.raises(ValueError, match="more than 5 decimals"):
        assets.units(assets.index["USD"], Decimal("0.000001"))


def test_an_amount_survives_units_and_back() -> None:
    assets = Assets([BTC_USD], [])
    usd = assets.index["USD"]
    assert assets.amount(usd, assets.units(usd, Decimal("123.45678"))) == Decimal("123.45678")


def test_a_negative_balance_is_refused() -> None:
    with pytest.raises(ConfigError, match="-1 USD"):
        Rig(balances={"USD": "-1"})


def test_a_buy_holds_its_cost_and_the_taker_fee() -> None:
    rig = Rig(touch())
    rig.add(limit_ticks=1000)
    assert rig.held("USD") == Decimal("1.004")
    assert rig.held("BTC") == 0


def test_a_sell_holds_its_quantity() -> None:
    rig = Rig(touch())
    rig.add(side=SELL, limit_ticks=1001)
    assert rig.held("BTC") == Decimal("0.01")
    assert rig.held("USD") == 0


def test_a_hold_shrinks_with_each_fill_and_ends_with_the_last() -> None:
    rig = Rig(touch())
    rig.add(limit_ticks=1000)
    rig.hit(SELL, 60, 1000)
    # 40 lots are left: 0.4 USD and 0.0016 of fee.
    assert rig.held("USD") == Decimal("0.4016")
    rig.hit(SELL, 40, 1000)
    assert rig.held("USD") == 0


def test_a_cancel_releases_the_hold() -> None:
    rig = Rig(touch())
    order = rig.add(limit_ticks=1000)
    rig.cancel(order)
    assert rig.held("USD") == 0
    assert rig.total("USD") == 10_000


def test_an_order_that_trades_better_than_its_limit_gives_the_difference_back() -> None:
    rig = Rig(touch())
    rig.add(limit_ticks=1050)
    assert rig.held("USD") == 0
    assert rig.total("USD") == Decimal("10000") - Decimal("1.001") - Decimal("0.004")


def test_a_buy_for_exactly_the_money_there_is_passes() -> None:
    rig = Rig(touch(), balances={"USD": "1.004"})
    rig.add(limit_ticks=1000)
    assert rig.held("USD") == Decimal("1.004")


def test_a_buy_for_more_than_the_money_there_is_is_refused() -> None:
    rig = Rig(touch(), balances={"USD": "1.00399"})
    assert rig.refused_add(limit_ticks=1000) == "EOrder:Insufficient funds"
    assert rig.held("USD") == 0


def test_money_held_by_one_order_is_not_there_for_the_next() -> None:
    rig = Rig(touch(), balances={"USD": "2"})
    rig.add(limit_ticks=1000)
    assert rig.refused_add(limit_ticks=1000) == "EOrder:Insufficient funds"


def test_money_released_by_a_cancel_is_there_for_the_next() -> None:
    rig = Rig(touch(), balances={"USD": "2"})
    rig.cancel(rig.add(limit_ticks=1000))
    rig.add(limit_ticks=1000)


def test_a_sell_of_what_is_not_there_is_refused() -> None:
    rig = Rig(touch(), balances={"USD": "100", "BTC": "0.0099"})
    assert rig.refused_add(side=SELL, limit_ticks=1001) == "EOrder:Insufficient funds"


def test_a_market_buy_that_the_best_price_alone_makes_too_dear_is_refused() -> None:
    rig = Rig(touch(), balances={"USD": "1"})
    assert rig.refused_add(order_type=OrderType.MARKET) == "EOrder:Insufficient funds"


def test_a_market_buy_stops_where_the_money_ends_and_says_so() -> None:
    # 100 lots at 1000 cost 1.004 with the fee; at 2000 the remaining 1.006 USD buy 50 more.
    rig = Rig(book((SELL, 1000, 100), (SELL, 2000, 500)), balances={"USD": "2.01"})
    order = rig.add(order_type=OrderType.MARKET, qty_lots=200)
    assert rig.trades() == [(1000, 100), (2000, 50)]
    assert rig.total("USD") == Decimal("2.01") - Decimal("1.004") - Decimal("1.004")
    assert order.cum_lots == 150
    assert rig.executions()[-1].reason == "EOrder:Insufficient funds"


def test_a_market_buy_that_the_money_pays_for_exactly_is_filled() -> None:
    rig = Rig(book((SELL, 1000, 100)), balances={"USD": "1.004"})
    rig.add(order_type=OrderType.MARKET, qty_lots=100)
    assert rig.total("USD") == 0
    assert rig.trades() == [(1000, 100)]


def test_a_market_order_holds_nothing_once_it_is_done() -> None:
    rig = Rig(touch())
    rig.add(order_type=OrderType.MARKET, side=BUY)
    assert rig.held("USD") == 0


def test_an_untriggered_market_buy_holds_at_its_trigger_price() -> None:
    rig = Rig(touch())
    rig.add(order_type=OrderType.STOP_LOSS, trigger_ticks=1100)
    assert rig.held("USD") == Decimal("1.1044")


def test_an_untriggered_stop_limit_buy_holds_at_its_limit() -> None:
    rig = Rig(touch())
    rig.add(order_type=OrderType.STOP_LOSS_LIMIT, trigger_ticks=1100, limit_ticks=1200)
    assert rig.held("USD") == Decimal("1.2048")


def test_a_scheduled_market_sell_holds_its_quantity_until_it_starts() -> None:
    rig = Rig(touch(), balances={"BTC": "0.01"})
    rig.add(order_type=OrderType.MARKET, side=SELL, start_ns=START_NS + 10 * SECOND)
    assert rig.held("BTC") == Decimal("0.01")
    assert rig.refused_add(side=SELL, limit_ticks=1001) == "EOrder:Insufficient funds"
    rig.at(10)
    assert (rig.held("BTC"), rig.trades()) == (0, [(999, 100)])


def test_a_market_sell_in_a_batch_holds_its_quantity_against_the_rest_of_the_batch() -> None:
    rig = Rig(touch(), balances={"BTC": "0.01"})
    orders = (rig.order(side=SELL, order_type=OrderType.MARKET), rig.order(side=SELL, limit_ticks=1001))
    rig.send("rest", AddBatch(request_id=rig.next_id(), orders=orders))
    assert rig.accepted("rest").errors == (None, "EOrder:Insufficient funds")
    assert rig.total("BTC") == 0


def test_a_trailing_buy_holds_at_the_price_that_fired() -> None:
    # While nothing matches, the trigger that fired at 995 waits, and is what the order is held at.
    rig = Rig(touch())
    rig.add(order_type=OrderType.TRAILING_STOP, trail_offset_ticks=1)
    assert rig.held("USD") == Decimal("1.001") + Decimal("0.00401")
    rig.print(994)
    rig.venue.set_mode(VenueMode.CANCEL_ONLY, None, rig.now_ns)
    rig.print(995)
    assert rig.held("USD") == Decimal("0.995") + Decimal("0.00398")
