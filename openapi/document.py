"""Builds the OpenAPI 3.1 document from the models that the code validates with, and those of its answers."""

import json
import re
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from domain.announced_format import (
    FORMAT_BY_EXTENSION,
    FORMAT_BY_MEDIA_TYPE,
    GENERIC_MEDIA_TYPES,
    MISSPELT_MEDIA_TYPES,
)
from domain.image import MAX_ID, ImageFormat
from domain.recipe import Recipe
from domain.reorder_images import MAX_IMAGES
from domain.storefront import MAX_PRODUCTS
from domain.upload_fields import FALSE, TRUE
from handlers.idempotency import KEY_PATTERN
from handlers.json_bodies import AnnounceBody, ChangeBody, DetailsBody, FetchBody, OrderBody, PutProductBody
from handlers.json_request import MAX_BODY_BYTES
from handlers.queries import PageQuery, PrimariesQuery, ProductsQuery, ShownPageQuery
from openapi.bodies import (
    GalleryBody,
    ImageBody,
    PrimariesBody,
    ProblemBody,
    ProductBody,
    ProductsBody,
    ReservedImageBody,
    ShownGalleryBody,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

type Json = dict[str, Any]

PATH = Path(__file__).resolve().parent.parent / "docs/openapi.json"

_PRODUCTS = "/api/products"
_PRODUCT = f"{_PRODUCTS}/{{product_id}}"
_IMAGES = f"{_PRODUCT}/images"
_IMAGE = f"{_IMAGES}/{{image_id}}"
_STOREFRONT = "/api/storefront"

_EXAMPLE: Json = {
    "id": 4711,
    "type": "JPEG",
    "user": {"id": 2, "username": "sam", "full_name": "Sam Staff"},
    "name": "product_image.jpg",
    "f": "https://images.example.com/media/123/4711-9f86d081884c7d65.jpg",
    "size": 118663,
    "description": "Product front view",
    "width": None,
    "height": None,
    "human_readable_size": "115.9 KB",
    "mode": None,
    "created_at": "2026-11-24T06:37:01.019536Z",
    "updated_at": "2026-11-24T06:37:01.019536Z",
    "product_id": 123,
    "alt_text": "Product front view",
    "is_primary": True,
    "order": 1,
    "status": "pending",
    "sha256": None,
    "error": None,
    "error_code": None,
    "renditions": None,
    "placeholder": None,
    "has_alpha": None,
    "frames": None,
    "upload_expires_at": None,
}
_LOOK: Json = {
    "renditions": [
        {
            "width": 320,
            "height": 213,
            "type": image_type,
            "f": f"https://images.example.com/media/123/4711-9f86d081884c7d65/{Recipe().name}/320.{extension}",
            "size": size,
            "is_animated": False,
        }
        for image_type, extension, size in (("AVIF", "avif", 7204), ("JPEG", "jpg", 17_411))
    ],
    "placeholder": {"thumbhash": "3OcRJYB4d3h/iIeHeEh3eIhw+j2w", "color": "#b4533c"},
    "has_alpha": False,
    "frames": 1,
}
_READY = {
    **_EXAMPLE,
    "width": 1200,
    "height": 800,
    "mode": "RGB",
    "status": "ready",
    "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    **_LOOK,
}
_RESERVED = {
    **_EXAMPLE,
    "upload_expires_at": "2026-11-24T06:52:01.000000Z",
    "upload": {
        "url": "https://bucket.s3.eu-central-1.amazonaws.com/",
        "fields": {"key": "incoming/123/4711-9f86d081884c7d65", "policy": "…"},
        "expires_at": "2026-11-24T06:52:01.000000Z",
    },
}
_FETCHED = {**_EXAMPLE, "size": 0, "human_readable_size": "0 B"}
_LISTED = {**_READY, "etag": '"9f86d081884c7d659a2feaa0c55ad015"'}
_PAGE = {"count": 1, "next": None, "previous": None, "results": [_LISTED]}

_SHOWN = {
    name: _READY[name]
    for name in (
        *("id", "product_id", "type", "f", "size", "width", "height", "alt_text", "is_primary"),
        *_LOOK,
    )
}
_A_PRODUCT = {
    "product_id": 123,
    "title": "Red shoe",
    "count": 1,
    "primary": {
        "id": 4711,
        "alt_text": "Product front view",
        "thumbnail": _LOOK["renditions"][0],
        "placeholder": _LOOK["placeholder"],
    },
}
_PRODUCTS_PAGE = {"next": None, "results": [_A_PRODUCT]}

_EVERYWHERE = {400: "invalid_fields", 401: "unauthorized", 403: "access_denied", 404: "product_not_found"}
_CONTENT = {413: "file_too_large", 415: "unsupported_encoding"}
_JSON_CONTENT = {413: "body_too_large", 415: "unsupported_encoding"}
_FAULTS = {429: "throttled", 500: "internal_error", 503: "temporarily_unavailable", 504: "timeout"}

_ETAG = {"ETag": {"description": "Tells this state of it from others.", "schema": {"type": "string"}}}
_KEPT = {
    **_ETAG,
    "Cache-Control": {
        "description": "How long to keep it, and to show it after that.",
        "schema": {"type": "string"},
    },
}
_LOCATION = {
    "Location": {
        "description": "URL of the image.",
        "schema": {"type": "string", "format": "uri"},
    },
    "Idempotency-Replayed": {
        "description": "There if the answer is that to an earlier request with this Idempotency-Key.",
        "schema": {"type": "string", "const": "true"},
    },
}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}}}
_PROBLEM_HEADERS: dict[str, Json] = {
    "unauthorized": {"WWW-Authenticate": {"schema": {"type": "string", "const": "Token"}}},
    "throttled": _RETRY_AFTER,
    "temporarily_unavailable": _RETRY_AFTER,
    "request_in_progress": _RETRY_AFTER,
    "product_being_removed": _RETRY_AFTER,
    "unsupported_encoding": {"Accept-Encoding": {"schema": {"type": "string", "const": "identity"}}},
}

