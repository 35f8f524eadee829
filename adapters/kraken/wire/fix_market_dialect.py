"""Kraken's dialect of FIX 4.4 for market data: its fields and messages.

Fields whose wrong values have an answer of their own (MarketDataRequestReject, an instrument list without instruments)
have no enumeration here, so that it is given. Where the checksum of the book stands is not documented for messages of
several entries: here it follows the last of them.

Sources: fix-api/mdr-fix, mdsfr-fix, mdir-fix, mdrr-fix, slr-fix, sl-fix, tssr-fix, tss-fix; logon-fix.
"""

from __future__ import annotations

from adapters.fix.dictionary import Dictionary, parse_fields, parse_messages
from adapters.fix.fix44 import FIX44

__all__ = ["KRAKEN_FIX_MARKET"]

_FIELDS = """
40 OrdType CHAR 1,2
109 ClientID STRING
167 SecurityType STRING
263 SubscriptionRequestType CHAR
265 MDUpdateType INT
269 MDEntryType CHAR
320 InstrumentReqID STRING
322 InstrumentResponseID STRING
340 TradSesStatus INT 0,1,2,101,102
559 InstrumentListRequestType INT
560 InstrumentRequestResult INT 0,1,2,4
562 MinTradeVol FLOAT
567 TradSesStatusRejReason INT 1,100,101,102,103
2349 PricePrecision INT
2446 AggressorSide CHAR 1,2
5010 QtyPrecision INT
5011 QtyMin FLOAT
5012 QtyMax FLOAT
5013 MinimumCost FLOAT
5022 TickSize FLOAT
5025 Nonce STRING
5030 ForceResetClOrdID BOOLEAN
5032 AssetPairStatus INT 0,1,2,3,4,5,6,7
5041 ChecksumOrderBook INT
5051 Rebased BOOLEAN
5060 MDEntryTimestamp STRING
5273 MDEntryTimeQueue STRING
8674 CancelOrdersOnDisconnect INT 0,1
"""

_MESSAGES = """
A Logon: 98! 108! 109 141 553 554 789 5025 5030 5051 8674

V MarketDataRequest: 262! 263! 264! 265 266 267!(269) 146!(55)

W MarketDataSnapshotFullRefresh: 55! 262! 268!(269 278 270 271 273 5060 5273)

X MarketDataIncrementalRefresh: 55! 262! 268!(279 269 278 270 271 273 5060 5273 40 2446) 5041

Y MarketDataRequestReject: 58 262! 281!

x InstrumentListRequest: 55 167 263 320! 559!

y InstrumentList: 58 320! 322! 393 560! 893 146(55 562 5010 5011 5012 5013 2349 5022 5032)

g TradingSessionStatusRequest: 263! 335! 336!

h TradingSessionStatus: 335! 336! 340 567
"""

KRAKEN_FIX_MARKET: Dictionary = FIX44.extended(
    fields=parse_fields(_FIELDS).values(), messages=parse_messages(_MESSAGES, {}).values()
)
