"""What becomes of a picture that is to be rendered, whatever comes between."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from domain.delete_image import DeleteImage
from domain.errors import DomainError, NotRenderableError, UnavailableError
from domain.image import ImageFormat, ImageRef, ImageStatus
from domain.image_store import PublicCopy
from domain.ports import Rendered
from domain.recipe import Recipe
from domain.render_image import RenderImage, Rendering
from domain.rendition import Placeholder, Rendition
from tests.builders import NOW, PRODUCT_ID, SHA256, a_file, a_ref, an_image
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import InMemoryImageEvents, InMemoryImageStore, TickingClock
from tests.watched import Watched

COPY = PublicCopy(b"picture", a_file().image_format, SHA256)
FILES = ((320, ImageFormat.AVIF), (640, ImageFormat.AVIF), (320, ImageFormat.JPEG))
REF = a_ref()


class Renderer:
    """Makes three files that tell their recipe; raises what is to go wrong."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.rendered = 0

    def render(self, content: bytes, _: ImageFormat, recipe: Recipe) -> Rendered:
        self.rendered += 1
        if self.fault:
            raise self.fault
        made = content + recipe.name.encode()
        files = tuple((Rendition(width, width, each, len(made)), made) for width, each in FILES)
        return Rendered(files, Placeholder(b"hash", "#b4533c"), has_alpha=False, frames=1)


class Shop:
    """A picture that is ready, and all that may happen to it."""

    def __init__(self) -> None:
        self.catalog = InMemoryImageCatalog(PRODUCT_ID)
        self.store = InMemoryImageStore()
        self.events = InMemoryImageEvents()
        self.renderer = Renderer()
        self.clock = TickingClock(NOW)
        self.catalog.reserve(an_image())
        self.store.publish(REF, COPY)
        self.catalog.mark_ready(REF, a_file(), NOW)

    def render(self, recipe: Recipe | None = None, **instead: Any) -> Rendering:  # noqa: ANN401 - any collaborator
        roles = {"catalog": self.catalog, "store": self.store, "events": self.events, **instead}
        render = RenderImage(renderer=self.renderer, clock=self.clock, recipe=recipe or Recipe(), **roles)
        return render(REF)

    def delete(self) -> None:
        DeleteImage(self.catalog, self.store, self.events, self.clock)(PRODUCT_ID, REF.image_id)

    @property
    def keys(self) -> list[str]:
        return self.store.public_keys(REF)

    def is_open(self) -> bool:
        return (PRODUCT_ID, REF.image_id) in self.catalog.open_images(self.clock())


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_files_are_put_beside_the_picture_and_stand_in_its_record(shop: Shop) -> None:
    assert shop.render() is Rendering.RENDERED
    image = shop.catalog.images[PRODUCT_ID, REF.image_id]
    assert image.look is not None
    assert (image.look.recipe, [each.name for each in image.look.renditions]) == (
        "r2",
        ["320.avif", "640.avif", "320.jpg"],
    )
    assert {f"media/{image.look.path(REF, each)}" for each in image.look.renditions} < set(shop.keys)
    assert shop.events.sent == [("ImageRendered", REF.image_id)]
    assert not shop.is_open()


def test_the_same_event_again_renders_nothing_and_tells_it_again(shop: Shop) -> None:
    shop.render()
    before, keys = shop.catalog.images[PRODUCT_ID, REF.image_id], shop.keys
    assert shop.render() is Rendering.WAS_RENDERED
    assert (shop.catalog.images[PRODUCT_ID, REF.image_id], shop.keys) == (before, keys)
    assert shop.renderer.rendered == 1
    assert shop.events.sent == [("ImageRendered", REF.image_id)] * 2


def test_a_picture_of_which_a_file_is_gone_is_rendered_again(shop: Shop) -> None:
    shop.render()
    before, keys = shop.catalog.images[PRODUCT_ID, REF.image_id], shop.keys
    shop.store.unpublish(REF)
    shop.store.publish(REF, COPY)
    assert shop.render() is Rendering.RENDERED
    assert (shop.catalog.images[PRODUCT_ID, REF.image_id], shop.keys) == (before, keys)


def test_another_recipe_makes_other_files_and_leaves_the_old_ones(shop: Shop) -> None:
    shop.render()
    old = shop.keys
    assert shop.render(Recipe(avif_quality=50)) is Rendering.RENDERED
    assert set(old) < set(shop.keys)
    image = shop.catalog.images[PRODUCT_ID, REF.image_id]
    assert image.look is not None
    assert image.look.recipe == Recipe(avif_quality=50).name


