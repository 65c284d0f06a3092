"""The JSON of a picture, as the endpoint's documentation names its keys."""

import base64
from http import HTTPStatus
from typing import TYPE_CHECKING

from domain.image import ImageRef, ProductImage, human_readable_size
from domain.moments import iso_utc
from handlers.problems import HttpResponse, json_response

if TYPE_CHECKING:
    from domain.rendition import Look, Rendition


def image_json(image: ProductImage, *, base_url: str, is_primary: bool) -> dict[str, object]:
    """Return the contract's object: sizes in bytes and pixels, times in ISO 8601 UTC.

    `width`, `height` and `mode` are None until the picture is ready, `sha256` until it was inspected, and
    what is made of it for the public until that is done.
    """
    details, facts, failure, look = image.details, image.facts, image.failure, image.look
    return {
        "id": image.ref.image_id,
        "type": image.image_format.name,
        "user": {"id": image.user.id, "username": image.user.username, "full_name": image.user.full_name},
        "name": image.name,
        "f": f"{base_url}/{image.media_key}",
        "size": image.size_bytes,
        "description": details.alt_text,
        "width": facts.width_px if facts else None,
        "height": facts.height_px if facts else None,
        "human_readable_size": human_readable_size(image.size_bytes),
        "mode": facts.mode if facts else None,
        "created_at": iso_utc(image.created_at),
        "updated_at": iso_utc(image.updated_at),
        "product_id": image.ref.product_id,
        "alt_text": details.alt_text,
        "is_primary": is_primary,
        "order": details.order,
        "status": image.status.value,
        "sha256": image.sha256,
        "error": failure.reason if failure else None,
        "error_code": failure.code if failure else None,
        **look_json(look, image.ref, base_url),
        "upload_expires_at": iso_utc(image.upload_expires_at) if image.upload_expires_at else None,
    }


def shown_json(image: ProductImage, *, base_url: str, is_primary: bool) -> dict[str, object]:
    """Return what the public sees of a picture that is ready: nothing of who sent it, or of its file.

    The keys mean what they do in `image_json`.
    """
    facts = image.facts
    return {
        "id": image.ref.image_id,
        "product_id": image.ref.product_id,
        "type": image.image_format.name,
        "f": f"{base_url}/{image.media_key}",
        "size": image.size_bytes,
        "width": facts.width_px if facts else None,
        "height": facts.height_px if facts else None,
        "alt_text": image.details.alt_text,
        "is_primary": is_primary,
        **look_json(image.look, image.ref, base_url),
    }


def look_json(look: "Look | None", ref: ImageRef, base_url: str) -> dict[str, object]:
    """Return what was made of a picture for the public; each of it is None until it is."""
    if look is None:
        return {"renditions": None, "placeholder": None, "has_alpha": None, "frames": None}
    thumbhash = base64.b64encode(look.placeholder.thumbhash).decode()
    return {
        "renditions": [_rendition_json(look, each, ref, base_url) for each in look.renditions],
        "placeholder": {"thumbhash": thumbhash, "color": look.placeholder.color},
        "has_alpha": look.has_alpha,
        "frames": look.frames,
    }


def thumbnail_json(image: ProductImage, base_url: str) -> dict[str, object]:
    """Return what a list of products shows of a picture: its smallest file that does not move."""
    look = look_json(image.look, image.ref, base_url)
    stills = [each for each in image.look.renditions if not each.is_animated] if image.look else []
    smallest = min(stills, key=lambda each: (each.width_px, each.size_bytes), default=None)
    return {
        "id": image.ref.image_id,
        "alt_text": image.details.alt_text,
        "thumbnail": (
            _rendition_json(image.look, smallest, image.ref, base_url) if image.look and smallest else None
        ),
        "placeholder": look["placeholder"],
    }


def _rendition_json(look: "Look", rendition: "Rendition", ref: ImageRef, base_url: str) -> dict[str, object]:
    return {
        "width": rendition.width_px,
        "height": rendition.height_px,
        "type": rendition.image_format.name,
        "f": f"{base_url}/media/{look.path(ref, rendition)}",
        "size": rendition.size_bytes,
        "is_animated": rendition.is_animated,
    }


def created(body: dict[str, object], *, base_url: str) -> HttpResponse:
    """Return the 201 with a new picture's JSON; its `Location` opens wherever the request was sent to."""
    location = f"{base_url}/api/products/{body['product_id']}/images/{body['id']}"
    return json_response(HTTPStatus.CREATED, body, {"Cache-Control": "no-store", "Location": location})
