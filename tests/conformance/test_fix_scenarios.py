"""The acceptor scenarios of the QuickFIX suite for FIX 4.4, from its own files, over memory and over a socket.

All 59 scenarios of the suite are for an acceptor and apply; none is left out. What each demands is told in its name.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.fix.acceptor import AcceptorLine
from adapters.fix.serve import echo_acceptor
from tests.captures import require_capture
from tests.conformance.fix_scenarios import play, read_message

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
SILENCE_MAX_S = 60

SCENARIOS = [
    "10_MsgSeqNumEqual",
    "10_MsgSeqNumGreater",
    "10_MsgSeqNumLess",
    "11a_NewSeqNoGreater",
    "11b_NewSeqNoEqual",
    "11c_NewSeqNoLess",
    "13b_UnsolicitedLogoutMessage",
    "14a_BadField",
    "14b_RequiredFieldMissing",
    "14c_TagNotDefinedForMsgType",
    "14d_TagSpecifiedWithoutValue",
    "14e_IncorrectEnumValue",
    "14f_IncorrectDataFormat",
    "14g_HeaderBodyTrailerFieldsOutOfOrder",
    "14h_RepeatedTag",
    "14i_RepeatingGroupCountNotEqual",
    "15_HeaderAndBodyFieldsOrderedDifferently",
    "19a_PossResendMessageThatHAsAlreadyBeenSent",
    "19b_PossResendMessageThatHasNotBeenSent",
    "1a_ValidLogonMsgSeqNumTooHigh",
    "1a_ValidLogonWithCorrectMsgSeqNum",
    "1b_DuplicateIdentity",
    "1c_InvalidSenderCompID",
    "1c_InvalidTargetCompID",
    "1d_InvalidLogonBadSendingTime",
    "1d_InvalidLogonLengthInvalid",
    "1d_InvalidLogonWrongBeginString",
    "1e_NotLogonMessage",
    "20_SimultaneousResendRequest",
    "21_RepeatingGroupSpecifierWithValueOfZero",
    "2a_MsgSeqNumCorrect",
    "2b_MsgSeqNumTooHigh",
    "2c_MsgSeqNumTooLow",
    "2d_GarbledMessage",
    "2e_PossDupAlreadyReceived",
    "2e_PossDupNotReceived",
    "2f_PossDupOrigSendingTimeTooHigh",
    "2g_PossDupNoOrigSendingTime",
    "2i_BeginStringValueUnexpected",
    "2k_CompIDDoesNotMatchProfile",
    "2m_BodyLengthValueNotCorrect",
    "2o_SendingTimeValueOutOfRange",
    "2q_MsgTypeNotValid",
    "2r_UnregisteredMsgType",
    "2t_FirstThreeFieldsOutOfOrder",
    "3b_InvalidChecksum",
    "3c_GarbledMessage",
    "4a_NoDataSentDuringHeartBtInt",
    "4b_ReceivedTestRequest",
    "6_SendTestRequest",
    "7_ReceiveRejectMessage",
    "8_AdminAndApplicationMessages",
    "8_OnlyAdminMessages",
    "8_OnlyApplicationMessages",
    "AlreadyLoggedOn",
    "RejectResentMessage",
    "ReverseRoute",
    "ReverseRouteWithEmptyRoutingTags",
    "SessionReset",
]


def scenario(name: str) -> Path:
    return require_capture("quickfix-acceptance") / "fix44" / f"{name}.def"


class MemoryWire:
    """Connections in memory, in virtual time: while nothing comes, time goes on to what is due next."""

    def __init__(self) -> None:
        self._acceptor = echo_acceptor("ISLD", "TW44")
        self._now_ns = START
        self._lines: dict[int, AcceptorLine] = {}
        self._buffers: dict[int, bytes] = {}

    def now_ns(self) -> int:
        return self._now_ns

    def connect(self, number: int) -> None:
        self._lines[number] = self._acceptor.connect(self._now_ns)
        self._buffers[number] = b""

    def disconnect(self, number: int) -> None:
        self._lines.pop(number).closed(self._now_ns)

    def send(self, number: int, data: bytes) -> None:
        line = self._lines.get(number)
        if line is not None:
            for at in range(0, len(data), 7):  # in pieces, as a network may bring them
                line.receive(data[at : at + 7], self._now_ns)

    def read(self, number: int) -> bytes:
        line = self._lines.get(number)
        if line is None:
            return b""
        until_ns = self._now_ns + SILENCE_MAX_S * SECOND
        while True:
            self._buffers[number] += line.data_to_send()
            message = read_message(self._buffers[number])
            if message is not None:
                self._buffers[number] = message[1]
                return message[0]
            if line.wants_close:
                self.disconnect(number)
                return b""
            due_ns = line.next_timer_ns()
            assert due_ns is not None
            assert due_ns <= until_ns, "the engine is silent for good"
            self._now_ns = max(self._now_ns, due_ns)
            line.on_timer(self._now_ns)


class SocketWire:
    """Connections over TCP to a process that runs the command."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sockets: dict[int, socket.socket] = {}
        self._buffers: dict[int, bytes] = {}

    def now_ns(self) -> int:
        return time.time_ns()

    def connect(self, number: int) -> None:
        self._sockets[number] = socket.create_connection(("127.0.0.1", self._port), timeout=25)
        self._buffers[number] = b""

    def disconnect(self, number: int) -> None:
        self._sockets.pop(number).close()

    def send(self, number: int, data: bytes) -> None:
        self._sockets[number].sendall(data)

    def read(self, number: int) -> bytes:
        while (message := read_message(self._buffers[number])) is None:
            data = self._sockets[number].recv(65_536)
            if not data:
                return b""
            self._buffers[number] += data
        self._buffers[number] = message[1]
        return message[0]

    def close(self) -> None:
        for number in list(self._sockets):
            self.disconnect(number)


@pytest.fixture(scope="module")
def served() -> Iterator[int]:
    """The port of ``tidegate fix-acceptor``."""
    command = ["fix-acceptor", "--port", "0", "--sender", "ISLD", "--target", "TW44"]
    with subprocess.Popen(
        [sys.executable, "-m", "framework.cli", *command], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield int(line.rsplit(":", 1)[1])
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_engine_passes_a_scenario_over_memory(name: str) -> None:
    assert play(scenario(name), MemoryWire()) > 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_command_passes_a_scenario_over_a_socket(name: str, served: int) -> None:
    path = scenario(name)
    wire = SocketWire(served)
    try:
        assert play(path, wire) > 0
    finally:
        wire.close()


def test_the_suite_has_no_scenario_that_is_left_out() -> None:
    folder = require_capture("quickfix-acceptance") / "fix44"
    assert sorted(path.stem for path in folder.glob("*.def")) == sorted(SCENARIOS)
