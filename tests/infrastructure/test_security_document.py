"""docs/security.md names what there is: tests that exist, and every requirement of the chapter it answers."""

import re

import pytest

from local.template import ROOT

DOCUMENT = (ROOT / "docs/security.md").read_text()
V5 = {"5.1": 1, "5.2": 6, "5.3": 3, "5.4": 3}
"""Requirements in each section of OWASP ASVS 5.0.0, chapter V5."""
STRIDE = (
    "Spoofing",
    "Tampering",
    "Repudiation",
    "Information disclosure",
    "Denial of service",
    "Elevation of privilege",
)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(tests/[^`]+)`", DOCUMENT))))
def test_every_test_that_is_named_as_a_proof_is_there(path: str) -> None:
    assert (ROOT / path).is_file()


def test_every_kind_of_threat_is_thought_of() -> None:
    assert [kind for kind in STRIDE if f"| **{kind}:**" not in DOCUMENT] == []


def test_every_requirement_of_the_chapter_on_files_is_answered_once() -> None:
    answered = re.findall(r"^\| (\d\.\d\.\d) \|", DOCUMENT, re.MULTILINE)
    assert answered == [f"{section}.{n}" for section, count in V5.items() for n in range(1, count + 1)]


@pytest.mark.parametrize("row", [line for line in DOCUMENT.splitlines() if line.startswith("|")])
def test_no_cell_is_empty(row: str) -> None:
    assert all(cell.strip() for cell in row.strip("|").split("|"))
