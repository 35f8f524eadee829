"""Checks a message against a data dictionary (FIX 4.4, volume 2, "Session reject", SessionRejectReason 373).

The order of checks decides which fault is named where there are several: the type, the order of sections, what is
required, then field by field in the order on the wire: a known tag, a value, its format, its enumeration, its place in
this message, and last repetitions and groups.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import lru_cache, partial

from adapters.fix.codec import Message
from adapters.fix.dictionary import Dictionary, GroupDef, MessageDef
from adapters.fix.errors import InvalidMessageError
from adapters.fix.times import parse_utc_timestamp

__all__ = ["MISSING", "Validator", "validator_of"]

MISSING = (1, "Required tag missing")
_INVALID_TAG = (0, "Invalid tag number")
_NOT_IN_MESSAGE = (2, "Tag not defined for this message type")
_NO_VALUE = (4, "Tag specified without a value")
_RANGE = (5, "Value is incorrect (out of range) for this tag")
_FORMAT = (6, "Incorrect data format for value")
_MSG_TYPE = (11, "Invalid MsgType")
_REPEATED = (13, "Tag appears more than once")
_ORDER = (14, "Tag specified out of required order")
_GROUP_COUNT = (16, "Incorrect NumInGroup count for repeating group")


def _matcher(pattern: bytes) -> Callable[[bytes], object]:
    return re.compile(pattern).fullmatch


_INT = _matcher(rb"-?\d+")
_FLOAT = _matcher(rb"-?(\d+\.?\d*|\.\d+)")
_DAY = rb"\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
_DATE = _matcher(_DAY)

_FORMATS: dict[str, Callable[[bytes], object]] = {
    "AMT": _FLOAT,
    "BOOLEAN": _matcher(rb"[YN]"),
    "CHAR": _matcher(rb"[^\x01]"),
    "COUNTRY": _matcher(rb"[A-Z]{2}"),
    "CURRENCY": _matcher(rb"[A-Z0-9.]{1,16}"),
    "FLOAT": _FLOAT,
    "INT": _INT,
    "LENGTH": bytes.isdigit,
    "LOCALMKTDATE": _DATE,
    "MONTHYEAR": _matcher(rb"\d{4}(0[1-9]|1[0-2])((0[1-9]|[12]\d|3[01])|w[1-5])?"),
    "NUMINGROUP": bytes.isdigit,
    "PERCENTAGE": _FLOAT,
    "PRICE": _FLOAT,
    "PRICEOFFSET": _FLOAT,
    "QTY": _FLOAT,
    "SEQNUM": bytes.isdigit,
    "UTCDATEONLY": _DATE,
    "UTCTIMEONLY": _matcher(rb"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?"),
    "UTCTIMESTAMP": lambda value: parse_utc_timestamp(value) is not None,
}

type _Rules = list[tuple[int, Callable[[bytes], object]]]

# So many sequences of tags are remembered, none of them longer than messages that come often.
_SEQUENCES_MAX = 1024
_SEQUENCE_LENGTH_MAX = 100


class Validator:
    """Checks messages against one dictionary."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._checks = {
            tag: (_FORMATS.get(field.type), field.values, field.type == "MULTIPLEVALUESTRING")
            for tag, field in dictionary.fields.items()
        }
        # 8, 9, 35 and 10 are not among a message's fields: whoever cut the frame has seen them.
        self._header_required = tuple(tag for tag in dictionary.header.required if tag not in (8, 9, 35))
        self._plain = {
            msg_type: _Plain(dictionary, definition, self._header_required)
            for msg_type, definition in dictionary.messages.items()
        }

    def check(self, message: Message) -> None:
        """Raise InvalidMessageError for the first fault found.

        A type that exists but is not described here passes when its header does: whether it is supported is for the
        application to say.
        """
        plain = self._plain.get(message.msg_type)
        if plain is None or not plain.is_right(message):
            self.check_each(message)

    def check_each(self, message: Message) -> None:
        """As ``check``, one rule after the other."""
        dictionary = self._dictionary
        if message.msg_type not in dictionary.known_types:
            raise InvalidMessageError(*_MSG_TYPE)
        definition = dictionary.messages.get(message.msg_type)
        self._check_order(message)
        for tag in self._header_required:
            if message.get(tag) is None:
                raise InvalidMessageError(*MISSING, tag)
        if definition is not None:
            for tag in definition.required:
                if message.get(tag) is None:
                    raise InvalidMessageError(*MISSING, tag)
        self._check_fields(message, definition)
        if definition is not None:
            _check_repeats(message, dictionary.header, definition)

    def _check_order(self, message: Message) -> None:
        """Header, then body, then trailer."""
        header, trailer = self._dictionary.header.tags, self._dictionary.trailer.tags
        section = 0
        for tag in message.tags:
            here = 0 if tag in header else 2 if tag in trailer else 1
            if here < section:
                raise InvalidMessageError(*_ORDER, tag)
            section = here

    def _check_fields(self, message: Message, definition: MessageDef | None) -> None:
        dictionary = self._dictionary
        checks = self._checks
        header, trailer = dictionary.header.tags, dictionary.trailer.tags
        body = None if definition is None else definition.tags
        for tag, value in message.fields:
            check = checks.get(tag)
            if check is None:
                if not 0 < tag <= dictionary.last_tag:
                    raise InvalidMessageError(*_INVALID_TAG, tag)
                if body is not None:
                    raise InvalidMessageError(*(_NOT_IN_MESSAGE if value else _NO_VALUE), tag)
                continue
            if not value:
                raise InvalidMessageError(*_NO_VALUE, tag)
            matches, values, is_list = check
            if matches is not None and not matches(value):
                raise InvalidMessageError(*_FORMAT, tag)
            if values:
                given = value.split(b" ") if is_list else (value,)
                if not values.issuperset(given):
                    raise InvalidMessageError(*_RANGE, tag)
            if body is not None and tag not in body and tag not in header and tag not in trailer:
                raise InvalidMessageError(*_NOT_IN_MESSAGE, tag)


