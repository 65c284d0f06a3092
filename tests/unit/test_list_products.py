import pytest

from domain.errors import InvalidFieldsError
from domain.list_products import MAX_WORDS, ListProducts
from tests.catalog_fake import InMemoryImageCatalog
from tests.product_fakes import InMemoryProducts


@pytest.fixture
def list_products() -> ListProducts:
    products = InMemoryProducts(InMemoryImageCatalog())
    for product_id, title in ((7, "Red shoe"), (8, "Blue shoe"), (9, None)):
        products.add(product_id, title)
    return ListProducts(products)


@pytest.mark.parametrize(
    ("after", "query", "found"), [(0, "", [7, 8, 9]), (7, "", [8, 9]), (0, "SHOE blue", [8]), (8, "shoe", [])]
)
def test_products_are_listed_behind_a_number_and_by_the_words_in_a_query(
    list_products: ListProducts, after: int, query: str, found: list[int]
) -> None:
    page = list_products(limit=10, after=after, query=query)
    assert [entry.product_id for entry in page.entries] == found


def test_more_words_than_anybody_looks_for_are_refused(list_products: ListProducts) -> None:
    assert not list_products(limit=10, after=0, query=" ".join("abcdefghij")).entries
    with pytest.raises(InvalidFieldsError) as refused:
        list_products(limit=10, after=0, query=" ".join(map(str, range(MAX_WORDS + 1))))
    assert refused.value.faults[0].field == "q"
