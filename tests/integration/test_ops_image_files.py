"""What an import says of files that it cannot take."""

from pathlib import Path

import pytest

from ops.image_import.files import UnusableFileError, look_at


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a\0.jpg", "no name that a file can have"),
        ("shoe\\a.jpg", r"is not there\. .* Write / between folders\."),
        ("a.jpg", r"is not there\. Files are looked for beside the CSV\.$"),
    ],
)
def test_a_name_that_leads_to_no_file_is_refused_with_what_to_do(
    tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(UnusableFileError, match=said):
        look_at(tmp_path / name)
