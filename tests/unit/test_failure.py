import re

import pytest

from domain.failure import FAILURE_CODES, read_failure_code
from local.template import ROOT


@pytest.mark.parametrize("code", FAILURE_CODES)
def test_a_code_is_read_as_it_is_written(code: str) -> None:
    assert read_failure_code(code) == code


@pytest.mark.parametrize("text", ["", "Corrupt", "corrupt ", "out of luck"])
def test_there_are_no_other_codes(text: str) -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        read_failure_code(text)


def test_every_code_is_explained_to_users_of_the_api_and_no_other() -> None:
    page = (ROOT / "docs/use-the-api.md").read_text()
    table = page.partition("| `error_code` |")[2].partition("\n\n")[0]
    first_columns = [row.split("|")[1] for row in table.splitlines()[2:]]
    assert sorted(re.findall(r"`(\w+)`", "".join(first_columns))) == sorted(FAILURE_CODES)
