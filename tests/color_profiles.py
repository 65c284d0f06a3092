"""Colour profiles, and what of a colour they make by the formula: no library's word is taken for it."""

import struct
from typing import NamedTuple

type Triple = tuple[float, float, float]


class Primaries(NamedTuple):
    """XYZ of red, green and blue, adapted to D50 (Bradford), and the exponent; None for sRGB's curve."""

    red: Triple
    green: Triple
    blue: Triple
    gamma: float | None

    @property
    def colors(self) -> tuple[Triple, Triple, Triple]:
        return self.red, self.green, self.blue


# Each from its own specification, adapted as ICC.1:2022, annex E, says.
SRGB = Primaries(
    (0.436066, 0.222488, 0.013916), (0.385147, 0.716873, 0.097076), (0.143066, 0.060608, 0.714096), None
)
DISPLAY_P3 = Primaries(
    (0.515102, 0.241182, -0.001050), (0.291965, 0.692236, 0.041882), (0.157153, 0.066582, 0.784378), None
)
ADOBE_RGB = Primaries(
    (0.609741, 0.311111, 0.019470),
    (0.205276, 0.625671, 0.060867),
    (0.149185, 0.063217, 0.744568),
    563 / 256,
)
PROPHOTO = Primaries(
    (0.797675, 0.288040, 0.0), (0.135187, 0.711874, 0.0), (0.031345, 0.000084, 0.825211), 1.8
)
REC2020 = Primaries(
    (0.673459, 0.279033, -0.001931), (0.165661, 0.675338, 0.029984), (0.125100, 0.045629, 0.797134), 2.4
)
_D50 = (0.964203, 1.0, 0.824905)


def rgb_profile(primaries: Primaries) -> bytes:
    """Return a profile of the smallest kind: three colours and one curve (ICC.1:2022, 8.3.3)."""
    columns = zip(("rXYZ", "gXYZ", "bXYZ"), primaries.colors, strict=True)
    curve = _curve(primaries.gamma)
    return _profile(
        "RGB ", {**{name: _xyz(xyz) for name, xyz in columns}, "rTRC": curve, "gTRC": curve, "bTRC": curve}
    )


def gray_profile(gamma: float) -> bytes:
    return _profile("GRAY", {"kTRC": _curve(gamma)})


def as_srgb(primaries: Primaries, color: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return what a colour is in sRGB, by way of XYZ; what sRGB does not hold is cut off."""
    linear = [_linear(value / 255, primaries.gamma) for value in color]
    xyz = [
        sum((light * color[row] for light, color in zip(linear, primaries.colors, strict=True)), 0.0)
        for row in range(3)
    ]
    red, green, blue = (_encoded(value) for value in _solved(SRGB, xyz))
    return red, green, blue


def gray_as_srgb(gamma: float, value: float) -> int:
    return _encoded((value / 255) ** gamma)


def _linear(value: float, gamma: float | None) -> float:
    if gamma is not None:
        return float(value**gamma)
    # IEC 61966-2-1.
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _encoded(linear: float) -> int:
    linear = min(1.0, max(0.0, linear))
    encoded = linear * 12.92 if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(encoded * 255)


def _solved(primaries: Primaries, xyz: list[float]) -> list[float]:
    """Return how much of red, green and blue makes this XYZ (Cramer's rule)."""
    columns = [list(each) for each in primaries.colors]
    whole = _determinant(columns)
    return [
        _determinant([xyz if other == index else column for other, column in enumerate(columns)]) / whole
        for index in range(3)
    ]


def _determinant(m: list[list[float]]) -> float:
    (a, b, c), (d, e, f), (g, h, i) = m
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def _curve(gamma: float | None) -> bytes:
    # Parametric curves of type 0 and 3 (10.18).
    if gamma is not None:
        return b"para" + bytes(4) + struct.pack(">HH", 0, 0) + _fixed(gamma)
    values = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return b"para" + bytes(4) + struct.pack(">HH", 3, 0) + b"".join(map(_fixed, values))


def _xyz(values: Triple) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(map(_fixed, values))


def _text(text: str) -> bytes:
    words = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(words), 28) + words


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65_536))


def _profile(space: str, tags: dict[str, bytes]) -> bytes:
    tags = {"desc": _text("test"), "cprt": _text("CC0"), "wtpt": _xyz(_D50), **tags}
    at, table, data = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name.encode(), at + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12s4s4s",
        at + len(data),
        b"",
        0x04200000,
        b"mntr",
        space.encode(),
        b"XYZ ",
        b"",
        b"acsp",
        b"",
    )
    header += bytes(68 - len(header)) + b"".join(map(_fixed, _D50))
    return header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + table + data
