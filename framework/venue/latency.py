"""Latency as data: every distribution becomes a sorted table of nanoseconds, and a draw an integer interpolation in it.

A model is what a configuration states; compiled, it is one int64 array that Python and compiled code read alike::

    [bucket_ns, probability, duration_min_ns, duration_max_ns, extra_min_ns, extra_max_ns, 0, 0, q0, q1, ... q4096]

q0 ... q4096 are the quantiles 0, 1/4096, ... 1. A draw of 64 bits picks a cell by its top 12 bits and the place within
the cell by the next 20. Only table making uses floats; after it everything is integer and equal on every machine.

Simplification: a distribution without upper end stops at the quantile 1 - 1/8192 (and starts at 1/8192). Rarer delays
are what spikes are for: an episode is a pure function of (stream, time bucket), so that messages of the same moment see
the same episode, whichever of them asks first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import NormalDist
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from framework.errors import ConfigError
from framework.protocol import LatencySpec
from framework.venue.compiled import Pointer, entry, inlined, p64
from framework.venue.streams import draw_below, draw_u64

__all__ = [
    "CompiledLatency",
    "LatencyModel",
    "Spikes",
    "compile_latency",
    "constant",
    "empirical",
    "latency_ns",
    "lognormal",
]

CELLS = 4096
HEADER = 8
TABLE_LENGTH = HEADER + CELLS + 1
_NS_MAX = 2**42  # 73 minutes; times 2**20 this stays below 2**63

_S32 = np.uint64(32)
_S52 = np.uint64(52)
_FRACTION = np.uint64(0xFFFFF)
# Draws of the spikes of a stream are numbered far away from those of its messages.
_SPIKE_DRAWS = -(2**62)
# Spikes are drawn in buckets of time; one second is short against the minutes between spikes.
_SPIKE_BUCKET_MS = 1_000.0


class Spikes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Episodes that add delay.

    Time is cut into buckets of ``bucket_ms``. With ``probability_ppm`` (millionths) an episode starts in a bucket, at a
    drawn instant; it lasts from ``duration_min_ms`` to ``duration_max_ms`` (at most one bucket) and adds from
    ``extra_min_us`` to ``extra_max_us`` to every delay that begins within it. Overlapping episodes add up.
    """

    bucket_ms: float
    probability_ppm: int
    duration_min_ms: float
    duration_max_ms: float
    extra_min_us: float
    extra_max_us: float

    def header(self) -> list[int]:
        """The first six values of a compiled table."""
        bucket_ns = round(self.bucket_ms * 1e6)
        durations = (round(self.duration_min_ms * 1e6), round(self.duration_max_ms * 1e6))
        extras = (round(self.extra_min_us * 1e3), round(self.extra_max_us * 1e3))
        if bucket_ns < 1 or not 0 <= self.probability_ppm <= 1_000_000:
            raise ConfigError("spikes need bucket_ms above 0 and probability_ppm from 0 to 1000000")
        if not 0 <= durations[0] <= durations[1] <= bucket_ns:
            raise ConfigError("spikes need 0 <= duration_min_ms <= duration_max_ms <= bucket_ms")
        if not 0 <= extras[0] <= extras[1] <= _NS_MAX:
            raise ConfigError("spikes need 0 <= extra_min_us <= extra_max_us, at most 73 minutes")
        return [bucket_ns, self.probability_ppm, *durations, *extras]


class CompiledLatency:
    """A model's table; ``table`` has shape (4105,) and dtype int64, and is read-only."""

    __slots__ = ("address", "table")

    def __init__(self, table: npt.NDArray[np.int64]) -> None:
        if table.shape != (TABLE_LENGTH,) or table.dtype != np.int64 or not table.flags.c_contiguous:
            raise ValueError(f"a latency table is a contiguous int64 array of length {TABLE_LENGTH}")
        if np.any(np.diff(table[HEADER:]) < 0) or table[HEADER] < 0 or table[-1] > _NS_MAX:
            raise ValueError("the quantiles of a latency table are sorted, not negative and at most 73 minutes")
        self.table = table
        self.table.flags.writeable = False
        self.address = table.ctypes.data

    def draw_ns(self, key: int, n: int, ts_ns: int) -> int:
        """Delay number n of a stream for a message that starts at ts_ns, in nanoseconds."""
        return latency_at(key, n, ts_ns, self.address)

    @property
    def quantiles_ns(self) -> npt.NDArray[np.int64]:
        """The quantiles 0, 1/4096, ... 1, without spikes."""
        return self.table[HEADER:]


class LatencyModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A distribution of delays.

    kind: "constant" (``us``), "lognormal" (``median_us``, ``sigma`` of the logarithm; ``floor_us`` is added to every
        draw and is part of the median; ``max_us`` cuts the tail, 0 for no cut) or "empirical" (``samples_us``, or
        ``file``: text with one delay in microseconds per line, or a .npy array).
    spikes: episodes on top, or None.
    """

    kind: str
    us: float = 0.0
    median_us: float = 0.0
    sigma: float = 0.0
    floor_us: float = 0.0
    max_us: float = 0.0
    samples_us: tuple[float, ...] = ()
    file: str = ""
    spikes: Spikes | None = None

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> LatencyModel:
        """The model that a table of a configuration file states; raises ConfigError for what is not one."""
        try:
            return msgspec.convert(dict(values), LatencyModel, strict=False)
        except msgspec.ValidationError as error:
            raise ConfigError(f"latency model {dict(values)!r}: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """What ``from_dict`` reads; only numbers, texts, lists and tables."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        return {name: value for name, value in values.items() if value is not None}

    def compile(self, folder: Path | None = None) -> CompiledLatency:
        """The table; folder: where a relative ``file`` is looked for. Raises ConfigError for values without sense."""
        table = np.zeros(TABLE_LENGTH, np.int64)
        if self.spikes is not None:
            table[:6] = self.spikes.header()
        if self.kind == "constant":
            quantiles: npt.NDArray[np.float64] = np.full(CELLS + 1, self.us * 1e3)
        elif self.kind == "lognormal":
            quantiles = self._lognormal_quantiles()
        elif self.kind == "empirical":
            quantiles = _sample_quantiles(np.asarray(self._samples(folder), np.float64))
        else:
            raise ConfigError(f"latency kind {self.kind!r} is none of constant, lognormal, empirical")
        if not (np.all(np.isfinite(quantiles)) and quantiles[0] >= 0 and quantiles[-1] <= _NS_MAX):
            raise ConfigError(f"delays of a {self.kind} latency model are from 0 to 73 minutes")
        table[HEADER:] = np.rint(quantiles).astype(np.int64)
        return CompiledLatency(table)

    def _lognormal_quantiles(self) -> npt.NDArray[np.float64]:
        spread_us = self.median_us - self.floor_us
        if spread_us < 0 or self.floor_us < 0 or self.sigma < 0 or self.max_us < 0:
            raise ConfigError("a lognormal latency needs 0 <= floor_us <= median_us, sigma >= 0 and max_us >= 0")
        floor_us, sigma, cut_us, exp = self.floor_us, self.sigma, self.max_us or math.inf, math.exp
        return np.array(
            [min(floor_us + spread_us * exp(sigma * normal), cut_us) * 1e3 for normal in _normal_quantiles()]
        )

    def _samples(self, folder: Path | None) -> Sequence[float] | npt.NDArray[np.float64]:
        if not self.file:
            return self.samples_us
        path = (folder or Path()) / self.file
        try:
            return np.load(path) if path.suffix == ".npy" else np.loadtxt(path, dtype=np.float64, ndmin=1)
        except (OSError, ValueError) as error:
            raise ConfigError(f"latency samples in {path}: {error}; one delay in microseconds per line") from error


@cache
def _normal_quantiles() -> tuple[float, ...]:
    """Quantiles of the standard normal distribution, the outermost half a cell inside."""
    shares = (min(max(i / CELLS, 0.5 / CELLS), 1 - 0.5 / CELLS) for i in range(CELLS + 1))
    return tuple(map(NormalDist().inv_cdf, shares))


def compile_latency(spec: LatencySpec, folder: Path | None = None) -> CompiledLatency:
    """The table of a latency that a profile or a configuration states.

    folder: where a relative ``file`` is looked for.
    Raises ConfigError for values that make no sense, such as more spikes than the time can hold.

    Simplification: at most one spike begins in a second (or in the length of a spike, if that is longer).
    """
    spikes = None
    if spec.spike_rate_per_min > 0 and spec.spike_ms > 0:
        bucket_ms = max(_SPIKE_BUCKET_MS, spec.spike_length_ms)
        probability_ppm = round(spec.spike_rate_per_min * bucket_ms / 60_000 * 1_000_000)
        if probability_ppm > 1_000_000:
            raise ConfigError(
                f"{spec.spike_rate_per_min} spikes a minute of {spec.spike_length_ms} ms do not fit into a minute; "
                "lower spike_rate_per_min or spike_length_ms"
            )
        spikes = Spikes(
            bucket_ms=bucket_ms,
            probability_ppm=probability_ppm,
            duration_min_ms=spec.spike_length_ms,
            duration_max_ms=spec.spike_length_ms,
            extra_min_us=spec.spike_ms * 1e3,
            extra_max_us=spec.spike_ms * 1e3,
        )
    model = LatencyModel(
        kind=spec.kind,
        us=max(spec.median_us, spec.floor_us),
        median_us=spec.median_us,
        sigma=spec.sigma,
        floor_us=spec.floor_us,
        file=spec.file or "",
        spikes=spikes,
    )
    return model.compile(folder)


