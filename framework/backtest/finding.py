"""What a comparison found, in words that hold for its numbers and for no others.

Every sentence is chosen by a rule over the numbers, and none is written where its rule does not hold. "Clear" is a
paired interval that leaves out 0 (see ``framework.backtest.comparison``); a difference that is not clear is said to be
within the spread over seeds.
"""

from __future__ import annotations

from collections.abc import Sequence

from framework.backtest.comparison import Comparison, PairedDifference, paired

__all__ = ["finding"]


def finding(comparison: Comparison) -> str:
    """One paragraph on what the runs show."""
    words = _Words(comparison)
    if not words.total("orders"):
        return f"{words.opening()} No order was sent on any road, so the runs say nothing of the roads."
    sentences = [
        words.opening(),
        *words.profit(),
        *words.late_fills(),
        *words.races(),
        *words.limits(),
        *words.orphans(),
        *words.news(),
    ]
    return " ".join(sentences)


class _Words:
    def __init__(self, comparison: Comparison) -> None:
        self.c = comparison
        self.n = len(comparison.seeds)
        self.roads = comparison.roads

    # ------------------------------------------------------------------------------------------------- numbers

    def mean(self, key: str, road: str) -> float:
        return self.c.figures[key][road].mean or 0.0

    def sum(self, key: str, road: str) -> float:
        return sum(self.c.figures[key][road].known)

    def greatest(self, key: str, road: str) -> float:
        return max(self.c.figures[key][road].known, default=0.0)

    def total(self, key: str) -> float:
        return sum(self.sum(key, road) for road in self.roads)

    def title(self, road: str) -> str:
        """The road's words without a comma, so that they can stand in a list."""
        name, comma, rest = self.c.titles[road].partition(", ")
        return f"{name} ({rest})" if comma else name

    def titles(self, roads: Sequence[str]) -> str:
        return _listed([self.title(road) for road in roads])

    def money(self, value: float) -> str:
        return f"{_figure(value)} {self.c.currency}"

    def difference(self, key: str, a: str, b: str) -> PairedDifference:
        found = paired(self.c, key, a, b)
        assert found is not None, f"no seed has {key} on both {a} and {b}"
        return found

    # ------------------------------------------------------------------------------------------------- sentences

    def opening(self) -> str:
        roads = "one road" if len(self.roads) == 1 else f"{len(self.roads)} roads"
        seeds = "one seed" if self.n == 1 else f"{self.n} seeds"
        return f"{self.c.strategy} over {roads}, {seeds}."

    def profit(self) -> list[str]:
        if not self.total("fills"):
            return ["No order was filled on any road, so there is no profit or loss to compare."]
        known = [road for road in self.roads if self.c.figures["net"][road].known]
        ranked = sorted(known, key=lambda road: -self.mean("net", road))
        best, worst = ranked[0], ranked[-1]
        if len(ranked) == 1:
            made = "earned" if self.mean("net", best) > 0 else "lost"
            return [f"It {made} {self.money(abs(self.mean('net', best)))} a run over {self.title(best)}."]
        if all(self._is_equal("net", road, best) for road in ranked):
            return ["Net P&L was the same on every road in every seed."]
        difference = self.difference("net", best, worst)
        sentences = [self._best_and_worst(best, worst, difference)]
        if difference.low is None:
            sentences.append("With one seed there is no spread to hold that difference against.")
            return sentences
        interval = f"95 % paired interval {_figure(difference.low)} to {self.money(difference.high or 0.0)}"
        gap = self.money(difference.mean)
        if difference.is_clear:
            sentences.append(f"The difference of {gap} a run is more than the spread over seeds explains ({interval}).")
            sentences += self._source(best, worst, difference)
        else:
            sentences.append(
                f"The difference of {gap} a run is within the spread over seeds ({interval}): these runs do not show"
                " that either road earns more."
            )
        return sentences + self._between(ranked)

    def _best_and_worst(self, best: str, worst: str, difference: PairedDifference) -> str:
        high, low = self.mean("net", best), self.mean("net", worst)
        if high <= 0:
            verb, means = "lost less", f"{self.money(-high)} a run against {self.money(-low)}"
        elif low < 0:
            verb, means = "earned more", f"{self.money(high)} a run against a loss of {self.money(-low)}"
        else:
            verb, means = "earned more", f"{self.money(high)} a run against {self.money(low)}"
        only = "only " if 2 * difference.above < difference.seeds else ""
        return (
            f"It {verb} over {self.title(best)} than over {self.title(worst)}"
            f" in {only}{difference.above} of {_seeds(difference.seeds)}: {means}."
        )

    def _source(self, best: str, worst: str, difference: PairedDifference) -> list[str]:
        parts = {
            "the spread earned at fill": self.difference("spread", best, worst).mean,
            "inventory": self.difference("inventory", best, worst).mean,
            "fees": -self.difference("fees", best, worst).mean,
        }
        name, value = max(parts.items(), key=lambda part: part[1])
        if value > difference.mean / 2:
            return [f"Most of it came from {name} ({self.money(value)} a run)."]
        return []

    def _between(self, ranked: Sequence[str]) -> list[str]:
        best, others = ranked[0], ranked[1:-1]
        if not others:
            return []
        clear = [road for road in others if self.difference("net", best, road).is_clear]
        unclear = [road for road in others if road not in clear]
        sentences = []
        if clear:
            sentences.append(f"{self.titles(clear)} came out clearly below {self.title(best)} too.")
        if unclear:
            was = "was" if len(unclear) == 1 else "were"
            sentences.append(f"{self.titles(unclear)} {was} not told apart from {self.title(best)}.")
        return sentences

    def _is_equal(self, key: str, a: str, b: str) -> bool:
        difference = paired(self.c, key, a, b)
        return difference is not None and difference.equal == difference.seeds

    def late_fills(self) -> list[str]:
        if not self.total("fills"):
            return []
        if not self.total("late_fills"):
            return ["No fill came after a cancel of its order had been sent."]
        ranked = sorted(self.roads, key=lambda road: -self.sum("late_fills", road))
        most, none = ranked[0], [road for road in self.roads if not self.sum("late_fills", road)]
        count, markout = self.sum("late_fills", most), self.sum("late_markout", most)
        than = "less" if markout < 0 else "more"
        sentence = (
            f"Fills that came after their cancel had been sent were most over {self.title(most)}:"
            f" {_figure(count)} in all"
        )
        sentence += f", worth {self.money(abs(markout))} {than} at the mid 10 s later" if markout else ""
        if none:
            sentence += f"; there were none over {self.titles(none)}"
        elif len(ranked) > 1:
            least = ranked[-1]
            if self.sum("late_fills", least) < count:
                sentence += f"; fewest, {_figure(self.sum('late_fills', least))}, over {self.title(least)}"
        return [sentence + "."]

    def races(self) -> list[str]:
        with_pairs = [road for road in self.roads if self.sum("pairs", road)]
        if not with_pairs:
            return ["No new order was sent while the cancel that it followed was under way, so none could overtake it."]
        inverted = [road for road in with_pairs if self.sum("inverted", road)]
        never = [road for road in with_pairs if road not in inverted]
        if not inverted:
            pairs = _figure(sum(self.sum("pairs", road) for road in with_pairs))
            return [f"No new order overtook the cancel that was sent before it ({pairs} pairs)."]
        shares = [
            f"{100 * self.sum('inverted', road) / self.sum('pairs', road):.1f} % of"
            f" {_figure(self.sum('pairs', road))} pairs over {self.title(road)}"
            for road in sorted(inverted, key=lambda road: -self.sum("inverted", road) / self.sum("pairs", road))
        ]
        sentence = f"New orders overtook the cancel that was sent before them in {_listed(shares)}"
        if never:
            sentence += f", and never over {self.titles(never)}"
        longest = max(inverted, key=lambda road: self.greatest("double_max_ms", road))
        sentences = [sentence + "."]
        if self.greatest("double_max_ms", longest):
            sentences.append(
                f"Both orders were then alive for up to {_figure(self.greatest('double_max_ms', longest))} ms,"
                f" over {self.title(longest)}."
            )
        return sentences

    def limits(self) -> list[str]:
        refused = [road for road in self.roads if self.sum("rate_limited", road)]
        if not refused:
            return ["No command was refused by a rate limit."]
        parts = [f"{_figure(self.sum('rate_limited', road))} over {self.title(road)}" for road in refused]
        return [f"Rate limits refused {_listed(parts)}, in commands over all seeds."]

    def orphans(self) -> list[str]:
        orphaned = [road for road in self.roads if self.sum("orphan_s", road)]
        if not orphaned:
            return ["At no time was an order alive that no link could cancel."]
        parts = []
        for road in sorted(orphaned, key=lambda road: -self.sum("orphan_s", road)):
            text = (
                f"over {self.title(road)} for {_figure(self.sum('orphan_s', road))} s"
                f" (longest {_figure(self.greatest('orphan_max_s', road))} s"
            )
            fills = self.sum("orphan_fills", road)
            if fills:
                net = self.sum("orphan_net", road)
                came = f"cost {self.money(-net)}" if net < 0 else f"brought {self.money(net)}"
                text += f"; {_figure(fills)} fill{'s' * (fills > 1)} meanwhile {came}"
            parts.append(text + ")")
        sentence = f"Summed over orders and seeds, orders were alive with no link able to cancel them {_listed(parts)}"
        never = [road for road in self.roads if road not in orphaned]
        if never:
            sentence += f"; never over {self.titles(never)}"
        return [sentence + "."]

    def news(self) -> list[str]:
        known = [road for road in self.roads if self.c.figures["learn_ms"][road].known]
        if len(known) < 2:
            return []
        ranked = sorted(known, key=lambda road: self.mean("learn_ms", road))
        fast, slow = ranked[0], ranked[-1]
        if self.mean("learn_ms", slow) < 2 * self.mean("learn_ms", fast):
            return []
        first = f"after {_time(self.mean('learn_ms', fast))} over {self.title(fast)}"
        last = f"after {_time(self.mean('learn_ms', slow))} over {self.title(slow)}"
        return [f"The strategy learned of a fill {first} and {last} (medians)."]


def _figure(value: float) -> str:
    """A number with three significant digits at least, no idle zeros."""
    if value == int(value):
        return f"{int(value):,}"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if size >= 0.001 else f"{value:.2e}"


def _time(milliseconds: float) -> str:
    return f"{milliseconds / 1_000:.3g} s" if milliseconds >= 1_000 else f"{milliseconds:.3g} ms"


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


def _listed(parts: Sequence[str]) -> str:
    if len(parts) < 3:
        return " and ".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
