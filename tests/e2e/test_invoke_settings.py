"""`product-images invoke-settings`: what `sam local invoke` is told, of the deployed system."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from local.system import State
from local.template import Template, translate
from ops.__main__ import app
from tests.infrastructure.stack import functions


@pytest.fixture(scope="module")
def template() -> Template:
    return translate({}, {})


@pytest.fixture
def settings(system: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    (tmp_path / "state.json").write_text(system.model_dump_json())
    monkeypatch.setenv("LOCAL_FOLDER", str(tmp_path))
    file = tmp_path / "names.json"
    done = CliRunner().invoke(app, ["--local", "invoke-settings", str(file)])
    assert done.exit_code == 0, done.stderr
    assert done.stdout == f"{file}: the variables of 16 functions of the local system.\n"
    assert "changes images and records there" in done.stderr
    written: dict[str, dict[str, str]] = json.loads(file.read_text())
    return written


def test_the_file_gives_every_function_every_variable_that_the_template_declares(
    settings: dict[str, dict[str, str]], template: Template
) -> None:
    # SAM passes on only what is declared, and gives a variable that it is not told its resource's logical id.
    declared = {name: f["Environment"]["Variables"].keys() for name, f in functions(template).items()}
    assert {name: variables.keys() for name, variables in settings.items()} == declared
    told = {value for variables in settings.values() for value in variables.values()}
    assert told & template["Resources"].keys() == set()


def test_the_file_names_what_the_local_system_made(
    settings: dict[str, dict[str, str]], system: State
) -> None:
    resources = system.resources
    of_upload = settings["UploadImageFunction"]
    assert (of_upload["TABLE"], of_upload["BUCKET"]) == (resources.table, resources.bucket)
    assert settings["AuthorizeFunction"]["KEYS_TABLE"] == resources.keys_table
    of_reconcile = settings["ReconcileFunction"]
    assert of_reconcile["EXTRACT_METADATA_FUNCTION"] == resources.functions["extract_metadata"]
    assert {v["AWS_ENDPOINT_URL"] for v in settings.values()} == {system.aws.endpoint_url}
