"""How long the messages of a run or a replay took, by link: commands there, answers and own news back."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property

import msgspec
import numpy as np
import pyarrow as pa

from framework.backtest.run_folder import MISSING, ints, of_kind, texts
from framework.protocol import News, RejectReason, VenueProfile

__all__ = ["LIMITS", "Legs", "Sent", "Series", "Told", "read_sent", "read_told"]

LIMITS = frozenset(
    {
        RejectReason.RATE_LIMIT,
        RejectReason.CALL_LIMIT,
        RejectReason.ORDERS_LIMIT,
        RejectReason.SCHEDULED_ORDERS_LIMIT,
        RejectReason.INSUFFICIENT_FUNDS,
    }
)
# So many messages are those about a time.
_ABOUT = 256
# Two samples that differ by more than this, as Kolmogorov and Smirnov measure it, differ by chance once in a hundred.
_KS = 1.628


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A command. Times by the trader's clock; None for what is not known.

    is_dated: the venue has said when it had it; else it is taken to have arrived half way between its sending and its
    answer, if that is known.
    """

    request_id: int
    name: str
    link: str
    cl_ord_id: str | None
    ts_sent_ns: int
    ts_arrived_ns: int | None
    ts_learned_ns: int | None
    is_lost: bool
    is_dated: bool
    refusal: RejectReason | None

    @property
    def is_refused_by_limit(self) -> bool:
        """Whether a limit of the venue refused it."""
        return self.refusal in LIMITS


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A report that told something new."""

    link: str
    cl_ord_id: str | None
    name: str
    ts_venue_ns: int
    ts_learned_ns: int


class Series:
    """Latencies by the time at which each message was sent."""

    def __init__(self, legs: Iterable[tuple[int, int]]) -> None:
        """legs: when each was sent, and when it arrived; those of one instant in the order of sending."""
        ordered = sorted(legs, key=lambda leg: leg[0])
        self.sent_ns = [sent for sent, _ in ordered]
        self.arrived_ns = [arrived for _, arrived in ordered]

    def __len__(self) -> int:
        return len(self.sent_ns)

    @cached_property
    def latencies_ns(self) -> list[int]:
        """All of them, in the order of sending; never below 0."""
        return [max(0, arrived - sent) for sent, arrived in zip(self.sent_ns, self.arrived_ns, strict=True)]

    def drawn_ns(self, ts_ns: int, draw: int) -> int:
        """A quantile of the latencies of the messages that were sent about a time.

        draw: which quantile, 0 ... 2**64 - 1. Raises ValueError without any message.
        """
        at = bisect_left(self.sent_ns, ts_ns)
        about = sorted(self.latencies_ns[max(0, at - _ABOUT // 2) : at + _ABOUT // 2])
        if not about:
            raise ValueError("a series without messages has no latencies")
        place, rest = divmod(draw * (len(about) - 1), 1 << 64)
        following = about[min(place + 1, len(about) - 1)]
        return about[place] + ((following - about[place]) * rest >> 64)

    @cached_property
    def inverted_count(self) -> int:
        """How many arrived before one that had been sent earlier."""
        count, newest_ns = 0, -1
        for arrived_ns in self.arrived_ns:
            count += arrived_ns < newest_ns
            newest_ns = max(newest_ns, arrived_ns)
        return count

    def is_like(self, other: Series) -> bool:
        """Whether chance is enough to explain how the two differ (two-sample Kolmogorov-Smirnov test, at 1 %)."""
        size, other_size = len(self), len(other)
        if not size or not other_size:
            return not size and not other_size
        one, two = np.sort(np.asarray(self.latencies_ns)), np.sort(np.asarray(other.latencies_ns))
        every = np.concatenate([one, two])
        shares = (
            np.searchsorted(one, every, side="right") / size,
            np.searchsorted(two, every, side="right") / other_size,
        )
        return bool(np.abs(shares[0] - shares[1]).max() <= _KS * math.sqrt((size + other_size) / (size * other_size)))


class Legs:
    """The series of each link."""

    def __init__(self, sent: Iterable[Sent], told: Iterable[Told]) -> None:
        there: dict[str, list[tuple[int, int]]] = {}
        answers: dict[str, list[tuple[int, int]]] = {}
        news: dict[str, list[tuple[int, int]]] = {}
        for each in sent:
            if each.ts_arrived_ns is not None:
                there.setdefault(each.link, []).append((each.ts_sent_ns, each.ts_arrived_ns))
                if each.ts_learned_ns is not None:
                    answers.setdefault(each.link, []).append((each.ts_arrived_ns, each.ts_learned_ns))
        for report in told:
            news.setdefault(report.link, []).append((report.ts_venue_ns, report.ts_learned_ns))
        self.commands = {link: Series(legs) for link, legs in there.items()}
        self.answers = {link: Series(sorted(legs)) for link, legs in answers.items()}
        self.news = {link: Series(sorted(legs)) for link, legs in news.items()}

    def alike(self, other: Legs) -> frozenset[tuple[str, str]]:
        """What of the two differs by no more than chance: kind ("commands", "answers", "news") and link."""
        return frozenset(
            (kind, link)
            for kind in ("commands", "answers", "news")
            for link, series in getattr(self, kind).items()
            if link in getattr(other, kind) and series.is_like(getattr(other, kind)[link])
        )


def read_sent(events: pa.Table, ahead_ns: int = 0) -> Iterator[Sent]:
    """The commands of a log, in the order of sending. ahead_ns: how far the venue's clock is ahead."""
    table = of_kind(events, "command")
    sent, arrived, learned = (ints(table, f"ts_{name}_ns").tolist() for name in ("sent", "arrived", "learned"))
    columns = [texts(table, name) for name in ("name", "link", "cl_ord_id", "outcome", "resolution", "reject_reason")]
    for at, request_id in enumerate(ints(table, "request_id").tolist()):
        name, link, cl_ord_id, outcome, resolution, reason = (column[at] for column in columns)
        arrived_ns = None if arrived[at] == MISSING else arrived[at] - ahead_ns
        if arrived_ns is None and learned[at] != MISSING and outcome in ("accepted", "rejected"):
            arrived_ns = (sent[at] + learned[at]) // 2
        yield Sent(
            request_id=request_id,
            name=name or "",
            link=link or "",
            cl_ord_id=cl_ord_id,
            ts_sent_ns=sent[at],
            ts_arrived_ns=arrived_ns,
            ts_learned_ns=None if learned[at] == MISSING else learned[at],
            is_lost=outcome == "lost" or resolution is not None,
            is_dated=arrived[at] != MISSING,
            refusal=_reason(reason),
        )


def read_told(events: pa.Table, profile: VenueProfile, ahead_ns: int = 0) -> Iterator[Told]:
    """The reports of a log that were pushed; one that a poll has found came when it was asked for, which says nothing
    of the road.
    """
    pushing = {str(label) for label, each in profile.protocols.items() if each.news is not News.NONE}
    for kind in ("report", "fill"):
        table = of_kind(events, kind)
        venue, learned = ints(table, "ts_venue_ns").tolist(), ints(table, "ts_learned_ns").tolist()
        rows = zip(texts(table, "link"), texts(table, "cl_ord_id"), texts(table, "name"), strict=True)
        for at, (link, cl_ord_id, name) in enumerate(rows):
            if link in pushing and venue[at] != MISSING and learned[at] != MISSING:
                yield Told(
                    link=link or "",
                    cl_ord_id=cl_ord_id,
                    name=name or "",
                    ts_venue_ns=venue[at] - ahead_ns,
                    ts_learned_ns=learned[at],
                )


def _reason(text: str | None) -> RejectReason | None:
    try:
        return None if text is None else RejectReason(text)
    except ValueError:
        return None
