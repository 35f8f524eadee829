"""The command as a test runs it: in process, in a folder of the test's own, with its output and its exit code."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from framework.cli import main

__all__ = ["Said", "read_error", "tidegate", "write_config"]

STRATEGIES = Path(__file__).resolve().parents[2] / "strategies"


class Said(msgspec.Struct, frozen=True):
    """What a command came to. code: exit code; out, err: what it wrote."""

    code: int
    out: str
    err: str


def tidegate(capsys: pytest.CaptureFixture[str], *arguments: object) -> Said:
    """Run ``tidegate`` with these arguments."""
    capsys.readouterr()
    try:
        code = main([str(each) for each in arguments])
    except SystemExit as e:  # the parser's own errors
        code = int(e.code or 0)
    out, err = capsys.readouterr()
    return Said(code, out, err)


def read_error(said: Said) -> str:
    """The one line that a user's mistake ends in, without the command's name."""
    assert said.code == 2, said
    assert said.err.startswith("tidegate: "), said.err
    assert said.err.count("\n") == 1, said.err
    return said.err.removeprefix("tidegate: ").rstrip("\n")


def write_config(folder: Path, text: str = "", **sections: str) -> Path:
    """A configuration that runs: the market maker on 20 s of the synthetic market, changed as the test asks.

    text: tables added at the end. sections: bodies of tables in place of those here, by the table's name.
    """
    bodies = {
        "market": "duration_s = 20",
        "strategy": f'path = "{STRATEGIES / "market_maker.py"}"',
        "venue": 'tier = "pro"',
    } | sections
    tables = [f"[{name}]\n{body}\n" for name, body in bodies.items()]
    file = folder / "run.toml"
    file.write_text("\n".join([*tables, text]), encoding="utf-8")
    return file
