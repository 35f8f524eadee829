"""The strategy that users subclass: client ids that a venue takes, handlers that are called, types that check."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from framework.book import BookView
from framework.errors import ConfigError, SimulationError
from framework.execution import events
from framework.protocol import RejectReason, VenueMode
from framework.strategy import Strategy, StrategyConfig
from tests.framework.execution.desk_rig import accepted, rejected
from tests.framework.execution.nautilus_rig import NautilusRig, Recorder

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def stage() -> Iterator[NautilusRig]:
    stage = NautilusRig()
    yield stage
    stage.dispose()


# ------------------------------------------------------------------------------------------------- client ids


def test_client_ids_are_the_strategys_tag_and_a_count(stage: NautilusRig) -> None:
    orders = [stage.strategy.buy(stage.btc, 1, 1_000) for _ in range(2)]
    assert [order.client_order_id.value for order in orders] == ["100000000000000001", "100000000000000002"]


def test_client_ids_of_a_tag_that_is_no_number_keep_it_as_it_is() -> None:
    stage = NautilusRig(Recorder("MM"))
    assert stage.strategy.buy(stage.btc, 1, 1_000).client_order_id.value == "MM-000000000000001"
    stage.dispose()


def test_client_ids_have_the_18_characters_that_a_venue_takes_and_increase(stage: NautilusRig) -> None:
    ids = [stage.strategy.order_factory.generate_client_order_id().value for _ in range(12)]
    assert {len(cl_ord_id) for cl_ord_id in ids} == {18}
    assert ids == sorted(ids)
    assert len(set(ids)) == 12


@pytest.mark.parametrize(("first", "second"), [("9", "99"), ("MM", "000"), ("A1", "B1"), ("8", "x")])
def test_ids_of_two_strategies_never_meet(first: str, second: str) -> None:
    made = []
    for tag in (first, second):
        stage = NautilusRig(Recorder(tag))
        made += [stage.strategy.order_factory.generate_client_order_id().value for _ in range(200)]
        stage.dispose()
    assert len(set(made)) == 400


def test_a_tag_that_leaves_too_little_room_for_a_count_is_a_configuration_error() -> None:
    stage = NautilusRig(Recorder("TENLETTERS"))
    with pytest.raises(ConfigError, match="'TENLETTERS' is too long for client order ids of 18 characters"):
        stage.strategy.buy(stage.btc, 1, 1_000)
    stage.dispose()


def test_orders_that_nautilus_makes_itself_reach_the_venue_too(stage: NautilusRig) -> None:
    order = stage.strategy.buy(stage.btc, 10, 1_000)
    from tests.framework.execution.desk_rig import trade

    name = order.client_order_id.value
    stage.rig.tell("ws2", accepted(1, 1, "O1"), trade(2, "T1", 10, 10, cl_ord_id=name))
    stage.strategy.close_all_positions(stage.btc)
    assert stage.rig.last("ws2").cl_ord_id == "x00000000000000001"


# ------------------------------------------------------------------------------------------------- handlers

EVENTS: list[tuple[str, events.RoadEvent]] = [
    ("on_session_opened", events.SessionOpened(ts_ns=1, link="fix", session_id="s", cl_ord_ids=())),
    ("on_session_resumed", events.SessionResumed(ts_ns=1, link="fix", session_id="s", cl_ord_ids=())),
    ("on_session_closed", events.SessionClosed(ts_ns=1, link="fix", session_id="s", reason="", cl_ord_ids=())),
    ("on_order_reach_changed", events.OrderReachChanged(ts_ns=1, cl_ord_id="a", reach=(), previous=(), reason="")),
    ("on_cancel_rerouted", events.CancelRerouted(ts_ns=1, cl_ord_id="a", asked="fix", used="rest", reason="")),
    ("on_outcome_unknown", events.OutcomeUnknown(ts_ns=1, cl_ord_id="a", command="", link="fix", evidence="")),
    ("on_outcome_resolved", events.OutcomeResolved(ts_ns=1, cl_ord_id="a", command="", link="fix", evidence="")),
    ("on_order_validated", events.OrderValidated(ts_ns=1, cl_ord_id="a", link="rest", error=None)),
    ("on_request_rejected", events.RequestRejected(ts_ns=1, command="", link="fix", reason="")),
    (
        "on_rate_budget_changed",
        events.RateBudgetChanged(ts_ns=1, symbol="BTC/USD", share=0.5, used_share=0.6, is_above=True),
    ),
    ("on_sequence_gap", events.SequenceGap(ts_ns=1, link="fix", missed_count=1)),
    ("on_replay_completed", events.ReplayCompleted(ts_ns=1, link="fix", replayed_count=1)),
    ("on_venue_status_changed", events.VenueStatusChanged(ts_ns=1, mode=VenueMode.ONLINE, symbol=None)),
    ("on_kill_switch_pulled", events.KillSwitchPulled(ts_ns=1, reason="by hand")),
    ("on_kill_switch_proved", events.KillSwitchProved(ts_ns=1, ts_venue_ns=1)),
    ("on_kill_switch_released", events.KillSwitchReleased(ts_ns=1)),
]


@pytest.mark.parametrize(("handler", "event"), EVENTS, ids=[name for name, _ in EVENTS])
def test_each_event_of_the_road_has_its_handler(stage: NautilusRig, handler: str, event: events.RoadEvent) -> None:
    heard = []
    setattr(stage.strategy, handler, heard.append)
    stage.strategy.handle_road_event(event)
    assert heard == [event]


def test_every_event_of_the_road_is_in_the_list_above() -> None:
    kinds = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.RoadEvent)}
    assert kinds - {events.RoadEvent} == {type(event) for _, event in EVENTS}


def test_a_strategy_that_does_not_run_hears_nothing(stage: NautilusRig) -> None:
    heard: list[Any] = []
    stage.strategy.on_sequence_gap = heard.append  # type: ignore[method-assign]
    stage.strategy.stop()
    stage.strategy.handle_road_event(events.SequenceGap(ts_ns=1, link="fix", missed_count=1))
    stage.strategy.handle_book(object())  # type: ignore[arg-type]
    assert heard == []


def test_a_book_is_handed_to_its_handler(stage: NautilusRig) -> None:
    heard: list[BookView] = []
    stage.strategy.on_book = heard.append  # type: ignore[method-assign]
    book: Any = object()
    stage.strategy.handle_book(book)
    assert heard == [book]


# ------------------------------------------------------------------------------------------------- services


def test_reach_and_budget_are_those_of_the_desk(stage: NautilusRig) -> None:
    order = stage.strategy.buy(stage.btc, 1, 1_000)
    assert stage.strategy.reach(order) == ("rest", "ws2")
    assert stage.strategy.rate_budget_used(stage.btc) == 1 / 125


def test_the_dead_mans_switch_is_armed_by_the_road_asked_for(stage: NautilusRig) -> None:
    stage.strategy.arm_cancel_all_after(60, via="ws2")
    assert stage.rig.last("ws2").timeout_s == 60


def test_a_refusal_of_the_dead_mans_switch_reaches_the_strategy(stage: NautilusRig) -> None:
    stage.strategy.arm_cancel_all_after(60)
    stage.rig.tell("rest", rejected(1, 1, RejectReason.CALL_LIMIT))
    assert [type(event).__name__ for event in stage.strategy.road] == ["RequestRejected"]


def test_a_strategy_without_a_configuration_trades_all_instruments(stage: NautilusRig) -> None:
    assert stage.strategy.instrument_ids == [stage.btc]


def test_a_strategy_trades_the_instruments_of_its_configuration_only(stage: NautilusRig) -> None:
    named = Strategy(StrategyConfig(instruments=("BTC/USD",)))
    named.attach(stage)
    assert [each.symbol.value for each in named.instrument_ids] == ["BTC/USD"]


def test_an_instrument_that_the_run_does_not_have_is_an_error(stage: NautilusRig) -> None:
    other = Strategy(StrategyConfig(instruments=("BTC/USD", "ETH/USD")))
    other.attach(stage)
    with pytest.raises(ConfigError, match="instruments: 'ETH/USD' is not in the run; it has BTC/USD"):
        _ = other.instrument_ids


@pytest.mark.parametrize(
    ("qty", "said"),
    [
        ("a few", 'quantity "a few": it must be a decimal of 0 or more'),
        ("-0.01", 'quantity "-0.01": it must be a decimal of 0 or more'),
        ("0.000000001", "quantity 0.000000001 is not a multiple of 0.0001 of BTC/USD"),
    ],
)
def test_a_quantity_that_cannot_be_counted_in_lots_is_an_error(stage: NautilusRig, qty: str, said: str) -> None:
    strategy = Strategy()
    strategy.attach(stage)
    with pytest.raises(ConfigError, match=said):
        strategy.lots(strategy.instrument_ids[0], qty)


def test_a_quantity_in_units_is_given_in_lots(stage: NautilusRig) -> None:
    strategy = Strategy()
    strategy.attach(stage)
    assert strategy.lots(strategy.instrument_ids[0], "0.01") == 100


def test_a_strategy_that_is_not_attached_says_so() -> None:
    with pytest.raises(SimulationError, match="Strategy is not attached to a runner yet"):
        _ = Strategy().instrument_ids


# ------------------------------------------------------------------------------------------------- types

SNIPPET = """
from framework.book import BookView
from framework.execution.events import OrderReachChanged
from framework.strategy import Strategy, StrategyConfig


