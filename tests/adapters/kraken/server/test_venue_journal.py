"""The options that begin and resume a venue's journal."""

from __future__ import annotations

import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.control.served_faults import ServedFaults
from adapters.kraken.server.fix.gateway import FixGateway
from adapters.kraken.server.rest.gateway import RestGateway
from adapters.kraken.server.rest.public_limits import PublicLimits
from adapters.kraken.server.shell.journal import VenueJournal
from adapters.kraken.server.shell.peers import Peers
from adapters.kraken.server.shell.pump import Pump
from adapters.kraken.server.shell.serve import ServeOptions, build_context
from framework.data.imports import ImportedMarket
from framework.data.store import write_store
from framework.errors import ConfigError
from framework.protocol import BUY, VenueMode
from framework.venue.faults import FaultSection
from framework.venue.served.clock import VenueClock
from framework.venue.served.market import market_from
from tests.framework.venue.served.served_rig import QUIET, SECOND, START, TRADING, Client, hand_market, order


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return write(tmp_path / "store", QUIET)


def write(path: Path, rows: Any) -> Path:
    write_store(path, [ImportedMarket(market=market_from(hand_market(rows), START), source="made")], is_replacing=True)
    return path


def start(now_ns: int = 10**18, **options: Any) -> tuple[VenueJournal, ServerContext, Pump, str]:
    """A venue that has been opened, as ``serve`` opens it."""
    journal, context, pump, said, _ = started(now_ns, **options)
    return journal, context, pump, said


def started(
    now_ns: int = 10**18, **options: Any
) -> tuple[VenueJournal, ServerContext, Pump, str, tuple[ServedFaults, Peers]]:
    """As ``start``, with the faults and the connections that they cut."""
    journal = VenueJournal(ServeOptions(**options), now_ns)
    context, _ = build_context(journal.options, journal.start_ns, known_keys=journal.keys)
    pump = Pump(context.host, VenueClock(time.monotonic_ns(), context.host.now_ns, journal.options.speed))
    RestGateway(context, PublicLimits(0))
    peers = Peers(10)
    faults = ServedFaults(context.host, peers, {})
    said = journal.open(context, FixGateway(context, {}), pump, faults)
    return journal, context, pump, said, (faults, peers)


def test_a_resumed_venue_is_what_its_journal_says(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "j"
    first, context, _, said = start(
        journal=path, market=str(store), seed=7, tier="starter", balances={"USD": Decimal(5)}
    )
    assert said == f"{path}, a new one"
    first.close()
    second, again, _, said = start(journal=path, is_resumed=True)
    assert said.startswith(f"{path}, resumed after ")
    assert [(key.key, key.secret.reveal()) for key in again.keys] == [
        (key.key, key.secret.reveal()) for key in context.keys
    ]
    assert (second.options.seed, second.options.tier) == (7, "starter")
    assert again.host.records.balances("account-1")["USD"] == (Decimal(5), Decimal(0))
    assert second.start_ns == 10**18
    second.close()


def test_a_folder_holds_the_journal_under_its_own_name(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    start(journal=folder, market=str(store))[0].close()
    assert [each.name for each in folder.iterdir()] == ["venue.journal"]
    start(journal=folder, is_resumed=True)[0].close()


def test_keys_of_a_file_are_in_the_journal_with_all_that_they_may(store: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(
        '[[keys]]\naccount = "main"\napi_key = "K"\napi_secret = "c2VjcmV0"\npermissions = ["query-funds"]\n'
        'otp = "123"\nnonce_window = 9\nip_allowlist = ["127.0.0.0/8"]\nvalid_until_s = 99\n'
    )
    start(journal=tmp_path / "j", market=str(store), keys=keys)[0].close()
    keys.unlink()
    journal, context, _, _ = start(journal=tmp_path / "j", is_resumed=True)
    (key,) = context.keys
    assert (key.account, key.key, key.secret.reveal(), key.permissions) == ("main", "K", "c2VjcmV0", {"query-funds"})
    assert (key.nonce_window, key.ip_allowlist, key.valid_until_s, key.is_otp("123")) == (9, ("127.0.0.0/8",), 99, True)
    journal.close()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"seed": 8}, "--seed: the venue of .* was begun with another; leave the option out"),
        ({"tier": "starter"}, "--tier: the venue of"),
        ({"latency": "cloud"}, "--latency: the venue of"),
        ({"is_reordered": True}, "--reorder: the venue of"),
        ({"balances": {"USD": Decimal(1)}}, "--balances: the venue of"),
        ({"account_count": 5}, "--accounts: the venue of .* has its own"),
        ({"keys": Path("k")}, "--keys: the venue of .* has its own"),
    ],
)
def test_an_option_that_says_otherwise_is_refused(store: Path, tmp_path: Path, options: Any, problem: str) -> None:
    start(journal=tmp_path / "j", market=str(store), seed=7)[0].close()
    with pytest.raises(ConfigError, match=problem):
        start(journal=tmp_path / "j", is_resumed=True, **options)


