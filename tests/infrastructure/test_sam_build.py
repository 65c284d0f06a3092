"""`sam build` makes the packages that the tests and the local system run."""

from pathlib import Path

import pytest

from local.deployment import ARCHITECTURE
from packages.build import GROUPS, build
from tests.infrastructure.command_line import makefile_command, report, run
from tests.infrastructure.package_files import ELF_MACHINES, built_package, digests, elf_machines

[OTHER_ARCHITECTURE] = ELF_MACHINES.keys() - {ARCHITECTURE}


@pytest.fixture(scope="module")
def sam_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sam") / "build"
    options = ["--build-dir", str(folder), "--parameter-overrides", f"Architecture={ARCHITECTURE}"]
    done = run(*makefile_command("SAM"), "build", *options, ARCHITECTURE=ARCHITECTURE)
    assert done.returncode == 0, report(done)
    return folder


@pytest.mark.parametrize("logical_id", sorted(GROUPS))
def test_sam_build_makes_the_package_that_make_packages_makes(sam_build: Path, logical_id: str) -> None:
    assert digests(sam_build / logical_id) == digests(built_package(logical_id))


@pytest.mark.parametrize("logical_id", ["UploadImageFunction", "PillowLayer"])
def test_a_package_for_the_other_architecture_holds_its_machine_code(tmp_path: Path, logical_id: str) -> None:
    build(logical_id, OTHER_ARCHITECTURE, tmp_path / logical_id)
    machines = elf_machines(tmp_path / logical_id)
    assert machines
    assert set(machines.values()) == {ELF_MACHINES[OTHER_ARCHITECTURE]}
