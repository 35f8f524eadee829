"""Reads the lock file: what is pinned, under which condition, with which hashes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name
from packaging.version import Version

__all__ = ["Pin", "read_lock"]

_PIN = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[\w.!+-]+)(?:\s*;\s*(?P<marker>.*?))?(?P<hashes>(?:\s+--hash=\S+)*)")


@dataclass(frozen=True)
class Pin:
    """One line of the lock: a package, its version, where it is for, and the hashes of its files."""

    name: str
    version: Version
    marker: Marker | None
    hashes: tuple[str, ...]

    def is_for(self, python: str) -> bool:
        """Whether it is installed with that Python ("3.13") on Linux."""
        environment = {
            "python_full_version": f"{python}.0",
            "python_version": python,
            "sys_platform": "linux",
            "platform_python_implementation": "CPython",
        }
        return self.marker is None or self.marker.evaluate(environment)


def read_lock(path: Path) -> list[Pin]:
    """The pins of a lock file. Raises ValueError for a line that is not a pin: the lock holds nothing else."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    pins = []
    for entry in "\n".join(lines).replace("\\\n", " ").splitlines():
        if not entry.strip():
            continue
        match = _PIN.fullmatch(entry.strip())
        if match is None:
            raise ValueError(f"not a pinned package: {entry.strip()[:80]}")
        hashes = tuple(word.removeprefix("--hash=") for word in match["hashes"].split())
        marker = Marker(match["marker"]) if match["marker"] else None
        pins.append(Pin(canonicalize_name(match["name"]), Version(match["version"]), marker, hashes))
    return pins
