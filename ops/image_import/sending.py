"""Sends one picture by the route that fits it, so that repeating the request makes no second picture."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx
from pydantic import BaseModel

from domain.text import clean_file_name
from ops.image_import.files import FoundFile
from ops.image_import.rows import PictureRow
from ops.service import FilePart, RefusedError, Service

_DIRECT_BYTES = 4_500_000
"""What the direct route takes; larger files go to S3 with a form (docs/use-the-api.md, "Limits")."""


class _Form(BaseModel):
    url: str
    fields: dict[str, str]


class SentPicture(BaseModel):
    """What of a picture's JSON tells how far it has come."""

    id: int
    status: str
    sha256: str | None = None
    error: str | None = None
    upload_expires_at: datetime | None = None
    upload: _Form | None = None


class Sent(NamedTuple):
    """A picture that was sent; `is_replayed` if an earlier run had sent it already."""

    picture: SentPicture
    is_replayed: bool


async def send(service: Service, row: PictureRow, file: FoundFile | None, instead_of: int | None) -> Sent:
    """Send the picture of a row, or have the service fetch it, and return it as it was answered.

    `instead_of` is the picture that an earlier run sent, if that will not become ready any more.

    Raises:
        RefusedError, OperatorError: as `Service.ask`.

    """
    key = {"Idempotency-Key": _idempotency_key(row, file, instead_of)}
    images = f"/api/products/{row.product_id}/images"
    if file is None:
        said = {"url": row.url, "name": row.name or None, **_details(row)}
        content = {name: value for name, value in said.items() if value is not None}
        return _sent(await service.ask("POST", f"{images}/fetch", key, json=content))
    if file.size_bytes <= _DIRECT_BYTES:
        part = FilePart("image", file.path, _name(row, file), file.image_format.media_type)
        data = {name: str(value) for name, value in _details(row).items()}
        return _sent(await service.ask("POST", images, key, part, data=data))
    announced = {
        "name": _name(row, file),
        "size": file.size_bytes,
        "content_type": file.image_format.media_type,
        "sha256": file.sha256,
        **_details(row),
    }
    answer = await service.ask("POST", f"{images}/uploads", key, json=announced)
    sent = _sent(answer)
    if not _has_expired(sent.picture, answer):
        form = sent.picture.upload
        if form:
            await service.post_form(form.url, form.fields, file.path)
        return sent
    if instead_of == sent.picture.id:
        raise RefusedError("The form for it expires before it is issued. Set this computer's clock.", "", 0)
    # The file never came; with another key there is another form.
    return await send(service, row, file, sent.picture.id)


def _has_expired(picture: SentPicture, answer: httpx.Response) -> bool:
    """Tell whether a form that was issued before is good no more, by the service's clock."""
    date = answer.headers.get("Date")
    expires_at = picture.upload_expires_at
    return bool(date and expires_at and expires_at <= parsedate_to_datetime(date))


def _sent(answer: httpx.Response) -> Sent:
    is_replayed = answer.headers.get("Idempotency-Replayed") == "true"
    return Sent(SentPicture.model_validate_json(answer.content), is_replayed)


def _idempotency_key(row: PictureRow, file: FoundFile | None, instead_of: int | None) -> str:
    """Return the same key for the same picture with the same words, in whatever run and line it comes."""
    what = file.sha256 if file else row.url
    said = [row.product_id, what, row.alt_text, row.is_primary, row.order, row.name, instead_of]
    name = file.path.name if file else ""
    return f"import-{hashlib.sha256(json.dumps([*said, name]).encode()).hexdigest()}"


def _details(row: PictureRow) -> Mapping[str, Any]:
    return {"alt_text": row.alt_text, "is_primary": row.is_primary, "order": row.order}


def _name(row: PictureRow, file: FoundFile) -> str:
    return clean_file_name(row.name or file.path.name) or f"picture.{file.image_format.extension}"
