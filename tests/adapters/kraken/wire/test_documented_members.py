"""Each member that a page of the documentation names is a member of the messages that the page is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import inspect as kinds

from adapters.kraken.wire.fix.fields import TAGS
from adapters.kraken.wire.fix.messages import KINDS
from adapters.kraken.wire.rest.endpoints import ENDPOINTS
from adapters.kraken.wire.rest.envelope import Reply
from adapters.kraken.wire.ws1 import account as account1
from adapters.kraken.wire.ws1 import events
from adapters.kraken.wire.ws1 import requests as requests1
from adapters.kraken.wire.ws1.market import BookPart, Ticker
from adapters.kraken.wire.ws2 import account, market, requests, responses
from tests.adapters.kraken.wire.documented import pages
from tests.adapters.kraken.wire.test_rest_messages import PATH

# A row of a schema: the name of a member and its type.
ROW = re.compile(
    r"^\s*(?:↳ )?\*\*([A-Za-z][\w\[\]-]*)\*\* *`?(?:string|integer|float|boolean|object|array|number)", re.MULTILINE
)
TAG = re.compile(r"\*\*(\d+) - ")

CHANNEL = (
    requests.Subscribe,
    requests.Unsubscribe,
    responses.SubscribeResponse,
    responses.UnsubscribeResponse,
)
WS2: Mapping[str, tuple[type, ...]] = {
    "add_order": (requests.AddOrder, responses.AddOrderResponse),
    "amend_order": (requests.AmendOrder, responses.AmendOrderResponse),
    "balances": (*CHANNEL, account.BalancesSnapshot, account.BalancesUpdate),
    "batch_add": (requests.BatchAdd, responses.BatchAddResponse),
    "batch_cancel": (requests.BatchCancel, responses.BatchCancelResponse),
    "book": (*CHANNEL, market.BookFrame),
    "cancel_after": (requests.CancelAllOrdersAfter, responses.CancelAllOrdersAfterResponse),
    "cancel_all": (requests.CancelAll, responses.CancelAllResponse),
    "cancel_order": (requests.CancelOrder, responses.CancelOrderResponse),
    "edit_order": (requests.EditOrder, responses.EditOrderResponse),
    "executions": (*CHANNEL, account.ExecutionsFrame),
    "heartbeat": (market.Heartbeat,),
    "instrument": (*CHANNEL, market.InstrumentFrame),
    "level3": (*CHANNEL, market.Level3Frame),
    "ohlc": (*CHANNEL, market.OhlcFrame),
    "ping": (requests.Ping, responses.Pong),
    "status": (market.StatusFrame,),
    "ticker": (*CHANNEL, market.TickerFrame),
    "trade": (*CHANNEL, market.TradeFrame),
}
WS1: Mapping[str, tuple[type, ...]] = {
    "addorder": (requests1.AddOrder, events.AddOrderStatus),
    "amendorder": (requests1.AmendOrder, events.AmendOrderStatus),
    "book": (requests1.Subscribe, BookPart),
    "cancelall": (requests1.CancelAll, events.CancelAllStatus),
    "cancelallordersafter": (requests1.CancelAllOrdersAfter, events.CancelAllOrdersAfterStatus),
    "cancelorder": (requests1.CancelOrder, events.CancelOrderStatus),
    "editorder": (requests1.EditOrder, events.EditOrderStatus),
    "heartbeat": (events.Heartbeat,),
    "ohlc": (requests1.Subscribe,),
    "openorders": (requests1.Subscribe, account1.OpenOrder, account1.Sequence),
    "owntrades": (requests1.Subscribe, account1.OwnTrade, account1.Sequence),
    "ping": (requests1.Ping, events.Pong),
    "spread": (requests1.Subscribe,),
    "subscriptionstatus": (events.SubscriptionStatus,),
    "systemstatus": (events.SystemStatus,),
    "ticker": (requests1.Subscribe, Ticker),
    "trade": (requests1.Subscribe,),
    "unsubscribe": (requests1.Unsubscribe,),
}
FIX = {"er": "8", "logon": "A", "logout": "5", "mdir": "X", "mdr": "V", "mdrr": "Y", "mdsfr": "W", "ocr": "F",
       "ocrr": "G", "omcr": "q", "osr": "H", "reject-business_level": "j", "reject-session_level": "3", "sl": "y",
       "slr": "x", "tss": "h", "tssr": "g"}  # fmt: skip
# Of the session, whose fields adapters.fix reads and writes, and one that shows something else than it is about.
OTHER_FIX = {"session", "sequence-reset", "nos"}
# What a page of REST names and is no member: the file itself, an asset that is the key of a map, and the rows that
# stand in a map beside "last".
NO_MEMBERS = {
    "retrieve-export": {"report"},
    "get-extended-balance": {"asset"},
    "get-ohlc-data": {"items", "last"},
    "get-recent-spreads": {"items", "last"},
    "get-recent-trades": {"items", "last"},
}


def members(*wanted: Any) -> set[str]:
    """The names on the wire of all members of kinds, and of what stands in them."""
    found: set[str] = set()
    for each in wanted:
        _collect(kinds.type_info(each), found)
    return found


def _collect(kind: kinds.Type, found: set[str]) -> None:
    if isinstance(kind, kinds.StructType):
        found.update(field.encode_name for field in kind.fields)
        found.update([kind.tag_field] if kind.tag_field else [])
        for field in kind.fields:
            _collect(field.type, found)
    elif isinstance(kind, kinds.UnionType):
        for each in kind.types:
            _collect(each, found)
    elif isinstance(kind, kinds.ListType | kinds.VarTupleType):
        _collect(kind.item_type, found)
    elif isinstance(kind, kinds.DictType):
        _collect(kind.value_type, found)


def named(page: Path) -> set[str]:
    """The members that a page names."""
    return set(ROW.findall(page.read_text(encoding="utf-8")))


def assert_covered(found: Iterable[Path], by_page: Mapping[str, tuple[type, ...]]) -> None:
    found = list(found)
    assert {page.stem for page in found} == set(by_page)
    lacking = {page.stem: named(page) - members(*by_page[page.stem]) for page in found}
    assert not any(lacking.values()), {page: names for page, names in lacking.items() if names}


def test_every_member_of_websocket_v2_is_there() -> None:
    assert_covered(pages("websocket-v2"), WS2)


def test_every_member_of_websocket_v1_is_there() -> None:
    assert_covered(pages("websocket-v1"), WS1)


def test_every_member_of_rest_is_there() -> None:
    lacking = {}
    for page in pages("rest-api"):
        text = page.read_text(encoding="utf-8")
        path = PATH.search(text)
        if path is None:
            assert page.stem == "add-order"  # which shows WebSocket v2's
            continue
        endpoint = ENDPOINTS[path[1]]
        known = members(endpoint.request, endpoint.result, Reply) | NO_MEMBERS.get(page.stem, set())
        lacking[page.stem] = named(page) - known
    assert not any(lacking.values()), {page: names for page, names in lacking.items() if names}


@pytest.mark.parametrize("name", FIX)
def test_every_field_of_a_fix_message_is_there(name: str) -> None:
    (page,) = [page for page in pages("fix-api") if page.stem == f"{name}-fix"]
    tags = {int(tag) for tag in TAG.findall(page.read_text(encoding="utf-8"))}
    assert tags <= {TAGS[field] for field in _fields(KINDS[FIX[name]])}


def test_every_page_of_fix_is_one_of_a_message() -> None:
    assert {page.stem.removesuffix("-fix") for page in pages("fix-api")} == {*FIX, *OTHER_FIX}


def _fields(kind: type) -> set[str]:
    found: set[str] = set()
    _collect(kinds.type_info(kind), found)
    return found
