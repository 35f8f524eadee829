"""The strategy's cash is the venue's: asked for at the start and now and then, and counted on between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from framework.live.balances import Balances

S = 1_000_000_000


class Rig:
    """A venue that answers when it is let, a clock that is moved by hand, and the trader's money."""

    def __init__(self, interval_s: int = 60) -> None:
        self.now_ns = 0
        self.due: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self.asked: list[tuple[Callable[[Mapping[str, Decimal]], None], Callable[[str], None]]] = []
        self.balances: Mapping[str, Decimal] = {"USD": Decimal(0)}
        self.fills = 0
        self.is_settled = True
        self.told: list[Mapping[str, Decimal]] = []
        self.said: list[str] = []
        self.is_begun = False
        self.watch = Balances(
            lambda told, failed: self.asked.append((told, failed)),
            self,  # type: ignore[arg-type]
            self,
            lambda: self.fills,
            lambda: self.is_settled,
            self.told.append,
            self.said.append,
            interval_s,
        )

    def set_balances(self, balances: Mapping[str, Decimal]) -> None:
        self.balances = balances

    def at(self, ts_ns: int, callback: Callable[..., None], *args: Any) -> None:
        self.due.append((ts_ns, len(self.due), callback, args))

    def enter(self, callback: Callable[..., None], *args: Any) -> None:
        callback(*args)

    def run(self, seconds: float) -> None:
        until_ns = self.now_ns + round(seconds * S)
        while True:
            ready = [each for each in self.due if each[0] <= until_ns]
            if not ready:
                break
            first = min(ready, key=lambda each: each[:2])
            self.due.remove(first)
            self.now_ns = max(self.now_ns, first[0])
            first[2](*first[3])
        self.now_ns = until_ns

    def begin(self) -> None:
        def begun() -> None:
            self.is_begun = True

        self.watch.begin(begun)

    def answer(self, usd: str) -> None:
        self.asked.pop(0)[0]({"USD": Decimal(usd)})


def begun() -> Rig:
    rig = Rig()
    rig.begin()
    rig.answer("100")
    return rig


def test_nothing_begins_before_the_venue_has_said_what_is_there() -> None:
    rig = Rig()
    rig.begin()
    assert not rig.is_begun
    rig.asked.pop(0)[1]("EAPI:Rate limit exceeded")
    assert rig.said == ["the venue does not tell the balances: EAPI:Rate limit exceeded"]
    rig.run(3)
    rig.answer("100")
    assert rig.is_begun
    assert rig.balances == {"USD": Decimal(100)}
    assert rig.told == [{"USD": Decimal(100)}]


def test_a_deposit_is_known_and_said_within_the_interval() -> None:
    rig = begun()
    rig.run(60)
    rig.answer("150")
    rig.run(2)
    assert rig.balances == {"USD": Decimal(150)}
    assert rig.said == ["balances have changed by USD +50, not by orders of this run"]


def test_an_answer_that_may_tell_of_fills_not_learned_yet_does_not_count() -> None:
    rig = begun()
    rig.run(60)
    rig.answer("90")
    rig.run(0.5)
    rig.fills += 1
    rig.run(2)
    assert rig.balances == {"USD": Decimal(100)}
    rig.run(60)
    rig.answer("90")
    rig.run(2)
    assert rig.balances == {"USD": Decimal(90)}


def test_the_venue_is_not_asked_while_fills_are_missing() -> None:
    rig = begun()
    rig.is_settled = False
    rig.run(120)
    assert not rig.asked


def test_what_the_venue_rounds_is_taken_without_a_word() -> None:
    rig = begun()
    rig.run(60)
    rig.answer("100.00005")
    rig.run(2)
    assert rig.balances == {"USD": Decimal("100.00005")}
    assert not rig.said


def test_it_asks_no_more_once_it_is_stopped() -> None:
    rig = begun()
    rig.watch.stop()
    rig.run(300)
    assert not rig.asked