def test_a_file_that_lies_there_already_is_the_one_that_is_shown(shop: Shop) -> None:
    shop.store.add_rendition(REF, "r2", Rendition(640, 640, ImageFormat.AVIF, 3), b"old")
    shop.render()
    look = shop.catalog.images[PRODUCT_ID, REF.image_id].look
    assert look is not None
    assert {each.name: each.size_bytes for each in look.renditions}["640.avif"] == 3


def test_a_picture_that_cannot_be_rendered_stays_ready_and_is_not_found_again(shop: Shop) -> None:
    shop.renderer.fault = NotRenderableError("it takes more than 70 s")
    assert shop.is_open()
    with pytest.raises(NotRenderableError, match="cannot be rendered: it takes more than 70 s"):
        shop.render()
    image = shop.catalog.images[PRODUCT_ID, REF.image_id]
    assert (image.status, image.look) == (ImageStatus.READY, None)
    assert len(shop.keys) == 1
    assert not shop.is_open()


def test_a_ready_picture_without_a_public_copy_cannot_be_rendered(shop: Shop) -> None:
    shop.store.unpublish(REF)
    with pytest.raises(NotRenderableError, match="its public copy is gone"):
        shop.render()


@pytest.mark.parametrize("status", [ImageStatus.PENDING, ImageStatus.FAILED])
def test_a_picture_that_is_not_ready_is_left_alone(shop: Shop, status: ImageStatus) -> None:
    shop.catalog.images[PRODUCT_ID, REF.image_id] = an_image(status=status)
    assert shop.render() is Rendering.NOT_READY
    assert len(shop.keys) == 1


def test_of_a_picture_that_is_gone_nothing_is_left(shop: Shop) -> None:
    shop.store.add_rendition(REF, "r2", Rendition(640, 640, ImageFormat.AVIF, 3), b"old")
    del shop.catalog.images[PRODUCT_ID, REF.image_id]
    assert shop.render() is Rendering.GONE
    # The cache forgets what it kept since the deletion; of what was not public nobody is told.
    assert (shop.keys, shop.events.sent) == ([], [("ImageTakenBack", REF.image_id)])
    assert shop.render() is Rendering.GONE
    assert shop.events.sent == [("ImageTakenBack", REF.image_id)]


def test_of_a_picture_whose_number_another_one_has_nothing_is_left(shop: Shop) -> None:
    other = ImageRef(PRODUCT_ID, REF.image_id, "f" * 16)
    shop.catalog.images[PRODUCT_ID, REF.image_id] = an_image(ref=other)
    assert shop.render() is Rendering.GONE
    assert shop.keys == []


def test_a_picture_that_is_deleted_while_it_is_looked_for_is_gone(shop: Shop) -> None:
    class Slow(InMemoryImageStore):
        def shown(self, _: object) -> None:
            shop.delete()

    assert shop.render(store=Slow()) is Rendering.GONE
    assert shop.keys == []


class KilledError(BaseException):
    """The function ends here, and nothing of it goes on."""


def watched(shop: Shop, turn: Callable[[str], None]) -> dict[str, Any]:
    roles = {"catalog": shop.catalog, "store": shop.store, "events": shop.events}
    return {name: Watched(inner, turn) for name, inner in roles.items()}


def killed_at(point: int) -> Callable[[str], None]:
    points: Iterator[int] = iter(range(1_000))

    def turn(_: str) -> None:
        if next(points) == point:
            raise KilledError

    return turn


TURNS_OF_A_RUN = 2 * 7
"""Before and after each call: get, shown, three puts, mark, send."""


@pytest.mark.parametrize("point", range(TURNS_OF_A_RUN))
@pytest.mark.parametrize("is_deleted", [False, True], ids=["stays", "deleted"])
def test_killed_before_or_after_any_call_nothing_is_lost_and_nothing_left(
    shop: Shop, point: int, is_deleted: bool
) -> None:
    with pytest.raises(KilledError):
        shop.render(**watched(shop, killed_at(point)))
    if is_deleted:
        shop.delete()
    # As Lambda tries an asynchronous event again.
    outcome = shop.render()
    if is_deleted:
        assert (outcome, shop.keys, shop.catalog.images) == (Rendering.GONE, [], {})
        return
    look = shop.catalog.images[PRODUCT_ID, REF.image_id].look
    assert look is not None
    assert shop.keys == sorted(
        [REF.media_key(COPY.image_format), *(f"media/{look.path(REF, each)}" for each in look.renditions)]
    )
    assert ("ImageRendered", REF.image_id) in shop.events.sent


