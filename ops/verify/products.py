"""A second product comes and goes by the API, with a picture that is fetched by its address."""

from functools import partial
from urllib.parse import urlsplit

from pydantic import BaseModel

from domain.product_record import Stage
from domain.public_address import is_allowed
from ops.verify.access import MADE
from ops.verify.api import Picture, expect, expect_problem, images_path
from ops.verify.check import Check, CheckError, NotOnLocalSystemError
from ops.verify.trial import PLACES, Trial
from ops.verify.uploads import DIRECT_PICTURE, READY, until_ready

_TITLE = "Of verify"
_LISTED_SECONDS = 10
"""An index of DynamoDB follows its table, mostly within a second."""
_REMOVED_SECONDS = 60


class _Product(BaseModel):
    product_id: int
    title: str | None


class _Products(BaseModel):
    results: list[_Product]


def put(trial: Trial) -> str:
    """Put a product, and read it."""
    path = _path(trial)
    trial.belongings.add(f"product {trial.other_product_id}", partial(trial.erase, trial.other_product_id))
    expect(trial.staff.send("PUT", path, json={"title": _TITLE}), 201)
    shown = _Product.model_validate_json(expect(trial.staff.send("GET", path), 200).content)
    if shown.title != _TITLE:
        raise CheckError(f"201, but its title is '{shown.title}'")
    return f"201, product {trial.other_product_id} with its title"


def listed(trial: Trial) -> str:
    """Look for it in the list of products."""
    path = f"/api/products?limit=1&after={trial.other_product_id - 1}"

    def look() -> bool | None:
        page = _Products.model_validate_json(expect(trial.staff.send("GET", path), 200).content)
        return [product.product_id for product in page.results] == [trial.other_product_id] or None

    trial.interruption.wait_until(look, "entry of it in the list", _LISTED_SECONDS)
    return "200, it is there"


def fetched(trial: Trial) -> str:
    """Have the service fetch a picture of its own by the address that the public knows."""
    if trial.target.is_local:
        raise NotOnLocalSystemError("its images have no public address, and others are not fetched")
    url = trial.pictures["direct"].f
    host, hosts = urlsplit(url).hostname or "", trial.target.parameters["FetchAllowedHosts"]
    images = images_path(trial.other_product_id)
    answer = trial.staff.send("POST", f"{images}/fetch", json={"url": url})
    if not is_allowed(host, hosts.split(",") if hosts else ()):
        return f"{expect_problem(answer, 400, 'invalid_fields')}: FetchAllowedHosts does not name {host}"
    image_id = Picture.model_validate_json(expect(answer, 201).content).id
    until_ready(trial, f"{images}/{image_id}")
    return f"201, image {image_id} is ready"


def removed(trial: Trial) -> str:
    """Remove the product while a picture of it is inspected: then nothing of it is left."""
    path = _path(trial)
    expect(trial.staff.upload(trial.other_product_id, DIRECT_PICTURE), 201)
    expect_problem(trial.staff.send("DELETE", path), 403, "access_denied")
    expect(trial.admin.send("DELETE", path), 202)
    expect_problem(trial.staff.send("GET", path), 404, "product_not_found")
    trial.interruption.wait_until(
        lambda: _is_gone(trial, trial.other_product_id) or None, "end of its removal", _REMOVED_SECONDS
    )
    return "403 for staff; 202 for an administrator, then 404; its bytes are gone"


def _is_gone(trial: Trial, product_id: int) -> bool:
    target = trial.target
    if target.products.look(product_id).stage is not Stage.REMOVED:
        return False
    s3 = target.clients.s3()
    prefixes = (f"{place}/{product_id}/" for place in PLACES)
    return not any(s3.list_objects_v2(Bucket=target.bucket, Prefix=each)["KeyCount"] for each in prefixes)


def _path(trial: Trial) -> str:
    return f"/api/products/{trial.other_product_id}"


_LOG = "Look at the log group of products."
_PUT = "PUT of a product"
PRODUCTS = (
    Check(_PUT, put, _LOG, (MADE,)),
    Check("list of products", listed, _LOG, (_PUT,)),
    Check(
        "image by address",
        fetched,
        "Look at the log groups of request-fetch and fetch-image, and at the fetch queue.",
        (_PUT, READY),
    ),
    Check(
        "DELETE of a product",
        removed,
        "Look at the log groups of products and remove-product, and at the rule that starts the latter.",
        (_PUT,),
    ),
)
