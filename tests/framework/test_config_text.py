"""What is wrong with a configuration file is said in the file's own words."""

from __future__ import annotations

import tomllib

import msgspec
import pytest

from framework.backtest.config import RunConfig
from framework.config_text import check_amount, check_range, key_error
from framework.errors import ConfigError


def said_of(text: str) -> str:
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.toml.decode(text, type=RunConfig)
    return key_error(str(error.value), tomllib.loads(text), RunConfig)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "[strategy] is missing; it must be given"),
        ("[strategy]", "[strategy] path is missing; it must be given"),
        (
            "[strategi]\n",
            "the file has no key strategi; it has strategy, run, market, venue, account, road, limits, faults",
        ),
        ('strategy = "x.py"', '[strategy] = "x.py": it must be a table'),
        ('[strategy]\npath = "x"\nclass = "Y"', "[strategy] has no key class; it has path, name, parameters"),
        ("[strategy]\npath = 1", "[strategy] path = 1: it must be text in quotes"),
        ('[strategy]\npath = "x"\n[run]\nseed = 1.5', "[run] seed = 1.5: it must be a whole number"),
        ('[strategy]\npath = "x"\n[market]\nend_s = "5"', '[market] end_s = "5": it must be a number'),
        ('[strategy]\npath = "x"\n[market]\nsymbols = "BTC/USD"', '[market] symbols = "BTC/USD": it must be a list'),
        ('[strategy]\npath = "x"\n[market]\nsymbols = [1]', "[market] symbols: it must be text in quotes"),
        ('[strategy]\npath = "x"\n[account]\nbalances = { USD = 5 }', "[account] balances: it must be text in quotes"),
        ('[strategy]\npath = "x"\n[[faults]]\nat_s = 1', "[[faults]] kind is missing; it must be given"),
        (
            '[strategy]\npath = "x"\n[[faults]]\nkind = "drop"\nat = 1',
            "[[faults]] has no key at; it has kind, at_s, for_s, link, mode, symbol, detect_ms",
        ),
        (
            '[strategy]\npath = "x"\n[road]\nis_cancel_on_disconnect = "yes"',
            '[road] is_cancel_on_disconnect = "yes": it must be true or false',
        ),
    ],
)
def test_the_error_names_table_key_value_and_what_it_must_be(text: str, said: str) -> None:
    assert said_of(text) == said


def test_a_value_in_its_range_passes() -> None:
    check_range("x", 1, 1, 2)
    check_range("x", 2, 1, 2)
    check_range("x", 0.1, 0, is_open=True)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "x = 0: it must be from 1 to 2"), (3, "x = 3: it must be from 1 to 2"), (float("nan"), "x = nan: it must be")],
)
def test_a_value_out_of_its_range_is_an_error(value: float, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_range("x", value, 1, 2)


def test_an_infinite_value_is_out_of_every_range() -> None:
    with pytest.raises(ConfigError, match="x = inf: it must be 0 or more"):
        check_range("x", float("inf"), 0)


def test_the_low_end_is_outside_of_an_open_range() -> None:
    with pytest.raises(ConfigError, match="x = 0: it must be above 0"):
        check_range("x", 0, 0, is_open=True)


@pytest.mark.parametrize("amount", ["0", "12.5", "1E+3"])
def test_an_exact_amount_passes(amount: str) -> None:
    check_amount("x", amount)


@pytest.mark.parametrize("amount", ["", "-1", "NaN", "Infinity", "1,5"])
def test_an_amount_that_is_none_is_an_error(amount: str) -> None:
    with pytest.raises(ConfigError, match="it must be a decimal of 0 or more, in quotes"):
        check_amount("x", amount)
