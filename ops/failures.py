"""Says in one sentence what went wrong and what to do about it."""

import re

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    LoginError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnectionError

from adapters.aws import error_code
from domain.errors import DomainError, UnavailableError

_NO_CREDENTIALS = (
    CredentialRetrievalError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_ACTION = re.compile(r"not authorized to perform: ([\w-]+:\w+)")
_SIGN_IN = "sign in (aws sso login, aws configure) or set AWS_PROFILE; for the local system give --local."


class OperatorError(Exception):
    """A command cannot go on; the message is a sentence that says what to do."""


def explain(error: Exception) -> str:
    """Return the sentence for `error`."""
    if isinstance(error, UnavailableError):
        return _explain_unavailable(error)
    if isinstance(error, OperatorError | DomainError):
        return str(error)
    if isinstance(error, ClientError):
        return _explain_refusal(error)
    if isinstance(error, BotoCoreError):
        return _explain_sdk_error(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'Input or output'}: {error.strerror}."
    # The type only: the message of an error that nobody foresaw may quote what must stay secret.
    return f"The tool itself is at fault ({type(error).__name__}). Report it with the command you gave."


def _explain_unavailable(error: UnavailableError) -> str:
    if isinstance(error.__cause__, BotoCoreError):
        return _explain_sdk_error(error.__cause__)
    return (
        "AWS takes no more calls just now. Give the same command again in a minute; what is done stays done."
    )


def _explain_refusal(error: ClientError) -> str:
    code, message = error_code(error), error.response.get("Error", {}).get("Message", "")
    if code in _DENIED:
        match = _ACTION.search(message)
        action = match[1] if match else error.operation_name
        return f"AWS denies {action}. Ask for a role that allows it, or choose another with AWS_PROFILE."
    if code in _BAD_CREDENTIALS:
        return f"AWS does not accept the credentials ({code}): {_SIGN_IN}"
    if code == "ResourceNotFoundException":
        return (
            f"What {error.operation_name} needs is not there. "
            "Deploy the stack again: sam deploy (locally: make local-stop local)."
        )
    return f"AWS refused {error.operation_name} with {code}: {message}"


def _explain_sdk_error(error: BotoCoreError) -> str:
    if isinstance(error, _NO_CREDENTIALS):
        return f"There are no usable AWS credentials: {_SIGN_IN}"
    if isinstance(error, ProfileNotFound):
        return f"{error}. Set AWS_PROFILE to one of: aws configure list-profiles"
    if isinstance(error, NoRegionError):
        return (
            "No AWS region is chosen. Set AWS_DEFAULT_REGION or a region in the profile, "
            "or add --local for the local system."
        )
    if isinstance(error, HTTPClientError | NoConnectionError):
        return (
            f"AWS cannot be reached ({error}). Check the network and the region, then give the command again."
        )
    return str(error)
