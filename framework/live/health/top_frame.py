"""One frame of ``tidegate top``: how a run stands, as lines of text that fit a screen.

Lines carry how much they matter; colours are for the screen to choose. What does not fit is cut, and said to be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from framework.live.health.histogram import quantile_ns
from framework.live.health.status import InstrumentStatus, Latency, OpenOrder, RoadStatus, Status

__all__ = ["Line", "frame"]

_NS = 1_000_000_000
_BAR = 20
_STAGES = {"decode": "decode", "strategy": "strategy", "journal": "journal", "write": "write", "tick_to_order": "all"}


class Line(NamedTuple):
    """One line. style: "title", "plain", or "alarm" for what somebody should look at."""

    text: str
    style: Literal["title", "plain", "alarm"] = "plain"


def frame(
    status: Status,
    *,
    width: int,
    height: int | None,
    before: Status | None = None,
    trouble: str | None = None,
) -> list[Line]:
    """The frame of a run.

    width: columns; height: lines at most, None for all. before: the same run some time ago: latencies are those since
    then; None for since the beginning. trouble: why this may not be how it stands now, in words.
    """
    lines = [*_head(status, trouble), Line("")]
    lines += [*_roads(status, before), Line("")]
    if status.stages:
        lines += [*_stages(status, before), Line("")]
    lines += [*_instruments(status), Line("")]
    lines += [*_budgets(status), Line("")]
    orders, recent = _orders(status), _recent(status)
    if height is not None:
        left = height - len(lines) - 3
        # The newest events keep a third of what is left, or all that the orders do not need.
        orders = _first(orders, max(1, left - min(len(recent), max(3, left // 3))), "order")
        recent = recent[max(0, len(recent) - max(0, left - len(orders))) :]
    lines += [Line(f"OPEN ORDERS  {status.order_count}", "title"), *orders, Line(""), Line("RECENT", "title"), *recent]
    fitted = [Line(_fit(line.text, width), line.style) for line in lines]
    return fitted if height is None else fitted[:height]


# ------------------------------------------------------------------------------------------------- parts


def _head(status: Status, trouble: str | None) -> list[Line]:
    up_s = (status.now_ns - status.began_ns) // _NS
    lines = [
        Line(
            f"tidegate {status.kind}  {status.strategy}  {status.state.upper()}  {_time(status.now_ns)} UTC  "
            f"for {_duration(up_s)}  process {status.process_id}",
            "title",
        )
    ]
    if trouble is not None:
        lines.append(Line(trouble, "alarm"))
    if status.kill_switch is not None:
        proved = "the venue says that nothing is open" if status.kill_proved else "not proved yet that nothing is open"
        lines.append(Line(f"KILL SWITCH PULLED: {status.kill_switch}; {proved}", "alarm"))
    elif status.halted is not None:
        lines.append(Line(f"new orders are denied: {status.halted}", "alarm"))
    unsafe = status.unknown or status.unreachable
    lines.append(
        Line(
            f"{status.order_count} orders open, {status.unreachable} out of reach; outcomes unknown: {status.unknown}"
            f" ({status.unknown_total} so far); {status.denied} denied",
            "alarm" if unsafe else "plain",
        )
    )
    lines.append(Line(_profit(status)))
    notes = []
    if status.journal_bytes is not None:
        notes.append(f"journal {_bytes(status.journal_bytes)}")
    if status.log.lost or status.log.failure:
        why = f": {status.log.failure}" if status.log.failure else ""
        notes.append(f"{status.log.lost} lines of the log lost{why}")
    if notes:
        lines.append(Line("; ".join(notes), "alarm" if status.log.lost or status.log.failure else "plain"))
    return lines


def _profit(status: Status) -> str:
    """Net of the fees that are in the same asset; of each quote asset."""
    parts = []
    unpaid = dict(status.fees)
    for quote in dict.fromkeys(each.quote for each in status.instruments):
        of_it = [each for each in status.instruments if each.quote == quote]
        realised = sum((each.realised for each in of_it), Decimal(0))
        known = [each.unrealised for each in of_it if each.unrealised is not None]
        unrealised, fees = sum(known, Decimal(0)), unpaid.pop(quote, Decimal(0))
        total = "?" if len(known) < len(of_it) else _money(realised + unrealised - fees)
        parts.append(
            f"P&L {total} {quote}: realised {_money(realised)}, unrealised {_money(unrealised)}, fees {_money(-fees)}"
        )
    parts += [f"fees {_money(-fee)} {asset}" for asset, fee in unpaid.items()]
    return "; ".join(parts)


def _roads(status: Status, before: Status | None) -> list[Line]:
    """What matters most comes first: a narrow screen shows no more."""
    earlier = {road.name: road for road in before.roads} if before is not None else {}
    rows = [
        ("ROAD", "STATE", "ORDERS", "CANCELS", "REJECTS", "FILLS", "ACK p50", "p99", "FILL p50", "p99", "LOST", "AGAIN",
         "GAPS", "SESSION"),
    ]  # fmt: skip
    for road in status.roads:
        was = earlier.get(road.name)
        ack, fill = _acknowledged(road, was), _since(road.fill_learned, None if was is None else was.fill_learned)
        rows.append(
            (
                road.name,
                "up" if road.is_up else "DOWN",
                str(road.orders),
                str(road.cancels),
                str(sum(road.rejected.values())),
                str(road.fills),
                *_quantiles(ack),
                *_quantiles(fill),
                str(sum(road.lost.values())),
                str(max(0, road.opened + road.resumed - 1) + road.resyncs),
                str(road.gaps),
                road.session_id or "-",
            )
        )
    return _table(rows, left=2, alarms=[not road.is_up for road in status.roads])


def _acknowledged(road: RoadStatus, was: RoadStatus | None) -> list[int]:
    """Of what makes and cancels orders; questions take another time."""
    earlier = {each.command: each for each in was.acknowledged} if was is not None else {}
    counted = [
        _since(each, earlier.get(each.command)) for each in road.acknowledged if each.command not in ("query", None)
    ]
    return [sum(column) for column in zip(*counted, strict=True)] if counted else []


def _stages(status: Status, before: Status | None) -> list[Line]:
    names = list(status.stages)
    counts = [_since(status.stages[name], before.stages.get(name) if before else None) for name in names]
    since = f"last {(status.now_ns - before.now_ns) // _NS} s" if before is not None else "since the beginning"
    rows = [("BYTES IN TO OUT", *(_STAGES.get(name, name) for name in names), f"({since})")]
    quantiles = [_quantiles(each) for each in counts]
    rows.append(("p50", *(p50 for p50, _ in quantiles), ""))
    rows.append(("p99", *(p99 for _, p99 in quantiles), ""))
    return _table(rows, left=1)


def _instruments(status: Status) -> list[Line]:
    rows = [
        (
            "INSTRUMENT",
            "POSITION",
            "BID",
            "ASK",
            "REALISED",
            "UNREALISED",
            "HEARD",
            "FILLS",
            "LOST",
            "MISSED",
            "CARRIED",
        )
    ]
    rows += [
        (
            each.symbol,
            _amount(each.position),
            _amount(each.bid),
            _amount(each.ask),
            _money(each.realised),
            "?" if each.unrealised is None else _money(each.unrealised),
            "never" if each.feed_age_s is None else f"{each.feed_age_s:.1f} s ago",
            str(each.fills),
            str(each.losses),
            str(each.trades_missed),
            _amount(each.carried),
        )
        for each in status.instruments
    ]
    return _table(rows, left=1, alarms=[_is_blind(each) for each in status.instruments])


def _is_blind(instrument: InstrumentStatus) -> bool:
    return instrument.is_lost or instrument.bid is None or instrument.ask is None


def _budgets(status: Status) -> list[Line]:
    rows = [("BUDGET", "", "USED", "LIMIT", "VENUE SAYS", "")]
    alarms = []
    for each in status.budgets:
        share = min(1.0, each.used / each.limit) if each.limit else 0.0
        said = "-" if each.published is None else f"{each.published:.1f}"
        bar = "#" * round(share * _BAR)
        rows.append((each.kind, each.name, f"{each.used:.1f}", f"{each.limit:.0f}", said, f"[{bar:.<{_BAR}}]"))
        alarms.append(share > 0.8)
    if len(rows) == 1:
        rows.append(("nothing was charged yet", "", "", "", "", ""))
    return _table(rows, left=2, alarms=alarms)


def _orders(status: Status) -> list[Line]:
    rows = [_order(each) for each in status.orders]
    lines = _table(rows, left=3, alarms=[each.knowledge == "unknown" or not each.reach for each in status.orders],
                   has_title=False)  # fmt: skip
    more = status.order_count - len(status.orders)
    return [*lines, Line(f"and {more} more")] if more > 0 else lines


def _order(each: OpenOrder) -> tuple[str, ...]:
    return (
        each.cl_ord_id,
        each.symbol,
        each.side,
        _amount(each.qty),
        f"filled {_amount(each.filled)}",
        "at the market" if each.price is None else f"at {_amount(each.price)}",
        _duration(int(each.age_s)),
        each.knowledge,
        f"by {', '.join(each.reach)}" if each.reach else "OUT OF REACH",
    )


def _recent(status: Status) -> list[Line]:
    return [
        Line(f"{_time(each.ts_ns)}  {each.text}", "alarm" if each.level in ("warning", "error") else "plain")
        for each in status.recent
    ]


# ------------------------------------------------------------------------------------------------- words


def _table(
    rows: Sequence[Sequence[str]], *, left: int, alarms: Iterable[bool] = (), has_title: bool = True
) -> list[Line]:
    """Columns as wide as they need; the first ``left`` of them, and the last, begin at the left."""
    if not rows:
        return []
    last = len(rows[0]) - 1
    widths = [max(len(row[column]) for row in rows) for column in range(last + 1)]
    texts = [
        "  ".join(
            cell.ljust(widths[column])
            if column < left or (column == last and not has_title)
            else cell.rjust(widths[column])
            for column, cell in enumerate(row)
        ).rstrip()
        for row in rows
    ]
    lines = [Line(texts[0], "title")] if has_title else []
    body = texts[1:] if has_title else texts
    flags = [*alarms]
    flags += [False] * (len(body) - len(flags))
    return lines + [Line(text, "alarm" if flag else "plain") for text, flag in zip(body, flags, strict=True)]


def _first(lines: list[Line], count: int, what: str) -> list[Line]:
    if len(lines) <= count:
        return lines
    shown = max(0, count - 1)
    return [*lines[:shown], Line(f"and {len(lines) - shown} more {what}s")]


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def _since(now: Latency, before: Latency | None) -> list[int]:
    if before is None:
        return list(now.counts)
    return [count - was for count, was in zip(now.counts, before.counts, strict=True)]


def _quantiles(counts: Sequence[int]) -> tuple[str, str]:
    return _latency(quantile_ns(counts, 0.5)), _latency(quantile_ns(counts, 0.99))


def _latency(ns: int | None) -> str:
    if ns is None:
        return "-"
    for unit, size in (("us", 1_000), ("ms", 1_000_000), ("s", _NS)):
        if ns < 1_000 * size or unit == "s":
            value = ns / size
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
    raise AssertionError(ns)


def _amount(value: Decimal | None) -> str:
    return "-" if value is None else f"{value.normalize():f}"


def _money(value: Decimal) -> str:
    return f"{value:,.2f}"


def _bytes(count: int) -> str:
    for unit, size in (("B", 1), ("kB", 1_000), ("MB", 1_000_000)):
        if count < 1_000 * size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e9:.3g} GB"


def _time(ts_ns: int) -> str:
    return f"{dt.datetime.fromtimestamp(ts_ns // _NS, dt.UTC):%H:%M:%S}"


def _duration(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return f"{seconds // 60}:{seconds % 60:02} min"
    days, rest = divmod(seconds, 86_400)
    return f"{f'{days} d ' if days else ''}{rest // 3_600}:{rest % 3_600 // 60:02} h"
