"""A journaled venue in virtual time, a journal in memory, and a life that is drawn at random."""

from __future__ import annotations

import random
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from framework.data.columns import Market
from framework.data.synthetic import DEFAULT, synthetic_market
from framework.messages import (
    AddBatch,
    AddOrder,
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelOrder,
    Command,
    EditOrder,
    Logon,
    Report,
    SecondaryOrder,
)
from framework.protocol import BUY, SELL, LatencySpec, OrderType, StpMode, TimeInForce, VenueMode
from framework.venue.account import Account, AccountConfig
from framework.venue.latency import compile_latency
from framework.venue.margin.positions import Position
from framework.venue.orders import Order
from framework.venue.served.host import RoadSpec, VenueHost
from framework.venue.served.journal import Journal, JournalHeader
from framework.venue.served.journaled import JournaledHost
from framework.venue.served.records import TradeRecord
from tests.editing import EDITING

__all__ = ["PATH", "SECOND", "SYMBOL", "Life", "MemoryFile", "begin", "new_host", "reopen", "state"]

PATH = Path("a journal")
SYMBOL = "BTC/USD"
SECOND = 1_000_000_000
START = 1_800_000_000 * SECOND
_HEADER = JournalHeader(version="1", start_ns=START, market_digest=0, settings=b"")


class MemoryFile:
    """An unbuffered file. room: so many bytes fit in it."""

    def __init__(self, data: bytes = b"", room: int = 2**40) -> None:
        self.data = bytearray(data)
        self.room = room
        self.write_count = 0
        self._at = 0

    def write(self, data: bytes, /) -> int:
        fits = data[: max(0, self.room - self._at)]
        if data and not fits:
            raise OSError(28, "No space left on device")
        self.data[self._at : self._at + len(fits)] = fits
        self._at += len(fits)
        self.write_count += 1
        return len(fits)

    def read(self, size: int, /) -> bytes:
        data = bytes(self.data[self._at : self._at + size])
        self._at += len(data)
        return data

    def seek(self, offset: int, /) -> int:
        self._at = offset
        return offset

    def truncate(self, size: int, /) -> int:
        del self.data[size:]
        return size

    def fileno(self) -> int:
        raise OSError("there is none")

    def close(self) -> None:
        return


def begin(file: MemoryFile) -> Journal:
    """A new journal in a file."""
    return Journal.begin_in(file, PATH, _HEADER)


def reopen(data: bytes | MemoryFile) -> Journal:
    """The journal of these bytes."""
    return Journal.read(data if isinstance(data, MemoryFile) else MemoryFile(data), PATH)


@cache
def _market(seed: int) -> Market:
    return synthetic_market(seed, 20, msgspec.structs.replace(DEFAULT, start_ts_ns=START))


def new_host(market_seed: int = 1, *, has_latency: bool = False, **options: Any) -> JournaledHost:
    """A host of a made market of 20 seconds, with three accounts."""
    money = {"USD": Decimal(5_000_000), "BTC": Decimal(50)}
    configs = [AccountConfig(name=f"a{number}", balances=money, tier="pro") for number in range(3)]
    latency = compile_latency(LatencySpec(kind="lognormal", median_us=20_000.0, sigma=1.0))
    road = RoadSpec(command=latency, response=latency)
    roads = {"ws2": road, "fix": road} if has_latency else {}
    return JournaledHost(EDITING, [_market(market_seed)], configs, START, roads=roads, **options)


class _Client:
    def __init__(self, line_id: str, account: str, label: str, comp_id: str | None) -> None:
        self.line_id = line_id
        self.account = account
        self.label = label
        self.comp_id = comp_id
        self.heard: list[Report] = []

    def on_report(self, report: Report, is_response: bool) -> None:
        self.heard.append(report)


