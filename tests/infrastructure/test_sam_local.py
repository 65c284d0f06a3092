"""`sam local invoke`: what it tells a function, and the page that shows a session."""

import json
import re
import subprocess
from pathlib import Path

from local.template import ROOT, Template
from tests.infrastructure.stack import functions

PAGE = (ROOT / "docs/sam-local.md").read_text()

ENVIRONMENTS = """
import json, os, sys
from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
stacks, _ = SamLocalStackProvider.get_stacks("template.yaml")
provider = SamFunctionProvider(stacks)
settings = json.loads(sys.argv[1])
runner = LocalLambdaRunner(None, provider, ".", ".", aws_region="eu-central-1", env_vars_values=settings)
runner.get_aws_creds = dict
made = {each.name: runner._make_env_vars(each).resolve() for each in provider.get_all()}
print(json.dumps(made))
"""
"""Asks the SAM command line for the environments that it would start its containers with."""


def test_sam_passes_on_what_the_file_names_and_knows_nothing_of_the_others(template: Template) -> None:
    settings = {
        name: {variable: f"told {variable}" for variable in function["Environment"]["Variables"]}
        for name, function in functions(template).items()
    }
    del settings["ReconcileFunction"]
    environments = _environments(settings)
    assert environments.keys() == functions(template).keys()
    untold = environments.pop("ReconcileFunction")
    # The SDK takes an empty endpoint for none; the table is the name of a resource.
    assert (untold["AWS_ENDPOINT_URL"], untold["TABLE"]) == ("", "CatalogTable")
    for name, environment in environments.items():
        assert settings[name].items() <= environment.items()


def test_every_invocation_on_the_page_names_the_processor_the_settings_and_a_payload_that_is_there() -> None:
    invocations = re.findall(r"^sam local invoke .*(?:\n  .*)*", PAGE, re.MULTILINE)
    assert len(invocations) == 2
    for invocation in invocations:
        assert "--parameter-overrides Architecture=" in invocation
        assert "--env-vars names.json" in invocation
        payload = re.search(r"--event (\S+)", invocation)
        assert payload
        assert (ROOT / payload[1]).is_file()


def _environments(settings: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    python = Path(".venv-sam/bin/python")
    done = subprocess.run(
        [python, "-c", ENVIRONMENTS, json.dumps(settings)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    made: dict[str, dict[str, str]] = json.loads(done.stdout)
    return made
