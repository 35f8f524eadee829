"""Machine code that Numba makes, kept on disk under a stamp of everything that it was made from.

Numba's own cache looks at the one file in which a cached function is defined; a change of a function that it calls, in
another file, would leave old machine code in use. Here whoever compiles says what all of its functions are made from,
so that they are compiled together or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from numba.core.caching import FunctionCache, IndexDataCacheFile

__all__ = ["kept", "source_stamp"]

# Numba's own types leave out what is needed here.
_index_file: Any = IndexDataCacheFile


def source_stamp(files: Iterable[Path], constants: object = ()) -> str:
    """A hash of files, in the order given, and of constants from elsewhere, by their ``repr``."""
    digest = hashlib.blake2b(digest_size=16)
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    digest.update(repr(constants).encode())
    return digest.hexdigest()


def kept(dispatcher: Any, function: Callable[..., Any], stamp: str) -> Any:
    """Have a compiled function's machine code kept on disk, if any place for it is writable; returns it."""
    # Where Numba finds no writable folder for its cache it compiles in each process, as if there was no cache.
    with suppress(RuntimeError):
        dispatcher._cache = _StampedCache(function, stamp)
    return dispatcher


class _StampedCache(FunctionCache):
    def __init__(self, function: Callable[..., Any], stamp: str) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._cache_file = _index_file(
            cache_path=self._cache_path, filename_base=self._impl.filename_base, source_stamp=stamp
        )
