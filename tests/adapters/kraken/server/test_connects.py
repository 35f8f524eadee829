"""How often an address may connect, and how long a silent connection lives (guides/spot-ws-intro)."""

from __future__ import annotations

import pytest

from adapters.kraken.server.connects import ATTEMPTS_MAX, ConnectLimits
from tests.adapters.kraken.server.ws2_rig import Ws2
from tests.framework.venue.served.served_rig import SECOND, START

AWAY = "192.0.2.7"
MINUTE = 60 * SECOND


def test_an_address_connects_a_hundred_and_fifty_times_in_ten_minutes_and_is_banned_for_ten_by_one_more() -> None:
    limits = ConnectLimits()
    admitted = [limits.admits(AWAY, START + number) for number in range(ATTEMPTS_MAX + 1)]
    assert admitted == [True] * 150 + [False]
    banned_ns = START + ATTEMPTS_MAX
    assert not limits.admits(AWAY, banned_ns + 10 * MINUTE - 1)
    assert limits.admits(AWAY, banned_ns + 10 * MINUTE)


def test_the_ten_minutes_roll() -> None:
    limits = ConnectLimits(2)
    assert [limits.admits(AWAY, START + at * MINUTE) for at in (0, 9, 10, 12)] == [True, True, True, False]


def test_an_attempt_during_the_ban_makes_it_no_longer() -> None:
    limits = ConnectLimits(1)
    assert [limits.admits(AWAY, START + at * MINUTE) for at in (0, 1, 5, 10, 11)] == [True, False, False, False, True]


def test_addresses_are_counted_apart() -> None:
    limits = ConnectLimits(1)
    assert [limits.admits(address, START) for address in (AWAY, AWAY, "192.0.2.8", "2001:db8::1")] == [
        True, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1", "local"])
def test_this_machine_connects_as_often_as_it_likes_unless_a_number_is_given(address: str) -> None:
    limits, given = ConnectLimits(), ConnectLimits(1)
    assert all(limits.admits(address, START) for _ in range(1_000))
    assert [given.admits(address, START) for _ in range(2)] == [True, False]


def test_nought_is_any_number() -> None:
    limits = ConnectLimits(0)
    assert all(limits.admits(AWAY, START) for _ in range(1_000))


def test_the_addresses_that_tried_least_recently_are_forgotten_first() -> None:
    limits = ConnectLimits(1)
    for number in range(10_001):
        limits.admits(f"10.{number // 65_536}.{number // 256 % 256}.{number % 256}", START)
    assert not limits.admits("10.0.39.16", START)
    assert limits.admits("10.0.0.0", START)


def test_a_connection_without_a_subscription_is_closed_after_a_minute_without_a_request() -> None:
    ws2 = Ws2()
    silent, asking, subscribed = ws2.socket(), ws2.socket(), ws2.socket()
    subscribed.send("subscribe", channel="trade", symbol=["BTC/USD"])
    ws2.host.run_until(START + 59 * SECOND)
    asking.send("ping")
    ws2.host.run_until(START + 61 * SECOND)
    assert (silent.closed, asking.closed, subscribed.closed) == ([1000], [], [])
    ws2.host.run_until(START + 120 * SECOND)
    assert (silent.closed, asking.closed, subscribed.closed) == ([1000], [1000], [])
