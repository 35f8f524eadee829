"""What the FIX engine costs: encoding and decoding against simplefix, and a whole session with its store on a file.

Times are of the processor, the two sides take turns, the least of several rounds is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import simplefix

from adapters.fix.acceptor import Acceptor
from adapters.fix.codec import decode, encode, frame_fault
from adapters.fix.session import Session
from adapters.fix.settings import SessionSettings
from adapters.fix.store import FileStore, MemoryStore
from adapters.kraken.wire.fix.fields import write_tail
from adapters.kraken.wire.fix.orders import ExecutionReport, MiscFee, NewOrderSingle
from adapters.kraken.wire.fix_dialect import KRAKEN_FIX
from tests.adapters.fix.session_pair import Ear, Pair, order

pytestmark = pytest.mark.benchmark

ROUNDS, COUNT = 7, 3_000
HEADER = ((34, b"1234"), (49, b"CLIENT"), (52, b"20260801-12:00:00.123"), (56, b"KRAKEN-TRD"))
NEW_ORDER = (
    *HEADER, (11, b"1785585600000001"), (18, b"s"), (38, b"0.50000000"), (40, b"2"), (44, b"64000.1"), (54, b"1"),
    (55, b"BTC/USD"), (59, b"1"), (60, b"20260801-12:00:00.123"),
)  # fmt: skip
REPORT = (
    *HEADER, (6, b"64000.1"), (11, b"1785585600000001"), (14, b"0.2"), (17, b"TABCDE-FGHIJ-KLMNOP"), (31, b"64000.1"),
    (32, b"0.2"), (37, b"OABCDE-FGHIJ-KLMNOP"), (38, b"0.50000000"), (39, b"1"), (40, b"2"), (44, b"64000.1"),
    (54, b"1"), (55, b"BTC/USD"), (58, b"filled"), (59, b"1"), (60, b"20260801-12:00:00.123"), (150, b"F"),
    (151, b"0.3"), (851, b"1"), (12, b"0.1"), (13, b"3"), (15, b"USD"), (119, b"12800.02"), (136, b"0"),
)  # fmt: skip


NOW_NS = 1_785_585_600_123_000_000
_NEW_ORDER = NewOrderSingle(
    cl_ord_id="019fbd1e-c000-4000-8000-000000000001", exec_inst="P s", order_qty="0.50000000", ord_type="2",
    price="64000.1", side="1", symbol="BTC/USD", time_in_force="1", transact_time="20260801-12:00:00.123",
)  # fmt: skip
_REPORT = ExecutionReport(
    avg_px="64000.1", cl_ord_id="019fbd1e-c000-4000-8000-000000000001", cum_qty="0.20000000", exec_id="EABCDE-1",
    exec_inst="P s", last_px="64000.1", last_qty="0.20000000", order_id="OABCDE-FGHIJ-KLMNOP", order_qty="0.50000000",
    ord_status="1", ord_type="2", price="64000.1", side="1", symbol="BTC/USD", time_in_force="1",
    transact_time="20260801-12:00:00.123", exec_type="F", leaves_qty="0.30000000", trade_id="TABCDE-FGHIJ-KLMNOP",
    liquidity_ind="0", no_misc_fees=[MiscFee(misc_fee_amt="12.8", misc_fee_curr="USD", misc_fee_type=4)],
)  # fmt: skip


def least_us(*works: Callable[[], object]) -> list[float]:
    """Microseconds of one call of each work."""
    least = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for index, work in enumerate(works):
            began = time.process_time()
            for _ in range(COUNT):
                work()
            least[index] = min(least[index], (time.process_time() - began) / COUNT * 1e6)
    return least


def test_encode_and_decode_against_simplefix() -> None:
    def theirs() -> bytes:
        message = simplefix.FixMessage()
        message.append_pair(8, b"FIX.4.4", header=True)
        message.append_pair(35, b"D", header=True)
        for tag, value in NEW_ORDER:
            message.append_pair(tag, value)
        return bytes(message.encode())

    frame = encode(b"FIX.4.4", b"8", REPORT)

    def ours_decoded() -> object:
        assert frame_fault(frame) is None
        return decode(frame).get(150)

    def theirs_decoded() -> object:
        parser = simplefix.FixParser()
        parser.append_buffer(frame)
        message = parser.get_message()
        assert message is not None
        return message.get(150)

    assert theirs() == encode(b"FIX.4.4", b"D", NEW_ORDER)
    assert theirs_decoded() == ours_decoded() == b"F"
    ours, simple = least_us(lambda: encode(b"FIX.4.4", b"D", NEW_ORDER), theirs)
    print(
        f"\nencode NewOrderSingle: {ours:.1f} us, simplefix {simple:.1f} us, {simple / ours:.1f} times (must 5, aim 10)"
    )
    ours, simple = least_us(ours_decoded, theirs_decoded)
    print(
        f"decode ExecutionReport: {ours:.1f} us, simplefix {simple:.1f} us, {simple / ours:.1f} times (must 10, aim 15)"
    )


def test_orders_and_reports_through_the_client_s_session_with_its_store_on_a_file(tmp_path: Path) -> None:
    """Each order is numbered, written, stored and handed to the line; each report is cut, checked against Kraken's
    dialect, read, dealt with, and its number stored.
    """
    order_tail, report = write_tail(_NEW_ORDER), write_tail(_REPORT)
    rates = []
    for round_number in range(5):
        ear, count = Ear(), 4_000
        store = FileStore(tmp_path / f"client-{round_number}")
        client = Session(SessionSettings(sender_comp_id="US", target_comp_id="THEM"), KRAKEN_FIX, store, ear)
        names = SessionSettings(sender_comp_id="THEM", target_comp_id="US")
        server = Session(names, KRAKEN_FIX, MemoryStore(), Ear())
        acceptor = Acceptor(lambda _, server=server: server)  # type: ignore[misc]
        line = acceptor.connect(NOW_NS)
        client.connect(NOW_NS)
        line.receive(client.data_to_send(), NOW_NS)
        client.receive(line.data_to_send(), NOW_NS)
        reports = []
        for _ in range(count):
            server.send(b"8", (), NOW_NS, tail=report)
            reports.append(server.data_to_send())
        began_s = time.process_time()
        for _ in range(count):
            client.send(b"D", (), NOW_NS, tail=order_tail)
            client.data_to_send()
        sent_s = time.process_time() - began_s
        began_s = time.process_time()
        for data in reports:
            client.receive(data, NOW_NS)
        received_s = time.process_time() - began_s
        assert len(ear.orders) == count
        assert store.next_target == store.next_sender == count + 2
        store.close()
        rates.append((count / sent_s, count / received_s, 2 * count / (sent_s + received_s)))
    sent, received, all_told = max(rates, key=lambda rate: rate[2])
    print(
        f"\nFIX session, client's end, store on a file: {sent:,.0f} orders/s sent, {received:,.0f} reports/s received, "
        f"{all_told:,.0f} messages/s of both (must 20,000, aim 50,000)"
    )


def test_messages_through_a_session_with_its_store_on_a_file(tmp_path: Path) -> None:
    rates = []
    for round_number in range(3):
        pair = Pair(server_store=FileStore(tmp_path / str(round_number))).open()
        body = order(1)
        count = 5_000
        began = time.process_time()
        for _ in range(count):
            pair.server.send(b"D", body, pair.now_ns)
        sent_s = time.process_time() - began
        data = pair.server.data_to_send()
        began = time.process_time()
        pair.client.receive(data, pair.now_ns)
        received_s = time.process_time() - began
        assert len(pair.client_ear.orders) == count
        rates.append((count / sent_s, count / received_s, count / (sent_s + received_s)))
    sent, received, both = max(rates, key=lambda rate: rate[2])
    print(
        f"\nFIX session: {sent:,.0f} messages/s sent and stored, {received:,.0f} received and checked, "
        f"{both:,.0f} through both ends (must 20,000, aim 50,000)"
    )
