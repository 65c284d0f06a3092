import pytest

from bench.warm_invocations import billed_milliseconds


@pytest.mark.parametrize(
    ("function", "durations", "billed"),
    [
        ("upload_image", [217, 28, 28], 24),
        ("upload_image", [28, 29], 24),
        ("gallery", [295, 53, 53], 4),
    ],
)
def test_the_emulators_wait_for_logs_is_not_billed_and_a_begun_millisecond_is(
    function: str, durations: list[int], billed: int
) -> None:
    assert billed_milliseconds(function, durations) == billed
