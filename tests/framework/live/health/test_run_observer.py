"""What is counted of a run is what has happened in it, and watching it changes nothing. In virtual time."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from framework.adapter import MarketListener
from framework.backtest.config import FaultSection
from framework.backtest.log_hash import event_log_sha256
from framework.data.columns import CLEAR, LEVEL
from framework.data.live_rows import MarketRow, Quote
from framework.execution.limits import LimitsSection
from framework.live.closing import AtEnd
from framework.live.health.histogram import BOUNDS_NS
from framework.live.health.log import EventLog, Level
from framework.live.health.log_writer import LogWriter
from framework.live.health.run_observer import RunObserver
from framework.live.health.standing import Standing
from framework.live.health.status import Latency, Status, decode_status, encode_status
from framework.live.health.tally import COMMANDS, Tally, command_name
from framework.live.health.watched_desk import WatchedDesk
from framework.live.journal import Forcing, IntentJournal, read_records
from framework.live.paper import PaperNode
from framework.live.records import Answered, AnyCommand, Ended, Filled, Intended
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
from framework.protocol import BUY, SELL, MassCancelScope, OrderType
from tests.framework.live.test_paper import CONFIG, FAST, LOTS, MS, live
from tests.simulation.stage import BID, BTC, Script, still_market, trade

US = 1_000
DROP = FaultSection(kind="drop", link="ws2", at_s=8.0, for_s=3.0, detect_ms=10)


class Watched:
    """A paper run on the still book, and who watches it."""

    def __init__(self, script: Script, rows: Any = (), *, level: Level = Level.DEBUG, **given: Any) -> None:
        self.log = EventLog(level)
        self.observer = RunObserver(self.log, is_timed=False)
        config = replace(CONFIG, **{name: given.pop(name) for name in ("faults", "limits") if name in given})
        self.node = PaperNode(
            config,
            markets=[still_market(rows)],
            strategy=script,
            is_looped=False,
            at_end=AtEnd.LEAVE,
            profile=FAST,
            observer=self.observer,
            **given,
        )
        self.node.begin()
        writer = LogWriter(self.log, None, str)
        self._standing = Standing(self.observer, self.log, writer, "paper", None)

    def status(self) -> Status:
        standing = self._standing.status()
        assert standing is not None
        assert decode_status(encode_status(standing), "it") == standing
        return standing

    def logged(self, *names: str) -> list[Any]:
        return [event for event in self.log.waiting if event.name in names]


def _trade(script: Script) -> None:
    """Rests twice, cancels one, has one filled, takes once, is refused once."""
    script.orders["low"] = script.buy(script.btc, LOTS, BID - 10)
    script.orders["bid"] = script.buy(script.btc, LOTS, BID)


TRADING = [
    (5.0, _trade),
    (6.0, lambda s: s.cancel_order(s.orders["low"])),
    (7.0, lambda s: s.sell(s.btc, 3 * LOTS)),
    (7.5, lambda s: s.buy(s.btc, 1, BID - 10)),  # the venue's least is more
]
# What is ahead at the bid, and the order itself, are bought at 6.5 s by others.
FILLING = [trade(6.5, SELL, BID, 6 * BTC)]


# ------------------------------------------------------------------------------------------------- a run


def test_watching_changes_nothing(tmp_path: Path) -> None:
    def lived(**given: Any) -> str:
        node = PaperNode(
            replace(CONFIG, faults=(DROP,)),
            markets=[still_market(FILLING)],
            strategy=Script(TRADING),
            is_looped=False,
            at_end=AtEnd.LEAVE,
            profile=FAST,
            **given,
        )
        node.begin()
        live(node, 60.0)
        return event_log_sha256(node.simulation.events())

    assert lived() == lived(observer=RunObserver(EventLog(Level.DEBUG), is_timed=False))


def test_what_is_counted_is_what_the_journal_has(tmp_path: Path) -> None:
    intents = IntentJournal.open(tmp_path / "run.intents", Forcing.OFF, lambda _: None)
    watched = Watched(Script(TRADING), FILLING, intents=intents, faults=(DROP,))
    live(watched.node, 20.0)
    status, records = watched.status(), list(read_records(tmp_path / "run.intents"))
    sent = Counter((each.link, type(each.command).__name__) for each in records if isinstance(each, Intended))
    roads = {road.name: road for road in status.roads}
    names = {"add": "AddOrder", "cancel": "CancelOrder", "query": "QueryOrders"}
    counted = Counter({(road.name, names[name]): count for road in status.roads for name, count in road.sent.items()})
    assert counted == sent
    assert sum(road.orders for road in status.roads) == sent["ws2", "AddOrder"] == 4
    answers = Counter(each.outcome for each in records if isinstance(each, Answered))
    assert sum(sum(road.rejected.values()) for road in status.roads) == answers["rejected"] == 1
    assert sum(sum(each.counts) for road in status.roads for each in road.acknowledged) == (
        answers["accepted"] + answers["rejected"]
    )
    fills = [each for each in records if isinstance(each, Filled)]
    assert status.instruments[0].fills == roads["ws2"].fills == len(fills) >= 2
    ended = Counter(each.state for each in records if isinstance(each, Ended))
    assert roads["ws2"].order_rejects == ended["rejected"] == 1


def test_position_and_result_are_those_of_its_fills() -> None:
    """One bought at the bid, three sold a tick below it: one is closed with a tick's loss, two are short at 99.9."""
    watched = Watched(Script(TRADING), FILLING)
    live(watched.node, 20.0)
    (instrument,) = watched.status().instruments
    fills = [report for _, report in watched.node.simulation.recorder.fills]
    assert sum(fill.last_lots if fill.side == BUY else -fill.last_lots for fill in fills) == -2 * LOTS
    assert instrument.position == Decimal("-0.02")
    assert instrument.realised == Decimal("-0.001")
    # The middle is 100.05.
    assert instrument.unrealised == Decimal("-0.003")
    assert watched.status().fees == {"USD": sum(fill.fee for fill in fills)}


