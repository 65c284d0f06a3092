"""The sources of the staff's page: checked by TypeScript, with lit-html as npm has it."""

import json

from local.template import ROOT
from tests.node import MODULES, run_node

VENDORED = ROOT / "page/public/vendor/lit-html"


def test_lit_html_is_what_npm_has_unchanged_with_its_licence() -> None:
    files = [path for path in VENDORED.rglob("*") if path.is_file()]
    assert "lit-html.js" in {path.name for path in files}
    for path in files:
        name = (
            path.relative_to(VENDORED).with_name("LICENSE")
            if path.name == "LICENSE.txt"
            else path.relative_to(VENDORED)
        )
        assert path.read_bytes() == (MODULES / "lit-html" / name).read_bytes(), path.name
    assert (VENDORED / "LICENSE.txt").is_file()
    locked = json.loads((ROOT / "page/package-lock.json").read_text())["packages"]["node_modules/lit-html"]
    assert locked["version"].startswith("3.")


def test_typescript_finds_an_error_in_a_module_of_the_page() -> None:
    wrong = ROOT / "page/public/wrong.test-only.js"
    wrong.write_text('import { isKey } from "./session.js";\nisKey(1);\n')
    try:
        done = run_node(MODULES / "typescript/bin/tsc", "-p", "page")
    finally:
        wrong.unlink()
    assert done.returncode != 0
    assert "wrong.test-only.js" in done.stdout
