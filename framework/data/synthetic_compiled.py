"""How the synthetic market's functions are compiled: only where Python enters is machine code kept on disk, under a
stamp of all the files that the synthetic market is compiled from.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from framework.machine_code import kept, source_stamp

__all__ = ["constant", "inner", "outer"]


_STAMP = source_stamp((*sorted(Path(__file__).parent.glob("synthetic_*.py")), Path(__file__).with_name("columns.py")))


def outer[F: Callable[..., Any]](function: F) -> F:
    """A compiled function that Python calls; its machine code is kept on disk if any place for it is writable."""
    return kept(njit(function), function, _STAMP)  # type: ignore[no-any-return]


def inner[F: Callable[..., Any]](function: F) -> F:
    """A function that only compiled code calls: without the shells for other callers, which take as long to compile."""
    return njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)  # type: ignore[no-any-return, call-overload]


def constant(value: int) -> int:
    """An integer to give to compiled functions as an argument: for each plain one there is one more version of them."""
    return np.int64(value)  # type: ignore[return-value]
