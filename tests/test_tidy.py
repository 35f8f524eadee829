"""The tree keeps the rules of style that a machine can check."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from tests.tidy import complaints, files_of, misplaced

TREE = Path(__file__).resolve().parents[1]


def test_the_tree_keeps_the_rules() -> None:
    found = complaints(TREE, files_of(TREE))
    assert not found, "\n".join(found)


def test_the_top_level_holds_only_what_belongs_there() -> None:
    assert misplaced(PurePosixPath(path.relative_to(TREE)) for path in files_of(TREE)) == []


def test_the_rules_are_held_against_the_files_of_this_checkout() -> None:
    names = {str(path.relative_to(TREE)) for path in files_of(TREE)}
    assert {"pyproject.toml", "framework/errors.py", "tests/test_tidy.py", ".make/find-python"} <= names


def said_of(tree: Path, name: str, text: str) -> list[str]:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return complaints(tree, [path])


DOC = '"""A module."""\n'


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("framework/a.py", DOC + "x = 1\n" * 500, "501 lines, 500 at most: split it by reason"),
        ("framework/utils.py", DOC, "the name utils says no reason"),
        ("adapters/common/a.py", DOC, "the name common says no reason"),
        ("framework/order_manager.py", DOC, "the name manager says no reason"),
        ("strategies/a.py", "x = 1\n", "a public module without a docstring"),
        ("framework/a/__init__.py", "x = 1\n", "a public module without a docstring"),
        ("backtests/a.py", DOC + "# TO" + "DO later\n", "line 2: TO" + "DO was left"),
        ("framework/a.py", DOC + "try:\n    x = 1\nexcept:\n    x = 2\n", "line 4: a bare except"),
        ("tests/test_a.py", "try:\n    x = 1\nexcept:\n    x = 2\n", "line 3: a bare except"),
        ("framework/a.py", DOC + "if 1:\n\tx = 1\n", "line 3: a tab"),
        (".make/setup", "cd /ro" + "ot/project\n", "line 1: a path of some machine"),
        ("README.md", "See `/ho" + "me/ann/data`.\n", "line 1: a path of some machine"),
        ("requirements.lock", "--index" + "-url https://example.org\n", "line 1: an address of a package index"),
        ("Makefile", "pip install --find" + "-links wheels x\n", "line 1: an address of a package index"),
    ],
)
def test_a_file_that_breaks_a_rule_is_found(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    assert said_of(tmp_path, name, text) == [f"{name}: {complaint}"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("framework/a.py", DOC + "x = 1\n" * 499),
        ("framework/a/__init__.py", ""),
        ("framework/_private.py", "x = 1\n"),
        ("tests/test_long.py", "x = 1\n" * 501),
        ("framework/utility_of_wealth.py", DOC),
        ("framework/a.py", DOC + "try:\n    x = 1\nexcept ValueError:\n    x = 2\n"),
        ("Makefile", "all:\n\techo\n"),
        (".make/find-python", "for folder in /opt/python /usr/local/bin ~/.pyenv $root/home/linuxbrew; do\n"),
        ("framework/a.py", DOC + "URL = 'https://example.org/home/page'  # framework/home/a.py\n"),
    ],
)
def test_a_file_that_keeps_the_rules_is_not_found(tmp_path: Path, name: str, text: str) -> None:
    assert said_of(tmp_path, name, text) == []


def test_a_name_without_a_place_at_the_top_level_is_found() -> None:
    names = ["framework/a.py", "README.md", ".ci/run", ".gitignore", "notes.txt", "docs/index.md", "setup.py"]
    assert misplaced(PurePosixPath(name) for name in names) == ["docs", "notes.txt", "setup.py"]