def test_an_answer_is_timed_from_the_command_and_a_fill_from_the_venues_time() -> None:
    """A millisecond there and one back."""
    watched = Watched(Script(TRADING), FILLING)
    live(watched.node, 20.0)
    (road,) = [road for road in watched.status().roads if road.name == "ws2"]
    bucket = BOUNDS_NS.index(2 * MS)

    def only(latency: Latency) -> int:
        (found,) = [index for index, count in enumerate(latency.counts) if count]
        return found

    assert [only(each) for each in road.acknowledged if each.command in ("add", "cancel")] == [bucket, bucket]
    assert only(road.fill_learned) == BOUNDS_NS.index(1 * MS)


def test_a_simulation_has_no_stages_for_no_time_passes_in_a_call() -> None:
    watched = Watched(Script(TRADING))
    live(watched.node, 10.0)
    assert watched.status().stages == {}


def test_open_orders_are_told_with_who_can_cancel_them() -> None:
    watched = Watched(Script([(5.0, _trade)]))
    live(watched.node, 6.0)
    status = watched.status()
    assert (status.order_count, status.unreachable) == (2, 0)
    first = status.orders[0]
    assert (first.side, first.knowledge, first.reach) == ("buy", "open", ("ws2", "rest"))
    assert first.price == status.instruments[0].bid - 10 * status.instruments[0].bid / BID  # type: ignore[operator]
    assert first.age_s == pytest.approx(1.0, abs=0.11)


def test_a_line_that_drops_is_told_and_counted_and_its_return_is_a_reconnect() -> None:
    watched = Watched(Script(TRADING), faults=(DROP,))
    live(watched.node, 9.0)
    (road,) = [road for road in watched.status().roads if road.name == "ws2"]
    assert (road.is_up, road.opened, road.closed) == (False, 1, 1)
    live(watched.node, 20.0)
    (road,) = [road for road in watched.status().roads if road.name == "ws2"]
    assert (road.is_up, road.opened, road.closed, road.resyncs) == (True, 2, 1, 0)
    assert [event.level for event in watched.logged("session_closed")] == [Level.WARNING]


