"""Where the recordings are that some tests read: real markets and published conformance scripts.

They are not part of the repository. A recording is a folder with a name; it is looked for

- in the folder that the environment variable ``TIDEGATE_CAPTURES`` names (and in ``data`` under it), if it is set;
- else beside the checkout, in ``../shared/data`` and ``../shared``.

A test that needs one calls ``require_capture`` and is skipped, with the reason, on a machine without it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

__all__ = ["CAPTURES_VARIABLE", "capture_folders", "find_capture", "require_capture"]

CAPTURES_VARIABLE = "TIDEGATE_CAPTURES"

_CHECKOUT = Path(__file__).resolve().parents[1]


def capture_folders(named: str | None, checkout: Path) -> tuple[Path, ...]:
    """The folders that may hold captures, in the order in which they are looked at.

    named: value of ``TIDEGATE_CAPTURES``; None or "" if it is not set.
    Raises FileNotFoundError for a named folder that does not exist: a typing error must not turn tests into skips.
    """
    if not named:
        shared = checkout.parent / "shared"
        return (shared / "data", shared)
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"{CAPTURES_VARIABLE} names {named}, which is not a folder; correct it or unset it")
    return (folder, folder / "data")


def find_capture(name: str, folders: tuple[Path, ...]) -> Path | None:
    """The folder of the capture of that name, None if none of ``folders`` has it."""
    return next((folder / name for folder in folders if (folder / name).is_dir()), None)


def require_capture(name: str) -> Path:
    """The folder of the capture of that name ("kraken-spot-ws1-2021-04"); skips the test where it is absent."""
    folders = capture_folders(os.environ.get(CAPTURES_VARIABLE), _CHECKOUT)
    capture = find_capture(name, folders)
    if capture is None:
        pytest.skip(f"the capture {name} is not on this machine ({CAPTURES_VARIABLE} may name the folder that has it)")
    return capture
