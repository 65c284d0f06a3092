"""Leaves of the SDK what this service uses of it: less to load at each cold start, and less to unpack.

Loading what is removed here was a quarter of the upload function's init phase: 1,435 million instructions
became 1,080 (docs/decisions.md, "Of the SDK, what is used is deployed").
"""

import ast
import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OPERATIONS = {
    "cloudfront": {"CreateInvalidation"},
    "dynamodb": {
        *("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan"),
        *("TransactWriteItems", "UpdateItem"),
    },
    "events": {"PutEvents"},
    "lambda": {"Invoke"},
    # The SDK looks up the address that an upload form is posted to as that of CreateBucket; it calls nothing.
    "s3": {
        *("CreateBucket", "DeleteObject", "DeleteObjects", "GetObject", "HeadObject", "ListObjectsV2"),
        "PutObject",
    },
    "sqs": {"ChangeMessageVisibility", "SendMessage"},
}
"""The operations in use, by service: 20 of over 10,000."""

_KEPT_MODELS = ("paginators-1", "service-2")
"""Of a service's files: no waiters, no examples."""
_ENDPOINT_RULES = "endpoint-rule-set-1"
_WITH_RULES = {"s3"}
"""Where rules say which endpoint a call goes to. The others have one in each region, named in
`endpoints.json`, where the SDK looks if there are no rules: those took a sixth of a call's CPU time."""

_DOCSTRINGS = {"ClientMethodDocstring", "PaginatorDocstring", "WaiterDocstring"}
_NO_DOCSTRINGS = '''"""Documentation of operations is not deployed."""


class _NoDocstring(str):
    def __new__(cls, *_arguments, **_options):
        return super().__new__(cls)


ClientMethodDocstring = PaginatorDocstring = WaiterDocstring = _NoDocstring
'''
_KEPT_DOCS = {"__init__.py", "docstring.py", "utils.py"}
"""Modules of `botocore.docs` that the rest of botocore imports; `utils` also holds what alters requests."""


_ADAPT = "adapt packages/prune.py."


class PruningError(Exception):
    """The SDK is not what it was when this was written; the message says what differs."""


def prune_botocore(botocore: Path) -> None:
    """Remove services, operations and documentation that are not in use.

    Raises:
        PruningError: something is not where it was; look at what botocore changed, and adapt this module.

    """
    data = botocore / "data"
    missing = [name for name in OPERATIONS if not any((data / name).glob("*/service-2.json*"))]
    if missing:
        raise PruningError(f"botocore has no model of {', '.join(missing)} any more; {_ADAPT}")
    for service in [path for path in data.iterdir() if path.is_dir()]:
        if service.name in OPERATIONS:
            _prune_service(service)
        else:
            shutil.rmtree(service)
    _prune_endpoints(data / "endpoints.json")
    _prune_documentation(botocore)


def _prune_service(service: Path) -> None:
    *old_versions, version = sorted(path for path in service.iterdir() if path.is_dir())
    for old in old_versions:
        shutil.rmtree(old)
    for file in list(version.iterdir()):
        has_rules = service.name in _WITH_RULES and file.name.startswith(_ENDPOINT_RULES)
        if not (has_rules or file.name.startswith(_KEPT_MODELS)):
            file.unlink()
        elif ".sdk-extras." not in file.name:
            model = _read(file)
            file.unlink()
            if file.name.startswith("service-2"):
                model = _with_operations(model, OPERATIONS[service.name])
            _write(version / file.name.removesuffix(".gz"), model)
    if service.name in _WITH_RULES and not (version / f"{_ENDPOINT_RULES}.json").exists():
        raise PruningError(f"botocore has no rules for the endpoints of {service.name} any more; {_ADAPT}")


def _with_operations(model: dict[str, Any], operations: set[str]) -> dict[str, Any]:
    """Return a service's model with these operations, and with the shapes that they are made of."""
    unknown = operations - model["operations"].keys()
    if unknown:
        raise PruningError(f"botocore has no operation {', '.join(sorted(unknown))}; {_ADAPT}")
    kept = {name: described for name, described in model["operations"].items() if name in operations}
    shapes: dict[str, Any] = {}
    open_shapes = [*_shapes_in(kept)]
    while open_shapes:
        name = open_shapes.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            open_shapes += _shapes_in(shapes[name])
    # In their old order, so that a build depends on nothing but botocore. What else there is of a model stays
    # as it is: botocore reads the documentation of a client's parameters.
    return {
        **model,
        "operations": _without_documentation(kept),
        "shapes": _without_documentation(
            {name: shape for name, shape in model["shapes"].items() if name in shapes}
        ),
    }


def _shapes_in(node: object) -> Iterator[str]:
    """Yield the names of the shapes that a part of a model refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("shape"), str):
            yield node["shape"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _shapes_in(each)


def _without_documentation(node: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    if isinstance(node, dict):
        # A member of a shape may have this name too, but is not a text.
        return {
            name: _without_documentation(value)
            for name, value in node.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return [_without_documentation(each) for each in node] if isinstance(node, list) else node


def _prune_endpoints(file: Path) -> None:
    endpoints = _read(file)
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in OPERATIONS if name in services}
    if not all(name in endpoints["partitions"][0]["services"] for name in OPERATIONS):
        raise PruningError(f"botocore's endpoints lack a service in use; {_ADAPT}")
    _write(file, endpoints)


def _prune_documentation(botocore: Path) -> None:
    """Remove what writes docstrings of clients' methods, which is imported but never asked for."""
    imported = {name for file in botocore.glob("*.py") for name in _imports_of_docs(file)}
    of_docstring = {name for module, name in imported if module == "botocore.docs.docstring"}
    modules = {module for module, _ in imported}
    if of_docstring != _DOCSTRINGS or modules != {"botocore.docs.docstring", "botocore.docs.utils"}:
        raise PruningError(f"botocore imports other parts of botocore.docs now; {_ADAPT}")
    docs = botocore / "docs"
    for path in list(docs.iterdir()):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in _KEPT_DOCS:
            path.unlink()
    (docs / "__init__.py").write_text("")
    (docs / "docstring.py").write_text(_NO_DOCSTRINGS)


def _imports_of_docs(file: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("botocore.docs"):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.startswith("botocore.docs"))


def _read(file: Path) -> dict[str, Any]:
    content = file.read_bytes()
    model: dict[str, Any] = json.loads(gzip.decompress(content) if file.suffix == ".gz" else content)
    return model


def _write(file: Path, model: object) -> None:
    file.write_text(json.dumps(model, separators=(",", ":"), ensure_ascii=False))