def test_commands_without_an_answer_are_unknown_until_they_are_resolved() -> None:
    watched = Watched(Script([(7.9995, lambda s: s.buy(s.btc, LOTS, BID - 10))]), faults=(DROP,))
    live(watched.node, 8.5)
    status = watched.status()
    assert (status.unknown, status.unknown_total, status.resolved_total) == (1, 1, 0)
    assert status.orders[0].knowledge == "unknown"
    (told,) = watched.logged("outcome_unknown")
    assert told.level is Level.WARNING
    assert told.text.startswith("unknown: AddOrder ")
    live(watched.node, 20.0)
    status = watched.status()
    assert (status.unknown, status.unknown_total, status.resolved_total) == (0, 1, 1)


def test_an_order_that_a_limit_refuses_is_denied_and_never_counted_as_sent() -> None:
    watched = Watched(Script([(5.0, _trade)]), limits=LimitsSection(order_qty_max="0.001"))
    live(watched.node, 6.0)
    status = watched.status()
    assert (status.denied, status.roads[0].orders) == (2, 0)
    assert [event.fields["why"][:19] for event in watched.logged("order_denied")] == ["limit order_qty_max"] * 2


def test_the_budget_is_told_as_the_desk_counts_it() -> None:
    watched = Watched(Script([(5.0, _trade)]))
    live(watched.node, 5.1, step_ms=1.0)
    trader = watched.node.simulation.trader
    (budget,) = [each for each in watched.status().budgets if each.kind == "orders"]
    assert budget.name == "BTC/USD"
    assert budget.used == pytest.approx(budget.limit * trader.rate_budget_used("BTC/USD"))
    assert 0 < budget.used <= 2
    assert budget.published is None


def test_the_kill_switch_is_told() -> None:
    watched = Watched(Script([(5.0, _trade)]))
    live(watched.node, 6.0)
    watched.node.simulation.trader.kill_switch.pull("by hand")
    live(watched.node, 6.001, step_ms=0.5)
    status = watched.status()
    assert (status.kill_switch, status.kill_proved, status.halted) == ("by hand", False, "kill switch: by hand")
    live(watched.node, 8.0)
    assert watched.status().kill_proved
    assert [event.level for event in watched.logged("kill_switch_pulled")] == [Level.ERROR]


def test_a_run_begins_lives_and_ends() -> None:
    watched = Watched(Script(TRADING))
    assert watched.status().state == "starting"
    live(watched.node, 5.0)
    assert watched.status().state == "running"
    watched.node.close("test")
    assert watched.status().state == "ending"


def test_the_log_has_each_fill_with_exact_price_size_and_fee() -> None:
    watched = Watched(Script(TRADING), FILLING)
    live(watched.node, 20.0)
    fills = [report for _, report in watched.node.simulation.recorder.fills]
    spec = watched.node.simulation.markets[0].spec
    assert [
        (event.fields["exec_id"], event.fields["side"], event.fields["qty"], event.fields["price"], event.fields["fee"])
        for event in watched.logged("order_filled")
    ] == [
        (
            fill.exec_id,
            "buy" if fill.side == BUY else "sell",
            spec.qty(fill.last_lots),
            spec.price(fill.last_ticks),
            fill.fee,
        )
        for fill in fills
    ]


def test_at_level_info_no_command_and_no_change_of_an_order_is_logged() -> None:
    watched = Watched(Script(TRADING), FILLING, level=Level.INFO)
    live(watched.node, 20.0)
    names = {event.name for event in watched.log.waiting}
    assert "order_filled" in names
    assert not names & {"command_sent", "order_accepted", "order_updated", "order_canceled"}


