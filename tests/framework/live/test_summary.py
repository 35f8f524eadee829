"""What is shown before a live run sends anything, and what keeps it from starting."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from framework.adapter import AccountState, VenueOrder
from framework.backtest.config import StrategySection
from framework.errors import ConfigError
from framework.execution.policy import DeskPolicy
from framework.live.config import LiveConfig, LiveSection
from framework.live.records import Intended, Known
from framework.live.recovery import Recovery
from framework.live.summary import check_account, start_summary
from tests.framework.execution.desk_rig import add_order

ACCOUNT = AccountState(
    key_name="desk",
    permissions=("query-funds", "modify-trades"),
    missing=(),
    surplus=(),
    balances={"USD": Decimal("1000.50"), "BTC": Decimal(2)},
    held={"USD": Decimal(100)},
    open_orders=(),
)
POLICY = DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2", "rest"), news="ws2")


def shown(account: AccountState, recovery: Recovery | None = None) -> list[str]:
    config = LiveConfig(strategy=StrategySection(path="s.py"), live=LiveSection(symbols=("BTC/USD",)))
    lines = start_summary(config, "venue", POLICY, Path("run"), account, recovery or Recovery())
    return [line.strip() for line in lines]


def order(order_id: str, cl_ord_id: str = "") -> VenueOrder:
    return VenueOrder(order_id=order_id, cl_ord_id=cl_ord_id, symbol="BTC/USD", text=f"buy {order_id}")


def before() -> Recovery:
    recovery = Recovery()
    for number in (1, 2):
        recovery.read(Intended(number, "ws2", "ws2#1", replace(add_order(f"o{number}"), request_id=number)))
    recovery.read(Known(3, "o1", "O1"))
    return recovery


def test_the_account_is_shown_as_the_venue_tells_it() -> None:
    lines = shown(ACCOUNT)
    assert "permissions  query-funds, modify-trades" in lines
    assert "balances     BTC 2, USD 1000.5 (100 in orders)" in lines
    assert any(line.startswith("key          'desk', from ") for line in lines)


def test_orders_of_a_run_before_are_told_from_those_of_others() -> None:
    lines = shown(replace(ACCOUNT, open_orders=(order("O1", "o1"), order("O9"))), before())
    assert "open orders  1 of a run before (cancel), 1 of others, which are left alone" in lines
    assert "of others    O9 buy O9" in lines
    assert "unknown      1 orders of a run before, whose fate is looked for first" in lines


def test_an_order_of_others_with_a_client_id_that_is_ours_is_of_others() -> None:
    lines = shown(replace(ACCOUNT, open_orders=(order("O9", "o1"),)), before())
    assert "open orders  0 of a run before (cancel), 1 of others, which are left alone" in lines


def test_many_orders_of_others_are_counted() -> None:
    lines = shown(replace(ACCOUNT, open_orders=tuple(order(f"O{number}") for number in range(8))))
    assert "of others    and 3 more: `tidegate reconcile` names them" in lines


def test_a_key_that_may_do_too_much_is_a_danger() -> None:
    assert "DANGER       the key may withdraw: take that away, trading does not need it" in shown(
        replace(ACCOUNT, surplus=("withdraw",))
    )


def test_a_key_that_cannot_trade_is_refused() -> None:
    check_account(ACCOUNT)
    with pytest.raises(ConfigError, match=r"'desk' lacks modify-trades .*: allow it in the settings of the key"):
        check_account(replace(ACCOUNT, missing=("modify-trades (Create & modify orders)",)))
