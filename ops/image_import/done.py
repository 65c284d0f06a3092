"""Notes which addresses were put in: a file is known by its bytes, an address only by what was noted."""

import hashlib
import json
from pathlib import Path

from ops.image_import.rows import PictureRow


class DoneAddresses:
    """The file beside the CSV: a line for each address that became a ready picture."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lines = set(file.read_text().split()) if file.exists() else set()

    def has(self, row: PictureRow) -> bool:
        """Tell whether the row's address was put into its product."""
        return _line(row) in self._lines

    def note(self, row: PictureRow) -> None:
        """Note that it was, at once, so that nothing is lost when the command is killed."""
        if not row.url:
            return
        self._lines.add(_line(row))
        with self._file.open("a") as stream:
            stream.write(f"{_line(row)}\n")


def _line(row: PictureRow) -> str:
    return hashlib.sha256(json.dumps([row.product_id, row.url]).encode()).hexdigest()
