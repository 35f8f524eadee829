"""A divergence as a table of text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

from framework.diverge.ladder import Divergence
from framework.diverge.pairing import FillDifference
from framework.protocol import BUY, InstrumentSpec
from framework.text_table import wrapped

__all__ = ["divergence_text", "reading"]

_LISTED = 12
_GAP = "  "
_READING = (
    "Each row is what changes when its cause is taken as the run has measured it, the rows above it staying so; they "
    "add up to the difference exactly. Latencies: median / 99 %."
)
_STARTS = {
    "backtest": ("the backtest says", "against its backtest"),
    "ideal": ("without latency, fees, limits", "against an ideal one, without latency, fees and limits"),
}


def reading(divergence: Divergence) -> list[str]:
    """What a reader of the table has to know."""
    if divergence.is_nothing:
        return ["The replay is the run: nothing differs."]
    count, at_ns = divergence.run_orders, divergence.parted_ns
    if at_ns is None:
        followed = f"With all that was measured, the replay does what the run did, in all of {count:,} orders."
    else:
        followed = (
            f"With all that was measured, the replay sends and fills the first {divergence.followed_orders:,} of "
            f"{count:,} orders as the run did. The next one, sent at {_time(at_ns)}, comes out otherwise; from there "
            "on the strategy goes its own way, and causes are told apart less surely."
        )
    return [_READING, followed]


def divergence_text(divergence: Divergence, title: str, specs: Mapping[str, InstrumentSpec]) -> str:
    """The whole of it. title: what was run."""
    label, against = _STARTS[divergence.start]
    lines = [f"{title}: the run {against}", ""]
    lines += _steps(divergence, label)
    lines.append("")
    for sentence in reading(divergence):
        lines += wrapped(sentence)
    lines += _differences(divergence.differences, divergence.currency, specs)
    for note in divergence.notes:
        lines += ["", *wrapped(f"Note: {note}.")]
    return "\n".join(lines)


def _steps(divergence: Divergence, label: str) -> list[str]:
    currency = divergence.currency
    head = ("", "assumed", "measured", f"net P&L, {currency}", "fills", f"turnover, {currency}")
    amounts = [divergence.backtest_net, divergence.run_net, *(step.net for step in divergence.steps)]
    turnovers = [divergence.backtest_turnover, divergence.run_turnover, *(step.turnover for step in divergence.steps)]
    places, turnover_places = _places(amounts), _places(turnovers)
    rows: list[Sequence[str]] = [
        head,
        (
            label,
            "",
            "",
            f"{divergence.backtest_net:,.{places}f}",
            f"{divergence.backtest_fills:,}",
            f"{divergence.backtest_turnover:,.{turnover_places}f}",
        ),
    ]
    rows += [
        (
            f"  {step.cause}",
            step.assumed,
            step.measured,
            _signed(step.net, places),
            f"{step.fills:+,}" if step.fills else "0",
            _signed(step.turnover, turnover_places),
        )
        for step in divergence.steps
    ]
    rows.append(
        (
            "the run has",
            "",
            "",
            f"{divergence.run_net:,.{places}f}",
            f"{divergence.run_fills:,}",
            f"{divergence.run_turnover:,.{turnover_places}f}",
        )
    )
    return _table(rows, right_from=3)


def _differences(
    differences: Sequence[FillDifference], currency: str, specs: Mapping[str, InstrumentSpec]
) -> list[str]:
    if not differences:
        return []
    count = len(differences)
    more = f"; the {_LISTED} that made the greatest difference" if count > _LISTED else ""
    rows: list[Sequence[str]] = [
        ("sent, UTC", "pair", "side", "price", "run", "backtest", currency, "likely cause"),
    ]
    listed = differences[:_LISTED]
    places = _places([each.value for each in listed])
    for each in listed:
        spec = specs[each.symbol]
        rows.append(
            (
                _time(each.sent_ns),
                each.symbol,
                "buy" if each.side == BUY else "sell",
                "market" if each.price_ticks is None else f"{spec.price(each.price_ticks):f}",
                _qty(spec, each.run_lots),
                _qty(spec, each.backtest_lots),
                _signed(each.value, places),
                str(each.cause),
            )
        )
    heading = f"{count} order{'s' * (count != 1)} filled otherwise{more} (quantities filled):"
    return ["", heading, *_table(rows, right_from=3, left_again=7)]


def _table(rows: Sequence[Sequence[str]], *, right_from: int, left_again: int | None = None) -> list[str]:
    """Columns as wide as they must be; numbers to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if right_from <= at < (left_again or len(row)) else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(_GAP.join(cells).rstrip())
    return lines


def _places(amounts: Sequence[Decimal]) -> int:
    """Decimals in which all of them are exact; two at least."""
    exponents = [-int(amount.normalize().as_tuple().exponent) for amount in amounts if amount]
    return max([2, *exponents])


def _signed(amount: Decimal, places: int) -> str:
    return f"{amount:+,.{places}f}" if amount else "0"


def _qty(spec: InstrumentSpec, lots: int) -> str:
    return f"{spec.qty(lots).normalize():f}" if lots else "-"


def _time(ts_ns: int) -> str:
    moment = dt.datetime.fromtimestamp(ts_ns // 1_000_000_000, dt.UTC)
    return f"{moment:%H:%M:%S}.{ts_ns // 1_000_000 % 1000:03}"
