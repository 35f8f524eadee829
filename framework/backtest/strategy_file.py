"""A strategy from its file, and errors that come out of it.

The file is somebody else's program: whatever it raises is told with its place in that file, and keeps its traceback as
the cause.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import inspect
import sys
import traceback
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, get_args

import msgspec

from framework.backtest.config import StrategySection
from framework.config_text import key_error
from framework.errors import ConfigError, StrategyError, TidegateError
from framework.strategy import Strategy, StrategyConfig

__all__ = ["load_strategy", "raise_as_strategy_error"]

_NS = 1_000_000_000
# Fields that NautilusTrader gives to every strategy's configuration; they are not what a typing error was meant for.
_INHERITED = frozenset(StrategyConfig.__struct_fields__) - {"instruments"}


def load_strategy(section: StrategySection) -> Strategy:
    """Import the strategy's file and make the strategy with its parameters.

    Raises ConfigError for a file, class or parameter that is not there, and for a file that does not import;
    StrategyError if the strategy's constructor raises anything else.
    """
    path = Path(section.path)
    if not path.is_file():
        raise ConfigError(f"strategy file {path} does not exist; give its path relative to the configuration file")
    module = _import_file(path)
    classes = {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, Strategy) and value.__module__ == module.__name__
    }
    known = ", ".join(classes)
    if not classes:
        raise ConfigError(f"{path} has no strategy; write a class in it that extends framework.strategy.Strategy")
    if section.name is not None and section.name not in classes:
        raise ConfigError(f"{path} has no strategy class {section.name}; it has {known}")
    if section.name is None and len(classes) != 1:
        raise ConfigError(f'{path} has {len(classes)} strategy classes; name one in [strategy] name = "...": {known}')
    strategy_class = classes[section.name] if section.name is not None else next(iter(classes.values()))
    config = _strategy_config(strategy_class, section)
    try:
        return strategy_class(config)
    except TidegateError:
        raise
    except Exception as e:
        where = _place(e.__traceback__, path) or str(path)
        raise StrategyError(f"strategy {strategy_class.__name__} cannot be made: {_said(e)} ({where})") from e


def raise_as_strategy_error(
    error: Exception, strategy: Strategy, now_ns: int, result: str = "no result was written"
) -> None:
    """Raise StrategyError from an error that came through the strategy's own code; return if it did not.

    now_ns: the market's time at which it came. result: what has become of the run, in words.
    """
    try:
        path = Path(inspect.getfile(type(strategy)))
    except (OSError, TypeError):  # a class without a file, as made by hand
        return
    where = _place(error.__traceback__, path)
    if where is not None:
        seconds, nanoseconds = divmod(now_ns, _NS)
        time = f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M:%S}.{nanoseconds:09}"
        raise StrategyError(
            f"strategy {type(strategy).__name__} raised {_said(error)} ({where}) at {time} of the market; {result}"
        ) from error


def _place(trace: TracebackType | None, path: Path) -> str | None:
    """The innermost place in a file that a traceback passes through."""
    file = path.resolve()
    frames = [frame for frame in traceback.extract_tb(trace) if Path(frame.filename).resolve() == file]
    return f"{path}, line {frames[-1].lineno}, in {frames[-1].name}" if frames else None


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _import_file(path: Path) -> ModuleType:
    name = f"tidegate_strategy_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"strategy file {path} is no Python file; name a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as e:
        where = _place(e.__traceback__, path)
        at = f" ({where})" if where is not None and not isinstance(e, SyntaxError) else ""
        raise ConfigError(f"strategy file {path} does not import: {_said(e)}{at}") from e
    return module


def _strategy_config(strategy_class: type[Strategy], section: StrategySection) -> StrategyConfig:
    """The strategy's configuration type is the annotation of its constructor's ``config``, else ``StrategyConfig``."""
    try:
        annotation = inspect.get_annotations(strategy_class.__init__, eval_str=True).get("config")
    except NameError as e:
        raise ConfigError(
            f"{section.path}: the annotations of {strategy_class.__name__}.__init__ name what the file does not "
            f"import: {e}"
        ) from e
    choices = [each for each in (annotation, *get_args(annotation)) if inspect.isclass(each)]
    config_class = next((each for each in choices if issubclass(each, StrategyConfig)), StrategyConfig)
    for name in section.parameters:
        if name not in config_class.__struct_fields__:
            own = [field for field in config_class.__struct_fields__ if field not in _INHERITED]
            raise ConfigError(
                f"[strategy.parameters] {name}: {config_class.__name__} has no such field; it has {', '.join(own)}"
            )
    try:
        config: StrategyConfig = msgspec.convert(section.parameters, config_class)
    except msgspec.ValidationError as e:
        given: dict[str, Any] = {"strategy": {"parameters": section.parameters}}
        raise ConfigError(key_error(str(e), given, None, "strategy.parameters")) from None
    return config
