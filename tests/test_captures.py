"""Finding the recordings that are not part of the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.captures import CAPTURES_VARIABLE, capture_folders, find_capture, require_capture


def test_captures_are_looked_for_beside_the_checkout_when_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "shared/data/market").mkdir(parents=True)
    (tmp_path / "shared/scripts").mkdir()
    folders = capture_folders(None, tmp_path / "checkout")
    assert find_capture("market", folders) == tmp_path / "shared/data/market"
    assert find_capture("scripts", folders) == tmp_path / "shared/scripts"


def test_a_named_folder_is_looked_at_instead_of_the_one_beside_the_checkout(tmp_path: Path) -> None:
    (tmp_path / "shared/data/beside").mkdir(parents=True)
    (tmp_path / "named/direct").mkdir(parents=True)
    (tmp_path / "named/data/below").mkdir(parents=True)
    folders = capture_folders(str(tmp_path / "named"), tmp_path / "checkout")
    assert find_capture("direct", folders) == tmp_path / "named/direct"
    assert find_capture("below", folders) == tmp_path / "named/data/below"
    assert find_capture("beside", folders) is None


def test_a_named_folder_that_does_not_exist_is_an_error_and_not_a_skip(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=CAPTURES_VARIABLE):
        capture_folders(str(tmp_path / "mistyped"), tmp_path)


def test_a_test_without_its_capture_is_skipped_with_the_name_of_the_capture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CAPTURES_VARIABLE, str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="the capture no-such-market is not on this machine"):
        require_capture("no-such-market")


def test_a_test_with_its_capture_gets_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "market").mkdir()
    monkeypatch.setenv(CAPTURES_VARIABLE, str(tmp_path))
    assert require_capture("market") == tmp_path / "market"
