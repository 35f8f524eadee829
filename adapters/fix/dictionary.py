"""Data dictionaries: which fields there are, of what type, and which of them a message may and must have.

A dictionary is built from compact text (``parse_fields``, ``parse_messages``), so that a dialect is data as well: it
takes one and adds, replaces or drops messages and fields with ``Dictionary.extended``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from adapters.fix.errors import DictionaryError

__all__ = ["Dictionary", "FieldDef", "GroupDef", "MessageDef", "parse_fields", "parse_messages"]

FIELD_TYPES = frozenset(
    {
        "AMT",
        "BOOLEAN",
        "CHAR",
        "COUNTRY",
        "CURRENCY",
        "DATA",
        "EXCHANGE",
        "FLOAT",
        "INT",
        "LENGTH",
        "LOCALMKTDATE",
        "MONTHYEAR",
        "MULTIPLEVALUESTRING",
        "NUMINGROUP",
        "PERCENTAGE",
        "PRICE",
        "PRICEOFFSET",
        "QTY",
        "SEQNUM",
        "STRING",
        "UTCDATEONLY",
        "UTCTIMEONLY",
        "UTCTIMESTAMP",
    }
)


class FieldDef(msgspec.Struct, frozen=True, kw_only=True):
    """A field.

    values: what it may be; empty where anything of its type goes.
    """

    tag: int
    name: str
    type: str
    values: frozenset[bytes] = frozenset()


class GroupDef(msgspec.Struct, frozen=True, kw_only=True):
    """A repeating group of a message.

    count_tag: the field that tells how many entries follow. first_tag: begins each entry. tags: all of an entry's,
    those of groups inside it included.
    """

    count_tag: int
    first_tag: int
    tags: frozenset[int]


class MessageDef(msgspec.Struct, frozen=True, kw_only=True):
    """A message, without header and trailer. tags: all that may stand in it, groups included."""

    msg_type: bytes
    name: str
    tags: frozenset[int]
    required: tuple[int, ...]
    groups: Mapping[int, GroupDef]


class Dictionary(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One version of FIX, or a dialect of it; equal to itself only.

    header, trailer: their fields and which are required, as messages of their own.
    messages: those whose fields are known, by type; known_types: all types that exist.
    last_tag: tags up to this one exist even where no message here has them.
    """

    fields: Mapping[int, FieldDef]
    header: MessageDef
    trailer: MessageDef
    messages: Mapping[bytes, MessageDef]
    known_types: frozenset[bytes]
    last_tag: int

    def extended(
        self,
        *,
        fields: Iterable[FieldDef] = (),
        messages: Iterable[MessageDef] = (),
        header_tags: Iterable[int] = (),
    ) -> Dictionary:
        """A dialect: fields and messages added or put in the place of those of the same tag or type."""
        all_fields = {**self.fields, **{field.tag: field for field in fields}}
        all_messages = {**self.messages, **{message.msg_type: message for message in messages}}
        header = msgspec.structs.replace(self.header, tags=self.header.tags | frozenset(header_tags))
        dialect = msgspec.structs.replace(
            self,
            fields=all_fields,
            messages=all_messages,
            header=header,
            known_types=self.known_types | all_messages.keys(),
        )
        dialect.check()
        return dialect

    def check(self) -> None:
        """Raise DictionaryError where a message names a field that is not defined."""
        for message in (self.header, self.trailer, *self.messages.values()):
            unknown = sorted(message.tags - self.fields.keys())
            if unknown:
                raise DictionaryError(f"{message.name} has tags that are no fields: {unknown}")


def parse_fields(text: str) -> dict[int, FieldDef]:
    """Fields from lines ``tag Name TYPE [value,value,...]``. Raises DictionaryError for a line that is none."""
    fields: dict[int, FieldDef] = {}
    for line in text.strip().splitlines():
        parts = line.split()
        if len(parts) not in (3, 4) or not parts[0].isdigit() or parts[2] not in FIELD_TYPES:
            raise DictionaryError(f"no field: {line!r}")
        tag = int(parts[0])
        if tag in fields:
            raise DictionaryError(f"field {tag} is defined twice")
        values = frozenset(value.encode() for value in parts[3].split(",")) if len(parts) == 4 else frozenset()
        fields[tag] = FieldDef(tag=tag, name=parts[1], type=parts[2], values=values)
    return fields


def parse_messages(text: str, components: Mapping[str, str]) -> dict[bytes, MessageDef]:
    """Messages from paragraphs ``Type Name: item item ...``.

    An item is a tag, ``tag!`` where it is required, ``@Name`` for a component (text of items of its own), or a group,
    ``count(first item item ...)``, which may hold groups.
    """
    messages: dict[bytes, MessageDef] = {}
    for paragraph in text.strip().split("\n\n"):
        head, _, body = paragraph.replace("\n", " ").partition(":")
        msg_type, name = head.split()
        tags: set[int] = set()
        required: list[int] = []
        groups: dict[int, GroupDef] = {}
        _collect(_items(body, components), tags, required, groups)
        messages[msg_type.encode()] = MessageDef(
            msg_type=msg_type.encode(), name=name, tags=frozenset(tags), required=tuple(required), groups=groups
        )
    return messages


def _items(text: str, components: Mapping[str, str]) -> list[str]:
    items: list[str] = []
    for item in text.replace("(", " ( ").replace(")", " ) ").split():
        if item.startswith("@"):
            if item[1:] not in components:
                raise DictionaryError(f"there is no component {item[1:]!r}")
            items += _items(components[item[1:]], components)
        else:
            items.append(item)
    return items


def _collect(items: list[str], tags: set[int], required: list[int], groups: dict[int, GroupDef]) -> None:
    """Read items into the four collections; groups inside groups are listed beside them."""
    at = 0
    while at < len(items):
        item = items[at]
        tag = int(item.rstrip("!"))
        tags.add(tag)
        if item.endswith("!"):
            required.append(tag)
        at += 1
        if at < len(items) and items[at] == "(":
            end = _closing(items, at)
            inner: set[int] = set()
            _collect(items[at + 1 : end], inner, [], groups)
            first = int(items[at + 1].rstrip("!"))
            groups[tag] = GroupDef(count_tag=tag, first_tag=first, tags=frozenset(inner))
            tags |= inner
            at = end + 1


def _closing(items: list[str], at: int) -> int:
    depth = 0
    for index in range(at, len(items)):
        depth += {"(": 1, ")": -1}.get(items[index], 0)
        if depth == 0:
            return index
    raise DictionaryError(f"a group is not closed: {' '.join(items[at : at + 8])}")
