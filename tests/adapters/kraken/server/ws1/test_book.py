"""The book of WebSocket v1 (websocket-v1/book, guides/spot-ws-book-v1): a client that keeps it as the guide says finds
every checksum right, whatever happens in it and at whatever depth it looks."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.kraken.captures_ws1 import WS1_OPTIONS, import_ws1
from adapters.kraken.profile import PROFILE
from adapters.kraken.server.pairs import ws1_decimals
from adapters.kraken.wire.digits import book_checksum
from framework.data.columns import ADD, DELETE, Market
from framework.data.synthetic import DEFAULT, synthetic_market
from framework.protocol import BUY, SELL, InstrumentSpec, LatencySpec
from framework.venue.account import AccountConfig
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec, VenueHost
from tests.adapters.kraken.server.ws1.rig import BookClient, Socket, Ws1
from tests.captures import require_capture
from tests.framework.venue.served.served_rig import SECOND, START

MONEY = {asset: Decimal(10**9) for asset in ("BTC", "ETH", "EUR", "USD")}
DEPTHS = [10, 25, 100, 500, 1000]


def served(*markets: Market, **options: Any) -> Ws1:
    accounts = [AccountConfig(name="a0", balances=MONEY, tier="pro")]
    return Ws1(served=VenueHost(PROFILE, list(markets), accounts, START, **options))


def market_of(symbol: str, tick_size: str, seed: int = 1, start_ticks: int = 897_000) -> Market:
    spec = InstrumentSpec(symbol=symbol, venue="synthetic", tick_size=tick_size, lot_size="0.00000001")
    return synthetic_market(seed, 20, msgspec.structs.replace(DEFAULT, spec=spec, start_price_ticks=start_ticks))


def books(frames: list[Any]) -> list[Any]:
    return [frame for frame in frames if isinstance(frame, list) and frame[-2].startswith("book")]


def trade_at_random(ws1: Ws1, steps: int, seed: int, symbol: str = "BTC/USD") -> None:
    """Own orders come, take, rest and go in the book while the market goes on."""
    chance, trader, token = random.Random(seed), ws1.socket(), ws1.token()
    pair = ws1.context.pairs.by_symbol[symbol]
    for _ in range(steps):
        ws1.host.run_until(ws1.host.now_ns + chance.randrange(200_000_000))
        side = chance.randrange(2)
        best = ws1.host.books[symbol].best(side)
        assert best is not None
        away = chance.randrange(-8, 40)
        price = pair.price(best[0] - away if side == BUY else best[0] + away)
        trader.send(
            "addOrder", token=token, pair=pair.names.ws1, type=["buy", "sell"][side], ordertype="limit",
            volume=f"0.{chance.randrange(1, 500):03d}", price=price,
        )  # fmt: skip
        if chance.random() < 0.2:
            trader.send("cancelAll", token=token)


def truth(ws1: Ws1, depth: int) -> dict[str, dict[str, str]]:
    """The public book, as a client that kept it has it."""
    pair, book = ws1.context.pairs.by_symbol["BTC/USD"], ws1.host.books["BTC/USD"]
    sides = {"a": book.levels(SELL, depth), "b": book.levels(BUY, depth)}
    return {
        name: {pair.price(ticks, pair.ws1_decimals): pair.qty(lots) for ticks, lots in levels}
        for name, levels in sides.items()
    }


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_client_that_keeps_the_book_finds_every_checksum_right_and_every_level_there(depth: int) -> None:
    ws1 = served(synthetic_market(depth, 20))
    reader, client = ws1.socket(), BookClient(depth)
    frames = books(reader.subscribe("book", depth=depth))
    for part in range(8):
        trade_at_random(ws1, 15, depth + part)
        for frame in frames + books(reader.taken()):
            client.apply(frame)
        frames = []
        assert client.sides == truth(ws1, depth)
    assert (client.snapshots, client.checked > 300) == (1, True)
    if depth <= 25:
        assert client.republished > 20


@pytest.mark.parametrize("depth", [10, 25])
def test_a_client_that_drops_what_is_too_many_at_each_level_keeps_the_same_book(depth: int) -> None:
    ws1 = served(synthetic_market(depth, 20))
    reader, client = ws1.socket(), BookClient(depth, is_eager=True)
    frames = books(reader.subscribe("book", depth=depth))
    trade_at_random(ws1, 60, depth)
    for frame in frames + books(reader.taken()):
        client.apply(frame)
    assert client.checked > 150


@pytest.mark.parametrize(
    ("symbol", "tick_size", "printed"), [("ETH/BTC", "0.00001", "0.1234500"), ("ETH/EUR", "0.01", "123.45000")]
)
def test_prices_have_more_digits_than_the_grid_and_checksums_are_of_them(
    symbol: str, tick_size: str, printed: str
) -> None:
    ws1 = served(market_of(symbol, tick_size, start_ticks=12_345))
    reader, client = ws1.socket(), BookClient(10)
    frames = books(reader.subscribe("book", ws1.context.pairs.by_symbol[symbol].names.ws1))
    trade_at_random(ws1, 40, 1, symbol)
    for frame in frames + books(reader.taken()):
        client.apply(frame)
    assert client.checked > 100
    digits = {len(price.partition(".")[2]) for side in client.sides.values() for price in side}
    assert digits == {len(printed.partition(".")[2])}


def test_several_depths_and_pairs_are_told_side_by_side_on_one_connection() -> None:
    ws1 = served(market_of("BTC/USD", "0.1"), market_of("ETH/USD", "0.01", 2))
    reader = ws1.socket()
    clients = {(pair, depth): BookClient(depth) for pair in ("XBT/USD", "ETH/USD") for depth in (10, 25)}
    frames = [frame for depth in (10, 25) for frame in reader.subscribe("book", "XBT/USD", "ETH/USD", depth=depth)]
    trade_at_random(ws1, 30, 3)
    for frame in books(frames + reader.taken()):
        clients[frame[-1], int(frame[-2].removeprefix("book-"))].apply(frame)
    assert all(client.snapshots == 1 and client.checked > 50 for client in clients.values())


def test_who_joins_a_book_whose_updates_are_on_their_way_begins_behind_them() -> None:
    road = RoadSpec(feed=compile_latency(LatencySpec(kind="constant", median_us=250_000.0)))
    ws1 = served(synthetic_market(3, 20), roads={"ws1": road})
    ws1.socket().subscribe("book")
    ws1.host.run_until(START + 5 * SECOND)
    late, client = ws1.socket(), BookClient(10)
    late.subscribe("book")
    ws1.host.run_until(START + 8 * SECOND)
    for frame in books(late.taken()):
        client.apply(frame)
    assert (client.snapshots, client.checked > 20) == (1, True)


def test_the_last_part_of_an_update_alone_has_the_checksum() -> None:
    socket = Ws1().socket()
    socket.subscribe("book")
    socket.add(price="100.2", volume="0.03")
    (frame,) = books(socket.taken())
    asks, bids = frame[1:-2]
    assert (sorted(asks), sorted(bids)) == (["a"], ["b", "c"])
    now = f"{START // SECOND}.000000"
    assert asks["a"] == [["100.20000", "0.00000000", now]]
    assert bids["b"] == [["100.20000", "0.02000000", now]]


# ------------------------------------------------------------------------------------------------------ times of levels

# Ten bids behind the best one, from 99.8 down to 98.0, which is out of view until one of the others goes.
DEEP = [(0.5, ADD, BUY, 1000 - 2 * level, 10 * level, 2 + level) for level in range(1, 11)]


def test_a_level_that_comes_back_into_view_is_told_again_with_the_time_of_its_own_change() -> None:
    ws1 = Ws1([*DEEP, (3, DELETE, BUY, 1000, 100, 1), (9, ADD, SELL, 1100, 1, 13)])
    socket, client = ws1.socket(), BookClient(10)
    frames = books(socket.subscribe("book"))
    ws1.host.run_until(START + 2 * SECOND)
    frames += books(socket.taken())
    (last,) = run(ws1, socket, 4)
    assert last[1]["b"] == [
        ["100.00000", "0.00000000", f"{START // SECOND + 3}.000000"],
        ["98.00000", "0.01000000", f"{START // SECOND}.500000", "r"],
    ]
    for frame in [*frames, last]:
        client.apply(frame)


def test_a_level_that_changes_while_out_of_view_comes_back_with_that_time() -> None:
    grown = (2, ADD, BUY, 980, 5, 13)
    ws1 = Ws1([*DEEP, grown, (3, DELETE, BUY, 1000, 100, 1), (9, ADD, SELL, 1100, 1, 14)])
    socket = ws1.socket()
    socket.subscribe("book")
    assert len(run(ws1, socket, 1)) == 1
    assert run(ws1, socket, 2.5) == []
    (last,) = run(ws1, socket, 4)
    assert last[1]["b"][1] == ["98.00000", "0.01050000", f"{START // SECOND + 2}.000000", "r"]


def test_a_level_that_changes_as_it_comes_into_view_is_no_republication() -> None:
    better = (3, ADD, BUY, 1001, 5, 13)
    ws1 = Ws1([*DEEP, better, (9, ADD, SELL, 1100, 1, 14)])
    socket = ws1.socket()
    socket.subscribe("book")
    run(ws1, socket, 1)
    (last,) = run(ws1, socket, 4)
    assert last[1]["b"] == [["100.10000", "0.00050000", f"{START // SECOND + 3}.000000"]]


def run(ws1: Ws1, socket: Socket, until_s: float) -> list[Any]:
    """The frames of the book until a time, taken."""
    ws1.host.run_until(START + round(until_s * SECOND))
    return books(socket.taken())


# ---------------------------------------------------------------------------------------------------- the real exchange


def test_a_recording_of_the_venue_is_read_as_one_of_the_exchange(tmp_path: Path) -> None:
    ws1 = served(synthetic_market(7, 20))
    lines: list[str] = []
    socket = ws1.socket()

    def record(frames: list[Any]) -> None:
        now = ws1.host.now_ns
        lines.extend(f"{now // SECOND}.{now % SECOND // 1000:06d}\t{json.dumps(frame)}" for frame in frames)

    record(socket.subscribe("book", depth=1000))
    record(socket.subscribe("trade"))
    for tenth in range(1, 100):
        ws1.host.run_until(START + tenth * SECOND // 10)
        record(socket.taken())
    (tmp_path / "all.tsv").write_text("\n".join(lines) + "\n")
    (market,) = import_ws1(tmp_path, {option.name: option.default for option in WS1_OPTIONS})
    assert market.market.spec.symbol == "BTC/USD"
    assert market.statistics["snapshots"] == 1
    assert market.statistics["checksums_verified"] > 100
    assert market.statistics["checksums_failed"] == 0
    assert market.statistics["trades"] > 5


def test_the_published_book_has_its_published_checksum() -> None:
    """guides/spot-ws-book-v1, "Example"."""
    asks = [(5005 + 5 * level, 500) for level in range(10)]
    bids = [(price, 500) for price in (5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950)]
    assert book_checksum(asks, bids) == 974947235


def test_printed_digits_are_those_of_a_recording() -> None:
    """Of each pair of a recording: the decimals that its prices are printed with."""
    folder = require_capture("kraken-spot-ws1-2021-04")
    pairs = json.loads((folder / "AssetPairs.json").read_text())
    rows = (pairs.get("result") or pairs).values()
    decimals = {row["wsname"]: row["pair_decimals"] for row in rows if "wsname" in row}
    seen: dict[str, set[int]] = {}
    for line in (folder / "ticker.tsv").read_text().splitlines():
        frame = json.loads(line.partition("\t")[2])
        if isinstance(frame, list):
            seen.setdefault(frame[-1], set()).add(len(frame[1]["c"][0].partition(".")[2]))
    assert len(seen) == 7
    for name, printed in seen.items():
        quote = name.partition("/")[2].replace("XBT", "BTC")
        assert {ws1_decimals(decimals[name], quote)} == printed