_LINKS = {
    operation_id: {
        "operationId": operation_id,
        "description": description,
        "parameters": {
            "product_id": "$request.path.product_id",
            "image_id": "$response.body#/id",
        },
    }
    for operation_id, description in (
        ("showImage", "The new image."),
        ("changeImage", "Its text, order or whether it is the primary."),
        ("deleteImage", "To have it no more."),
    )
}
"""What can be done with an image, once it has its identifier."""

_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "ETags that the client has; 304 if one of them is current.",
    "schema": {"type": "string"},
}

_PRODUCT_IDS = {
    "name": "product_ids",
    "in": "query",
    "required": True,
    "description": PrimariesQuery.model_fields["product_ids"].description,
    # With commas between them, in one parameter.
    "style": "form",
    "explode": False,
    "schema": {
        "type": "array",
        "items": {"type": "integer", "minimum": 1, "maximum": MAX_ID},
        "minItems": 1,
        "maxItems": MAX_PRODUCTS,
        "uniqueItems": True,
    },
}

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key with the same request brings the same answer again, for 24 hours.",
    "schema": {"type": "string", "pattern": KEY_PATTERN},
}


def build() -> Json:
    """Return the document; its server is the place it was read from until the API names itself."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Product images",
            "version": "1.0.0",
            "summary": "Pictures of a shop's products.",
            "description": "Staff and administrators upload, list, change, reorder and delete images. "
            "Errors are problem details (RFC 9457) with a stable `code`. Look at the size of an image "
            "before you send it: a direct upload takes 4.5 MB. Above 10 MB API Gateway answers with a 413 in "
            "plain text, which a page of another origin cannot even read. "
            f"JSON may have at most {MAX_BODY_BYTES:,} bytes.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "tags": [
            {"name": "images", "description": "Pictures of a product."},
            {"name": "storefront", "description": "What the public sees; needs no key."},
            {"name": "products", "description": "The products that may have images."},
            {"name": "description", "description": "This document; needs no key."},
        ],
        "paths": {
            _PRODUCTS: {"get": _list_products()},
            _PRODUCT: {
                "parameters": [_identifier("product_id")],
                "get": _show_product(),
                "put": _put_product(),
                "delete": _remove_product(),
            },
            _IMAGES: {"parameters": [_identifier("product_id")], "get": _list(), "post": _upload()},
            f"{_IMAGES}/uploads": {"parameters": [_identifier("product_id")], "post": _reserve()},
            f"{_IMAGES}/fetch": {"parameters": [_identifier("product_id")], "post": _fetch()},
            f"{_IMAGES}/order": {"parameters": [_identifier("product_id")], "put": _reorder()},
            _IMAGE: {
                "parameters": [_identifier("product_id"), _identifier("image_id")],
                "get": _show(),
                "patch": _change(),
                "delete": _delete(),
            },
            f"{_STOREFRONT}/products/{{product_id}}/images": {
                "parameters": [_identifier("product_id")],
                "get": _show_gallery(),
            },
            f"{_STOREFRONT}/primary-images": {"get": _show_primaries()},
            "/api/openapi.json": {
                "get": _described(
                    "getOpenapi", "This document", "Its server is this deployment's.", "application/json"
                )
            },
            "/api/docs": {
                "get": _described(
                    "getDocs",
                    "This document as a page",
                    "The page loads nothing from elsewhere.",
                    "text/html",
                )
            },
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "apiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "Written as `Token <your_api_key>`.",
                }
            },
        },
    }


def render() -> str:
    """Return the document as it stands in docs/openapi.json."""
    return json.dumps(build(), indent=2, ensure_ascii=False) + "\n"


def _schemas() -> Json:
    requests: list[type[BaseModel]] = [AnnounceBody, ChangeBody, FetchBody, OrderBody, PutProductBody]
    answers: list[type[BaseModel]] = [
        *(
            ImageBody,
            ReservedImageBody,
            GalleryBody,
            ShownGalleryBody,
            PrimariesBody,
            ProductBody,
            ProductsBody,
        ),
        ProblemBody,
    ]
    _, definitions = models_json_schema(
        [*((model, "validation") for model in requests), *((model, "serialization") for model in answers)],
        ref_template="#/components/schemas/{model}",
    )
    schemas: Json = definitions["$defs"]
    # Fields of a change that are not sent stay as they are: these defaults never apply.
    for field in schemas["ChangeBody"]["properties"].values():
        del field["default"]
    # Either the media type tells the format, or the name does where the media type says nothing.
    telling, vague = (
        _media_types(FORMAT_BY_MEDIA_TYPE),
        _media_types(GENERIC_MEDIA_TYPES | MISSPELT_MEDIA_TYPES.keys()),
    )
    extensions = "|".join(sorted(map(_in_any_case, FORMAT_BY_EXTENSION)))
    schemas["AnnounceBody"]["anyOf"] = [
        {"required": ["content_type"], "properties": {"content_type": telling}},
        {
            "properties": {
                "content_type": {"anyOf": [vague, {"type": "null"}]},
                "name": {"pattern": rf"\.({extensions})$"},
            }
        },
    ]
    return dict(sorted(schemas.items()))


def _media_types(media_types: Iterable[str]) -> Json:
    """Return the schema of a text that is one of them, in any case, perhaps with parameters."""
    names = "|".join(sorted(_in_any_case(re.escape(media_type)) for media_type in media_types))
    return {"type": "string", "pattern": rf"^({names})( *;.*)?$"}


def _list() -> Json:
    return _operation(
        "listImages",
        "List a product's images",
        "Those of every status, those that are still being inspected too. An image "
        "whose record is damaged is left out of its page, and asked for alone it is a 500 with the code "
        "`image_record_damaged`: `count` still has it, and the pages stay where they are.",
        {
            200: _json(
                "A page, sorted by `order`, then by the time of upload, then by `id`.",
                "GalleryBody",
                _PAGE,
                _ETAG,
            ),
            304: {"description": "The client has it already.", "headers": _ETAG},
        },
        parameters=[*_query(PageQuery), _IF_NONE_MATCH],
    )


def _list_products() -> Json:
    listed = _operation(
        "listProducts",
        "List the products, or look for some",
        "By number. Follow `next` until it is null: a page of a search may have few products, or none.",
        {
            200: _json("A page of the products.", "ProductsBody", _PRODUCTS_PAGE, _ETAG),
            304: {"description": "The client has it already.", "headers": _ETAG},
        },
        parameters=[*_query(ProductsQuery), _IF_NONE_MATCH],
    )
    # It names no product, so that none can be missing.
    del listed["responses"]["404"]
    return {**listed, "tags": ["products"]}


def _show_product() -> Json:
    shown = _operation(
        "showProduct",
        "Show one product",
        "What the list shows of it.",
        {
            200: _json("The product.", "ProductBody", _A_PRODUCT, _ETAG),
            304: {"description": "The client has it already.", "headers": _ETAG},
        },
        parameters=[_IF_NONE_MATCH],
    )
    return {**shown, "tags": ["products"]}


def _put_product() -> Json:
    put = _operation(
        "putProduct",
        "Add a product, or say anew what it is called",
        "Safe to repeat. A product that is being removed cannot be put until that is done.",
        {
            200: _json("It was there; its title is what was sent.", "ProductBody", _A_PRODUCT),
            201: _json("It is new.", "ProductBody", {**_A_PRODUCT, "count": 0, "primary": None}),
        },
        body=_body("PutProductBody", {"title": "Red shoe"}),
        problems={409: "product_being_removed", **_JSON_CONTENT},
    )
    # It makes what is not there.
    del put["responses"]["404"]
    return {**put, "tags": ["products"]}


def _remove_product() -> Json:
    removed = _operation(
        "removeProduct",
        "Remove a product with all its images",
        "For administrators. The product is gone for everybody at once; files and records of its images "
        "follow in the background, half an hour for a hundred thousand.",
        {202: {"description": "It is gone, and its images follow."}},
    )
    return {**removed, "tags": ["products"]}


def _upload() -> Json:
    booleans = "|".join(map(_in_any_case, sorted(TRUE | FALSE)))
    form = {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "required": ["image"],
        "properties": {
            "image": {
                "type": "string",
                "format": "binary",
                "description": "JPEG, PNG, WEBP, GIF or AVIF, told by its content; up to 4,500,000 bytes.",
            },
            **_details_in_a_form(),
            "is_primary": {
                "anyOf": [{"type": "boolean"}, {"type": "string", "pattern": f"^({booleans})?$"}],
                "default": False,
                "description": "Make it the primary image. Also 1/0, yes/no, on/off, t/f, in any case.",
            },
        },
    }
    return _operation(
        "uploadImage",
        "Upload an image",
        "For images of up to 4,500,000 bytes; ask for a form for larger ones. "
        "Answers at once. The image is inspected after that: look again until `status` is `ready`.",
        {201: _json("The image, pending.", "ImageBody", _EXAMPLE, _LOCATION) | {"links": _LINKS}},
        parameters=[_IDEMPOTENCY_KEY],
        body={
            "multipart/form-data": {
                "schema": form,
                "encoding": {"image": {"contentType": ", ".join(f.media_type for f in ImageFormat)}},
            }
        },
        problems={**_CONTENT, 409: "request_in_progress", 422: "idempotency_key_reused"},
    )


def _details_in_a_form() -> Json:
    """Return the fields of `DetailsBody` as a form takes them: one that is empty is none."""
    fields: Json = DetailsBody.model_json_schema()["properties"]
    described = {}
    for name, schema in fields.items():
        about = {key: schema.pop(key) for key in ("default", "description")}
        del schema["title"]
        empty = {"const": "", "description": "As if it were not sent."}
        described[name] = {**(schema if schema["type"] == "string" else {"anyOf": [schema, empty]}), **about}
    return described


def _reserve() -> Json:
    return _operation(
        "reserveUpload",
        "Ask for a form to upload a larger image with",
        "For images that are too large to be uploaded directly. Send the form to its URL with the "
        "image as the last field; from then on all goes as with a direct upload. The form expires.",
        {
            201: _json("The image, pending, and the form.", "ReservedImageBody", _RESERVED, _LOCATION)
            | {"links": _LINKS}
        },
        parameters=[_IDEMPOTENCY_KEY],
        body=_body("AnnounceBody", {"name": "big.jpg", "size": 20_000_000, "is_primary": True}),
        problems={**_CONTENT, 409: "request_in_progress", 422: "idempotency_key_reused"},
    )


def _fetch() -> Json:
    return _operation(
        "fetchImage",
        "Have an image fetched by its address",
        "Answers at once; the service fetches the image in the background, and from then on all goes as "
        "with an upload. Until it has come, `size` is 0, and `type` and the end of `f` are a guess. What "
        "passes, such as a 503, is tried again for a day; what does not ends `failed` with the code "
        "`fetch_failed`.",
        {201: _json("The image, pending.", "ImageBody", _FETCHED, _LOCATION) | {"links": _LINKS}},
        parameters=[_IDEMPOTENCY_KEY],
        body=_body("FetchBody", {"url": "https://cdn.example.com/product_image.jpg", "is_primary": True}),
        problems={**_JSON_CONTENT, 409: "request_in_progress", 422: "idempotency_key_reused"},
    )


def _show() -> Json:
    return _operation(
        "showImage",
        "Show an image",
        "Width, height and mode are null until the image has been inspected.",
        {
            200: _json("The image.", "ImageBody", _READY, _ETAG),
            304: {"description": "The client has it already.", "headers": _ETAG},
        },
        parameters=[_IF_NONE_MATCH],
        problems={404: "image_not_found"},
    )


def _change() -> Json:
    return _operation(
        "changeImage",
        "Change an image's text, order or whether it is the primary",
        "What is not sent stays as it is. The whole image may be sent as it was read: the rest of it must be "
        "as it is. A pending image becomes the primary later, a failed one never.",
        {200: _json("The image after the change.", "ImageBody", _READY, _ETAG)},
        parameters=[_if_match("ETag that the image must still have.")],
        body=_body("ChangeBody", {"alt_text": "Seen from the left", "is_primary": True}),
        problems={
            404: "image_not_found",
            409: "image_not_ready",
            412: "stale_image",
            **_JSON_CONTENT,
        },
    )


def _reorder() -> Json:
    return _operation(
        "reorderImages",
        "Put all images of a product into a new order",
        "All or nothing. Images that failed need not be named; they stay behind the others. "
        f"A gallery of more than {MAX_IMAGES} images is put in order image by image.",
        {200: _json("The gallery in its new order.", "GalleryBody", _PAGE, _ETAG)},
        parameters=[_if_match("ETag of a list of the images; their order must still be the same.")],
        body=_body("OrderBody", {"image_ids": [4711, 4710]}),
        problems={409: "gallery_too_large", 412: "stale_order", **_JSON_CONTENT},
    )


def _delete() -> Json:
    return _operation(
        "deleteImage",
        "Delete an image",
        "Its files go too. If it was the primary image, the product has none then.",
        {204: {"description": "It is gone."}},
        parameters=[_if_match("ETag that the image must still have.")],
        problems={404: "image_not_found", 412: "stale_image"},
    )


def _show_gallery() -> Json:
    return _public_operation(
        "showGallery",
        "Show a product's gallery to the public",
        "Images that are ready, sorted by `order`, then by the time of upload, then by `id`.",
        _json("A page.", "ShownGalleryBody", {**_PAGE, "results": [_SHOWN]}, _KEPT),
        [*_query(ShownPageQuery), _IF_NONE_MATCH],
        {404: "product_not_found"},
    )


def _show_primaries() -> Json:
    return _public_operation(
        "showPrimaries",
        "Show one image of each of many products to the public",
        "The primary image, or else the first that is ready. An unknown product is no error: it has none.",
        _json(
            "One for each product.",
            "PrimariesBody",
            {"results": [{"product_id": 123, "image": _SHOWN}, {"product_id": 124, "image": None}]},
            _KEPT,
        ),
        [_PRODUCT_IDS, _IF_NONE_MATCH],
        {},
    )


def _public_operation(
    operation_id: str,
    summary: str,
    description: str,
    answer: Json,
    parameters: list[Json],
    problems: dict[int, str],
) -> Json:
    problems = {400: "invalid_fields", **problems, **_FAULTS}
    return {
        "operationId": operation_id,
        "summary": summary,
        "description": f"{description} Caches keep the answer as long as its `Cache-Control` says.",
        "tags": ["storefront"],
        "security": [],
        "parameters": parameters,
        "responses": {
            "200": answer,
            "304": {"description": "The client has it already.", "headers": _KEPT},
            **_problems(problems),
        },
    }


def _query(model: "type[BaseModel]") -> list[Json]:
    """Return the parameters of a query."""
    schema = model.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            **({"required": True} if name in schema.get("required", ()) else {}),
            "description": field.pop("description"),
            "schema": _without_null(field),
        }
        for name, field in schema["properties"].items()
    ]


def _described(operation_id: str, summary: str, description: str, media_type: str) -> Json:
    return {
        "operationId": operation_id,
        "summary": summary,
        "description": description,
        "tags": ["description"],
        "security": [],
        "responses": {
            "200": {"description": summary, "content": {media_type: {"schema": {}}}},
            **_problems({429: "throttled", 500: "internal_error"}),
        },
    }


def _operation(
    operation_id: str,
    summary: str,
    description: str,
    answers: dict[int, Json],
    *,
    parameters: list[Json] | None = None,
    body: Json | None = None,
    problems: dict[int, str] | None = None,
) -> Json:
    problems = {**_EVERYWHERE, **(problems or {}), **_FAULTS}
    operation: Json = {
        "operationId": operation_id,
        "summary": summary,
        "description": description,
        "tags": ["images"],
    }
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {"required": True, "content": body}
    operation["responses"] = {
        **{str(status): answer for status, answer in answers.items()},
        **_problems(dict(sorted(problems.items()))),
    }
    return operation


def _problems(codes: dict[int, str]) -> Json:
    return {str(status): _problem(HTTPStatus(status), code) for status, code in codes.items()}


def _problem(status: HTTPStatus, code: str) -> Json:
    example = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": "A sentence that says what to do.",
        "code": code,
        "request_id": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    }
    problem: Json = {
        "description": status.phrase,
        "content": {
            "application/problem+json": {"schema": _reference("ProblemBody"), "example": example},
        },
    }
    if code in _PROBLEM_HEADERS:
        problem["headers"] = _PROBLEM_HEADERS[code]
    return problem


def _if_match(description: str) -> Json:
    return {"name": "If-Match", "in": "header", "description": description, "schema": {"type": "string"}}


def _in_any_case(word: str) -> str:
    """Return a pattern for a word in any case; JSON Schema's patterns have no flags."""
    return "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else c for c in word)


def _identifier(name: str) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_ID},
    }


def _json(description: str, model: str, example: Json, headers: Json | None = None) -> Json:
    content = {"application/json": {"schema": _reference(model), "example": example}}
    return {"description": description, "content": content, **({"headers": headers} if headers else {})}


def _body(model: str, example: Json) -> Json:
    return {"application/json": {"schema": _reference(model), "example": example}}


def _reference(model: str) -> Json:
    return {"$ref": f"#/components/schemas/{model}"}


def _without_null(schema: Json) -> Json:
    """Return the schema of a query parameter: one that is absent is not null."""
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    schema.pop("title", None)
    if kinds:
        schema.pop("default")
        schema |= kinds[0]
    return schema
