"""Machine code that Numba makes, kept on disk under a stamp of everything that it was made from.

Numba's own cache looks at the one file in which a cached function is defined; a change of a function that it calls, in
another file, would leave old machine code in use. Here whoever compiles says what all of its functions are made from,
so that they are compiled together or not at all.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from numba import types
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.runtime.nrt import rtsys
from numba.extending import intrinsic

__all__ = ["FloatPointer", "Pointer", "kept", "p8", "p32", "p64", "pf64", "source_stamp"]

# Numba's own types leave out what is needed here.
_index_file: Any = IndexDataCacheFile
_pointer_type: Any = types.CPointer
_intrinsic: Any = intrinsic
_runtime: Any = rtsys


class Pointer(Protocol):
    """Integers in memory, inside compiled code; indexed like a list, without any check."""

    def __getitem__(self, at: int) -> int: ...

    def __setitem__(self, at: int, value: int) -> None: ...


class FloatPointer(Protocol):
    """Floats in memory, inside compiled code."""

    def __getitem__(self, at: int) -> float: ...

    def __setitem__(self, at: int, value: float) -> None: ...


def _pointer_to(kind: Any) -> Any:
    pointer = _pointer_type(kind)

    @_intrinsic  # type: ignore[untyped-decorator]
    def cast(typing_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return pointer(types.int64), generate

    return cast


p8: Callable[[int], Pointer] = _pointer_to(types.uint8)
p32: Callable[[int], Pointer] = _pointer_to(types.int32)
p64: Callable[[int], Pointer] = _pointer_to(types.int64)
pf64: Callable[[int], FloatPointer] = _pointer_to(types.float64)


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

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """As Numba's, but what only a compiler needs to know is left for when there is something to compile: loading
        that takes longer than all else. Whoever waits at a terminal is told why, once in a process.
        """
        _runtime.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            found = self._load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        if found is None:
            _tell_once()
        return found


@cache
def _tell_once() -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        print("compiling, once for all later runs; this can take a quarter of a minute", file=sys.stderr, flush=True)
