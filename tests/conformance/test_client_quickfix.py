"""The QuickFIX engine as initiator against the FIX ports of the served venue, trading and market data.

Its application adds Kraken's password to each Logon, and its dictionary holds what it is sent to the fields that Kraken
documents: it rejects a message that is otherwise, which ends a test. It is built from source for minutes and is skipped
where it is not installed (``make conformance`` installs it). Checksums are verified here, over the digits that came.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.fix.codec import Message, decode
from adapters.kraken.wire.fix_dialect import KRAKEN_FIX, logon_password
from adapters.kraken.wire.fix_market_dialect import KRAKEN_FIX_MARKET
from adapters.kraken.wire.signing import Secret
from tests.conformance.quickfix_dictionary import quickfix_dictionary
from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_control import control
from tests.conformance.test_served_market_data import Book, checksum

fix = pytest.importorskip("quickfix")

WAIT_S = 30
UPDATES = 100
SOH = "\x01"
# QuickFIX's objects refer to each other without Python's knowing: freed in another order, they take the process down.
KEPT: list[Any] = []


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with served_venue(tmp_path_factory.mktemp("venue"), "--accounts", "14") as ready:
        yield ready


class Desk(fix.Application):  # type: ignore[misc]
    """An account's session; received, admin: messages of the application and of the session as they came; rejected:
    what QuickFIX says of messages that are not as documented.

    secret, nonce_ms: given to have them wrong.
    """

    def __init__(self, key: dict[str, Any], target: str, *, secret: str = "", nonce_ms: int = 0) -> None:
        super().__init__()
        self.key = key
        self.comp_id = str(key["fix"]["sender_comp_ids"][0])
        self.target = target
        self.received: list[Message] = []
        self.admin: list[Message] = []
        self.rejected: list[str] = []
        self.request_count = 0
        self.is_logged_on = threading.Event()
        self._secret = Secret(secret or key["api_secret"])
        self._nonce_ms = nonce_ms

    def onCreate(self, session: Any) -> None: ...

    def onLogon(self, session: Any) -> None:
        self.is_logged_on.set()

    def onLogout(self, session: Any) -> None:
        self.is_logged_on.clear()

    def toAdmin(self, message: Any, session: Any) -> None:
        kind = message.getHeader().getField(35)
        if kind == "3":
            self.rejected.append(message.toString().replace(SOH, "|"))
        if kind == "A" and self.target == "KRAKEN-TRD":
            nonce = str(self._nonce_ms or time.time_ns() // 1_000_000)
            number = int(message.getHeader().getField(34))
            password = logon_password(self._secret, self.key["api_key"], number, self.comp_id, self.target, nonce)
            for tag, value in ((553, self.key["api_key"]), (554, password), (5025, nonce)):
                message.setField(tag, value)

    def fromAdmin(self, message: Any, session: Any) -> None:
        self.admin.append(decode(message.toString().encode()))

    def toApp(self, message: Any, session: Any) -> None: ...

    def fromApp(self, message: Any, session: Any) -> None:
        self.received.append(decode(message.toString().encode()))

    # -- what a trader does

    def until(self, condition: Callable[[Message], bool], told: list[Message] | None = None) -> Message:
        """The first message of the application of which something holds."""
        end_s = time.monotonic() + WAIT_S
        messages = self.received if told is None else told
        while True:
            for message in tuple(messages):
                if condition(message):
                    return message
            assert time.monotonic() < end_s, [message.text(58) for message in messages]
            time.sleep(0.01)

    def send(self, kind: str, fields: dict[int, str], groups: tuple[tuple[int, int, list[str]], ...] = ()) -> None:
        """Send a message; groups: the tag of the count, the tag of each entry, and the entries."""
        message = fix.Message()
        message.getHeader().setField(fix.MsgType(kind))
        for tag, value in fields.items():
            message.setField(tag, value)
        for count, tag, values in groups:
            for value in values:
                group = fix.Group(count, tag)
                group.setField(tag, value)
                message.addGroup(group)
        if 11 in fields:
            message.setField(fix.TransactTime())
        assert fix.Session.sendToTarget(message, self.session_id)

    @property
    def session_id(self) -> Any:
        return fix.SessionID("FIX.4.4", self.comp_id, self.target)

    def answered(self, kind: str, fields: dict[int, str]) -> Message:
        """Send a request under an id that is larger than the ones before, as Kraken wants them; the answer."""
        self.request_count += 1
        name = str(self.request_count)
        self.send(kind, {11: name, **fields})
        return self.until(lambda told: name in (told.text(11), told.text(379)) and told.text(150) != "A")

    def add(self, **more: str) -> Message:
        """Add an order, one that rests if nothing else is said (more: fields by tag, as ``t38="1"``); the answer."""
        fields = {38: "0.01", 40: "2", 44: "50000.0", 54: "1", 55: "BTC/USD", 59: "1"}
        fields |= {int(tag[1:]): value for tag, value in more.items()}
        if fields[40] == "1":
            del fields[44]
        return self.answered("D", fields)

    def cancel(self, cl_ord_id: str) -> Message:
        """Cancel an order; the answer."""
        return self.answered("F", {41: cl_ord_id, 54: "1", 55: "BTC/USD"})


@contextmanager
def logged_on(
    venue: dict[str, Any], folder: Path, account: int, target: str = "KRAKEN-TRD", **wrong: Any
) -> Iterator[Desk]:
    """A session that is up, unless something of its logon is wrong."""
    desk = Desk(venue["accounts"][account], target, **wrong)
    address = venue["fix_trading" if target == "KRAKEN-TRD" else "fix_market_data"]
    host, port = address.rsplit(":", 1)
    dialect = KRAKEN_FIX if target == "KRAKEN-TRD" else KRAKEN_FIX_MARKET
    (folder / "dictionary.xml").write_text(quickfix_dictionary(dialect))
    settings = folder / "initiator.cfg"
    settings.write_text(
        "[DEFAULT]\nConnectionType=initiator\nReconnectInterval=1\nStartTime=00:00:00\nEndTime=00:00:00\nHeartBtInt=5\n"
        f"UseDataDictionary=Y\nDataDictionary={folder}/dictionary.xml\nSocketConnectHost={host}\nSocketConnectPort={port}\n"
        f"[SESSION]\nBeginString=FIX.4.4\nSenderCompID={desk.comp_id}\nTargetCompID={target}\n"
    )
    chosen = fix.SessionSettings(str(settings))
    stores = fix.MemoryStoreFactory()
    initiator = fix.SocketInitiator(desk, stores, chosen)
    KEPT.append((initiator, desk, stores, chosen))
    initiator.start()
    try:
        assert wrong or desk.is_logged_on.wait(WAIT_S)
        yield desk
    finally:
        initiator.stop(bool(wrong))
    assert desk.rejected == []


def keep_book(venue: dict[str, Any], folder: Path, account: int, aggregated: str) -> None:
    """Subscribe to a book and keep it through updates, with every checksum right."""
    with logged_on(venue, folder, account, "KRAKEN-MD") as desk:
        fields = {262: "1", 263: "1", 264: "25", 266: aggregated}
        desk.send("V", fields, ((146, 55, ["BTC/USD"]), (267, 269, ["0", "1"])))
        end_s = time.monotonic() + WAIT_S
        while len(desk.received) <= UPDATES:
            assert time.monotonic() < end_s, "the venue sent too few updates"
            time.sleep(0.05)
    book, checked = Book(), 0
    for message in desk.received:
        for entry in message.group(268, 279 if message.msg_type == b"X" else 269):
            entries, entry_id = book.sides[int(entry[269])], entry[278].decode()
            if entry.get(279) == b"2":
                del entries[entry_id]
            else:
                entries[entry_id] = (entry[270].decode(), entry[271].decode())
        if message.msg_type == b"X":
            assert message.text(5041) == str(checksum(book.rows(1), book.rows(0)))
            checked += 1
    assert checked >= UPDATES


def test_connects(venue: dict[str, Any], tmp_path: Path) -> None:
    with logged_on(venue, tmp_path, 0) as desk:
        session = fix.Session.lookupSession(desk.session_id)
        session.logout()
        desk.until(lambda told: told.msg_type == b"5", desk.admin)
        session.logon()
        assert desk.is_logged_on.wait(WAIT_S)


def test_reads_market_data(venue: dict[str, Any], tmp_path: Path) -> None:
    with logged_on(venue, tmp_path, 0, "KRAKEN-MD") as desk:
        desk.send("V", {262: "1", 263: "1", 264: "10"}, ((146, 55, ["BTC/USD"]), (267, 269, ["0", "1", "2"])))
        desk.until(lambda told: told.msg_type == b"W")
        desk.until(lambda told: told.msg_type == b"X")
        desk.send("V", {262: "2", 263: "1", 264: "10"}, ((146, 55, ["MOON/USD"]), (267, 269, ["0"])))
        desk.until(lambda told: told.msg_type == b"Y" and told.text(262) == "2")


def test_every_checksum_of_the_book_is_right(venue: dict[str, Any], tmp_path: Path) -> None:
    keep_book(venue, tmp_path, 1, "Y")


def test_every_checksum_of_level_3_is_right(venue: dict[str, Any], tmp_path: Path) -> None:
    keep_book(venue, tmp_path, 2, "N")


def test_adds_an_order(venue: dict[str, Any], tmp_path: Path) -> None:
    with logged_on(venue, tmp_path, 3) as desk:
        report = desk.add()
        assert (report.msg_type, report.text(150), report.text(39)) == (b"8", "0", "0")
        asked = desk.answered("H", {37: report.text(37), 54: "1", 55: "BTC/USD"})
        assert (asked.text(150), asked.text(37)) == ("I", report.text(37))


def test_amends_an_order(venue: dict[str, Any], tmp_path: Path) -> None:
    with logged_on(venue, tmp_path, 4) as desk:
        added = desk.add()
        changed = {37: added.text(37), 41: added.text(11), 38: "0.02", 40: "2", 44: "49000.0", 54: "1", 55: "BTC/USD"}
        report = desk.answered("G", changed | {59: "1"})
        assert (report.text(150), report.text(37), Decimal(report.text(38))) == ("5", added.text(37), Decimal("0.02"))


def test_cancels_an_order(venue: dict[str, Any], tmp_path: Path) -> None:
    """One by one, and all at once."""
    with logged_on(venue, tmp_path, 5) as desk:
        assert desk.cancel(desk.add().text(11)).text(150) == "4"
        left = {desk.add().text(37) for _ in range(2)}
        desk.answered("q", {530: "7"})  # one report for each order
        for order_id in left:
            desk.until(lambda told, order_id=order_id: (told.text(37), told.text(150)) == (order_id, "4"))  # type: ignore[misc]


def test_learns_of_its_fills(venue: dict[str, Any], tmp_path: Path) -> None:
    with logged_on(venue, tmp_path, 6) as desk:
        order_id = desk.add(t40="1", t59="3").text(37)
        fill = desk.until(lambda told: told.text(150) == "F")
        assert (fill.text(37), Decimal(fill.text(32)), fill.text(39)) == (order_id, Decimal("0.01"), "2")


def refusal(venue: dict[str, Any], folder: Path, account: int, **wrong: Any) -> Message:
    """What a session whose logon is refused is told."""
    with logged_on(venue, folder, account, **wrong) as desk:
        told = desk.until(lambda message: True, desk.admin)
        assert not desk.is_logged_on.is_set()
        return told


def test_is_told_of_a_bad_signature(venue: dict[str, Any], tmp_path: Path) -> None:
    told = refusal(venue, tmp_path, 7, secret=venue["accounts"][0]["api_secret"])
    assert (told.msg_type, bool(told.text(58))) == (b"5", True)


def test_is_told_of_a_bad_nonce(venue: dict[str, Any], tmp_path: Path) -> None:
    told = refusal(venue, tmp_path, 8, nonce_ms=5)
    assert (told.msg_type, bool(told.text(58))) == (b"5", True)


def test_is_told_of_an_unknown_order(venue: dict[str, Any], tmp_path: Path) -> None:
    with logged_on(venue, tmp_path, 9) as desk:
        assert "EOrder:Unknown order" in desk.cancel("0").text(58)


def test_is_told_of_insufficient_funds(venue: dict[str, Any], tmp_path: Path) -> None:
    with logged_on(venue, tmp_path, 10) as desk:
        assert "EOrder:Insufficient funds" in desk.add(t38="1000").text(58)


def test_is_told_of_a_rate_limit(venue: dict[str, Any], tmp_path: Path) -> None:
    with logged_on(venue, tmp_path, 11) as desk:
        for _ in range(80):
            added = desk.add()
            answer = desk.cancel(added.text(11)) if added.text(150) == "0" else added
            if answer.text(150) != "4":
                break
        assert "EOrder:Rate limit exceeded" in answer.text(58)


def test_reconnects(venue: dict[str, Any], tmp_path: Path) -> None:
    """Its order is canceled as the line drops, of which it is told by a replay once it is back."""
    with logged_on(venue, tmp_path, 12) as desk:
        order_id = desk.add().text(37)
        control(venue, "/sessions/drop", kind="fix_trading", how="abort")
        canceled = desk.until(lambda told: (told.text(37), told.text(150)) == (order_id, "4"))
        assert canceled.text(43) == "Y"
        assert desk.is_logged_on.wait(WAIT_S)
        assert desk.add().text(150) == "0"
