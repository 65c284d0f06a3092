"""What the benchmark found: rows of ratios, and what the plots are drawn of, kept as JSON."""

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison; `ratio` is ours to the reference's, the smaller the better.

    `spread` is the lowest and the highest ratio, or the middle half of them, as the part says.
    A row without a goal only states something.
    """

    part: str
    name: str
    unit: str
    ours: float
    reference: float | None
    ratio: float | None
    goal: float | None
    holds: bool | None
    spread: tuple[float, float] | None


def compare(
    part: str,
    name: str,
    unit: str,
    *,
    ours: Sequence[float],
    reference: Sequence[float],
    goal: float | None,
) -> Row:
    """Compare measurements taken in pairs: medians, and the middle half of the pairs' ratios."""
    ratios = [mine / other for mine, other in zip(ours, reference, strict=True)]
    ratio = statistics.median(ratios)
    return Row(
        part=part,
        name=name,
        unit=unit,
        ours=statistics.median(ours),
        reference=statistics.median(reference),
        ratio=ratio,
        goal=goal,
        holds=None if goal is None else ratio <= goal,
        spread=_middle_half(ratios),
    )


def state(part: str, name: str, unit: str, *, ours: float, limit: float | None) -> Row:
    """State one figure, which must be no larger than `limit` if there is one."""
    ratio = None if limit is None else ours / limit
    return Row(
        part=part,
        name=name,
        unit=unit,
        ours=ours,
        reference=limit,
        ratio=ratio,
        goal=None if limit is None else 1,
        holds=None if ratio is None else ratio <= 1,
        spread=None,
    )


def _middle_half(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 4:  # noqa: PLR2004 - too few for quartiles
        return min(values), max(values)
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return first, third


@dataclass(slots=True)
class Findings:
    """What one part found: its rows, and series of figures for plots and lists, by name."""

    rows: list[Row]
    series: dict[str, Any] = field(default_factory=dict)


def write(path: Path, found: Iterable[Findings], about: Mapping[str, Any]) -> None:
    """Write what all parts found in one run, in their order, with when, where and with what that was."""
    found = list(found)
    rows = [asdict(row) for each in found for row in each.rows]
    series = {name: figures for each in found for name, figures in each.series.items()}
    path.write_text(json.dumps({**about, "rows": rows, "series": series}, indent=2) + "\n")
