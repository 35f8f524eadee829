"""What an order costs over FIX, from the bytes of a NewOrderSingle to the bytes of its report.

The same orders go to two venues, through the gateway and straight to the host, in turns; what is printed is the median
and the least of the batches on one core, garbage collection as in the served venue. 10,000 orders a second leave 100 us
for the gateway, the venue and the socket together. Nothing fails for being slow.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Iterator

import pytest

from adapters.fix.codec import encode
from adapters.fix.times import utc_timestamp
from adapters.kraken.server.shell.serve import COLLECT_AFTER
from framework.messages import AddOrder, CancelAll
from framework.protocol import BUY, OrderType
from tests.adapters.kraken.server.fix_rig import Fix
from tests.framework.venue.served.served_rig import SECOND, Client

pytestmark = pytest.mark.benchmark

BATCHES = 100
BATCH = 64


@pytest.fixture
def _collected_as_served() -> Iterator[None]:
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.usefixtures("_collected_as_served")
def test_what_an_order_costs_over_fix() -> None:
    through, straight = Fix(), Fix()
    desk = through.desk().open()
    written: list[bytes] = []
    assert desk._line is not None
    desk._line._send = written.append
    receive = desk._line.receive
    client = Client(straight.host, "rest")
    seq_num, order = desk.session.next_sender, 10**6
    through_us, venue_us = [], []
    for batch in range(BATCHES):
        for side in (through, straight):
            side.host.run_until(side.host.now_ns + 200 * SECOND)
        frames = []
        now = utc_timestamp(through.host.now_ns)
        for number in range(BATCH):
            order += 1
            fields = (
                (34, b"%d" % seq_num), (49, b"A0"), (52, now), (56, b"KRAKEN-TRD"), (11, b"%d" % order),
                (38, b"0.001"), (40, b"2"), (44, b"9%d.%d" % (number % 10, number % 7)), (54, b"1"), (55, b"BTC/USD"),
                (59, b"1"), (60, now),
            )  # fmt: skip
            frames.append(encode(b"FIX.4.4", b"D", fields))
            seq_num += 1
        data = b"".join(frames)
        began = time.thread_time_ns()
        receive(data)
        through_us.append((time.thread_time_ns() - began) / BATCH / 1e3)
        assert b"".join(written).count(b"\x01150=0\x01") == BATCH
        written.clear()
        commands = [
            AddOrder(
                request_id=straight.host.next_request_id(), cl_ord_id=str(order + number), symbol="BTC/USD", side=BUY,
                order_type=OrderType.LIMIT, qty_lots=10, limit_ticks=90 + number % 10,
            )
            for number in range(BATCH)
        ]  # fmt: skip
        began = time.thread_time_ns()
        for command in commands:
            straight.host.submit(client.line_id, command)
        venue_us.append((time.thread_time_ns() - began) / BATCH / 1e3)
        assert len(straight.host.records.orders_open("a0")) == BATCH, batch
        assert len(through.host.records.orders_open("a0")) == BATCH, batch
        order += 1
        cancel = ((34, b"%d" % seq_num), (49, b"A0"), (52, now), (56, b"KRAKEN-TRD"), (11, b"%d" % order), (530, b"7"))
        receive(encode(b"FIX.4.4", b"q", (*cancel, (60, now))))
        seq_num += 1
        written.clear()
        straight.host.submit(client.line_id, CancelAll(request_id=straight.host.next_request_id()))
        client.heard.clear()
    whole, venue = statistics.median(through_us), statistics.median(venue_us)
    print(
        f"\nFIX NewOrderSingle: {whole:.0f} us ({min(through_us):.0f} at least) to its report, {venue:.0f} "
        f"({min(venue_us):.0f}) of it the host and the venue; 100 leave no time for the socket"
    )
