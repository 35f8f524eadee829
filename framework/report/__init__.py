"""Reports of runs and of comparisons."""

from __future__ import annotations

from framework.report.page import write_report

__all__ = ["write_report"]
