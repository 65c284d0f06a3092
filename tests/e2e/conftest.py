"""One real system for the whole session, with its own files and ports."""

from collections.abc import Iterator

import pytest

from local.system import LocalSystem, State, ignore_shell_settings
from tests.e2e.shop import Shop


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    ignore_shell_settings()
    local_system = LocalSystem(tmp_path_factory.mktemp("system"), 0, print)
    yield local_system.start()
    local_system.stop()


@pytest.fixture(scope="session")
def shop(system: State) -> Shop:
    return Shop(system)
