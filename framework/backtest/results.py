"""The run folder: what a run leaves behind, and nothing is shown that is not computed from it.

::

    run.toml         all inputs: market, strategy and its parameters, road, faults, seed, versions
    events.parquet   every command, report, session change and desk event (EVENT_SCHEMA)
    touch.parquet    the market's best prices as the engine saw them, sampled (TOUCH_SCHEMA)
    queue.parquet    the quantity ahead of own resting orders, sampled (QUEUE_SCHEMA)
    summary.json     the figures of ``framework.backtest.metrics``, with ``event_log_sha256``
    divergence.json  how it differs from its replay, once that was asked for (framework.diverge)
    report.html      all of it to look at (framework.report)
    market/          of a run on a market that was not there before: what was told of it (framework.data.recorder)

Times are nanoseconds since the epoch: ``ts_sent_ns`` when the strategy's side sent a command, ``ts_arrived_ns`` when
the engine got it, ``ts_venue_ns`` when the engine did what a report tells, ``ts_learned_ns`` when the strategy's side
knew. A command that never arrived, or whose answer was never learned, has null there.
"""

from __future__ import annotations

import pyarrow as pa

__all__ = ["EVENT_SCHEMA", "LIVING_FILES", "MARKET_FOLDER", "QUEUE_SCHEMA", "RUN_FILES", "TOUCH_SCHEMA"]

# The files of a run folder; the inputs first, since a folder without them is no run.
RUN_FILES = (
    "run.toml",
    "events.parquet",
    "touch.parquet",
    "queue.parquet",
    "summary.json",
    "divergence.json",
    "report.html",
)
# The one folder in it.
MARKET_FOLDER = "market"
# What a run in real time writes there while it lives; it stays where the run's results are written.
LIVING_FILES = ("log.jsonl", *(f"log.{number}.jsonl" for number in range(1, 10)), "status.json")

# kind     name                                   one row for each
# command  AddOrder, AmendOrder, CancelOrder ...  command, with sent, arrived and learned times; ValidateOrder is an
#                                                 AddOrder that the venue only checks
# report   NEW, CANCELED, AMENDED, EXPIRED ...    execution report that is not a fill, with venue and learned times
# fill     TRADE                                  fill, with venue and learned times
# session  SessionOpened, SessionClosed ...       change of a link's session, as the strategy's side learned it
# desk     OrderReachChanged, CancelRerouted,     what the desk concluded or did
#          OutcomeUnknown, OutcomeResolved, OrderDenied ...
# venue    LineDropped, ModeChanged, Rollover ... what the fault schedule or the venue did to a session, at ts_venue_ns
EVENT_SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        # The link that carried it ("rest", "ws2", "fix", ...); for venue rows the link concerned.
        pa.field("link", pa.string()),
        pa.field("request_id", pa.int64()),
        pa.field("symbol", pa.string()),
        pa.field("cl_ord_id", pa.string()),
        pa.field("order_id", pa.string()),
        pa.field("side", pa.int8()),  # 0 buy, 1 sell
        pa.field("order_type", pa.string()),
        pa.field("price_ticks", pa.int64()),  # limit price; of a fill, the fill's
        pa.field("trigger_ticks", pa.int64()),
        pa.field("qty_lots", pa.int64()),  # total quantity; of a fill, the fill's
        pa.field("leaves_lots", pa.int64()),
        pa.field("cum_lots", pa.int64()),
        pa.field("ts_sent_ns", pa.int64()),
        pa.field("ts_arrived_ns", pa.int64()),
        pa.field("ts_venue_ns", pa.int64()),
        pa.field("ts_learned_ns", pa.int64()),
        # Of a command: None while unknown, "accepted", "rejected", or "lost" (the line dropped under it).
        pa.field("outcome", pa.string()),
        # Of a lost command, once something has proved its fate: "carried_out", "never_arrived", or "order_ended" (the
        # order it concerned is gone, whatever ended it).
        pa.field("resolution", pa.string()),
        # The neutral name of a refusal (framework.protocol.RejectReason), and the venue's own text.
        pa.field("reject_reason", pa.string()),
        pa.field("text", pa.string()),
        # Of a fill.
        pa.field("exec_id", pa.string()),
        pa.field("is_maker", pa.bool_()),
        pa.field("fee", pa.string()),  # exact decimal
        pa.field("fee_asset", pa.string()),
        # Best bid and ask at the engine just before the fill, and 1, 10 and 60 s after it (null past the market's end).
        pa.field("bid_ticks", pa.int64()),
        pa.field("ask_ticks", pa.int64()),
        pa.field("bid_1s_ticks", pa.int64()),
        pa.field("ask_1s_ticks", pa.int64()),
        pa.field("bid_10s_ticks", pa.int64()),
        pa.field("ask_10s_ticks", pa.int64()),
        pa.field("bid_60s_ticks", pa.int64()),
        pa.field("ask_60s_ticks", pa.int64()),
        # Of an amend that was carried out: whether the order kept its queue place (known to the simulation only).
        pa.field("is_queue_kept", pa.bool_()),
        # Of a command on arrival: the pair's rate counter after it was charged, in framework.protocol.POINT units,
        # and the counter's threshold.
        pa.field("counter", pa.int64()),
        pa.field("counter_threshold", pa.int64()),
        # Of OrderReachChanged: the links that can cancel the order now, comma-separated, "" for none.
        pa.field("reach", pa.string()),
        # Orders that a session or desk event concerns, comma-separated cl_ord_ids, where it is not one order.
        pa.field("cl_ord_ids", pa.string()),
    ]
)

TOUCH_SCHEMA = pa.schema(
    [
        pa.field("symbol", pa.string(), nullable=False),
        pa.field("ts_ns", pa.int64(), nullable=False),
        pa.field("bid_ticks", pa.int64()),  # null while the side is empty
        pa.field("bid_lots", pa.int64()),
        pa.field("ask_ticks", pa.int64()),
        pa.field("ask_lots", pa.int64()),
        pa.field("last_ticks", pa.int64()),
    ]
)

QUEUE_SCHEMA = pa.schema(
    [
        pa.field("ts_ns", pa.int64(), nullable=False),
        pa.field("cl_ord_id", pa.string(), nullable=False),
        pa.field("ahead_lots", pa.float64(), nullable=False),  # an estimate on L2, whole on L3
        pa.field("leaves_lots", pa.int64(), nullable=False),
        pa.field("level_lots", pa.int64(), nullable=False),  # market quantity at the order's price
    ]
)
