"""How a run stands, in Prometheus' text format (version 0.0.4), which its documentation describes under "Exposition
formats".

A metric is a line of HELP, one of TYPE, and its samples together. Names end in their unit, counters in ``_total``;
durations are seconds, amounts exact decimals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import accumulate

from framework.live.health.histogram import BOUNDS_NS
from framework.live.health.status import Latency, Status

__all__ = ["CONTENT_TYPE", "exposition"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NS = 1_000_000_000
_Labels = Mapping[str, str]
_Sample = tuple[_Labels, "int | float | Decimal"]
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def _seconds(ns: int) -> str:
    """Exact, in the shortest digits."""
    return f"{(Decimal(ns) / _NS).normalize():f}"


_LE = [*(_seconds(bound_ns) for bound_ns in BOUNDS_NS), "+Inf"]


def exposition(status: Status) -> str:
    """All metrics of a run."""
    page = _Page()
    _add_run(page, status)
    _add_roads(page, status)
    _add_latencies(page, status)
    _add_instruments(page, status)
    return page.text()


class _Page:
    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, kind: str, name: str, help_text: str, samples: Iterable[_Sample]) -> None:
        """A counter or a gauge; one without samples is left out."""
        lines = [f"{name}{_labels(labels)} {_number(value)}" for labels, value in samples]
        if lines:
            self._lines += [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}", *lines]

    def counter(self, name: str, help_text: str, samples: Iterable[_Sample]) -> None:
        self.add("counter", f"tidegate_{name}_total", help_text, samples)

    def gauge(self, name: str, help_text: str, samples: Iterable[_Sample]) -> None:
        self.add("gauge", f"tidegate_{name}", help_text, samples)

    def histogram(self, name: str, help_text: str, samples: Sequence[tuple[_Labels, Latency]]) -> None:
        if not samples:
            return
        name = f"tidegate_{name}_seconds"
        self._lines += [f"# HELP {name} {help_text}", f"# TYPE {name} histogram"]
        for labels, latency in samples:
            inner = _labels(labels)
            start = f"{name}_bucket{inner[:-1]}," if inner else f"{name}_bucket{{"
            counts = list(accumulate(latency.counts))
            self._lines += [f'{start}le="{le}"}} {count}' for le, count in zip(_LE, counts, strict=True)]
            self._lines += [f"{name}_sum{inner} {_seconds(latency.sum_ns)}", f"{name}_count{inner} {counts[-1]}"]

    def text(self) -> str:
        return "\n".join([*self._lines, ""])


def _labels(labels: _Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items()) + "}"


def _number(value: float | Decimal) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return repr(value)


def _add_run(page: _Page, status: Status) -> None:
    one: _Labels = {}
    names = {"version": status.version, "kind": status.kind, "strategy": status.strategy}
    page.gauge("run_info", "The run; always 1.", [(names, 1)])
    page.gauge("start_time_seconds", "When the run began, on its own clock.", [(one, status.began_ns / _NS)])
    page.gauge("time_seconds", "The present on the run's own clock.", [(one, status.now_ns / _NS)])
    page.gauge("strategy_running", "Whether the strategy runs.", [(one, int(status.state == "running"))])
    page.gauge("kill_switch_pulled", "Whether the kill switch is pulled.", [(one, int(status.kill_switch is not None))])
    page.gauge(
        "kill_switch_proved", "Whether the venue has said since that nothing is open.", [(one, int(status.kill_proved))]
    )
    page.gauge("orders_halted", "Whether new orders are denied.", [(one, int(status.halted is not None))])
    page.gauge("open_orders", "Orders that are open, as far as known.", [(one, status.order_count)])
    page.gauge("unreachable_orders", "Open orders that no road can cancel.", [(one, status.unreachable)])
    page.gauge("unknown_outcomes", "Commands whose fate is not known now.", [(one, status.unknown)])
    page.counter("outcomes_unknown", "Outcomes that became unknown.", [(one, status.unknown_total)])
    page.counter("outcomes_resolved", "Unknown outcomes that were resolved.", [(one, status.resolved_total)])
    page.counter("orders_denied", "Orders that were refused before they were sent.", [(one, status.denied)])
    page.counter("cancels_rejected", "Cancels of own orders that were refused.", [(one, status.cancel_rejects)])
    page.counter("amends_rejected", "Amends of own orders that were refused.", [(one, status.amend_rejects)])
    page.counter("cancels_rerouted", "Cancels that went by another road than asked.", [(one, status.rerouted)])
    page.counter("fees", "Fees paid, by asset.", [({"asset": asset}, fee) for asset, fee in status.fees.items()])
    if status.journal_bytes is not None:
        page.gauge("journal_size_bytes", "Size of the journal of intents.", [(one, status.journal_bytes)])
    page.counter("log_lines_lost", "Lines of the log that were never written.", [(one, status.log.lost)])
    page.gauge("log_failing", "Whether the log cannot be written.", [(one, int(status.log.failure is not None))])
    for name, text, of_what in (
        ("rate_counter_points", "Points of a rate counter that are used, by our own count.", "used"),
        ("rate_limit_points", "Points at which a rate counter is full.", "limit"),
        ("rate_counter_published_points", "Points that are used, by the venue's own word.", "published"),
    ):
        page.gauge(
            name,
            text,
            [
                ({"counter": each.kind, "name": each.name}, value)
                for each in status.budgets
                if (value := getattr(each, of_what)) is not None
            ],
        )


def _add_roads(page: _Page, status: Status) -> None:
    roads = status.roads
    page.gauge(
        "road_up",
        "Whether commands can be sent by a road now.",
        [({"road": road.name, "protocol": road.protocol}, int(road.is_up)) for road in roads],
    )
    for name, text, of_what in (
        ("orders", "New orders sent, those of batches one by one.", "orders"),
        ("cancels", "Orders asked to be canceled one by one or in batches.", "cancels"),
        ("orders_rejected", "New orders that the venue refused, by the road that they went.", "order_rejects"),
        ("fills", "Fills, by the road that told of them first.", "fills"),
        ("sessions_opened", "Sessions that began anew.", "opened"),
        ("sessions_resumed", "Sessions that went on after a lost line.", "resumed"),
        ("sessions_closed", "Sessions that dropped or ended.", "closed"),
        ("resyncs", "Times that news began anew on a connection that stood.", "resyncs"),
        ("gaps", "Gaps in the messages of a session.", "gaps"),
        ("messages_missed", "Messages that were missed in gaps.", "missed"),
        ("messages_replayed", "Messages that were missed, and have come.", "replayed"),
    ):
        page.counter(name, text, [({"road": road.name}, getattr(road, of_what)) for road in roads])
    page.counter(
        "reconnects",
        "Sessions of a road after its first.",
        [({"road": road.name}, max(0, road.opened + road.resumed - 1)) for road in roads],
    )
    for name, text, of_what in (
        ("commands", "Commands sent, by kind.", "sent"),
        ("commands_rejected", "Commands that the venue refused.", "rejected"),
        ("commands_lost", "Commands whose answer did not come in time, or whose line dropped.", "lost"),
    ):
        page.counter(
            name,
            text,
            [
                ({"road": road.name, "command": command}, count)
                for road in roads
                for command, count in getattr(road, of_what).items()
            ],
        )


def _add_latencies(page: _Page, status: Status) -> None:
    page.histogram(
        "stage_latency",
        "From bytes in to bytes out, by stage: decode, strategy, journal, write; tick_to_order is all of it.",
        [({"stage": name}, latency) for name, latency in status.stages.items()],
    )
    page.histogram(
        "acknowledge_latency",
        "From a command to its answer.",
        [
            ({"road": road.name, "command": latency.command or ""}, latency)
            for road in status.roads
            for latency in road.acknowledged
        ],
    )
    page.histogram(
        "fill_learned_latency",
        "From the venue's time of a fill to ours of learning it.",
        [({"road": road.name}, road.fill_learned) for road in status.roads],
    )


def _add_instruments(page: _Page, status: Status) -> None:
    for name, text, of_what in (
        ("instrument_fills", "Fills of an instrument.", "fills"),
        ("market_messages", "Messages of an instrument's market.", "messages"),
        ("market_losses", "Times that a market had a gap, or did not add up.", "losses"),
        ("market_resyncs", "Times that a market was whole again after a loss.", "resyncs"),
        ("market_trades_missed", "Trades that were never told.", "trades_missed"),
    ):
        page.counter(name, text, [({"symbol": each.symbol}, getattr(each, of_what)) for each in status.instruments])
    page.gauge(
        "feed_age_seconds",
        "Since the market of an instrument was heard last.",
        [({"symbol": each.symbol}, each.feed_age_s) for each in status.instruments if each.feed_age_s is not None],
    )
    page.gauge(
        "position",
        "By the run's fills, and by what it goes on with of runs before, in the base asset.",
        [({"symbol": each.symbol, "asset": each.base}, each.position) for each in status.instruments],
    )
    page.gauge(
        "position_carried",
        "What runs before have left beside it, in the base asset.",
        [({"symbol": each.symbol, "asset": each.base}, each.carried) for each in status.instruments],
    )
    for name, text, of_what in (
        ("pnl_realised", "Result of closed positions, before fees, in the quote asset.", "realised"),
        ("pnl_unrealised", "Result of open positions at the market's middle, in the quote asset.", "unrealised"),
    ):
        page.gauge(
            name,
            text,
            [
                ({"symbol": each.symbol, "asset": each.quote}, value)
                for each in status.instruments
                if (value := getattr(each, of_what)) is not None
            ],
        )
