"""`product-images products`: what an operator types, sees, and what is then in the table."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from adapters.dynamo_items import product_key
from domain.product_record import Stage
from tests.builders import NOW, a_ref, an_image
from tests.integration.ops_operator import Operator, error_line, operator_of_a_stack


@pytest.fixture(autouse=True)
def one_call_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto's transactions are not atomic under threads."""
    monkeypatch.setattr("ops.products.PARALLEL_CALLS", 1)


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    with operator_of_a_stack(monkeypatch) as operator:
        yield operator


# add


def test_products_are_added_and_those_that_are_there_already_are_named(operator: Operator) -> None:
    operator.products.add(124)
    result = operator.runs("products", "add", "123", "124")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["Product 123: added.", "Product 124: there already."]
    assert operator.products.exists(123)


@pytest.mark.parametrize("bad", ["0", "12x", "1.0", "9007199254740992", "", "٣"])
def test_one_bad_identifier_and_no_product_is_added(operator: Operator, bad: str) -> None:
    result = operator.runs("products", "add", "123", bad)
    assert result.exit_code == 2
    assert "Must be an integer from 1 to 9007199254740991." in error_line(result)
    assert not operator.products.exists(123)


def title_of(operator: Operator, product_id: int) -> str | None:
    listed = json.loads(operator.runs("products", "list", "--json").stdout)
    titles: dict[int, str | None] = {each["product_id"]: each["title"] for each in listed}
    return titles[product_id]


def test_a_product_is_added_with_a_title_which_can_be_given_later_too(operator: Operator) -> None:
    operator.runs("products", "add", "123", "--title", "Red shoe")
    assert title_of(operator, 123) == "Red shoe"
    assert operator.runs("products", "add", "123", "--title", "Blue shoe").exit_code == 0
    assert title_of(operator, 123) == "Blue shoe"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("123", "124", "--title", "Red shoe"), "A title is one product's."),
        (("123", "--title", "t" * 256), "Must have at most 255 characters."),
    ],
)
def test_a_title_that_cannot_be_given_adds_nothing(
    operator: Operator, arguments: tuple[str, ...], says: str
) -> None:
    result = operator.runs("products", "add", *arguments)
    assert result.exit_code == 2
    assert says in error_line(result)
    assert not operator.products.exists(123)


# import


def test_titles_of_a_file_are_imported_also_for_products_that_are_there(operator: Operator) -> None:
    operator.products.add(124, "Boot")
    operator.runs("products", "import", "-", typing="product_id,title\n123,Red shoe\n124,Brown boot\n")
    assert (title_of(operator, 123), title_of(operator, 124)) == ("Red shoe", "Brown boot")


def test_a_file_is_imported_with_its_bom_and_its_other_columns(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.csv"
    file.write_bytes("\ufeffname,product_id\r\nChair,123\r\nTable,124\r\n".encode())
    operator.products.add(124)
    result = operator.runs("products", "import", str(file))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "Added 1 product; there already: 1.\n"
    assert operator.products.exists(123)


def test_an_import_can_be_repeated(operator: Operator) -> None:
    # More than are written at a time.
    rows = "product_id\n" + "".join(f"{number}\n" for number in range(1, 101))
    first = operator.runs("products", "import", "-", typing=rows)
    second = operator.runs("products", "import", "-", typing=rows)
    assert first.stdout == "Added 100 products; there already: 0.\n"
    assert second.stdout == "Added 0 products; there already: 100.\n"
    assert operator.products.exists(100)


def test_bad_rows_are_reported_by_line_while_good_ones_are_imported(
    operator: Operator, tmp_path: Path
) -> None:
    file = tmp_path / "catalogue.csv"
    file.write_text("product_id\n123\nabc\n124\n0\n")
    result = operator.runs("products", "import", str(file))
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: catalogue.csv, line 3: product_id is 'abc'. Must be an integer from 1 to 9007199254740991.",
        "Error: catalogue.csv, line 5: product_id is '0'. Must be an integer from 1 to 9007199254740991.",
    ]
    assert result.stdout == "Added 2 products; there already: 0; 2 rows refused, see above.\n"
    assert operator.products.exists(124)


