"""The deployment packages of this machine, as `make packages` builds them."""

import re
import subprocess
import sys
from importlib.machinery import SourcelessFileLoader
from importlib.util import source_hash
from pathlib import Path
from types import CodeType

import pytest

from local.deployment import ARCHITECTURE
from local.template import ROOT, Template
from packages.build import GROUPS, SOURCES, BuildError, build
from packages.prune import OPERATIONS
from tests.infrastructure.imports import Import, missing_imports
from tests.infrastructure.package_files import (
    ELF_MACHINES,
    built_package,
    digests,
    elf_machines,
    files,
    run_alone,
)
from tests.infrastructure.stack import functions, variables_of

LAYERS = {"PillowLayer"}
FUNCTIONS = sorted(GROUPS.keys() - LAYERS)
OPEN_PICTURES = {"ExtractMetadataFunction", "RenderImageFunction"}
"""They have the layer."""
PACKAGES = sorted(GROUPS)

LARGEST_BYTES = {
    "AuthorizeFunction": 12_000_000,
    "UploadImageFunction": 15_000_000,
    "ReserveUploadFunction": 24_000_000,
    "RequestFetchFunction": 24_000_000,
    "GalleryFunction": 22_000_000,
    "StorefrontFunction": 22_000_000,
    "ProductsFunction": 22_000_000,
    "DescribeApiFunction": 8_100_000,
    "StaffPageFunction": 7_000_000,
    "FetchImageFunction": 13_000_000,
    "ReconcileFunction": 12_000_000,
    "ForgetImageFunction": 12_000_000,
    "RemoveProductFunction": 13_000_000,
    "FollowCatalogueFunction": 13_000_000,
    "ExtractMetadataFunction": 12_000_000,
    "RenderImageFunction": 12_000_000,
    "PillowLayer": 24_000_000,
}
"""Unpacked; Lambda takes 250 MB, but every byte more is a slower cold start."""

NOT_NEEDED = {
    # Only a resolver that is told to serve its documentation asks for it, and no function has a resolver.
    "aws_lambda_powertools.event_handler.openapi.swagger_ui",
    # It is no file: six makes it when it is imported.
    "six.moves",
}
"""What imports lead to, and what is not there all the same."""

LAMBDA_GLIBC_MINOR = 34
"""Lambda's python3.13 is Amazon Linux 2023, which has glibc 2.34."""

WARM_BODIES = """
import base64, json, resource
from handlers.form import read_form

head = b'--b\\r\\nContent-Disposition: form-data; name="image"; filename="a.jpg"\\r\\n\\r\\n'
events = [
    json.dumps({"body": base64.b64encode(head + bytes(size) + b"\\r\\n--b--\\r\\n").decode()})
    for size in (4_500_000, 300_000, 1_500_000)
]

def read_all():
    for event in events:
        read_form(json.loads(event)["body"], is_base64=True, content_type="multipart/form-data; boundary=b")

def fetched_pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

for _ in range(5):
    read_all()
before = fetched_pages()
for _ in range(10):
    read_all()
print((fetched_pages() - before) // 10)
"""
"""Reads three bodies of different sizes, again and again; prints how many pages of memory that fetches."""

AN_ACCOUNT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}
"""What Lambda sets in every environment, and the SDK's clients ask for."""

UNCHECKED_HASH = 0b01
"""Flags of a .pyc that is valid by the hash of its source and never compared with it (PEP 552)."""


# --- What is in a package --------------------------------------------------------------------------


@pytest.mark.parametrize("logical_id", FUNCTIONS)
def test_a_function_ships_the_sources_as_they_are(logical_id: str) -> None:
    package = built_package(logical_id)
    ours = [p.name for p in SOURCES.iterdir() if p.is_dir() and p.name != "__pycache__"]
    shipped = {path: digest for name in ours for path, digest in _sources(package, name).items()}
    assert shipped == {path: d for name in ours for path, d in _sources(SOURCES, name).items()}, (
        "The package is older than the sources; run make packages"
    )


