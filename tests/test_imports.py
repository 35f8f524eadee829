"""The rooms of the tree import one way only, and the framework knows no exchange by name."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.import_rules import exchange_names, forbidden_imports, undeclared_imports

TREE = Path(__file__).resolve().parents[1]


def declared_dependencies() -> set[str]:
    """Import names of the dependencies in pyproject.toml; each is the distribution's name, with underscores."""
    project = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {re.split(r"[^\w.-]", line)[0].replace("-", "_") for line in project["dependencies"]}


def test_every_import_in_the_tree_is_one_that_the_table_of_rooms_allows() -> None:
    found = forbidden_imports(TREE)
    assert not found, "\n".join(found)


def test_the_framework_names_no_exchange() -> None:
    found = exchange_names(TREE / "framework")
    assert not found, "\n".join(found)


def test_every_package_that_the_tree_imports_is_declared() -> None:
    found = undeclared_imports(TREE, declared_dependencies())
    assert not found, "\n".join(found)


def test_the_table_is_held_against_more_than_an_empty_tree() -> None:
    # The reader of imports sees the one thing that is sure to be there: messages are made of the vocabulary.
    found = forbidden_imports(TREE, {"framework": ("framework",), "framework.messages": ()})
    assert any(line.endswith("framework.messages may not import framework.protocol") for line in found)


def write(tree: Path, name: str, source: str) -> None:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "source", "complaint"),
    [
        ("framework/cli.py", "import adapters.kraken", "framework.cli may not import adapters.kraken"),
        ("framework/cli.py", "from adapters import kraken", "framework.cli may not import adapters"),
        ("framework/cli.py", "import strategies", "framework.cli may not import strategies"),
        ("framework/cli.py", "import backtests.study", "framework.cli may not import backtests.study"),
        ("framework/cli.py", "import tests.captures", "framework.cli may not import tests.captures"),
        (
            "framework/cli.py",
            "def main():\n    import importlib\n    importlib.import_module('adapters.kraken')",
            "framework.cli may not import adapters.kraken",
        ),
        (
            "framework/protocol.py",
            "from framework.errors import X",
            "framework.protocol may not import framework.errors",
        ),
        ("framework/errors.py", "import framework.protocol", "framework.errors may not import framework.protocol"),
        ("framework/messages.py", "import framework.errors", "framework.messages may not import framework.errors"),
        (
            "framework/data/store.py",
            "import framework.messages",
            "framework.data.store may not import framework.messages",
        ),
        (
            "framework/venue/book.py",
            "import framework.backtest",
            "framework.venue.book may not import framework.backtest",
        ),
        (
            "framework/venue/book.py",
            "from framework.execution.desk import Desk",
            "framework.venue.book may not import framework.execution.desk",
        ),
        (
            "framework/execution/desk.py",
            "from framework.venue.book import Book",
            "framework.execution.desk may not import framework.venue.book",
        ),
        (
            "framework/execution/desk.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import framework.backtest.runner",
            "framework.execution.desk may not import framework.backtest.runner",
        ),
        (
            "framework/report/page.py",
            "from framework.backtest import runner",
            "framework.report.page may not import framework.backtest",
        ),
        (
            "framework/venue/book.py",
            "from ..backtest import X",
            "framework.venue.book may not import framework.backtest",
        ),
        ("framework/venue/__init__.py", "from ..live import X", "framework.venue may not import framework.live"),
        ("adapters/__init__.py", "import framework.protocol", "adapters may not import framework.protocol"),
        ("adapters/fix/session.py", "import framework.errors", "adapters.fix.session may not import framework.errors"),
        (
            "adapters/kraken/profile.py",
            "import adapters.bitstamp",
            "adapters.kraken.profile may not import adapters.bitstamp",
        ),
        (
            "adapters/kraken/profile.py",
            "import framework.venue",
            "adapters.kraken.profile may not import framework.venue",
        ),
        (
            "adapters/kraken/wire/rest.py",
            "import framework.protocol",
            "adapters.kraken.wire.rest may not import framework.protocol",
        ),
        (
            "adapters/kraken/server/rest.py",
            "import framework.execution",
            "adapters.kraken.server.rest may not import framework.execution",
        ),
        (
            "adapters/kraken/client/rest.py",
            "import adapters.bitstamp",
            "adapters.kraken.client.rest may not import adapters.bitstamp",
        ),
        ("strategies/maker.py", "import adapters.kraken", "strategies.maker may not import adapters.kraken"),
        ("strategies/maker.py", "import strategies.momentum", "strategies.maker may not import strategies.momentum"),
    ],
)
def test_an_import_that_the_table_does_not_allow_is_found(
    tmp_path: Path, name: str, source: str, complaint: str
) -> None:
    write(tmp_path, name, source)
    found = forbidden_imports(tmp_path)
    assert len(found) == 1
    assert found[0].startswith(f"{name}:")
    assert found[0].endswith(f": {complaint}")


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("framework/cli.py", "import framework.backtest.runner"),
        ("framework/cli.py", "def main(module):\n    import importlib\n    importlib.import_module(module)"),
        ("framework/messages.py", "from framework.protocol import BUY"),
        ("framework/data/store.py", "from .columns import Columns"),
        ("framework/venue/book.py", "from framework.messages import Report"),
        ("framework/execution/desk.py", "import framework.venue.rates"),
        ("framework/report/page.py", "import framework.backtest.results"),
        ("adapters/kraken/profile.py", "from framework.protocol import BUY\nfrom adapters.kraken.errors import X"),
        ("adapters/kraken/wire/fix.py", "import adapters.fix.session"),
        ("adapters/kraken/client/rest.py", "import adapters.kraken.wire.rest\nimport framework.execution.link"),
        ("adapters/kraken/server/rest.py", "import adapters.kraken.wire.rest\nimport framework.venue.book"),
        ("strategies/maker.py", "import framework\nimport nautilus_trader"),
        ("backtests/study.py", "import framework, strategies.maker, adapters.kraken"),
        ("framework/protocol.py", "import adapters_of_another_project"),
    ],
)
def test_an_import_that_the_table_allows_is_not_found(tmp_path: Path, name: str, source: str) -> None:
    write(tmp_path, name, source)
    assert forbidden_imports(tmp_path) == []


