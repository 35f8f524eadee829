"""Values inside values, by dotted path: every leaf, one of them, a copy with one changed."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

__all__ = [
    "child",
    "leaves",
    "replaced",
]


def leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every leaf at or below a value, with its dotted path; labels and titles are names of things, not facts.

    path: where the value itself stands. A tuple of structs has parts, named by their ``name`` or by their number; any
    other tuple is a leaf, and so is an empty mapping.
    """
    parts = _parts(value)
    if not parts:
        yield path, value
        return
    for key, part in parts:
        if key not in ("name", "title", "label"):
            yield from leaves(f"{path}.{key}", part)


def child(value: Any, key: str) -> Any:
    """The part of a value that has this key; raises KeyError if there is none."""
    for name, part in _parts(value) or []:
        if name == key:
            return part
    raise KeyError(f"no field {key!r} in {type(value).__name__}")


def replaced(value: Any, keys: list[str], leaf: Any) -> Any:
    """A copy of a value with the leaf at the path of these keys changed; raises KeyError if there is no such path."""
    if not keys:
        return leaf
    key, rest = keys[0], keys[1:]
    part = replaced(child(value, key), rest, leaf)
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **{key: part})
    if isinstance(value, Mapping):
        return {name: part if _key(name) == key else item for name, item in value.items()}
    return tuple(part if name == key else item for name, item in _parts(value) or [])


def _parts(value: Any) -> list[tuple[str, Any]] | None:
    if isinstance(value, msgspec.Struct):
        return [(field, getattr(value, field)) for field in value.__struct_fields__]
    if isinstance(value, Mapping):
        return [(_key(key), item) for key, item in value.items()]
    if isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        return [(str(getattr(item, "name", index)), item) for index, item in enumerate(value)]
    return None


def _key(key: Any) -> str:
    return key.name.lower() if isinstance(key, enum.IntEnum) else str(key)