@pytest.mark.parametrize(
    ("logical_id", "absent"),
    [
        ("AuthorizeFunction", {"PIL", "pydantic", "multipart", "pybase64", "boto3", "awscrt"}),
        ("UploadImageFunction", {"PIL", "pydantic", "boto3", "awscrt"}),
        ("ReserveUploadFunction", {"PIL", "multipart", "pybase64", "boto3", "awscrt"}),
        ("RequestFetchFunction", {"PIL", "multipart", "pybase64", "boto3", "awscrt"}),
        ("FetchImageFunction", {"PIL", "pydantic", "multipart", "pybase64", "boto3", "awscrt"}),
        ("GalleryFunction", {"PIL", "multipart", "pybase64", "boto3", "awscrt"}),
        ("StorefrontFunction", {"PIL", "multipart", "pybase64", "boto3", "awscrt"}),
        ("ProductsFunction", {"PIL", "multipart", "pybase64", "boto3", "awscrt"}),
        ("DescribeApiFunction", {"PIL", "pydantic", "multipart", "pybase64", "boto3", "botocore"}),
        ("StaffPageFunction", {"PIL", "pydantic", "multipart", "pybase64", "boto3", "botocore"}),
        ("ExtractMetadataFunction", {"PIL", "pydantic", "multipart", "pybase64", "boto3", "awscrt"}),
        ("RenderImageFunction", {"PIL", "pydantic", "multipart", "pybase64", "boto3", "awscrt"}),
        ("ReconcileFunction", {"PIL", "pydantic", "multipart", "pybase64", "boto3", "awscrt"}),
        ("ForgetImageFunction", {"PIL", "pydantic", "multipart", "pybase64", "boto3", "awscrt"}),
        ("RemoveProductFunction", {"PIL", "pydantic", "multipart", "pybase64", "boto3", "awscrt"}),
        ("FollowCatalogueFunction", {"PIL", "pydantic", "multipart", "pybase64", "boto3", "awscrt"}),
    ],
)
def test_a_function_carries_no_library_that_it_does_not_use(logical_id: str, absent: set[str]) -> None:
    assert _modules(built_package(logical_id)) & absent == set()


def test_the_function_that_describes_the_api_ships_the_committed_description() -> None:
    shipped = built_package("DescribeApiFunction") / "openapi.json"
    assert shipped.read_bytes() == (ROOT / "docs/openapi.json").read_bytes(), "run make packages"
    others = [name for name in FUNCTIONS if name != "DescribeApiFunction"]
    assert [name for name in others if (built_package(name) / "openapi.json").exists()] == []


def test_the_layer_holds_pillow_alone() -> None:
    layer = built_package("PillowLayer")
    assert [path.name for path in layer.iterdir()] == ["python"]
    assert _modules(layer / "python") == {"PIL", "pillow"}


@pytest.mark.parametrize("logical_id", sorted({*FUNCTIONS} - {"DescribeApiFunction", "StaffPageFunction"}))
def test_botocore_knows_no_service_but_those_in_use(logical_id: str) -> None:
    data = built_package(logical_id) / "botocore/data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == OPERATIONS.keys()


@pytest.mark.parametrize("logical_id", PACKAGES)
def test_a_package_holds_no_part_of_the_project_that_is_not_deployed(logical_id: str) -> None:
    kept_here = {p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith(".")} - {SOURCES.name}
    assert "tests" in kept_here
    assert {path.name for path in _import_root(logical_id).iterdir() if path.is_dir()} & kept_here == set()
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert {path.name for path in files(built_package(logical_id))} & tests == set()


@pytest.mark.parametrize("logical_id", PACKAGES)
def test_a_package_is_no_larger_than_its_bound(logical_id: str) -> None:
    size_bytes = sum(path.stat().st_size for path in files(built_package(logical_id)))
    sys.stdout.write(f"{logical_id}: {size_bytes:,} bytes unpacked\n")  # shown by pytest -rP
    assert size_bytes < LARGEST_BYTES[logical_id]


@pytest.mark.parametrize("logical_id", ["UploadImageFunction", "PillowLayer"])
def test_a_package_is_compiled_for_this_machine_and_runs_on_lambdas_glibc(logical_id: str) -> None:
    package = built_package(logical_id)
    machines = elf_machines(package)
    assert machines
    assert set(machines.values()) == {ELF_MACHINES[ARCHITECTURE]}
    needed = {
        (path.name, int(minor))
        for path in package.rglob("*.so*")
        for minor in re.findall(rb"\0GLIBC_2\.(\d+)", path.read_bytes())
    }
    assert {(name, minor) for name, minor in needed if minor > LAMBDA_GLIBC_MINOR} == set()


# --- It runs alone ---------------------------------------------------------------------------------


