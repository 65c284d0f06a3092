import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from tests.sdk_models import models_read_once

__all__ = ["models_read_once"]

type Printed = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    """Return what a function printed since the last call: log lines and metrics, one JSON object a line."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture(autouse=True)
def unbound_loggers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test capture its own logs: Powertools binds a service's logger to one stream for good."""
    for service in (
        "authorize",
        "upload_image",
        "extract_metadata",
        "render_image",
        "reserve_upload",
        "request_fetch",
        "fetch_image",
        "gallery",
        "storefront",
        "products",
        "remove_product",
        "follow_catalogue",
        "describe_api",
        "staff_page",
        "reconcile",
        "forget_image",
    ):
        monkeypatch.delitem(logging.Logger.manager.loggerDict, service, raising=False)
