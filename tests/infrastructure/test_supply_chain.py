"""What the project fetches to build, test and deploy: fixed by commit or by hash, and looked after."""

import json
import re
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from local.template import ROOT
from tests.infrastructure.command_line import makefile_command, report, run

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
LOCK: dict[str, Any] = tomllib.loads((ROOT / "uv.lock").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_named_by_its_commit_and_says_which_version_that_is(workflow: Path) -> None:
    used = re.findall(r"uses: (.*)", workflow.read_text())
    assert used
    assert [
        each for each in used if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)
    ] == []


def test_uv_is_fetched_by_its_hash() -> None:
    fetched = re.findall(r"pip install (.*?) \|\|", MAKEFILE)
    assert len(fetched) == 1
    assert "--require-hashes --requirement $<" in fetched[0]
    requirements = (ROOT / "packages/uv.txt").read_text()
    assert re.search(r"^uv==[\d.]+ \\\n    --hash=sha256:[0-9a-f]{64}", requirements, re.MULTILINE)


def test_what_builds_the_project_is_locked_with_the_rest() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    [backend] = project["build-system"]["requires"]
    name, _, version = backend.partition("==")
    assert [p["version"] for p in LOCK["package"] if p["name"] == name] == [version]
    assert project["tool"]["uv"]["no-build-isolation-package"] == [project["project"]["name"]]


def test_vulnerabilities_are_looked_for_every_week_and_when_a_lock_changes() -> None:
    text = (ROOT / ".github/workflows/vulnerabilities.yml").read_text()
    assert re.search(r'cron: "\d+ \d+ \* \* [0-6]"', text)
    locks = {str(path.relative_to(ROOT)) for path in ROOT.glob("[!.]*/**/*.py.lock")} | {"uv.lock"}
    paths = re.findall(r"^      - (\S+)$", text, re.MULTILINE)
    assert "uv.lock" in paths
    assert '"**/*.py.lock"' in paths
    for lock in locks - {"uv.lock"}:
        assert f"--script {lock.removesuffix('.lock')}\n" in MAKEFILE


def test_what_npm_brings_is_locked_by_its_hash_from_whichever_registry_and_runs_no_scripts() -> None:
    lock = json.loads((ROOT / "page/package-lock.json").read_text())
    packages = [package for path, package in lock["packages"].items() if path]
    assert packages
    assert [each for each in packages if not each["integrity"].startswith("sha512-")] == []
    assert [each for each in packages if "resolved" in each] == []
    settings = (ROOT / "page/.npmrc").read_text().split()
    assert {"ignore-scripts=true", "omit-lockfile-registry-resolved=true"} <= set(settings)
    assert "$(NPM) --prefix page ci " in MAKEFILE


@pytest.fixture
def osv() -> Iterator["Osv"]:
    server = Osv()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Osv(HTTPServer):
    """Answers as osv.dev does, and knows of a vulnerability in each package that it is told of."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: set[str] = set()
        self.vulnerable: set[str] = set()


class _Handler(BaseHTTPRequestHandler):
    server: Osv

    def do_POST(self) -> None:
        queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        names = [query["package"]["name"] for query in queries]
        self.server.asked.update(names)
        known: list[dict[str, Any]] = [
            {"vulns": [{"id": "TEST-1", "modified": MODIFIED}]} if name in self.server.vulnerable else {}
            for name in names
        ]
        self._answer({"results": known})

    def do_GET(self) -> None:
        self._answer({"id": "TEST-1", "modified": MODIFIED, "summary": "One for the test"})

    def _answer(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Keep the output of the tests clean."""


MODIFIED = "2026-11-30T00:00:00Z"


def test_all_that_is_locked_is_asked_about_and_one_that_is_vulnerable_is_a_failure(osv: Osv) -> None:
    command = [*makefile_command("AUDIT"), "--service-url", f"http://127.0.0.1:{osv.server_port}"]
    done = run(*command)
    assert done.returncode == 0, report(done)
    assert osv.asked == {package["name"] for package in LOCK["package"]} - {"product-images"}
    osv.vulnerable = {"pillow"}
    done = run(*command)
    assert done.returncode != 0
    assert "TEST-1" in report(done)
