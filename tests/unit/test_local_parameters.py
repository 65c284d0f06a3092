import pytest

from local.background_process import LocalSystemError
from local.parameters import (
    format_parameters,
    merge,
    read_parameters,
    unused_variables,
    variable_name,
)
from local.template import read_template

DECLARED = read_template()["Parameters"]


@pytest.mark.parametrize(
    ("parameter", "variable"),
    [("MaxImagePixels", "MAX_IMAGE_PIXELS"), ("AlarmTopicArn", "ALARM_TOPIC_ARN"), ("LogLevel", "LOG_LEVEL")],
)
def test_a_parameter_is_written_in_capitals(parameter: str, variable: str) -> None:
    assert parameter in DECLARED
    assert variable_name(parameter) == variable


def test_a_value_may_hold_all_that_a_value_holds() -> None:
    named = read_parameters(["BASE_URL=https://a.example/?b=c,*", "MAX_IMAGE_PIXELS=5"], DECLARED)
    assert named == {"BaseUrl": "https://a.example/?b=c,*", "MaxImagePixels": "5"}


def test_an_empty_value_takes_a_parameter_back_to_its_default() -> None:
    named = read_parameters(["LOG_LEVEL="], DECLARED)
    assert merge({"LogLevel": "DEBUG", "MaxImagePixels": "5"}, named) == {"MaxImagePixels": "5"}


def test_what_is_named_goes_before_what_was_there() -> None:
    assert merge({"LogLevel": "DEBUG"}, {"LogLevel": "INFO"}) == {"LogLevel": "INFO"}


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("ALLOWED_ORIGINS", r"Write a parameter as NAME=value, not as ALLOWED_ORIGINS\."),
        (
            "ALOWED_ORIGINS=*",
            r"no parameter for ALOWED_ORIGINS\. Did you mean ALLOWED_ORIGINS\? It has: .*LOG_LEVEL",
        ),
        ("AllowedOrigins=*", r"no parameter for AllowedOrigins\."),
        ("ARCHITECTURE=arm64", r"this machine's processor; leave ARCHITECTURE out"),
        ("LOG_LEVEL=WARN", r"LOG_LEVEL is one of DEBUG, INFO, not WARN\."),
        ("LOG_RETENTION_DAYS=2", r"LOG_RETENTION_DAYS is one of 1, 3, .*, not 2\."),
        ("MAX_IMAGE_PIXELS=many", r"MAX_IMAGE_PIXELS is a number, not many\."),
        ("MAX_IMAGE_PIXELS=0", r"MAX_IMAGE_PIXELS is at least 1, not 0\."),
        ("MAX_IMAGE_PIXELS=100000001", r"MAX_IMAGE_PIXELS is at most 100000000, not 100000001\."),
        ("BASE_URL=example.com", r"BASE_URL cannot be example\.com\. It must match .*\."),
    ],
)
def test_what_the_template_does_not_allow_is_refused_with_the_reason(assignment: str, sentence: str) -> None:
    with pytest.raises(LocalSystemError, match=sentence):
        read_parameters([assignment], DECLARED)


def test_parameters_that_only_the_shell_has_are_told() -> None:
    assert unused_variables({"LOG_LEVEL": "x", "HOME": "/", "BASE_URL": ""}, DECLARED) == [
        "BASE_URL",
        "LOG_LEVEL",
    ]


def test_parameters_are_shown_as_they_are_given() -> None:
    assert format_parameters({"MaxImagePixels": "5", "AllowedOrigins": "*"}) == (
        "ALLOWED_ORIGINS=* MAX_IMAGE_PIXELS=5"
    )
