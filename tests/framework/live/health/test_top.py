"""``tidegate top``: a frame says how a run stands, fits its screen, and says so where there is no run."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from framework.live.health.log_writer import STATUS_NAME
from framework.live.health.status import Happened, LogStatus, Status, encode_status
from framework.live.health.top_frame import frame
from tests.framework.command import read_error, tidegate
from tests.framework.live.health.statuses import START_NS, budget, instrument, latency, order, road, status

ROOT = Path(__file__).parents[4]
US, MS = 1_000, 1_000_000
WAIT_S = 30.0


def shown(standing: Status, width: int = 200, height: int | None = None, **given: Any) -> list[str]:
    return [line.text for line in frame(standing, width=width, height=height, **given)]


def alarms(standing: Status, **given: Any) -> list[str]:
    return [line.text for line in frame(standing, width=200, height=None, **given) if line.style == "alarm"]


def row(lines: list[str], beginning: str) -> list[str]:
    (found,) = [line for line in lines if line.startswith(beginning)]
    return found.split()


# ------------------------------------------------------------------------------------------------- a frame


def test_a_frame_says_all_that_matters_of_a_run() -> None:
    ack = (latency(2 * MS, 3 * MS, command="add"), latency(700 * MS, command="query"))
    standing = status(
        roads=(
            road("ws2", orders=11, cancels=9, rejected={"cancel": 1}, fills=2, lost={"add": 1}, opened=1, resumed=2,
                 resyncs=1, gaps=3, acknowledged=ack, fill_learned=latency(6 * MS)),
            road("rest", is_up=False, session_id=""),
        ),
        stages={name: latency(80 * US) for name in ("decode", "strategy", "journal", "write", "tick_to_order")},
        orders=(order(), order("11", side="sell", price=None, knowledge="unknown", reach=())),
        order_count=2,
        unreachable=1,
        unknown=1,
        unknown_total=4,
    )  # fmt: skip
    assert (
        "\n".join(shown(standing))
        == """\
tidegate paper  MarketMaker  RUNNING  12:01:00 UTC  for 1:00 min  process 4242
2 orders open, 1 out of reach; outcomes unknown: 1 (4 so far); 0 denied
P&L 0.50 USD: realised 1.50, unrealised -0.25, fees -0.75
journal 5.37 kB

ROAD  STATE  ORDERS  CANCELS  REJECTS  FILLS  ACK p50      p99  FILL p50      p99  LOST  AGAIN  GAPS  SESSION
ws2   up         11        9        1      2     2 ms  2.98 ms      6 ms  6.98 ms     1      3     3    ws2#1
rest  DOWN        0        0        0      0        -        -         -        -     0      0     0        -

BYTES IN TO OUT   decode  strategy  journal    write      all  (since the beginning)
p50                85 us     85 us    85 us    85 us    85 us
p99              99.7 us   99.7 us  99.7 us  99.7 us  99.7 us

INSTRUMENT  POSITION      BID      ASK  REALISED  UNREALISED      HEARD  FILLS  LOST  MISSED  CARRIED
BTC/USD         0.01  89657.8  89660.1      1.50       -0.25  0.2 s ago      3     0       0        0

