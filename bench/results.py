"""What the benchmark found: rows of ratios, and what the plots are drawn of, kept as JSON."""

import json
import statistics
from collections.abc import Sequence
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


def merge(path: Path, found: Findings, about: dict[str, Any], *, part: str, order: Sequence[str]) -> None:
    """Write what a part found in the place of what it found before; `order` is that of the parts."""
    results = json.loads(path.read_text()) if path.exists() else {}
    others = [row for row in results.get("rows", []) if row["part"] != part]
    series = {**results.get("series", {}), **found.series}
    rows = sorted([*others, *map(asdict, found.rows)], key=lambda row: order.index(row["part"]))
    merged = {**about, "rows": rows, "series": series}
    path.write_text(json.dumps(merged, indent=2) + "\n")
