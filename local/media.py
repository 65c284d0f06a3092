"""Shows pictures as the CDN does: from the bucket, with what the template's policy adds."""

import re
from typing import TYPE_CHECKING

import httpx
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_METHODS = {"GET": "get_object", "HEAD": "head_object"}
"""The methods that the CDN passes on (`AllowedMethods` of the template), as S3 calls them."""
_CONDITIONS = ("if-none-match", "if-modified-since", "if-match", "if-unmodified-since")
_ONE_RANGE = re.compile(r"bytes=(\d+-\d*|-\d+)")
"""A range that S3 answers; any other it passes over, and sends the whole object (S3 API, GetObject)."""
_PASSED_ON = (
    "content-type",
    "content-disposition",
    "etag",
    "last-modified",
    "cache-control",
    "content-range",
    "accept-ranges",
)
_SENT = frozenset({200, 206, 304, 412, 416})
ADDRESS = re.compile(
    r"[1-9][0-9]*/[1-9][0-9]*-[0-9a-f]{16}(/r[0-9]+(-[0-9a-f]{8})?/[0-9]+(-animated)?)?\.[a-z]{3,4}"
)
"""That of the template's function `CdnImageAddress`: a picture has one address."""


class Media:
    """The CDN's part of the front."""

    def __init__(self, s3: "S3Client", http: httpx.AsyncClient, bucket: str, added: dict[str, str]) -> None:
        """Add these headers to each picture, as the CDN does."""
        self._s3 = s3
        self._http = http
        self._bucket = bucket
        self._added = added

    async def show(self, request: Request, path: str) -> Response:
        """Answer for the public copy at `/media/{path}`."""
        if request.method not in _METHODS:
            # In CloudFront's words.
            return Response("This distribution is not configured to allow the HTTP request method.", 403)
        if ADDRESS.fullmatch(path) is None:
            return Response(status_code=404)
        stored = await self._fetch(request.method, f"media/{path}", request.headers)
        if stored.status_code not in _SENT:
            return _not_found()
        headers = {name: stored.headers[name] for name in _PASSED_ON if name in stored.headers}
        headers |= self._added
        if request.method == "HEAD":
            # The length of the body which a GET would have had.
            headers["content-length"] = stored.headers.get("content-length", "0")
        response = Response(stored.content, stored.status_code, headers)
        if stored.status_code == httpx.codes.NOT_MODIFIED:
            del response.headers["content-length"]
        return response

    async def _fetch(self, method: str, key: str, headers: Headers) -> httpx.Response:
        """Ask S3, which knows conditions and ranges as the CDN before it does, but no `If-Range`."""
        url = self._s3.generate_presigned_url(_METHODS[method], Params={"Bucket": self._bucket, "Key": key})
        asked = conditions(headers)
        stored = await self._http.request(method, url, headers=asked)
        if "range" in asked and not _is_same_version(headers.get("if-range"), stored.headers):
            del asked["range"]
            stored = await self._http.request(method, url, headers=asked)
        return stored


def conditions(headers: Headers) -> dict[str, str]:
    """Return the headers that make the answer another one than the whole picture (RFC 9110, 13 and 14)."""
    found = {name: headers[name] for name in _CONDITIONS if name in headers}
    if _ONE_RANGE.fullmatch(headers.get("range", "")):
        found["range"] = headers["range"]
    return found


def _is_same_version(if_range: str | None, stored: httpx.Headers) -> bool:
    """Tell whether a range may be sent: of any version, or of the one that `If-Range` names."""
    return if_range is None or if_range in {stored.get("etag"), stored.get("last-modified")}


def _not_found() -> Response:
    """Answer what S3 says to the CDN, and that to the client, of a picture that is not there."""
    body = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code></Error>'
    return Response(body, 404, media_type="application/xml")
