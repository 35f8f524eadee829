"""What the FIX engine costs: encoding and decoding against simplefix, and a whole session with its store on a file.

Times are of the processor, the two sides take turns, the least of several rounds is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import simplefix

from adapters.fix.codec import decode, encode, frame_fault
from adapters.fix.store import FileStore
from tests.adapters.fix.session_pair import Pair, order

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
