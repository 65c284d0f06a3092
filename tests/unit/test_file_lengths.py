"""Which files are longer than a reader can keep in mind, and why they are one all the same."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONG = 300
"""Lines: a sign to look for the seam, not a limit."""
FOLDERS = ("bench", "events", "layers", "local", "openapi", "ops", "packages", "page/public", "src", "tests")
SUFFIXES = {".py", ".js", ".css"}

REASONS = {
    "bench/cost.py": "the page of costs from top to bottom",
    "bench/growth.py": "the page of growth from top to bottom",
    "bench/routes.py": "one row for each route",
    "events/record.py": "one row for each payload",
    "local/system.py": "one class: how the local system starts and ends",
    "openapi/document.py": "the description in the order in which it is read",
    "ops/target.py": "one class: where a command works, and as whom",
    "page/public/styles.css": "one style sheet is one request",
    "src/adapters/dynamo_image_catalog.py": "one class for one port",
    "src/adapters/dynamo_items.py": "each attribute with its two directions; each module more costs start-up",
    "src/domain/errors.py": "one list of all that can go wrong",
    "src/domain/public_copy/jpeg_entropy.py": "one walk through one kind of data",
    "tests/builders.py": "one value for each test to begin with",
    "tests/e2e/fault_bench.py": "one bench",
    "tests/e2e/shop.py": "one client of the whole system",
    "tests/catalog_fake.py": "one class for one port",
    "tests/fakes.py": "one short class for each other port",
}


def test_a_long_file_says_why_it_is_one() -> None:
    long = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in SUFFIXES and "vendor" not in path.parts and "node_modules" not in path.parts
        if len(path.read_text().splitlines()) > LONG
    }
    tests = {name for name in long if Path(name).name.startswith("test_") or ".test." in name}
    # Of a file of tests the reason is always the same: one subject, case by case.
    assert long - tests == REASONS.keys()
