"""The endpoint of a run: read by Prometheus and by programs on this machine, and by no page of the web."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from framework.errors import ConfigError
from framework.live.health.endpoint import Endpoint
from framework.live.health.exposition import exposition
from framework.live.health.status import Status, decode_status
from tests.framework.live.health.statuses import status


def asked(
    paths: list[str], read: Callable[[], Status] = status, host: str = "127.0.0.1", **headers: str
) -> list[tuple[int, str, str]]:
    """Status, content type and body of each answer."""

    async def ask() -> list[tuple[int, str, str]]:
        endpoint = Endpoint(read)
        await endpoint.open(host, 0)
        try:
            async with aiohttp.ClientSession() as session:
                answers = []
                for path in paths:
                    async with session.get(endpoint.url + path, headers=headers) as answer:
                        answers.append((answer.status, answer.headers["Content-Type"], await answer.text()))
                return answers
        finally:
            await endpoint.close()

    return asyncio.run(ask())


def test_metrics_are_text_of_version_0_0_4() -> None:
    ((code, kind, text),) = asked(["/metrics"])
    assert code == 200
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    assert text == exposition(status())


def test_the_status_is_json_which_can_be_read_back() -> None:
    ((code, kind, text),) = asked(["/status"])
    assert (code, kind) == (200, "application/json")
    assert decode_status(text.encode(), "here") == status()


def test_there_is_nothing_else() -> None:
    assert [code for code, _, _ in asked(["/", "/orders", "/../etc/passwd"])] == [200, 404, 404]


@pytest.mark.parametrize("name", ["evil.example", "evil.example:9464", "192.0.2.1", "localhost.evil.example"])
def test_who_names_another_host_is_not_answered(name: str) -> None:
    """A page of the web has its own name lead here: the browser still says it."""
    for code, _, text in asked(["/metrics", "/status", "/"], Host=name):
        assert code == 403
        assert "tidegate_" not in text


@pytest.mark.parametrize("name", ["localhost:9464", "127.0.0.1", "[::1]:9464"])
def test_who_names_this_machine_is(name: str) -> None:
    assert [code for code, _, _ in asked(["/metrics"], Host=name)] == [200]


def test_however_often_it_is_asked_it_looks_at_the_run_ten_times_a_second_at_most() -> None:
    looks = 0

    def read() -> Any:
        nonlocal looks
        looks += 1
        return status()

    async def ask() -> None:
        endpoint = Endpoint(read)
        await endpoint.open("127.0.0.1", 0)
        try:
            async with aiohttp.ClientSession() as session:
                began_s = asyncio.get_running_loop().time()
                for _ in range(50):
                    async with session.get(f"{endpoint.url}/status") as answer:
                        await answer.read()
                took_s = asyncio.get_running_loop().time() - began_s
                assert looks <= 1 + took_s / 0.1
        finally:
            await endpoint.close()

    asyncio.run(ask())


def test_a_port_that_is_in_use_is_said_in_a_line() -> None:
    async def ask(port: int) -> None:
        await Endpoint(status).open("127.0.0.1", port)

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"metrics at 127.0.0.1:{port}: .*give another port, or 0"):
            asyncio.run(ask(port))
