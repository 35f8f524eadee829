"""Messages of FIX as structs (fix-api, all pages; guides/fix-checksums, fix-auth)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec import inspect as kinds

from adapters.fix.codec import Message, decode, encode
from adapters.kraken.wire.checksum import printed_checksum
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.fix import market, orders
from adapters.kraken.wire.fix.fields import TAGS, FixMessage, read, write, write_tail
from adapters.kraken.wire.fix.messages import KINDS, read_message
from adapters.kraken.wire.fix.session import Logon, signed_logon
from adapters.kraken.wire.signing import Secret
from tests.adapters.kraken.wire.documented import note, pages

HEADER = {34, 43, 49, 52, 56, 122}
# The session's own upkeep, which adapters.fix reads and writes.
UPKEEP = {b"0", b"1", b"2", b"4"}
FRAME = re.compile(r"8=FIX\.4\.4\|[^`\n]*?\|10=\d{3}")
# A message of the notes, without its beginning and its end.
BODY = re.compile(r"(?:^|[:→←] )35=([A-Za-z])\|(.*\|)$", re.MULTILINE)
# What a page shows and the venue never sends.
ODD = {
    "9=87775": "a long snapshot whose middle was left out, so that its group does not count its entries",
}


def frames(text: str) -> list[Message]:
    """The messages of a page, with its bars as separators; lengths and checksums, which names changed, are not held."""
    whole = [frame for frame in FRAME.findall(text) if not any(odd in frame for odd in ODD)]
    return [decode(frame.replace("|", "\x01").encode() + b"\x01") for frame in whole]


def assert_unchanged(message: Message) -> None:
    typed = read_message(message)
    assert typed is not None, message.msg_type
    assert list(write(typed)) == [field for field in message.fields if field[0] not in HEADER]


# ------------------------------------------------------------------------------------------------ documented examples


def test_every_documented_message_comes_back_unchanged() -> None:
    seen = set()
    for page in [*pages("fix-api"), *[page for page in pages("guides") if page.stem.startswith("fix-")]]:
        for message in frames(page.read_text(encoding="utf-8")):
            if message.msg_type not in UPKEEP:
                assert_unchanged(message)
                seen.add(message.msg_type.decode())
    assert seen >= {"A", "5", "8", "F", "G", "H", "q", "j", "3", "V", "W", "X", "Y", "x", "y", "g", "h"}


def test_every_message_of_the_notes_comes_back_unchanged() -> None:
    text = note("fix.md")
    found = [message for message in frames(text) if message.msg_type not in UPKEEP]
    for msg_type, rest in BODY.findall(text):
        fields = [part.partition("=") for part in rest.strip("|").split("|") if part != ".."]
        found.append(
            Message.of_fields(
                b"FIX.4.4", msg_type.encode(), [(int(tag), value.encode()) for tag, _, value in fields], b""
            )
        )
    assert {message.msg_type for message in found} >= {b"A", b"D", b"W", b"X", b"x", b"y"}
    for message in found:
        assert_unchanged(message)


def test_the_book_of_the_guide_has_its_checksum() -> None:
    (page,) = [page for page in pages("guides") if page.stem == "fix-checksums"]
    typed = [read_message(message) for message in frames(page.read_text(encoding="utf-8"))]
    (pair,) = [entry for each in typed if isinstance(each, market.InstrumentList) and each.no_related_sym is not UNSET
               for entry in each.no_related_sym]  # fmt: skip
    (book,) = [each for each in typed if isinstance(each, market.MarketDataSnapshotFullRefresh)]
    (change,) = [each for each in typed if isinstance(each, market.MarketDataIncrementalRefresh)]
    sizes = {entry.md_entry_id: (entry.md_entry_px, entry.md_entry_size) for entry in book.no_md_entries}
    for entry in change.no_md_entries:
        assert entry.md_update_action == "1"
        sizes[str(entry.md_entry_id)] = (str(entry.md_entry_px), str(entry.md_entry_size))

    def levels(side: str) -> list[tuple[str, str]]:
        decimals = int(pair.price_precision), int(pair.qty_precision)
        chosen = sorted(
            (levels for name, levels in sizes.items() if name[0] == side),
            key=lambda level: float(level[0]) * (1 if side == "O" else -1),
        )
        return [(f"{float(price):.{decimals[0]}f}", f"{float(size):.{decimals[1]}f}") for price, size in chosen]

    assert printed_checksum(levels("O"), levels("B")) == int(str(change.checksum_order_book))


# ------------------------------------------------------------------------------------------------------- all messages

VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\x01"), min_size=1, max_size=6)


def messages(kind: type) -> st.SearchStrategy[Any]:
    info = kinds.type_info(kind)
    assert isinstance(info, kinds.StructType)
    given_values = {}
    for field in info.fields:
        values = _values(field.type)
        default = UNSET if field.default is kinds.NODEFAULT else field.default  # type: ignore[attr-defined]
        given_values[field.name] = values if field.required else st.one_of(st.just(default), values)
    return st.builds(kind, **given_values)


def _values(kind: kinds.Type) -> st.SearchStrategy[Any]:
    if isinstance(kind, kinds.ListType):
        assert isinstance(kind.item_type, kinds.StructType)
        # An entry without a field cannot be told from none.
        return st.lists(messages(kind.item_type.cls).filter(lambda entry: any(_written(entry))), max_size=1)
    if isinstance(kind, kinds.IntType):
        return st.integers(-(10**6), 10**12)
    if isinstance(kind, kinds.BoolType):
        return st.booleans()
    return VALUES.map(Token) if isinstance(kind, kinds.CustomType) else VALUES


def _written(entry: Any) -> list[bool]:
    return [getattr(entry, name) is not UNSET for name in type(entry).__struct_fields__]


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.__name__)
def test_every_kind_of_message_comes_back_as_it_was(kind: type[FixMessage]) -> None:
    @given(messages(kind))
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def check(message: FixMessage) -> None:
        frame = encode(b"FIX.4.4", kind.msg_type.encode(), [(34, b"7"), *write(message)])
        assert read_message(decode(frame)) == message
        assert write_tail(message) == b"".join(b"%d=%b\x01" % field for field in write(message))

    check()


def test_each_tag_has_one_name() -> None:
    assert len(set(TAGS.values())) == len(TAGS)


# -------------------------------------------------------------------------------------------------------------- groups


def test_the_entries_of_a_group_are_told_apart_and_end_where_others_begin() -> None:
    body = (
        b"55=BTC/USD|262=1|268=2|279=2|269=1|278=O1|270=1|271=0.0|273=t|279=0|269=0|278=B1|270=1|271=2.50|273=t|5041=7"
    )
    fields = [(int(tag), value) for tag, value in (part.split(b"=") for part in body.split(b"|"))]
    message = read(market.MarketDataIncrementalRefresh, fields)
    assert [entry.md_entry_size for entry in message.no_md_entries] == ["0.0", "2.50"]
    assert message.checksum_order_book == "7"
    assert list(write(message)) == fields


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("11=1|55=B|60=t|530=1|530=7", "530 is given twice"),
        ("11=1|60=t", r"lacks mass_cancel_request_type \(530\)"),
    ],
)
def test_what_is_no_message_of_its_kind_is_an_error_of_the_wire(body: str, error: str) -> None:
    fields = [(int(tag), value.encode()) for tag, value in (part.split("=") for part in body.split("|"))]
    with pytest.raises(WireError, match=error):
        read(orders.OrderMassCancelRequest, fields)


@pytest.mark.parametrize(
    "fields",
    [
        [(98, b"0"), (108, b"x")],
        [(98, b"0"), (108, b"60"), (141, b"true")],
        [(98, b"0"), (108, b"60"), (553, b"\xff")],
    ],
)
def test_a_value_of_another_type_is_an_error_that_does_not_repeat_it(fields: list[tuple[int, bytes]]) -> None:
    with pytest.raises(WireError, match="has a value of another type") as failure:
        read(Logon, [*fields, (554, b"hidden")])
    assert "hidden" not in str(failure.value)


@pytest.mark.parametrize("count", [b"0", b"1", b"3", b"x"])
def test_a_group_that_is_not_as_long_as_it_says_is_an_error(count: bytes) -> None:
    entry = [(269, b"1"), (278, b"O1"), (270, b"1"), (271, b"1"), (273, b"t")]
    fields = [(55, b"B"), (262, b"1"), (268, count), *entry, *entry]
    with pytest.raises(WireError):
        read(market.MarketDataSnapshotFullRefresh, fields)


@pytest.mark.parametrize("text", ["", "a\x01b"])
def test_a_value_that_fix_cannot_carry_is_not_written(text: str) -> None:
    message = orders.OrderMassCancelRequest(cl_ord_id=text, transact_time="t", mass_cancel_request_type="7")
    for way in (write, write_tail):
        with pytest.raises(WireError, match="field 11"):
            way(message)


# --------------------------------------------------------------------------------------------------------------- logon


def test_a_logon_is_signed_as_published_and_shows_no_password() -> None:
    # guides/fix-auth; the vector of the notes.
    secret = Secret("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==")
    logon = signed_logon(
        secret, "EXAMPLEKEY0001", seq_num=1, sender="DESK01", target="KRAKEN-TRD", nonce="1767225600000", is_reset=True
    )
    password = b"EHlA9FdUbqx3XOyt4wGraJpTZTCDOw6EkIYZST8jRbuiHMDR3cCbAXZNtrMgTNKt03qauC8+O7tWICQIfUUFlA=="
    assert list(write(logon)) == [
        (98, b"0"), (108, b"60"), (141, b"Y"), (553, b"EXAMPLEKEY0001"), (554, password), (5025, b"1767225600000"),
        (8674, b"0"),
    ]  # fmt: skip
    assert password.decode() not in repr(logon)
