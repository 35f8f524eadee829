"""A host whose venue can be made again after a crash: what is done to it is written down before it is done.

What may leave the venue at a time follows from what is in the journal by then: a command is written before the engine
sees it, and that time has passed is written before the engine does something of its own accord. So nothing that a
client was told is missing from the venue that is made again, and nothing happens twice.

Commands that were on their way to the engine are lost with the process, like answers on their way back; nobody was told
of them. Lines that were up are dropped at the time up to which the journal tells (a second before the end at most, and
never before anything that was told), with all that a protocol does when a line drops; then the venue goes on.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from framework.data.columns import Market
from framework.errors import ConfigError, JournalError
from framework.messages import AddBatch, Command, ExecutionReport, Report
from framework.protocol import VenueMode, VenueProfile
from framework.venue.account import AccountConfig
from framework.venue.margin.lending import Movement
from framework.venue.served.host import HostLine, VenueHost
from framework.venue.served.journal import (
    AnyRecord,
    Charged,
    Commanded,
    Dropped,
    Journal,
    Kept,
    ModeSet,
    Moved,
    Opened,
    Passed,
    Record,
    RolledOver,
    Stirred,
    Subscribed,
)
from framework.venue.served.lines import Link

__all__ = ["JournaledHost", "MuteLine", "Replayed", "market_digest"]

_MARK_NS = 1_000_000_000


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What a journal held. ended_ns: the venue's time at its end. mark_ns, mark_wall_ns: the last moment of which it
    tells both the venue's time and the machine's. torn_bytes: cut off at its end.
    """

    record_count: int
    ended_ns: int
    mark_ns: int
    mark_wall_ns: int
    torn_bytes: int


class MuteLine:
    """A line of the time before; its client is gone."""

    def __init__(self, opened: Opened) -> None:
        self.line_id = opened.line_id
        self.account = opened.account
        self.label = opened.label
        self.comp_id = opened.comp_id

    def on_report(self, report: Report, is_response: bool) -> None:
        return


