"""Builds one deployment package: pinned wheels for Lambda, pruned and compiled, with the service's code.

`sam build` calls this through the Makefile, and so do the local system and the tests: what they run
is what is deployed. Works for either architecture from either, since only wheels are installed.
"""

import argparse
import compileall
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from py_compile import PycInvalidationMode

from packages.page import copy_page
from packages.prune import PruningError, prune_botocore
from packages.trust_store import prune_trust_store

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src"

GROUPS = {
    "AuthorizeFunction": "authorize",
    "UploadImageFunction": "upload_image",
    "ReserveUploadFunction": "reserve_upload",
    "RequestFetchFunction": "request_fetch",
    "GalleryFunction": "gallery",
    "StorefrontFunction": "storefront",
    "ProductsFunction": "products",
    "RemoveProductFunction": "remove_product",
    "FollowCatalogueFunction": "follow_catalogue",
    "DescribeApiFunction": "describe_api",
    "StaffPageFunction": "staff_page",
    "ExtractMetadataFunction": "extract_metadata",
    "RenderImageFunction": "render_image",
    "FetchImageFunction": "fetch_image",
    "ReconcileFunction": "reconcile",
    "ForgetImageFunction": "forget_image",
    "PillowLayer": "pillow_layer",
}
"""Dependency group of pyproject.toml for each logical id of template.yaml."""

_LAYERS = {"PillowLayer"}

_DATA = {"DescribeApiFunction": ("docs/openapi.json",)}
"""Files that a function reads, beside its modules in the package."""

_PLATFORMS = {
    # Lambda's python3.13 is Amazon Linux 2023 with glibc 2.34 (Lambda developer guide, "Runtimes"),
    # which runs manylinux_2_28 wheels; Pillow 13 is built for nothing older.
    "arm64": "aarch64-manylinux_2_28",
    "x86_64": "x86_64-manylinux_2_28",
}

_NEVER_IMPORTED = ("aws_lambda_powertools/event_handler/openapi/swagger_ui",)
"""Parts of libraries that are only data."""

_KEPT_ALL_THE_SAME = {"DescribeApiFunction": ("aws_lambda_powertools/event_handler/openapi/swagger_ui",)}
"""What a function serves of them."""


class BuildError(Exception):
    """The package cannot be built; the message says why and what to do."""


def build(logical_id: str, architecture: str, target: Path, *, keep_libraries: bool = False) -> None:
    """Fill `target` with the package of the function or layer `logical_id`.

    To `keep_libraries` is to leave those of an earlier build in their place, if what they depend on has not
    changed since; it is noted down beside `target`. The package is the same, sooner.

    Raises:
        BuildError: an unknown name, a failed installation, or a botocore that looks different.

    """
    if logical_id not in GROUPS or architecture not in _PLATFORMS:
        raise BuildError(f"Choose from {', '.join(GROUPS)} and {', '.join(_PLATFORMS)}.")
    note, libraries = target.with_suffix(".libraries"), _libraries_hash(architecture)
    modules = target / "python" if logical_id in _LAYERS else target
    if not (keep_libraries and note.is_file() and note.read_text() == libraries):
        note.unlink(missing_ok=True)
        _build_libraries(logical_id, architecture, target, modules)
        if keep_libraries:
            note.write_text(libraries)
    if logical_id not in _LAYERS:
        _copy_sources(logical_id, modules)


def _build_libraries(logical_id: str, architecture: str, target: Path, modules: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    modules.mkdir(parents=True)
    _install(GROUPS[logical_id], architecture, modules)
    _drop_scripts(modules)
    _drop_what_is_never_imported(logical_id, modules)
    if logical_id not in _LAYERS and (modules / "botocore").is_dir():
        _prune(modules / "botocore")
    _compile(modules, modules)


def _copy_sources(logical_id: str, modules: Path) -> None:
    for name in _DATA.get(logical_id, ()):
        shutil.copy2(ROOT / name, modules)
    if logical_id == "StaffPageFunction":
        copy_page(ROOT / "page/public", modules / "public")
    ignore = shutil.ignore_patterns("__pycache__")
    for package in _source_packages():
        shutil.rmtree(modules / package, ignore_errors=True)
        shutil.copytree(SOURCES / package, modules / package, ignore=ignore)
        _compile(modules / package, modules)


def _source_packages() -> list[str]:
    return sorted(
        folder.name for folder in SOURCES.iterdir() if folder.is_dir() and folder.name[0] not in "_."
    )


def _libraries_hash(architecture: str) -> str:
    """Return the SHA-256 of all that the libraries of a package depend on, and of where the sources lie."""
    whole = hashlib.sha256(f"{architecture} {_source_packages()}".encode())
    for path in (ROOT / "uv.lock", *sorted(Path(__file__).parent.glob("*.py"))):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def _install(group: str, architecture: str, modules: Path) -> None:
    uv = str(ROOT / ".tools/bin/uv")
    with tempfile.TemporaryDirectory() as folder:
        requirements = str(Path(folder) / "requirements.txt")
        _run(uv, "export", "--frozen", "--only-group", group, "--no-emit-project", "-o", requirements)
        _run(
            *(uv, "pip", "install", "--no-deps", "--require-hashes", "--requirements", requirements),
            *("--target", str(modules), "--only-binary", ":all:", "--link-mode", "copy"),
            *("--python-version", "3.13", "--python-platform", _PLATFORMS[architecture]),
        )


def _drop_scripts(modules: Path) -> None:
    # Nothing on Lambda runs them, and the path of the environment that built them stands in them,
    # so that their lines in RECORD would differ from machine to machine.
    shutil.rmtree(modules / "bin", ignore_errors=True)
    (modules / ".lock").unlink(missing_ok=True)
    for record in modules.glob("*.dist-info/RECORD"):
        lines = record.read_text().splitlines(keepends=True)
        record.write_text("".join(line for line in lines if not line.startswith(("bin/", "../../bin/"))))


def _drop_what_is_never_imported(logical_id: str, modules: Path) -> None:
    for path in _NEVER_IMPORTED:
        if path not in _KEPT_ALL_THE_SAME.get(logical_id, ()):
            shutil.rmtree(modules / path, ignore_errors=True)


def _prune(botocore: Path) -> None:
    try:
        prune_botocore(botocore)
        prune_trust_store(botocore / "cacert.pem")
    except PruningError as error:
        raise BuildError(str(error)) from error


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(command[:3])} failed:\n{done.stderr.strip()}")


def _compile(folder: Path, modules: Path) -> None:
    # Lambda's file system is read-only and gives every file one date: only hashes tell the truth
    # there, and unchecked ones cost nothing to believe.
    compiled = compileall.compile_dir(
        folder,
        quiet=1,
        stripdir=str(modules),
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        workers=1,
    )
    if not compiled:
        raise BuildError(f"Some modules in {folder} do not compile; see above.")


def main() -> None:
    """Build the package that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logical_id", choices=GROUPS)
    parser.add_argument("target", type=Path)
    parser.add_argument("--architecture", choices=_PLATFORMS, default="arm64")
    parser.add_argument("--keep-libraries", action="store_true", help="build again only what has changed")
    arguments = parser.parse_args()
    target, keep = arguments.target.resolve(), arguments.keep_libraries
    try:
        build(arguments.logical_id, arguments.architecture, target, keep_libraries=keep)
    except BuildError as error:
        sys.exit(f"{arguments.logical_id}: {error}")
    print(f"built {arguments.logical_id} for {arguments.architecture}")


if __name__ == "__main__":
    main()
