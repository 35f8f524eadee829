"""Frames, fields and checksums (FIX 4.4, volume 1, "Message format"); simplefix is another's reading of them."""

from __future__ import annotations

import pytest
import simplefix
from hypothesis import given
from hypothesis import strategies as st

from adapters.fix.codec import Framer, _counted_fields, checksum, decode, encode, frame_fault
from adapters.fix.errors import EncodeError

BEGIN = b"FIX.4.4"
HEADER = ((34, b"1"), (49, b"US"), (52, b"20240101-00:00:00.000"), (56, b"THEM"))
# Anything but the separator; a value is never empty.
VALUES = st.binary(min_size=1, max_size=20).filter(lambda value: b"\x01" not in value)
LENGTHS = {90, 93, 95, 212, 348, 350, 352, 354, 356, 358, 360, 362, 364, 445, 618, 621}
TAGS = st.integers(1, 9_999).filter(lambda tag: tag not in {8, 9, 10, 35} | LENGTHS)
FIELDS = st.lists(st.tuples(TAGS, VALUES), max_size=30)


def message(*fields: tuple[int, bytes], msg_type: bytes = b"D") -> bytes:
    return encode(BEGIN, msg_type, (*HEADER, *fields))


@given(FIELDS)
def test_what_was_encoded_is_decoded_field_by_field(fields: list[tuple[int, bytes]]) -> None:
    frame = encode(BEGIN, b"D", fields)
    assert frame_fault(frame) is None
    read = decode(frame)
    assert (read.begin_string, read.msg_type, read.fields) == (BEGIN, b"D", fields)


@given(FIELDS, FIELDS)
def test_fields_that_are_written_already_follow_the_others(
    fields: list[tuple[int, bytes]], more: list[tuple[int, bytes]]
) -> None:
    tail = b"".join(b"%d=%b\x01" % field for field in more)
    assert encode(BEGIN, b"D", fields, tail) == encode(BEGIN, b"D", [*fields, *more])


@given(FIELDS)
def test_simplefix_writes_the_same_bytes(fields: list[tuple[int, bytes]]) -> None:
    theirs = simplefix.FixMessage()
    theirs.append_pair(8, BEGIN)
    theirs.append_pair(35, b"D")
    for tag, value in fields:
        theirs.append_pair(tag, value)
    assert encode(BEGIN, b"D", fields) == theirs.encode()


@given(st.lists(FIELDS, min_size=1, max_size=5), st.data())
def test_frames_come_out_however_the_stream_is_cut(
    messages: list[list[tuple[int, bytes]]], data: st.DataObject
) -> None:
    frames = [encode(BEGIN, b"D", fields) for fields in messages]
    stream = b"".join(frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    framer = Framer()
    found: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += framer.feed(stream[start:end])
    assert found == frames


@given(st.binary(max_size=300), FIELDS)
def test_a_whole_frame_is_found_behind_any_noise_that_does_not_begin_one(
    noise: bytes, fields: list[tuple[int, bytes]]
) -> None:
    noise = noise.replace(b"8=", b"8_") + b"\x01"
    frame = encode(BEGIN, b"D", fields)
    assert Framer().feed(noise + frame) == [frame]


def test_a_data_field_may_hold_the_separator_for_as_long_as_its_length_field_says() -> None:
    raw = b"a\x0110=000\x01b=c"
    read = decode(message((95, b"%d" % len(raw)), (96, raw), (58, b"after")))
    assert read.get(96) == raw
    assert read.get(58) == b"after"


def test_a_length_field_that_lies_takes_no_other_field_away() -> None:
    read = decode(message((95, b"9000"), (96, b"short"), (58, b"after")))
    assert (read.get(96), read.get(58)) == (b"short", b"after")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda frame: frame[:-4] + b"999\x01", "the checksum is wrong"),
        (lambda frame: frame.replace(b"\x0149=US", b"\x0149=U"), "the body length is wrong"),
        (lambda frame: frame.replace(b"35=D\x0134=1", b"34=1\x0135=D"), "the first three fields are not 8, 9, 35"),
    ],
)
def test_a_garbled_frame_says_why(change, fault: str) -> None:  # type: ignore[no-untyped-def]
    assert frame_fault(change(message())) == fault


