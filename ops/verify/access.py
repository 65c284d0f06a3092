"""Who is let in, and who is told what."""

from domain.api_key import generate_key
from ops.verify.api import expect, expect_problem, images_path
from ops.verify.check import Check, CheckError
from ops.verify.trial import Trial


def made(trial: Trial) -> str:
    """Make what all others work with."""
    trial.make_product_and_keys()
    return f"product {trial.product_id}, a key for staff and one for a customer"


def described(trial: Trial) -> str:
    """Read the API's description, which is open to all."""
    answer = expect(trial.with_key(None).send("GET", "/api/openapi.json"), 200)
    return f"{len(answer.content):,} bytes"


def refused_without_key(trial: Trial) -> str:
    """Ask without a key."""
    answer = trial.with_key(None).send("GET", images_path(trial.product_id))
    seen = expect_problem(answer, 401, "unauthorized")
    scheme = answer.headers.get("WWW-Authenticate")
    if scheme != "Token":
        raise CheckError(f"WWW-Authenticate is {scheme} instead of Token")
    return seen


def refused_with_unknown_key(trial: Trial) -> str:
    """Ask with a key that nobody issued."""
    answer = trial.with_key(generate_key()).send("GET", images_path(trial.product_id))
    return expect_problem(answer, 401, "unauthorized")


def refused_to_customers(trial: Trial) -> str:
    """Ask with the key of somebody who is neither staff nor admin."""
    return expect_problem(trial.customer.send("GET", images_path(trial.product_id)), 403, "access_denied")


def unknown_product(trial: Trial) -> str:
    """Ask for a product that nobody added."""
    return expect_problem(
        trial.staff.send("GET", images_path(trial.product_id - 1)), 404, "product_not_found"
    )


def unknown_route(trial: Trial) -> str:
    """Ask for a path that the API does not have."""
    return expect_problem(trial.staff.send("GET", "/api/no-such-route"), 404, "route_not_found")


MADE = "key and product"
ACCESS = (
    Check(MADE, made, "The operator needs the rights that verify --help lists."),
    Check("description of the API", described, "Look at the log group of describe-api; is BaseUrl right?"),
    Check(
        "401 without a key", refused_without_key, "Compare the API's authorizer with template.yaml.", (MADE,)
    ),
    Check("401 for an unknown key", refused_with_unknown_key, "Look at the log group of authorize.", (MADE,)),
    Check("403 for a customer", refused_to_customers, "Look at the log group of authorize.", (MADE,)),
    Check("404 for an unknown product", unknown_product, "Look at the log group of gallery.", (MADE,)),
    Check("404 for an unknown route", unknown_route, "Deploy again: the API's stage is old.", (MADE,)),
)
