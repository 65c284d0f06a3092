"""What `product-images verify` looks at that the local system has not: images by address, other buses."""

from typing import Any, cast

import httpx
import pytest

from ops.target import Clients, Target
from ops.verify.api import Api, Picture
from ops.verify.check import CheckError, Interruption
from ops.verify.operations import catalogue_followed, webhook_called
from ops.verify.products import fetched, listed
from ops.verify.public import staff_page
from ops.verify.trial import Trial

BASE_URL = "https://images.example.com"
ADDRESS = f"{BASE_URL}/media/1/2-token.png"
PICTURE = {
    "id": 2,
    "type": "PNG",
    "user": {"id": 1, "username": "verify", "full_name": "verify"},
    "name": "verify.png",
    "f": ADDRESS,
    "size": 0,
    "description": "",
    "width": None,
    "height": None,
    "human_readable_size": "0 B",
    "mode": None,
    "created_at": "2026-12-01T12:00:00Z",
    "updated_at": "2026-12-01T12:00:00Z",
    "product_id": 1,
    "alt_text": "",
    "is_primary": False,
    "order": 0,
    "status": "pending",
    "error": None,
}
PROBLEM = {"status": 400, "detail": "No.", "code": "invalid_fields"}


class StackClients(Clients):
    """Rules of a stack, by their logical identifiers: how AWS names them, and how they are."""

    def __init__(self, **rules: tuple[str, str]) -> None:
        self._rules = rules
        self.asked: list[dict[str, str]] = []

    def cloudformation(self) -> Any:  # noqa: ANN401 - stands in for the SDK's client
        return self

    def events(self) -> Any:  # noqa: ANN401 - stands in for the SDK's client
        return self

    def describe_stack_resource(self, **asked: str) -> dict[str, Any]:
        name, _ = self._rules[asked["LogicalResourceId"]]
        return {"StackResourceDetail": {"PhysicalResourceId": name}}

    def describe_rule(self, **asked: str) -> dict[str, str]:
        self.asked.append(asked)
        [state] = [state for name, state in self._rules.values() if name.endswith(asked["Name"])]
        return {"State": state}


def trial(
    *answers: httpx.Response, clients: Clients | None = None, is_local: bool = False, **parameters: str
) -> Trial:
    """Return a run against a service that gives these answers, one after the other, the last one on."""
    left = list(answers)

    def answer(_request: httpx.Request) -> httpx.Response:
        return left.pop(0) if len(left) > 1 else left[0]

    made = Trial(
        Target(
            name="stack",
            stack="product-images",
            is_local=is_local,
            clients=clients or StackClients(),
            outputs={"BaseUrl": BASE_URL},
            parameters={"FetchAllowedHosts": "", "CatalogueBus": "", "WebhookUrl": "", **parameters},
        ),
        httpx.Client(transport=httpx.MockTransport(answer)),
        Interruption(_sleep=lambda _seconds: None),
    )
    made.pictures["direct"] = Picture.model_validate(PICTURE)
    return made


@pytest.fixture(autouse=True)
def staff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run have a key that nobody made."""
    monkeypatch.setattr(Trial, "staff", property(lambda run: Api(BASE_URL, "key", cast("Trial", run).http)))


CREATED = httpx.Response(201, json=PICTURE)


def picture(status: str, error: str | None = None) -> httpx.Response:
    return httpx.Response(200, json=PICTURE | {"status": status, "error": error})


@pytest.mark.parametrize("hosts", ["", "cdn.example.com,*.example.com"])
def test_an_image_is_fetched_by_its_address_until_it_is_ready(hosts: str) -> None:
    run = trial(CREATED, picture("pending"), picture("ready"), FetchAllowedHosts=hosts)
    assert fetched(run) == "201, image 2 is ready"


def test_an_image_that_cannot_be_fetched_says_why() -> None:
    run = trial(CREATED, picture("failed", "Its server answered 403."))
    with pytest.raises(CheckError, match=r"image 2 is failed: Its server answered 403\."):
        fetched(run)


def test_where_other_hosts_alone_are_allowed_the_refusal_is_what_is_right() -> None:
    refused = httpx.Response(400, json=PROBLEM, headers={"Content-Type": "application/problem+json"})
    run = trial(refused, FetchAllowedHosts="cdn.shop.example")
    assert fetched(run).endswith("FetchAllowedHosts does not name images.example.com")
    with pytest.raises(CheckError, match="201 Created instead of 400"):
        fetched(trial(CREATED, FetchAllowedHosts="cdn.shop.example"))


def test_the_list_is_asked_until_the_product_stands_in_it() -> None:
    pages: list[list[dict[str, object]]] = [
        [],
        [{"product_id": 7, "title": None}],
        [{"product_id": 8, "title": None}],
    ]
    run = trial(*(httpx.Response(200, json={"next": None, "results": page}) for page in pages))
    run.other_product_id = 8
    assert listed(run) == "200, it is there"


def test_a_page_for_staff_without_its_policy_fails() -> None:
    run_by_itself = "script-src 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    policy = {"Content-Security-Policy": f"default-src 'none'; {run_by_itself}"}
    assert staff_page(trial(httpx.Response(200, headers=policy)))
    policy = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
    with pytest.raises(CheckError, match=r"lacks script-src 'self' and require-trusted-types-for$"):
        staff_page(trial(httpx.Response(200, headers=policy)))


def test_a_catalogue_and_a_webhook_that_are_not_set_are_off() -> None:
    assert catalogue_followed(trial()) == "off: CatalogueBus is empty"
    assert webhook_called(trial()) == "off: WebhookUrl is empty"


def test_the_rule_of_the_catalogue_is_looked_for_on_its_bus() -> None:
    clients = StackClients(FollowCatalogueFunctionTold=("shop|stack-Told-1", "ENABLED"))
    run = trial(clients=clients, CatalogueBus="shop")
    assert catalogue_followed(run) == "stack-Told-1 is enabled on shop"
    assert clients.asked == [{"Name": "stack-Told-1", "EventBusName": "shop"}]
    clients = StackClients(FollowCatalogueFunctionTold=("shop|stack-Told-1", "DISABLED"))
    with pytest.raises(CheckError, match="enable-rule --name stack-Told-1 --event-bus-name shop"):
        catalogue_followed(trial(clients=clients, CatalogueBus="shop"))


def test_a_rule_of_the_webhook_that_is_off_fails() -> None:
    url = "https://shop.example/events"
    assert webhook_called(trial(clients=StackClients(WebhookRule=("hook", "ENABLED")), WebhookUrl=url))
    with pytest.raises(CheckError, match=r"the rule hook is DISABLED: aws events enable-rule --name hook$"):
        webhook_called(trial(clients=StackClients(WebhookRule=("hook", "DISABLED")), WebhookUrl=url))
