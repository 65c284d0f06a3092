"""Deploys template.yaml to the emulator as SAM does: packages uploaded by content, one stack."""

import copy
import io
import json
import os
import platform
import time
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.background_process import LocalSystemError
from local.changes import lost_data
from local.emulator_process import Endpoint
from local.template import (
    REGION,
    ROOT,
    Template,
    adapt_to_emulator,
    compressed_paths,
    media_headers,
    name_deployment_by,
    send_forms_to,
    translate,
)

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client

STACK = "product-images-local"
CODE_BUCKET = "packages"
_TEMPLATE_KEY = "template.json"
_STACK_SECONDS = 60
FUNCTIONS = {
    "authorize": "AuthorizeFunction",
    "upload_image": "UploadImageFunction",
    "reserve_upload": "ReserveUploadFunction",
    "request_fetch": "RequestFetchFunction",
    "gallery": "GalleryFunction",
    "storefront": "StorefrontFunction",
    "products": "ProductsFunction",
    "remove_product": "RemoveProductFunction",
    "follow_catalogue": "FollowCatalogueFunction",
    "describe_api": "DescribeApiFunction",
    "staff_page": "StaffPageFunction",
    "extract_metadata": "ExtractMetadataFunction",
    "render_image": "RenderImageFunction",
    "fetch_image": "FetchImageFunction",
    "reconcile": "ReconcileFunction",
    "forget_image": "ForgetImageFunction",
}
"""Logical ids of the functions by the module of their handler."""
ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
PACKAGES = ROOT / ".build" / ARCHITECTURE


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the stack made, by the names of its outputs; headers the CDN adds, and paths it compresses."""

    outputs: dict[str, str]
    media_headers: dict[str, str]
    compressed_paths: list[str]

    def gateway_url(self, endpoint: Endpoint) -> str:
        """Return the emulator's URL of the API's stage."""
        return f"{endpoint.url}/restapis/{self.outputs['ApiId']}/v1/_user_request_"


def create_stack(endpoint: Endpoint, parameters: dict[str, str], hashes: Mapping[str, str]) -> Deployment:
    """Upload the built packages, whose `hashes` are by logical id, and create the stack.

    Raises:
        LocalSystemError: the stack could not be created.

    """
    s3, cloudformation = endpoint.client("s3"), endpoint.client("cloudformation")
    s3.create_bucket(Bucket=CODE_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    template = _template(endpoint, _upload_packages(s3, hashes), parameters)
    cloudformation.create_stack(**_request(endpoint, template, parameters))
    return _deployment(cloudformation, template, "CREATE_COMPLETE")


def update_stack(
    endpoint: Endpoint, parameters: dict[str, str], hashes: Mapping[str, str], *, only_functions: bool = False
) -> Deployment:
    """Upload the packages whose `hashes` have changed, and bring the stack to what it is now; data stays.

    Where `only_functions` have changed, the template that was deployed serves again, with their new code:
    to translate it takes longer than all the rest.

    Raises:
        LocalSystemError: data would be lost, or the stack could not be updated; what ran goes on running.

    """
    s3, cloudformation = endpoint.client("s3"), endpoint.client("cloudformation")
    uris = _upload_packages(s3, hashes)
    before = _deployed_template(cloudformation)
    template = _with_code(before, uris) if only_functions else _template(endpoint, uris, parameters)
    _refuse_loss_of_data(before, template)
    try:
        cloudformation.update_stack(**_request(endpoint, template, parameters))
    except ClientError as error:
        # After a deployment that was ended before it was noted down.
        if "No updates are to be performed" not in str(error):
            raise
    deployment = _deployment(cloudformation, template, "UPDATE_COMPLETE", "CREATE_COMPLETE")
    _delete_other_packages(s3, uris)
    return deployment


def built_packages() -> dict[str, Path]:
    """Return the folders of the built packages by logical id.

    Raises:
        LocalSystemError: there are none.

    """
    packages = sorted(path for path in PACKAGES.iterdir() if path.is_dir()) if PACKAGES.is_dir() else []
    if not packages:
        raise LocalSystemError("There are no packages; build them with: make packages")
    return {package.name: package for package in packages}


def code_key(package_hash: str) -> str:
    """Return the object key of a package in `CODE_BUCKET`: functions with the same content share one."""
    return f"{package_hash}.zip"


def _upload_packages(s3: "S3Client", hashes: Mapping[str, str]) -> dict[str, str]:
    """Upload the packages that are not there yet, and return the S3 URI of each by logical id."""
    there = _package_keys(s3)
    keys = {logical_id: code_key(content) for logical_id, content in hashes.items()}
    missing = {key: logical_id for logical_id, key in keys.items() if key not in there}

    def upload(key: str, logical_id: str) -> None:
        s3.put_object(Bucket=CODE_BUCKET, Key=key, Body=_zip(PACKAGES / logical_id))

    with ThreadPoolExecutor() as pool:
        # Read to its end: so an error of any of them is raised.
        list(pool.map(upload, missing.keys(), missing.values()))
    return {logical_id: f"s3://{CODE_BUCKET}/{key}" for logical_id, key in keys.items()}


def _delete_other_packages(s3: "S3Client", uris: dict[str, str]) -> None:
    """Delete the packages that nothing uses any more: the emulator keeps them in memory."""
    for key in _package_keys(s3) - {uri.rpartition("/")[2] for uri in uris.values()}:
        s3.delete_object(Bucket=CODE_BUCKET, Key=key)


def _package_keys(s3: "S3Client") -> set[str]:
    objects = s3.list_objects_v2(Bucket=CODE_BUCKET).get("Contents", [])
    return {stored["Key"] for stored in objects if stored["Key"].endswith(".zip")}


def _template(endpoint: Endpoint, uris: dict[str, str], parameters: dict[str, str]) -> Template:
    template = adapt_to_emulator(translate(uris, {"Architecture": ARCHITECTURE, **parameters}), parameters)
    send_forms_to(endpoint.url, template)
    name_deployment_by(parameters, template)
    return template


def _request(endpoint: Endpoint, template: Template, parameters: dict[str, str]) -> dict[str, Any]:
    # Through S3, as SAM does: a document in the request may have 51,200 bytes (CloudFormation quotas).
    document = json.dumps(template).encode()
    endpoint.client("s3").put_object(Bucket=CODE_BUCKET, Key=_TEMPLATE_KEY, Body=document)
    values = {"Architecture": ARCHITECTURE, **parameters}
    return {
        "StackName": STACK,
        "TemplateURL": f"{endpoint.url}/{CODE_BUCKET}/{_TEMPLATE_KEY}",
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }


def _with_code(template: Template, uris: dict[str, str]) -> Template:
    template = copy.deepcopy(template)
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"]["S3Key"] = uris[logical_id].rpartition("/")[2]
    return template


def _deployed_template(cloudformation: "CloudFormationClient") -> Template:
    body = cloudformation.get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
    # The SDK reads JSON, but would leave YAML as it is.
    return dict(body)


def _refuse_loss_of_data(before: Template, template: Template) -> None:
    lost = lost_data(before, template)
    if lost:
        raise LocalSystemError(
            f"This change of template.yaml would make {', '.join(lost)} anew, without the data in it; "
            "nothing was changed. To start anew, without any data: make local-stop local"
        )


def _deployment(cloudformation: "CloudFormationClient", template: Template, *wanted: str) -> Deployment:
    """Wait until the stack is done.

    Raises:
        LocalSystemError: it ended in another state than those `wanted`, or not in time.

    """
    deadline = time.monotonic() + _STACK_SECONDS
    while time.monotonic() < deadline:
        stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        if stack["StackStatus"] in wanted:
            outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
            return Deployment(outputs, media_headers(template), compressed_paths(template))
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            raise LocalSystemError(f"The stack is {stack['StackStatus']}: {_reasons(cloudformation)}")
        time.sleep(0.1)
    raise LocalSystemError(f"The stack was not done within {_STACK_SECONDS} s.")


def _reasons(cloudformation: "CloudFormationClient") -> str:
    """Return why the last operation failed; the newest events come first."""
    reasons = []
    for event in cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]:
        if event.get("ResourceStatusReason") == "User Initiated":
            break
        if event["ResourceStatus"].endswith("_FAILED"):
            reasons.append(event.get("ResourceStatusReason", event["LogicalResourceId"]))
    return "; ".join(reversed(reasons))


def _zip(package: Path) -> bytes:
    archive = io.BytesIO()
    # Stored, not compressed: the emulator unpacks it for each worker.
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for folder, _, names in os.walk(package):
            for name in names:
                path = Path(folder, name)
                file.write(path, path.relative_to(package))
    return archive.getvalue()
