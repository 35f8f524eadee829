"""Orders that are to be left at the end of a live run, by a road whose venue ends them with the line."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from adapters.kraken.doctor.needs import needs_of
from adapters.kraken.leaving import ends_orders
from adapters.kraken.profile import PROFILE
from framework.adapter import LiveSettings
from framework.backtest.config import RoadSection, StrategySection
from framework.backtest.loading import resolve_road
from framework.errors import ConfigError
from framework.live.closing import AtEnd
from framework.live.config import LiveConfig, LiveSection
from framework.live.recovery import Recovery
from framework.live.running import check_live
from framework.live.summary import start_summary
from tests.framework.command import read_error, tidegate
from tests.framework.live.test_summary import ACCOUNT

REMEDY = 'cancel_on_disconnect = "no"'


def config(road: str, at_end: AtEnd = AtEnd.LEAVE, **options: str) -> LiveConfig:
    return LiveConfig(
        strategy=StrategySection(path="s.py"),
        road=RoadSection(name=road),
        live=LiveSection(symbols=("BTC/USD",), at_end=at_end, options=options),
    )


@pytest.mark.parametrize("options", [{}, {"cancel_on_disconnect": "yes"}])
def test_leaving_orders_over_fix_is_refused_while_the_venue_would_cancel_them(
    tmp_path: Path, options: dict[str, str]
) -> None:
    """fix-api/logon-fix, tag 8674: on unless logon asks otherwise."""
    with pytest.raises(ConfigError, match=r'at_end = "leave": orders entered by fix are canceled') as refused:
        check_live(config("fix", **options), tmp_path / "run")
    assert REMEDY in str(refused.value)


@pytest.mark.parametrize(
    "allowed",
    [
        config("fix", cancel_on_disconnect="no"),
        config("fix", AtEnd.CANCEL),
        config("fix", AtEnd.FLATTEN),
        config("ws2"),
        config("rest"),
    ],
)
def test_all_else_may_begin(tmp_path: Path, allowed: LiveConfig) -> None:
    check_live(allowed, tmp_path / "run")


def test_it_is_by_the_road_of_new_orders_that_they_are_judged(tmp_path: Path) -> None:
    """Orders by WebSocket stay, though cancels may go by FIX."""
    other = replace(config("ws2"), road=RoadSection(name="ws2", cancel=("fix:mass",)))
    check_live(other, tmp_path / "run")
    assert ends_orders(LiveSettings(links={"ws2": "ws2", "rest": "rest"})) is None


@pytest.mark.parametrize(("options", "is_said"), [({}, True), ({"cancel_on_disconnect": "no"}, False)])
def test_the_start_summary_tells_what_becomes_of_orders_when_the_line_drops(
    options: dict[str, str], is_said: bool
) -> None:
    ended = ends_orders(LiveSettings(links={"fix": "fix"}, options=options))
    live = config("fix", AtEnd.CANCEL, **options)
    _, policy = resolve_road(PROFILE, live.road)
    lines = start_summary(live, "kraken", policy, Path("run"), ACCOUNT, Recovery(), ended)
    told = [line for line in lines if line.startswith("  line drops   orders entered by fix are canceled")]
    assert [REMEDY in line for line in told] == [True] * is_said


def written(folder: Path, options: str = "") -> Path:
    file = folder / "live.toml"
    file.write_text(
        '[strategy]\npath = "market_maker.py"\n[road]\nname = "fix"\n'
        f'[live]\nsymbols = ["BTC/USD"]\nat_end = "leave"\n{options}\n',
        encoding="utf-8",
    )
    return file


def test_the_command_says_it_before_anything_is_connected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = tidegate(capsys, "live", written(tmp_path), "--out", tmp_path / "run")
    assert REMEDY in read_error(said)


def test_the_doctor_is_told_of_it(tmp_path: Path) -> None:
    ended = needs_of(written(tmp_path)).ended
    assert ended is not None
    assert REMEDY in ended
    assert needs_of(written(tmp_path, 'options = { cancel_on_disconnect = "no" }')).ended is None
