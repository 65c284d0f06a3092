"""Makes of a picture what a storefront shows, and completes its record with that."""

from dataclasses import replace
from enum import StrEnum

from domain.errors import NotRenderableError
from domain.image import ImageRef, ImageStatus, ProductImage
from domain.image_catalog import ImageCatalog
from domain.image_events import ImageEventKind, ImageSummary
from domain.image_store import ImageStore, PublicCopy
from domain.ports import Clock, ImageEvents, ImageRenderer, Rendered
from domain.recipe import Recipe
from domain.rendition import Look
from domain.take_back import take_back


class Rendering(StrEnum):
    """What became of a picture that was to be rendered."""

    RENDERED = "rendered"
    WAS_RENDERED = "was_rendered"
    NOT_READY = "not_ready"
    GONE = "gone"


class RenderImage:
    """Renders pictures. Safe to repeat, to come late, or to be cut short anywhere.

    It ends with the same files and the same record, or with nothing left of a picture that was deleted
    meanwhile. Files come first: an address that a record names opens.
    """

    def __init__(
        self,
        *,
        catalog: ImageCatalog,
        store: ImageStore,
        renderer: ImageRenderer,
        events: ImageEvents,
        clock: Clock,
        recipe: Recipe,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._renderer = renderer
        self._events = events
        self._clock = clock
        self._recipe = recipe

    def __call__(self, ref: ImageRef) -> Rendering:
        """Make the files of a ready picture, unless that was done by this recipe, and they are still there.

        Raises:
            NotRenderableError: it cannot be done; the picture stays as it is.
            ImageRecordDamagedError: its record cannot be read.
            UnavailableError: a store failed for now; try again.

        """
        image = self._record(ref)
        if image is None:
            return self._clear(ref)
        if image.status is not ImageStatus.READY:
            return Rendering.NOT_READY
        if image.look and image.look.recipe == self._recipe.name and self._store.has_all_made(image):
            # An earlier try may have ended before it told.
            self._events.send(ImageEventKind.RENDERED, ImageSummary.of(image))
            return Rendering.WAS_RENDERED
        copy = self._store.shown(image)
        if copy is None and self._record(ref) is None:
            return self._clear(ref)
        rendered = self._render(ref, copy)
        look = self._put(ref, rendered) if self._is_noted(image) else None
        now = self._clock()
        if look is None or not self._catalog.mark_rendered(ref, look, now):
            return self._clear(ref)
        shown = replace(image, look=look, updated_at=now)
        self._events.send(ImageEventKind.RENDERED, ImageSummary.of(shown))
        return Rendering.RENDERED

    def _record(self, ref: ImageRef) -> ProductImage | None:
        """Return the record, unless it is being deleted."""
        image = self._catalog.get(ref.product_id, ref.image_id)
        is_there = image is not None and image.ref == ref and image.status is not ImageStatus.DELETING
        return image if is_there else None

    def _clear(self, ref: ImageRef) -> Rendering:
        """Remove what is left of a picture that is gone, or going; an earlier try may have put it there."""
        take_back(ref, self._store, self._events)
        return Rendering.GONE

    def _render(self, ref: ImageRef, copy: PublicCopy | None) -> Rendered:
        try:
            if copy:
                return self._renderer.render(copy.content, copy.image_format, self._recipe)
            raise NotRenderableError("its public copy is gone")  # noqa: TRY301 - one way to give up
        except NotRenderableError:
            # Its event waits in the failure queue: it is not to be found again every hour.
            self._catalog.leave_unrendered(ref)
            raise

    def _is_noted(self, image: ProductImage) -> bool:
        """Note in a record that names another recipe's files that they are not all; False if it is gone.

        Before the first file: a deletion goes by the record, and no try may come after this one.
        """
        if image.look is None or image.look.recipe == self._recipe.name:
            return True
        return self._catalog.note_recipe(image.ref, self._recipe.name, image.look.recipe, self._clock())

    def _put(self, ref: ImageRef, rendered: Rendered) -> Look:
        recipe = self._recipe.name
        renditions = tuple(
            self._store.add_rendition(ref, recipe, rendition, content)
            for rendition, content in rendered.files
        )
        return Look(recipe, renditions, rendered.placeholder, rendered.has_alpha, rendered.frames)
