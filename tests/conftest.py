import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Metrics
from coverage import Coverage

pytest_plugins = ["tests.running_system", "tests.torture.results"]

type ColdStart = Callable[..., Any]

_UNIT = Path(__file__).with_name("unit")
_MEASURED = (_UNIT, _UNIT.with_name("integration"), _UNIT.with_name("browser") / "test_colors.py")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark what `make unit` runs, and begin with what is marked `long`, however the rest is shuffled.

    The contract suites mark their fakes themselves. A long test at the end leaves one worker alone.
    """
    for item in items:
        if item.path.is_relative_to(_UNIT):
            item.add_marker("fast")
    yield
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure coverage where `src/` runs in the tests' own process: tracing takes others twice their time."""
    measured = Coverage.current()
    if measured is None or any(item.path.is_relative_to(folder) for folder in _MEASURED):
        return (yield)
    measured.stop()
    try:
        return (yield)
    finally:
        measured.start()


@pytest.fixture(autouse=True)
def no_aws_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds a real account: only the ones that name an endpoint leave this process."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


@pytest.fixture(autouse=True)
def unshared_dimensions() -> Iterator[None]:
    """Let no test inherit the dimensions of a function that another one ran: Powertools keeps them."""
    yield
    metrics = Metrics()
    metrics.clear_default_dimensions()
    # Those of the last flush are set again after it.
    metrics.clear_metrics()


@pytest.fixture
def cold_start(monkeypatch: pytest.MonkeyPatch) -> ColdStart:
    """Load a function as a new execution environment does: module imported anew, variables set."""

    def start(function: str, **variables: str) -> Any:  # noqa: ANN401 - each function has a type of its own
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delitem(sys.modules, f"handlers.{function}", raising=False)
        return importlib.import_module(f"handlers.{function}")

    return start
