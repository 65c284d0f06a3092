"""Deploys template.yaml to the emulator: packages zipped and uploaded, one CloudFormation stack."""

import io
import json
import os
import platform
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import WaiterError

from local.background_process import LocalSystemError
from local.emulator_process import Endpoint
from local.template import REGION, ROOT, adapt_to_emulator, media_headers, translate

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STACK = "product-images-local"
CODE_BUCKET = "packages"
_TEMPLATE_KEY = "template.json"
FUNCTIONS = {
    "authorize": "AuthorizeFunction",
    "upload_image": "UploadImageFunction",
    "reserve_upload": "ReserveUploadFunction",
    "gallery": "GalleryFunction",
    "describe_api": "DescribeApiFunction",
    "extract_metadata": "ExtractMetadataFunction",
    "reconcile": "ReconcileFunction",
}
"""Logical ids of the functions by the module of their handler."""
ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
PACKAGES = ROOT / ".build" / ARCHITECTURE


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the stack made, by the names of its outputs, and what the CDN adds to a picture's headers."""

    outputs: dict[str, str]
    media_headers: dict[str, str]

    def gateway_url(self, endpoint: Endpoint) -> str:
        """Return the emulator's URL of the API's stage."""
        return f"{endpoint.url}/restapis/{self.outputs['ApiId']}/v1/_user_request_"


def deploy(endpoint: Endpoint, parameters: dict[str, str]) -> Deployment:
    """Upload the built packages and create the stack.

    Raises:
        LocalSystemError: packages are missing, or the stack could not be created.

    """
    s3 = endpoint.client("s3")
    s3.create_bucket(Bucket=CODE_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    packages = sorted(path for path in PACKAGES.iterdir() if path.is_dir()) if PACKAGES.is_dir() else []
    if not packages:
        raise LocalSystemError("There are no packages; build them with: make packages")
    with ThreadPoolExecutor() as pool:
        uris = dict(pool.map(lambda package: _upload(s3, package), packages))
    parameters = {"Architecture": ARCHITECTURE, **parameters}
    template = adapt_to_emulator(translate(uris, parameters))
    # Through S3, as SAM does: a document in the request may have 51,200 bytes (CloudFormation quotas).
    s3.put_object(Bucket=CODE_BUCKET, Key=_TEMPLATE_KEY, Body=json.dumps(template).encode())
    cloudformation = endpoint.client("cloudformation")
    cloudformation.create_stack(
        StackName=STACK,
        TemplateURL=f"{endpoint.url}/{CODE_BUCKET}/{_TEMPLATE_KEY}",
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    try:
        waiter = cloudformation.get_waiter("stack_create_complete")
        waiter.wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    except WaiterError as error:
        events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
        reasons = [e["ResourceStatusReason"] for e in events if "FAILED" in e["ResourceStatus"]]
        raise LocalSystemError(f"The stack was not created: {'; '.join(reasons)}") from error
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return Deployment(outputs, media_headers(template))


def code_key(logical_id: str) -> str:
    """Return the object key of a package in `CODE_BUCKET`."""
    return f"{logical_id}.zip"


def _upload(s3: "S3Client", package: Path) -> tuple[str, str]:
    key = code_key(package.name)
    s3.put_object(Bucket=CODE_BUCKET, Key=key, Body=_zip(package))
    return package.name, f"s3://{CODE_BUCKET}/{key}"


def _zip(package: Path) -> bytes:
    archive = io.BytesIO()
    # Stored, not compressed: the emulator unpacks it for each worker.
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for folder, _, names in os.walk(package):
            for name in names:
                path = Path(folder, name)
                file.write(path, path.relative_to(package))
    return archive.getvalue()
