"""The command as a test runs it: in process, in a folder of the test's own, with its output and its exit code."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from framework.cli import main

__all__ = ["Capture", "Said", "read_error", "round_trip", "tidegate", "write_config"]

Capture = pytest.CaptureFixture[str]

STRATEGIES = Path(__file__).resolve().parents[2] / "strategies"


# Buys at the ask with the first book, sells at the bid with the first fill: two fills, whatever the market.
ROUND_TRIP = """
from nautilus_trader.model.enums import OrderSide, TimeInForce
from framework.strategy import Strategy, StrategyConfig


class RoundTripConfig(StrategyConfig, frozen=True, kw_only=True):
    qty: str = "0.001"


class RoundTrip(Strategy):
    def __init__(self, config: RoundTripConfig | None = None) -> None:
        super().__init__(config or RoundTripConfig())
        self.is_sent = False

    def on_start(self):
        for instrument_id in self.instrument_ids:
            self.subscribe_book(instrument_id, on="touch")

    def on_book(self, book):
        if not self.is_sent and book.bid_ticks and book.ask_ticks:
            self.is_sent = True
            instrument_id = self.instrument_ids[0]
            self.buy(instrument_id, self.lots(instrument_id, self.config.qty))

    def on_order_filled(self, event):
        if event.order_side == OrderSide.BUY:
            self.sell(event.instrument_id, self.lots(event.instrument_id, str(event.last_qty)))
"""


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


def round_trip(folder: Path, **sections: str) -> Path:
    """A configuration of a strategy that buys and sells once, and its file."""
    (folder / "round_trip.py").write_text(ROUND_TRIP, encoding="utf-8")
    return write_config(folder, strategy='path = "round_trip.py"', **sections)
