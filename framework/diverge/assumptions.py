"""What a backtest assumes and what a run has measured, cause by cause, in words."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pyarrow as pa

from framework.backtest.loading import resolve_road
from framework.backtest.run_folder import of_kind, texts
from framework.diverge.charges import fee_rates
from framework.diverge.legs import LIMITS
from framework.diverge.measured import Measured
from framework.diverge.recorded import RecordedRun
from framework.diverge.world import Cause
from framework.protocol import LatencySpec, LinkLatency, Ordering, Protocol
from framework.venue.latency import compile_latency

__all__ = ["Assumptions"]

_NONE = "none"
_ORDERINGS = {Ordering.FIFO: "in order", Ordering.NONE: "any order"}


class Assumptions:
    """The two columns. notes: what a reader has to know besides."""

    def __init__(self, run: RecordedRun, measured: Measured, backtest: pa.Table, *, is_ideal: bool) -> None:
        """backtest: its events."""
        self.notes: list[str] = []
        self._run, self._measured, self._backtest, self._is_ideal = run, measured, backtest, is_ideal
        self._road, _ = resolve_road(run.profile, run.config.road)
        counts = {link: len(legs) for link, legs in measured.legs.commands.items()}
        # Of several links, the one that carries most commands speaks for all.
        self._link = max(counts, key=lambda link: (counts[link], link), default=str(self._road.submit))
        undated = sum(not each.is_dated and each.ts_arrived_ns is not None for each in measured.sent)
        if undated:
            self.notes.append(
                f"the venue did not date {undated} of {len(measured.sent)} commands; they are taken to have arrived "
                "half way between sending and answer"
            )
        ahead_ms = measured.venue_ahead_ns / 1e6
        if measured.venue_ahead_ns:
            where = "ahead of" if ahead_ms > 0 else "behind"
            self.notes.append(
                f"the venue's clock is at least {abs(ahead_ms):.3f} ms {where} the trader's; its times are put right "
                "by that, and what it disagrees by beyond that is taken for latency"
            )

    def assumed(self, cause: Cause) -> str:
        """What the backtest takes."""
        run = self._run
        if self._is_ideal:
            return {Cause.ORDERING: "in order", Cause.OWN: "not in the book"}.get(cause, _NONE)
        match cause:
            case Cause.FEED:
                return self._spec(self._latencies(str(self._road.submit)).feed)
            case Cause.OWN:
                return "not in the book"
            case Cause.COMMAND:
                return self._spec(self._latencies(self._link).command)
            case Cause.RESPONSE:
                return self._spec(self._latencies(self._link).response)
            case Cause.ORDERING:
                profile = run.profile.protocols[Protocol(self._link)]
                return _ORDERINGS.get(profile.ordering_command, f"by {profile.balanced_paths} paths")
            case Cause.FEES:
                tier = run.profile.fee_tier(int(Decimal(run.config.venue.volume_30d_usd)))
                return _rates({True: tier.maker_ppm, False: tier.taker_ppm} | fee_rates(self._backtest, run))
            case Cause.LIMITS:
                refused = texts(of_kind(self._backtest, "command"), "reject_reason")
                return _refused(sum(reason in LIMITS for reason in refused))
            case Cause.UNKNOWN:
                drops = sum(fault.kind == "drop" for fault in run.config.faults)
                lost = texts(of_kind(self._backtest, "command"), "outcome").count("lost")
                return _unknown(drops, lost)
            case _:
                return ""

    def measured(self, cause: Cause) -> str:
        """What the run has shown."""
        measured = self._measured
        match cause:
            case Cause.FEED:
                return _spread(measured.feed_ns) if self._run.is_taped else "as assumed"
            case Cause.OWN:
                return "in the book" if measured.is_own_seen else "not in the book"
            case Cause.COMMAND:
                legs = measured.legs.commands.get(self._link)
                return _spread(legs.latencies_ns if legs else [])
            case Cause.RESPONSE:
                known = [each.get(self._link) for each in (measured.legs.news, measured.legs.answers)]
                return _spread([ns for legs in known if legs for ns in legs.latencies_ns])
            case Cause.ORDERING:
                legs = measured.legs.commands.get(self._link)
                return "not known" if not legs else f"{legs.inverted_count} of {len(legs)} overtook"
            case Cause.FEES:
                rates = fee_rates(self._run.folder.events, self._run)
                return _rates(rates) if rates else "not known"
            case Cause.LIMITS:
                return _refused(len(measured.refused))
            case Cause.UNKNOWN:
                drops = sum(fault.kind == "drop" for fault in self._run.config.faults) or len(measured.drops)
                return _unknown(drops, len(measured.lost))
            case _:
                return ""

    def _latencies(self, link: str) -> LinkLatency:
        return self._run.profile.latency_tier(self._road.latency_tier).links[Protocol(link)]

    def _spec(self, spec: LatencySpec) -> str:
        scale = self._run.config.road.latency_scale
        quantiles = compile_latency(spec).quantiles_ns
        return _milliseconds(float(quantiles[2048]) * scale / 1e6, float(quantiles[4055]) * scale / 1e6)


def _spread(values_ns: Sequence[int]) -> str:
    if not values_ns:
        return "not known"
    ordered = sorted(values_ns)
    median, high = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1e6 for share in (0.5, 0.99))
    return _milliseconds(median, high)


def _milliseconds(median: float, high: float) -> str:
    return f"{_short(median)} / {_short(high)} ms"


def _short(milliseconds: float) -> str:
    return f"{milliseconds:,.0f}" if milliseconds >= 100 else f"{milliseconds:.3g}"


def _rates(rates: dict[bool, int]) -> str:
    words = {True: "maker", False: "taker"}
    return ", ".join(f"{words[key]} {Decimal(rates[key]) / 100:f} bp" for key in (True, False) if key in rates)


def _refused(count: int) -> str:
    return f"{count} refused" if count else "none refused"


def _unknown(drops: int, lost: int) -> str:
    parts = [f"{drops} drop{'s' * (drops != 1)}"] * bool(drops) + [f"{lost} lost"] * bool(lost)
    return ", ".join(parts) or _NONE
