"""The QuickFIX engine as initiator against ``tidegate fix-acceptor``, over a socket.

quickfix builds from source for minutes and is skipped where it is not installed (``make conformance`` installs it).
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

fix = pytest.importorskip("quickfix")

CHECKOUT = Path(__file__).resolve().parents[2]
WAIT_S = 15


class Heard(fix.Application):  # type: ignore[misc]
    """Writes down what QuickFIX tells its application."""

    def __init__(self) -> None:
        super().__init__()
        self.is_logged_on = threading.Event()
        self.is_logged_out = threading.Event()
        self.received: list[str] = []
        self.admin: list[str] = []

    def onCreate(self, session: Any) -> None: ...

    def onLogon(self, session: Any) -> None:
        self.is_logged_out.clear()
        self.is_logged_on.set()

    def onLogout(self, session: Any) -> None:
        self.is_logged_on.clear()
        self.is_logged_out.set()

    def toAdmin(self, message: Any, session: Any) -> None: ...

    def fromAdmin(self, message: Any, session: Any) -> None:
        self.admin.append(message.toString())

    def toApp(self, message: Any, session: Any) -> None: ...

    def fromApp(self, message: Any, session: Any) -> None:
        self.received.append(message.toString())


@pytest.fixture
def port() -> Iterator[int]:
    command = ["fix-acceptor", "--port", "0", "--sender", "ISLD", "--target", "TW44"]
    with subprocess.Popen(
        [sys.executable, "-m", "framework.cli", *command], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline().rsplit(":", 1)[1])
        process.terminate()
        assert process.wait(10) == 0


@pytest.fixture
def heard(port: int, tmp_path: Path) -> Iterator[Heard]:
    settings = tmp_path / "initiator.cfg"
    settings.write_text(
        "[DEFAULT]\nConnectionType=initiator\nReconnectInterval=1\nStartTime=00:00:00\nEndTime=00:00:00\nHeartBtInt=1\n"
        f"UseDataDictionary=N\nFileStorePath={tmp_path}/store\nSocketConnectHost=127.0.0.1\n"
        f"SocketConnectPort={port}\nResetOnLogon=Y\n[SESSION]\nBeginString=FIX.4.4\nSenderCompID=TW44\n"
        "TargetCompID=ISLD\n"
    )
    application = Heard()
    chosen = fix.SessionSettings(str(settings))
    initiator = fix.SocketInitiator(application, fix.MemoryStoreFactory(), chosen)
    initiator.start()
    try:
        assert application.is_logged_on.wait(WAIT_S)
        yield application
    finally:
        initiator.stop()


def until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s, "QuickFIX was not told in time"
        time.sleep(0.02)


def send_order(number: int) -> None:
    message = fix.Message()
    message.getHeader().setField(fix.MsgType("D"))
    for tag, value in ((11, f"id{number}"), (21, "1"), (55, "INTC"), (54, "1"), (40, "1"), (38, "100")):
        message.setField(tag, value)
    message.setField(fix.TransactTime())
    fix.Session.sendToTarget(message, fix.SessionID("FIX.4.4", "TW44", "ISLD"))


def test_quickfix_logs_on_and_its_orders_come_back(heard: Heard) -> None:
    for number in range(20):
        send_order(number)
    until(lambda: len(heard.received) == 20)
    assert [f"\x0111=id{number}\x01" in text for number, text in enumerate(heard.received)] == [True] * 20


def test_quickfix_and_the_acceptor_keep_a_quiet_line_open(heard: Heard) -> None:
    until(lambda: sum("\x0135=0\x01" in text for text in heard.admin) >= 3)
    assert heard.is_logged_on.is_set()


def test_quickfix_asks_for_a_gap_and_gets_the_messages_again(heard: Heard) -> None:
    for number in range(3):
        send_order(number)
    until(lambda: len(heard.received) == 3)
    session = fix.Session.lookupSession(fix.SessionID("FIX.4.4", "TW44", "ISLD"))
    session.setNextTargetMsgSeqNum(2)  # as if it had received nothing since the logon
    send_order(3)
    until(lambda: len(heard.received) >= 7)
    again = [text for text in heard.received[3:] if "\x0143=Y\x01" in text]
    assert [f"\x0111=id{number}\x01" in text for number, text in enumerate(again)] == [True] * 3
    assert all("\x01122=" in text for text in again)


def test_quickfix_logs_out_and_on_again(heard: Heard) -> None:
    session = fix.Session.lookupSession(fix.SessionID("FIX.4.4", "TW44", "ISLD"))
    session.logout()
    assert heard.is_logged_out.wait(WAIT_S)
    session.logon()
    assert heard.is_logged_on.wait(WAIT_S)
    send_order(1)
    until(lambda: len(heard.received) == 1)
