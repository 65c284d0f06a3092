"""Follows the imports of a package's modules, without running them."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
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
        for wanted in _imports(folders, file, name):
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


def _imports(folders: list[Path], file: Path, module: str) -> Iterator[str]:
    if file.suffix != ".py":
        return
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in _import_statements(file.read_bytes()):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*base, *(node.module.split(".") if node.module else [])])
            yield source
            yield from _submodules(folders, source, [alias.name for alias in node.names])


@cache
def _import_statements(source: bytes) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """Return the imports that a module needs, once for all packages that hold it."""
    return tuple(
        node for node in _needed(ast.parse(source).body) if isinstance(node, ast.Import | ast.ImportFrom)
    )


def _submodules(folders: list[Path], package: str, names: list[str]) -> Iterator[str]:
    """Yield those of the names imported from a package that are modules of it, there or not."""
    file = _file(folders, package)
    # Names of any other file are its own, and the standard library is complete.
    if file is None or not (file.is_dir() or file.name == "__init__.py"):
        return
    own = set() if file.is_dir() else _own_names(file.read_bytes())
    for name in names:
        submodule = f"{package}.{name}"
        if _file(folders, submodule) is not None or (own is not None and name not in own):
            yield submodule


@cache
def _own_names(source: bytes) -> set[str] | None:
    """Return the names that a package gives itself; nothing, if that is not to be seen without running it."""
    names = {"__name__", "__file__", "__path__", "__doc__"}
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ImportFrom(names=[ast.alias(name="*")]) | ast.FunctionDef(name="__getattr__"):
                return None
            case ast.Import() | ast.ImportFrom():
                names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Name(ctx=ast.Store()):
                names.add(node.id)
    return names


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
