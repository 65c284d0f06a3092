"""README.md and docs/ as a reader meets them: short sentences, and links that lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from local.template import ROOT

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")])
READ_BY_ALL = [
    page
    for page in PAGES
    if page
    not in {
        "docs/decisions.md",
        # Not mended yet.
        *("docs/cost.md", "docs/growth.md", "docs/operate.md", "docs/performance.md"),
        *("docs/reliability.md", "docs/security.md"),
    }
]
MOST_WORDS = 30
"""What a reader takes in at once, in one sentence."""
README_LINES, README_CHARACTERS = 200, 9_000
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
