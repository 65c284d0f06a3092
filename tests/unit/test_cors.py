import pytest

from handlers.cors import allow_any, allow_origin, preflight

ADMIN, BACK_OFFICE = "https://admin.example", "https://back-office.example"


def test_without_allowed_origins_nothing_is_said() -> None:
    assert allow_origin(ADMIN, "") == {}
    assert allow_any("") == {}
    assert preflight("GET", "") == {}


@pytest.mark.parametrize("origin", [ADMIN, BACK_OFFICE])
def test_an_allowed_origin_is_named_and_may_read_our_headers(origin: str) -> None:
    headers = allow_origin(origin, f"{ADMIN},{BACK_OFFICE}")
    assert headers["Access-Control-Allow-Origin"] == origin
    assert headers["Vary"] == "Origin"
    exposed = {"ETag", "Location", "Retry-After", "Idempotency-Replayed"}
    assert set(headers["Access-Control-Expose-Headers"].split(", ")) == exposed


@pytest.mark.parametrize("origin", [None, "https://admin.example.evil", "null", ""])
def test_another_origin_is_not_allowed_but_told_apart_in_caches(origin: str | None) -> None:
    assert allow_origin(origin, f"{ADMIN},{BACK_OFFICE}") == {"Vary": "Origin"}


def test_a_star_allows_any_origin_alike() -> None:
    headers = allow_origin("https://anyone.example", "*")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "ETag" in headers["Access-Control-Expose-Headers"].split(", ")
    # It is the same for every origin.
    assert "Vary" not in headers


@pytest.mark.parametrize("allowed", ["*", ADMIN, f"{ADMIN},{BACK_OFFICE}"])
def test_what_is_the_same_for_every_origin_may_be_read_by_any_if_one_may(allowed: str) -> None:
    assert allow_any(allowed) == allow_origin("https://anyone.example", "*")


def test_a_preflight_request_is_told_methods_headers_and_for_how_long() -> None:
    headers = preflight("GET, OPTIONS", ADMIN)
    assert headers["Access-Control-Allow-Methods"] == "GET, OPTIONS"
    # Beside what the API reads: what libraries send by themselves.
    allowed = {
        "Authorization",
        "Cache-Control",
        "Content-Type",
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "X-Requested-With",
    }
    assert set(headers["Access-Control-Allow-Headers"].split(", ")) == allowed
    assert headers["Access-Control-Max-Age"] == "600"
