"""Many at once, on the emulator, whose concurrency is real: a process for each call."""

from concurrent.futures import ThreadPoolExecutor

from domain.image import ImageStatus
from local.sample import sample_jpeg
from local.system import wait_until
from tests.e2e.shop import Shop


def test_eight_uploads_at_once_to_one_product_all_arrive(shop: Shop) -> None:
    pictures = [sample_jpeg(64 + number, 64) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda picture: shop.upload(picture, product_id=125), pictures))
    assert [answer.status_code for answer in answers] == [201] * 8
    bodies = [answer.json() for answer in answers]
    assert len({body["id"] for body in bodies}) == 8
    for number, body in enumerate(bodies):
        image = shop.finished(body)
        assert image.status is ImageStatus.READY
        assert image.facts
        assert image.facts.width_px == 64 + number


def test_of_two_primary_uploads_at_once_the_later_one_becomes_primary(shop: Shop) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda width: shop.upload(sample_jpeg(width, 50), product_id=126, is_primary="true"), [50, 51]
            )
        )
    images = [shop.finished(answer.json()) for answer in answers]
    latest = max(images, key=lambda image: (image.created_at, image.ref.image_id))
    catalog = shop.state.catalog

    def settled() -> bool | None:
        # READY is written before the pointer, so a look may come between the two.
        return shop.primaries(126) == [latest.ref.image_id] or None

    assert wait_until(settled, "primary that is the later upload")
    assert all(catalog.move_primary(image) == (image == latest) for image in images)


def test_a_broken_picture_never_becomes_primary(shop: Shop) -> None:
    good = shop.add(sample_jpeg(40, 30), product_id=127, is_primary="true")
    broken = sample_jpeg(400, 300)[:2000]
    failed = shop.finished(shop.upload(broken, product_id=127, is_primary="true").json())
    assert failed.status is ImageStatus.FAILED
    # Its event once more, waited for to the end, so that nothing is left that could still move the pointer.
    assert shop.invoke_metadata(failed.ref.key) in {"failed", "gone"}
    assert shop.primaries(127) == [good.id]