def test_what_a_run_before_has_left_is_told_beside_the_position_or_as_part_of_it() -> None:
    """The strategy begins without it, or goes on with it from what it has cost."""
    beside, within = Watched(Script(TRADING), FILLING), Watched(Script(TRADING), FILLING)
    beside.observer.carry("BTC/USD", 7 * LOTS, None)
    within.observer.carry("BTC/USD", 7 * LOTS, BID - 10)
    for watched in (beside, within):
        live(watched.node, 20.0)
    (instrument,) = beside.status().instruments
    assert (instrument.position, instrument.carried) == (Decimal("-0.02"), Decimal("0.07"))
    (whole,) = within.status().instruments
    assert (whole.position, whole.carried) == (Decimal("0.05"), 0)
    # Seven bought at 99.0 are worth 100.05 in the middle of the market.
    assert instrument.unrealised is not None
    assert whole.unrealised is not None
    gained = whole.realised + whole.unrealised - instrument.realised - instrument.unrealised
    assert gained == Decimal("0.07") * Decimal("1.05")


# ------------------------------------------------------------------------------------------------- stages


class _Silent(MarketListener):
    """Hears of the market; does what a test says."""

    def __init__(self, does: Any = lambda: None) -> None:
        self.does = does

    def book_changed(self, symbol: str, rows: list[MarketRow]) -> None:
        self.does()

    def traded(self, symbol: str, rows: list[MarketRow]) -> None:
        self.does()

    def quoted(self, symbol: str, quote: Quote) -> None: ...
    def trades_missed(self, symbol: str, count: int, ts_recv_ns: int) -> None: ...
    def market_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None: ...


class _Journal:
    """A desk's journal, in which a record takes three microseconds."""

    def __init__(self, clock: _Steps) -> None:
        self._clock = clock

    def sent(self, link: str, command: Any, ts_sent_ns: int) -> None:
        self._clock.now_ns += 3 * US


class _Steps:
    now_ns = 1_000_000_000


class _Road:
    name = "ws2"


ADD = AddOrder(request_id=1, cl_ord_id="1", symbol="BTC/USD", side=BUY, order_type=OrderType.LIMIT, qty_lots=1)


def _row(kind: int, recv_ns: int) -> MarketRow:
    return MarketRow(recv_ns, recv_ns, kind, BUY, 1, 1, 0)


def _timed(clock: _Steps, *, is_sending: bool = True) -> tuple[Tally, Any, Any]:
    """A market whose listener sends an order: 20 us of strategy, 3 of journal, 8 of writing."""
    tally, log = Tally(), EventLog()
    observer = RunObserver(log, is_timed=True)
    observer.tally = tally
    desk = WatchedDesk(_Journal(clock), tally, log, is_timed=True)  # type: ignore[arg-type]
    desk.now_ns = lambda: clock.now_ns

    def send() -> None:
        if is_sending:
            clock.now_ns += 20 * US
            asked_ns = clock.now_ns
            desk.sent("ws2", ADD, asked_ns)
            clock.now_ns += 8 * US
            desk.left(_Road(), ADD, asked_ns)  # type: ignore[arg-type]

    market: Any = observer.market(_Silent(send))
    market.now_ns = lambda: clock.now_ns
    return tally, market, desk


def test_each_stage_from_bytes_in_to_bytes_out_is_timed_and_all_of_it() -> None:
    clock = _Steps()
    tally, market, _ = _timed(clock)
    in_ns = clock.now_ns
    clock.now_ns += 5 * US
    market.book_changed("BTC/USD", [_row(LEVEL, in_ns)])
    stages = tally.stages
    assert [getattr(stages, name).sum_ns for name in stages.NAMES] == [5 * US, 20 * US, 3 * US, 8 * US, 36 * US]


def test_a_message_that_leads_to_no_command_has_been_decoded_and_no_more() -> None:
    clock = _Steps()
    tally, market, _ = _timed(clock, is_sending=False)
    market.book_changed("BTC/USD", [_row(LEVEL, clock.now_ns - 4 * US)])
    stages = tally.stages
    assert [sum(getattr(stages, name).counts) for name in stages.NAMES] == [1, 0, 0, 0, 0]


