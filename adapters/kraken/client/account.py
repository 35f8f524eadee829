"""The account as the venue tells it over REST: what the key may do, what is there, what is open.

Sources: rest-api/get-api-key-info, get-extended-balance, get-open-orders; guides/spot-rest-auth.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import UNSET

from adapters.kraken.client.client_ids import ClientIds
from adapters.kraken.client.instruments import Instruments
from adapters.kraken.client.rest_calls import PrivateCalls
from adapters.kraken.errors import KrakenError, SymbolError, reject_reason
from adapters.kraken.key_permissions import DANGEROUS, TITLES, needed_permissions
from adapters.kraken.symbols import canonical_asset
from adapters.kraken.wire.rest import account, endpoints, history
from adapters.kraken.wire.rest.envelope import Endpoint, PrivateRequest
from framework.adapter import AccountState, VenueOrder
from framework.protocol import RejectReason

__all__ = ["AccountReads"]

_TIMEOUT_S = 15.0
# The slowest counter of calls gives a call back in three seconds.
_AGAIN_S, _PATIENCE_S = 2.0, 60.0


class _RefusedError(Exception):
    """The venue's own words."""


class AccountReads:
    """Reads of one account. links: protocols that it trades by."""

    def __init__(self, calls: PrivateCalls, instruments: Instruments, ids: ClientIds, links: Iterable[str]) -> None:
        self._calls = calls
        self._instruments = instruments
        self._ids = ids
        self._links = frozenset(links)

    async def state(self) -> AccountState:
        """All that is told of it. Raises KrakenError where the venue refuses, or does not answer."""
        info = await self._ask(endpoints.GET_API_KEY_INFO, lambda nonce: PrivateRequest(nonce=str(nonce)))
        rows = await self._ask(endpoints.BALANCE_EX, lambda nonce: account.BalanceRequest(nonce=str(nonce)))
        orders = await self._ask(endpoints.OPEN_ORDERS, lambda nonce: history.OpenOrdersRequest(nonce=str(nonce)))
        needed = needed_permissions(self._links)
        return AccountState(
            key_name=info.apiKeyName,
            permissions=tuple(info.permissions),
            missing=tuple(f"{code} ({TITLES[code]})" for code in needed if code not in info.permissions),
            surplus=tuple(what for code, what in DANGEROUS.items() if code in info.permissions),
            balances={asset: amount for asset, (amount, _) in _amounts(rows).items()},
            held={asset: held for asset, (_, held) in _amounts(rows).items() if held},
            open_orders=tuple(self._order(order_id, row) for order_id, row in orders.open.items()),
        )

    def ask_balances(
        self, on_balances: Callable[[Mapping[str, Decimal]], None], on_failed: Callable[[str], None]
    ) -> None:
        """Ask for what is there by asset; one of the two is called, never from within this call."""
        self._calls.call(
            endpoints.BALANCE_EX,
            lambda nonce: account.BalanceRequest(nonce=str(nonce)),
            lambda rows: on_balances({asset: amount for asset, (amount, _) in _amounts(rows).items()}),
            on_failed,
            lambda _, reason: on_failed(reason),
            _TIMEOUT_S,
        )

    async def _ask[R](self, endpoint: Endpoint[Any, R], make: Callable[[int], PrivateRequest]) -> R:
        """One answer; over the limit of calls, as after many restarts, it is asked for again until there is room."""
        until_s = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return await self._ask_once(endpoint, make)
            except _RefusedError as refused:
                is_over_limit = reject_reason(str(refused)) is RejectReason.CALL_LIMIT
                if not is_over_limit or time.monotonic() > until_s:
                    raise KrakenError(
                        f"{endpoint.path}: {refused}; `tidegate doctor` looks at the key and says what to do"
                    ) from None
            await asyncio.sleep(_AGAIN_S)

    async def _ask_once[R](self, endpoint: Endpoint[Any, R], make: Callable[[int], PrivateRequest]) -> R:
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()

        def told(result: R) -> None:
            if not answer.done():
                answer.set_result(result)

        def failed(error: Exception) -> None:
            if not answer.done():
                answer.set_exception(error)

        self._calls.call(
            endpoint,
            make,
            told,
            lambda text: failed(_RefusedError(text)),
            lambda _, reason: failed(KrakenError(f"{endpoint.path}: {reason}; ask again later")),
            _TIMEOUT_S,
        )
        return await answer

    def _order(self, order_id: str, row: history.Order) -> VenueOrder:
        descr = row.descr
        pair = descr.pair if descr is not UNSET and isinstance(descr.pair, str) else ""
        try:
            symbol = self._instruments.named(pair).spec.symbol
        except SymbolError:
            symbol = pair
        words = descr.order if descr is not UNSET and isinstance(descr.order, str) else ""
        return VenueOrder(
            order_id=order_id,
            cl_ord_id=self._ids.on_desk(row.cl_ord_id) if isinstance(row.cl_ord_id, str) else "",
            symbol=symbol,
            text=words,
        )


def _amounts(rows: Mapping[str, account.ExtendedBalance]) -> dict[str, tuple[Decimal, Decimal]]:
    """What is there, and what of it open orders hold, by canonical asset, without what is nothing."""
    amounts: dict[str, tuple[Decimal, Decimal]] = {}
    for name, row in rows.items():
        try:
            amount = Decimal(row.balance)
            held = Decimal(row.hold_trade) if isinstance(row.hold_trade, str) else Decimal(0)
        except InvalidOperation:
            raise KrakenError(f"{endpoints.BALANCE_EX.path}: the balance of {name} is not a number") from None
        if amount or held:
            amounts[canonical_asset(name)] = (amount, held)
    return amounts
