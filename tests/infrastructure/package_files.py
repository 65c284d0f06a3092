"""Looks into a deployment package: its files, their digests, what they are compiled for."""

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from local.deployment import PACKAGES

ELF_MACHINES = {"x86_64": 62, "arm64": 183}
"""EM_X86_64 and EM_AARCH64 of the ELF specification, by the names of Lambda."""

_ELF_MAGIC = b"\x7fELF"


def built_package(logical_id: str) -> Path:
    """Return the folder of a package of this machine."""
    folder = PACKAGES / logical_id
    if not folder.is_dir():
        pytest.fail(f"The package {logical_id} is not built; run make packages")
    return folder


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file by its path in the folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files(folder)
    }


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def elf_machines(folder: Path) -> dict[str, int]:
    """Return the machine of each shared library in the folder, by its name."""
    machines = {}
    for path in folder.rglob("*.so*"):
        header = path.read_bytes()[:20]
        assert header.startswith(_ELF_MAGIC), path
        machines[path.name] = int.from_bytes(header[18:20], "little")
    return machines


def run_alone(
    folders: Sequence[Path], program: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a program in an interpreter that has these folders and the standard library alone."""
    python = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
    paths = [str(folder) for folder in folders]
    return subprocess.run(
        [python, "-I", "-S", "-c", f"import sys; sys.path[:0] = {paths}\n{program}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
