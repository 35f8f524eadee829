"""The order of faults, whatever they happen to: what is called when, modes by hand, and the file that names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.errors import ConfigError
from framework.protocol import VenueMode
from framework.venue.faults import FaultSchedule, FaultSection, read_faults
from framework.venue.scheduler import Scheduler

NS = 1_000_000_000
START_NS = 1_800_000_000 * NS
LABELS = ("rest", "ws2", "fix")


class Target:
    """Writes down what happens to it: (seconds, what, which)."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.happened: list[tuple[float, str, Any]] = []

    def _note(self, what: str, which: Any) -> None:
        self.happened.append(((self.scheduler.now_ns - START_NS) / NS, what, which))

    def cut(self, link: str, detect_ns: int) -> None:
        self._note("cut", (link, detect_ns))

    def restore(self, link: str) -> None:
        self._note("restore", link)

    def set_mode(self, mode: VenueMode, symbol: str | None) -> None:
        self._note(mode.name.lower(), symbol)


class Stage:
    def __init__(self, links: tuple[str, ...] = LABELS) -> None:
        self.scheduler = Scheduler(START_NS)
        self.target = Target(self.scheduler)
        self.schedule = FaultSchedule(self.scheduler, self.target, LABELS, links, ("BTC/USD", "ETH/USD"))

    def add(self, **fault: Any) -> Stage:
        self.schedule.add(FaultSection(**fault), self.scheduler.now_ns)
        return self

    def until(self, at_s: float) -> list[tuple[float, str, Any]]:
        while self.scheduler.next_ns() <= START_NS + at_s * NS:
            self.scheduler.run_next()
        self.scheduler.now_ns = START_NS + round(at_s * NS)
        return self.target.happened


def test_a_drop_of_all_cuts_the_links_that_are_there_and_gives_them_back() -> None:
    stage = Stage(links=("ws2", "fix")).add(kind="drop", link="all", at_s=1, for_s=2, detect_ms=5)
    assert stage.until(10) == [
        (1, "cut", ("ws2", 5_000_000)),
        (1, "cut", ("fix", 5_000_000)),
        (3, "restore", "ws2"),
        (3, "restore", "fix"),
    ]


def test_times_are_counted_from_the_instant_that_is_given() -> None:
    stage = Stage()
    stage.until(100)
    stage.add(kind="mode", mode="post_only", at_s=1, for_s=1)
    assert stage.until(200) == [(101, "post_only", None), (102, "online", None)]


def test_a_mode_by_hand_ends_those_that_last() -> None:
    stage = Stage().add(kind="mode", mode="maintenance", at_s=1, for_s=10)
    stage.until(5)
    stage.schedule.set_mode(VenueMode.ONLINE, None)
    assert stage.until(20) == [(1, "maintenance", None), (5, "online", None)]


def test_a_mode_goes_back_to_the_one_that_was_set_by_hand() -> None:
    stage = Stage()
    stage.schedule.set_mode(VenueMode.CANCEL_ONLY, "BTC/USD")
    stage.add(kind="mode", mode="post_only", symbol="BTC/USD", at_s=1, for_s=1)
    stage.add(kind="mode", mode="post_only", symbol="ETH/USD", at_s=3, for_s=1)
    assert stage.until(9) == [
        (0, "cancel_only", "BTC/USD"),
        (1, "post_only", "BTC/USD"),
        (2, "cancel_only", "BTC/USD"),
        (3, "post_only", "ETH/USD"),
        (4, "online", "ETH/USD"),
    ]


def test_of_a_fault_that_is_refused_nothing_is_on_the_schedule() -> None:
    stage = Stage()
    for fault in ({"link": "fax"}, {"kind": "flood"}, {"kind": "mode", "mode": "siesta"}):
        with pytest.raises(ConfigError):
            stage.add(**{"kind": "drop", "at_s": 1.0, **fault})
    assert stage.scheduler.queue == []


