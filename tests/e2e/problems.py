"""What every error answer has, whichever part of the service gives it."""

import httpx

from openapi.bodies import ProblemBody


def check_problem(answer: httpx.Response, status: int, code: str) -> ProblemBody:
    """Check that the answer is this problem, and return its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = ProblemBody.model_validate_json(answer.content)
    assert (problem.status, problem.code) == (status, code)
    assert problem.detail.endswith(".")
    return problem


def faulty_fields(problem: ProblemBody) -> list[str]:
    """Return the names of the fields that the problem complains of."""
    return [error.field for error in problem.errors or []]
