"""What is left of the SDK is what the service asks of it, and a changed SDK stops the build."""

import ast
import gzip
import json
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest
from botocore.loaders import Loader
from botocore.session import get_session

from adapters.aws import _CONFIG, _S3_CONFIG
from local.template import ROOT
from packages.build import SOURCES
from packages.prune import OPERATIONS, PruningError, prune_botocore
from tests.infrastructure.package_files import built_package

BEHIND_OTHERS = {"create_bucket"}
"""What the SDK asks for on its own: the address that a form is posted to."""


def calls_of_adapters() -> set[str]:
    """Return the methods that the adapters call on the SDK's clients, and the paginators that they use."""
    found: set[str] = set()
    for file in (SOURCES / "adapters").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="get_paginator"), args=[ast.Constant(value=str(operation))]
                ):
                    found.add(operation)
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Attribute(attr="_client") | ast.Name(id="client"), attr=method
                    )
                ):
                    found.add(method)
    return found - {"get_paginator", "generate_presigned_post"}


def test_the_operations_that_are_kept_are_those_in_use() -> None:
    kept = {xform_name(operation) for operations in OPERATIONS.values() for operation in operations}
    assert kept == calls_of_adapters() | BEHIND_OTHERS


@cache
def pruned() -> Loader:
    """Return what reads the data that are deployed; like `whole`, it keeps what it has read."""
    loader = Loader()
    loader.search_paths[:] = [str(built_package("UploadImageFunction") / "botocore/data")]
    return loader


@cache
def whole() -> Loader:
    """Return what reads the data of the SDK as it is published."""
    return Loader()


@pytest.mark.parametrize("service", OPERATIONS)
def test_a_kept_operation_is_what_it_was(service: str) -> None:
    ours, theirs = (loader.load_service_model(service, "service-2") for loader in (pruned(), whole()))
    assert ours["operations"].keys() == OPERATIONS[service]
    apart = {"operations", "shapes"}
    assert {name: ours[name] for name in ours if name not in apart} == {
        name: theirs[name] for name in theirs if name not in apart
    }
    for name, shape in ours["shapes"].items():
        assert shape == undocumented(theirs["shapes"][name]), name
    for name, operation in ours["operations"].items():
        assert operation == undocumented(theirs["operations"][name]), name


def undocumented(node: Any) -> Any:  # noqa: ANN401 - any part of a model
    if isinstance(node, dict):
        kept = {
            name: value
            for name, value in node.items()
            if not isinstance(value, str) or name != "documentation"
        }
        return {name: undocumented(value) for name, value in kept.items()}
    return [undocumented(each) for each in node] if isinstance(node, list) else node


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "cloudfront": (
        "create_invalidation",
        {
            "DistributionId": "E1",
            "InvalidationBatch": {"Paths": {"Quantity": 0}, "CallerReference": "r"},
        },
    ),
    "dynamodb": ("transact_write_items", {"TransactItems": [{"Delete": {"TableName": "t", "Key": {}}}]}),
    "events": ("put_events", {"Entries": []}),
    "lambda": ("invoke", {"FunctionName": "f"}),
    "s3": ("get_object", {"Bucket": "b", "Key": "k"}),
    "sqs": ("send_message", {"QueueUrl": "https://sqs.example.com/1/q", "MessageBody": "m"}),
}


REGIONS = ("eu-central-1", "us-east-1", "ap-southeast-7", "us-gov-west-1", "cn-north-1")


@pytest.mark.parametrize(
    ("service", "region"),
    # GovCloud has no CloudFront, and so no stack of this service.
    [pair for pair in product(OPERATIONS, REGIONS) if pair != ("cloudfront", "us-gov-west-1")],
)
def test_a_call_goes_where_the_whole_sdk_would_send_it(service: str, region: str) -> None:
    assert destination(service, region, pruned()) == destination(service, region, whole())


def destination(service: str, region: str, loader: Loader) -> tuple[str, str]:
    """Return the host that a call of a service goes to, and the scope of its signature."""
    session = get_session()
    session.register_component("data_loader", loader)
    # Of an account that DynamoDB has an endpoint for.
    session.set_credentials("test", "test", account_id="123456789012")
    config = _S3_CONFIG if service == "s3" else _CONFIG
    client = session.create_client(service, region_name=region, config=config)
    sent: list[AWSPreparedRequest] = []

    def send(request: AWSPreparedRequest, **_: object) -> None:
        sent.append(request)
        raise LookupError

    client.meta.events.register("before-send", send)
    method, arguments = CALLS[service]
    with pytest.raises(LookupError):
        getattr(client, method)(**arguments)
    (request,) = sent
    signature = str(request.headers["Authorization"])
    return str(urlsplit(request.url).hostname), signature.partition(",")[0]


