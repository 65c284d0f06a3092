"""The SDK's models of AWS's services, read from disk once for all tests of a process."""

from collections.abc import Iterator

import pytest
from botocore.loaders import create_loader


@pytest.fixture(scope="session", autouse=True)
def models_read_once() -> Iterator[None]:
    """Let all sessions of the SDK share what reads its models: each would read the megabytes again."""
    loader = create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", lambda _search_path: loader)
        yield
