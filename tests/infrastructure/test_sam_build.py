"""`sam build` makes the packages that the tests and the local system run."""

from pathlib import Path

import pytest

from local.deployment import ARCHITECTURE
from local.template import read_template
from packages.build import GROUPS, build
from tests.infrastructure.command_line import makefile_command, report, run
from tests.infrastructure.package_files import ELF_MACHINES, built_package, digests, elf_machines

[OTHER_ARCHITECTURE] = ELF_MACHINES.keys() - {ARCHITECTURE}

WITH_LAYER = ["ExtractMetadataFunction", "PillowLayer"]
"""A function and the layer that SAM builds together with it: the two kinds of package that there are."""


@pytest.fixture(scope="module")
def sam_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sam") / "build"
    options = ["--build-dir", str(folder), "--parameter-overrides", f"Architecture={ARCHITECTURE}"]
    done = run(*makefile_command("SAM"), "build", WITH_LAYER[0], *options, ARCHITECTURE=ARCHITECTURE)
    assert done.returncode == 0, report(done)
    return folder


@pytest.mark.long
@pytest.mark.parametrize("logical_id", WITH_LAYER)
def test_sam_build_makes_to_the_byte_the_package_that_make_packages_made_elsewhere_and_before(
    sam_build: Path, logical_id: str
) -> None:
    assert digests(sam_build / logical_id) == digests(built_package(logical_id))


def test_sam_builds_every_function_and_layer_in_that_way() -> None:
    resources = read_template()["Resources"]
    kinds = {"AWS::Serverless::Function", "AWS::Serverless::LayerVersion"}
    built = {name: each["Metadata"] for name, each in resources.items() if each["Type"] in kinds}
    way = {"BuildMethod": "makefile", "ContextPath": ".", "WorkingDirectory": "."}
    # A layer has no property that says what it is built for.
    layer = {"PillowLayer": {**way, "BuildArchitecture": {"Ref": "Architecture"}}}
    assert built == dict.fromkeys(GROUPS, way) | layer


@pytest.mark.parametrize("logical_id", GROUPS)
def test_the_target_that_sam_asks_make_for_runs_the_build_of_that_package(logical_id: str) -> None:
    done = run("make", "--dry-run", f"build-{logical_id}", "ARTIFACTS_DIR=/artifacts", "ARCHITECTURE=arm64")
    assert done.returncode == 0, report(done)
    command = f'.tools/bin/python -m packages.build {logical_id} "/artifacts" --architecture arm64'
    assert command in done.stdout.splitlines()


@pytest.mark.parametrize("logical_id", ["UploadImageFunction", "PillowLayer"])
def test_a_package_for_the_other_architecture_holds_its_machine_code(tmp_path: Path, logical_id: str) -> None:
    build(logical_id, OTHER_ARCHITECTURE, tmp_path / logical_id)
    machines = elf_machines(tmp_path / logical_id)
    assert machines
    assert set(machines.values()) == {ELF_MACHINES[OTHER_ARCHITECTURE]}