def test_a_module_imported_by_name_from_its_package_is_told_from_the_package(tmp_path: Path) -> None:
    write(tmp_path, "framework/venue/rates.py", "")
    write(tmp_path, "framework/venue/book.py", "")
    write(tmp_path, "framework/execution/budget.py", "from framework.venue import rates")
    assert forbidden_imports(tmp_path) == []
    write(tmp_path, "framework/execution/budget.py", "from framework.venue import book")
    assert forbidden_imports(tmp_path) == [
        "framework/execution/budget.py:1: framework.execution.budget may not import framework.venue.book"
    ]


@pytest.mark.parametrize(
    "source",
    [
        "def fetch_kraken(): ...",
        "NAME = 'Bitstamp'",
        "# as Binance does",
        '"""As KRAKEN documents."""',
        "import nautilus_trader.adapters.okx",
    ],
)
def test_an_exchange_named_in_the_framework_is_found(tmp_path: Path, source: str) -> None:
    write(tmp_path, "framework/venue/book.py", f"\n{source}\n")
    assert [line.partition(": names")[0] for line in exchange_names(tmp_path / "framework")] == [
        "framework/venue/book.py:2"
    ]


def test_an_exchange_named_in_a_page_template_or_a_file_name_is_found(tmp_path: Path) -> None:
    write(tmp_path, "framework/report/page.html", "<h1>Kraken</h1>")
    write(tmp_path, "framework/data/bitstamp_log.py", "")
    assert exchange_names(tmp_path / "framework") == [
        "framework/data/bitstamp_log.py: the file is named after bitstamp",
        "framework/report/page.html:1: names Kraken",
    ]


def test_words_that_name_no_exchange_are_not_found(tmp_path: Path) -> None:
    write(tmp_path, "framework/venue/book.py", "def bookx(): return 'exchange'  # a bit stamped on each row\n")
    assert exchange_names(tmp_path / "framework") == []


def test_a_package_that_is_not_declared_is_found_and_declared_ones_are_not(tmp_path: Path) -> None:
    write(tmp_path, "backtests/study.py", "import json\nimport numpy as np\nfrom matplotlib import pyplot\n")
    assert undeclared_imports(tmp_path, {"numpy"}) == [
        "backtests/study.py:3: matplotlib is not a dependency that pyproject.toml names"
    ]
