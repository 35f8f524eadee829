"""What an API key may do, as Kraken names it, and what of that trading needs.

Sources: rest-api/get-api-key-info; guides/spot-rest-auth, "Permissions".
"""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["DANGEROUS", "TITLES", "needed_permissions"]

# As the page of API keys names them.
TITLES = {
    "query-funds": "Query funds",
    "query-open-trades": "Query open orders & trades",
    "query-closed-trades": "Query closed orders & trades",
    "modify-trades": "Create & modify orders",
    "close-trades": "Cancel & close orders",
    "create-ws-token": "Access WebSockets API",
}
# What trading does not need, and whoever steals the key would use.
DANGEROUS = {
    "withdraw-funds": "withdraw",
    "add-withdraw-address": "add addresses for withdrawals",
    "update-withdraw-address": "change addresses for withdrawals",
}
_TRADING = ("query-funds", "query-open-trades", "query-closed-trades", "modify-trades", "close-trades")


def needed_permissions(links: Collection[str]) -> tuple[str, ...]:
    """The permissions that trading by links of these protocols needs."""
    return (*_TRADING, *(("create-ws-token",) if {"ws1", "ws2"} & set(links) else ()))
