"""Seeded draws in integer arithmetic, the same bits on every machine.

A draw is splitmix64 (Steele, Lea and Flood, 2014) of a key and a counter: each use of chance has its own key, so that
one more use does not change what the others draw. Exponential and decaying quantities come from tables that Python's
``decimal`` computes (``ln`` and ``exp`` are correctly rounded there), never from the machine's own ``log`` or ``exp``.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import numpy.typing as npt

from framework.data.synthetic_compiled import inner

__all__ = ["KNOTS", "ONE_EXP", "Streams", "below", "decayed", "draw_u64", "exponential", "from_quantiles", "streams"]

# A quantile table has the quantiles 0, 0.1, ..., 1; a draw is linear between two of them.
KNOTS = 11
# The mean of ``exponential`` as an integer.
ONE_EXP = 1 << 20

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_U1, _U27, _U30, _U31, _U33, _U39, _U55, _U63 = (np.uint64(n) for n in (1, 27, 30, 31, 33, 39, 55, 63))
_BYTE = np.uint64(0xFF)
_LOW_16 = np.uint64(0xFFFF)
_MASK_64 = (1 << 64) - 1


def _tables() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    with localcontext(prec=40):
        ln_2 = Decimal(2).ln()
        ln = [round((1 + Decimal(i) / 256).ln() * ONE_EXP) for i in range(257)]
        power = [round((-ln_2 * i / 256).exp() * (1 << 30)) for i in range(257)]
    return np.array(ln, dtype=np.int64), np.array(power, dtype=np.int64)


# ln(1 + i / 256) in units of 2**-20, and 2**(-i / 256) in units of 2**-30.
_LN, _POWER = _tables()
_LN_2 = int(_LN[256])


# Independent streams of draws: [0, stream] keys, [1, stream] counters, uint64.
Streams = npt.NDArray[np.uint64]


def streams(seed: int, count: int) -> Streams:
    """``count`` streams that a root seed of any size determines.

    Raises ValueError for a negative seed.
    """
    if seed < 0:
        raise ValueError(f"seed {seed} is negative; give a whole number from 0 up")
    keys = []
    for name in range(count):
        key = _mix(name + 1)
        rest = seed
        while True:
            key = _mix(key ^ (rest & _MASK_64))
            rest >>= 64
            if not rest:
                break
        keys.append(key)
    return np.array([keys, [0] * count], dtype=np.uint64)


def _mix(value: int) -> int:
    z = (value + int(_GAMMA)) & _MASK_64
    z = ((z ^ (z >> 30)) * int(_MIX_1)) & _MASK_64
    z = ((z ^ (z >> 27)) * int(_MIX_2)) & _MASK_64
    return z ^ (z >> 31)


@inner
def draw_u64(random: Streams, stream: int) -> Any:
    """The next 64 uniform bits of a stream."""
    random[1, stream] += _U1
    z = random[0, stream] + random[1, stream] * _GAMMA
    z = (z ^ (z >> _U30)) * _MIX_1
    z = (z ^ (z >> _U27)) * _MIX_2
    return z ^ (z >> _U31)


@inner
def below(random: Streams, stream: int, bound: int) -> int:
    """A whole number from 0 to ``bound`` - 1, bound from 1 to 2**31; uneven by less than bound / 2**31."""
    return int((np.int64(draw_u64(random, stream) >> _U33) * bound) >> 31)


@inner
def exponential(random: Streams, stream: int) -> int:
    """An exponential draw with mean ``ONE_EXP``, by a table of 256 steps with straight lines between (error < 2e-6)."""
    u = draw_u64(random, stream) | _U1
    zeros = 0
    while u >> _U63 == np.uint64(0):
        u = u << _U1
        zeros += 1
    index = np.int64((u >> _U55) & _BYTE)
    part = np.int64((u >> _U39) & _LOW_16)
    ln = _LN[index] + (((_LN[index + 1] - _LN[index]) * part) >> 16)
    return int((zeros + 1) * _LN_2 - ln)


@inner
def from_quantiles(random: Streams, stream: int, quantiles: npt.NDArray[np.int64]) -> int:
    """A draw from a distribution given by ``KNOTS`` quantiles (each below 2**46), straight lines between."""
    place = np.int64(draw_u64(random, stream) >> _U33) * (KNOTS - 1)
    index = place >> 31
    part = (place >> 15) & 0xFFFF
    low = quantiles[index]
    return int(low + (((quantiles[index + 1] - low) * part) >> 16))


@inner
def decayed(value: int, elapsed_ns: int, half_life_ns: int) -> int:
    """``value`` (below 2**33) halved once for each half-life elapsed, the part of one by a table of 256 steps."""
    halvings = elapsed_ns // half_life_ns
    if halvings > 40:
        return 0
    index = ((elapsed_ns - halvings * half_life_ns) * 256) // half_life_ns
    return int(((value * _POWER[index]) >> 30) >> halvings)
