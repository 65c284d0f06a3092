"""The template's parameters as `make local` takes them: NAME=value, the name in capitals."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from local.background_process import LocalSystemError

type Declarations = Mapping[str, Mapping[str, Any]]
"""The section Parameters of the template, by name."""

_OURS = {"Architecture": "The local system runs on this machine's processor; leave {} out."}
"""Parameters that `make local` sets itself, and why nobody else may."""


def variable_name(parameter: str) -> str:
    """Return how a person writes a parameter: MaxImagePixels is MAX_IMAGE_PIXELS."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", parameter).upper()


def read_parameters(assignments: Iterable[str], declared: Declarations) -> dict[str, str | None]:
    """Read `NAME=value`, by the template's own names; None, where the value is empty, is the default.

    Raises:
        LocalSystemError: a name that the template does not have, or a value that it does not allow.

    """
    by_variable = {variable_name(parameter): parameter for parameter in declared}
    named: dict[str, str | None] = {}
    for assignment in assignments:
        variable, equals, value = assignment.partition("=")
        if not equals:
            raise LocalSystemError(f"Write a parameter as NAME=value, not as {assignment}.")
        parameter = by_variable.get(variable)
        if parameter is None:
            raise LocalSystemError(_unknown(variable, sorted(by_variable)))
        if parameter in _OURS:
            raise LocalSystemError(_OURS[parameter].format(variable))
        if value:
            _check(variable, value, declared[parameter])
        named[parameter] = value or None
    return named


def merge(current: Mapping[str, str], named: Mapping[str, str | None]) -> dict[str, str]:
    """Return `current` with what was `named`; a None takes a parameter back to its default."""
    return {name: value for name, value in {**current, **named}.items() if value is not None}


def format_parameters(parameters: Mapping[str, str]) -> str:
    """Write parameters as a person would on the command line."""
    return " ".join(f"{variable_name(name)}={value}" for name, value in sorted(parameters.items()))


def unused_variables(environment: Mapping[str, str], declared: Declarations) -> list[str]:
    """Return the parameters that the shell has set, where nothing reads them."""
    return sorted(environment.keys() & {variable_name(parameter) for parameter in declared})


def _unknown(variable: str, known: list[str]) -> str:
    near = difflib.get_close_matches(variable, known, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"template.yaml has no parameter for {variable}.{meant} It has: {', '.join(known)}."


def _check(variable: str, value: str, declared: Mapping[str, Any]) -> None:
    allowed = [str(one) for one in declared.get("AllowedValues", [])]
    if allowed and value not in allowed:
        raise LocalSystemError(f"{variable} is one of {', '.join(allowed)}, not {value}.")
    if declared["Type"] == "Number":
        _check_number(variable, value, declared)
    pattern = declared.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, value):
        rule = declared.get("ConstraintDescription", f"It must match {pattern}.")
        raise LocalSystemError(f"{variable} cannot be {value}. {rule}")


def _check_number(variable: str, value: str, declared: Mapping[str, Any]) -> None:
    if not re.fullmatch(r"-?\d+(\.\d+)?", value):
        raise LocalSystemError(f"{variable} is a number, not {value}.")
    if "MinValue" in declared and float(value) < declared["MinValue"]:
        raise LocalSystemError(f"{variable} is at least {declared['MinValue']}, not {value}.")
    if "MaxValue" in declared and float(value) > declared["MaxValue"]:
        raise LocalSystemError(f"{variable} is at most {declared['MaxValue']}, not {value}.")
