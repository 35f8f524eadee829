"""Compiling with Numba; machine code is kept on disk under a stamp of all compiled files of this room, and of the
constants from other rooms.

Compiled functions of the kernel take addresses, not arrays: one integer instead of dozens of array descriptions makes a
call from Python cheap, lets read-only memory maps pass without a second version, and leaves one version of each
function. Nothing checks an index there, so whatever reaches these functions is checked before (``kernel.loading``).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import _dynfunc, njit, types  # type: ignore[attr-defined]
from numba.core import cgutils
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering
from numba.extending import intrinsic

from framework.data import columns
from framework.machine_code import FloatPointer, Pointer, kept, p8, p32, p64, pf64, source_stamp
from framework.protocol import BUY, SELL

__all__ = [
    "FloatPointer",
    "Pointer",
    "entry",
    "inlined",
    "keep_apart",
    "leading_zeros",
    "p8",
    "p32",
    "p64",
    "pf64",
    "trailing_zeros",
]


def _stamp() -> str:
    room = Path(__file__).parent
    paths = [room / name for name in ("../machine_code.py", "compiled.py", "streams.py", "latency.py", "path.py")]
    names = sorted(name for name in columns.__all__ if name.isupper() and name != "COLUMN_TYPES")
    constants = [(name, getattr(columns, name)) for name in names] + [BUY, SELL]
    return source_stamp((*paths, *sorted((room / "kernel").glob("*.py"))), constants)


_STAMP = _stamp()


# Numba's own types leave out what is needed here.
_njit: Any = njit
_intrinsic: Any = intrinsic


_OPTIONS = {"error_model": "numpy", "no_cfunc_wrapper": True, "no_rewrites": True, "_nrt": False}


def _widened(kind: Any) -> Any:
    return types.int64 if isinstance(kind, types.Integer | types.IntegerLiteral) else kind


@register_pass(mutates_CFG=True, analysis_only=False)  # type: ignore[no-untyped-call]
class _LowerForCallers(NativeLowering):
    """Lower a function to LLVM's language, and leave optimizing and machine code to the entries that it ends up in.

    Numba does both for every function, and again for each function that calls it, level by level; here nobody but an
    entry calls from outside, so it was two thirds of the time that LLVM took.
    """

    _name = "lower_for_callers"

    def run_pass(self, state: Any) -> bool:
        library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        library.enable_object_caching()
        library._optimize_final_module = _nothing

        def finalize() -> None:
            library._finalize_dynamic_globals()
            library._finalized = True

        library._finalize_final_module = finalize
        state.library = library
        state.flags.no_compile = True
        super().run_pass(state)  # type: ignore[no-untyped-call]
        lowered = state["cr"]
        # What stands for the function in Numba's tables; it has no address, nobody calls it.
        key = _dynfunc.make_function(
            lowered.fndesc.lookup_module(), lowered.fndesc.qualname, "", 0, lowered.env, (library,)
        )
        state.targetctx.insert_user_function(key, lowered.fndesc, [library])
        state["cr"] = lowered._replace(cfunc=key)
        return True


def _nothing() -> None:
    """In place of a step that is left out."""


class _ForCallers(CompilerBase):
    def define_pipelines(self) -> Any:
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)  # type: ignore[no-untyped-call]
        passes = [(_LowerForCallers if step is NativeLowering else step, why) for step, why in pipeline.passes]
        pipeline.passes = passes
        pipeline.finalize()
        return [pipeline]


def inlined[F: Callable[..., Any]](function: F) -> F:
    """A function that only compiled code calls.

    It is compiled once, for 64-bit integers: Numba would make a machine-code version for each width of an argument, and
    for each constant, and most of the time that compiling takes goes there.
    """
    dispatcher = _njit(function, no_cpython_wrapper=True, pipeline_class=_ForCallers, **_OPTIONS)
    template_of = dispatcher.get_call_template

    def template_of_wide(arguments: Any, keywords: Any) -> Any:
        return template_of(tuple(_widened(kind) for kind in arguments), keywords)

    dispatcher.get_call_template = template_of_wide
    return dispatcher  # type: ignore[no-any-return]


def entry[F: Callable[..., Any]](function: F) -> F:
    """A compiled function that Python calls too; its machine code is kept on disk if any place for it is writable."""
    return kept(_njit(function, **_OPTIONS), function, _STAMP)  # type: ignore[no-any-return]


def _keep_apart(typing_context: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.none(), generate


def _leading_zeros(typing_context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], cgutils.true_bit)

    return types.int64(types.int64), generate


def _trailing_zeros(typing_context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.true_bit)

    return types.int64(types.int64), generate


keep_apart: Callable[[], None] = _intrinsic(_keep_apart)
"""Called in a compiled function: do not inline it. For what is rare: it keeps compiling short and loops small."""

leading_zeros: Callable[[int], int] = _intrinsic(_leading_zeros)
"""Zero bits before the highest bit of a 64-bit word; undefined for 0."""

trailing_zeros: Callable[[int], int] = _intrinsic(_trailing_zeros)
"""Zero bits below the lowest bit of a 64-bit word; undefined for 0."""