def constant(us: float, *, spikes: Spikes | None = None) -> LatencyModel:
    """Always the same delay, in microseconds."""
    return LatencyModel(kind="constant", us=us, spikes=spikes)


def lognormal(
    median_us: float, sigma: float, *, floor_us: float = 0.0, max_us: float = 0.0, spikes: Spikes | None = None
) -> LatencyModel:
    """A delay of ``floor_us + (median_us - floor_us) * exp(sigma * z)``, z standard normal; max_us 0 means no cut."""
    return LatencyModel(
        kind="lognormal", median_us=median_us, sigma=sigma, floor_us=floor_us, max_us=max_us, spikes=spikes
    )


def empirical(source: str | Path | Sequence[float], *, spikes: Spikes | None = None) -> LatencyModel:
    """Measured delays in microseconds: a file (see ``LatencyModel``) or the values themselves."""
    if isinstance(source, str | Path):
        return LatencyModel(kind="empirical", file=str(source), spikes=spikes)
    return LatencyModel(kind="empirical", samples_us=tuple(float(us) for us in source), spikes=spikes)


def _sample_quantiles(samples_us: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if samples_us.ndim != 1 or len(samples_us) == 0:
        raise ConfigError("an empirical latency needs samples_us or a file with at least one delay")
    ordered = np.sort(samples_us) * 1e3
    place = np.arange(CELLS + 1) * ((len(ordered) - 1) / CELLS)
    low = np.minimum(place.astype(np.int64), len(ordered) - 1)
    high = np.minimum(low + 1, len(ordered) - 1)
    between: npt.NDArray[np.float64] = ordered[low] + (ordered[high] - ordered[low]) * (place - low)
    return between


def latency_ns(key: int, n: int, ts_ns: int, table: npt.NDArray[np.int64]) -> int:
    """Delay number n of stream key for a message that starts at ts_ns: quantile draw plus spikes, in nanoseconds.

    table: ``CompiledLatency.table``. Compiled code calls ``latency_at`` with the table's address.
    """
    if table.shape != (TABLE_LENGTH,) or table.dtype != np.int64 or not table.flags.c_contiguous:
        raise ValueError(f"a latency table is a contiguous int64 array of length {TABLE_LENGTH}")
    return latency_at(key, n, ts_ns, table.ctypes.data)


@inlined
def _spike_in_bucket(key: int, bucket: int, ts_ns: int, table: Pointer) -> int:
    draws = _SPIKE_DRAWS + bucket * 4
    if draw_below(key, draws, 1_000_000) >= table[1]:
        return 0
    start_ns = bucket * table[0] + draw_below(key, draws + 1, table[0])
    duration_ns = table[2] + draw_below(key, draws + 2, table[3] - table[2] + 1)
    if start_ns <= ts_ns < start_ns + duration_ns:
        return table[4] + draw_below(key, draws + 3, table[5] - table[4] + 1)
    return 0


@entry
def latency_at(key: int, n: int, ts_ns: int, table_address: int) -> int:
    """``latency_ns`` for a table given by its address."""
    table = p64(table_address)
    delay_ns = table[HEADER]
    if table[HEADER + CELLS] != delay_ns:
        u = draw_u64(key, n)
        # int() would stay unsigned in compiled code, and signed with unsigned makes a float there.
        cell: Any = HEADER + np.int64(u >> _S52)
        fraction: Any = np.int64((u >> _S32) & _FRACTION)
        delay_ns = table[cell] + (((table[cell + 1] - table[cell]) * fraction) >> 20)
    if table[0] != 0:
        bucket = ts_ns // table[0]
        delay_ns += _spike_in_bucket(key, bucket, ts_ns, table) + _spike_in_bucket(key, bucket - 1, ts_ns, table)
    return delay_ns
