"""`make local` as a person meets it, with a folder and a port of its own."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.__main__ import DEFAULT_PORT
from local.emulator_process import free_port
from local.system import State
from local.template import ROOT
from tests.e2e.contract import ImageBody
from tests.e2e.origins import check_that_no_page_is_let_in
from tests.e2e.shop import Shop


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "local"
    _local("stop", tmp_path / "local", 0)


def test_the_system_starts_answers_the_printed_curl_and_ends_without_a_trace(folder: Path) -> None:
    port = free_port()
    first = _local("start", folder, port)
    assert first.returncode == 0, first.stderr
    assert '"status": "pending"' in first.stdout
    assert '"status": "ready"' in first.stdout
    answer = subprocess.check_output(["bash", "-ec", _printed_curl(first.stdout)], stderr=subprocess.DEVNULL)
    assert ImageBody.model_validate_json(answer).status == "pending"

    second = _local("start", folder, port)
    assert second.returncode == 0
    assert "up already" in second.stdout
    assert _printed_curl(second.stdout) == _printed_curl(first.stdout)

    state = json.loads((folder / "state.json").read_text())
    assert state["api_url"] == f"http://localhost:{port}"
    assert set(state["keys"]) == {"admin", "staff", "customer", "inactive"}
    assert state["products"] == list(range(123, 133))
    assert set(state["aws"]) == {"endpoint_url", "region", "access_key_id", "secret_access_key"}
    assert set(state["resources"]) == {"bucket", "table", "keys_table", "failure_queue", "functions"}
    check_that_no_page_is_let_in(Shop(State.model_validate(state)))
    ports = [port, int(state["aws"]["endpoint_url"].rpartition(":")[2])]
    assert [_listening_addresses(p) for p in ports] == [{"127.0.0.1"}] * 2
    emulator_folder = json.loads((folder / "processes.json").read_text())["emulator_folder"]
    assert Path(emulator_folder).is_dir()

    ended = _local("stop", folder, port)
    assert ended.returncode == 0
    assert not folder.exists()
    assert not Path(emulator_folder).exists()
    assert [_listening_addresses(p) for p in ports] == [set(), set()]


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


def _local(command: str, folder: Path, port: int) -> "subprocess.CompletedProcess[str]":
    environment = {
        **os.environ,
        "LOCAL_FOLDER": str(folder),
        "PORT": str(port or DEFAULT_PORT),
        # What a shell may say of AWS and of proxies has nothing to do with this machine's system.
        "AWS_PROFILE": "none-of-this-name",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    return subprocess.run(
        [sys.executable, "-m", "local", command],
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