class Life:
    """What is done to a host, drawn from a seed; the same seed does the same to each host that is alike."""

    def __init__(self, served: VenueHost, seed: int, *, piece_count: int = 1) -> None:
        """piece_count: in so many pieces of random length time passes, each time that it does."""
        self.host = served
        self._random = random.Random(seed)
        self._piece_random = random.Random(seed + 1)
        self._piece_count = piece_count
        self.lines: list[_Client] = []
        self._line_count = 0

    def with_host(self, served: VenueHost) -> Life:
        """This life from here on, on another host."""
        other = Life(served, 0)
        other._random.setstate(self._random.getstate())
        other.lines, other._line_count = list(self.lines), self._line_count
        return other

    def step(self) -> None:
        """Let some time pass, or do something."""
        draw = self._random.random()
        if draw < 0.35:
            self.pass_time()
        elif draw < 0.45 or not self.lines:
            self._open()
        elif draw < 0.50:
            self._drop()
        elif draw < 0.55:
            self._administrate()
        else:
            line = self._random.choice(self.lines)
            self.host.submit(line.line_id, self._command(line))

    def pass_time(self) -> None:
        """From nothing to a few seconds."""
        now_ns = self.host.now_ns
        span_ns = int(10 ** self._random.uniform(0, 9.5))
        for at_ns in sorted(self._piece_random.randrange(span_ns + 1) for _ in range(self._piece_count - 1)):
            self.host.run_until(now_ns + at_ns)
        self.host.run_until(now_ns + span_ns)

    def _open(self) -> None:
        draw = self._random
        label = draw.choice(("ws2", "rest", "fix"))
        account = f"a{draw.randrange(3)}"
        self._line_count += 1
        line = _Client(f"line {self._line_count}", account, label, f"COMP {account}" if label == "fix" else None)
        self.host.open_line(line, is_news_subscribed=label == "ws2" and draw.random() < 0.7)
        self.lines.append(line)
        if label == "fix":
            logon = Logon(
                request_id=self.host.next_request_id(),
                is_reset=draw.random() < 0.3,
                is_cancel_on_disconnect=draw.random() < 0.7,
                next_expected_seq=2**62,
            )
            self.host.submit(line.line_id, logon)

    def _drop(self) -> None:
        line = self.lines.pop(self._random.randrange(len(self.lines)))
        self.host.drop_line(line.line_id)

    def _administrate(self) -> None:
        draw = self._random
        account = f"a{draw.randrange(3)}"
        kind = draw.randrange(5)
        if kind == 0:
            self.host.adjust_balance(account, "USD", Decimal(draw.randrange(1, 1000)), "deposit", f"D{draw.random()}")
        elif kind == 1:
            modes = (VenueMode.ONLINE, VenueMode.ONLINE, VenueMode.POST_ONLY, VenueMode.CANCEL_ONLY)
            self.host.set_mode(draw.choice(modes), draw.choice((None, SYMBOL)))
        elif kind == 2:
            if draw.random() < 0.2:
                self.host.roll_over("fix")
        else:
            rest = [line for line in self.lines if line.label == "rest"]
            if rest:
                self.host.charge_call(draw.choice(rest).line_id, draw.choice(("other", "history")))

    def _command(self, line: _Client) -> Command:
        draw = self._random
        request_id = self.host.next_request_id()
        known = list(self.host.venue.accounts[line.account].order_by_id)
        kind = draw.random()
        if kind < 0.6 or not known:
            return self._add(request_id)
        order_id = draw.choice(known[-20:])
        best = self.host.books[SYMBOL].best(BUY)
        price = (best[0] if best else 1000) + draw.randrange(-30, 10)
        if kind < 0.70:
            return CancelOrder(request_id=request_id, order_id=order_id)
        if kind < 0.80:
            return AmendOrder(
                request_id=request_id, order_id=order_id, limit_ticks=price, qty_lots=draw.randrange(10**6, 10**8)
            )
        if kind < 0.88:
            return EditOrder(
                request_id=request_id, order_id=order_id, limit_ticks=price, qty_lots=draw.randrange(10**6, 10**8)
            )
        if kind < 0.93:
            inner = tuple(self._add(self.host.next_request_id()) for _ in range(3))
            return AddBatch(request_id=request_id, orders=inner)
        if kind < 0.96:
            return CancelAll(request_id=request_id)
        return CancelAllAfter(request_id=request_id, timeout_s=draw.choice((0, 1, 3)))

    def _add(self, request_id: int) -> AddOrder:
        draw = self._random
        side = draw.choice((BUY, SELL))
        best = self.host.books[SYMBOL].best(side)
        price = (best[0] if best else 1000) + draw.randrange(-8, 9)
        kind = draw.choice((OrderType.LIMIT,) * 6 + (OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TRAILING_STOP))
        lots = draw.randrange(10**5, 10**8)
        options: dict[str, Any] = {}
        if kind is OrderType.LIMIT:
            options = {"limit_ticks": price, "is_post_only": draw.random() < 0.3}
            if draw.random() < 0.2:
                options |= {
                    "time_in_force": TimeInForce.GTD,
                    "expire_ns": self.host.now_ns + draw.randrange(1, 4 * SECOND),
                }
            elif draw.random() < 0.2:
                options["time_in_force"] = draw.choice((TimeInForce.IOC, TimeInForce.FOK))
                options["is_post_only"] = False
            elif draw.random() < 0.2:
                kind, options["display_lots"] = OrderType.ICEBERG, lots // 10
            elif draw.random() < 0.2:
                options["start_ns"] = self.host.now_ns + draw.randrange(1, 2 * SECOND)
            if draw.random() < 0.2:
                options["stp_mode"] = draw.choice(list(StpMode))
            if draw.random() < 0.2:
                options["secondary"] = draw.choice(
                    (
                        SecondaryOrder(order_type=OrderType.LIMIT, limit_offset_ticks=draw.randrange(-20, 20)),
                        SecondaryOrder(order_type=OrderType.STOP_LOSS, trigger_offset_ticks=draw.randrange(-20, 20)),
                        SecondaryOrder(order_type=OrderType.TRAILING_STOP, trail_offset_ticks=5, attachment=b"more"),
                    )
                )
        elif kind is OrderType.STOP_LOSS:
            options = {"trigger_ticks": price + (5 if side == BUY else -5)}
        elif kind is OrderType.TRAILING_STOP:
            options = {"trail_offset_ticks": draw.randrange(1, 20)}
        if draw.random() < 0.3:
            options |= {"leverage": draw.randrange(2, 6), "is_reduce_only": draw.random() < 0.2}
        elif draw.random() < 0.05:
            kind, options, lots = OrderType.SETTLE_POSITION, {}, 0
        return AddOrder(
            request_id=request_id,
            cl_ord_id=f"c{request_id}",
            symbol=SYMBOL,
            side=side,
            order_type=kind,
            qty_lots=lots,
            attachment=b"note" if draw.random() < 0.5 else b"",
            **options,
        )


