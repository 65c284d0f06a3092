"""One real system for the whole session, or for each of its processes, with its own files and ports.

A plugin of pytest, for more than one folder of tests. It imports what it starts when it is asked to: half a
second that a unit test need not wait.
"""

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local.system import State
    from tests.e2e.shop import Shop

_PRODUCT_IDS = count(1_000)


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator["State"]:
    """A system of this process's own: its tests change roles, variables, policies and rules."""
    from local.system import LocalSystem, ignore_shell_settings  # noqa: PLC0415 - see above
    from tests.e2e.origins import ALLOWED, ALSO_ALLOWED  # noqa: PLC0415 - see above

    ignore_shell_settings()
    parameters = {"AllowedOrigins": f"{ALLOWED},{ALSO_ALLOWED}"}
    local_system = LocalSystem(tmp_path_factory.mktemp("system"), 0, print, parameters)
    yield local_system.start()
    local_system.stop()


@pytest.fixture(scope="session")
def shop(system: "State") -> "Shop":
    from tests.e2e.shop import Shop  # noqa: PLC0415 - see above

    return Shop(system)


@pytest.fixture
def product_id(system: "State") -> int:
    """A product of the test's own, without pictures."""
    return new_product(system)


def new_product(system: "State") -> int:
    """Add a product that no other test knows, without pictures."""
    from adapters.dynamo_products import DynamoProducts  # noqa: PLC0415 - see above

    product_id = next(_PRODUCT_IDS)
    DynamoProducts(system.endpoint.client("dynamodb"), system.resources.table).add(product_id)
    return product_id
