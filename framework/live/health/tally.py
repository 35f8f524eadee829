"""What is counted of a run while it lives: whole numbers and histograms, added to where something happens.

Nothing here is computed; whoever wants to know how the run stands reads it (``standing``).
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from framework.live.health.histogram import Histogram
from framework.live.health.profit import Profit
from framework.messages import (
    AddBatch,
    AddOrder,
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelBatch,
    CancelOrder,
    Command,
    EditOrder,
    MassCancel,
    QueryOrders,
)

__all__ = ["COMMANDS", "InstrumentTally", "RoadTally", "Stages", "Tally", "command_name"]

_NAMES: dict[type[Command], str] = {
    AddOrder: "add",
    AddBatch: "add_batch",
    AmendOrder: "amend",
    EditOrder: "edit",
    CancelOrder: "cancel",
    CancelBatch: "cancel_batch",
    CancelAll: "cancel_all",
    MassCancel: "mass_cancel",
    CancelAllAfter: "cancel_all_after",
    QueryOrders: "query",
}
COMMANDS = (*_NAMES.values(), "validate", "other")


def command_name(command: Command) -> str:
    """The name of a kind of command, as counters and logs have it."""
    name = _NAMES.get(type(command), "other")
    return "validate" if name == "add" and command.is_validate_only else name  # type: ignore[attr-defined]


class RoadTally:
    """One road's. sent, rejected, lost: commands by ``COMMANDS``. acknowledged: from a command to its answer, by them.

    orders, cancels: orders that were sent, and that were asked to be canceled one by one; a batch has several.
    fill_learned: from the venue's time of a fill to ours of learning it, by two clocks. opened, resumed, closed:
    sessions. resyncs: times that news began anew on a connection that stood. gaps, missed: of messages, and how many.
    """

    def __init__(self) -> None:
        self.sent = dict.fromkeys(COMMANDS, 0)
        self.rejected = dict.fromkeys(COMMANDS, 0)
        self.lost = dict.fromkeys(COMMANDS, 0)
        self.acknowledged = {name: Histogram() for name in COMMANDS}
        self.fill_learned = Histogram()
        self.orders = 0
        self.cancels = 0
        self.order_rejects = 0
        self.fills = 0
        self.opened = 0
        self.resumed = 0
        self.closed = 0
        self.resyncs = 0
        self.gaps = 0
        self.missed = 0
        self.replayed = 0
        self.is_open = False


class InstrumentTally:
    """One instrument's. messages: of its market; heard_ns: when the last one came, 0 for none. losses: times that its
    market was lost; resyncs: times that it was whole again afterwards. trades_missed: that were never told.
    middle_half_ticks: twice the market's middle when it was known last, 0 before it was. carried_lots: what runs before
    have left and the strategy does not go on with; what it goes on with is in ``profit``.
    """

    def __init__(self) -> None:
        self.profit = Profit()
        self.fills = 0
        self.messages = 0
        self.heard_ns = 0
        self.losses = 0
        self.resyncs = 0
        self.trades_missed = 0
        self.is_lost = False
        self.middle_half_ticks = 0
        self.carried_lots = 0


class Stages:
    """The way of a command that a market message has led to: bytes in, decoded, command, written down, bytes out.

    tick_to_order: all of it. in_ns, told_ns: of the message that is being dealt with, 0 for none.
    """

    NAMES = ("decode", "strategy", "journal", "write", "tick_to_order")

    def __init__(self) -> None:
        self.decode = Histogram()
        self.strategy = Histogram()
        self.journal = Histogram()
        self.write = Histogram()
        self.tick_to_order = Histogram()
        self.in_ns = 0
        self.told_ns = 0
        self.written_ns = 0


class Tally:
    """A run's. denied: orders that were refused before they were sent. unknown, resolved: outcomes, so far."""

    def __init__(self) -> None:
        self.roads: defaultdict[str, RoadTally] = defaultdict(RoadTally)
        self.instruments: defaultdict[str, InstrumentTally] = defaultdict(InstrumentTally)
        self.stages = Stages()
        self.fees: dict[str, Decimal] = {}
        self.denied = 0
        self.cancel_rejects = 0
        self.amend_rejects = 0
        self.unknown = 0
        self.resolved = 0
        self.rerouted = 0
