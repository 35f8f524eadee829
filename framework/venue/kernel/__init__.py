"""The matching kernel of the simulated venue: market rows against own resting orders, compiled.

The recorded market does not know our orders and does not react to them; our orders lie over it. These are the
conditions of a fill, and the rules for what the recorded rows mean to us. "Ahead" is market quantity at our price
that trades before us; a row is an event, whether or not its message is complete; nothing looks at a later row.

Trades
 1. Through: a trade at a price worse for its aggressor than ours had to pass us. It fills us, at our price, before the
    orders it was recorded with: best own price first, then oldest, up to its quantity; nothing is ahead any more. So an
    order inside the spread is hit before the touch behind it.
 2. At our price: the trade first passes what is ahead of us; the rest fills us, up to what we show.
 3. A trade fills no more than its quantity in all: own orders behind see what those in front left.
 4. On L3, a trade that names a resting order behind us has passed us: nothing is ahead any more.
 5. The aggressor's side says which side was hit. If the source does not tell: through trades hit whom they pass; at our
    price, what is nearer to the recorded best bid was hit on the bid, nearer to the ask on the ask, in the middle
    nobody.
 6. What a trade passed counts once. On L3 it is credit against the orders ahead, used up by the rows that shrink them;
    on L1 and L2 as the queue model says (RISK_AVERSE caps, the others set it off against the next change of the level).
    If the book shrinks first, without the EXECUTED flag, and the trade is told within ``trade_after_book_ns`` (default
    0: in the same nanosecond), what the book took off the queue is set off against the trade.

Crossing
 7. Market quantity that comes to rest at our price or beyond (ADD, a MODIFY that moves or grows, LEVEL, BEST) trades
    with us first, at our price, best own order first, up to the lesser of both. What traded is "taken" of it and does
    not rest.
 8. But if it crosses recorded quantity of our own side as well, it is an aggressor on its way and, in a market with
    trades, its executions are told by TRADE rows: conditions 1 and 2 fill us. Once the recorded book is not crossed any
    more, what is left of it across our price fills us by condition 7. In a market without trades 7 applies at once.
 9. A level or an order that goes away fills nobody, whatever it leaves ahead of us.

Snapshots
10. Rows flagged SNAPSHOT fill nobody and fire no trigger; a TRADE among them only becomes the last trade. Quantity that
    a snapshot shows across our price trades with us at the next row of the book that comes across our price.
11. CLEAR and SNAPSHOT rows keep what was taken of a level or an order (up to what is restated), and:
    L1, L2: at most what is restated is ahead of an order, and never more than before; an order placed while the book is
    not known (before its first row, or between CLEAR and the end of the snapshot) has all restated quantity ahead.
    L3: an order restated at its place keeps its place in the queue; any other order of a snapshot is ahead of ours.

What we take
12. ``take`` walks levels from the best price; on L3 orders by their queue. What was taken stays taken: neither later
    takers nor queue places see it. It is given back as the market's rows replace the quantity: never more is taken of a
    level (L1, L2) or an order (L3) than its recorded quantity, so a level that goes away, or an order that moves,
    grows, or goes away, comes back whole; a level that grows shows the growth. A recorded trade against quantity that
    we took is against what is behind it: it reaches us so much earlier.
12a. What a recorded trade executed is not there for us either, though the book shows it until the level's row comes
    (L2; on L1 and L3 the rows of a trade and of its orders are expected at one time). It is what the trade was for,
    as far as the level has it; nothing, if a row of the level came within ``trade_after_book_ns`` before the trade,
    for then the book was first. Of more than eight levels in wait the oldest is let go of.

Queue place
13. An order starts behind all that is available at its price. On L3 its place is exact. On L1 and L2 a queue model says
    how cancellations shorten the queue: ``QueueModel``. On L1 the quantity at prices behind the best is not known:
    nothing but a trade through us fills an order there until the best price comes to it; then all of it is ahead.
14. Less quantity keeps the place (``reduce``). More of it, or another price, is a new order.
15. An iceberg shows its display quantity; when that is filled, the next slice goes to the back of the queue. The trade
    may reach the new slice behind all that it joined. Conditions 1 and 7 fill visible and hidden parts alike.
16. Own orders at one price stand in their own order of time. Own quantity is not part of "ahead".

Trades-only markets (no book): assumptions
17. A trade through our price fills us as in 1, whoever was the aggressor. At our price own orders get
    ``trades_share_ppm`` millionths of the traded quantity (default 0), remainders of lots carried along.
18. The best price that takers see is the last trade's on the side that it hit, and ``trades_spread_ticks`` away on the
    other (on both, if the side cannot be told: the aggressor is as recorded, else by the tick rule). It offers
    ``trades_depth_lots``, or the last trade's quantity; every trade renews it.

Order of events
19. At one time engine rows come before feed messages, then ends of feed intervals; instruments in their order. A
    message (its rows up to LAST) is delivered as a whole, not before the one before it of its instrument. The feed's
    view is the recorded market: neither own orders nor what we took are in it.

Simplification of all of this: the market goes on as recorded, also where our order would have absorbed an aggressor
or moved others. The effect grows with our share of the traded quantity.
"""

from __future__ import annotations

from framework.venue.kernel.engine import FeedBook, KernelOptions, MatchingKernel
from framework.venue.kernel.layout import (
    NO_LIMIT,
    UNKNOWN_AHEAD,
    FeedMode,
    Fill,
    QueueModel,
    StopReason,
    TriggerKind,
)

__all__ = [
    "NO_LIMIT",
    "UNKNOWN_AHEAD",
    "FeedBook",
    "FeedMode",
    "Fill",
    "KernelOptions",
    "MatchingKernel",
    "QueueModel",
    "StopReason",
    "TriggerKind",
]
