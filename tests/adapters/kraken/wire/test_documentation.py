"""Each example on each page of Kraken's documentation of Spot is read, or there is a reason why it is not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.kraken.wire import codec
from adapters.kraken.wire.checksum import printed_checksum
from adapters.kraken.wire.codec import decoder
from adapters.kraken.wire.rest.endpoints import ENDPOINTS
from adapters.kraken.wire.ws1.market import BookPart, Level
from tests.adapters.kraken.wire import test_rest_messages, test_ws1_messages, test_ws2_messages
from tests.adapters.kraken.wire.documented import DOCS_VARIABLE, broken_values, json_values, pages, tokens

# Folders whose every page has a test of its own protocol.
COVERED = {"websocket-v1", "websocket-v2", "rest-api"}
# What the project does not speak.
OTHER_APIS = {
    "futures-api": "the Derivatives exchange",
    "futures-": "the Derivatives exchange",
    "embed-": "the Embed API, for partners",
    "custody-": "the Custody API",
    "global-": "an overview without messages",
}
# Pages that show something else than they are about.
ASTRAY = {"nos-fix": "shows SendOrder of the Derivatives exchange in place of NewOrderSingle"}


def _ws2(text: str) -> None:
    test_ws2_messages.assert_unchanged(text)


def _ws1(text: str) -> None:
    test_ws1_messages.assert_unchanged(text)


def _rest(path: str) -> Callable[[str], None]:
    return lambda text: test_rest_messages.check_example(text, ENDPOINTS[path])


def _book_of_ws1(text: str) -> None:
    """Levels, and the book that the guide works its checksum with."""
    message: Any = decoder(Level if text.startswith("[") else BookPart)(text)  # type: ignore[arg-type, type-var]
    assert tokens(codec.encode(message)) == tokens(text)
    if isinstance(message, BookPart) and isinstance(message.asks_all, list) and isinstance(message.bids_all, list):
        asks, bids = ([(level[0], level[1]) for level in side] for side in (message.asks_all, message.bids_all))
        assert printed_checksum(asks, bids) == 974947235


GUIDES: dict[str, Callable[[str], None]] = {
    "spot-amends": _rest("/private/AmendOrder"),
    "spot-clordid": _ws2,
    "spot-l3-data": _rest("/private/Level3"),
    "spot-rest-auth": _rest("/private/AddOrder"),
    "spot-rest-intro": _rest("/public/SystemStatus"),
    "spot-ws-auth": _ws1,
    "spot-ws-book-v1": _book_of_ws1,
    "spot-ws-book-v2": _ws2,
    "spot-ws-intro": _ws2,
    "spot-ws-l3-v2": _ws2,
}
# What begins like JSON and is none: a frame with a comment inside, whose levels are read by themselves.
BROKEN = {"spot-ws-book-v1": ["[", "{"]}


def _is_other(name: str) -> bool:
    return any(name.startswith(prefix) for prefix in OTHER_APIS)


def _guides() -> Iterator[tuple[Path, str]]:
    for page in pages("guides"):
        if not _is_other(page.stem):
            yield page, page.read_text(encoding="utf-8")


def test_every_guide_with_an_example_is_read() -> None:
    assert {page.stem for page, text in _guides() if any(json_values(text))} <= set(GUIDES)


@pytest.mark.parametrize("name", GUIDES)
def test_every_example_of_a_guide_comes_back_unchanged(name: str) -> None:
    (text,) = [text for page, text in _guides() if page.stem == name]
    assert [value[:1] for value in broken_values(text)] == BROKEN.get(name, [])
    for example in json_values(text):
        GUIDES[name](example)


def test_no_other_folder_of_the_documentation_has_an_example() -> None:
    pages("guides")  # skips where there is no documentation
    root = Path(os.environ[DOCS_VARIABLE]).expanduser()
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and folder.name not in {*COVERED, "guides"} and not _is_other(folder.name):
            for page in sorted(folder.glob("*.md")):
                assert page.stem in ASTRAY or not any(json_values(page.read_text(encoding="utf-8"))), page
