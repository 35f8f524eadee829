"""The table of clients in README.md is the one in the code, and each of its cells has a test or a reason."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conformance.conformance_matrix import (
    BEGIN,
    BEHAVIOURS,
    CLIENTS,
    END,
    README,
    Client,
    Outcomes,
    block_of,
    matrix,
    with_block,
)

FOLDER = Path(__file__).parent
WORDS = ("yes", "FAILED", "not run")


def without_outcomes(table: str) -> list[list[str]]:
    """The cells of a table, what the tests said left out."""
    rows = [[cell.strip() for cell in line.split("|")] for line in table.splitlines()]
    return [["" if cell in WORDS else cell for cell in row] for row in rows]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.module)
def test_each_behaviour_of_a_client_has_a_test_or_a_reason_and_not_both(client: Client) -> None:
    tree = ast.parse((FOLDER / client.module).read_text(encoding="utf-8"))
    tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert client.without.keys() <= BEHAVIOURS.keys()
    assert {behaviour for behaviour, test in BEHAVIOURS.items() if test not in tests} == client.without.keys()


def test_the_table_in_the_readme_is_that_of_the_code() -> None:
    told = block_of(README.read_text(encoding="utf-8"))
    assert without_outcomes(told) == without_outcomes(matrix(lambda *_: "yes"))


def test_a_cell_says_what_its_test_said_and_the_worst_of_several() -> None:
    client, behaviour = CLIENTS[0], "order entry"
    outcomes = Outcomes()
    assert outcomes.word(client, behaviour) == "not run"
    assert f"{client.name} {client.protocol}, {behaviour}" in outcomes.absent()
    for case, outcome, word in (("a", "passed", "yes"), ("b", "failed", "FAILED"), ("c", "passed", "FAILED")):
        outcomes.add(f"tests/conformance/{client.module}::{BEHAVIOURS[behaviour]}[{case}]", outcome)
        assert outcomes.word(client, behaviour) == word
    assert outcomes.clients() == [client]
    assert "FAILED" in outcomes.table()


def test_the_table_of_a_page_is_replaced_and_the_rest_stays() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert with_block(page, "new\n") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    with pytest.raises(ValueError, match="no table"):
        block_of("a page")
