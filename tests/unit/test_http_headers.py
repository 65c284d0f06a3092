import pytest

from handlers.http_headers import lower_case_names, read_content_type


def test_names_are_the_same_in_any_case() -> None:
    assert lower_case_names({"Content-TYPE": "a/B"}) == {"content-type": "a/B"}
    assert lower_case_names(None) == {}


@pytest.mark.parametrize(
    ("value", "media_type", "parameters"),
    [
        ("", "", {}),
        ("Text/Plain ", "text/plain", {}),
        ("a/b;c=d", "a/b", {"c": "d"}),
        ("a/b ; C = D ;e=f", "a/b", {"c": "D", "e": "f"}),
        ('a/b; c="d e;f=g"; h=i', "a/b", {"c": "d e;f=g", "h": "i"}),
        ('a/b; c="d\\"e"; f=g', "a/b", {"c": 'd\\"e', "f": "g"}),
        ("a/b; c=d; c=e", "a/b", {"c": "e"}),
        ("a/b; c=--=_d/e; f=g", "a/b", {"c": "--=_d/e", "f": "g"}),
        ("a/b; c=; d", "a/b", {"c": ""}),
        ('a/b; c="d', "a/b", {"c": ""}),
        (";", "", {}),
    ],
)
def test_a_media_type_is_told_from_its_parameters(
    value: str, media_type: str, parameters: dict[str, str]
) -> None:
    assert read_content_type(value) == (media_type, parameters)
