"""Inspecting a picture, against Pillow's `Image.open(f).load()`, each in a fresh process."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.bodies import photograph, png
from bench.environments import ROOT, Deployment, package, peer
from bench.results import Findings, Row, compare

PART = "metadata"

_ROUNDS = 7
_PHOTOGRAPHS = (4_000_000, 20_000_000)
_BOMB_SIDE = 13_000
"""Pixels of each side: 169 megapixels, above the limit of 100."""
_ORDINARY_PNG = (1600, 1200)

type Program = tuple[Deployment, str]


def measure(report: Callable[[str], None]) -> Findings:
    """Inspect photographs, and a picture that must be refused before it is decoded."""
    rows: list[Row] = []
    for size in _PHOTOGRAPHS:
        report(f"a JPEG of {size / 1e6:g} MB")
        path = photograph(size)
        rows += _jpeg_rows(f"{size / 1e6:g} MB", _in_turns({"ours": _ours(path), "reference": _pillow(path)}))
    report("a PNG of 169 megapixels")
    bomb = png(_BOMB_SIDE, _BOMB_SIDE, is_photograph=False)
    ordinary = png(*_ORDINARY_PNG, is_photograph=True)
    found = _in_turns({"ours": _ours(bomb, "PNG"), "reference": _ours(ordinary, "PNG")})
    rows.append(
        compare(
            PART,
            "a PNG of 169 megapixels refused, against the CPU of one of 2 megapixels inspected",
            "ms of CPU",
            ours=_milliseconds(found["ours"]),
            reference=_milliseconds(found["reference"]),
            goal=3,
        )
    )
    return Findings(rows)


def _jpeg_rows(size: str, found: Mapping[str, list[dict[str, float]]]) -> list[Row]:
    cpu, memory, whole = (
        f"metadata of a JPEG of {size}, against Image.open(f).load(), in {measure}"
        for measure in ("CPU", "peak resident memory of the picture", "peak resident memory of the process")
    )
    ours, reference = found["ours"], found["reference"]

    def column(name: str) -> dict[str, list[float]]:
        return {
            "ours": [one[name] for one in ours],
            "reference": [one[name] for one in reference],
        }

    return [
        compare(
            *(PART, cpu, "ms of CPU"),
            ours=_milliseconds(ours),
            reference=_milliseconds(reference),
            goal=0.5,
        ),
        compare(PART, memory, "bytes", **column("growth_bytes"), goal=0.35),
        compare(PART, whole, "bytes", **column("peak_bytes"), goal=None),
    ]


def _milliseconds(found: list[dict[str, float]]) -> list[float]:
    return [1000 * one["cpu_seconds"] for one in found]


def _in_turns(programs: Mapping[str, Program]) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in programs}
    for _ in range(_ROUNDS):
        for name, (deployment, program) in programs.items():
            found[name].append(json.loads(deployment.run(program).stdout))
    return found


def _ours(path: Path, image_format: str = "JPEG") -> Program:
    deployment = package("ExtractMetadataFunction", "PillowLayer")
    return deployment, _program(f"inspect(Path({str(path)!r}), {image_format!r})")


def _pillow(path: Path) -> Program:
    return peer("boto3"), _program(f"load_with_pillow(Path({str(path)!r}))")


def _program(call: str) -> str:
    return "\n".join(
        (
            f"sys.path.append({str(ROOT)!r})",
            "from pathlib import Path",
            "from bench.inspection import inspect, load_with_pillow",
            call,
        )
    )
