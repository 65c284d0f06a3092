import pytest

from domain.errors import UnavailableError
from domain.forget_image import ForgetImage
from domain.image import ImageFormat
from tests.builders import a_ref
from tests.fakes import InMemoryPublicCache

ADDRESS = f"/{a_ref().media_key(ImageFormat.JPEG)}"


def test_a_picture_is_forgotten_by_its_address() -> None:
    cache = InMemoryPublicCache()
    assert ForgetImage(cache)(ADDRESS, "event-1") == a_ref()
    assert cache.forgotten == [(a_ref(), "event-1")]


def test_a_picture_that_was_public_again_is_forgotten_again_by_what_its_addresses_begin_with() -> None:
    cache = InMemoryPublicCache()
    ForgetImage(cache)(ADDRESS, "event-1")
    assert ForgetImage(cache)(f"/{a_ref().media_prefix}", "event-2") == a_ref()
    assert cache.forgotten == [(a_ref(), "event-1"), (a_ref(), "event-2")]


@pytest.mark.parametrize("address", ["", "/*", "/media/*", "/api/docs", a_ref().addresses])
def test_nothing_but_a_pictures_address_reaches_the_cache(address: str) -> None:
    cache = InMemoryPublicCache()
    assert ForgetImage(cache)(address, "event-1") is None
    assert cache.forgotten == []


def test_a_cache_that_takes_no_more_is_asked_again_by_whoever_called() -> None:
    cache = InMemoryPublicCache()
    cache.is_full = True
    with pytest.raises(UnavailableError):
        ForgetImage(cache)(ADDRESS, "event-1")
    cache.is_full = False
    ForgetImage(cache)(ADDRESS, "event-1")
    assert cache.forgotten == [(a_ref(), "event-1")]
