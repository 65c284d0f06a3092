"""Lets pages of other origins use the API, if the operator names them (WHATWG Fetch, "CORS protocol")."""

_ANY = "*"
_EXPOSED = "ETag, Location, Retry-After, Idempotency-Replayed"
_REQUEST_HEADERS = (
    "Authorization, Cache-Control, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Requested-With"
)
"""Headers that a page may send: those that the API reads, and two that libraries add (second and last)."""
_KEPT_SECONDS = "600"
"""How long a browser may remember the answer to a preflight request; Chromium takes no more than 7,200."""


def preflight(methods: str, allowed_origins: str) -> dict[str, str]:
    """Return what a browser asks for before it sends a page's request, if any page may send one."""
    if not allowed_origins:
        return {}
    return {
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": _REQUEST_HEADERS,
        "Access-Control-Max-Age": _KEPT_SECONDS,
    }


def allow_any(allowed_origins: str) -> dict[str, str]:
    """Return the headers for pages of whatever origin, of an answer that is the same for each of them.

    Such an answer may lie in a cache. If the operator names no origin, no page may read it.
    """
    return allow_origin(None, _ANY) if allowed_origins else {}


def allow_origin(origin: str | None, allowed_origins: str) -> dict[str, str]:
    """Return the headers for a page of `origin`; `allowed_origins` are separated by commas, `*` is any."""
    allowed = allowed_origins.split(",") if allowed_origins else []
    if not allowed:
        return {}
    if _ANY in allowed:
        return {"Access-Control-Allow-Origin": _ANY, "Access-Control-Expose-Headers": _EXPOSED}
    # What differs by origin must not be served to another one from a cache.
    headers = {"Vary": "Origin"}
    if origin in allowed:
        headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED}
    return headers
