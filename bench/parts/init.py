"""The init phase: from a fresh process to a handler that is ready, in instructions."""

import re
import statistics
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from bench.callgrind import count_instructions, require_valgrind
from bench.environments import Deployment, package, peer
from bench.results import Findings, Row, compare

PART = "init"

_IMPORT_RUNS = 7
_DEAREST = 10
_IMPORT_TIME = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)")

_BOTO3 = """
import boto3
boto3.client("s3")
boto3.client("dynamodb")
"""
_BOTO3_AND_PILLOW = f"""
{_BOTO3}
boto3.client("events")
import PIL.Image
"""
_BOTO3_DYNAMODB = """
import boto3
boto3.client("dynamodb")
"""
_POWERTOOLS = f"""
{_BOTO3}
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.params import File, Form, UploadFile
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent
logger, metrics, tracer = Logger(), Metrics(), Tracer()
app = APIGatewayRestResolver(enable_validation=True)
store = DynamoDBPersistenceLayer("bench")
"""
_STAGES = (
    ("interpreter", ""),
    ("boto3 and botocore", "import boto3"),
    ("Powertools", "from aws_lambda_powertools import Logger, Metrics"),
    ("its idempotency", "from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer"),
    ("form parser and base64", "import multipart, pybase64"),
    ("our code", "import handlers.upload_image as module"),
    ("clients and handler", "module.lambda_handler"),
)
"""The init of the upload function, step by step; what a step needs is counted where it comes first."""


def measure(report: Callable[[str], None]) -> Findings:
    """Compare the start-up of the functions with that of what they are made of."""
    require_valgrind()
    upload = package("UploadImageFunction")
    metadata = package("ExtractMetadataFunction", "PillowLayer")
    programs: dict[str, tuple[Deployment, str]] = {
        "upload": (upload, _ready("upload_image")),
        "metadata": (metadata, _ready("extract_metadata")),
        "authorizer": (package("AuthorizeFunction"), _ready("authorize")),
        "boto3": (peer("boto3"), _BOTO3),
        "boto3_and_pillow": (peer("boto3"), _BOTO3_AND_PILLOW),
        "boto3_dynamodb": (peer("boto3"), _BOTO3_DYNAMODB),
        "powertools": (peer("powertools"), _POWERTOOLS),
        **{
            f"stage {number}": (upload, "\n".join(statement for _, statement in _STAGES[: number + 1]))
            for number in range(len(_STAGES) - 1)
        },
    }
    done = 0

    def on_done() -> None:
        nonlocal done
        done += 1
        report(f"instructions of {done} of {2 * len(programs)} processes")

    counts = dict(zip(programs, count_instructions(list(programs.values()), on_done), strict=True))
    report("the dearest imports")
    return Findings(
        [
            _row("upload function, against boto3 with an S3 and a DynamoDB client", counts, "upload", 0.98),
            _row("upload function, against the full Powertools stack", counts, "upload", 0.67, "powertools"),
            _row(
                "metadata function, against boto3 with the same clients and PIL.Image",
                *(counts, "metadata", 0.80, "boto3_and_pillow"),
            ),
            _row(
                "authorizer, against boto3 with a DynamoDB client",
                *(counts, "authorizer", 0.75, "boto3_dynamodb"),
            ),
        ],
        {
            "init": {
                name: statistics.mean(counts[name]) for name in programs if not name.startswith("stage")
            },
            "init_stages": _stages(counts),
            "dearest_imports": _dearest_imports(upload),
        },
    )


def _ready(module: str) -> str:
    return f"import handlers.{module}\nhandlers.{module}.lambda_handler"


def _row(what: str, counts: dict[str, list[int]], ours: str, goal: float, reference: str = "boto3") -> Row:
    return compare(
        PART,
        f"init of the {what}",
        "instructions",
        ours=counts[ours],
        reference=counts[reference],
        goal=goal,
    )


def _stages(counts: dict[str, list[int]]) -> dict[str, float]:
    sums = [statistics.mean(counts[f"stage {number}"]) for number in range(len(_STAGES) - 1)]
    sums.append(statistics.mean(counts["upload"]))
    return {name: end - start for (name, _), start, end in zip(_STAGES, [0, *sums], sums, strict=False)}


def _dearest_imports(upload: Deployment) -> dict[str, Any]:
    """Weigh each import by its own time, without what it imports in turn (`-X importtime`)."""
    times: dict[str, list[int]] = defaultdict(list)
    for _ in range(_IMPORT_RUNS):
        trace = upload.run(_ready("upload_image"), "-X", "importtime").stderr
        for own, _, module in _IMPORT_TIME.findall(trace):
            times[module].append(int(own))
    own_times = {module: statistics.median(runs) for module, runs in times.items()}
    total = sum(own_times.values())
    by_package: dict[str, float] = defaultdict(float)
    third_party = {}
    for module, own in own_times.items():
        origin = module.partition(".")[0]
        is_third_party = any(
            (folder / origin).is_dir() or (folder / f"{origin}.py").is_file() for folder in upload.folders
        )
        if is_third_party and origin not in {"adapters", "domain", "handlers"}:
            third_party[module] = own / total
        by_package[origin if is_third_party else "standard library"] += own / total
    return {
        "modules": _largest(third_party),
        "packages": _largest(by_package),
    }


def _largest(shares: dict[str, float]) -> dict[str, float]:
    return dict(sorted(shares.items(), key=lambda item: -item[1])[:_DEAREST])
