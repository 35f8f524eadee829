"""The host: time, lines, paths, market without end; the same venue as in a backtest."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from adapters.kraken.profile import PROFILE
from framework.data.columns import ADD, DELETE, TRADE
from framework.data.synthetic import synthetic_market
from framework.errors import ConfigError
from framework.messages import AddOrder, CancelOrder, Command, CommandAccepted, ExecType, ExecutionReport
from framework.protocol import BUY, SELL, LatencySpec, OrderType, VenueMode
from framework.venue.account import AccountConfig
from framework.venue.exchange import Venue
from framework.venue.kernel import MatchingKernel, StopReason
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec, VenueHost
from framework.venue.served.market import market_from
from tests.framework.venue.served.served_rig import SECOND, START, TRADING, Client, hand_market, host, order


def executions(client: Client) -> list[tuple[ExecType, int]]:
    return [(report.exec_type, report.last_lots) for _, report in client.heard if isinstance(report, ExecutionReport)]


def test_a_command_acts_within_the_call_where_there_is_no_latency() -> None:
    served = host()
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, 1001, 10))
    assert client.names() == ["CommandAccepted", "ExecutionReport", "ExecutionReport"]  # pending new, new
    assert served.books["BTC/USD"].best(BUY) == (1001, 10)


def test_a_resting_order_is_filled_by_the_market_when_its_time_has_come() -> None:
    served = host(TRADING)
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, 999, 20))
    served.run_until(START + 2 * SECOND - 1)
    assert executions(client)[-1][0] is ExecType.NEW
    served.run_until(START + 2 * SECOND)
    assert executions(client)[-1] == (ExecType.TRADE, 20)
    assert client.heard[-1][0] == START + 2 * SECOND


def test_messages_take_the_latency_of_their_path_each_way() -> None:
    latency = compile_latency(LatencySpec(kind="constant", median_us=3_000.0))
    served = host(roads={"ws2": RoadSpec(command=latency, response=latency)})
    client = Client(served)
    served.run_until(START + 1)
    served.submit(client.line_id, order(served, BUY, 1001, 10))
    served.run_until(START + 10_000_000)
    heard = [at_ns - START for at_ns, report in client.heard if isinstance(report, (CommandAccepted, ExecutionReport))]
    assert heard == [6_000_001] * 3
    assert client.heard[-1][1].ts_venue_ns == START + 3_000_001


def test_a_question_takes_the_paths_too_and_is_put_at_the_engine() -> None:
    latency = compile_latency(LatencySpec(kind="constant", median_us=1_000.0))
    served = host(roads={"ws2": RoadSpec(command=latency, response=latency)})
    client = Client(served)
    asked: list[int] = []
    answered: list[tuple[int, int]] = []
    served.ask(
        client.line_id,
        lambda: asked.append(served.now_ns) or 7,
        lambda answer: answered.append((served.now_ns, answer)),
    )
    served.run_until(START + SECOND)
    assert asked == [START + 1_000_000]
    assert answered == [(START + 2_000_000, 7)]


def test_what_is_on_the_way_to_a_client_that_is_gone_is_lost_and_its_command_is_carried_out() -> None:
    latency = compile_latency(LatencySpec(kind="constant", median_us=1_000.0))
    served = host(roads={"ws2": RoadSpec(command=latency, response=latency)})
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, 1001, 10))
    served.run_until(START + 1_500_000)
    served.drop_line(client.line_id)
    heard = len(client.heard)
    served.run_until(START + SECOND)
    assert len(client.heard) == heard
    assert served.books["BTC/USD"].best(BUY) == (1001, 10)


def test_two_accounts_trade_with_each_other_and_the_trade_is_printed_once() -> None:
    served = host()
    first, second = Client(served, account="a0"), Client(served, account="a1")
    served.submit(first.line_id, order(served, BUY, 1001, 10))
    before = len(served.tapes["BTC/USD"].trades)
    served.submit(second.line_id, order(served, SELL, 1001, 4))
    assert executions(first)[-1] == executions(second)[-1] == (ExecType.TRADE, 4)
    printed = list(served.tapes["BTC/USD"].trades)[before:]
    assert [(trade.price_ticks, trade.qty_lots, trade.side) for trade in printed] == [(1001, 4, SELL)]


def test_market_quantity_that_runs_into_a_client_order_is_printed_although_the_market_tells_no_trade() -> None:
    served = host([(1, ADD, SELL, 1001, 6, 3), (9, ADD, SELL, 1005, 1, 4)])
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, 1001, 10))
    before = len(served.tapes["BTC/USD"].trades)
    served.run_until(START + SECOND)
    assert executions(client)[-1] == (ExecType.TRADE, 6)
    printed = list(served.tapes["BTC/USD"].trades)[before:]
    assert [(trade.price_ticks, trade.qty_lots, trade.side) for trade in printed] == [(1001, 6, SELL)]


def test_a_trade_of_the_market_that_fills_a_client_is_printed_once() -> None:
    served = host(TRADING)
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, 999, 20))
    before = len(served.tapes["BTC/USD"].trades)
    served.run_until(START + 2 * SECOND)
    printed = list(served.tapes["BTC/USD"].trades)[before:]
    assert [(trade.price_ticks, trade.qty_lots) for trade in printed] == [(1000, 100), (999, 30)]


# ------------------------------------------------------------------------------------------------ a market without end


def test_the_market_begins_again_a_second_after_its_last_row() -> None:
    served = host(TRADING)
    span_ns = 4 * SECOND
    served.run_until(START + span_ns + SECOND - 1)
    assert served.books["BTC/USD"].best(BUY) == (999, 50)
    served.run_until(START + span_ns + SECOND)
    assert served.books["BTC/USD"].best(BUY) == (1000, 100)


def test_an_order_that_rests_through_the_end_of_the_market_is_behind_the_snapshot_and_ahead_of_what_comes_later() -> (
    None
):
    rows = [
        (1, DELETE, SELL, 1002, 100, 2),
        (2, ADD, SELL, 1002, 7, 3),
        (3, TRADE, BUY, 1002, 5, 3),
        (4, DELETE, SELL, 1002, 7, 3),
    ]
    served = host(rows)
    client = Client(served)
    served.run_until(START + round(2.5 * SECOND))
    served.submit(client.line_id, order(served, SELL, 1002, 10))
    slot = served.venue.resting_orders()[0].slot
    assert served.kernel.ahead(slot) == 7
    served.run_until(START + round(3.5 * SECOND))
    assert executions(client)[-1][0] is ExecType.NEW  # the trade of 5 was ahead
    served.run_until(START + 5 * SECOND)
    assert served.kernel.ahead(slot) == 100  # the snapshot's order
    served.run_until(START + 6 * SECOND)
    assert served.kernel.ahead(slot) == 0
    served.run_until(START + round(7.5 * SECOND))
    assert served.kernel.ahead(slot) == 0  # order 3 has joined behind
    served.run_until(START + 8 * SECOND)
    assert executions(client)[-1] == (ExecType.TRADE, 5)


def test_it_plays_the_same_trades_in_each_pass() -> None:
    served = host(TRADING)
    served.run_until(START + 20 * SECOND)
    shape = [(trade.price_ticks, trade.qty_lots) for trade in served.tapes["BTC/USD"].trades]
    assert shape[:2] == [(1000, 100), (999, 30)]  # the past
    assert shape == shape[:2] * (len(shape) // 2)
    assert len(shape) == 2 * 5


def test_rewinding_rows_that_are_not_played_yet_is_refused() -> None:
    market = market_from(hand_market(TRADING), START)
    kernel = MatchingKernel([market])
    with pytest.raises(ValueError, match="rows left to play"):
        kernel.rewind(0, START)


# --------------------------------------------------------------------------------------- the same venue as in process


def _commands(seed: int, count: int) -> list[tuple[int, Command]]:
    chance = random.Random(seed)
    commands: list[tuple[int, Command]] = []
    at_ns = START
    for number in range(1, count + 1):
        at_ns += chance.randrange(1, 400_000_000)
        if chance.random() < 0.3:
            commands.append((at_ns, CancelOrder(request_id=number, cl_ord_id=f"c{chance.randrange(1, number + 1)}")))
            continue
        side = chance.randrange(2)
        away = chance.randrange(-20, 40)
        commands.append(
            (
                at_ns,
                AddOrder(
                    request_id=number,
                    cl_ord_id=f"c{number}",
                    symbol="BTC/USD",
                    side=side,
                    order_type=OrderType.LIMIT,
                    qty_lots=chance.randrange(10_000, 30_000_000),
                    limit_ticks=897_000 - away if side == BUY else 897_000 + away,
                ),
            )
        )
    return commands


@pytest.mark.parametrize("seed", range(6))
def test_the_same_commands_at_the_same_times_give_the_same_fills_served_and_in_process(seed: int) -> None:
    market = synthetic_market(seed, 60)
    account = AccountConfig(name="a0", balances={"USD": Decimal(10**9), "BTC": Decimal(10**6)}, tier="pro")
    commands = _commands(seed, 120)
    served = VenueHost(PROFILE, [market], [account], START)
    client = Client(served)
    for at_ns, command in commands:
        served.run_until(at_ns)
        served.submit(client.line_id, command)
    served.run_until(START + 59 * SECOND)
    fills = [report for _, report in client.heard if isinstance(report, ExecutionReport)]

    kernel = MatchingKernel([market_from(market, START)])
    venue = Venue(PROFILE, kernel, [market.spec], [account])
    venue.connect("line", "a0", "ws2", START, is_news_subscribed=True)
    for at_ns, command in [*commands, (START + 59 * SECOND, None)]:
        while at_ns > kernel.now_ns and kernel.advance(at_ns) in (StopReason.FILL, StopReason.TRIGGER):
            venue.on_kernel_stop(kernel.now_ns)
        if command is not None:
            venue.handle("line", command, at_ns)
    plain = [outbound.report for outbound in venue.outbox if isinstance(outbound.report, ExecutionReport)]
    assert any(report.exec_type is ExecType.TRADE for report in plain)
    assert fills == plain
    served.venue.check_invariants()


# ---------------------------------------------------------------------------------------------------------- mistakes


def test_a_line_of_no_account_is_refused_and_leaves_nothing() -> None:
    served = host()
    with pytest.raises(ConfigError, match="no account 'nobody'"):
        Client(served, account="nobody")
    assert served.lines() == []


def test_a_line_id_that_is_in_use_is_refused_and_the_line_that_has_it_stays() -> None:
    served = host()
    first = Client(served, line_id="one")
    with pytest.raises(ConfigError, match="'one' is up already"):
        Client(served, account="a1", line_id="one")
    served.submit("one", order(served, BUY, 999, 10))
    assert first.names() == ["CommandAccepted", "ExecutionReport", "ExecutionReport"]
    served.drop_line("one")
    assert served.lines() == []
    Client(served, line_id="one")


def test_the_mode_of_a_pair_is_the_venues_where_that_is_not_online() -> None:
    served = host()
    served.set_mode(VenueMode.POST_ONLY, "BTC/USD")
    assert (served.mode, served.mode_of("BTC/USD")) == (VenueMode.ONLINE, VenueMode.POST_ONLY)
    served.set_mode(VenueMode.CANCEL_ONLY, None)
    assert served.mode_of("BTC/USD") is VenueMode.CANCEL_ONLY


def test_each_change_of_mode_is_told_to_who_listens() -> None:
    served = host()
    told: list[str | None] = []
    served.listen_mode(told.append)
    served.set_mode(VenueMode.POST_ONLY, "BTC/USD")
    served.set_mode(VenueMode.CANCEL_ONLY, None)
    assert told == ["BTC/USD", None]


def test_where_messages_overtake_news_of_one_line_keep_their_order_and_answers_do_not() -> None:
    latency = compile_latency(LatencySpec(kind="lognormal", median_us=10_000.0, sigma=1.0))
    served = host(roads={"ws2": RoadSpec(response=latency, is_reordered=True)})
    client = Client(served)
    for _ in range(40):
        served.submit(client.line_id, order(served, BUY, 1000, 1))
        served.run_until(served.now_ns + SECOND // 1000)
    served.run_until(served.now_ns + 2 * SECOND)
    news = [report.ts_venue_ns for _, report in client.heard if isinstance(report, ExecutionReport)]
    answers = [report.ts_venue_ns for _, report in client.heard if isinstance(report, CommandAccepted)]
    assert (len(news), len(answers)) == (80, 40)
    assert news == sorted(news)
    assert answers != sorted(answers)


def test_a_command_may_be_made_at_the_engine_of_what_is_known_there_when_it_arrives() -> None:
    latency = compile_latency(LatencySpec(kind="constant", median_us=1_000.0))
    served = host(roads={"ws2": RoadSpec(command=latency)})
    client = Client(served)
    made: list[int] = []

    def make() -> AddOrder:
        made.append(served.now_ns)
        return order(served, BUY, 1000, 7)

    served.submit_made(client.line_id, make, made.append)
    assert made == []
    served.run_until(START + SECOND)
    assert made == [START + 1_000_000]
    assert len(served.records.orders_open("a0")) == 1


def test_what_is_no_command_comes_back_as_an_answer_over_both_ways() -> None:
    latency = compile_latency(LatencySpec(kind="constant", median_us=1_000.0))
    served = host(roads={"ws2": RoadSpec(command=latency, response=latency)})
    client = Client(served)
    answers: list[tuple[int, str]] = []
    served.submit_made(client.line_id, lambda: "no", lambda text: answers.append((served.now_ns, text)))
    served.run_until(START + SECOND)
    assert answers == [(START + 2_000_000, "no")]
    without = host()
    client = Client(without)
    without.submit_made(client.line_id, lambda: "no", lambda text: answers.append((without.now_ns, text)))
    assert answers[1:] == [(START, "no")]


def lines_of(served: VenueHost) -> set[str]:
    return set(served.venue._gateway.lines)


def test_nothing_is_left_of_connections_that_have_gone() -> None:
    served = host()
    for number in range(50):
        client = Client(served, label=("ws2", "rest", "fix")[number % 3], line_id=f"line {number}")
        served.drop_line(client.line_id)
    assert lines_of(served) == set()


def test_a_line_that_has_gone_is_known_until_what_it_sent_has_arrived() -> None:
    latency = compile_latency(LatencySpec(kind="constant", median_us=1_000.0))
    served = host(roads={"ws2": RoadSpec(command=latency)})
    client = Client(served)
    for _ in range(2):
        served.submit(client.line_id, order(served, BUY, 1000, 7))
        served.run_until(served.now_ns + SECOND // 2_000)
    served.drop_line(client.line_id)
    assert lines_of(served) == {client.line_id}
    again = Client(served)
    served.run_until(START + SECOND)
    assert len(served.records.orders_open("a0")) == 2
    assert lines_of(served) == {again.line_id}
    served.drop_line(again.line_id)
    assert lines_of(served) == set()
