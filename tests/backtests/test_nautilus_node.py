"""The script of a plain NautilusTrader node, run as its page says, on a served venue."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.served_venue import CHECKOUT, served_venue
from tests.conformance.test_served_sockets import private


@pytest.mark.slow
@pytest.mark.parametrize("road", ["ws2", "fix"])
def test_it_follows_the_market_and_leaves_nothing_behind(tmp_path: Path, road: str) -> None:
    with served_venue(tmp_path) as ready:
        script = CHECKOUT / "backtests" / "nautilus_node.py"
        options = ["--ready-file", str(tmp_path / "ready.json"), "--road", road, "--ticks-below", "2", "--for", "8"]
        done = subprocess.run(
            [sys.executable, str(script), *options, "--state", str(tmp_path / "state")],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        for told in ("OrderAccepted", "OrderUpdated", "STOPPED"):
            assert told in done.stdout, done.stdout
        assert "[ERROR]" not in done.stdout
        assert private(ready, "OpenOrders")["open"] == {}
        ended = {row["status"] for row in private(ready, "ClosedOrders")["closed"].values()}
        told_of = {"canceled": "OrderCanceled", "closed": "OrderFilled"}  # the market may come down to its last order
        assert ended
        for status in ended:
            assert told_of[status] in done.stdout, done.stdout
