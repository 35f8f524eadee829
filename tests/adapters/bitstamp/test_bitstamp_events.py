from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from adapters.bitstamp.events import BookSeen, Changed, Created, Deleted, Traded, read_events
from framework.errors import DataError
from framework.protocol import BUY, SELL
from tests.captures import require_capture

LINES = """\
1430438404518 order_created {"price": "236.47", "amount": "2.00000000", "datetime": "1430438404", "id": 65, "order_type": 0}
1430438404635 order_changed {"price": "236.47", "amount": "1.78855669", "datetime": "1430438404", "id": 65, "order_type": 0}
1430438404637 order_deleted {"price": "236.47", "amount": "0.00000000", "datetime": "1430438340", "id": 64, "order_type": 1}
1430438404645 trade {"price": 236.97999999999999, "amount": 0.29999999999999999, "id": 8111041}
1430438405885 order_book {"bids": [["236.47", "1.78855669"]], "asks": [["236.64", "3.79520000"], ["236.65", "1.0"]]}
"""  # noqa: E501


def test_each_event_of_a_recording_is_a_value(tmp_path: Path) -> None:
    file = tmp_path / "events.log"
    file.write_text(LINES)
    ms = 1_000_000
    assert list(read_events(file)) == [
        Created(line=1, ts_recv_ns=1430438404518 * ms, order=65, side=BUY, price_ticks=23647, qty_lots=200_000_000),
        Changed(line=2, ts_recv_ns=1430438404635 * ms, order=65, side=BUY, price_ticks=23647, qty_lots=178_855_669),
        Deleted(line=3, ts_recv_ns=1430438404637 * ms, order=64, side=SELL, price_ticks=23647, qty_lots=0),
        # Trades are printed as binary floats: the nearest tick and lot is meant.
        Traded(line=4, ts_recv_ns=1430438404645 * ms, price_ticks=23698, qty_lots=30_000_000),
        BookSeen(
            line=5,
            ts_recv_ns=1430438405885 * ms,
            bids=((23647, 178_855_669),),
            asks=((23664, 379_520_000), (23665, 100_000_000)),
        ),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("garbage", "line 1: not `receive_time_ms event json` (not enough values to unpack"),
        ("1 trade {", "line 1: not `receive_time_ms event json` (Expecting property name"),
        ("1 trade {}", "line 1: not `receive_time_ms event json` ('price')"),
        ('1 trade {"price": "x", "amount": "1"}', "line 1: not `receive_time_ms event json` ("),
        ("1 gossip {}", "line 1: not `receive_time_ms event json` (event 'gossip' is not known)"),
        (
            '1 order_created {"price": "1.005", "amount": "1", "id": 1, "order_type": 0}',
            "line 1: not `receive_time_ms event json` (1.005 is not a multiple of 0.01)",
        ),
        (
            '1 order_created {"price": "1.00", "amount": "1", "id": 1, "order_type": 2}',
            "line 1: not `receive_time_ms event json` (tuple index out of range)",
        ),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "events.log"
    file.write_text(line + "\n")
    with pytest.raises(DataError) as caught:
        list(read_events(file))
    assert str(caught.value).startswith(f"{file}, {message}")
    assert str(caught.value).endswith("; the line is damaged, cut the file before it")


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "events.log.xz"
    file.write_bytes(lzma.compress((LINES * 1000).encode())[:-50])
    with pytest.raises(DataError, match=r"damaged or truncated \(.*\); get the file again"):
        list(read_events(file))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="give the file of an order by order recording"):
        list(read_events(tmp_path / "none.log"))


def test_the_capture_is_read_in_full() -> None:
    events = list(read_events(require_capture("bitstamp-l3-2015-05-01") / "events.log.xz"))
    kinds = [type(event) for event in events]
    counts = {kind: kinds.count(kind) for kind in (Created, Changed, Deleted, Traded, BookSeen)}
    assert counts == {Created: 17648, Changed: 474, Deleted: 17659, Traded: 448, BookSeen: 3567}
