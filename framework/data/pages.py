"""Memory of mapped columns: pages that have been walked are given back to the system.

Rows of a store are read from a mapped file, so a page of them that is let go is read again from the file if anybody
looks at it once more. Only pages of such files are let go: memory of our own would lose what is in it.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
import weakref
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from framework.data.columns import COLUMN_TYPES, Columns

__all__ = ["give_back", "note_mapped"]

_DONT_NEED = 4  # MADV_DONTNEED of Linux
# First and last address of the arrays that lie in mapped files, by a number of their own.
_mapped: dict[int, tuple[int, int]] = {}
_count = 0


def _advice() -> Callable[[int, int], object] | None:
    """The system's call; None where it has none that is known to read a let-go page from its file again."""
    if sys.platform != "linux":
        return None
    call = ctypes.CDLL(None).madvise
    call.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return lambda address, size: call(address, size, _DONT_NEED)


_advise = _advice()


def note_mapped(array: npt.NDArray[np.generic]) -> None:
    """An array lies in a file that is mapped for reading, as long as it lives."""
    global _count  # noqa: PLW0603 - one process has one set of pages
    _count += 1
    start = array.ctypes.data
    _mapped[_count] = (start, start + array.nbytes)
    weakref.finalize(array, _mapped.pop, _count, None)


def give_back(columns: Columns, first_row: int, last_row: int) -> int:
    """Let go of the pages that lie wholly within rows, last_row excluded, where they are mapped; returns bytes.

    What is read of them later is read from the file again: it costs time, never a value.
    """
    total = 0
    if _advise is None:
        return total
    page = mmap.PAGESIZE
    for name in COLUMN_TYPES:
        array = getattr(columns, name)
        if not len(array):
            continue
        start = array.ctypes.data
        first = -(-(start + first_row * array.itemsize) // page) * page
        last = (start + min(last_row, len(array)) * array.itemsize) // page * page
        if last > first and any(low <= first and last <= high for low, high in _mapped.values()):
            _advise(first, last - first)
            total += last - first
    return total
