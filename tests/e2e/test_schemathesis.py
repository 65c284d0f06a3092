"""Schemathesis plays the API from its description, with valid and invalid requests and every check it has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.system import State
from local.template import ROOT
from tests.torture.results import size

EXAMPLES = size(50, 3, "requests that Schemathesis makes up for each operation and kind")


@pytest.mark.long
@pytest.mark.torture("runs of Schemathesis")
def test_the_api_is_what_its_description_says(system: State, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            Path(sys.executable).with_name("st"),
            *("run", ROOT / "docs/openapi.json", "--url", system.api_url),
            *("--header", f"Authorization: Token {system.keys['staff']}"),
            *("--checks", "all", "--max-examples", str(EXAMPLES), "--seed", "1", "--continue-on-failure"),
        ],
        # It keeps notes where it runs.
        cwd=tmp_path,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.e2e.schemathesis_hooks",
            "PYTHONPATH": str(ROOT),
            "API_URL": system.api_url,
            "API_KEY": system.keys["staff"],
            "PRODUCT_IDS": ",".join(map(str, system.products)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tested: 16" in done.stdout
