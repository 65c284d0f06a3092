from pathlib import Path
from typing import Any

import pytest

from local.changes import Changes, Deployed, lost_data, package_hash
from local.template import ROOT, Template
from local.watch import is_source

BEFORE = Deployed(
    packages={"AuthorizeFunction": "a", "GalleryFunction": "b", "PillowLayer": "c"},
    template="t",
    parameters={"LogLevel": "DEBUG"},
    front="f",
    emulator="e",
)


def _changed(**fields: Any) -> Changes:  # noqa: ANN401 - whatever a field holds
    return BEFORE.changes_to(BEFORE.model_copy(update=fields))


def test_nothing_has_changed_where_all_is_as_it_was() -> None:
    changes = _changed()
    assert (changes.describe(), changes.of_stack, changes.of_front, changes.emulator) == (
        "",
        False,
        False,
        False,
    )


def test_a_function_that_has_changed_is_named_and_the_front_stays() -> None:
    changes = _changed(packages={**BEFORE.packages, "GalleryFunction": "new"})
    assert changes.describe() == "GalleryFunction"
    assert (changes.of_stack, changes.only_of_functions, changes.of_front) == (True, True, False)


def test_sources_that_every_function_holds_change_all_of_them() -> None:
    changes = _changed(packages={**BEFORE.packages, "AuthorizeFunction": "new", "GalleryFunction": "new"})
    assert changes.describe() == "all functions"


def test_a_layer_is_named_and_needs_the_template() -> None:
    changes = _changed(packages={**BEFORE.packages, "PillowLayer": "new"})
    assert (changes.describe(), changes.only_of_functions) == ("PillowLayer", False)


@pytest.mark.parametrize(
    ("fields", "described"),
    [
        ({"template": "new"}, "template.yaml"),
        ({"parameters": {"LogLevel": "INFO"}}, "LOG_LEVEL=INFO"),
        ({"parameters": {}}, "LOG_LEVEL="),
        ({"parameters": {"LogLevel": "DEBUG", "BaseUrl": "http://a"}}, "BASE_URL=http://a"),
    ],
)
def test_the_template_and_its_parameters_change_stack_and_front(
    fields: dict[str, Any], described: str
) -> None:
    changes = _changed(**fields)
    assert changes.describe() == described
    assert (changes.of_stack, changes.only_of_functions, changes.of_front) == (True, False, True)


def test_another_front_leaves_the_stack_alone() -> None:
    changes = _changed(front="new")
    assert (changes.describe(), changes.of_stack, changes.of_front) == ("the front", False, True)


def test_a_package_counts_by_its_content_and_not_by_its_dates_or_compiled_modules(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        (folder / "handlers" / "__pycache__").mkdir(parents=True)
        (folder / "handlers" / "a.py").write_text("a = 1\n")
    (second / "handlers" / "__pycache__" / "a.cpython-313.pyc").write_bytes(b"other")
    assert package_hash(first) == package_hash(second)
    (second / "handlers" / "a.py").write_text("a = 2\n")
    assert package_hash(first) != package_hash(second)
    (second / "handlers" / "a.py").rename(second / "handlers" / "b.py")
    (second / "handlers" / "b.py").write_text("a = 1\n")
    assert package_hash(first) != package_hash(second)


def _template(**table: Any) -> Template:  # noqa: ANN401 - properties of a table
    return {
        "Resources": {
            "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": ["pk"], **table}},
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
        }
    }


def test_a_table_with_another_key_or_local_index_would_lose_its_data() -> None:
    assert lost_data(_template(), _template(KeySchema=["pk", "sk"])) == ["Table"]
    assert lost_data(_template(), _template(LocalSecondaryIndexes=["by_order"])) == ["Table"]


def test_a_table_or_bucket_that_is_gone_or_renamed_would_lose_its_data() -> None:
    after = _template()
    after["Resources"]["Renamed"] = after["Resources"].pop("Table")
    after["Resources"]["Bucket"]["Properties"]["BucketName"] = "other"
    assert lost_data(_template(), after) == ["Table", "Bucket"]


def test_whatever_else_changes_keeps_the_data() -> None:
    after = _template(BillingMode="PROVISIONED")
    del after["Resources"]["Role"]
    assert lost_data(_template(), after) == []


@pytest.mark.parametrize(
    "path",
    ["src/handlers/form.py", "template.yaml", "openapi/bodies.py", "layers/pillow/Makefile", "uv.lock"],
)
def test_what_is_deployed_is_watched(path: str) -> None:
    assert is_source(ROOT / path)


@pytest.mark.parametrize("path", ["README.md", "tests/conftest.py", "docs/cost.md", ".build/sources"])
def test_what_is_not_deployed_is_not_watched(path: str) -> None:
    assert not is_source(ROOT / path)
