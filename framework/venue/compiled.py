"""Compiling with Numba, with a cache on disk that notices a change in any of the files it was compiled from.

Numba's own cache looks at the one file in which a cached function is defined; a change in a function that it calls,
in another file, would leave old machine code in use. Here the stamp of every cached function is a hash of all compiled
files of this room, so that they are compiled together or not at all.

Compiled functions of the kernel take addresses, not arrays: one integer instead of dozens of array descriptions makes a
call from Python cheap, lets read-only memory maps pass without a second specialisation, and leaves one specialisation of
each function. Nothing checks an index there, so whatever reaches these functions is checked before (``kernel.loading``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit, types
from numba.core import cgutils
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.extending import intrinsic

__all__ = ["Pointer", "entry", "inlined", "keep_apart", "leading_zeros", "p8", "p32", "p64", "pf64", "trailing_zeros"]

type Pointer = Any
"""A typed pointer inside compiled code; indexed like a list, without any check."""


def _source_stamp() -> str:
    room = Path(__file__).parent
    digest = hashlib.blake2b(digest_size=16)
    for path in (
        room / "compiled.py",
        room / "streams.py",
        room / "latency.py",
        *sorted((room / "kernel").glob("*.py")),
    ):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


_STAMP = _source_stamp()


class _StampedCache(FunctionCache):  # type: ignore[misc]
    def __init__(self, py_func: Callable[..., Any]) -> None:
        super().__init__(py_func)
        self._cache_file = IndexDataCacheFile(
            cache_path=self._cache_path, filename_base=self._impl.filename_base, source_stamp=_STAMP
        )


_OPTIONS = {"error_model": "numpy", "no_cfunc_wrapper": True, "no_rewrites": True, "_nrt": False}


def _widened(kind: Any) -> Any:
    return types.int64 if isinstance(kind, types.Integer | types.IntegerLiteral) else kind


def inlined[F: Callable[..., Any]](function: F) -> F:
    """A function that only compiled code calls.

    It is compiled once, for 64-bit integers: Numba would make a machine-code version for each width of an argument, and
    for each constant, and most of the time that compiling takes goes there.
    """
    dispatcher = njit(function, no_cpython_wrapper=True, **_OPTIONS)
    template_of = dispatcher.get_call_template

    def template_of_wide(arguments: Any, keywords: Any) -> Any:
        return template_of(tuple(_widened(kind) for kind in arguments), keywords)

    dispatcher.get_call_template = template_of_wide
    return dispatcher  # type: ignore[no-any-return]


def entry[F: Callable[..., Any]](function: F) -> F:
    """A compiled function that Python calls too; its machine code is kept on disk if any place for it is writable."""
    dispatcher = njit(function, **_OPTIONS)
    try:
        dispatcher._cache = _StampedCache(function)
    except RuntimeError:
        # Numba found no writable folder for its cache: compile in this process, as if there was no cache.
        return dispatcher  # type: ignore[no-any-return]
    return dispatcher  # type: ignore[no-any-return]


def _pointer_to(kind: Any) -> Callable[[int], Pointer]:
    pointer = types.CPointer(kind)

    @intrinsic
    def cast(typing_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return pointer(types.int64), generate

    return cast  # type: ignore[no-any-return]


p8 = _pointer_to(types.uint8)
p32 = _pointer_to(types.int32)
p64 = _pointer_to(types.int64)
pf64 = _pointer_to(types.float64)


@intrinsic  # type: ignore[untyped-decorator]
def keep_apart(typing_context: Any) -> Any:
    """Called in a compiled function: do not inline it. For what is rare: it keeps compiling short and loops small."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.none(), generate


@intrinsic  # type: ignore[untyped-decorator]
def leading_zeros(typing_context: Any, word: Any) -> Any:
    """Zero bits before the highest bit of a 64-bit word; undefined for 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], cgutils.true_bit)

    return types.int64(types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def trailing_zeros(typing_context: Any, word: Any) -> Any:
    """Zero bits below the lowest bit of a 64-bit word; undefined for 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.true_bit)

    return types.int64(types.int64), generate
