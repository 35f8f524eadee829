"""Commands that adapters add to ``tidegate``, found by entry point.

An adapter declares an entry point in the group ``tidegate.commands``, whose name is the command's word and whose value
a ``CommandEntry``. Its module is loaded whenever the command's parser is made, so it imports what it runs when it runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from importlib.metadata import entry_points

import msgspec

from framework.errors import ConfigError

__all__ = ["COMMAND_GROUP", "CommandEntry", "balance", "load_commands", "named_values", "speed"]

COMMAND_GROUP = "tidegate.commands"


class CommandEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One command.

    summary: a line for the list of commands. description: what it does, for its own help. add_arguments: adds its
    options to its parser. run: does it; returns the exit code, and raises TidegateError for what a user can mend.
    """

    summary: str
    description: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def load_commands() -> dict[str, CommandEntry]:
    """The installed commands by their word, in order of name. Raises ConfigError for a value that is no command."""
    commands: dict[str, CommandEntry] = {}
    for point in sorted(entry_points(group=COMMAND_GROUP), key=lambda each: each.name):
        entry = point.load()
        if not isinstance(entry, CommandEntry):
            raise ConfigError(f"entry point {point.name} = {point.value} is no command; reinstall it")
        commands[point.name] = entry
    return commands


def balance(text: str) -> tuple[str, Decimal]:
    """The type of an argument that is an amount of an asset: USD=10000."""
    asset, _, amount = text.partition("=")
    try:
        value = Decimal(amount)
    except InvalidOperation:
        value = Decimal(-1)
    if not asset or not value.is_finite() or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not ASSET=AMOUNT, like USD=10000")
    return asset, value


def named_values(option: str, given: Sequence[str]) -> Mapping[str, str]:
    """What a repeated option NAME=VALUE says, by name; raises ConfigError for what is none."""
    found = {}
    for item in given:
        name, separator, value = item.partition("=")
        if not separator:
            raise ConfigError(f"{option} {item}: it must be NAME=VALUE")
        found[name] = value
    return found


def speed(text: str) -> Fraction:
    """The type of an argument that says how fast time runs."""
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a speed above 0")
    return value