def state(served: VenueHost) -> dict[str, Any]:
    """All that clients could ask of a venue, and what decides on what it does next."""
    records = served.records
    found: dict[str, Any] = {"now_ns": served.now_ns, "request_count": served._request_count, "mode": served.mode}
    for name, account in served.venue.accounts.items():
        found[name] = {
            "money": (list(account.totals), list(account.holds), list(account.brought)),
            "open": [_order(order) for order in account.open_orders.values()],
            "ended": [_order(order) for order in account.ended],
            "trades": [_trade(trade) for trade in records.trades(name)],
            "margin": _margin(account),
            "ledger": list(records.ledger(name)),
            "amendments": [list(records.amendments.of(order)) for order in account.order_by_id.values()],
            "by_name": {key: order.order_id for key, order in account.order_by_cl_ord_id.items()},
            "counters": _counters(account),
            "cancel_after_ns": account.cancel_after_ns,
            "volume": account.fees.volume,
        }
    for symbol, book in served.books.items():
        tape = served.tapes[symbol]
        found[symbol] = (book.levels(BUY, 20), book.levels(SELL, 20), list(book.spreads)[-20:])
        found["tape"] = (tape.newest(50), repr(tape.candles(1, served.now_ns)))
    return found


def _trade(trade: TradeRecord) -> Any:
    margin = trade.margin
    did = None
    if margin is not None:
        opened = None if margin.opened is None else _position(margin.opened)
        did = (opened, [(each.position.position_id, each.lots) for each in margin.closings], margin.fee_units)
    return msgspec.structs.replace(trade, order=None, margin=did)


def _margin(account: Account) -> Any:
    margin = account.margin
    assert margin is not None
    positions = [_position(position) for position in margin.positions.values()]
    totals = (margin.profits, margin.settled_costs, margin.paid)
    return positions, *map(list, totals), margin.order_count, margin.check_ns, margin.rollover_ns, margin.called_ns


def _position(position: Position) -> dict[str, Any]:
    values = {name: getattr(position, name) for name in Position.__slots__ if name not in ("order", "pair")}
    return values | {"order": position.order.order_id, "closings": list(position.closings)}


def _counters(account: Account) -> list[str]:
    return [repr(each) for each in _all_counters(account)]


def _all_counters(account: Account) -> list[Any]:
    return [*account.counters, *(account.call_counters[label] for label in sorted(account.call_counters, key=str))]


def _order(order: Order) -> dict[str, Any]:
    names = [name for name in Order.__slots__ if name not in ("account", "pair", "session", "slot", "watch")]
    values = {name: getattr(order, name, None) for name in names}
    return values | {"session": order.session.session_id, "rests": order.slot >= 0}