@pytest.mark.parametrize("logical_id", FUNCTIONS)
def test_a_handler_imports_without_an_environment_and_gets_ready_in_its_own_with_nothing_but_its_package(
    logical_id: str, template: Template
) -> None:
    # Ready, it has the SDK's clients, so this shows that what is left of botocore is enough.
    variables = variables_of(functions(template)[logical_id])
    environment = {**dict.fromkeys(variables, "16"), **AN_ACCOUNT}
    module = _handler_module(template, logical_id)
    program = f"import os, {module}; os.environ |= {environment}; {module}.lambda_handler"
    done = _run_isolated(logical_id, program, {})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("logical_id", FUNCTIONS)
def test_no_part_of_a_library_was_dropped_that_an_import_leads_to(
    logical_id: str, template: Template
) -> None:
    folders = [_import_root(logical_id)]
    if logical_id in OPEN_PICTURES:
        folders.append(_import_root("PillowLayer"))
    shipped = set().union(*(_modules(folder) for folder in folders))
    missing = missing_imports(folders, _handler_module(template, logical_id))
    # Whole libraries that are not there are extras, which others can do without.
    dropped = {each.module for each in missing if each.module.partition(".")[0] in shipped}
    assert dropped - NOT_NEEDED == set()


@pytest.mark.parametrize(
    ("package", "imports", "missing"),
    [
        ("", "from library import dropped", {"library.dropped"}),
        ("", "from . import dropped", {"library.dropped"}),
        ("", "from .folder import dropped", {"library.folder.dropped"}),
        ("", "from library import used", {"library.deep"}),
        ("class dropped: ...", "from library import dropped", set()),
        ("import json as dropped", "from library import dropped", set()),
        ("dropped = 1", "from library import dropped", set()),
        ("def __getattr__(name): ...", "from library import dropped", set()),
        ("from .used import *", "from library import dropped", {"library.deep"}),
        ("", "from library.plain import dropped", set()),
        ("", "from json import dropped", set()),
    ],
)
def test_the_walk_follows_modules_that_are_imported_from_their_package(
    tmp_path: Path, package: str, imports: str, missing: set[str]
) -> None:
    (tmp_path / "library/folder").mkdir(parents=True)
    (tmp_path / "library/__init__.py").write_text(package)
    (tmp_path / "library/used.py").write_text("import library.deep")
    (tmp_path / "library/plain.py").touch()
    (tmp_path / "library/start.py").write_text(imports)
    found = missing_imports([tmp_path], "library.start")
    assert {each.module for each in found} == missing


def test_the_walk_through_imports_finds_what_was_dropped(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library/__init__.py").write_text(
        "import library.used\n\ndef late():\n    import library.dropped\n"
    )
    (tmp_path / "library/used.py").write_text(
        "try:\n    import library.optional\nexcept ImportError:\n    pass\n"
        "if TYPE_CHECKING:\n    import library.types\n"
    )
    assert missing_imports([tmp_path], "library") == {Import("library", "library.dropped")}


def test_the_authorizer_is_ready_without_what_others_need() -> None:
    program = "import sys, handlers.authorize as module; module.lambda_handler; print(*sys.modules)"
    done = _run_isolated("AuthorizeFunction", program, {"KEYS_TABLE": "keys", **AN_ACCOUNT})
    loaded = set(done.stdout.split())
    assert "botocore.client" in loaded
    assert loaded & {"pydantic", "PIL", "boto3", "aws_lambda_powertools.event_handler"} == set()


@pytest.mark.parametrize("has_settings", [True, False], ids=["as deployed", "without the settings"])
def test_a_warm_upload_asks_the_system_for_memory_only_without_the_settings(
    template: Template, has_settings: bool
) -> None:
    variables = variables_of(functions(template)["UploadImageFunction"])
    allocator = {name: value for name, value in variables.items() if name.startswith("MALLOC_")}
    done = _run_isolated("UploadImageFunction", WARM_BODIES, allocator if has_settings else {})
    assert done.returncode == 0, done.stderr
    fetched_pages = int(done.stdout)
    # Of 4 KB: measured 0, and 3,630 without the settings, which are most of what three bodies take.
    assert (fetched_pages < 50) is has_settings, fetched_pages


def test_a_handler_without_its_package_does_not_import() -> None:
    done = _run_isolated("PillowLayer", "import handlers.authorize", {})
    assert "No module named 'handlers'" in done.stderr


