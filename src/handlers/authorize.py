"""The API's TOKEN authorizer: `Authorization: Token <key>` in, a policy for the whole stage out."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from adapters.aws import dynamodb_client
from adapters.deadline import within
from adapters.dynamo_api_keys import DynamoApiKeys
from domain.api_key import ApiKey
from domain.authorize import Authorize
from domain.errors import RoleNotAllowedError, UnknownKeyError
from handlers.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_SCHEME = "token"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the authorizer needs to know."""

    keys_table: str


class AuthorizeHandler:
    """Turns a token into an IAM policy; API Gateway caches the policy by the token."""

    def __init__(self, authorize: Callable[[str], ApiKey], logger: Logger) -> None:
        self._authorize = authorize
        self._logger = logger

    def __call__(self, event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
        """Return Allow with the user as context, or Deny.

        Raises:
            Exception: exactly "Unauthorized", which API Gateway answers with 401.

        """
        with (
            within(context.get_remaining_time_in_millis),
            self._logger.append_context_keys(request_id=context.aws_request_id),
        ):
            try:
                api_key = self._authorize(_read_key(event))
            except UnknownKeyError:
                self._logger.info("unauthorized")
                # API Gateway knows this one message (its developer guide, "Lambda authorizer output").
                raise Exception("Unauthorized") from None  # noqa: TRY002
            except RoleNotAllowedError as error:
                self._logger.info("denied", key_id=error.key_id)
                return _policy("Deny", event["methodArn"], "denied", {})
            self._logger.info("allowed", key_id=api_key.id)
        user = api_key.user
        context_values = {
            "user_id": user.id,
            "username": user.username,
            "full_name": user.full_name,
            "role": api_key.role,
            "key_id": api_key.id,
        }
        return _policy("Allow", event["methodArn"], str(user.id), context_values)


def _read_key(event: dict[str, Any]) -> str:
    scheme, _, key = event.get("authorizationToken", "").partition(" ")
    # Schemes are case-insensitive (RFC 9110, 11.1).
    if scheme.lower() != _SCHEME:
        raise UnknownKeyError("The scheme is not Token.")
    return str(key.strip())


def _policy(effect: str, method_arn: str, principal: str, context: dict[str, Any]) -> dict[str, Any]:
    # The cached policy serves the caller's next request too, whatever its path: so the whole stage.
    api_and_stage = "/".join(method_arn.split("/")[:2])
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{api_and_stage}/*"}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }


@cache
def _handler() -> AuthorizeHandler:
    settings = read_settings(Settings, os.environ)
    api_keys = DynamoApiKeys(dynamodb_client(), settings.keys_table)
    return AuthorizeHandler(
        Authorize(api_keys, partial(datetime.now, UTC)), Logger(service="authorize", use_rfc3339=True)
    )


def __getattr__(name: str) -> AuthorizeHandler:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
