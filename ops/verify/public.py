"""What the public sees: the picture through the CDN, and nothing of the bucket."""

import json
from typing import Any
from urllib.parse import urlsplit

from ops.verify.api import expect
from ops.verify.check import Check, CheckError, NotOnLocalSystemError
from ops.verify.trial import Trial
from ops.verify.uploads import READY


def shown(trial: Trial) -> str:
    """Open both pictures as a visitor does, without a key."""
    for picture in trial.pictures.values():
        answer = expect(trial.http.get(picture.f), 200)
        if len(answer.content) != picture.size:
            raise CheckError(f"{len(answer.content):,} bytes instead of {picture.size:,}")
    by = (
        "the front in the CDN's place"
        if trial.target.is_local
        else answer.headers.get("X-Cache", "no X-Cache")
    )
    return f"200, {by}"


def with_headers(trial: Trial) -> str:
    """Look at what makes browsers take the bytes for a picture and nothing else, and keep them."""
    headers = trial.http.get(trial.pictures["direct"].f).headers
    wanted = {
        "Content-Type": "image/png",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
        "Cache-Control": "immutable",
        "Content-Disposition": "inline",
    }
    wrong = [
        f"{name}: {headers.get(name)}" for name, part in wanted.items() if part not in headers.get(name, "")
    ]
    if wrong:
        raise CheckError("; ".join(wrong))
    return ", ".join(wanted)


def https_only(trial: Trial) -> str:
    """Look whether browsers are told never to come without TLS."""
    if trial.target.is_local:
        raise NotOnLocalSystemError("it speaks plain HTTP")
    value = trial.http.get(trial.pictures["direct"].f).headers.get("Strict-Transport-Security")
    if not value:
        raise CheckError("no Strict-Transport-Security")
    return str(value)


def bucket_closed(trial: Trial) -> str:
    """Try to read a ready picture from the bucket itself."""
    url = trial.target.clients.stranger_s3().generate_presigned_url(
        "get_object", Params={"Bucket": trial.target.bucket, "Key": stored_at(trial, "direct")}
    )
    expect(trial.http.get(url), 403)
    return "403 without the CDN"


def only_cdn_allowed(trial: Trial) -> str:
    """Look whom the bucket policy lets in."""
    target = trial.target
    policy = json.loads(target.clients.s3().get_bucket_policy(Bucket=target.bucket)["Policy"])
    cdn = target.clients.cloudformation().describe_stack_resource(
        StackName=target.stack, LogicalResourceId="Cdn"
    )["StackResourceDetail"]["PhysicalResourceId"]
    allowed = [statement for statement in policy["Statement"] if statement["Effect"] == "Allow"]
    strangers = [str(statement.get("Sid", "?")) for statement in allowed if not _is_for(cdn, statement)]
    if strangers:
        raise CheckError(f"others than the CDN are let in by: {', '.join(strangers)}")
    if not allowed:
        raise CheckError("the CDN is not let in")
    return f"the distribution {cdn} alone"


def tls_only(trial: Trial) -> str:
    """Look whether the bucket refuses plain HTTP."""
    if trial.target.is_local:
        raise NotOnLocalSystemError("it speaks plain HTTP")
    policy = json.loads(trial.target.clients.s3().get_bucket_policy(Bucket=trial.target.bucket)["Policy"])
    if not any(_refuses_plain_http(statement) for statement in policy["Statement"]):
        raise CheckError("no statement refuses requests without TLS")
    return "a statement refuses requests without TLS"


def stored_at(trial: Trial, how: str) -> str:
    """Return the key of the public copy of the picture that was sent this way: its address says it."""
    return urlsplit(trial.pictures[how].f).path.removeprefix("/")


def _is_for(cdn: str, statement: dict[str, Any]) -> bool:
    """Tell whether a statement is for this distribution alone."""
    source = statement.get("Condition", {}).get("StringEquals", {}).get("aws:SourceArn", "")
    is_cdn = statement.get("Principal") == {"Service": "cloudfront.amazonaws.com"}
    return is_cdn and str(source).endswith(f":distribution/{cdn}")


def _refuses_plain_http(statement: dict[str, Any]) -> bool:
    condition = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    return statement["Effect"] == "Deny" and str(condition).lower() == "false"


def in_storefront(trial: Trial) -> str:
    """Ask for the gallery as a visitor's page does, without a key."""
    url = f"{trial.base_url}/api/storefront/products/{trial.product_id}/images"
    answer = expect(trial.http.get(url, headers={"Origin": "https://shop.example"}), 200)
    shown = {picture["id"] for picture in answer.json()["results"]}
    missing = {picture.id for picture in trial.pictures.values()} - shown
    if missing:
        raise CheckError(f"200, but without {', '.join(map(str, sorted(missing)))}")
    if answer.headers.get("Access-Control-Allow-Origin") != "*":
        raise CheckError("200, but pages of other origins may not read it")
    return f"200, {len(shown)} images, {answer.headers.get('Cache-Control')}"


def staff_page(trial: Trial) -> str:
    """Open the page for staff, and look at what it may do."""
    answer = expect(trial.http.get(f"{trial.base_url}/staff/"), 200)
    policy = answer.headers.get("Content-Security-Policy", "")
    wanted = (
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for",
    )
    missing = [part for part in wanted if part not in policy]
    if missing:
        raise CheckError(f"200, but its Content-Security-Policy lacks {' and '.join(missing)}")
    return "200, with its Content-Security-Policy"


_POLICY = "Compare the bucket policy with template.yaml; deploy again after somebody changed it by hand."
PUBLIC = (
    Check("image through the CDN", shown, _POLICY, (READY,)),
    Check("headers of the image", with_headers, "Compare the CDN's behaviors with template.yaml.", (READY,)),
    Check("storefront", in_storefront, "Look at the log group of storefront.", (READY,)),
    Check("staff's page", staff_page, "Look at the log group of staff-page; is BaseUrl right?"),
    Check("HSTS", https_only, "Compare the CDN's behaviors with template.yaml.", (READY,)),
    Check("bucket is closed", bucket_closed, _POLICY, (READY,)),
    Check("bucket policy", only_cdn_allowed, _POLICY),
    Check("bucket over TLS only", tls_only, _POLICY),
)
