"""The journal of a live run: what it meant to do, before it did it, and what it was told; it survives ``kill -9``.

It stands between the desk and whoever else hears of its orders and writes them down: each record is in the file before
the bytes of a command leave, and before the strategy hears of a conclusion. What was known at the last record is made
again from the file (``recovery``). The file is a line that names the format, then frames (``framework.frame_file``);
a torn one at its end is cut off when the journal is opened again. It holds no keys.
"""

from __future__ import annotations

import contextlib
import enum
import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import msgspec

from framework.errors import ConfigError, JournalError
from framework.execution.desk import ExecutionDesk
from framework.execution.events import OrderReachChanged, RateBudgetChanged, RoadEvent
from framework.execution.link import DeskListener, Journal, Link
from framework.execution.orders import OrderRecord
from framework.frame_file import FrameReader, JournalFile, force_name, frame, lock, owner_only, write_whole
from framework.live.records import (
    Answered,
    AnyRecord,
    Began,
    Changed,
    Denied,
    Ended,
    Filled,
    Intended,
    Known,
    Noted,
    Record,
    Resolved,
)
from framework.messages import AddBatch, AddOrder, AmendOrder, Command, EditOrder, Report

__all__ = ["Forcing", "IntentJournal", "JournaledDesk", "Silence", "read_records"]

_MAGIC = b"tidegate-intents-1\n"
# What follows from sessions and counters anew after a restart; a session that opens changes the reach of every order.
_UNNOTED = (OrderReachChanged, RateBudgetChanged)
# Commands that may make an order, or make one larger.
_MAKERS = (AddOrder, AddBatch, AmendOrder, EditOrder)
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODER: msgspec.msgpack.Decoder[AnyRecord] = msgspec.msgpack.Decoder(AnyRecord)


class Forcing(enum.StrEnum):
    """What is forced to the disk, so that it survives a loss of power too; all survives the end of the process.

    OFF: nothing. INTENTS: commands, before their bytes leave. ALL: every record.
    """

    OFF = "off"
    INTENTS = "intents"
    ALL = "all"


