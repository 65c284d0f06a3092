"""Makes the files of the staff's page that are served: comments are for those who read the sources."""

import re
import shutil
from pathlib import Path

_SERVED = {".html", ".css", ".js", ".svg", ".txt"}
_VENDORED = "vendor"
"""Below it everything stays as its authors published it."""
_COMMENT = re.compile(r"^[ \t]*(?:/\*\*.*?\*/|//[^\n]*)[ \t]*\n", re.DOTALL | re.MULTILINE)
"""Of whole lines. One within a line, such as a cast, stays."""


def copy_page(source: Path, target: Path) -> None:
    """Fill `target` with what is served of the page in `source`."""
    shutil.rmtree(target, ignore_errors=True)
    for path in sorted(source.rglob("*")):
        if path.suffix not in _SERVED:
            continue
        name = path.relative_to(source)
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text()
        is_ours = path.suffix == ".js" and name.parts[0] != _VENDORED
        (target / name).write_text(_COMMENT.sub("", text) if is_ours else text)
