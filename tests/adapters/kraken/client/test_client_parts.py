"""What links are made of: nonces, names of orders, credentials, settings, pauses, clocks, instruments."""

from __future__ import annotations

import errno
import os
import random
import uuid
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.client_ids import ClientIds, time_uuid
from adapters.kraken.client.credentials import Credentials
from adapters.kraken.client.instruments import Instruments
from adapters.kraken.client.nonces import fix_nonces, rest_nonces
from adapters.kraken.client.settings import read_settings
from adapters.kraken.client.times import epoch_ns, moment_ns
from adapters.kraken.client.venue_time import VenueTime
from adapters.kraken.errors import SymbolError
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.number import Number
from framework.adapter import LiveSettings
from framework.errors import ConfigError, DataError

SECOND = 10**9
SECRET = "c2VjcmV0LXNlY3JldA=="


# ------------------------------------------------------------------------------------------------- nonces


def test_nonces_are_the_time_and_go_up_where_it_stands_still_or_goes_back() -> None:
    times = iter([1_000, 1_000, 900, 2_000])
    nonces = rest_nonces(None, lambda: next(times))
    assert [nonces.next() for _ in range(4)] == [1_000, 1_001, 1_002, 2_000]


def test_nonces_of_the_next_process_are_above_all_before_though_its_clock_is_behind(tmp_path: Path) -> None:
    path = tmp_path / "nonce"
    first = rest_nonces(path, lambda: 5_000)
    given_out = [first.next() for _ in range(3)]
    first.close()
    second = rest_nonces(path, lambda: 10)
    assert second.next() > max(given_out)


def test_nonces_after_a_crash_are_above_all_that_were_given_out(tmp_path: Path) -> None:
    path = tmp_path / "nonce"
    first = rest_nonces(path, lambda: 5_000)
    given_out = [first.next() for _ in range(1_000)]
    copy = tmp_path / "copy"  # what is on the disk when the process is killed
    copy.write_bytes(path.read_bytes())
    assert rest_nonces(copy, lambda: 10).next() > max(given_out)


def test_the_file_of_nonces_is_written_ahead_and_not_for_each(tmp_path: Path) -> None:
    path = tmp_path / "nonce"
    nonces = rest_nonces(path, lambda: 5 * SECOND)
    nonces.next()
    kept = path.read_bytes()
    for _ in range(1_000):
        nonces.next()
    assert path.read_bytes() == kept


def test_where_the_file_of_nonces_cannot_be_written_they_go_on_for_cancels_need_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nonces = rest_nonces(tmp_path / "nonce", lambda: 5 * SECOND)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("adapters.kraken.client.nonces.os.pwrite", full)
    given_out = [nonces.next() for _ in range(3)]
    assert given_out == [5 * SECOND, 5 * SECOND + 1, 5 * SECOND + 2]
    nonces.close()


def test_two_processes_cannot_use_the_nonces_of_one_key(tmp_path: Path) -> None:
    first = rest_nonces(tmp_path / "nonce", lambda: 1)
    with pytest.raises(ConfigError, match="another process trades with this key"):
        rest_nonces(tmp_path / "nonce", lambda: 1)
    first.close()
    rest_nonces(tmp_path / "nonce", lambda: 1).close()


def test_a_file_that_is_none_of_nonces_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nonce").write_text("hello")
    with pytest.raises(ConfigError, match="not a file of nonces"):
        rest_nonces(tmp_path / "nonce", lambda: 1)


def test_nonces_of_fix_are_milliseconds_near_the_clock(tmp_path: Path) -> None:
    """fix-api/logon-fix, tag 5025: within five seconds of the venue's clock."""
    first = fix_nonces(tmp_path / "nonce", lambda: 1_000 * SECOND)
    assert [first.next(), first.next()] == [1_000_000, 1_000_001]
    first.close()
    assert fix_nonces(tmp_path / "nonce", lambda: 1_000 * SECOND).next() - 1_000_000 < 5_000


# ------------------------------------------------------------------------------------------------- ids


