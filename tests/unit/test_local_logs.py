"""What `make local-logs` makes of what the emulator and the front keep."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from local.logs.lines import format_record, show
from local.logs.records import (
    Record,
    read_failed_start,
    read_invocation,
    read_record,
    write_record,
)
from local.logs.request import of_request

NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
START, END, REPORT = (f"{word} RequestId: inv-1 Version: $LATEST" for word in ("START", "END", "REPORT"))
TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "handlers/upload_image.py", line 1, in x',
    "",
    "KeyError: 'x'",
]


def _at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def _logged(message: str, level: str = "INFO", **fields: Any) -> str:  # noqa: ANN401 - JSON
    times = {
        "timestamp": "2026-11-30T13:00:01.250+01:00",
        "location": "_report:98",
        "service": "upload_image",
    }
    return json.dumps({"level": level, "message": message, **times, **fields})


def _read(*lines: str) -> list[Record]:
    return list(read_invocation("upload-image", [(NOON, line) for line in (START, *lines, END, REPORT)]))


# --- Reading ---------------------------------------------------------------------------------------


def test_a_record_is_read_with_its_own_time_and_without_what_says_nothing() -> None:
    [record] = _read(_logged("image stored", image_id=7, request_id="req-1"))
    assert record == Record(
        _at(1.25), "upload-image", "INFO", "image stored", {"image_id": 7, "request_id": "req-1"}
    )


def test_the_runtimes_lines_and_metrics_are_no_records() -> None:
    assert _read(json.dumps({"_aws": {"Timestamp": 1}, "Uploads": [1.0]})) == []


def test_an_error_that_was_logged_has_its_traceback() -> None:
    [record] = _read(
        _logged("request failed", "ERROR", exception="\n".join(TRACEBACK), exception_name="KeyError")
    )
    assert (record.is_failure, record.traceback, dict(record.fields)) == (True, "\n".join(TRACEBACK), {})


def test_a_crash_is_one_failure_with_its_invocation_and_what_was_printed_before_it_is_not() -> None:
    printed, crash = _read("hello", *TRACEBACK)
    assert (printed.level, printed.message) == ("", "hello")
    assert (crash.is_failure, crash.message, crash.request_id) == (True, "KeyError: 'x'", "inv-1")
    assert crash.traceback == "\n".join(TRACEBACK)


def test_a_function_that_took_too_long_has_failed() -> None:
    [record] = _read("Task timed out after 28.00 seconds")
    assert record.is_failure


def test_how_an_authorizer_refuses_a_key_is_no_crash() -> None:
    records = _read(_logged("unauthorized"), *TRACEBACK[:-1], "Exception: Unauthorized")
    assert [record.message for record in records] == ["unauthorized"]


@pytest.mark.parametrize("line", ["", "[1]", "{}", '{"level": "INFO"}', "not json"])
def test_a_line_that_no_logger_wrote_is_no_record(line: str) -> None:
    assert read_record("f", line) is None


def test_what_the_front_writes_is_read_back() -> None:
    line = write_record(NOON, "ERROR", "refused", {"status": 500})
    assert read_record("gateway", line) == Record(NOON, "gateway", "ERROR", "refused", {"status": 500})


def test_a_function_that_did_not_start_is_found_in_the_emulators_log() -> None:
    line = (
        "2026-11-30 12:00:00 ERROR [lambda] Warm worker execution error for "
        "product-images-local-UploadImageFunction-9F21: Worker init failed: No module named 'x'"
    )
    record = read_failed_start(line)
    assert record is not None
    assert (record.function, record.level) == ("upload-image", "ERROR")
    assert record.message == "Worker init failed: No module named 'x'"
    assert record.at == datetime(2026, 11, 30, 12).astimezone(UTC)
    assert read_failed_start("2026-11-30 12:00:00 INFO [lambda] Lambda worker spawned for x-y-z: 1") is None


# --- Showing ---------------------------------------------------------------------------------------


def test_a_record_is_one_line_with_time_level_function_message_and_what_else_it_has() -> None:
    record = Record(
        _at(1.25), "upload-image", "INFO", "image stored", {"image_id": 7, "error": "not so good"}
    )
    assert format_record(record).plain == (
        '12:00:01.250 INFO     upload-image     image stored image_id=7 error="not so good"'
    )


def test_what_a_client_sent_neither_ends_the_line_nor_steers_the_terminal() -> None:
    record = Record(NOON, "gateway", "INFO", "a\nb\x1b[31m", {"path": "/\x1b]0;"})
    text = format_record(record).plain
    assert "\n" not in text
    assert "\x1b" not in text
    assert "a\\nb\\x1b[31m" in text


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a terminal with colours, whatever runs the tests."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-16color")


def test_a_crash_is_red_and_its_traceback_stands_below_it() -> None:
    record = Record(NOON, "gallery", "ERROR", "KeyError: 'x'", {}, "\n".join(TRACEBACK))
    first, *below = format_record(record).plain.splitlines()
    assert first == "12:00:00.000 ERROR    gallery          KeyError: 'x'"
    assert below == [f"    {line}" if line else "" for line in TRACEBACK]
    assert "\x1b[31m" in _shown(record, is_terminal=True)


def test_colour_is_for_terminals_alone_and_not_for_those_who_want_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = Record(NOON, "gallery", "ERROR", "KeyError: 'x'" + 200 * "-")
    assert _shown(record, is_terminal=False) == f"{format_record(record).plain}\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in _shown(record, is_terminal=True)


def _shown(record: Record, *, is_terminal: bool) -> str:
    file = io.StringIO()
    show(Console(file=file, force_terminal=is_terminal), record)
    return file.getvalue()


# --- One request -----------------------------------------------------------------------------------


def _record(second: float, function: str, message: str = "", traceback: str = "", **fields: Any) -> Record:  # noqa: ANN401
    return Record(_at(second), function, "INFO", message, fields, traceback)


ALLOWED_EARLIER = _record(0, "authorize", request_id="auth-0", key_id="k")
ALLOWED = _record(1, "authorize", request_id="auth-1", key_id="k")
OTHER_KEY = _record(1.1, "authorize", request_id="auth-2", key_id="other")
STORED = _record(2, "upload-image", request_id="req-1", key_id="k", image_id=7)
OTHER_UPLOAD = _record(2.5, "upload-image", request_id="req-2", key_id="k", image_id=8)
LATER_CHANGE = _record(9, "gallery", request_id="req-3", key_id="k", image_id=7)
INSPECTED = _record(3, "extract-metadata", request_id="inv-7", image_id=7)
OTHER_INSPECTED = _record(3.5, "extract-metadata", request_id="inv-8", image_id=8)
CRASHED = _record(4, "extract-metadata", "KeyError", "Traceback ...", request_id="inv-7")
ALL = [
    *(CRASHED, INSPECTED, OTHER_INSPECTED, STORED, OTHER_UPLOAD, ALLOWED, ALLOWED_EARLIER, OTHER_KEY),
    LATER_CHANGE,
]


def test_an_upload_is_followed_from_the_authorizer_to_the_function_that_no_request_calls() -> None:
    assert of_request(ALL, "req-1") == [ALLOWED, STORED, INSPECTED, CRASHED]


def test_a_change_is_not_followed_back_to_what_was_done_before_it() -> None:
    assert of_request(ALL, "req-3") == [ALLOWED, LATER_CHANGE]


def test_a_request_that_nobody_knows_has_no_records() -> None:
    assert of_request(ALL, "req-9") == []


def test_a_refusal_of_the_gateway_has_what_the_authorizer_said_while_it_lasted() -> None:
    unknown = _record(5.9, "authorize", "unauthorized", request_id="auth-5")
    before = _record(5, "authorize", "unauthorized", request_id="auth-4")
    refused = _record(6, "gateway", request_id="gw-1", duration_ms=200, status=401)
    assert of_request([refused, unknown, before, *ALL], "gw-1") == [unknown, refused]


def test_a_refusal_for_a_key_that_is_known_has_the_word_on_that_key() -> None:
    refused = _record(6, "gateway", request_id="gw-2", key_id="other", duration_ms=20, status=403)
    assert of_request([refused, *ALL], "gw-2") == [OTHER_KEY, refused]
