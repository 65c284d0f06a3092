"""The lint of the template as CloudFormation gets it can fail; `make lint` runs it on the real one."""

import re

import pytest

import local.__main__
from local.template import Template


def _queue(refers_to: str) -> Template:
    tag = {"Key": "refers-to", "Value": {"Ref": refers_to}}
    return {"Type": "AWS::SQS::Queue", "Properties": {"Tags": [tag]}}


def test_the_lint_of_the_translated_template_sees_a_circle(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    template = {"Resources": {"First": _queue("Second"), "Second": _queue("First")}}
    monkeypatch.setattr("local.__main__.translate", lambda *_: template)
    with pytest.raises(SystemExit) as ended:
        local.__main__.lint_template()
    assert ended.value.code
    assert set(re.findall(r"^[EW]\d{4}", capfd.readouterr().out, re.MULTILINE)) == {"E3004"}