def test_a_uuid_begins_with_the_time_in_units_of_ten_microseconds() -> None:
    """fix-api/nos-fix, tag 11; the second value is of the digest of facts."""
    made = time_uuid(1_767_225_600 * SECOND, random.Random(1))
    assert made.startswith("a0ba6d69-a000-4")
    assert uuid.UUID(made).version == 4
    assert uuid.UUID(made).variant == uuid.RFC_4122
    assert time_uuid(1_788_264_000_123_450_000, random.Random(1)).startswith("a2a4440c-9839-4")


@pytest.mark.parametrize("name", ["x1", "a" * 18, "a2a4440c-9839-4abc-8abc-0123456789ab"])
def test_an_id_that_rest_and_websocket_take_is_left_alone(name: str) -> None:
    ids = ClientIds(None, is_time_based=False)
    assert ids.on_wire(name, 1) == name
    assert ids.on_desk(name) == name


@pytest.mark.parametrize("name", ["O-20260105-120000-001-000-1", "with a space", "é"])
def test_an_id_that_no_protocol_takes_stands_behind_another(name: str) -> None:
    ids = ClientIds(None, is_time_based=False, draw=random.Random(1))
    wire = ids.on_wire(name, 1)
    assert uuid.UUID(wire)
    assert ids.on_wire(name, 2) == wire
    assert ids.on_desk(wire) == name


def test_asking_for_the_id_of_an_order_that_was_never_sent_makes_none() -> None:
    ids = ClientIds(None, is_time_based=True)
    assert ids.known_on_wire("a") is None
    wire = ids.on_wire("a", 1)
    assert ids.known_on_wire("a") == wire
    assert ids.known_on_wire(wire) == wire


def test_ids_are_known_again_after_a_restart_and_a_torn_line_is_none(tmp_path: Path) -> None:
    path = tmp_path / "ids"
    first = ClientIds(path, is_time_based=True)
    wire = first.on_wire("a", 1)
    with path.open("ab") as file:
        file.write(b'["b", "to')
    second = ClientIds(path, is_time_based=True)
    assert second.on_desk(wire) == "a"
    other = second.on_wire("b", 1)
    assert ClientIds(path, is_time_based=True).on_desk(other) == "b"
    assert path.stat().st_mode & 0o077 == 0


def test_the_id_that_an_amend_gave_is_known_after_a_restart_beside_the_orders_own(tmp_path: Path) -> None:
    path = tmp_path / "ids"
    first = ClientIds(path, is_time_based=True)
    wire = first.on_wire("a", 1)
    first.note_amended("a", "a2a4440c-9839-4abc-8abc-0123456789ab")
    second = ClientIds(path, is_time_based=True)
    assert second.amended("a") == "a2a4440c-9839-4abc-8abc-0123456789ab"
    assert second.amended("b") is None
    assert second.on_wire("a", 2) == wire
    assert second.on_desk(wire) == "a"


def test_of_old_orders_those_keep_their_names_that_are_not_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.kraken.client.client_ids._KEPT_MAX", 10)
    ids = ClientIds(None, is_time_based=True)
    ids.is_needed = {"3", "4"}.__contains__
    made = {str(number): ids.on_wire(str(number), number) for number in range(100)}
    known = [name for name in made if ids.known_on_wire(name) is not None]
    assert {"3", "4", "99"} <= set(known)
    assert len(known) == 10
    assert [ids.on_desk(made[name]) for name in known] == known
    assert ids.on_desk(made["5"]) == made["5"]


def test_a_file_that_is_none_of_ids_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ids").write_text("hello\n")
    with pytest.raises(ConfigError, match="not a file of client order ids"):
        ClientIds(tmp_path / "ids", is_time_based=True)


# ------------------------------------------------------------------------------------------------- credentials


def test_credentials_show_neither_key_nor_secret() -> None:
    credentials = Credentials("the-key", SECRET)
    assert "the-key" not in repr(credentials)
    assert SECRET not in f"{credentials} {credentials.secret}"


def test_credentials_come_from_the_environment() -> None:
    credentials = Credentials.from_environment({"KRAKEN_API_KEY": "k", "KRAKEN_API_SECRET": SECRET})
    assert (credentials.api_key, credentials.secret.reveal()) == ("k", SECRET)
    with pytest.raises(ConfigError, match="KRAKEN_API_SECRET not set"):
        Credentials.from_environment({"KRAKEN_API_KEY": "k"})


