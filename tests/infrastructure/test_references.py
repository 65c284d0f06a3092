"""Who refers to whom in template.yaml."""

import pytest

from local.template import Template
from tests.infrastructure.stack import Properties, add_circle, circle


def test_no_resources_refer_to_each_other_in_a_circle(template: Template) -> None:
    assert circle(template) == []


def test_the_search_for_circles_finds_the_one_between_the_bucket_and_its_function(template: Template) -> None:
    add_circle(template)
    assert {"ImagesBucket", "ExtractMetadataFunction"} <= set(circle(template))


@pytest.mark.parametrize(
    "closing",
    [
        {"Properties": {"Name": {"Ref": "Second"}}},
        {"Properties": {"Name": {"Fn::GetAtt": ["Second", "Arn"]}}},
        {"Properties": {"Name": {"Fn::GetAtt": "Second.Arn"}}},
        {"Properties": {"Names": [{"Fn::Sub": "${Second.Arn}/*"}]}},
        {"Properties": {"Name": {"Fn::Sub": ["${a}-${Second}", {"a": "x"}]}}},
        {"Properties": {"Name": {"Fn::Sub": ["${a}", {"a": {"Ref": "Second"}}]}}},
        {"Properties": {"Name": {"Fn::If": ["Condition", {"Ref": "Second"}, ""]}}},
        {"DependsOn": "Second"},
        {"DependsOn": ["Second"]},
    ],
    ids=str,
)
def test_the_search_for_circles_knows_every_way_to_refer(closing: Properties) -> None:
    second = {"Properties": {"Name": {"Ref": "First"}}}
    assert set(circle({"Resources": {"First": closing, "Second": second}})) == {"First", "Second"}


def test_the_search_for_circles_knows_what_is_no_reference() -> None:
    name = {"Fn::Sub": ["${!First} ${AWS::Region} ${First} First", {"First": "x"}]}
    assert circle({"Resources": {"First": {"Properties": {"Name": name}}}}) == []
