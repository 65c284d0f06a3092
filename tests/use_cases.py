"""Use cases as tests need them: on fakes, with a clock that stands still."""

import itertools
from collections.abc import Sequence

from domain.daily_quota import DailyQuota
from domain.fetching import FetchQueue
from domain.leased_ids import LeasedIds
from domain.once_per_key import OncePerKey
from domain.ports import Clock, IdempotencyKeys, Quotas
from domain.request_fetch import RequestFetch
from domain.reserve_upload import ReserveUpload
from domain.upload_image import UploadImage
from tests.builders import NOW, TOKEN
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import (
    InMemoryFetchQueue,
    InMemoryIdempotencyKeys,
    InMemoryImageStore,
    InMemoryQuotas,
    InMemoryUploadForms,
)

MAX_BYTES = 10_000
"""The largest picture that `upload_image_with` takes."""


def upload_image_with(
    catalog: InMemoryImageCatalog, store: InMemoryImageStore | None = None, clock: Clock = lambda: NOW
) -> UploadImage:
    """Return the use case on fakes, at a moment that stands still unless the clock goes."""
    return UploadImage(
        catalog=catalog,
        store=store or InMemoryImageStore(),
        ids=LeasedIds(catalog),
        new_token=lambda: TOKEN,
        clock=clock,
        max_bytes=MAX_BYTES,
    )


def once_per_key_with(
    keys: IdempotencyKeys | None = None,
    quotas: Quotas | None = None,
    daily_quota: int = 0,
    clock: Clock = lambda: NOW,
) -> OncePerKey:
    """Return safe retries on fakes, without a quota unless one is named."""
    tokens = (f"try {number}" for number in itertools.count(1))
    quota = DailyQuota(quotas or InMemoryQuotas(), daily_quota, clock)
    return OncePerKey(keys or InMemoryIdempotencyKeys(), quota, clock, lambda: next(tokens))


def reserve_upload_with(catalog: InMemoryImageCatalog, clock: Clock = lambda: NOW) -> ReserveUpload:
    """Return the use case on fakes, for pictures of up to 50 MB."""
    return ReserveUpload(
        catalog=catalog,
        forms=InMemoryUploadForms(),
        ids=LeasedIds(catalog),
        new_token=lambda: TOKEN,
        clock=clock,
        max_bytes=50_000_000,
    )


def request_fetch_with(
    catalog: InMemoryImageCatalog,
    queue: FetchQueue | None = None,
    clock: Clock = lambda: NOW,
    allowed_hosts: Sequence[str] = (),
) -> RequestFetch:
    """Return the use case on fakes."""
    return RequestFetch(
        catalog=catalog,
        queue=queue or InMemoryFetchQueue(),
        ids=LeasedIds(catalog),
        new_token=lambda: TOKEN,
        clock=clock,
        allowed_hosts=allowed_hosts,
    )
