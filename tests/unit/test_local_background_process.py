"""Programs that outlive their starter: which one is ours, whatever the clock did."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local.background_process import BackgroundProcess, LocalSystemError
from local.system import LocalSystem


@pytest.fixture
def started(tmp_path: Path) -> Iterator[BackgroundProcess]:
    """A program that waits, with a child that waits too."""
    waits = "import time; time.sleep(60)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{waits}'])"
    process = BackgroundProcess.start([sys.executable, "-c", program], {}, tmp_path / "log", tmp_path)
    yield process
    process.end()


def test_it_is_ended_with_all_it_started_after_the_clock_was_set(
    started: BackgroundProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = BackgroundProcess.model_validate_json(started.model_dump_json())
    begun = psutil.boot_time()
    # From the clock and the time since then psutil tells when a process was started.
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: begun + 3600)
    monkeypatch.setattr("psutil._pslinux.BOOT_TIME", None, raising=False)
    while not (children := psutil.Process(noted.pid).children()):
        assert noted.is_alive()
    noted.end()
    assert not noted.is_alive()
    assert not any(child.is_running() for child in children)


@pytest.mark.parametrize("other", [{"start_ticks": 1}, {"boot_id": "another"}])
def test_another_process_of_the_same_number_is_not_ours(
    started: BackgroundProcess, other: dict[str, object]
) -> None:
    stranger = started.model_copy(update=other)
    assert not stranger.is_alive()
    stranger.end()
    assert started.is_alive()


def test_one_that_is_gone_is_no_error(started: BackgroundProcess) -> None:
    started.end()
    started.end()
    assert not started.is_alive()


def test_what_an_older_version_noted_is_told_with_the_place_where_it_stands(tmp_path: Path) -> None:
    noted = tmp_path / "processes.json"
    noted.write_text(
        '{"emulator": {"pid": 1, "started_at": 1.5}, "emulator_folder": "/tmp/x", "front": null}'
    )
    with pytest.raises(LocalSystemError, match=f"end the processes in {noted}, and delete it"):
        LocalSystem(tmp_path, 0, print).stop()
