import pytest

from domain.errors import InvalidFieldsError
from handlers.etag import etag_of, has_order, if_match, is_known, list_etag

TAG = etag_of({"id": 1})
SEEN = [5, 3, 4]


def a_list_etag(offset: int = 0, image_ids: list[int] | None = None, body: str = "") -> str:
    return list_etag({"results": body}, offset, SEEN if image_ids is None else image_ids)


def holds(tag: str, *now: int) -> bool:
    return has_order(if_match(tag), now)


def test_a_tag_is_quoted_and_tells_one_body_from_another() -> None:
    assert etag_of({"id": 1}) == TAG
    assert etag_of({"id": 2}) != TAG
    assert (TAG[0], TAG[-1], len(TAG)) == ('"', '"', 34)


@pytest.mark.parametrize(
    "condition", [TAG, f"W/{TAG}", f'"other", {TAG}', f'"other",W/{TAG},"third"', "*", " * "]
)
def test_what_a_client_has_is_known_however_it_names_it(condition: str) -> None:
    assert is_known(TAG, condition)


@pytest.mark.parametrize("condition", [None, "", '"other"', TAG.strip('"'), TAG[:-1], "W/*"])
def test_anything_else_is_not_known(condition: str | None) -> None:
    assert not is_known(TAG, condition)


@pytest.mark.parametrize("condition", [None, "*", " * "])
def test_no_condition_and_a_star_admit_any_state(condition: str | None) -> None:
    assert if_match(condition) is None


@pytest.mark.parametrize("condition", [TAG, f"W/{TAG}", f'"other", {TAG}', f' "other" ,W/{TAG},'])
def test_a_condition_admits_the_tags_that_it_names_weak_ones_too(condition: str) -> None:
    assert TAG in (if_match(condition) or ())


def test_a_condition_does_not_admit_other_tags() -> None:
    assert if_match('"other"') == {'"other"'}


@pytest.mark.parametrize(
    "condition", ["", " ", ",", TAG.strip('"'), TAG[:-1], f"{TAG} x", "W/*", f"*, {TAG}"]
)
def test_a_condition_without_quotes_is_a_fault_that_says_so(condition: str) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        if_match(condition)
    [fault] = caught.value.faults
    assert (fault.field, "double quotes" in fault.message) == ("If-Match", True)


def test_the_tag_of_a_list_changes_with_all_that_is_in_it() -> None:
    tags = {a_list_etag(), a_list_etag(1), a_list_etag(image_ids=[3, 5, 4]), a_list_etag(body="other")}
    assert len(tags) == 4


def test_a_list_has_the_order_that_it_showed_whatever_else_has_changed() -> None:
    assert holds(a_list_etag(body="before"), *SEEN)
    assert holds(f"W/{a_list_etag()}", *SEEN)


def test_a_page_tells_of_the_order_of_its_own_part() -> None:
    tag = a_list_etag(offset=1)
    assert holds(tag, 9, *SEEN, 8)
    assert not holds(tag, *SEEN, 9)


@pytest.mark.parametrize("now", [(5, 4, 3), (5, 3), (9, 5, 3, 4), ()])
def test_another_order_is_not_that_of_the_list(now: tuple[int, ...]) -> None:
    assert not holds(a_list_etag(), *now)


def test_the_tag_of_one_image_is_no_order() -> None:
    assert not holds(TAG, *SEEN)


def test_without_a_condition_any_order_will_do() -> None:
    assert has_order(None, SEEN)
