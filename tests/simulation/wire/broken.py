"""What does not hold."""

from __future__ import annotations

__all__ = ["BrokenError"]


class BrokenError(AssertionError):
    """Something that must hold does not. name: what."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name
