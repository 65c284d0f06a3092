"""What docs/moving.md shows of other shop systems' exports, converted by its own commands."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ops.__main__ import app
from ops.image_import.rows import COLUMNS, read_source

PAGE = Path(__file__).parents[2] / "docs/moving.md"
_BLOCKS = re.compile(r"^```(csv|convert)(?: (\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def conversions() -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield each command of the page, the files that stand before it, and the CSV that stands behind it."""
    before: dict[str, str] = {}
    command = ""
    for kind, name, text in _BLOCKS.findall(PAGE.read_text()):
        if kind == "convert":
            command = text.strip()
        elif command:
            yield command, dict(before), text
            command = ""
        else:
            before[name] = text


def convert(folder: Path, monkeypatch: pytest.MonkeyPatch, *command: str) -> Result:
    monkeypatch.chdir(folder)
    return CliRunner().invoke(app, ["images", "convert", *command])


@pytest.mark.parametrize(("command", "files", "converted"), list(conversions()))
def test_an_export_of_another_shop_system_becomes_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, files: dict[str, str], converted: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = convert(tmp_path, monkeypatch, *command.removeprefix("product-images images convert ").split())
    assert done.exit_code == 0, done.output
    assert (tmp_path / "pictures.csv").read_text() == converted
    source = read_source(tmp_path / "pictures.csv")
    assert not source.bad
    assert source.rows


def test_the_page_shows_each_shop_system_and_each_column() -> None:
    assert [command.split()[6] for command, _, _ in conversions()] == [
        "shopify",
        "woocommerce",
        "bigcommerce",
        "bigcommerce",
    ]
    for column in COLUMNS:
        assert f"\n| `{column}` |" in PAGE.read_text()


def test_the_new_names_of_shopify_are_read_as_the_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "export.csv").write_text(
        "Title,URL handle,Product image URL,Image position,Image alt text,Variant image URL\n"
        "Hat,hat,https://cdn.example/hat.jpg,1,A hat,https://cdn.example/variant.jpg\n"
    )
    (tmp_path / "numbers.csv").write_text("URL handle,product_id\nhat,124\n")
    done = convert(
        tmp_path, monkeypatch, "export.csv", "out.csv", "--from", "shopify", "--products", "numbers.csv"
    )
    assert done.exit_code == 0, done.output
    [row] = read_source(tmp_path / "out.csv").rows
    assert (row.product_id, row.url, row.alt_text, row.order) == (
        124,
        "https://cdn.example/hat.jpg",
        "A hat",
        1,
    )


@pytest.mark.parametrize(
    ("system", "numbers", "says"),
    [
        ("shopify", None, "Give --products FILE, a CSV with the columns product_id and Handle."),
        ("shopify", "product_id,SKU\n1,A\n", "it must have one of: Handle, URL handle."),
        ("shopify", "product_id,Handle\nx,hat\n", "numbers.csv, line 2: product_id is 'x'."),
        ("woocommerce", None, "Is export.csv an export of woocommerce?"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, numbers: str | None, says: str
) -> None:
    (tmp_path / "export.csv").write_text("Handle,Image Src\nhat,https://cdn.example/hat.jpg\n")
    products = []
    if numbers:
        (tmp_path / "numbers.csv").write_text(numbers)
        products = ["--products", "numbers.csv"]
    done = convert(tmp_path, monkeypatch, "export.csv", "out.csv", "--from", system, *products)
    assert says in done.stderr


def test_a_product_without_a_number_is_told_with_its_name_and_its_pictures_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "export.csv").write_text(
        'ID,SKU,Images\n1,HAT,https://a.example/1.jpg\n2,SHOE,"https://a.example/2.jpg, https://a.example/3.jpg"\n'
    )
    (tmp_path / "numbers.csv").write_text("product_id,SKU\n124,HAT\n")
    done = convert(
        tmp_path, monkeypatch, "export.csv", "out.csv", "--from", "woocommerce", "--products", "numbers.csv"
    )
    assert done.exit_code == 1
    assert "Product 2 / SHOE has no number: 2 images left out." in done.stderr
    assert [row.product_id for row in read_source(tmp_path / "out.csv").rows] == [124]
