"""What a store promises of the files that are made of a picture, in memory and on S3."""

from dataclasses import replace

from domain.image import ImageFormat
from domain.image_store import ImageStore, PublicCopy
from domain.rendition import Rendition
from tests.builders import A_LOOK, SHA256, a_ready_image, a_ref, an_image
from tests.integration.test_image_store import store

__all__ = ["store"]

COPY = PublicCopy(b"a copy", ImageFormat.JPEG, SHA256)
FILE = Rendition(640, 480, ImageFormat.AVIF, 4)


def test_the_copy_of_a_ready_picture_is_had_without_looking_for_it(store: ImageStore) -> None:
    assert store.shown(a_ready_image()) is None
    store.publish(a_ref(), COPY)
    assert store.shown(a_ready_image()) == COPY


def test_of_two_files_at_one_address_the_first_one_stays(store: ImageStore) -> None:
    assert store.add_rendition(a_ref(), "r1", FILE, b"file") == FILE
    assert store.add_rendition(a_ref(), "r1", FILE._replace(size_bytes=6), b"second") == FILE
    assert store.add_rendition(a_ref(), "r2", FILE, b"file") == FILE


def test_it_tells_whether_all_is_there_that_was_made(store: ImageStore) -> None:
    look = A_LOOK._replace(recipe="r1", renditions=(FILE, FILE._replace(width_px=320)))
    image = replace(a_ready_image(), look=look)
    assert store.has_all_made(a_ready_image())
    store.add_rendition(a_ref(), "r1", FILE, b"file")
    assert not store.has_all_made(image)
    store.add_rendition(a_ref(), "r1", look.renditions[1], b"file")
    assert store.has_all_made(image)


def test_what_was_made_of_a_picture_goes_with_it(store: ImageStore) -> None:
    image = a_ready_image()
    store.publish(a_ref(), COPY)
    store.publish(a_ref(2), COPY)
    store.add_rendition(a_ref(), "r1", FILE, b"file")
    store.add_rendition(a_ref(2), "r1", FILE, b"file")
    store.delete(image)
    assert not store.is_there(a_ref())
    assert store.is_there(a_ref(2))


def test_what_was_made_of_a_picture_without_a_record_is_removed(store: ImageStore) -> None:
    store.add_rendition(a_ref(), "r1", FILE, b"file")
    store.unpublish(a_ref())
    assert not store.is_there(a_ref())
    store.delete(an_image())
