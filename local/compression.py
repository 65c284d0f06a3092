"""Compresses answers as the CDN does, where the template tells it to."""

import gzip
from collections.abc import Collection
from fnmatch import fnmatchcase

from starlette.requests import Request
from starlette.responses import Response

_SIZES = range(1_000, 10_000_001)
"""In bytes: another size is sent as it is (CloudFront developer guide, "Serve compressed files")."""
_TYPES = frozenset(
    {"application/json", "image/svg+xml", "text/css", "text/html", "text/javascript", "text/plain"}
)
_LEVEL = 6
"""A line that is slow is what it is for; the machine that it runs on has no more time than others."""


def compress(request: Request, response: Response, paths: Collection[str]) -> None:
    """Compress an answer in place, if its path is like one of `paths` and the client takes gzip.

    A strong tag becomes a weak one, as the CDN makes it: the bytes are not those that the tag was for.
    """
    media_type = response.headers.get("content-type", "").partition(";")[0]
    is_wanted = any(fnmatchcase(request.url.path, each) for each in paths)
    if not is_wanted or len(response.body) not in _SIZES or media_type not in _TYPES:
        return
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return
    response.body = gzip.compress(response.body, _LEVEL)
    response.headers["Content-Length"] = str(len(response.body))
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = ", ".join(filter(None, (response.headers.get("vary"), "Accept-Encoding")))
    tag = response.headers.get("etag")
    if tag and not tag.startswith("W/"):
        response.headers["ETag"] = f"W/{tag}"
