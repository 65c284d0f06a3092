"""A product is put by its number, whoever else writes it meanwhile."""

from domain.product_record import ProductRecord
from domain.put_product import PutProduct
from tests.builders import NOW, PRODUCT_ID
from tests.catalog_fake import InMemoryImageCatalog
from tests.product_fakes import InMemoryProducts


class Overtaken(InMemoryProducts):
    """Products of which somebody else writes one between a look and the first write."""

    def __init__(self, catalog: InMemoryImageCatalog) -> None:
        super().__init__(catalog)
        self.is_overtaken = False

    def write(self, seen: ProductRecord, changed: ProductRecord, *, is_empty: bool = False) -> bool:
        if not self.is_overtaken:
            self.is_overtaken = True
            super().write(seen, seen.put("Theirs", seen.heard_now(NOW)))
        return super().write(seen, changed, is_empty=is_empty)


def test_a_product_that_somebody_else_puts_meanwhile_is_looked_at_again_and_gets_the_title() -> None:
    products = Overtaken(InMemoryImageCatalog())
    is_new = PutProduct(products, lambda: NOW)(PRODUCT_ID, "Ours")
    assert (is_new, products.look(PRODUCT_ID).title) == (False, "Ours")
