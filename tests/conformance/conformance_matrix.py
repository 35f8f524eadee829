"""Clients by others against the served venue: which test shows what, and why a cell of the table has none.

Each client has a module, whose test of a behaviour has the same name in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BEGIN", "BEHAVIOURS", "CLIENTS", "END", "README", "Client", "Outcomes", "block_of", "matrix", "with_block"]

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN = "<!-- Made by `make conformance ARGS=--write-matrix`, from what the tests showed. -->"
END = "<!-- End of the table of clients. -->"

BEHAVIOURS: Mapping[str, str] = {
    "connect": "test_connects",
    "market data": "test_reads_market_data",
    "checksums of the book": "test_every_checksum_of_the_book_is_right",
    "checksums of level 3": "test_every_checksum_of_level_3_is_right",
    "order entry": "test_adds_an_order",
    "amend": "test_amends_an_order",
    "cancel": "test_cancels_an_order",
    "fills": "test_learns_of_its_fills",
    "history": "test_reads_its_history",
    "bad signature": "test_is_told_of_a_bad_signature",
    "bad nonce": "test_is_told_of_a_bad_nonce",
    "unknown order": "test_is_told_of_an_unknown_order",
    "insufficient funds": "test_is_told_of_insufficient_funds",
    "rate limit": "test_is_told_of_a_rate_limit",
    "reconnect": "test_reconnects",
}
"""What is shown, and the name of the test that shows it."""


@dataclass(frozen=True)
class Client:
    """A column of the table.

    module: of its tests. without: behaviours that it has no test of, and why.
    """

    name: str
    protocol: str
    module: str
    without: Mapping[str, str]


_WORDS = {"passed": "yes", "failed": "FAILED", "skipped": "not run"}
_OF_AN_ACCOUNT = tuple(BEHAVIOURS)[4:-1]
_NO_SUMS = "Kraken sends no checksums over REST"

CLIENTS = (
    Client(
        "ccxt",
        "REST",
        "test_client_ccxt.py",
        {"checksums of the book": _NO_SUMS, "checksums of level 3": _NO_SUMS},
    ),
    Client(
        "ccxt.pro",
        "WebSocket v2",
        "test_client_ccxt_pro.py",
        {"checksums of level 3": "ccxt.pro has no level 3"},
    ),
    Client(
        "python-kraken-sdk",
        "REST",
        "test_client_kraken_sdk_rest.py",
        {"checksums of the book": _NO_SUMS, "checksums of level 3": _NO_SUMS},
    ),
    Client("python-kraken-sdk", "WebSocket v2", "test_client_kraken_sdk_ws2.py", {}),
    Client(
        "krakenex",
        "REST",
        "test_client_krakenex.py",
        {"checksums of the book": _NO_SUMS, "checksums of level 3": _NO_SUMS},
    ),
    Client(
        "NautilusTrader",
        "REST, WebSocket v2",
        "test_client_nautilus.py",
        {"checksums of the book": "its adapter verifies the checksums of level 3 only"},
    ),
    Client(
        "plain aiohttp",
        "WebSocket v1",
        "test_client_plain_ws1.py",
        {
            "checksums of level 3": "WebSocket v1 has no level 3",
            "bad nonce": "requests of WebSocket v1 have neither signature nor nonce; a token that is none is refused",
        },
    ),
    Client(
        "cryptofeed",
        "WebSocket v1",
        "test_client_cryptofeed.py",
        {"checksums of level 3": "WebSocket v1 has no level 3"}
        | dict.fromkeys(_OF_AN_ACCOUNT, "cryptofeed reads market data only"),
    ),
    Client(
        "QuickFIX",
        "FIX 4.4",
        "test_client_quickfix.py",
        {"history": "Kraken's FIX has no history; what a session missed is played again when it reconnects"},
    ),
)


def matrix(outcome: Callable[[Client, str], str]) -> str:
    """The table in Markdown, and the reasons below it; outcome: what a cell that has a test says."""
    reasons: list[str] = []

    def cell(client: Client, behaviour: str) -> str:
        reason = client.without.get(behaviour)
        if reason is None:
            return outcome(client, behaviour)
        if reason not in reasons:
            reasons.append(reason)
        return f"- [{reasons.index(reason) + 1}]"

    lines = [
        "| | " + " | ".join(client.name for client in CLIENTS) + " |",
        "|---" * (len(CLIENTS) + 1) + "|",
        "| | " + " | ".join(client.protocol for client in CLIENTS) + " |",
        *(
            f"| {behaviour} | " + " | ".join(cell(client, behaviour) for client in CLIENTS) + " |"
            for behaviour in BEHAVIOURS
        ),
    ]
    notes = " ".join(f"[{number}] {reason}." for number, reason in enumerate(reasons, start=1))
    return "\n".join(lines) + f"\n\n{notes}\n"


class Outcomes:
    """What the tests of a run said."""

    def __init__(self) -> None:
        self._words: dict[tuple[str, str], str] = {}

    def add(self, nodeid: str, outcome: str) -> None:
        """A test has ended; a behaviour that is tested in several ways holds where each of them does."""
        file, _, name = nodeid.partition("::")
        at = (file.rpartition("/")[2], name.partition("[")[0])
        if self._words.get(at, "passed") == "passed":
            self._words[at] = outcome

    def word(self, client: Client, behaviour: str) -> str:
        """What a cell says."""
        return _WORDS[self._words.get((client.module, BEHAVIOURS[behaviour]), "skipped")]

    def table(self) -> str:
        """The table of the run."""
        return matrix(self.word)

    def clients(self) -> list[Client]:
        """Those of whose tests some ran."""
        ran = {module for module, _ in self._words}
        return [client for client in CLIENTS if client.module in ran]

    def absent(self) -> list[str]:
        """Cells whose test did not run."""
        return [
            f"{client.name} {client.protocol}, {behaviour}"
            for client in CLIENTS
            for behaviour in BEHAVIOURS
            if behaviour not in client.without and self.word(client, behaviour) == _WORDS["skipped"]
        ]


def block_of(text: str) -> str:
    """The table that stands in a page; raises ValueError where there is none."""
    _, begin, rest = text.partition(BEGIN + "\n")
    block, end, _ = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no table between {BEGIN} and {END}")
    return block


def with_block(text: str, block: str) -> str:
    """A page with another table."""
    return text.replace(BEGIN + "\n" + block_of(text) + END, BEGIN + "\n" + block + END)
