"""Market data and instruments. Prices, sizes and times are text.

Sources: fix-api/mdr-fix, mdsfr-fix, mdir-fix, mdrr-fix, slr-fix, sl-fix, tssr-fix, tss-fix; guides/fix-checksums.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe
from adapters.kraken.wire.fix.fields import Entry, FixMessage

__all__ = [
    "EntryChange",
    "EntryType",
    "Instrument",
    "InstrumentList",
    "InstrumentListRequest",
    "MarketDataIncrementalRefresh",
    "MarketDataRequest",
    "MarketDataRequestReject",
    "MarketDataSnapshotFullRefresh",
    "MdEntry",
    "RelatedSym",
    "TradingSessionStatus",
    "TradingSessionStatusRequest",
]


class RelatedSym(Entry, frozen=True):
    """A pair that is asked for."""

    symbol: str


class EntryType(Entry, frozen=True):
    """What is asked for: 0 bids, 1 offers, 2 trades."""

    md_entry_type: str


class MarketDataRequest(FixMessage, frozen=True, kw_only=True):
    """Subscribes or unsubscribes. subscription_request_type: 1, 2. market_depth: 0 all, 1, 10, 25, 100, 500, 1000.

    aggregated_book: Y levels, N orders.
    """

    msg_type: ClassVar[str] = "V"

    no_related_sym: list[RelatedSym]
    md_req_id: str
    subscription_request_type: str
    market_depth: int
    md_update_type: Maybe[int] = UNSET
    aggregated_book: Maybe[bool] = UNSET
    no_md_entry_types: list[EntryType]


class MdEntry(Entry, frozen=True):
    """A level or an order. md_entry_id: side and price of a level, the id of an order; the last two of orders only."""

    md_entry_type: str
    md_entry_id: str
    md_entry_px: str
    md_entry_size: str
    md_entry_time: str
    md_entry_timestamp: Maybe[str] = UNSET
    md_entry_time_queue: Maybe[str] = UNSET


class MarketDataSnapshotFullRefresh(FixMessage, frozen=True, kw_only=True):
    """The whole book: asks from the lowest price, then bids from the highest."""

    msg_type: ClassVar[str] = "W"

    symbol: str
    md_req_id: str
    no_md_entries: list[MdEntry]


class EntryChange(Entry, frozen=True):
    """A change, or a trade. md_update_action: 0 new, 1 change, 2 delete. ord_type and aggressor_side: the taker's.

    A deletion with a size has left the depth; with size 0 it has left the book.
    """

    md_update_action: str
    md_entry_type: str
    md_entry_id: Maybe[str] = UNSET
    md_entry_px: Maybe[str] = UNSET
    md_entry_size: Maybe[str] = UNSET
    md_entry_time: Maybe[str] = UNSET
    md_entry_timestamp: Maybe[str] = UNSET
    md_entry_time_queue: Maybe[str] = UNSET
    ord_type: Maybe[str] = UNSET
    aggressor_side: Maybe[str] = UNSET


class MarketDataIncrementalRefresh(FixMessage, frozen=True, kw_only=True):
    """Changes in the order in which they are to be applied; the checksum is of the book after all of them."""

    msg_type: ClassVar[str] = "X"

    symbol: str
    md_req_id: str
    no_md_entries: list[EntryChange]
    checksum_order_book: Maybe[str] = UNSET


class MarketDataRequestReject(FixMessage, frozen=True, kw_only=True):
    """md_req_rej_reason: 0 unknown symbol, 1 duplicate id, 4 subscription type, 5 depth, 6 update type, 8 entry type,
    A scope, B no orders here, C no trades in this request.
    """

    msg_type: ClassVar[str] = "Y"

    text: Maybe[str] = UNSET
    md_req_id: str
    md_req_rej_reason: str


class InstrumentListRequest(FixMessage, frozen=True, kw_only=True):
    """instrument_list_request_type: 0 a symbol, 1 a security type (CASH, FUT, OPT, TS), 4 all."""

    msg_type: ClassVar[str] = "x"

    symbol: Maybe[str] = UNSET
    security_type: Maybe[str] = UNSET
    subscription_request_type: Maybe[str] = UNSET
    instrument_req_id: str
    instrument_list_request_type: str


class Instrument(Entry, frozen=True, kw_only=True):
    """A pair; decimals of its prices and quantities, and their steps.

    asset_pair_status: 0 hidden, 1 online, 2 maintenance, 3 cancel only, 4 post only, 5 limit only, 6 delisted, 7 reduce
    only.
    """

    symbol: str
    min_trade_vol: str
    qty_precision: int
    qty_min: str
    qty_max: Maybe[str] = UNSET
    minimum_cost: Maybe[str] = UNSET
    price_precision: int
    tick_size: str
    asset_pair_status: int


class InstrumentList(FixMessage, frozen=True, kw_only=True):
    """The answer, in parts if it is long; the group stands at its end.

    instrument_request_result: 0 good, 1 invalid, 2 none, 4 not available.
    """

    msg_type: ClassVar[str] = "y"
    is_ascending: ClassVar[bool] = False

    text: Maybe[str] = UNSET
    instrument_req_id: str
    instrument_response_id: str
    tot_no_related_sym: Maybe[int] = UNSET
    instrument_request_result: int
    last_fragment: Maybe[bool] = UNSET
    no_related_sym: Maybe[list[Instrument]] = UNSET


class TradingSessionStatusRequest(FixMessage, frozen=True, kw_only=True):
    """subscription_request_type: 0 once, 1 from now on."""

    msg_type: ClassVar[str] = "g"

    subscription_request_type: str
    trad_ses_req_id: str
    trading_session_id: str


class TradingSessionStatus(FixMessage, frozen=True, kw_only=True):
    """trad_ses_status: 0 unknown, 1 maintenance, 2 online, 101 cancel only, 102 post only."""

    msg_type: ClassVar[str] = "h"

    trad_ses_req_id: str
    trading_session_id: str
    trad_ses_status: Maybe[int] = UNSET
    trad_ses_status_rej_reason: Maybe[int] = UNSET
    text: Maybe[str] = UNSET
