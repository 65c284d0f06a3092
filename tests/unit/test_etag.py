import pytest

from handlers.etag import etag_of, matches

TAG = etag_of({"id": 1})


def test_a_tag_is_quoted_and_tells_one_body_from_another() -> None:
    assert etag_of({"id": 1}) == TAG
    assert etag_of({"id": 2}) != TAG
    assert (TAG[0], TAG[-1], len(TAG)) == ('"', '"', 34)


@pytest.mark.parametrize(
    "condition", [TAG, f"W/{TAG}", f'"other", {TAG}', f'"other",W/{TAG},"third"', "*", " * "]
)
def test_a_weak_comparison_takes_every_way_to_name_the_tag(condition: str) -> None:
    assert matches(TAG, condition, weakly=True)


@pytest.mark.parametrize("condition", [TAG, f'"other", {TAG}', "*"])
def test_a_strong_comparison_takes_strong_tags(condition: str) -> None:
    assert matches(TAG, condition, weakly=False)


def test_a_strong_comparison_refuses_weak_tags() -> None:
    assert not matches(TAG, f"W/{TAG}", weakly=False)


@pytest.mark.parametrize("condition", [None, "", '"other"', TAG.strip('"'), TAG[:-1], "W/*"])
def test_anything_else_matches_nothing(condition: str | None) -> None:
    assert not matches(TAG, condition, weakly=True)
