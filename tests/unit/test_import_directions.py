"""The imports run one way, `handlers -> adapters -> domain`, and importing does nothing else."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"
FILES = sorted(SRC.rglob("*.py"))
MODULES = [".".join(file.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__") for file in FILES]
MAY_IMPORT = {
    "domain": {"domain"},
    "adapters": {"adapters", "domain"},
    "handlers": {"handlers", "adapters", "domain"},
}

IMPORT_ALL = """
import importlib, sys
import boto3, botocore.session

def refuse(*args, **kwargs):
    raise AssertionError("made a client at import")

boto3.client = boto3.resource = botocore.session.Session.create_client = refuse
for module in sys.argv[1:]:
    print(module)
    importlib.import_module(module)
"""


def test_every_file_is_looked_at() -> None:
    assert {module.partition(".")[0] for module in MODULES} == set(MAY_IMPORT)


@pytest.mark.parametrize("file", FILES, ids=MODULES)
def test_no_arrow_runs_back(file: Path) -> None:
    floor = file.relative_to(SRC).parts[0]
    ours = set(imported_packages(file)) & set(MAY_IMPORT)
    assert ours <= MAY_IMPORT[floor]


@pytest.mark.parametrize("file", sorted((SRC / "domain").rglob("*.py")), ids=lambda file: file.stem)
def test_the_domain_imports_the_standard_library_alone(file: Path) -> None:
    assert set(imported_packages(file)) <= {"domain", *sys.stdlib_module_names}


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        (
            "handlers.authorize",
            {
                *("pydantic", "PIL", "aws_lambda_powertools.event_handler", "multipart", "boto3"),
                *("domain.ports", "domain.image"),
            },
        ),
        ("handlers.upload_image", {"pydantic", "PIL", "aws_lambda_powertools.event_handler"}),
        ("handlers.extract_metadata", {"boto3", "pydantic", "multipart"}),
    ],
)
def test_a_function_imports_nothing_that_it_does_not_need(module: str, unwanted: set[str]) -> None:
    # A module that is loaded has loaded the packages around it.
    loaded = set(run(f"import sys, {module}; print(*sys.modules, sep='\\n')").splitlines())
    assert module in loaded
    assert loaded & unwanted == set()


def test_importing_reads_no_variable_and_makes_no_client() -> None:
    assert run(IMPORT_ALL, *MODULES).splitlines() == MODULES


@pytest.mark.parametrize("file", FILES, ids=MODULES)
def test_the_environment_is_read_in_functions_only(file: Path) -> None:
    names = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in run_at_import(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    assert not names & {"environ", "environb", "getenv", "getenvb"}


def imported_packages(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A relative import stays on its floor.
            yield (node.module or "").partition(".")[0] if not node.level else file.parent.name


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that importing a module evaluates: all but the bodies of its functions."""
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        children: list[ast.AST] = [node.args, *node.decorator_list]
    elif isinstance(node, ast.Lambda):
        children = [node.args]
    else:
        children = list(ast.iter_child_nodes(node))
    for child in children:
        yield from run_at_import(child)


def run(code: str, *arguments: str) -> str:
    """Run `code` in a new process that has no environment, and return what it printed."""
    finished = subprocess.run(
        [sys.executable, "-c", code, *arguments], env={}, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout
