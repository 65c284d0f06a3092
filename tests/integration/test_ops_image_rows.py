"""Which pictures a CSV or a folder names, and where they are to stand."""

from pathlib import Path

import pytest

from ops.failures import OperatorError
from ops.image_import.rows import PictureRow, Source, read_source, write_failed


def read(folder: Path, text: str) -> Source:
    file = folder / "pictures.csv"
    file.write_text(text)
    return read_source(file)


def orders(source: Source) -> list[int | None]:
    return [row.order for row in source.rows]


@pytest.mark.parametrize(
    ("said", "given"),
    [
        (["", "", ""], [0, 1, 2]),
        (["0", "0", "0"], [0, 1, 2]),
        (["5", "", "1", ""], [5, 6, 1, 2]),
        (["3", "1", "2"], [3, 1, 2]),
        (["1", "1", "2"], [1, 2, 3]),
        (["-7", "", "-7"], [-7, -5, -6]),
        (["2147483646", "2147483646"], [2147483646, 2147483647]),
    ],
)
def test_each_picture_of_a_product_gets_an_order_of_its_own_that_keeps_the_files(
    tmp_path: Path, said: list[str], given: list[int]
) -> None:
    rows = "".join(f"1,{number}.jpg,{order}\n2,x{number}.jpg,\n" for number, order in enumerate(said))
    source = read(tmp_path, f"product_id,file,order\n{rows}")
    assert orders(source) == [*given, *range(len(said))]
    assert [row.product_id for row in source.rows] == [1] * len(said) + [2] * len(said)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("1,,,,,", "It names no file and no url."),
        ("1,a.jpg,https://a.example/a.jpg,,,", "It names a file and a url; leave one of them out."),
        ("x,a.jpg,,,,", "product_id is 'x'. Must be an integer from 1 to 9007199254740991."),
        ("1,a.jpg,,perhaps,,", "is_primary: Must be a boolean: true or false, 1 or 0, yes or no."),
        ("1,a.jpg,,,first,", "order: Must be an integer from -2147483648 to 2147483647."),
        (f"1,a.jpg,,,,{'x' * 1_001}", "alt_text: Must have at most 1,000 characters."),
        ("1,a.jpg,,yes,,", "line 2 is the primary of product 1 already. Leave one of them."),
        ('1,"a"b,,,,', "It is not CSV: ',' expected after '\"'."),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_kept_to_be_mended(tmp_path: Path, row: str, says: str) -> None:
    columns = "product_id,file,url,is_primary,order,alt_text"
    source = read(tmp_path, f"{columns}\n1,good.jpg,,yes,,\n{row}\n")
    [bad] = source.bad
    assert (bad.place, bad.reason, len(source.rows)) == ("line 3", says, 1)
    write_failed(source.failed_file, source.bad)
    # What is no CSV has no values to keep.
    assert len(source.failed_file.read_text().splitlines()) == 1 + bool(bad.cells)


def test_a_folder_has_a_folder_for_each_product_whose_files_stand_as_people_count(tmp_path: Path) -> None:
    for name in ("12/10.jpg", "12/2.jpg", "3/b.png", "3/A.png", "3/.DS_Store", "3/Thumbs.db", ".git/x.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    source = read_source(tmp_path)
    assert [(row.product_id, row.file, row.order) for row in source.rows] == [
        (3, "3/A.png", 0),
        (3, "3/b.png", 1),
        (12, "12/2.jpg", 0),
        (12, "12/10.jpg", 1),
    ]
    assert (source.folder, source.bad) == (tmp_path, [])


def test_a_folder_that_is_no_product_is_told(tmp_path: Path) -> None:
    (tmp_path / "shoes").mkdir()
    [bad] = read_source(tmp_path).bad
    assert (bad.place, bad.reason.partition(".")[0]) == ("shoes", "folder is 'shoes'")


def test_an_exported_folder_is_read_as_its_csv_says(tmp_path: Path) -> None:
    (tmp_path / "12").mkdir()
    (tmp_path / "12/9.jpg").touch()
    (tmp_path / "images.csv").write_text("product_id,file,alt_text\n12,12/9.jpg,Front\n")
    [row] = read_source(tmp_path).rows
    assert row == PictureRow(place="line 2", product_id=12, file="12/9.jpg", alt_text="Front", order=0)


def test_a_folder_with_nothing_in_it_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="Lay the images of product 123 into"):
        read_source(tmp_path)
