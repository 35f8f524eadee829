"""Tables of text in fixed columns, and numbers for what they cite."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from decimal import Decimal

__all__ = ["WIDTH", "Citations", "heading", "plain", "row", "wrapped"]

WIDTH = 120


class Citations:
    """Numbers for texts that are cited, in order of first use."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def refer(self, texts: Iterable[str]) -> str:
        """The numbers of these texts, ascending, each once, with spaces between."""
        numbers = {self._numbers.setdefault(text, len(self._numbers) + 1) for text in texts}
        return " ".join(str(number) for number in sorted(numbers))

    def listing(self) -> list[str]:
        """Every text that was cited, after its number."""
        lines = []
        for text, number in self._numbers.items():
            lines += textwrap.wrap(text, WIDTH, initial_indent=f"{number:>4}  ", subsequent_indent=" " * 6)
        return lines


def heading(text: str) -> list[str]:
    """A line of text and one of dashes below it."""
    return [text, "-" * len(text)]


def wrapped(text: str) -> list[str]:
    """A paragraph."""
    return textwrap.wrap(text, WIDTH, break_on_hyphens=False)


def row(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """One row of a table: a cell wraps within its column, two spaces stay free between columns.

    A cell that begins with two spaces is indented; the lines that it wraps into are indented further.
    """
    columns = []
    for index, (cell, width) in enumerate(zip(cells, widths, strict=False)):
        gutter = 0 if index == len(widths) - 1 else 2
        indent = "  " if cell.startswith("  ") else ""
        lines = textwrap.wrap(
            cell.strip(), width - gutter, initial_indent=indent, subsequent_indent=indent * 2, break_on_hyphens=False
        )
        columns.append(lines or [""])
    height = max(len(column) for column in columns)
    padded = [
        [line.ljust(width) for line in column + [""] * (height - len(column))]
        for column, width in zip(columns, widths, strict=False)
    ]
    return ["".join(parts) for parts in zip(*padded, strict=True)]


def plain(value: Decimal) -> str:
    """The shortest digits of a decimal, without exponent."""
    return f"{value.normalize():f}"
