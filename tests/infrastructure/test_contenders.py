"""The benchmark looks whether a contender does the whole job: with a smaller one its figures mean nothing."""

from pathlib import Path

import pytest

from bench.aws_stub import _chunks
from bench.bodies import upload_request
from bench.environments import ROOT, BenchmarkError, package

PROGRAM = """
sys.path.append({root!r})
import json
from pathlib import Path
from bench import contenders
ours = contenders._KINDS["ours"]
{changes}
contenders.check({contender!r}, Path({request!r}))
"""
ANSWERS = """
def altered(answer):
    status, body = answer
    {alters}
    return status, body

contenders._KINDS["ours"] = lambda: lambda request: (lambda call: lambda: altered(call()))(ours()(request))
"""


@pytest.fixture(scope="module")
def upload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A request in a folder of its own: the benchmark's may be written by another process meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.bodies.FILES", tmp_path_factory.mktemp("bodies"))
        return upload_request(100_000)


def check(contender: str, upload: Path, changes: str = "") -> None:
    """Let a contender be looked at as `make bench` does, on the package of the upload function."""
    program = PROGRAM.format(root=str(ROOT), contender=contender, changes=changes, request=str(upload))
    package("UploadImageFunction").run(program)


@pytest.mark.parametrize("contender", ["ours", "tuned_calls", "tuned_as_ours"])
def test_the_upload_function_and_the_two_calls_do_their_job(contender: str, upload: Path) -> None:
    check(contender, upload)


@pytest.mark.parametrize(
    ("contender", "changes", "says"),
    [
        ("ours", "contenders._CALLS.append('GetItem')", r"calls \['Tran.*', 'PUT'\], not .*'GetItem'\]"),
        ("tuned_calls", "contenders._CALLS.pop()", r"calls \['Tran.*', 'PUT'\], not \['Tran.*s'\]"),
        (
            "ours",
            "contenders._picture = lambda form: form[1:]",
            "stores 100,000 bytes that are not the picture",
        ),
        ("ours", ANSWERS.format(alters="status = 200"), r"answers 200 without \[\]"),
        (
            "ours",
            ANSWERS.format(alters="body = json.dumps({**json.loads(body), 'x': 1}).replace('mode', 'm')"),
            r"answers 201 without \['mode'\]",
        ),
    ],
    ids=["a call too few", "a call too many", "other bytes", "another status", "a key too few"],
)
def test_whoever_does_another_job_ends_the_benchmark(
    contender: str, upload: Path, changes: str, says: str
) -> None:
    with pytest.raises(BenchmarkError, match=f"{contender} {says}"):
        check(contender, upload, changes)


def test_a_stream_is_compared_without_the_frames_that_the_sdk_sends_it_in() -> None:
    framed = b"5\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    assert b"".join(_chunks(framed)) == b"hello!"
