"""Waits for a person to save a file that a deployment depends on."""

from collections.abc import Iterator
from pathlib import Path

from watchfiles import Change, DefaultFilter, watch

from local.template import ROOT

DESCRIPTION = ROOT / "openapi"
"""The models that docs/openapi.json is made from."""
_TREES = (ROOT / "src", ROOT / "page/public", DESCRIPTION, ROOT / "layers", ROOT / "packages", ROOT / "local")
_FILES = frozenset({ROOT / "template.yaml", ROOT / "uv.lock", ROOT / "docs" / "openapi.json"})
_QUIET_MILLISECONDS = 100
"""After which what an editor saves at once counts as saved."""


def saved_files() -> Iterator[set[Path]]:
    """Yield what was saved, again and again; what is saved before the next is asked for is not missed."""
    while True:
        folders = _folders()
        # By folder: an editor may put a new file in the place of the one that is watched.
        for changes in watch(
            *folders, watch_filter=_Sources(), step=_QUIET_MILLISECONDS, recursive=False, raise_interrupt=True
        ):
            yield {Path(path) for _, path in changes}
            if _folders() != folders:
                break


def is_source(path: Path) -> bool:
    """Tell whether a deployment depends on a file at `path`."""
    return path in _FILES or any(path.is_relative_to(tree) for tree in _TREES)


class _Sources(DefaultFilter):
    """All that is deployed, without what editors and Python leave beside it."""

    def __call__(self, change: Change, path: str) -> bool:
        return super().__call__(change, path) and is_source(Path(path))


def _folders() -> list[Path]:
    below = [path for tree in _TREES for path in tree.rglob("*") if path.is_dir()]
    return sorted(
        {*_TREES, *(path for path in below if path.name != "__pycache__")} | {f.parent for f in _FILES}
    )
