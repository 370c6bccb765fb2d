"""One report over all tests of the servers; it is written however they end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.windows.report import Report
from tests.windows.site import NOT_GIVEN, ROOT, SERVERS, Site

REPORT = pytest.StashKey[Report]()


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Site]:
    """The servers that WIN_HOSTS names."""
    if not SERVERS:
        pytest.skip(NOT_GIVEN)
    site = Site(tmp_path_factory.mktemp("windows"))
    request.config.stash[REPORT] = Report(site.description)
    yield site
    site.close()


@pytest.fixture
def report(site: Site, request: pytest.FixtureRequest) -> Report:
    """What is written down of the servers under test."""
    return request.config.stash[REPORT]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    outcome = yield
    told = outcome.get_result()  # type: ignore[attr-defined]
    report = item.config.stash.get(REPORT, None)
    if report is None or not (told.when == "call" or told.outcome != "passed"):
        return
    trouble = "" if told.outcome == "passed" else told.longreprtext
    if told.outcome == "skipped" and isinstance(told.longrepr, tuple):
        trouble = told.longrepr[2]
    report.test(item.name, told.outcome, told.duration, trouble)


def pytest_sessionfinish(session: pytest.Session) -> None:
    report = session.config.stash.get(REPORT, None)
    if report is not None:
        name = time.strftime("windows-%Y%m%dT%H%M%SZ", time.gmtime())
        session.config.stash[FOLDER] = report.write(
            Path(os.environ.get("WIN_REPORT") or ROOT / "reports" / name)
        )


FOLDER = pytest.StashKey[Path]()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if folder := config.stash.get(FOLDER, None):
        terminalreporter.write_line(f"report, without names, addresses and secrets: {folder}")