BUDGET           USED  LIMIT  VENUE SAYS
orders  BTC/USD  47.1    180           -  [#####...............]

OPEN ORDERS  2
100000000000000010  BTC/USD  buy   0.01  filled 0     at 89632.6  1:15 min     open  by ws2, rest
11                  BTC/USD  sell  0.01  filled 0  at the market  1:15 min  unknown  OUT OF REACH

RECENT
12:00:00  the strategy has started"""
    )


def test_what_somebody_should_look_at_stands_out() -> None:
    standing = status(
        roads=(road("ws2"), road("rest", is_up=False, session_id="")),
        instruments=(instrument(), instrument("ETH/USD", is_lost=True)),
        budgets=(budget(used=150.0), budget(kind="calls", name="rest", used=3.0, limit=20.0)),
        orders=(order("7", reach=()),),
        order_count=1,
        unreachable=1,
        log=LogStatus(lost=3, failure="No space left on device"),
        kill_switch="limit daily_loss_max",
        recent=(Happened(ts_ns=START_NS, level="warning", text="warning: no"),),
    )
    assert [text.split()[0] for text in alarms(standing, trouble="SILENT for 9 s")] == [
        "SILENT", "KILL", "1", "journal", "rest", "ETH/USD", "orders", "7", "12:00:00",
    ]  # fmt: skip
    assert alarms(status()) == []


def test_the_kill_switch_says_whether_the_venue_has_said_that_nothing_is_open() -> None:
    pulled = "KILL SWITCH PULLED: by hand; "
    assert f"{pulled}not proved yet that nothing is open" in shown(status(kill_switch="by hand"))
    assert f"{pulled}the venue says that nothing is open" in shown(status(kill_switch="by hand", kill_proved=True))


def test_a_result_without_a_price_is_not_made_up() -> None:
    assert "P&L ? USD: realised 1.50, unrealised 0.00, fees -0.75" in shown(
        status(instruments=(instrument(unrealised=None, bid=None, ask=None),))
    )


def test_fees_in_another_asset_are_told_apart() -> None:
    standing = status(fees={"BTC": Decimal("0.02")})
    assert shown(standing)[2] == "P&L 1.25 USD: realised 1.50, unrealised -0.25, fees 0.00; fees -0.02 BTC"


def test_latencies_are_those_since_an_earlier_frame_where_there_is_one() -> None:
    slow, fast = [400 * MS] * 50, [1 * MS] * 50
    before = status(roads=(road(acknowledged=(latency(*slow, command="add"),)),))
    now = status(roads=(road(acknowledged=(latency(*slow, *fast, command="add"),)),))
    assert row(shown(now, before=before), "ws2")[6:10] == row(shown(status(roads=(
        road(acknowledged=(latency(*fast, command="add"),)),
    ))), "ws2")[6:10]  # fmt: skip
    assert row(shown(now), "ws2") != row(shown(now, before=before), "ws2")


@pytest.mark.parametrize("width", [20, 40, 79, 80, 120])
@pytest.mark.parametrize("height", [1, 5, 24, 50])
def test_a_frame_fits_its_screen(width: int, height: int) -> None:
    happened = tuple(Happened(ts_ns=START_NS, level="info", text="x" * 300) for _ in range(20))
    standing = status(orders=tuple(order(str(n)) for n in range(50)), order_count=70, recent=happened)
    lines = shown(standing, width, height)
    assert len(lines) <= height
    assert all(len(line) <= width for line in lines)


def test_what_does_not_fit_is_said_to_be_there() -> None:
    standing = status(orders=tuple(order(str(n)) for n in range(50)), order_count=70)
    lines = shown(standing, 120, 30)
    left = [line for line in lines if line.startswith("and ")]
    assert len(left) == 1
    assert left[0].endswith("more orders")
    assert "and 20 more" in shown(standing)
    assert shown(status(strategy="S" * 100), 40)[0].endswith("…")


def test_the_newest_events_are_seen_on_a_small_screen() -> None:
    happened = tuple(Happened(ts_ns=START_NS, level="info", text=f"event {n}") for n in range(20))
    standing = status(orders=tuple(order(str(n)) for n in range(50)), order_count=50, recent=happened)
    assert shown(standing, 80, 30)[-1] == "12:00:00  event 19"


# ------------------------------------------------------------------------------------------------- the command


def placed(folder: Path, **given: Any) -> Path:
    options = {"process_id": os.getpid(), "written_s": time.time()} | given
    folder.mkdir(exist_ok=True)
    (folder / STATUS_NAME).write_bytes(encode_status(status(**options)))
    return folder


def test_once_prints_a_frame_of_a_run_by_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = tidegate(capsys, "top", placed(tmp_path / "run"), "--once")
    assert said.code == 0
    assert said.out.startswith("tidegate paper  MarketMaker  RUNNING")
    assert "\x1b" not in said.out


def test_without_a_name_it_is_the_newest_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "there is no run in runs" in read_error(tidegate(capsys, "top", "--once"))
    (tmp_path / "runs").mkdir()
    os.utime(placed(tmp_path / "runs" / "old", strategy="Old") / STATUS_NAME, (1, 1))
    placed(tmp_path / "runs" / "new", strategy="New")
    assert tidegate(capsys, "top", "--once").out.startswith("tidegate paper  New  RUNNING")


@pytest.fixture
def gone() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_run_whose_process_is_gone_is_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], gone: int
) -> None:
    said = tidegate(capsys, "top", placed(tmp_path / "run", process_id=gone, written_s=time.time() - 40), "--once")
    assert said.code == 1
    assert f"NOT RUNNING: process {gone} is gone; heard last 40 s ago" in said.out


def test_a_run_that_is_over_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = tidegate(capsys, "top", placed(tmp_path / "run", state="over"), "--once")
    assert said.code == 1
    assert "THE RUN IS OVER, 0 s ago" in said.out


def test_a_run_that_says_nothing_is_said_to_be_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = tidegate(capsys, "top", placed(tmp_path / "run", written_s=time.time() - 30), "--once")
    assert said.code == 1
    assert "SILENT for 30 s: the process is there, and says nothing" in said.out


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda folder: None, "there is no such folder"),
        (lambda folder: folder.mkdir(), "no run has said here how it stands"),
        (lambda folder: (placed(folder) / STATUS_NAME).write_text("{}"), "is not the status of a run of this version"),
        (
            lambda folder: (placed(folder) / STATUS_NAME).write_bytes(b"\xff\xfe"),
            "is not the status of a run of this version",
        ),
        (
            lambda folder: (placed(folder) / STATUS_NAME).write_text(
                json.dumps(json.loads(encode_status(status())) | {"format": 99})
            ),
            "is of format 99, and this version reads 1",
        ),
    ],
)
def test_where_there_is_no_run_it_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Any, complaint: str
) -> None:
    make(tmp_path / "run")
    assert complaint in read_error(tidegate(capsys, "top", tmp_path / "run", "--once"))


class _Answers(BaseHTTPRequestHandler):
    code, body = 200, b""

    def do_GET(self) -> None:
        self.send_response(self.code)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), _Answers) as opened:
        Thread(target=opened.serve_forever, daemon=True).start()
        yield opened
        opened.shutdown()


def test_a_run_is_read_by_its_address(
    server: HTTPServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Answers, "body", encode_status(status()))
    port = server.server_port
    for target in (f"http://127.0.0.1:{port}", f"http://localhost:{port}/metrics", f"127.0.0.1:{port}", f":{port}"):
        said = tidegate(capsys, "top", target, "--once")
        assert (said.code, said.out.splitlines()[0][:36]) == (0, "tidegate paper  MarketMaker  RUNNING"), target


@pytest.mark.parametrize(
    ("code", "body", "complaint"),
    [(404, b"no", "what answers there is no run (HTTP 404)"), (200, b"<html>", "is not the status of a run")],
)
def test_what_answers_there_and_is_no_run_is_said_to_be_none(
    server: HTTPServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    body: bytes,
    complaint: str,
) -> None:
    monkeypatch.setattr(_Answers, "code", code)
    monkeypatch.setattr(_Answers, "body", body)
    assert complaint in read_error(tidegate(capsys, "top", f"127.0.0.1:{server.server_port}", "--once"))


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("127.0.0.1:1", "http://127.0.0.1:1: no run answers there (Connection refused)"),
        ("http://", "http://: not an address; give http://host:port"),
        ("http://127.0.0.1:99999", "not an address"),
    ],
)
def test_an_address_where_nothing_is_is_said_in_a_line(
    capsys: pytest.CaptureFixture[str], target: str, complaint: str
) -> None:
    assert complaint in read_error(tidegate(capsys, "top", target, "--once"))


def top(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"} | options.pop("env", {})
    command = [sys.executable, "-m", "framework.cli", "top", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, **options)


def test_in_a_pipe_frames_follow_each_other_and_end_with_the_run(tmp_path: Path) -> None:
    folder = placed(tmp_path / "run")
    process = top(folder, "--every", "0.2", stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith(b"tidegate paper  MarketMaker  RUNNING")
        placed(folder, state="over")
        rest = process.stdout.read().decode()
        assert process.wait(WAIT_S) == 1
    finally:
        process.kill()
    assert "THE RUN IS OVER" in rest
    assert "\x1b" not in rest


class _Terminal:
    """A terminal of a size, and what is on it."""

    def __init__(self, folder: Path, columns: int, lines: int, **env: str) -> None:
        self.master, self._slave = pty.openpty()
        self.resize(columns, lines)
        self.seen = b""
        ends = {"stdin": self._slave, "stdout": self._slave, "stderr": self._slave}
        self.process = top(folder, "--every", "0.3", env=env, **ends)

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, text: bytes) -> bytes:
        """What is drawn until something is."""
        end_s = time.monotonic() + WAIT_S
        while text not in self.seen:
            assert time.monotonic() < end_s, self.seen[-2_000:]
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 65_536)
        before, _, self.seen = self.seen.partition(text)
        return before + text

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self._slave)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[_Terminal]:
    orders = tuple(order(str(n)) for n in range(30))
    opened = _Terminal(placed(tmp_path / "run", orders=orders, order_count=30), 80, 24)
    yield opened
    opened.close()


def test_on_a_terminal_a_frame_takes_the_place_of_the_one_before_and_q_leaves_all_as_it_was(
    terminal: _Terminal,
) -> None:
    assert terminal.until(b"\x1b[?1049h\x1b[?25l").count(b"\n") == 0
    for _ in range(2):  # each from the corner, and nothing scrolls
        drawn = terminal.until(b"\x1b[J")
        assert drawn.startswith(b"\x1b[H")
        assert drawn.count(b"\r\n") == 23
    os.write(terminal.master, b"q")
    terminal.until(b"\x1b[?25h\x1b[?1049l")
    assert terminal.process.wait(WAIT_S) == 0


def test_it_takes_the_new_size_of_a_terminal(terminal: _Terminal) -> None:
    terminal.until(b"\x1b[J")
    terminal.resize(60, 12)
    end_s = time.monotonic() + WAIT_S
    while (drawn := terminal.until(b"\x1b[J")).count(b"\r\n") != 11:
        assert time.monotonic() < end_s
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn.decode()).split("\r\n")
    assert max(map(len, lines)) <= 60


def test_ctrl_c_leaves_it_too(terminal: _Terminal) -> None:
    terminal.until(b"\x1b[J")
    os.write(terminal.master, b"\x03")
    terminal.process.send_signal(2)
    terminal.until(b"\x1b[?25h\x1b[?1049l")
    assert terminal.process.wait(WAIT_S) == 0


def test_without_colours_where_none_are_wanted(tmp_path: Path) -> None:
    opened = _Terminal(placed(tmp_path / "run"), 80, 24, NO_COLOR="1")
    try:
        opened.until(b"\x1b[?25l")
        assert b"m" + b"tidegate" not in opened.until(b"\x1b[J")
    finally:
        opened.close()


def test_a_dumb_terminal_is_sent_no_controls(tmp_path: Path) -> None:
    opened = _Terminal(placed(tmp_path / "run"), 80, 24, TERM="dumb")
    try:
        assert b"\x1b" not in opened.until(b"RECENT")
    finally:
        opened.close()