# --- It is compiled --------------------------------------------------------------------------------


@pytest.mark.parametrize("logical_id", PACKAGES)
def test_every_module_is_compiled_and_nothing_else(logical_id: str) -> None:
    package = built_package(logical_id)
    assert set(package.rglob("*.pyc")) == {_compiled(source) for source in package.rglob("*.py")}


@pytest.mark.parametrize("logical_id", PACKAGES)
def test_every_compiled_module_is_its_sources_and_is_never_checked(logical_id: str) -> None:
    headers = {
        source: _compiled(source).read_bytes()[:16] for source in built_package(logical_id).rglob("*.py")
    }
    assert {int.from_bytes(header[4:8], "little") for header in headers.values()} == {UNCHECKED_HASH}
    assert [s for s, header in headers.items() if header[8:] != source_hash(s.read_bytes())] == []


@pytest.mark.parametrize("logical_id", PACKAGES)
def test_no_compiled_module_names_the_folder_it_was_built_in(logical_id: str) -> None:
    names = {name for path in built_package(logical_id).rglob("*.pyc") for name in _file_names(_code(path))}
    assert names
    assert {name for name in names if Path(name).is_absolute() or ".build" in name} == set()


# --- How it is built -------------------------------------------------------------------------------


def test_a_build_that_keeps_its_libraries_renews_the_sources_alone(tmp_path: Path) -> None:
    target, logical_id = tmp_path / "package", "DescribeApiFunction"
    build(logical_id, ARCHITECTURE, target, keep_libraries=True)
    first = digests(target)
    (target / "handlers/left.py").touch()
    (target / "handlers/cors.py").write_text("older = 1\n")
    (target / "openapi.json").write_text("older")
    (target / "aws_lambda_powertools/kept.py").touch()
    build(logical_id, ARCHITECTURE, target, keep_libraries=True)
    second = digests(target)
    assert second.keys() - first.keys() == {"aws_lambda_powertools/kept.py"}
    assert {name: second[name] for name in first} == first

    target.with_suffix(".libraries").write_text("what they depended on has changed")
    build(logical_id, ARCHITECTURE, target, keep_libraries=True)
    assert digests(target) == first


def test_a_build_leaves_nothing_of_an_earlier_one(tmp_path: Path) -> None:
    target = tmp_path / "package"
    (target / "python").mkdir(parents=True)
    (target / "python/left.py").touch()
    build("PillowLayer", ARCHITECTURE, target)
    assert _modules(target / "python") == {"PIL", "pillow"}


@pytest.mark.parametrize(("logical_id", "architecture"), [("Unknown", "arm64"), ("PillowLayer", "riscv")])
def test_a_build_of_something_unknown_names_what_there_is(
    tmp_path: Path, logical_id: str, architecture: str
) -> None:
    with pytest.raises(BuildError, match=r"Choose from .*PillowLayer.* and arm64, x86_64\."):
        build(logical_id, architecture, tmp_path / "package")
    assert not (tmp_path / "package").exists()


# --- Parts of a package ----------------------------------------------------------------------------


def _import_root(logical_id: str) -> Path:
    """Return the folder that Lambda puts on the path of imports."""
    package = built_package(logical_id)
    return package / "python" if logical_id in LAYERS else package


def _modules(folder: Path) -> set[str]:
    """Return the names of the modules and distributions in a folder."""
    names = {re.split(r"[.-]", path.name)[0] for path in folder.glob("[!.]*")}
    return names - {"__pycache__"}


def _sources(folder: Path, name: str) -> dict[str, str]:
    found = digests(folder / name)
    return {f"{name}/{path}": digest for path, digest in found.items() if "__pycache__" not in path}


def _handler_module(template: Template, logical_id: str) -> str:
    module, _, _ = functions(template)[logical_id]["Handler"].rpartition(".")
    return str(module)


def _run_isolated(
    logical_id: str, program: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a program that has the package, its layer and the standard library alone."""
    folders = [_import_root(logical_id)]
    if logical_id in OPEN_PICTURES:
        folders.append(_import_root("PillowLayer"))
    return run_alone(folders, program, environment)


def _compiled(source: Path) -> Path:
    return source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"


def _code(compiled: Path) -> CodeType:
    code = SourcelessFileLoader("module", str(compiled)).get_code("module")
    assert code
    return code


def _file_names(code: CodeType) -> set[str]:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return {code.co_filename}.union(*map(_file_names, inner))
