"""What a live run is going to do, line by line, before it has done anything: with the account as the venue tells it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import msgspec

from framework.adapter import AccountState, VenueOrder
from framework.errors import ConfigError
from framework.execution.limits import LIMIT_NAMES
from framework.execution.policy import DeskPolicy
from framework.live.config import LiveConfig
from framework.live.kill_command import kill_path
from framework.live.recovery import Recovery

__all__ = ["amounts", "check_account", "is_own", "start_summary"]

_NAMED_MAX = 5


def check_account(account: AccountState) -> None:
    """Raises ConfigError where the key cannot trade as configured."""
    if account.missing:
        raise ConfigError(
            f"the key {account.key_name!r} lacks {', '.join(account.missing)}: allow it in the settings of the key"
        )


def is_own(order: VenueOrder, recovery: Recovery) -> bool:
    """Whether an order that is open at the venue is one that a run before has sent, by its journal."""
    known = recovery.open_orders.get(order.cl_ord_id)
    if known is not None:
        return known.order_id in (None, order.order_id)
    return any(known.order_id == order.order_id for known in recovery.open_orders.values())


def amounts(balances: Mapping[str, Decimal], held: Mapping[str, Decimal]) -> str:
    """Balances in words."""
    return ", ".join(
        f"{asset} {amount.normalize():f}" + (f" ({held[asset].normalize():f} in orders)" if held.get(asset) else "")
        for asset, amount in sorted(balances.items())
        if amount
    )


def start_summary(
    config: LiveConfig,
    adapter: str,
    policy: DeskPolicy,
    out: Path,
    account: AccountState,
    recovery: Recovery,
    ended: str | None = None,
) -> list[str]:
    """What will be done. recovery: what the journal tells of runs before. ended: why the venue would end orders when
    their line ends; None where it would not.
    """
    live = config.live
    hosts = ", ".join(f"{name} {url}" for name, url in live.hosts.items()) or "the venue's own"
    limits = msgspec.to_builtins(config.limits)
    set_limits = [f"{LIMIT_NAMES[name]} ({name}) {limits[name]}" for name in LIMIT_NAMES if limits.get(name)]
    set_limits += [f"{symbol}: {table}" for symbol, table in limits["symbols"].items()]
    dead_man = f"all orders of the account are canceled after {live.dead_man_s} s without word of this run"
    return [
        f"Live on {adapter}, with the account of the key below:",
        f"  strategy     {config.strategy.path}",
        f"  instruments  {', '.join(live.symbols)}",
        f"  key          {account.key_name!r}, from {live.credentials or 'the environment, or the options'}",
        f"  permissions  {', '.join(account.permissions)}",
        *(f"  DANGER       the key may {what}: take that away, trading does not need it" for what in account.surplus),
        f"  balances     {amounts(account.balances, account.held) or 'none'}",
        *_orders(account, recovery, live.left_open),
        f"  hosts        {hosts}",
        *(f"  option       {name} = {value}" for name, value in live.options.items()),
        f"  orders by    {policy.submit}; amends by {policy.amend}; news by {policy.news}",
        f"  cancels by   {', then '.join(policy.cancel)}",
        *(f"  limit        {line}" for line in set_limits or ["none"]),
        f"  kill switch  `tidegate kill {out}`, the file {kill_path(out)}, or the signal USR1",
        f"  dead man     {dead_man if live.dead_man_s else 'none'}",
        f"  journal      {Path(live.state) / 'run.intents'}, forced to the disk: {live.fsync}",
        f"  figures      {config.health.said()}",
        *([] if ended is None else [f"  line drops   {ended}"]),
        f"  at the end   {live.at_end}",
    ]


def _orders(account: AccountState, recovery: Recovery, policy: str) -> list[str]:
    own = [order for order in account.open_orders if is_own(order, recovery)]
    others = [order for order in account.open_orders if order not in own]
    lines = [f"  open orders  {len(own)} of a run before ({policy}), {len(others)} of others, which are left alone"]
    lines += [f"  of others    {order.order_id} {order.text or order.symbol}" for order in others[:_NAMED_MAX]]
    if len(others) > _NAMED_MAX:
        lines.append(f"  of others    and {len(others) - _NAMED_MAX} more: `tidegate reconcile` names them")
    unknown = len(recovery.unknown_orders())
    if unknown:
        lines.append(f"  unknown      {unknown} orders of a run before, whose fate is looked for first")
    return lines