def test_a_file_of_credentials_is_read_if_only_its_owner_can(tmp_path: Path) -> None:
    path = tmp_path / "key.toml"
    path.write_text(f'api_key = "k"\napi_secret = "{SECRET}"\n')
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        Credentials.from_file(path)
    path.chmod(0o600)
    assert Credentials.from_file(path).api_key == "k"


class _Keyring(KeyringBackend):
    """A store of secrets in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise KeyringLocked("locked, and here is a secret: " + SECRET)
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def keyring_of_the_system() -> Iterator[_Keyring]:
    before, ours = keyring.get_keyring(), _Keyring()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


def test_credentials_come_from_the_keyring_of_the_system(keyring_of_the_system: _Keyring, tmp_path: Path) -> None:
    keyring.set_password("tidegate main", "api_key", "k")
    keyring.set_password("tidegate main", "api_secret", SECRET)
    # As it stands in a configuration, alone and beside the folder of that configuration.
    for place in (Path("keyring:main"), tmp_path / "keyring:main"):
        credentials = Credentials.of(place)
        assert (credentials.api_key, credentials.secret.reveal()) == ("k", SECRET)


def test_a_keyring_that_lacks_a_part_says_how_it_gets_there(keyring_of_the_system: _Keyring) -> None:
    with pytest.raises(ConfigError, match="run: keyring set 'tidegate main' api_key"):
        Credentials.from_keyring("main")
    keyring.set_password("tidegate main", "api_key", "k")
    with pytest.raises(ConfigError, match="run: keyring set 'tidegate main' api_secret"):
        Credentials.from_keyring("main")


def test_a_keyring_that_is_locked_is_told_without_what_it_says(keyring_of_the_system: _Keyring) -> None:
    keyring_of_the_system.is_locked = True
    with pytest.raises(ConfigError, match="KeyringLocked") as refused:
        Credentials.from_keyring("main")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        f'api_key = "k"\napi_secret = "{SECRET}',
        'api_key = "k"',
        'api_key = "k"\napi_secret = "not base64!"',
        'api_key = ""\napi_secret = "x"',
    ],
)
def test_a_file_that_is_none_of_credentials_is_refused_and_nothing_of_it_repeated(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.toml"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigError) as refused:
        Credentials.from_file(path)
    assert SECRET not in str(refused.value)
    assert "not base64!" not in str(refused.value)


# ------------------------------------------------------------------------------------------------- settings


def settings(tmp_path: Path, **fields: object) -> LiveSettings:
    path = tmp_path / "key.toml"
    path.write_text(f'api_key = "k"\napi_secret = "{SECRET}"\n')
    path.chmod(0o600)
    return LiveSettings(**({"links": {"rest": "rest"}, "credentials": path} | fields))  # type: ignore[arg-type]


def test_hosts_are_krakens_own_with_tls_unless_others_are_given(tmp_path: Path) -> None:
    read = read_settings(settings(tmp_path, hosts={"fix": "tcp://127.0.0.1:4001"}))
    rest, private, public = (read.hosts[name] for name in ("rest", "ws_private", "ws_public"))
    assert (rest.host, rest.port, rest.is_tls) == ("api.kraken.com", 443, True)
    assert (private.host, private.target, private.is_tls) == ("ws-auth.kraken.com", "/v2", True)
    assert (public.host, public.authority) == ("ws.kraken.com", "ws.kraken.com")
    assert (read.hosts["fix"].port, read.hosts["fix"].is_tls) == (4001, False)


@pytest.mark.parametrize(
    "fields",
    [
        {"hosts": {"rest": "ftp://x"}},
        {"hosts": {"rest": "https://user:pass@x"}},
        {"hosts": {"rest": "https://"}},
        {"hosts": {"rests": "https://x"}},
        {"hosts": {"fix": "127.0.0.1:4001"}},
        {"hosts": {"rest": "https://x:99999"}},
        {"options": {"speed": "fast"}},
        {"options": {"rest_connections": "0"}},
        {"options": {"cancel_on_disconnect": "maybe"}},
        {"options": {"ready_file": "/nowhere/ready.json"}},
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(tmp_path: Path, fields: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as refused:
        read_settings(settings(tmp_path, **fields))
    assert SECRET not in str(refused.value)


# ------------------------------------------------------------------------------------------------- time


def test_pauses_double_up_to_a_limit_and_a_steady_connection_ends_them() -> None:
    backoff = BackOff(1)
    pauses = []
    for number in range(12):
        backoff.ended(number * SECOND)
        pauses.append(backoff.pause_ns())
    assert pauses[0] == 0
    assert all(longest / 2 <= pause <= longest for pause, longest in zip(
        pauses[1:8], [SECOND * 2**power // 4 for power in range(7)], strict=True
    ))  # fmt: skip
    assert max(pauses) <= 30 * SECOND
    backoff.opened(100 * SECOND)
    backoff.ended(101 * SECOND)
    assert backoff.pause_ns() > 0
    backoff.opened(200 * SECOND)
    backoff.ended(300 * SECOND)
    assert backoff.pause_ns() == 0


@given(
    st.integers(-(10**12), 10**12),
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**10)), min_size=1, max_size=20),
)
def test_the_venues_clock_is_never_taken_to_be_later_than_it_is(ahead_ns: int, messages: list[tuple[int, int]]) -> None:
    """ahead_ns: of the venue's clock. messages: how long each was on its way, and when it was received."""
    known = VenueTime()
    for travel_ns, ts_ns in sorted(messages, key=lambda each: each[1]):
        known.note(ts_ns - travel_ns + ahead_ns, ts_ns)
        assert known.at_least_ns(ts_ns) <= ts_ns + ahead_ns


