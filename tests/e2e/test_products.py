"""The list of products, as staff who work on their pictures ask for it."""

from adapters.dynamo_products import DynamoProducts
from local.system import State, wait_until
from openapi.bodies import ProductBody, ProductsBody
from tests.builders import picture
from tests.e2e.shop import Shop


def test_staff_find_a_product_by_its_title_with_its_count_and_its_primary(
    system: State, shop: Shop, product_id: int
) -> None:
    title = f"Red shoe {product_id}"
    DynamoProducts(system.endpoint.client("dynamodb"), system.resources.table).add(product_id, title)
    image = shop.add(picture("JPEG"), product_id=product_id, is_primary="true")
    shop.add(picture("JPEG"), product_id=product_id)

    def found() -> ProductBody | None:
        answer = shop.products(q=f"SHOE {product_id}")
        assert answer.status_code == 200, answer.text
        # An index and reads that follow what is written a moment later.
        product = next(iter(ProductsBody.model_validate_json(answer.content).results), None)
        return product if product and product.count == 2 and product.primary else None

    product = wait_until(found, f"product {product_id} in the list")
    assert (product.product_id, product.title) == (product_id, title)
    assert product.primary is not None
    assert product.primary.id == image.id