@lru_cache(maxsize=16)
def validator_of(dictionary: Dictionary) -> Validator:
    """The one of a dictionary: what it has learned of one session's messages serves all others."""
    return Validator(dictionary)


class _Plain:
    """Finds at once that a message of one type is right, as nearly all are; does not know what is wrong.

    What only the tags decide, and which values are to be looked at, is found once for each sequence of tags.
    """

    def __init__(self, dictionary: Dictionary, definition: MessageDef, header_required: tuple[int, ...]) -> None:
        header, trailer = dictionary.header, dictionary.trailer
        self._required = frozenset((*header_required, *definition.required))
        # Section (header, body, trailer) and what its value must pass, by tag.
        self._tags: dict[int, tuple[int, Callable[[bytes], object] | None]] = {}
        for section, part in ((1, definition), (2, trailer), (0, header)):
            for tag in part.tags:
                field = dictionary.fields[tag]
                matches, values = _FORMATS.get(field.type), field.values or None
                if values is not None:
                    is_list = field.type == "MULTIPLEVALUESTRING"
                    matches = partial(_has_only, values) if is_list else _one_of(values, matches)
                self._tags[tag] = (section, matches)
        self._header, self._definition = header, definition
        self._rules: dict[tuple[int, ...], _Rules | None] = {}

    def is_right(self, message: Message) -> bool:
        """Whether the message is right for sure."""
        tags, values = message.tags, message.values
        if len(tags) > _SEQUENCE_LENGTH_MAX:
            return False
        try:
            rules = self._rules[tags]
        except KeyError:
            rules = self._learn(tags)
        if rules is None or b"=\x01" in message.raw:
            return False
        for at, matches in rules:  # noqa: SIM110 - a generator would take twice the time
            if not matches(values[at]):
                return False
        return True

    def _learn(self, tags: tuple[int, ...]) -> _Rules | None:
        if len(self._rules) >= _SEQUENCES_MAX:  # somebody is making them up
            self._rules.clear()
        rules = self._rules[tags] = self._rules_of(tags)
        return rules

    def _rules_of(self, tags: tuple[int, ...]) -> _Rules | None:
        """By their places, the values to look at; None where the tags are not right for sure."""
        known = self._tags
        if not self._required.issubset(tags) or not known.keys() >= set(tags):
            return None
        sections = [known[tag][0] for tag in tags]
        if sections != sorted(sections):
            return None
        try:
            counts = dict(_groups(tags, self._header, self._definition))
        except InvalidMessageError:
            return None
        rules: _Rules = []
        for at, tag in enumerate(tags):
            matches = frozenset((b"%d" % counts[at],)).__contains__ if at in counts else known[tag][1]
            if matches is not None:
                rules.append((at, matches))
        return rules


def _one_of(values: frozenset[bytes], matches: Callable[[bytes], object] | None) -> Callable[[bytes], object]:
    """Whether a value is one of these, those left out that are not of the field's format."""
    return frozenset(value for value in values if matches is None or matches(value)).__contains__


def _has_only(values: frozenset[bytes], value: bytes) -> bool:
    return values.issuperset(value.split(b" "))


def _check_repeats(message: Message, header: MessageDef, definition: MessageDef) -> None:
    """No tag twice but in the entries of a group, and as many entries as the group says."""
    for at, entries in _groups(message.tags, header, definition):
        if int(message.values[at]) != entries:
            raise InvalidMessageError(*_GROUP_COUNT, message.tags[at])


def _groups(tags: Sequence[int], header: MessageDef, definition: MessageDef) -> Iterator[tuple[int, int]]:
    """The place of each group's counter, and how many entries follow it; as they end. Raises for a tag that is twice
    where it may not be.
    """
    seen: set[int] = set()
    at = 0
    while at < len(tags):
        tag = tags[at]
        if tag in seen:
            raise InvalidMessageError(*_REPEATED, tag)
        seen.add(tag)
        at += 1
        group = definition.groups.get(tag) or header.groups.get(tag)
        if group is not None:
            at = yield from _entries(tags, at, group, definition)


def _entries(
    tags: Sequence[int], at: int, group: GroupDef, definition: MessageDef
) -> Generator[tuple[int, int], None, int]:
    """The entries of a group from a position on, and of groups in it; returns where they end."""
    counter, entries = at - 1, 0
    seen: set[int] = set()
    while at < len(tags) and tags[at] in group.tags:
        tag = tags[at]
        if tag == group.first_tag:
            entries += 1
            seen.clear()
        elif entries == 0:
            break
        elif tag in seen:
            raise InvalidMessageError(*_REPEATED, tag)
        seen.add(tag)
        at += 1
        inner = definition.groups.get(tag)
        if inner is not None:
            at = yield from _entries(tags, at, inner, definition)
    yield counter, entries
    return at
