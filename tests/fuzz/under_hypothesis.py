"""One harness under hypothesis, from its seeds: ``python -m tests.fuzz.under_hypothesis HARNESS SECONDS SAVE``."""

from __future__ import annotations

import hashlib
import sys
import time
import traceback
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.harnesses import HARNESSES, SEEDS

__all__ = ["mutations"]

_LENGTH_MAX = 4096
_SPLICES = [b"", b"0", b"-1", b"9" * 25, b"1e400", b"null", b'"', b"{", b"[[", b"\n", b"|", b"=", b"\x00", b"\xff\xfe",
            b"\\ud800", b"NaN", b"&", b"%zz", b"true", b"\x01", b"8=FIX.4.4|9=5|", b"TOKEN", b"BTC/USD"]  # fmt: skip


def mutations(name: str) -> st.SearchStrategy[bytes]:
    """Seeds of a harness, changed here and there, and bytes that are no seed."""
    seeds = [file.read_bytes() for file in sorted((SEEDS / name).iterdir())]
    cut = st.tuples(st.integers(0, _LENGTH_MAX), st.integers(0, 12), st.sampled_from(_SPLICES) | st.binary(max_size=6))

    def changed(seed: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
        for at, length, put in cuts:
            place = at % (len(seed) + 1)
            seed = seed[:place] + put + seed[place + length :]
        return seed

    grown = st.builds(changed, st.sampled_from(seeds), st.lists(cut, max_size=6))
    return (grown | st.binary(max_size=200)).filter(bool)


def main(name: str, seconds: float, save: Path) -> int:
    """Draw for so many seconds; 1 if something was found, which is kept."""
    harness = HARNESSES[name]()
    end_s = time.monotonic() + seconds
    count = 0

    @given(mutations(name))
    @settings(
        max_examples=10**9,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def draw(data: bytes) -> None:
        nonlocal count
        if time.monotonic() >= end_s:
            raise KeyboardInterrupt
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
