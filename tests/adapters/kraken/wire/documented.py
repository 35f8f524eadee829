"""The examples of Kraken's documentation, and what it means that one comes back unchanged.

The documentation is not part of the repository. Read are the project's own notes on it (the capture ``kraken``), and
its pages themselves where ``TIDEGATE_KRAKEN_DOCS`` names a folder that has them (``websocket-v2/add_order.md``, ...).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.captures import require_capture

__all__ = ["DOCS_VARIABLE", "broken_values", "json_values", "note", "pages", "tokens"]

DOCS_VARIABLE = "TIDEGATE_KRAKEN_DOCS"

_DECODER = json.JSONDecoder()
# On a page an example begins on a line of its own, or is what a command sends; in the notes also inside of one.
_ON_A_LINE = re.compile(r"^[ \t]*(?:-d '|--data-raw ')?(?=[{\[])", re.MULTILINE)
_ANYWHERE = re.compile(r'(?=\{"|\[\d+,|\[\[\{")')


def pages(folder: str) -> list[Path]:
    """The pages of a folder of the documentation; skips the test where it is not told of."""
    named = os.environ.get(DOCS_VARIABLE)
    if not named:
        pytest.skip(f"{DOCS_VARIABLE} names no folder with Kraken's documentation")
    found = sorted((Path(named).expanduser() / folder).glob("*.md"))
    if not found:
        raise FileNotFoundError(f"{DOCS_VARIABLE} names {named}, which has no pages of {folder}; correct it or unset")
    return found


def note(name: str) -> str:
    """The text of one of the project's notes; skips the test where it is absent."""
    return (require_capture("kraken") / name).read_text(encoding="utf-8")


def json_values(text: str, *, is_note: bool = False) -> Iterator[str]:
    """The JSON objects and arrays of a text, each as it is printed, in order; none is inside another."""
    for value, _ in _scan(text, is_note=is_note):
        if value is not None:
            yield value


def broken_values(text: str) -> list[str]:
    """The beginnings of what begins like JSON on a line of its own and is not."""
    return [" ".join(beginning.split()) for value, beginning in _scan(text, is_note=False) if value is None]


def _scan(text: str, *, is_note: bool) -> Iterator[tuple[str | None, str]]:
    start, position = _ANYWHERE if is_note else _ON_A_LINE, 0
    while found := start.search(text, position):
        begin = found.end()
        try:
            _, position = _DECODER.raw_decode(text, begin)
        except ValueError:
            # In a note what is no JSON is the shape of a message on one line: its parts are no examples either.
            position = text.find("\n", begin) if is_note else begin + 1
            yield None, text[begin : begin + 60]
        else:
            yield text[begin:position], ""


def tokens(data: bytes | str) -> Any:
    """JSON with its numbers as text, so that two are equal only if each digit and each member is.

    The order of members is left out: it has no meaning, and the documentation itself varies it from page to page.
    """

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        assert len(found) == len(pairs), f"a member twice in {[name for name, _ in pairs]}"
        return found

    def number(text: str) -> tuple[str, str]:
        return ("number", text)

    return json.loads(data, parse_float=number, parse_int=number, object_pairs_hook=members)
