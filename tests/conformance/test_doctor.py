"""`tidegate doctor` against the served venue over real sockets: what is well is found well, what is not is named.

Pages: rest-api/get-api-key-info, guides/spot-rest-auth, guides/fix-auth, guides/spot-ws-book-v2.
"""

from __future__ import annotations

import argparse
import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.kraken.doctor.command import COMMAND
from adapters.kraken.server.authority import certify
from adapters.kraken.wire.rest import endpoints
from adapters.kraken.wire.rest.calls import private_call
from adapters.kraken.wire.rest.envelope import PrivateRequest
from adapters.kraken.wire.signing import Secret
from framework.cli import run_guarded
from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_sockets import trusting
from tests.framework.command import Said, write_config

Capture = pytest.CaptureFixture[str]

KEYS = """
[[keys]]
account = "trader"
api_key = "S0VZLU9GLUEtVFJBREVS"
api_secret = "U0VDUkVULU9GLUEtVFJBREVS"
permissions = [
    "query-funds", "query-open-trades", "query-closed-trades", "modify-trades", "close-trades", "create-ws-token"
]

[[keys]]
account = "watcher"
api_key = "S0VZLU9GLUEtV0FUQ0hFUg=="
api_secret = "U0VDUkVULU9GLUEtV0FUQ0hFUg=="
permissions = ["query-funds", "withdraw-funds"]
"""


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("venue")
    (folder / "keys.toml").write_text(KEYS)
    with served_venue(folder, "--tls", "--state", str(folder / "state"), "--keys", str(folder / "keys.toml")) as ready:
        yield ready


def doctor(capsys: Capture, venue: dict[str, Any], *options: object) -> Said:
    """Run the command against a venue, whose addresses are given."""
    arguments = ["--host", venue["rest"], "--fix", venue["fix_trading"], "--ca", venue["ca_certificate"]]
    return run(capsys, venue, *arguments, *options)


def run(capsys: Capture, venue: dict[str, Any], *options: object) -> Said:
    """Run the command; no key of the venue is ever printed."""
    parser = argparse.ArgumentParser()
    COMMAND.add_arguments(parser)
    chosen = parser.parse_args([str(each) for each in options])
    capsys.readouterr()
    code = run_guarded("tidegate", lambda: COMMAND.run(chosen))
    out, err = capsys.readouterr()
    for account in venue["accounts"]:
        assert account["api_secret"] not in out + err
        assert account["api_key"] not in out + err
    return Said(code, out, err)


def key_file(folder: Path, venue: dict[str, Any], number: int = 0, mode: int = 0o600, **changes: str) -> Path:
    account = {name: venue["accounts"][number][name] for name in ("api_key", "api_secret")} | changes
    path = folder / "key.toml"
    path.write_text("".join(f'{name} = "{value}"\n' for name, value in account.items()))
    path.chmod(mode)
    return path


def found(said: Said, name: str) -> str:
    """The lines of one check."""
    lines = [line for line in said.out.splitlines() if line[6:28].strip() == name]
    assert lines, said.out
    return "\n".join(lines)


def test_a_key_for_trading_on_a_venue_that_is_up_is_found_well(
    capsys: Capture, venue: dict[str, Any], tmp_path: Path
) -> None:
    config = write_config(tmp_path, road='name = "fix"\ncancel = ["fix", "ws2"]')
    said = doctor(capsys, venue, config, "--key-file", key_file(tmp_path, venue), "--fix-sender", "CLIENT1A")
    assert said.code == 0, said.out
    assert "FAIL" not in said.out
    for name in ("REST", "REST line", "WebSocket line", "FIX", "FIX line", "engine", "nonce", "key",
                 "permissions", "withdrawals", "book BTC/USD", "news of own orders", "FIX logon"):  # fmt: skip
        assert found(said, name).startswith("ok"), name
    # A venue that is served by a busy machine may be a second behind it.
    assert found(said, "clock")[:4] in ("ok  ", "warn")
    assert "as in the market" in found(said, "pair BTC/USD")
    assert "logged on and out; nothing was reset" in found(said, "FIX logon")
    assert said.out.splitlines()[-1].startswith("0 failed, ")


def test_a_fix_session_that_is_under_way_keeps_its_numbers(
    capsys: Capture, venue: dict[str, Any], tmp_path: Path
) -> None:
    options = ("--key-file", key_file(tmp_path, venue), "--fix-sender", "CLIENT1B")
    assert "logged on and out" in found(doctor(capsys, venue, *options), "FIX logon")
    before = sessions(venue)["CLIENT1B"]
    assert "its session is under way; it was left alone" in found(doctor(capsys, venue, *options), "FIX logon")
    after = sessions(venue)["CLIENT1B"]
    assert before["next_seq_num_client"] == after["next_seq_num_client"] == 3


