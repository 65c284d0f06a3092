"""What Schemathesis cannot know of the service: pictures, products that exist, what a key was used for.

Loaded by its command line (SCHEMATHESIS_HOOKS). No check is switched off here: valid requests are made
valid, and what cannot be sent is left out.
"""

import os
import uuid
from typing import Any

import httpx
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.parameters import ParameterLocation

from domain.image_details import ImageDetails
from tests.builders import picture

_PRODUCT_IDS = tuple(map(int, os.environ["PRODUCT_IDS"].split(",")))
_MAX_UPLOAD_BYTES = 50_000_000
_FORM_FIELDS = {"image", "is_primary", *ImageDetails._fields}
_PICTURES = st.sampled_from([picture(name) for name in ("JPEG", "PNG", "WEBP", "GIF", "AVIF")])

for media_type in ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"):
    schemathesis.openapi.media_type(media_type, _PICTURES)
schemathesis.openapi.format("binary", _PICTURES)


@schemathesis.deserializer("text/html")
def _read_page(_ctx: schemathesis.DeserializationContext, response: schemathesis.Response) -> Any:  # noqa: ANN401
    return response.text


@schemathesis.hook
def filter_case(_ctx: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Leave out forms that are invalid in theory only.

    What a form says is text: null in a field that the service ignores is sent as the text "null".
    """
    if case.operation.definition.raw["operationId"] != "uploadImage" or not isinstance(case.body, dict):
        return True
    return all(isinstance(value, str) for name, value in case.body.items() if name not in _FORM_FIELDS)


@schemathesis.hook
def before_call(
    _ctx: schemathesis.HookContext, case: schemathesis.Case[Any], _kwargs: dict[str, Any]
) -> None:
    """Complete what is valid of a request by what only the running service can tell."""
    if case.meta is None:
        return
    headers = case.meta.components.get(ParameterLocation.HEADER)
    if "If-Match" in case.headers and (headers is None or headers.mode.is_positive):
        # One that was made up is rightly stale, whatever the body.
        case.headers["If-Match"] = "*"
    if not case.meta.generation.mode.is_positive:
        return
    if "Idempotency-Key" in case.headers:
        # A key that came before is rightly refused.
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    product_id = int(case.path_parameters.get("product_id", 0))
    if product_id % 2:
        # Half of the products exist.
        product_id = _PRODUCT_IDS[product_id % len(_PRODUCT_IDS)]
        case.path_parameters["product_id"] = product_id
    operation = case.operation.definition.raw["operationId"]
    if operation == "reserveUpload" and isinstance(case.body, dict):
        # How large an upload may be is a deployment's parameter.
        size = case.body.get("size")
        if isinstance(size, int | float):
            case.body["size"] = size % _MAX_UPLOAD_BYTES + 1
    if operation == "fetchImage" and isinstance(case.body, dict) and "url" in case.body:
        # Which hosts everybody can reach, no pattern tells; this name leads nowhere (RFC 6761, 6.2).
        case.body["url"] = f"https://pictures.test/{uuid.uuid4()}.jpg"
    if operation == "reorderImages":
        case.body = {"image_ids": list[Any](_image_ids(product_id))}


def _image_ids(product_id: int) -> list[int]:
    answer = httpx.get(
        f"{os.environ['API_URL']}/api/products/{product_id}/images?limit=100",
        headers={"Authorization": f"Token {os.environ['API_KEY']}"},
    )
    return [image["id"] for image in answer.json().get("results", [])]
