"""How much of a picture is seen in a file of it: SSIMULACRA2, 100 for no difference."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from ssimulacra2 import compute_ssimulacra2


def score(picture: Path, made: Path) -> float:
    """Compare a file with the picture, scaled to its size in one step."""
    with tempfile.TemporaryDirectory() as folder, Image.open(made) as file, Image.open(picture) as original:
        paths = [Path(folder) / name for name in ("original.png", "made.png")]
        original.convert("RGB").resize(file.size, Image.Resampling.LANCZOS).save(paths[0])
        file.convert("RGB").save(paths[1])
        return float(compute_ssimulacra2(str(paths[0]), str(paths[1])))


def bytes_at_score(picture: Path, wanted: float, make: Callable[[int, Path], None]) -> float:
    """Return the bytes that a file has with this score, between those of the nearest two qualities."""
    with tempfile.TemporaryDirectory() as folder:
        found: dict[int, tuple[float, int]] = {}

        def at(quality: int) -> float:
            if quality not in found:
                path = Path(folder) / f"{quality}.avif"
                make(quality, path)
                found[quality] = score(picture, path), path.stat().st_size
            return found[quality][0]

        low, high = 20, 95
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if at(middle) < wanted else (low, middle)
        (below, fewer), (above, more) = (
            found.get(each) or (at(each), found[each][1]) for each in (low, high)
        )
        share = (wanted - below) / (above - below) if above != below else 0.0
        return fewer + share * (more - fewer)