def test_a_dry_run_counts_and_adds_nothing(operator: Operator) -> None:
    operator.products.add(124)
    result = operator.runs("products", "import", "-", "--dry-run", typing="product_id\n123\n124\nabc\n")
    assert result.exit_code == 1
    assert result.stdout == "Nothing was added. New: 1, there already: 1; 1 row refused, see above.\n"
    assert "stdin, line 4" in result.stderr
    assert not operator.products.exists(123)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "stdin is empty"),
        (b"id,name\n1,Chair\n", "it reads: id, name"),
        (b"product_id\n1\nM\xfcller\n", "stdin is not UTF-8 (line 3)"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_line(operator: Operator, content: bytes, says: str) -> None:
    assert says in error_line(operator.runs("products", "import", "-", typing=content))


@pytest.mark.parametrize(("name", "says"), [("none.csv", "No such file"), (".", "Is a directory")])
def test_a_file_that_is_none_is_one_clear_line(
    operator: Operator, tmp_path: Path, name: str, says: str
) -> None:
    path = str(tmp_path / name)
    line = error_line(operator.runs("products", "import", path))
    assert path in line
    assert says in line


# remove


def test_products_are_removed_after_a_yes(operator: Operator) -> None:
    operator.products.add(123)
    result = operator.runs("products", "remove", "123", "999", typing="y\n")
    assert result.exit_code == 0
    assert "Remove 123, 999 from the products in stack product-images (eu-central-1)?" in result.stderr
    assert "Product 123: removed.\nProduct 999: was not there.\n" in result.stdout
    assert not operator.products.exists(123)


def test_without_a_yes_the_products_stay(operator: Operator) -> None:
    operator.products.add(123)
    result = operator.runs("products", "remove", "123", typing="n\n")
    assert result.exit_code == 1
    assert "Nothing was changed" in result.stderr
    assert operator.products.exists(123)


def test_a_product_with_images_stays_while_others_are_removed(operator: Operator) -> None:
    for product_id in (123, 124):
        operator.products.add(product_id)
    operator.catalog.reserve(an_image(ref=a_ref(product_id=123)))
    result = operator.runs("products", "remove", "123", "124", "--yes")
    assert error_line(result) == (
        "Error: Product 123 still has images; remove them first. "
        "What was just removed may take two hours to be gone. To remove them all with it: --with-images"
    )
    assert result.stdout == "Product 124: removed.\n"
    assert operator.products.exists(123)
    assert not operator.products.exists(124)


# list


def test_products_are_listed_in_order_with_how_many_pictures_each_has(operator: Operator) -> None:
    for product_id in (1_000, 9):
        operator.products.add(product_id)
    operator.products.add(42, "Red shoe")
    for image_id in (1, 2):
        operator.catalog.reserve(an_image(ref=a_ref(image_id, 42)))
    result = operator.runs("products", "list")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["Product", "Images", "Title"],
        ["9", "0"],
        ["42", "2", "Red", "shoe"],
        ["1000", "0"],
    ]
    assert "Read units used: " in result.stderr


def test_the_list_of_products_is_there_for_scripts_too(operator: Operator) -> None:
    operator.products.add(42)
    assert json.loads(operator.runs("products", "list", "--json").stdout) == [
        {"product_id": 42, "images": 0, "title": None}
    ]


def test_all_products_are_listed_however_many_pages_of_records_lie_between(operator: Operator) -> None:
    # DynamoDB answers a scan 1 MB at a time.
    for product_id in range(1, 6):
        operator.products.add(product_id)
        for image_id in range(3):
            ref = a_ref(10 * product_id + image_id, product_id)
            operator.catalog.reserve(an_image(ref=ref, name="n" * 100_000))
    listed = json.loads(operator.runs("products", "list", "--json").stdout)
    assert listed == [{"product_id": product_id, "images": 3, "title": None} for product_id in range(1, 6)]


def test_a_list_without_products_says_what_to_do(operator: Operator) -> None:
    result = operator.runs("products", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "There are no products yet." in result.stderr


def test_a_damaged_product_is_named_and_the_others_are_listed(operator: Operator) -> None:
    operator.products.add(42)
    item = {**product_key(7), "image_count": {"S": "many"}}
    boto3.client("dynamodb").put_item(TableName="catalog", Item=item)
    result = operator.runs("products", "list", "--json")
    assert result.exit_code == 1
    assert "damaged record: PRODUCT#7 / PRODUCT: " in result.stderr
    assert json.loads(result.stdout) == [{"product_id": 42, "images": 0, "title": None}]


def test_a_product_is_removed_with_its_images_after_a_question(operator: Operator) -> None:
    operator.products.add(123)
    for image_id in (1, 2):
        operator.catalog.reserve(an_image(ref=a_ref(image_id, product_id=123)))
    result = operator.runs("products", "remove", "123", "--with-images", typing="y\n")
    assert "Remove 123 and all their images in" in result.stderr
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "Product 123: removed.")
    assert operator.catalog.get(123, 1) is None


def test_a_removal_that_was_begun_is_brought_to_its_end(operator: Operator) -> None:
    operator.products.add(123)
    operator.catalog.reserve(an_image(ref=a_ref(product_id=123)))
    seen = operator.products.look(123)
    operator.products.write(seen, seen.removed(NOW))
    result = operator.runs("products", "remove", "123", "--with-images", "--yes")
    assert result.stdout == "Product 123: removed.\n"
    assert operator.products.look(123).stage is Stage.REMOVED
    assert operator.runs("products", "remove", "123", "--yes").stdout == "Product 123: was not there.\n"
