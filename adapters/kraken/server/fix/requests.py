"""Requests over FIX to the venue's commands.

Sources: fix-api/nos-fix, ocr-fix, ocrr-fix, omcr-fix; guides/spot-clordid.
"""

from __future__ import annotations

import re
import uuid
from collections import OrderedDict
from functools import lru_cache
from typing import cast

from adapters.fix.codec import Message
from adapters.fix.times import parse_utc_timestamp
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.orders import TermWords, leverage_of_flag, order_of, term_words
from adapters.kraken.server.pairs import ServedPair
from adapters.kraken.server.prices import (
    LimitTerms,
    TriggerTerms,
    qty_lots,
    trailing_distance,
    trailing_limit,
    whole_ticks,
)
from adapters.kraken.server.refusal import Refusal, invalid
from adapters.kraken.words import SIDE_WORDS
from framework.messages import AddOrder, AmendOrder, MassCancel
from framework.protocol import MassCancelScope

__all__ = ["ClOrdIds", "FixRequests"]

_NS = 10**9
_TYPES = {
    "1": "market",
    "2": "limit",
    "3": "stop-loss",
    "4": "stop-loss-limit",
    "R": "take-profit",
    "T": "take-profit-limit",
    "U": "trailing-stop",
    "V": "trailing-stop-limit",
}
_TIMES = {"1": "GTC", "3": "IOC", "4": "FOK", "6": "GTD"}
_STP = {"0": "cancel-both", "1": "cancel-newest", "2": "cancel-oldest"}
_FLAGS = {"P": "post", "v": "viqc", "f": "fcib", "q": "fciq"}
_SCOPES = {"1": MassCancelScope.SYMBOL, "6": MassCancelScope.SESSION, "7": MassCancelScope.ACCOUNT}
_NUMBER = re.compile(r"[1-9]\d{0,17}")
_VALID_MIN_NS, _VALID_MAX_NS = 2 * _NS, 60 * _NS
# What most orders are made of.
_PLAIN = frozenset((11, 18, 34, 38, 40, 44, 49, 52, 54, 55, 56, 59, 60))


@lru_cache(maxsize=1024)
def _words(
    side: bytes, kind: bytes, time: bytes, exec_inst: bytes, stp: bytes, trigger: bytes, is_iceberg: bool
) -> tuple[str, TermWords]:
    """The order's type, and the words of its parameters; b"" for one that is not given."""
    word, insts = _TYPES[kind.decode()], exec_inst.decode().split()
    return word, term_words(
        "buy" if side == b"1" else "sell",
        "iceberg" if is_iceberg and word == "limit" else word,
        ",".join(_FLAGS[inst] for inst in insts if inst in _FLAGS),
        _STP[stp.decode()] if stp else "",
        _TIMES[time.decode()],
        "index" if trigger == b"1" else "",
        "true" if "E" in insts else "",
    )


def _text(value: bytes | None) -> str:
    """As ``Message.text``, of a value that was looked up."""
    return "" if value is None else value.decode("utf-8", "replace")


class ClOrdIds:
    """The ids that a session's requests have used: an ever-increasing number, or a UUID.

    Source: fix-api/nos-fix, tag 11. A UUID's time is not held against the clock (the tolerance is not documented). Of
    UUIDs and renamings the newest are remembered, so that a session may last.
    """

    def __init__(self, remembered_max: int) -> None:
        self._highest = 0
        self._remembered_max = remembered_max
        self._seen: OrderedDict[str, None] = OrderedDict()
        # The id by which the venue knows an order, from the last id that its owner used for it.
        self._roots: OrderedDict[str, str] = OrderedDict()

    def reset(self) -> None:
        """Numbers may begin anew (5030=Y)."""
        self._highest = 0

    def take(self, cl_ord_id: str) -> None:
        """Use an id; raises Refusal for one that the rule does not allow."""
        if _NUMBER.fullmatch(cl_ord_id):
            if int(cl_ord_id) <= self._highest:
                raise Refusal("EGeneral:Invalid arguments:ClOrdID must be ever increasing")
            self._highest = int(cl_ord_id)
            return
        try:
            is_known = str(uuid.UUID(cl_ord_id)) != cl_ord_id.lower() or cl_ord_id in self._seen
        except ValueError:
            is_known = True
        if is_known:
            raise Refusal("EGeneral:Invalid arguments:ClOrdID invalid value")
        self._seen[cl_ord_id] = None
        if len(self._seen) > self._remembered_max:
            self._seen.popitem(last=False)

    def root(self, cl_ord_id: str) -> str:
        """The id by which the venue knows an order."""
        return self._roots.get(cl_ord_id, cl_ord_id)

    def rename(self, old: str, new: str) -> None:
        """An amend has given an order another id."""
        self._roots[new] = self.root(old)
        if len(self._roots) > self._remembered_max:
            self._roots.popitem(last=False)


