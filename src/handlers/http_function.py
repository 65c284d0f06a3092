"""What every function behind the API does alike: read the request, answer errors, allow other origins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from adapters.deadline import within
from domain.errors import DomainError, ImageRecordDamagedError, UnavailableError, UnsupportedEncodingError
from domain.identifiers import parse_identifiers
from domain.text import clean_short_text
from domain.user import User
from handlers.cors import allow_origin
from handlers.http_headers import lower_case_names
from handlers.problems import HttpResponse, internal_problem, problem_response
from handlers.telemetry import report_damaged

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_CODINGS = frozenset({"", "identity"})
"""Content codings that leave a body as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An API Gateway proxy event, read.

    `route` is the method and the path as the API declares it, `headers` have lower-case names, `caller` is
    what the authorizer said, nothing on a route that takes no key, `base_url` is where the public reaches the
    service, without a slash at its end.
    """

    route: tuple[str, str]
    path_parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str
    is_base64: bool
    caller: Mapping[str, str]
    base_url: str
    context: "LambdaContext"

    @classmethod
    def from_event(cls, event: dict[str, Any], context: "LambdaContext") -> "Request":
        """Read an event of the REST API.

        Raises:
            UnsupportedEncodingError: the body was compressed or encoded otherwise.

        """
        headers = lower_case_names(event["headers"])
        coding = headers.get("content-encoding", "").strip()
        if event["body"] and coding.lower() not in _CODINGS:
            raise UnsupportedEncodingError(
                f"The body came with Content-Encoding: {clean_short_text(coding)}. "
                "Send it as it is, without that header."
            )
        return cls(
            route=(event["httpMethod"], event["resource"]),
            path_parameters=event["pathParameters"] or {},
            query=event.get("queryStringParameters") or {},
            headers=headers,
            body=event["body"] or "",
            is_base64=event["isBase64Encoded"],
            caller=_caller(event),
            base_url=event["stageVariables"]["base_url"],
            context=context,
        )

    @property
    def user(self) -> User:
        """Who sent it."""
        return User(int(self.caller["user_id"]), self.caller["username"], self.caller["full_name"])

    @property
    def key_id(self) -> str:
        """Name of the key that it came with."""
        return self.caller["key_id"]

    def identifiers(self) -> dict[str, int]:
        """Read the path's identifiers.

        Raises:
            InvalidFieldsError: with every one that is not a positive integer below 2^53.

        """
        return parse_identifiers(self.path_parameters)


class HttpFunction:
    """Runs one function of the API: a request in, a response or a problem out, never a traceback."""

    def __init__(
        self,
        answer: Callable[[Request], HttpResponse],
        *,
        allowed_origins: str,
        rejections: str,
        logger: Logger,
        metrics: Metrics,
        refusals_kept: str = "no-store",
    ) -> None:
        """Count rejected requests in the metric `rejections`, by reason.

        `refusals_kept` is the Cache-Control of answers that say what is wrong with a request.
        """
        self._answer = answer
        self._allowed_origins = allowed_origins
        self._rejections = rejections
        self._logger = logger
        self._metrics = metrics
        self._refusals_kept = refusals_kept

    def __call__(self, event: dict[str, Any], context: "LambdaContext") -> HttpResponse:
        """Answer one request."""
        # The gateway's own; a client may choose what stands under "requestId".
        request_id = event["requestContext"]["extendedRequestId"]
        with (
            within(context.get_remaining_time_in_millis),
            # Who did it, and from where: the key's name, which an operator finds in the list of keys.
            self._logger.append_context_keys(
                request_id=request_id, key_id=_key_id(event), forwarded_for=_forwarded_for(event)
            ),
        ):
            response = self._respond(event, context, request_id)
        origin = lower_case_names(event["headers"]).get("origin")
        response["headers"] |= allow_origin(origin, self._allowed_origins)
        return response

    def _respond(self, event: dict[str, Any], context: "LambdaContext", request_id: str) -> HttpResponse:
        try:
            return self._answer(Request.from_event(event, context))
        except DomainError as error:
            return self._rejected(error, problem_response(error, request_id))
        except Exception as error:  # noqa: BLE001 - the last line: a client never sees a traceback
            return self._rejected(error, internal_problem(request_id))

    def _rejected(self, error: Exception, response: HttpResponse) -> HttpResponse:
        report_damaged(
            [error] if isinstance(error, ImageRecordDamagedError) else [], self._logger, self._metrics
        )
        reason = error.code if isinstance(error, DomainError) else "internal_error"
        self._metrics.add_dimension("reason", reason)
        self._metrics.add_metric(self._rejections, MetricUnit.Count, 1)
        self._metrics.flush_metrics()
        if response["statusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
            ref = error.ref if isinstance(error, UnavailableError) else None
            ids = {"image_id": ref.image_id, "product_id": ref.product_id} if ref else {}
            self._logger.error("request failed", exc_info=error, extra={"reason": reason, **ids})
        else:
            response["headers"]["Cache-Control"] = self._refusals_kept
            self._logger.info("request rejected", reason=reason)
        return response


def _key_id(event: dict[str, Any]) -> str | None:
    # What the authorizer said is looked at for the log before anything may go wrong.
    return _caller(event).get("key_id")


def _caller(event: dict[str, Any]) -> dict[str, str]:
    return event["requestContext"].get("authorizer") or {}


def _forwarded_for(event: dict[str, Any]) -> str | None:
    # API Gateway adds the address that it was asked from, the CDN the one before it; what stands before these
    # two a client may have made up.
    told = lower_case_names(event["headers"]).get("x-forwarded-for")
    return ",".join(told.split(",")[-2:]).strip() if told else None
