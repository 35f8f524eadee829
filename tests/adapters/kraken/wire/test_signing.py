"""API-Sign (guides/spot-rest-auth): the published vector, and others made with the same secret."""

from __future__ import annotations

import base64
import pickle

import pytest

from adapters.kraken.wire.signing import Secret, api_sign, is_signed

SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
JSON_ORDER = (
    '{"nonce":"1700000000000000001","pair":"XBTUSD","type":"sell","ordertype":"limit","price":"64000.1","volume":"0.5"}'
)
VECTORS = [
    (
        "/0/private/AddOrder",
        "1616492376594",
        "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25",
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==",
    ),
    (
        "/0/private/AddOrder",
        "1700000000000000001",
        JSON_ORDER,
        "TrlgJZwuc/IYSDeVAwSEjqTGTBaTLKuUFQ1/RLspIUKrAsmiWrQuQhoBP0w1eWoN8YA52an6Az1XdBbZoxyv2g==",
    ),
    (
        "/0/private/Balance",
        "1700000000000000002",
        "nonce=1700000000000000002",
        "6k3z9S9HUf5is2U3296ohq7oOEYU0S8kSO8YB+2zHHjgZTs4avFWNx38jVrHjsKOn6tYyS577/HJhXDxSy9Unw==",
    ),
    (
        "/0/private/GetWebSocketsToken",
        "1700000000000000003",
        "nonce=1700000000000000003&otp=123456",
        "md38/3eDOsPlLIWu0SoAR/NgO66CtYamsJyotoWItO27K52lGy5p8WSKEEv8hU/unRI9y9nMiMibpsLRCodQiQ==",
    ),
    (
        "/0/private/AddOrder",
        "1700000000000000004",
        "nonce=1700000000000000004&pair=XBTUSD&type=sell&ordertype=trailing-stop&price=%2B1.5%25&volume=0.5",
        "O71dpGQhy44/9517i3jVBWzx3MtKg2iEcTeDUkcN4dhERE2j5+V57chIkj/BY6UKrkTVSEuF48sFSvYw86qiSg==",
    ),
]


@pytest.mark.parametrize(("path", "nonce", "body", "signature"), VECTORS)
def test_a_request_is_signed_as_published(path: str, nonce: str, body: str, signature: str) -> None:
    assert api_sign(Secret(SECRET), path, nonce, body.encode()) == signature
    assert is_signed(Secret(SECRET), path, nonce, body.encode(), signature)


@pytest.mark.parametrize("changed", ["path", "nonce", "body", "signature"])
def test_a_signature_of_anything_else_is_wrong(changed: str) -> None:
    path, nonce, body, signature = VECTORS[0]
    given = {"path": path, "nonce": nonce, "body": body, "signature": signature}
    given[changed] = given[changed][:-1] + "0"
    assert not is_signed(Secret(SECRET), given["path"], given["nonce"], given["body"].encode(), given["signature"])


def test_a_secret_shows_itself_only_when_asked_by_name() -> None:
    secret = Secret(SECRET)
    assert SECRET not in f"{secret!r} {secret} {[secret]}"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)
    assert secret.reveal() == SECRET
    assert secret.key == base64.b64decode(SECRET)


def test_a_text_that_is_no_secret_is_refused_without_being_repeated() -> None:
    with pytest.raises(ValueError, match="base64") as raised:
        Secret("not*base64")
    assert "not*base64" not in str(raised.value)
