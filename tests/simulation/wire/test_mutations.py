"""The simulation sees bugs: each of a list of deliberate ones does not hold in one of the first seeds.

``make mutations`` tells for each which seed caught it, and what did not hold there.
"""

from __future__ import annotations

import pytest

from tests.simulation.wire.mutations import MUTATIONS, caught_by

# Caught within a few seeds, each by something else.
_QUICK = {
    "a_fill_is_counted_each_time_that_it_is_told": "ended orders stay ended",
    "two_orders_have_one_name_on_the_wire": "what is concluded is so",
    "reach_is_forgotten_when_a_session_ends": "reach is announced",
    "a_cancel_over_fix_is_dropped": "no command is dropped",
    "a_nonce_is_used_twice": "no nonce is used twice",
    "a_number_of_a_fix_session_is_used_twice": "no sequence number is used twice",
    "the_venue_reorders_a_sticky_path": "a sticky path never reorders",
    "the_venue_gives_money_away": "the venue adds up",
}
# The first seed of those that take many: it is tried first.
_LATE = {
    "an_order_that_has_ended_with_trades_missing_is_not_asked_for": 148,
    "a_message_that_is_sent_again_is_heard_again": 43,
    "the_silence_of_a_line_is_not_noticed": 65,
    "what_was_not_received_is_sent_again_when_a_session_resumes": 62,
    "an_end_does_not_wait_for_the_fills_before_it": 123,
}


@pytest.mark.parametrize("name", _QUICK)
def test_a_deliberate_bug_is_caught_at_once_by_what_it_breaks(name: str) -> None:
    error = caught_by(name, 10)
    assert error is not None
    assert error.broken == _QUICK[name]
    assert f"make simulate SEEDS=1 FIRST_SEED={error.seed}" in str(error)


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTATIONS)
def test_each_deliberate_bug_is_caught_by_some_seed(name: str) -> None:
    assert caught_by(name, 1, _LATE.get(name, 1)) or caught_by(name)