class MyConfig(StrategyConfig, frozen=True, kw_only=True):
    size_lots: int = 1


class MyStrategy(Strategy):
    def __init__(self, config: MyConfig) -> None:
        super().__init__(config)
        self.size_lots: int = config.size_lots

    def on_start(self) -> None:
        for instrument_id in self.instrument_ids:
            self.subscribe_book(instrument_id, on="touch")

    def on_book(self, book: BookView) -> None:
        if book.bid_ticks is not None:
            instrument_id = self.instrument_ids[0]
            order = self.buy(instrument_id, self.size_lots, book.bid_ticks, post_only=True, via="fix")
            self.move(order, price_ticks=book.bid_ticks + 1)

    def on_order_reach_changed(self, event: OrderReachChanged) -> None:
        if not event.reach:
            self.arm_cancel_all_after(60)
"""

WRONG = SNIPPET.replace("book.bid_ticks, post_only", '"100.0", post_only')


def _mypy(tmp_path: Path, source: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "my_strategy.py"
    file.write_text(source)
    config = tmp_path / "mypy.ini"
    config.write_text(
        "[mypy]\nstrict = True\ndisallow_subclassing_any = False\n"
        "[mypy-nautilus_trader.*]\nignore_missing_imports = True\n"
        # As a package that is installed, from whichever checkout the tests run.
        "[mypy-framework.*]\nfollow_imports = silent\n"
    )
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        str(config),
        "--cache-dir",
        str(tmp_path / "cache"),
        str(file),
    ]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_users_subclass_type_checks(tmp_path: Path) -> None:
    result = _mypy(tmp_path, SNIPPET)
    assert result.stdout.startswith("Success"), result.stdout


@pytest.mark.slow
def test_a_users_mistake_in_a_price_does_not_type_check(tmp_path: Path) -> None:
    result = _mypy(tmp_path, WRONG)
    assert 'incompatible type "str"' in result.stdout
