"""`tidegate data download` against the served venue over real sockets: the store is the venue's own tape.

Pages: rest-api/get-recent-trades, guides/spot-rest-ratelimits.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import ClientSession, web

from framework.data.columns import TRADE, Market
from framework.data.downloads import partial_path
from framework.data.imports import ImportedMarket
from framework.data.store import Store, write_store
from framework.data.synthetic import synthetic_market
from tests.conformance.served_venue import CHECKOUT, served_venue

pytestmark = pytest.mark.slow

# Long enough for four pages; a third of its trades stand in one instant with another.
DURATION_S = 3000
WAIT_S = 60


@pytest.fixture(scope="module")
def market() -> Market:
    return synthetic_market(3, DURATION_S)


@pytest.fixture(scope="module")
def venue(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("venue")
    write_store(folder / "market", [ImportedMarket(market=market, source="made")])
    with served_venue(folder, "--market", str(folder / "market")) as ready:
        yield ready


def command(host: str, store: Path, *options: str) -> list[str]:
    words = ["data", "download", "BTC/USD", "--from", "2020-01-01", "--out", str(store), "--host", host]
    return [sys.executable, "-m", "framework.cli", *words, *options]


def download(host: str, store: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(host, store, *options), cwd=CHECKOUT, capture_output=True, text=True, timeout=WAIT_S, check=False
    )


def check_equal_to_the_tape(store: Path, market: Market) -> None:
    """The first pass of the market, which the venue's tape begins with, trade for trade; then what it played since."""
    rows = np.flatnonzero(market.columns.kind == TRADE)
    got = Store.open(store).market("BTC/USD")
    assert len(got.columns) >= len(rows) > 3000
    for name in ("price_ticks", "qty_lots", "side"):
        assert np.array_equal(getattr(got.columns, name)[: len(rows)], getattr(market.columns, name)[rows]), name
    assert got.spec.tick_size == market.spec.tick_size
    assert got.spec.lot_size == market.spec.lot_size
    # The wire tells times as floating point numbers, which have a quarter of a microsecond.
    shift_ns = got.columns.ts_event_ns[: len(rows)] - market.columns.ts_event_ns[rows]
    assert np.ptp(shift_ns) < 1000
    statistics = Store.open(store).entry("BTC/USD").statistics
    assert statistics["trades_missing"] == 0
    assert statistics["first_trade_id"] == 1
    assert statistics["last_trade_id"] == len(got.columns)


def test_the_store_is_the_venues_tape_trade_for_trade(venue: dict[str, Any], market: Market, tmp_path: Path) -> None:
    done = download(venue["rest"], tmp_path / "store", "--pause", "0")
    assert done.returncode == 0, done.stderr
    assert "trades downloaded into" in done.stdout
    assert "100%" in done.stderr or "99%" in done.stderr
    check_equal_to_the_tape(tmp_path / "store", market)


def test_a_download_that_was_killed_goes_on_without_loss_or_double(
    venue: dict[str, Any], market: Market, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    partial = partial_path(store)
    with subprocess.Popen(
        command(venue["rest"], store, "--pause", "3"), cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        until_s = time.monotonic() + WAIT_S
        while not (partial.exists() and partial.stat().st_size > 20_000):
            assert time.monotonic() < until_s
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert not store.exists()
    with partial.open("ab") as file:  # as if the kill had come within a write
        file.write(b"\0\0\1")
    done = download(venue["rest"], store, "--pause", "0")
    assert done.returncode == 0, done.stderr
    assert "3 bytes that were half written are left out" in done.stderr
    assert "going on with 1,000 trades" in done.stderr or "going on with 999 trades" in done.stderr, done.stderr
    check_equal_to_the_tape(store, market)
    assert not partial.exists()


@asynccontextmanager
async def between(rest: str, fails: Callable[[int], str]) -> AsyncIterator[str]:
    """A host between client and venue. fails: what happens to each page by its number: "", "cut", or a status."""
    count = 0

    async def pass_on(request: web.Request) -> web.StreamResponse:
        nonlocal count
        how = ""
        if request.path.endswith("Trades"):
            count += 1
            how = fails(count)
        if how.isdigit():
            return web.Response(status=int(how))
        if how.startswith("E"):
            return web.json_response({"error": [how]})
        async with ClientSession() as session, session.get(rest + request.path_qs) as answer:
            body = await answer.read()
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2] if how == "cut" else body)
        if how == "cut":
            assert request.transport is not None
            request.transport.abort()
        return response

    app = web.Application()
    app.router.add_get("/{path:.*}", pass_on)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def test_a_line_that_is_cut_and_a_venue_that_asks_for_patience_cost_time_only(
    venue: dict[str, Any], market: Market, tmp_path: Path
) -> None:
    troubles = {1: "503", 2: "cut", 4: "EAPI:Rate limit exceeded", 6: "429"}

    async def run() -> subprocess.CompletedProcess[str]:
        async with between(venue["rest"], lambda number: troubles.get(number, "")) as host:
            return await asyncio.to_thread(download, host, tmp_path / "store", "--pause", "0")

    done = asyncio.run(run())
    assert done.returncode == 0, done.stderr
    for told in ("HTTP 503; again in", "EAPI:Rate limit exceeded; again in", "HTTP 429; again in"):
        assert told in done.stderr
    check_equal_to_the_tape(tmp_path / "store", market)


def test_calls_stay_within_a_venues_public_limit(market: Market, tmp_path: Path) -> None:
    write_store(tmp_path / "market", [ImportedMarket(market=market, source="made")])
    with served_venue(tmp_path, "--market", str(tmp_path / "market"), "--public-calls", "2") as ready:
        done = download(ready["rest"], tmp_path / "store")
    assert done.returncode == 0, done.stderr
    assert "Rate limit" not in done.stderr
    check_equal_to_the_tape(tmp_path / "store", market)


def test_a_venue_with_an_authority_of_its_own_is_trusted_where_that_is_given(market: Market, tmp_path: Path) -> None:
    write_store(tmp_path / "market", [ImportedMarket(market=market, source="made")])
    options = ("--tls", "--state", str(tmp_path / "state"), "--market", str(tmp_path / "market"))
    with served_venue(tmp_path, *options) as ready:
        refused = download(ready["rest"], tmp_path / "store", "--pause", "0")
        assert refused.returncode == 2
        assert refused.stderr.startswith(f"tidegate: {ready['rest']}: its certificate is not trusted (")
        assert refused.stderr.count("\n") == 1
        done = download(ready["rest"], tmp_path / "store", "--pause", "0", "--ca", ready["ca_certificate"])
    assert done.returncode == 0, done.stderr
    check_equal_to_the_tape(tmp_path / "store", market)


def test_an_unknown_pair_and_a_host_that_is_none_end_in_one_line(venue: dict[str, Any], tmp_path: Path) -> None:
    words = command(venue["rest"], tmp_path / "store")
    words[words.index("BTC/USD")] = "MOON/USD"
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 2
    assert done.stderr == ("tidegate: the venue refuses: EQuery:Unknown asset pair; check the pair and the time\n")
    done = download("ftp://somewhere", tmp_path / "store")
    assert done.returncode == 2
    assert "'ftp://somewhere' is no host" in done.stderr
    assert list(tmp_path.iterdir()) == []
