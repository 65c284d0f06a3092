"""Makes the files of the page that are served: comments and layout are for those who read the sources."""

import re
import shutil
from pathlib import Path

_SERVED = {".html", ".css", ".js", ".svg", ".txt"}
_SHORTENED = {".css", ".js"}
_VENDORED = "vendor"
"""Below it all stays as its authors published it, but for what they say of a map that is not served."""
_MAP = re.compile(r"^//# sourceMappingURL=.*\n?", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?:/\*\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*\n", re.DOTALL | re.MULTILINE)
"""Of whole lines."""
_TYPE = re.compile(r"/\*\* @type \{.*?\} \*/ ?")
"""Within a line: a cast. Any other comment there stays."""
_LAYOUT = re.compile(r"^\s+|(?<=[;{,(])\s*\n\s*", re.MULTILINE)
"""Indents, empty lines, and the ends of lines behind which none is needed."""
_BLOCK_END = re.compile(r"(?<=\})\n")
"""Needed in a template alone, whose text may have its space there between two words."""
_TEMPLATE = "html`"


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
        (target / name).write_text(_shortened(text) if is_ours else _MAP.sub("", text))


def _shortened(text: str) -> str:
    lines = _LAYOUT.sub("", _TYPE.sub("", _COMMENT.sub("", text)))
    return lines if _TEMPLATE in lines else _BLOCK_END.sub("", lines)
