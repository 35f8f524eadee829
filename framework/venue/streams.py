"""Counter-based random streams: chance as a pure function of (root seed, name, number of the draw).

Every use of chance has a name ("latency.ws2.command"); a stream's key depends on the root seed and that name alone, and
draw n of a stream on the key and n alone. So adding a stream, or drawing more often from one, changes no other, nothing
has to be stored, and compiled code and Python draw the same numbers.

The hash is the finalizer of splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014;
constants of Stafford's variant 13), applied twice with the key mixed in between, so that streams whose keys differ by a
multiple of the increment do not repeat each other.
"""

from __future__ import annotations

import hashlib

import numpy as np

from framework.venue.compiled import entry

__all__ = ["draw_below", "draw_u64", "stream_key"]

_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S27 = np.uint64(27)
_S30 = np.uint64(30)
_S31 = np.uint64(31)
_S32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


def stream_key(root_seed: int, name: str) -> int:
    """The key of a named stream: 63 bits, so that it fits a signed 64-bit integer.

    root_seed: any integer; name: any text, by convention words separated by dots.
    """
    digest = hashlib.blake2b(f"{root_seed}:{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


@entry
def draw_u64(key: int, n: int) -> int:
    """Draw number n of a stream, uniform over 0 ... 2**64 - 1.

    key: from ``stream_key``; n: the number of the draw, any 64-bit integer.
    """
    k = np.uint64(key)
    z = k + (np.uint64(n) + np.uint64(1)) * _INCREMENT
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    z = (z ^ (z >> _S31)) + k
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)  # type: ignore[return-value]


@entry
def draw_below(key: int, n: int, bound: int) -> int:
    """Draw number n of a stream, uniform over 0 ... bound - 1, as the integer part of draw * bound / 2**64.

    bound: 1 ... 2**63 - 1. The bias is below bound / 2**64.
    """
    u = draw_u64(key, n)
    b = np.uint64(bound)
    # The high 64 bits of a 128-bit product, from four products of 32-bit halves.
    u_high, u_low = u >> _S32, u & _LOW
    b_high, b_low = b >> _S32, b & _LOW
    middle = u_high * b_low + ((u_low * b_low) >> _S32)
    carry = (middle & _LOW) + u_low * b_high
    return np.int64(u_high * b_high + (middle >> _S32) + (carry >> _S32))  # type: ignore[return-value]
