"""README.md and docs/ as a reader meets them: short sentences, and links that lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from local.template import ROOT, read_template
from openapi.bodies import ImageBody
from tests.documents import PAGES, blocks_of, commands_of

LONG_SENTENCES = {"docs/decisions.md"}
READ_BY_ALL = [page for page in PAGES if page not in LONG_SENTENCES]
MOST_WORDS = 30
"""What a reader takes in at once, in one sentence."""
README_LINES, README_CHARACTERS = 200, 9_000
_EXAMPLES = "tests/e2e/test_documented_examples.py"
RUN_BY = {
    r"curl -X DELETE .*<id of the answer>": "tests/e2e/test_deletion.py",
    r"curl |cp \.local/|export (BASE_URL|API_KEY)=|IMAGES=|IMAGE_ID=|python3 -c ": _EXAMPLES,
    r"python3 -m http.server 8080 ": "tests/browser/test_storefront.py",
    r"make local$": "tests/e2e/test_local_command.py",
    r"make (setup|test)$": "tests/unit/test_contributing.py",
    r"git (grep|show) ": "tests/unit/test_contributing.py",
    r"aws (s3api|dynamodb (get|update)-item) ": "tests/e2e/test_runbook.py",
    r"sam build": "tests/infrastructure/test_sam_build.py",
    r"\.venv/bin/product-images verify$": "tests/e2e/test_verify.py",
    r"\.venv/bin/product-images ": "tests/e2e/test_documented_commands.py",
}
"""What runs the commands that begin so, or the nearest to them that needs no AWS account."""
NOT_RUN = {
    r"sam (deploy|delete) |sam deploy$": "needs an AWS account; `make local` deploys the same template",
    r"aws (service-quotas|cloudformation|dynamodb delete-table) ": "needs an AWS account",
    r"aws events put-events ": "needs an AWS account; tests/e2e/test_product_removal.py sends such events",
    r"sam local invoke ": "needs Docker; tests/e2e/test_events.py runs each payload without it",
    r"export (AWS_|PRODUCT_IMAGES_(STACK|URL|KEY)=|ARCHITECTURE=)": "sets what the commands beside it need",
    r"git switch --detach <commit>$": "names a commit of the reader's",
}
"""Why no test runs the commands that begin so; docs/deploy.md says it of its own."""
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”)]*\s+")


def parsed(page: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse((ROOT / page).read_text())


def prose_of(page: str) -> Iterator[str]:
    """Yield the text of each paragraph, list item, heading and cell; a piece of inline code is one word."""
    for block in parsed(page):
        if block.type == "inline":
            yield "".join(_text_of(child) for child in block.children or [])


def _text_of(token: Token) -> str:
    match token.type:
        case "text":
            return token.content
        case "code_inline":
            return re.sub(r"[\s.!?]+", "_", token.content)
        case "softbreak" | "hardbreak":
            return " "
        case _:
            return ""


def sentences_of(page: str) -> Iterator[str]:
    for block in prose_of(page):
        yield from _SENTENCE_END.split(block)


def words_of(sentence: str) -> list[str]:
    return [word for word in sentence.split() if re.search(r"\w", word)]


@pytest.mark.parametrize("page", READ_BY_ALL)
def test_no_sentence_has_more_words_than_a_reader_takes_in_at_once(page: str) -> None:
    counted = ((len(words_of(sentence)), sentence) for sentence in sentences_of(page))
    long = [f"{page}: {words} words: {sentence}" for words, sentence in counted if words > MOST_WORDS]
    assert not long, "\n".join(long)


def test_marks_alone_are_no_words() -> None:
    assert words_of("Look: - it **works** …") == ["Look:", "it", "**works**"]


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("docs/")])
def test_every_page_says_first_who_needs_it_and_what_it_leads_to(page: str) -> None:
    paragraphs = (ROOT / page).read_text().split("\n\n")[1:]
    first = next(each for each in paragraphs if not each.startswith("Written by "))
    assert page == "docs/README.md" or first.startswith("For "), first
    assert page in {"docs/README.md", "docs/decisions.md"} or "By the end" in first, first


def targets_of(page: str) -> Iterator[str]:
    """Yield where the links and pictures of a page lead."""
    for block in parsed(page):
        for token in block.children or []:
            target = token.attrGet("href") or token.attrGet("src")
            if target:
                yield str(target)


def anchors_of(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_every_anchor_leads_somewhere(page: str) -> None:
    for target in targets_of(page):
        parts = urlsplit(target)
        if parts.scheme:
            continue
        path = (ROOT / page).parent / parts.path if parts.path else ROOT / page
        assert path.exists(), f"{page}: {target}"
        if parts.fragment:
            assert parts.fragment in anchors_of(path), f"{page}: {target}"


def test_the_readme_is_read_in_minutes() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= README_LINES
    assert len(text) <= README_CHARACTERS


@pytest.mark.parametrize("front", ["README.md", "docs/README.md"])
def test_the_front_door_and_the_index_name_every_page(front: str) -> None:
    folder = (ROOT / front).parent
    named = {(folder / urlsplit(target).path).resolve() for target in targets_of(front)}
    pages = {(ROOT / page).resolve() for page in PAGES if page.startswith("docs/")}
    assert pages - named - {(ROOT / front).resolve(), (ROOT / "docs/README.md").resolve()} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_run_by_a_test_or_says_why_not(page: str) -> None:
    known = [*RUN_BY, *NOT_RUN]
    assert [each for each in commands_of(page) if not any(re.match(begin, each) for begin in known)] == []


@pytest.mark.parametrize("beginning", [*RUN_BY, *NOT_RUN])
def test_the_tables_of_commands_name_nothing_that_is_gone(beginning: str) -> None:
    assert any(re.match(beginning, command) for page in PAGES for command in commands_of(page))
    assert beginning in NOT_RUN or (ROOT / RUN_BY[beginning]).is_file()


def test_a_command_is_read_without_its_comment_and_with_the_lines_in_its_quotes() -> None:
    assert commands_of("docs/use-the-api.md")[-1].endswith('{"title": "Red shoe"}\'')
    assert "export PRODUCT_IMAGES_STACK=product-images" in commands_of("README.md")


def test_the_answer_to_an_upload_is_printed_with_all_of_its_keys() -> None:
    [printed] = blocks_of("docs/use-the-api.md", "json")
    image = ImageBody.model_validate_json(printed)
    assert image.model_fields_set == ImageBody.model_fields.keys()


def test_the_architecture_names_every_function() -> None:
    named = re.findall(
        r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE
    )
    logical = [
        name
        for name, each in read_template()["Resources"].items()
        if each["Type"] == "AWS::Serverless::Function"
    ]
    deployed = {re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("Function")).lower() for name in logical}
    assert set(named) == deployed
