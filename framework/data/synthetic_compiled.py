"""How the synthetic market's functions are compiled: only where Python enters is machine code kept on disk.

Numba's own cache looks at the one file in which a cached function is defined, so a change in a function that it calls,
in another file, would leave old machine code in use. Here the stamp of a cached function is a hash of all the files
that the synthetic market is compiled from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numba.core.caching import FunctionCache, IndexDataCacheFile

__all__ = ["constant", "inner", "outer"]


def _source_stamp() -> str:
    digest = hashlib.blake2b(digest_size=16)
    for path in (*sorted(Path(__file__).parent.glob("synthetic_*.py")), Path(__file__).with_name("columns.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


_STAMP = _source_stamp()


class _StampedCache(FunctionCache):
    def __init__(self, py_func: Callable[..., Any]) -> None:
        super().__init__(py_func)  # type: ignore[no-untyped-call]
        self._cache_file = IndexDataCacheFile(  # type: ignore[no-untyped-call]
            cache_path=self._cache_path, filename_base=self._impl.filename_base, source_stamp=_STAMP
        )


def outer[F: Callable[..., Any]](function: F) -> F:
    """A compiled function that Python calls; its machine code is kept on disk if any place for it is writable."""
    dispatcher = njit(function)
    try:
        dispatcher._cache = _StampedCache(function)
    except RuntimeError:
        # Numba found no writable folder for its cache: compile in this process, as if there was no cache.
        return dispatcher  # type: ignore[no-any-return]
    return dispatcher  # type: ignore[no-any-return]


def inner[F: Callable[..., Any]](function: F) -> F:
    """A function that only compiled code calls: without the shells for other callers, which take as long to compile."""
    return njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)  # type: ignore[no-any-return, call-overload]


def constant(value: int) -> int:
    """An integer to give to compiled functions as an argument: for each plain one there is one more version of them."""
    return np.int64(value)  # type: ignore[return-value]
