"""What the local front does by itself: the CDN's headers, the gateway's answers and its log."""

import gzip
import json
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from domain.api_key import generate_key, hash_key, key_id
from local.compression import compress
from local.gateway import REQUEST_ID, Gateway
from local.media import conditions


@pytest.mark.parametrize("value", ["bytes=0-9", "bytes=5-", "bytes=-5"])
def test_a_range_that_s3_knows_is_asked_for(value: str) -> None:
    assert conditions(Headers({"Range": value})) == {"range": value}


@pytest.mark.parametrize("value", ["bytes=0-1,3-4", "bytes=-", "lines=1-2", "bytes", "bytes=a-b", ""])
def test_any_other_range_is_passed_over(value: str) -> None:
    assert conditions(Headers({"Range": value})) == {}


def test_conditions_go_on_and_what_only_others_understand_does_not() -> None:
    sent = {"If-None-Match": 'W/"a"', "If-Modified-Since": "x", "Authorization": "Token t", "Cookie": "c"}
    assert conditions(Headers(sent)) == {"if-none-match": 'W/"a"', "if-modified-since": "x"}


RESPONSES = {
    "THROTTLED": {
        "statusCode": "429",
        "responseParameters": {"gatewayresponse.header.Retry-After": "'1'"},
        "responseTemplates": {"application/json": '{"code":"throttled","request_id":"$context.requestId"}'},
    }
}


def _request(path: str, authorization: str, **more: str) -> Request:
    named = {"authorization": authorization, **more}
    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "headers": headers}
    request = Request({**scope, "query_string": b"secret=1"})
    request.state.began = 0
    return request


def test_a_refusal_is_logged_by_the_identifier_that_the_client_gets_and_without_its_key(
    tmp_path: Path,
) -> None:
    key, log = generate_key(), tmp_path / "gateway.log"
    answer = Gateway(RESPONSES, log).answer(_request("/api/a", f"Token {key}"), "THROTTLED", "too much")
    body = json.loads(bytes(answer.body))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert body["request_id"] == answer.headers[REQUEST_ID]
    logged = json.loads(log.read_text())
    expected = {
        "level": "INFO",
        "method": "POST",
        "path": "/api/a",
        "status": 429,
        "reason": "throttled",
        "request_id": body["request_id"],
        "key_id": key_id(hash_key(key)),
        "error": "too much",
    }
    assert logged.items() >= expected.items()
    assert key not in log.read_text()
    assert "secret" not in log.read_text()


def test_a_fault_is_an_error_and_an_answer_without_a_body_has_the_name_of_its_status(tmp_path: Path) -> None:
    log = tmp_path / "gateway.log"
    gateway = Gateway({}, log)
    for status in (405, 500):
        gateway.note(
            _request("/api/a", "Token no-key"), Response(status_code=status, headers={REQUEST_ID: "r"})
        )
    refused, failed = map(json.loads, log.read_text().splitlines())
    assert (refused["level"], refused["reason"]) == ("INFO", "method_not_allowed")
    assert (failed["level"], failed["reason"]) == ("ERROR", "internal_server_error")
    assert "key_id" not in refused


SCRIPT = "run();" * 1_000


def _compressed(content: str, path: str = "/staff/1/main.js", accepted: str = "gzip, br") -> Response:
    """Return an answer as a front sends it that compresses the staff's page."""
    response = Response(content, headers={"ETag": '"a"'}, media_type="text/javascript")
    compress(_request(path, "", accept_encoding=accepted), response, ["/api/docs*", "/staff*"])
    return response


def test_what_the_cdn_compresses_is_compressed_and_its_tag_becomes_a_weak_one() -> None:
    response = _compressed(SCRIPT)
    assert gzip.decompress(response.body) == SCRIPT.encode()
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["content-length"] == str(len(response.body))
    assert (response.headers["etag"], response.headers["vary"]) == ('W/"a"', "Accept-Encoding")


@pytest.mark.parametrize(
    "response",
    [
        _compressed("run();"),
        _compressed(SCRIPT, path="/api/products"),
        _compressed(SCRIPT, accepted="identity"),
    ],
    ids=["small", "another path", "a client that does not take it"],
)
def test_anything_else_is_sent_as_it_is(response: Response) -> None:
    assert bytes(response.body).startswith(b"run();")
    assert response.headers["etag"] == '"a"'
    assert "content-encoding" not in response.headers
