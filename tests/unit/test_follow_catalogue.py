from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidFieldsError
from domain.follow_catalogue import AHEAD, CatalogueEvent, CatalogueEventKind, FollowCatalogue, Followed
from domain.product_record import Stage
from domain.product_title import TITLE_LIMIT
from domain.remove_product import RemoveProduct
from tests.builders import NOW, an_image
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import InMemoryImageEvents, InMemoryImageStore
from tests.product_fakes import InMemoryProductBytes, InMemoryProducts, InMemoryRemovals

CREATED, CHANGED, DELETED = CatalogueEventKind


def an_event(kind: CatalogueEventKind, minute: int = 0, title: str | None = None) -> CatalogueEvent:
    return CatalogueEvent(kind, 42, title, NOW + timedelta(minutes=minute))


class Mirror:
    """A shop's products that follow its catalogue."""

    def __init__(self) -> None:
        self.catalog = InMemoryImageCatalog()
        self.products = InMemoryProducts(self.catalog)
        self.removals = InMemoryRemovals()
        self.follow = FollowCatalogue(self.products, self.removals, lambda: NOW)
        self.remove = RemoveProduct(
            products=self.products,
            belongings=self.products,
            product_bytes=InMemoryProductBytes(InMemoryImageStore()),
            events=InMemoryImageEvents(),
            clock=lambda: NOW,
        )

    def title(self) -> str | None:
        return self.products.find(42).title


@pytest.fixture
def mirror() -> Mirror:
    return Mirror()


def test_a_product_comes_changes_and_goes_as_the_catalogue_says(mirror: Mirror) -> None:
    assert mirror.follow(an_event(CREATED, 1, "Shoe")) is Followed.PUT
    assert mirror.title() == "Shoe"
    assert mirror.follow(an_event(CHANGED, 2, "Boot")) is Followed.PUT
    assert mirror.title() == "Boot"
    assert mirror.follow(an_event(DELETED, 3)) is Followed.REMOVED
    assert not mirror.products.exists(42)
    assert mirror.removals.requested == [42]


def test_a_late_word_changes_nothing(mirror: Mirror) -> None:
    mirror.follow(an_event(CHANGED, 2, "Boot"))
    assert mirror.follow(an_event(CREATED, 1, "Shoe")) is Followed.OUTDATED
    assert mirror.title() == "Boot"


def test_a_product_that_was_deleted_before_it_was_created_stays_away(mirror: Mirror) -> None:
    assert mirror.follow(an_event(DELETED, 2)) is Followed.REMOVED
    # It has nothing that would have to be removed.
    assert mirror.removals.requested == []
    assert mirror.follow(an_event(CREATED, 1)) is Followed.OUTDATED
    assert not mirror.products.exists(42)


def test_a_product_that_is_created_while_it_is_removed_comes_back_when_that_is_done(mirror: Mirror) -> None:
    mirror.follow(an_event(CREATED, 1, "Shoe"))
    mirror.catalog.reserve(an_image())
    mirror.follow(an_event(DELETED, 2))
    assert mirror.follow(an_event(CREATED, 3, "Boot")) is Followed.PUT_AFTER_REMOVAL
    assert not mirror.products.exists(42)
    assert mirror.remove(42, lambda: True)
    assert mirror.title() == "Boot"
    assert mirror.products.find(42).image_count == 0


def test_a_deletion_that_comes_twice_asks_for_the_removal_again(mirror: Mirror) -> None:
    mirror.follow(an_event(CREATED, 1))
    mirror.removals.is_down = True
    mirror.follow(an_event(DELETED, 2))
    mirror.removals.is_down = False
    assert mirror.follow(an_event(DELETED, 2)) is Followed.OUTDATED
    assert mirror.removals.requested == [42]


def test_a_title_that_is_too_long_is_refused(mirror: Mirror) -> None:
    with pytest.raises(InvalidFieldsError):
        mirror.follow(an_event(CREATED, 1, "x" * (TITLE_LIMIT + 1)))


def test_what_is_never_seen_is_no_part_of_a_title(mirror: Mirror) -> None:
    mirror.follow(an_event(CREATED, 1, "Red\x00\n\u202eshoe"))
    assert mirror.title() == "Red shoe"


def test_a_word_of_the_far_future_is_refused_since_it_would_silence_all_others(mirror: Mirror) -> None:
    event = an_event(CREATED, title="Shoe")._replace(occurred_at=NOW + AHEAD)
    assert mirror.follow(event) is Followed.PUT
    with pytest.raises(InvalidFieldsError) as raised:
        mirror.follow(event._replace(occurred_at=NOW + AHEAD + timedelta(microseconds=1)))
    assert [fault.field for fault in raised.value.faults] == ["occurred_at"]


def test_who_is_overtaken_looks_again(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    look = mirror.products.look
    stale = iter([look(42)])
    mirror.follow(an_event(CREATED, 1, "Shoe"))
    monkeypatch.setattr(mirror.products, "look", lambda product_id: next(stale, None) or look(product_id))
    mirror.follow(an_event(CHANGED, 2, "Boot"))
    assert mirror.products.find(42).title == "Boot"


EVENTS = st.builds(
    an_event, st.sampled_from(CatalogueEventKind), st.integers(0, 5), st.sampled_from([None, "a", "b"])
)


@settings(max_examples=200)
@given(st.lists(EVENTS, min_size=1, max_size=8), st.data())
def test_events_in_any_order_end_as_the_latest_says(
    events: list[CatalogueEvent], data: st.DataObject
) -> None:
    def weight(event: CatalogueEvent) -> tuple[object, ...]:
        is_deletion = event.kind is DELETED
        return event.occurred_at, is_deletion, "" if is_deletion else event.title or ""

    latest = max(events, key=weight)
    mirror = Mirror()
    # Each comes at least once, in any order, and removals are brought to their end in between.
    repeated = data.draw(st.lists(st.sampled_from(events), max_size=4))
    for event in data.draw(st.permutations([*events, *repeated])):
        mirror.follow(event)
        if data.draw(st.booleans()):
            mirror.remove(42, lambda: True)
    mirror.remove(42, lambda: True)
    record = mirror.products.look(42)
    assert record.occurred_at == latest.occurred_at
    assert record.stage is (Stage.REMOVED if latest.kind is DELETED else Stage.PRESENT)
    assert record.title == (None if latest.kind is DELETED else latest.title)
