"""Follows the imports of a package's modules, without running them."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_OPTIONAL = {"ImportError", "ModuleNotFoundError"}


@dataclass(frozen=True, slots=True)
class Import:
    """A module that another one asks for."""

    by: str
    module: str


def missing_imports(folders: list[Path], start: str) -> set[Import]:
    """Return the imports that lead nowhere, of all modules that `start` leads to.

    Imports for type checkers, and those that a module can do without, are left out.
    """
    missing, seen, open_modules = set[Import](), set[str](), [start]
    while open_modules:
        name = open_modules.pop()
        file = _file(folders, name)
        if name in seen or file is None:
            continue
        seen.add(name)
        for wanted in _imports(file, name):
            if not _exists(folders, wanted):
                missing.add(Import(name, wanted))
            parts = wanted.split(".")
            open_modules += [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return missing


def _exists(folders: list[Path], module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names or _file(folders, module) is not None


def _file(folders: list[Path], module: str) -> Path | None:
    path = module.replace(".", "/")
    for folder in folders:
        for file in (folder / f"{path}.py", folder / path / "__init__.py"):
            if file.is_file():
                return file
        for file in folder.glob(f"{path}.*.so"):
            return file
        if (folder / path).is_dir():
            return folder / path
    return None


def _imports(file: Path, module: str) -> Iterator[str]:
    if file.suffix != ".py":
        return
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in _needed(ast.parse(file.read_bytes()).body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            yield ".".join([*base, *(node.module.split(".") if node.module else [])])


def _needed(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yield all nodes but those for type checkers, and those in a `try` that does without them."""
    for node in nodes:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _needed(node.orelse)
        elif isinstance(node, ast.Try) and _does_without(node):
            yield from _needed([*node.orelse, *node.finalbody])
        else:
            yield node
            yield from _needed(list(_children(node)))


def _children(node: ast.AST) -> Iterator[ast.stmt]:
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, field, []):
            if isinstance(child, ast.stmt):
                yield child
            elif isinstance(child, ast.ExceptHandler | ast.match_case):
                yield from child.body


def _does_without(node: ast.Try) -> bool:
    caught = {ast.unparse(handler.type) if handler.type else "ImportError" for handler in node.handlers}
    names = {name.strip(" ()") for each in caught for name in each.split(",")}
    return bool(names & _OPTIONAL)
