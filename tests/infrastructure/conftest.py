import copy

import pytest

from local.template import Template, translate


@pytest.fixture(scope="session")
def translated() -> Template:
    return translate({}, {})


@pytest.fixture
def template(translated: Template) -> Template:
    """Return template.yaml as CloudFormation gets it; a copy, so that a test may change it."""
    return copy.deepcopy(translated)
