"""Prints the table of clients and behaviours from what a run of the tests showed; ``--write-matrix`` puts it into
README.md, if every client was there.
"""

from __future__ import annotations

import pytest

from tests.conformance.conformance_matrix import README, Outcomes, with_block


class _MatrixPlugin:
    def __init__(self, is_to_be_written: bool) -> None:
        self._is_to_be_written = is_to_be_written
        self._outcomes = Outcomes()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self._outcomes.add(report.nodeid, report.outcome)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if len(self._outcomes.clients()) < 2 and not self._is_to_be_written:
            return
        table, absent = self._outcomes.table(), self._outcomes.absent()
        terminalreporter.section("clients by others against the served venue")
        terminalreporter.write_line(table)
        if not self._is_to_be_written:
            return
        if absent:
            terminalreporter.write_line(f"{README.name} is left as it was; not run: {', '.join(absent)}")
            return
        README.write_text(with_block(README.read_text(encoding="utf-8"), table), encoding="utf-8")
        terminalreporter.write_line(f"written into {README.name}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-matrix", action="store_true", help="write the table of clients into README.md")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_MatrixPlugin(config.getoption("--write-matrix", default=False)))
