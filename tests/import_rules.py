"""Who may import whom: the table of rooms, and a reader of import statements that holds a tree to it.

Imports are read from the source, not made: an import inside a function or under ``TYPE_CHECKING`` is a dependency too.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["OURS", "ROOMS", "exchange_names", "forbidden_imports", "undeclared_imports"]

OURS = ("framework", "adapters", "strategies", "backtests")

# A room is a module or package; the longest one that a module lies in holds for it. It may import what lies in the
# rooms named beside it. ``*`` is one name and is the same one on both sides: an exchange never imports another.
ROOMS: Mapping[str, tuple[str, ...]] = {
    "framework": ("framework",),
    "framework.protocol": ("framework.protocol",),
    "framework.errors": (),
    "framework.machine_code": (),
    "framework.config_text": ("framework.errors",),
    "framework.frame_file": ("framework.errors",),
    "framework.messages": ("framework.protocol",),
    "framework.book": ("framework.protocol", "framework.errors", "framework.data.columns"),
    "framework.data": (
        "framework.protocol",
        "framework.errors",
        "framework.frame_file",
        "framework.machine_code",
        "framework.data",
    ),
    "framework.venue": (
        "framework.protocol",
        "framework.messages",
        "framework.errors",
        "framework.frame_file",
        "framework.machine_code",
        "framework.config_text",
        "framework.data",
        "framework.venue",
    ),
    "framework.execution": (
        "framework.protocol",
        "framework.messages",
        "framework.errors",
        "framework.strategy",
        "framework.config_text",
        "framework.execution",
        # Pure functions that both sides call: the counter is charged, and budgeted, by the same code.
        "framework.venue.rates",
        "framework.venue.streams",
    ),
    "framework.commands": ("framework.errors",),
    "framework.adapter": (
        "framework.protocol",
        "framework.book",
        "framework.messages",
        "framework.errors",
        "framework.data",
        "framework.execution",
        "framework.venue",
    ),
    "framework.trader": (
        "framework.book",
        "framework.errors",
        "framework.execution",
        "framework.messages",
        "framework.protocol",
        "framework.strategy",
        "framework.trader",
        "framework.venue.scheduler",
    ),
    "framework.report": (
        # What a run left behind and the figures of it; not what runs it.
        "framework.backtest.compared_figures",
        "framework.backtest.comparison",
        "framework.backtest.figures",
        "framework.backtest.fill_accounts",
        "framework.backtest.finding",
        "framework.backtest.metrics",
        "framework.backtest.order_lives",
        "framework.backtest.results",
        "framework.backtest.road_figures",
        "framework.backtest.run_folder",
        "framework.errors",
        "framework.protocol",
        "framework.report",
    ),
    "adapters": (),
    "adapters.fix": ("adapters.fix",),
    # Where a package of adapters meets the command line; what it runs is its own.
    "adapters.fix.command": ("framework.commands", "adapters.fix"),
    "adapters.*": (
        "framework.protocol",
        "framework.errors",
        "framework.data",
        "framework.adapter",
        "adapters.fix",
        "adapters.*",
    ),
    "adapters.*.wire": ("adapters.fix", "adapters.*.wire"),
    "adapters.*.client": ("framework", "adapters.fix", "adapters.*"),
    "adapters.*.doctor": ("framework", "adapters.fix", "adapters.*"),
    "adapters.*.server": (
        "framework.protocol",
        "framework.messages",
        "framework.errors",
        "framework.commands",
        "framework.config_text",
        "framework.data",
        "framework.venue",
        "adapters.fix",
        "adapters.*",
    ),
    "strategies": ("framework",),
    "backtests": ("framework", "strategies", "adapters", "backtests"),
}

_EXCHANGES = re.compile(
    r"kraken|bitstamp|binance|coinbase|bitfinex|bitmex|bybit|deribit|kucoin|gateio|\bokx\b|\bgemini\b", re.IGNORECASE
)
_TEXT_SUFFIXES = {".css", ".html", ".js", ".md", ".py", ".pyi", ".svg", ".toml", ".txt"}


def forbidden_imports(tree: Path, rooms: Mapping[str, tuple[str, ...]] = ROOMS) -> list[str]:
    """The imports of our own modules under ``tree`` that the table does not allow, as "file:line: why"."""
    modules = _modules(tree)
    found = []
    for module, path in modules.items():
        for line, target in _imports(module, path, modules):
            if target.partition(".")[0] in (*OURS, "tests") and not _is_allowed(module, target, rooms):
                found.append(f"{path.relative_to(tree)}:{line}: {module} may not import {target}")
    return found


def undeclared_imports(tree: Path, declared: set[str]) -> list[str]:
    """The imports under ``tree`` of packages that are neither ours, nor Python's, nor ``declared`` (import names)."""
    modules = _modules(tree)
    known = {*declared, *OURS, *sys.stdlib_module_names}
    found = []
    for module, path in modules.items():
        for line, target in _imports(module, path, modules):
            package = target.partition(".")[0]
            if package not in known:
                found.append(
                    f"{path.relative_to(tree)}:{line}: {package} is not a dependency that pyproject.toml names"
                )
    return found


def exchange_names(folder: Path) -> list[str]:
    """The places under ``folder`` where an exchange is named: code, strings, comments, file names, page templates."""
    found = []
    for path in sorted(folder.rglob("*")):
        if "__pycache__" in path.parts or path.suffix not in _TEXT_SUFFIXES:
            continue
        place = path.relative_to(folder.parent)
        if name := _EXCHANGES.search(str(path.relative_to(folder))):
            found.append(f"{place}: the file is named after {name.group()}")
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if name := _EXCHANGES.search(text):
                found.append(f"{place}:{line}: names {name.group()}")
    return found


def _modules(tree: Path) -> dict[str, Path]:
    modules = {}
    for package in OURS:
        for path in sorted((tree / package).rglob("*.py")):
            parts = path.relative_to(tree).with_suffix("").parts
            modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def _imports(module: str, path: Path, modules: Mapping[str, Path]) -> Iterator[tuple[int, str]]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(node, package)
            for alias in node.names:
                name = f"{source}.{alias.name}"
                yield node.lineno, name if name in modules else source
        elif isinstance(node, ast.Call) and (target := _imported_by_call(node)):
            yield node.lineno, target


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _imported_by_call(node: ast.Call) -> str | None:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
    if name not in {"import_module", "__import__"} or not node.args:
        return None
    argument = node.args[0]
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


def _is_allowed(module: str, target: str, rooms: Mapping[str, tuple[str, ...]]) -> bool:
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        exact = ".".join(parts[:length])
        starred = ".".join([parts[0], "*", *parts[2:length]]) if length > 1 else exact
        for room in (exact, starred):
            if room in rooms:
                star = parts[1] if len(parts) > 1 else "*"
                return any(_lies_in(target, allowed.replace("*", star)) for allowed in rooms[room])
    return False


def _lies_in(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")
