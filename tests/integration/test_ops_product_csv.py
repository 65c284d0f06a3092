"""The CSV reader: each line of a file is a product, a bad row, or blank."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.csv_file import BadRow
from ops.failures import OperatorError
from ops.product_csv import read_product_csv

NO_PRODUCT = "Must be an integer from 1 to 9007199254740991."


@pytest.mark.parametrize(
    "content",
    [
        b"product_id\n1\n2\n",
        b"product_id\r\n1\r\n2",
        b"product_id\r1\r2\r",
        b"\xef\xbb\xbfproduct_id\n1\n2\n",
        b'"product_id"\n"1"\n"2"\n',
        b" product_id ,name\n 1 ,x\n\t2,y\n",
        b"name,product_id\nx,1\ny,2\n",
        b"\n\nproduct_id\n\n1\n,,\n2\n\n",
        b"product_id,name\n1,\n2\n",
        b"product_id\n1,,\n2,\n",
        b"product_id\n1\n2\n1\n2\n",
        b'product_id,name\n1,"two\nlines"\n2,x\n',
    ],
)
def test_one_and_two_are_read_from(content: bytes) -> None:
    products = read_product_csv(content, "file")
    assert tuple(products.titles) == (1, 2)
    assert products.bad_rows == ()


@pytest.mark.parametrize(
    ("content", "titles"),
    [
        (b"product_id,title\n1,Red shoe\n2,\n3\n", {1: "Red shoe", 2: None, 3: None}),
        (b"title,product_id\n  Red\t shoe ,1\n", {1: "Red shoe"}),
        ("product_id,title\n1,Gr\u00f6\u00dfe\u200b 40\n".encode(), {1: "Größe 40"}),
        (b"product_id,title\n1,Red\n1,\n1,Blue\n", {1: "Blue"}),
        (b"product_id,title\n1,Red\n1,\n", {1: "Red"}),
        (b"product_id;title\r\n1;Red, and round\r\n", {1: "Red, and round"}),
    ],
)
def test_titles_are_read_where_there_are_any(content: bytes, titles: dict[int, str | None]) -> None:
    assert read_product_csv(content, "file").titles == titles


@pytest.mark.parametrize(
    ("content", "bad_row"),
    [
        (b"product_id\n\n1x\n2\n", BadRow(3, f"product_id is '1x'. {NO_PRODUCT}")),
        (b"name,product_id\nChair\n,2\n", BadRow(2, f"product_id is ''. {NO_PRODUCT}")),
        (b"product_id\n1,234\n2\n", BadRow(2, "It has 2 values, the first line 1.")),
        (
            b"product_id,title\n1," + b"t" * 256 + b"\n2,x\n",
            BadRow(2, "title: Must have at most 255 characters."),
        ),
        (b'product_id,name\n2,"a\nb\nc"\n-7,x\n', BadRow(5, f"product_id is '-7'. {NO_PRODUCT}")),
        (b'product_id,name\n"7"7,x\n2,y\n', BadRow(2, "It is not CSV: ',' expected after '\"'.")),
        (b'product_id\n2\n"7\n8\n', BadRow(3, "It is not CSV: unexpected end of data.")),
        (b"product_id\n\x1b[31m7\n2\n", BadRow(2, f"product_id is '[31m7'. {NO_PRODUCT}")),
    ],
)
def test_a_bad_row_is_named_by_the_line_it_begins_on(content: bytes, bad_row: BadRow) -> None:
    products = read_product_csv(content, "file")
    assert products.bad_rows == (bad_row,)
    assert tuple(products.titles) == (2,)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "file is empty"),
        (b"\xef\xbb\xbf\n \n", "file is empty"),
        (b"product_id\tname\n1\tx\n", "commas or semicolons between columns; it reads: product_id"),
        (b"product_id,product_id\n1,2\n", "exactly one column product_id"),
        (b'"product_id\n1\n', "exactly one column product_id"),
        (b"1\n2\n", "it reads: 1"),
        (b"product_id\n1\n\xff\n", "file is not UTF-8 (line 3)"),
        ("product_id\n1\n".encode("utf-16"), "file is not UTF-8 (line 1)"),
    ],
)
def test_a_file_that_is_no_list_of_products_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(OperatorError) as raised:
        read_product_csv(content, "file")
    assert says in str(raised.value)


def test_a_header_alone_is_a_list_of_no_products() -> None:
    assert read_product_csv(b"product_id\n", "file").titles == {}


@given(
    st.binary() | st.text(alphabet='product_id,"\r\n12\0 ').map(lambda text: f"product_id\n{text}".encode())
)
def test_whatever_the_bytes_are_there_is_an_answer(content: bytes) -> None:
    with contextlib.suppress(OperatorError):
        assert all(row.line > 1 for row in read_product_csv(content, "file").bad_rows)
