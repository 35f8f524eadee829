"""A strategy on live links against a served venue, over real sockets: the whole way from its call to the run folder."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from nautilus_trader.model.enums import OrderSide

from adapters.kraken.adapter import ADAPTER
from adapters.kraken.profile import PROFILE
from framework.adapter import LiveSettings
from framework.backtest.config import RoadSection, StrategySection, VenueSection
from framework.backtest.loading import resolve_road
from framework.backtest.run_folder import RunFolder
from framework.errors import ConfigError
from framework.execution.limits import LimitsSection
from framework.execution.routes import Spread
from framework.live.clock import LiveClock
from framework.live.closing import AtEnd
from framework.live.config import LeftOpen, LiveConfig, LiveSection
from framework.live.journal import Forcing, IntentJournal, read_records
from framework.live.node import LiveNode
from framework.live.records import Intended
from framework.live.recovery import Recovery
from framework.messages import AddOrder
from framework.strategy import Strategy
from tests.conformance.served_venue import FreshAccounts, served_venue
from tests.conformance.test_served_control import control
from tests.framework.command import read_error, tidegate

ROOT = Path(__file__).parents[2]
LOTS = 10**6  # of a satoshi each: 0.01 BTC
WAIT_S = 30


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshAccounts]:
    with served_venue(tmp_path_factory.mktemp("venue"), "--socket-connects", "0", "--accounts", "80") as opened:
        yield FreshAccounts(opened)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "venue"
    place.mkdir()
    return place


@pytest.fixture
def ready(accounts: FreshAccounts, folder: Path) -> dict[str, Any]:
    return accounts.ready(folder)


class Steps(Strategy):
    """Does what a test says at each step of its own timer, and remembers what it hears."""

    def __init__(self, *steps: Callable[[Steps], Any]) -> None:
        super().__init__()
        self.steps = list(steps)
        self.heard: list[str] = []
        self.books = 0
        self.orders: dict[str, Any] = {}

    def on_start(self) -> None:
        self.pair = self.instrument_ids[0]
        self.subscribe_book(self.pair, on="change")
        for number, step in enumerate(self.steps, start=1):
            at_ns = self.clock.timestamp_ns() + number * 300_000_000
            self.clock.set_time_alert_ns(f"step-{number}", at_ns, lambda _, step=step: step(self))

    def on_book(self, book: Any) -> None:
        self.books += 1

    def on_event(self, event: Any) -> None:
        self.heard.append(type(event).__name__)

    def handle_road_event(self, event: Any) -> None:
        self.heard.append(type(event).__name__)
        super().handle_road_event(event)

    @property
    def bid(self) -> int:
        ticks = self.book(self.pair).bid_ticks
        assert ticks is not None
        return ticks


def rest_order(strategy: Steps) -> None:
    strategy.orders["rest"] = strategy.buy(strategy.pair, LOTS, strategy.bid - 50_000)


def lower_it(strategy: Steps) -> None:
    order = strategy.orders["rest"]
    strategy.move(order, price_ticks=strategy.bridge(strategy.pair).ticks(order.price) - 1)


def take(strategy: Steps) -> None:
    strategy.buy(strategy.pair, LOTS)


def config_of(folder: Path, state: Path, road: str, **live: Any) -> LiveConfig:
    options = {"ready_file": str(folder / "ready.json"), **live.pop("more", {})}
    return LiveConfig(
        strategy=StrategySection(path="steps.py"),
        venue=VenueSection(tier="pro"),
        road=RoadSection(name=road),
        limits=live.pop("limits", LimitsSection()),
        live=LiveSection(symbols=("BTC/USD",), options=options, state=str(state), **live),
    )


async def lived(
    config: LiveConfig,
    strategy: Steps,
    until: Callable[[LiveNode], bool],
    then: Callable[[LiveNode], None] = lambda node: node.close("test"),
) -> tuple[LiveNode, list[str]]:
    """A run that is ended when something holds; what it said."""
    clock = LiveClock(asyncio.get_running_loop())
    _, policy = resolve_road(PROFILE, config.road)
    links = {name: name for name in policy.link_names()}
    settings = LiveSettings(links=links, options=config.live.options, state=Path(config.live.state))
    assert ADAPTER.connect_live is not None
    venue = await ADAPTER.connect_live(settings, clock)
    said: list[str] = []
    recovery = Recovery()
    journal = IntentJournal.open(Path(config.live.state) / "run.intents", Forcing.OFF, recovery.read)
    try:
        balances = (await venue.account()).balances
        node = LiveNode(config, PROFILE, venue, clock, journal, recovery, balances, said.append, strategy=strategy)
        node.begin()
        async with asyncio.timeout(WAIT_S):
            while not until(node) and node.failure is None:
                await asyncio.sleep(0.01)
            then(node)
            await node.done.wait()
        node.finish()
    finally:
        await venue.close()
        journal.close()
    return node, said


def held(node: LiveNode) -> dict[str, Any]:
    return node.closing.positions()


# ------------------------------------------------------------------------------------------------- one run


@pytest.mark.parametrize("road", ["rest", "ws1", "ws2", "fix"])
def test_a_strategy_trades_over_each_road_and_ends_flat_with_the_venues_word(
    ready: dict[str, Any], folder: Path, tmp_path: Path, road: str
) -> None:
    strategy = Steps(rest_order, lower_it, take)
    config = config_of(folder, tmp_path / "state", road, at_end=AtEnd.FLATTEN)
    node, said = asyncio.run(
        lived(config, strategy, lambda node: "OrderFilled" in strategy.heard and strategy.books > 5)
    )
    assert node.failure is None, said
    assert {"OrderAccepted", "OrderUpdated", "OrderFilled", "PositionOpened"} <= set(strategy.heard)
    assert "the strategy has started" in said
    assert held(node) == {}
    assert not node.closing.has_failed, node.closing.said()
    run = RunFolder.open(node.write(tmp_path / "run"))
    names = run.events.column("name").to_pylist()
    assert {"AddOrder", "AmendOrder", "CancelAllAfter", "QueryOrders", "TRADE"} <= set(names)
    assert run.touch.num_rows > 0
    assert run.summary["event_log_sha256"]


def test_a_strategy_trades_over_two_roads_that_share_its_orders_and_both_tell_of_them(
    ready: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    """Orders take turns; each change and cancel goes by a road that reaches; each fill is had once."""
    submit, cancel = "ws2 + fix, then rest", ("fix", "ws2", "rest")
    section = RoadSection(
        name="ws2", submit=submit, amend=submit, cancel=cancel, news="ws2 + fix", spread=Spread.ROUND_ROBIN
    )

    def more(strategy: Steps) -> None:
        strategy.orders["more"] = strategy.buy(strategy.pair, LOTS, strategy.bid - 60_000)

    def move(strategy: Steps) -> None:
        for name in ("rest", "more"):
            strategy.move(strategy.orders[name], price_ticks=strategy.bid - 70_000)

    def cancel_both(strategy: Steps) -> None:
        for name in ("rest", "more"):
            strategy.cancel_order(strategy.orders[name])

    strategy = Steps(rest_order, more, take, take, move, cancel_both)
    config = structs.replace(config_of(folder, tmp_path / "state", "ws2", at_end=AtEnd.FLATTEN), road=section)
    node, said = asyncio.run(
        lived(
            config,
            strategy,
            lambda node: strategy.heard.count("OrderFilled") >= 2 and strategy.heard.count("OrderCanceled") == 2,
        )
    )
    assert node.failure is None, said
    assert not node.closing.has_failed, node.closing.said()
    events = RunFolder.open(node.write(tmp_path / "run")).events.to_pylist()
    links = [row["link"] for row in events if row["kind"] == "command" and row["name"] == "AddOrder"]
    assert links[:4] == ["ws2", "fix", "ws2", "fix"]
    cancels = [row["link"] for row in events if row["kind"] == "command" and row["name"] == "CancelOrder"]
    assert cancels == ["ws2", "fix"]
    assert strategy.heard.count("OrderUpdated") >= 2
    assert "OrderCancelRejected" not in strategy.heard
    fills = [row["exec_id"] for row in events if row["kind"] == "fill"]
    assert len(set(fills)) == len(fills) == len(node.recorder.fills)
    assert len(fills) > strategy.heard.count("OrderFilled") >= 2  # the last closes the position, after its end


def test_a_command_reaches_the_link_within_the_strategys_call(
    ready: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    sent: list[str] = []

    def spy(strategy: Steps) -> None:
        link = strategy._port.links["ws2"]  # type: ignore[union-attr]
        send = link.send
        link.send = lambda command: (sent.append(type(command).__name__), send(command))
        rest_order(strategy)
        assert sent == ["AddOrder"]
        strategy.heard.append("checked")

    strategy = Steps(spy)
    node, said = asyncio.run(
        lived(config_of(folder, tmp_path, "ws2"), strategy, lambda node: "OrderAccepted" in strategy.heard)
    )
    assert node.failure is None, said
    assert "checked" in strategy.heard


def test_the_strategys_cash_is_the_venues_at_the_start_and_after_fills(
    ready: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    told: list[Decimal] = []
    at_venue: list[Decimal] = []

    def cash(strategy: Steps) -> None:
        account = strategy.portfolio.account(strategy.pair.venue)
        told.append(next(total.as_decimal() for name, total in account.balances_total().items() if name.code == "USD"))
        name = ready["accounts"][0]["account"]
        at_venue.append(Decimal(control(ready, f"/balances?account={name}")[name]["USD"]["total"]))

    strategy = Steps(cash, take, *[lambda s: None] * 14, cash)
    config = config_of(folder, tmp_path, "ws2", balances_s=1)
    node, said = asyncio.run(lived(config, strategy, lambda node: len(told) == 2))
    assert node.failure is None, said
    # REST tells dollars to four decimals.
    assert [abs(one - other) < Decimal("0.0001") for one, other in zip(told, at_venue, strict=True)] == [True, True]
    assert told[1] < told[0]


@pytest.mark.parametrize("road", ["rest", "ws2", "fix"])
def test_the_bytes_of_an_order_are_the_operating_systems_before_submit_order_returns(
    ready: dict[str, Any], folder: Path, tmp_path: Path, road: str
) -> None:
    written: list[bytes] = []

    def tap(strategy: Steps) -> None:
        venue: Any = strategy._port.links[road]  # type: ignore[union-attr]
        if road == "rest":
            socket = venue._calls._port._slots[0]._stream
        else:
            socket = venue._stream._stream if road == "ws2" else venue._stream
        socket._line = _Tap(socket._line, written)
        pair, bridge = strategy.pair, strategy.bridge(strategy.pair)
        price = bridge.price(strategy.bid - 50_000)
        order = strategy.order_factory.limit(pair, OrderSide.BUY, bridge.qty(LOTS), price)
        strategy.submit_order(order)
        assert len(written) == 1
        strategy.buy(pair, LOTS, strategy.bid - 50_001)
        assert len(written) == (1 if road == "rest" else 2)  # one connection carries one request of REST at a time
        strategy.heard.append("checked")

    strategy = Steps(tap)
    config = config_of(folder, tmp_path, road)
    node, said = asyncio.run(lived(config, strategy, lambda node: strategy.heard.count("OrderAccepted") == 2))
    assert node.failure is None, said
    assert "checked" in strategy.heard


class _Tap:
    """The operating system's socket, which notes what it is given."""

    def __init__(self, inner: Any, written: list[bytes]) -> None:
        self._inner = inner
        self._written = written

    def send(self, data: bytes) -> int:
        self._written.append(data)
        sent: int = self._inner.send(data)
        return sent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_limits_hold_live(ready: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    config = config_of(folder, tmp_path, "ws2", limits=LimitsSection(order_qty_max="0.005", price_band_ppm=10_000))
    strategy = Steps(take, lambda s: s.buy(s.pair, LOTS // 2, s.bid // 2))
    node, _ = asyncio.run(lived(config, strategy, lambda node: strategy.heard.count("OrderDenied") == 2))
    assert node.failure is None
    assert held(node) == {}


def test_a_strategy_that_raises_leaves_no_order_behind(ready: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    def break_off(strategy: Steps) -> None:
        raise ValueError("out of ideas")

    strategy = Steps(rest_order, break_off)
    node, said = asyncio.run(lived(config_of(folder, tmp_path, "ws2"), strategy, lambda node: False, lambda node: None))
    assert "ValueError: out of ideas" in said
    assert node.closing.proof is not None
    with pytest.raises(Exception, match="out of ideas"):
        node.raise_failure("the run is written")


def test_a_line_that_is_cut_does_not_end_the_run_and_the_end_is_proved_all_the_same(
    ready: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    def cut(strategy: Steps) -> None:
        control(ready, "/sessions/drop", kind="ws_v2", how="abort")

    strategy = Steps(rest_order, lambda s: None, cut, *[lambda s: None] * 12, rest_order)

    def is_back(node: LiveNode) -> bool:
        return "SessionClosed" in strategy.heard and strategy.heard.count("OrderAccepted") == 2

    node, said = asyncio.run(lived(config_of(folder, tmp_path, "ws2"), strategy, is_back))
    assert node.failure is None, said
    assert node.closing.proof is not None
    assert not node.closing.has_failed


def test_the_kill_switch_cancels_live_and_proves_it(ready: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    strategy = Steps(rest_order)

    def pulled(node: LiveNode) -> bool:
        if "OrderAccepted" in strategy.heard:
            node.pull("by hand")
        return node.trader.kill_switch.proof is not None

    asyncio.run(lived(config_of(folder, tmp_path, "ws2"), strategy, pulled))
    assert "OrderCanceled" in strategy.heard
    assert "KillSwitchProved" in strategy.heard


# ------------------------------------------------------------------------------------------------- two runs


RESTER = '''
from framework import Strategy


class Rester(Strategy):
    """Bids far below the market, twice, and waits."""

    def on_start(self):
        self.pair = self.instrument_ids[0]
        self.subscribe_book(self.pair)
        self.is_done = False

    def on_book(self, book):
        if not self.is_done and book.bid_ticks:
            self.is_done = True
            for number in (1, 2):
                self.buy(self.pair, 1_000_000, book.bid_ticks - 40_000 - number)
'''


def write_live(folder: Path, ready_file: Path, road: str = "ws2", **live: str) -> Path:
    (folder / "rester.py").write_text(RESTER)
    more = "".join(f"{name} = {value}\n" for name, value in live.items())
    file = folder / "live.toml"
    file.write_text(
        f'[strategy]\npath = "rester.py"\n[venue]\ntier = "pro"\n[road]\nname = "{road}"\n'
        '[limits]\norder_qty_max = "0.05"\n'
        f'[live]\nsymbols = ["BTC/USD"]\n{more}[live.options]\nready_file = "{ready_file}"\n'
    )
    return file


def begun(config: Path, out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "framework.cli", "live", str(config), "--yes", "--out", str(out)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("road", ["rest", "ws2", "fix"])
def test_what_a_killed_run_left_open_is_canceled_by_the_next_one_before_its_strategy_starts(
    ready: dict[str, Any], folder: Path, tmp_path: Path, road: str
) -> None:
    """Over FIX the orders go with the session's line, for cancel on disconnect is the default there."""
    config = write_live(tmp_path, folder / "ready.json", road, dead_man_s="0")
    journal = tmp_path / "state" / "run.intents"
    first = begun(config, tmp_path / "one")
    try:
        until_s = time.monotonic() + WAIT_S
        known: list[Any] = []
        while len(known) < 2 and time.monotonic() < until_s:
            time.sleep(0.05)
            known = (
                [each for each in read_records(journal) if type(each).__name__ == "Known"] if journal.exists() else []
            )
        assert len(known) == 2
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=30)

    second = begun(config, tmp_path / "two")
    said: list[str] = []
    try:
        assert second.stdout is not None
        for line in second.stdout:
            said.append(line.strip())
            if line.strip() == "the strategy has started":
                time.sleep(1.0)
                second.send_signal(signal.SIGINT)
        second.wait(timeout=WAIT_S)
    finally:
        second.kill()
    text = "\n".join(said)
    assert second.returncode == 0, text
    assert said.index("2 orders of a run before are canceled first") < said.index("the strategy has started"), text
    assert "nothing is left of a run before: the venue has said so" in said
    assert any(line.startswith("no order is open: the venue said so at") for line in said), text
    adds = [each.command for each in read_records(journal) if isinstance(each, Intended)]
    ids = [command.cl_ord_id for command in adds if isinstance(command, AddOrder)]
    assert len(ids) == len(set(ids)) == 4
    assert RunFolder.open(tmp_path / "two").events.num_rows


def hold_two(strategy: Steps) -> None:
    """An order that is filled, one that rests, and one that rests and is changed."""
    take(strategy)
    rest_order(strategy)
    strategy.orders["moved"] = strategy.sell(strategy.pair, LOTS, strategy.bid + 90_000)


@pytest.mark.parametrize("road", ["rest", "ws2", "fix"])
def test_the_strategy_goes_on_with_orders_and_position_of_a_run_before(
    ready: dict[str, Any], folder: Path, tmp_path: Path, road: str
) -> None:
    """Over FIX for those who have turned cancel on disconnect off."""
    more = {"cancel_on_disconnect": "no"} if road == "fix" else {}
    config = config_of(folder, tmp_path, road, at_end=AtEnd.LEAVE, more=more)
    first = Steps(hold_two, lambda s: s.move(s.orders["moved"], price_ticks=s.bid + 90_001))
    node, said = asyncio.run(
        lived(config, first, lambda node: {"OrderFilled", "OrderUpdated"} <= set(first.heard) and len(first.heard) > 9)
    )
    assert node.failure is None, said
    assert len(node.trader.desk.open_orders) == 2, said

    seen: list[list[Any]] = []
    second = Steps(
        lambda s: seen.append(s.cache.orders_open(strategy_id=s.id)),
        lambda s: [s.cancel_order(order) for order in seen[0]],
    )
    config = config_of(folder, tmp_path, road, at_end=AtEnd.FLATTEN, left_open=LeftOpen.ADOPT, more=more)
    node, said = asyncio.run(lived(config, second, lambda node: second.heard.count("OrderCanceled") == 2))
    assert node.failure is None, said
    assert "2 of them are open" in said
    beginning = second.heard[: second.heard.index("PositionOpened") + 1]
    assert [name for name in beginning if name.startswith(("Order", "Position")) and "Reach" not in name] == [
        "OrderInitialized", "OrderSubmitted", "OrderAccepted",
        "OrderInitialized", "OrderSubmitted", "OrderAccepted", "OrderUpdated",
        "PositionOpened",
    ]  # fmt: skip
    (rested,) = (order for order in seen[0] if order.is_buy)
    assert (rested.price, rested.client_order_id) == (first.orders["rest"].price, first.orders["rest"].client_order_id)
    assert next(order.price for order in seen[0] if order.is_sell) == first.orders["moved"].price
    assert node.closing.positions() == {}, node.closing.said()  # what the first run bought is sold again
    assert not node.closing.has_failed


def test_orders_of_another_strategy_are_not_adopted(ready: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    class Other(Steps):
        pass

    first = Steps(rest_order)
    config = config_of(folder, tmp_path, "ws2", at_end=AtEnd.LEAVE)
    asyncio.run(lived(config, first, lambda node: "OrderAccepted" in first.heard))
    config = config_of(folder, tmp_path, "ws2", left_open=LeftOpen.ADOPT)
    with pytest.raises(ConfigError, match="the orders are of Steps, not of Other; run that, or cancel them"):
        asyncio.run(lived(config, Other(), lambda node: True))


def test_what_it_will_do_is_shown_and_nothing_is_sent_without_a_yes(
    ready: dict[str, Any], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    config = write_live(tmp_path, folder / "ready.json")
    monkeypatch.setattr("builtins.input", lambda _: "yes please")
    said = tidegate(capsys, "live", config, "--out", tmp_path / "run")
    assert said.code == 2
    for shown in (
        "instruments  BTC/USD",
        "permissions  ",
        "modify-trades",
        "balances     BTC ",
        ", USD ",
        "open orders  0 of a run before (cancel), 0 of others, which are left alone",
        "orders by    ws2; amends by ws2; news by ws2",
        "cancels by   ws2, then rest",
        "limit        quantity of an order (order_qty_max) 0.05",
        f"`tidegate kill {tmp_path / 'run'}`",
        "dead man     all orders of the account are canceled after 60 s without word of this run",
        "at the end   cancel",
        "nothing was sent",
    ):
        assert shown in said.out


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"dead_man_s": "3"}, "[live] dead_man_s = 3: give 15 or more, or 0 to do without"),
        ({"at_end": '"hope"'}, "[live] at_end"),
        ({"leverage": "5"}, "[live] has no key leverage"),
    ],
)
def test_a_live_configuration_that_makes_no_sense_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, str], complaint: str
) -> None:
    config = write_live(tmp_path, tmp_path / "gone.json", **change)
    assert complaint in read_error(tidegate(capsys, "live", config, "--out", tmp_path / "run"))


def test_paper_on_a_served_venue_takes_the_same_strategy_file(
    ready: dict[str, Any], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maker = ROOT / "strategies" / "market_maker.py"
    options = ("--market", "served", "--ready-file", folder / "ready.json", "--tier", "pro", "--for", "5")
    said = tidegate(capsys, "paper", maker, *options, "--out", tmp_path / "run")
    assert said.code == 0, said
    assert "no order is open: the venue said so at " in said.out
    assert "AddOrder" in RunFolder.open(tmp_path / "run").events.column("name").to_pylist()