def test_an_option_that_says_the_same_is_taken(store: Path, tmp_path: Path) -> None:
    start(journal=tmp_path / "j", market=str(store), seed=7)[0].close()
    start(journal=tmp_path / "j", is_resumed=True, market=str(store), seed=7)[0].close()


def test_another_market_under_the_same_name_is_refused(store: Path, tmp_path: Path) -> None:
    start(journal=tmp_path / "j", market=str(store))[0].close()
    write(store, TRADING)
    with pytest.raises(ConfigError, match=r"is not the market any more that the venue of .* was begun with"):
        start(journal=tmp_path / "j", is_resumed=True)


def test_resuming_needs_a_journal() -> None:
    with pytest.raises(ConfigError, match="--resume needs the journal"):
        VenueJournal(ServeOptions(is_resumed=True), 0)


def test_the_time_that_the_venue_was_down_has_passed_at_its_speed(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall_ns = 2 * 10**18
    monkeypatch.setattr(time, "time_ns", lambda: wall_ns)
    journal, context, _, _ = start(journal=tmp_path / "j", market=str(store))
    client = Client(context.host, account="account-1")
    context.host.submit(client.line_id, order(context.host, BUY, 900, 10))
    context.host.run_until(10**18 + 7 * SECOND)
    journal.close()
    wall_ns += 100 * SECOND
    journal, context, pump, _ = start(journal=tmp_path / "j", is_resumed=True, speed=Fraction(3))
    assert context.host.now_ns == 10**18 + 307 * SECOND
    assert 0 <= pump.clock.venue_ns(time.monotonic_ns()) - context.host.now_ns < 60 * SECOND
    assert len(context.host.records.orders_open("account-1")) == 1
    assert context.host.lines() == []
    journal.close()


def test_time_in_which_the_venue_was_paused_does_not_count_as_down(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall_ns = 2 * 10**18
    monkeypatch.setattr(time, "time_ns", lambda: wall_ns)
    journal, _, pump, _ = start(journal=tmp_path / "j", market=str(store))
    for _ in range(100):
        wall_ns += SECOND
        for beat in pump.on_beat:
            beat(wall_ns)
    journal.close()
    wall_ns += 5 * SECOND
    journal, context, _, _ = start(journal=tmp_path / "j", is_resumed=True)
    assert context.host.now_ns == 10**18 + 5 * SECOND
    journal.close()


def test_a_torn_end_is_told_of(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "j"
    start(journal=path, market=str(store))[0].close()
    path.write_bytes(path.read_bytes()[:-2])
    journal, _, _, _ = start(journal=path, is_resumed=True)
    journal.close()
    assert "its last record was torn (" in capsys.readouterr().err


def test_no_secret_is_in_a_text_about_a_journal(store: Path, tmp_path: Path) -> None:
    journal, context, _, said = start(journal=tmp_path / "j", market=str(store))
    secrets = [key.secret.reveal() for key in context.keys]
    texts = (said, repr(journal), repr(journal._journal), repr(journal.options))
    assert journal._journal is not None
    assert not any(secret in text for secret in secrets for text in (*texts, repr(journal._journal.header)))
    journal.close()


# -------------------------------------------------------------------------------------------------------------- faults


def fault(**fields: Any) -> FaultSection:
    return FaultSection(**{"at_s": 0, **fields})


def test_a_mode_of_a_fault_lasts_over_a_restart_and_ends_in_its_time(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "j"
    first, context, _, _, (faults, _) = started(journal=path, market=str(store))
    faults.add(fault(kind="mode", mode="maintenance", for_s=3600))
    context.host.run_until(context.host.now_ns + 60 * SECOND)
    assert context.host.mode is VenueMode.MAINTENANCE
    first.close()
    second, again, _, _, (recalled, _) = started(journal=path, is_resumed=True)
    assert again.host.mode is VenueMode.MAINTENANCE
    assert [each.state(again.host.now_ns) for each in recalled.known] == ["lasts"]
    again.host.run_until(10**18 + 3601 * SECOND)
    assert again.host.mode is VenueMode.ONLINE
    second.close()


def test_a_fault_that_is_to_come_comes_after_a_restart(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "j"
    first, _, _, _, (faults, _) = started(journal=path, market=str(store))
    faults.add(fault(kind="mode", mode="post_only", symbol="BTC/USD", at_s=3600))
    first.close()
    second, again, _, _, _ = started(journal=path, is_resumed=True)
    assert again.host.mode_of("BTC/USD") is VenueMode.ONLINE
    again.host.run_until(10**18 + 3601 * SECOND)
    assert again.host.mode_of("BTC/USD") is VenueMode.POST_ONLY
    second.close()
    third, last, _, _, _ = started(journal=path, is_resumed=True)
    assert last.host.mode_of("BTC/USD") is VenueMode.POST_ONLY
    third.close()


def test_a_protocol_that_a_fault_has_cut_off_stays_so_over_a_restart(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "j"
    first, context, _, _, (faults, _) = started(journal=path, market=str(store))
    faults.add(fault(kind="drop", link="ws2", for_s=3600))
    context.host.run_until(context.host.now_ns + SECOND)
    first.close()
    second, again, _, _, (_, peers) = started(journal=path, is_resumed=True)
    assert (peers.is_shut("ws_v2"), peers.is_shut("fix_trading")) == (True, False)
    again.host.run_until(10**18 + 3601 * SECOND)
    assert not peers.is_shut("ws_v2")
    second.close()


def test_a_mode_set_by_hand_is_what_a_fault_ends_in_after_a_restart_too(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "j"
    first, context, _, _, (faults, _) = started(journal=path, market=str(store))
    faults.set_mode_by_hand(VenueMode.LIMIT_ONLY, None)
    faults.add(fault(kind="mode", mode="cancel_only", for_s=3600))
    context.host.run_until(context.host.now_ns + SECOND)
    assert context.host.mode is VenueMode.CANCEL_ONLY
    first.close()
    second, again, _, _, _ = started(journal=path, is_resumed=True)
    again.host.run_until(10**18 + 3601 * SECOND)
    assert again.host.mode is VenueMode.LIMIT_ONLY
    second.close()


def test_a_fault_that_was_ended_by_hand_stays_ended(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "j"
    first, context, _, _, (faults, _) = started(journal=path, market=str(store))
    faults.add(fault(kind="mode", mode="maintenance", for_s=3600))
    context.host.run_until(context.host.now_ns + SECOND)
    faults.set_mode_by_hand(VenueMode.ONLINE, None)
    first.close()
    second, again, _, _, (recalled, _) = started(journal=path, is_resumed=True)
    assert again.host.mode is VenueMode.ONLINE
    recalled.set_mode_by_hand(VenueMode.POST_ONLY, None)
    again.host.run_until(10**18 + 3601 * SECOND)
    assert again.host.mode is VenueMode.POST_ONLY
    second.close()