def test_a_command_that_no_message_has_led_to_is_timed_from_the_call_on() -> None:
    """A timer's, or the answer to a fill."""
    clock = _Steps()
    tally, market, desk = _timed(clock, is_sending=False)
    market.book_changed("BTC/USD", [_row(LEVEL, clock.now_ns)])
    clock.now_ns += 10**9
    desk.sent("ws2", ADD, clock.now_ns)
    desk.left(_Road(), ADD, clock.now_ns - 3 * US)
    stages = tally.stages
    assert [sum(getattr(stages, name).counts) for name in stages.NAMES] == [1, 0, 1, 1, 0]


def test_a_message_whose_handling_fails_leaves_nothing_to_be_timed_by() -> None:
    def fail() -> None:
        raise ValueError("out of ideas")

    market = RunObserver(EventLog(), is_timed=True).market(_Silent(fail))
    with pytest.raises(ValueError, match="out of ideas"):
        market.book_changed("BTC/USD", [_row(LEVEL, 1)])
    assert market._stages.in_ns == 0


def test_every_command_of_a_desk_has_a_name_of_its_own() -> None:
    """One that has none is counted all the same: nothing that is sent fails for being counted."""
    commands: list[Command] = [
        ADD,
        AddBatch(request_id=1, orders=(ADD, ADD)),
        AmendOrder(request_id=1),
        EditOrder(request_id=1, order_id="O1"),
        CancelOrder(request_id=1),
        CancelBatch(request_id=1),
        CancelAll(request_id=1),
        MassCancel(request_id=1, scope=MassCancelScope.SESSION),
        CancelAllAfter(request_id=1, timeout_s=60),
        QueryOrders(request_id=1),
    ]
    assert {type(command) for command in commands} == set(get_args(AnyCommand.__value__))
    names = {command_name(command) for command in commands}
    assert len(names) == len(commands)
    assert names | {"validate", "other"} == set(COMMANDS)

    class Strange(Command, frozen=True, kw_only=True, tag="Strange"):
        """A command that nobody knows."""

    assert command_name(Strange(request_id=1)) == "other"


# ------------------------------------------------------------------------------------------------- the market


def test_a_market_that_is_lost_is_told_and_whole_again_with_its_snapshot() -> None:
    log = EventLog()
    observer = RunObserver(log, is_timed=True)
    market = observer.market(_Silent())
    instrument = observer.tally.instruments["BTC/USD"]
    market.book_changed("BTC/USD", [_row(CLEAR, 1)])
    assert (instrument.losses, instrument.resyncs) == (0, 0)
    market.market_lost("BTC/USD", "the checksum of the book is 1, not 2", 2)
    assert (instrument.losses, instrument.is_lost) == (1, True)
    market.book_changed("BTC/USD", [_row(LEVEL, 3)])
    assert instrument.is_lost
    market.book_changed("BTC/USD", [_row(CLEAR, 4)])
    assert (instrument.losses, instrument.resyncs, instrument.is_lost, instrument.messages) == (1, 1, False, 3)
    market.trades_missed("BTC/USD", 12, 5)
    assert instrument.trades_missed == 12
    assert [event.name for event in log.waiting] == ["market_lost", "market_resynced", "trades_missed"]


def test_orders_of_a_batch_and_cancels_by_it_count_one_by_one() -> None:
    clock = _Steps()
    tally, _, desk = _timed(clock)
    desk.sent("ws2", AddBatch(request_id=1, orders=(ADD, ADD, ADD)), 0)
    desk.sent("ws2", CancelBatch(request_id=2, cl_ord_ids=("1", "2"), order_ids=("O3",)), 0)
    desk.sent("ws2", CancelOrder(request_id=3, cl_ord_id="1"), 0)
    desk.sent("ws2", replace(ADD, is_validate_only=True), 0)
    road = tally.roads["ws2"]
    assert (road.orders, road.cancels) == (3, 4)
    assert {name: count for name, count in road.sent.items() if count} == {
        "add_batch": 1,
        "cancel_batch": 1,
        "cancel": 1,
        "validate": 1,
    }
