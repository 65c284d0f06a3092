"""`make local` as a person meets it, with a folder and a port of its own."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local import deployment, template
from local.__main__ import DEFAULT_PORT
from local.background_process import LocalSystemError
from local.deployment import PACKAGES, built_packages
from local.emulator_process import free_port
from local.logs.feed import LogFeed
from local.logs.request import of_request
from local.system import EMULATOR_LOG, GATEWAY_LOG, LocalSystem, State
from local.template import ROOT
from tests.e2e.contract import ImageBody
from tests.e2e.origins import check_that_no_page_is_let_in
from tests.e2e.shop import Shop

_ORIGIN = "https://shop.example"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "local"
    LocalSystem(tmp_path / "local", 0, print).stop()


# One system for all of it: to start one is what takes time.
@pytest.mark.long
def test_the_system_starts_answers_the_printed_curl_takes_changes_and_ends_without_a_trace(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    first = _local("start", folder, port)
    assert first.returncode == 0, first.stderr
    assert '"status": "pending"' in first.stdout
    assert '"status": "ready"' in first.stdout
    answer = subprocess.check_output(["bash", "-ec", _printed_curl(first.stdout)], stderr=subprocess.DEVNULL)
    image = ImageBody.model_validate_json(answer)
    assert image.status == "pending"

    second = _local("start", folder, port)
    assert second.returncode == 0, second.stderr
    assert "up already" in second.stdout
    assert "Nothing has changed." in second.stdout
    assert _printed_curl(second.stdout) == _printed_curl(first.stdout)

    running = State.model_validate_json((folder / "state.json").read_text())
    running.finished(image.product_id, image.id)
    check_that_no_page_is_let_in(Shop(running))
    _check_a_change_is_deployed(folder, running, tmp_path, monkeypatch)
    _check_a_change_that_would_cost_data_is_refused(folder, running, tmp_path, monkeypatch)
    _check_logs_tell_of_a_refusal_and_of_an_upload(folder, running, image)
    _check_a_picture_can_be_cached(image)

    state = json.loads((folder / "state.json").read_text())
    assert state["api_url"] == f"http://localhost:{port}"
    assert set(state["keys"]) == {"admin", "staff", "customer", "inactive"}
    assert state["products"] == list(range(123, 133))
    assert set(state["aws"]) == {"endpoint_url", "region", "access_key_id", "secret_access_key"}
    assert set(state["resources"]) == {"bucket", "table", "keys_table", "failure_queue", "functions"}
    ports = [port, int(state["aws"]["endpoint_url"].rpartition(":")[2])]
    assert [_listening_addresses(p) for p in ports] == [{"127.0.0.1"}] * 2
    emulator_folder = json.loads((folder / "processes.json").read_text())["emulator_folder"]
    assert Path(emulator_folder).is_dir()

    ended = _local("stop", folder, port)
    assert ended.returncode == 0
    assert not folder.exists()
    assert not Path(emulator_folder).exists()
    assert [_listening_addresses(p) for p in ports] == [set(), set()]


def _check_a_change_is_deployed(
    folder: Path, running: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Change one package and one parameter; all else, the pictures above all, is as it was."""
    packages = tmp_path / "packages"
    packages.mkdir()
    for name, package in built_packages().items():
        (packages / name).symlink_to(package)
    (packages / "DescribeApiFunction").unlink()
    shutil.copytree(PACKAGES / "DescribeApiFunction", packages / "DescribeApiFunction")
    document = packages / "DescribeApiFunction" / "openapi.json"
    document.write_text(document.read_text().replace('"title":', '"title": "Changed", "x-old-title":', 1))
    system = LocalSystem(folder, 0, print)
    assert system.update(running, {}).describe() == ""
    monkeypatch.setattr(deployment, "PACKAGES", packages)
    assert system.update(running, {}).describe() == "DescribeApiFunction"
    assert _title(running) == "Changed"
    page = _as_page(running)
    seen = page.json()
    assert "access-control-allow-origin" not in page.headers

    changes = system.update(running, {"AllowedOrigins": _ORIGIN})
    assert changes.describe() == f"ALLOWED_ORIGINS={_ORIGIN}"
    assert _as_page(running).headers["access-control-allow-origin"] == _ORIGIN
    assert system.update(running, {}).describe() == ""
    assert _as_page(running).json()["count"] == seen["count"]


