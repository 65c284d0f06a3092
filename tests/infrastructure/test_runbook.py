"""What the runbook names is there: alarms, commands, parameters, outputs, and what `verify` needs."""

import json
import re

import pytest
from rich.text import Text
from typer.testing import CliRunner

from domain.reconcile import Outcome
from local.template import ROOT, Template
from ops.__main__ import app
from ops.verify.operations import ALARMS, ALARMS_ON_SUMS, CATALOGUE, SCHEDULE, WEBHOOK
from ops.verify.rights import RIGHTS
from tests.e2e.aws_command import printed_commands

RUNBOOK = (ROOT / "docs" / "operate.md").read_text()
COMMANDS = sorted({" ".join(found.split()) for found in re.findall(r"`product-images ([a-z ]+)", RUNBOOK)})


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_the_runbook_names_is_there(command: str) -> None:
    assert CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0


def test_every_parameter_output_and_metric_that_the_runbook_names_is_there(template: Template) -> None:
    handlers = "".join(file.read_text() for file in (ROOT / "src/handlers").glob("*.py"))
    metrics = re.findall(r'"([A-Z][a-z]+(?:[A-Z][a-z]+)+)"', handlers)
    outcomes = {outcome.value.title().replace("_", "") for outcome in Outcome}
    names = {*template["Parameters"], *template["Outputs"], *metrics, *outcomes}
    named = set(re.findall(r"`(?:output )?([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", RUNBOOK)) - {
        "VersionId",
        "Versions",
    }
    assert {"OldVersionDays", "MetadataConcurrency", "RequestsPerSecond"} <= named
    assert named <= names


def test_every_command_of_aws_that_the_runbook_prints_is_done_by_a_test() -> None:
    tests = (ROOT / "tests" / "e2e" / "test_runbook.py").read_text()
    sections = re.findall(r"^##+ (.*)$", RUNBOOK, re.MULTILINE)
    printing = [section for section in sections if printed_commands(section)]
    assert len(printing) >= 6
    assert [section for section in printing if f'printed_commands("{section}")' not in tests] == []


def test_verify_looks_for_the_alarms_that_the_template_has(template: Template) -> None:
    alarms = {
        resource["Properties"]["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-"): resource[
            "Properties"
        ]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    on_sums = {name for name, properties in alarms.items() if "Metrics" in properties}
    assert set(ALARMS_ON_SUMS) == on_sums
    assert set(ALARMS) == alarms.keys() - on_sums


def test_verify_looks_for_the_rules_that_the_template_has(template: Template) -> None:
    assert {template["Resources"][name]["Type"] for name in (CATALOGUE, WEBHOOK)} == {"AWS::Events::Rule"}
    assert template["Resources"][SCHEDULE]["Type"] == "AWS::Events::Rule"
    assert template["Resources"][SCHEDULE]["Properties"]["ScheduleExpression"] == "rate(1 hour)"


def test_the_rights_that_verify_needs_stand_in_its_help_and_in_the_runbook() -> None:
    policy = json.loads(re.findall(r"```json\n(.*?)```", RUNBOOK, re.DOTALL)[-1])
    assert policy["Statement"][0]["Action"] == list(RIGHTS)
    shown = Text.from_ansi(CliRunner().invoke(app, ["verify", "--help"]).stdout).plain
    words = re.sub(r"[│\s]+", "", shown)
    assert [right for right in RIGHTS if right not in words] == []