def sessions(venue: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{venue['control']}/v1/sessions", headers={"Authorization": f"Bearer {venue['control_token']}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        told = json.load(answer)
    trading = (each for each in told["fix_sessions"] if each["target_comp_id"] == "KRAKEN-TRD")
    return {each["sender_comp_id"]: each for each in trading}


def test_a_live_configuration_says_where_to_look_and_by_which_key(
    capsys: Capture, venue: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "ready.json").write_text(json.dumps(venue))
    file = tmp_path / "live.toml"
    live = f'[live]\nsymbols = ["BTC/USD", "ETH/USD"]\n[live.options]\nready_file = "{tmp_path / "ready.json"}"\n'
    file.write_text(f'[strategy]\npath = "s.py"\n[road]\nname = "ws2"\n{live}')
    said = run(capsys, venue, file)
    assert said.code == 0, said.out
    assert "all that trading by" in found(said, "permissions")
    assert found(said, "book ETH/USD").startswith("ok")
    assert run(capsys, venue, "--ready-file", tmp_path / "ready.json").code == 0


def test_orders_that_are_to_be_left_over_fix_with_cancel_on_disconnect_are_found(
    capsys: Capture, venue: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "live.toml"
    live = '[live]\nsymbols = ["BTC/USD"]\nat_end = "leave"\n'
    file.write_text(f'[strategy]\npath = "s.py"\n[road]\nname = "fix"\n{live}')
    said = run(capsys, venue, file)
    assert said.code == 1, said.out
    assert found(said, "leave").startswith("FAIL")
    assert 'cancel_on_disconnect = "no"' in said.out


def test_a_key_that_lacks_permissions_and_may_withdraw_is_found(
    capsys: Capture, venue: dict[str, Any], tmp_path: Path
) -> None:
    said = doctor(capsys, venue, "--key-file", key_file(tmp_path, venue, 1))
    assert said.code == 1
    assert "lacks query-open-trades (Query open orders & trades)" in found(said, "permissions")
    assert found(said, "withdrawals").startswith("warn  ")
    assert "EGeneral:Permission denied" in found(said, "news of own orders")


def test_a_wrong_secret_is_asked_once_and_named(capsys: Capture, venue: dict[str, Any], tmp_path: Path) -> None:
    said = doctor(capsys, venue, "--key-file", key_file(tmp_path, venue, api_secret="d3Jvbmc="))
    assert said.code == 1
    assert found(said, "key").startswith("FAIL")
    assert "EAPI:Invalid signature; copy the whole secret again" in found(said, "key")
    assert "the key was refused" in found(said, "news of own orders")


def test_a_file_that_others_may_read_is_refused(capsys: Capture, venue: dict[str, Any], tmp_path: Path) -> None:
    said = doctor(capsys, venue, "--key-file", key_file(tmp_path, venue, mode=0o644))
    assert said.code == 2
    assert "can be read by others than its owner; run: chmod 600" in said.err


def test_without_a_key_public_checks_are_made(
    capsys: Capture, venue: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KRAKEN_API_KEY", "KRAKEN_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    said = doctor(capsys, venue)
    assert said.code == 0
    assert "no key: give --key-file" in found(said, "key")
    assert found(said, "book BTC/USD").startswith("ok")


def test_the_key_of_the_environment_is_used(
    capsys: Capture, venue: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRAKEN_API_KEY", venue["accounts"][0]["api_key"])
    monkeypatch.setenv("KRAKEN_API_SECRET", venue["accounts"][0]["api_secret"])
    assert found(doctor(capsys, venue), "permissions").startswith("ok")


def test_an_authority_that_is_not_trusted_ends_before_the_key_is_shown(
    capsys: Capture, venue: dict[str, Any], tmp_path: Path
) -> None:
    none = tmp_path / "none.pem"
    said = doctor(capsys, dict(venue, ca_certificate=str(none)))
    assert said.code == 2
    assert "none.pem: not a certificate" in said.err
    strange = certify(tmp_path / "strange", datetime.now(UTC))
    said = doctor(capsys, dict(venue, ca_certificate=str(strange.ca)), "--key-file", key_file(tmp_path, venue))
    assert said.code == 1
    assert "its certificate is not trusted (" in found(said, "REST line")
    assert "the venue cannot be talked to" in found(said, "all else")


def test_a_host_that_is_not_there_is_found(capsys: Capture, venue: dict[str, Any]) -> None:
    said = doctor(capsys, dict(venue, rest="https://127.0.0.1:9"))
    assert said.code == 1
    assert "127.0.0.1:9 cannot be connected to" in found(said, "REST")


def test_a_clock_that_is_a_minute_behind_is_found(capsys: Capture, venue: dict[str, Any], tmp_path: Path) -> None:
    request = urllib.request.Request(
        f"{venue['control']}/v1/time/step",
        data=b'{"ms": 60000}',
        headers={"Authorization": f"Bearer {venue['control_token']}"},
    )
    with urllib.request.urlopen(request, timeout=10):
        said = doctor(capsys, venue, "--key-file", key_file(tmp_path, venue))
    assert said.code == 1
    assert found(said, "clock").startswith("FAIL")
    assert "behind the venue's" in found(said, "clock")


def test_a_nonce_below_that_of_another_program_is_found(capsys: Capture, venue: dict[str, Any], tmp_path: Path) -> None:
    account = venue["accounts"][0]
    call = private_call(
        endpoints.BALANCE, PrivateRequest(nonce=2**63), account["api_key"], Secret(account["api_secret"])
    )
    request = urllib.request.Request(venue["rest"] + call.path, data=call.body, headers=dict(call.headers))
    with urllib.request.urlopen(request, timeout=10, context=trusting(venue)) as answer:
        assert json.load(answer)["error"] == []
    said = doctor(capsys, venue, "--key-file", key_file(tmp_path, venue))
    assert "EAPI:Invalid nonce; another program uses this key with greater nonces" in found(said, "key")
