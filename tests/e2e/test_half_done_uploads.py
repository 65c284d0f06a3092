"""An upload whose bytes cannot be stored leaves nothing behind, and says when to come again."""

from local.sample import sample_jpeg
from tests.e2e.problems import check_problem
from tests.e2e.shop import Shop


def test_a_put_that_fails_takes_the_record_back_and_answers_503(shop: Shop, product_id: int) -> None:
    with shop.bucket_policy(shop.no_puts()):
        answer = shop.upload(sample_jpeg(50, 50), product_id=product_id)
    check_problem(answer, 503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert shop.gallery(product_id) == []
    assert shop.received_keys(product_id) == set()