def test_what_was_seen_of_the_venues_clock_long_ago_does_not_count() -> None:
    known = VenueTime()
    known.note(5 * SECOND, 0)
    assert known.at_least_ns(0) == 5 * SECOND
    known.note(1_000 * SECOND - 3 * SECOND, 1_000 * SECOND)  # our clock was set ahead
    assert known.at_least_ns(1_000 * SECOND) == 997 * SECOND


def test_times_of_the_wire_are_exact() -> None:
    assert moment_ns("2026-01-05T12:00:00.123456789Z") == 1_767_614_400_123_456_789
    assert moment_ns("2026-01-05T12:00:00Z") == 1_767_614_400 * SECOND
    assert epoch_ns(Number("1767614400.1234")) == 1_767_614_400_123_400_000
    for text in ("2026-01-05 12:00:00Z", "2026-01-05T12:00:00+01:00", "yesterday", "2026-01-05T12:00:00.Z1"):
        with pytest.raises(WireError):
            moment_ns(text)


# ------------------------------------------------------------------------------------------------- instruments

PAIRS = {
    "XXBTZUSD": {
        "altname": "XBTUSD", "wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 8, "tick_size": "0.5",
        "ordermin": "0.0001", "costmin": "0.5", "cost_decimals": 5,
    },
    "XXBTZUSD.d": {"altname": "XBTUSD.d", "wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 8},
}  # fmt: skip


def test_an_instrument_is_found_by_each_of_its_names() -> None:
    instruments = Instruments.from_asset_pairs(PAIRS)
    assert list(instruments) == ["BTC/USD"]
    for name in ("BTC/USD", "XBT/USD", "XBTUSD", "XXBTZUSD"):
        assert instruments.named(name) is instruments["BTC/USD"]
    with pytest.raises(SymbolError):
        instruments["ETH/USD"]


@given(st.integers(0, 10**9), st.integers(0, 10**12))
def test_ticks_and_lots_come_back_from_what_the_wire_prints(ticks: int, lots: int) -> None:
    instrument = Instruments.from_asset_pairs(PAIRS)["BTC/USD"]
    assert instrument.ticks(instrument.price_text(ticks)) == ticks
    assert instrument.ticks(instrument.price_text(ticks) + "0000") == ticks
    assert instrument.lots(instrument.qty_text(lots)) == lots


@pytest.mark.parametrize("price", ["100.3", "100.25", "x", "1e99"])
def test_a_price_off_the_grid_is_refused(price: str) -> None:
    with pytest.raises(WireError):
        Instruments.from_asset_pairs(PAIRS)["BTC/USD"].ticks(price)


def test_a_row_that_is_no_pair_is_named() -> None:
    with pytest.raises(DataError, match="row XXBTZUSD"):
        Instruments.from_asset_pairs({"XXBTZUSD": {"wsname": "XBT/USD", "altname": "XBTUSD"}})
