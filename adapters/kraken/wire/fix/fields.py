"""Fields of a FIX message to a struct, and back.

A struct names its fields as FIX does, in Python's spelling (``cl_ord_id`` is ClOrdID), and ``TAGS`` says which tags
these are. What stands on the wire is text; decimals and times stay text, digit for digit. A repeating group is a list
of structs under the name of its counter. Written are fields in ascending order of their tags, a group at the place of
its counter and each entry in the order of its struct: so the venue writes most messages. Source: fix-api, a page each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET
from msgspec import inspect as kinds

from adapters.fix.codec import Fields
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.errors import WireError

__all__ = ["TAGS", "Entry", "FixMessage", "read", "write", "write_tail"]

TAGS: Mapping[str, int] = {
    "avg_px": 6,
    "cl_ord_id": 11,
    "cum_qty": 14,
    "exec_id": 17,
    "exec_inst": 18,
    "last_px": 31,
    "last_qty": 32,
    "order_id": 37,
    "order_qty": 38,
    "ord_status": 39,
    "ord_type": 40,
    "orig_cl_ord_id": 41,
    "price": 44,
    "ref_seq_num": 45,
    "side": 54,
    "symbol": 55,
    "text": 58,
    "time_in_force": 59,
    "transact_time": 60,
    "valid_until_time": 62,
    "no_allocs": 78,
    "alloc_account": 79,
    "encrypt_method": 98,
    "stop_px": 99,
    "cxl_rej_reason": 102,
    "heart_bt_int": 108,
    "client_id": 109,
    "net_money": 118,
    "expire_time": 126,
    "no_misc_fees": 136,
    "misc_fee_amt": 137,
    "misc_fee_curr": 138,
    "misc_fee_type": 139,
    "reset_seq_num_flag": 141,
    "no_related_sym": 146,
    "exec_type": 150,
    "leaves_qty": 151,
    "security_type": 167,
    "effective_time": 168,
    "md_req_id": 262,
    "subscription_request_type": 263,
    "market_depth": 264,
    "md_update_type": 265,
    "aggregated_book": 266,
    "no_md_entry_types": 267,
    "no_md_entries": 268,
    "md_entry_type": 269,
    "md_entry_px": 270,
    "md_entry_size": 271,
    "md_entry_time": 273,
    "md_entry_id": 278,
    "md_update_action": 279,
    "md_req_rej_reason": 281,
    "instrument_req_id": 320,
    "instrument_response_id": 322,
    "trad_ses_req_id": 335,
    "trading_session_id": 336,
    "trad_ses_status": 340,
    "ref_tag_id": 371,
    "ref_msg_type": 372,
    "session_reject_reason": 373,
    "exec_restatement_reason": 378,
    "business_reject_ref_id": 379,
    "business_reject_reason": 380,
    "gross_trade_amt": 381,
    "discretion_inst": 388,
    "tot_no_related_sym": 393,
    "cxl_rej_response_to": 434,
    "secondary_exec_id": 527,
    "mass_cancel_request_type": 530,
    "username": 553,
    "password": 554,
    "instrument_list_request_type": 559,
    "instrument_request_result": 560,
    "min_trade_vol": 562,
    "trad_ses_status_rej_reason": 567,
    "next_expected_msg_seq_num": 789,
    "misc_fee_basis": 891,
    "last_fragment": 893,
    "trade_id": 1003,
    "trigger_price": 1102,
    "display_qty": 1138,
    "price_precision": 2349,
    "aggressor_side": 2446,
    "leverage": 5001,
    "qty_precision": 5010,
    "qty_min": 5011,
    "qty_max": 5012,
    "minimum_cost": 5013,
    "tick_size": 5022,
    "nonce": 5025,
    "force_reset_cl_ord_id": 5030,
    "asset_pair_status": 5032,
    "checksum_order_book": 5041,
    "liquidity_ind": 5050,
    "rebased": 5051,
    "md_entry_timestamp": 5060,
    "md_entry_time_queue": 5273,
    "self_trade_prevention": 7928,
    "cancel_orders_on_disconnect": 8674,
}
"""Tags by the names of fields."""


class Entry(msgspec.Struct, frozen=True):
    """An entry of a repeating group."""


class FixMessage(msgspec.Struct, frozen=True):
    """The body of a message: what stands between header and trailer. ``msg_type``: field 35.

    is_ascending: whether fields are written in the order of their tags; else in that of the struct.
    """

    msg_type: ClassVar[str]
    is_ascending: ClassVar[bool] = True


class _Field(msgspec.Struct, frozen=True):
    """How one field is read and written; ``entry`` is what a group has."""

    name: str
    tag: int
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]
    entry: type[Entry] | None = None


class _Shape(msgspec.Struct, frozen=True):
    by_tag: Mapping[int, _Field]
    required: frozenset[str]
    in_order: tuple[_Field, ...]
    ascending: tuple[_Field, ...]


def read[M: (FixMessage, Entry)](kind: type[M], fields: Fields) -> M:
    """The message that fields make; those of the header, and others that it does not know, are passed over.

    Raises WireError for a value of another type, a field that is missing or given twice, and a group that is not as
    long as it says; no value is repeated in it, for one may be a password.
    """
    message, _ = _read(kind, fields, 0, is_entry=False)
    return message


def write(message: FixMessage) -> Fields:
    """The fields of a message, without header and trailer. Raises WireError for a value that FIX cannot carry."""
    shape = _shape(type(message))
    return _written(message, shape.ascending if message.is_ascending else shape.in_order)


def write_tail(message: FixMessage) -> bytes:
    """The fields of ``write`` as they stand in a message, each ended by SOH: the ``tail`` of ``codec.encode``."""
    shape = _shape(type(message))
    parts = []
    for field in shape.ascending if message.is_ascending else shape.in_order:
        value = getattr(message, field.name)
        if value is UNSET:
            continue
        if type(value) is not str:  # a number, a secret or a group
            return b"".join([b"%d=%b\x01" % each for each in write(message)])
        parts.append(f"{field.tag}={value}\x01")
    data = "".join(parts).encode()
    if b"=\x01" in data or data.count(b"\x01") != len(parts):
        write(message)  # says which field it is
    return data


def _read[M: (FixMessage, Entry)](kind: type[M], fields: Fields, start: int, *, is_entry: bool) -> tuple[M, int]:
    shape = _shape(kind)
    values: dict[str, Any] = {}
    at = start
    while at < len(fields):
        tag, value = fields[at]
        field = shape.by_tag.get(tag)
        if field is None:
            if is_entry:
                break
            at += 1
            continue
        if field.name in values:
            if is_entry:
                break  # the next entry begins
            raise WireError(f"{kind.__name__}: field {tag} is given twice")
        at += 1
        if field.entry is None:
            values[field.name] = _value(kind, field, value)
        else:
            values[field.name], at = _entries(kind, field, value, fields, at)
    missing = shape.required - values.keys()
    if missing:
        raise WireError(f"{kind.__name__} lacks {', '.join(f'{name} ({TAGS[name]})' for name in sorted(missing))}")
    return kind(**values), at


def _entries(kind: type, field: _Field, value: bytes, fields: Fields, at: int) -> tuple[list[Any], int]:
    count = _value(kind, field, value)
    assert field.entry is not None
    entries: list[Any] = []
    first_tag = fields[at][0] if at < len(fields) else 0
    while at < len(fields) and fields[at][0] == first_tag and first_tag in _shape(field.entry).by_tag:
        entry, at = _read(field.entry, fields, at, is_entry=True)
        entries.append(entry)
    if len(entries) != count:
        raise WireError(
            f"{kind.__name__}: field {field.tag} does not count its entries, of which there are {len(entries)}"
        )
    return entries, at


def _value(kind: type, field: _Field, value: bytes) -> Any:
    try:
        return field.read(value)
    except (KeyError, ValueError):
        raise WireError(f"{kind.__name__}: field {field.tag} has a value of another type") from None


def _written(message: FixMessage | Entry, in_order: tuple[_Field, ...]) -> list[tuple[int, bytes]]:
    fields: list[tuple[int, bytes]] = []
    for field in in_order:
        value = getattr(message, field.name)
        if value is UNSET:
            continue
        if field.entry is not None:
            fields.append((field.tag, b"%d" % len(value)))
            for entry in value:
                fields += _written(entry, _shape(type(entry)).in_order)
            continue
        data = field.write(value)
        if not data or b"\x01" in data:
            raise WireError(f"{type(message).__name__}: field {field.tag} is empty or holds the separator of fields")
        fields.append((field.tag, data))
    return fields


_SHAPES: dict[type, _Shape] = {}


def _shape(kind: type) -> _Shape:
    found = _SHAPES.get(kind)
    return _SHAPES.setdefault(kind, _made_shape(kind)) if found is None else found


def _made_shape(kind: type) -> _Shape:
    info = kinds.type_info(kind)
    assert isinstance(info, kinds.StructType)
    fields = tuple(_field(each.name, each.type) for each in info.fields)
    required = frozenset(each.name for each in info.fields if each.required)
    ascending = tuple(sorted(fields, key=lambda field: field.tag))
    return _Shape({field.tag: field for field in fields}, required, fields, ascending)


def _field(name: str, kind: kinds.Type) -> _Field:
    tag = TAGS[name]
    if isinstance(kind, kinds.ListType):
        assert isinstance(kind.item_type, kinds.StructType)
        entry = kind.item_type.cls
        assert issubclass(entry, Entry)
        return _Field(name, tag, _whole, _number, entry)
    if isinstance(kind, kinds.IntType):
        return _Field(name, tag, _whole, _number)
    if isinstance(kind, kinds.BoolType):
        return _Field(name, tag, {b"Y": True, b"N": False}.__getitem__, {True: b"Y", False: b"N"}.__getitem__)
    if isinstance(kind, kinds.CustomType):
        return _Field(name, tag, lambda value: Token(value.decode()), lambda value: value.reveal().encode())
    return _Field(name, tag, lambda value: value.decode(), lambda value: value.encode())


def _whole(value: bytes) -> int:
    if not value.removeprefix(b"-").isdigit() or len(value) > 20:
        raise ValueError
    return int(value)


def _number(value: int) -> bytes:
    return b"%d" % value
