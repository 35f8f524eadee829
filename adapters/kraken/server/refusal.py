"""A request that cannot be carried out, in Kraken's words."""

from __future__ import annotations

from adapters.kraken.errors import KrakenError

__all__ = ["Refusal", "invalid"]


class Refusal(KrakenError):  # noqa: N818 - it is an answer, not a fault of ours
    """What a client is told; ``text`` is Kraken's own."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def invalid(name: str) -> Refusal:
    """An argument is missing or makes no sense."""
    return Refusal(f"EGeneral:Invalid arguments:{name}")
