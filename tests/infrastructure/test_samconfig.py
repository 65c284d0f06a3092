"""samconfig.toml: the environments that `sam deploy` knows, and how make uses them."""

import shlex
import tomllib
from typing import Any

import pytest

from local.template import ROOT, Template
from tests.infrastructure.command_line import report, run
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


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_make_deploy_keeps_what_the_environment_sets(samconfig: dict[str, Any], environment: str) -> None:
    # `sam deploy` takes parameters from its command line instead of those in samconfig.toml.
    planned = run("make", "--dry-run", "deploy", f"CONFIG_ENV={environment}")
    assert planned.returncode == 0, report(planned)
    [command] = [line for line in planned.stdout.splitlines() if f"deploy --config-env {environment}" in line]
    _, option, given = command.partition("--parameter-overrides ")
    assert not option or _parse(_configured(samconfig, environment)).items() <= _parse(given).items()


def _configured(samconfig: dict[str, Any], environment: str) -> str:
    return str(samconfig[environment]["deploy"]["parameters"].get("parameter_overrides", ""))


def _parse(overrides: str) -> dict[str, str]:
    return dict(override.split("=", 1) for override in shlex.split(overrides))