def test_a_mode_that_ends_is_its_own_fault_and_no_other_of_the_same_mode() -> None:
    stage = Stage()
    for mode, at_s, for_s in (("cancel_only", 0, 10), ("post_only", 2, 20), ("cancel_only", 4, 2)):
        stage.add(kind="mode", mode=mode, at_s=at_s, for_s=for_s)
    assert stage.until(30) == [
        (0, "cancel_only", None),
        (2, "post_only", None),
        (4, "cancel_only", None),
        (6, "post_only", None),
        (22, "online", None),
    ]


SPANS = st.tuples(st.integers(0, 20), st.integers(1, 20))


@given(st.lists(st.tuples(SPANS, st.sampled_from(["cancel_only", "post_only", "maintenance"])), max_size=8))
def test_at_any_time_the_mode_is_the_one_that_began_last_of_those_that_last(faults: list[Any]) -> None:
    stage = Stage()
    for (at_s, for_s), mode in faults:
        stage.add(kind="mode", mode=mode, at_s=at_s, for_s=for_s)
    for at_s in range(45):
        happened = stage.until(at_s)
        lasting = [
            (begins_s, number, mode)
            for number, ((begins_s, for_s), mode) in enumerate(faults)
            if begins_s <= at_s < begins_s + for_s
        ]
        assert (happened[-1][1] if happened else "online") == max(lasting, default=(0, 0, "online"))[2]


@given(st.lists(st.tuples(SPANS, st.sampled_from(["all", *LABELS])), max_size=8))
def test_at_any_time_a_link_is_cut_as_often_as_drops_of_it_last(faults: list[Any]) -> None:
    stage = Stage()
    for (at_s, for_s), link in faults:
        stage.add(kind="drop", link=link, at_s=at_s, for_s=for_s)
    for at_s in range(45):
        happened = stage.until(at_s)
        for label in LABELS:
            cuts = sum(what == "cut" and which[0] == label for _, what, which in happened)
            restores = sum(what == "restore" and which == label for _, what, which in happened)
            lasting = [link for (begins_s, for_s), link in faults if begins_s <= at_s < begins_s + for_s]
            assert cuts - restores == sum(link in ("all", label) for link in lasting)


# ----------------------------------------------------------------------------- the file


def write(folder: Path, text: str) -> Path:
    file = folder / "faults.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_faults_are_read_in_their_order(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        '[[faults]]\nkind = "drop"\nlink = "fix"\nat_s = 5\nfor_s = 2.5\n'
        '[[faults]]\nkind = "mode"\nmode = "post_only"\nat_s = 1\n',
    )
    assert read_faults(file) == (
        FaultSection(kind="drop", link="fix", at_s=5.0, for_s=2.5),
        FaultSection(kind="mode", mode="post_only", at_s=1.0),
    )


def test_the_configuration_of_a_backtest_is_a_file_of_faults(tmp_path: Path) -> None:
    file = write(
        tmp_path, '[strategy]\npath = "x.py"\n[road]\nname = "fix"\n[[faults]]\nkind = "drop"\nlink = "fix"\nat_s = 5\n'
    )
    assert [fault.kind for fault in read_faults(file)] == ["drop"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there are no faults in it"),
        ("[[fault]]\nat_s = 1\n", "no key fault; it has faults"),
        ('[[faults]]\nkind = "drop"\n', "[[faults]] at_s is missing"),
        ('[[faults]]\nkind = "drop"\nat_s = "soon"\n', "[[faults]] at_s: it must be a number"),
        ('[[faults]]\nkind = "drop"\nat_s = -1\n', "[[faults]] at_s = -1.0: it must be 0 or more"),
        ('[[faults]]\nkind = "drop"\nat_s = 1\nhow = "hard"\n', "[[faults]] has no key how; it has kind, at_s"),
        ("[[faults", "this is not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_remedy(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        read_faults(file)
    assert str(error.value).startswith(f"{file}: ")
    assert said in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file; name a file with"):
        read_faults(tmp_path / "none.toml")
