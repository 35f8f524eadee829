"""Kraken's words for refusals, read back."""

from __future__ import annotations

import pytest

from adapters.kraken.errors import ERROR_TEXTS, reject_reason
from framework.protocol import RejectReason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("EOrder:Unknown order", RejectReason.UNKNOWN_ORDER),
        ("EOrder:Rate limit exceeded", RejectReason.RATE_LIMIT),
        ("EAPI:Rate limit exceeded", RejectReason.CALL_LIMIT),
        ("EGeneral:Invalid arguments", RejectReason.INVALID_ARGUMENTS),
        ("EGeneral:Invalid arguments:ordertype", RejectReason.INVALID_ARGUMENTS),
        ("EGeneral:Invalid arguments:Index unavailable", RejectReason.INDEX_UNAVAILABLE),
        ("EOrder:Invalid price:Invalid price argument.", RejectReason.INVALID_PRICE),
        ("1767225600000001 : EOrder:Insufficient funds", RejectReason.INSUFFICIENT_FUNDS),
        ("User requested", RejectReason.USER_REQUESTED),
    ],
)
def test_a_text_is_read_as_its_reason(text: str, reason: RejectReason) -> None:
    assert reject_reason(text) is reason


@pytest.mark.parametrize("text", ["", "EOrder:", "EOrder:Unknown order action.", "eorder:unknown order", "nonsense"])
def test_a_text_that_is_not_known_is_not_guessed_at(text: str) -> None:
    assert reject_reason(text) is None


def test_every_text_of_the_table_is_read_back_as_a_reason_with_that_text() -> None:
    for text in filter(None, ERROR_TEXTS.values()):
        reason = reject_reason(text)
        assert reason is not None
        assert ERROR_TEXTS[reason] == text