@pytest.fixture
def sdk(tmp_path: Path) -> Path:
    """A small SDK of the same build as botocore."""
    sdk = tmp_path / "botocore"
    for service, operations in [*OPERATIONS.items(), ("ec2", {"RunInstances"})]:
        folder = sdk / "data" / service / "2012-08-10"
        folder.mkdir(parents=True)
        model = {
            "operations": {name: {"input": {"shape": "Used"}} for name in [*operations, "Unused"]},
            "shapes": {"Used": {"members": {"a": {"shape": "Inner"}}}, "Inner": {}, "Unused": {}},
        }
        (folder / "service-2.json.gz").write_bytes(gzip.compress(json.dumps(model).encode()))
        (folder / "endpoint-rule-set-1.json.gz").write_bytes(gzip.compress(b"{}"))
        (folder / "waiters-2.json").write_text("{}")
        (sdk / "data" / service / "2011-01-01").mkdir()
    endpoints: dict[str, Any] = {"partitions": [{"services": {name: {} for name in (*OPERATIONS, "ec2")}}]}
    (sdk / "data/endpoints.json").write_text(json.dumps(endpoints))
    (sdk / "client.py").write_text(
        "from botocore.docs.docstring import ClientMethodDocstring, PaginatorDocstring, WaiterDocstring\n"
        "from botocore.docs.utils import AutoPopulatedParam\n"
    )
    for name in ("__init__.py", "docstring.py", "utils.py", "service.py", "bcdoc/style.py"):
        file = sdk / "docs" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("import os\n")
    return sdk


def test_what_is_not_in_use_is_removed(sdk: Path) -> None:
    prune_botocore(sdk)
    assert {path.name for path in (sdk / "data").iterdir()} == {*OPERATIONS, "endpoints.json"}
    left = {service: {path.name for path in (sdk / "data" / service).glob("*/*")} for service in OPERATIONS}
    assert left == {name: {"service-2.json"} for name in OPERATIONS} | {
        "s3": {"service-2.json", "endpoint-rule-set-1.json"}
    }
    [version] = (sdk / "data/s3").iterdir()
    model = json.loads((version / "service-2.json").read_text())
    assert model["operations"].keys() == OPERATIONS["s3"]
    assert model["shapes"].keys() == {"Used", "Inner"}
    [partition] = json.loads((sdk / "data/endpoints.json").read_text())["partitions"]
    assert partition["services"].keys() == OPERATIONS.keys()
    assert {path.name for path in (sdk / "docs").iterdir()} == {"__init__.py", "docstring.py", "utils.py"}


def test_a_model_that_was_moved_stops_the_build(sdk: Path) -> None:
    for file in (sdk / "data/s3").glob("*/*.gz"):
        file.unlink()
    with pytest.raises(PruningError, match=r"no model of s3 any more; adapt packages/prune\.py"):
        prune_botocore(sdk)


def test_rules_for_buckets_that_were_moved_stop_the_build(sdk: Path) -> None:
    (sdk / "data/s3/2012-08-10/endpoint-rule-set-1.json.gz").unlink()
    with pytest.raises(PruningError, match="no rules for the endpoints of s3"):
        prune_botocore(sdk)


def test_an_operation_that_is_gone_stops_the_build(sdk: Path) -> None:
    [file] = (sdk / "data/events").glob("*/service-2.json.gz")
    file.write_bytes(gzip.compress(json.dumps({"operations": {}, "shapes": {}}).encode()))
    with pytest.raises(PruningError, match="no operation PutEvents"):
        prune_botocore(sdk)


def test_endpoints_without_a_service_in_use_stop_the_build(sdk: Path) -> None:
    (sdk / "data/endpoints.json").write_text(json.dumps({"partitions": [{"services": {"s3": {}}}]}))
    with pytest.raises(PruningError, match="endpoints lack"):
        prune_botocore(sdk)


@pytest.mark.parametrize(
    "line",
    [
        "from botocore.docs.docstring import Another",
        "from botocore.docs.service import ServiceDocumenter",
        "import botocore.docs.service",
    ],
)
def test_another_import_of_the_documentation_stops_the_build(sdk: Path, line: str) -> None:
    (sdk / "session.py").write_text(line)
    with pytest.raises(PruningError, match=r"botocore\.docs"):
        prune_botocore(sdk)


def test_the_test_looks_at_the_sdk_that_is_deployed() -> None:
    lock = (ROOT / "uv.lock").read_text()
    assert f'name = "botocore"\nversion = "{botocore.__version__}"' in lock
