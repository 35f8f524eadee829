"""Checks against the dictionary: which fault is found, and which tag is named (FIX 4.4, volume 2, field 373)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fix.codec import Message, decode, encode
from adapters.fix.dictionary import parse_fields, parse_messages
from adapters.fix.errors import DictionaryError, InvalidMessageError
from adapters.fix.fix44 import FIX44
from adapters.fix.validation import Validator

HEADER = ((34, b"2"), (49, b"A"), (52, b"20240101-00:00:00"), (56, b"B"))
ORDER = ((11, b"id"), (40, b"1"), (54, b"1"), (55, b"X"), (60, b"20240101-00:00:00"))


def fault(msg_type: bytes, *fields: tuple[int, bytes]) -> tuple[int, int | None] | None:
    """Reason and tag of the fault of a message, its header included; None where it has none."""
    body = b"35=%b\x01" % msg_type + b"".join(b"%d=%b\x01" % field for field in fields)
    head = b"8=FIX.4.4\x019=%d\x01" % len(body)
    try:
        Validator(FIX44).check(decode(head + body + b"10=000\x01"))
    except InvalidMessageError as error:
        return error.reason, error.ref_tag
    return None


def with_field(tag: int, value: bytes) -> tuple[int, int | None] | None:
    return fault(b"D", *HEADER, *(field for field in ORDER if field[0] != tag), (tag, value))


FIELDS = st.lists(
    st.tuples(
        st.sampled_from([*sorted(FIX44.messages[b"D"].tags)[:60], 34, 49, 52, 56, 43, 115, 93, 89, 957, 5000, -1]),
        st.sampled_from(
            [b"1", b"2", b"Y", b"X", b"1.5", b"-1", b"E", b"E G", b"20240101-00:00:00.5", b"", b"20240101"]
        ),
    ),
    max_size=4,
)


@given(st.sampled_from([b"D", b"0", b"A", b"8", b"ZZ"]), FIELDS, st.sets(st.integers(0, 8), max_size=1), FIELDS)
def test_what_is_found_right_at_once_is_right_rule_by_rule(
    msg_type: bytes, early: list[tuple[int, bytes]], missing: set[int], late: list[tuple[int, bytes]]
) -> None:
    known = [field for at, field in enumerate((*HEADER, *ORDER)) if at not in missing]
    message = Message.of_fields(b"FIX.4.4", msg_type, [*early, *known, *late], b"")
    validator = Validator(FIX44)
    assert _fault(validator.check, message) == _fault(validator.check_each, message)


GROUPED = st.lists(
    st.tuples(
        st.sampled_from([453, 448, 447, 452, 802, 523, 803, 386, 336, 625, 78, 79, 80]),
        st.sampled_from([b"0", b"1", b"2", b"02", b"D", b"a"]),
    ),
    max_size=12,
)


@given(GROUPED)
def test_groups_that_are_found_right_at_once_are_right_rule_by_rule(fields: list[tuple[int, bytes]]) -> None:
    message = Message.of_fields(b"FIX.4.4", b"D", [*HEADER, *ORDER, *fields], b"")
    validator = Validator(FIX44)
    for _ in range(2):  # the second time, its sequence of tags is known
        assert _fault(validator.check, message) == _fault(validator.check_each, message)


def test_a_message_with_a_group_is_found_right_at_once() -> None:
    parties = ((453, b"2"), (448, b"a"), (447, b"D"), (452, b"1"), (448, b"b"), (447, b"D"), (452, b"2"))
    validator = Validator(FIX44)
    plain = validator._plain[b"D"]
    assert plain.is_right(Message.of_fields(b"FIX.4.4", b"D", [*HEADER, *ORDER, *parties], b""))
    wrong = ((453, b"1"), *parties[1:])
    assert not plain.is_right(Message.of_fields(b"FIX.4.4", b"D", [*HEADER, *ORDER, *wrong], b""))


def _fault(check: Callable[[Message], None], message: Message) -> tuple[int, int | None] | None:
    try:
        check(message)
    except InvalidMessageError as error:
        return error.reason, error.ref_tag
    return None


def test_a_complete_message_has_no_fault() -> None:
    assert fault(b"D", *HEADER, *ORDER) is None


def test_a_type_that_does_not_exist_is_invalid() -> None:
    assert fault(b"ZZ", *HEADER) == (11, None)


def test_a_type_that_is_not_described_is_taken_whatever_its_body() -> None:
    assert fault(b"S", *HEADER, (117, b"q"), (900, b"x")) is None


@pytest.mark.parametrize("tag", [34, 49, 52, 56])
def test_each_required_field_of_the_header_is_missed(tag: int) -> None:
    assert fault(b"0", *(field for field in HEADER if field[0] != tag)) == (1, tag)


@pytest.mark.parametrize("tag", [11, 40, 54, 60])
def test_each_required_field_of_the_body_is_missed(tag: int) -> None:
    assert fault(b"D", *HEADER, *(field for field in ORDER if field[0] != tag)) == (1, tag)


@pytest.mark.parametrize("tag", [957, 5000, 999_999_999])
def test_a_tag_that_no_dictionary_has_is_invalid(tag: int) -> None:
    assert with_field(tag, b"x") == (0, tag)


def test_a_field_of_another_message_is_not_defined_here() -> None:
    assert fault(b"0", *HEADER, (55, b"X")) == (2, 55)


def test_an_empty_value_is_found_before_a_wrong_one() -> None:
    assert with_field(40, b"") == (4, 40)


@pytest.mark.parametrize(
    ("tag", "value"),
    [(38, b"+1"), (38, b"1e5"), (38, b"1,5"), (44, b"."), (44, b"--1"), (114, b"y"), (60, b"20240101"),
     (432, b"20241301"), (200, b"202413"), (54, b"12"), (423, b"1.0"), (110, b"x")],
)  # fmt: skip
def test_a_value_that_is_not_of_its_type_is_a_bad_format(tag: int, value: bytes) -> None:
    assert with_field(tag, value) == (6, tag)


@pytest.mark.parametrize(("tag", "value"), [(38, b"0001.500"), (44, b"-5"), (44, b".5"), (44, b"5."), (18, b"1 G 6")])
def test_odd_but_legal_values_pass(tag: int, value: bytes) -> None:
    assert with_field(tag, value) is None


@pytest.mark.parametrize(("tag", "value"), [(40, b"w"), (54, b"Z"), (59, b"9"), (18, b"1 z"), (167, b"BOO")])
def test_a_value_outside_the_enumeration_is_out_of_range(tag: int, value: bytes) -> None:
    assert with_field(tag, value) == (5, tag)


def test_a_header_field_in_the_body_is_out_of_order() -> None:
    assert fault(b"D", *HEADER, *ORDER, (50, b"x")) == (14, 50)


def test_a_body_field_after_the_trailer_is_out_of_order() -> None:
    assert fault(b"D", *HEADER, *ORDER, (93, b"1"), (89, b"x"), (58, b"x")) == (14, 58)


def test_a_tag_that_comes_twice_is_named() -> None:
    assert fault(b"D", *HEADER, *ORDER, (40, b"2")) == (13, 40)


def test_entries_of_a_group_may_repeat_their_tags() -> None:
    parties = ((453, b"2"), (448, b"a"), (447, b"D"), (452, b"1"), (448, b"b"), (447, b"D"), (452, b"2"))
    assert fault(b"D", *HEADER, *ORDER, *parties) is None


def test_a_group_inside_a_group_is_counted_by_itself() -> None:
    inner = ((448, b"a"), (802, b"2"), (523, b"x"), (803, b"1"), (523, b"y"), (803, b"2"))
    assert fault(b"D", *HEADER, *ORDER, (453, b"1"), *inner) is None
    assert fault(b"D", *HEADER, *ORDER, (453, b"1"), (448, b"a"), (802, b"2"), (523, b"x")) == (16, 802)


@pytest.mark.parametrize("count", [b"0", b"1", b"3"])
def test_a_group_with_another_number_of_entries_is_named_by_its_count(count: bytes) -> None:
    assert fault(b"D", *HEADER, *ORDER, (386, count), (336, b"a"), (336, b"b")) == (16, 386)


def test_a_tag_that_comes_twice_in_one_entry_is_named() -> None:
    assert fault(b"D", *HEADER, *ORDER, (453, b"1"), (448, b"a"), (452, b"1"), (452, b"2")) == (13, 452)


def test_a_dialect_adds_fields_and_messages_and_leaves_the_rest() -> None:
    dialect = FIX44.extended(
        fields=parse_fields("5000 Odd INT 1,2").values(),
        messages=parse_messages("U1 Own: 5000! 58", {}).values(),
        header_tags=(5000,),
    )
    frame = encode(b"FIX.4.4", b"U1", (*HEADER, (5000, b"3")))
    with pytest.raises(InvalidMessageError, match="tag 5000"):
        Validator(dialect).check(decode(frame))
    Validator(dialect).check(decode(encode(b"FIX.4.4", b"0", (*HEADER, (5000, b"1")))))
    assert 5000 not in FIX44.fields


@pytest.mark.parametrize("text", ["x Name INT", "1 Name", "1 Name NOTYPE", "1 A INT\n1 B INT"])
def test_a_dictionary_that_contradicts_itself_is_refused(text: str) -> None:
    with pytest.raises(DictionaryError):
        parse_fields(text)


def test_a_message_with_a_field_that_is_not_defined_is_refused() -> None:
    with pytest.raises(DictionaryError, match=r"Own has tags that are no fields: \[5001\]"):
        FIX44.extended(messages=parse_messages("U1 Own: 5001", {}).values())
