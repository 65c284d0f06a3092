"""Makes the files of the page that are served: comments and indents are for those who read the sources."""

import re
import shutil
from pathlib import Path

_SERVED = {".html", ".css", ".js", ".svg", ".txt"}
_SHORTENED = {".css", ".js"}
_VENDORED = "vendor"
"""Below it everything stays as its authors published it."""
_COMMENT = re.compile(r"^[ \t]*(?:/\*\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*\n", re.DOTALL | re.MULTILINE)
"""Of whole lines."""
_TYPE = re.compile(r"/\*\* @type \{.*?\} \*/ ?")
"""Within a line: a cast. Any other comment there stays."""
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
"""Of a template's text too, where one space means as much as many."""


def copy_page(source: Path, target: Path) -> None:
    """Fill `target` with what is served of the page in `source`."""
    shutil.rmtree(target, ignore_errors=True)
    for path in sorted(source.rglob("*")):
        if path.suffix not in _SERVED:
            continue
        name = path.relative_to(source)
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text()
        is_ours = path.suffix in _SHORTENED and name.parts[0] != _VENDORED
        (target / name).write_text(_shortened(text) if is_ours else text)


def _shortened(text: str) -> str:
    return _INDENT.sub("", _TYPE.sub("", _COMMENT.sub("", text)))
