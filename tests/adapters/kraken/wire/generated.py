"""Messages of any kind, generated from the declaration of their struct."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from msgspec import NODEFAULT, UNSET
from msgspec import inspect as kinds

from adapters.kraken.wire.codec import Message
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.number import Number, QuotedNumber

__all__ = ["message_kinds", "messages"]

_TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
_DIGITS = st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,3})?", fullmatch=True).filter(
    # An integer of zero has lost its sign before anybody asks for the digits.
    lambda text: text != "-0"
)
_NUMBERS = st.one_of(_DIGITS.map(Number), _DIGITS.map(QuotedNumber))


def message_kinds(*modules: Any) -> list[type[Message]]:
    """The kinds of message that modules offer."""
    found = []
    for module in modules:
        for name in module.__all__:
            each = getattr(module, name)
            if isinstance(each, type) and issubclass(each, Message):
                found.append(each)
    return found


def messages(kind: type[Message]) -> st.SearchStrategy[Any]:
    """All messages of a kind."""
    return _of(kinds.type_info(kind))


def _of(kind: kinds.Type) -> st.SearchStrategy[Any]:
    if isinstance(kind, kinds.StructType):
        cls = kind.cls
        given = {}
        for field in kind.fields:
            values = _of(field.type)
            default = UNSET if field.default is NODEFAULT else field.default
            given[field.name] = values if field.required else st.one_of(st.just(default), values)
        return st.builds(cls, **given)
    if isinstance(kind, kinds.UnionType):
        return st.one_of([_of(each) for each in kind.types])
    if isinstance(kind, kinds.CustomType):
        return {Number: _NUMBERS, Token: _TEXT.map(Token)}[kind.cls]
    if isinstance(kind, kinds.ListType):
        return st.lists(_of(kind.item_type), max_size=3)
    if isinstance(kind, kinds.DictType):
        return st.dictionaries(_of(kind.key_type), _of(kind.value_type), max_size=3)
    if isinstance(kind, kinds.TupleType):
        return st.tuples(*[_of(each) for each in kind.item_types])
    if isinstance(kind, kinds.VarTupleType):
        return st.lists(_of(kind.item_type), max_size=3).map(tuple)
    if isinstance(kind, kinds.LiteralType):
        return st.sampled_from(kind.values)
    plain: dict[type, st.SearchStrategy[Any]] = {
        kinds.StrType: _TEXT,
        kinds.IntType: st.integers(0, 2**64 - 1),
        kinds.BoolType: st.booleans(),
        kinds.NoneType: st.none(),
    }
    return plain[type(kind)]
