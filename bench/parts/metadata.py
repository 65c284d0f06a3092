"""Inspecting a picture, against Pillow's `Image.open(f).load()`, each in a fresh process."""

import json
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.bodies import photograph, png
from bench.environments import ROOT, Deployment, package, peer
from bench.results import Findings, Row, compare

PART = "metadata"

_ROUNDS = 7
_PHOTOGRAPHS = (4_000_000, 20_000_000)
"""Bytes. The rows against `Image.open(f).load()` have no goal any more: docs/performance.md says why."""
_BOMB_SIDE = 13_000
"""Pixels of each side: 169 megapixels, above the limit of 100."""
_ORDINARY_PNG = (1600, 1200)

_STEPS = {
    "reading the file": "read",
    "the public copy, and the SHA-256 of what was sent": "copy",
    "the child process, decoding nothing": "start_child",
    "decoding at an eighth, without a child process": "decode",
    "the same, to luminance alone": "decode_luminance",
}
"""Parts of an inspection, measured alone, and what runs each (`bench/inspection.py`)."""

type Program = tuple[Deployment, str]


def measure(report: Callable[[str], None]) -> Findings:
    """Inspect photographs, and a picture that must be refused before it is decoded."""
    rows: list[Row] = []
    steps: dict[str, dict[str, float]] = {}
    for size in _PHOTOGRAPHS:
        report(f"a JPEG of {size / 1e6:g} MB")
        path, name = photograph(size), f"{size / 1e6:g} MB"
        contenders = {"ours": _ours("inspect", path), "reference": _pillow(path)}
        found = _in_turns(contenders | {step: _ours(call, path) for step, call in _STEPS.items()})
        rows += _jpeg_rows(name, found)
        steps[name] = {step: _ratio(found[step], found["reference"]) for step in _STEPS}
    report("a PNG of 169 megapixels")
    bomb = png(_BOMB_SIDE, _BOMB_SIDE, is_photograph=False)
    ordinary = png(*_ORDINARY_PNG, is_photograph=True)
    found = _in_turns({"ours": _ours("inspect", bomb, "PNG"), "reference": _ours("inspect", ordinary, "PNG")})
    rows.append(
        compare(
            PART,
            "a PNG of 169 megapixels refused, against the CPU of one of 2 megapixels inspected",
            "ms of CPU",
            ours=_milliseconds(found["ours"]),
            reference=_milliseconds(found["reference"]),
            goal=0.12,
        )
    )
    return Findings(rows, {"inspection_steps": steps})


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
            goal=None,
        ),
        compare(PART, memory, "bytes", **column("growth_bytes"), goal=None),
        compare(PART, whole, "bytes", **column("peak_bytes"), goal=None),
    ]


def _ratio(step: list[dict[str, float]], reference: list[dict[str, float]]) -> float:
    pairs = zip(_milliseconds(step), _milliseconds(reference), strict=True)
    return statistics.median(mine / other for mine, other in pairs)


def _milliseconds(found: list[dict[str, float]]) -> list[float]:
    return [1000 * one["cpu_seconds"] for one in found]


def _in_turns(programs: Mapping[str, Program]) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in programs}
    for _ in range(_ROUNDS):
        for name, (deployment, program) in programs.items():
            found[name].append(json.loads(deployment.run(program).stdout))
    return found


def _ours(call: str, path: Path, image_format: str = "JPEG") -> Program:
    deployment = package("ExtractMetadataFunction", "PillowLayer")
    return deployment, _program(f"inspection.{call}(Path({str(path)!r}), {image_format!r})")


def _pillow(path: Path) -> Program:
    return peer("boto3"), _program(f"inspection.load_with_pillow(Path({str(path)!r}))")


def _program(call: str) -> str:
    return "\n".join(
        (
            f"sys.path.append({str(ROOT)!r})",
            "from pathlib import Path",
            "from bench import inspection",
            call,
        )
    )
