"""Rules of style that a machine can check, so that reviews are about meaning.

Each rule is a function of one file's path and text; it returns its complaints. Linters hold the rest.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath

__all__ = ["complaints", "files_of", "misplaced"]

MODULE_LINES_MAX = 500
CODE_FOLDERS = ("framework", "adapters", "strategies", "backtests")
TOP_LEVEL = {*CODE_FOLDERS, "tests", "README.md", "LICENSE", "Makefile", "pyproject.toml", "requirements.lock"}
# A name that says where things are put, and not why they belong together.
_EMPTY_NAMES = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
# Home folders, and the temporary and working folders of some machine, at the start of an absolute path.
_MACHINE_PATH = re.compile(r"(?<![\w.~/])/(?:root|home|Users|tmp|work|farm)/")
_PACKAGE_INDEX = re.compile(r"index.url|find.links|/simpl[e]\b|pyp[i]|pythonhosted", re.IGNORECASE)
_TAB = re.compile("\t")
_UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
_LOCK = "requirements.lock"
_NOT_TEXT = {".gz", ".ico", ".jpg", ".npz", ".parquet", ".png", ".woff2", ".xz", ".zst"}


def files_of(tree: Path) -> list[Path]:
    """The files of a checkout that are in version control or would be, sorted."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=tree,
        check=True,
        capture_output=True,
        text=True,
    )
    return [tree / name for name in sorted(set(listing.stdout.split("\0"))) if name and (tree / name).is_file()]


def misplaced(names: Iterable[PurePosixPath]) -> list[str]:
    """What stands at the top level and has no place there; names that begin with a dot always have one."""
    tops = {name.parts[0] for name in names}
    return sorted(top for top in tops if top not in TOP_LEVEL and not top.startswith("."))


def complaints(tree: Path, files: Iterable[Path]) -> list[str]:
    """What the rules say of these files of a tree, each as "file: what is wrong"."""
    found = []
    for path in files:
        if path.suffix in _NOT_TEXT:
            continue
        name = PurePosixPath(path.relative_to(tree))
        text = path.read_text(encoding="utf-8")
        for applies, rule in _RULES.items():
            if rule(name):
                found.extend(f"{name}: {complaint}" for complaint in applies(text, name))
    return found


def _is_anything(name: PurePosixPath) -> bool:
    return True


def _is_python(name: PurePosixPath) -> bool:
    return name.suffix == ".py"


def _is_code(name: PurePosixPath) -> bool:
    return _is_python(name) and name.parts[0] in CODE_FOLDERS


def _is_hand_written(name: PurePosixPath) -> bool:
    return name.name != "Makefile" and name.suffix not in {".lock", ".svg"}


def _length(text: str, name: PurePosixPath) -> list[str]:
    lines = len(text.splitlines())
    return [f"{lines} lines, {MODULE_LINES_MAX} at most: split it by reason"] if lines > MODULE_LINES_MAX else []


def _empty_name(text: str, name: PurePosixPath) -> list[str]:
    parts = {*name.parts[:-1], name.stem}
    words = {word for part in parts for word in part.split("_")} & _EMPTY_NAMES
    return [f"the name {word} says no reason" for word in sorted(words)]


def _lines_with(pattern: re.Pattern[str], text: str) -> list[int]:
    return sorted({text.count("\n", 0, found.start()) + 1 for found in pattern.finditer(text)})


def _tabs(text: str, name: PurePosixPath) -> list[str]:
    return [f"line {line}: a tab" for line in _lines_with(_TAB, text)]


def _machine_paths(text: str, name: PurePosixPath) -> list[str]:
    return [f"line {line}: a path of some machine" for line in _lines_with(_MACHINE_PATH, text)]


def _package_index(text: str, name: PurePosixPath) -> list[str]:
    return [f"line {line}: an address of a package index" for line in _lines_with(_PACKAGE_INDEX, text)]


def _bare_except(text: str, name: PurePosixPath) -> list[str]:
    if "except" not in text:
        return []
    handlers = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ExceptHandler))
    return [f"line {node.lineno}: a bare except" for node in handlers if node.type is None]


def _docstring(text: str, name: PurePosixPath) -> list[str]:
    if name.name == "__init__.py" and not text.strip():
        return []
    is_public = all(not part.startswith("_") for part in name.with_suffix("").parts) or name.name == "__init__.py"
    return ["a public module without a docstring"] if is_public and ast.get_docstring(ast.parse(text)) is None else []


def _unfinished(text: str, name: PurePosixPath) -> list[str]:
    lines = text.split("\n")
    found = ((line, _UNFINISHED.search(lines[line - 1])) for line in _lines_with(_UNFINISHED, text))
    return [f"line {line}: {word.group()} was left" for line, word in found if word is not None]


_RULES: Mapping[Callable[[str, PurePosixPath], list[str]], Callable[[PurePosixPath], bool]] = {
    _length: _is_code,
    _empty_name: _is_code,
    _docstring: _is_code,
    _unfinished: _is_code,
    _bare_except: _is_python,
    _tabs: _is_hand_written,
    _machine_paths: _is_anything,
    _package_index: lambda name: name.parts[0] != "tests",
}
