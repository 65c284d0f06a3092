"""Compares a generated page with what would be generated now, and lets figures move by a rounding."""

import re
from difflib import ndiff

_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")
_SHARE = 0.1
"""Of a figure with decimals, measured or computed: so far does a record move it that grows by a field."""


def differences(committed: str, current: str) -> list[str]:
    """Return what differs but for line ends and roundings; nothing, if the committed page may stay.

    Whole numbers are counts, limits and versions: each is as it must be.
    """
    if _words(committed) != _words(current):
        lines = ndiff(committed.splitlines(), current.splitlines())
        return [line for line in lines if line[0] in "+-"]
    figures = zip(_FIGURE.findall(committed), _FIGURE.findall(current), strict=True)
    return [f"{stated}, now {now}" for stated, now in figures if not is_rounding(stated, now)]


def is_rounding(stated: str, now: str) -> bool:
    """Tell whether a figure, as it is printed, is another one but for a rounding."""
    if "." not in stated or "." not in now:
        return stated == now
    before, after = (float(figure.replace(",", "")) for figure in (stated, now))
    last_digit = 10.0 ** -len(stated.partition(".")[2])
    # A hair more, for what floating point makes of 0.31 - 0.3.
    return abs(after - before) <= max(last_digit, _SHARE * abs(after)) * (1 + 1e-9)


def _words(page: str) -> str:
    """Return the page without its figures, and without where its lines end."""
    return " ".join(_FIGURE.sub("0", page).split())
