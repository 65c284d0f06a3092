"""Follows one request of the API through the functions, and on into those that work on its picture."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from local.logs.records import Record

GATEWAY = "gateway"
AUTHORIZER = "authorize"


def of_request(records: Iterable[Record], request_id: str) -> list[Record]:
    """Return what belongs to a request, in the order of time; nothing if there is no such request.

    Three things lead on from the records that name the request. Its key leads back to the authorizer, which
    is not told the request's identifier: its last word on the key counted, be it kept by the gateway.
    Its picture leads on to the functions that no request calls. Their invocation leads to how it crashed.
    """
    records = sorted(records, key=lambda record: record.at)
    own = [record for record in records if record.request_id == request_id]
    if not own:
        return []
    found = [*own, *_decision(records, own), *_afterwards(records, own)]
    return sorted({id(record): record for record in found}.values(), key=lambda record: record.at)


def _decision(records: Sequence[Record], own: list[Record]) -> Iterator[Record]:
    """Yield what the authorizer said of the request's key, or, of no known key, while the request lasted."""
    end = max(record.at for record in own)
    said = [record for record in records if record.function == AUTHORIZER and record.at <= end]
    keys = {record.fields.get("key_id") for record in own} - {None}
    yield from [record for record in said if record.fields.get("key_id") in keys][-1:]
    begin = _begin(own)
    if begin is not None:
        yield from (record for record in said if record.at >= begin and not record.fields.get("key_id"))


def _begin(own: list[Record]) -> datetime | None:
    """Return when a request began that the gateway answered itself."""
    for record in own:
        if record.function == GATEWAY:
            return record.at - timedelta(milliseconds=record.fields["duration_ms"])
    return None


def _afterwards(records: Sequence[Record], own: list[Record]) -> Iterator[Record]:
    pictures = {record.fields.get("image_id") for record in own} - {None}
    begin = min(record.at for record in own)
    # What answers a request names its key; what nobody asked for names none.
    work = [
        record
        for record in records
        if record.at >= begin
        and record.fields.get("image_id") in pictures
        and "key_id" not in record.fields
        and record not in own
    ]
    yield from work
    invocations = {record.request_id for record in work}
    yield from (
        record
        for record in records
        if record.request_id in invocations and record.traceback and "image_id" not in record.fields
    )