class FixRequests:
    """Makes commands of messages; raises Refusal for what makes no sense before the venue has seen it."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._host = context.host

    def pair(self, message: Message) -> ServedPair:
        """The pair that a message names."""
        pair = self._context.pairs.by_symbol.get(message.text(55))
        if pair is None:
            raise Refusal("EQuery:Unknown asset pair")
        return pair

    def add(self, message: Message) -> AddOrder:
        """A new order."""
        pair = self.pair(message)
        get = message.get
        has_more = not _PLAIN.issuperset(message.tags)
        kind, words = _words(
            get(54) or b"",
            get(40) or b"",
            get(59) or b"",
            get(18) or b"",
            (get(7928) or b"") if has_more else b"",
            (get(388) or b"") if has_more else b"",
            has_more and get(1138) is not None,
        )
        leverage = 0
        if has_more and get(5001) == b"1":
            leverage = leverage_of_flag(self._context, pair, SIDE_WORDS[words.side], "Leverage")
        price, trigger = _text(get(44)), message.text(99) if has_more else ""
        first, second = price, ""
        if kind.startswith("trailing"):
            first = f"+{trigger}"
            second = price if not price or price.startswith("-") else f"+{price}"
        elif trigger:
            first, second = trigger, price
        return order_of(
            words,
            pair,
            self._host.next_request_id(),
            self._context.last_ticks(pair.spec.symbol),
            volume=_text(get(38)),
            price=first,
            price2=second,
            displayed=message.text(1138) if has_more else "",
            # Its form is FIX's own, which was held to its own rule.
            cl_ord_id=_text(get(11)),
            deadline_ns=self._deadline_ns(message) if has_more else None,
            expire_ns=self._second_ns(message, 126) if has_more else None,
            start_ns=self._second_ns(message, 168) if has_more else None,
            exec_inst=_text(get(18)),
            leverage=leverage,
        )

    def amend(self, message: Message, root: str) -> AmendOrder:
        """An amend of an order that the venue knows by an id of ours; all that it may change is stated.

        A trailing order's prices are its limit's distance from the trigger, and its own from its best price.
        """
        pair = self.pair(message)
        is_trailing = _TYPES[message.text(40)].startswith("trailing")
        price, trigger = message.text(44), message.text(99)
        if is_trailing and price and not price.startswith("-"):
            price = f"+{price}"
        limit: LimitTerms = trailing_limit(price, pair, "Price") if price else {}
        stop: TriggerTerms = {}
        if trigger:
            stop = (
                cast("TriggerTerms", trailing_distance(f"+{trigger}", pair, "StopPx"))
                if is_trailing
                else {"trigger_ticks": whole_ticks(trigger, pair, "StopPx")}
            )
        return AmendOrder(
            request_id=self._host.next_request_id(),
            deadline_ns=self._deadline_ns(message),
            cl_ord_id=root,
            qty_lots=qty_lots(message.text(38), pair, "OrderQty"),
            display_lots=qty_lots(message.text(1138), pair, "DisplayQty") if message.get(1138) else None,
            is_post_only="P" in message.text(18).split(),
            **stop,
            **limit,
        )

    def mass_cancel(self, message: Message) -> MassCancel:
        """A mass cancel."""
        scope = _SCOPES[message.text(530)]
        symbol = self.pair(message).spec.symbol if scope is MassCancelScope.SYMBOL else None
        return MassCancel(request_id=self._host.next_request_id(), scope=scope, symbol=symbol)

    # ------------------------------------------------------------------------------------------------- arguments

    def _moment_ns(self, message: Message, tag: int) -> int:
        moment_ns = parse_utc_timestamp(message.get(tag) or b"")
        if moment_ns is None:
            raise invalid(str(tag))
        return moment_ns

    def _second_ns(self, message: Message, tag: int) -> int | None:
        """A time of an order, which is kept in whole seconds; None where it is not given."""
        return None if message.get(tag) is None else self._moment_ns(message, tag) // _NS * _NS

    def _deadline_ns(self, message: Message) -> int | None:
        if message.get(62) is None:
            return None
        deadline_ns = self._moment_ns(message, 62)
        ahead_ns = deadline_ns - self._host.now_ns
        if ahead_ns > _VALID_MAX_NS or 0 < ahead_ns < _VALID_MIN_NS:
            raise invalid("ValidUntilTime")
        return deadline_ns