def test_a_frame_with_too_large_a_length_takes_the_next_one_with_it_and_no_more() -> None:
    first, second, third = message((58, b"1")), message((58, b"2")), message((58, b"3"))
    length = int(first.split(b"\x01")[1][2:])
    swallowing = first.replace(b"9=%d" % length, b"9=%d" % (length + 20), 1)
    found = Framer().feed(swallowing + second + third)
    assert [frame_fault(frame) is None for frame in found] == [False, True]
    assert found[1] == third


def test_a_length_beyond_the_limit_is_passed_over_and_not_waited_for() -> None:
    good = message()
    assert Framer().feed(b"8=FIX.4.4\x019=99999999\x0135=0\x01" + good) == [good]


def test_garbage_without_a_frame_is_not_kept() -> None:
    framer = Framer()
    for _ in range(100):
        assert framer.feed(b"x" * 10_000) == []
    assert framer.feed(message()) == [message()]


NOISE = st.lists(
    st.sampled_from([b"8=", b"8", b"=", b"1", b"\x01", b"9=5\x01", b"9=", b"35=0\x01", b"10=163\x01", b"FIX.4.4\x01"])
    | st.binary(max_size=40),
    max_size=20,
)


@given(NOISE)
def test_in_what_pieces_bytes_come_makes_no_difference(pieces: list[bytes]) -> None:
    framer = Framer()
    assert [frame for piece in pieces for frame in framer.feed(piece)] == Framer().feed(b"".join(pieces))


def test_entries_of_a_group_are_read_apart() -> None:
    read = decode(message((268, b"2"), (269, b"0"), (270, b"1.5"), (269, b"1"), (270, b"1.6"), msg_type=b"W"))
    assert read.group(268, 269) == [{269: b"0", 270: b"1.5"}, {269: b"1", 270: b"1.6"}]


def test_of_a_tag_that_is_there_twice_the_first_value_is_given() -> None:
    read = decode(message((58, b"first"), (99, b"1"), (58, b"second")))
    assert (read.get(58), read.text(99)) == (b"first", "1")


@given(st.binary(max_size=3_000))
def test_the_checksum_is_the_sum_of_the_bytes(data: bytes) -> None:
    assert checksum(data) == sum(data) % 256


@pytest.mark.parametrize(
    ("text", "field"),
    [(b"x=1", (-1, b"1")), (b"nothing", (-1, b"nothing")), (b"-7=1", (-7, b"1")), (b"=1", (-1, b"1"))],
)
def test_a_tag_that_is_no_number_is_read_as_such(text: bytes, field: tuple[int, bytes]) -> None:
    whole = message((58, b"here")).replace(b"58=here", text)
    assert decode(whole).fields[-1] == field


SEPARATED = st.lists(
    st.sampled_from([b"=", b"58", b"99", b"1", b"a", b"\x01", b"58=a\x01", b"58=\x01", b"95=3\x01", b"96=a\x01b\x01"])
)


@given(SEPARATED)
def test_fields_are_those_that_are_found_one_by_one_wherever_separators_stand(pieces: list[bytes]) -> None:
    frame = encode(BEGIN, b"D", HEADER, b"".join(pieces) + b"\x01")
    assert decode(frame).fields == _counted_fields(frame, frame.index(b"34="))


def test_an_empty_value_is_refused() -> None:
    with pytest.raises(EncodeError, match="tag 58 has no value"):
        message((58, b""))


def test_a_separator_in_a_value_is_refused() -> None:
    with pytest.raises(EncodeError, match="tag 58 holds the field separator"):
        message((58, b"a\x0154=1"))


def test_a_message_shows_no_values() -> None:
    assert "secret" not in repr(decode(message((554, b"secret"), msg_type=b"A")))
