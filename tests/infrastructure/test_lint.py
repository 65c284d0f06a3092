"""The linters of SAM and CloudFormation, run as `make lint` runs them."""

import pytest

import local.__main__
from local.template import Template
from tests.infrastructure.command_line import makefile_command, report, run
from tests.infrastructure.stack import add_circle


def test_the_template_passes_sam_validate_lint() -> None:
    done = run(*makefile_command("SAM"), "validate", "--lint")
    assert done.returncode == 0, report(done)


def test_the_translated_template_passes_cfn_lint() -> None:
    done = run(*makefile_command("RUN"), "python", "-m", "local", "lint-template")
    assert done.returncode == 0, report(done)


def test_the_lint_of_the_translated_template_sees_a_circle(
    template: Template, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    add_circle(template)
    monkeypatch.setattr("local.__main__.translate", lambda *_: template)
    with pytest.raises(SystemExit) as ended:
        local.__main__.lint_template()
    assert ended.value.code
    assert "E3004" in capfd.readouterr().out