class IntentJournal:
    """One file, open for writing; nobody else has it. torn_bytes: how much of a torn frame was cut off."""

    def __init__(self, file: JournalFile, path: Path, end: int, forcing: Forcing) -> None:
        """Take a file that is read to its end; ``open`` makes one. end: where the next frame begins."""
        self.path = path
        self.torn_bytes = 0
        self._file = file
        self._write = file.write
        self._end = end
        self._forcing = forcing
        self._is_all_forced = forcing is Forcing.ALL
        self._failure: JournalError | None = None

    @classmethod
    def open(cls, path: Path, forcing: Forcing, on_record: Callable[[AnyRecord], None]) -> IntentJournal:
        """Go on with a journal, or begin one; what is in it is told first, record by record.

        Raises ConfigError where it is in use or cannot be opened, and JournalError for a file that is none or is
        damaged before its end.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = open(path, "a+b", buffering=0, opener=owner_only)  # noqa: SIM115 - it stays open
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; name another place for the journal") from None
        try:
            lock(file.fileno(), path, "another run")
            reader = FrameReader(file, path)
            for record in _records(reader, path):
                on_record(record)
            if reader.at < len(_MAGIC):
                file.truncate(0)
                write_whole(file, _MAGIC)
                os.fdatasync(file.fileno())
                force_name(path)
                return cls(file, path, len(_MAGIC), forcing)
            journal = cls(file, path, reader.at, forcing)
            journal.torn_bytes = reader.rest()
            file.truncate(reader.at)
            file.seek(0, os.SEEK_END)
            return journal
        except BaseException:
            file.close()
            raise

    def add(self, record: Record, *, is_intent: bool = False) -> None:
        """Write a record, now. Raises JournalError where it cannot be, and from then on always: nothing may be sent
        any more.
        """
        data = frame(_ENCODE(record))
        if self._failure is not None:
            raise self._failure
        try:
            if self._write(data) != len(data):
                self._cut_back()
                raise OSError(None, "it is written in part")
            if self._is_all_forced or (is_intent and self._forcing is Forcing.INTENTS):
                os.fdatasync(self._file.fileno())
        except OSError as error:
            self._failure = JournalError(
                f"{self.path}: the journal cannot be written ({error.strerror}), so nothing is sent any more; what was "
                "sent is in it: make room and start again"
            )
            self._cut_back()
            raise self._failure from None
        self._end += len(data)

    @property
    def size_bytes(self) -> int:
        """How much is in the file."""
        return self._end

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _cut_back(self) -> None:
        """Take away what was begun of a frame; what stays of it is found torn when the journal is opened again."""
        try:
            self._file.truncate(self._end)
        except OSError:
            return


def read_records(path: Path) -> Iterator[AnyRecord]:
    """The records of a journal, which may be in use, or just begun; what is torn at its end is left out.

    Raises JournalError for a file that is none or is damaged before its end, ConfigError where it cannot be opened.
    """
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name the journal of a live run") from None
    with file:
        yield from _records(FrameReader(file, path), path)


def _records(reader: FrameReader, path: Path) -> Iterator[AnyRecord]:
    begun = reader.take(len(_MAGIC))
    if not _MAGIC.startswith(begun):
        raise JournalError(f"{path} is not the journal of a live run of this version; name another file")
    if begun != _MAGIC:
        return  # a run is just beginning it, or ended as it did
    decode = _DECODER.decode
    while True:
        at = reader.at
        payload = reader.frame()
        if payload is None:
            return
        try:
            yield decode(payload)
        except msgspec.MsgspecError as error:
            raise JournalError(
                f"{path}: the frame at byte {at} is of another version of this program ({error}); go on with that one"
            ) from None


class JournaledDesk:
    """The desk's journal and its listener, which write down and hand on.

    journal, listener: who hears of it afterwards. now_ns: the run's time. session_of: the session of a link now.
    """

    def __init__(
        self,
        file: IntentJournal,
        journal: Journal,
        now_ns: Callable[[], int],
        session_of: Callable[[str], str],
    ) -> None:
        self._add = file.add
        self._journal = journal
        self._listener: DeskListener | None = None
        self._now_ns = now_ns
        self._session_of = session_of
        self._adopted: dict[str, OrderRecord] = {}
        self._is_told_late = False

    def begin(self, strategy: str) -> None:
        """Say that a run begins."""
        self._add(Began(self._now_ns(), version("tidegate"), strategy, os.getpid()), is_intent=True)

    def listen(self, listener: DeskListener) -> JournaledDesk:
        """Hand on to a listener; returns the listener that the desk is to have."""
        self._listener = listener
        return self

    def attend(self, desk: ExecutionDesk) -> None:
        """Have the journal that hears afterwards told of a desk's commands when their bytes have left, not before."""
        self._is_told_late = True
        desk.listen_sends(self._left)

    def adopt(self, record: OrderRecord) -> None:
        """An order of a run before: it is written down as all others, and the listener does not hear of it."""
        self._adopted[record.cl_ord_id] = record

    # ------------------------------------------------------------------------------------------------- desk's journal

    def sent(self, link: str, command: Command, ts_sent_ns: int) -> None:
        record = Intended(ts_sent_ns, link, self._session_of(link), command)  # type: ignore[arg-type]
        try:
            self._add(record, is_intent=True)
        except JournalError:
            if isinstance(command, _MAKERS):
                raise
            # What cancels or asks is sent all the same: orders are not left open for want of a journal.
        if not self._is_told_late:
            self._journal.sent(link, command, ts_sent_ns)

    def _left(self, link: Link, command: Command, ts_sent_ns: int) -> None:
        self._journal.sent(link.name, command, ts_sent_ns)

    def answered(self, request_id: int, ts_learned_ns: int, outcome: str, reason: str | None, text: str | None) -> None:
        self._note(Answered(ts_learned_ns, request_id, outcome, text))
        self._journal.answered(request_id, ts_learned_ns, outcome, reason, text)

    def resolved(self, request_id: int, resolution: str) -> None:
        self._note(Resolved(self._now_ns(), request_id, resolution))
        self._journal.resolved(request_id, resolution)

    def item_refused(self, request_id: int, cl_ord_id: str, text: str) -> None:
        self._journal.item_refused(request_id, cl_ord_id, text)  # the order's end is a record of its own

    def learned(self, link: str, report: Report, ts_learned_ns: int) -> None:
        self._journal.learned(link, report, ts_learned_ns)  # what it proves is written down where it is concluded

    def concluded(self, event: RoadEvent) -> None:
        if isinstance(event, _UNNOTED):
            self._journal.concluded(event)
            return
        fields = msgspec.structs.asdict(event)
        text = "; ".join(f"{name}={value}" for name, value in fields.items() if name not in ("ts_ns", "link"))
        self._note(Noted(event.ts_ns, type(event).__name__, fields.get("link"), fields.get("session_id"), text))
        self._journal.concluded(event)

    def denied(self, record: OrderRecord, ts_ns: int, reason: str) -> None:
        self._note(Denied(ts_ns, record.cl_ord_id, reason))
        self._journal.denied(record, ts_ns, reason)

    # ------------------------------------------------------------------------------------------------- desk's listener

    def order_submitted(self, record: OrderRecord) -> None:
        self._told(record).order_submitted(record)

    def order_denied(self, record: OrderRecord, reason: str) -> None:
        self._told(record).order_denied(record, reason)

    def order_accepted(self, record: OrderRecord, ts_venue_ns: int) -> None:
        self._note(Known(self._now_ns(), record.cl_ord_id, record.order_id))
        self._told(record).order_accepted(record, ts_venue_ns)

    def order_rejected(self, record: OrderRecord, reason: str, is_post_only: bool, ts_venue_ns: int) -> None:
        self._note(Ended(self._now_ns(), record.cl_ord_id, "rejected", reason))
        self._told(record).order_rejected(record, reason, is_post_only, ts_venue_ns)

    def order_updated(self, record: OrderRecord, ts_venue_ns: int) -> None:
        terms = (record.qty_lots, record.limit_ticks, record.trigger_ticks)
        self._note(Changed(self._now_ns(), record.cl_ord_id, record.order_id, *terms))
        self._told(record).order_updated(record, ts_venue_ns)

    def order_triggered(self, record: OrderRecord, ts_venue_ns: int) -> None:
        self._told(record).order_triggered(record, ts_venue_ns)

    def order_canceled(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        self._note(Ended(self._now_ns(), record.cl_ord_id, "canceled", reason))
        self._told(record).order_canceled(record, reason, ts_venue_ns)

    def order_expired(self, record: OrderRecord, ts_venue_ns: int) -> None:
        self._note(Ended(self._now_ns(), record.cl_ord_id, "expired", ""))
        self._told(record).order_expired(record, ts_venue_ns)

    def order_filled(
        self,
        record: OrderRecord,
        exec_id: str,
        last_lots: int,
        last_ticks: int,
        is_maker: bool,
        fee: Decimal,
        fee_asset: str,
        ts_venue_ns: int,
    ) -> None:
        self._note(
            Filled(
                self._now_ns(),
                record.cl_ord_id,
                exec_id,
                record.symbol,
                record.side,
                last_lots,
                last_ticks,
                is_maker,
                str(fee),
                fee_asset,
                ts_venue_ns,
            )
        )
        self._told(record).order_filled(record, exec_id, last_lots, last_ticks, is_maker, fee, fee_asset, ts_venue_ns)

    def cancel_rejected(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        self._told(record).cancel_rejected(record, reason, ts_venue_ns)

    def amend_rejected(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        self._told(record).amend_rejected(record, reason, ts_venue_ns)

    def road_event(self, event: RoadEvent) -> None:
        assert self._listener is not None
        self._listener.road_event(event)

    def _note(self, record: Record) -> None:
        """Write down what was told; where that cannot be, it is told all the same, and nothing new is sent."""
        with contextlib.suppress(JournalError):
            self._add(record)

    def _told(self, record: OrderRecord) -> DeskListener:
        """Who hears of an order."""
        if record.cl_ord_id in self._adopted:
            return _SILENCE
        assert self._listener is not None
        return self._listener


class Silence(DeskListener):
    """Hears, and says nothing."""

    def order_submitted(self, record: OrderRecord) -> None: ...
    def order_denied(self, record: OrderRecord, reason: str) -> None: ...
    def order_accepted(self, record: OrderRecord, ts_venue_ns: int) -> None: ...
    def order_rejected(self, record: OrderRecord, reason: str, is_post_only: bool, ts_venue_ns: int) -> None: ...
    def order_updated(self, record: OrderRecord, ts_venue_ns: int) -> None: ...
    def order_triggered(self, record: OrderRecord, ts_venue_ns: int) -> None: ...
    def order_canceled(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None: ...
    def order_expired(self, record: OrderRecord, ts_venue_ns: int) -> None: ...
    def order_filled(
        self,
        record: OrderRecord,
        exec_id: str,
        last_lots: int,
        last_ticks: int,
        is_maker: bool,
        fee: Decimal,
        fee_asset: str,
        ts_venue_ns: int,
    ) -> None: ...
    def cancel_rejected(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None: ...
    def amend_rejected(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None: ...
    def road_event(self, event: RoadEvent) -> None: ...


_SILENCE = Silence()
