"""The staff's page: which files are served, how long each may be kept, and what the page may do."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from handlers.problems import HttpResponse
from handlers.staff_page import StaffPageHandler
from local.template import ROOT
from packages.page import copy_page
from tests.builders import REQUEST_ID, a_context
from tests.conftest import ColdStart
from tests.unit.conftest import Printed

BUCKET = "https://bucket.s3.eu-central-1.amazonaws.com"
PAGE = "index.html"
BUDGET_BYTES = 30_000


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "texts").mkdir()
    (tmp_path / PAGE).write_text('{preload}<script src="{base}/main.js">')
    (tmp_path / "main.js").write_text("run();")
    (tmp_path / "texts/en.js").write_text("words")
    (tmp_path / "styles.css").write_text("b {}")
    return tmp_path


def event(file: str, method: str = "GET", if_none_match: str | None = None) -> dict[str, Any]:
    return {
        "httpMethod": method,
        "resource": "/staff/{file+}",
        "pathParameters": {"file": file},
        "headers": {"If-None-Match": if_none_match} if if_none_match else None,
        "requestContext": {"extendedRequestId": REQUEST_ID},
    }


def answer(files: Path, file: str, method: str = "GET", if_none_match: str | None = None) -> HttpResponse:
    handler = StaffPageHandler(files, BUCKET, Logger(service="staff_page"))
    return handler(event(file, method, if_none_match), a_context())


def folder(files: Path) -> str:
    """Return where the page finds its files."""
    [folder] = re.findall(r'script src="/staff/(\w+)/main.js"', answer(files, PAGE)["body"])
    return str(folder)


def test_the_page_is_asked_for_again_each_time_and_is_not_sent_twice(files: Path) -> None:
    page = answer(files, PAGE)
    assert page["headers"]["Content-Type"] == "text/html; charset=utf-8"
    assert page["headers"]["Cache-Control"] == "no-cache"
    again = answer(files, PAGE, if_none_match=f"W/{page['headers']['ETag']}")
    assert (again["statusCode"], again["body"]) == (304, "")


@pytest.mark.parametrize(
    ("file", "media_type", "text"),
    [("main.js", "text/javascript", "run();"), ("styles.css", "text/css", "b {}")],
)
def test_what_the_page_loads_may_be_kept_for_a_year(
    files: Path, file: str, media_type: str, text: str
) -> None:
    response = answer(files, f"{folder(files)}/{file}")
    assert (response["statusCode"], response["body"]) == (200, text)
    assert response["headers"]["Content-Type"] == f"{media_type}; charset=utf-8"
    assert response["headers"]["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["headers"]["X-Content-Type-Options"] == "nosniff"


def test_a_change_of_any_file_changes_the_address_of_them_all(files: Path) -> None:
    before = folder(files)
    (files / "texts/en.js").write_text("other words")
    assert folder(files) != before
    gone = answer(files, f"{before}/main.js")
    assert (gone["statusCode"], gone["headers"]["Cache-Control"]) == (404, "no-store")


@pytest.mark.parametrize("file", ["main.js", "{folder}/index.html", "{folder}/../main.js", "{folder}/", "x"])
def test_nothing_else_is_served(files: Path, file: str) -> None:
    assert answer(files, file.format(folder=folder(files)))["statusCode"] == 404


def test_modules_are_fetched_at_once_but_for_languages_that_nobody_may_want(files: Path) -> None:
    fetched = re.findall(r'modulepreload" href="/staff/\w+/(.+?)"', answer(files, PAGE)["body"])
    assert fetched == ["main.js"]


def test_the_page_runs_its_own_files_alone_and_speaks_to_its_api_and_the_bucket_alone(files: Path) -> None:
    headers = answer(files, PAGE)["headers"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' blob:",
        "connect-src": f"'self' {BUCKET}",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "lit-html",
    }


def test_it_only_shows(files: Path) -> None:
    response = answer(files, PAGE, "POST")
    assert (response["statusCode"], response["headers"]["Allow"]) == (405, "GET, HEAD")
    assert answer(files, PAGE, "HEAD")["statusCode"] == 200


def test_every_answer_is_logged_once(files: Path, printed: Printed) -> None:
    answer(files, PAGE)
    [line] = printed()
    assert (line["message"], line["request_id"], line["status"]) == ("answered", REQUEST_ID, 200)


def test_the_deployed_function_serves_the_files_of_its_package(cold_start: ColdStart, tmp_path: Path) -> None:
    module = cold_start("staff_page", UPLOAD_ORIGIN=BUCKET)
    copy_page(ROOT / "page/public", tmp_path / "public")
    # The build puts them beside the modules.
    module._FILES = tmp_path / "public"  # noqa: SLF001 - where they are before that
    assert "<noscript>" in module.lambda_handler(event(PAGE), a_context())["body"]
    assert module.lambda_handler is module.lambda_handler
    assert not hasattr(module, "anything_else")


@pytest.mark.parametrize("unwanted", ["boto3", "pydantic"])
def test_the_function_imports_nothing_that_it_does_not_need(unwanted: str) -> None:
    code = f"import sys, handlers.staff_page; sys.exit({unwanted!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env={}, check=True)


@pytest.mark.parametrize("language", ["en", "de"])
def test_scripts_and_styles_take_no_more_than_30_kb_compressed(tmp_path: Path, language: str) -> None:
    copy_page(ROOT / "page/public", tmp_path / "public")
    loaded = [
        path
        for path in (tmp_path / "public").rglob("*")
        if path.suffix in {".js", ".css"} and (path.parent.name != "texts" or path.stem == language)
    ]
    sizes = {str(path.relative_to(tmp_path)): len(gzip.compress(path.read_bytes())) for path in loaded}
    sys.stdout.write(f"{json.dumps(sizes)}: {sum(sizes.values()):,} bytes\n")  # shown by pytest -rP
    assert sum(sizes.values()) <= BUDGET_BYTES


def test_what_is_served_has_neither_types_nor_layout_and_is_else_as_it_was_written(tmp_path: Path) -> None:
    source = tmp_path / "page"
    source.mkdir()
    kept = "const a =\n(c); // here\nd`//e`;f({b});"
    typed = "const a =\n  /** @type {{b: string}} */ (c); // here\n\n  d`//e`;\nf(\n  {\n    b}\n);\n"
    ours = f"/** Says.\n * @param {{x}} y\n */\n// Why.\n{typed}  // There.\n/** Says. */\n"
    theirs = "/** Says. */\n  run();\n"
    (source / "a.js").write_text(ours)
    (source / "b.js").write_text("html`<b>${a}\n  <i>`;\n")
    (source / "vendor").mkdir()
    (source / "vendor/a.js").write_text(f"{theirs}//# sourceMappingURL=a.js.map\n")
    (source / "vendor/a.d.ts").write_text("declare const a;")
    copy_page(source, tmp_path / "public")
    assert (tmp_path / "public/a.js").read_text() == kept
    assert (tmp_path / "public/b.js").read_text() == "html`<b>${a}\n<i>`;"
    assert (tmp_path / "public/vendor/a.js").read_text() == theirs
    assert not (tmp_path / "public/vendor/a.d.ts").exists()
