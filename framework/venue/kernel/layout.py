"""Where everything stands in the kernel's memory, and the words of its interface.

The state is one int64 array: a header, then one block for each instrument. Both hold counters and the addresses of the
other arrays. All names here are offsets; compiled code reads ``header[NOW]`` or ``block[ROW]``.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

__all__ = ["NO_LIMIT", "UNKNOWN_AHEAD", "FeedMode", "Fill", "QueueModel", "StopReason", "TriggerKind"]

FAR_NS = 2**63 - 1  # later than any time
NO_LIMIT = 2**62  # a price beyond any other, for orders without limit; negated for sells inside
UNKNOWN_AHEAD = 2**62  # lots ahead of an order where the book does not tell

# Header.
INSTRUMENTS = 0
NOW = 1
SLOTS = 2  # int64[capacity, SLOT]
SLOT_FLOATS = 3  # float64[capacity, 2]: quantity ahead by a probability model, traded quantity not yet in the book
TRIGGERS = 4  # int64[capacity, TRIGGER]
TRIGGER_COUNT = 5
FILLS = 6  # int64[capacity of slots, FILL]
FILL_COUNT = 7
FIRED = 8  # int64[capacity of triggers]
FIRED_COUNT = 9
TAKES = 10  # int64[TAKES_CAPACITY, 2]: price, lots
QUEUE_MODEL = 11
FLOATS = 12  # float64[1 + instruments]: parameter of the queue model, quantity of one lot
TRADE_AFTER_BOOK_NS = 13
TRADES_SHARE_PPM = 14
TRADES_SPREAD_TICKS = 15
TRADES_DEPTH_LOTS = 16
FEED_STOP = 17  # instrument whose feed stopped the advance last
FEED_STOP_MODE = 18  # FeedMode bits that asked for it
HEADER = 24

# A block of an instrument. First the columns' addresses and the two cursors' fixed facts.
TS_EVENT, TS_RECV, KIND, SIDE, PRICE, QTY, ORDER_ID, FLAGS = range(8)
ROWS = 8
ROW = 9  # next row of the engine
DEPTH = 10
HAS_TRADES = 11
PAGES = 12  # words of the bitmap: one for each page of 64 prices,
PAGES_1 = 13  # one for each 64 pages,
PAGES_2 = 14  # one for each 4096 pages
PAGE_TABLE = 15  # int64[2 * slots]: page number, rank or -1
PAGE_MASK = 16
PAGE_NUMBERS = 17  # int64[pages], ascending
LEVELS = 18  # int64[2 sides, pages * 64, 2]: recorded quantity, taken of it
BITMAP = 19  # int64[2, PAGES + PAGES_1 + PAGES_2]: prices with a recorded quantity
OWN_BITS = 20  # int64[2, PAGES]: prices with own orders
LEVEL_HEAD = 21  # int32[2, pages * 64]: first order in the queue of a price, 0 for none
LEVEL_TAIL = 22
ORDER_QTY = 23  # int64[orders + 1]
ORDER_TAKEN = 24  # int64
ORDER_SEQ = 25  # int32: 1 + the row in which it joined; 0: before anything
ORDER_NEXT = 26  # int32
ORDER_PREV = 27  # int32
ORDER_PLACE = (
    28  # int32: side * prices + place of the price; -1 never seen; -2 - place: in the book before it was cleared
)
FEED_LEVELS = 29  # int64[2, pages * 64]
FEED_BITMAP = 30
FEED_ORDER_QTY = 31  # int64
FEED_ORDER_PLACE = 32  # int64: as above plus (number of the last CLEAR << 40), -1 for not in the book
OWN_HEAD = 33  # two: first own slot of BUY and SELL, -1 for none
OWN_HEAD_SELL = 34
IS_UNCERTAIN = 35  # the book is not known: before the first row, and from a CLEAR until a row that is no snapshot
IS_CROSSING = 36  # the recorded book is crossed: an aggressor is at work
TRIGGERS_ACTIVE = 37
LAST_PRICE, LAST_QTY, LAST_SIDE, LAST_TS = range(38, 42)
FEED_ROW = 42  # first row of the next message
FEED_END = 43  # row after it
FEED_NEXT = 44  # its delivery
FEED_PREVIOUS = 45
FEED_COUNT = 46  # number of the next message
FEED_KEY = 47
FEED_TABLE = 48  # 0: recorded times
FEED_MODE = 49
FEED_INTERVAL = 50
FEED_DUE = 51  # the next stop by interval, FAR_NS for none
FEED_REPORTED = 52  # first row that the last stop of this feed did not cover
FEED_BEST_BUY = 53  # place of the best price, -1 for none
FEED_BEST_SELL = 54
FEED_QTY = 55  # the column QTY as the feed tells it
# What a view of the feed shows, kept together.
VIEW = 56
VIEW_BID, VIEW_BID_QTY, VIEW_ASK, VIEW_ASK_QTY = range(56, 60)
VIEW_LAST_PRICE, VIEW_LAST_QTY, VIEW_LAST_SIDE, VIEW_LAST_TS, VIEW_TS = range(60, 65)
VIEW_END = 65
INDEX = 66  # the instrument's own number
TICK_SIDE = 67  # trades-only: aggressor of the last trade, told or by the tick rule
FEED_EPOCH = 68  # how many CLEAR rows were delivered
FEED_STOP_FIRST = 69  # rows that the last stop of this feed covers: the first, and the one after the last
FEED_STOP_END = 70
TOLD_COUNT = 71  # levels of which a trade has told what their rows have not yet
TOLD = 72  # for each of them: 2 * (side * prices + place), and the lots; the oldest first
TOLD_MAX = 8
OWN_TAIL = 88  # two: last own slot of BUY and SELL, -1 for none
BLOCK = 90

ADDRESSES_HEADER = (SLOTS, SLOT_FLOATS, TRIGGERS, FILLS, FIRED, TAKES, FLOATS)
ADDRESSES_BLOCK = (
    *range(8),
    PAGE_TABLE,
    PAGE_NUMBERS,
    LEVELS,
    BITMAP,
    OWN_BITS,
    LEVEL_HEAD,
    LEVEL_TAIL,
    ORDER_QTY,
    ORDER_TAKEN,
    ORDER_SEQ,
    ORDER_NEXT,
    ORDER_PREV,
    ORDER_PLACE,
    FEED_LEVELS,
    FEED_BITMAP,
    FEED_ORDER_QTY,
    FEED_ORDER_PLACE,
    FEED_TABLE,
    FEED_QTY,
)

DEPTH_TRADES, DEPTH_L1, DEPTH_L2, DEPTH_L3 = range(4)
DEPTHS = {"trades": DEPTH_TRADES, "L1": DEPTH_L1, "L2": DEPTH_L2, "L3": DEPTH_L3}

# A slot of an own order.
(
    S_INSTRUMENT,
    S_SIDE,
    S_PRICE,
    S_LEAVES,
    S_DISPLAY,
    S_VISIBLE,
    S_AHEAD,  # lots ahead; on L3 before what trades have already executed of them
    S_CREDIT,  # L3: lots ahead that trades have executed, whose rows have not come yet
    S_SEQ,  # L3: orders with at most this number are ahead
    S_PREPAID,  # lots by which the book has shortened the queue at S_PREPAID_TS without saying that it was a trade
    S_PREPAID_TS,
    S_NEXT,
    S_PREV,
    S_PLACE,  # place of the price, -1 if no recorded row has a price near
    S_SHARE,  # trades-only: millionths of a lot carried to the next trade
    S_ACTIVE,
) = range(16)
SLOT = 16

T_ACTIVE, T_INSTRUMENT, T_KIND, T_PRICE, T_OFFSET = range(5)
TRIGGER = 5

FILL = 5
TAKES_CAPACITY = 256


class StopReason(enum.IntEnum):
    """Why ``advance`` came back."""

    REACHED = 0
    FILL = 1
    TRIGGER = 2
    FEED = 3
    END = 4


class QueueModel(enum.IntEnum):
    """How the quantity ahead of an own order shrinks when a level of an L1 or L2 book shrinks without a trade.

    With RISK_AVERSE all of it was behind us, as long as there was so much behind. With the others we gain
    ``(1 - p) * reduction``, where p is the share that was behind us, front the quantity ahead, and back the rest of the
    level before the change:

    ============  =====================================================  ==========================================
    POWER         p = back**n / (back**n + front**n)                     hftbacktest's PowerProbQueueModel
    POWER_TOTAL   p = back**n / (back + front)**n                        PowerProbQueueModel2
    POWER_RATIO   p = 1 - (front / (front + back))**n                    PowerProbQueueModel3
    LOG           p = ln(1 + back) / (ln(1 + back) + ln(1 + front))      LogProbQueueModel
    LOG_TOTAL     p = ln(1 + back) / ln(1 + back + front)                LogProbQueueModel2
    ============  =====================================================  ==========================================

    Quantities are in units of the base asset, not in lots (it matters for the logarithms).
    """

    RISK_AVERSE = 0
    POWER = 1
    POWER_TOTAL = 2
    POWER_RATIO = 3
    LOG = 4
    LOG_TOTAL = 5


class TriggerKind(enum.IntEnum):
    """What a trigger waits for in the last trade price.

    AT_OR_ABOVE, AT_OR_BELOW: the price reaches the trigger price.
    TRAIL_FALL_*: the price falls by the offset from the highest price since the trigger was set (a trailing sell).
    TRAIL_RISE_*: it rises by the offset from the lowest (a trailing buy). Offsets are in ticks, or in millionths of the
    highest or lowest price.
    """

    AT_OR_ABOVE = 0
    AT_OR_BELOW = 1
    TRAIL_FALL_TICKS = 2
    TRAIL_FALL_PPM = 3
    TRAIL_RISE_TICKS = 4
    TRAIL_RISE_PPM = 5


class FeedMode(enum.IntFlag):
    """Which feed messages stop the advance.

    EVERY: each message. TOUCH: best bid or ask changed in price or quantity. TOUCH_PRICE: in price. TRADES: the message
    has a trade. INTERVAL: at multiples of the interval, if a message came since the last stop.
    """

    NONE = 0
    EVERY = 1
    TOUCH = 2
    TOUCH_PRICE = 4
    TRADES = 8
    INTERVAL = 16


class Fill(NamedTuple):
    """An own resting order was hit: ``row`` of its instrument's columns hit it at ``ts_ns``."""

    slot: int
    price_ticks: int
    qty_lots: int
    ts_ns: int
    row: int
