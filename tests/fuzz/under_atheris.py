"""One harness under atheris: ``python -m tests.fuzz.under_atheris HARNESS SECONDS SAVE``; libFuzzer ends it all."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

# What is imported here is followed: the code that reads what clients send, and not the compiled kernel.
with atheris.instrument_imports(include=["adapters"]):
    from tests.fuzz.harnesses import HARNESSES, SEEDS

name, seconds, save = sys.argv[1:4]
harness = HARNESSES[name]()


def one_input(data: bytes) -> None:
    """Feed an input."""
    if data:
        harness.run(data)


with tempfile.TemporaryDirectory() as corpus:
    arguments = [
        name,
        f"-max_total_time={seconds}",
        f"-artifact_prefix={Path(save) / name}-",
        "-max_len=4096",
        "-timeout=30",
        "-verbosity=0",
        "-print_final_stats=1",
        corpus,
        str(SEEDS / name),
    ]
    atheris.Setup(arguments, one_input)
    atheris.Fuzz()
