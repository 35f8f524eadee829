"""The password of a FIX Logon (guides/fix-auth), and Kraken's fields."""

from __future__ import annotations

import pytest

from adapters.fix.codec import decode, encode
from adapters.fix.errors import InvalidMessageError
from adapters.fix.validation import Validator
from adapters.kraken.wire.fix_dialect import KRAKEN_FIX, is_password, logon_password
from adapters.kraken.wire.signing import Secret

COUNTED = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
VECTORS = [
    (COUNTED, "EXAMPLEKEY0001", 1, "DESK01", "KRAKEN-TRD", "1767225600000",
     "EHlA9FdUbqx3XOyt4wGraJpTZTCDOw6EkIYZST8jRbuiHMDR3cCbAXZNtrMgTNKt03qauC8+O7tWICQIfUUFlA=="),
    (COUNTED, "EXAMPLEKEY0001", 1, "DESK01_DRV", "KRAKEN-DRV-TRD", "1767225600000",
     "O9kbN4G4XlQo7d+TAZYXhLk7JhCglYZF6ah/+sdwXOOSlQJb7f0CE2wMO/W7vbKyL9lT1opnHivcvtaY5Bs1Ag=="),
    ("c2VjcmV0", "APIKEY", 7, "CLIENT", "KRAKEN-TRD", "1724512345678",
     "MwX+M7nvuHXxD5aGI/TFpghXxg2iblxXYyz7lRzLCPMA4UJYI3osNrUKWCiI3fDnOLkEQ5WKSK58Mp3nvu1Klw=="),
]  # fmt: skip
HEADER = ((34, b"7"), (49, b"DESK01"), (52, b"20260101-00:00:00.000"), (56, b"KRAKEN-TRD"))
ORDER = ((11, b"1767225600000001"), (18, b"P"), (38, b"0.05"), (40, b"2"), (44, b"60000"), (54, b"1"),
         (55, b"BTC/USD"), (59, b"1"), (60, b"20260101-00:00:00.000"))  # fmt: skip


@pytest.mark.parametrize(("secret", "key", "seq_num", "sender", "target", "nonce", "password"), VECTORS)
def test_a_password_is_as_published(
    secret: str, key: str, seq_num: int, sender: str, target: str, nonce: str, password: str
) -> None:
    assert logon_password(Secret(secret), key, seq_num, sender, target, nonce) == password
    assert is_password(Secret(secret), key, seq_num, sender, target, nonce, password)
    assert not is_password(Secret(secret), key, seq_num + 1, sender, target, nonce, password)


def test_the_published_order_has_no_fault() -> None:
    Validator(KRAKEN_FIX).check(decode(encode(b"FIX.4.4", b"D", (*HEADER, *ORDER))))


@pytest.mark.parametrize(("tag", "value"), [(40, b"K"), (59, b"0"), (18, b"G"), (54, b"5")])
def test_values_of_plain_fix_that_kraken_does_not_have_are_out_of_range(tag: int, value: bytes) -> None:
    changed = tuple((each, value if each == tag else old) for each, old in ORDER)
    with pytest.raises(InvalidMessageError, match=f"tag {tag}"):
        Validator(KRAKEN_FIX).check(decode(encode(b"FIX.4.4", b"D", (*HEADER, *changed))))
