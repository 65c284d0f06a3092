"""A role whose calls something comes between."""

from collections.abc import Callable
from typing import Any


class Watched:
    """Passes calls on, and does something before and after each; `turn` is told its name."""

    def __init__(self, inner: object, turn: Callable[[str], None]) -> None:
        self._inner = inner
        self._turn = turn

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the role has
        method = getattr(self._inner, name)

        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - passed on
            self._turn(name)
            result = method(*arguments, **options)
            self._turn(name)
            return result

        return call