def _check_a_change_that_would_cost_data_is_refused(
    folder: Path, running: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "template.yaml"
    text = (ROOT / "template.yaml").read_text()
    changed.write_text(text.replace("  CatalogTable:\n", "  NewTable:\n").replace("CatalogTable", "NewTable"))
    monkeypatch.setattr(template, "TEMPLATE", changed)
    with pytest.raises(LocalSystemError, match=r"would make CatalogTable anew.*make local-stop local"):
        LocalSystem(folder, 0, print).update(running, {})
    assert _title(running) == "Changed"
    monkeypatch.undo()


def _check_logs_tell_of_a_refusal_and_of_an_upload(folder: Path, running: State, image: ImageBody) -> None:
    refused = _refusal(running).json()["request_id"]
    feed = LogFeed(running.endpoint.client("logs"), folder / GATEWAY_LOG, folder / EMULATOR_LOG)
    records = feed.read()
    assert feed.read() == []
    [refusal] = of_request(records, refused)
    assert (refusal.function, refusal.fields["status"]) == ("gateway", 401)
    [stored] = [
        record
        for record in records
        if record.function == "upload-image" and record.fields["image_id"] == image.id
    ]
    done = _local("logs", folder, 0, "--request", str(stored.request_id))
    functions = [line.split()[2] for line in done.stdout.splitlines()]
    assert functions[:3] == ["authorize", "upload-image", "extract-metadata"]
    # Told by the picture's number, as soon as it has written something.
    assert set(functions[3:]) <= {"render-image"}


def _check_a_picture_can_be_cached(image: ImageBody) -> None:
    whole = httpx.get(image.f)
    assert (whole.status_code, len(whole.headers.get_list("date"))) == (200, 1)
    assert "server" not in whole.headers
    part = httpx.get(image.f, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, whole.content[2:6])
    assert part.headers["content-range"] == f"bytes 2-5/{len(whole.content)}"
    assert httpx.get(image.f, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416
    for name, validator in (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")):
        kept = httpx.get(image.f, headers={name: whole.headers[validator]})
        assert (kept.status_code, kept.content) == (304, b"")
        assert kept.headers["etag"] == whole.headers["etag"]
        assert kept.headers["cache-control"] == whole.headers["cache-control"]
    for version, status in ((whole.headers["etag"], 206), ('"other"', 200)):
        resumed = httpx.get(image.f, headers={"Range": "bytes=2-5", "If-Range": version})
        assert resumed.status_code == status
    assert httpx.post(image.f).status_code == 403


def _title(running: State) -> str:
    title: str = httpx.get(f"{running.api_url}/api/openapi.json", timeout=30).json()["info"]["title"]
    return title


def _refusal(running: State) -> httpx.Response:
    refusal = httpx.get(f"{running.api_url}/api/products/123/images")
    assert refusal.status_code == 401
    assert len(refusal.headers.get_list("date")) == 1
    return refusal


def _as_page(running: State) -> httpx.Response:
    """List as a page of another origin does, with a key."""
    headers = {"Authorization": f"Token {running.keys['staff']}", "Origin": _ORIGIN}
    return httpx.get(f"{running.api_url}/api/products/123/images", headers=headers, timeout=30)


def test_make_hands_parameters_on_as_they_were_given() -> None:
    command = [
        "make",
        "--no-print-directory",
        "--dry-run",
        "local",
        "ALLOWED_ORIGINS=https://a.example,*",
        "PORT=8001",
    ]
    last = subprocess.check_output(command, cwd=ROOT, text=True).splitlines()[-1]
    assert last.endswith('python -m local start "ALLOWED_ORIGINS=$ALLOWED_ORIGINS"')


def test_a_taken_port_is_one_clear_line_and_nothing_runs(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _local("start", folder, port)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"Error: Port {port} is taken; end what listens there, or choose another: make local PORT=8001"
    ]
    assert not folder.exists()


def test_ending_the_system_deletes_its_own_files_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "keep").touch()
    (folder / "state.json").touch()
    ended = _local("stop", folder, 0)
    assert ended.returncode == 0
    assert [path.name for path in folder.iterdir()] == ["keep"]
    (folder / "keep").unlink()


def test_logs_of_a_system_that_is_not_up_say_how_to_start_it(folder: Path) -> None:
    done = _local("logs", folder, 0)
    assert done.returncode == 1
    assert done.stderr == "Error: The local system is not running; start it with: make local\n"


def _local(command: str, folder: Path, port: int, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        **os.environ,
        "LOCAL_FOLDER": str(folder),
        "PORT": str(port or DEFAULT_PORT),
        # What a shell may say of AWS and of proxies has nothing to do with this machine's system.
        "AWS_PROFILE": "none-of-this-name",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    return subprocess.run(
        [sys.executable, "-m", "local", command, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _printed_curl(output: str) -> str:
    lines = output[output.index("curl -X POST") :].partition("\n\n")[0]
    assert lines.count("-F") == 4
    return lines


def _listening_addresses(port: int) -> set[str]:
    """Read the kernel's list of listening sockets: addresses are hexadecimal, the state is 0A."""
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, _, its_port = local.partition(":")
            if state == "0A" and int(its_port, 16) == port:
                words = bytes.fromhex(address)
                packed = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
                found.add(socket.inet_ntop(family, packed))
    return found
