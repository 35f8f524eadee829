"""Processor cores that do not halt while a run waits: for who would rather spend power than the time of waking one.

A core that halts has to be woken when something comes, on a virtual machine by way of its host, and wakes with cold
caches. Linux lets no core rest in a state that takes longer to wake from than whoever holds ``/dev/cpu_dma_latency``
says; with 0 they poll. That holds for all cores of the machine, and until the file is closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from framework.errors import ConfigError

__all__ = ["cores_awake"]

_NO_LATENCY_US = bytes(4)


@contextmanager
def cores_awake(place: Path = Path("/dev/cpu_dma_latency")) -> Iterator[None]:
    """Within, no core halts. Raises ConfigError where the machine does not have that, or does not let us."""
    try:
        file = place.open("wb", buffering=0)
    except OSError as error:
        raise ConfigError(
            f"[live] keep_awake = true: {place} cannot be held ({error.strerror}); let the run write to it, or have "
            "the machine do the same for all (the kernel's idle=poll), and leave keep_awake out"
        ) from None
    with file:
        file.write(_NO_LATENCY_US)
        yield