def test_a_run_has_no_more_calls_than_were_tried(shop: Shop) -> None:
    turns = list[str]()
    shop.render(**watched(shop, turns.append))
    assert len(turns) == TURNS_OF_A_RUN


@pytest.mark.parametrize("seed", range(200))
def test_deleted_at_any_moment_of_any_number_of_runs_nothing_is_left(seed: int) -> None:
    dice, shop = random.Random(seed), Shop()  # noqa: S311 - no secret
    moment, turns = dice.randrange(TURNS_OF_A_RUN * 2), iter(range(1_000))

    def turn(name: str) -> None:
        at = next(turns)
        if at == moment:
            shop.delete()
        elif name == "add_rendition" and dice.random() < 0.1:
            raise UnavailableError

    for _ in range(dice.randrange(1, 4)):
        try:
            shop.render(**watched(shop, turn))
        except DomainError:
            continue
    if shop.catalog.images:
        shop.delete()
    # The last try of an event that failed; where none did it changes nothing.
    assert shop.render() is Rendering.GONE
    assert shop.keys == []


def test_deleted_at_a_moment_of_a_run_that_ends_nothing_is_left_without_another() -> None:
    for moment in range(TURNS_OF_A_RUN):
        each, turns = Shop(), iter(range(1_000))

        def turn(_: str, each: Shop = each, turns: Iterator[int] = turns, moment: int = moment) -> None:
            if next(turns) == moment:
                each.delete()

        each.render(**watched(each, turn))
        assert each.keys == [], moment


ANOTHER = Recipe(avif_speed=6)
TURNS_OF_ANOTHER_RECIPE = TURNS_OF_A_RUN + 2
"""The recipe is noted too, before the first put."""


def test_a_run_by_another_recipe_has_no_more_calls_than_were_tried(shop: Shop) -> None:
    shop.render()
    turns = list[str]()
    shop.render(ANOTHER, **watched(shop, turns.append))
    assert turns[::2] == ["get", "shown", "note_recipe", *["add_rendition"] * 3, "mark_rendered", "send"]
    assert len(turns) == TURNS_OF_ANOTHER_RECIPE


@pytest.mark.parametrize("point", range(TURNS_OF_ANOTHER_RECIPE))
def test_killed_while_another_recipe_makes_files_a_deletion_finds_them_without_another_try(
    shop: Shop, point: int
) -> None:
    shop.render()
    with pytest.raises(KilledError):
        shop.render(ANOTHER, **watched(shop, killed_at(point)))
    # Nobody tries it again: `product-images images render` waits for the answer itself.
    shop.delete()
    assert (shop.keys, shop.catalog.images) == ([], {})


def test_deleted_at_a_moment_of_a_run_by_another_recipe_that_ends_nothing_is_left() -> None:
    for moment in range(TURNS_OF_ANOTHER_RECIPE):
        each, turns = Shop(), iter(range(1_000))
        each.render()

        def turn(_: str, each: Shop = each, turns: Iterator[int] = turns, moment: int = moment) -> None:
            if next(turns) == moment:
                each.delete()

        each.render(ANOTHER, **watched(each, turn))
        assert (each.keys, each.catalog.images) == ([], {}), moment


def test_killed_while_a_deletion_looks_at_the_record_nothing_is_left(shop: Shop) -> None:
    shop.render()
    turns = iter([True])

    def render_meanwhile(name: str) -> None:
        if name == "begin_removal" and next(turns, False):
            # Dies when one file is put.
            with pytest.raises(KilledError):
                shop.render(ANOTHER, **watched(shop, killed_at(8)))
            assert any(ANOTHER.name in key for key in shop.keys)

    catalog = watched(shop, render_meanwhile)["catalog"]
    DeleteImage(catalog, shop.store, shop.events, shop.clock)(PRODUCT_ID, REF.image_id)
    assert (shop.keys, shop.catalog.images) == ([], {})


def test_what_was_made_goes_with_the_picture(shop: Shop) -> None:
    shop.render()
    shop.delete()
    assert shop.keys == []
