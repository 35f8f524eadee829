"""One harness under hypothesis, from its seeds: ``python -m tests.fuzz.under_hypothesis HARNESS SECONDS SAVE``.

A draw of hypothesis costs more than an input, so one draw makes many.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
import traceback
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.harnesses import HARNESSES, SEEDS

__all__ = ["mutations"]

_LENGTH_MAX = 4096
_INPUTS_OF_A_DRAW = 200
_SPLICES = [b"", b"0", b"-1", b"9" * 25, b"1e400", b"null", b'"', b"{", b"[[", b"\n", b"|", b"=", b"\x00", b"\xff\xfe",
            b"\\ud800", b"NaN", b"&", b"%zz", b"true", b"\x01", b"8=FIX.4.4|9=5|", b"TOKEN", b"BTC/USD"]  # fmt: skip


def mutations(name: str) -> st.SearchStrategy[bytes]:
    """Seeds of a harness, changed here and there, and bytes that are no seed; never empty."""
    return st.builds(_changed, st.just(_seeds(name)), st.integers(0, 2**64 - 1).map(random.Random))


def _seeds(name: str) -> list[bytes]:
    return [file.read_bytes() for file in sorted((SEEDS / name).iterdir())]


def _changed(seeds: list[bytes], chance: random.Random) -> bytes:
    if chance.random() < 0.05:
        return chance.randbytes(chance.randint(1, 200))
    data = chance.choice(seeds)
    for _ in range(chance.randint(0, 6)):
        at, length = chance.randint(0, len(data)), chance.randint(0, 12)
        put = chance.choice(_SPLICES) if chance.random() < 0.7 else chance.randbytes(chance.randint(0, 6))
        if chance.random() < 0.2:  # a piece of another seed
            other = chance.choice(seeds)
            start = chance.randint(0, len(other))
            put = other[start : start + chance.randint(0, 80)]
        data = data[:at] + put + data[at + length :]
    return data[:_LENGTH_MAX] or b"\x00"


def main(name: str, seconds: float, save: Path) -> int:
    """Draw for so many seconds; 1 if something was found, which is kept."""
    harness, seeds = HARNESSES[name](), _seeds(name)
    end_s = time.monotonic() + seconds
    count = 0

    @given(st.integers(0, 2**64 - 1))
    @settings(
        max_examples=10**9,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def draw(number: int) -> None:
        nonlocal count
        if time.monotonic() >= end_s:
            raise KeyboardInterrupt
        chance = random.Random(number)
        for _ in range(_INPUTS_OF_A_DRAW):
            data = _changed(seeds, chance)
            count += 1
            try:
                harness.run(data)
            except Exception:
                file = save / f"{name}-{hashlib.sha256(data).hexdigest()[:16]}"
                file.write_bytes(data)
                print(f"{data!r}\nkept in {file}")
                raise

    try:
        draw()
    except KeyboardInterrupt:
        print(f"{count} inputs")
    except Exception:  # noqa: BLE001 - whatever comes out of a harness is a fault
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])))
