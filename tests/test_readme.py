"""What README.md shows is true: its strategy runs, its configuration loads, its commands and targets exist.

Figures in it are not checked. A block in a language that is not known here is an error: nothing in the README goes
unchecked by being new.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from framework.backtest.config import load_config
from framework.backtest.run_folder import RunFolder
from framework.backtest.runner import run_backtest
from framework.cli import command_parser
from tests.adapters.kraken.server.control_rig import Control
from tests.framework.command import write_config

TREE = Path(__file__).resolve().parents[1]
README = TREE / "README.md"


class Block(msgspec.Struct, frozen=True):
    """A fenced block. line: where it begins in the file; language: "" for a picture in characters."""

    line: int
    language: str
    text: str


def blocks_of(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in their order; a fence that is never closed is an error."""
    lines = enumerate(text.splitlines(), start=1)
    for number, line in lines:
        if not line.startswith("```"):
            continue
        body: list[str] = []
        for _, inner in lines:
            if inner.startswith("```"):
                break
            body.append(inner)
        else:
            raise AssertionError(f"the block of line {number} is never closed")
        yield Block(number, line.removeprefix("```").strip(), "\n".join(body) + "\n")


# ---------------------------------------------------------------------------------------------------- what is checked


def targets() -> set[str]:
    """The targets of the Makefile that may be called."""
    phony = re.search(r"^\.PHONY:(.*)$", (TREE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony is not None
    return set(phony[1].split())


def is_known(arguments: list[str]) -> bool:
    """Whether the command takes these arguments: it does something, or says something of itself."""
    try:
        return hasattr(command_parser().parse_args(arguments), "run")
    except SystemExit as e:
        return e.code == 0


def check_command(line: str) -> None:
    """Raise AssertionError unless a line of a shell is one that works."""
    words = shlex.split(line, comments=True)
    match words:
        case []:
            return
        case ["make", target, *_]:
            assert target in targets(), f"the Makefile has no target {target}"
        case ["tidegate", *arguments]:
            assert is_known(arguments), f"the command does not know: {line}"
        case ["python", script, *_]:
            assert (TREE / script).is_file(), f"there is no {script}"
        case ["source", ".venv/bin/activate"]:
            assert ".venv" in (TREE / "Makefile").read_text(encoding="utf-8")
        case ["curl", "-H", "Authorization: Bearer $TOKEN", address, *data]:
            check_control(address, data)
        case ["git", "clone", _] | ["cd", _]:
            return
        case _:
            raise AssertionError(f"no way to check this line is known: {line}")


def check_control(address: str, data: list[str]) -> None:
    """Raise AssertionError unless a request of the control API does something."""
    assert data[:1] in ([], ["-d"]), data
    method, body = ("POST", data[1].encode()) if data else ("GET", b"")
    answer = Control().ask(method, "/" + address.partition("/")[2], body)
    assert answer.status == 200, f"{address}: {answer.body.decode()}"


def check_console(block: Block, _: Path) -> None:
    for line in block.text.replace("\\\n", " ").splitlines():
        check_command(line.removeprefix("$ "))


def check_python(block: Block, folder: Path) -> None:
    """The strategy runs for two minutes on the embedded market, and sends orders."""
    (folder / "strategy.py").write_text(block.text, encoding="utf-8")
    config = load_config(write_config(folder, market="duration_s = 120", strategy='path = "strategy.py"'))
    run = RunFolder.open(run_backtest(config, folder / "run"))
    assert "AddOrder" in run.events.column("name").to_pylist(), "the strategy sent no order"


def check_toml(block: Block, folder: Path) -> None:
    """The configuration runs with the strategy that the page shows before it, or with one of the project's."""
    file = folder / "config.toml"
    file.write_text(block.text, encoding="utf-8")
    config = load_config(file)
    strategy = Path(config.strategy.path)
    shown = [each for each in blocks_of(README.read_text(encoding="utf-8")) if each.language == "python"]
    if not (TREE / strategy.relative_to(folder)).is_file():
        before = [each for each in shown if each.line < block.line]
        assert before, f"the page shows no strategy before line {block.line}"
        strategy.write_text(before[-1].text, encoding="utf-8")
    else:
        config = msgspec.structs.replace(
            config,
            strategy=msgspec.structs.replace(config.strategy, path=str(TREE / strategy.relative_to(folder))),
        )
    RunFolder.open(run_backtest(config, folder / "run"))


CHECKS: dict[str, Callable[[Block, Path], None]] = {
    "console": check_console,
    "sh": check_console,
    "python": check_python,
    "toml": check_toml,
}


# ---------------------------------------------------------------------------------------------------- the page


def page_blocks() -> list[Block]:
    return list(blocks_of(README.read_text(encoding="utf-8"))) if README.is_file() else []


def test_there_is_a_page_with_commands_a_strategy_and_a_configuration() -> None:
    assert {"console", "python", "toml"} <= {block.language for block in page_blocks()}


@pytest.mark.parametrize("block", page_blocks(), ids=lambda block: f"line {block.line}")
def test_each_block_of_the_page_works(block: Block, tmp_path: Path) -> None:
    if block.language == "":
        assert not re.search(r"^\s*(\$|make|tidegate|pip|python)\b", block.text, re.MULTILINE), "name the language"
        return
    assert block.language in CHECKS, f"no check for a block of {block.language!r}; write one"
    CHECKS[block.language](block, tmp_path)


def test_the_two_commands_at_the_top_are_the_backtest_and_the_tests() -> None:
    assert page_blocks()[0].text.splitlines() == ["make backtest", "make test"]


def test_the_commands_named_in_the_text_exist() -> None:
    text = re.sub(r"^```.*?^```", "", README.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    named = [span for span in re.findall(r"`([^`\n]+)`", text) if span.split()[0] in ("make", "tidegate")]
    assert named
    for span in named:
        words = span.split()
        if words[0] == "make":
            check_command(span)
        else:  # named without the arguments that it needs
            found = command_parser()
            for word in words[1:]:
                choices = next(each.choices for each in found._actions if each.choices)
                assert word in choices, f"the command has no {word}: {span}"
                found = choices[word]


def test_the_files_and_folders_named_in_the_text_exist() -> None:
    text = re.sub(r"^```.*?^```", "", README.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    folders: list[str] = re.findall(r"`([a-z_/]+/)`", text)
    assert folders
    assert [folder for folder in folders if not (TREE / folder).is_dir()] == []


def test_the_links_to_the_projects_own_files_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", README.read_text(encoding="utf-8"))
    assert [link for link in links if not (TREE / link).exists()] == []


# ---------------------------------------------------------------------------------------------------- the checks


@pytest.mark.parametrize(
    "line",
    [
        "make everything",
        "tidegate trade",
        "tidegate backtest run.toml",
        "tidegate compare run.toml --colour red --out x",
        "python backtests/gone.py",
        "curl https://example.org",
        'curl -H "Authorization: Bearer $TOKEN" localhost:8500/v1/moon',
        'curl -H "Authorization: Bearer $TOKEN" localhost:8500/v1/time/step -d \'{"seconds": 1}\'',
        "rm -r runs",
    ],
)
def test_a_line_that_does_not_work_is_found(line: str) -> None:
    with pytest.raises(AssertionError):
        check_command(line)


@pytest.mark.parametrize(
    "line",
    [
        "make test ARGS='-k reach'  # some of them",
        "tidegate --version",
        "tidegate backtest run.toml --out x",
        "python backtests/protocol_comparison.py --seeds 2",
        "",
    ],
)
def test_a_line_that_works_passes(line: str) -> None:
    check_command(line)


def test_a_strategy_that_does_not_import_is_found(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="does not import"):
        check_python(Block(1, "python", "from framework import Gone\n"), tmp_path)


def test_a_strategy_that_sends_nothing_is_found(tmp_path: Path) -> None:
    text = "from framework import Strategy\n\n\nclass Idle(Strategy):\n    pass\n"
    with pytest.raises(AssertionError, match="sent no order"):
        check_python(Block(1, "python", text), tmp_path)


def test_a_configuration_with_a_key_that_is_none_is_found(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no key colour"):
        check_toml(Block(10_000, "toml", '[strategy]\npath = "a.py"\n[market]\ncolour = 1\n'), tmp_path)


def test_a_block_that_is_never_closed_is_found() -> None:
    with pytest.raises(AssertionError, match="line 2 is never closed"):
        list(blocks_of("text\n```toml\na = 1\n"))


def test_blocks_are_read_with_their_lines_and_languages() -> None:
    found = list(blocks_of("a\n```toml\nb = 1\n```\n\n```\npicture\n```\n"))
    assert found == [Block(2, "toml", "b = 1\n"), Block(6, "", "picture\n")]