class JournaledHost(VenueHost):
    """A host that keeps a journal from ``record`` on, or that goes on with one by ``replay``.

    line_makers: by protocol label, who hears of the lines of a journal; a line of another is heard by nobody.
    kept_by: by owner, who is given back what was kept (``keep``), with the time. arrivals: who hears of each command of
        a journal, after it.
    market_digest: see the function.
    check: a checksum over all order changes, fills and movements of margin trading so far. It is written with each
        command, so that a venue which does not become the same one again is found out, and not served.
    """

    def __init__(
        self,
        profile: VenueProfile,
        markets: Sequence[Market],
        accounts: Sequence[AccountConfig],
        start_ns: int,
        *,
        wall_ns: Callable[[], int] = lambda: 0,
        **options: Any,
    ) -> None:
        """wall_ns: the machine's time, so that it is known how long a venue was down. options: as of VenueHost."""
        self._journal: Journal | None = None
        self._wall_ns = wall_ns
        self._marked_ns = start_ns
        self._marked_wall_ns = 0
        self._is_replaying = False
        self._left: list[Link] = []
        self.market_digest = market_digest(markets)
        self.check = 0
        self.line_makers: dict[str, Callable[[Opened], HostLine]] = {}
        self.kept_by: dict[str, Callable[[bytes, int], None]] = {}
        self.arrivals: list[Callable[[Command], None]] = []
        super().__init__(profile, markets, accounts, start_ns, **options)

    def record(self, journal: Journal) -> None:
        """Write down in a journal what happens from now on; nothing has happened yet."""
        self._journal = journal
        self._mark()

    def keep(self, owner: str, data: bytes) -> None:
        """Have something kept for ``kept_by``; it is written with what is written next, or by ``commit``."""
        if self._journal is not None:
            self._journal.add(Kept(self.now_ns, owner, data))

    def commit(self) -> None:
        """Write what is to be kept; before anything leaves that tells of it."""
        if self._journal is not None:
            self._journal.commit()

    @property
    def is_recording(self) -> bool:
        """Whether what happens is written down."""
        return self._journal is not None

    # ------------------------------------------------------------------------------------------------- writing

    def _note(self, record: Record) -> None:
        journal = self._journal
        if journal is not None:
            journal.add(record)
            journal.commit()

    def run_until(self, now_ns: int) -> None:
        journal = self._journal
        if journal is not None:
            journal.check()
        super().run_until(now_ns)
        if journal is not None:
            if self.now_ns - self._marked_ns >= _MARK_NS:
                self._mark()
            journal.commit()

    def beat(self, now_ns: int) -> None:
        """Time passes at the machine, whether it does at the venue or not."""
        if self._journal is not None and self._wall_ns() - self._marked_wall_ns >= _MARK_NS:
            self._mark()

    def _mark(self) -> None:
        self._marked_ns, self._marked_wall_ns = self.now_ns, self._wall_ns()
        self._note(Passed(self.now_ns, self.check, self._request_count, self._marked_wall_ns))

    def _on_timer(self, due_ns: int) -> None:
        self._note(Stirred(due_ns))
        super()._on_timer(due_ns)

    def _on_stop(self) -> None:
        self._note(Stirred(self.kernel.now_ns))
        super()._on_stop()

    def order_changed(self, order_id: str) -> None:
        self.check = zlib.crc32(order_id.encode(), self.check)
        super().order_changed(order_id)

    def filled(self, report: ExecutionReport) -> None:
        fill = f"{report.exec_id} {report.last_ticks} {report.last_lots} {report.fee}"
        self.check = zlib.crc32(fill.encode(), self.check)
        super().filled(report)

    def moved(self, movement: Movement) -> None:
        moved = f"{movement.account} {movement.asset} {movement.amount_units} {movement.fee_units}"
        self.check = zlib.crc32(moved.encode(), self.check)
        super().moved(movement)

    def open_line(self, line: HostLine, *, is_news_subscribed: bool = False) -> None:
        self._note(Opened(self.now_ns, line.line_id, line.account, line.label, line.comp_id, is_news_subscribed))
        super().open_line(line, is_news_subscribed=is_news_subscribed)

    def drop_line(self, line_id: str) -> None:
        if self._journal is not None and self._journal.has_failed:
            return  # the venue is at its end, and its lines with it
        if line_id in self._links:
            self._note(Dropped(self.now_ns, line_id))
        super().drop_line(line_id)

    def _let_go(self, link: Link) -> None:
        if self._is_replaying:
            self._left.append(link)  # what was on its way then is still to come
        else:
            super()._let_go(link)

    def subscribe_news(self, line_id: str) -> None:
        self._note(Subscribed(self.now_ns, line_id))
        super().subscribe_news(line_id)

    def charge_call(self, line_id: str, call: str) -> bool:
        self._note(Charged(self.now_ns, line_id, call))
        return super().charge_call(line_id, call)

    def adjust_balance(self, account: str, asset: str, amount: Decimal, kind: str, ref_id: str) -> None:
        self._note(Moved(self.now_ns, account, asset, str(amount), kind, ref_id, self._request_count))
        super().adjust_balance(account, asset, amount, kind, ref_id)

    def set_mode(self, mode: VenueMode, symbol: str | None) -> None:
        self._note(ModeSet(self.now_ns, mode, symbol))
        super().set_mode(mode, symbol)

    def roll_over(self, label: str) -> int:
        self._note(RolledOver(self.now_ns, label))
        return super().roll_over(label)

    def _handle(self, line_id: str, command: Command) -> None:
        if self._journal is not None:
            self._note(Commanded(self.now_ns, self.check, line_id, command))  # type: ignore[arg-type]
        super()._handle(line_id, command)

    # ------------------------------------------------------------------------------------------------- replay

    def _carry(self, link: Link, report: Report, is_response: bool) -> None:
        if self._is_replaying:  # at once: what was on its way then has nowhere to go now
            link.line.on_report(report, is_response)
        else:
            super()._carry(link, report, is_response)

    def replay(self, journal: Journal) -> Replayed:
        """Become the venue that a journal tells of, and go on with the journal.

        Raises JournalError for a journal that is damaged or of another venue, which this one does not become.
        """
        self._is_replaying = True
        count, mark = 0, Passed(self.now_ns, 0, 0, 0)
        ended_ns = self.now_ns
        for at, record in journal.records():
            if record.ts_ns < self.now_ns:
                raise JournalError(f"{journal.path}: the record at byte {at} is of a time before that of the last one")
            # At one instant, what the venue does of its own accord comes after the records that are before its own.
            if record.ts_ns > self.now_ns or isinstance(record, (Passed, Stirred)):
                self.run_until(record.ts_ns)
            if isinstance(record, (Commanded, Passed)) and record.check != self.check:
                raise JournalError(
                    f"{journal.path}: this venue is not the one of the journal any more, at byte {at}: its orders or "
                    f"fills differ. The journal is of version {journal.header.version}; go on with that, or begin anew"
                )
            self._apply(record)
            count += 1
            ended_ns = record.ts_ns
            if isinstance(record, Passed):
                mark = record
        self._marked_ns = ended_ns
        self._journal = journal
        self._is_replaying = False
        left, self._left = self._left, []
        for link in left:
            self._let_go(link)
        return Replayed(
            record_count=count,
            ended_ns=ended_ns,
            mark_ns=mark.ts_ns,
            mark_wall_ns=mark.wall_ns,
            torn_bytes=journal.torn_bytes,
        )

    def drop_lines(self, lasting: Collection[str] = ()) -> None:
        """The lines of the time before are down. lasting: labels of protocols whose lines are no connections."""
        for line in self.lines():
            if line.label not in lasting:
                self.drop_line(line.line_id)

    def _apply(self, record: AnyRecord) -> None:
        match record:
            case Commanded():
                self._count_requests(record.command)
                self._handle(record.line_id, record.command)
                for hear in self.arrivals:
                    hear(record.command)
            case Kept():
                receive = self.kept_by.get(record.owner)
                if receive is not None:
                    receive(record.data, record.ts_ns)
            case Passed():
                self._request_count = max(self._request_count, record.request_count)
            case Opened():
                make = self.line_makers.get(record.label, MuteLine)
                with contextlib.suppress(ConfigError):  # it was refused then, too
                    self.open_line(make(record), is_news_subscribed=record.is_news_subscribed)
            case Dropped():
                self.drop_line(record.line_id)
            case Subscribed():
                with contextlib.suppress(ConfigError):
                    self.subscribe_news(record.line_id)
            case Charged():
                self.charge_call(record.line_id, record.call)
            case Moved():
                self._request_count = max(self._request_count, record.request_count)
                with contextlib.suppress(ValueError):
                    amount = Decimal(record.amount)
                    self.adjust_balance(record.account, record.asset, amount, record.kind, record.ref_id)
            case ModeSet():
                self.set_mode(record.mode, record.symbol)
            case RolledOver():
                with contextlib.suppress(ConfigError):
                    self.roll_over(record.label)

    def _count_requests(self, command: Command) -> None:
        inner = command.orders if isinstance(command, AddBatch) else ()
        self._request_count = max(self._request_count, command.request_id, *(order.request_id for order in inner))


def market_digest(markets: Sequence[Market]) -> int:
    """A checksum over what markets consist of, so that another one is not taken for the one of a journal."""
    digest = 0
    for market in markets:
        digest = zlib.crc32(repr(market.spec).encode(), digest)
        for name in market.columns.__struct_fields__:
            digest = zlib.crc32(np.ascontiguousarray(getattr(market.columns, name)).data, digest)
    return digest
