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
_OURS = {"adapters", "domain", "handlers"}
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
_BOTO3_CLOUDFRONT = """
import boto3
boto3.client("cloudfront")
"""
_POWERTOOLS = """
import boto3
s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.params import File, Form, UploadFile
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent
logger, metrics, tracer = Logger(), Metrics(), Tracer(disabled=False)
app = APIGatewayRestResolver(enable_validation=True)
store = DynamoDBPersistenceLayer("bench", boto3_client=dynamodb)
"""
"""Sparing: left to itself, the idempotency's store makes a session and a client of its own."""

_COMPARISONS = (
    ("upload function, against boto3 with an S3 and a DynamoDB client", "upload", "boto3", 0.74),
    ("upload function, against the full Powertools stack", "upload", "powertools", 0.505),
    ("metadata function, against boto3 with its clients and PIL.Image", "metadata", "boto3_and_pillow", 0.74),
    ("render function, against boto3 with its clients and PIL.Image", "render", "boto3_and_pillow", 0.80),
    ("authorizer, against boto3 with a DynamoDB client", "authorizer", "boto3_dynamodb", 0.725),
    ("storefront function, against boto3 with a DynamoDB client", "storefront", "boto3_dynamodb", None),
    ("products function, against boto3 with a DynamoDB client", "products", "boto3_dynamodb", None),
    ("function that forgets, against boto3 with a CloudFront client", "forget", "boto3_cloudfront", None),
    ("staff page's function, against boto3 with a DynamoDB client", "staff_page", "boto3_dynamodb", None),
)
"""What is compared, by the names of `measure`, and the goals: what has been reached, where there is one."""

_CONTEXT = "import ssl; context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)"
_TRUST_STORE_GOAL = 0.11
"""What has been reached; urllib3 loads the CA certificates anew for each connection."""

_STAGES: dict[str, tuple[tuple[str, str], ...]] = {
    "upload": (
        ("interpreter", ""),
        ("botocore", "import botocore.session"),
        ("Powertools", "from aws_lambda_powertools import Logger, Metrics"),
        ("form and base64", "import multipart, pybase64"),
        ("our code", "import handlers.upload_image"),
        ("clients", "handlers.upload_image.lambda_handler"),
    ),
    "boto3": (
        ("interpreter", ""),
        ("boto3", "import boto3"),
        ("clients", 'boto3.client("s3"), boto3.client("dynamodb")'),
    ),
    "powertools": (
        ("interpreter", ""),
        ("boto3", "import boto3"),
        ("clients", 'boto3.client("s3"), boto3.client("dynamodb")'),
        ("Powertools", "from aws_lambda_powertools import Logger, Metrics"),
        ("tracer", "from aws_lambda_powertools import Tracer; Tracer(disabled=False)"),
        (
            "idempotency",
            "from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer",
        ),
        ("event handler, validation", _POWERTOOLS),
    ),
}
"""Init step by step; what several steps need is counted where it comes first."""


def measure(report: Callable[[str], None]) -> Findings:
    """Compare the start-up of the functions with that of what they are made of."""
    require_valgrind()
    upload, powertools, boto3 = package("UploadImageFunction"), peer("powertools"), peer("boto3")
    programs: dict[str, tuple[Deployment, str]] = {
        "upload": (upload, _ready("upload_image")),
        "metadata": (package("ExtractMetadataFunction", "PillowLayer"), _ready("extract_metadata")),
        "render": (package("RenderImageFunction", "PillowLayer"), _ready("render_image")),
        "authorizer": (package("AuthorizeFunction"), _ready("authorize")),
        "storefront": (package("StorefrontFunction"), _ready("storefront")),
        "products": (package("ProductsFunction"), _ready("products")),
        "forget": (package("ForgetImageFunction"), _ready("forget_image")),
        "staff_page": (package("StaffPageFunction"), _ready("staff_page")),
        "boto3": (boto3, _BOTO3),
        "boto3_and_pillow": (boto3, _BOTO3_AND_PILLOW),
        "boto3_dynamodb": (boto3, _BOTO3_DYNAMODB),
        "boto3_cloudfront": (boto3, _BOTO3_CLOUDFRONT),
        "powertools": (powertools, _POWERTOOLS),
    }
    # Twice each, to see that they are the same to the fifth figure.
    asked = {(name, run): program for name, program in programs.items() for run in (1, 2)}
    for name, stages in _STAGES.items():
        for number in range(1, len(stages)):
            statements = "\n".join(statement for _, statement in stages[:number])
            asked[f"{name} until", number] = (programs[name][0], statements)
    done = 0

    def on_done() -> None:
        nonlocal done
        done += 1
        report(f"instructions of {done} of {len(asked)} processes")

    found = dict(zip(asked, count_instructions(list(asked.values()), on_done), strict=True))
    counts = {name: [found[name, 1], found[name, 2]] for name in programs}
    report("loading the trust store")
    trust_store = _trust_store(upload, boto3)
    report("the dearest imports")
    series = {
        "init": {name: statistics.mean(both) for name, both in counts.items()},
        "init_stages": {name: _stages(name, found) for name in _STAGES},
        "dearest_imports": _dearest_imports(upload),
    }
    return Findings([*(_row(counts, *comparison) for comparison in _COMPARISONS), trust_store], series)


def _ready(module: str) -> str:
    return f"import handlers.{module}\nhandlers.{module}.lambda_handler"


def _row(counts: dict[str, list[int]], what: str, ours: str, reference: str, goal: float | None) -> Row:
    return compare(
        *(PART, f"init of the {what}", "instructions"),
        ours=counts[ours],
        reference=counts[reference],
        goal=goal,
    )


def _trust_store(ours: Deployment, reference: Deployment) -> Row:
    """Compare what loading botocore's CA certificates adds to a process that makes a TLS context."""
    programs = [
        (deployment, f"{_CONTEXT}{load}")
        for deployment in (ours, reference)
        for file in [str(deployment.folders[0] / "botocore/cacert.pem")]
        for load in ("", f"; context.load_verify_locations({file!r})")
    ]
    without_ours, with_ours, without, with_all = count_instructions(programs, lambda: None)
    return compare(
        *(PART, "loading the trust store for a connection, against botocore's own", "instructions"),
        ours=[with_ours - without_ours],
        reference=[with_all - without],
        goal=_TRUST_STORE_GOAL,
    )


def _stages(name: str, found: dict[tuple[str, int], int]) -> dict[str, float]:
    stages = _STAGES[name]
    sums = [found[f"{name} until", number] for number in range(1, len(stages))]
    sums.append(found[name, 1])
    return {stage: end - start for (stage, _), start, end in zip(stages, [0, *sums[:-1]], sums, strict=True)}


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
        if is_third_party and origin not in _OURS:
            third_party[module] = own / total
        by_package[_origin(origin, is_third_party=is_third_party)] += own / total
    return {
        "modules": _largest(third_party),
        "packages": _largest(by_package),
    }


def _origin(name: str, *, is_third_party: bool) -> str:
    if name in _OURS:
        return "our code"
    return name if is_third_party else "standard library"


def _largest(shares: dict[str, float]) -> dict[str, float]:
    return dict(sorted(shares.items(), key=lambda item: -item[1])[:_DEAREST])
