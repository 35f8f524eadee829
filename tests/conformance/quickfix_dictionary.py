"""Our dictionaries of FIX as QuickFIX reads them, so that it holds each message to the fields that Kraken documents."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from adapters.fix.dictionary import Dictionary, GroupDef, MessageDef

__all__ = ["quickfix_dictionary"]

_ADMIN = (b"0", b"1", b"2", b"3", b"4", b"5", b"A")


# Numbers of 32 bits without a sign, such as checksums; an INT of QuickFIX has one.
_AS_TEXT = (5041,)


def quickfix_dictionary(dictionary: Dictionary) -> str:
    """The XML of a dictionary."""
    root = ET.Element("fix", major="4", minor="4", type="FIX", servicepack="0")
    _members(ET.SubElement(root, "header"), dictionary, dictionary.header)
    messages = ET.SubElement(root, "messages")
    for message in dictionary.messages.values():
        category = "admin" if message.msg_type in _ADMIN else "app"
        at = ET.SubElement(messages, "message", name=message.name, msgtype=message.msg_type.decode(), msgcat=category)
        _members(at, dictionary, message)
    _members(ET.SubElement(root, "trailer"), dictionary, dictionary.trailer)
    ET.SubElement(root, "components")
    fields = ET.SubElement(root, "fields")
    for field in dictionary.fields.values():
        kind = "STRING" if field.tag in _AS_TEXT else field.type
        at = ET.SubElement(fields, "field", number=str(field.tag), name=field.name, type=kind)
        for value in sorted(field.values):
            ET.SubElement(at, "value", enum=value.decode(), description=f"V_{value.decode()}")
    return ET.tostring(root, encoding="unicode")


def _members(at: ET.Element, dictionary: Dictionary, message: MessageDef) -> None:
    def write(at: ET.Element, tags: Iterable[int]) -> None:
        for tag in tags:
            told = {"name": dictionary.fields[tag].name, "required": "Y" if tag in message.required else "N"}
            group = message.groups.get(tag)
            if group is None:
                ET.SubElement(at, "field", told)
            else:
                write(ET.SubElement(at, "group", told), entry(group))

    def entry(group: GroupDef) -> list[int]:
        """An entry's own tags, the one that begins it first."""
        deeper = {tag for other in message.groups.values() if other.count_tag in group.tags for tag in other.tags}
        return sorted(group.tags - deeper, key=lambda tag: (tag != group.first_tag, tag))

    in_groups = {tag for group in message.groups.values() for tag in group.tags}
    write(at, sorted(message.tags - in_groups))
