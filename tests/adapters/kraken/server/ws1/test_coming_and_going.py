"""Clients of WebSocket v1 that come, subscribe, leave channels and go in any order (websocket-v1: subscriptionstatus,
unsubscribe, book): each hears what it asked for, whole, and nothing is left of those who are gone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kraken.profile import PROFILE
from framework.data.synthetic import synthetic_market
from framework.protocol import LatencySpec
from framework.venue.account import AccountConfig
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec, VenueHost
from tests.adapters.kraken.server.ws1.rig import BookClient, Ws1
from tests.framework.venue.served.served_rig import SECOND, START

MARKET = synthetic_market(11, 20)
CHANNELS: list[dict[str, Any]] = [
    {"name": "book"}, {"name": "book", "depth": 25}, {"name": "trade"}, {"name": "ticker"}, {"name": "spread"},
    {"name": "ohlc"}, {"name": "ohlc", "interval": 5},
]  # fmt: skip
ACTIONS = ["subscribe", "unsubscribe", "by id", "all", "wait", "go"]


class Reader:
    """A client that knows by the statuses what it is subscribed to, and takes no other frame."""

    def __init__(self, ws1: Ws1) -> None:
        self.socket = ws1.socket()
        self.ids: dict[str, int] = {}
        self.books: dict[str, BookClient] = {}

    def read(self) -> None:
        for frame in self.socket.taken():
            self._apply(frame)

    def _apply(self, frame: Any) -> None:
        if isinstance(frame, list):
            channel_id, name = frame[0], frame[-2]
            assert self.ids[name] == channel_id, "a frame of a channel that it has not, or no longer"
            if name in self.books:
                book = self.books[name]
                assert ("as" in frame[1]) == (book.snapshots == 0), "a book begins with its snapshot, once"
                book.apply(frame)
        elif frame["event"] == "subscriptionStatus" and frame["status"] == "subscribed":
            name = frame["channelName"]
            assert name not in self.ids
            self.ids[name] = frame["channelID"]
            if name.startswith("book"):
                self.books[name] = BookClient(frame["subscription"]["depth"])
        elif frame["event"] == "subscriptionStatus" and frame["status"] == "unsubscribed":
            name = frame["channelName"]
            assert self.ids.pop(name) == frame["channelID"]
            self.books.pop(name, None)

    def do(self, action: str, channel: dict[str, Any]) -> None:
        pairs = {"pair": ["XBT/USD"]}
        match action:
            case "subscribe" | "unsubscribe":
                frames = self.socket.send(action, **pairs, subscription=channel)
            case "by id":
                frames = self.socket.send("unsubscribe", channelID=next(iter(self.ids.values()), 99))
            case _:
                frames = self.socket.send("unsubscribe", **pairs, subscription={"name": "*"})
        self.socket.frames = frames
        self.read()


@given(
    st.lists(
        st.tuples(st.sampled_from(ACTIONS), st.sampled_from(CHANNELS), st.integers(0, 1), st.integers(0, 300)),
        min_size=1,
        max_size=40,
    ),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_each_client_hears_what_it_asked_for_and_nothing_is_left_of_who_is_gone(
    steps: list[tuple[str, dict[str, Any], int, int]], is_slow: bool
) -> None:
    feed = compile_latency(LatencySpec(kind="lognormal", median_us=120_000.0, sigma=0.5))
    roads = {"ws1": RoadSpec(feed=feed)} if is_slow else {}
    accounts = [AccountConfig(name="a0", balances={"USD": Decimal(1), "BTC": Decimal(1)}, tier="pro")]
    ws1 = Ws1(served=VenueHost(PROFILE, [MARKET], accounts, START, roads=roads))
    readers = [Reader(ws1), Reader(ws1)]
    for action, channel, number, wait_ms in steps:
        if action == "go":
            readers[number].socket.connection.closed()
            readers[number] = Reader(ws1)
        elif action != "wait":
            readers[number].do(action, channel)
        ws1.host.run_until(ws1.host.now_ns + wait_ms * SECOND // 1000)
        for reader in readers:
            reader.read()
    for reader in readers:
        reader.socket.connection.closed()
        reader.socket.frames.clear()
    ws1.host.run_until(ws1.host.now_ns + 3 * SECOND)
    assert [reader.socket.taken() for reader in readers] == [[], []]
    assert not ws1.host.books["BTC/USD"].is_listened_to
    assert list(ws1.gateway.connections) == []
