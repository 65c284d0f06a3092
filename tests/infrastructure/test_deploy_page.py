"""docs/deploy.md says of every parameter what the template says."""

import re

from local.template import ROOT, Template

PAGE = (ROOT / "docs/deploy.md").read_text()


def test_every_parameter_stands_in_the_table_once(template: Template) -> None:
    rows = re.findall(r"^\| (`[A-Z]\w+`(?:, `\w+`)*) \|", PAGE, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(template["Parameters"])


def test_the_defaults_that_the_table_shows_are_those_of_the_template(template: Template) -> None:
    rows = re.findall(r"^\| (`[A-Z]\w+`(?:, `\w+`)*) \| ([^|]+) \|", PAGE, re.MULTILINE)
    shown = {
        name: default
        for names, defaults in rows
        for name, default in zip(
            re.findall(r"`(\w+)`", names),
            re.findall(r"`?([A-Za-z0-9]+(?:,[0-9]+)*)`?", defaults),
            strict=False,
        )
    }
    for name, parameter in template["Parameters"].items():
        default = str(parameter["Default"])
        # One without a value is described in words.
        assert shown[name] == default or not default, name
