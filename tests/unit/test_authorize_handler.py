from datetime import timedelta
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Logger
from moto import mock_aws

from adapters.dynamo_api_keys import DynamoApiKeys
from domain.api_key import ApiKey, Role, generate_key, hash_key
from domain.authorize import Authorize
from domain.errors import UnavailableError
from domain.issue_key import IssueKey
from handlers.authorize import AuthorizeHandler
from tests.builders import NOW, OPERATOR, REQUEST_ID, USER, a_context, a_keys_table
from tests.conftest import ColdStart
from tests.fakes import InMemoryApiKeys
from tests.unit.conftest import Printed

METHOD_ARN = "arn:aws:execute-api:eu-central-1:123456789012:abcdef123/v1/POST/api/products/42/images"
STAGE = "arn:aws:execute-api:eu-central-1:123456789012:abcdef123/v1/*"


class Desk:
    """The authorizer, and the keys it knows."""

    def __init__(self) -> None:
        self.api_keys = InMemoryApiKeys()
        self.issue_key = IssueKey(self.api_keys, lambda: NOW, OPERATOR)
        self.handler = AuthorizeHandler(Authorize(self.api_keys, lambda: NOW), Logger(service="authorize"))

    def show(self, token: str) -> dict[str, Any]:
        return self.handler(a_request(token), a_context())


def a_request(token: str) -> dict[str, Any]:
    return {"type": "TOKEN", "authorizationToken": token, "methodArn": METHOD_ARN}


def policy(effect: str, principal: str, context: dict[str, Any]) -> dict[str, Any]:
    return {
        "principalId": principal,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": STAGE}],
        },
        "context": context,
    }


@pytest.mark.parametrize("role", [Role.STAFF, Role.ADMIN])
def test_a_good_key_opens_the_whole_stage_and_says_whose_it_is(role: Role) -> None:
    desk = Desk()
    key, record = desk.issue_key(USER, role)
    context = {
        "user_id": 7,
        "username": "maria",
        "full_name": "María López",
        "role": role.value,
        "key_id": record.id,
    }
    assert desk.show(f"Token {key}") == policy("Allow", "7", context)


@pytest.mark.parametrize("form", ["token {}", "TOKEN {}", "Token   {} "])
def test_the_scheme_is_read_in_any_case_and_with_space(form: str) -> None:
    desk = Desk()
    key, _ = desk.issue_key(USER, Role.STAFF)
    assert desk.show(form.format(key))["principalId"] == "7"


def test_a_customer_is_denied_the_whole_stage() -> None:
    desk = Desk()
    key, _ = desk.issue_key(USER, Role.CUSTOMER)
    assert desk.show(f"Token {key}") == policy("Deny", "denied", {})


@pytest.mark.parametrize(
    "form", ["", "Token", "Token ", "{}", "Bearer {}", "Token{}", "Token {}x", "Token a {}", "Token\t{}"]
)
def test_anything_but_a_known_key_is_unauthorized(form: str) -> None:
    desk = Desk()
    key, _ = desk.issue_key(USER, Role.STAFF)
    assert_unauthorized(desk, form.format(key))


def test_an_unknown_a_revoked_and_an_expired_key_are_unauthorized() -> None:
    desk = Desk()
    revoked, record = desk.issue_key(USER, Role.STAFF)
    desk.api_keys.revoke(record.id, OPERATOR, NOW)
    expired, _ = desk.issue_key(USER, Role.STAFF, NOW - timedelta(days=1))
    for key in (generate_key(), revoked, expired):
        assert_unauthorized(desk, f"Token {key}")


def assert_unauthorized(desk: Desk, token: str) -> None:
    with pytest.raises(Exception, match=r"\AUnauthorized\Z") as caught:
        desk.show(token)
    assert caught.type is Exception


def test_a_request_without_a_token_is_unauthorized() -> None:
    desk = Desk()
    with pytest.raises(Exception, match=r"\AUnauthorized\Z"):
        desk.handler({"type": "TOKEN", "methodArn": METHOD_ARN}, a_context())


def test_keys_that_cannot_be_looked_up_are_no_reason_to_say_unauthorized() -> None:
    def unreachable(_key: str) -> ApiKey:
        raise UnavailableError

    with pytest.raises(UnavailableError):
        AuthorizeHandler(unreachable, Logger(service="authorize"))(a_request("Token x"), a_context())


def test_a_decision_is_logged_by_the_keys_name_and_never_with_the_key(printed: Printed) -> None:
    desk = Desk()
    good, record = desk.issue_key(USER, Role.STAFF)
    customer, _ = desk.issue_key(USER, Role.CUSTOMER)
    unknown = generate_key()
    desk.show(f"Token {good}")
    desk.show(f"Token {customer}")
    assert_unauthorized(desk, f"Token {unknown}")
    logs = printed()
    assert [(log["message"], log["request_id"]) for log in logs] == [
        ("allowed", REQUEST_ID),
        ("denied", REQUEST_ID),
        ("unauthorized", REQUEST_ID),
    ]
    assert logs[0]["key_id"] == record.id
    for key in (good, customer, unknown):
        assert key not in str(logs)
        assert hash_key(key) not in str(logs)


def test_the_deployed_function_looks_keys_up_in_its_table(cold_start: ColdStart) -> None:
    with mock_aws():
        client = boto3.client("dynamodb")
        table = a_keys_table(client)
        key, _ = IssueKey(DynamoApiKeys(client, table), lambda: NOW, OPERATOR)(USER, Role.STAFF)
        module = cold_start("authorize", KEYS_TABLE=table)
        answer = module.lambda_handler(a_request(f"Token {key}"), a_context())
    assert (answer["principalId"], answer["context"]["role"]) == ("7", "staff")
    assert module.lambda_handler is module.lambda_handler
    assert not hasattr(module, "anything_else")
