"""samconfig.toml: the environments that `sam deploy` knows."""

import shlex
import tomllib
from typing import Any

import pytest

from local.template import ROOT, Template
from tests.infrastructure.stack import allows

ENVIRONMENTS = ["default", "dev", "prod"]


@pytest.fixture(scope="module")
def samconfig() -> dict[str, Any]:
    return tomllib.loads((ROOT / "samconfig.toml").read_text())


def test_there_are_the_environments_default_dev_and_prod(samconfig: dict[str, Any]) -> None:
    assert {name for name, section in samconfig.items() if isinstance(section, dict)} == set(ENVIRONMENTS)


def test_no_two_environments_share_a_stack(samconfig: dict[str, Any]) -> None:
    stacks = [samconfig[name]["global"]["parameters"]["stack_name"] for name in ENVIRONMENTS]
    assert len(set(stacks)) == len(ENVIRONMENTS)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_sets_only_what_the_template_takes(
    samconfig: dict[str, Any], environment: str, template: Template
) -> None:
    overrides = _parse(_configured(samconfig, environment))
    assert overrides.keys() <= template["Parameters"].keys()
    refused = {n: v for n, v in overrides.items() if not allows(template["Parameters"][n], v)}
    assert refused == {}


def _configured(samconfig: dict[str, Any], environment: str) -> str:
    return str(samconfig[environment]["deploy"]["parameters"].get("parameter_overrides", ""))


def _parse(overrides: str) -> dict[str, str]:
    return dict(override.split("=", 1) for override in shlex.split(overrides))
